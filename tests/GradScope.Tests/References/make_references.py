"""Writes the PyTorch reference values that tests/GradScope.Tests/Parity compares the engine with.

    python3 make_references.py        (needs PyTorch 1.13 or newer; takes a few seconds)

Everything is computed in float64. Inputs, weights and upstream gradients are multiples of a small power of two, so
that float32 holds them exactly and a difference is the engine's own. A second run writes the same bytes.

operations.json: a list of cases, one a line.
    inputs      name -> tensor ({"shape", "values"}, row-major)
    attributes  exponents, axes, indices, head counts ... of the case
    output      the result; null where a causal mask leaves nothing to compare
    upstream    the gradient that arrives at the output: backward is of sum(output * upstream)
    gradients   name -> gradient of each differentiable input; null where a mask leaves nothing to compare

model-*.json: one whole transformer each.
    config      the options that differ between the models, and the sizes
    parameters  name -> tensor; each weight of a linear map is (in, out) and used as x.W
    batches     tokens and targets; a target of -1 is ignored
    passes      one forward and backward of a batch: loss, and by name the gradients of parameters, and the values and
                gradients of activations (all of one model, the residual stream and attention of the others, and of the
                shorter batch only what stands outside the blocks)
    traces      losses of n = 20 or 50 optimiser steps, each from `parameters`; the four full batches take turns

configurations.json: 48 small transformers of random options, which make_configurations.py writes.

The learning rate of a trace with a schedule, for step s = 1 .. n with w warm-up steps:
    s < w:   lr * s / w
    else:    minLr + (lr - minLr) * (1 + cos(pi * (s - w) / (n - w))) / 2, which is minLr at the last step
"""

import json
import math
import pathlib
import zlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
EPSILON = 1e-5
STEPS = 20
FULL_BATCHES = 4

# Chosen so that no gradient element is some 1e-8 by accident in a first step: Adam brings such a one to full size, and
# the rounding in it, so that float32 and float64 part by 1e-4, in PyTorch as well.
WEIGHTS = 0

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


# Numbers ------------------------------------------------------------------------------------------------------------

def generator(*name):
    """A generator that depends on the name alone, so that a new case changes no other."""
    return torch.Generator().manual_seed(zlib.crc32("/".join(map(str, name)).encode()))


def grid(values):
    """The nearest multiples of 1/32."""
    return torch.round(values * 32) / 32


def normal(g, *shape, scale=1.0):
    return grid(torch.randn(shape, generator=g) * scale)


def uniform(g, *shape, low, high):
    return grid(torch.rand(shape, generator=g) * (high - low) + low)


def number(value):
    text = f"{value:.9g}"
    return "0" if text == "-0" else text


def tensor(values, hidden=None):
    """A tensor as JSON; where `hidden` is true, null."""
    flat = values.detach().reshape(-1).tolist()
    skip = [False] * len(flat) if hidden is None else hidden.expand(values.shape).reshape(-1).tolist()
    shape = ",".join(map(str, values.shape))
    return f'{{"shape":[{shape}],"values":[{",".join("null" if s else number(v) for v, s in zip(flat, skip))}]}}'


def fields(pairs, separator=","):
    return "{" + separator.join(f"{json.dumps(name)}:{value}" for name, value in pairs) + "}"


# Operations ---------------------------------------------------------------------------------------------------------

def future(length):
    """True where a key lies after its query."""
    return torch.ones(length, length, dtype=torch.bool).triu(1)


def heads_of(x, count):
    """(B, T, D) -> (B, H, T, D / H)."""
    return x.reshape(x.shape[0], x.shape[1], count, -1).transpose(1, 2)


def head_scores(q, k, heads, causal):
    scores = heads_of(q, heads) @ heads_of(k, heads).transpose(-1, -2) / math.sqrt(q.shape[-1] / heads)
    return scores.masked_fill(future(q.shape[1]), -math.inf) if causal else scores


def head_mix(pattern, v):
    return (pattern @ heads_of(v, pattern.shape[1])).transpose(1, 2).reshape(v.shape)


def causal_softmax(x):
    return torch.softmax(x.masked_fill(future(x.shape[-1]), -math.inf), -1)


def rms_norm(x, weight):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + EPSILON) * weight


def layer_norm(x, weight, bias=None):
    return F.layer_norm(x, x.shape[-1:], weight, bias, EPSILON)


def linear(x, weight, bias=None):
    return x @ weight if bias is None else x @ weight + bias


def cross_entropy(logits, targets):
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), ignore_index=-1)


def operation_case(operation, case, f, inputs, attributes=None, hidden_output=None, hidden_gradients=None):
    for x in inputs.values():
        x.requires_grad_()
    output = f(*inputs.values())
    upstream = normal(generator(operation, case, "upstream"), *output.shape)
    if hidden_output is not None:
        upstream = upstream.masked_fill(hidden_output, 0)
        output = output.masked_fill(hidden_output, 0)
    (output * upstream).sum().backward()
    hidden_gradients = hidden_gradients or {}
    return fields([
        ("operation", json.dumps(operation)),
        ("case", json.dumps(case)),
        ("attributes", json.dumps(attributes or {}, separators=(",", ":"))),
        ("inputs", fields((name, tensor(x)) for name, x in inputs.items())),
        ("output", tensor(output, hidden_output)),
        ("upstream", tensor(upstream)),
        ("gradients", fields((name, tensor(x.grad, hidden_gradients.get(name))) for name, x in inputs.items())),
    ])


def binary_cases():
    shapes = {
        "same shape": ((3, 4), (3, 4)),
        "same shape, longer than a vector": ((2, 19), (2, 19)),
        "a bias over rows": ((3, 18), (18,)),
        "a scalar on the right": ((2, 3, 5), ()),
        "a scalar on the left": ((), (3, 17)),
        "positions over a batch": ((2, 3, 4), (3, 4)),
        "a column against a row": ((5, 1), (1, 4)),
        "one number a row": ((2, 2, 17), (2, 2, 1)),
    }
    functions = {
        "Add": torch.add,
        "Subtract": torch.sub,
        "Multiply": torch.mul,
        "Divide": torch.div,
    }
    for operation, f in functions.items():
        for case, (left, right) in shapes.items():
            g = generator(operation, case)
            a, b = normal(g, *left), normal(g, *right)
            if operation == "Divide":
                b = torch.where(b < 0, b - 0.5, b + 0.5)
            yield operation_case(operation, case, f, {"a": a, "b": b})


def unary_cases():
    functions = {
        "Negate": torch.neg,
        "Exp": torch.exp,
        "Log": torch.log,
        "Tanh": torch.tanh,
        "Relu": torch.relu,
        "Gelu": F.gelu,
        "GeluTanh": lambda x: F.gelu(x, approximate="tanh"),
        "Sigmoid": torch.sigmoid,
        "Sqrt": torch.sqrt,
    }
    for operation, f in functions.items():
        for shape in ((3, 4), (2, 1, 19)):
            g = generator(operation, shape)
            x = uniform(g, *shape, low=0.25, high=4) if operation in ("Log", "Sqrt") else normal(g, *shape, scale=1.5)
            if operation == "Relu":
                x.view(-1)[0] = 0
            yield operation_case(operation, str(shape), f, {"x": x})
    wide = torch.tensor([-90, -30, -12, -6, -4, -1, -0.03125, 0, 0.03125, 1, 4, 6, 12, 30, 90])
    for operation in ("Tanh", "Gelu", "GeluTanh", "Sigmoid"):
        yield operation_case(operation, "from -90 to 90", functions[operation], {"x": wide.clone()})
    for exponent in (2, 3, -1, 0.5):
        for shape in ((5,), (2, 17)):
            g = generator("Pow", exponent, shape)
            x = normal(g, *shape) if exponent in (2, 3) else uniform(g, *shape, low=0.25, high=4)
            yield operation_case("Pow", f"{exponent} of {shape}", lambda x: x ** exponent, {"x": x}, {"exponent": exponent})


def shape_cases():
    for left, right in (((3, 4), (4, 5)), ((1, 7), (7, 1)), ((7, 9), (9, 18)), ((2, 3, 4), (2, 4, 5)), ((2, 2, 3, 4), (2, 2, 4, 5)),
                        ((2, 3, 4), (4, 5)), ((2, 5, 18), (18, 6))):
        g = generator("MatMul", left, right)
        yield operation_case("MatMul", f"{left} times {right}", torch.matmul, {"a": normal(g, *left), "b": normal(g, *right)})
    for shape in ((3, 5), (2, 4, 3), (2, 2, 3, 4)):
        x = normal(generator("Transpose", shape), *shape)
        yield operation_case("Transpose", str(shape), lambda x: x.transpose(-1, -2), {"x": x})
    for shape, to in (((2, 6), (3, 4)), ((2, 3, 4), (6, 4)), ((5,), (1, 5))):
        x = normal(generator("Reshape", shape, to), *shape)
        yield operation_case("Reshape", f"{shape} to {to}", lambda x: x.reshape(to), {"x": x}, {"shape": to})
    for operation, f in (("Sum", torch.sum), ("Mean", torch.mean)):
        for shape in ((7,), (3, 4), (2, 3, 9)):
            x = normal(generator(operation, shape), *shape)
            yield operation_case(operation, f"all of {shape}", f, {"x": x})
            for axis in range(len(shape)) if len(shape) > 1 else ():
                for keep in (False, True):
                    case = f"axis {axis} of {shape}{', kept' if keep else ''}"
                    x = normal(generator(operation, case), *shape)
                    yield operation_case(operation, case, lambda x: f(x, axis, keepdim=keep), {"x": x}, {"axis": axis, "keepDim": keep})
    for rows, width, indices, shape in ((4, 3, [2, 0, 2, 3, 2], (5,)), (6, 17, [5, 1, 1, 0, 5, 5], (2, 3))):
        table = normal(generator("Rows", indices), rows, width)
        index = torch.tensor(indices).reshape(shape)
        yield operation_case("Rows", f"{indices} as {shape} of ({rows}, {width})", lambda t: t[index], {"table": table},
                             {"indices": indices, "indexShape": shape})


def layer_cases():
    for shape, scale, kind in (((3,), 1, ""), ((2, 5), 1, ""), ((3, 35), 2, ""), ((2, 6), 1000, ", large scores")):
        x = normal(generator("Softmax", shape, scale), *shape, scale=scale)
        yield operation_case("Softmax", f"{shape}{kind}", lambda x: torch.softmax(x, -1), {"x": x})
    near = normal(generator("Softmax", "near"), 3, 5) + 1000
    yield operation_case("Softmax", "(3, 5), large scores close together", lambda x: torch.softmax(x, -1), {"x": near})
    for shape, scale, kind in (((5, 5), 1, ""), ((1, 2, 9, 9), 1, ""), ((17, 17), 1, ""), ((2, 4, 4), 1000, ", large scores")):
        x = normal(generator("CausalSoftmax", shape, scale), *shape, scale=scale)
        yield operation_case("CausalSoftmax", f"{shape}{kind}", causal_softmax, {"x": x})
    for shape, out in (((3, 4), 5), ((2, 3, 7), 18), ((2, 4, 17), 9)):
        for bias in (True, False):
            g = generator("Linear", shape, out, bias)
            inputs = {"x": normal(g, *shape), "weight": normal(g, shape[-1], out)}
            if bias:
                inputs["bias"] = normal(g, out)
            yield operation_case("Linear", f"{shape} to {out}{'' if bias else ', no bias'}", linear, inputs)
    for shape in ((3, 5), (2, 2, 16), (3, 19)):
        for bias in (True, False):
            g = generator("LayerNorm", shape, bias)
            inputs = {"x": normal(g, *shape, scale=2) + 1, "weight": normal(g, shape[-1])}
            if bias:
                inputs["bias"] = normal(g, shape[-1])
            yield operation_case("LayerNorm", f"{shape}{'' if bias else ', no bias'}", layer_norm, inputs, {"epsilon": EPSILON})
        g = generator("RmsNorm", shape)
        yield operation_case("RmsNorm", str(shape), rms_norm, {"x": normal(g, *shape, scale=2) + 1, "weight": normal(g, shape[-1])},
                             {"epsilon": EPSILON})
    # Variances about epsilon's size, where epsilon and its place decide the result.
    for operation, f in (("LayerNorm", layer_norm), ("RmsNorm", rms_norm)):
        g = generator(operation, "small")
        inputs = {"x": grid(torch.randn(3, 7, generator=g)) / 256, "weight": normal(g, 7)}
        yield operation_case(operation, "(3, 7), small numbers", f, inputs, {"epsilon": EPSILON})
    for (batch, length, width), heads in (((2, 5, 6), 2), ((1, 17, 4), 1), ((2, 4, 12), 3)):
        for causal in (True, False):
            case = f"{heads} heads of {(batch, length, width)}{', causal' if causal else ''}"
            hidden = future(length) if causal else None
            attributes = {"heads": heads, "causal": causal}
            g = generator("HeadScores", case)
            q, k = normal(g, batch, length, width), normal(g, batch, length, width)
            yield operation_case("HeadScores", case, lambda q, k: head_scores(q, k, heads, causal), {"q": q, "k": k}, attributes, hidden)
            g = generator("HeadMix", case)
            pattern = uniform(g, batch, heads, length, length, low=0, high=1)
            if causal:
                pattern = pattern.masked_fill(hidden, 0)
            yield operation_case("HeadMix", case, head_mix, {"pattern": pattern, "v": normal(g, batch, length, width)}, attributes,
                                 hidden_gradients={"pattern": hidden})
    for shape, targets, scale, kind in (
            ((5, 7), [0, 6, 3, 3, 1], 1, ""),
            ((2, 3, 11), [10, 0, 4, 4, 9, 2], 2, ""),
            ((2, 3, 11), [-1, 0, -1, 4, 9, -1], 2, ", three targets ignored"),
            ((3, 19), [18, 0, -1], 1000, ", large logits")):
        logits = normal(generator("CrossEntropy", shape, scale, kind), *shape, scale=scale)
        index = torch.tensor(targets).reshape(shape[:-1])
        yield operation_case("CrossEntropy", f"{shape}{kind}", lambda x: cross_entropy(x, index), {"logits": logits},
                             {"targets": targets, "ignore": -1})


# Models -------------------------------------------------------------------------------------------------------------

SIZES = {"vocabSize": 11, "modelDim": 16, "headCount": 2, "layerCount": 2, "contextLength": 8, "mlpDim": 24}

MODELS = {
    "pre-ln-gelu": {"norm": "LayerNorm", "normPlacement": "Pre", "activation": "Gelu", "positions": "Learned"},
    "post-ln-relu": {"norm": "LayerNorm", "normPlacement": "Post", "activation": "Relu", "positions": "Sinusoidal", "tiedEmbeddings": True},
    "rms-norm": {"norm": "RmsNorm", "normPlacement": "Pre", "activation": "GeluTanh", "positions": "None", "biases": False},
}
DEFAULTS = {"biases": True, "tiedEmbeddings": False}

STREAM_AND_ATTENTION = ("resid_pre", "resid_mid", "resid_post", "attn.q", "attn.k", "attn.v", "attn.scores", "attn.pattern", "attn.z", "logits")

ADAM = {"optimizer": "Adam", "lr": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}

CLIPPED = ADAM | {"optimizer": "AdamW", "weightDecay": 0.1, "beta2": 0.99, "minLr": 0.001, "warmUp": 10, "clip": 1.0, "steps": 50}

TRACES = {
    "pre-ln-gelu": {
        "Adam": ADAM,
        "AdamW, clipped, warm-up and cosine": CLIPPED,
        "AdamW": ADAM | {"optimizer": "AdamW", "weightDecay": 0.1, "beta1": 0.8, "beta2": 0.95, "epsilon": 0.001},
    },
    "post-ln-relu": {
        "Adam": ADAM,
        "SGD, gradient clipped": {"optimizer": "SGD", "lr": 0.1, "momentum": 0, "clip": 1.0},
    },
    "rms-norm": {
        "Adam": ADAM,
        "SGD with momentum": {"optimizer": "SGD", "lr": 0.02, "momentum": 0.9},
        "Adam, warm-up and cosine": ADAM | {"lr": 0.02, "minLr": 0.001, "warmUp": 5},
        "AdamW, clipped, warm-up and cosine": CLIPPED,
    },
}


def parameters_of(config, draw):
    """The parameters in the engine's order; draw(scale, *shape) makes each of them, for a norm's weight its distance from 1."""
    vocab, width = config["vocabSize"], config["modelDim"]
    mlp = 4 * width if config["mlpDim"] is None else config["mlpDim"]
    p = {"embed.weight": draw(0.5, vocab, width)}

    def add_linear(path, rows, columns):
        p[f"{path}.weight"] = draw(rows ** -0.5, rows, columns)
        if config["biases"]:
            p[f"{path}.bias"] = draw(0.1, columns)

    def add_norm(path):
        if config["norm"] != "None":
            p[f"{path}.weight"] = 1 + draw(0.2, width)
        if config["norm"] == "LayerNorm" and config["biases"]:
            p[f"{path}.bias"] = draw(0.1, width)

    if config["positions"] == "Learned":
        p["pos_embed.weight"] = draw(0.5, config["contextLength"], width)
    for i in range(config["layerCount"]):
        add_norm(f"blocks.{i}.ln1")
        for part in ("wq", "wk", "wv", "wo"):
            add_linear(f"blocks.{i}.attn.{part}", width, width)
        if mlp > 0:
            add_norm(f"blocks.{i}.ln2")
            add_linear(f"blocks.{i}.mlp.up", width, mlp)
            add_linear(f"blocks.{i}.mlp.down", mlp, width)
    if config["normPlacement"] == "Pre":
        add_norm("ln_final")
    if not config["tiedEmbeddings"]:
        p["unembed.weight"] = draw(width ** -0.5, width, vocab)
    return p


def sinusoids(length, width):
    """sin in even columns, cos in odd ones; column pair i turns once in 2 pi 10000^(2i / width) positions."""
    angle = torch.arange(length)[:, None] / 10000 ** (torch.arange(0, width, 2) / width)
    return torch.stack((angle.sin(), angle.cos()), -1).reshape(length, width)


def forward(p, config, tokens):
    """Logits, and every named activation on the way."""
    kept = {}

    def keep(name, x):
        kept[name] = x
        return x

    def lin(path, x):
        return linear(x, p[f"{path}.weight"], p.get(f"{path}.bias"))

    def norm(path, x):
        if config["norm"] == "None":
            return x
        weight = p[f"{path}.weight"]
        return layer_norm(x, weight, p.get(f"{path}.bias")) if config["norm"] == "LayerNorm" else rms_norm(x, weight)

    act = {"Gelu": F.gelu, "GeluTanh": lambda x: F.gelu(x, approximate="tanh"), "Relu": torch.relu}[config["activation"]]
    pre = config["normPlacement"] == "Pre"
    length = tokens.shape[1]

    x = keep("embed", p["embed.weight"][tokens])
    if config["positions"] == "Learned":
        x = x + p["pos_embed.weight"][:length]
    elif config["positions"] == "Sinusoidal":
        x = x + sinusoids(length, x.shape[-1])
    for i in range(config["layerCount"]):
        b = f"blocks.{i}"
        x = keep(f"{b}.resid_pre", x)
        read = norm(f"{b}.ln1", x) if pre else x
        q, k, v = (keep(f"{b}.attn.{part}", lin(f"{b}.attn.w{part}", read)) for part in "qkv")
        scores = keep(f"{b}.attn.scores", head_scores(q, k, config["headCount"], config.get("causal", True)))
        pattern = keep(f"{b}.attn.pattern", torch.softmax(scores, -1))
        z = keep(f"{b}.attn.z", head_mix(pattern, v))
        out = keep(f"{b}.attn.out", lin(f"{b}.attn.wo", z))
        x = keep(f"{b}.resid_mid", x + out if pre else norm(f"{b}.ln1", x + out))
        if f"{b}.mlp.up.weight" in p:
            read = norm(f"{b}.ln2", x) if pre else x
            up = keep(f"{b}.mlp.pre", lin(f"{b}.mlp.up", read))
            out = keep(f"{b}.mlp.out", lin(f"{b}.mlp.down", keep(f"{b}.mlp.post", act(up))))
            x = keep(f"{b}.resid_post", x + out if pre else norm(f"{b}.ln2", x + out))
    if pre:
        x = keep("ln_final", norm("ln_final", x))
    return keep("logits", x @ (p["embed.weight"].T if config["tiedEmbeddings"] else p["unembed.weight"])), kept


def batches_of(name):
    """Four full batches, one of them with ignored targets, and a shorter one, also with ignored targets."""
    g = generator("batches", name)
    for i, size in enumerate([(3, 8)] * FULL_BATCHES + [(2, 5)]):
        tokens = torch.randint(SIZES["vocabSize"], size, generator=g)
        targets = torch.randint(SIZES["vocabSize"], size, generator=g)
        if i >= 3:
            targets[0, 1] = targets[1, 0] = targets[1, 4] = -1
        yield tokens, targets


def fresh(parameters):
    return {name: x.clone().requires_grad_() for name, x in parameters.items()}


def run_pass(config, parameters, batch, tokens, targets, activations, gradients):
    """`activations` and `gradients` say by name what is written, so that the files stay small."""
    p = fresh(parameters)
    logits, kept = forward(p, config, tokens)
    for x in kept.values():
        x.retain_grad()
    loss = cross_entropy(logits, targets)
    loss.backward()
    hidden = future(tokens.shape[1])

    def activation(name, x):
        mask = hidden if name.endswith((".scores", ".pattern")) else None
        return fields([("value", tensor(x, mask)), ("gradient", tensor(x.grad, mask))])

    return fields([
        ("batch", batch),
        ("loss", number(loss.item())),
        ("activations", fields(((name, activation(name, x)) for name, x in kept.items() if activations(name)), ",\n")),
        ("gradients", fields(((name, tensor(x.grad)) for name, x in p.items() if gradients(name)), ",\n")),
    ], ",\n")


def learning_rate(settings, step):
    lr, low, warm_up = settings["lr"], settings.get("minLr"), settings.get("warmUp")
    if warm_up is None:
        return lr
    if step < warm_up:
        return lr * step / warm_up
    return low + (lr - low) * (1 + math.cos(math.pi * (step - warm_up) / (settings.get("steps", STEPS) - warm_up))) / 2


def run_trace(name, settings, config, parameters, batches):
    p = fresh(parameters)
    if settings["optimizer"] == "SGD":
        optimizer = torch.optim.SGD(p.values(), settings["lr"], settings["momentum"])
    else:
        kind = {"Adam": torch.optim.Adam, "AdamW": torch.optim.AdamW}[settings["optimizer"]]
        optimizer = kind(p.values(), settings["lr"], (settings["beta1"], settings["beta2"]), settings["epsilon"],
                         settings.get("weightDecay", 0))
    losses, norms, rates = [], [], []
    for step in range(1, settings.get("steps", STEPS) + 1):
        tokens, targets = batches[(step - 1) % FULL_BATCHES]
        rates.append(learning_rate(settings, step))
        optimizer.param_groups[0]["lr"] = rates[-1]
        optimizer.zero_grad()
        loss = cross_entropy(forward(p, config, tokens)[0], targets)
        loss.backward()
        losses.append(loss.item())
        norms.append(torch.nn.utils.clip_grad_norm_(p.values(), settings.get("clip", math.inf)).item())
        optimizer.step()
    return fields([
        ("name", json.dumps(name)),
        ("settings", json.dumps(settings)),
        ("learningRates", "[" + ",".join(map(number, rates)) + "]"),
        ("losses", "[" + ",".join(map(number, losses)) + "]"),
        ("gradientNorms", "[" + ",".join(map(number, norms)) + "]"),
    ])


def model_file(name):
    config = SIZES | DEFAULTS | MODELS[name]
    g = generator("model", name, WEIGHTS)
    parameters = parameters_of(config, lambda scale, *shape: normal(g, *shape, scale=scale))
    batches = list(batches_of(name))
    in_pass = (lambda name: True) if name == "pre-ln-gelu" else (lambda name: name.endswith(STREAM_AND_ATTENTION))
    passes = [
        run_pass(config, parameters, 0, *batches[0], in_pass, lambda name: True),
        run_pass(config, parameters, FULL_BATCHES, *batches[FULL_BATCHES], lambda name: name == "logits", lambda name: "blocks" not in name),
    ]
    traces = [run_trace(trace, settings, config, parameters, batches) for trace, settings in TRACES[name].items()]
    return fields([
        ("config", json.dumps(config)),
        ("parameters", fields(((path, tensor(x)) for path, x in parameters.items()), ",\n")),
        ("batches", "[" + ",\n".join(fields([
            ("tokens", json.dumps(tokens.tolist())),
            ("targets", json.dumps(targets.tolist())),
        ]) for tokens, targets in batches) + "]"),
        ("passes", "[" + ",\n".join(passes) + "]"),
        ("traces", "[" + ",\n".join(traces) + "]"),
    ], ",\n")


def write(name, text):
    json.loads(text)
    path = HERE / name
    partial = path.with_suffix(".partial")
    partial.write_text(text + "\n", encoding="utf-8", newline="\n")
    partial.replace(path)
    print(f"{name}: {len(text):,} bytes")


def main():
    cases = [*binary_cases(), *unary_cases(), *shape_cases(), *layer_cases()]
    write("operations.json", "[\n" + ",\n".join(cases) + "\n]")
    for name in MODELS:
        write(f"model-{name}.json", model_file(name))


if __name__ == "__main__":
    main()
