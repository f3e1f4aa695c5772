#!/bin/bash
# A sweep of more than an hour asks before it starts, on a terminal (tmux): no, yes, Ctrl-C,
# --yes, and without a terminal.  The hours are made up.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
uses_terminal
cat >"$dir/long.lua" <<'LUA'
local forecasts = require "netspace.sweep.forecast"
local make = forecasts.make
forecasts.make = function(...)
  local f = make(...)
  f.seconds, f.low, f.high, f.source = 8000, 7000, 9000, "nowhere"
  return f
end
local r = sweep.run { store = arg[1], name = "A", models = { arch.anynet { d = { 1 }, w = { 8 } } },
  data = data.open("shapes", { train = 64, test = 32 }), recipe = recipe { epochs = 1, batch = 32 } }
print(#r.errors .. " trained")
LUA
start() { # OPTION…: in a shell of its own
    terminal 200 30
    enter "'$NETSPACE' $* long.lua a.db; printf 'rc=%d\n' \$?"
}
start
check "the forecast is shown" shows 'A: 1 model × 1 epoch × .* about 2h13m on '
check "and the question" shows 'A will take about 2h13m.  Start\? \[y/N\]'
key n Enter
check "no: it is not started" shows "sweep 'A' was not started"
check "which is an error of the script" shows '^rc=1'
start
shows 'Start\?'
key C-c
check "Ctrl-C at the question" shows '^rc=130'
start
shows 'Start\?'
key y Enter
check "yes: it is trained" shows '^1 trained'
check "the forecast stays" shows 'about 2h13m on '
check "well" shows '^rc=0'
rm -f "$dir"/a.db*
start --yes
check "--yes asks nothing" shows '^1 trained'
rm -f "$dir"/a.db*
(cd "$dir" && "$NETSPACE" long.lua a.db </dev/null >seen 2>&1)
check "nor is anything asked without a terminal" grep -q '^1 trained' "$dir/seen"
done_testing
