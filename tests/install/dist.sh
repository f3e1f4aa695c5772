#!/bin/sh
# `make dist` gives the same bytes in another directory, under another umask and time zone, on
# another day; what is in it knows its commit without git.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
skip_without git
if ! git rev-parse HEAD >/dev/null 2>&1; then
    echo "1..0 # SKIP this tree is not a clone"
    exit 0
fi
shown=log
make -s dist >"$dir/log" 2>&1
ok $? "make dist"
tarball=$PWD/$(tail -n 1 "$dir/log")
cp "$tarball" "$dir/first.tar.gz"
mkdir "$dir/elsewhere"
git clone -q "$PWD" "$dir/elsewhere/a clone" 2>"$dir/log"
later() { TZ=Asia/Tokyo "$@"; }
if command -v faketime >/dev/null; then
    later() { TZ=Asia/Tokyo faketime '2031-03-07 11:12:13' "$@"; }
fi
(umask 077 && cd "$dir/elsewhere/a clone" && later make -s dist >"$dir/log" 2>&1)
ok $? "make dist in a clone elsewhere, another day"
check "the same bytes" cmp "$dir/first.tar.gz" "$dir/elsewhere/a clone/build/${tarball##*/}"
mkdir "$dir/unpacked"
tar -xzf "$dir/first.tar.gz" -C "$dir/unpacked"
source=$(echo "$dir"/unpacked/*)
printf 'say:\n\t@echo $(COMMIT)\n' >"$dir/say.mk"
check "it names its commit where there is no git" \
    [ "$(cd "$source" && make -s -f Makefile -f "$dir/say.mk" say)" = "$(git rev-parse --short=12 HEAD)" ]
check "it has what git has, and that name" [ "$(cd "$source" && find . -type f | wc -l)" -eq \
    $(($(git ls-tree -r HEAD | wc -l) + 1)) ]
"$NETSPACE" --version >"$dir/log"
check "--version says commit and build" grep -qE \
    '^netspace [0-9.]+, commit [0-9a-z-]+, [a-z]+ build by (gcc|clang) [0-9.]+' "$dir/log"
done_testing
