#!/usr/bin/env python3
"""PyTorch as a trainer of netspace (man netspace-trainer): jobs come as lines of JSON on standard
input, events leave on standard output.

    sweep.run{ …, trainer = "python3 scripts/torch_trainer.py --device cuda:0" }

It trains as netspace's own workers do, from the same initial weights, with the same images in the
same order, so that the first steps agree and the errors do within noise.  Needed: PyTorch and
NumPy; Pillow for images that are not bytes of the network's size.  torchtrain/ has the parts."""
import argparse
import json
import os
import queue
import signal
import socket
import sys
import threading
import time
import traceback

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from torchtrain import sets, train, views, weights  # noqa: E402

PROTOCOL = 1
UNITS = {"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}


def size(text):
    """A number of bytes, such as 8GB."""
    for unit, n in UNITS.items():
        if text.endswith(unit):
            return int(float(text[:-len(unit)]) * n)
    raise argparse.ArgumentTypeError("'%s'; it is a size with its unit, such as 8GB" % text)


def arguments():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--device", default="cpu", metavar="NAME[,NAME…]", help="cpu (the default), "
                   "cuda:0, or several: the trainers of a sweep take them in turn")
    p.add_argument("--precision", default="float32", choices=("float32", "tf32", "bfloat16"))
    p.add_argument("--contiguous", action="store_true", help="channels first in memory, not last")
    p.add_argument("--deterministic", action="store_true",
                   help="the same results each time, also on a GPU; slower")
    p.add_argument("--threads", type=int, default=1, help="of computing on a processor (1)")
    p.add_argument("--readers", type=int, default=4, help="threads that read images (4)")
    p.add_argument("--room", type=size, metavar="BYTES",
                   help="of images that may lie on the device (a quarter of what is free there; "
                        "on a processor 4GB)")
    return p.parse_args()


class Trainer:
    def __init__(self, o):
        self.events = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # what libraries print
        self.jobs, self.stop, self.idle = queue.Queue(), False, True
        names = o.device.split(",")
        slot = int(os.environ.get("NETSPACE_SLOT") or 1)
        torch.set_num_threads(o.threads)
        self.machine = train.Machine(names[(slot - 1) % len(names)], o.precision,
                                     not o.contiguous, o.deterministic)
        self.readers, self.room, self.of = o.readers, o.room, {}
        self.view = self.view_key = None
        device, kernels = self.describe(o)
        self.identity = {"torch": torch.__version__, "device": device, "kernels": kernels,
                         "contiguous": o.contiguous}
        self.hello = {"protocol": PROTOCOL, "trainer": "torch", "version": torch.__version__,
                      "device": device, "kernels": kernels, "host": socket.gethostname(),
                      "pid": os.getpid()}

    def describe(self, o):
        """What computes, and with what."""
        if self.machine.gpu:
            device = torch.cuda.get_device_name(self.machine.device)
            kernels = "cuDNN %s" % torch.backends.cudnn.version()
            if o.deterministic:
                kernels += ", deterministic"
        else:
            device = "cpu"
            kernels = "oneDNN, %s" % torch.backends.cpu.get_cpu_capability()
            if o.threads > 1:
                kernels += ", %d threads" % o.threads
        return device + ("" if o.precision == "float32" else ", " + o.precision), kernels

    def say(self, event, /, **more):
        """An event; when nobody listens any more, the training ends as at SIGTERM."""
        try:
            self.events.write(json.dumps({"event": event, **self.of, **more}) + "\n")
            self.events.flush()
        except BrokenPipeError:
            self.stop = True

    def listen(self):
        """Reads jobs while there may be one at work."""
        for line in sys.stdin:
            job = json.loads(line)
            if job["kind"] == "stop":
                self.told()
            else:
                self.jobs.put(job)
        self.jobs.put(None)

    def told(self, *_):
        """To stop: at work between two steps, otherwise now."""
        self.stop = True
        if self.idle:
            os._exit(0)

    def data(self, job):
        """The images of a job, kept for the next ones."""
        key = json.dumps([job["source"], job["checksum"]], sort_keys=True)
        if self.view_key != key:
            if self.view:
                self.view.close()
            self.view = self.view_key = None
            data = sets.opened(job["source"], job["checksum"])
            self.view = views.Views(data, self.machine.device, self.readers, self.room or (
                torch.cuda.mem_get_info(self.machine.device)[0] // 4 if self.machine.gpu
                else 4 * 10 ** 9))
            self.view_key = key
        return self.view

    def train(self, job):
        if self.machine.gpu:
            total = torch.cuda.get_device_properties(self.machine.device).total_memory
            torch.cuda.set_per_process_memory_fraction(
                min(1., job.get("memory", total) / total), self.machine.device)
        view = self.data(job)
        identity = {**self.identity, **{k: job[k] for k in ("m", "seed", "recipe", "checksum")}}
        began = time.monotonic()
        try:
            t = train.Training(job, view, self.machine, identity, self.say, lambda: self.stop)
            error, seconds = t.run()
        except train.Diverged as e:
            self.say("diverged", error=100, reason=str(e), seconds=t.keeper.seconds())
            return
        except train.Parked:
            self.say("parked", seconds=t.keeper.seconds())
            return
        except (KeyError, ValueError, TypeError, RuntimeError) as e:
            traceback.print_exc()
            if self.machine.gpu and isinstance(e, RuntimeError):
                raise  # no memory, or a device that fails: another process tries again
            self.say("failed", error=100, seconds=time.monotonic() - began,
                     reason="%s: %s" % (type(e).__name__, e))
            return
        keep = (job.get("checkpoint") or {}).get("weights")
        if keep:
            try:
                about = view.data.about(job["checksum"])
                if t.average:
                    about["weights"] = "average"
                weights.write(keep, t.net.state_dict(), {
                    "format": "pt", "netspace.arch": json.dumps(job["m"]),
                    "netspace.data": json.dumps(about)})
            except OSError as e:
                self.say("note", text="the weights are not kept: %s" % e)
        self.say("done", error=error, seconds=seconds)

    def handle(self, job):
        self.of = {"model": job["model"], "attempt": job["attempt"]}
        try:
            if job["kind"] == "check":
                self.data(job)
                self.say("checked")
            elif job["kind"] == "train":
                self.train(job)
            else:
                self.say("failed", error=100, seconds=0,
                         reason="this trainer does not know the job '%s'" % job["kind"])
        except sets.Refused as e:
            self.say("refused", reason=str(e))
        except train.Stopped:
            self.say("stopped")

    def run(self):
        signal.signal(signal.SIGTERM, self.told)
        signal.signal(signal.SIGINT, self.told)
        self.say("hello", **self.hello)
        threading.Thread(target=self.listen, daemon=True).start()
        while not self.stop:
            job = self.jobs.get()
            if job is None:
                break
            self.idle = False
            self.handle(job)
            self.idle = True


if __name__ == "__main__":
    Trainer(arguments()).run()
