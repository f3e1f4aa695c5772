#!/usr/bin/env python3
"""e_fit in NumPy, vectorised over the whole grid: the same numbers as arch.fit, and its time.

  fit_numpy.py [MODELS]      100 models of each of three spaces; needs NumPy and ./netspace
"""
import json
import os
import subprocess
import sys
import time

import numpy as np

MODELS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
LUA = """
local json = require "cjson"
local out = {}
for _, name in ipairs { "AnyNetXA", "AnyNetXE", "RegNetX" } do
  local p = space[name]:sample(%d, { image = 224, classes = 1000, flops = { 360e6, 400e6 } })
  local seconds = math.huge
  for i = 1, 5 do
    local start = os.clock()
    arch.fit(p)
    seconds = math.min(seconds, os.clock() - start)
  end
  local fits, models = arch.fit(p), {}
  for i, m in ipairs(p) do models[i] = { d = m.d, w = m.w, e_fit = fits[i].e_fit } end
  out[#out + 1] = { space = name, seconds = seconds, models = models }
end
print(json.encode(out))
""" % MODELS

w0 = np.arange(8, 257, 8, dtype=np.float64)
wa = np.arange(0, 257, 4, dtype=np.float64)
wm = np.round(np.arange(31) * 0.05 + 1.5, 10)
log_wm = np.log(wm)[None, None, :, None]
log_w0 = np.log(w0)[:, None, None, None]


def level_tables(blocks):
    """ln of every predicted width: (w_0, w_a, w_m, block), for the deepest network."""
    u = w0[:, None, None] + wa[None, :, None] * np.arange(blocks)
    k = np.rint(np.log(u / w0[:, None, None])[:, :, None, :] / log_wm)
    return (log_w0 + k * log_wm).reshape(-1, blocks)


out = json.loads(subprocess.run([os.path.join(ROOT, "netspace"), "-q", "--no-init", "-e", LUA],
                                capture_output=True, text=True, check=True).stdout)
deepest = max(sum(m["d"]) for s in out for m in s["models"])
table = level_tables(deepest)  # its making is not timed; netspace's tables are
for s in out:
    worst, seconds = 0, 0
    for m in s["models"]:
        log_w = np.log(np.repeat(m["w"], m["d"]))
        start = time.process_time()
        e = np.abs(table[:, :len(log_w)] - log_w).mean(axis=1).min()
        seconds += time.process_time() - start
        worst = max(worst, abs(e - m["e_fit"]))
    n = len(s["models"])
    print(f"{s['space']:10} {n} models: netspace {s['seconds'] * 1e3:7.1f} ms, "
          f"NumPy {np.__version__} {seconds * 1e3:8.1f} ms, ratio {seconds / s['seconds']:5.1f}; "
          f"largest difference {worst:.1e}")
    assert worst < 1e-9
