#!/bin/sh
# What sweeps are asked for besides, on tasks (the scheduler "sh"): another program as trainer, a
# budget, models that are left early, several populations until they are decided, a step of a
# design; and one that was begun there and goes on here, or the other way.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
. tests/lib-cluster.sh
shown="*.err *.diff"
patience=60

# sweep NAME 'OPTIONS' ['CALL']: trains a population of 12 networks; the stub trains nothing.
cat >"$dir/sweep.lua" <<'END'
function models(n, seed)
  return space.small.RegNetX:sample(n, { seed = seed, flops = { 1e6, 2e6 } })
end
function tiny(n)
  local list = {}
  for i = 1, n do list[i] = arch.anynet { d = { 1, 1 }, w = { 8 * (1 + i % 2), 16 }, g = 8 } end
  list.space = "RegNetX-32px"
  return list
end
function on() return cluster { scheduler = "sh", tasks = 3, look = 1 } end
stub = { command = "'" .. arg[2] .. "' -q --no-init tests/unit/stub_trainer.lua", slots = 2,
  env = { STUB_HONEST = 1, STUB_SECONDS = 0.1 } }
local o = load("return {" .. arg[3] .. "}")()
o.store, o.data = arg[1], data.open("shapes", { train = 400, test = 50 })
o.recipe = o.recipe or { epochs = 3, batch = 32 }
if not o.parent then o.models = o.models or models(12, 1) end
print(load(arg[4])(o))
END
sweep() { "$NETSPACE" -q --no-init "$dir/sweep.lua" "$dir/$1.db" "$NETSPACE" "$2" \
    "${3:-return #sweep.run(...).errors}" >"$dir/$1.out" 2>"$dir/$1.err"; }
ask() { "$NETSPACE" -q --no-init -e "s = store.open('$dir/$1.db') print($2)" 2>>"$dir/$1.err"; }
sql() { "$NETSPACE" -q --no-init -e "print(require('netspace.core.sqlite').open('$dir/$1.db', 'r'):rows([[$2]])[1].n)" 2>>"$dir/$1.err"; }

# ---- a trainer -------------------------------------------------------------------------------
sweep calm "trainer = stub"
ok $? "another program trains here"
"$NETSPACE" -q --no-init tests/cluster/table.lua "$dir/calm.db" >"$dir/calm.table"
sweep trainer "trainer = stub, on = on()"
ok $? "and on tasks"
same trainer "with the same table"
check "the store says of each model who trained it" [ "$(sql trainer "SELECT count(*) AS n FROM model
    JOIN trainer ON trainer.id = model.trainer WHERE name = 'stub' AND device = 'none'")" = 12 ]
mkdir "$dir/sub"
cp tests/unit/stub_trainer.lua "$dir/sub/mine.lua"
(cd "$dir/sub" && "$NETSPACE" -q --no-init "$dir/sweep.lua" "$dir/where.db" "$NETSPACE" \
    "trainer = { command = { '$NETSPACE', '-q', '--no-init', 'mine.lua' }, env = { STUB_HONEST = 1 } },
    on = on()" "sweep.run(...)" >"$dir/where.out" 2>"$dir/where.err")
ok $? "a trainer is found where it was given"
same where "with the same table"
sweep mixed "on = on(), trainer = { command = 'STUB_DEVICE=gpu' .. (arg[5] or '') ..
    '\$NETSPACE_SLOT exec ' .. stub.command, slots = 2, env = stub.env }"
ok $? "two kinds of devices in one task"
check "are told apart, model by model" [ "$(sql mixed "SELECT count(DISTINCT device) AS n FROM model
    JOIN trainer ON trainer.id = model.trainer")" = 2 ]
check "and the user is told" grep -q "tasks train with stub 1 on gpu.*their errors are not made alike" "$dir/mixed.err"
sweep none "on = on(), trainer = 'echo nothing; exit 7'"
grep -q "no task has begun in 3 submissions" "$dir/none.err" && grep -q "status 7" "$dir/none.err"
ok $? "a trainer that ends at once ends the sweep, which says why"

# ---- a budget ----------------------------------------------------------------------------------
sweep budget "trainer = { command = stub.command, env = { STUB_HONEST = 1, STUB_SECONDS = 0.4 } },
    on = on(), budget = 7" "r = sweep.run(...) return #r.errors .. ' ' .. tostring(r.budget)"
ok $? "a budget that is spent is no failure"
trained=$(cut -d ' ' -f 1 "$dir/budget.out")
[ "$trained" -ge 3 ] && [ "$trained" -lt 12 ]
ok $? "it is time of tasks" out
check "the result and the last line say so" grep -q "the budget of 7s is spent" "$dir/budget.err"
grep -q " 7$" "$dir/budget.out"
ok $? "and how much it was"
sweep budget "trainer = stub, on = on()"
check "the same without it trains the rest" [ "$(cat "$dir/budget.out")" = 12 ]

# ---- weights that are kept ---------------------------------------------------------------------
sweep kept "models = tiny(4), seed = 3, workers = 2, checkpoint = { keep = true }"
sweep weights "models = tiny(4), seed = 3, on = on(), checkpoint = { keep = true }"
ok $? "weights of networks that tasks train are kept"
differ=
for i in 1 2 3 4; do
    cmp "$dir/kept.db.weights/1-$i.safetensors" "$dir/weights.db.weights/1-$i.safetensors" 2>>"$dir/weights.err" || differ=1
done
check "where workers here put theirs, and the same" [ -z "$differ" ]
check "nothing stays with the tasks" [ ! -e "$dir/weights.db.cluster" ]
check "the best network is there" [ "$("$NETSPACE" -q --no-init -e "
    s = assert(store.open('$dir/weights.db')) r = s:result('RegNetX-32px')
    best = 1 for i = 2, 4 do if r.errors[i] < r.errors[best] then best = i end end
    print((s:net('RegNetX-32px', best):test(data.open('shapes', { train = 400, test = 50 }), { split = 'validation' })) == r.errors[best])")" = true ]

# ---- models that are left early ------------------------------------------------------------------
sweep whole "models = tiny(6), seed = 3, workers = 2"
"$NETSPACE" -q --no-init tests/cluster/table.lua "$dir/whole.db" >"$dir/calm.table"
sweep early "models = tiny(6), seed = 3, on = on(), early = { full = 2, after = 1 }" \
    "r = sweep.run(...) return #r.errors .. ' ' .. #r.early.rest.signal"
check "models are left early" [ "$(cat "$dir/early.out")" = "2 4" ]
sweep early "models = tiny(6), seed = 3, on = on()"
check "and go on from their checkpoints" [ "$(sql early "SELECT count(*) AS n FROM epoch
    WHERE epoch = 1 AND attempt = 1")" = 6 ]
same early "to the same table"

# ---- begun there, gone on with here, and back ------------------------------------------------------
# start NAME OPTIONS: the sweep NAME is left when tasks are at work
start() {
    "$NETSPACE" -q --no-init "$dir/sweep.lua" "$dir/$1.db" "$NETSPACE" "$2" "sweep.run(...)" \
        >"$dir/$1.out" 2>"$dir/$1.err" &
    script=$!
    eventually $patience begun "$1.db.cluster/*"
    kill -INT $script
    wait $script
}
long="models = tiny(6), seed = 3, recipe = { epochs = 20, batch = 32 }, checkpoint = { every = 1 }"
sweep whole20 "$long, workers = 2"
"$NETSPACE" -q --no-init tests/cluster/table.lua "$dir/whole20.db" >"$dir/calm.table"
start home "$long, on = on()"
sweep home "$long, workers = 2"
ok $? "a sweep that was begun on a cluster goes on here"
same home "with the same table"
check "no task stays at work" idle
check "and nothing stays there" [ ! -e "$dir/home.db.cluster" ]
start there "$long, on = on()"
"$NETSPACE" resume "$dir/there.db" --workers 2 2>>"$dir/there.err"
grep -q "workers does not go with on=.*--on here" "$dir/there.err"
ok $? "resume goes on there, where workers are no choice"
"$NETSPACE" resume "$dir/there.db" --on here --workers 1 --budget 1s 2>>"$dir/there.err"
ok $? "and here when asked"
check "which ends its tasks" idle
"$NETSPACE" resume "$dir/there.db" --on sh 2>>"$dir/there.err"
ok $? "resume on a cluster"
same there "takes checkpoints along, with the same table"
says there "run finished"
check "which the log tells" [ $? -eq 0 ]

# ---- several populations ---------------------------------------------------------------------------
both="models = { models(12, 1), models(12, 3) }, name = { 'A', 'B' }, compare = { looks = 2 },
    trainer = stub"
sweep here "$both" "return sweep.run(...).verdict"
sweep trial "$both, on = on()" "return sweep.run(...).verdict"
check "a trial on tasks ends" [ -s "$dir/trial.out" ]
check "with the verdict of one here" cmp -s "$dir/here.out" "$dir/trial.out"
step="parent = space.small.AnyNetXA, candidates = { 'b_1' }, n = 5, trainer = stub,
    sample = { flops = { 1e6, 2e6 } }"
sweep step0 "$step" "return design.step(...).verdict"
sweep step "$step, on = on()" "return design.step(...).verdict"
check "a step of a design on tasks ends" [ -s "$dir/step.out" ]
check "with the verdict of one here" cmp -s "$dir/step0.out" "$dir/step.out"
check "no task stays" eventually 20 idle
done_testing
