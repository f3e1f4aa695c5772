#!/bin/sh
# Populations that are compared while they train, when the program is killed in the middle: it goes
# on to the same looks and the same verdict, by the same script and by resuming the store.
. "$(dirname "$0")/../lib.sh"
shown=err
# Workers that train nothing; one of them kills the program when it gets a model of that number.
cat >"$dir/trial.lua" <<'LUA'
package.path = "tests/unit/?.lua;" .. package.path
local store, deadly = arg[1], arg[2]
require "overlay" (store .. ".lua", ([[
local sys, uv = require "netspace.core.sys", require "luv"
local handle = M.handle
function M.handle(job, send)
  if job.kind ~= "train" then return handle(job, send) end
  if job.model == %s and job.attempt == 1 then uv.kill(uv.os_getppid(), "sigkill") end
  local error = 40 - #job.m.d
  for k = 1, 4 do error = error + (sys.random(job.seed, k, 6) >> 11) / 2.0 ^ 52 - 1 end
  uv.sleep(10)
  for _, e in ipairs { { event = "begin", epoch = 0, step = 0, memory = 1000 },
    { event = "epoch", epoch = 1, train_loss = 1, train_error = error, validation_error = error,
      seconds = 0.1, images_per_s = 100 }, { event = "done", error = error, seconds = 0.1 } } do
    e.model, e.attempt = job.model, job.attempt
    send(e)
  end
  return true
end]]):format(deadly))
if arg[3] then
  sweep.resume(store)
  return
end
local populations = {}
for k, name in ipairs { "A", "B" } do
  populations[k] = { space = name, seed = k }
  for i = 1, 60 do
    populations[k][i] = arch.anynet { d = k == 1 and { 1 } or { 1, 1 }, w = k == 1 and { 8 * i }
      or { 8 * i, 8 * i }, g = 8 }
  end
end
local r = sweep.run { store = store, models = populations, compare = { looks = 4 }, workers = 2,
  data = data.open("shapes", { train = 64, test = 50 }), recipe = { epochs = 1, batch = 32 } }
local d = r.decision.arms[1]
print(d.claim, d.at, d.n, d.estimate, d.p)
for _, row in ipairs(d.looks) do print(row.n, row.difference, row.limit) end
LUA
run() { "$NETSPACE" "$dir/trial.lua" "$dir/$1.db" "$2" 2>"$dir/err"; }
killed() { run "$1" "$2" >/dev/null; [ $? -eq 137 ]; }
count() { echo "print(#sweep.open('$dir/$1.db'):result('A').errors)" >"$dir/n.lua"; "$NETSPACE" "$dir/n.lua"; }

run calm 0 >"$dir/calm"
ok $? "a trial to its end" err
check "which is a difference, at a look" grep -q "^difference	[23]	" "$dir/calm"
check "killed in the middle" killed script 20 # before the second look
check "with a part of the models trained" [ "$(count script)" -lt 25 ]
run script 0 >"$dir/script"
ok $? "the same script goes on" err
check "to the same looks and verdict" cmp -s "$dir/calm" "$dir/script"
check "killed again" killed resume 20
"$NETSPACE" "$dir/trial.lua" "$dir/resume.db" 0 resume 2>"$dir/err"
ok $? "sweep.resume goes on" err
check "until it is decided" grep -q "^B is better than A, decided at look" "$dir/err"
check "and no further" [ "$(count resume)" -lt 60 ]
"$NETSPACE" resume "$dir/resume.db" 2>"$dir/err"
check "resumed once more it says so" grep -q "2 populations are decided, and need no more training" "$dir/err"
run resume 0 >"$dir/resume"
check "the script finds the same" cmp -s "$dir/calm" "$dir/resume"
"$NETSPACE" monitor "$dir/resume.db" --once --text >"$dir/out"
check "the monitor calls it finished" grep -q "finished, .* not needed" "$dir/out"
done_testing
