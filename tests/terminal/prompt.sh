#!/bin/bash
# The prompt in a real terminal (tmux): editing, entries of several lines, history,
# completion, Ctrl-C in Lua, in training and in a sweep, a sweep in the background, leaving.
# Waits are for hangs only: up to 30 s for what should come at once.  Prints TAP.
. "$(dirname "$0")/lib/session.sh"

start
check "the banner names the version" shows '^netspace [0-9.]+, [0-9]+ cores?, OpenBLAS'
check "and how to get help" shows 'help\(\) lists'
check "then the prompt" ready
clear_screen
enter '6 * 7'; check "an expression is printed" shows '^42$'
clear_screen
enter '("words of a sentence, "):rep(9)'; check "a sentence is broken between words" shows '^  sentence, *$'
ready; clear_screen
enter 'for i = 1, 2 do'; check "an open entry continues" shows '^>>$'
enter 'print("line", i)'; enter 'end'
check "and runs when it is complete" shows '^line +2'; check "back at the prompt" ready
clear_screen
key Up; check "the history has it as one entry" shows 'end$'; key Enter
check "which runs again" shows '^line +2'; ready
clear_screen
long='"a line of more than forty characters, and then of some more"'
enter "$long"; ready; enter 'print("busy") require("luv").sleep(1500)'; shows '^busy'
tm resize-window -t p -x 40 -y 20; ready; clear_screen
key C-r; text 'forty'; check "Ctrl-R searches the history" shows '^\(reverse-i-search\)`forty.: "a line of'
check "at the size the terminal has by now" shows '^re than forty characters, and then of so$'
key C-c; ready; tm resize-window -t p -x 90 -y 30; clear_screen
enter 'spac.x'; check "an error has a hint" shows "did you mean 'space'"
check "and leaves the session alive" ready
enter 'x = "a string that makes the line a long one, longer than what the terminal shows" y = = 3 z = 4'
check "of a line that would be wrapped the part at the caret shows" shows '^  ….*shows" y = = 3 z = 4$'
check "with the caret in its place" [ "$(grep -A1 '^  ….*y = = 3' "$dir/seen" | tail -1 | grep -bo '\^' | cut -d: -f1)" \
    = "$(grep '^  ….*y = = 3' "$dir/seen" | sed 's/…/./; s/= = 3.*/= /' | awk '{ print length($0) }')" ]
enter 'for i = 7, 8 do'; shows '^>>$'; enter '?arch.hash'; check "?x inside of an open entry" shows '^Sixteen'
enter 'print("it is", i) end'; check "which goes on" shows '^it is +8$'; ready; clear_screen
enter 'function half('; shows '^>>$'; key C-c
check "Ctrl-C drops an open entry" ready
clear_screen
text 'not finished'; shows 'not finished'; key C-c
check "Ctrl-C clears the line" ready
check "which stays readable" shows 'not finished\^C'

clear_screen
text 'spac'; key Tab; check "Tab completes a public name" shows '^> space$'
text '.Reg'; key Tab; text 'Y'; check "and a field" shows '^> space.RegNetY$'
text ':sam'; key Tab; check "and a method" shows '^> space.RegNetY:sample$'
key C-c; ready; clear_screen
text 'zoo["RegNetX-40'; key Tab; check "and a name of the zoo" shows '^> zoo\["RegNetX-400MF"$'
key C-c; ready; clear_screen
text 'space.'; key Tab; key Tab; check "two tabs list the fields" shows 'AnyNetXA +[A-Za-z]'
key C-c; ready; clear_screen
touch "$dir/measured.db"; text 'store.open("meas'; key Tab
check "and a file name in a string" shows 'store.open\("measured.db"$'
key C-c; ready; clear_screen

enter 'print("busy") require("luv").sleep(900)'; shows '^busy'; enter '"ahead"'; shows '^"ahead"$'; ready
check "what is typed while an entry runs shows once" [ "$(grep -c ahead "$dir/seen")" = 2 ]
clear_screen; enter 'io.read()'; sleep 0.3; text 'seen'; check "what an entry reads is seen" shows '^seen$'
key Enter; shows '^"seen"$'; ready; clear_screen
enter 'x = 0 while true do x = x + 1 end'; sleep 0.5; key C-c
check "Ctrl-C stops a loop" shows '^interrupted$'; check "back at the prompt" ready
enter 'x > 0'; check "what it did is kept" shows '^true$'; ready; clear_screen
enter 'coroutine.wrap(function() while true do end end)()'; sleep 0.5; key C-c
check "Ctrl-C stops a coroutine" shows '^interrupted$'; check "back at the prompt" ready; clear_screen
enter 'n = net.new(arch.anynet{ d = {2}, w = {64}, stem = "cifar" })'; ready
enter 'print("train") n:train(data.open("shapes"), { epochs = 100 })'; shows '^train'; sleep 0.5
key C-c; check "Ctrl-C stops a training" shows '^interrupted$|status = "interrupted"'
check "back at the prompt" ready
enter '(n:test(data.open("shapes", { train = 10, test = 50 })))'
check "the net is as good as it was" shows '^[0-9]+\.[0-9]+$'; ready; clear_screen
setting='{ flops = {3e6, 6e6}, stem = "cifar" }'
enter "pop = space.RegNetX:sample(6, $setting)"; ready
enter 'sweep.run{ store = "runs.db", models = pop, data = "shapes", workers = 1 }'
shows ' running'; key C-c
check "Ctrl-C stops a sweep" shows '^interrupted$'; check "back at the prompt" ready
clear_screen
enter 's = sweep.start{ store = "b.db", models = pop, data = "shapes", workers = 1 }'
check "a sweep in the background leaves the prompt" ready
enter 's:status().state'; check "and works" shows '^"running"$'
ready; clear_screen
key C-d; check "leaving asks while it works" shows 'Stop and leave\?'
enter n; check "and stays" ready
enter 's:cancel()'; check "a cancelled one says what it came to" shows 'run it again, or|run it again$'; ready
enter 's:status().state'
check "cancel ends it" shows '^"stopped"$'; ready; clear_screen
enter 'local t = require "luv".new_timer() t:start(300, 0, function() require("netspace.lib.background").notify("news") end)'
text 'typed so far'; check "news comes above the prompt" shows '^news$'
check "and leaves the line" shows '^> typed so far$'; key C-c; ready; clear_screen
enter 'local t = require "luv".new_timer() t:start(300, 0, function() error("late") end)'
check "an error of a callback is shown" shows 'late$'; check "the prompt goes on" ready

enter 'r = {} for i = 1, 500 do r[i] = { id = i } end'; ready; enter r
check "a result longer than the screen goes through the pager" shows '^space goes on, q leaves'
key G; check "which shows its end" shows '^500 rows, 40 shown$'
text 's'; text "$dir/typed"; key Enter
check "and takes no command that writes files" [ ! -e "$dir/typed" ]; key C-c; key g
key C-c; key q; check "Ctrl-C is the pager's, q leaves it" ready
enter '3 * 4'; check "and the session goes on" shows '^12$'; ready; clear_screen

text 'sweep.run{ work'; key Tab; check "Tab completes an option" shows '^> sweep.run\{ workers = *$'
key C-c; ready; clear_screen
enter 'tour()'; check "the tour puts a command on the line" shows '^> space.small.AnyNetXA:describe\(\)$'
key C-u; enter '5 * 5'; check "other entries are welcome" shows '^25$'
check "the step stays" shows '^> space.small.AnyNetXA:describe\(\)$'; clear_screen
key C-u; enter 'space.small.RegNetX:describe()'; check "an edited one goes on" shows '^step 2 of 10'
check "with the next command" shows '^> A = space.small.AnyNetXA:sample'
key C-c; check "Ctrl-C leaves the tour" shows '^tour left; tour\(2\) goes on'; ready; clear_screen

key C-z; check "Ctrl-Z suspends" shows 'Stopped|suspended'
enter 'stty -a'; check "with the terminal as it was" shows '[^-]icanon'
shows '[^-]echo( |$)'
enter fg; enter '11 * 11'; check "fg brings it back" shows '^121$'; ready
start -q; ready; key C-d; check "Ctrl-D leaves with 0" shows '^rc=0$'
enter 'stty -a'; check "the terminal is as before" shows '[^-]echo( |$)'
shows '[^-]icanon'

rm -r "$dir/state"
start -q
enter '"one"'; ready; enter '"two"'; ready; enter '"one"'; ready; enter ' "secret"'; ready
enter '('; enter '"three")'; ready
enter '"back\\slash"'; ready
key C-d; shows '^rc=0$'
check "the history is a file: appended" history_is $'"one"\n"two"\n"one"\n(\\n"three")\n"back\\\\\\\\slash"'
start -q
ready; key Up; check "the next session has it" shows 'back..slash'
key Up; check "with entries of several lines whole" shows '^"three"\)$'; key C-c; ready
key C-d; shows '^rc=0$'
check "a repeated entry is there once" history_is $'"two"\n"one"\n(\\n"three")\n"back\\\\\\\\slash"'
rm -r "$dir/state"
start -q; ready; enter 'os.exit(3)'; check "os.exit leaves" shows '^rc=3$'
export NETSPACE_HISTORY=off; start -q; unset NETSPACE_HISTORY
ready; rm -rf "$dir/state"; enter '1'; ready; key C-d; shows '^rc=0$'
check "NETSPACE_HISTORY=off keeps none" [ ! -e "$dir/state" ]

start -q; ready
enter 'while true do pcall(function() while true do end end) end'; sleep 0.5; key C-c
check "Ctrl-C stops a loop that catches errors" shows '^interrupted$'; ready
enter 'require("netspace.core.sys").shielded(function() while true do end end)'; sleep 0.5
key C-c; sleep 0.5; key C-c
check "a second Ctrl-C ends what does not react" shows '^rc=130$'
start -q; ready
enter 'print(require("luv").os_getpid() // 1 | 0)'; shows '^[0-9]+$'
pid=$(grep -E '^[0-9]+$' "$dir/seen" | tail -1)
text 'being typed'; shows 'being typed'; kill -TERM "$pid"; check "SIGTERM at the prompt ends it" shows '^rc=143$'
enter 'stty -a'; check "and restores the terminal" shows '[^-]icanon'
done_testing
