#!/bin/sh
# Reports in a headless browser, where there is one.
cd "$(dirname "$0")/../.." || exit 2
exec "${NETSPACE:-build/release/netspace}" -q --no-init tests/report/page.lua "$@"
