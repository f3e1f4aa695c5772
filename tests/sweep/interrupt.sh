#!/bin/sh
# A sweep interrupted by SIGINT, by SIGTERM and by SIGKILL of the main process, then run
# again or resumed: the table is the one of an undisturbed run, bit for bit; nothing finished
# is trained twice; no worker survives.  Prints TAP.
. "$(dirname "$0")/../lib.sh"

cat >"$dir/sweep.lua" <<'LUA'
local models = {}
for i = 1, 5 do models[i] = arch.anynet { d = { 1, 1 }, w = { 8 * (1 + i % 2), 16 }, g = 8 } end
local r = sweep.run { store = arg[1], name = "A", models = models, workers = 2, seed = 5,
  data = data.open("shapes", { train = 1024, test = 128 }), recipe = recipe { epochs = 4, batch = 32 } }
for i, e in ipairs(r.errors) do print(i, ("%a"):format(e)) end
LUA
cat >"$dir/count.lua" <<'LUA'
local s = sweep.open(arg[1])
local p = s and s:progress()
print(p and p[arg[2]] or 0)
LUA
cat >"$dir/table.lua" <<'LUA'
local r = assert(sweep.open(arg[1])):result("A")
for i, e in ipairs(r.errors) do print(i, ("%a"):format(e)) end
LUA
cat >"$dir/epochs.lua" <<'LUA'
local db = assert(require("netspace.core.sqlite").open(arg[1], "r"))
for _, r in ipairs(db:rows("SELECT * FROM epoch ORDER BY model, epoch")) do
  print(r.model, r.epoch, ("%a %a %a %a"):format(r.lr, r.train_loss, r.train_error, r.validation_error))
end
LUA
cat >"$dir/models.lua" <<'LUA'
local db = assert(require("netspace.core.sqlite").open(arg[1], "r"))
for _, r in ipairs(db:rows("SELECT idx, attempt, ended FROM model WHERE status = 'done'")) do
  print(r.idx, r.attempt, r.ended)
end
LUA
cat >"$dir/workers.lua" <<'LUA'
for _, model in ipairs(assert(sweep.open(arg[1])):live("A")) do print(model.worker) end
LUA

"$NETSPACE" "$dir/sweep.lua" "$dir/calm.db" >"$dir/calm" 2>"$dir/calm.err"
ok $? "an undisturbed sweep"
[ "$(wc -l <"$dir/calm")" -eq 5 ]
ok $? "has five models"
grep -q '^A: 5 models: 5 done; 5 trained in' "$dir/calm.err"
ok $? "and ends with one line of summary"
! tr -d '\n' <"$dir/calm.err" | grep -q "$(printf '\r')"
ok $? "which is not rewritten in place when stderr is no terminal"
"$NETSPACE" "$dir/epochs.lua" "$dir/calm.db" >"$dir/calm.epochs"

one_is_done() { [ "$("$NETSPACE" "$dir/count.lua" "$db" "done")" -ge 1 ]; }
# disturbed SIGNAL STATUS: sends it after the first finished model
disturbed() {
    db=$dir/$1.db
    "$NETSPACE" "$dir/sweep.lua" "$db" >"$dir/$1" 2>"$dir/$1.err" &
    pid=$!
    eventually 30 one_is_done
    workers=$("$NETSPACE" "$dir/workers.lua" "$db" | sort -u | grep -v nil)
    kill "-$1" "$pid"
    wait "$pid"
    status=$?
    check "$1 ends it with status $2 (got $status)" [ "$status" -eq "$2" ]
    done=$("$NETSPACE" "$dir/count.lua" "$db" "done")
    ok $([ "$done" -ge 1 ] && [ "$done" -lt 5 ]; echo $?) "$1: in the middle ($done of 5 done)"
    "$NETSPACE" "$dir/models.lua" "$db" >"$dir/$1.before"
    alive=0
    for w in $workers; do
        eventually 2 [ ! -e "/proc/$w" ] || alive=1
    done
    ok $([ -n "$workers" ] && [ $alive -eq 0 ]; echo $?) "$1: no worker stays behind"
}

same() { # same SIGNAL NAME
    "$NETSPACE" "$dir/table.lua" "$dir/$1.db" >"$dir/$1.table"
    cmp -s "$dir/calm" "$dir/$1.table"
    ok $? "$1: $2 gives the undisturbed table"
    "$NETSPACE" "$dir/epochs.lua" "$dir/$1.db" >"$dir/$1.epochs"
    cmp -s "$dir/calm.epochs" "$dir/$1.epochs"
    ok $? "$1: and the undisturbed epochs"
    "$NETSPACE" "$dir/models.lua" "$dir/$1.db" >"$dir/$1.after"
    [ -s "$dir/$1.before" ] && ! grep -vxF -f "$dir/$1.after" "$dir/$1.before" >/dev/null
    ok $? "$1: what was done was not trained again"
}

disturbed INT 130
grep -q "netspace resume $dir/INT.db" "$dir/INT.err"
ok $? "INT: says how to resume"
[ "$("$NETSPACE" "$dir/count.lua" "$dir/INT.db" running)" -eq 0 ]
ok $? "INT: running models are queued again"
[ ! -e "$dir/INT.db-wal" ]
ok $? "INT: the store is closed"
"$NETSPACE" "$dir/sweep.lua" "$dir/INT.db" >"$dir/again" 2>/dev/null
ok $? "INT: run again"
cmp -s "$dir/calm" "$dir/again"
ok $? "INT: it prints the undisturbed table"
same INT "running again"

disturbed TERM 143
"$NETSPACE" resume "$dir/TERM.db" --workers 1 2>/dev/null
ok $? "TERM: netspace resume"
same TERM "netspace resume"

disturbed KILL 137
"$NETSPACE" resume "$dir/KILL.db" 2>/dev/null
ok $? "KILL of the main process: netspace resume"
same KILL "resuming"
"$NETSPACE" resume "$dir/KILL.db" 2>&1 | grep -q "nothing is open"
ok $? "KILL: then nothing is open"
done_testing
