# What the shell tests share: TAP, a directory that goes away, waiting, a terminal in tmux.
# A test sources it before anything else:
#
#   #!/bin/sh
#   # What this test shows, in a sentence or two.
#   . "$(dirname "$0")/../lib.sh"
#   check "two and two" [ $((2 + 2)) -eq 4 ]
#   done_testing
#
# It changes to the root of the tree and sets
#   NETSPACE   the program to test (build/release/netspace when the caller names none)
#   dir        a new directory, removed at the end; the prompt's history and start-up file are in it
#   n          how many tests have been counted
# The functions work in sh and in bash.
# shellcheck shell=dash

cd "$(dirname "$0")/../.." || exit 2
: "${NETSPACE:=$PWD/build/release/netspace}"
dir=$(mktemp -d) || exit 2
at_end=
trap 'eval "$at_end"; rm -rf "$dir"' EXIT
export NETSPACE XDG_STATE_HOME="$dir/state" XDG_CONFIG_HOME="$dir/config"
n=0
rc=     # status of the program, for the report of a failure
shown=  # files of $dir (or patterns) that explain a failure

# ---- TAP ------------------------------------------------------------------------------

# ok STATUS NAME [FILE…]: counts a test; where STATUS is not 0, the files (of $dir) explain it.
ok() {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
        return
    fi
    echo "not ok $n - $2"
    [ -z "$rc" ] || echo "# status $rc"
    shift 2
    for file in $shown "$@"; do
        for path in "$dir"/$file; do
            [ ! -f "$path" ] || tail -n 60 "$path" | sed "s|^|# ${path##*/}: |"
        done
    done
}

# check NAME COMMAND…: a test that passes when the command succeeds.
check() {
    local name="$1"
    shift
    "$@"
    ok $? "$name"
}

# skip_without PROGRAM…: ends the test where one is not installed.
skip_without() {
    for program; do
        command -v "$program" >/dev/null && continue
        echo "1..0 # SKIP $program is not installed"
        exit 0
    done
}

done_testing() { echo "1..$n"; }

# at_exit COMMAND: runs it when the test ends, also after a failure.
at_exit() { at_end="$1; $at_end"; }

# ---- waiting --------------------------------------------------------------------------

# eventually SECONDS COMMAND…: repeats the command until it succeeds; false when it never does.
eventually() {
    local left=$(($1 * 50))
    shift
    until "$@"; do
        left=$((left - 1))
        [ $left -gt 0 ] || return 1
        sleep 0.02
    done
}

# ---- a terminal in tmux ---------------------------------------------------------------

socket=netspace-test-$$
pane=p      # the session that look, shows, key and text are about
joined=     # -J: wrapped lines are joined
patience=30 # seconds that `shows` waits

tm() { LC_ALL=C.UTF-8 tmux -L "$socket" -f /dev/null "$@"; }
# terminal WIDTH HEIGHT: a new terminal with a shell that waits in $dir; needs `uses_terminal`.
terminal() {
    tm kill-server 2>/dev/null
    eventually 5 tm_shell "$1" "$2" && shows '^\$ *$'
}
tm_shell() { tm -u new-session -d -x "$1" -y "$2" -s "$pane" "cd '$dir'; PS1='\$ ' sh" 2>/dev/null; }
uses_terminal() {
    skip_without tmux
    export LC_ALL=C.UTF-8
    shown=seen
    at_exit 'tmux -L $socket kill-server 2>/dev/null'
}
# shellcheck disable=SC2086
look() { tm capture-pane $joined -p -t "$pane" >"$dir/seen"; }
seen() { look && grep -qE -- "$1" "$dir/seen"; }
unseen() { look && ! grep -qE -- "$1" "$dir/seen"; }
# shows [!] REGEX: waits until a line of the screen matches (after !, until none does).
shows() {
    if [ "$1" = ! ]; then eventually $patience unseen "$2"; else eventually $patience seen "$1"; fi
}
key() { tm send-keys -t "$pane" "$@"; }
text() { tm send-keys -l -t "$pane" "$1"; }
enter() { text "$1" && key Enter; }
