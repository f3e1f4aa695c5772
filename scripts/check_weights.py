#!/usr/bin/env python3
"""Logits of the same random weights in timm, torchvision, pycls and netspace, for every RegNet,
ResNet, ResNeXt and EfficientNet of the zoo, and ResNet-18 and -34: the development check of
net:save{ names = } and net.load.

    scripts/check_weights.py [--pycls DIR] [--side 64] [NAME...]

timm draws a network; every batch norm gets random values and statistics, too.  netspace loads that
file (which says nothing of itself), and writes it with torchvision's names and, for images with
blue first, with pycls's.  Each must give the logits of timm.  It needs torch, timm, safetensors,
torchvision, and for --pycls a checkout of pycls with what it imports (yacs, iopath, submitit).  A line for each network: the
largest difference over the largest logit.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

LIBRARY = torch.library.Library("torchvision", "DEF")
for op in ("nms", "qnms"):  # the C extension of torchvision may not load
    LIBRARY.define(op + "(Tensor a, Tensor b, float c) -> Tensor")
import timm  # noqa: E402
from timm.models.resnet import Bottleneck, ResNet  # noqa: E402
from torchvision import models  # noqa: E402

CLASSES = 1000
LAST = ("conv3.bn", ".bn3")  # of a block
DEPTHS = {"50": (3, 4, 6, 3), "101": (3, 4, 23, 3), "152": (3, 8, 36, 3)}
SIZES = "200MF 400MF 600MF 800MF 1.6GF 3.2GF 4.0GF 6.4GF 8.0GF 12GF 16GF 32GF".split()

LUA = r"""
local dir, side = arg[1], tonumber(arg[2])
local n = assert(net.load(dir .. "/timm.safetensors", { image = side, batch = 2 }))
local given = require("netspace.lib.json").decode(io.open(dir .. "/images.json"):read "a")
local out = io.open(dir .. "/logits.json", "w")
out:write(require("netspace.lib.json").encode(n:forward(given)))
out:close()
local good, why = pcall(n.save, n, dir .. "/torchvision.safetensors", { names = "torchvision" })
if not good then
  assert(arg[3] == "EfficientNet-B5" and why:find "epsilon", why)
end
assert(n:save(dir .. "/pycls.safetensors", { names = "pycls", channels = "BGR" }))
local known, z = pcall(zoo, arg[3], { image = side })
if known then
  assert(arch.hash(z) == arch.hash(n:arch()), "it differs from the zoo")
end
"""


def timm_model(name):
    """In timm, which has no function for ResNeXt-152 but its class."""
    kind, _, size = name.partition("-")
    if kind == "ResNeXt":
        return ResNet(Bottleneck, DEPTHS[size], num_classes=CLASSES, cardinality=32, base_width=4)
    name = (timm_name(name) if kind.startswith("RegNet") else name.replace("-", "").lower()
            if kind == "ResNet" else name.replace("-", "_").lower())
    return timm.create_model(name, num_classes=CLASSES)


def torchvision_model(name):
    """In torchvision, or None where it has no such network."""
    kind, _, size = name.partition("-")
    if kind == "ResNeXt":
        return models.ResNet(models.resnet.Bottleneck, DEPTHS[size], num_classes=CLASSES,
                             groups=32, width_per_group=4)
    name = (torchvision_name(name) if kind.startswith("RegNet") else
            name.replace("-", "" if kind == "ResNet" else "_").lower())
    make = getattr(models, name, None)
    return make and make(num_classes=CLASSES)


def timm_name(name):
    kind, size = name[6].lower(), name.split("-")[1]
    number = float(size[:-2]) * (1 if size.endswith("MF") else 1000) / 100
    return f"regnet{kind}_{round(number):03d}"


def torchvision_name(name):
    kind, size = name[6].lower(), name.split("-")[1].lower().replace(".0", "").replace(".", "_")
    return f"regnet_{kind}_{size}"


def randomise(net, seed):
    g = torch.Generator().manual_seed(seed)
    for name, m in net.named_modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.weight.data.uniform_(.5, 1.5, generator=g)
            if name.endswith(LAST):  # or activations grow from block to block, and errors
                m.weight.data *= .3
            m.bias.data.normal_(0, .2, generator=g)
            m.running_mean.normal_(0, .2, generator=g)
            m.running_var.uniform_(.5, 2, generator=g)
        elif isinstance(m, torch.nn.Conv2d):
            m.weight.data.normal_(0, (2 / (m.weight[0].numel())) ** .5, generator=g)
            if m.bias is not None:
                m.bias.data.normal_(0, .2, generator=g)
        elif isinstance(m, torch.nn.Linear):
            m.weight.data.normal_(0, .05, generator=g)
            m.bias.data.normal_(0, .2, generator=g)


def pycls_model(name, net, root):
    """In pycls, or None where it has no such network."""
    sys.path.insert(0, root)
    from pycls.core.config import cfg
    from pycls.models.anynet import AnyNet
    from pycls.models.effnet import EffNet
    from pycls.models.resnet import ResNet as PyclsResNet
    kind, _, size = name.partition("-")
    cfg.MODEL.NUM_CLASSES, cfg.MODEL.ACTIVATION_FUN = CLASSES, "relu"
    if kind in ("ResNet", "ResNeXt"):
        if size not in DEPTHS:
            return None
        cfg.MODEL.DEPTH, cfg.TRAIN.DATASET, cfg.TEST.DATASET = int(size), "imagenet", "imagenet"
        cfg.RESNET.NUM_GROUPS, cfg.RESNET.WIDTH_PER_GROUP = (32, 4) if kind == "ResNeXt" else (1, 64)
        cfg.RESNET.STRIDE_1X1, cfg.RESNET.TRANS_FUN = False, "bottleneck_transform"
        return PyclsResNet()
    if kind == "EfficientNet":
        cfg.MODEL.ACTIVATION_FUN = "silu"
        first = [s[0] for s in net.blocks]
        return EffNet({
            "sw": net.conv_stem.out_channels, "ds": [len(s) for s in net.blocks],
            "ws": [(b.conv_pwl if hasattr(b, "conv_pwl") else b.conv_pw).out_channels
                   for b in first],
            "exp_rs": [1, 6, 6, 6, 6, 6, 6], "se_r": .25, "ss": [1, 2, 2, 2, 1, 2, 1],
            "ks": [b.conv_dw.kernel_size[0] for b in first], "hw": net.conv_head.out_channels,
            "nc": CLASSES})
    stages = [net.s1, net.s2, net.s3, net.s4]
    first = [s.b1 for s in stages]
    return AnyNet({
        "stem_type": "simple_stem_in", "stem_w": 32, "block_type": "res_bottleneck_block",
        "depths": [len(list(s.children())) for s in stages],
        "widths": [b.conv3.conv.out_channels for b in first],
        "strides": [2, 2, 2, 2], "bot_muls": [1., 1., 1., 1.],
        "group_ws": [b.conv2.conv.in_channels // b.conv2.conv.groups for b in first],
        "head_w": 0, "num_classes": CLASSES, "se_r": .25 if "Y" in name else 0})


def apart(a, b):
    return float((a - b).abs().max() / a.abs().max())


def check(name, args):
    net = timm_model(name).eval()
    randomise(net, 1)
    x = torch.randn(2, 3, args.side, args.side, generator=torch.Generator().manual_seed(2))
    row = {}
    with tempfile.TemporaryDirectory() as where, torch.no_grad():
        y = net(x)
        save_file(net.state_dict(), where + "/timm.safetensors", {"format": "pt"})
        with open(where + "/images.json", "w") as f:
            json.dump(x.permute(0, 2, 3, 1).reshape(2, -1).tolist(), f)
        with open(where + "/check.lua", "w") as f:
            f.write(LUA)
        subprocess.run([args.netspace, "-q", "--no-init", where + "/check.lua", where,
                        str(args.side), name], check=True, stderr=subprocess.DEVNULL)
        with open(where + "/logits.json") as f:
            row["netspace"] = apart(y, torch.tensor(json.load(f)))
        other = torchvision_model(name)
        if other and not os.path.exists(where + "/torchvision.safetensors"):
            row["torchvision"] = "another epsilon"
        elif other:
            other.eval()
            try:
                other.load_state_dict(load_file(where + "/torchvision.safetensors"))
                row["torchvision"] = apart(y, other(x))
            except RuntimeError as e:
                row["torchvision"] = "widths differ" if "size mismatch" in str(e) else str(e)
        if args.pycls:
            other = pycls_model(name, net, args.pycls)
        if args.pycls and other:
            other.eval().load_state_dict(load_file(where + "/pycls.safetensors"))
            row["pycls"] = apart(y, other(x.flip(1)))
    print(name, *(f"{k} {v:.1e}" if isinstance(v, float) else f"{k}: {v}"
                  for k, v in row.items()), flush=True)
    return all(v < 1e-5 for v in row.values() if isinstance(v, float))


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--pycls", help="a checkout of pycls")
    p.add_argument("--side", type=int, default=64, help="pixels of an image")
    p.add_argument("--netspace", default=os.environ.get("NETSPACE", "./netspace"))
    p.add_argument("names", nargs="*")
    args = p.parse_args()
    names = args.names or [*(f"RegNet{k}-{s}" for k in "XY" for s in SIZES),
                           "ResNet-18", "ResNet-34",
                           *(f"{k}-{d}" for k in ("ResNet", "ResNeXt") for d in DEPTHS),
                           *(f"EfficientNet-B{i}" for i in range(6))]
    good = [check(name, args) for name in names]
    print(sum(good), "of", len(good), "equal to 1e-5")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
