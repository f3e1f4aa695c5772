"""The images of a job: those of a pack (man netspace-pack), of CIFAR-10's files, and of all other
data sets with netspace's help; divided as src/data/dataset.c divides them, and proven to be so by
the checksum that the job has."""
import hashlib
import json
import mmap
import os
import shutil
import struct
import subprocess

import numpy as np

from . import keyed

PLANES, ROWS, JPEG = range(3)
ENTRY = np.dtype([("at", "<u8"), ("sum", "<u8"), ("bytes", "<u4"), ("name", "<u4"),
                  ("file_bytes", "<u4"), ("width", "<u2"), ("height", "<u2"),
                  ("file_width", "<u2"), ("file_height", "<u2"), ("label", "<u2"),
                  ("part", "u1"), ("channels", "u1")])
IMAGENET = ([.485 * 255, .456 * 255, .406 * 255], [.229 * 255, .224 * 255, .225 * 255])
CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck".split()
OWN_MOST = 64  # the largest side that networks take by themselves


class Refused(Exception):
    """The images are not there, or are others."""


class Split:
    """Some images: labels, sizes, and either pictures (n, channels, height, width) or where in a
    mapped file each is (entries of a pack)."""
    def __init__(self, labels, width, height, pictures=None, memory=None, entries=None):
        self.labels, self.width, self.height = labels, width, height
        self.pictures, self.memory, self.entries = pictures, memory, entries

    def __len__(self):
        return len(self.labels)

    def take(self, rows):
        def some(x):
            return None if x is None else x[rows]
        return Split(self.labels[rows], self.width[rows], self.height[rows],
                     some(self.pictures), self.memory, some(self.entries))

    def raw(self, i):
        """The bytes of an image of a pack."""
        e = self.entries[i]
        return self.memory[int(e["at"]):int(e["at"]) + int(e["bytes"])]

    def add_to(self, digest):
        """Labels and images in the form that dataset:checksum() has."""
        label = self.labels.astype("<u2")
        if self.entries is not None:
            record = np.zeros(len(self), [("label", "<u2"), ("bytes", "<u4"), ("sum", "<u8")])
            record["label"], record["bytes"], record["sum"] = (
                label, self.entries["bytes"], self.entries["sum"])
            return digest.update(record.tobytes())
        for first in range(0, len(self), 4096):
            some = slice(first, first + 4096)
            digest.update(np.concatenate(
                [label[some, None].view(np.uint8),
                 self.pictures[some].reshape(len(label[some]), -1)], 1).tobytes())


@keyed.wrapping
def sums(rows):
    """The checksum (src/base/checksum.h) of each row of bytes, all of one length."""
    n, size = rows.shape
    tail = np.zeros((n, 8), np.uint8)
    tail[:, 0] = size % 8
    tail[:, 1:1 + size % 8] = rows[:, size // 8 * 8:]
    whole = np.ascontiguousarray(rows[:, :size // 8 * 8]).view("<u8").T
    total = np.zeros(n, np.uint64)
    for word in [*np.ascontiguousarray(whole)] + ([tail.view("<u8")[:, 0]] if size % 8 else []):
        total = (total ^ word) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0xD1B54A32D192ED03)
        total = total ^ total >> np.uint64(32)
    return total


# Which images are used: src/data/dataset.c ------------------------------------------------------

class Hand:
    """The images of each class in random order."""
    def __init__(self, labels, classes, seed, which):
        self.of = []
        for k in range(classes):
            members = np.flatnonzero(labels == k)
            stream = keyed.Streams(seed, which << 32 | k, keyed.SUBSET)
            self.of.append(members[stream.permutation(len(members))])
        self.sizes = [len(x) for x in self.of]

    def shares(self, want):
        """How many of `want` images each class gives."""
        n = sum(self.sizes)
        share = [want * size // n for size in self.sizes]
        rest = [want * size % n for size in self.sizes]
        for _ in range(want - sum(share)):
            most = rest.index(max(rest))
            share[most] += 1
            rest[most] = 0
        return share

    def deal(self, lists, want):
        """One image of each class in turn."""
        rounds = ([x[i] for x in lists if i < len(x)] for i in range(max(map(len, lists))))
        return np.array([x for some in rounds for x in some][:want], np.int64)


def chosen(split, want, held, classes, seed, which):
    """The `want` images that are used (0: all) besides `held` others, and these."""
    if held == 0 and want in (0, len(split)):
        return split, None
    hand = Hand(split.labels, classes, seed, which)
    share, rest = hand.shares(held), len(split) - held
    stay = [x[:len(x) - s] for x, s in zip(hand.of, share)]
    gone = hand.deal([x[len(x) - s:][::-1] for x, s in zip(hand.of, share)], held)
    if want in (0, rest):
        left = np.ones(len(split), bool)
        left[gone] = False
        return split.take(np.flatnonzero(left)), split.take(gone)
    return split.take(hand.deal(stay, want)), split.take(gone)


class DataSet:
    def __init__(self, source, layout, channels, names, mean, std, side):
        """names: of the classes; side: that of all images, 0 where they differ."""
        self.source, self.layout, self.channels, self.names = source, layout, channels, names
        self.classes = len(names)
        self.mean, self.std, self.pad = mean, std, source.get("pad", 4)
        own = side if 0 < side <= OWN_MOST else OWN_MOST
        self.image = source.get("image") or own
        self.exact = self.image == side
        self.scale = source.get("scale") or (1 if self.exact else 8 / 7)
        self.pycls = source.get("resize") == "pycls"
        self.train = self.compared = None  # compared: the images that networks are compared by

    def choose(self, train, validation, test):
        seed = self.source["seed"]
        want = {key: self.source.get(key) or 0 for key in ("train", "validation", "test")}
        held = want["validation"]
        if validation is not None and len(validation):
            validation, _ = chosen(validation, held, 0, self.classes, seed, 2)
            validation = validation if held else None
            held = 0
        self.train, out = chosen(train, want["train"], held, self.classes, seed, 0)
        test, _ = chosen(test, want["test"], 0, self.classes, seed, 1)
        self.compared = next(s for s in (validation, out, test) if s is not None and len(s))

    def levels(self):
        """What each byte of each channel is for a network: (channels, 256)."""
        value = np.arange(256, dtype=np.float64)
        return np.stack([((value - m) / s).astype(np.float32)
                         for m, s in zip(self.mean[:self.channels], self.std)])

    def about(self, checksum):
        """What a network that is trained on it should know (netspace.data of a file of weights)."""
        return {"name": self.source["spec"], "checksum": checksum, "image": self.image,
                "mean": self.mean[:self.channels], "std": self.std[:self.channels],
                "class_names": self.names, "channels": "gray" if self.channels == 1 else "RGB"}

    def checksum(self):
        look = "" if self.pad == 4 else " pad %d" % self.pad
        if self.layout != PLANES or not self.exact or self.scale != 1:
            look += (" channels %d scale %.9g resize %d mean %.9g %.9g %.9g std %.9g %.9g %.9g"
                     % (self.channels, self.scale, self.pycls, *self.mean, *self.std))
        digest = hashlib.sha256(("%d %d %d %d%s\n" % (
            self.image, self.classes, len(self.train), len(self.compared), look)).encode())
        self.train.add_to(digest)
        self.compared.add_to(digest)
        return digest.hexdigest()


# Where images come from -------------------------------------------------------------------------

def of_planes(labels, pictures):
    n, _, height, width = pictures.shape
    return Split(labels.astype(np.int64), np.full(n, width), np.full(n, height), pictures)


def cifar10(source, folder):
    inner = os.path.join(folder, "cifar-10-batches-bin")
    folder = inner if os.path.isdir(inner) else folder
    names = ["data_batch_%d.bin" % k for k in range(1, 6)], ["test_batch.bin"]
    splits = []
    for some in names:
        rows = np.concatenate([np.fromfile(os.path.join(folder, name), np.uint8).reshape(-1, 3073)
                               for name in some])
        splits.append(of_planes(rows[:, 0], rows[:, 1:].reshape(-1, 3, 32, 32)))
    d = DataSet(source, PLANES, 3, CIFAR10, [125.3, 123.0, 113.9], [63.0, 62.1, 66.7], 32)
    d.choose(splits[0], None, splits[1])
    return d


def parts(entries, names, source):
    """The part of each image of a pack: 0 training, 1 validation, 2 test, 3 none."""
    part = entries["part"].astype(np.int64)
    has = np.bincount(part, minlength=4)
    if has[1] + has[2] == 0:  # drawn by name
        share = source.get("split") or [.8, .1, .1]
        with np.errstate(over="ignore"):
            first = keyed.mix(keyed.words(source["seed"]) + np.uint64(1))[0]
        for i, at in enumerate(entries["name"].tolist()):
            name = names[at:names.index(b"\0", at)]
            u = keyed.unit(keyed.mix(word_sum(first, name)))[0] * sum(share)
            part[i] = 0 if u < share[0] else 1 if u < share[0] + share[1] else 2
    elif not has[1] or not has[2]:
        part[part == 1] = 2
    return part


def word_sum(total, name):
    """sums() of one row, after what gave `total`."""
    total, most = int(total), (1 << 64) - 1
    for at in range(0, len(name), 8):
        word = name[at:at + 8]
        word = word if len(word) == 8 else bytes([len(word)]) + word.ljust(7, b"\0")
        total = (total ^ int.from_bytes(word, "little")) * 0x9E3779B97F4A7C15
        total = total + 0xD1B54A32D192ED03 & most
        total ^= total >> 32
    return keyed.words(total)


def pack(source, path):
    with open(path, "rb") as f:
        b = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    magic, version, endian, size = struct.unpack_from("<8s2IQ", b, 0)
    if (magic, version, endian, size) != (b"netspack", 1, 0x01020304, len(b)):
        raise Refused("%s is not a pack of version 1, or is cut short; `netspace pack` makes it "
                      "again" % path)
    index, names, text, n, classes = struct.unpack_from("<3Q2I", b, 24)
    channels, jpeg = struct.unpack_from("<2I", b, 64)
    mean_std = struct.unpack_from("<6d", b, 96)
    entries = np.frombuffer(b, ENTRY, n, index)
    one = (len(np.unique(entries["width"])) == len(np.unique(entries["height"])) == 1 and
           entries["width"][0] == entries["height"][0])
    mean, std = mean_std[:3], mean_std[3:]
    if source.get("normalise") == "imagenet" and channels == 3:
        mean, std = IMAGENET
    words = [x.decode() for x in b[text:].split(b"\0", classes)[:classes]]
    d = DataSet(source, JPEG if jpeg else ROWS, channels, words, mean, std,
                int(entries["width"][0]) if one else 0)
    part = parts(entries, b[names:text], source)
    memory = memoryview(b)
    splits = []
    for k in range(3):
        e = entries[part == k]
        splits.append(Split(e["label"].astype(np.int64), e["width"].astype(np.int64),
                            e["height"].astype(np.int64), None, memory, e))
    d.choose(*splits)
    return d


def program():
    """The program netspace: as the sweep has it, beside this script, or on the path."""
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "netspace")
    for name in (os.environ.get("NETSPACE"), beside, "netspace"):
        if name and shutil.which(name):
            return name
    return None


def lent(source):
    """The images of a data set that netspace opens (lua/netspace/data/lend.lua)."""
    netspace = program()
    if not netspace:
        raise Refused("the images of '%s' are opened by netspace, which is neither on the PATH nor "
                      "named by NETSPACE; without it, packs (netspace pack) and cifar10:DIR can be "
                      "read" % source["spec"])
    found = subprocess.run(
        [netspace, "-q", "--no-init", "-e", "require('netspace.data.lend').main()"],
        input=json.dumps(source).encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        check=False)
    head, _, rest = found.stdout.partition(b"\n")
    if found.returncode != 0 or not head.startswith(b"{"):
        raise Refused(found.stderr.decode(errors="replace").strip() or
                      "%s ended with status %d" % (netspace, found.returncode))
    head = json.loads(head)
    if "refused" in head:
        raise Refused(head["refused"])
    if "pack" in head:
        return pack(source, head["pack"])
    side, counts = head["image"], head["counts"]
    rows = np.frombuffer(rest, np.uint8).reshape(sum(counts), 1 + side * side * 3)
    pictures = rows[:, 1:].reshape(-1, side, side, 3).transpose(0, 3, 1, 2)
    d = DataSet(source, PLANES, 3, head["class_names"], head["mean"], head["std"], side)
    d.train = of_planes(rows[:counts[0], 0], np.ascontiguousarray(pictures[:counts[0]]))
    d.compared = of_planes(rows[counts[0]:, 0], np.ascontiguousarray(pictures[counts[0]:]))
    return d


def opened(source, checksum):
    """The data set of a job; Refused, with the reason, where its images are not there."""
    kind, _, argument = source["spec"].partition(":")
    try:
        if kind == "cifar10":
            d = cifar10(source, argument)
        elif kind == "pack":
            d = pack(source, argument)
        else:
            d = lent(source)
    except (OSError, ValueError) as e:
        raise Refused("%s: %s" % (source["spec"], e)) from e
    now = d.checksum()
    if now != checksum:
        raise Refused("data '%s' has changed: its checksum is %s, it was %s"
                      % (source["spec"], now, checksum))
    return d
