"""Writes the stored PyTorch results that the tests compare with.

    python -m venv .references/venv && .references/venv/bin/pip install -r Tests/Fixtures/requirements.txt
    .references/venv/bin/python Tests/Fixtures/make_references.py

Each case of an operation holds its f32 inputs, the result for them, a gradient of that result, and the
gradients of the inputs. Results are worked out in f64 and stored in f32. Activations of pictures are NHWC.
The cases are listed as JSON in the file's metadata.
"""

import json
import math
import pathlib

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

HERE = pathlib.Path(__file__).resolve().parent.parent
tensors, cases = {}, []
generator = torch.Generator().manual_seed(20261123)


def normal(*shape):
    return torch.randn(shape, generator=generator)


def away_from_zero(*shape):
    x = normal(*shape)
    return torch.where(x.abs() < 0.2, x.sign() * 0.2 + x + 0.1, x)


def positive(*shape):
    return torch.rand(shape, generator=generator) * 3 + 0.2


def case(op, function, inputs, constants=None, **arguments):
    """`inputs` get gradients; `constants` are index or mask tensors that do not."""
    name = f"{len(cases):03d}.{op}"
    leaves = [x.double().requires_grad_() for x in inputs]
    y = function(*leaves)
    seed = torch.randn(y.shape, generator=generator)
    gradients = torch.autograd.grad(y, leaves, seed.double(), allow_unused=True)
    for i, (x, g) in enumerate(zip(inputs, gradients)):
        tensors[f"{name}.input.{i}"] = x.float().contiguous()
        tensors[f"{name}.gradient.{i}"] = (torch.zeros_like(x) if g is None else g).float().contiguous()
    for i, c in enumerate(constants or []):
        tensors[f"{name}.constant.{i}"] = c.contiguous()
    tensors[f"{name}.seed"] = seed.float()
    tensors[f"{name}.result"] = y.detach().float().contiguous()
    cases.append({"name": name, "op": op, "inputs": len(inputs), "constants": len(constants or []),
                  "arguments": {k: [float(n) for n in (v if isinstance(v, list) else [v])] for k, v in arguments.items()}})


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def elementwise():
    functions = {
        "negate": (lambda x: -x, normal), "exp": (torch.exp, normal), "log": (torch.log, positive),
        "squareRoot": (torch.sqrt, positive), "square": (torch.square, normal),
        "reciprocal": (torch.reciprocal, away_from_zero), "tanh": (torch.tanh, normal),
        "sigmoid": (torch.sigmoid, normal), "relu": (torch.relu, away_from_zero), "silu": (F.silu, normal),
        "geluErf": (F.gelu, normal), "geluTanh": (lambda x: F.gelu(x, approximate="tanh"), normal),
        "sin": (torch.sin, normal), "cos": (torch.cos, normal), "abs": (torch.abs, away_from_zero),
    }
    for name, (function, make) in functions.items():
        case(f"unary.{name}", function, [make(3, 37) * (4 if name in ("tanh", "sigmoid", "silu", "geluErf", "geluTanh") else 1)])
        case(f"unary.{name}", function, [make(1)])
    case("unary.silu", F.silu, [normal(0, 5)])
    case("unary.geluErf", F.gelu, [torch.tensor([-30.0, -9.0, -5.0, -1.0, 0.0, 1.0, 5.0, 9.0, 30.0])])
    case("affine", lambda x: 1.5 * x - 0.25, [normal(5, 33)])


def broadcasting():
    shapes = [((4, 37), (4, 37)), ((4, 37), (37,)), ((4, 1), (1, 37)), ((2, 3, 5), (3, 1)), ((2, 1, 5, 1), (3, 1, 7)),
              ((1,), (6,)), ((0, 4), (4,)), ((130, 70), (130, 70)), ((), (3, 2))]
    for op, f in {"add": torch.add, "subtract": torch.sub, "multiply": torch.mul, "divide": torch.div}.items():
        for a, b in shapes:
            case(op, f, [normal(*a), away_from_zero(*b)])


def reductions():
    for shape, axes in [((5, 37), [1]), ((5, 37), [0]), ((2, 3, 4, 5), [1, 2]), ((2, 3, 4, 5), [0, 3]), ((1, 1), [0]),
                        ((300, 70), [0]), ((3, 5000), [1]), ((3, 0, 2), [0])]:
        case("sum", lambda x, axes=axes: x.sum(axes), [normal(*shape)], axes=axes)
        if math.prod(shape):
            case("mean", lambda x, axes=axes: x.mean(axes), [normal(*shape)], axes=axes)
            case("max", lambda x, axes=axes: x.amax(axes), [normal(*shape)], axes=axes)
    case("sumAll", torch.sum, [normal(7, 300)])
    case("meanAll", torch.mean, [normal(7, 300)])


def shapes():
    case("transpose", lambda x: x.permute(2, 0, 1), [normal(3, 5, 7)], axes=[2, 0, 1])
    case("transpose", lambda x: x.permute(0, 2, 1, 3), [normal(2, 5, 3, 17)], axes=[0, 2, 1, 3])
    case("transpose", lambda x: x.permute(1, 0), [normal(1, 9)], axes=[1, 0])
    case("slice", lambda x: x[:, 2:5], [normal(4, 7, 3)], axis=1, start=2, end=5)
    case("slice", lambda x: x[1:1], [normal(4, 7)], axis=0, start=1, end=1)
    case("slice", lambda x: x[..., 3:20], [normal(2, 3, 21)], axis=2, start=3, end=20)
    case("concatenate", lambda *x: torch.cat(x, 1), [normal(2, 3, 5), normal(2, 1, 5), normal(2, 4, 5)], axis=1)
    case("concatenate", lambda *x: torch.cat(x, 3), [normal(2, 3, 3, 33), normal(2, 3, 3, 20)], axis=3)
    case("concatenate", lambda *x: torch.cat(x, 0), [normal(0, 5), normal(3, 5)], axis=0)
    for rows, width, indices in [(10, 37, [[3, 3], [0, 9]]), (4, 130, [1]), (5, 3, [])]:
        ids = torch.tensor(indices, dtype=torch.int32)
        case("gather", lambda t, ids=ids: F.embedding(ids.long(), t), [normal(rows, width)], [ids])


def products():
    for m, k, n, bias in [(5, 37, 11, True), (1, 1, 1, False), (64, 96, 48, True), (0, 7, 5, True), (33, 64, 257, False)]:
        inputs = [normal(m, k), normal(n, k) / math.sqrt(k)] + ([normal(n)] if bias else [])
        for activation, f in {0: lambda y: y, 1: F.silu, 2: F.gelu, 3: lambda y: F.gelu(y, approximate="tanh"), 4: F.relu}.items():
            if activation and m != 5:
                continue
            case("linear", lambda x, w, *b, f=f: f(F.linear(x, w, *b)), inputs, activation=activation)
    case("linear", F.linear, [normal(2, 3, 19), normal(6, 19)], activation=0)
    for a, b, ta, tb in [((6, 9), (9, 4), 0, 0), ((9, 6), (9, 4), 1, 0), ((6, 9), (4, 9), 0, 1), ((9, 6), (4, 9), 1, 1),
                         ((3, 5, 7), (3, 7, 2), 0, 0), ((3, 7, 5), (3, 7, 2), 1, 0), ((3, 5, 7), (3, 2, 7), 0, 1),
                         ((3, 7, 5), (3, 2, 7), 1, 1), ((2, 3, 5, 7), (7, 4), 0, 0), ((2, 3, 5, 7), (4, 7), 0, 1),
                         ((2, 7, 5), (7, 4), 1, 0), ((0, 5, 7), (0, 7, 2), 0, 0)]:
        def f(x, y, ta=ta, tb=tb):
            return (x.transpose(-1, -2) if ta else x) @ (y.transpose(-1, -2) if tb else y)
        case("matmul", f, [normal(*a), normal(*b)], transposeA=ta, transposeB=tb)


def convolutions():
    # batch, height, width, in, out, kernel, stride, padding, bias
    for b, h, w, i, o, k, s, p, bias in [(2, 9, 7, 5, 6, 3, 1, 1, 1), (1, 8, 8, 16, 32, 3, 2, 1, 1), (2, 6, 5, 7, 3, 1, 1, 0, 0),
                                         (1, 28, 28, 3, 24, 14, 14, 0, 0), (3, 5, 5, 32, 16, 3, 1, 0, 1), (1, 1, 1, 1, 1, 3, 1, 1, 1),
                                         (1, 7, 9, 4, 4, 3, 2, 0, 0), (0, 4, 4, 3, 5, 3, 1, 1, 1), (2, 6, 6, 3, 4, 5, 1, 2, 1)]:
        inputs = [normal(b, h, w, i), normal(o, i, k, k) / math.sqrt(i * k * k)] + ([normal(o)] if bias else [])
        case("convolution", lambda x, w, *c, s=s, p=p: nhwc(F.conv2d(nchw(x), w, *c, stride=s, padding=p)), inputs,
             stride=s, padding=p, activation=0)
    case("convolution", lambda x, w, c: F.silu(nhwc(F.conv2d(nchw(x), w, c, padding=1))),
         [normal(1, 4, 4, 8), normal(8, 8, 3, 3) / 8, normal(8)], stride=1, padding=1, activation=1)


def spatial():
    for shape, factor in [((2, 3, 4, 5), 2), ((1, 1, 1, 1), 3), ((2, 2, 3, 33), 2), ((0, 2, 2, 3), 2)]:
        case("nearest", lambda x, f=factor: x.repeat_interleave(f, 1).repeat_interleave(f, 2), [normal(*shape)], factor=factor)
    for shape, factor in [((2, 4, 6, 5), 2), ((1, 3, 3, 33), 3), ((1, 1, 1, 1), 1)]:
        case("averagePool", lambda x, f=factor: nhwc(F.avg_pool2d(nchw(x), f)), [normal(*shape)], factor=factor)
    for shape, k, s in [((2, 4, 6, 5), 2, 2), ((1, 7, 9, 33), 3, 2), ((1, 5, 5, 3), 3, 1)]:
        case("maxPool", lambda x, k=k, s=s: nhwc(F.max_pool2d(nchw(x), k, s)), [normal(*shape)], kernel=k, stride=s)
    for shape, h, w in [((2, 4, 5, 3), 8, 10), ((1, 7, 5, 17), 3, 9), ((1, 1, 1, 2), 4, 4), ((1, 6, 6, 4), 5, 5)]:
        case("bilinear", lambda x, h=h, w=w: nhwc(F.interpolate(nchw(x), (h, w), mode="bilinear", align_corners=False)),
             [normal(*shape)], height=h, width=w)


def norms():
    for shape in [(5, 37), (2, 3, 64), (1, 1), (0, 16), (70, 130)]:
        n = shape[-1]
        case("layerNorm", lambda x, w, b, n=n: F.layer_norm(x, [n], w, b, 1e-5), [normal(*shape) + 2, normal(n), normal(n)], epsilon=1e-5)
        case("rmsNorm", lambda x, w: x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5) * w, [normal(*shape), normal(n)], epsilon=1e-5)
    case("layerNorm", lambda x, w, b: F.layer_norm(x, [33], w, b, 1e-5), [normal(4, 33) * 1e-3, normal(33), normal(33)], epsilon=1e-5)

    def group(x, w, b, scale, shift, groups, silu):
        y = nhwc(F.group_norm(nchw(x), groups, w, b, 1e-5))
        y = y * (1 + scale[:, None, None]) + shift[:, None, None]
        return F.silu(y) if silu else y

    for b, h, w, c, groups, silu in [(2, 3, 5, 12, 4, 0), (1, 8, 8, 32, 8, 1), (3, 4, 4, 33, 3, 1), (2, 1, 1, 4, 2, 0), (0, 2, 2, 4, 2, 0), (2, 40, 40, 16, 2, 1)]:
        case("groupNorm", lambda x, w, b, s, t, g=groups, a=silu: group(x, w, b, s, t, g, a),
             [normal(b, h, w, c) + 5, normal(c), normal(c), normal(b, c) / 2, normal(b, c)], groups=groups, silu=silu)


def probabilities():
    for shape in [(5, 37), (1, 1), (3, 2, 130), (0, 4)]:
        case("softmax", lambda x: x.softmax(-1), [normal(*shape) * 3])
    for rows, n, ignored in [(6, 37, 2), (1, 1, 0), (5, 1000, 0)]:
        ids = torch.randint(0, n, (rows,), generator=generator, dtype=torch.int32)
        ids[:ignored] = -1
        case("crossEntropy", lambda x, ids=ids: F.cross_entropy(x, ids.long(), ignore_index=-1), [normal(rows, n) * 3], [ids])
    case("meanSquaredError", F.mse_loss, [normal(4, 37), normal(4, 37)])
    case("cosineDistance", lambda x, y: (1 - F.cosine_similarity(x, y, dim=-1)).mean(), [normal(5, 37), normal(5, 37)])
    case("cosineDistance", lambda x, y: (1 - F.cosine_similarity(x, y, dim=-1)).mean(), [normal(1, 1, 3), normal(1, 1, 3)])


def gates():
    acts = {0: F.silu, 1: F.gelu, 2: lambda x: F.gelu(x, approximate="tanh")}
    for unit, f in acts.items():
        case("gated", lambda g, u, f=f: f(g) * u, [normal(3, 37) * 2, normal(3, 37)], unit=unit)
        case("gatedFused", lambda x, f=f: f(x.chunk(2, -1)[0]) * x.chunk(2, -1)[1], [normal(2, 3, 74) * 2], unit=unit)
    case("gatedFused", lambda x: F.silu(x.chunk(2, -1)[0]) * x.chunk(2, -1)[1], [normal(0, 6)], unit=0)


def rotary():
    def angles_line(t, c, base, first):
        return torch.arange(first, first + t)[:, None].double() * base ** (-2 * torch.arange(c // 2).double() / c)

    def angles_grid(h, w, c, base, first):
        f = base ** (-2 * torch.arange(c // 4).double() / (c // 2))
        y, x = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
        return torch.cat([(x.reshape(-1, 1) + first) * f, (y.reshape(-1, 1) + first) * f], 1)

    def turn(x, angles, interleaved):
        n = 2 * angles.shape[1]
        cos, sin = angles.cos()[None, :, None], angles.sin()[None, :, None]
        if interleaved:
            a, b = x[..., 0:n:2], x[..., 1:n:2]
            y = torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)
        else:
            a, b = x[..., : n // 2], x[..., n // 2 : n]
            y = torch.cat([a * cos - b * sin, b * cos + a * sin], -1)
        return torch.cat([y, x[..., n:]], -1)

    for inter in [0, 1]:
        case("rotaryLine", lambda x, i=inter: turn(x, angles_line(5, 12, 10000.0, 3), i), [normal(2, 5, 3, 12)],
             channels=12, first=3, interleaved=inter)
        case("rotaryLine", lambda x, i=inter: turn(x, angles_line(4, 32, 500000.0, 0), i), [normal(1, 4, 2, 40)],
             channels=32, first=0, interleaved=inter, base=500000.0)
        case("rotaryGrid", lambda x, i=inter: turn(x, angles_grid(3, 4, 16, 10000.0, 1), i), [normal(2, 12, 2, 16)],
             channels=16, first=1, interleaved=inter, height=3, width=4)


def attentions():
    def attend(q, k, v, bias=None, allowed=None, scale=None):
        q, k, v = (t.transpose(1, 2) for t in (q, k, v))
        groups = q.shape[1] // k.shape[1]
        k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
        s = q @ k.transpose(-1, -2) * (scale or 1 / math.sqrt(q.shape[-1]))
        if bias is not None:
            s = s + bias
        if allowed is not None:
            s = s.masked_fill(~allowed, -math.inf)
            empty = ~allowed.any(-1, keepdim=True)
            return torch.where(empty, 0.0, torch.where(empty, 0.0, s).softmax(-1) @ v).transpose(1, 2)
        return (s.softmax(-1) @ v).transpose(1, 2)

    # batch, queries, keys, heads, kv heads, channels
    for b, q, k, h, kv, c in [(2, 5, 5, 2, 2, 8), (1, 1, 1, 1, 1, 1), (1, 7, 19, 4, 2, 24), (2, 130, 150, 2, 1, 16), (1, 50, 300, 3, 3, 33), (0, 4, 4, 2, 2, 8)]:
        qkv = [normal(b, q, h, c), normal(b, k, kv, c), normal(b, k, kv, c)]
        case("attention", attend, qkv, mask=0, bias=0)
        if k >= q:
            causal = torch.ones(q, k, dtype=torch.bool).tril(k - q)
            case("attention", lambda x, y, z, m=causal: attend(x, y, z, allowed=m), qkv, mask=1, bias=0)
    for b, q, k, h, batch in [(2, 6, 9, 2, 1), (2, 6, 9, 2, 2), (1, 60, 200, 2, 1)]:
        allowed = torch.rand(batch, 1, q, k, generator=generator) > 0.4
        allowed[:, :, 0] = False
        qkv = [normal(b, q, h, 16), normal(b, k, h, 16), normal(b, k, h, 16)]
        case("attention", lambda x, y, z, m=allowed: attend(x, y, z, allowed=m), qkv, [allowed[:, 0].to(torch.uint8)], mask=2, bias=0)
    for bb, bh in [(1, 1), (1, 2), (2, 2), (2, 1)]:
        inputs = [normal(2, 20, 2, 16), normal(2, 33, 2, 16), normal(2, 33, 2, 16), normal(bb, bh, 20, 33)]
        case("attention", lambda *x: attend(*x, scale=0.3), inputs, mask=0, bias=1, scale=0.3)
    qkv = normal(2, 11, 3 * 24)
    case("selfAttention", lambda x: attend(*(t.reshape(2, 11, 3, 8) for t in x.chunk(3, -1))).reshape(2, 11, 24), [qkv], heads=3, kvHeads=3)
    case("selfAttention", lambda x: attend(x[..., :32].reshape(1, 9, 4, 8), x[..., 32:48].reshape(1, 9, 2, 8), x[..., 48:].reshape(1, 9, 2, 8)).reshape(1, 9, 32),
         [normal(1, 9, 64)], heads=4, kvHeads=2)


def optimizer():
    p, out = torch.nn.Parameter(normal(3, 37)), {}
    out["adamw.start"] = p.detach().clone()
    opt = torch.optim.AdamW([p], lr=0.01, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
    for i in range(5):
        p.grad = normal(3, 37)
        out[f"adamw.gradient.{i}"] = p.grad.clone()
        opt.step()
        out[f"adamw.value.{i}"] = p.detach().clone()
    return out


def main():
    for part in [elementwise, broadcasting, reductions, shapes, products, convolutions, spatial, norms, probabilities, gates, rotary, attentions]:
        part()
    path = HERE / "TensorsTests" / "Fixtures" / "operations.safetensors"
    save_file({k: v.clone() for k, v in tensors.items()}, path, metadata={"cases": json.dumps(cases), "torch": torch.__version__})
    adamw = HERE / "TrainingTests" / "Fixtures" / "adamw.safetensors"
    adamw.parent.mkdir(exist_ok=True)
    save_file(optimizer(), adamw)
    print(f"{len(cases)} cases, {path.stat().st_size / 1e6:.1f} MB: {path.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
