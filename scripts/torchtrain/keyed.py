"""Keyed random numbers as the engine draws them (src/base/rng.h), for many streams at a time.

A stream is named by (seed, index, purpose) and gives SplitMix64's numbers (Steele, Lea, Flood
2014).  Rows of a Streams are streams; each advances by itself, so that row k has the same numbers
alone and among others.  Normal numbers: the ziggurat (Marsaglia, Tsang 2000; Doornik 2005)."""
import math

import numpy as np

# Purposes: what a stream is for.
INIT, ORDER, AUGMENT, SUBSET, MIX, DROPOUT, DEPTH = 2, 3, 4, 6, 11, 12, 13

STEP = np.uint64(0x9E3779B97F4A7C15)
LAYERS, TAIL, AREA = 128, 3.442619855899, 9.91256303526217e-3
SPARE = 500


def wrapping(f):
    """64-bit products and sums wrap around, as they should."""
    def g(*arguments):
        with np.errstate(over="ignore"):
            return f(*arguments)
    return g


@wrapping
def mix(z):
    z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return z ^ z >> np.uint64(31)


def words(x):
    """Whole numbers, of any sign, as an array of 64 bits."""
    return np.atleast_1d(np.asarray(x).astype(np.uint64) if not isinstance(x, int)
                         else np.uint64(x & (1 << 64) - 1))


@wrapping
def start(seed, index, purpose):
    """The state at which the streams of a seed, of many indices or many seeds, begin."""
    s = mix(words(seed) + STEP)
    s = mix(s ^ mix(words(index) + np.uint64(0x6A09E667F3BCC909)))
    return mix(s ^ mix(words(purpose) + np.uint64(0xBB67AE8584CAA73B)))


def layers():
    edge = np.zeros(LAYERS + 1)
    f = math.exp(-0.5 * TAIL * TAIL)
    edge[0], edge[1] = AREA / f, TAIL
    for i in range(2, LAYERS):
        edge[i] = math.sqrt(-2 * math.log(AREA / edge[i - 1] + f))
        f = math.exp(-0.5 * edge[i] * edge[i])
    return edge, edge[1:] / edge[:-1]


EDGE, INSIDE = layers()


def unit(bits):
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0 ** -53


def throw(bits):
    """Of a ziggurat: layer, place in it from -1 to 1, and whether that is under the curve for
    certain."""
    layer = (bits % np.uint64(LAYERS)).astype(np.int64)
    u = 2 * unit(bits) - 1
    return layer, u, np.abs(u) < INSIDE[layer]


def under(layer, x, u):
    """Whether a point of the layer's edge is under the curve; u: its height in the layer."""
    low = math.exp(-0.5 * (EDGE[layer] ** 2 - x * x))
    high = math.exp(-0.5 * (EDGE[layer + 1] ** 2 - x * x))
    return low + u * (high - low) < 1


def beyond(uniform):
    """A number beyond TAIL (Marsaglia 1964)."""
    while True:
        x = -math.log(1 - uniform()) / TAIL
        y = -math.log(1 - uniform())
        if 2 * y >= x * x:
            return TAIL + x


class Streams:
    def __init__(self, seed, index, purpose):
        self.state = start(seed, index, purpose)

    @wrapping
    def bits(self, rows=slice(None)):
        self.state[rows] += STEP
        return mix(self.state[rows])

    def uniform(self, rows=slice(None)):
        """From 0 to below 1."""
        return unit(self.bits(rows))

    def below(self, n, rows=slice(None)):
        """From 0 to n - 1; n: of all rows, or of each.  (The engine draws again where the last,
        incomplete multiple of n is met: once in 2^64 / n draws, which is left out here.)"""
        return (self.bits(rows) % np.asarray(n, np.uint64)).astype(np.int64)

    def normal(self):
        """Mean 0, deviation 1."""
        out = np.zeros(len(self.state))
        open_rows = np.arange(len(out))
        while len(open_rows):
            layer, u, sure = throw(self.bits(open_rows))
            out[open_rows] = u * EDGE[layer]
            for k in np.flatnonzero(~sure):
                row, i = open_rows[k:k + 1], layer[k]
                if i == 0:
                    out[row] = math.copysign(beyond(lambda row=row: self.uniform(row)[0]), u[k])
                    sure[k] = True
                else:
                    sure[k] = under(i, u[k] * EDGE[i], self.uniform(row)[0])
            open_rows = open_rows[~sure]
        return out

    def permutation(self, n):
        """A random order of 0 … n - 1 from the first row (Fisher-Yates)."""
        steps = np.arange(1, n + 1, dtype=np.uint64)
        order = [0] * n
        for i, j in enumerate((sequence(self.state[0], n) % steps).tolist()):
            order[i] = order[j]
            order[j] = i
        self.state[:1] = advanced(self.state[:1], n)
        return np.array(order, np.int64)


@wrapping
def advanced(state, n):
    return state + STEP * np.uint64(n)


@wrapping
def sequence(state, n):
    """The next n numbers of one stream."""
    return mix(state + STEP * np.arange(1, n + 1, dtype=np.uint64))


def normals(seed, index, n):
    """n normal numbers of one stream of initial weights."""
    bits = sequence(start(seed, index, INIT)[0], n + n // 8 + 2 * SPARE)
    layer, u, good = throw(bits)
    out = u * EDGE[layer]
    after = 0  # the first number that no draw before has used
    good[-SPARE:] = True  # more than are needed, and enough for the last that is
    for p in np.flatnonzero(~good).tolist():
        if p < after:
            continue
        i, after = layer[p], p + 1

        def uniform():
            nonlocal after
            good[after] = False
            after += 1
            return unit(bits[after - 1])
        if i == 0:
            out[p] = math.copysign(beyond(uniform), u[p])
            good[p] = True
        else:
            good[p] = under(i, out[p], uniform())
    return out[good][:n]


def uniforms(seed, index, n):
    return unit(sequence(start(seed, index, INIT)[0], n))
