#!/bin/sh
# What people run, with a system that fails at every point where it is asked for something, in every
# way (tests/fault/walk.lua, scenarios.lua): a sweep, one that goes on, a pack, exports, a report, a
# sweep on a cluster.  FAULT_STEP=n takes every n-th point only.  Two walks share the points, as
# one waits as often as it works.  Prints TAP, and the number of points.
step=$((2 * ${FAULT_STEP:-1}))
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
"${NETSPACE:?}" -q --no-init tests/fault/all.lua $step 1 >"$dir/second" 2>&1 &
"$NETSPACE" -q --no-init tests/fault/all.lua $step 0 >"$dir/first"
wait
# one plan of both
awk '/^(not )?ok/ { n++; sub(/ok [0-9]+/, "ok " n) } /^1\.\./ { next } { print } END { print "1.." n }' \
    "$dir/first" "$dir/second"
