#!/bin/sh
# The kill test for workers on hosts, which two sshd of this machine play: kills of workers there, of
# connections and of main processes (kill.lua; KILLS and KILL_LOG as in kill.sh).  Prints TAP.
. "$(dirname "$0")/../lib.sh"
. tests/lib-ssh.sh
SSHD="$sshd1 $sshd2" "$NETSPACE" -q --no-init tests/torture/kill.lua "${KILLS:-60}" "${SEED:-$$}" ssh
