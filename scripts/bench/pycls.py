"""Drawing RegNetX networks inside a flops window, netspace beside pycls, in turn.

    PYCLS=DIR venv/bin/python scripts/bench/pycls.py [ROUNDS]

DIR is a checkout of pycls (github.com/facebookresearch/pycls, MIT), whose sweep_setup this
calls as it is, with its ranges of a good RegNetX (12 <= d <= 28, b = 1, 8 <= g <= 128,
2 <= w_m <= 3, w_0 and w_a from 8 to 256); the environment has its requirements (torch, yacs,
iopath, simplejson, submitit, matplotlib).  Both keep what has 360 to 400 MF at 224 pixels, on
one core (pycls may share the work among more).  Run it where ./netspace is.
"""
import os
import subprocess
import sys
import time

pycls = os.environ.get("PYCLS") or sys.exit(__doc__)
os.environ.setdefault("CONDA_PREFIX", "")  # its configuration wants to know
sys.path[:0] = [pycls, os.path.join(pycls, "tools")]
import sweep_setup  # noqa: E402
from pycls.sweep.config import SAMPLERS, sweep_cfg  # noqa: E402
import torch  # noqa: E402

CANDIDATES = 2000
setup = sweep_cfg.SETUP
setup.CHUNK_SIZE, setup.NUM_CONFIGS = CANDIDATES, CANDIDATES
setup.BASE_CFG.MODEL.TYPE = "regnet"
setup.BASE_CFG.REGNET.STEM_W = 32
setup.BASE_CFG.TRAIN.IM_SIZE = 224
setup.CONSTRAINTS.CX.FLOPS = [360e6, 400e6]
setup.SAMPLERS.REGNET = SAMPLERS.REGNET_SAMPLER.clone()

LUA = """
local g = {}
for i = 8, 128, 8 do g[#g + 1] = i end
local S = space.RegNetX:with { "b_1", d = { 12, 28 }, w_m = { 2, 3 }, g = g }
local start, tried, kept = os.clock(), 0, 0
for seed = 1, 20 do
  local p = S:sample(2000, { seed = seed, flops = { 360e6, 400e6 }, image = 224,
    classes = 1000 })
  tried, kept = tried + p.tried, kept + #p
end
print(tried / (os.clock() - start), kept / tried)
"""


def theirs(seed):
    start = time.process_time()
    kept = len(sweep_setup.sample_cfgs(seed))
    return CANDIDATES / (time.process_time() - start), kept / CANDIDATES


def ours():
    out = subprocess.run(["./netspace", "-q", "--no-init", "-e", LUA], check=True,
                         capture_output=True, text=True).stdout.split()
    return float(out[0]), float(out[1])


rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
best = [0.0, 0.0]
for i in range(rounds):
    pair = theirs(i), ours()
    best = [max(b, p[0]) for b, p in zip(best, pair)]
    print(f"pycls {pair[0][0]:9.0f} candidates/s ({pair[0][1]:.1%} kept)   "
          f"netspace {pair[1][0]:9.0f} ({pair[1][1]:.1%} kept)", flush=True)
print(f"torch {torch.__version__}; best of {rounds}: {best[0]:.0f} and {best[1]:.0f} candidates/s, "
      f"ratio {best[1] / best[0]:.0f}")
