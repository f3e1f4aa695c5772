#!/bin/sh
# The power is cut after every operation of a sweep on its files, in three ways each, with the sweep
# run again after every tenth (tests/fault/power.lua).  Prints TAP.
exec "${NETSPACE:?}" -q --no-init tests/fault/cuts.lua
