#!/bin/sh
# The long form of the kill test: kill.lua with 330 kills, for 1, 2 and 4 workers and for tasks.  (The
# short form is part of `make check`: tests/sweep/kill.sh; kill_ssh.sh kills on hosts.)  Many are made
# in several goes with   KILLS=10000 KILL_LOG=~/kills tests/torture/kill.sh.   Prints TAP.
exec "${NETSPACE:?}" -q --no-init tests/torture/kill.lua "${KILLS:-330}" "${SEED:-$$}" 1 2 4 tasks
