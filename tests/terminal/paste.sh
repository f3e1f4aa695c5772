#!/bin/bash
# Several lines pasted at the prompt, by tmux: entries run one after the other, copied prompts and
# output, bracketed pastes and such as come like typed keys, what is not complete, the first
# error, Ctrl-C, history; what an assignment says; the README's session.  Prints TAP.
. "$(dirname "$0")/lib/session.sh"
readme=$PWD/README.md
paste() { printf "$@" >"$dir/paste"; tm load-buffer "$dir/paste"; tm paste-buffer -p -t p; }
unbracketed() { printf "$@" >"$dir/paste"; tm load-buffer "$dir/paste"; tm paste-buffer -t p; }
lines() { sed '/^ *$/d' "$dir/seen"; }
screen_is() { # the whole screen, without empty lines
    for _ in $(seq 100); do
        tm capture-pane -p -t p >"$dir/seen"
        [ "$(lines | sed 's/ *$//')" = "$(printf "$@")" ] && return 0
        sleep 0.1
    done
    return 1
}

start -q; ready; clear_screen
paste '1+1\n2+2\n'; check "each entry runs behind its prompt" screen_is '> 1+1\n2\n> 2+2\n4\n>'
key Enter; check "Enter after it does no harm" screen_is '> 1+1\n2\n> 2+2\n4\n>\n>'
clear_screen; paste '> x = 5\n> x\n>   x + 1\n'
check "copied prompts are taken off" screen_is '> x = 5\n> x\n5\n>   x + 1\n6\n>'
clear_screen; paste '> for i = 7, 8 do\n>>   print(i)\n>> end\n> "end"\n'
check "and those of lines that go on" \
    screen_is '> for i = 7, 8 do\n>>   print(i)\n>> end\n7\n8\n> "end"\n"end"\n>'
clear_screen; paste '> 6 * 7\n42\n> 7 * 7\n49\n'
check "output that was copied too is left out" \
    screen_is '2 lines without a prompt are taken for output\n> 6 * 7\n42\n> 7 * 7\n49\n>'
clear_screen; paste '$ ./netspace\nnetspace 1, 2 cores\n> 6 * 7\n42\n> 7 * 7\n49'
check "a session from the shell on, to its last output" \
    screen_is '4 lines without a prompt are taken for output\n> 6 * 7\n42\n> 7 * 7\n49\n>'
clear_screen; paste '6 * 7\n42\n> 7 * 7\n49\n'
check "one whose first prompt was not copied" \
    screen_is '2 lines without a prompt are taken for output\n> 6 * 7\n42\n> 7 * 7\n49\n>'
clear_screen; paste '> 1\n> not this one^C\n> 2\n'
check "what Ctrl-C had dropped is left out" screen_is '1 line with ^C is taken for dropped\n> 1\n1\n> 2\n2\n>'
clear_screen; paste '> "last"'; check "a single line without its prompt" screen_is '> "last"'; key Enter
check "to be run" shows '^"last"$'; ready
clear_screen; paste 'a = 1 b = 2\nx = a\n> b\n'
check "what only looks like a prompt is none" screen_is '> a = 1 b = 2\n> x = a\n>> > b\n>'
clear_screen; enter '> 6 * 7'; check "a prompt typed or pasted into a line" shows '^42$'; ready
clear_screen; unbracketed '> 6 * 7\n42\n> x = 5\n> x\n5\n> for i = 1, 2 do\n>> print(i)\n>> end\n1\n2\n> x + 1'
check "a paste like typed keys, with output" screen_is \
    '4 lines without a prompt are taken for output\n> 6 * 7\n42\n> x = 5\n> x\n5\n> for i = 1, 2 do\n>> print(i)\n>> end\n1\n2\n> x + 1'
key Enter; check "its last line waits for Enter" shows '^6$'; ready
clear_screen; unbracketed 'nothere:x()\n"not run"\n'; check "its first error stops it" shows 'not run: 1 entry'; ready
clear_screen; printf '"l%04d"\n' $(seq 2000) >"$dir/paste"; tm load-buffer "$dir/paste"; tm paste-buffer -t p
check "a long one is whole" shows '^"l2000"$'; ready
clear_screen; enter 'print("busy") require("luv").sleep(700)'; shows '^busy'; enter '2 * 21'; enter '2 * 22'
check "what is typed ahead runs in its order" shows '^44$'; check "all of it" grep -q '^42$' "$dir/seen"; ready
clear_screen; key Enter Enter Enter; check "empty lines are no paste" screen_is '>\n>\n>\n>'
clear_screen; paste 'function f(x)\n  return 2*x\nend\nf(21)\nx = 5\nx\n'
check "an entry of several lines" \
    screen_is '> function f(x)\n>>   return 2*x\n>> end\n> f(21)\n42\n> x = 5\n> x\n5\n>'
clear_screen; paste '\n-- a comment\n\n3*3\n\n'
check "comments and empty lines" screen_is '> -- a comment\n> 3*3\n9\n>'
clear_screen; paste '4*4\r\n5*5\r\n'
check "line ends of other systems" screen_is '> 4*4\n16\n> 5*5\n25\n>'
clear_screen; paste 's = ("ab")\n  :rep(2)\n  :upper()\ns\n1\n  + 2\n'
check "a line that can only go on does" \
    screen_is '> s = ("ab")\n>>   :rep(2)\n>>   :upper()\n> s\n"ABAB"\n> 1\n>>   + 2\n3\n>'
clear_screen; paste 'a = 1\n:time a\n'
check "commands of the prompt" shows '^0\.0[0-9]+ s, '; ready
clear_screen; paste 'for i = 1, 2 do\nprint(i)\n'
check "what is not complete waits" screen_is '> for i = 1, 2 do\n>> print(i)\n>>'
enter 'end'; check "for its rest" shows '^2$'; ready
clear_screen; paste '"first"\n"sec'; check "a line without an end stays" screen_is '> "first"\n"first"\n> "sec'
enter 'ond"'; check "to be finished" shows '^"second"$'; ready
clear_screen; text 'print("a'; paste 'b")\n"c"\n'
check "it goes in where the cursor is" screen_is '> print("ab")\nab\n> "c"\n"c"\n>'
clear_screen; text '"()'; key Left; paste 'within'; text '"'
check "within a line as if typed" screen_is '> "(within")'; key C-c; ready
clear_screen; enter 'if true then'; shows '^>>$'; paste 'print("in")\nend\n"after"\n'
check "an open entry takes it" screen_is '> if true then\n>> print("in")\n>> end\nin\n> "after"\n"after"\n>'
clear_screen; paste 'nothere\n"on"\n'
check "an undefined name is no error" screen_is \
    "> nothere\nnil\n'nothere' is not defined\n> \"on\"\n\"on\"\n>"

clear_screen; paste 'x = 1\ny = x +* 2\nz = 3\nw = 4\n'
check "the first error stops it, names its line" shows '^that was line 2 of what was pasted'
check "and says what was not run" shows "not run: 2 entries, from 'z = 3'; Up brings"; ready
enter 'z'; check "which has not run" shows '^nil$'; ready
clear_screen; key Up; key Up; check "but is in the history" shows '^> z = 3$'; key Enter
ready; enter 'z + w'; check "and runs from there" shows '^7$'; ready
clear_screen; paste 'error "no"\n"eight"\n"nine"\n'; shows 'not run: 2'; ready; clear_screen
key Up; shows '^"nine"$'; key Enter
check "entry by entry" screen_is '> "eight"\n"nine"\n> "eight"\n"eight"\n> "nine"\n"nine"\n>'
clear_screen; paste 'a = 1\nfor i = 1, 2 do\n  error("no")\nend\n"later"'
check "the line of an error in an entry" shows 'that was line 3 of .*, from .."later"..;|line 3 of'
ready; check "what was on the last line is not lost" grep -q '"later"' "$dir/seen"
clear_screen; paste '"good"\nerror "last"\n'; check "an error at the end" shows '^that was line 2 of what was pasted$'; ready
clear_screen; paste '"one"\nwhile true do end\n"not me"\n'; shows '^> while'; sleep 0.5; key C-c
check "Ctrl-C stops the rest" shows "not run: 1 entry, from '\"not me\"'"; ready
check "which is not run" shows ! '^"not me"$'
clear_screen; key Up; key Up; check "the history has each entry" shows '^> while true do end$'
key C-c; ready; key Up; key Up; key Up; check "of what was pasted" shows '^> "one"$'; key C-c; ready
clear_screen; tm send-keys -t p -H 1b 5b 32 30 30 7e 31 31 0d 32 32; sleep 0.3; key C-c; ready
tm send-keys -t p -H 33 0d 1b 5b 32 30 31 7e; sleep 0.3
check "Ctrl-C before the end of a paste drops all of it" screen_is '> ^C\n>'
enter '8 * 8'; check "the prompt goes on" shows '^64$'; ready

clear_screen; enter 'A = space.RegNetX:sample(3, { flops = {1e9, 2e9} })'
check "an assignment says what it made" shows '^A: population of 3 networks of RegNetX, seed 1'; ready
clear_screen; enter 'S = space.AnyNetXA'; check "a space" shows '^S: space AnyNetX_A'; ready
clear_screen; enter 'm, k = zoo["RegNetX-400MF"], 5'; check "a network" shows '^m: x d=1,2,7,12'
check "no numbers" shows ! '^k:'; ready
clear_screen; enter 'd = { 1 } s = "x" f = print st = stats'; check "nor tables, functions, modules" screen_is '> d = { 1 } s = "x" f = print st = stats\n>'
clear_screen; enter 'A = A; '; check "; leaves it out" screen_is '> A = A;\n>'
clear_screen; enter 'pretty.echo = false'; ready; enter 'A = A'; ready
check "as does pretty.echo = false" screen_is '> pretty.echo = false\n> A = A\n>'
enter 'pretty.echo = true'; ready; tm resize-window -t p -x 40 -y 30; clear_screen; enter 'A = A'; ready
check "it takes one line" screen_is '> A = A\nA: population of 3 networks of RegNetX,…\n>'

# The README's first session: as it is copied, with what it prints, and without its prompts.
start -q; tm resize-window -t p -x 120 -y 60; ready
awk '/^```/ { open = !open; if (!open && block ~ /(^|\n)> /) { printf "%s", block; exit } block = ""; next }
    open { block = block $0 "\n" }' "$readme" >"$dir/session"
check "the README has a session" [ -s "$dir/session" ]
grep -v '^> ' "$dir/session" | grep . | sort >"$dir/printed"
all_shown() { # every line that the README shows
    ready || return 1
    tm capture-pane -J -p -S -200 -t p | sed 's/ *$//' | sort >"$dir/seen"
    [ -z "$(comm -23 "$dir/printed" "$dir/seen")" ] && ! grep -q 'what was pasted' "$dir/seen"
}
last=$(grep '^> ' "$dir/session" | tail -1 | cut -c1-60)
tm load-buffer "$dir/session"; tm paste-buffer -p -t p
shows "$(sed 's/[][\.*^$(){}+?|]/\\&/g' <<<"$last")"
check "which runs as it is copied, and prints what it says" all_shown
tm clear-history -t p; clear_screen
sed -n 's/^>>* //p' "$dir/session" >"$dir/bare"; tm load-buffer "$dir/bare"; tm paste-buffer -p -t p
shows "$(sed 's/[][\.*^$(){}+?|]/\\&/g' <<<"$last")"
check "and without its prompts" all_shown
done_testing
