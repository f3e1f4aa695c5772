#!/bin/sh
# SIGKILL at random moments, of workers and of the main process: the short form of
# tests/torture/kill.lua.  Prints TAP.
exec "${NETSPACE:?}" -q --no-init tests/torture/kill.lua 80 "$$" 1 2 4
