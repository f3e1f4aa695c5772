#!/usr/bin/env python3
"""What pycls's own sampler draws from the sweeps in tests/data/sweeps: means, deviations and
quantiles of what was drawn, for tests/unit/test_pycls_sweep.lua.

    scripts/make_sweeps_fixture.py PYCLS [DRAWS]

PYCLS is a checkout of facebookresearch/pycls with what it imports (torch, yacs, iopath, submitit,
matplotlib).  DRAWS (20,000) candidates are drawn of each; those that pycls takes are described."""
import json
import os
import sys
import types

import numpy as np

ROOT = sys.argv[1]
DRAWS = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WHERE = os.path.join(HERE, "tests/data/sweeps")

os.environ.setdefault("CONDA_PREFIX", "")
try:
    import matplotlib.pyplot  # noqa: F401
except ImportError:  # pycls's random.py only plots with it
    sys.modules["matplotlib"] = types.ModuleType("matplotlib")
    sys.modules["matplotlib.pyplot"] = types.ModuleType("matplotlib.pyplot")
    sys.modules["matplotlib"].pyplot = sys.modules["matplotlib.pyplot"]
sys.path.insert(0, ROOT)
import pycls.models.scaler as scaler  # noqa: E402
import pycls.sweep.config as sweep_config  # noqa: E402
import pycls.sweep.samplers as samplers  # noqa: E402
from pycls.core.config import cfg, reset_cfg  # noqa: E402

PROBES = (.05, .25, .5, .75, .95)


def describe(params):
    """Numbers of the network and the recipe that cfg holds after scale_model."""
    a = cfg.ANYNET
    t = {"depth": sum(a.DEPTHS), "stages": len(a.DEPTHS)}
    for key, values in (("d", a.DEPTHS), ("w", a.WIDTHS), ("b", [1 / x for x in a.BOT_MULS]),
                        ("g", a.GROUP_WS)):
        for i, v in enumerate(values):
            t["%s%d" % (key, i + 1)] = float(v)
    t["lr"], t["wd"] = cfg.OPTIM.BASE_LR, cfg.OPTIM.WEIGHT_DECAY
    t["momentum"], t["label_smoothing"] = cfg.OPTIM.MOMENTUM, cfg.TRAIN.LABEL_SMOOTHING
    return t


def sweep(path):
    sweep_config.sweep_cfg.defrost()
    sweep_config.sweep_cfg.merge_from_other_cfg(DEFAULT)
    sweep_config.sweep_cfg.SETUP.SAMPLERS.clear()
    reset_cfg()
    sweep_config.load_cfg(path)
    setup = sweep_config.sweep_cfg.SETUP
    np.random.seed(1)
    rows, seen = [], set()
    reset_cfg()
    cfg.merge_from_other_cfg(setup.BASE_CFG)
    kind = cfg.MODEL.TYPE
    for _ in range(DRAWS):
        params = samplers.sample_parameters(setup.SAMPLERS)
        key = str(params)
        if key in seen:
            continue
        seen.add(key)
        cfg.MODEL.TYPE = kind  # all that scale_model changes and params do not set again
        cfg.merge_from_list(params)
        if not samplers.check_regnet_constraints(setup.CONSTRAINTS):
            continue
        scaler.scale_model()
        if samplers.check_complexity_constraints(setup.CONSTRAINTS):
            rows.append(describe(params))
    out = {"drawn": DRAWS, "taken": len(rows), "of": {}}
    for key in rows[0]:
        x = np.array([r[key] for r in rows])
        if x.min() < x.max():
            out["of"][key] = {"mean": float(x.mean()), "sd": float(x.std()), "quantiles": [
                float(v) for v in np.quantile(x, PROBES, method="inverted_cdf")]}
    return out


DEFAULT = sweep_config.sweep_cfg.clone()
result = {"probes": PROBES}
for name in ("regnet", "scalars", "anynet"):
    result[name] = sweep(os.path.join(WHERE, name + ".yaml"))
    print(name, result[name]["taken"], "of", DRAWS, "taken", flush=True)
with open(os.path.join(WHERE, "pycls.json"), "w") as f:
    json.dump(result, f, indent=1, sort_keys=True)
    f.write("\n")
