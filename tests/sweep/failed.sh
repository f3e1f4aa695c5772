#!/bin/sh
# How a program with sweeps ends: a model whose workers all die is failed and the exit status
# 3; a damaged store is 4; a script waits for the sweeps it has started, and stops them when
# it has an error.  Prints TAP.
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
      uv.kill(model.worker, "sigsegv")
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
"$netspace" resume "$dir/a.db" 2>"$dir/err"
status=$?
[ "$status" -eq 3 ] && grep -qx \
    "$dir/a.db: nothing is open; 1 model failed, \`netspace resume $dir/a.db --retry\` trains it again" "$dir/err" &&
    echo "ok 4 - resume says what failed, with the same status" ||
    { echo "not ok 4 - resume says what failed, with the same status (got $status)"; sed 's/^/# /' "$dir/err"; }
head -c 6000 "$dir/a.db" >"$dir/cut.db"
"$netspace" "$dir/sweep.lua" "$dir/cut.db" >"$dir/out" 2>"$dir/err"
status=$?
[ "$status" -eq 4 ] && echo "ok 5 - a damaged store: exit status 4" || echo "not ok 5 - a damaged store: exit status 4 (got $status)"
grep -q 'cut.db is damaged' "$dir/err" && echo "ok 6 - which is named" || echo "not ok 6 - which is named"
cat >"$dir/start.lua" <<'LUA'
local models = {}
for i = 1, 4 do models[i] = arch.anynet { d = { 1, 1 }, w = { 8, 16 } } end
sweep.start { store = arg[1], name = "A", models = models, recipe = recipe { epochs = 1, batch = 32 },
  data = data.open("shapes", { train = 1000, test = 64 }) }
if arg[2] then error("on purpose") end
LUA
"$netspace" "$dir/start.lua" "$dir/b.db" 2>"$dir/err"
status=$?
[ "$status" -eq 0 ] && grep -q '^A: 4 models: 4 done; 4 trained in ' "$dir/err" && echo "ok 7 - a script waits for its sweeps" ||
    { echo "not ok 7 - a script waits for its sweeps (status $status)"; sed 's/^/# /' "$dir/err"; }
"$netspace" "$dir/start.lua" "$dir/c.db" fail 2>"$dir/err"
status=$?
[ "$status" -eq 1 ] && grep -q '^A: 4 models: .*queued; .*; run it again' "$dir/err" && echo "ok 8 - and stops them after an error" ||
    { echo "not ok 8 - and stops them after an error (status $status)"; sed 's/^/# /' "$dir/err"; }
cat >"$dir/damage.lua" <<'LUA'
local db = require("netspace.core.sqlite").open(arg[1], "rw")
assert(db:exec "UPDATE model SET m = substr(m, 5)")
LUA
"$netspace" "$dir/damage.lua" "$dir/c.db"
"$netspace" resume "$dir/c.db" 2>"$dir/err"
status=$?
[ "$status" -eq 4 ] && grep -qx 'netspace: model 1 of the store is damaged' "$dir/err" &&
    echo "ok 9 - damage that a resume meets: exit status 4" ||
    { echo "not ok 9 - damage that a resume meets: exit status 4 (got $status)"; sed 's/^/# /' "$dir/err"; }
echo 1..9
