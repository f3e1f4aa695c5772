#!/usr/bin/env python3
"""Stores as earlier versions of netspace wrote them, for tests/unit/test_old_stores.lua.

    scripts/make_stores_fixture.py [VERSION]...

For each version of the store (all of COMMITS when none is named), the last commit that wrote it
is checked out into build/stores and built, and that program trains two small populations:
tests/data/stores/VERSION.db.gz is its store, VERSION.txt what it said of it then: the results by
its own functions, and the epochs as Python's SQLite reads them.  A model of the second population
diverges, and one is left in the queue.  Needs what building netspace needs; minutes."""
import gzip
import os
import sqlite3
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WHERE = os.path.join(HERE, "tests/data/stores")
COMMITS = {1: "656147b", 2: "eb57938", 3: "f4031e4", 4: "d67d7d9", 5: "6740a79", 6: "b3e813b",
           7: "abfaf2d", 8: "d4a1d84", 9: "cafcf1a"}

TRAIN = r"""
local D = data.open("shapes", { train = 512, test = 64 })
local function run(name, models, lr)
  return sweep.run { store = arg[1], name = name, models = models, data = D, workers = 1, seed = 3,
    recipe = recipe { epochs = 2, batch = 32, lr = lr } }
end
local S = space.AnyNetXB
local A = S:sample(2, { flops = { 1e5, 3e6 }, image = 32, stem_width = 8, seed = 7 })
local B = { arch.anynet { d = { 1, 1 }, w = { 8, 16 }, g = { 8, 8 } } }
B[2] = arch.anynet { d = { 2 }, w = { 16 }, g = { 4 } }
B[3] = B[1]
for i, r in ipairs { run("A", A, 0.02), run("B", B, 1000) } do
  for k, m in ipairs(r.models) do
    local function list(key) return table.concat(m[key], " ") end
    print(("model %s %d | %s | %s | %s | %s | %s"):format(i == 1 and "A" or "B", k, list "d",
      list "w", list "b", list "g", ("%.17g"):format(r.errors[k])))
  end
end
"""


def build(version):
    """The program of a version, built once."""
    place = os.path.join(HERE, "build/stores", str(version))
    program = os.path.join(place, "build/release/netspace")
    if not os.path.exists(program):
        subprocess.run(["git", "clone", "-q", HERE, place], check=True)
        subprocess.run(["git", "-C", place, "checkout", "-q", COMMITS[version]], check=True)
        subprocess.run(["make", "-s", "-C", place, "CFLAGS=-O1 -g0 -w", "build/release/netspace",
                        *([f"CC={os.environ['CC']}"] if "CC" in os.environ else [])], check=True)
    return place, program


def write(version):
    place, program = build(version)
    store, script = os.path.join(place, "old.db"), os.path.join(place, "train.lua")
    for end in ("", "-wal", "-shm"):
        if os.path.exists(store + end):
            os.remove(store + end)
    with open(script, "w") as f:
        f.write(TRAIN)
    done = subprocess.run([program, "-q", script, store], stdout=subprocess.PIPE, text=True,
                          cwd=place)
    said = done.stdout
    if done.returncode not in (0, 3) or said.count("\n") != 5:
        sys.exit(f"version {version}: status {done.returncode}\n{said}")
    said = "".join(line + "\n" for line in said.splitlines() if not line.startswith("model B 3"))
    db = sqlite3.connect(store)
    assert db.execute("PRAGMA user_version").fetchone() == (version,)
    error = "test_error" if version < 5 else "validation_error"
    for row in db.execute(f"SELECT name, idx, epoch, lr, train_loss, train_error, {error} FROM epoch "
                          "JOIN model ON model.id = epoch.model JOIN population ON "
                          "population.id = population ORDER BY name, idx, epoch"):
        said += "epoch " + " ".join("nan" if x is None else x if isinstance(x, str) else f"{x:.17g}"
                                    for x in row) + "\n"
    # As if the last one had not been begun yet.
    db.execute("UPDATE model SET status='queued', attempt=0, error=NULL, reason=NULL, started=NULL, "
               "ended=NULL, seconds=NULL, images_per_s=NULL, epochs=0 WHERE idx=3")
    db.execute("DELETE FROM epoch WHERE model NOT IN (SELECT id FROM model WHERE idx < 3)")
    for row in db.execute("SELECT name, idx, flops, params, acts, status FROM model "
                          "JOIN population ON population.id = population ORDER BY name, idx"):
        said += "cost " + " ".join(map(str, row)) + "\n"
    db.commit()
    db.execute("VACUUM")
    db.close()
    with open(store, "rb") as f, open(os.path.join(WHERE, f"{version}.db.gz"), "wb") as g:
        g.write(gzip.compress(f.read(), 9, mtime=0))
    with open(os.path.join(WHERE, f"{version}.txt"), "w") as f:
        f.write(said)


os.makedirs(WHERE, exist_ok=True)
for v in [int(a) for a in sys.argv[1:]] or sorted(COMMITS):
    write(v)
    print(v, os.path.getsize(os.path.join(WHERE, f"{v}.db.gz")))
