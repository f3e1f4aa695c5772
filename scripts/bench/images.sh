#!/bin/sh
# make bench-images: PROGRAM [DIR].  DIR: JPEG files; without it, drawn ones.  PYTHON names a
# Python with Pillow and NumPy; where it has none, the engine is measured alone.
program=$1 dir=$2
drawn=$(mktemp -d) || exit 1
trap 'rm -rf "$drawn"' EXIT
if [ -z "$dir" ]; then
    dir=$drawn
    "$program" --draw "$dir" || exit 1
fi
python=${PYTHON:-python3}
if "$python" -c 'import numpy, PIL' 2>/dev/null; then
    "$python" "${0%.sh}.py" "$program" "$dir"
else
    echo "Pillow is missing: netspace alone (PYTHON=… names a Python that has it)"
    for work in decode 'crop 224' 'crop 64' 'bytes 64' resize; do
        printf '%-10s %s images a second\n' "$work" "$(echo "$work" | "$program" "$dir" | tail -n 1)"
    done
fi
