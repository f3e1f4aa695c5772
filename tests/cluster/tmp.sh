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

done_testing
