#!/bin/bash
# The prompt on every kind of terminal: four TERMs, three sizes, two locales, all in one tmux
# server at once.  In each: the banner, a result, an error with its hint, news above a line
# that is being typed, completion, and a clean exit.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
uses_terminal
export NETSPACE_HISTORY=off
joined=-J # a line that is wrapped is one line

# sees NAME REGEX: a test that the window $pane shows it; after a failure the others wait less
sees() {
    if shows "$2"; then ok 0 "$pane: $1"; else
        patience=2
        ok 1 "$pane: $1"
    fi
}

windows=
for term in xterm-256color linux vt100 dumb; do
    for size in 200x60 80x24 40x10; do
        for locale in C.UTF-8 C; do
            pane=$term-$size-${locale/./}
            windows="$windows $pane"
            tm -u new-session -d -s "$pane" -x "${size%x*}" -y "${size#*x}" \
                "TERM=$term LC_ALL=$locale '$NETSPACE'; echo rc=\$?; stty -a | tr ' ' '\n' | grep -xc -e echo -e icanon; exec cat"
        done
    done
done
each() { for pane in $windows; do "$@"; done; }

each sees "the banner" '^netspace [0-9.]+, '
each sees "the prompt" '^> *$'
each enter 'timer = require "luv".new_timer()'
each enter 'x = { 6 * 7 }'
each enter 'x'
each sees "a result" '^\{ 42 \} *$'
each enter 'spac.x'
each sees "an error has its hint" "did you mean 'space'"
each enter 'exit'
each sees "exit: how to leave" '^Ctrl-D leaves, as does os'
each enter 'space.RegNetX:sample(2)'
for pane in $windows; do
    case $pane in *40x10*) line='^population of 2 networks of RegNetX, *$' ;; *) line='^population .* tried *$' ;; esac
    sees "a long line is broken between words" "$line"
done
each enter 'timer:start(400, 0, function() require("netspace.lib.background").notify("fresh news") end)'
for pane in $windows; do text 'typed so far'; done
each sees "news above the prompt" '^fresh news *$'
each sees "under it the line being typed" '^> typed so far *$'
for pane in $windows; do key C-u; text 'string.gs'; key Tab; done
each sees "Tab completes" '^> string\.gsub *$'
# With Ctrl-C a terminal drops what was typed with it: the prompt is waited for.
for pane in $windows; do key C-c; done
for pane in $windows; do shows '^> *$'; key C-d; done
each sees "Ctrl-D leaves" '^rc=0$'
each sees "the terminal as it was" '^2$'
done_testing
