# Real Slurm daemons on this host for a test: one slurmctld and two slurmd ("nodes" n1 and n2 of two
# cores each), without munge and without root's help where that is possible.  A test sources it after
# lib.sh.  Where Slurm is not installed, Debian's packages are fetched into build/slurm and
# unpacked there; nothing is installed.  The test is skipped where that cannot be.
# shellcheck shell=dash
# shellcheck disable=SC2154 # $dir is of lib.sh

slurm_version=0

# Skips the test with a reason.
no_slurm() {
    echo "1..0 # SKIP $1"
    exit 0
}

# Finds the programs, or fetches them: PATH, slurmd_path and libraries are set.
find_slurm() {
    root=$PWD/build/slurm
    local list
    PATH=$PATH:/usr/sbin
    if ! command -v slurmctld >/dev/null && [ ! -x "$root/bin/slurmctld" ]; then
        command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
            no_slurm "Slurm is not installed, and there is no apt-get to fetch it"
        mkdir -p "$root/debs"
        list=$(apt-get -s install --no-install-recommends slurm-wlm 2>/dev/null | awk '/^Inst/ { print $2 }')
        [ -n "$list" ] || no_slurm "Slurm is not installed, and apt-get knows no package slurm-wlm"
        # shellcheck disable=SC2086
        (cd "$root/debs" && timeout 60 apt-get download $list) >"$dir/apt.log" 2>&1 ||
            no_slurm "Slurm is not installed, and its packages cannot be fetched"
        for deb in "$root"/debs/*.deb; do dpkg-deb -x "$deb" "$root/files"; done
        mkdir -p "$root/bin"
        for program in slurmctld slurmd slurmstepd; do
            ln -sf "$root/files/usr/sbin/$program-wlm" "$root/bin/$program"
        done
    fi
    plugins=
    if ! command -v slurmctld >/dev/null; then
        PATH=$root/bin:$root/files/usr/bin:$PATH
        plugins=$(dirname "$(find "$root/files" -name auth_none.so)")
        LD_LIBRARY_PATH=$plugins:$(find "$root/files" -name 'libmunge.so*' -printf '%h:' -quit)$LD_LIBRARY_PATH
        export LD_LIBRARY_PATH
        stepd=$root/bin/slurmstepd
    fi
    export PATH
    slurm_version=$(slurmctld -V 2>/dev/null | awk '{ print $2 }')
    [ -n "$slurm_version" ] || no_slurm "slurmctld does not run here"
}

# How processes of Slurm know each other, in $auth: without munge.  From 23.11 on Slurm has a way of
# its own, by the file slurm.key beside slurm.conf and sockets in /run, which are one machine's.
slurm_auth() {
    case $slurm_version in
    1* | 20* | 21* | 22* | 23.0*) auth="AuthType=auth/none
CredType=cred/none" ;;
    *)
        for socket in /run/slurm*/sack.socket; do
            [ ! -e "$socket" ] || no_slurm "a Slurm of this machine has $socket"
        done
        head -c 1024 /dev/urandom >"$D/slurm.key"
        chmod 600 "$D/slurm.key"
        auth="AuthType=auth/slurm
CredType=cred/slurm" ;;
    esac
}

# start_slurm DIRECTORY: writes slurm.conf and starts the daemons.  An array has at most MOST - 1
# (3) tasks; AGE is how long squeue knows tasks that have ended (300 seconds); ACCOUNTING lines of
# slurm.conf instead of none; SELECT what tasks are given, such as CR_Core_Memory.
start_slurm() {
    D=$1
    host=$(hostname -s)
    me=$(id -un)
    port=$((20000 + $$ % 20000))
    mkdir -p "$D/state" "$D/log" "$D/spool/n1" "$D/spool/n2"
    slurm_auth
    cat >"$D/slurm.conf" <<CONF
ClusterName=t
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$me
SlurmdUser=$me
$auth
${plugins:+PluginDir=$plugins}
StateSaveLocation=$D/state
SlurmdSpoolDir=$D/spool/%n
SlurmctldPidFile=$D/ctld.pid
SlurmdPidFile=$D/%n.pid
SlurmctldLogFile=$D/log/ctld.log
SlurmdLogFile=$D/log/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
${ACCOUNTING:-AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none}
MpiDefault=none
MailProg=/bin/true
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1,defer
SelectType=select/cons_tres
SelectTypeParameters=${SELECT:-CR_Core}
ReturnToService=2
MaxArraySize=${MOST:-4}
MinJobAge=${AGE:-300}
KillWait=5
SlurmdTimeout=10
SlurmdParameters=config_overrides
NodeName=n[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 2))] CPUs=2 Boards=1 SocketsPerBoard=1 CoresPerSocket=2 ThreadsPerCore=1 RealMemory=1000 State=UNKNOWN
PartitionName=p Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP
CONF
    export SLURM_CONF="$D/slurm.conf"
    setsid slurmctld -D -c >"$D/log/ctld.out" 2>&1 &
    pids=$!
    start_node n1
    start_node n2
    at_exit 'stop_slurm'
    eventually 30 two_idle || no_slurm "Slurm's daemons do not start here: $(tail -n 1 "$D/log/ctld.out" "$D/log/ctld.log" | tr '\n' ' ')"
}

queue() { squeue -h -r -u "$me" -o "%i|%T|%N|%r" "$@"; }
running() { queue -t running | head -n 1 | cut -d '|' -f 1; }
gone() { [ -z "$(queue)" ]; }
at_once() { # requeued tasks wait for two minutes, unless they are told not to
    for task in $(queue -t pending | grep BeginTime | cut -d '|' -f 1); do
        scontrol update jobid="$task" StartTime=now 2>/dev/null
    done
}

start_node() {
    setsid slurmd -D -N "$1" ${stepd:+-d "$stepd"} >"$D/log/$1.out" 2>&1 &
    pids="$pids $!"
    eval "pid_$1=$!"
}

two_idle() { [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = 2 ]; }

stop_slurm() {
    scancel -u "$me" 2>/dev/null
    # shellcheck disable=SC2086
    kill $pids 2>/dev/null
    eventually 10 stopped
    # shellcheck disable=SC2086
    kill -9 $pids 2>/dev/null
    # shellcheck disable=SC2086
    wait $pids
}
stopped() {
    for p in $pids; do [ ! -d "/proc/$p" ] || return 1; done
}
