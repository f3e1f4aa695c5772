#!/bin/bash
# The command line without a terminal: options, scripts, messages, exit statuses, signals.
. "$(dirname "$0")/../lib.sh"
unset NO_COLOR NETSPACE_HISTORY
shown="out err"

# run ARG…: output into out and err, status into rc; `timeout` turns a hang into a failure
run() { timeout 60 "$NETSPACE" "$@" >"$dir/out" 2>"$dir/err" <"${stdin:-/dev/null}"; rc=$?; }
status() { [ "$rc" -eq "$1" ]; }
out() { grep -qF -- "$1" "$dir/out"; }
err() { grep -qF -- "$1" "$dir/err"; }
is() { [ "$(cat "$dir/out")" = "$1" ]; } # all of stdout
quiet() { [ ! -s "$dir/err" ]; }
script() { printf '%s\n' "$@" >"$dir/script.lua"; }

# Code, scripts, arguments.
run -e 'print(1 + 1)'
check "-e prints" is 2; check "-e ends with 0" status 0; check "-e says nothing else" quiet
run -e '1 + 1'
check "an expression is no statement: status 1" status 1
check "what to do is said" err 'print(…) shows the value of an expression'
run -e 'for for'
check "but not of what is no expression" [ "$(grep -c 'print(' "$dir/err")" = 0 ]
run list
check "no such command: status 2" status 2
check "which there are" err "commands: monitor, resume, submit, collect, export, report, copy, remove, rename, data, pack, import, trainer, doctor, help"
run import tests/data/sweeps/regnet.yaml
check "a sweep of pycls is printed as a script" out "space.regnet{"
run import tests/data/sweeps/regnet.yaml -o "$dir/regnet.lua"
check "or written" status 0; check "which is said" out "regnet.lua: "
check "to where it was asked" grep -q "space.regnet{" "$dir/regnet.lua"
run import tests/data/sweeps/regnet.yaml -o; check "-o without a name" err "the name of the script is missing after -o"
run tests/data/sweeps/regnet.yaml; check "a configuration is no script" err "netspace import FILE.yaml"
run export x.db -o x.parquet; check "tables that are not written have a way out" err "whose views pandas, R and DuckDB read (man netspace-exchange)"
touch "$dir/net.pth"; run "$dir/net.pth"; check "so has a file of PyTorch" err "scripts/from_torch.py makes of it"
run import -x
check "import: a wrong option" status 2
for command in monitor resume export report copy remove rename data pack doctor; do
    run $command --help
    check "$command --help says how it is called" out "usage: netspace $command"
    check "and is no error" status 0
done
printf 'SQLite format 3\0' >"$dir/first.db"; run "$dir/first.db"
check "a store is no script" err "first.db is a store, not a script; 'netspace monitor STORE' shows it"
echo 'print("from a pipe", ...)' | "$NETSPACE" /dev/stdin x >"$dir/piped" 2>&1
check "what comes from a pipe is" [ "$(cat "$dir/piped")" = "from a pipe	x" ]
printf '\211PNG\0' >"$dir/x.png"; run "$dir/x.png"
check "nor is what is binary" err "x.png is a binary file, not a script"; check "status 2" status 2
run -e 'x = 3' -e 'print(x)'
check "several -e share their globals" is 3
script 'print(arg[0]:match("[^/]*$"), arg[2], arg[-1] ~= nil, ...)'
run "$dir/script.lua" one two
check "a script has its arguments" is $'script.lua\ttwo\ttrue\tone\ttwo'
run -e 'y = 5' -q "$dir/script.lua" --not-ours
check "options after the script are the script's" out --not-ours
printf '#!%s\nprint("shebang", ...)\n' "$NETSPACE" >"$dir/run-me"; chmod +x "$dir/run-me"
"$dir/run-me" a >"$dir/out" 2>"$dir/err"; rc=$?
check "a script can start with #!" is $'shebang\ta'
echo 'print("from stdin", ...)' >"$dir/in"
stdin=$dir/in run - a
check "- reads the script from stdin" is $'from stdin\ta'
stdin=$dir/in run
check "stdin that is no terminal is a script" out "from stdin"
run -- "$dir/script.lua" x
check "-- ends the options" out script.lua
run -e 'os.exit(7)'
check "os.exit decides the status" status 7
run -e 'print(math.random(1000000))'; first=$(cat "$dir/out")
run -e 'print(math.random(1000000))'
check "random numbers are the same in each run" is "$first"
run --seed 2 -e 'print(math.random(1000000))'
check "--seed changes them" [ "$(cat "$dir/out")" != "$first" ]
run --seed 7 -e 'print(space.RegNetX:sample(1).seed)'
check "--seed is the seed of a sample" is 7
run --seed=9 -e 'print(require("netspace.core.sys").seed())'
check "--seed=N" is 9
run --seed=9 -e 'print(space.RegNetX:sample(1).seed, data.open("shapes", { train = 10, test = 10 }):card().seed)'
check "is the seed of a population and of data" is $'9\t9'
run --seed=9 -e 'print(space.RegNetX:sample(1, { seed = 3 }).seed)'
check "unless the script gives one" is 3
comma=$(locale -a 2>/dev/null | grep -m1 -E '^(de|fr|es|it)_')
LC_ALL=${comma:-C} run -e 'print(1.5, tonumber("2.5"))'
check "numbers have a point in any locale (${comma:-C})" is $'1.5\t2.5'

# Usage.
run --sead 3
check "an unknown option: status 2" status 2
check "and the nearest one" err "unknown option '--sead' (did you mean '--seed'?)"
run --colr=never; check "also before =" err "(did you mean '--color'?)"
run -x; check "one letter is near to nothing" bash -c "! grep -q 'did you mean' '$dir/err'"
run -e 'error{ code = 2 }'; check "an error that is a table is shown" err "{ code = 2 }"
run help space.sampl; check "help looks for the last part of a name" err "S:sample"
run monitor x --onc; check "monitor names the near option" err "did you mean '--once'?"
run -e; check "-e without code" status 2
run --seed no; check "--seed that is no number" status 2; check "is named" err "'no'"
run --seed 99999999999999999999; check "--seed that is too large" err "from 0 to 2^63 - 1"
run --color=purple; check "--color that does not exist" err "not 'purple'"
run moniter x; check "an unknown command: status 2" status 2
check "and the nearest" err "(did you mean 'monitor'?)"
run resume; check "resume without a store" status 2
run resume x --workers 0; check "resume with 0 workers" err "local:2,ssh:node1:8; not '0'"
run resume x --worker 2; check "resume names the near option" err "did you mean '--workers'?"
run --help; check "--help begins with examples" out "examples:"; check "and ends with 0" status 0
run --version
for name in "netspace " Lua SQLite OpenBLAS readline ncurses GPL-3.0; do
    check "--version names $name" out "$name"
done
run help stats.edf; check "help TOPIC" out "The exact error EDF"
run help no-such-thing; check "help of what is not there: status 2" status 2
run doctor
check "doctor ends with 0" status 0; check "the matrix products are right" out "ok   blas"
check "doctor names the kernels" out "kernels"
NETSPACE_ISA=abacus run doctor
check "doctor: an ISA that cannot be had is bad" out "bad  kernels"; check "status 5" status 5
"$NETSPACE" tests/report/make_store.lua "$dir/half.db" half
run report "$dir/half.db" -o "$dir/half.html"
check "report ends with 0" status 0; check "report says what it wrote" err "3 populations, 36 models"
check "the page is there" grep -q '^<!DOCTYPE html>' "$dir/half.html"
run report "$dir/half.db" -o "$dir/one.html" RegNetX
check "report of one population" err "1 population, 12 models"
run report "$dir/half.db"; check "report without -o" status 2
run report "$dir/half.db" -o "$dir/x.html" --titel; check "report names what it does not know" status 2
run report "$dir/half.db" -o "$dir/x.csv"; check "report writes no .csv" status 2
run report "$dir/none.db" -o "$dir/x.html"; check "report without the store" status 1
head -c 9000 /dev/zero >>"$dir/half.db"; printf 'xxxxxxxx' | dd of="$dir/half.db" bs=1 seek=4096 conv=notrunc 2>/dev/null
run report "$dir/half.db" -o "$dir/x.html"; check "report of a damaged store" status 4
check "leaves no page" [ ! -e "$dir/x.html" ]
NETSPACE_HISTORY=/dev/null/history run doctor
check "doctor: a history that cannot be written is a note" out "note history    /dev/null/history cannot"
check "no error" status 0
NETSPACE_HISTORY=off run doctor; check "doctor: no history" out "ok   history    off"
head -c 9000 /dev/zero >"$dir/bad.db"; run doctor "$dir/bad.db"
check "doctor: a file that is no store" out "bad  store"
"$NETSPACE" -q -e "local db = require('netspace.store.schema').open('$dir/at_work.db')
os.execute 'cp $dir/at_work.db $dir/half.db' db:close()"
run doctor "$dir/half.db"
check "doctor: a copy without what lies beside the original" out "half.db-wal beside the original: copy both files, or use netspace copy STORE NEW"

# Errors of scripts.
script 'local function deep(x)' '  return math.flor(x)' 'end' 'local function outer()' \
    '  deep(1) return 0' 'end' 'outer()'
run "$dir/script.lua"
check "a script error: status 1" status 1
check "with file and line" err "script.lua:2: attempt to call a nil value (field 'flor')"
check "with the line itself" err "return math.flor(x)"
check "with the near name" err "did you mean 'floor'?"
check "with the caller" err "script.lua:5: in function"
check "without frames of netspace" bash -c "! grep -q 'lua/netspace' '$dir/err'"
run -e 'x = 1' -e 'n = 1' -e 'error("here " .. n)'
check "an error of -e shows its code" err 'error("here " .. n)'
check "and says which -e" err "-e[3]:1: here 1"
run -e 'local x = math.flor(2)'
check "with a caret under the name" bash -c "grep -A1 'math.flor' '$dir/err' | grep -q '^                 ^$'"
check "and the near one" err "did you mean 'floor'?"
printf '#!first line\nlocal t = {}\nt.a.b = 1\n' >"$dir/in"; stdin=$dir/in run
check "an error of stdin has its line" err "stdin:3: attempt to index"; check "the line" err "  t.a.b = 1"
echo 'x = = 3' >"$dir/in"; stdin=$dir/in run
check "a syntax error of stdin has a caret" err "      ^"
script 'print("before")' 'if x then' '  y = = 2' 'end'
run "$dir/script.lua"
check "a syntax error: status 1" status 1
check "nothing ran" is ""
check "with file and line" err "script.lua:3: unexpected symbol near '='"
check "with a caret" bash -c "grep -A1 -F '    y = = 2' '$dir/err' | grep -q '^ *^'"
run -e 'print(undefinedthing)'
check "an undeclared global is an error" status 1
check "that says so" err "undeclared variable 'undefinedthing'"
run -e 'print(spac)'; check "with the near public name" err "did you mean 'space'?"
run -e 'x = nil print(x)'; check "a global that was assigned nil is declared" is nil
run -e 'error({ code = 3 })'; check "an error that is a table" status 1
run -e 'error(setmetatable({}, { __tostring = function() error("twice") end }))'
check "an error that cannot be printed" err "cannot be printed"
run "$dir/nowhere.lua"; check "a missing script" err "cannot open"; check "status 1" status 1
run -e 'local function f() return f() + 1 end f()'
check "a stack overflow ends in a message" err "stack overflow"
run -e 'local uv = require "luv" local t = uv.new_timer()
t:start(1, 0, function() error("in a callback") end) uv.run() print("not reached")'
check "an error in a callback comes out of the event loop" err "in a callback"
check "and ends the script" status 1; check "there" is ""

# Interrupts: a loop, a coroutine, one in pcall, the event loop; SIGTERM.
stopped() { # SIGNAL CODE
    timeout --preserve-status -k 20 -s "$1" 1 "$NETSPACE" -e "$2" >"$dir/out" 2>"$dir/err"; rc=$?
}
stopped INT 'while true do end'
check "Ctrl-C ends a loop" status 130; check "and says so" err "interrupted"
stopped INT 'coroutine.wrap(function() while true do end end)()'
check "Ctrl-C ends a loop in a coroutine" status 130
stopped INT 'local co = coroutine.create(function() coroutine.wrap(function()
while true do end end)() end) print(coroutine.resume(co)) while true do end'
check "Ctrl-C ends a loop two coroutines deep" status 130
check "the error goes through coroutine.resume" out interrupted
stopped INT 'while true do pcall(function() while true do end end) end'
check "Ctrl-C ends a loop that catches errors" status 130
stopped INT 'local uv = require "luv" uv.new_timer():start(100000, 0, print) uv.run()'
check "Ctrl-C ends the event loop" status 130
stopped INT 'local uv = require "luv"
uv.new_timer():start(1, 0, function() while true do end end) uv.run()'
check "Ctrl-C ends a callback that loops" status 130
stopped INT 'pcall(function() while true do end end) print("goes on")'
check "who catches the interrupt goes on" is "goes on"; check "status 130 all the same" status 130
stopped INT 'data.open("shapes", { train = 1000000 })'
check "Ctrl-C ends the drawing of images" status 130
stopped INT 'while true do arch.hash(zoo["R-56"]) end'
check "also where a function says whose error it is" grep -qx "netspace: interrupted" "$dir/err"
stopped TERM 'while true do end'; check "SIGTERM: status 143" status 143
check "and says so" grep -qx "netspace: terminated" "$dir/err"
stopped HUP 'while true do end'; check "SIGHUP: status 129" status 129
check "and says so" grep -qx "netspace: hung up" "$dir/err"

# Pipes.
{ timeout 60 "$NETSPACE" -e 'while true do print("x") end'; echo $? >"$dir/rc"; } 2>"$dir/err" |
    head -1 >"$dir/out"
rc=$(cat "$dir/rc")
check "a reader that leaves ends the writer" status 141; check "with what it read" is x
check "and no message" quiet
timeout 60 "$NETSPACE" -e 'print(1)' >/dev/full 2>"$dir/err"; rc=$?
check "a full disk is an error" err "cannot write standard output"; check "status 1" status 1

# Colour.
run -e 'print(require("netspace.core.sys").color(1))'; check "no colour into a file" is false
run --color=always -e 'error("red")'; check "--color=always" err $'\e[31m'
run -e 'error("red")'; check "no colour into a file, in errors" bash -c "! grep -q $'\e' '$dir/err'"

# The prompt with a pipe for its input.
session() { printf '%s\n' "$@" >"$dir/in"; stdin=$dir/in run -q -i; }
session '1 + 1' 'x = 4' '= x * 2' '"a" .. "b"' 'nil' '1, 2' 'x;' ';'
check "results are printed, a trailing ; hides" is $'2\n8\n"ab"\nnil\n1   2'
session 'for i = 1, 2 do' '' '  print(i)' 'end' '"next"'
check "an entry of several lines" is $'1\n2\n"next"'
session '6 * 7' '_ + 1'
check "_ is the last result" is $'42\n43'
session 'error("oops")' 'spac.x' 'stats.edff({})' 'print("alive")'
check "errors leave the session alive" is alive
check "the message" err oops
check "a hint for a global" err "did you mean 'space'?"
check "a hint for a field" err "did you mean 'edf'?"
check "status 0" status 0
session 'function f() error("inside") end' '1 + f()'
check "the stack names the function's entry" err "in[1]:1: in function 'f'"
check "and the one that called" err "in[2]:1: in main chunk"
session 'x = = 3' '1'; check "a syntax error has a caret" err "      ^"; check "and goes on" is 1
session '?stats.edf' '?'
check "?x is help" out "The exact error EDF"; check "? lists everything" out "Names of netspace"
session 'stats' 'stats.compare' 'space'
check "a module is shown as what it has" out "stats: error EDFs, comparison"
check "a function as its signature" out "?stats.compare explains"
check "spaces too" out "Design spaces by name"
for out in quit 'quit()' exit 'exit()' q; do
    session "$out"; check "$out: how to leave" err "Ctrl-D leaves"; check "and no word more" is ""
done
session 'q = 3' 'q'; check "unless it is the user's" is 3
session 'help sweep.run'; check "help without brackets" out "sweep.run{ store=, name=, models="
session 'for i = 1, 2 do' '?arch.hash' 'print(i)' 'end' 's = [[' '?kept' ']]' 's'
check "?x inside of an entry is help" out "Sixteen hexadecimal digits"
check "and the entry goes on" bash -c "tail -3 '$dir/out' | tr '\n' ' ' | grep -qxF '1 2 \"?kept\\n\" '"
session 'sweep.run{ store = "x.db", models = nobody }' 'x = recipe{ lik = 3 }' 'arch.describe{ d = {1} }'
check "errors at the prompt name no file of netspace" bash -c "! grep -q '\.lua:' '$dir/err'"
check "a name that was not defined is told with the error" err "'nobody' is not defined"
run -e 'local t = arch.describe{ d = {1} }'
check "nor in batch, but the user's line" grep -q "^netspace: -e:1: arch.anynet: 'w' is missing" "$dir/err"
session 'mine = stats.edf{ 40, 50 }' '?mine'; check "also of what is the user's" out "edf:quantile(p)"
session 'stats = 3' '?stats.edf'; check "a name of netspace stays one" out "The exact error EDF"
session 'prnt'; check "an undeclared global is nil here" is nil
check "with a hint" err "'prnt' is not defined (did you mean 'print'?)"
session 'len(A)' 'for m in { 1 } do print(m) end' 'x = None' 'P = space.small.RegNetX:sample(2)' 'P.len'
check "a name of Python's has its Lua" err "#A is the length of a list"; check "a loop, too" err "for i, m in ipairs(A) do"
check "and None" err "'None' is not defined: nothing is called nil"
check "a field that there is not is told" err "P.len is nil: a population has no field of that name"
run -e 'local P = space.small.RegNetX:sample(2) print(P.len)'; check "but in a script nil is nil" is nil; check "without a word" quiet
run -e 'print(len({ 1 }))'; check "a name of Python's in a script" err "undeclared variable 'len': #A is the length"
run -e 'sweep.run{ store = "x.db", epochs = 3 }'; check "an option of the recipe" err "'epochs' belongs in recipe = { epochs = … }"
session 'local a = 1' 'a'; check "a lost local is explained" err "leave out 'local'"
session 'for i = 1,'; check "input that ends in an entry" err "<eof>"
session 'setmetatable({}, { __tostring = function() error("in tostring") end })' '1'
check "a result that cannot be printed does not end the session" out 1
session 'x = 4' ':time x * 2'
check ":time evaluates" out 8; check "and says how long it took" out " s of the processor here"
session ':tmie 3'; check "an unknown command names the near one" err "did you mean 'time'?"
session ':save'; check ":save without a file" err "needs the name of a file"
session 'x = 4' '=x * 2 -- twice' 'x + 1, "two"' 'x;' 'error("no")' 'for i = 1, 2 do' 'print(i)' 'end' \
    '?who' 'local gone = 1' "print(rawget(_G, 'gone'))" ":save $dir/session.lua" 'who()'
check "who() lists what was made" out '{ name = "x", type = "integer", value = "4" }'
check ":save counts what went well" out "session.lua: 7 entries"
run "$dir/session.lua"
check "the session runs in batch" is $'8\n5   "two"\n1\n2\nnil'; check "without a word" quiet
session 'P = space.small.AnyNetXA:sample(2, { seed = 3 })' 'R = recipe()' 'who()' 'T = space.small.AnyNetXA' \
    '?T:sample' 'd = data.open("shapes", { train = 9, test = 9 })' '?d:image'
check "who() says what things are" out 'population of 2 networks of AnyNetX_A-32px, seed 3'
check "and tables in a line" out '{ batch = 128'
check "?T:sample explains a method of an object" out 'S:sample('; check "and ?d:image" out 'dataset:image('
session 'print(nowhere)' 'nowhere' 'x = nowhere.y' 'help("stats.edf")' 'help "who"' 'who()' '?who' 'space' \
    'stats.edf' \
    'help.add("own", "own()\nOf the user.")' 'who = 3' 'tour' ":save $dir/session.lua"
check ":save leaves out what went wrong and what only looks" out "session.lua: 2 entries"
run "$dir/session.lua"; check "the rest runs" err "'who' is yours now"; check "to its end" status 0
session 'c = constraint{ name = "typo", check = function(m) return flase end }' \
    'p = space.small.AnyNetXA:with(c):sample(2)' ":save $dir/session.lua"
check "a typo in a constraint is an error at the prompt" err "undeclared variable 'flase' (did you mean 'false'?)"
check "whose entry is left out" out "session.lua: 1 entry"
session ":save $dir/none/x.lua"; check ":save to nowhere" err "no such file"
echo 'x = 1' >"$dir/own.lua"; printf 'SQLite format 3\0rest' >"$dir/own.db"
session 'x = 1' ":save $dir/own.lua"; check ":save writes over no script of the user's" err ":save! $dir/own.lua writes over it"
check "which stays" grep -qx 'x = 1' "$dir/own.lua"
session 'x = 2' ":save! $dir/own.lua"; check ":save! does" grep -q "^-- A session of netspace" "$dir/own.lua"
session 'x = 3' ":save $dir/own.lua"; check "and :save over what it wrote" grep -qx 'x = 3' "$dir/own.lua"
session 'x = 4' ":save! $dir/own.db"; check "nothing writes over a store" err "is a store and is not a session"
check "which stays, too" grep -q "^SQLite format 3" "$dir/own.db"
run -e 'tour()'; check "tour() in a script prints ten steps" out "step 10 of 10"
run -e 'tour(11)'; check "and has no eleventh" err "it must be from 1 to 10"
run -e 'for _, s in ipairs(tour.steps) do print(s.run) end'
sed -e 's/sample(12/sample(2/; s/train = 2000, test = 1000/train = 40, test = 20/' \
    -e "s#tour.db#$dir/tour.db#" "$dir/out" >"$dir/in"
stdin=$dir/in run -q -i
check "every step of the tour runs" bash -c "! grep -qv 'models' '$dir/err'"
check "to the verdict" out "KS distance"
mkdir -p "$dir/config/netspace"
echo 'greeting = "hello"' >"$dir/config/netspace/init.lua"
session 'greeting'; check "init.lua runs at the prompt" is '"hello"'
stdin=$dir/in run -q -i --no-init; check "--no-init leaves it out" is nil
echo 'error("bad start")' >"$dir/config/netspace/init.lua"
session '1'; check "an error in it is a warning" err "warning:"; check "not the end" is 1
rm "$dir/config/netspace/init.lua"
echo 'print("code")' >"$dir/script.lua"
printf '1 + 1\n' >"$dir/in"; stdin=$dir/in run -i "$dir/script.lua"
check "-i goes on with the prompt" is $'code\n2'

run --seed 9007199254740993 -e "print(space.small.RegNetX:sample(1).seed)"
check "a seed beyond 2^53 is exact" is 9007199254740993
run -e "local m = zoo['RegNetX-200MF'] m.w[2] = 33 print(arch.complexity(m).flops)"
check "a network changed by hand must fit" err "stage 2: w = 33 does not fit groups of g = 8; it would be 32"
run -e "local S, w = space.small.AnyNetXA, { flops = { 1e6, 3e6 } }
print(S:sample(2, w).seed, S:with('b_1'):sample(2, w).seed, S:sample(2, w).seed)"
check "spaces draw with seeds of their own" is $'1\t2\t1'

# The sessions that the README shows.  block N HEADING: its N-th block of code under a heading.
block() {
    awk -v n="$1" -v heading="## $2" '/^## / { here = $0 == heading } !here { next }
        /^```/ { fences++; next } fences == 2 * n - 1' README.md
}
one_line() { tr '\n' ' ' | sed -e 's/  */ /g' -e 's/, }/ }/g'; }
block 1 'Five words' >"$dir/readme"
sed -n 's/^> //p' "$dir/readme" >"$dir/in"; stdin=$dir/in run -q -i
check "what the README prints of a network is true" \
    [ "$(one_line <"$dir/out")" = "$(grep -v '^> ' "$dir/readme" | one_line)" ]
# Its first experiment, here with fewer models and images; twice, the second time from the store.
block 1 'A first experiment' | sed -n 's/^> //p' | sed -e 's/sample(60/sample(2/' \
    -e 's/train = 2000, test = 1000/train = 64, test = 32/' -e "s|\"first.db|\"$dir/readme.db|" >"$dir/in"
check "the README has a first experiment" [ "$(wc -l <"$dir/in")" -ge 7 ]
stdin=$dir/in run -q -i
check "which runs" [ "$(grep -c '2 models: 2 done; 2 trained in' "$dir/err")" = 2 ]
check "without an error" [ "$(grep -c '^\[string\|attempt to\|did you mean' "$dir/err")" = 0 ]
check "to the verdict" out "No claim: n = 2 of AnyNetX_A-32px and 2 of AnyNetX_A-32px+steep"
{ cat "$dir/in"; echo ":save $dir/first.lua"; } >"$dir/again"; stdin=$dir/again run -q -i
check ":save makes a script of it" test -s "$dir/first.lua"
run "$dir/first.lua"; check "which runs" status 0
check "to the same verdict" out "No claim: n = 2 of AnyNetX_A-32px"
check "and trains nothing again" [ "$(grep -c '2 models: 2 done; nothing was left to train' "$dir/err")" = 2 ]
# Its own images, here a folder of small ones.
"$NETSPACE" -q --no-init -e "for k, class in ipairs { 'red', 'blue' } do
  os.execute('mkdir -p $dir/photos/' .. class)
  for i = 1, 40 do
    local f = io.open(('$dir/photos/%s/%d.ppm'):format(class, i), 'w')
    f:write 'P6 20 18 255\n'
    for p = 1, 360 do f:write(string.char(k == 1 and 200 or i, p % 256, k == 2 and 200 or i)) end
    f:close()
  end
end"
block 1 'Your own images' | sed -n 's/^> //p' | sed -e "s|~/photos|$dir/photos|" \
    -e 's/image = 64/image = 16/' -e 's/models = 16, time = "10m"/models = 2, time = "1s"/' \
    -e 's/sample(16/sample(2/' -e "s|photos.db|$dir/photos.db|" >"$dir/in"
check "the README has a session with own images" [ "$(wc -l <"$dir/in")" -ge 5 ]
stdin=$dir/in XDG_CACHE_HOME=$dir/cache run -q -i
check "which describes them" out "folder:$dir/photos: 80 images of 16x16 pixels, colour, in 2 classes"
check "and shows them" grep -q '^\(red\|blue\) ' "$dir/out"
check "and draws networks for them" grep -q 'X: population of 2 networks of RegNetX-16px' "$dir/err" "$dir/out"
check "and trains them" grep -q '2 models: 2 done' "$dir/err" "$dir/out"
check "without an error" [ "$(grep -c '^\[string\|attempt to\|did you mean' "$dir/err")" = 0 ]
# Its files and the functions it names are where it says.
missing=$(grep -oE '`(src|lua|tests|man|scripts|examples)/[^` ]*`|\]\([a-z][^)]*\)' README.md | tr -d '`])(' |
    sort -u | while read -r path; do
        case $path in http* | */NAME* | *\[*) continue ;; esac
        # shellcheck disable=SC2086
        ls $path >/dev/null 2>&1 || echo "$path"
    done)
check "every file that the README names is there" [ -z "$missing" ]
[ -z "$missing" ] || echo "# $missing"

# A moved installation.
mkdir -p "$dir/usr/bin" "$dir/usr/share/netspace"
cp "$NETSPACE" "$dir/usr/bin/netspace" && cp -R lua "$dir/usr/share/netspace/"
(cd / && "$dir/usr/bin/netspace" -e 'print(space.RegNetX ~= nil, package.path:match("[^;]*"))' \
    >"$dir/out" 2>"$dir/err"); rc=$?
check "an installed tree finds its Lua files" is "true	$dir/usr/share/netspace/lua/?.lua"
mkdir "$dir/mine"; cp -R lua/netspace "$dir/mine/"; NETSPACE_PATH=$dir/mine run -e \
    'print(package.path:match("[^;]*"))'
check "NETSPACE_PATH comes first" is "$dir/mine/?.lua"
rm -r "${dir:?}/usr/share"; NETSPACE_PATH=$dir/none run -e 'print(1)'
check "no Lua files: a message" err "its Lua files are not in $dir/none"; check "status 1" status 1
LUA_CPATH_5_4="/nowhere/?.so" run -e 'require "luv"'
check "a missing library names its package" err "lua-luv"
done_testing
