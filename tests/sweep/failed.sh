#!/bin/sh
# A model whose workers all die ends as failed, and the program with exit status 3; a damaged
# store is exit status 4.  Prints TAP.
netspace=${NETSPACE:?}
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cat >"$dir/sweep.lua" <<'LUA'
local uv, kills = require "luv", 0
local r = sweep.run { store = arg[1], name = "A", workers = 1,
  models = { arch.anynet { d = { 1, 1 }, w = { 8, 16 } } }, recipe = recipe { epochs = 50, batch = 32 },
  data = data.open("shapes", { train = 1000, test = 64 }),
  progress = function()
    local model = assert(sweep.open(arg[1])):live("A")[1]
    if model.status == "running" and kills < model.attempt then
      kills = model.attempt
      uv.kill(model.worker, "sigkill")
    end
  end }
print(r.errors[1], r.failed, kills)
LUA
"$netspace" "$dir/sweep.lua" "$dir/a.db" >"$dir/out" 2>"$dir/err"
status=$?
[ "$status" -eq 3 ] && echo "ok 1 - exit status 3" || echo "not ok 1 - exit status 3 (got $status)"
[ "$(cat "$dir/out")" = "$(printf '100.0\t1\t3')" ] && echo "ok 2 - error 100, one failed, three attempts" ||
    { echo "not ok 2 - error 100, one failed, three attempts"; sed 's/^/# /' "$dir/out" "$dir/err"; }
grep -q '1 failed' "$dir/err" && echo "ok 3 - the summary counts it" || echo "not ok 3 - the summary counts it"
head -c 6000 "$dir/a.db" >"$dir/cut.db"
"$netspace" "$dir/sweep.lua" "$dir/cut.db" >"$dir/out" 2>"$dir/err"
status=$?
[ "$status" -eq 4 ] && echo "ok 4 - a damaged store: exit status 4" || echo "not ok 4 - a damaged store: exit status 4 (got $status)"
grep -q 'cut.db is damaged' "$dir/err" && echo "ok 5 - which is named" || echo "not ok 5 - which is named"
echo 1..5
