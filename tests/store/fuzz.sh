#!/bin/sh
# Damaged stores by the hundred, released and under ASan+UBSan (tests/fault/fuzz.lua).
# Prints TAP.  tests/torture/fuzz.sh does more of them.
cd "$(dirname "$0")/../.." || exit 2
: "${NETSPACE:?}"
out=$(mktemp) || exit 2
trap 'rm -f "$out"' EXIT
n=0
fuzz() { # NAME PROGRAM FIRST COUNT
    n=$((n + 1))
    if timeout 600 "$2" -q --no-init tests/fault/fuzz.lua "$3" "$4" >"$out" 2>&1; then
        echo "ok $n - $4 damaged stores, $1"
    else
        echo "not ok $n - $4 damaged stores, $1 (status $?)"
        grep -v '^ok' "$out" | head -40 | sed 's/^/# /'
    fi
}
fuzz released "$NETSPACE" 1 "${FUZZ:-240}"
if [ -x build/asan/netspace ]; then
    fuzz "ASan+UBSan" build/asan/netspace 10001 "${FUZZ_ASAN:-80}"
fi
echo "1..$n"
