#!/bin/bash
# The prompt on every kind of terminal: four TERMs, three sizes, two locales, all in one tmux
# server at once.  In each: the banner, a result, an error with its hint, news above a line
# that is being typed, completion, and a clean exit.  Prints TAP.
cd "$(dirname "$0")/../.." || exit 2
: "${NETSPACE:=$PWD/build/release/netspace}"
command -v tmux >/dev/null || { echo "1..0 # SKIP tmux is not installed"; exit 0; }
dir=$(mktemp -d)
socket=netspace-terminals-$$
trap 'tmux -L $socket kill-server 2>/dev/null; rm -rf "$dir"' EXIT
export XDG_STATE_HOME=$dir/state XDG_CONFIG_HOME=$dir/config NETSPACE_HISTORY=off
n=0
tries=300 # of 0.1 s; fewer after a failure

tm() { LC_ALL=C.UTF-8 tmux -u -L "$socket" -f /dev/null "$@"; }
# shows REGEX: within 30 s the window $w has a line that matches (wrapped ones are joined)
shows() {
    for _ in $(seq $tries); do
        tm capture-pane -J -p -t "$w" >"$dir/seen"
        grep -qE -- "$1" "$dir/seen" && return 0
        sleep 0.1
    done
    return 1
}
check() { # NAME REGEX
    n=$((n + 1))
    if shows "$2"; then echo "ok $n - $w: $1"; else
        tries=20
        echo "not ok $n - $w: $1"; sed 's/ *$//; /^$/d; s/^/# /' "$dir/seen"
    fi
}
enter() { tm send-keys -l -t "$w" "$1"; tm send-keys -t "$w" Enter; }

windows=
for term in xterm-256color linux vt100 dumb; do
    for size in 200x60 80x24 40x10; do
        for locale in C.UTF-8 C; do
            w=$term-$size-${locale/./}
            windows="$windows $w"
            tm new-session -d -s "$w" -x "${size%x*}" -y "${size#*x}" \
                "TERM=$term LC_ALL=$locale '$NETSPACE'; echo rc=\$?; stty -a | tr ' ' '\n' | grep -xc -e echo -e icanon; exec cat"
        done
    done
done
each() { for w in $windows; do "$@"; done; }

each check "the banner" '^netspace [0-9.]+, '
each check "the prompt" '^> *$'
each enter 'timer = require "luv".new_timer()'
each enter 'x = { 6 * 7 }'
each enter 'x'
each check "a result" '^\{ 42 \} *$'
each enter 'spac.x'
each check "an error has its hint" "did you mean 'space'"
each enter 'exit'
each check "exit: how to leave" '^Ctrl-D leaves, as does os'
each enter 'space.RegNetX:sample(2)'
for w in $windows; do
    case $w in *40x10*) line='^population of 2 networks of RegNetX, *$' ;; *) line='^population .* tried *$' ;; esac
    check "a long line is broken between words" "$line"
done
each enter 'timer:start(400, 0, function() require("netspace.lib.background").notify("fresh news") end)'
for w in $windows; do tm send-keys -l -t "$w" 'typed so far'; done
each check "news above the prompt" '^fresh news *$'
each check "under it the line being typed" '^> typed so far *$'
for w in $windows; do tm send-keys -t "$w" C-u; tm send-keys -l -t "$w" 'string.gs'; tm send-keys -t "$w" Tab; done
each check "Tab completes" '^> string\.gsub *$'
# With Ctrl-C a terminal drops what was typed with it: the prompt is waited for.
for w in $windows; do tm send-keys -t "$w" C-c; done
for w in $windows; do shows '^> *$'; tm send-keys -t "$w" C-d; done
each check "Ctrl-D leaves" '^rc=0$'
each check "the terminal as it was" '^2$'
echo "1..$n"
