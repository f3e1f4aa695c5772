#!/bin/sh
# A disk that fails at every point where a sweep or a resume writes, in every way
# (tests/fault/walk.lua).  FAULT_STEP=n takes every n-th point only.  Prints TAP.
exec "${NETSPACE:?}" -q --no-init tests/fault/all.lua "${FAULT_STEP:-1}"
