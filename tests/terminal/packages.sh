#!/bin/bash
# scripts/install-packages against stand-ins for apt-get and pkg-config: what it names, when
# it installs, refreshes, gives up and keeps silent.
. "$(dirname "$0")/../lib.sh"
unset CC # the stand-in is called cc
shown="out err calls"
mkdir "$dir/bin"
stub() { rm -f "$dir/bin/$1"; printf '#!/bin/sh\n%s\n' "$2" >"$dir/bin/$1"; chmod +x "$dir/bin/$1"; }
for tool in sh cc make env sed tail mktemp rm cat protoc-c; do
    ln -sf "$(command -v $tool || echo /bin/true)" "$dir/bin/$tool"
done
# A machine that lacks libraries until apt-get has "installed" them.
machine() { # MISSING-LIBRARIES
    rm -f "$dir/have" "$dir/fresh" "$dir/calls"
    echo "$1" >"$dir/lacks"
    stub id 'echo 0'
    stub apt-cache "[ -e '$dir/fresh' ]"
    stub apt-get "echo \"apt-get \$*\" >>'$dir/calls'
case \$1 in update) : >'$dir/fresh' ;; install) [ -e '$dir/fresh' ] && : >'$dir/have' ;; esac"
}
stub pkg-config "case \" \$(cat '$dir/lacks') \" in *\" \$2 \"*) [ -e '$dir/have' ] ;; esac"
run() { PATH=$dir/bin scripts/install-packages "$@" >"$dir/out" 2>"$dir/err" </dev/null; rc=$?; }
status() { [ "$rc" -eq "$1" ]; }
says() { cat "$dir/out" "$dir/err" | grep -qF -- "$1"; }
calls() { [ "$(cut -d' ' -f1,2 "$dir/calls" 2>/dev/null | tr '\n' ,)" = "$1" ]; }

if [ ! -e "$(echo /usr/lib/*/lua/5.4/luv.so)" ]; then
    echo "1..0 # SKIP the Lua modules are not where this test expects them"; exit 0
fi
machine ''; run
check "nothing missing: status 0" status 0
check "silent" [ ! -s "$dir/out" ]; check "apt-get is not asked" calls ''
machine 'sqlite3 readline'; touch "$dir/fresh"; run
check "without a terminal it installs at once" calls 'apt-get install,'
check "names the packages" says libsqlite3-dev; check "and what they bring" says 'the store'
check "all of them" grep -q 'libreadline-dev libsqlite3-dev' "$dir/calls"
check "status 0" status 0
machine 'sqlite3'; run
check "old package lists are refreshed first" calls 'apt-get update,apt-get install,'
check "and then it installs" status 0
machine 'cmocka'; run
check "test packages are not asked for" calls ''
run --tests
check "unless --tests is given" grep -q libcmocka-dev "$dir/calls"
check "lint tools come with them" grep -q 'lua-check shellcheck' "$dir/calls"
machine 'sqlite3'; stub apt-get "echo no network; echo \"apt-get \$*\" >>'$dir/calls'; exit 100"; run
check "a failure: status 1" status 1
check "shows what apt said" says 'no network'; check "and the command" says 'apt-get install -y'
machine 'sqlite3'; stub id 'echo 1000'; run
check "no root and no sudo: status 1" status 1; check "the command to run" says 'As root, run:'
check "nothing was tried" calls ''
machine 'sqlite3'; stub id 'echo 1000'; stub sudo '[ "$1" = -n ] && exit 0; exec "$@"'
touch "$dir/fresh"; run
check "sudo that needs no password is used" calls 'apt-get install,'; rm "$dir/bin/sudo"
machine 'sqlite3'; touch "$dir/fresh"; stub apt-get 'exit 0'; run
check "a package that brings too little: status 1" status 1; check "is named" says 'lack a part'
machine 'sqlite3'; rm "$dir/bin/apt-get"; run
check "no apt-get: status 1" status 1; check "is said" says 'no apt-get'
run --nonsense; check "an unknown option: status 2" status 2
done_testing
