#!/bin/sh
# Ctrl-C while the speed of models is measured, before a sweep begins: it ends with 130, and says
# what there is, as at any other time; what an earlier call had trained is kept.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
shown=err
# Workers that take long to measure.
cat >"$dir/sweep.lua" <<'LUA'
package.path = "tests/unit/?.lua;" .. package.path
local store, n, marked = arg[1], tonumber(arg[2]), arg[3]
if marked then
  require "overlay" (store .. ".lua", ([[
local handle, uv = M.handle, require "luv"
function M.handle(job, send)
  if job.kind == "measure" then
    io.open(%q, "w"):close()
    uv.sleep(20000)
  end
  return handle(job, send)
end]]):format(marked))
end
local models = {}
for i = 1, n do -- all but the first two are worth a measurement
  models[i] = arch.anynet { d = i > 2 and { 8, 8 } or { 1, 1 }, w = { 8 * i, 16 * i }, g = 8, stem = "cifar" }
end
sweep.run { store = store, name = "A", models = models, workers = 2, quiet = not marked,
  data = data.open("shapes", { train = 64, test = 64 }), recipe = recipe { epochs = 2, batch = 32 } }
LUA
# interrupted STORE: Ctrl-C when a worker measures; sets status
interrupted() {
    rm -f "$dir/measures"
    "$NETSPACE" -q "$dir/sweep.lua" "$dir/$1.db" 12 "$dir/measures" >"$dir/out" 2>"$dir/err" &
    pid=$!
    eventually 30 test -e "$dir/measures" || cat "$dir/err"
    kill -INT "$pid"
    wait "$pid"
    status=$?
}
interrupted new
check "Ctrl-C ends a sweep that is being measured" [ "$status" -eq 130 ]
check "in the words of any other time" grep -q "^A: 12 models: 12 queued; none trained to the end in .*; run it again$" "$dir/err"
check "and at last that it was interrupted" [ "$(tail -n 1 "$dir/err")" = "netspace: interrupted" ]
"$NETSPACE" -q "$dir/sweep.lua" "$dir/old.db" 2 2>"$dir/err"
interrupted old
check "beside two that are done, too" [ "$status" -eq 130 ]
check "which are kept" grep -q "^A: 12 models: 2 done, 10 queued; .*; run it again, or .netspace resume" "$dir/err"
done_testing
