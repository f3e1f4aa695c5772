"""The PyTorch half of `make bench`: one network, which runs slices of steps when told to.

Standard input: a job as JSON, {"arch": …, "batch": …, "train": …} and "layout",
"optimizer" or, to find the fastest of these, "probe": seconds for each; then lines with
the seconds of a slice, or "threads N".  Standard output: an answer as JSON for every line.  Rates count
processor seconds of this process, or with threads the clock on the wall.  Memory is the peak of the process less what it was
once torch was imported."""
import json
import resource
import sys
import time

import torch
from torch import nn

sys.path.insert(0, sys.path[0] + "/../../lua/netspace/network")
from torch_anynet import anynet

LAYOUTS = {"channels last": torch.channels_last, "contiguous": torch.contiguous_format}
OPTIMIZERS = {"foreach": {"foreach": True}, "fused": {"fused": True}, "plain": {"foreach": False}}


def peak():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))


def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def answer(**fields):
    print(json.dumps(fields), flush=True)


class Job:
    def __init__(self, m, batch, train, layout, optimizer):
        torch.manual_seed(1)
        self.batch, self.train = batch, train
        self.net = anynet(m).to(memory_format=LAYOUTS[layout]).train(train)
        self.x = torch.rand(batch, 3, m["image"], m["image"]) * 2 - 1
        self.x = self.x.to(memory_format=LAYOUTS[layout])
        self.y = torch.arange(batch) % m["classes"]
        self.loss = nn.CrossEntropyLoss()
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.01, momentum=0.9,
                                   weight_decay=5e-5, nesterov=True,
                                   **OPTIMIZERS[optimizer])

    def step(self):
        if not self.train:
            with torch.inference_mode():
                return self.net(self.x)
        self.opt.zero_grad(set_to_none=True)
        self.loss(self.net(self.x), self.y).backward()
        self.opt.step()

    def run(self, seconds):
        """Images a second over `seconds` after a step that warms the caches."""
        self.step()
        steps, missed, start, began = 0, faults(), time.process_time(), time.monotonic()
        while steps == 0 or time.process_time() - start < seconds:
            self.step()
            steps += 1
        spent = time.process_time() - start
        wall = steps * self.batch / (time.monotonic() - began)
        return steps * self.batch / spent, (faults() - missed) / steps, wall


def probe(job, seconds):
    """The fastest layout, and with it the fastest optimizer; the better of two turns."""
    tried = {}

    def fastest(ways):
        for way in ways + ways:
            j = Job(job["arch"], job["batch"], job["train"], *way)
            j.step()
            tried[way] = max(tried.get(way, 0), j.run(seconds)[0])
        return max(tried, key=tried.get)

    layout, optimizer = fastest([(layout, "foreach") for layout in LAYOUTS])
    if job["train"]:
        layout, optimizer = fastest([(layout, o) for o in OPTIMIZERS])
    answer(layout=layout, optimizer=optimizer,
           tried={", ".join(way): rate for way, rate in tried.items()})


def main():
    torch.set_num_threads(1)
    before = peak()
    job = json.loads(sys.stdin.readline())
    if "probe" in job:
        return probe(job, job["probe"])
    j = Job(job["arch"], job["batch"], job["train"], job["layout"], job["optimizer"])
    j.step()
    answer(version=torch.__version__)
    for line in sys.stdin:
        if line.startswith("threads"):
            torch.set_num_threads(int(line.split()[1]))
            answer()
            continue
        rate, missed, wall = j.run(float(line))
        answer(images_per_s=rate, wall_images_per_s=wall, faults=missed,
               peak_bytes=peak() - before)


try:
    main()
except KeyboardInterrupt:
    sys.exit(130)
