"""Writes small picture files of every kind that other programs make, and what they must decode to.

    python Tests/Fixtures/make_kinds.py        (numpy, Pillow 11.3 or later, safetensors; heif-enc; liblcms2)

What Pillow reads of them is what is expected, upright; of HEIC what libheif's own program reads. Colour profiles are
Little CMS's, applied by Pillow. Results: u8 [height, width, 4] by file name.
"""

import ctypes
import io
import pathlib
import struct
import subprocess
import tempfile
import zlib

import numpy as np
import PIL
from PIL import Image, ImageCms, ImageOps
from safetensors.numpy import save_file

OUT = pathlib.Path(__file__).resolve().parent.parent / "PicturesTests" / "Fixtures" / "Kinds"
expected = {}
W, H = 19, 14


def scene():
    y, x = np.mgrid[0:H, 0:W]
    picture = np.stack([x * 255 / W, y * 255 / H, 127 + 100 * np.sin(x / 5) * np.cos(y / 6)], 2)
    picture[2:6, 3:10] = (230, 40, 50)
    return Image.fromarray(picture.clip(0, 255).astype(np.uint8))


PICTURE = scene()
CLEAR = PICTURE.convert("RGBA")
CLEAR.putalpha(Image.fromarray(np.linspace(0, 255, W * H).reshape(H, W).astype(np.uint8)))


def add(name, data, pixels=None):
    (OUT / name).write_bytes(data)
    if pixels is None:
        with Image.open(io.BytesIO(data)) as image:
            pixels = ImageOps.exif_transpose(image).convert("RGBA")
    expected[name] = np.ascontiguousarray(np.asarray(pixels, dtype=np.uint8))


def written(image, kind, **options):
    to = io.BytesIO()
    image.save(to, kind, **options)
    return to.getvalue()


def gifs():
    add("still.gif", written(PICTURE.quantize(32), "GIF"))
    add("interlaced.gif", written(PICTURE.quantize(16), "GIF", interlace=1))
    moving = [PICTURE.quantize(16), PICTURE.transpose(Image.Transpose.ROTATE_180).quantize(16)]
    add("moving.gif", written(moving[0], "GIF", save_all=True, append_images=moving[1:], duration=100))
    # A first frame that leaves a part of the screen free, with a clear colour.
    table = bytes([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
    data = b"GIF89a" + struct.pack("<HHBBB", 4, 3, 0x91, 0, 0) + table + bytes([0x21, 0xF9, 4, 1, 0, 0, 3, 0])
    data += b"," + struct.pack("<HHHHB", 1, 1, 2, 2, 0) + bytes([2])
    codes, bits = [4, 1, 2, 3, 1, 5], ""
    for code in codes[:4]:
        bits = format(code, "03b") + bits
    bits = format(1, "04b") + bits
    bits = format(5, "04b") + bits
    packed = int(bits, 2).to_bytes((len(bits) + 7) // 8, "little")
    data += bytes([len(packed)]) + packed + b"\0;"
    pixels = np.zeros((3, 4, 4), np.uint8)
    pixels[1, 1], pixels[1, 2], pixels[2, 2] = (255, 0, 0, 255), (0, 255, 0, 255), (255, 0, 0, 255)
    pixels[2, 1] = (0, 0, 255, 0)
    add("part.gif", data, pixels)


def bitmap(bits, body, compression=0, palette=b"", masks=b"", height=H, header=40):
    offset = 14 + header + len(masks) + len(palette)
    info = struct.pack("<IiiHHIIiiII", header, W, height, 1, bits, compression, len(body), 2835, 2835, len(palette) // 4, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(body), 0, 0, offset) + info + masks + palette + body


def bmps():
    for name, image in [("1", PICTURE.convert("1")), ("8", PICTURE.quantize(200)), ("24", PICTURE), ("grey", PICTURE.convert("L"))]:
        add(f"bits{name}.bmp", written(image, "BMP"))
    add("alpha.bmp", written(CLEAR, "BMP"))
    index = np.asarray(PICTURE.quantize(16))
    colours = np.array(PICTURE.quantize(16).getpalette()[:48]).reshape(-1, 3)
    palette = b"".join(bytes([b, g, r, 0]) for r, g, b in colours)
    full = np.dstack([colours[index], np.full((H, W), 255)]).astype(np.uint8)
    rows = [row + b"\0" * (-len(row) % 4) for row in
            (bytes((int(r[i]) << 4 | (int(r[i + 1]) if i + 1 < W else 0)) for i in range(0, W, 2)) for r in index)]
    add("bits4.bmp", bitmap(4, b"".join(reversed(rows)), palette=palette), full)
    add("downwards.bmp", bitmap(4, b"".join(rows), palette=palette, height=-H), full)
    runs = b""
    for row in reversed(index):
        # Runs on the left, plain pixels on the right.
        for value in row[:9]:
            runs += bytes([1, value])
        runs += bytes([0, W - 9]) + bytes(row[9:].tolist()) + b"\0" * ((W - 9) % 2) + b"\0\0"
    add("runs.bmp", bitmap(8, runs + b"\0\1", 1, palette), full)
    rgb = np.asarray(PICTURE).astype(np.uint32)
    small = (rgb[:, :, 0] >> 3) << 11 | (rgb[:, :, 1] >> 2) << 5 | rgb[:, :, 2] >> 3
    body = b"".join(row.astype("<u2").tobytes() + b"\0" * (W * 2 % 4) for row in small[::-1])
    wide = np.stack([((small >> 11) * 255 + 15) // 31, ((small >> 5 & 63) * 255 + 31) // 63, ((small & 31) * 255 + 15) // 31], 2)
    add("bits16.bmp", bitmap(16, body, 3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F)),
        np.dstack([wide, np.full((H, W), 255)]))


def tiffs():
    for name, options in [("plain", {}), ("lzw", {"compression": "tiff_lzw"}), ("deflate", {"compression": "tiff_adobe_deflate"}),
                          ("packbits", {"compression": "packbits"})]:
        add(f"{name}.tif", written(PICTURE, "TIFF", **options))
    add("alpha.tif", written(CLEAR, "TIFF", compression="tiff_lzw"))
    add("grey.tif", written(PICTURE.convert("L"), "TIFF"))
    add("palette.tif", written(PICTURE.quantize(60), "TIFF"))
    add("fax.tif", written(PICTURE.convert("1"), "TIFF", compression="group4"))
    add("turned.tif", written(PICTURE, "TIFF", tiffinfo={274: 6}))
    ink = PICTURE.convert("CMYK")
    add("ink.tif", written(ink, "TIFF"))


def rest():
    add("plain.jp2", written(PICTURE, "JPEG2000"))
    add("grey.jp2", written(PICTURE.convert("L"), "JPEG2000"))
    add("alpha.jp2", written(CLEAR, "JPEG2000"))
    add("bare.j2k", written(PICTURE, "JPEG2000", no_jp2=True))
    add("plain.avif", written(PICTURE, "AVIF", quality=90, subsampling="4:4:4"))
    add("alpha.avif", written(CLEAR, "AVIF", quality=90, subsampling="4:4:4"))
    turned = Image.Exif()
    turned[0x0112] = 6
    add("turned.avif", written(PICTURE, "AVIF", quality=90, subsampling="4:4:4", exif=turned.tobytes()))
    with tempfile.TemporaryDirectory() as folder:
        PICTURE.resize((64, 48)).save(f"{folder}/a.png")
        subprocess.run(["heif-enc", "-q", "90", f"{folder}/a.png", "-o", f"{folder}/a.heic"], check=True, capture_output=True)
        subprocess.run(["heif-convert", f"{folder}/a.heic", f"{folder}/b.png"], check=True, capture_output=True)
        add("plain.heic", pathlib.Path(f"{folder}/a.heic").read_bytes(), Image.open(f"{folder}/b.png").convert("RGBA"))
    grey, rgb = np.asarray(PICTURE.convert("L")), np.asarray(PICTURE)
    opaque = np.full((H, W, 1), 255)
    bits = grey < 128
    black = np.dstack([np.where(bits, 0, 255)] * 3 + [opaque])
    add("bits.pbm", b"P4\n# a comment\n%d %d\n" % (W, H) + np.packbits(bits, axis=1).tobytes(), black)
    add("digits.pbm", b"P1\n%d %d\n" % (W, H) + b"\n".join(bytes(48 + row) for row in bits.astype(np.uint8)), black)
    add("grey.pgm", b"P5 %d %d 255\n" % (W, H) + grey.tobytes(), np.dstack([grey] * 3 + [opaque]))
    add("colour.ppm", b"P6\n%d %d\n255\n" % (W, H) + rgb.tobytes(), np.dstack([rgb, opaque]))
    add("words.ppm", b"P3\n%d %d\n255\n" % (W, H) + " ".join(map(str, rgb.reshape(-1))).encode(), np.dstack([rgb, opaque]))
    add("deep.ppm", b"P6\n%d %d\n65535\n" % (W, H) + (rgb.astype(">u2") * 257).tobytes(), np.dstack([rgb, opaque]))
    add("clear.pam", b"P7\nWIDTH %d\nHEIGHT %d\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n" % (W, H) + CLEAR.tobytes(), CLEAR)


def without(data, marker):
    """A JPEG file without segments of a kind."""
    out, at = data[:2], 2
    while data[at + 1] != 0xDA:
        length = struct.unpack(">H", data[at + 2:at + 4])[0] + 2
        if data[at + 1] != marker:
            out += data[at:at + length]
        at += length
    return out + data[at:]


def profile(white, red, green, blue, gamma):
    lcms = ctypes.CDLL("liblcms2.so.2")
    for name in ["cmsCreateRGBProfile", "cmsBuildGamma"]:
        getattr(lcms, name).restype = ctypes.c_void_p
    triple = (ctypes.c_double * 3)(*white, 1)
    primaries = (ctypes.c_double * 9)(*red, 1, *green, 1, *blue, 1)
    lcms.cmsBuildGamma.argtypes = [ctypes.c_void_p, ctypes.c_double]
    curve = lcms.cmsBuildGamma(None, gamma)
    lcms.cmsCreateRGBProfile.argtypes = [ctypes.c_void_p] * 3
    made = lcms.cmsCreateRGBProfile(triple, primaries, (ctypes.c_void_p * 3)(curve, curve, curve))
    count = ctypes.c_uint32(0)
    lcms.cmsSaveProfileToMem.argtypes = [ctypes.c_void_p] * 3
    lcms.cmsSaveProfileToMem(made, None, ctypes.byref(count))
    to = ctypes.create_string_buffer(count.value)
    lcms.cmsSaveProfileToMem(made, to, ctypes.byref(count))
    return to.raw[:count.value]


def oddities():
    xmp = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="8"/></rdf:RDF></x:xmpmeta>"""
    plain = written(PICTURE, "JPEG", quality=95, subsampling=0)
    add("xmp.jpg", written(PICTURE, "JPEG", quality=95, subsampling=0, xmp=xmp))
    for name, order, kind, value in [("long", ">", 4, 6), ("short", "<", 3, 3)]:
        entry = struct.pack(order + "HHI", 0x0112, kind, 1) + struct.pack(order + ("I" if kind == 4 else "HH"), *([value] if kind == 4 else [value, 0]))
        exif = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "IH", 8, 1) + entry + b"\0\0\0\0"
        add(f"{name}.jpg", written(PICTURE, "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0" + exif))
        add(f"{name}.webp", written(PICTURE, "WEBP", lossless=True, exif=exif))
    add("xmp.webp", written(PICTURE, "WEBP", lossless=True, xmp=xmp))
    add("moving.webp", written(CLEAR, "WEBP", lossless=True, exact=True, save_all=True, duration=90,
                               append_images=[CLEAR.transpose(Image.Transpose.ROTATE_180)]))
    pixels = Image.open(io.BytesIO(plain)).convert("RGBA")
    add("extraneous.jpg", plain[:-2] + b"\x11" * 18 + plain[-2:], pixels)
    add("unended.jpg", plain[:-2], pixels)
    add("oddversion.jpg", plain.replace(b"JFIF\0\1", b"JFIF\0\7", 1), pixels)
    ink = written(PICTURE.convert("CMYK"), "JPEG", quality=95)
    add("ink.jpg", ink)
    add("unmarked.jpg", without(ink, 0xEE))
    png = written(PICTURE, "PNG")
    add("unended.png", png[:-12], PICTURE.convert("RGBA"))
    add("promising.png", png[:-12] + struct.pack(">I", 0x7FFFFFFF) + b"tEXtabc", PICTURE.convert("RGBA"))
    srgb = ImageCms.createProfile("sRGB")
    wide = {"p3": profile((0.3127, 0.329), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06), 2.2),
            "adobe": profile((0.3127, 0.329), (0.64, 0.33), (0.21, 0.71), (0.15, 0.06), 563 / 256)}
    for name, icc in wide.items():
        seen = ImageCms.profileToProfile(PICTURE, ImageCms.ImageCmsProfile(io.BytesIO(icc)), srgb)
        add(f"{name}.png", written(PICTURE, "PNG", icc_profile=icc), seen.convert("RGBA"))
        add(f"{name}.webp", written(PICTURE, "WEBP", lossless=True, icc_profile=icc), seen.convert("RGBA"))
        add(f"{name}.tif", written(PICTURE, "TIFF", icc_profile=icc), seen.convert("RGBA"))
    add("srgb.png", written(PICTURE, "PNG", icc_profile=ImageCms.ImageCmsProfile(srgb).tobytes()), PICTURE.convert("RGBA"))
    light = profile((0.3127, 0.329), (0.64, 0.33), (0.3, 0.6), (0.15, 0.06), 1)
    seen = ImageCms.profileToProfile(PICTURE, ImageCms.ImageCmsProfile(io.BytesIO(light)), srgb)
    chunk = b"gAMA" + struct.pack(">I", 100000)
    add("linear.png", png[:33] + struct.pack(">I", 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) + png[33:], seen.convert("RGBA"))


def main():
    OUT.mkdir(exist_ok=True, parents=True)
    for old in OUT.glob("*.*"):
        old.unlink()
    gifs()
    bmps()
    tiffs()
    rest()
    oddities()
    save_file(expected, OUT / "kinds.safetensors", metadata={"pillow": PIL.__version__})
    print(f"{len(expected)} pictures, {sum(f.stat().st_size for f in OUT.iterdir()) / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
