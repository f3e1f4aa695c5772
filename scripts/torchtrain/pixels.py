"""What augmentation does to pictures, a batch at a time, on any device: uint8 tensors
(n, channels, height, width) in, what a network takes out.  Operations on bytes are Pillow's to
the bit, as the engine's are (src/data/augment.c), but for sharpness (within 1)."""
import numpy as np
import torch

from . import draws

SINGLE, DOUBLE = torch.float32, torch.float64


def to(values, like, dtype=None):
    """An array of the host beside a tensor, each value for one picture."""
    t = torch.from_numpy(np.ascontiguousarray(values))
    t = t.to(like.device, dtype or t.dtype, non_blocking=True)
    return t.view(-1, *[1] * (like.dim() - 1)) if t.dim() == 1 else t


def blend(first, second, share):
    """first + share·(second - first), cut to bytes."""
    first, second = first.to(SINGLE), second.to(SINGLE)
    return (first + share * (second - first)).clamp_(0, 255).to(torch.uint8)


def luma(p):
    r, g, b = (p[:, k:k + 1].to(torch.int32) for k in range(3))
    return r * 19595 + g * 38470 + b * 7471 + 0x8000 >> 16


def brighten(p, factor):
    return blend(torch.zeros_like(p), p, to(factor, p))


def contrast(p, factor):
    gray = luma(p) if p.shape[1] == 3 else p
    n = p.shape[2] * p.shape[3]
    mean = (gray.flatten(1).sum(1, dtype=DOUBLE) / n + .5).floor()
    return blend(mean.view(-1, 1, 1, 1), p, to(factor, p))


def saturate(p, factor):
    return p if p.shape[1] == 1 else blend(luma(p), p, to(factor, p))


def sharpen(p, factor):
    side, middle = (torch.tensor(x / 13, dtype=SINGLE, device=p.device) for x in (1, 5))
    x = p.to(SINGLE)
    s, h, w = .5, x.shape[2], x.shape[3]
    if h < 3 or w < 3:
        return p
    for dy in range(3):
        row = x[:, :, dy:h - 2 + dy]
        a, b, c = (row[..., dx:w - 2 + dx] * (middle if dx == dy == 1 else side)
                   for dx in range(3))
        s = s + (a + b + c)
    out = p.clone()
    inner = p[:, :, 1:-1, 1:-1]
    out[:, :, 1:-1, 1:-1] = blend(s.floor(), inner, to(factor, p))
    return out


def moved(p, m):
    """New pixel (x, y) is old pixel (m0·x + m1·y + m2, m3·x + m4·y + m5), taken at their centres
    in 1/65536 of a pixel as Pillow does; black where there is none."""
    m = np.stack(np.broadcast_arrays(*m), 1).astype(np.float64)
    m[:, 2] = m[:, 2] + m[:, 0] * .5 + m[:, 1] * .5
    m[:, 5] = m[:, 5] + m[:, 3] * .5 + m[:, 4] * .5
    f = to(np.floor(m * 65536 + .5).astype(np.int64), p)
    n, c, h, w = p.shape
    x, y = torch.arange(w, device=p.device), torch.arange(h, device=p.device).view(-1, 1)

    def along(k):
        a, b, first = (f[:, k + j].view(-1, 1, 1) for j in range(3))
        return first + y * b + x * a >> 16
    sx, sy = along(0), along(3)
    inside = (sx >= 0) & (sx < w) & (sy >= 0) & (sy < h)
    at = sy.clamp(0, h - 1) * w + sx.clamp(0, w - 1)
    out = p.reshape(n, c, -1).gather(2, at.view(n, 1, -1).expand(-1, c, -1)).view(n, c, h, w)
    return out * inside.unsqueeze(1)


def rotated(p, degrees):
    angle = -degrees * np.pi / 180
    c, s, x, y = np.cos(angle), np.sin(angle), p.shape[3] / 2, p.shape[2] / 2
    return moved(p, (c, s, -x * c - y * s + x, -s, c, x * s - y * c + y))


def replaced(p, table):
    """Each byte by the table (n, channels, 256) of its channel."""
    at = p.flatten(2).long()
    return table.to(torch.uint8).gather(2, at).view(p.shape)


def histogram(p):
    count = torch.zeros(p.shape[0], p.shape[1], 256, dtype=torch.int64, device=p.device)
    at = p.flatten(2).long()
    return count.scatter_add_(2, at, torch.ones_like(at))


def ends(count):
    """The first and last byte that occurs."""
    has = (count > 0).to(torch.int64)
    return has.argmax(2, keepdim=True), 255 - has.flip(2).argmax(2, keepdim=True)


def autocontrast(p):
    low, high = ends(histogram(p))
    several = high > low
    span = (high - low).clamp(1).to(DOUBLE)
    scale = torch.where(several, torch.full_like(span, 255) / span, 1)  # 255 / span is inexact
    offset = torch.where(several, -low.to(DOUBLE) * scale, 0)
    v = torch.arange(256, dtype=DOUBLE, device=p.device)
    return replaced(p, (v * scale + offset).trunc().clamp(0, 255))


def equalize(p):
    count = histogram(p)
    _, last = ends(count)
    step = (p.shape[2] * p.shape[3] - count.gather(2, last)) // 255
    before = count.cumsum(2) - count + step // 2
    v = torch.arange(256, device=p.device).expand_as(before)
    return replaced(p, torch.where(step > 0, before // step.clamp(1), v).clamp(0, 255))


def by_value(p, table):
    return replaced(p, to(table, p).view(-1, 1, 256).expand(-1, p.shape[1], -1))


def posterize(p, bits):
    mask = ~((1 << 8 - bits.astype(np.int64)) - 1)
    return by_value(p, np.arange(256) & mask[:, None])


def solarize(p, threshold):
    v = np.arange(256)
    return by_value(p, np.where(v < threshold[:, None], v, 255 - v))


def turn_hue(p, turn):
    """By a part of the circle, in Pillow's mode HSV."""
    if p.shape[1] == 1:
        return p
    c = p.to(torch.int32)
    most, least = c.amax(1), c.amin(1)
    span = (most - least).clamp(1).to(SINGLE)
    s = (most - least).to(SINGLE) / most.clamp(1).to(SINGLE)
    r, g, b = ((most - c[:, k]).to(SINGLE) / span for k in range(3))
    by_red, by_green = b - g, (2. + r.to(DOUBLE) - b.to(DOUBLE)).to(SINGLE)
    by_blue = (4. + g.to(DOUBLE) - r.to(DOUBLE)).to(SINGLE)
    h = torch.where(c[:, 0] == most, by_red, torch.where(c[:, 1] == most, by_green, by_blue))
    h = torch.fmod(h.to(DOUBLE) / 6 + 1, 1).to(SINGLE)
    gray = most == least
    add = to(np.trunc(turn * 255).astype(np.int64) & 255, most)
    h = torch.where(gray, 0, (h.to(DOUBLE) * 255).trunc().to(torch.int64)) + add & 255
    s = torch.where(gray, 0, (s.to(DOUBLE) * 255).trunc().to(torch.int64))
    h, s = (h.to(DOUBLE) * 6 / 255).to(SINGLE), (s.to(DOUBLE) / 255).to(SINGLE)
    sixth = h.floor()
    f, v = h - sixth, most.to(DOUBLE)
    low, falling, rising = ((v * (1 - x) + .5).floor().to(torch.uint8) for x in (
        s.to(DOUBLE), (s * f).to(DOUBLE), s.to(DOUBLE) * (1 - f.to(DOUBLE))))
    v = most.to(torch.uint8)
    sixth = (sixth.to(torch.int64) % 6).unsqueeze(0)

    def pick(*list_):
        return torch.stack(list_).gather(0, sixth)[0]
    return torch.stack([pick(v, falling, low, low, rising, v),
                        pick(rising, v, v, falling, low, low),
                        pick(low, low, rising, v, v, falling)], 1)


def operation(p, op, m):
    """One operation of a policy, of magnitudes m."""
    factor = (1 + m).astype(np.float32)
    return {
        draws.SHEAR_X: lambda: moved(p, (1, m, 0, 0, 1, 0)),
        draws.SHEAR_Y: lambda: moved(p, (1, 0, 0, m, 1, 0)),
        draws.TRANSLATE_X: lambda: moved(p, (1, 0, -np.trunc(m), 0, 1, 0)),
        draws.TRANSLATE_Y: lambda: moved(p, (1, 0, 0, 0, 1, -np.trunc(m))),
        draws.ROTATE: lambda: rotated(p, m),
        draws.BRIGHTNESS: lambda: brighten(p, factor),
        draws.COLOR: lambda: saturate(p, factor),
        draws.CONTRAST: lambda: contrast(p, factor),
        draws.SHARPNESS: lambda: sharpen(p, factor),
        draws.POSTERIZE: lambda: posterize(p, m),
        draws.SOLARIZE: lambda: solarize(p, m),
        draws.AUTOCONTRAST: lambda: autocontrast(p),
        draws.EQUALIZE: lambda: equalize(p),
    }[op]()


def some(p, chosen, f):
    """Does f to the pictures that are chosen."""
    rows = np.flatnonzero(chosen)
    if len(rows):
        at = torch.from_numpy(rows).to(p.device, non_blocking=True)
        p[at] = f(p[at], rows)


def changed(p, e, rows):
    """The policy's operations and the colour jitter that were drawn for images `rows` of an
    epoch."""
    p = p.clone()
    for op, magnitude in e.policy or []:
        for kind in range(1, draws.OPERATIONS):
            some(p, op[rows] == kind,
                 lambda q, k, kind=kind, m=magnitude: operation(q, kind, m[rows[k]]))
    if e.jitter:
        order, (b, c, s), turn = e.jitter
        steps = ((brighten, b), (contrast, c), (saturate, s), (turn_hue, turn))
        for i in range(4):
            for kind, (f, by) in enumerate(steps):
                if e.jittered[kind]:
                    some(p, order[rows, i] == kind,
                         lambda q, k, f=f, by=by: f(q, by[rows[k]]))
    return p


def levels(p, table, light=None):
    """Normalised: each byte by the table (channels, 256); light (n, channels) is added to it in
    parts of its range."""
    if light is None:
        c = torch.arange(p.shape[1], device=p.device).view(1, -1, 1, 1)
        return table[c, p.long()]
    own = table + light.unsqueeze(2) * (table[:, 255:] - table[:, :1])
    return own.gather(2, p.flatten(2).long()).view(p.shape)


def placed(x, shift, flip):
    """Shifted (0 where nothing was), then flipped left to right."""
    n, c, h, w = x.shape
    at_y = torch.arange(h, device=x.device).expand(n, -1)
    at_x = torch.arange(w, device=x.device).expand(n, -1)
    if flip is not None:
        at_x = torch.where(flip.view(-1, 1), w - 1 - at_x, at_x)
    if shift is not None:
        at_y, at_x = at_y + shift[:, :1], at_x + shift[:, 1:]
    inside = ((at_y >= 0) & (at_y < h)).unsqueeze(2) & ((at_x >= 0) & (at_x < w)).unsqueeze(1)
    at = at_y.clamp(0, h - 1).unsqueeze(2) * w + at_x.clamp(0, w - 1).unsqueeze(1)
    out = x.reshape(n, c, -1).gather(2, at.view(n, 1, -1).expand(-1, c, -1)).view(n, c, h, w)
    return torch.where(inside.unsqueeze(1), out, 0)


def train_view(p, e, rows, at, table):
    """What the network sees of pictures that are images `rows` (at: on the device) of an
    epoch."""
    if e.policy or e.jitter:
        p = changed(p, e, rows)
    x = levels(p, table, None if e.light is None else e.light[at])
    if e.shift is None and e.flip is None:
        return x
    return placed(x, None if e.shift is None else e.shift[at],
                  None if e.flip is None else e.flip[at])


def mix(x, share, box):
    """The batch mixed with itself, backwards (src/model/mix.c)."""
    other = x.flip(0)
    if box is None:
        y = share * x + float(np.float32(1) - np.float32(share)) * other
    else:
        left, top, right, bottom = box
        y = x.clone()
        y[:, :, top:bottom, left:right] = other[:, :, top:bottom, left:right]
    if len(x) % 2:  # the one in the middle stays
        y[len(x) // 2] = x[len(x) // 2]
    return y
