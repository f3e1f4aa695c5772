#!/bin/bash
# scripts/lint with stand-ins for its tools: what passes, what fails, what is skipped.
cd "$(dirname "$0")/../.." || exit 2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
printf '#!/bin/sh\n' >"$dir/good"
printf '#!/bin/sh\necho "a.lua:1:2: a finding"\nexit 1\n' >"$dir/bad"
printf '#!/bin/sh\necho "$*" >%s/given\n' "$dir" >"$dir/keeps"
chmod +x "$dir/good" "$dir/bad" "$dir/keeps"
n=0
lint() { LUACHECK=$1 SHELLCHECK=$2 scripts/lint >"$dir/out" 2>&1; rc=$?; }
check() { # NAME STATUS LINE
    n=$((n + 1))
    if [ "$rc" -eq "$2" ] && grep -qxF -- "$3" "$dir/out"; then echo "ok $n - $1"; else
        echo "not ok $n - $1"; echo "# status $rc"; sed 's/^/# /' "$dir/out"
    fi
}
lint "$dir/good" "$dir/good"
check "nothing found" 0 "ok 2 - the shell scripts"
lint "$dir/bad" "$dir/good"
check "a finding fails" 1 "not ok 1 - the Lua code"
check "and is shown" 1 "# a.lua:1:2: a finding"
check "the rest is checked all the same" 1 "ok 2 - the shell scripts"
lint nowhere/luacheck "$dir/keeps"
check "a missing tool is skipped" 0 \
    "ok 1 - the Lua code # SKIP nowhere/luacheck is missing: scripts/install-packages --tests"
n=$((n + 1))
if grep -q ' scripts/lint .*tests/terminal/lint.sh' "$dir/given"; then echo "ok $n - scripts and tests are given"
else echo "not ok $n - scripts and tests are given"; sed 's/^/# /' "$dir/given"; fi
echo "1..$n"
