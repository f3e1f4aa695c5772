#!/bin/sh
# Memory that is short: about 3,000 allocations fail, one or two at a time, over all that the
# program does (tests/fault/starve.lua).  Prints TAP.
exec "${NETSPACE:?}" -q --no-init tests/unit/test_starve.lua "${POINTS:-3000}"
