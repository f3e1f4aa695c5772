#!/bin/sh
# Damaged stores by the hundred, released and under ASan+UBSan (tests/fault/fuzz.lua).
# Prints TAP.  tests/torture/fuzz.sh does more of them.
. "$(dirname "$0")/../lib.sh"
shown=out
fuzz() { # NAME PROGRAM FIRST COUNT
    timeout 600 "$2" -q --no-init tests/fault/fuzz.lua "$3" "$4" >"$dir/all" 2>&1
    status=$?
    grep -v '^ok' "$dir/all" | head -40 >"$dir/out"
    ok $status "$4 damaged stores, $1"
}
fuzz released "$NETSPACE" 1 "${FUZZ:-240}"
if [ -x build/asan/netspace ]; then
    fuzz "ASan+UBSan" build/asan/netspace 10001 "${FUZZ_ASAN:-80}"
fi
done_testing
