"""Writes small picture files of every kind that other programs make, and what they must decode to.

    python Tests/Fixtures/make_kinds.py        (numpy, Pillow 11.3 or later, pillow-heif, safetensors; heif-enc; liblcms2)

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


def tiff(bits, form, samples, kind, data, extra=(), planar=1, profile=b"", tile=None):
    """A TIFF file of one strip a plane, or of tiles, little-endian."""
    pages = data if isinstance(data, list) else [data]
    tags = [(256, 4, [W]), (257, 4, [H]), (258, 3, [bits] * samples), (259, 3, [1]), (262, 3, [kind]),
            (277, 3, [samples]), (284, 3, [planar]), (339, 3, [form] * samples)]
    tags += [(322, 4, [tile]), (323, 4, [tile])] if tile else [(278, 4, [H])]
    tags += [(338, 3, list(extra))] if extra else []
    tags += [(34675, 7, profile)] if profile else []
    tags += [(324 if tile else 273, 4, pages), (325 if tile else 279, 4, [len(p) for p in pages])]
    tags.sort(key=lambda tag: tag[0])
    at, later = 8 + 2 + 12 * len(tags) + 4, b""
    fields = []
    for tag, form_of, values in tags:
        packed = values if isinstance(values, bytes) else None
        if values is pages:
            fields.append((tag, form_of, len(pages), None))
            continue
        packed = packed if packed is not None else b"".join(struct.pack("<H" if form_of == 3 else "<I", v) for v in values)
        if len(packed) > 4:
            place = struct.pack("<I", at + len(later))
            later += packed + b"\0" * (len(packed) % 2)
        else:
            place = packed.ljust(4, b"\0")
        fields.append((tag, form_of, len(values), place))
    begin = at + len(later) + (4 * len(pages) if len(pages) > 1 else 0)
    offsets = b"".join(struct.pack("<I", begin + sum(map(len, pages[:i]))) for i in range(len(pages)))
    if len(pages) > 1:
        spot, later = struct.pack("<I", at + len(later)), later + offsets
    else:
        spot = offsets
    body = b"".join(struct.pack("<HHI", t, f, n) + (p or spot) for t, f, n, p in fields)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + body + struct.pack("<I", 0) + later + b"".join(pages)


def cmyk_profile():
    """Inks that darken and tint: a table of two grid points an axis, as ICC's lut8."""
    corners = []
    for c, m, y, k in np.ndindex(2, 2, 2, 2):
        light = 255 * (1 - 0.9 * k) * (1 - 0.25 * c) * (1 - 0.3 * m) * (1 - 0.05 * y)
        corners += [int(light), int(128 + (60 * m - 40 * c) * (1 - k)), int(128 + (90 * y - 50 * c) * (1 - k))]
    ramp = bytes(range(256))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    lut += ramp * 4 + bytes(corners) + ramp * 3
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"inks\0" + b"\0" * 78
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    parts = [(b"A2B0", lut), (b"desc", text), (b"wtpt", white), (b"cprt", b"text\0\0\0\0none\0")]
    table, data, at = struct.pack(">I", len(parts)), b"", 128 + 4 + 12 * len(parts)
    for name, part in parts:
        part += b"\0" * (-len(part) % 4)
        table += name + struct.pack(">II", at + len(data), len(part))
        data += part
    head = struct.pack(">I4sI4s4s4s12s4s", at + len(data), b"lcms", 0x02100000, b"prtr", b"CMYK", b"Lab ", b"\0" * 12, b"acsp")
    head = head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + data


def measured():
    """What libtiff's own conversion leaves out. Floating point is 0 to 1; larger numbers are levels, as Pillow takes them."""
    rgb, grey = np.asarray(PICTURE), np.asarray(PICTURE.convert("L"))
    full, opaque = lambda a: np.dstack([a if a.ndim == 3 else np.dstack([a] * 3), np.full((H, W, 1), 255)]), 255
    light = (rgb / 255.0).astype("<f4")
    add("float32.tif", tiff(32, 3, 3, 2, light.tobytes()), full(rgb))
    add("float64.tif", tiff(64, 3, 1, 1, (grey / 255.0).astype("<f8").tobytes()), full(grey))
    add("float16.tif", tiff(16, 3, 3, 2, light.astype("<f2").tobytes()), full(rgb))
    add("planes.tif", tiff(32, 3, 3, 2, [light[:, :, c].tobytes() for c in range(3)], planar=2), full(rgb))
    bright = light.copy()
    bright[0, 0], bright[0, 1], bright[0, 2] = (4, 0.5, 0), np.inf, (np.nan, -0.2, 1)
    seen = rgb.copy()
    seen[0, 0], seen[0, 1], seen[0, 2] = (255, 128, 0), 255, (0, 0, 255)
    add("bright.tif", tiff(32, 3, 3, 2, bright.tobytes()), full(seen))
    # Pillow: mode F, whose conversion clips to 0…255.
    add("levels.tif", tiff(32, 3, 1, 1, grey.astype("<f4").tobytes()),
        full(np.asarray(Image.fromarray(grey.astype(np.float32)).convert("L"))))
    heights = grey.astype("<f4") * 10 - 300
    share = (heights - heights.min()) / (heights.max() - heights.min())
    add("heights.tif", tiff(32, 3, 1, 1, heights.tobytes()), full((share * 255 + 0.5).astype(np.uint8)))
    add("signed16.tif", tiff(16, 2, 1, 1, heights.astype("<i2").tobytes()), full((share * 255 + 0.5).astype(np.uint8)))
    add("whole32.tif", tiff(32, 1, 1, 1, grey.astype("<u4").tobytes()), full(grey))
    add("whole16.tif", tiff(16, 1, 3, 2, (rgb.astype("<u2") * 257).tobytes()), full(rgb))
    alpha = np.asarray(CLEAR)[:, :, 3]
    add("clear32.tif", tiff(32, 3, 4, 2, np.dstack([light, (alpha / 255.0).astype("<f4")]).astype("<f4").tobytes(), extra=[2]),
        np.dstack([rgb, alpha]))
    padded = np.zeros((16, 32, 3), "<f4")
    padded[:H, :W] = light
    add("tiles.tif", tiff(32, 3, 3, 2, [padded[:, :16].tobytes(), padded[:, 16:].tobytes()], tile=16), full(rgb))
    icc, ink = cmyk_profile(), PICTURE.convert("CMYK")
    srgb = ImageCms.createProfile("sRGB")
    seen = ImageCms.profileToProfile(ink, ImageCms.ImageCmsProfile(io.BytesIO(icc)), srgb, outputMode="RGB").convert("RGBA")
    add("profiledink.tif", written(ink, "TIFF", icc_profile=icc), seen)
    add("ink16.tif", tiff(16, 1, 4, 5, (np.asarray(ink).astype("<u2") * 257).tobytes(), profile=icc), seen)
    planes = np.asarray(ink)
    add("inkplanes.tif", tiff(8, 1, 4, 5, [planes[:, :, c].tobytes() for c in range(4)], planar=2, profile=icc), seen)


def labs():
    """Lab as TIFF has it and as ICC has it. Pillow takes D50 for its white; of 16 bits it reads none: eight bits' words."""
    lab = ImageCms.profileToProfile(PICTURE, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB")
    seen = lab.convert("RGB").convert("RGBA")
    add("lab.tif", written(lab, "TIFF"), seen)
    l, a, b = (np.asarray(band).astype(int) for band in lab.split())
    wide = lambda *bands: np.dstack(bands).astype("<u2").tobytes()
    icc = np.dstack([l, a, b]).astype(np.uint8)
    add("icclab.tif", tiff(8, 1, 3, 9, icc.tobytes()), seen)
    add("lab16.tif", tiff(16, 1, 3, 8, wide(l * 257, (a - 128) * 256 % 65536, (b - 128) * 256 % 65536)), seen)
    add("icclab16.tif", tiff(16, 1, 3, 9, wide(l * 256, a * 256, b * 256)), seen)
    add("labplanes.tif", tiff(8, 2, 3, 8, [l.astype(np.uint8).tobytes()] + [((c - 128) % 256).astype(np.uint8).tobytes()
                                                                         for c in (a, b)], planar=2), seen)


def told():
    """Settings of other programs in files that keep EXIF or XMP in their own ways."""
    words = "a green pear\nNegative prompt: blurry\nSteps: 21, Sampler: Euler, CFG scale: 4, Seed: 77, Size: 512x512"
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + words.encode("utf-16-be")
    xmp = ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
           '<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/"><exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">'
           + words.replace("\n", "&#10;") + "</rdf:li></rdf:Alt></exif:UserComment></rdf:Description></rdf:RDF></x:xmpmeta>").encode()
    (OUT / "told.tif").write_bytes(written(PICTURE, "TIFF", tiffinfo={0x8769: dict(exif.get_ifd(0x8769))}))
    (OUT / "toldxmp.tif").write_bytes(written(PICTURE, "TIFF", tiffinfo={700: xmp}))
    (OUT / "told.avif").write_bytes(written(PICTURE, "AVIF", exif=exif.tobytes()))
    (OUT / "toldxmp.avif").write_bytes(written(PICTURE, "AVIF", xmp=xmp))
    with tempfile.TemporaryDirectory() as folder:
        PICTURE.resize((64, 48)).save(f"{folder}/a.jpg", exif=exif)
        subprocess.run(["heif-enc", "-q", "50", f"{folder}/a.jpg", "-o", f"{folder}/a.heic"], check=True, capture_output=True)
        (OUT / "told.heic").write_bytes(pathlib.Path(f"{folder}/a.heic").read_bytes())


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


def large():
    """Files of a few bytes and many pixels, for decoders that get no memory."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    folder, flat = OUT.parent / "Large", Image.new("RGB", (6000, 4000), (40, 120, 80))
    folder.mkdir(exist_ok=True)
    for kind, name, options in [("AVIF", "avif", {"quality": 30, "speed": 10}), ("JPEG2000", "jp2", {}),
                                ("HEIF", "heic", {"quality": 20}), ("GIF", "gif", {}), ("WEBP", "webp", {"lossless": True})]:
        (folder / f"large.{name}").write_bytes(written(flat, kind, **options))
    (folder / "large.png").write_bytes(written(Image.new("1", flat.size), "PNG"))


def main():
    OUT.mkdir(exist_ok=True, parents=True)
    for old in OUT.glob("*.*"):
        old.unlink()
    gifs()
    bmps()
    tiffs()
    measured()
    labs()
    rest()
    oddities()
    told()
    large()
    save_file(expected, OUT / "kinds.safetensors", metadata={"pillow": PIL.__version__})
    print(f"{len(expected)} pictures, {sum(f.stat().st_size for f in OUT.iterdir()) / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
