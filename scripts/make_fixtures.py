#!/usr/bin/env python3
"""Reference networks in PyTorch: makes tests/data, and checks files netspace saved.

  make_fixtures.py [NET…]          write tests/data/<net>{,.expect}.safetensors
  make_fixtures.py --check FILE    load weights saved by netspace (strictly) and compare
                                   the logits beside them (FILE.logits, see check)

Needs PyTorch 2.13.0, and safetensors for --check.  The tests themselves need neither: what this writes
is committed.  The networks are those of torch_anynet.py, independent of the C engine.

Everything is computed in double precision, because a ReLU that flips between two correct
single-precision programs changes a gradient by a percent.  Seeds are searched until no
activation comes closer to its kink than MARGIN, so that single precision must agree.

<net>.safetensors        initial weights, pycls names; metadata netspace.arch: the network
<net>.expect.safetensors x, labels; logits (training) and eval (running statistics);
                         gradient.NAME of the first step; after.NAME of three SGD steps.
                         More than LIMIT values: norm.… and SAMPLES evenly spaced values.
trained_<net>.…          the same of an epoch of three steps by a recipe with all that recipes have
                         besides (RECIPES): x, labels of all images; rates, after.NAME of the net
                         in the end, raw.NAME of its last step, loss (validation, of the images)
"""
import argparse
import json
import os
import struct
import sys

import torch
from torch import nn

sys.path[:0] = [sys.path[0] + "/../lua/netspace/network"]
import torch_anynet
from torchtrain import extras, keyed
from torchtrain.train import rate
from torch_anynet import anynet

RELEASE = "2.13.0"
MARGIN, LIMIT, SAMPLES = 1.5e-5, 96, 48
LR, MOMENTUM = 0.05, 0.9
WD = {"bn": 0.001, "bias": 0.002, "weight": 0.01}

kinks = []  # smallest |input| of each ReLU since it was last emptied


class Relu(nn.Module):
    def forward(self, x):
        apart = x.detach().abs()
        kinks.append(apart[apart > 0].min().item())  # 0: a branch left out
        return x.relu()


torch_anynet.relu = Relu


def model(d, w, b=1, g=1, stride=(1, 2), **more):
    spread = lambda v: list(v) if isinstance(v, (list, tuple)) else [v] * len(d)
    m = dict(d=list(d), w=list(w), b=spread(b), g=spread(g), stride=spread(stride),
             block="x", stem="cifar", stem_width=8, se=0, head_width=0, activation="relu",
             classes=5, image=8)
    m.update(more)
    if m["block"] == "r":
        m["g"] = [round(w / b) for w, b in zip(m["w"], m["b"])]
    elif m["block"] != "x":
        m["b"], m["g"] = spread(1), list(w)
    return m


NETS = {
    "x_g1": model([1, 2], [16, 24], g=1),
    "x_g2": model([1, 2], [16, 24], g=2),
    "x_g4": model([2, 1], [8, 24], g=4, stride=2, image=12),
    "x_g8": model([1, 2], [16, 24], g=8),
    "x_g16": model([1, 1], [16, 32], g=16),
    "x_g24": model([1, 1], [24, 24], g=24),
    "x_g32": model([1, 1], [32, 32], g=32, stride=(2, 1)),
    "x_b2": model([1, 2], [32, 48], b=2, g=8),
    "x_b4": model([1, 2], [32, 64], b=4, g=(4, 16)),
    "x_inverted": model([1, 1], [8, 12], b=0.5, g=8),
    "x_mixed": model([1, 1, 1], [16, 24, 24], b=(1, 2, 1), g=(16, 4, 8),
                     stride=(1, 2, 2)),
    "x_odd": model([1, 1], [10, 14], g=2, image=7, stride=2),
    "y": model([1, 2], [16, 24], g=8, se=0.25),
    "y_silu": model([1, 1], [16, 16], b=2, g=8, se=0.25, activation="silu"),
    "silu": model([1, 2], [16, 24], g=8, activation="silu"),
    "r": model([1, 1], [16, 32], b=2, block="r"),
    "v": model([1, 2], [8, 16], block="v"),
    "vr": model([2, 1], [8, 16], block="vr"),
    "basic": model([2, 1], [8, 16], block="basic"),
    "vanilla": model([1, 1], [8, 16], block="vanilla"),
    "stem_simple": model([1, 1], [8, 16], g=4, stem="simple", image=16, stride=2),
    "stem_res": model([1, 1], [8, 16], g=4, stem="res", image=16, stride=(1, 2)),
    "head": model([1, 1], [8, 16], g=8, head_width=24),
    "linear": model([2, 1], [16, 24], b=0.5, g=8, block="linear", se=0.5),
    "mb": model([1, 2], [8, 12], b=(1, 0.25), g=1, block="mb", se=0.25, activation="silu",
                kernel=[3, 5], head_width=24, image=9),
    "mb_relu": model([2, 1], [8, 14], b=(0.5, 0.25), g=1, block="mb", stem_width=10,
                     kernel=[5, 3], stride=(2, 1)),
    "x_k5": model([1, 1], [16, 24], g=8, kernel=[5, 5]),
    "vanilla_k5": model([1, 1], [8, 8], block="vanilla", kernel=[5, 3]),
    "gray": model([1, 1], [16, 24], g=8, channels=1),
    "gray_simple": model([1, 1], [8, 16], g=4, stem="simple", image=16, stride=2, channels=1),
    "gray_res": model([1, 1], [8, 16], g=4, stem="res", image=16, stride=(1, 2), channels=1),
}

# tests/unit/test_trained.c has the same recipes.
EXTRAS = dict(epochs=1, batch=4, lr=0.05, wd=0.01, wd_bn=0, wd_bias=0.002, warmup=0,
              warmup_factor=0.1, dropout=0.25, stochastic_depth=0.5, ema=0.02, ema_period=2,
              precise_bn=8)
RECIPES = {
    "trained_x": (model([1, 2], [8, 16], g=8, image=6), dict(
        EXTRAS, schedule="linear_step", lr_end=0.1, stochastic_depth_rule="constant")),
    "trained_silu": (model([2, 2], [16, 24], g=8, activation="silu"), dict(
        EXTRAS, schedule="exp_step", lr_end=0.01)),
    "trained_mb": (model([2, 2], [12, 12], b=0.5, g=1, block="mb", se=0.25, activation="silu",
                         head_width=20, image=9), dict(EXTRAS, schedule="cos_step", lr_end=0.2)),
}
TRAINING_SEED = 5


def draw(m, seed, batch=4):
    """Weights that exercise everything: batch norms and statistics are random too."""
    r = torch.Generator().manual_seed(seed)
    normal = lambda p, sd: p.copy_(torch.randn(p.shape, generator=r) * sd)
    uniform = lambda p, lo, hi: p.copy_(torch.rand(p.shape, generator=r) * (hi - lo) + lo)
    net = anynet(m)
    with torch.no_grad():
        for mod in net.modules():
            if isinstance(mod, nn.Conv2d):
                fan = mod.kernel_size[0] ** 2 * mod.out_channels
                normal(mod.weight, (2 / fan) ** 0.5)
                if mod.bias is not None:
                    normal(mod.bias, 0.3)
            elif isinstance(mod, nn.BatchNorm2d):
                uniform(mod.weight, 0.5, 1.5)
                normal(mod.bias, 0.3)
                normal(mod.running_mean, 0.2)
                uniform(mod.running_var, 0.5, 1.5)
            elif isinstance(mod, nn.Linear):
                normal(mod.weight, 0.3)
                normal(mod.bias, 0.3)
    x = torch.randn(batch, m.get("channels", 3), m["image"], m["image"], generator=r)
    labels = torch.randint(m["classes"], (batch,), generator=r)
    return net, x, labels


def group(name):
    return "bn" if "bn" in name else "bias" if "bias" in name else "weight"


def run(net, x, labels, smoothing):
    """Eval and training logits, gradients, the state after three steps; in double."""
    net = net.double()
    x = x.double()
    out = {}
    net.eval()
    out["eval"] = net(x).detach()
    net.train()
    sgd = torch.optim.SGD([{"params": [p], "weight_decay": WD[group(n)]}
                           for n, p in net.named_parameters()],
                          lr=LR, momentum=MOMENTUM, nesterov=True)
    loss_of = nn.CrossEntropyLoss(label_smoothing=smoothing)
    for step in range(3):
        sgd.zero_grad()
        logits = net(x)
        loss_of(logits, labels).backward()
        if step == 0:
            out["logits"] = logits.detach()
            for name, p in net.named_parameters():
                out["gradient." + name] = p.grad.detach().clone()
        sgd.step()
    for name, v in net.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            out["after." + name] = v.detach().clone()
    return out


def train(net, x, labels, recipe):
    """An epoch by a recipe, in double; images of validation: all, in their order."""
    net, x, out, batch = net.double(), x.double(), {}, recipe["batch"]
    steps = len(x) // batch
    drops, average = extras.Drops(net, recipe), extras.Average(net)
    order = keyed.Streams(TRAINING_SEED, 0, keyed.ORDER).permutation(len(x))
    wd = {"bn": recipe["wd_bn"], "bias": recipe["wd_bias"], "weight": recipe["wd"]}
    sgd = torch.optim.SGD([{"params": [p], "weight_decay": wd[group(n)]}
                           for n, p in net.named_parameters()],
                          lr=1., momentum=MOMENTUM, nesterov=True)
    loss_of, rates = nn.CrossEntropyLoss(), []

    def forward(step):
        drops.draw(TRAINING_SEED, 0, step, batch)
        some = order[step * batch:(step + 1) * batch]
        return net(x[some]), labels[some]
    net.train()
    for step in range(steps):
        rates.append(rate(recipe, step / steps))
        for of in sgd.param_groups:
            of["lr"] = rates[-1]
        sgd.zero_grad()
        loss_of(*forward(step)).backward()
        sgd.step()
        if step % recipe["ema_period"] == 0:
            average.step(extras.alpha(recipe, 0))
    state = lambda: {k: v.detach().clone() for k, v in net.state_dict().items()
                     if not k.endswith("num_batches_tracked")}
    out.update(("raw." + k, v) for k, v in state().items())
    average.exchange()
    n = recipe["precise_bn"] // batch
    extras.be_precise(net, (lambda i=i: forward(i) for i in range(n)), n)
    net.eval()
    out["loss"] = loss_of(net(x), labels).detach().reshape(1)
    out["rates"] = torch.tensor(rates, dtype=torch.float64)
    out.update(("after." + k, v) for k, v in state().items())
    return out


def sampled(values):
    out = {}
    for name, v in values.items():
        v = v.flatten()
        if len(v) > LIMIT:
            out["norm." + name] = v.norm().reshape(1)
            v = v[[i * len(v) // SAMPLES for i in range(SAMPLES)]]
        out[name] = v
    return out


def single(values):
    return {k: v.float() for k, v in values.items()}


def save(values, path, note):
    """safetensors as the library writes it, but with the metadata in a fixed order."""
    header, data = {"__metadata__": note}, b""
    for name in sorted(values):
        v = values[name].contiguous()
        raw = v.numpy().tobytes()
        header[name] = {"dtype": {torch.float32: "F32", torch.int32: "I32"}[v.dtype],
                        "shape": list(v.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def make(folder, only):
    os.makedirs(folder, exist_ok=True)
    for name, m in NETS.items():
        smoothing = 0.1 if name in ("y", "silu") else 0.0
        if not only or name in only:
            search(folder, name, m, 4, lambda *data, s=smoothing: run(*data, s),
                   {"label_smoothing": str(smoothing)})
    for name, (m, recipe) in RECIPES.items():
        if not only or name in only:
            search(folder, name, m, 12, lambda *data, r=recipe: train(*data, r),
                   {"recipe": json.dumps(recipe)})


def search(folder, name, m, images, result, note):
    """Writes a network and its result with the first seed that keeps clear of the kinks."""
    for seed in range(1, 2000):
        net, x, labels = draw(m, seed, images)
        start = {k: v.clone() for k, v in net.state_dict().items()
                 if not k.endswith("num_batches_tracked")}
        kinks.clear()
        out = result(net, x, labels)
        if not kinks or min(kinks) > MARGIN:
            break
    else:
        raise SystemExit(f"{name}: no seed keeps clear of the kinks")
    save(single(start), f"{folder}/{name}.safetensors",
         {"format": "pt", "netspace.arch": json.dumps(m)})
    expect = single(sampled(out))
    expect["x"] = x.permute(0, 2, 3, 1)  # NHWC
    expect["labels"] = labels.int()
    save(expect, f"{folder}/{name}.expect.safetensors",
         {"torch": torch.__version__, "seed": str(seed), **note})
    size = sum(os.path.getsize(f"{folder}/{name}.{end}")
               for end in ("safetensors", "expect.safetensors"))
    print(f"{name:12} seed {seed:4}  {size / 1024:6.1f} kB", flush=True)


def check(path):
    """FILE.logits: two float32 blocks, the input (1, image, image, channels) and the logits."""
    from safetensors.torch import load_file
    with open(path, "rb") as f:
        size = struct.unpack("<Q", f.read(8))[0]
        m = json.loads(json.loads(f.read(size))["__metadata__"]["netspace.arch"])
    net = anynet(m)
    print(net.load_state_dict(load_file(path), strict=True))
    net.eval()
    print(f"loaded {path}: {sum(p.numel() for p in net.parameters())} parameters")
    if not os.path.exists(path + ".logits"):
        return
    with open(path + ".logits", "rb") as f:
        raw = torch.frombuffer(bytearray(f.read()), dtype=torch.float32)
    side, channels, classes = m["image"], m.get("channels", 3), m["classes"]
    values = side * side * channels
    x = raw[:values].reshape(1, side, side, channels).permute(0, 3, 1, 2)
    want = raw[values:]
    assert len(want) == classes, "the logits file does not fit the network"
    got = net.double()(x.double()).flatten()
    error = ((got - want).norm() / want.norm()).item()
    print(f"logits: relative difference {error:.2e}")
    sys.exit(0 if error <= 1e-4 else 1)


if __name__ == "__main__":
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--check", metavar="FILE")
    here = os.path.dirname(os.path.abspath(__file__))
    ap.add_argument("only", nargs="*", help="names of networks (all)")
    ap.add_argument("--out", default=os.path.join(here, "../tests/data"))
    args = ap.parse_args()
    if args.check:
        check(args.check)
    else:
        if torch.__version__.split("+")[0] != RELEASE:
            raise SystemExit(f"needs PyTorch {RELEASE}, this is {torch.__version__}")
        torch.set_num_threads(1)
        make(args.out, args.only)
