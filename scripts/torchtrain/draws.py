"""What augmentation draws for every image of an epoch, all at once: the engine's draws, in the
engine's order (src/data/augment.h, src/model/mix.c), so that image i of an epoch is changed alike
there and here.  pixels.py does what was drawn."""
import math

import numpy as np
import torch

from . import keyed

(IDENTITY, SHEAR_X, SHEAR_Y, TRANSLATE_X, TRANSLATE_Y, ROTATE, BRIGHTNESS, COLOR, CONTRAST,
 SHARPNESS, POSTERIZE, SOLARIZE, AUTOCONTRAST, EQUALIZE, OPERATIONS) = range(15)

USUAL = {"crop": "auto", "pad": -1, "area": [.35, 1], "aspect": [3 / 4, 4 / 3], "swap": False,
         "flip": False, "lighting": 0, "brightness": 0, "contrast": 0, "saturation": 0, "hue": 0,
         "policy": "none", "operations": 2, "magnitude": 9, "mixup": 0, "cutmix": 0}
PRESETS = {"auto": {}, "none": {"crop": "none"},
           "cifar": {"crop": "padded", "pad": 4, "flip": True},
           "light": {"crop": "resized", "flip": True},
           "pycls": {"crop": "resized", "flip": True, "area": [.08, 1], "swap": True,
                     "lighting": .1}}


def single(x):
    """A number as the engine keeps it: in single precision."""
    return float(np.float32(x))


def augmentation(recipe, data):
    """The recipe's augmentation, with what it leaves to the data set."""
    asked = recipe.get("augment") or "auto"
    asked = {"like": asked} if isinstance(asked, str) else dict(asked)
    a = {**USUAL, **PRESETS[asked.pop("like", "auto")], **asked}
    for key, value in a.items():
        if isinstance(value, float):
            a[key] = single(value)
        elif isinstance(value, (list, tuple)):
            a[key] = [single(x) for x in value]
    if a["crop"] == "auto":
        a.update(crop="padded" if data.exact else "resized", pad=-1, flip=True)
    if a["pad"] < 0:
        a["pad"] = data.pad
    return a


def between(stream, low, high, rows=slice(None)):
    return low + (high - low) * stream.uniform(rows)


def centre(width, height, a):
    """The largest centred crop of an allowed aspect: x, y, width, height."""
    w, h = width.copy(), height.copy()
    low, high = a["aspect"]
    if a["swap"]:
        w = h = np.minimum(width, height)
    else:
        aspect = width / height
        h = np.where(aspect < low, np.rint(w / low), h).astype(np.int64)
        w = np.where(aspect > high, np.rint(height * high), w).astype(np.int64)
    w, h = np.maximum(w, 1), np.maximum(h, 1)
    return np.stack([(width - w) // 2, (height - h) // 2, w, h], 1)


def regions(stream, width, height, a):
    """Random parts of images: x, y, width, height."""
    out = centre(width, height, a)
    left = np.arange(len(width))
    low, high = a["aspect"]
    for _ in range(10):
        full_w, full_h = width[left], height[left]
        area = (full_w * full_h).astype(np.float64) * between(stream, *a["area"], left)
        aspect = (between(stream, low, high, left) if a["swap"] else
                  np.exp(between(stream, math.log(low), math.log(high), left)))
        w, h = (np.rint(np.sqrt(x)).astype(np.int64) for x in (area * aspect, area / aspect))
        if a["swap"]:
            turned = stream.below(2, left) == 1
            w, h = np.where(turned, h, w), np.where(turned, w, h)
        fits = (w >= 1) & (w <= full_w) & (h >= 1) & (h <= full_h)
        rows, w, h = left[fits], w[fits], h[fits]
        y = stream.below(full_h[fits] - h + 1, rows)
        x = stream.below(full_w[fits] - w + 1, rows)
        out[rows] = np.stack([x, y, w, h], 1)
        left = left[~fits]
        if not len(left):
            break
    return out


def step_of(level, most):
    """Of torchvision's 31 steps from 0 to `most`, in single precision."""
    end = np.float32(most)
    step = end / np.float32(30)
    return float(step * np.float32(level) if level < 15 else end - step * np.float32(30 - level))


def magnitudes(wide, side):
    """What each operation of a policy does at each level of 0 … 30."""
    table = np.zeros((OPERATIONS, 31))
    shift = 32 if wide else 150 / 331 * side
    most = {SHEAR_X: .99 if wide else .3, SHEAR_Y: .99 if wide else .3, TRANSLATE_X: shift,
            TRANSLATE_Y: shift, ROTATE: 135 if wide else 30}
    most.update({op: .99 if wide else .9 for op in (BRIGHTNESS, COLOR, CONTRAST, SHARPNESS)})
    for level in range(31):
        for op, value in most.items():
            table[op, level] = step_of(level, value)
        by = np.float32(30 / (6 if wide else 4))
        table[POSTERIZE, level] = 8 - np.rint(np.float32(level) / by)
        table[SOLARIZE, level] = 255 - 8.5 * level
    return table


JITTER = ("brightness", "contrast", "saturation", "hue")
VALUE = np.array([.2175, .0188, .0045])
VECTOR = np.array([[-.5675, .7192, .4009], [-.5808, -.0045, -.8140], [-.5836, -.6948, .4203]])


class Epoch:
    """The draws of an epoch, in arrays by image; None where nothing is drawn.  shift, flip and
    light are on the device."""
    def __init__(self, a, data, seed, epoch, device):
        n, split = len(data.train), data.train
        stream = keyed.Streams(seed, np.arange(n, dtype=np.uint64) | np.uint64(epoch << 32),
                               keyed.AUGMENT)
        self.region = self.shift = self.flip = self.policy = self.jitter = self.light = None
        if a["crop"] == "resized":
            self.region = regions(stream, split.width, split.height, a)
        elif a["crop"] == "padded":
            most = 2 * a["pad"] + 1
            self.shift = np.stack([stream.below(most), stream.below(most)], 1) - a["pad"]
        if a["flip"]:
            self.flip = stream.below(2) == 1
        if a["policy"] != "none":
            self.policy = self._policy(stream, a, data.image)
        if a["brightness"] or a["contrast"] or a["saturation"] or a["hue"]:
            self.jitter = self._jitter(stream, a)
            self.jittered = [a[key] > 0 for key in JITTER]
        if a["lighting"]:
            alpha = np.stack([stream.normal() for _ in range(3)], 1) * a["lighting"]
            sum_ = np.zeros((n, 3))
            for k in range(3):
                sum_ += VECTOR[:, k] * alpha[:, k:k + 1] * VALUE[k]
            self.light = sum_.astype(np.float32)
            if data.channels == 1:
                r, g, b = self.light.T
                gray = np.float32(.299) * r + np.float32(.587) * g + np.float32(.114) * b
                self.light = gray[:, None]
        for key in ("shift", "flip", "light"):
            drawn = getattr(self, key)
            if drawn is not None:
                setattr(self, key, torch.from_numpy(drawn).to(device))

    def _policy(self, stream, a, side):
        wide = a["policy"] == "trivial"
        table = magnitudes(wide, side)
        list_ = []
        for _ in range(1 if wide else a["operations"]):
            op = stream.below(OPERATIONS)
            level = stream.below(31) if wide else np.full(len(op), a["magnitude"])
            magnitude = table[op, level]
            signed = np.flatnonzero((op >= SHEAR_X) & (op <= SHARPNESS))
            turned = signed[stream.below(2, signed) == 1]
            magnitude[turned] = -magnitude[turned]
            list_.append((op, magnitude))
        return list_

    def _jitter(self, stream, a):
        n = len(stream.state)
        order = np.zeros((n, 4), np.int64)
        rows = np.arange(n)
        for i in range(4):
            j = stream.below(i + 1)
            order[:, i] = order[rows, j]
            order[rows, j] = i
        factors = []
        for key in JITTER[:3]:
            v = np.float32(a[key])
            low = float(np.float32(1) - v) if v < 1 else 0.
            factors.append(between(stream, low, float(np.float32(1) + v)).astype(np.float32))
        return order, factors, between(stream, -a["hue"], a["hue"])


# Mixing: src/model/mix.c ------------------------------------------------------------------------

def log_gamma(stream, a):
    d = a + 1 - 1 / 3
    c = 1 / math.sqrt(9 * d)
    while True:
        x = stream.normal()[0]
        v, u = (1 + c * x) ** 3, 1 - stream.uniform()[0]
        if v > 0 and math.log(u) < .5 * x * x + d - d * v + d * math.log(v):
            return math.log(d * v) + math.log(1 - stream.uniform()[0]) / a


def mixed(a, image, seed, epoch, step):
    """How a batch is mixed with itself, backwards: the share that an image keeps, and the part
    that is cut (left, top, right, bottom), None for mixup."""
    if not a["mixup"] and not a["cutmix"]:
        return 1., None
    stream = keyed.Streams(seed, epoch << 32 | step, keyed.MIX)
    cut = not a["mixup"] or a["cutmix"] and stream.below(2)[0]
    alpha = a["cutmix"] if cut else a["mixup"]
    first, second = log_gamma(stream, alpha), log_gamma(stream, alpha)
    share = 1 / (1 + math.exp(min(second - first, 700)))
    if not cut:
        return single(share), None
    half = int(.5 * math.sqrt(1 - share) * image)
    x, y = int(stream.below(image)[0]), int(stream.below(image)[0])
    box = [min(max(v, 0), image) for v in (x - half, y - half, x + half, y + half)]
    share = 1 - (box[2] - box[0]) * (box[3] - box[1]) / (image * image)
    return single(share), box
