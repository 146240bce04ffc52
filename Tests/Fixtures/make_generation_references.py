"""Writes what PyTorch makes of the drawing half at tiny sizes: decoder, generation tower, losses, gradients.

    .references/venv/bin/python Tests/Fixtures/make_generation_references.py

The networks are restated here from their papers (SSDD, arXiv 2510.04961; VUGEN, arXiv 2510.06529; Llama, arXiv
2302.13971) with the names of our model files, and run in f64. Weights are random, none zero. Each case holds its
weights (`NAME.weight.…`), inputs, results and gradients.
"""

import math
import pathlib

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

OUT = pathlib.Path(__file__).resolve().parent.parent / "VUGENTests" / "Fixtures" / "generation.safetensors"
generator = torch.Generator().manual_seed(20261124)
tensors = {}


def normal(*shape, scale=1.0):
    return (torch.randn(shape, generator=generator) * scale).float().double()


class Weights(dict):
    """Makes a weight when it is first asked for."""

    def get(self, name, *shape, one=False):
        if name not in self:
            fan = math.prod(shape[1:]) if len(shape) > 1 else 1
            value = normal(*shape, scale=0.3) if len(shape) == 1 else normal(*shape, scale=1 / math.sqrt(fan))
            self[name] = ((value + 1) if one else value).float().double().requires_grad_()
        return self[name]


def linear(w, name, x, outputs, bias=True):
    return F.linear(x, w.get(f"{name}.weight", outputs, x.shape[-1]), w.get(f"{name}.bias", outputs) if bias else None)


def conv(w, name, x, outputs, kernel=3, stride=1):
    """NHWC in and out."""
    weight = w.get(f"{name}.weight", outputs, x.shape[-1], kernel, kernel)
    y = F.conv2d(x.permute(0, 3, 1, 2), weight, w.get(f"{name}.bias", outputs), stride=stride, padding=kernel // 2)
    return y.permute(0, 2, 3, 1)


def group_norm(x, groups, weight=None, bias=None):
    return F.group_norm(x.permute(0, 3, 1, 2), groups, weight, bias, 1e-5).permute(0, 2, 3, 1)


def nearest(x, factor):
    return x.repeat_interleave(factor, 1).repeat_interleave(factor, 2)


def fitted(x, height, width):
    if height % x.shape[1] == 0 and height // x.shape[1] * x.shape[2] == width:
        return nearest(x, height // x.shape[1])
    return F.interpolate(x.permute(0, 3, 1, 2), (height, width), mode="bilinear", align_corners=False).permute(0, 2, 3, 1)


def time_embedding(w, name, t, width, hidden, outputs):
    half = width // 2
    frequencies = 1000 * torch.exp(-math.log(10000) * torch.arange(half, dtype=torch.double) / half)
    angles = t[:, None] * frequencies
    x = torch.cat([angles.cos(), angles.sin()], 1)
    return linear(w, f"{name}.fc2", F.silu(linear(w, f"{name}.fc1", x, hidden)), outputs)


def block(w, name, x, outputs, c, time, context):
    parts = fitted(conv(w, f"{name}.context", context, 2 * x.shape[-1]), x.shape[1], x.shape[2])
    scale, shift = parts.chunk(2, -1)
    h = conv(w, f"{name}.conv1", F.silu(group_norm(x, c["groups"]) * (1 + scale) + shift), outputs)
    scale, shift = linear(w, f"{name}.time", time, 2 * outputs)[:, None, None].chunk(2, -1)
    normed = group_norm(h, c["groups"], w.get(f"{name}.norm2.weight", outputs, one=True), w.get(f"{name}.norm2.bias", outputs))
    h = conv(w, f"{name}.conv2", F.silu(normed * (1 + scale) + shift), outputs)
    return (x if x.shape[-1] == outputs else conv(w, f"{name}.skip", x, outputs, kernel=1)) + h


def window_block(w, name, x, c, context):
    batch, height, width, channels = x.shape
    heads, reach = c["heads"], c["window"] // 2

    def normed(y, part):
        scale, shift = fitted(conv(w, f"{name}.{part}", context, 2 * channels, kernel=1), height, width).chunk(2, -1)
        return (F.layer_norm(y, (channels,)) * (1 + scale) + shift).reshape(batch, -1, channels)

    q, k, v = (p.reshape(batch, -1, heads, channels // heads).transpose(1, 2)
               for p in linear(w, f"{name}.qkv", normed(x, "context1"), 3 * channels).chunk(3, -1))
    rows = torch.arange(height * width) // width
    columns = torch.arange(height * width) % width
    dy, dx = rows[None] - rows[:, None], columns[None] - columns[:, None]
    places = (dy.clamp(-reach, reach) + reach) * c["window"] + dx.clamp(-reach, reach) + reach
    bias = w.get(f"{name}.position_bias", c["window"] ** 2, heads)[places].permute(2, 0, 1)[None]
    bias = bias.masked_fill((dy.abs() > reach) | (dx.abs() > reach), -torch.inf)
    seen = F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).reshape(batch, -1, channels)
    x = x + linear(w, f"{name}.proj", seen, channels).reshape(x.shape)
    gate, up = linear(w, f"{name}.mlp.gate_up", normed(x, "context2"), 8 * channels).chunk(2, -1)
    return x + linear(w, f"{name}.mlp.down", F.gelu(gate) * up, channels).reshape(x.shape)


def decoder(w, c, x, t, z):
    """SSDD's U-ViT; t is 0 for noise and 1 for data here, and the network reads 1 − t."""
    channels, stem = c["channels"], c["stem"]
    time = F.silu(time_embedding(w, "time", 1 - t, channels, c["time"], c["time"]))
    context = F.silu(conv(w, "context", z, c["context"]))
    b, height, width, _ = x.shape
    image = x.reshape(b, height // stem, stem, width // stem, stem, 3).permute(0, 1, 3, 2, 4, 5).reshape(b, height // stem, width // stem, -1)
    grown = nearest(z, c["patchSize"] // stem)
    h = conv(w, "conv_in", torch.cat([conv(w, "picture_in", image, channels // 2), conv(w, "latent_in", grown, channels // 2)], -1), channels)
    skips, levels = [h], [m * channels for m in c["multipliers"]]
    for i, level in enumerate(levels):
        for j in range(c["blocks"]):
            h = block(w, f"down.{i}.blocks.{j}", h, level, c, time, context)
            skips.append(h)
        if i + 1 < len(levels):
            h = conv(w, f"down.{i}.resample", h, level, stride=2)
            skips.append(h)
    features = None
    for i in range(c["layers"]):
        h = window_block(w, f"middle.{i}", h, c, context)
        if i + 1 == min(4, (c["layers"] + 1) // 2):
            features = h
    for i, level in enumerate(reversed(levels)):
        for j in range(c["blocks"] + 1):
            h = block(w, f"up.{i}.blocks.{j}", torch.cat([h, skips.pop()], -1), level, c, time, context)
        if i + 1 < len(levels):
            h = conv(w, f"up.{i}.resample", nearest(h, 2), level)
    h = F.silu(group_norm(h, c["groups"], w.get("norm_out.weight", channels, one=True), w.get("norm_out.bias", channels)))
    out = conv(w, "conv_out", h, 3 * stem * stem)
    out = out.reshape(b, height // stem, width // stem, stem, stem, 3).permute(0, 1, 3, 2, 4, 5).reshape(b, height, width, 3)
    return out, features


def store(name, weights, inputs, results, loss):
    leaves = list(weights.items())
    gradients = torch.autograd.grad(loss, [v for _, v in leaves], allow_unused=True)
    for (key, value), gradient in zip(leaves, gradients):
        tensors[f"{name}.weight.{key}"] = value.detach().float()
        tensors[f"{name}.gradient.{key}"] = (torch.zeros_like(value) if gradient is None else gradient).float()
    for key, value in (inputs | results | {"loss": loss}).items():
        tensors[f"{name}.{key}"] = value.detach() if value.dtype == torch.int32 else value.detach().float()


def decoders():
    cases = {
        # The published form, latents that divide every grid, a window that is smaller than the grid.
        "published": (dict(latents=3, patchSize=4, channels=8, multipliers=[1, 2], layers=2, stem=1, blocks=2, context=8, time=32, groups=4, window=5, heads=4), 16, 16),
        # A stem, one block a level, a grid that the latents do not divide.
        "narrow": (dict(latents=5, patchSize=6, channels=8, multipliers=[1, 1], layers=1, stem=2, blocks=1, context=4, time=12, groups=2, window=17, heads=4), 12, 24),
    }
    for name, (c, height, width) in cases.items():
        w, batch = Weights(), 2
        data, noise = normal(batch, height, width, 3), normal(batch, height, width, 3)
        z = normal(batch, height // c["patchSize"], width // c["patchSize"], c["latents"])
        t = torch.tensor([0.2, 0.85], dtype=torch.float32).double()
        xt = (1 - t)[:, None, None, None] * noise + t[:, None, None, None] * data
        velocity, features = decoder(w, c, xt, t, z)
        loss = ((velocity - (data - noise)) ** 2).mean()
        store(f"decoder.{name}", w, dict(data=data, noise=noise, latents=z, t=t), dict(velocity=velocity, features=features), loss)


def rms_norm(w, name, x):
    return F.rms_norm(x, (x.shape[-1],), w.get(f"{name}.weight", x.shape[-1], one=True), 1e-5)


def rotated(x, positions):
    half = x.shape[-1] // 2
    frequencies = 10000.0 ** (-torch.arange(half, dtype=torch.double) / half)
    angles = positions[:, :, None, None] * frequencies
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()], -1)


def layer(w, name, x, positions, sizes, visible, before=None):
    """One Llama block; `before` are keys and values of the other tower, ahead of its own."""
    heads, kv, size, hidden = sizes
    n = rms_norm(w, f"{name}.input_layernorm", x)

    def parted(part, count):
        return linear(w, f"{name}.self_attn.{part}", n, count * size, bias=False).reshape(*x.shape[:2], count, size)

    q, k, v = rotated(parted("q_proj", heads), positions), rotated(parted("k_proj", kv), positions), parted("v_proj", kv)
    own = (k, v)
    if before is not None:
        k, v = torch.cat([before[0], k], 1), torch.cat([before[1], v], 1)
    k, v = (y.repeat_interleave(heads // kv, 2) for y in (k, v))
    seen = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=visible)
    x = x + linear(w, f"{name}.self_attn.o_proj", seen.transpose(1, 2).reshape(*x.shape[:2], -1), x.shape[-1], bias=False)
    n = rms_norm(w, f"{name}.post_attention_layernorm", x)
    gate, up = (linear(w, f"{name}.mlp.{p}", n, hidden, bias=False) for p in ("gate_proj", "up_proj"))
    return x + linear(w, f"{name}.mlp.down_proj", F.silu(gate) * up, x.shape[-1], bias=False), own


def tower():
    width, sizes, layers, vocabulary, latents, grid = 16, (4, 2, 4, 24), 2, 40, 3, 2
    frozen, own = Weights(), Weights()
    lengths, patches, batch = [5, 3], grid * grid, 2
    time = max(lengths)
    tokens = torch.randint(0, vocabulary, (batch, time), generator=generator)
    data, noise = normal(batch, patches, latents), normal(batch, patches, latents)
    t = torch.tensor([0.1, 0.7], dtype=torch.float32).double()
    causal = torch.ones(time, time).tril().bool()[None, None]
    text = frozen.get("embed_tokens.weight", vocabulary, width)[tokens]
    memory = []
    for i in range(layers):
        positions = torch.arange(time, dtype=torch.double).expand(batch, -1)
        text, keys_values = layer(frozen, f"layers.{i}", text, positions, sizes, causal)
        memory.append(keys_values)
    xt = (1 - t)[:, None, None] * noise + t[:, None, None] * data
    h = linear(own, "latent_in", xt, width) + own.get("position", patches, width)
    h = h + time_embedding(own, "time", t, width, width, width)[:, None]
    positions = torch.tensor([[n + i for i in range(patches)] for n in lengths], dtype=torch.double)
    visible = torch.tensor([[k < n or k >= time for k in range(time + patches)] for n in lengths])[:, None, None]
    for i in range(layers):
        h, _ = layer(own, f"layers.{i}", h, positions, sizes, visible, before=memory[i])
        tensors[f"tower.layer.{i}"] = h.detach().float()
    velocity = linear(own, "latent_out", rms_norm(own, "norm", h), latents)
    loss = ((velocity - (data - noise)) ** 2).mean()
    store("tower", own, dict(tokens=tokens.int(), data=data, noise=noise, t=t), dict(velocity=velocity), loss)
    frozen.get("norm.weight", width, one=True)
    for key, value in frozen.items():
        tensors[f"tower.frozen.{key}"] = value.detach().float()


if __name__ == "__main__":
    decoders()
    tower()
    save_file({k: v.clone().contiguous() for k, v in tensors.items()}, OUT, metadata={"torch": torch.__version__})
    print(f"{len(tensors)} tensors, {OUT.stat().st_size / 1e3:.0f} kB: {OUT.name}")
