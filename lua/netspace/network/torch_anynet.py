"""A network of netspace as a PyTorch module, with the weights that net:export (or net:save)
wrote:

    import torch_anynet
    net = torch_anynet.load("net.safetensors").eval()
    logits = net((pixels - net.mean) / net.std)    # n x 3 x h x w, RGB from 0 to 255, or
                                                   # n x 1 x h x w where it was trained on gray
    names = [net.class_names[k] for k in logits.argmax(1)]
    p = net(torch_anynet.see(net, Image.open("cat.jpg"))).softmax(1)    # of a file, by Pillow

net.mean and net.std are those of the images the network was trained on, net.image is their
size in pixels, net.data is all that is known of them; where the file does not say (a network
that was not trained), they are None.
It needs torch and safetensors.  The structure is Radosavovic et al. 2020, figures 3, 4 and 23;
names and order of the parameters are those of pycls."""
import json

import torch
from torch import nn


def relu():
    return nn.ReLU(inplace=True)


def act(m):
    return nn.SiLU() if m["activation"] == "silu" else relu()


def conv(w_in, w_out, k, stride=1, groups=1, bias=False):
    return nn.Conv2d(w_in, w_out, k, stride, (k - 1) // 2, groups=groups, bias=bias)


class Squeeze(nn.Module):
    def __init__(self, m, w, w_se):
        super().__init__()
        self.f_ex = nn.Sequential(conv(w, w_se, 1, bias=True), act(m),
                                  conv(w_se, w, 1, bias=True), nn.Sigmoid())

    def forward(self, x):
        return x * self.f_ex(x.mean((2, 3), keepdim=True))


def chain(m, w_in, layers):
    """A named sequence; layers: (name, w, k, stride, groups, has an activation)."""
    seq = nn.Sequential()
    for name, w, k, stride, groups, active in layers:
        seq.add_module(name, conv(w_in, w, k, stride, groups))
        seq.add_module(name + "_bn", nn.BatchNorm2d(w))
        if active:
            seq.add_module(name + "_act", act(m))
        w_in = w
    return seq


class Residual(nn.Module):
    def __init__(self, m, w_in, w, stride, f):
        super().__init__()
        self.proj = None
        if w_in != w or stride != 1:
            self.proj = conv(w_in, w, 1, stride)
            self.bn = nn.BatchNorm2d(w)
        self.f = f
        self.act = act(m)

    def forward(self, x):
        return self.act((x if self.proj is None else self.bn(self.proj(x))) + self.f(x))


class Linear(nn.Module):
    def __init__(self, f, skip):
        super().__init__()
        self.f, self.skip = f, skip

    def forward(self, x):
        return x + self.f(x) if self.skip else self.f(x)


class MBConv(nn.Module):
    def __init__(self, m, w_in, inner, k, stride, w):
        super().__init__()
        self.skip = w_in == w and stride == 1
        layers = [("dwise", inner, k, stride, inner, True)]
        if inner != w_in:
            layers.insert(0, ("exp", inner, 1, 1, 1, True))
        for name, layer in chain(m, w_in, layers).named_children():
            self.add_module(name, layer)
        w_se = int(m["se"] * w_in)
        if w_se:
            self.se = Squeeze(m, inner, w_se)
        self.lin_proj = conv(inner, w, 1)
        self.lin_proj_bn = nn.BatchNorm2d(w)

    def forward(self, x):
        y = x
        for layer in self.children():
            y = layer(y)
        return x + y if self.skip else y


def block(m, i, w_in, stride):
    w, kind, k = m["w"][i], m["block"], m["kernel"][i] if "kernel" in m else 3
    if kind in ("x", "r", "linear"):
        inner = round(w / m["b"][i])
        groups = 1 if kind == "r" else inner // m["g"][i]
        f = chain(m, w_in, [("a", inner, 1, 1, 1, True),
                            ("b", inner, k, stride, groups, True)])
        w_se = round(m["se"] * w_in)
        if w_se:
            f.add_module("se", Squeeze(m, inner, w_se))
        f.add_module("c", conv(inner, w, 1))
        f.add_module("c_bn", nn.BatchNorm2d(w))
        if kind == "linear":
            return Linear(f, w_in == w and stride == 1)
        return Residual(m, w_in, w, stride, f)
    if kind == "mb":
        return MBConv(m, w_in, round(w_in / m["b"][i]), k, stride, w)
    if kind == "basic":
        return Residual(m, w_in, w, stride, chain(m, w_in, [("a", w, k, stride, 1, True),
                                                            ("b", w, k, 1, 1, False)]))
    if kind == "vr":
        f = chain(m, w_in, [("a", w, k, stride, 1, False)])
        return Residual(m, w_in, w, stride, f)
    if kind == "vanilla":
        return chain(m, w_in, [("a", w, k, stride, 1, True), ("b", w, k, 1, 1, True)])
    if kind == "v":
        return chain(m, w_in, [("a", w, k, stride, 1, True)])
    raise ValueError(kind)


class Head(nn.Module):
    def __init__(self, m, w):
        super().__init__()
        self.wide = m["head_width"] > 0
        if self.wide:
            self.conv, self.act = conv(w, m["head_width"], 1), act(m)
            self.norm = "conv_bn" if m["block"] == "mb" else "bn"
            self.add_module(self.norm, nn.BatchNorm2d(m["head_width"]))
            w = m["head_width"]
        self.fc = nn.Linear(w, m["classes"])

    def forward(self, x):
        if self.wide:
            x = self.act(getattr(self, self.norm)(self.conv(x)))
        return self.fc(x.mean((2, 3)))


def anynet(m):
    net = nn.Sequential()
    k, stride = {"simple": (3, 2), "res": (7, 2), "cifar": (3, 1)}[m["stem"]]
    stem = nn.Sequential()
    stem.add_module("conv", conv(m.get("channels", 3), m["stem_width"], k, stride))
    stem.add_module("bn", nn.BatchNorm2d(m["stem_width"]))
    stem.add_module("act", act(m))
    if m["stem"] == "res":
        stem.add_module("pool", nn.MaxPool2d(3, 2, 1))
    net.add_module("stem", stem)
    w_in = m["stem_width"]
    for i, depth in enumerate(m["d"]):
        stage = nn.Sequential()
        for j in range(depth):
            stride = m["stride"][i] if j == 0 else 1
            stage.add_module(f"b{j + 1}", block(m, i, w_in, stride))
            w_in = m["w"][i]
        net.add_module(f"s{i + 1}", stage)
    net.add_module("head", Head(m, w_in))
    return net


def load(path):
    """The network of a safetensors file that netspace wrote, with its weights, and with mean,
    std, class_names and image of the data it was trained on."""
    from safetensors import safe_open
    with safe_open(path, "pt") as f:
        metadata = f.metadata()
        net = anynet(json.loads(metadata["netspace.arch"]))
        weights = {name: f.get_tensor(name) for name in f.keys()}
    for name, value in net.state_dict().items():  # counters, which only PyTorch keeps
        if name.endswith("num_batches_tracked"):
            weights[name] = value
    net.load_state_dict(weights)
    data = json.loads(metadata.get("netspace.data", "{}"))
    for name in ("mean", "std"):  # they move with the network to a GPU, and are no weights
        value = torch.tensor(data[name]).view(-1, 1, 1) if name in data else None
        net.register_buffer(name, value, persistent=False)
    net.class_names, net.image = data.get("class_names"), data.get("image")
    net.data = data or None
    return net


def resized(picture, side, how):
    """With the short side brought to `side`, the long side rounded down."""
    from PIL import Image
    w, h = picture.size
    w, h = (side * w // h, side) if w > h else (side, side * h // w)
    if (w, h) == picture.size:
        return picture
    if how == "antialias":
        return picture.resize((w, h), Image.Resampling.BILINEAR)
    x = tensor(picture)  # as pycls: two by two neighbours, whatever the step
    x = nn.functional.interpolate(x, (h, w), mode="bilinear", align_corners=False)
    x = x.round().clamp(0, 255).byte()[0].permute(1, 2, 0).squeeze(-1)
    return Image.fromarray(x.numpy())


def tensor(picture):
    """1 x channels x h x w, from 0 to 255."""
    w, h = picture.size
    x = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return x.view(1, h, w, -1).permute(0, 3, 1, 2).float()


def see(net, picture):
    """What the network takes of a picture (PIL.Image), by the steps that the images it was
    trained on went through: 1 x channels x image x image, normalised."""
    from PIL import Image, ImageOps
    data = net.data
    picture = ImageOps.exif_transpose(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        below = Image.new("RGBA", picture.size, data.get("background", "black"))
        picture = Image.alpha_composite(below, picture)
    picture = picture.convert("L" if data.get("channels") == "gray" else "RGB")
    size, side = data.get("size", 0), net.image
    if 0 < size < min(picture.size):
        picture = resized(picture, size, data["size_resize"])
    picture = resized(picture, round(data.get("scale", 1) * side), data.get("resize", "antialias"))
    left, top = (round((length - side) / 2) for length in picture.size)
    x = tensor(picture.crop((left, top, left + side, top + side)))
    return (x.to(net.mean.device) - net.mean) / net.std
