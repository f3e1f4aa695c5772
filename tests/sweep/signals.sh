#!/bin/sh
# Signals that a sweep may get besides those of interrupt.sh: SIGHUP, a second Ctrl-C, Ctrl-Z,
# and being stopped with everything it started.  Its workers rest after each epoch, so that
# there is time to disturb them.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
cat >"$dir/sweep.lua" <<LUA
package.path = "tests/unit/?.lua;" .. package.path
local models, store, rest = {}, arg[1], arg[2]
for i = 1, 2 do models[i] = arch.anynet { d = { 1, 1 }, w = { 8 * i, 16 }, g = 8 } end
require "overlay" (store .. ".lua", ([[
local handle, uv = M.handle, require "luv"
function M.handle(job, send)
  return handle(job, function(e)
    send(e)
    if e.event == "epoch" then uv.sleep(1000 * %s) end
  end)
end]]):format(rest))
local r = sweep.run { store = store, name = "A", models = models, workers = 2, patience = 0.5,
  data = data.open("shapes", { train = 128, test = 64 }), recipe = recipe { epochs = 8, batch = 32 },
  checkpoint = { every = 1 } }
for i, e in ipairs(r.errors) do print(i, ("%a"):format(e)) end
LUA
cat >"$dir/epochs.lua" <<'LUA'
local s = sweep.open(arg[1])
local least = s and s:names()[1] and math.huge or 0
for _, model in ipairs(least > 0 and s:live("A") or {}) do least = math.min(least, model.epoch) end
print(least)
LUA
cat >"$dir/attempts.lua" <<'LUA'
for _, model in ipairs(sweep.open(arg[1]):live("A")) do io.write(model.attempt, " ") end
LUA

both_began() { [ "$("$NETSPACE" "$dir/epochs.lua" "$dir/$1.db")" != 0 ]; }
script=sweep.lua
# begin NAME [REST]: starts the sweep, which obeys SIGHUP also where the tests run under nohup,
# and waits until both models have an epoch; sets pid and workers
begin() {
    env --default-signal=HUP "$NETSPACE" "$dir/$script" "$dir/$1.db" "${2:-0.05}" >"$dir/$1" 2>"$dir/$1.err" &
    pid=$!
    eventually 30 both_began "$1"
    workers=$(cat "/proc/$pid/task/$pid/children")
}
states() { # the states of processes, as letters
    for p; do sed 's/.*) \(.\).*/\1/' "/proc/$p/stat" 2>/dev/null; done | tr -d '\n'
}
ended() { case $(states "$1") in '' | Z) ;; *) false ;; esac; }
gone() { # whether these processes end
    for p; do eventually 10 ended "$p" || return 1; done
}
are() { wanted=$1; shift; [ "$(states "$@")" = "$wanted" ]; }
become() { eventually 10 are "$@"; } # become STATES PROCESS…: whether they come to be in these states

"$NETSPACE" "$dir/sweep.lua" "$dir/calm.db" 0 >"$dir/calm" 2>/dev/null
ok $? "an undisturbed sweep"

begin HUP
kill -HUP "$pid"
wait "$pid"
ok $([ $? -eq 129 ]; echo $?) "SIGHUP ends it with status 129"
grep -q "netspace resume $dir/HUP.db" "$dir/HUP.err"
ok $? "says how to resume"
[ "$(ls "$dir/HUP.db.checkpoints")" = "$(printf '1-1.safetensors\n1-2.safetensors')" ]
ok $? "and leaves a checkpoint of each model"
"$NETSPACE" "$dir/sweep.lua" "$dir/HUP.db" 0 2>/dev/null | cmp -s - "$dir/calm"
ok $? "from which the same script goes on to the undisturbed table"
[ ! -e "$dir/HUP.db.checkpoints" ]
ok $? "and which are then gone"

sed -e 's/sweep\.run/sweep.start/' -e 's/every = 1 } }/&:wait()/' "$dir/sweep.lua" >"$dir/waits.lua"
sed -e 's/:wait()$//' -e '/^for i, e/d' "$dir/waits.lua" >"$dir/ends.lua"
for how in waits ends; do
    script=$how.lua
    begin TERM-$how
    kill -TERM "$pid"
    wait "$pid"
    check "the last word of a script that $how is that it was terminated" [ "$(tail -1 "$dir/TERM-$how.err")" = "netspace: terminated" ]
    grep -q "stopping, with a checkpoint" "$dir/TERM-$how.err"
    ok $? "after what the sweep says"
done
script=sweep.lua

begin group 0.3
kill -TERM "$pid"
kill -HUP "$pid"
wait "$pid"
[ "$(ls "$dir/group.db.checkpoints")" = "$(printf '1-1.safetensors\n1-2.safetensors')" ]
ok $? "two signals at once, as timeout sends them, are one"

begin twice 3
kill -INT "$pid"
check "the first Ctrl-C says that it keeps a checkpoint" \
    eventually 10 grep -q "stopping, with a checkpoint" "$dir/twice.err"
sleep 0.3
kill -INT "$pid"
wait "$pid"
status=$?
ok $([ $status -eq 130 ] && grep -q "stopped hard" "$dir/twice.err"; echo $?) "the second one stops now"
# shellcheck disable=SC2086
gone $workers
ok $? "with all workers"
"$NETSPACE" resume "$dir/twice.db" 2>/dev/null
"$NETSPACE" "$dir/sweep.lua" "$dir/twice.db" 0 2>/dev/null | cmp -s - "$dir/calm"
ok $? "and loses nothing"

begin TSTP
kill -TSTP "$pid"
# shellcheck disable=SC2086
become TTT $pid $workers
ok $? "Ctrl-Z stops the sweep and its workers"
kill -CONT "$pid"
wait "$pid"
ok $([ $? -eq 0 ] && cmp -s "$dir/TSTP" "$dir/calm"; echo $?) "and they go on to the undisturbed table"

begin STOP
# shellcheck disable=SC2086
kill -STOP $pid $workers
sleep 5
# shellcheck disable=SC2086
kill -CONT $pid $workers
wait "$pid"
ok $([ $? -eq 0 ] && cmp -s "$dir/STOP" "$dir/calm"; echo $?) "stopped for long and continued, the table is undisturbed"
[ "$("$NETSPACE" "$dir/attempts.lua" "$dir/STOP.db")" = "1 1 " ]
ok $? "and no worker was taken for hung"
# A script that catches everything: after SIGTERM nothing begins, also no other sweep.
sed -e 's/^local r = sweep.run {.*name = "A"/local n = 0\nwhile true do n = n + 1 pcall(sweep.run, { store = store, name = n == 1 and "A" or "A" .. n/' \
    -e 's/checkpoint = { every = 1 } }/checkpoint = { every = 1 } }) end/' -e '/^for i, e/d' \
    "$dir/sweep.lua" >"$dir/loop.lua"
script=loop.lua
begin loop
kill -TERM "$pid"
wait "$pid"
ok $([ $? -eq 143 ]; echo $?) "SIGTERM ends a loop that catches it with status 143" loop.err
check "and no other sweep has begun" \
    [ "$("$NETSPACE" -e "print(#store.open('$dir/loop.db'):names())")" = 1 ]
# A script that waits for a line of its input: io.read itself would wait on.
mkfifo "$dir/lines"
for signal in INT TERM; do
    "$NETSPACE" -e "print 'reads'; io.stdout:flush(); io.read(); print 'read'" <"$dir/lines" >"$dir/$signal" 2>"$dir/$signal.err" &
    pid=$!
    exec 9>"$dir/lines"
    eventually 30 grep -q reads "$dir/$signal"
    become S "$pid"
    kill -"$signal" "$pid"
    check "SIG$signal ends a script that waits for a line" gone "$pid"
    exec 9>&-
    wait "$pid"
    ok $([ $? -ge 128 ] && ! grep -q "^read$" "$dir/$signal"; echo $?) "and nothing after it runs" "$signal" "$signal.err"
done
done_testing
