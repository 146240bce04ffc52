"""Writes what PyTorch makes of the pixel decoder as published, and of its optimiser, at tiny sizes.

    .references/venv/bin/python Tests/Fixtures/make_decoder_references.py

The network is restated from SSDD (arXiv 2510.04961) and what is known of its code, with the published names, and run
in f64. Weights and inputs come of `formula`, which the tests work out again; stored are
results and gradients. The optimiser is the one of the package `schedulefree`.
"""

import math
import pathlib

import schedulefree
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

HERE = pathlib.Path(__file__).resolve().parent.parent
tensors = {}


def formula(shape, place, bound):
    """Numbers spread over ±bound; `place` tells tensors apart."""
    mask = 0xFFFFFFFF
    x = (torch.arange(math.prod(shape), dtype=torch.int64) * 0x9E3779B1 + place * 0x85EBCA77) & mask
    for shift, factor in ((15, 0x2C1B3C6D), (12, 0x297A2D39)):
        # Factors of 31 bits and numbers of 32 fit into 63.
        x = ((x ^ (x >> shift)) * factor) & mask
    x = x ^ (x >> 15)
    return ((x.double() / 2**32 - 0.5) * 2 * bound).float().double().reshape(shape)


class Decoder:
    """SSDD's U-ViT, pictures NCHW; time runs 0 = data → 1 = noise in here, as published."""

    def __init__(self, c):
        self.c, self.shapes = c, {}
        width, time = c["widths"][0], 4 * c["widths"][0]
        self.conv("conv_in", 3 + c["latents"], width)
        self.linear("time_embedding.linear_1", width, time)
        self.linear("time_embedding.linear_2", time, time)
        self.conv("ada_ctx_proj.0", c["latents"], width)
        self.conv("ada_ctx_proj.2", width, width)
        skips = [width]
        for i, level in enumerate(c["widths"]):
            for j in range(c["blocks"]):
                self.resnet(f"down_blocks.{i}.resnets.{j}", width, level, time)
                width = level
                skips.append(width)
            if i + 1 < len(c["widths"]):
                self.conv(f"down_blocks.{i}.downsamplers.0.conv", width, width)
                skips.append(width)
        self.norm("mid_block.norm", width)
        self.linear("mid_block.proj_in", width, width)
        self.linear("mid_block.proj_out", width, width)
        for k in range(c["layers"]):
            name = f"mid_block.transformer_blocks.{k}"
            self.linear(f"{name}.norm1.linear", c["widths"][0], 2 * width)
            for part in ("to_q", "to_k", "to_v"):
                self.linear(f"{name}.attn1.{part}", width, width, bias=False)
            self.linear(f"{name}.attn1.out_proj", width, width)
            self.norm(f"{name}.norm2", width)
            self.linear(f"{name}.ff.proj_in_act.proj", width, 8 * width)
            self.linear(f"{name}.ff.proj_out", 4 * width, width)
            self.shapes[f"{name}.relative_position_bias.relative_bias_table"] = [225, c["heads"]]
        for i, level in enumerate(reversed(c["widths"])):
            for j in range(c["blocks"] + 1):
                self.resnet(f"up_blocks.{i}.resnets.{j}", width + skips.pop(), level, time)
                width = level
            if i + 1 < len(c["widths"]):
                self.conv(f"up_blocks.{i}.upsamplers.0.conv", width, width)
        self.norm("conv_norm_out", width)
        self.conv("conv_out", width, 3)
        self.w = {}
        for place, name in enumerate(sorted(self.shapes)):
            shape, isNorm = self.shapes[name], "norm" in name.split(".")[-2] and len(self.shapes[name]) == 1
            bound = math.sqrt(3 / math.prod(shape[1:])) if len(shape) > 1 else 0.3
            value = formula(shape, place, 0.5 if name.endswith("table") else bound)
            self.w[name] = (value + 1 if isNorm and name.endswith("weight") else value).float().double().requires_grad_()

    def conv(self, name, inputs, outputs, kernel=3):
        self.shapes |= {f"{name}.weight": [outputs, inputs, kernel, kernel], f"{name}.bias": [outputs]}

    def linear(self, name, inputs, outputs, bias=True):
        self.shapes |= {f"{name}.weight": [outputs, inputs]} | ({f"{name}.bias": [outputs]} if bias else {})

    def norm(self, name, width):
        self.shapes |= {f"{name}.weight": [width], f"{name}.bias": [width]}

    def resnet(self, name, inputs, outputs, time):
        self.conv(f"{name}.norm1.ctx_proj", self.c["widths"][0], 2 * inputs, kernel=1)
        self.conv(f"{name}.conv1", inputs, outputs)
        self.linear(f"{name}.time_emb_proj", time, 2 * outputs)
        self.norm(f"{name}.norm2", outputs)
        self.conv(f"{name}.conv2", outputs, outputs)
        if inputs != outputs:
            self.conv(f"{name}.conv_shortcut", inputs, outputs, kernel=1)

    def run_conv(self, name, x, stride=1):
        weight = self.w[f"{name}.weight"]
        return F.conv2d(x, weight, self.w[f"{name}.bias"], stride=stride, padding=weight.shape[-1] // 2)

    def run_linear(self, name, x):
        return F.linear(x, self.w[f"{name}.weight"], self.w.get(f"{name}.bias"))

    def run_norm(self, name, x, epsilon):
        return F.group_norm(x, self.c["groups"], self.w[f"{name}.weight"], self.w[f"{name}.bias"], epsilon)

    def run_resnet(self, name, x, context, time):
        parts = F.interpolate(self.run_conv(f"{name}.norm1.ctx_proj", context), x.shape[2:], mode="nearest")
        scale, shift = parts.chunk(2, 1)
        h = F.silu(F.group_norm(x, self.c["groups"], eps=1e-5) * (1 + scale) + shift)
        h = self.run_conv(f"{name}.conv1", h)
        scale, shift = self.run_linear(f"{name}.time_emb_proj", F.silu(time))[:, :, None, None].chunk(2, 1)
        h = F.silu(self.run_norm(f"{name}.norm2", h, 1e-5) * (1 + scale) + shift)
        same = f"{name}.conv_shortcut.weight" not in self.w
        return (x if same else self.run_conv(f"{name}.conv_shortcut", x)) + self.run_conv(f"{name}.conv2", h)

    def run_block(self, name, h, context, places, bias_mask, grid):
        batch, tokens, width = h.shape
        heads = self.c["heads"]
        parts = self.run_linear(f"{name}.norm1.linear", F.silu(context.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        parts = F.interpolate(parts, grid, mode="nearest").flatten(2).transpose(1, 2)
        shift, scale = parts.chunk(2, -1)
        normed = F.layer_norm(h, (width,), eps=1e-5) * (1 + scale) + shift
        q, k, v = (self.run_linear(f"{name}.attn1.{p}", normed).reshape(batch, tokens, heads, -1).transpose(1, 2)
                   for p in ("to_q", "to_k", "to_v"))
        table = self.w[f"{name}.relative_position_bias.relative_bias_table"]
        bias = table[places].permute(2, 0, 1)[None].masked_fill(bias_mask, -1e7)
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).reshape(h.shape)
        h = h + self.run_linear(f"{name}.attn1.out_proj", seen)
        normed = F.layer_norm(h, (width,), self.w[f"{name}.norm2.weight"], self.w[f"{name}.norm2.bias"], 1e-5)
        value, gate = self.run_linear(f"{name}.ff.proj_in_act.proj", normed).chunk(2, -1)
        return h + self.run_linear(f"{name}.ff.proj_out", value * F.gelu(gate))

    def middle(self, x, context):
        height, width = x.shape[2:]
        h = self.run_norm("mid_block.norm", x, 1e-6).flatten(2).transpose(1, 2)
        h, features = self.run_linear("mid_block.proj_in", h), None
        rows, columns = torch.arange(height * width) // width, torch.arange(height * width) % width
        # From the key to the query.
        dy, dx = rows[:, None] - rows[None], columns[:, None] - columns[None]
        places = (dy.clamp(-7, 7) + 7) * 15 + dx.clamp(-7, 7) + 7
        for k in range(self.c["layers"]):
            h = self.run_block(
                f"mid_block.transformer_blocks.{k}", h, context, places, (dy.abs() > 7) | (dx.abs() > 7), (height, width))
            if k == min(4, self.c["layers"] // 2):
                features = h
        y = self.run_linear("mid_block.proj_out", h).transpose(1, 2).reshape(x.shape)
        return x + y, features.reshape(x.shape[0], height, width, -1)

    def __call__(self, x, t, z):
        c, half = self.c, self.c["widths"][0] // 2
        angles = 1000 * t[:, None] * torch.exp(-math.log(1e4) * torch.arange(half, dtype=torch.double) / half)
        time = F.silu(self.run_linear("time_embedding.linear_1", torch.cat([angles.cos(), angles.sin()], 1)))
        time = self.run_linear("time_embedding.linear_2", time)
        context = self.run_conv("ada_ctx_proj.2", F.silu(self.run_conv("ada_ctx_proj.0", z)))
        h = self.run_conv("conv_in", torch.cat([x, F.interpolate(z, x.shape[2:], mode="nearest")], 1))
        skips, levels = [h], len(c["widths"])
        for i in range(levels):
            for j in range(c["blocks"]):
                h = self.run_resnet(f"down_blocks.{i}.resnets.{j}", h, context, time)
                skips.append(h)
            if i + 1 < levels:
                h = self.run_conv(f"down_blocks.{i}.downsamplers.0.conv", h, stride=2)
                skips.append(h)
        h, features = self.middle(h, context)
        for i in range(levels):
            for j in range(c["blocks"] + 1):
                h = self.run_resnet(f"up_blocks.{i}.resnets.{j}", torch.cat([h, skips.pop()], 1), context, time)
            if i + 1 < levels:
                h = self.run_conv(f"up_blocks.{i}.upsamplers.0.conv", F.interpolate(h, scale_factor=2, mode="nearest"))
        return self.run_conv("conv_out", F.silu(self.run_norm("conv_norm_out", h, 1e-5))), features


def decoders():
    cases = {
        # Latents that divide every grid, and a deepest grid that the window does not span. (With a group a channel, biases
        # before a norm have no gradient but rounding.)
        "even": (dict(latents=3, widths=[4, 8], layers=2, blocks=2, groups=2, heads=4), 24, 6),
        # As 448 pixels beside a patch of 14: no grid is a multiple of the latents'.
        "uneven": (dict(latents=5, widths=[4, 4], layers=1, blocks=1, groups=2, heads=4), 28, 8),
    }
    for name, (c, side, grid) in cases.items():
        decoder = Decoder(c)
        data, noise = formula([2, side, side, 3], 1000, 1), formula([2, side, side, 3], 1001, 1.7)
        z = formula([2, grid, grid, c["latents"]], 1002, 1.7).requires_grad_()
        t = torch.tensor([0.2, 0.85], dtype=torch.float32).double()
        part = (1 - t)[:, None, None, None]
        x = ((1 - part) * data + part * noise).requires_grad_()
        out, features = decoder(x.permute(0, 3, 1, 2), 1 - t, z.permute(0, 3, 1, 2))
        velocity = out.permute(0, 2, 3, 1)
        loss = ((velocity - (data - noise)) ** 2).mean()
        # Whatever alignment asks of the features comes back through them.
        whole = loss + (features * formula(list(features.shape), 1003, 0.01)).sum()
        leaves = decoder.w | {"x": x, "latents": z}
        for (key, _), gradient in zip(leaves.items(), torch.autograd.grad(whole, leaves.values())):
            tensors[f"{name}.gradient.{key}"] = gradient.float()
        for key, value in dict(velocity=velocity, features=features, loss=loss, whole=whole).items():
            tensors[f"{name}.{key}"] = value.detach().float()


def optimizer():
    """Fifty steps of schedule-free RAdam on a bowl: gradients, weights, and what they are evaluated at."""
    out = {}
    p = torch.nn.Parameter(formula([3, 7], 1, 1).float())
    out["start"] = p.detach().clone()
    radam = schedulefree.RAdamScheduleFree([p], lr=0.03, betas=(0.9, 0.99), weight_decay=0.05)
    radam.train()
    steep, target = formula([3, 7], 2, 1).float() + 1.2, formula([3, 7], 3, 2).float()
    for i in range(50):
        noise = formula([3, 7], 10 + i, 0.3).float()
        p.grad = steep * (p.detach() - target) + noise
        out[f"gradient.{i}"] = p.grad.clone()
        radam.step()
        out[f"value.{i}"] = p.detach().clone()
        if i % 7 == 0 or i == 49:
            radam.eval()
            out[f"average.{i}"] = p.detach().clone()
            radam.train()
    return out


def write(path, values):
    save_file({k: v.clone().contiguous() for k, v in values.items()}, path, metadata={"torch": torch.__version__})
    print(f"{len(values)} tensors, {path.stat().st_size / 1e3:.0f} kB: {path.name}")


if __name__ == "__main__":
    decoders()
    write(HERE / "VUGENTests" / "Fixtures" / "decoder.safetensors", tensors)
    write(HERE / "TrainingTests" / "Fixtures" / "schedule_free.safetensors", optimizer())
