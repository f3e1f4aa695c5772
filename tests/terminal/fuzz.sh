#!/bin/sh
# Random keys, bytes and resizes at the prompt and in the monitor (tests/fuzz/terminal.py): they
# always end, leave the terminal as it was, and write nothing but text and whole escape sequences.
# SESSIONS=n from number FIRST on; tests/torture/fuzz.sh has more.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
skip_without python3
shown="err sessions"
"$NETSPACE" -q --no-init tests/terminal/make_store.lua "$dir/t.db" finished >"$dir/err" 2>&1
ok $? "a store is made"
"$NETSPACE" -q --no-init -e "$(printf 'x = "a\033[31mb" ..')" 2>"$dir/err"
check "a message that quotes code says nothing to the terminal" [ "$(tr -d '\n -~' <"$dir/err" | wc -c)" = 0 ]
python3 tests/fuzz/terminal.py "${FIRST:-26}" "${SESSIONS:-6}" "$dir/t.db" >"$dir/sessions"
ok $? "${SESSIONS:-6} sessions of random keys"
done_testing
