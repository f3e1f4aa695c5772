# What the tests of sweeps on other machines share, after lib.sh: two hosts, node1 and node2, which are
# sshd processes of this machine on ports of their own, reached by the command NETSPACE_SSH, which is
# exported; far1 and far2 are the same over a line that is slow.  A test is skipped where no sshd can
# be started.  Sets sshd1, sshd2 (their processes).
# shellcheck shell=dash
# shellcheck disable=SC2034,SC2154 # $dir is of lib.sh

PATH=$PATH:/usr/sbin
skip_without sshd ssh ssh-keygen
[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N "" -f "$dir/host"
ssh-keygen -q -t ed25519 -N "" -f "$dir/user"
# The process and all that came of it.
tree() {
    ps -eo pid,ppid | awk -v of="$1" '{ parent[$1] = $2 } END {
        for (p in parent) { for (q = p; q in parent && q != of;) q = parent[q]; if (q == of) print p } }'
}
sshd1='' sshd2='' # their processes
# host_up N: starts sshd number N; false where its port is taken.
host_up() {
    : >"$dir/log$1"
    "$(command -v sshd)" -D -e -f "$dir/sshd$1" >>"$dir/log$1" 2>&1 &
    eval "sshd$1=$!"
    eventually 20 grep -q "Server listening" "$dir/log$1"
}
# shellcheck disable=SC2046,SC2086
host_down() { eval "set -- \$sshd$1"; kill -9 $(tree $1) 2>/dev/null; }
at_exit 'host_down 1; host_down 2'
port=$((20000 + $$ % 20000))
for i in 1 2; do
    printf '%s\n' "ListenAddress 127.0.0.1" "Port $((port + i))" "HostKey $dir/host" \
        "AuthorizedKeysFile $dir/user.pub" "StrictModes no" "UsePAM no" "PidFile none" \
        "SetEnv XDG_STATE_HOME=$dir/there$i" >"$dir/sshd$i"
    printf '%s\n' "Host node$i" "  Port $((port + i))" "Host far$i" "  Port $((port + i))" \
        "  ProxyCommand $NETSPACE -q --no-init $PWD/tests/sweep/far.lua $((port + i))" >>"$dir/config"
done
printf '%s\n' "Host *" "  HostName 127.0.0.1" "  IdentityFile $dir/user" "  LogLevel ERROR" \
    "  UserKnownHostsFile /dev/null" "  StrictHostKeyChecking no" >>"$dir/config"
NETSPACE_SSH="ssh -F $dir/config"
export NETSPACE_SSH
if ! { host_up 1 && host_up 2 && $NETSPACE_SSH -o BatchMode=yes -- node1 true; }; then
    echo "1..0 # SKIP no sshd can be started here"
    exit 0
fi
