"""Checkpoints of a training: when they are written (lua/netspace/sweep/checkpoint.lua), and how a
training goes on from one.  A safetensors file with weights, momentum, averages, and in its metadata which
training it is of and where that stands."""
import json
import os
import time

import torch

from . import weights

SHARE = .01              # of the time, for writing
WITHIN = 300             # seconds between two within an epoch, at least
SEEK, RATE = .01, 100e6  # a first guess of what writing costs: seconds; bytes a second
MOMENTUM, AVERAGE = "momentum.", "average."


class Keeper:
    def __init__(self, job, net, optimizer, average, identity, emit):
        o = job.get("checkpoint") or {}
        self.path, self.every, self.between = o.get("path"), o.get("every"), o.get("seconds")
        if self.path and not self.path.startswith("/"):
            home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
            self.path = os.path.join(home, "netspace", self.path)
        self.net, self.optimizer, self.average, self.emit = net, optimizer, average, emit
        self.identity = json.dumps(identity, sort_keys=True)
        self.arch = json.dumps(job["m"])
        self.epochs, self.spent, self.began = [], 0., time.monotonic()
        size = sum(8 * p.numel() for p in net.parameters()) + sum(
            4 * b.numel() for b in net.buffers()) + sum(
            4 * v.numel() for v in self._averages().values())
        self.last, self.cost = self.began, SEEK + size / RATE
        self.failing = False
        if self.path and o.get("limit") and size > o["limit"]:
            self.tell("a checkpoint would have %d bytes, above the limit of %d: none is written"
                      % (size, o["limit"]))
            self.path = None

    def tell(self, text):
        self.emit("note", text=text)

    def seconds(self):
        """Of training so far, with those before the checkpoint."""
        return self.spent + time.monotonic() - self.began

    def _momentum(self):
        """Each parameter's momentum, by name: 0 before the first step."""
        for name, p in self.net.named_parameters():
            state = self.optimizer.state[p]
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = torch.zeros_like(p)
            yield MOMENTUM + name, state["momentum_buffer"]

    def _averages(self):
        """The average of weights and statistics, by name."""
        return {AVERAGE + name: v for name, v in self.average.values.items()} \
            if self.average else {}

    def take_up(self):
        """Where the training goes on: a point, or None for its beginning."""
        if not self.path or not os.path.exists(self.path):
            return None
        try:
            tensors, metadata = weights.read(self.path)
            if metadata.get("netspace.identity") != self.identity:
                raise ValueError("it is of another training: its network, recipe, data, seed, "
                                 "trainer or device differs")
            state = json.loads(metadata["netspace.state"])
            momentum = dict(self._momentum())
            besides = {**momentum, **self._averages()}
            self.net.load_state_dict({k: t for k, t in tensors.items() if k not in besides})
            for name, buffer in besides.items():
                buffer.copy_(tensors[name])
        except (OSError, ValueError, KeyError, RuntimeError) as e:
            self.tell("the checkpoint cannot be used, training starts again at epoch 1: %s: %s"
                      % (self.path, e))
            return None
        self.epochs, self.spent = state["epochs"], state["spent"]
        return state["at"]

    def save(self, at):
        """Writes where the training stands."""
        if not self.path:
            return
        start = time.monotonic()
        state = {"at": at, "epochs": self.epochs, "spent": self.seconds()}
        try:
            weights.write(self.path, {**self.net.state_dict(), **dict(self._momentum()),
                                      **self._averages()},
                          {"format": "pt", "netspace.arch": self.arch,
                           "netspace.identity": self.identity,
                           "netspace.state": json.dumps(state)})
            self.failing = False
            self.emit("saved", epoch=at["epoch"], step=at["step"])
        except OSError as e:
            if not self.failing:  # once; the training does not need it
                self.tell("no checkpoint was written: %s" % e)
            self.failing = True
        self.last = time.monotonic()
        self.cost = self.last - start

    def _due(self, least):
        since = time.monotonic() - self.last
        return since >= (self.between or max(least, self.cost / SHARE))

    def epoch(self, event, epochs):
        """An epoch has ended; after the last one nothing is written."""
        self.epochs.append(event)
        if event["epoch"] == epochs:
            return
        if event["epoch"] % self.every == 0 if self.every else self._due(0):
            self.save({"epoch": event["epoch"], "step": 0})

    def step(self, at):
        """The training stands at a point within an epoch; at(): what to keep of it."""
        if not self.every and self._due(WITHIN):
            self.save(at())
