"""What recipes ask for besides steps, as the engine does it: dropout and stochastic depth
(src/model/drop.c), the average of weights (net_average_step) and precise statistics of batch norms
(be_precise in src/model/train.c).  Sources: pycls net.py and effnet.py, EfficientNet."""
import contextlib

import numpy as np
import torch
from torch import nn

from . import draws, keyed, weights


def alpha(recipe, epoch):
    """Weight of a step in the average of weights."""
    a = draws.single(recipe["ema"]) * recipe.get("ema_period", 32) * recipe["batch"]
    a /= recipe["epochs"]
    return 1. if a > 1 or epoch < recipe["warmup"] else a


class Drops:
    """Leaves out entries of what the last layer reads, and residual branches, while net trains."""
    def __init__(self, net, recipe):
        self.dropout = draws.single(recipe.get("dropout", 0))
        depth = draws.single(recipe.get("stochastic_depth", 0))
        constant = recipe.get("stochastic_depth_rule") == "constant"
        blocks = [block for name, stage in net.named_children() if name[1:].isdigit()
                  for block in stage]
        self.rates, self.kept, self.entries = [], [], None
        for i, block in enumerate(blocks):
            for norm in weights.last_norms(block) if depth > 0 else ():
                norm.register_forward_hook(self.hook(len(self.rates)))
                self.rates.append(depth if constant else depth * (i / len(blocks)))
        if self.dropout > 0:
            net.head.fc.register_forward_pre_hook(self.before_last)

    def draw(self, seed, epoch, step, images):
        """What a step of so many images leaves out."""
        self.images, index = images, epoch << 32 | step
        self.entries = keyed.start(seed, index, keyed.DROPOUT)[0]
        n = len(self.rates) * images
        u = keyed.unit(keyed.sequence(keyed.start(seed, index, keyed.DEPTH)[0], n))
        self.kept = u.reshape(-1, images) >= np.array(self.rates)[:, None]

    def mask(self, x, kept, rate):
        return torch.from_numpy(kept / (1 - rate)).to(x.device, x.dtype)

    def hook(self, k):
        def branch(norm, _, y):
            if norm.training:
                return y * self.mask(y, self.kept[k], self.rates[k]).view(-1, 1, 1, 1)
        return branch

    def before_last(self, layer, inputs):
        x, = inputs
        if layer.training:
            u = keyed.unit(keyed.sequence(self.entries, x.numel())).reshape(x.shape)
            return (x * self.mask(x, u >= self.dropout, self.dropout),)


class Average:
    """The exponential moving average of weights and running statistics."""
    def __init__(self, net):
        self.net = net
        self.values = {name: v.clone() for name, v in self.now()}

    def now(self):
        return ((name, v) for name, v in self.net.state_dict().items()
                if v.dtype.is_floating_point)

    def step(self, a):
        for name, v in self.now():
            self.values[name].copy_(v if a == 1 else self.values[name] * (1 - a) + v * a)

    def exchange(self):
        for name, v in self.now():
            mine = self.values[name].clone()
            self.values[name].copy_(v)
            v.copy_(mine)

    @contextlib.contextmanager
    def shown(self):
        self.exchange()
        try:
            yield
        finally:
            self.exchange()


def be_precise(net, batches, n):
    """The running statistics become the means of those of n batches: called by number, each trains
    forward."""
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    was_training, momentum = net.training, [m.momentum for m in norms]
    sums = [[torch.zeros_like(b, dtype=torch.float64) for b in (m.running_mean, m.running_var)]
            for m in norms]
    net.train()
    for m in norms:
        m.momentum = 1.
    with torch.no_grad():
        for batch in batches:
            batch()
            for m, (mean, var) in zip(norms, sums):
                mean += m.running_mean.double() / n
                var += m.running_var.double() / n
        for m, own, (mean, var) in zip(norms, momentum, sums):
            m.running_mean.copy_(mean)
            m.running_var.copy_(var)
            m.momentum = own
    net.train(was_training)
