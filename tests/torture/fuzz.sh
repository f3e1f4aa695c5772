#!/bin/sh
# What reads bytes of others, for a minute each under libFuzzer where clang is installed (TIME=
# seconds; `make fuzz T=NAME`, tests/fuzz), then without it: stores damaged by the thousand
# (tests/store/fuzz.sh), calls and inputs by the ten thousand (tests/unit/test_fuzz.lua), hundreds
# of sessions of random keys (tests/terminal/fuzz.sh).  Prints TAP.
. "$(dirname "$0")/../lib.sh"
shown=out
for target in tests/fuzz/fuzz_*.c lines import pycls hint api; do
    target=$(basename "$target" .c)
    target=${target#fuzz_}
    if command -v clang >/dev/null; then
        make -s fuzz T="$target" TIME="${TIME:-60}" >"$dir/all" 2>&1
        status=$?
        tail -40 "$dir/all" >"$dir/out"
        ok $status "$target: $(grep -o 'Done [0-9]* runs' "$dir/all")"
    fi
done
FUZZ=${FUZZ:-5000} FUZZ_ASAN=${FUZZ_ASAN:-1000} tests/store/fuzz.sh >"$dir/out"
ok $? "damaged stores"
FUZZ_COUNT=${FUZZ_COUNT:-10000} "$NETSPACE" -q --no-init tests/unit/test_fuzz.lua >"$dir/out"
ok $? "random inputs and calls"
FIRST=1000 SESSIONS=${SESSIONS:-400} tests/terminal/fuzz.sh >"$dir/out"
ok $? "random keys"
done_testing
