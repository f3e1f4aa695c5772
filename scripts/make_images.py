#!/usr/bin/env python3
"""Makes tests/data/images.bin, and the beginnings of tests/fuzz/corpus/decode: small image
files, what Pillow reads in them, and what Pillow and torchvision make of a picture.

    python3 scripts/make_images.py      # needs Pillow, NumPy, PyTorch and torchvision

The file is a list of records: a line "name bytes number…", then the bytes.  Files are named
after what they show; NAME= is the picture (height, width, channels) that Pillow sees there.
Resizing is done in two steps, rows first: Pillow 13 begins with the columns for some shapes.
"""
import io
import os
import struct
import zlib

import numpy as np
import torch
from PIL import Image, ImageOps, features

lib = torch.library.Library("torchvision", "DEF")  # builds whose operators do not load
for operator in ("nms", "qnms"):
    try:
        lib.define(operator + "(Tensor a, Tensor b, float c) -> Tensor")
    except RuntimeError:
        pass
from torchvision.transforms import autoaugment, functional as F  # noqa: E402
from torchvision.transforms import InterpolationMode, RandomResizedCrop  # noqa: E402

records, corpus = [], {}
random = np.random.default_rng(17)


def add(name, data, *numbers):
    records.append((name, bytes(data), numbers))


def picture(name, image, *numbers):
    a = np.asarray(image)
    channels = 1 if a.ndim == 2 else a.shape[2]
    add(name, a.tobytes(), a.shape[1], a.shape[0], channels, *numbers)


def scene(width, height):
    """Something like a photograph: smooth colours, an edge, a little noise."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    a = np.stack([120 + 100 * np.sin(x / 5 + y / 9), 40 + 5.0 * x + y, 200 - 4.0 * y + 30 * np.cos(x / 3)], 2)
    a[height // 3:height // 2, width // 4:width // 2] = (250, 30, 60)
    a += random.normal(0, 6, a.shape)
    return Image.fromarray(np.clip(a, 0, 255).astype(np.uint8))


def saved(image, kind, **options):
    f = io.BytesIO()
    image.save(f, kind, **options)
    return f.getvalue()


def file(name, data, seen=None, mode=None):
    """A file, with what Pillow sees in it (seen: where Pillow sees something else)."""
    corpus[name] = data
    add(name, data)
    if seen is None:
        seen = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
        seen = seen.convert(mode or ("L" if seen.mode in ("1", "L") else "RGB"))
    picture(name + "=", seen)


def over(image, background):
    under = Image.new("RGBA", image.size, (background,) * 3 + (255,))
    return Image.alpha_composite(under, image.convert("RGBA")).convert("RGB")


def exif(orientation, little):
    order, code = ("<", b"II*\0") if little else (">", b"MM\0*")
    return (b"Exif\0\0" + code + struct.pack(order + "IH", 8, 2) +
            struct.pack(order + "HHIHH", 0x0100, 3, 1, 7, 0) +
            struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0) + struct.pack(order + "I", 0))


def files():
    image = scene(37, 29)
    gray = image.convert("L")
    for name, subsampling in (("jpeg-444", 0), ("jpeg-422", 1), ("jpeg-420", 2)):
        file(name, saved(image, "JPEG", quality=88, subsampling=subsampling))
    file("jpeg-progressive", saved(image, "JPEG", quality=88, progressive=True))
    file("jpeg-gray", saved(gray, "JPEG", quality=88))
    file("jpeg-restart", saved(image, "JPEG", quality=88, restart_marker_blocks=2))
    ink = image.convert("CMYK")
    file("jpeg-cmyk-adobe", saved(ink, "JPEG", quality=95))
    add("scene", np.asarray(image).tobytes(), 37, 29, 3)
    for o in range(1, 9):
        file(f"jpeg-exif-{o}", saved(image, "JPEG", quality=88, exif=exif(o, o % 2 == 0)))
    file("png-rgb", saved(image, "PNG"))
    file("png-gray", saved(gray, "PNG"))
    file("png-palette", saved(image.quantize(13), "PNG"))
    file("png-two", saved(gray.convert("1"), "PNG"))
    alpha = image.convert("RGBA")
    alpha.putalpha(Image.fromarray((np.mgrid[0:29, 0:37][1] * 7 % 256).astype(np.uint8)))
    for background, word in ((0, "black"), (255, "white")):
        file("png-alpha-" + word, saved(alpha, "PNG"), over(alpha, background))
    see = image.quantize(8)
    file("png-palette-clear", saved(see, "PNG", transparency=3), over(Image.open(io.BytesIO(
        saved(see, "PNG", transparency=3))), 0))
    grays = Image.merge("LA", (gray, alpha.getchannel("A")))
    file("png-gray-alpha", saved(grays, "PNG"), over(grays, 0).convert("L"))
    wide = (np.mgrid[0:29, 0:37][1] * 1700 + np.mgrid[0:29, 0:37][0] * 97).astype(np.uint16)
    file("png-gray-16", png(37, 29, 16, 0, wide.astype(">u2").tobytes()), (wide >> 8).astype(np.uint8))
    deep = np.stack([wide, wide[::-1], wide[:, ::-1]], 2)
    file("png-rgb-16", png(37, 29, 16, 2, deep.astype(">u2").tobytes()), (deep >> 8).astype(np.uint8))
    file("png-interlaced", interlaced(np.asarray(image)), image)
    file("ppm", saved(image, "PPM"))
    file("pgm", b"P5 # a comment\n37\n29 255\n" + gray.tobytes(), gray)
    file("pgm-16", b"P5 37 29 60000\n" + (wide % 60001).astype(">u2").tobytes(),
         (((wide % 60001).astype(np.uint32) * 255 + 30000) // 60000).astype(np.uint8))
    file("bmp-24", saved(image, "BMP"))
    file("bmp-8", saved(image.quantize(200), "BMP"))
    file("bmp-gray", saved(gray, "BMP"))
    file("bmp-1", saved(gray.convert("1"), "BMP"))
    file("bmp-32", saved(alpha, "BMP"), image)
    if features.check("webp"):
        file("webp", saved(image, "WEBP", quality=80))
        file("webp-lossless", saved(image, "WEBP", lossless=True))
        file("webp-alpha", saved(alpha, "WEBP", lossless=True, exact=True), over(alpha, 0))
    for name, kind in (("gif", "GIF"), ("tiff", "TIFF")):
        add(name, saved(image.quantize(16) if kind == "GIF" else image, kind))
    large = scene(150, 110)
    add("jpeg-large", saved(large, "JPEG", quality=90))
    half = Image.open(io.BytesIO(records[-1][1]))
    half.draft("RGB", (75, 55))
    picture("jpeg-large-half", half.convert("RGB"))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, kind, rows, interlace=0):
    if not interlace:
        line = len(rows) // height
        rows = b"".join(b"\0" + rows[y * line:(y + 1) * line] for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlace)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def interlaced(a):
    rows = b""
    for y0, x0, dy, dx in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)):
        part = a[y0::dy, x0::dx]
        rows += b"".join(b"\0" + row.tobytes() for row in part)
    return png(a.shape[1], a.shape[0], 8, 2, rows, 1)


def two_steps(image, width, height, box=None):
    x0, y0, x1, y1 = box or (0, 0, image.width, image.height)
    rows = image.resize((width, image.height), Image.BILINEAR, box=(x0, 0, x1, image.height))
    return rows.resize((width, height), Image.BILINEAR, box=(0, y0, width, y1))


def pycls(a, width, height):
    """cv2.INTER_LINEAR in floating point."""
    def at(n, new):
        x = np.clip((np.arange(new) + 0.5) * n / new - 0.5, 0, n - 1)
        i = np.minimum(np.floor(x).astype(int), max(n - 2, 0))
        return i, np.minimum(i + 1, n - 1), x - i
    y0, y1, fy = at(a.shape[0], height)
    x0, x1, fx = at(a.shape[1], width)
    a = a.astype(float)
    rows = a[:, x0] * (1 - fx)[None, :, None] + a[:, x1] * fx[None, :, None]
    return rows[y0] * (1 - fy)[:, None, None] + rows[y1] * fy[:, None, None]


def area(a, width, height):
    """The mean of what a new pixel covers: every old pixel divided into parts."""
    a = a.astype(float).repeat(height, 0).reshape(height, a.shape[0], *a.shape[1:]).mean(1)
    a = a.swapaxes(0, 1).repeat(width, 0).reshape(width, a.shape[1], height, 3).mean(1)
    return a.swapaxes(0, 1)


def resizes():
    image = scene(45, 34)
    picture("resize", image)
    for width, height, box in ((20, 15, None), (16, 31, None), (60, 50, None), (45, 9, None), (7, 34, None),
                               (1, 1, None), (16, 16, (3, 5, 41, 30)), (24, 13, (2.25, 0.75, 40.5, 33.125)),
                               (50, 50, (10.5, 11.25, 18.25, 20.75))):
        picture("resized", two_steps(image, width, height, box), *(box or (0, 0, 45, 34)))
        picture("resized", two_steps(image.convert("L"), width, height, box), *(box or (0, 0, 45, 34)))
    for width, height in ((20, 15), (9, 30), (70, 50)):
        picture("pycls", np.rint(pycls(np.asarray(image), width, height)).astype(np.uint8))
    for width, height in ((20, 15), (9, 17), (44, 33)):
        picture("area", np.rint(area(np.asarray(image), width, height)).astype(np.uint8))
    # torchvision's test view: Resize of the short side, CenterCrop
    for side, crop in ((18, 16), (34, 34), (34, 24), (37, 32)):
        width, height = (int(side * 45 / 34), side)
        r = image if (width, height) == image.size else two_steps(image, width, height)
        picture("view", F.center_crop(r, [crop, crop]), side)


def operations():
    image = scene(23, 20)
    a = np.asarray(image).copy()
    a[..., 1] = a[..., 1] // 2 + 40  # so that autocontrast has something to do
    image = Image.fromarray(a)
    picture("changed", image)
    names = list(autoaugment.RandAugment()._augmentation_space(31, (20, 23)))
    for policy, space in ((1, autoaugment.RandAugment()._augmentation_space(31, (20, 23))),
                          (2, autoaugment.TrivialAugmentWide()._augmentation_space(31))):
        for k, (magnitudes, signed) in enumerate(space.values()):
            values = [float(m) for m in magnitudes] if magnitudes.ndim else [0.0] * 31
            add("magnitudes", b"", policy, k, int(signed), *values)
    for k, name in enumerate(names):
        space = autoaugment.TrivialAugmentWide()._augmentation_space(31)
        for level, sign in ((4, 1), (11, -1), (23, 1)):
            m = float(space[name][0][level]) * (sign if space[name][1] else 1) if space[name][0].ndim else 0
            picture("operation", autoaugment._apply_op(image, name, m, InterpolationMode.NEAREST, None), k, m)
            if level == 11 and name not in ("Identity", "Color"):
                picture("operation", autoaugment._apply_op(image.convert("L"), name, m, InterpolationMode.NEAREST, None), k, m)
    for turn in (-0.5, -0.17, 0.03, 0.4):
        picture("hue", F.adjust_hue(image, turn), turn)


def pycls_region(height, width):
    """pycls's random_sized_crop; its places lack the last row and column, which is left out."""
    for _ in range(10):
        area = random.uniform(0.08, 1) * height * width
        aspect = random.uniform(3 / 4, 4 / 3)
        w, h = round(np.sqrt(area * aspect)), round(np.sqrt(area / aspect))
        if random.uniform() < 0.5:
            w, h = h, w
        if w <= width and h <= height:
            return h, w
    return min(height, width), min(height, width)


def regions():
    """Histograms of areas and aspects of crops of an image that often is too narrow for them."""
    image = torch.zeros(3, 300, 450)
    torch.manual_seed(1)
    for name, draw in (("torchvision", lambda: RandomResizedCrop.get_params(image, (0.08, 1), (3 / 4, 4 / 3))[2:]),
                       ("pycls", lambda: pycls_region(300, 450))):
        h, w = np.array([draw() for _ in range(40000)], float).T
        for what, x in (("areas", (h * w / (300 * 450) - 0.08) / 0.92), ("aspects", (np.log(w / h) / np.log(4 / 3) + 1) / 2)):
            counts = np.bincount(np.clip((x * 20).astype(int), 0, 19), minlength=20)
            add(name + "-" + what, b"", *map(int, counts))


os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
files()
resizes()
operations()
regions()
with open("tests/data/images.bin", "wb") as f:
    for name, data, numbers in records:
        f.write(" ".join([name, str(len(data))] + [repr(n) for n in numbers]).encode() + b"\n" + data)
folder = "tests/fuzz/corpus/decode"
os.makedirs(folder, exist_ok=True)
for name, data in corpus.items():
    with open(f"{folder}/{name}", "wb") as f:
        f.write(data)
print(len(records), "records,", os.path.getsize("tests/data/images.bin"), "bytes")
