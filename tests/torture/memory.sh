#!/bin/sh
# Memory that is short: about 3,000 allocations fail, one or two at a time, over all that the
# program does (tests/fault/starve.lua); PART="2 4": the second of four parts.  Under LSan it finds
# what a failure leaks:  make V=asan all ctests, NETSPACE=$PWD/build/asan/netspace
# ASAN_OPTIONS=verify_asan_link_order=0:fast_unwind_on_malloc=0 (allocations are then found by name
# for tests/lsan.supp).  Prints TAP.
# shellcheck disable=SC2086
exec "${NETSPACE:?}" -q --no-init tests/unit/test_starve.lua "${POINTS:-3000}" $PART
