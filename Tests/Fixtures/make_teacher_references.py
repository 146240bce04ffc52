"""Writes what PyTorch makes of LPIPS and DINOv2: the decoder's teachers, with random weights.

    .references/venv/bin/python Tests/Fixtures/make_teacher_references.py

LPIPS (arXiv 1801.03924) is restated here over torchvision's layers. Its networks are too large to store: both sides
work their weights out from a formula. DINOv2 is transformers' own, tiny, stored as its folder would be.
"""

import json
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import alexnet, vgg16
from transformers import Dinov2Config, Dinov2Model

OUT = pathlib.Path(__file__).resolve().parent.parent / "RecipesTests" / "Fixtures"
tensors = {}


def formula(shape, place, bound):
    """Spread evenly over ±bound: the golden ratio's steps."""
    i = np.arange(int(np.prod(shape)), dtype=np.uint64)
    u = (i * np.uint64(2654435761) + np.uint64(12345 * (place + 1))) % np.uint64(1 << 32)
    return torch.from_numpy(((u.astype(np.float64) / 2**32 - 0.5) * 2 * bound).reshape(shape).astype(np.float32))


MEAN, SCALE = torch.tensor([-0.030, -0.088, -0.188]).double(), torch.tensor([0.458, 0.448, 0.450]).double()


def network(make):
    features = make(weights=None).features.double().eval()
    for place, layer in enumerate(features):
        if isinstance(layer, nn.Conv2d):
            fan = layer.weight[0].numel()
            layer.weight.data = formula(layer.weight.shape, place, (6 / fan) ** 0.5).double()
            layer.bias.data = formula(layer.bias.shape, place, 0.1).double()
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    return features


def distance(features, cuts, a, b):
    """LPIPS of pictures `[batch, height, width, 3]` in -1...1."""

    def seen(x):
        x, found = ((x - MEAN) / SCALE).permute(0, 3, 1, 2), []
        for place, layer in enumerate(features[: cuts[-1] + 1]):
            x = layer(x)
            if place in cuts:
                found.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return found

    total = 0
    for number, (x, y) in enumerate(zip(seen(a), seen(b))):
        head = (formula((x.shape[1],), 100 + number, 1.0).double() + 1).view(1, -1, 1, 1)
        total = total + ((x - y).square() * head).sum(1).mean()
    return total


def lpips(name, make, cuts, side):
    features = network(make)
    torch.manual_seed(3)
    a = (torch.rand(2, side, side, 3).double() * 2 - 1).float().double().requires_grad_()
    b = (torch.rand(2, side, side, 3).double() * 2 - 1).float().double()
    total = distance(features, cuts, a, b)
    total.backward()
    tensors.update({
        f"{name}.a": a.detach().float(), f"{name}.b": b.float(), f"{name}.distance": total.detach().float().reshape(1),
        f"{name}.gradient": a.grad.float()})


def dino():
    torch.manual_seed(5)
    c = Dinov2Config(hidden_size=48, num_hidden_layers=2, num_attention_heads=3, mlp_ratio=4, patch_size=14,
                     image_size=70)
    model = Dinov2Model(c).double().eval()
    with torch.no_grad():
        for value in model.parameters():
            value.copy_((torch.randn_like(value) * 0.2).float().double())
    mean = torch.tensor([0.485, 0.456, 0.406]).double()
    scale = torch.tensor([0.229, 0.224, 0.225]).double()
    folder = OUT / "dinov2"
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.float().contiguous() for k, v in model.state_dict().items()}, folder / "model.safetensors")
    keys = ["hidden_size", "num_hidden_layers", "num_attention_heads", "mlp_ratio", "patch_size", "image_size",
            "layer_norm_eps"]
    (folder / "config.json").write_text(json.dumps({k: getattr(c, k) for k in keys}, indent=2) + "\n")

    def patches(pictures):
        with torch.no_grad():
            return model(pixel_values=(((pictures + 1) / 2 - mean) / scale).permute(0, 3, 1, 2)).last_hidden_state[:, 1:]

    for grid in (5, 3):
        x = (torch.rand(2, 14 * grid, 14 * grid, 3) * 2 - 1)
        tensors.update({f"dino{grid}.x": x, f"dino{grid}.y": patches(x.double()).float()})
    return patches


def decoder_terms(patches):
    """What a decoder's run makes of both teachers: LPIPS of the one-step estimate, and REPA's cosine distance of features
    on an 8 x 8 grid, behind a head, from DINOv2's of the picture, which is made 112 pixels large for that."""
    torch.manual_seed(7)
    side, grid, channels, t = 64, 8, 24, torch.tensor([0.25, 0.7]).double().view(2, 1, 1, 1)

    def some(*shape, scale=1.0):
        return (torch.randn(shape) * scale).float().double()

    target = (torch.rand(2, side, side, 3) * 2 - 1).double()
    noise, velocity = some(2, side, side, 3), some(2, side, side, 3).requires_grad_()
    point = (1 - t) * noise + t * target
    perceptual = distance(network(alexnet), [1, 4, 7, 9, 11], point + (1 - t) * velocity, target)
    perceptual.backward()
    larger = nn.functional.interpolate(target.permute(0, 3, 1, 2), (14 * grid, 14 * grid), mode="bicubic",
                                       align_corners=False).permute(0, 2, 3, 1)
    wanted = patches(larger)
    seen = some(2, grid, grid, channels).requires_grad_()
    first, second = some(channels, channels, scale=0.3).requires_grad_(), some(48, channels, scale=0.3).requires_grad_()
    found = nn.functional.silu(seen.reshape(2, -1, channels) @ first.T) @ second.T
    repa = 1 - nn.functional.cosine_similarity(found, wanted, dim=-1, eps=1e-5).mean()
    repa.backward()
    tensors.update({f"run.{name}": value.detach().float() for name, value in dict(
        target=target, noise=noise, velocity=velocity, t=t.view(2), seen=seen, first=first, second=second,
        perceptual=perceptual.reshape(1), velocity_gradient=velocity.grad, repa=repa.reshape(1),
        seen_gradient=seen.grad, first_gradient=first.grad, second_gradient=second.grad).items()})


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    lpips("vgg16", vgg16, [3, 8, 15, 22, 29], 32)
    lpips("alexnet", alexnet, [1, 4, 7, 9, 11], 64)
    decoder_terms(dino())
    save_file({k: v.contiguous() for k, v in tensors.items()}, OUT / "teachers.safetensors")
    print(f"{len(tensors)} tensors, {(OUT / 'teachers.safetensors').stat().st_size / 1e3:.0f} kB")
