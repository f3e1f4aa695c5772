#!/bin/bash
# The tour and the palette in a terminal of 80 by 24 (tmux): every step to its end, what is typed
# instead of a step, what counts as done, what fits; help for words, the pager.  Prints TAP.
. "$(dirname "$0")/lib/session.sh"
step='^> space\.small\.AnyNetXA:describe\(\)$'
small() { start -q; tm resize-window -t p -x 80 -y 24; ready; clear_screen; }
fits() { # the step's whole text, from its number to its command, is on the screen
    shows "^step $1 of 10" && shows "^> $2"
}
counted() { shows "^step $1 of 10"; }

small
enter 'tour()'; check "the tour puts a command on the line" shows "$step"; check "which fits" fits 1 space
text 'help'; check "what is typed replaces it" shows '^> help$'
enter '()'; shows '^the end, q leaves|^space goes on'; key q
check "and is no step" shows "$step"
text '1+1'; key Enter; check "other entries are welcome" shows '^2$'; check "the step stays" shows "$step"
key C-a; key C-e; text ' -- mine'; check "an editing key keeps it" shows 'describe\(\) -- mine$'
key C-u; enter '5'; shows "$step"; key C-l
key End; text 'h'; check "End on an untouched one touches nothing" shows '^> h$'; key C-_
check "and undo brings it back" shows "$step"; key C-l
key BSpace; text ')'; check "Backspace keeps it" shows "$step"
text 'help()'; key Enter; key q; check "two calls are not the step" shows "$step"
check "which is still the first" shows ! '^step 2 of 10'; key C-l
printf '7 * 7' | tm load-buffer -; tm paste-buffer -p -t p
check "a paste takes its place" shows '^> 7 \* 7$'; key Enter; shows '^49$'; shows "$step"; key C-l
key Left Right; key C-u; enter 'space.small.RegNetX:describe()'; check "an edited one counts" counted 2
check "its text fits" fits 2 "A = space"; key C-l
key C-u; enter 'A = nothere:sample(3)'; check "one with an error does not" shows '^> A = space.small'
key C-c; check "Ctrl-C leaves the tour" shows '^tour left; tour\(2\) goes on'; ready
key C-u; enter 'tour(2)'; counted 2; key Enter; check "step 2" counted 3
check "says what it made" shows '^A: population of 12 networks of AnyNetX_A-32px, seed 1, .*…$'; check "step 3 fits" fits 3 arch.parts
key Enter; check "step 3" counted 4; check "with its command on the screen" shows '^> arch\.parts\(A\[1\]\)$'
check "step 4 fits" fits 4 "D = data"
key Home; key C-k; enter 'D = data.open("shapes", { train = 40, test = 40 })'; check "step 4, edited" counted 5
key Enter; check "step 5 trains" counted 6
check "a population near chance is said" shows 'near chance, 90 %'
check "step 6 fits" fits 6 plot.edf; key Enter; check "step 6" counted 7
check "with its plot on the screen" shows '^ 1\.0┤'; check "whole" shows '^ 0\.0┤'; check "and its command" shows '^> plot.edf'
check "step 7 fits" shows '^  depth of the best'; key Enter; check "step 7" counted 8
key Enter; check "step 8: another seed" counted 9
shows '^B: population'; key C-c; ready; enter 'B.seed'; check "for B" shows '^2$'; ready
enter 'tour(9)'; counted 9; key Enter; check "step 9" counted 10
check "noise is said to be noise" shows 'what *$|follows is noise|hardly learned'
key Enter; check "step 10 ends the tour" shows '^That is the method'; ready

small
enter 'A = 17'; ready; enter 'D = "mine"'; ready; enter 'tour()'; check "globals of the user's" shows '^Your A, D: set aside until the tour ends'
shows "$step"; key C-u; enter 'A'; check "give way" shows '^nil$'; shows "$step"; key Enter
fits 2 "A = space"; key Enter; counted 3; key C-d; check "Ctrl-D leaves the tour, not the program" shows '^tour left; tour\(3\) goes on'
check "and says that they are back" shows '^Your A, D: back; what the tour made is tour.made.A, tour.made.D'; ready
enter 'A'; check "as they are" shows '^17$'; ready; clear_screen; enter 'tour.made.A'
check "as is what the tour made" shows '^population of 12 networks of AnyNetX_A-32px, seed 1'; ready; clear_screen
enter 'tour(3)'; counted 3; key Enter; check "which it goes on with" counted 4; shows '^> D = data'; key C-u; key C-d
check "Ctrl-D on an emptied line leaves it, too" shows '^tour left; tour\(4\)'; ready
enter ':save s.lua'; shows '^s.lua: '; check "a saved session keeps both" grep -q "A, D = before_tour.A, before_tour.D" "$dir/s.lua"
(cd "$dir" && echo 'print("A is", A, D)' >>s.lua && "$NETSPACE" -q s.lua >out 2>&1)
check "and does the same" grep -qx 'A is	17	mine' "$dir/out"
ready; key C-d; check "outside of it Ctrl-D leaves" shows '^rc=0'

small
key M-x; check "Alt-x opens the palette" shows '^find: _'
check "with commands" shows '^:save +FILE|^:save +'; check "and keys" shows '^Alt-x +this list'
text 'swrun'; check "it finds as one types" shows '^sweep\.run +'; key Enter
check "Enter puts the choice on the line" shows '^> sweep\.run$'; key C-u
text 'x = edf + 1'; key Left Left Left Left; key M-x; check "for the word at the cursor" shows '^find: edf_'
key Enter; check "in its place" shows '^> x = edf:area \+ 1$'; key C-e; key C-u
text 'kept'; key M-x; shows '^find: kept'; key Escape; check "Escape goes back" shows '^> kept$'; key C-u
key M-x; shows '^find: _'; text 'edf:area'; shows '^find: edf:area_'; key C-u; check "Ctrl-U empties it" shows '^find: _'
text 'stats.'; shows '^find: stats._'; key Tab; key Enter; check "Tab goes down" shows '^> stats\.[a-z]+$'; key C-u; ready
text 'kept'; key M-x; shows '^find: kept'; key C-g; check "Ctrl-G goes back" shows '^> kept$'; key C-u
text ':'; key Tab; check "a colon and Tab open it" shows '^find: _'; key C-c; check "Ctrl-C closes it" ready
enter ':help learning rate'; check ":help finds" shows '^recipe.rates'; key End; key Enter
check "and puts it on the next line" shows '^> recipe\.rates$'; key C-u; clear_screen
enter 'help w_0'; check "help for a symbol" shows '^Width of a RegNet'; ready
enter 'help gpu'; check "for what there is not" shows '^gpu: netspace itself trains on proc'; ready; clear_screen
enter 'help()'; shows '^space goes on, q leaves'; key G; check "the pager says where the end is" shows '^the end, q leaves'
key q; ready; clear_screen
enter 'S = space.AnyNetXA'; ready; enter 'S.sample(3)'; check "a dot for a colon" shows '^call it with a colon: S:sample\(3\)$'
done_testing
