#!/bin/sh
# PyTorch as a trainer beside the engine: the same losses, checkpoints, and what it refuses.
# Needs a Python with torch, NumPy and Pillow; PYTHON names it.
. "$(dirname "$0")/../lib.sh"
: "${PYTHON:=python3}"
skip_without "$PYTHON"
if ! "$PYTHON" -c 'import torch, numpy, PIL' 2>/dev/null; then
    echo "1..0 # SKIP $PYTHON has no torch, numpy or PIL; PYTHON names another"
    exit 0
fi
export XDG_CACHE_HOME="$dir/cache"
"$PYTHON" tests/sweep/torch.py "$dir"
