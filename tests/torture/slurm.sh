#!/bin/sh
# The long form of tests/cluster/slurm.sh: 200 models over an array of 20 tasks on real Slurm, while
# nodes are drained, tasks are requeued, killed and run twice, daemons of nodes are killed, the time
# limit comes in the middle of models, shards are cut in the middle of a line, the shared directory
# is full for a while, and the script is left and started again.  Nothing is lost or doubled, and
# the table is that of the same sweep here, to the last bit.  ROUNDS disturbances (40).  Prints TAP.
. "$(dirname "$0")/../lib.sh"
. tests/lib-cluster.sh
. tests/lib-slurm.sh
shown="*.err *.diff slurm/log/ctld.log"
patience=120
sweep=tests/cluster/sweep.lua
find_slurm
MOST=11 AGE=${AGE:-300} start_slurm "$dir/slurm"

EPOCHS=12 COUNT=200 TASKS=20
export EPOCHS COUNT TASKS
began=$(date +%s)
"$NETSPACE" $sweep "$dir/calm.db" >"$dir/calm.table" 2>"$dir/calm.err"
ok $? "200 models here"
echo "# here: $(($(date +%s) - began)) s"

# A file system of its own where that is possible: it is really full for a while.
shared=$dir/shared
mkdir "$shared"
small=
if mount -t tmpfs -o size=24m none "$shared" 2>/dev/null; then
    small=1
    at_exit 'umount -l "$shared"'
fi
full() { [ -z "$small" ] || dd if=/dev/zero of="$shared/fill" bs=64k 2>/dev/null; }
room() { rm -f "$shared/fill"; }

start() {
    LIMIT=1 EXTRA="--signal=B:USR1@30" "$NETSPACE" $sweep "$dir/a.db" slurm "$shared" >>"$dir/a.out" 2>>"$dir/a.err" &
    script=$!
}
alive() { kill -0 "$script" 2>/dev/null; }
any() { # the name of one of its arguments; nothing where there are none
    [ $# -gt 0 ] || return
    shift $((seed % $#))
    echo "$1"
}
requeued=0 killed=0 drained=0 nodes=0 twice=0 cut=0 filled=0 left=0
disturb() {
    seed=$((seed * 1103515245 % 2147483648 + 12345))
    case $((round % 8)) in
    0) # shellcheck disable=SC2046
        scontrol requeue $(any $(queue -t running | cut -d '|' -f 1)) 2>/dev/null && requeued=$((requeued + 1)) ;;
    1) # shellcheck disable=SC2046
        kill -9 $(any $(tasks)) 2>/dev/null && killed=$((killed + 1)) ;;
    2)
        drain=$(any n1 n2)
        scontrol update nodename="$drain" state=drain reason=test 2>/dev/null && drained=$((drained + 1)) ;;
    3)
        jobs=$(any "$shared"/a.db-1/*/*.jobs)
        share=${jobs##*/}
        (cd "${jobs%/*}" && exec "$NETSPACE" task "${share%.jobs}" "double$round" >/dev/null 2>&1) &
        twice=$((twice + 1)) ;;
    4) scontrol update nodename="$drain" state=resume 2>/dev/null ;;
    5)
        full
        filled=$((filled + 1)) ;;
    6)
        room
        node=$(any n1 n2)
        eval "kill -9 \$pid_$node" 2>/dev/null && nodes=$((nodes + 1))
        if [ $((round / 8 % 2)) -eq 0 ]; then sleep 12; fi # it counts as down then
        start_node "$node"
        scontrol update nodename="$node" state=resume 2>/dev/null ;;
    7)
        kill -INT "$script"
        wait "$script"
        for shard in "$shared"/a.db-1/*/*.shard; do
            size=$(wc -c <"$shard")
            if [ "$size" -gt 400 ] && [ $((seed / 7 % 3)) -eq 0 ]; then
                truncate -s $((size - 300)) "$shard"
                cut=$((cut + 1))
            fi
            seed=$((seed * 1103515245 % 2147483648 + 12345))
        done
        left=$((left + 1))
        start ;;
    esac
}
began=$(date +%s) round=0 seed=${SEED:-1}
start
eventually $patience begun 'shared/*'
while alive && [ $round -lt "${ROUNDS:-40}" ]; do
    disturb
    round=$((round + 1))
    at_once
    sleep 2
done
room
for node in n1 n2; do scontrol update nodename=$node state=resume 2>/dev/null; done
over() { at_once && ! alive; }
eventually 1200 over
wait "$script"
ok $? "the same on Slurm, disturbed"
echo "# $(($(date +%s) - began)) s, $round disturbances: $requeued tasks requeued, $killed killed, $twice run twice, nodes $drained times drained and $nodes times killed, $filled times full${small:+ (for real)}, $left times left, $cut shards cut"
check "which was done while it trained" [ $((requeued * killed * drained * nodes * twice * cut * left)) -gt 0 ]
same a "its table is the same: nothing is lost, nothing is doubled"
echo "# $(awk '$3 == "done"' "$dir/a.table" | wc -l) models done, $(grep -c submitted "$dir/a.err") submissions, $(says a "damaged: it is trained again"; grep -c "damaged: it is trained again" "$dir/a.events") models trained again as lines were damaged"
done_testing
