"""The PyTorch counterparts of `vugen bench train-step` and `vugen bench conv-step`.

Same shapes, same work, same thread count; prints the object that `vugen bench --json` prints.
Weights are f32; bf16 is `torch.autocast` for training (f32 master weights, as ours) and a bf16
copy of the network for sampling. AdamW is PyTorch's fused one, convolutions run in channels_last:
the fastest settings that PyTorch documents for a CPU.

    python pytorch.py [train-step] [sampling] [conv-step] [--threads 2] [--repeat 5]
"""

import argparse
import contextlib
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """Pre-norm transformer block: attention and SwiGLU, no biases."""

    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.RMSNorm(width), nn.RMSNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.gate_up = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x, cache=None):
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if cache is not None:
            k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
        h = F.scaled_dot_product_attention(q, k, v)
        x = x + self.out(h.transpose(1, 2).reshape(b, t, d))
        gate, up = self.gate_up(self.norm2(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, inputs), nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(8, outputs), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        return self.skip(x) + self.conv2(F.silu(self.norm2(h)))


class UNet(nn.Module):
    """2 residual blocks a level down, 3 up with skips; strided convolution down, nearest + convolution up."""

    def __init__(self, inputs=6, outputs=3, channels=(32, 64, 96)):
        super().__init__()
        self.stem = nn.Conv2d(inputs, channels[0], 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        skips, width = [channels[0]], channels[0]
        for level, c in enumerate(channels):
            stage = nn.ModuleList()
            for _ in range(2):
                stage.append(ResidualBlock(width, c))
                width = c
                skips.append(c)
            if level + 1 < len(channels):
                stage.append(nn.Conv2d(c, c, 3, stride=2, padding=1))
                skips.append(c)
            self.down.append(stage)
        for level, c in reversed(list(enumerate(channels))):
            stage = nn.ModuleList()
            for _ in range(3):
                stage.append(ResidualBlock(width + skips.pop(), c))
                width = c
            if level > 0:
                stage.append(nn.Conv2d(c, c, 3, padding=1))
            self.up.append(stage)
        self.norm, self.head = nn.GroupNorm(8, width), nn.Conv2d(width, outputs, 3, padding=1)

    def forward(self, x):
        x = self.stem(x)
        skips = [x]
        for stage in self.down:
            for layer in stage:
                x = layer(x)
                skips.append(x)
        for stage in self.up:
            for layer in stage:
                if isinstance(layer, ResidualBlock):
                    x = layer(torch.cat([x, skips.pop()], 1))
                else:
                    x = layer(F.interpolate(x, scale_factor=2, mode="nearest"))
        return self.head(F.silu(self.norm(x)))


def autocast(bf16):
    return torch.autocast("cpu", torch.bfloat16) if bf16 else contextlib.nullcontext()


def training(model, x, target, bf16):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.1, fused=True)

    def step():
        with autocast(bf16):
            y = model(x)
        F.mse_loss(y.float(), target).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def train_step(bf16):
    model = nn.Sequential(*[Block(256, 4, 1024) for _ in range(8)])
    return training(model, torch.randn(32, 128, 256), torch.randn(32, 128, 256), bf16)


def conv_step(bf16):
    model = UNet().to(memory_format=torch.channels_last)
    x = torch.randn(16, 6, 64, 64).to(memory_format=torch.channels_last)
    return training(model, x, torch.randn(16, 3, 64, 64).to(memory_format=torch.channels_last), bf16)


def sampling(bf16):
    dtype = torch.bfloat16 if bf16 else torch.float32
    blocks = [Block(384, 6, 1536).to(dtype).eval() for _ in range(12)]
    x = torch.randn(2, 96, 384).to(dtype)

    @torch.no_grad()
    def sample():
        z = x
        for _ in range(50):
            v = z
            for block in blocks:
                v = block(v)
            guided = v[1:] + 5.0 * (v[:1] - v[1:])
            z = z + guided * (1 / 50)
        return z

    return sample


WORK = {"train-step": train_step, "sampling": sampling, "conv-step": conv_step}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work", nargs="*", default=list(WORK))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--precision", choices=["f32", "bf16", "both"], default="both")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    results = []
    for name in args.work:
        for precision in ["f32", "bf16"] if args.precision == "both" else [args.precision]:
            run = WORK[name](precision == "bf16")
            for _ in range(1 if name == "sampling" else 2):
                run()
            times = []
            for _ in range(args.repeat):
                start = time.perf_counter()
                run()
                times.append(time.perf_counter() - start)
            results.append({"name": f"{name} {precision}", "seconds": statistics.median(times)})
    print(json.dumps({"machine": {"torch": torch.__version__, "threads": args.threads}, "results": results}))


if __name__ == "__main__":
    main()
