#!/bin/sh
# One store, several processes: a second sweep of the same population is refused and told
# whose it is, one of another population is not; three monitors at once disturb nobody; the
# owner that was killed does not block.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
at_exit 'kill -9 $pid $pids 2>/dev/null'
cat >"$dir/sweep.lua" <<'LUA'
local models = {}
for i = 1, 4 do models[i] = arch.anynet { d = { 1, 1 }, w = { 8 * (1 + i % 2), 16 } } end
local r = sweep.run { store = arg[1], name = arg[2], models = models, workers = 1, seed = 5,
  data = data.open("shapes", { train = 1024, test = 64 }), recipe = recipe { epochs = 6, batch = 32 } }
for i, e in ipairs(r.errors) do print(i, ("%a"):format(e)) end
LUA
cat >"$dir/started.lua" <<'LUA'
local s = sweep.open(arg[1])
local p = s and s:progress()
os.exit(p and p.running > 0 and p.running_main and 0 or 1)
LUA
db=$dir/a.db
started() { "$NETSPACE" "$dir/started.lua" "$db" 2>/dev/null; }

"$NETSPACE" "$dir/sweep.lua" "$dir/calm.db" A >"$dir/calm" 2>/dev/null
ok $? "an undisturbed sweep"
"$NETSPACE" "$dir/sweep.lua" "$db" A >"$dir/first" 2>"$dir/first.err" &
pid=$!
eventually 30 started
pids=
for m in 1 2 3; do
    "$NETSPACE" monitor "$db" --text >"$dir/monitor$m" 2>&1 &
    pids="$pids $!"
done
"$NETSPACE" "$dir/sweep.lua" "$db" A >"$dir/second" 2>"$dir/second.err"
ok $([ $? -eq 1 ]; echo $?) "a second sweep of the same population is refused"
grep -q "is being trained by process $pid on $(uname -n)" "$dir/second.err"
ok $? "and told by which process on which host"
"$NETSPACE" "$dir/sweep.lua" "$db" B >"$dir/other" 2>"$dir/other.err"
ok $? "one of another population is not"
cmp -s "$dir/calm" "$dir/other"
ok $? "with the results it has alone"
wait $pid
ok $? "the first goes on"
cmp -s "$dir/calm" "$dir/first"
ok $? "and is not disturbed"
m=0
for p in $pids; do
    m=$((m + 1))
    wait "$p"
    ok $? "monitor $m ends well"
    tail -n 4 "$dir/monitor$m" | grep -q '8/8' # the verdict may follow
    ok $? "having seen the last model"
done
check "no file stays but the store" [ "$(echo "$dir"/a.db*)" = "$db" ]

db=$dir/k.db
"$NETSPACE" "$dir/sweep.lua" "$db" A >/dev/null 2>&1 &
pid=$!
eventually 30 started
kill -STOP $pid # it holds its lock as long as it lives
ln -s k.db "$dir/link.db"
"$NETSPACE" resume "$dir/link.db" >"$dir/linked" 2>&1
ok $([ $? -eq 1 ]; echo $?) "nobody takes over by a symbolic link"
grep -q "is being trained by process $pid" "$dir/linked"
ok $? "and is told so"
cat >"$dir/look.lua" <<'LUA'
local s = assert(sweep.open(arg[1]))
assert(s:progress().running > 0 and not s:remove "A" and #s:names() == 1)
LUA
"$NETSPACE" "$dir/look.lua" "$dir/link.db" >"$dir/linked" 2>&1
ok $? "what is read by it is what is there, and is not removed"
if unshare --pid --fork --mount-proc true 2>/dev/null; then
    unshare --pid --fork --mount-proc "$NETSPACE" resume "$db" >"$dir/apart" 2>&1
    ok $([ $? -eq 1 ]; echo $?) "a process of another PID namespace does not take over"
    grep -q "is being trained by process $pid" "$dir/apart"
    ok $? "and is told so"
    unshare --uts --pid --fork --mount-proc sh -c 'hostname elsewhere; exec "$@"' sh \
        "$NETSPACE" resume "$db" >"$dir/apart" 2>&1
    ok $([ $? -eq 1 ]; echo $?) "nor does one that has another host name, too"
else
    echo "# PID namespaces cannot be made here: skipped"
fi
kill -9 $pid
wait $pid 2>/dev/null
"$NETSPACE" "$dir/sweep.lua" "$db" A >"$dir/again" 2>/dev/null
ok $? "an owner that was killed does not block the next"
cmp -s "$dir/calm" "$dir/again"
ok $? "whose table is the undisturbed one"
[ "$("$NETSPACE" doctor "$db" | grep -c 'nothing is damaged')" -eq 1 ]
ok $? "and the store is whole"
done_testing
