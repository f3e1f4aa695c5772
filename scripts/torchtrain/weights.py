"""A network with the engine's initial weights (src/model/init.c), the groups of its parameters
for weight decay, and files of weights (safetensors)."""
import json
import math
import os
import struct
import sys

import numpy as np
import torch
from torch import nn

from . import keyed

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "lua", "netspace", "network"))
import torch_anynet  # noqa: E402


def last_norms(net):
    """The norms that end a residual branch."""
    for m in net.modules():
        if isinstance(m, torch_anynet.Residual):
            yield m.f[-1]
        elif isinstance(m, torch_anynet.Linear) and m.skip:
            yield m.f[-1]
        elif isinstance(m, torch_anynet.MBConv) and m.skip:
            yield m.lin_proj_bn


def values(module, index, seed):
    """The initial values of a convolution or of the last layer: by name, with the index of the
    stream of each parameter."""
    w = module.weight
    if isinstance(module, nn.Linear):
        normal = .01 * keyed.normals(seed, index, w.numel())
        return {"weight": normal.reshape(w.shape), "bias": np.zeros(len(w))}
    k, c, r, _ = w.shape  # the engine has the channels last
    deviation = math.sqrt(2 / (r * r * k))
    normal = deviation * keyed.normals(seed, index, w.numel())
    drawn = {"weight": normal.reshape(k, r, r, c).transpose(0, 3, 1, 2)}
    if module.bias is not None:
        limit = 1 / math.sqrt(c)
        drawn["bias"] = limit * (2 * keyed.uniforms(seed, index + 1, k) - 1)
    return drawn


def made(m, seed, zero_gamma):
    """The network m as it is before training."""
    with torch.device("cpu"):
        net = torch_anynet.anynet(m)
    index = 0
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                index += 4  # 1, 0, 0, 1: as PyTorch has them
            elif isinstance(module, (nn.Conv2d, nn.Linear)):
                for name, v in values(module, index, seed).items():
                    v = torch.from_numpy(np.ascontiguousarray(v.astype(np.float32)))
                    getattr(module, name).copy_(v)
                    index += 1
        for norm in last_norms(net) if zero_gamma else ():
            norm.weight.zero_()
    return net


def groups(net, recipe):
    """Parameters by weight decay."""
    def decay(key):
        wd = recipe.get(key, -1)
        return recipe["wd"] if wd == -1 else wd
    of = {"weight": ([], recipe["wd"]), "bn": ([], decay("wd_bn")),
          "bias": ([], decay("wd_bias"))}
    for module in net.modules():
        for name, p in module.named_parameters(recurse=False):
            kind = "bn" if isinstance(module, nn.BatchNorm2d) else name
            of[kind][0].append(p)
    return [{"params": list_, "weight_decay": float(np.float32(wd))}
            for list_, wd in of.values() if list_]


# Files ------------------------------------------------------------------------------------------

TYPES = {torch.float32: ("F32", np.float32), torch.int64: ("I64", np.int64)}
READ = {name: kind for name, kind in TYPES.values()}


def write(path, tensors, metadata):
    """A safetensors file, whole or not at all."""
    header, at, parts = {"__metadata__": metadata}, 0, []
    for name, t in tensors.items():
        b = t.detach().cpu().contiguous().numpy().tobytes()
        header[name] = {"dtype": TYPES[t.dtype][0], "shape": list(t.shape),
                        "data_offsets": [at, at + len(b)]}
        at += len(b)
        parts.append(b)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    part = "%s.part-%d" % (path, os.getpid())
    try:
        with open(part, "wb") as f:
            f.write(struct.pack("<Q", len(text)) + text)
            for b in parts:
                f.write(b)
            f.flush()
            os.fsync(f.fileno())
        os.replace(part, path)
    except OSError:
        if os.path.exists(part):
            os.unlink(part)
        raise


def read(path):
    """The tensors of a file, and its metadata."""
    with open(path, "rb") as f:
        b = f.read()
    n, = struct.unpack_from("<Q", b, 0)
    header = json.loads(b[8:8 + n])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, about in header.items():
        first, last = (8 + n + x for x in about["data_offsets"])
        if last > len(b):
            raise ValueError("it is cut short")
        a = np.frombuffer(b[first:last], READ[about["dtype"]]).reshape(about["shape"])
        tensors[name] = torch.from_numpy(a.copy())
    return tensors, metadata
