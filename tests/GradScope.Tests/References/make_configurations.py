"""Writes configurations.json: 48 small transformers of random options, which ConfigurationTests compares the engine with.

    python3 make_configurations.py    (needs PyTorch 1.13 or newer; takes a few seconds)

Each configuration is one forward and backward in float64 of the model in make_references.py.
    config      every option of TransformerConfig but dropout
    seed        of the parameters, which are not stored: both sides draw them, in the model's order, from the engine's
                RandomStream, each element (next(65) - 32) / 64, plus 1 in a norm's weight; float32 holds them exactly
    tokens, targets   a target of -1 is ignored
    loss        9 digits
    values, gradients, parameters
                name -> base64 of little-endian float32, row-major: values and gradients of the logits and of each layer's
                scores, pattern and z, and the gradients of the parameters. Rounding to float32 is a hundredth of what the
                comparison allows. What a causal mask hides is 0 and not compared.
"""

import base64
import json
import random

import torch

import make_references as reference

COUNT = 48
MASK = (1 << 64) - 1


class RandomStream:
    """SplitMix64 as in src/GradScope/Autograd/RandomStream.cs."""

    def __init__(self, seed):
        self.state = (seed * 0x9E3779B97F4A7C15 + 0x1234567) & MASK

    def next(self, count):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return ((z ^ (z >> 31)) * count) >> 64

    def draw(self, _, *shape):
        elements = 1
        for size in shape:
            elements *= size
        return torch.tensor([(self.next(65) - 32) / 64 for _ in range(elements)]).reshape(shape)


def config_of(r):
    heads = r.choice((1, 2, 3, 4))
    width = heads * r.choice([w for w in (1, 2, 3, 4, 6) if 4 <= heads * w <= 10])
    context = r.randint(3, 6)
    config = {
        "vocabSize": r.randint(3, 9),
        "modelDim": width,
        "headCount": heads,
        "layerCount": r.choice((1, 2, 3)),
        "contextLength": context,
        "mlpDim": r.choice((0, None, 5, 9)),
        "activation": r.choice(("Gelu", "GeluTanh", "Relu")),
        "norm": r.choice(("LayerNorm", "LayerNorm", "RmsNorm", "None")),
        "normPlacement": r.choice(("Pre", "Post")),
        "positions": r.choice(("Learned", "Sinusoidal", "None") if width % 2 == 0 else ("Learned", "None")),
        "causal": r.random() < 0.6,
        "biases": r.random() < 0.6,
        "tiedEmbeddings": r.random() < 0.4,
    }
    return config, r.choice((context, context, 1, 2, context - 1))


def packed(x, hidden=None):
    x = x.detach() if hidden is None else x.detach().masked_fill(hidden, 0)
    return json.dumps(base64.b64encode(x.to(torch.float32).contiguous().numpy().astype("<f4").tobytes()).decode())


def configuration(seed):
    r = random.Random(seed)
    config, length = config_of(r)
    batch = r.choice((1, 2, 3))
    tokens, targets = ([[r.randrange(config["vocabSize"]) for _ in range(length)] for _ in range(batch)] for _ in range(2))
    if r.random() < 0.5 and batch * length > 1:
        targets[r.randrange(batch)][r.randrange(length)] = -1
    p = reference.fresh(reference.parameters_of(config, RandomStream(seed).draw))
    logits, kept = reference.forward(p, config, torch.tensor(tokens))
    kept = {name: x for name, x in kept.items() if name.endswith(("logits", ".scores", ".pattern", ".z"))}
    for x in kept.values():
        x.retain_grad()
    loss = reference.cross_entropy(logits, torch.tensor(targets))
    loss.backward()

    def hidden(name):
        return reference.future(length) if config["causal"] and name.endswith((".scores", ".pattern")) else None

    return reference.fields([
        ("config", json.dumps(config)),
        ("seed", seed),
        ("tokens", json.dumps(tokens)),
        ("targets", json.dumps(targets)),
        ("loss", reference.number(loss.item())),
        ("values", reference.fields((name, packed(x, hidden(name))) for name, x in kept.items())),
        ("gradients", reference.fields((name, packed(x.grad, hidden(name))) for name, x in kept.items())),
        ("parameters", reference.fields((name, packed(x.grad)) for name, x in p.items())),
    ])


if __name__ == "__main__":
    reference.write("configurations.json", "[\n" + ",\n".join(map(configuration, range(1, COUNT + 1))) + "\n]")
