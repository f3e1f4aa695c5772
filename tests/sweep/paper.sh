#!/bin/bash
# examples/paper: everything at the tiny scale, killed on the way and started again; the same
# figures from the store and from its export; what the paper's own scale says.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
skip_without gnuplot
shown='*.err'
export LC_ALL=C.UTF-8
paper() { # SCRIPT OPTION…
    "$NETSPACE" -q --no-init "examples/paper/$1.lua" "${@:2}"
}
# Times of layers that are made of nothing measured, for figure 12.
export XDG_CACHE_HOME=$dir/cache
"$NETSPACE" -q --no-init -e 'package.path = "tests/unit/?.lua;" .. package.path
    require "fake_times"(os.getenv "XDG_CACHE_HOME")' 2>"$dir/times.err"
figures() { # DIR OPTION…: everything, without the figure that measures time
    mkdir -p "$dir/$1"
    paper all --scale tiny --pictures "$dir/$1" "${@:2}" 2>"$dir/$1.err" |
        sed "s|$dir/$1|DIR|; /^fig12/,/^fig13/d" >"$dir/$1.out"
    return "${PIPESTATUS[0]}"
}
timeout -s KILL 6 "$NETSPACE" -q --no-init examples/paper/all.lua --scale tiny \
    --store "$dir/p.db" >"$dir/kill.out" 2>"$dir/kill.err"
check "killed after some seconds" test $? = 137
check "the same command goes on, and makes every figure" figures a --store "$dir/p.db"
scripts=$(ls examples/paper/{fig,table}*.lua | wc -l)
check "every script has its section" \
    test "$(grep -cE '^(fig|table)[0-9]+\.lua$' "$dir/a.out")" = $((scripts - 2)) # 12, 13 cut
check "none failed" test ! -s <(grep -E 'not yet|attempt|yet$' "$dir/a.out")
check "pictures are SVG" test "$(grep -l '^<svg\|<svg ' "$dir"/a/*.svg | wc -l)" -ge 14
"$NETSPACE" export "$dir/p.db" -o "$dir/p.jsonl.gz" >"$dir/export.out" 2>"$dir/export.err"
check "exported" test -s "$dir/p.jsonl.gz"
check "figures from the export" figures b --from "$dir/p.jsonl.gz"
check "are those from the store" diff "$dir/a.out" "$dir/b.out"
check "to the last byte of the pictures" diff -r -x fig12.svg "$dir/a" "$dir/b"
paper all --as-is --store "$dir/none.db" >"$dir/none.out" 2>&1
check "no store, no figures" test $? = 1 -a "$(cat "$dir/none.out")" = "all.lua: $dir/none.db: no such store"
paper claims --scale tiny --from "$dir/p.jsonl.gz" >"$dir/claims.out" 2>"$dir/claims.err"
check "every claim is tested" test "$(grep -c '^| .* ([-+].* to .*) |' "$dir/claims.out")" -ge 28
"$NETSPACE" -q --no-init examples/verdicts/sequential.lua 2 >"$dir/verdicts.out" 2>"$dir/verdicts.err"
check "the evidence for sequential verdicts: its three tables" \
    test "$(grep -c '^| .* |$' "$dir/verdicts.out")" = $((7 + 6 + 5))
paper fig05 --scale tiny --store "$dir/t.db" --workers local:2 --trainer \
    "STUB_HONEST=1 exec '$NETSPACE' -q --no-init tests/unit/stub_trainer.lua" \
    >"$dir/t.out" 2>"$dir/t.err"
check "another program trains" test $? = 0
check "and the store says so" \
    test "$("$NETSPACE" -e "print(store.open('$dir/t.db'):result('A').trainers[1].trainer)")" = stub
cat >"$dir/own.lua" <<'EOF'
local paper = dofile("examples/paper/paper.lua")
local narrow = constraint { name = "narrow", check = function(m) return m.w[4] <= 64 end }
paper.add { "C narrow", { "AnyNetXC", narrow }, main = true }
local C, own = paper.results("C", "C narrow")
paper.show("own", plot.edf { C, own })
print(stats.compare(C, own).n[2])
EOF
"$NETSPACE" -q --no-init "$dir/own.lua" --store "$dir/p.db" --pictures "$dir/a" \
    >"$dir/own.out" 2>"$dir/own.err"
check "a population and a picture of one's own" \
    test -s "$dir/a/own.svg" -a "$(tail -n 1 "$dir/own.out")" = 6
"$NETSPACE" -q --no-init examples/best.lua "$dir/p.db" X shapes "$dir/best" 1 \
    >"$dir/best.out" 2>"$dir/best.err"
"$NETSPACE" -q --no-init >"$dir/again.out" 2>"$dir/again.err" \
    -e "print(('%.2f'):format(net.load('$dir/best/net.safetensors'):test(data.open('shapes'))))"
check "the best network of a population, trained for longer and kept" \
    grep -q "best: test error $(cat "$dir/again.out") %" "$dir/best.out"
paper fig02 --scale tiny --pictures "$dir/none" >"$dir/u.out" 2>"$dir/u.err"
check "pictures into no directory: said before the training" grep -q "mkdir -p" "$dir/u.err"
paper fig02 --scale tiny --as-is --store "$dir/none.db" >"$dir/u.out" 2>"$dir/u.err"
check "nothing there: one line" test "$(wc -l <"$dir/u.err")" = 1
paper fig02 --help >"$dir/u.out" 2>"$dir/u.err"
check "help" test $? = 0 -a ! -s "$dir/u.err"
paper fig02 --scale small >"$dir/u.out" 2>"$dir/u.err"
check "the small scale wants its data" grep -q "needs --data cifar10:DIR" "$dir/u.err"
paper fig02 --scale tiny --store "$dir/trainer.db" --trainer "echo nothing; exit 7" \
    >"$dir/u.out" 2>"$dir/u.err"
check "another trainer, which ends" grep -q "status 7" "$dir/u.err"
paper fig02 --scal tiny >"$dir/u.out" 2>"$dir/u.err"
check "an unknown option: usage" test $? = 2
paper fig02 --scale tiny --from "$dir/none.jsonl" >"$dir/u.out" 2>"$dir/u.err"
check "an export that is not there" grep -q "none.jsonl" "$dir/u.err"
done_testing
