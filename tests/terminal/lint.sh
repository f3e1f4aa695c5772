#!/bin/sh
# scripts/lint with stand-ins for its tools: what passes, what fails, what is skipped.
. "$(dirname "$0")/../lib.sh"
shown='out given'
printf '#!/bin/sh\n' >"$dir/good"
printf '#!/bin/sh\necho "a.lua:1:2: a finding"\nexit 1\n' >"$dir/bad"
printf '#!/bin/sh\necho "$*" >%s/given\n' "$dir" >"$dir/keeps"
chmod +x "$dir/good" "$dir/bad" "$dir/keeps"
lint() { LUACHECK=$1 SHELLCHECK=$2 scripts/lint >"$dir/out" 2>&1; rc=$?; }
says() { [ "$rc" -eq "$1" ] && grep -qxF -- "$2" "$dir/out"; } # STATUS LINE
lint "$dir/good" "$dir/good"
check "nothing found" says 0 "ok 2 - the shell scripts"
lint "$dir/bad" "$dir/good"
check "a finding fails" says 1 "not ok 1 - the Lua code"
check "and is shown" says 1 "# a.lua:1:2: a finding"
check "the rest is checked all the same" says 1 "ok 2 - the shell scripts"
lint nowhere/luacheck "$dir/keeps"
check "a missing tool is skipped" says 0 \
    "ok 1 - the Lua code # SKIP nowhere/luacheck is missing: scripts/install-packages --tests"
check "scripts and tests are given" grep -q ' scripts/lint .*tests/lib.sh .*tests/terminal/lint.sh' \
    "$dir/given"
done_testing
