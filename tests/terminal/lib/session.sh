# A session of the prompt in a terminal of its own (tmux): what its tests share beside
# tests/lib.sh.  Waits are for hangs only: up to 30 s for what should come at once.
# shellcheck shell=bash
. "$(dirname "$0")/../lib.sh"
uses_terminal
# ready: the last line of the screen is an empty prompt
prompt_waits() { look && [ "$(grep -v '^$' "$dir/seen" | tail -1)" = ">" ]; }
ready() { eventually $patience prompt_waits; }
clear_screen() { key C-l; shows ! '[0-9a-z]'; } # only an empty prompt is left
# start [OPTION…]: a session in a shell of its own
start() {
    terminal 90 30
    text "XDG_STATE_HOME='$dir/state' XDG_CONFIG_HOME='$dir' '$NETSPACE' $*; printf 'rc=%d\n' \$?"
    key Enter
}
history_is() { [ "$(cat "$dir/state/netspace/history")" = "$1" ]; }
