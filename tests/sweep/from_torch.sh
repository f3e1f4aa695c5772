#!/bin/sh
# scripts/from_torch.py: checkpoints of PyTorch in both forms, as pycls and others write them, give
# the logits that the weights had; what is no plain weights is refused and runs nothing.
# Needs a Python with torch and NumPy; PYTHON names it.
. "$(dirname "$0")/../lib.sh"
: "${PYTHON:=python3}"
skip_without "$PYTHON"
if ! "$PYTHON" -c 'import torch, numpy' 2>/dev/null; then
    echo "1..0 # SKIP $PYTHON has no torch or numpy; PYTHON names another"
    exit 0
fi
shown=out
cat >"$dir/logits.lua" <<'LUA'
-- The logits of a file of weights for one image: logits.lua FILE or, to make one, logits.lua new FILE
local x = {}
for i = 1, 16 * 16 * 3 do x[i] = math.sin(i) end
local n
if arg[1] == "new" then
  n = net.new(arch.anynet { d = { 1, 2 }, w = { 16, 24 }, g = 8, b = 1, se = 0.25, stem_width = 8,
    classes = 4, image = 16 }, { seed = 5 })
  assert(n:save(arg[2]))
else
  n = assert(net.load(arg[1], { image = 16 }))
  local about = n:data()
  print(about and about.channels, about and about.mean and about.mean[1],
    about and about.class_names and table.concat(about.class_names, ","))
end
for _, v in ipairs(n:forward { x }[1]) do print(("%.9g"):format(v)) end
LUA
cat >"$dir/make.py" <<'PY'
import json, os, struct, sys, torch
where = sys.argv[1]
with open(where + "/w.safetensors", "rb") as f:
    head = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    data = f.read()
t = {}
for k, v in head.items():
    if k != "__metadata__":
        a, b = v["data_offsets"]
        kind = torch.float32 if v["dtype"] == "F32" else torch.int64
        t[k] = torch.frombuffer(bytearray(data[a:b]), dtype=kind).reshape(v["shape"])
bgr = dict(t)
bgr["stem.conv.weight"] = t["stem.conv.weight"].flip(1)
zeros = {k: torch.zeros_like(v) for k, v in t.items()}
save = torch.save
save({"epoch": 1, "model_state": bgr, "ema_state": zeros, "cfg": "TRAIN: {DATASET: imagenet}"},
     where + "/zip.pyth")
save({"epoch": 1, "model_state": bgr, "optimizer_state": {"lr": .1}}, where + "/old.pyth",
     _use_new_zipfile_serialization=False)
save({"model_state": t, "cfg": "TRAIN:\n  DATASET: cifar10\n"}, where + "/cifar.pyth")
save({"state_dict": {"module." + k: v for k, v in t.items()}}, where + "/wrapped.pt")
save(t, where + "/plain.bin")
save({"model": zeros, "model_ema": t}, where + "/ema.pth")
class Bad:
    def __reduce__(self):
        return os.system, ("touch %s/ran" % where,)
save({"model_state": Bad()}, where + "/bad.pt")
save([1, 2], where + "/list.pt")
open(where + "/names", "w").write("cat\ndog\nhen\nowl\n")
PY
"$NETSPACE" "$dir/logits.lua" new "$dir/w.safetensors" >"$dir/want"
"$PYTHON" "$dir/make.py" "$dir"
convert() { "$PYTHON" scripts/from_torch.py "$@" >"$dir/out" 2>&1; }
gives() { # FILE WHAT-IS-KNOWN [OPTION…]
    file=$1 known=$2
    shift 2
    convert "$dir/$file" "$dir/$file.safetensors" "$@" \
        && "$NETSPACE" "$dir/logits.lua" "$dir/$file.safetensors" >"$dir/got" 2>>"$dir/out" \
        && [ "$(head -n 1 "$dir/got")" = "$(printf '%b' "$known")" ] \
        && tail -n +2 "$dir/got" | cmp - "$dir/want" >>"$dir/out" 2>&1
}
check "a checkpoint of pycls, blue first" gives zip.pyth 'RGB\t123.675\tnil'
check "in the form before PyTorch 1.6, with names of classes" \
    gives old.pyth 'RGB\t123.675\tcat,dog,hen,owl' --classes "$dir/names"
check "of CIFAR-10, red first" gives cifar.pyth 'RGB\t125.3\tnil'
check "a wrapped state dict, of which nothing is known" gives wrapped.pt 'nil\tnil\tnil'
check "a plain one" gives plain.bin 'RGB\t123.675\tnil' --normalise imagenet
check "averaged weights" gives ema.pth 'nil\tnil\tnil' --ema
convert "$dir/bad.pt" "$dir/bad.safetensors"
check "a pickle that runs a program is refused" [ $? -eq 1 ]
check "and runs nothing" [ ! -e "$dir/ran" ]
convert "$dir/list.pt" "$dir/list.safetensors"
check "what is no weights is refused" grep -q "it holds a list, not weights by name" "$dir/out"
convert "$dir/plain.bin" "$dir/x.safetensors" --ema
check "no averaged weights" grep -q "it has no averaged weights" "$dir/out"
convert "$dir/nothing.pt" "$dir/x.safetensors"
check "no such file" grep -q "nothing.pt: .*No such file" "$dir/out"
done_testing
