#!/bin/sh
# The same sweep here and on real Slurm, slurmctld with two slurmd on this host: as an array that is
# longer than arrays may be, with a node that dies, tasks that are requeued and killed, a time
# limit in the middle of models, cancelled, and paused from a monitor.  The table is the same, bit
# for bit.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
. tests/lib-cluster.sh
. tests/lib-slurm.sh
shown="*.err *.diff slurm/log/ctld.log"
patience=60
sweep=tests/cluster/sweep.lua
find_slurm
start_slurm "$dir/slurm"

over() { at_once && ! kill -0 "$script" 2>/dev/null; }
# finished WHAT: the sweep in the background ends well
finished() {
    eventually 170 over
    wait "$script"
    ok $? "$1"
}
tell() { "$NETSPACE" -q --no-init -e "assert(require('netspace.sweep.controls').send('$dir/$1.db', '$2', 'A'))"; }

EPOCHS=30 COUNT=8
export EPOCHS COUNT
"$NETSPACE" $sweep "$dir/calm.db" >"$dir/calm.table" 2>"$dir/calm.err"
ok $? "a sweep here"
# On the cluster workers rest after each epoch, so that there is time to disturb them.
"$NETSPACE" -q --no-init -e "dofile 'tests/unit/overlay.lua' ('$dir/lua', [[
local handle, uv = M.handle, require 'luv'
function M.handle(job, send)
  return handle(job, function(e)
    send(e)
    if e.event == 'epoch' then uv.sleep(100) end
  end)
end]])"
export NETSPACE_PATH="$dir/lua"

PARTITION=none "$NETSPACE" $sweep "$dir/none.db" slurm >"$dir/none.out" 2>"$dir/none.err"
check "what Slurm refuses is said" grep -q "nothing could be submitted: .*artition" "$dir/none.err"

"$NETSPACE" $sweep "$dir/a.db" slurm >"$dir/a.out" 2>"$dir/a.err" &
script=$!
eventually $patience begun 'a.db.cluster/*'
check "an array is split where it is longer than arrays may be" grep -q "4 tasks submitted: job [0-9]*, [0-9]*" "$dir/a.err"
task=$(running)
scontrol requeue "$task" 2>>"$dir/a.err"
ok $? "a task is requeued"
set -- $(tasks)
kill -9 "$1"
ok $? "a task is killed"
node=$(queue -t running | head -n 1 | cut -d '|' -f 3)
eval "kill -9 \$pid_$node"
finished "a node dies: all the same it ends"
same a "the table is that of the sweep here"
check "the log has Slurm's reason" says a "its task .* on n[12]: [A-Z_]+"
start_node "$node"
scontrol update nodename="$node" state=resume 2>/dev/null
eventually $patience two_idle
check "its tasks have left the queue" eventually 20 gone

LIMIT=1 EXTRA="--signal=B:USR1@53" "$NETSPACE" $sweep "$dir/late.db" slurm >"$dir/late.out" 2>"$dir/late.err" &
script=$!
finished "a time limit is reached in the middle of models"
check "tasks have been queued again" says late "submitted"
same late "the table is that of the sweep here"

"$NETSPACE" $sweep "$dir/b.db" slurm >"$dir/b.out" 2>"$dir/b.err" &
script=$!
eventually $patience begun 'b.db.cluster/*'
tell b pause
check "a pause reaches the cluster" eventually 60 gone
tell b pause
check "and its end, too" eventually $patience begun 'b.db.cluster/*/2/*'
tell b cancel
check "so does to cancel it" eventually 60 gone
eventually $patience over
wait $script
check "which is said" grep -q "was cancelled" "$dir/b.err"
"$NETSPACE" submit "$dir/b.db" 2>>"$dir/b.err"
ok $? "it is submitted again from the command line, with what the script had said"
eventually $patience begun 'b.db.cluster/*'
scancel -u "$me"
eventually $patience gone
"$NETSPACE" collect "$dir/b.db" 2>>"$dir/b.err"
check "what a person has cancelled is not submitted again by itself" says b "was cancelled; .netspace submit"
"$NETSPACE" submit "$dir/b.db" --wait 2>>"$dir/b.err"
ok $? "but when asked for"
same b "the table is that of the sweep here"
done_testing
