"""scripts/torch_trainer.py beside the engine, as TAP: the same loss within 1e-4 over ten steps,
checkpoints, SIGTERM, and what it refuses.  Started by torch.sh with an empty folder."""
import json
import os
import signal
import subprocess
import sys

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


def changed(job, recipe=None, **more):
    return {**job, "recipe": {**job["recipe"], **(recipe or {})}, **more}


class Running:
    """A trainer at work on a job."""
    def __init__(self, job):
        self.process = subprocess.Popen(TRAINER, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.say(job)

    def say(self, job):
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()

    def until(self, event):
        for line in self.process.stdout:
            e = json.loads(line)
            if e["event"] == event:
                return e

    def rest(self):
        list_ = [json.loads(line) for line in self.process.stdout]
        self.process.stdin.close()
        self.process.stdout.close()
        return list_, self.process.wait()


def results(list_):
    return [(e["epoch"], e["train_loss"], e["validation_loss"], e["validation_error"])
            for e in of(list_, 1, "epoch")]


def test_checkpoints(job):
    """Told to stop, a training goes on later as if nothing had happened."""
    job = changed(job, {"epochs": 16, "batch": 4})
    wanted = results(events(TRAINER, [job]))
    path = FOLDER + "/state/1.safetensors"
    job["checkpoint"] = {"path": path, "every": 1}
    for how in ("SIGTERM", "stop", "broken pipe"):
        t = Running(job)
        t.until("saved")
        if how == "SIGTERM":
            t.process.send_signal(signal.SIGTERM)
        elif how == "stop":
            t.say({"kind": "stop"})
        if how == "broken pipe":
            t.process.stdin.close()
            t.process.stdout.close()
            ok(t.process.wait() == 0 and os.path.exists(path), how + ": it ends")
        else:
            said, status = t.rest()
            ok(status == 0 and last(said).get("event") == "stopped"
               and said[-2]["event"] == "saved",
               how + ": a checkpoint, the word, and the end", (status, said[-3:]))
        said = events(TRAINER, [job])
        begin = last(of(said, 1, "begin"))
        ok(begin["epoch"] > 0 and results(said) == wanted,
           "%s: from epoch %d, step %d on to the same result" % (how, begin["epoch"],
                                                               begin["step"]), begin)
        os.unlink(path)
    with open(path, "wb") as f:
        f.write(b"no checkpoint at all")
    said = events(TRAINER, [changed(job, {"epochs": 1})])
    ok("cannot be used" in last(of(said, 1, "note")).get("text", "")
       and last(said)["event"] == "done", "a damaged checkpoint is named and not used", said[-2:])


def test_ends(job):
    """What a trainer says of jobs that do not end well; and whose weights netspace reads."""
    one = changed(job, {"epochs": 1})
    path = FOLDER + "/weights/1.safetensors"
    expected = [
        ("refused", "has changed", changed(one, checksum="0" * 64), "another checksum"),
        ("refused", "/none", changed(one, source={**one["source"], "spec": "folder:/none"}),
         "no images"),
        ("diverged", "the loss became",
         changed(one, {"lr": 1000, "epochs": 20, "schedule": "constant", "warmup": 0}),
         "a rate of 1000"),
        ("failed", "maze", changed(one, m={**one["m"], "block": "maze"}), "an unknown block"),
        ("failed", "dance", changed(one, kind="dance"), "an unknown kind of job"),
        ("checked", "", changed(one, kind="check"), "the images are there"),
        ("done", "", changed(one, checkpoint={"path": FOLDER + "/x/x", "limit": 10}),
         "a checkpoint that would be too large"),
        ("done", "", changed(one, checkpoint={"path": FOLDER + "/x/x", "weights": path}),
         "a network whose weights are kept")]
    said = events(TRAINER, [changed(e[2], model=i) for i, e in enumerate(expected)],
                  stderr=subprocess.DEVNULL)
    for i, (event, reason, _, name) in enumerate(expected):
        end = last([e for e in said if e.get("model") == i])
        ok(end.get("event") == event and reason in end.get("reason", ""),
           "%s: %s" % (name, event), end)
    script = """
      local source = require("netspace.lib.json").decode(arg[1])
      local net = net.load("%s")
      io.write((net:test(require("netspace.data.data")._reopen(source),
        { split = "validation" })))""" % path
    with open(FOLDER + "/load.lua", "w", encoding="utf-8") as f:
        f.write(script)
    out = subprocess.run([NETSPACE, "-q", "--no-init", FOLDER + "/load.lua",
                          json.dumps(one["source"])], stdout=subprocess.PIPE, check=True)
    ok(float(out.stdout) == last(said)["error"], "netspace loads the weights: the same error",
       (out.stdout, last(said)))


def test_bfloat16(job):
    def loss(command):
        return [e["train_loss"] for e in of(events(command, [job]), 1, "epoch")][:3]
    single, half = loss(TRAINER), loss([*TRAINER, "--precision", "bfloat16"])
    apart = max(abs(a - b) for a, b in zip(single, half))
    ok(0 < apart < .05, "bfloat16: other losses, but near: %.4f" % apart)


if __name__ == "__main__":
    made = made_jobs()
    test_losses(made)
    test_checkpoints(changed(made[1], model=1))  # with averages, precise statistics, drops
    test_ends(made[0])
    test_bfloat16(made[0])
    print("1..%d" % done)
