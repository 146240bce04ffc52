"""Writes the picture files that the tests read, and what they must decode to.

    .references/venv/bin/python Tests/Fixtures/make_pictures.py

PNG files are put together here, because Pillow cannot write every kind; what they hold is known exactly.
JPEG and WebP files and all resized pictures are Pillow's. Results: u8 [height, width, 4] by file name.
"""

import pathlib
import struct
import zlib

import numpy as np
import PIL
from PIL import Image
from safetensors.numpy import save_file

OUT = pathlib.Path(__file__).resolve().parent.parent / "PicturesTests" / "Fixtures"
rng = np.random.default_rng(7)
expected = {}
WIDTH, HEIGHT = 13, 9


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(rows, depth):
    """[h, w, channels] samples → filter byte 0 and packed bits, row by row."""
    out = b""
    for row in rows:
        flat = row.reshape(-1)
        if depth == 16:
            out += b"\0" + flat.astype(">u2").tobytes()
        else:
            bits = "".join(format(int(v), f"0{depth}b") for v in flat)
            bits += "0" * (-len(bits) % 8)
            out += b"\0" + bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
    return out


def png(samples, depth, colour, interlaced=False, extra=b""):
    h, w, _ = samples.shape
    if interlaced:
        raw = b""
        for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
            part = samples[y0::dy, x0::dx]
            if part.size:
                raw += packed(part, depth)
    else:
        raw = packed(samples, depth)
    head = struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def to8(samples, depth):
    return np.floor(samples.astype(np.float64) * 255 / (2 ** depth - 1) + 0.5).astype(np.uint8)


def add(name, data, pixels):
    (OUT / name).write_bytes(data)
    expected[name] = np.ascontiguousarray(pixels.astype(np.uint8))


def rgba(parts):
    return np.concatenate(parts, 2)


def pngs():
    opaque = np.full((HEIGHT, WIDTH, 1), 255)
    for interlaced in [False, True]:
        tag = "-interlaced" if interlaced else ""
        for depth in [1, 2, 4, 8, 16]:
            grey = rng.integers(0, 2 ** depth, (HEIGHT, WIDTH, 1))
            g = to8(grey, depth)
            add(f"grey{depth}{tag}.png", png(grey, depth, 0, interlaced), rgba([g, g, g, opaque]))
        for depth in [1, 2, 4, 8]:
            count = min(2 ** depth, 40)
            palette, alpha = rng.integers(0, 256, (count, 3)), rng.integers(0, 256, count // 2)
            index = rng.integers(0, count, (HEIGHT, WIDTH, 1))
            extra = chunk(b"PLTE", palette.astype(np.uint8).tobytes()) + chunk(b"tRNS", alpha.astype(np.uint8).tobytes())
            full = np.concatenate([alpha, np.full(count - len(alpha), 255)])
            add(f"palette{depth}{tag}.png", png(index, depth, 3, interlaced, extra),
                rgba([palette[index[:, :, 0]], full[index]]))
        for depth in [8, 16]:
            for colour, channels in [(2, 3), (4, 2), (6, 4)]:
                s = rng.integers(0, 2 ** depth, (HEIGHT, WIDTH, channels))
                e = to8(s, depth)
                full = {3: lambda: rgba([e, opaque]), 2: lambda: rgba([e[:, :, :1]] * 3 + [e[:, :, 1:]]), 4: lambda: e}[channels]()
                add(f"colour{colour}-{depth}{tag}.png", png(s, depth, colour, interlaced), full)
    s = rng.integers(0, 256, (HEIGHT, WIDTH, 3))
    s[2, 3] = (10, 20, 30)
    key = chunk(b"tRNS", struct.pack(">HHH", 10, 20, 30))
    alpha = np.where((s == (10, 20, 30)).all(2, keepdims=True), 0, 255)
    add("transparent-colour.png", png(s, 8, 2, extra=key), rgba([s, alpha]))
    one = np.array([[[200, 100, 50]]])
    add("one-pixel.png", png(one, 8, 2), rgba([one, np.array([[[255]]])]))


def scene(width, height):
    """Smooth colours with hard edges: what resizing and JPEG find hard."""
    y, x = np.mgrid[0:height, 0:width]
    picture = np.stack([x * 255 / width, y * 255 / height, 127 + 120 * np.sin(x / 3) * np.cos(y / 4)], 2)
    picture[height // 4: height // 2, width // 5: width // 2] = (250, 10, 20)
    picture[(x - width * 0.7) ** 2 + (y - height * 0.6) ** 2 < (height / 5) ** 2] = (5, 240, 250)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


def save(name, image, **options):
    path = OUT / name
    image.save(path, **options)
    from PIL import ImageOps
    add(name, path.read_bytes(), np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGBA")))


def others():
    picture = scene(31, 22)
    save("plain.jpg", picture, quality=90, subsampling=0)
    save("subsampled.jpg", picture, quality=85, subsampling=2)
    save("progressive.jpg", picture, quality=90, progressive=True, subsampling=0)
    save("grey.jpg", picture.convert("L"), quality=90)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"orientation{orientation}.jpg", picture, quality=95, subsampling=0, exif=exif)
    save("lossy.webp", picture, quality=80)
    save("lossless.webp", picture, lossless=True)
    clear = picture.convert("RGBA")
    clear.putalpha(Image.fromarray(np.linspace(0, 255, 31 * 22).reshape(22, 31).astype(np.uint8)))
    save("alpha.webp", clear, lossless=True, exact=True)


def resizes():
    photo, clear = scene(97, 61), scene(40, 33).convert("RGBA")
    clear.putalpha(Image.fromarray((np.mgrid[0:33, 0:40].sum(0) * 4).clip(0, 255).astype(np.uint8)))
    for name, image in [("photo", photo), ("clear", clear)]:
        expected[f"resize.{name}"] = np.asarray(image.convert("RGBA"))
        for w, h in [(48, 30), (97, 20), (13, 61), (200, 150), (1, 1), (96, 60), (448 // 4, 448 // 4), (7, 100)]:
            expected[f"resize.{name}.{w}x{h}"] = np.asarray(image.resize((w, h), Image.Resampling.BICUBIC).convert("RGBA"))
    one = Image.new("RGB", (1, 1), (9, 99, 200))
    expected["resize.one"] = np.asarray(one.convert("RGBA"))
    expected["resize.one.5x4"] = np.asarray(one.resize((5, 4), Image.Resampling.BICUBIC).convert("RGBA"))


def main():
    OUT.mkdir(exist_ok=True, parents=True)
    for old in OUT.glob("*.*"):
        old.unlink()
    pngs()
    others()
    resizes()
    save_file(expected, OUT / "pictures.safetensors", metadata={"pillow": PIL.__version__})
    print(f"{len(expected)} pictures, {sum(f.stat().st_size for f in OUT.iterdir()) / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
