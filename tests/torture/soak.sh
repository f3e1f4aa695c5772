#!/bin/sh
# A soak: for HOURS, sweeps are started, paused, cancelled and extended from the prompt in a terminal
# (tmux), by actions drawn at random, while three monitors come and go (soak.lua says what must hold).
# The issue's form takes eight hours; it may be cut into several, whose figures add up in the
# directory SOAK:
#   HOURS=8 SOAK=~/soak tests/torture/soak.sh
# Prints TAP.
. "$(dirname "$0")/../lib.sh"
uses_terminal
"$NETSPACE" -q --no-init tests/torture/soak.lua "${HOURS:-0.05}" "${SOAK:-$dir}" "${SEED:-$$}" "$socket"
