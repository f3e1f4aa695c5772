#!/bin/bash
# A night of sweeps from the shell: exit statuses and last lines after failures, limits that are
# lifted, budgets, cancelled sweeps; and what is done with a store afterwards (copy, rename,
# remove, export).  Prints TAP.
. "$(dirname "$0")/../lib.sh"
shown="out err"

run() { timeout 60 "$NETSPACE" "$@" >"$dir/out" 2>"$dir/err" </dev/null; rc=$?; }
status() { [ "$rc" -eq "$1" ]; }
out() { grep -qF -- "$1" "$dir/out"; }
err() { grep -qF -- "$1" "$dir/err"; }
err_like() { grep -q -- "$1" "$dir/err"; }
is() { [ "$(cat "$dir/out")" = "$1" ]; } # all of stdout
quiet() { [ ! -s "$dir/err" ]; }

cat >"$dir/sweep.lua" <<'LUA'
local D = data.open("shapes", { train = 64, test = 50 })
local A = space.small.AnyNetXA:sample(2, { flops = { 1e6, 2e6 } })
local r = sweep.run { store = arg[1], name = "A", models = A, data = D, recipe = { epochs = 1 },
  memory = arg[2] ~= "none" and arg[2] or nil }
print(r)
if arg[3] then error(arg[3]) end
LUA
tight() { rm -f "$dir/s.db"; run "$dir/sweep.lua" "$dir/s.db" 1MB "$@"; }
tight "on purpose"
check "a script that raises ends with 1, also after failed models" status 1
check "and says what" err 'on purpose'
tight
check "failed models alone: status 3" status 3
check "a result counts every model once" out 'result A: 2 models: 2 failed'
check "so does the summary" err 'A: 2 models: 2 failed; none trained, 2 failed'
check "which says why" err_like "; 2 failed: it needs [0-9.]* MB at batch 32, and the limit is 1 MB per worker (numbers of the first); "
check "and how to train them again" err_like "\`netspace resume $dir/s.db --memory [0-9.]*MB\`, or the same script with a larger memory=, trains the failed ones again"
run resume "$dir/s.db" --retry
check "with the same limit again" status 3
check "that it stays is said" err "s.db: 2 failed models queued again; 2 of them failed at the limit of memory, which stays as it was: --memory SIZE, or none, lifts it"
check "that they will fail is said before" err_like "A: 2 models × .*; 2 of 2 need more than 1 MB (up to [0-9.]* MB) and will fail: raise memory="
run "$dir/sweep.lua" "$dir/s.db" 1GB
check "the same script with a higher limit trains them: status 0" status 0
check "and says so" err "A: 2 failed models queued again: the limit that failed them is higher now"
tight
run resume "$dir/s.db"
check "what failed and why is also said where nothing is open" err "s.db: nothing is open; 2 failed: it needs"
cat >"$dir/mended.lua" <<LUA
dofile "$dir/sweep.lua"
sweep.resume(arg[1], { retry = true, memory = "none" })
LUA
rm -f "$dir/m.db"
run "$dir/mended.lua" "$dir/m.db" 1MB
check "what failed and was trained later has not failed: status 0" status 0
check "as the last line says" [ "$(tail -n 1 "$dir/err" | cut -d ' ' -f 1-5)" = "A: 2 models: 2 done;" ]
run resume "$dir/s.db" --retry=some
check "--retry=some: status 2" status 2; check "what it takes" err "--retry=all also what has diverged; not 'some'"
run resume "$dir/s.db" --memory lots
check "--memory lots is refused" err "--memory is 'lots'; it must be a size with its unit, such as \"2GB\""; check "with 2" status 2
run resume "$dir/s.db" --memory -5
check "so is -5" err "--memory is '-5'; it must be a size"; check "with 2" status 2
run resume "$dir/s.db" --memory 60
check "and 60 of nobody knows what" err '(did you mean "60MB"?); none lifts the limit'; check "with 2" status 2
run resume "$dir/s.db" --by 7h
check "--by wants a time of day" err "--by is a time of day, 00:00 to 23:59; not '7h'"; check "with 2" status 2
run resume "$dir/s.db" --by 7:00 --budget 1h
check "--by or --budget" err "two ways to say it"; check "with 2" status 2
run resume "$dir/s.db" --budget soon
check "and --budget soon" err "--budget is a time, such as 6h, 90m or 7200 (seconds); not 'soon'"; check "with 2" status 2
run resume "$dir/s.db" --patience never
check "--patience never is refused" err "--patience is a number of seconds above 0, not 'never'"
run resume "$dir/s.db" --retry --memory none --patience=60 --workers 1
check "limits are lifted: status 0" status 0
check "what is queued again is said" err "s.db: 2 failed models queued again"
check "and trained" err 'A: 2 models: 2 done; 2 trained in'
run resume "$dir/s.db" --retry
check "nothing failed: nothing to do" err "s.db: no model has failed"
run -e "sweep.run { store = '$dir/w.db', name = 'W', data = data.open('shapes', { train = 320, test = 50 }),
  models = space.small.AnyNetXA:sample(2, { flops = { 1e6, 2e6 } }), recipe = { epochs = 2, lr = 1000 } }"
check "diverged models are results: status 0" status 0
check "what to do with them is said" err "\`netspace resume $dir/w.db --retry=all\` trains what diverged again"
run resume "$dir/w.db" --retry
check "--retry leaves them" err "no model has failed; 2 diverged ones stay as they are (--retry=all takes them, too)"
run resume "$dir/w.db" --retry=all
check "--retry=all does not" err "w.db: 2 diverged models queued again"
run -e "sweep.run { store = '$dir/b.db', name = 'B', data = data.open('shapes', { train = 320, test = 50 }),
  models = space.small.AnyNetXA:sample(2, { flops = { 1e6, 2e6 } }), recipe = { epochs = 1 }, budget = 0.001 }"
check "a spent budget is no failure: status 0" status 0
check "the last line says what is left" [ "$(tail -n 1 "$dir/err" | sed 's/.*; the/the/')" = "the budget of 0.001s is spent; run it again, or \`netspace resume $dir/b.db\`" ]
run resume "$dir/b.db" --budget 0.001s
check "resume with one agrees" status 0; check "in the same words" err_like "B: 2 models: 2 queued; .*the budget of 0.001s is spent"
run -e "local h = sweep.start { store = '$dir/h.db', name = 'H', data = data.open('shapes', { train = 320, test = 50 }),
  models = space.small.AnyNetXA:sample(2, { flops = { 1e6, 2e6 } }), recipe = { epochs = 50 } }
h:cancel()"
check "a cancelled sweep says how it stands" err_like "H: 2 models: 2 queued; .*run it again, or \`netspace resume $dir/h.db\`"
run -e "local function begin(name, epochs) return sweep.start { store = '$dir/h2.db', name = name, recipe = { epochs = epochs },
  data = data.open('shapes', { train = 320, test = 50 }), models = space.small.AnyNetXA:sample(1, { flops = { 1e6, 2e6 } }) } end
local a, b = begin('A', 1), begin('B', 40)
b:wait()"
check "a script may wait for one of them" status 0
check "so does one that ended while another was waited for" [ "$(grep -c '^[AB]: 1 model: 1 done; 1 trained' "$dir/err")" -eq 2 ]
run -e "local function train(name, r) sweep.run { store = '$dir/r.db', name = name, recipe = r, data = data.open('shapes',
  { train = 64, test = 50 }), models = space.small.AnyNetXA:sample(1, { flops = { 1e6, 2e6 } }) } end
train('P', { epochs = 1, lr = 0.2 }) train('Q', { epochs = 1, lr = 0.2 }) train('R', recipe { epochs = 1, batch = 32 })"
check "a recipe that leaves something out says what the rest is" err "P: recipe.quick with epochs = 1, lr = 0.2: 1 epoch, batch 32, lr 0.2; "
check "once, and a whole one nothing" [ "$(grep -c 'recipe.quick with' "$dir/err")" -eq 1 ]
run -e "sweep.run { store = '$dir/none.db', name = 'N', data = data.open('shapes', { train = 100, test = 50 }),
  models = space.small.AnyNetXA:sample(2), recipe = recipe.paper }"
check "a batch above the training set" err "recipe.batch is 128, and the training set of 'shapes' has 100 images"
check "is refused before anything is stored" [ ! -e "$dir/none.db" ]
run copy "$dir/s.db" "$dir/copy.db"
check "copy" status 0; check "without a word" quiet
run -e "print(store.open('$dir/copy.db'):result('A'))"
check "has all of it" is 'result A: 2 models: 2 done'
run copy "$dir/s.db" "$dir/copy.db"
check "but never over a file" err "copy.db is there already; a copy is a new file"; check "status 1" status 1
run copy "$dir/nothing.db" "$dir/x.db"
check "nor of nothing" err "nothing.db: no such store"
run copy "$dir/s.db"
check "copy wants two names" err "usage: netspace copy STORE NEW"; check "status 2" status 2
run -e "local s = store.open('$dir/copy.db') print(s:rename('A', 'B'), s:names()) print(s:remove('B'), #s:names())"
check "rename and remove" is $'true\tB\ntrue\t0'
run copy "$dir/s.db" "$dir/shell.db"
run rename "$dir/shell.db" A first
check "the same from a shell" status 0; check "without a word" quiet
run rename "$dir/shell.db" A second
check "a name that is not there" err "has no population 'A'; it has first"; check "status 1" status 1
run rename "$dir/shell.db" first
check "rename wants three" err "usage: netspace rename STORE OLD NEW"; check "status 2" status 2
sed 's/name = "A"/name = "again"/' "$dir/sweep.lua" >"$dir/again.lua"
run "$dir/again.lua" "$dir/shell.db" none
check "the same networks under another name: one line says so" \
    err "again: the same networks, with the same recipe, data and seed, are in $dir/shell.db as 'first'; name = \"first\" goes on with those"
run remove "$dir/shell.db" again --yes
check "and gone again" status 0
run export "$dir/shell.db" -o -
check "export to standard output" [ "$(head -c 18 "$dir/out")" = "population,index,d" ]; check "status 0" status 0
check "all of it, and nothing else" [ "$(wc -l <"$dir/out")" -eq 3 ]
check "not a word beside it" [ ! -s "$dir/err" ]
run export "$dir/shell.db" -o - --format jsonl first
check "in another format" [ "$(head -c 21 "$dir/out")" = '{"format":1,"netspace' ] || head -c 40 "$dir/out"
run export "$dir/shell.db" -o - --format xls
check "one that it does not know" err "--format is csv, jsonl or json, not 'xls'"; check "status 2" status 2
run export "$dir/shell.db" -o "$dir/e.csv" && run export "$dir/shell.db" -o "$dir/e.json"
check "each file has its own provenance" [ -s "$dir/e.csv.provenance.json" ] && [ -s "$dir/e.json.provenance.json" ]
run remove "$dir/shell.db" first
check "remove" status 0; check "says what went" err_like "^first: removed 2 models, [0-9]*s of training$"
run remove "$dir/shell.db" first
check "what is not there" err "has no population 'first'; it has none yet"
uses_terminal
run copy "$dir/s.db" "$dir/asked.db"
terminal 160 20
enter "'$NETSPACE' remove '$dir/asked.db' A; printf 'rc=%d\n' \$?"
check "on a terminal it asks" shows '^A: 2 models, [0-9]+s of training; remove\? \[y/N\]'
key n Enter
check "no: nothing goes" shows "'A' stays"
enter "'$NETSPACE' remove '$dir/asked.db' A"
shows 'y/N. $'
key y Enter
check "yes: it goes" shows '^A: removed 2 models'
run help resume
check "help of a command is that of the command" out "usage: netspace resume STORE"
check "with what it does" out "Trains what the populations of a store have open"
run doctor "$dir/copy.db"
check "doctor says what an empty store may be" out "copied from a store at work"
check "which is nothing bad" [ "$rc" -ne 4 ]
done_testing
