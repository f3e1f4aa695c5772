"""The other side of `make bench-images`: Pillow, in torchvision's steps, in turn with the engine.

    images.py PROGRAM DIR      PROGRAM: scripts/bench/images.c

Both work on the same JPEG files in memory, on one core, in slices of half a second of
processor time, A B A B.  A ratio is the median of the ratios of adjacent slices, a rate the
best slice.  torchvision's transforms of PIL images are what is written out here: convert,
crop, resize with antialias, flip, to floating point, normalise.
"""
import io
import os
import random
import statistics
import subprocess
import sys
import time

import numpy as np
import PIL
from PIL import Image, features

SLICES = 5
MEAN = np.float32([0.485, 0.456, 0.406])
STD = np.float32([0.229, 0.224, 0.225])


def region(width, height):
    """torchvision's RandomResizedCrop.get_params."""
    for _ in range(10):
        area = width * height * random.uniform(0.08, 1)
        aspect = (4 / 3) ** random.uniform(-1, 1)
        w, h = round((area * aspect) ** 0.5), round((area / aspect) ** 0.5)
        if 0 < w <= width and 0 < h <= height:
            x, y = random.randint(0, width - w), random.randint(0, height - h)
            return x, y, x + w, y + h
    return 0, 0, width, height


def view(image, side):
    image = image.crop(region(*image.size)).resize((side, side), Image.BILINEAR)
    if random.random() < 0.5:
        image = image.transpose(Image.FLIP_LEFT_RIGHT)
    a = np.asarray(image).transpose(2, 0, 1).astype(np.float32) / 255
    return (a - MEAN[:, None, None]) / STD[:, None, None]


def main():
    program, folder = sys.argv[1:]
    files = []
    for name in sorted(os.listdir(folder))[:2000]:
        with open(os.path.join(folder, name), "rb") as f:
            data = f.read()
        if data[:3] == b"\xff\xd8\xff":
            files.append(data)
    small = []
    for data in files:
        image = Image.open(io.BytesIO(data)).convert("RGB")
        k = 146 / min(image.size)
        small.append(image.resize((int(image.width * k), int(image.height * k)), Image.BILINEAR))
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (268, 270, 3), dtype=np.uint8))
    opened = lambda data: Image.open(io.BytesIO(data)).convert("RGB")  # noqa: E731
    work = [
        ("whole images decoded", "decode", lambda i: opened(files[i])),
        ("views of 224 pixels from JPEG", "crop 224", lambda i: view(opened(files[i]), 224)),
        ("views of 64 pixels from JPEG", "crop 64", lambda i: view(opened(files[i]), 64)),
        ("views of 64 pixels from bytes", "bytes 64", lambda i: view(small[i], 64)),
        ("… beside Pillow from JPEG", "bytes 64", lambda i: view(opened(files[i]), 64)),
        ("270×268 to 224×224", "resize", lambda i: noise.resize((224, 224), Image.BILINEAR)),
    ]
    with subprocess.Popen([program, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as engine:
        print(engine.stdout.readline(), end="")
        print(f"Pillow {PIL.__version__}, libjpeg-turbo {features.version('libjpeg_turbo')}, NumPy {np.__version__}")
        print(f"{'images a second':31} {'netspace':>9} {'Pillow':>9} {'ratio':>6}   netspace, µs an image")
        for name, command, f in work:
            ours, theirs, ratios, i = [], [], [], 0
            for _ in range(SLICES):
                engine.stdin.write(command + "\n")
                engine.stdin.flush()
                ours.append(float(engine.stdout.readline()))
                begin, done = time.process_time(), 0
                while time.process_time() - begin < 0.5:
                    f(i % len(files))
                    i, done = i + 1, done + 1
                theirs.append(done / (time.process_time() - begin))
                ratios.append(ours[-1] / theirs[-1])
            print(f"{name:31} {max(ours):9.0f} {max(theirs):9.0f} {statistics.median(ratios):6.2f}   {1e6 / max(ours):.0f}", flush=True)
        engine.stdin.close()


main()
