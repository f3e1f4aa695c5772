# A session of the prompt in a terminal of its own (tmux), for the tests beside this folder: they
# source it from the root of the tree.  Waits are for hangs only: up to 30 s for what should come
# at once.
: "${NETSPACE:=$PWD/build/release/netspace}"
command -v tmux >/dev/null || { echo "1..0 # SKIP tmux is not installed"; exit 0; }
export LC_ALL=C.UTF-8
dir=$(mktemp -d)
socket=netspace-prompt-$$
trap 'tmux -L $socket kill-server 2>/dev/null; rm -rf "$dir"' EXIT
n=0

check() { # NAME COMMAND…
    local name=$1; shift; n=$((n + 1))
    if "$@"; then echo "ok $n - $name"; else
        echo "not ok $n - $name"; sed 's/^/# /' "$dir/seen"
    fi
}
tm() { tmux -L "$socket" -f /dev/null "$@"; }
key() { tm send-keys -t p "$@"; }
text() { tm send-keys -l -t p "$1"; }
enter() { text "$1"; key Enter; }
# shows [!] REGEX: the screen has (or, after !, has no longer) a line that matches
shows() {
    local want=true
    [ "$1" = ! ] && { want=false; shift; }
    for _ in $(seq 300); do
        tm capture-pane -p -t p >"$dir/seen"
        if grep -qE -- "$1" "$dir/seen"; then $want && return 0
        else $want || return 0; fi
        sleep 0.1
    done
    return 1
}
# ready: the last line of the screen is an empty prompt
ready() {
    for _ in $(seq 300); do
        tm capture-pane -p -t p >"$dir/seen"
        [ "$(grep -v '^$' "$dir/seen" | tail -1)" = ">" ] && return 0
        sleep 0.1
    done
    return 1
}
clear_screen() { key C-l; shows ! '[0-9a-z]'; } # only an empty prompt is left
# start [OPTION…]: a session in a shell of its own
start() {
    tm kill-server 2>/dev/null
    for _ in $(seq 50); do
        tm -u new-session -d -x 90 -y 30 -s p "cd '$dir'; PS1='\$ ' sh" 2>/dev/null && break
        sleep 0.1
    done
    shows '^\$ *$' # the shell waits
    text "XDG_STATE_HOME='$dir/state' XDG_CONFIG_HOME='$dir' '$NETSPACE' $*; printf 'rc=%d\n' \$?"
    key Enter
}
history_is() { [ "$(cat "$dir/state/netspace/history")" = "$1" ]; }
