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


def lpips(name, make, cuts, side):
    features = make(weights=None).features.double().eval()
    for place, layer in enumerate(features):
        if isinstance(layer, nn.Conv2d):
            fan = layer.weight[0].numel()
            layer.weight.data = formula(layer.weight.shape, place, (6 / fan) ** 0.5).double()
            layer.bias.data = formula(layer.bias.shape, place, 0.1).double()
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    mean, scale = torch.tensor([-0.030, -0.088, -0.188]).double(), torch.tensor([0.458, 0.448, 0.450]).double()
    torch.manual_seed(3)
    a = (torch.rand(2, side, side, 3).double() * 2 - 1).float().double().requires_grad_()
    b = (torch.rand(2, side, side, 3).double() * 2 - 1).float().double()

    def seen(x):
        x, found = ((x - mean) / scale).permute(0, 3, 1, 2), []
        for place, layer in enumerate(features[: cuts[-1] + 1]):
            x = layer(x)
            if place in cuts:
                found.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return found

    total = 0
    for number, (x, y) in enumerate(zip(seen(a), seen(b))):
        head = (formula((x.shape[1],), 100 + number, 1.0).double() + 1).view(1, -1, 1, 1)
        total = total + ((x - y).square() * head).sum(1).mean()
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
    for grid in (5, 3):
        x = (torch.rand(2, 14 * grid, 14 * grid, 3) * 2 - 1)
        values = (((x.double() + 1) / 2 - mean) / scale).permute(0, 3, 1, 2)
        with torch.no_grad():
            y = model(pixel_values=values).last_hidden_state[:, 1:]
        tensors.update({f"dino{grid}.x": x, f"dino{grid}.y": y.float()})


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    lpips("vgg16", vgg16, [3, 8, 15, 22, 29], 32)
    lpips("alexnet", alexnet, [1, 4, 7, 9, 11], 64)
    dino()
    save_file({k: v.contiguous() for k, v in tensors.items()}, OUT / "teachers.safetensors")
    print(f"{len(tensors)} tensors, {(OUT / 'teachers.safetensors').stat().st_size / 1e3:.0f} kB")
