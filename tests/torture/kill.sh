#!/bin/sh
# The long form of the kill test: kill.lua with 330 kills, for 1, 2 and 4 workers.  (The short
# form is part of `make check`: tests/sweep/kill.sh.)  Prints TAP.
exec "${NETSPACE:?}" -q --no-init tests/torture/kill.lua "${KILLS:-330}" "${SEED:-$$}" 1 2 4
