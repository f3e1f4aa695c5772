#!/bin/sh
# A sweep on tasks (the scheduler "sh") that are left and collected another day, killed, run twice,
# told that their time is up, whose shards are cut short and whose disk is full: the table is
# that of the same sweep here, bit for bit, nothing is lost and nothing is there twice.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
. tests/lib-cluster.sh
shown="*.err *.diff"
patience=60
sweep=tests/cluster/sweep.lua

# left NAME: the sweep NAME is begun and left when its tasks have begun
left() {
    "$NETSPACE" $sweep "$dir/$1.db" sh >"$dir/$1.out" 2>"$dir/$1.err" &
    script=$!
    eventually $patience begun "$1.db.cluster/*"
    "$NETSPACE" collect "$dir/$1.db" 2>"$dir/busy.err"
    kill -INT $script
    wait $script
}

"$NETSPACE" $sweep "$dir/calm.db" >"$dir/calm.table" 2>"$dir/calm.err"
ok $? "a sweep here"

CPUS=2 "$NETSPACE" $sweep "$dir/plain.db" sh >"$dir/plain.out" 2>"$dir/plain.err"
ok $? "the same sweep on tasks of two cores"
same plain "its table is the same"
check "it leaves nothing behind" [ ! -e "$dir/plain.db.cluster" ]

EPOCHS=30 COUNT=8
export EPOCHS COUNT
"$NETSPACE" $sweep "$dir/calm.db2" >"$dir/calm.table" 2>"$dir/calm.err"

left day
check "collect says that the script does so already" grep -q "is taken in by another process" "$dir/busy.err"
check "Ctrl-C leaves the tasks, and says how to go on" grep -q "its tasks go on: .*netspace collect" "$dir/day.err"
"$NETSPACE" collect "$dir/day.db" 2>>"$dir/day.err"
ok $? "what there is can be collected meanwhile"
set -- $(tasks)
check "tasks are at work" [ $# -gt 0 ]
kill -STOP $(tasks)
runs() { "$NETSPACE" -q --no-init -e "print(require('netspace.core.sqlite').open('$dir/day.db', 'r'):rows('SELECT count(*) AS n FROM run')[1].n)"; }
"$NETSPACE" collect "$dir/day.db" 2>>"$dir/day.err"
before=$(runs)
"$NETSPACE" collect "$dir/day.db" 2>>"$dir/day.err"
"$NETSPACE" collect "$dir/day.db" 2>>"$dir/day.err"
check "to collect what is not there leaves no row" [ "$(runs)" = "$before" ]
for population in "$dir"/day.db.cluster/*; do # as a task leaves it that dies at the end of a model
    mkdir -p "$population/checkpoints" && : >"$population/checkpoints/1-99.safetensors"
done
kill -CONT $(tasks)
kill -9 "$1"
says day "killed|its task" || { eventually 5 false; "$NETSPACE" collect "$dir/day.db" 2>>"$dir/day.err"; }
"$NETSPACE" collect "$dir/day.db" --wait 2>>"$dir/day.err"
ok $? "another day, after the kill -9 of a task, all is collected"
same day "its table is the same"
check "nothing is left behind" [ ! -e "$dir/day.db.cluster" ]
check "the log names the task that died" says day "its task .* queued again"
"$NETSPACE" collect "$dir/day.db" 2>"$dir/again.err"
check "to collect again has nothing to do" grep -q "no population has models on a cluster" "$dir/again.err"

left twice
for jobs in "$dir"/twice.db.cluster/*/1/*.jobs; do
    share=${jobs##*/}
    (cd "${jobs%/*}" && exec "$NETSPACE" task "${share%.jobs}" double >/dev/null 2>&1) &
done
set -- $(tasks)
"$NETSPACE" collect "$dir/twice.db" --wait 2>>"$dir/twice.err"
ok $? "every task is run a second time, at the same time"
same twice "its table is the same"
wait

left late
for script in $(scripts); do kill -USR1 "$script"; done
eventually $patience begun 'late.db.cluster/*sh1-1*'
ok $? "a task whose time is up is queued again"
"$NETSPACE" monitor "$dir/late.db" --text >"$dir/late.seen" 2>>"$dir/late.err"
ok $? "a monitor takes in what tasks do while it is open"
check "until all is done" grep -q "finished, 8/8 done" "$dir/late.seen"
same late "its table is the same"
says late "queued again"
[ $? -ne 0 ]
ok $? "no model has lost a worker"

left cut
eventually $patience idle
for shard in "$dir"/cut.db.cluster/*/1/*.shard; do
    size=$(wc -c <"$shard")
    head -c $((size - 300)) "$shard" >"$dir/half" && cat "$dir/half" >"$shard"
done
"$NETSPACE" collect "$dir/cut.db" --wait 2>>"$dir/cut.err"
ok $? "all shards are cut in the middle of a line"
same cut "its table is the same"

if [ -f build/tests/fault.so ]; then
    head -c 8 /dev/zero >"$dir/count"
    env LD_PRELOAD="$PWD/build/tests/fault.so" FAULT_PATH=.shard FAULT_STATE="$dir/count" FAULT_AT=8 \
        FAULT_TIMES=30 FAULT_ERROR=ENOSPC FAULT_CALLS="write sync" ASAN_OPTIONS=detect_leaks=0 \
        "$NETSPACE" $sweep "$dir/full.db" sh >"$dir/full.out" 2>"$dir/full.err"
    ok $? "the shared directory is full for a while"
    same full "its table is the same"
fi

NAME='; touch $(x) `y` "q" '"'; rm -rf ~" COUNT=3 EPOCHS=1 "$NETSPACE" $sweep "$dir/n.db" sh \
    "$dir/a b; touch p \$(touch q) '\"
c" >"$dir/names.out" 2>"$dir/names.err"
ok $? "names that a shell would take as commands"
check "are none" [ -z "$(find "$dir" . -maxdepth 2 \( -name p -o -name q -o -name x -o -name y \))" ]

left dry
set -- $(tasks)
kill -STOP "$@"
"$NETSPACE" submit "$dir/dry.db" --dry-run >"$dir/dry.sh" 2>>"$dir/dry.err"
check "--dry-run leaves out what tasks have" grep -q "^# A: nothing is to be submitted" "$dir/dry.sh"
"$NETSPACE" submit "$dir/dry.db" --dir "$dir/else" >"$dir/else.out" 2>&1
ok $([ $? -eq 1 ] && grep -q "tasks of 'A' in .* have [0-9]* models* at work; .netspace collect" "$dir/else.out"; echo $?) \
    "nor does it submit to another directory what tasks have" else.out
kill -9 "$1"
dry() { "$NETSPACE" submit "$dir/dry.db" --dry-run >"$dir/dry.sh" 2>>"$dir/dry.err" && grep -q "# A: [12] models* in" "$dir/dry.sh"; }
check "and has what one had that died, though nobody has looked" eventually 5 dry
shift
kill -CONT "$@"
kill "$@" 2>/dev/null
eventually $patience idle
"$NETSPACE" submit "$dir/dry.db" --dry-run --scheduler slurm --time 1:00 --partition p --at-once 2 >"$dir/dry.sh" 2>>"$dir/dry.err"
ok $? "--dry-run"
check "prints the script" grep -q "^#SBATCH --array=0-" "$dir/dry.sh" # as many tasks as are open
check "which a shell understands" sh -n "$dir/dry.sh"
check "and submits nothing" idle
PATH=$dir/none "$NETSPACE" submit "$dir/dry.db" --scheduler slurm 2>"$dir/missing.err"
check "without Slurm its commands are named" grep -q "sbatch, squeue, scancel, scontrol" "$dir/missing.err"
"$NETSPACE" submit "$dir/dry.db" --wait 2>>"$dir/dry.err"
ok $? "submitted again, tasks that were ended go on"
same dry "its table is the same"
done_testing
