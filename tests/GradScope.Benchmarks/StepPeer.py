"""One training step of the benchmark's transformer in PyTorch: the peer of StepSpeed.cs, which starts it.

Arguments: vocabulary width heads layers positions batch. It says "ready", then for each number of steps that it reads it
answers with the microseconds a step; "end" is answered with the peak memory in kB.
"""
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)  # OpenBLAS has both cores; two pools would get in each other's way.
torch.manual_seed(1)
vocabulary, width, heads, layers, positions, batch = map(int, sys.argv[1:])


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, mask):
        b, t, _ = x.shape
        q, k, v = (p.view(b, t, heads, -1).transpose(1, 2) for p in self.qkv(self.ln1(x)).split(width, dim=2))
        scores = (q @ k.transpose(-2, -1) * (width // heads) ** -0.5).masked_fill(mask, float("-inf"))
        z = scores.softmax(-1) @ v
        x = x + self.out(z.transpose(1, 2).reshape(b, t, width))
        return x + self.down(F.gelu(self.up(self.ln2(x))))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, width), nn.Embedding(positions, width)
        self.blocks = nn.ModuleList(Block() for _ in range(layers))
        self.ln, self.unembed = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
        self.register_buffer("mask", torch.ones(positions, positions, dtype=torch.bool).triu(1))
        self.register_buffer("range", torch.arange(positions))

    def forward(self, ids):
        x = self.tokens(ids) + self.places(self.range)
        for block in self.blocks:
            x = block(x, self.mask)
        return self.unembed(self.ln(x))


model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, foreach=True)
ids = torch.randint(vocabulary, (batch, positions))
targets = torch.randint(vocabulary, (batch, positions))


def step():
    optimizer.zero_grad(set_to_none=True)
    F.cross_entropy(model(ids).view(-1, vocabulary), targets.view(-1)).backward()
    optimizer.step()


with open("/proc/self/maps") as maps:
    if "openblas" not in maps.read():
        sys.exit("PyTorch runs on the reference BLAS here, which is ten times slower: apt-get install -y libopenblas0-pthread")

print("ready", flush=True)
for line in sys.stdin:
    if line.strip() == "end":
        with open("/proc/self/status") as status:
            print(next(s for s in status if s.startswith("VmHWM")).split()[1], flush=True)
        break
    count = int(line)
    start = time.perf_counter()
    for _ in range(count):
        step()
    print((time.perf_counter() - start) / count * 1e6, flush=True)
