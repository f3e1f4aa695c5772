#!/bin/sh
# tests/store/fuzz.sh with more damage.  Prints TAP.
FUZZ=${FUZZ:-5000} FUZZ_ASAN=${FUZZ_ASAN:-1000} exec "$(dirname "$0")/../store/fuzz.sh"
