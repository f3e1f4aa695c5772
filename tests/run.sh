#!/bin/sh
# Runs every test through prove (TAP) and ends with "N passed, N failed".
#   tests/run.sh [FILE…]      all but tests/torture (long), or the named tests only
# A test is a C program built from tests/unit (in the variants VARIANTS: release asan), a Lua
# script in tests/unit run by netspace, or an executable tests/*/*.sh.  Each prints TAP.
cd "$(dirname "$0")/.." || exit 2
export CMOCKA_MESSAGE_OUTPUT=TAP NETSPACE=${NETSPACE:-$PWD/build/release/netspace}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1} LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export XDG_STATE_HOME=$PWD/build/test-state XDG_CONFIG_HOME=$PWD/build/test-config
export XDG_CACHE_HOME=$PWD/build/test-cache
export TZ=UTC # the monitor shows times of day
mkdir -p build
if [ $# -eq 0 ]; then
    for v in ${VARIANTS:-release asan}; do
        for t in tests/unit/test_*.c; do set -- "$@" "build/$v/tests/$(basename "$t" .c)"; done
    done
    set -- "$@" scripts/layers scripts/lint tests/unit/test_*.lua
    for t in tests/*/*.sh; do case $t in tests/torture/*) ;; *) set -- "$@" "$t" ;; esac; done
fi
# As many at a time as there are processors, and one more: many wait rather than work.
jobs=${JOBS:-$(($(nproc) + 1))}
log=build/check.log
rm -rf build/check && mkdir -p build/check
prove --timer -j "$jobs" -e tests/exec "$@" >build/check/summary 2>&1
status=$?
for t; do
    name=build/check/$(echo "$t" | tr / -)
    echo "== $t"
    cat "$name.tap" "$name.err" 2>/dev/null
done >"$log"
cat build/check/summary >>"$log"
grep -E '^== |^not ok|^# ' "$log" | grep -vE '^# (Running|[0-9]+ test)' |
    awk '/^== /{test = $0; next} {if (test) print test; test = ""; print}' | tail -60
grep -vE ' ok +[0-9]+ ms|^\[[0-9:]+\]$' build/check/summary | tail -60
passed=$(grep -c '^ok' "$log"); failed=$(grep -c '^not ok' "$log")
[ $status -ne 0 ] && [ "$failed" -eq 0 ] && failed=1
echo "full log: $log"
echo "$passed passed, $failed failed"
exit $status
