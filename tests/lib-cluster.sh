# What the tests of clusters share, after lib.sh: processes and stores of a test in $dir.
# shellcheck shell=dash
# shellcheck disable=SC2154 # $dir is of lib.sh

# each_below COMMAND: calls it with each process whose directory lies in $dir.
each_below() {
    for p in /proc/[0-9]*; do
        case $(readlink "$p/cwd" 2>/dev/null) in "$dir"/*) "$1" "${p#/proc/}" ;; esac
    done
}
if_task() {
    case $(tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null) in */netspace\ task\ *) echo "$1" ;; esac
}
if_script() {
    case $(tr '\0' ' ' <"/proc/$1/cmdline" 2>/dev/null) in sh\ "$dir"/*) echo "$1" ;; esac
}
# tasks, scripts: process ids of `netspace task`, and of the batch scripts
tasks() { each_below if_task; }
scripts() { each_below if_script; }
idle() { [ -z "$(tasks)" ]; }
kill_below() { [ "$1" = $$ ] || kill -9 "$1" 2>/dev/null; }
at_exit 'each_below kill_below' # what a failed test has left

# same NAME WHAT: the table of the store NAME is that in calm.table
same() {
    "$NETSPACE" -q --no-init tests/cluster/table.lua "$dir/$1.db" >"$dir/$1.table" 2>>"$dir/$1.err"
    diff "$dir/calm.table" "$dir/$1.table" >"$dir/$1.diff"
    ok $? "$2"
}
# says NAME REGEX: whether a line of the store's log matches
says() {
    "$NETSPACE" -q --no-init -e "for _, e in ipairs(assert(store.open('$dir/$1.db')):events { last = 1000 }) do print(e.text) end" >"$dir/$1.events" 2>&1
    grep -qE -- "$2" "$dir/$1.events"
}
# begun PATTERN: whether a shard whose path in $dir is like that has something in it
begun() { [ -n "$(find "$dir" -path "*/$1" -name '*.shard' -size +0 2>/dev/null)" ]; }
