"""Writes the small checkpoints that the tests beside it load, or reads one that they wrote.

    python3 make_checkpoints.py               (needs PyTorch 1.13 or newer; takes a second)
    python3 make_checkpoints.py read FILE     (needs Python alone; prints the file as JSON)

The safetensors format is written and read here by hand, so that the files do not depend on the code under test. A second
run writes the same bytes.

gpt2/model.safetensors      a GPT-2 as Hugging Face saves it: linear maps (in, out), biases, the causal mask as a buffer,
                            config.json beside it
nanogpt/model.safetensors   a nanoGPT: linear maps (out, in), no biases, prefix transformer., the tied lm_head twice
untied/model.safetensors    the same with an lm_head of its own, biases, and the prefix of a compiled model
    logits.json beside each: tokens, and the logits that PyTorch computes from the float32 weights in float64
types.safetensors           the same four numbers as F32, F16, BF16 and F64, metadata, and types that are not read
"""

import json
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).parent
LAYERS, HEADS, DIM, VOCAB, CONTEXT = 2, 2, 8, 11, 6
WIDTHS = {"BOOL": 1, "F16": 2, "BF16": 2, "F32": 4, "I64": 8, "F64": 8}


def save(path, tensors, metadata=None):
    """tensors: name -> (dtype, shape, bytes)."""
    header = {"__metadata__": metadata} if metadata else {}
    position = 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [position, position + len(data)]}
        position += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))


def load(path):
    """The metadata, and name -> {dtype, shape, values}; fails where the file is not as the format says."""
    content = path.read_bytes()
    length, = struct.unpack_from("<Q", content)
    header = json.loads(content[8:8 + length].decode("utf-8"))
    data = content[8 + length:]
    assert content[8:9] == b"{" and length % 8 == 0
    metadata = header.pop("__metadata__", {})
    position, tensors = 0, {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        width, count = WIDTHS[entry["dtype"]], 1
        for size in entry["shape"]:
            count *= size
        assert begin == position and end - begin == count * width and begin % width == 0, name
        values = struct.unpack_from(f"<{count}{'f' if width == 4 else 'd'}", data, begin)
        tensors[name] = {"dtype": entry["dtype"], "shape": entry["shape"], "values": values}
        position = end
    assert position == len(data)
    return {"metadata": metadata, "tensors": tensors}


def make():
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(1)

    def f32(tensor):
        tensor = tensor.contiguous().float()
        return "F32", tensor.shape, struct.pack(f"<{tensor.numel()}f", *tensor.reshape(-1).tolist())

    def weights(seed, biases, transposed):
        """GPT-2's parameters by their names; `transposed` for PyTorch's order of linear maps, (out, in)."""
        g = torch.Generator().manual_seed(seed)

        def normal(*shape, mean=0.0, scale=0.3):
            return torch.randn(shape, generator=g) * scale + mean

        def linear(name, inputs, outputs):
            named[f"{name}.weight"] = normal(outputs, inputs) if transposed else normal(inputs, outputs)
            if biases:
                named[f"{name}.bias"] = normal(outputs)

        def norm(name):
            named[f"{name}.weight"] = normal(DIM, mean=1.0)
            if biases:
                named[f"{name}.bias"] = normal(DIM)

        named = {"wte.weight": normal(VOCAB, DIM), "wpe.weight": normal(CONTEXT, DIM)}
        for i in range(LAYERS):
            norm(f"h.{i}.ln_1")
            linear(f"h.{i}.attn.c_attn", DIM, 3 * DIM)
            linear(f"h.{i}.attn.c_proj", DIM, DIM)
            norm(f"h.{i}.ln_2")
            linear(f"h.{i}.mlp.c_fc", DIM, 4 * DIM)
            linear(f"h.{i}.mlp.c_proj", 4 * DIM, DIM)
        norm("ln_f")
        return named, normal(VOCAB, DIM)

    def logits(named, head, tokens, gelu, transposed):
        w = {name: tensor.double() for name, tensor in named.items()}

        def linear(name, x):
            weight = w[f"{name}.weight"]
            return F.linear(x, weight if transposed else weight.t(), w.get(f"{name}.bias"))

        def norm(name, x):
            return F.layer_norm(x, (DIM,), w[f"{name}.weight"], w.get(f"{name}.bias"), 1e-5)

        def split(x):
            return x.view(*x.shape[:2], HEADS, DIM // HEADS).transpose(1, 2)

        length = tokens.shape[1]
        mask = torch.ones(length, length, dtype=torch.bool).tril()
        x = w["wte.weight"][tokens] + w["wpe.weight"][:length]
        for i in range(LAYERS):
            q, k, v = map(split, linear(f"h.{i}.attn.c_attn", norm(f"h.{i}.ln_1", x)).split(DIM, dim=2))
            scores = (q @ k.transpose(2, 3) / (DIM // HEADS) ** 0.5).masked_fill(~mask, float("-inf"))
            z = (scores.softmax(3) @ v).transpose(1, 2).reshape(x.shape)
            x = x + linear(f"h.{i}.attn.c_proj", z)
            x = x + linear(f"h.{i}.mlp.c_proj", gelu(linear(f"h.{i}.mlp.c_fc", norm(f"h.{i}.ln_2", x))))
        return norm("ln_f", x) @ head.double().t()

    def gelu_new(x):
        return 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x ** 3)))

    def write(folder, tensors, named, head, gelu, transposed, metadata):
        tokens = torch.tensor([[1, 5, 10, 0, 3, 7], [2, 2, 9, 4, 8, 6]])
        result = logits(named, head, tokens, gelu, transposed)
        save(HERE / folder / "model.safetensors", tensors, metadata)
        (HERE / folder / "logits.json").write_text(json.dumps(
            {"tokens": tokens.tolist(), "shape": list(result.shape), "values": result.reshape(-1).tolist()}) + "\n")

    named, _ = weights(1, biases=True, transposed=False)
    mask = "BOOL", (1, 1, CONTEXT, CONTEXT), bytes(int(j <= i) for i in range(CONTEXT) for j in range(CONTEXT))
    tensors = {name: f32(tensor) for name, tensor in named.items()}
    tensors |= {f"h.{i}.attn.bias": mask for i in range(LAYERS)}
    tensors |= {f"h.{i}.attn.masked_bias": f32(torch.tensor(-1e4)) for i in range(LAYERS)}
    write("gpt2", tensors, named, named["wte.weight"], gelu_new, False, {"format": "pt"})
    (HERE / "gpt2" / "config.json").write_text(json.dumps({
        "model_type": "gpt2", "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "n_ctx": CONTEXT, "n_embd": DIM,
        "n_head": HEADS, "n_inner": None, "n_layer": LAYERS, "n_positions": CONTEXT, "vocab_size": VOCAB}, indent=2) + "\n")

    named, _ = weights(2, biases=False, transposed=True)
    tensors = {f"transformer.{name}": f32(tensor) for name, tensor in named.items()}
    tensors["lm_head.weight"] = tensors["transformer.wte.weight"]
    write("nanogpt", tensors, named, named["wte.weight"], F.gelu, True, None)

    named, head = weights(3, biases=True, transposed=True)
    tensors = {f"_orig_mod.transformer.{name}": f32(tensor) for name, tensor in named.items()}
    tensors["_orig_mod.lm_head.weight"] = f32(head)
    write("untied", tensors, named, head, F.gelu, True, None)

    numbers = torch.tensor([[1.5, -0.0078125], [65504.0, 1e-7]], dtype=torch.float64)
    flat = numbers.reshape(-1)
    rounded = flat.to(torch.bfloat16).float().tolist()
    save(HERE / "types.safetensors", {
        "double": ("F64", (2, 2), struct.pack("<4d", *flat.tolist())),
        "long": ("I64", (), struct.pack("<q", 7)),
        "single": f32(numbers),
        "half": ("F16", (2, 2), struct.pack("<4e", *flat.to(torch.float16).tolist())),
        "brain": ("BF16", (2, 2), b"".join(struct.pack("<f", value)[2:] for value in rounded)),
        "scalar": f32(torch.tensor(0.25)),
        "empty": ("F32", (0, 3), b""),
        "five": ("F32", (1, 1, 1, 1, 1), struct.pack("<f", 1.0)),
    }, {"format": "pt", "by": "PyTorch " + torch.__version__.split("a")[0]})


if len(sys.argv) == 3 and sys.argv[1] == "read":
    print(json.dumps(load(pathlib.Path(sys.argv[2]))))
else:
    make()
