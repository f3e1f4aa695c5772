#!/bin/sh
# How a program with sweeps ends: a model whose workers all die is failed and the exit status
# 3; a damaged store is 4; a script waits for the sweeps it has started, and stops them when
# it has an error.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
shown="out err"
run() { "$NETSPACE" "$@" >"$dir/out" 2>"$dir/err"; rc=$?; }
err() { grep -q "$1" "$dir/err"; } # a line of stderr matches
err_has() { grep -qxF "$1" "$dir/err"; } # a line is
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
run "$dir/sweep.lua" "$dir/a.db"
check "exit status 3" [ $rc -eq 3 ]
check "error 100, one failed, three attempts" [ "$(cat "$dir/out")" = "$(printf '100.0\t1\t3')" ]
check "the summary counts it" err '1 failed'
run resume "$dir/a.db"
check "resume has the same status" [ $rc -eq 3 ]
check "and says what failed" err_has \
    "$dir/a.db: nothing is open; 1 failed: its worker was killed by SIGSEGV, 3 times without progress; \`netspace resume $dir/a.db --retry\` trains the failed one again"
head -c 6000 "$dir/a.db" >"$dir/cut.db"
run "$dir/sweep.lua" "$dir/cut.db"
check "a damaged store: exit status 4" [ $rc -eq 4 ]
check "which is named" err 'cut.db is damaged'
cat >"$dir/start.lua" <<'LUA'
local models = {}
for i = 1, 4 do models[i] = arch.anynet { d = { 1, 1 }, w = { 8, 16 } } end
sweep.start { store = arg[1], name = "A", models = models, recipe = recipe { epochs = 1, batch = 32 },
  data = data.open("shapes", { train = 1000, test = 64 }) }
if arg[2] then error("on purpose") end
LUA
run "$dir/start.lua" "$dir/b.db"
check "a script with sweeps ends well" [ $rc -eq 0 ]
check "when they have" err '^A: 4 models: 4 done; 4 trained in '
run "$dir/start.lua" "$dir/c.db" fail
check "after an error of the script: exit status 1" [ $rc -eq 1 ]
check "and its sweeps are stopped" err '^A: 4 models: .*queued; .*; run it again'
cat >"$dir/damage.lua" <<'LUA'
local db = require("netspace.core.sqlite").open(arg[1], "rw")
assert(db:exec "UPDATE model SET m = substr(m, 5)")
LUA
run "$dir/damage.lua" "$dir/c.db"
run resume "$dir/c.db"
check "damage that a resume meets: exit status 4" [ $rc -eq 4 ]
check "and a message" err_has 'netspace: model 1 of the store is damaged'
done_testing
