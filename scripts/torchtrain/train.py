"""Trains one network as the engine does (src/model/train.c): the same initial weights, images,
rates and steps, in PyTorch."""
import contextlib
import ctypes
import math
import os
import time

import numpy as np
import torch
from torch.nn import functional

from . import checkpoint, draws, extras, keyed, pixels, weights

LOSS_LIMIT = 1e4     # above it a network has run away
STEP_SECONDS = .5    # between two step events
LOOK_SECONDS = .25   # between two looks at what a GPU has done: each waits for it
TOP = 5


class Stopped(Exception):
    """Told to stop."""


class Parked(Exception):
    """As far as the job asked for, which is not the end."""


class Diverged(Exception):
    """The loss was no number, or ran away."""


def rate(recipe, epoch):
    """The learning rate of an epoch, from 0."""
    lr, factor = draws.single(recipe["lr"]), draws.single(recipe["warmup_factor"])
    end, past = draws.single(recipe.get("lr_end", 0)), epoch / recipe["epochs"]
    kind = recipe["schedule"].removesuffix("_step")
    if kind == "cos":
        lr *= (1 - end) * .5 * (1 + math.cos(math.pi * past)) + end
    elif kind == "linear":
        lr *= (1 - end) * (1 - past) + end
    elif kind == "exp":
        lr *= end ** past
    elif kind == "steps":
        lr *= draws.single(recipe.get("lr_mult", .1)) ** sum(e <= epoch for e in recipe["steps"])
    if epoch < recipe["warmup"]:
        a = epoch / recipe["warmup"]
        lr *= factor * (1 - a) + a
    return draws.single(lr)


def keep_memory():
    """Has the C library (where it is glibc) keep what is freed: to get it back from the kernel at
    each step costs a fifth of the time."""
    library, trim_threshold, mmap_max = ctypes.CDLL(None), -1, -4
    if hasattr(library, "mallopt"):
        library.mallopt(mmap_max, 0)
        library.mallopt(trim_threshold, 1 << 30)


class Machine:
    """A device and how it computes."""
    def __init__(self, device, precision, channels_last, deterministic):
        self.device, self.precision = torch.device(device), precision
        self.gpu = self.device.type == "cuda"
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        if self.gpu:
            torch.cuda.set_device(self.device)
            torch.backends.cudnn.allow_tf32 = precision == "tf32"
            torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
            torch.backends.cudnn.benchmark = not deterministic
            if deterministic:
                os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
                torch.use_deterministic_algorithms(True, warn_only=True)
        else:
            keep_memory()

    def autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16,
                              enabled=self.precision == "bfloat16")


class Training:
    """One job.  emit(event, …) sends an event, told() says whether to stop."""
    def __init__(self, job, view, machine, identity, emit, told):
        self.data, self.view, self.machine = view.data, view, machine
        data = self.data
        self.emit, self.told, self.recipe = emit, told, job["recipe"]
        self.last = job.get("stop_after", self.recipe["epochs"])
        self.batch, self.seed = self.recipe["batch"], job["seed"]
        self.augment = draws.augmentation(self.recipe, data)
        self.steps = len(data.train) // self.batch
        self.labels = torch.from_numpy(data.train.labels).to(machine.device)
        net = weights.made(job["m"], self.seed, self.recipe.get("zero_gamma", False))
        self.net = net.to(machine.device, memory_format=machine.format)
        self.optimizer = torch.optim.SGD(
            weights.groups(self.net, self.recipe), lr=1., momentum=draws.single(
                self.recipe["momentum"]), nesterov=self.recipe["nesterov"])
        self.drops = extras.Drops(self.net, self.recipe)
        self.average = extras.Average(self.net) if self.recipe.get("ema") else None
        self.keeper = checkpoint.Keeper(job, self.net, self.optimizer, self.average, identity, emit)

    # ---- a step ----------------------------------------------------------------------------

    def batches(self, epoch, first, end, mixed=True):
        """The images of an epoch's steps, as a network takes them, and their labels."""
        order = keyed.Streams(self.seed, epoch, keyed.ORDER).permutation(len(self.data.train))
        order_there = torch.from_numpy(order).to(self.machine.device)
        e = draws.Epoch(self.augment, self.data, self.seed, epoch, self.machine.device)
        pictures = self.view.training(e)

        def each():
            for step in range(first, end):
                some = slice(step * self.batch, (step + 1) * self.batch)
                rows, at = order[some], order_there[some]
                x = pixels.train_view(pictures.take(rows, at, e.region), e, rows, at,
                                      self.view.table)
                share, box = draws.mixed(self.augment, self.data.image, self.seed, epoch, step)
                if mixed and share < 1:
                    x = pixels.mix(x, share, box)
                yield x.contiguous(memory_format=self.machine.format), self.labels[at], share
        return self.view.hurried(each(), pictures)

    def loss(self, logits, labels, share):
        smooth = draws.single(self.recipe["label_smoothing"])
        own = functional.cross_entropy(logits, labels, label_smoothing=smooth)
        if share == 1:
            return own
        other = functional.cross_entropy(logits, labels.flip(0), label_smoothing=smooth)
        return share * own + (1 - share) * other

    def step(self, x, labels, share, lr, epoch, step):
        """Loss and wrong answers of a step, as tensors on the device."""
        self.drops.draw(self.seed, epoch, step, self.batch)
        with self.machine.autocast():
            logits = self.net(x)
        logits = logits.float()
        loss = self.loss(logits, labels, share)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        self.optimizer.step()
        if self.average and step % self.recipe.get("ema_period", 32) == 0:
            self.average.step(extras.alpha(self.recipe, epoch))
        heavier = labels if share >= .5 else labels.flip(0)
        right = (logits.detach().argmax(1) == heavier) & ~logits.detach().isnan().any(1)
        return loss.detach(), (~right).sum()

    # ---- an epoch --------------------------------------------------------------------------

    def epoch(self, at):
        """Trains what is left of the epoch after at; its losses and wrong answers."""
        machine, recipe, epoch = self.machine, self.recipe, at["epoch"]
        losses = torch.zeros(self.steps, device=machine.device)
        wrong = torch.zeros(self.steps, dtype=torch.int64, device=machine.device)
        first = at["step"]
        losses[:first] = torch.tensor(at.get("losses", []))
        wrong[:first] = torch.tensor(at.get("wrong", []), dtype=torch.int64)
        before, start, looked = at.get("seconds", 0.), time.monotonic(), first
        told, told_step, looked_at = start, first, start
        lr = rate(recipe, epoch)
        self.net.train()

        def here(step):
            return {"epoch": epoch, "step": step, "losses": losses[:step].tolist(),
                    "wrong": wrong[:step].tolist(),
                    "seconds": before + time.monotonic() - start}
        batches = self.batches(epoch, first, self.steps)
        try:
            for step, (x, labels, share) in enumerate(batches, first):
                if self.told():
                    self.keeper.save(here(step))
                    raise Stopped()
                if recipe["schedule"].endswith("_step"):
                    lr = rate(recipe, epoch + step / self.steps)
                losses[step], wrong[step] = self.step(x, labels, share, lr, epoch, step)
                now = time.monotonic()
                last = step + 1 == self.steps
                if not machine.gpu or last or now - looked_at >= LOOK_SECONDS:
                    self.look(losses, looked, step + 1, epoch)
                    looked, looked_at = step + 1, time.monotonic()
                    if now - told >= STEP_SECONDS:
                        self.emit("step", epoch=epoch + 1, part=(step + 1) / self.steps,
                                  images_per_s=(step + 1 - told_step) * self.batch / (now - told))
                        told, told_step = now, step + 1
                    if not last:
                        self.keeper.step(lambda step=step: here(step + 1))
        finally:
            batches.close()
        return {"lr": rate(recipe, epoch), "seconds": before + time.monotonic() - start,
                "train_loss": losses.double().mean().item(),
                "train_error": 100 * wrong.sum().item() / (self.steps * self.batch)}

    def look(self, losses, first, end, epoch):
        """Whether the last steps went well."""
        for step, loss in enumerate(losses[first:end].tolist(), first):
            if not loss <= LOSS_LIMIT:
                raise Diverged("the loss became %g in epoch %d, step %d of %d (lr %g)" % (
                    loss, epoch + 1, step + 1, self.steps, rate(self.recipe, epoch)))

    def be_precise(self, epoch):
        """Batch norms take their statistics anew."""
        n = min(self.recipe["precise_bn"] // self.batch, self.steps)
        batches = self.batches(epoch, 0, n, mixed=False)

        def each():
            for step, (x, _, _) in enumerate(batches):
                if self.told():
                    raise Stopped()

                def forward(x=x, step=step):
                    self.drops.draw(self.seed, epoch, step, self.batch)
                    with self.machine.autocast():
                        self.net(x)
                yield forward
        try:
            extras.be_precise(self.net, each(), n)
        finally:
            batches.close()

    def validate(self, at):
        """What networks are compared by: of the averages, where there are any."""
        try:
            with self.average.shown() if self.average else contextlib.nullcontext():
                if self.recipe.get("precise_bn"):
                    self.be_precise(at["epoch"])
                return self.measure(at)
        except Stopped:
            self.keeper.save(at)
            raise

    def measure(self, at):
        """The network on the images that networks are compared by."""
        split, pictures = self.data.compared, self.view.compared()
        labels = torch.from_numpy(split.labels).to(self.machine.device)
        size = max(self.batch, 512) if self.machine.gpu else self.batch
        wrong, wrong5, losses, told = [], [], [], time.monotonic()
        self.net.eval()
        batches = self.view.hurried(
            (pictures.take(range(first, min(first + size, len(split))), None, None)
             for first in range(0, len(split), size)), pictures)
        for own, x in zip(labels.split(size), batches):
            if self.told():
                raise Stopped()
            x = pixels.levels(x, self.view.table)
            with torch.no_grad(), self.machine.autocast():
                logits = self.net(x.contiguous(memory_format=self.machine.format)).float()
            mine = logits.gather(1, own.view(-1, 1))
            k = torch.arange(logits.shape[1], device=logits.device)
            rank = ((logits > mine) | (logits == mine) & (k < own.view(-1, 1))).sum(1)
            rank = torch.where(logits.isnan().any(1), logits.shape[1], rank)
            wrong.append(rank != 0)
            wrong5.append(rank >= TOP)
            losses.append(functional.cross_entropy(logits, own, reduction="sum").double())
            if time.monotonic() - told >= STEP_SECONDS:
                told = time.monotonic()
                self.emit("step", epoch=at["epoch"] + 1, part=1.)
        wrong, n = torch.cat(wrong).cpu().numpy(), len(split)
        of_class = np.bincount(split.labels, minlength=self.data.classes)
        there = of_class > 0
        of_wrong = np.bincount(split.labels[wrong], minlength=self.data.classes)
        out = {"validation_error": 100 * int(wrong.sum()) / n,
               "validation_loss": torch.stack(losses).sum().item() / n,
               "class_error": 100 * float((of_wrong[there] / of_class[there]).mean())}
        if self.data.classes > TOP:
            out["top5_error"] = 100 * torch.cat(wrong5).sum().item() / n
        return out

    def run(self):
        """Trains to the end; the last epoch's error and the seconds."""
        at = self.keeper.take_up() or {"epoch": 0, "step": 0}
        self.emit("begin", epoch=at["epoch"], step=at["step"])
        for event in self.keeper.epochs:
            self.emit("epoch", **event)
        while at["epoch"] < self.last:
            event = {"epoch": at["epoch"] + 1}
            event.update(at["done"] if "done" in at else self.epoch(at))
            event["images_per_s"] = self.steps * self.batch / event["seconds"]
            event.update(self.validate({"epoch": at["epoch"], "step": self.steps, "done": {
                k: event[k] for k in ("lr", "seconds", "train_loss", "train_error")}}))
            event = {k: v for k, v in event.items() if math.isfinite(v)}
            self.emit("epoch", **event)
            self.keeper.epoch(event, self.recipe["epochs"])
            at = {"epoch": event["epoch"], "step": 0}
            if self.last <= at["epoch"] < self.recipe["epochs"]:
                self.keeper.save(at)
        if at["epoch"] < self.recipe["epochs"]:
            raise Parked()
        if self.average:
            self.average.exchange()
        return self.keeper.epochs[-1]["validation_error"], self.keeper.seconds()
