"""Pictures of a data set at the network's size, as uint8 tensors (n, channels, side, side) on the
device (src/data/view.c).

Where all fit, they lie on the device as long as the data set is in use; otherwise, and where a
random part of an image is resized, threads read them with Pillow (resizing is Pillow's to the
bit; decoding of JPEG is not, as the engine decodes no more than it needs)."""
import concurrent.futures
import io
import queue
import threading

import numpy as np
import torch

from . import sets

CHUNK = 4096


def short_side(width, height, side):
    if width > height:
        return side * width // height, side
    return side, side * height // width


def picture(data, split, i):
    """A stored image, for Pillow."""
    from PIL import Image
    mode = "L" if data.channels == 1 else "RGB"
    if data.layout == sets.JPEG:
        return Image.open(io.BytesIO(split.raw(i))).convert(mode)
    if split.pictures is not None:
        rows = np.ascontiguousarray(split.pictures[i].transpose(1, 2, 0))
        return Image.fromarray(rows[:, :, 0] if data.channels == 1 else rows)
    size = int(split.width[i]), int(split.height[i])
    return Image.frombuffer(mode, size, split.raw(i), "raw", mode, 0, 1)


def neighbours(a, n, axis):
    """n pixels along an axis, each from the two that are nearest, in weights of 22 bits."""
    size = a.shape[axis]
    at = (np.arange(n) + .5) * (size / n) - .5
    first = np.floor(at)
    share = np.where((first < 0) | (first >= size - 1), 0, at - first)
    first = np.clip(first.astype(np.int64), 0, size - 1)
    shape = [-1 if k == axis else 1 for k in range(a.ndim)]
    total = 1 << 21
    for rows, weight in ((first, 1 - share), (np.minimum(first + 1, size - 1), share)):
        weight = (.5 + weight * (1 << 22)).astype(np.int64).reshape(shape)
        total = total + a.take(rows, axis).astype(np.int64) * weight
    return np.minimum(total >> 22, 255).astype(np.uint8)


def resized(data, im, size):
    from PIL import Image
    if data.pycls:  # without antialiasing
        return Image.fromarray(neighbours(neighbours(np.asarray(im), size[0], 1), size[1], 0))
    # rows first, always: Pillow 13 chooses the order by size
    return im.resize((size[0], im.height), Image.BILINEAR).resize(size, Image.BILINEAR)


def test_view(data, split, i):
    im, side = picture(data, split, i), data.image
    size = short_side(*im.size, int(np.rint(data.scale * side)))
    if size != im.size:
        im = resized(data, im, size)
    x, y = (round((s - side) / 2) for s in size)
    return im.crop((x, y, x + side, y + side))


def part_view(data, split, i, region):
    x, y, w, h = region
    return resized(data, picture(data, split, i).crop((x, y, x + w, y + h)),
                   (data.image, data.image))


class Held:
    """All pictures on the device."""
    def __init__(self, pictures, device):
        self.pictures = torch.from_numpy(np.ascontiguousarray(pictures)).to(device)

    def take(self, rows, at, _):
        return self.pictures[at if at is not None else slice(rows[0], rows[-1] + 1)]


class Read:
    """Pictures that threads read, batch by batch."""
    def __init__(self, data, split, device, pool):
        self.data, self.split, self.device, self.pool = data, split, device, pool

    def one(self, i, region):
        try:
            im = (test_view(self.data, self.split, i) if region is None else
                  part_view(self.data, self.split, i, region))
        except (OSError, ValueError) as e:
            raise sets.Refused("%s: image %d cannot be read: %s"
                               % (self.data.source["spec"], i + 1, e)) from e
        a = np.asarray(im)
        return a[None] if a.ndim == 2 else a.transpose(2, 0, 1)

    def read(self, rows, regions):
        return np.stack(list(self.pool.map(
            self.one, rows, [None] * len(rows) if regions is None else regions[rows].tolist())))

    def take(self, rows, _, regions):
        p = torch.from_numpy(self.read(rows, regions))
        if self.device.type != "cuda":
            return p
        with torch.cuda.device(self.device):  # this may be another thread
            return p.pin_memory().to(self.device, non_blocking=True)


def whole(data):
    """Whether the stored images are the pictures."""
    return data.layout != sets.JPEG and data.exact and data.scale == 1


def intact_pictures(data, split):
    """The stored images, which all have the network's size; of a pack, verified."""
    if split.pictures is not None:
        return split.pictures
    c, side = data.channels, data.image
    out = np.zeros((len(split), side * side * c), np.uint8)
    for i in range(len(split)):
        out[i] = np.frombuffer(split.raw(i), np.uint8)
    for first in range(0, len(split), CHUNK):
        some = slice(first, first + CHUNK)
        wrong = np.flatnonzero(sets.sums(out[some]) != split.entries["sum"][some])
        if len(wrong):
            raise sets.Refused("%s: image %d is not what was written; the pack is damaged: "
                               "`netspace pack` makes it again"
                               % (data.source["spec"], first + wrong[0] + 1))
    return out.reshape(-1, side, side, c).transpose(0, 3, 1, 2)


class Views:
    """How a data set is seen: of training images and of those that networks are compared by."""
    def __init__(self, data, device, threads, room):
        """room: bytes of pictures that may lie on the device."""
        self.data, self.device, self.room = data, device, room
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)
        self.table = torch.from_numpy(data.levels()).to(device)
        self.held = {}  # by split

    def _pictures(self, split):
        """The test views of a split."""
        if id(split) not in self.held:
            data, read = self.data, Read(self.data, split, self.device, self.pool)
            size = len(split) * data.image ** 2 * data.channels
            if size > self.room:
                self.held[id(split)] = read
            elif whole(data):
                self.held[id(split)] = Held(intact_pictures(data, split), self.device)
                self.room -= size
            else:
                self.held[id(split)] = Held(np.concatenate(
                    [read.read(range(f, min(f + CHUNK, len(split))), None)
                     for f in range(0, len(split), CHUNK)]), self.device)
                self.room -= size
        return self.held[id(split)]

    def training(self, e):
        """Where the pictures of an epoch's draws come from."""
        if e.region is None:
            return self._pictures(self.data.train)
        return Read(self.data, self.data.train, self.device, self.pool)

    def compared(self):
        return self._pictures(self.data.compared)

    def hurried(self, batches, pictures):
        """The same batches; those that are read while a GPU computes are made in front of it."""
        front = self.device.type == "cuda" and isinstance(pictures, Read)
        return ahead(batches) if front else batches

    def close(self):
        self.pool.shutdown(cancel_futures=True)


def ahead(make, depth=3):
    """What a generator yields, made by a thread that is up to `depth` in front."""
    made, wanted = queue.Queue(depth), threading.Event()

    def put(x):
        while not wanted.is_set():
            try:
                return made.put(x, timeout=.1)
            except queue.Full:
                pass

    def work():
        try:
            for x in make:
                put((x, None))
                if wanted.is_set():
                    return
            put((None, StopIteration()))
        except Exception as e:  # whatever it is, it is the reader's
            put((None, e))
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            x, end = made.get()
            if isinstance(end, StopIteration):
                return
            if end is not None:
                raise end
            yield x
    finally:
        wanted.set()
        thread.join()
