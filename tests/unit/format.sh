#!/bin/sh
# The C style (scripts/format).
exec "$(dirname "$0")/../../scripts/format" --check
