#!/usr/bin/env python3
"""Weights of PyTorch (.pyth of pycls, .pt, .pth, .bin) as safetensors, which net.load reads.

    scripts/from_torch.py MODEL.pyth MODEL.safetensors
    netspace -e 'n = net.load "MODEL.safetensors"'

Files of PyTorch are pickles, which may run programs: they are read with weights_only=True, which
takes tensors and plain values alone, in the zip form and in that from before PyTorch 1.6.  Of a
checkpoint the weights are taken (model_state, state_dict, model), with --ema the averaged ones; the
prefix of a wrapper ("module.") is left out; numbers become float32.  What the network was trained
on goes along: the order of the channels (pycls feeds blue first; netspace turns the first
convolution when it loads), mean and deviation, class names.  Needed: PyTorch with NumPy."""
import argparse
import json
import os
import struct
import sys

import torch

# Mean and deviation of red, green, blue from 0 to 255.
NORMALS = {
    "imagenet": ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
    "cifar10": ([125.3, 123., 113.9], [63., 62.1, 66.7]),
}
PLAIN = ("model_state", "state_dict", "model")
AVERAGED = ("ema_state", "state_dict_ema", "model_ema")
HEADS = ("fc.weight", "classifier.weight", "classifier.1.weight")
WRAPPERS = ("module.", "_orig_mod.", "model.")


def weights(saved, ema):
    """The tensors by name of what torch.load gave."""
    if ema:
        found = [k for k in AVERAGED if saved.get(k)]
        if not found:
            raise ValueError("it has no averaged weights (%s)" % ", ".join(AVERAGED))
        saved = saved[found[0]]
    else:
        saved = next((saved[k] for k in PLAIN if isinstance(saved.get(k), dict)), saved)
    t = {k: v for k, v in saved.items() if isinstance(v, torch.Tensor)}
    if not t:
        raise ValueError("it has no tensors by name: was the whole module saved? "
                         "save net.state_dict()")
    for prefix in WRAPPERS:
        while all(k.startswith(prefix) for k in t):
            t = {k[len(prefix):]: v for k, v in t.items()}
    return {k: v.float() if v.is_floating_point() else v.long() for k, v in t.items()}


def write(path, t, metadata):
    """A safetensors file (its README): length of the header, the header in JSON, the data."""
    order = sorted(t, key=lambda k: (t[k].dtype != torch.int64, k))
    header, at = {"__metadata__": metadata}, 0
    for k in order:
        size = t[k].numel() * t[k].element_size()
        header[k] = {"dtype": "I64" if t[k].dtype == torch.int64 else "F32",
                     "shape": list(t[k].shape), "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for k in order:
            f.write(t[k].contiguous().numpy().tobytes())
    os.replace(path + ".part", path)


def about(args, saved, t):
    """What the network was trained on, as netspace writes it (net:data)."""
    pycls = "model_state" in saved
    heads = [v for k, v in t.items() if k.endswith(HEADS)]
    classes = heads[-1].shape[0] if heads else 0
    normal = args.normalise
    if not normal:
        cfg = str(saved.get("cfg", ""))
        normal = ("cifar10" if "cifar10" in cfg else
                  "imagenet" if pycls or classes == 1000 else "none")
    bgr = pycls and normal != "cifar10"  # as pycls's data sets of the two feed them
    data = {"name": args.input, "channels": args.channels or ("BGR" if bgr else "RGB")}
    if normal != "none":
        turn = -1 if data["channels"] == "BGR" else 1
        data["mean"], data["std"] = (x[::turn] for x in NORMALS[normal])
        data["image"] = 32 if normal == "cifar10" else 224
        data["scale"] = 1 if normal == "cifar10" else 256 / 224
        data["resize"] = "pycls" if pycls else "antialias"
    if args.classes:
        with open(args.classes, encoding="utf-8") as f:
            data["class_names"] = [line.rstrip("\r\n") for line in f if line.strip()]
        if len(data["class_names"]) != classes:
            raise ValueError("%s names %d classes, the head has %d"
                             % (args.classes, len(data["class_names"]), classes))
    return data, normal


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("input", help="the file of PyTorch")
    p.add_argument("output", help="the safetensors file to write")
    p.add_argument("--ema", action="store_true", help="the averaged weights")
    p.add_argument("--channels", choices=("RGB", "BGR"),
                   help="which the network takes (BGR for checkpoints of pycls, else RGB)")
    p.add_argument("--normalise", choices=(*NORMALS, "none"), help="mean and deviation of its "
                   "images (imagenet for checkpoints of pycls and heads of 1000 classes)")
    p.add_argument("--classes", metavar="FILE", help="names of the classes, one a line")
    args = p.parse_args()
    try:
        saved = torch.load(args.input, map_location="cpu", weights_only=True)
        if not isinstance(saved, dict):
            raise ValueError("it holds a %s, not weights by name" % type(saved).__name__)
        t = weights(saved, args.ema)
        data, normal = about(args, saved, t)
        write(args.output, t, {"format": "pt", "netspace.data": json.dumps(data)})
    except Exception as e:  # unpickling raises nearly anything
        print("from_torch: %s: %s" % (args.input, str(e).splitlines()[0] if str(e) else
                                      type(e).__name__), file=sys.stderr)
        return 1
    print("%s: %d tensors, channels %s, normalised by %s"
          % (args.output, len(t), data["channels"], normal))
    return 0


if __name__ == "__main__":
    sys.exit(main())
