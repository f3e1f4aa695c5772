"""scripts/torch_trainer.py beside the engine, as TAP: the same loss within 1e-4 over ten steps,
checkpoints, SIGTERM, and what it refuses.  Started by torch.sh with an empty folder."""
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np

NETSPACE, FOLDER = os.environ["NETSPACE"], sys.argv[1]
TRAINER = [sys.executable, "scripts/torch_trainer.py"]
TOLERANCE = 1e-4
done = 0


def ok(good, name, why=""):
    global done
    done += 1
    print("%s %d - %s" % ("ok" if good else "not ok", done, name), flush=True)
    if not good and why:
        print("# %s" % why)


def picture(seed, channels):
    """A smooth picture of some size, as PPM or PGM."""
    r = np.random.default_rng(seed)
    w, h = (int(x) for x in r.integers(26, 75, 2))
    y, x = np.mgrid[:h, :w].astype(float)
    planes = []
    for _ in range(channels):
        a = r.uniform(-.3, .3, 4)
        wave = np.sin(a[0] * x + a[1] * y + 6 * r.uniform()) + np.cos(a[2] * x + a[3] * y)
        planes.append(128 + 55 * wave + r.normal(0, 4, (h, w)))
    pixels = np.clip(np.stack(planes, 2), 0, 255).astype(np.uint8)
    return b"P%d\n%d %d\n255\n" % (6 if channels == 3 else 5, w, h) + pixels.tobytes()


def folder(name, channels):
    path = os.path.join(FOLDER, name)
    for part, n in (("train", 8), ("val", 3), ("test", 1)):
        for k in range(3):
            where = os.path.join(path, part, "abc"[k])
            os.makedirs(where)
            for i in range(n):
                with open(os.path.join(where, "%d.ppm" % i), "wb") as f:
                    f.write(picture(1000 * k + 100 * n + i, channels))
    return path


def events(command, jobs, **more):
    """What a trainer says to jobs."""
    text = "".join(json.dumps(job) + "\n" for job in jobs)
    out = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True, **more)
    return [json.loads(line) for line in out.stdout.decode().splitlines()]


def of(list_, model, kind):
    return [e for e in list_ if e.get("model") == model and e["event"] == kind]


def last(list_):
    return list_[-1] if list_ else {}


def made_jobs():
    paths = folder("colour", 3), folder("gray", 1)
    out = subprocess.run([NETSPACE, "-q", "--no-init", "tests/sweep/torch_jobs.lua", *paths],
                         stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in out.stdout.decode().splitlines()]


def test_losses(jobs):
    here, there = events(TRAINER, jobs), events([NETSPACE, "--worker"], jobs)
    hello = here[0]
    ok(hello["event"] == "hello" and hello["protocol"] == 1 and hello["trainer"] == "torch",
       "it says what it is", hello)
    for job in jobs:
        mine, its = (np.array([[e["train_loss"], e["validation_loss"]]
                               for e in of(list_, job["model"], "epoch")])
                     for list_ in (here, there))
        what = "%s on %s%s" % (job["m"]["block"], job["source"]["spec"].split(":")[0],
                               ", JPEG" if job["source"].get("pack") == "jpeg" else "")
        if mine.shape != its.shape or not len(its):
            ok(False, "ten losses: " + what, last(of(here, job["model"], "failed")
                                                  or of(here, job["model"], "refused")))
            continue
        apart = abs(mine - its).max(0) / abs(its).max(0)
        ok(apart[0] <= TOLERANCE, "ten losses: %s: within %.1e" % (what, apart[0]),
           "%s\n# %s" % (mine[:, 0], its[:, 0]))
        print("# validation within %.1e" % apart[1])


if __name__ == "__main__":
    test_losses(made_jobs())
    print("1..%d" % done)
