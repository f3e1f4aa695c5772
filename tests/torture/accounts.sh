#!/bin/sh
# Tasks that Slurm has forgotten when netspace comes back: what became of them is known to sacct, from
# real accounts (slurmdbd, MariaDB).  Of tasks that their time limit, their memory, their node, a
# signal and a person have ended the log names Slurm's reason, and what is trained again has the
# table of a sweep here.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
. tests/lib-cluster.sh
. tests/lib-slurm.sh
. tests/lib-accounts.sh
shown="*.err *.events *.diff sacct"
patience=60
sweep=tests/cluster/sweep.lua
find_slurm
find_accounts
start_accounts "$dir/accounts"
AGE=2 MOST=11 start_slurm "$dir/slurm"

EPOCHS=30 COUNT=8
export EPOCHS COUNT
"$NETSPACE" $sweep "$dir/calm.db" >"$dir/calm.table" 2>"$dir/calm.err"
ok $? "a sweep here"

# batch TEXT OPTION…: the id of a job of that script
batch() {
    printf '#!/bin/sh\n%s\n' "$1" >"$dir/job.sh"
    shift
    sbatch --parsable --no-requeue -o /dev/null "$@" "$dir/job.sh"
}
forgotten() {
    [ -z "$(queue -t all)" ] && sacct -n -P -X -j "$1" -o JobID,State,ExitCode,NodeList >"$dir/sacct" &&
        ! grep -qE 'RUNNING|PENDING|COMPLETING' "$dir/sacct"
}
# look ID TASKS: what slurm.lua knows of them, a line each, in $dir/look
look() {
    "$NETSPACE" -q --no-init -e "
        local found = assert(require('netspace.cluster.slurm').look({}, { { id = '$1', tasks = { $2 } } }))
        for _, task in ipairs { $2 } do
          local t = found['$1'][task] or {}
          print(task, t.state, t.reason, t.cancelled)
        end" >"$dir/look" 2>"$dir/look.err"
}
is() { [ "$(tr '\t' ' ' <"$dir/look")" = "$1" ]; }

late=$(batch 'exec sleep 600' --array=0 --time=1)
wide=$(batch "exec '$NETSPACE' -q --no-init -e \"s = ('x'):rep(900 << 20) require('luv').sleep(60000)\"" --array=0 -w n1)
held=$(batch 'exec sleep 600' --array=0-2,5,7-8%2 -H)
scancel "$held"

EXTRA=--no-requeue TASKS=3 "$NETSPACE" $sweep "$dir/a.db" slurm >"$dir/a.out" 2>"$dir/a.err" &
script=$!
at_work() { [ "$(tasks | wc -l)" = 3 ]; }
eventually $patience at_work
ok $? "tasks are at work"
kill -INT $script
wait $script
job=$(queue -t running | grep -m 1 "_1|" | cut -d _ -f 1)
for task in $(tasks); do
    ! tr '\0' '\n' <"/proc/$task/environ" | grep -qx SLURM_ARRAY_TASK_ID=1 ||
        kill -9 "$(awk '/^PPid/ { print $2 }' "/proc/$task/status")"
done
scancel "${job}_2"
eventually 120 forgotten "$job,$wide,$late,$held"
ok $? "squeue forgets what has ended"
"$NETSPACE" collect "$dir/a.db" 2>>"$dir/a.err"
ok $? "then it is collected"
check "the log has the reason of the accounts" says a "its task .* on n[12]: FAILED \(signal 9\)"
check "and that a person has cancelled a task" says a "task ${job}_2 on n[12] was cancelled"
"$NETSPACE" collect "$dir/a.db" --wait 2>>"$dir/a.err"
"$NETSPACE" submit "$dir/a.db" --wait 2>>"$dir/a.err"
ok $? "the rest is trained"
same a "the table is that of the sweep here"

look "$late" 0
check "a time limit" is "0 ended TIMEOUT nil"
look "$wide" 0
check "too much memory, where cgroups do not tell it from a signal" is "0 ended FAILED (signal 9) nil"
look "$held" 0,1,2,3,5,7,8
check "an array that never began, whose tasks are one line of the accounts" is "0 ended CANCELLED true
1 ended CANCELLED true
2 ended CANCELLED true
3 nil nil nil
5 ended CANCELLED true
7 ended CANCELLED true
8 ended CANCELLED true"

dead=$(batch 'exec sleep 600' --array=0 -w n2)
on_node() { queue -t running | grep -q "^${dead}_0.*n2"; }
eventually $patience on_node
eval "kill -9 \$pid_n2"
eventually $patience forgotten "$dead"
look "$dead" 0
check "a node that fails" is "0 ended NODE_FAIL nil"
done_testing
