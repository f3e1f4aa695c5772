#!/bin/bash
# The monitor in a real terminal (tmux): what the screen shows at several sizes and locales,
# keys, resizing, and that the terminal is as before after q, SIGTERM and a crash.
# Without a terminal: --once, --json, lines.  Needs tmux; prints TAP.
. "$(dirname "$0")/../lib.sh"
uses_terminal
patience=10
sleep 1000 & worker=$!
at_exit 'kill $worker 2>/dev/null'
store() { "$NETSPACE" tests/terminal/make_store.lua "$dir/$1.db" "$1" "$worker"; }
fresh() { rm -f "$dir/$1.db"*; store "$1"; } # its figures are old after a minute
# What the terminal of the pane is: "0 1" = no alternate screen, cursor shown.
modes() { tm display-message -p -t "$pane" '#{alternate_on} #{cursor_flag}'; }
restored() { shows "^rc=$1" && [ "$(modes)" = "0 1" ] && key 'stty -a' Enter &&
    shows '[^-]echo( |$)' && shows '[^-]icanon'; }
# start WIDTH HEIGHT LOCALE TERM STORE [OPTION]: a monitor in a shell of its own; a STORE
# that is a .lua is a script to run instead
start() {
    local what="${6-} monitor $5"
    [ "${5%.lua}" = "$5" ] || what=$5
    terminal "$1" "$2"
    key "sh -c 'echo \$\$ >pid; LC_ALL=$3 TERM=$4 exec \"$NETSPACE\" $what'; \
printf 'rc=%d\n' \$?" Enter
}
has() { # [!] PATTERN
    if [ "$1" = ! ]; then ! grep -qE -- "$2" "$dir/seen"; else grep -qE -- "$1" "$dir/seen"; fi; }
ascii_only() { ! LC_ALL=C grep -q '[^ -~]' "$dir/seen"; }
once() { # LOCALE STORE OPTION…: into seen, the exit code into rc
    (cd "$dir" && LC_ALL=$1 "$NETSPACE" monitor "${@:2}" >seen 2>&1 </dev/null); rc=$?; }

for state in running stopped finished; do store $state; done

# Without a terminal.
once C.UTF-8 running.db --once
check "--once ends with 0" [ $rc -eq 0 ]
check "--once shows the counts" has '^7/14 done  4 running  2 queued  1 diverged  812\.5 images/s  ETA 1m35s'
check "--once shows the curves in braille" has '^ 1\.0┤ +⢸$'
check "--once shows the legend" has '^⠒⠒⠒⠒ a AnyNetX_A 5/8  49\.00  60\.80      1$'
once C.UTF-8 running.db --once --ascii
check "--ascii" ascii_only
once C running.db --once
check "the C locale falls back to ASCII" ascii_only
check "with a letter per curve" has '^bbbb b.RegNetX   3/6  47\.00  48\.00      0$'
once C.UTF-8 running.db --json
check "--json" has '"diverged":1,"done":7,"eta":95,.*"failed":0,.*"total":14'
once C.UTF-8 finished.db
check "no terminal: a line per change, until the run is over" has \
    '^[0-9:]{8}  finished, 13/14 done, 0 running, 0 queued, 1 diverged; best AnyNetX_A 46\.00 %, RegNetX 44\.00 %$'
check "one change, one line, and the verdict; status 0" [ "$rc $(wc -l <"$dir/seen")" = "0 2" ]
check "all of it" has '^ +No claim: .*\(95 % CI .*permutation'
once C.UTF-8 stopped.db --text
check "a dead run is said to be stopped" has 'stopped, 7/14 done, 6 open, 1 diverged'
once C.UTF-8 none.db --once --wait
check "an absent store is waited for" has 'waiting for none\.db'
check "and --once says so in its status" [ $rc -eq 1 ]
(cd "$dir" && timeout -s INT 2 "$NETSPACE" monitor none.db --text --wait >seen 2>&1 </dev/null)
check "the text mode says that it waits, once" [ "$(grep -c 'waiting for none\.db' "$dir/seen")" = 1 ]
once C.UTF-8 finishd.db --once
check "without --wait an absent store is an error" [ $rc -eq 1 ]
check "that names one with a name like it" has "no store finishd.db \(did you mean 'finished.db'\?\)"
check "and how to wait" has -- '--wait waits for it$'
once C.UTF-8 none.db
check "or those that are there" has 'no store none.db \(there are finished.db, running.db, stopped.db\)'
once C.UTF-8 nowhere/none.db
check "or that the directory is not" has 'there is no directory nowhere/'
started=$(date +%s)
once C.UTF-8 finished.db --text
check "lines of a finished store end at once" [ $(($(date +%s) - started)) -le 2 ]
once C.UTF-8 pid-no-store --bogus
check "a wrong option is a usage error" [ $rc -eq 2 ]
"$NETSPACE" -q -e "local db = require('netspace.store.schema').open('$dir/many.db')
db:exec [[INSERT INTO population (name, space, seed, recipe, data, card, checksum, created, run)
  VALUES ('A', 'A', 1, '{\"epochs\":1}', '{\"spec\":\"shapes\"}', '{}', 'sum', 1, 1);
WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
  INSERT INTO model (population, idx, m, hash, seed, flops, params, acts, status, attempt, error, run, epochs)
  SELECT 1, i, '{\"d\":[2],\"w\":[16]}', 'h' || i, 1, 1000, 100, 10, 'done', 1, 40.0 + i % 300 / 10.0, 1, 1 FROM n;
INSERT INTO run (population, host, pid, birth, workers, started, updated, ended) VALUES (1, 'x', 1, 'gone', 2, 1, 2, 2)]]
db:close()"
(cd "$dir" && timeout 20 "$NETSPACE" monitor many.db --text >seen 2>&1 </dev/null); rc=$?
check "also those of 20,000 models" [ "$rc $(wc -l <"$dir/seen")" = "0 1" ]
check "all of which are told" has 'finished, 20000/20000 done, .*best A 40\.00 %'
echo "no database, for certain" >"$dir/text.db"
once C.UTF-8 text.db --text
check "a file that is no store" has 'text\.db is not a netspace store'
check "is status 1" [ $rc -eq 1 ]

# In a terminal.
fresh running
start 80 24 C.UTF-8 screen running.db
check "80x24: header" shows '^netspace monitor running\.db .*running$'
check "80x24: curve and letters" shows '^ 0.5┤.*b'
check "80x24: running models" has '^a +6 running +████░░░░ +2/4 +68\.00 +400'
check "80x24: keys at the bottom" [ "$(sed -n 24p "$dir/seen" | cut -c1-7)" = "q leave" ]
check "on the alternate screen, without cursor" [ "$(modes)" = "1 0" ]
key 2
check "2 hides the second population" shows '^     b.RegNetX'
key 2 Right
check "the arrow shows the cursor" shows '^at [0-9.]+ %:  a 0\.[0-9]+ .* b '
key v
check "v shows the models" shows 'diverged .*loss is not|diverged .*loss is n…'
key Enter
check "enter shows one" shows '^recipe: '
key -H 1b 5b 38 7e
key s
check "a key this TERM does not know is none, or what it is elsewhere" shows '^written: .*txt'
check "and no escape" has '^head.fc '
key Escape
key '?'
check "? shows the keys" shows 'leave; the run goes on'
key '?' e p
check "p freezes" shows 'running, frozen$'
key p
tm resize-window -t "$pane" -x 40 -y 10
check "40x10: header in one line" shows '^7/14  1 diverged  run 4  ETA 1m35s'
check "40x10: curve" has '^ 1\.0┤'
check "40x10: legend" has 'b RegNetX +3/6'
for size in "10 2" "1 1" "200 60" "33 5" "80 24" "20 4" "100 30" "80 24"; do
    # shellcheck disable=SC2086
    set -- $size; tm resize-window -t "$pane" -x "$1" -y "$2"; sleep 0.1
done
check "it lives through eight resizes" shows '^netspace monitor running\.db .*running$'
key q
check "q: the terminal is as before, status 0" restored 0

# Every view, at every size, in every terminal; keys of each.
views() { # WIDTH HEIGHT LOCALE TERM
    local at="$1x$2 $3 $4"
    start "$1" "$2" "$3" "$4" running.db
    if [ "$1" = 40 ]; then
        check "$at: header" shows '^7/14  1 diverged  run 4'
    else check "$at: header" shows '^netspace monitor running\.db .*running$'; fi
    check "$at: EDFs" shows 'a.AnyNe.* 5/8'
    key m; check "$at: models" shows '^b +4 running'
    key / d i v e r Enter; check "$at: the filter" shows ! '^b +4 running'
    key Enter; check "$at: one model" shows '^AnyNetX_A model 3: diverged'
    key Escape Escape x; check "$at: property" shows '^AnyNetX_A: error against'
    key c Down Enter; check "$at: another one" shows 'error against params'
    key s; check "$at: a snapshot of it" shows '^written: running-property-'
    key g; check "$at: log" shows 'loss is not a number|loss i'
    key '?'; check "$at: keys" shows 'leave; the run'
    key '?' e c; check "$at: which populations" shows '^which populations'
    key Enter K; check "$at: cancel asks" shows '^cancel AnyNetX_A'
    key n s; check "$at: a snapshot" shows '^written: running-edf-'
    key q; check "$at: the terminal is as before" restored 0
}
fresh running
views 200 60 C.UTF-8 xterm-256color
views 80 24 C.UTF-8 linux
views 80 24 C vt100
views 40 10 C.UTF-8 screen
check "what q and n were asked left no wish" [ ! -e "$dir/running.db.commands" ]
# The smallest has no room for a title; names tell times, and a clock may be set back.
with_title() { [ "$(grep -l 'share of models with error below e' "$dir"/running-edf-*.txt |
    wc -l)" -eq 3 ]; }
check "snapshots are the view as text, one file each" with_title

start 80 24 C.UTF-8 xterm-256color running.db
check "colours where there are any" shows '^netspace monitor'
tm capture-pane -e -p -t "$pane" >"$dir/seen"
check "256 of them" has $'\033\\[38;5;'
key P y
check "a wish is sent when it is agreed to" shows '^asked the sweep: pause AnyNetX_A'
check "and lies beside the store" grep -q '"command":"pause"' "$dir"/running.db.commands/*.json
rm -r "$dir/running.db.commands"
for size in "40 10" "12 3" "120 30" "40 10" "3 1" "80 24"; do
    # shellcheck disable=SC2086
    set -- $size; key Right + b l + Right; tm resize-window -t "$pane" -x "$1" -y "$2"
    key Left - b l m Down e
done
check "keys while it is resized" shows '^netspace monitor running\.db .*running$'
kill -SEGV "$(cat "$dir/pid")"
check "SIGSEGV: the terminal is as before" restored 139
start 80 24 C.UTF-8 xterm-256color running.db --color=never
check "--color=never" shows '^netspace monitor'
tm capture-pane -e -p -t "$pane" >"$dir/seen"
check "reaches the full screen" has ! $'\033\\[3[0-8]'
key q
check "q leaves it" restored 0

cp "$dir/finished.db" "$dir/lost.db"
cat >"$dir/lose.lua" <<'LUA'
local db = require("netspace.core.sqlite").open(arg[1], "rw")
assert(db:run "UPDATE model SET status = 'failed' WHERE status = 'diverged'")
db:close()
LUA
"$NETSPACE" "$dir/lose.lua" "$dir/lost.db"
start 80 24 C.UTF-8 xterm-256color lost.db
check "a finished store with a failed model" shows '^13/14 done  0 running  0 queued  1 failed'
key R; check "R asks" shows '^train the failed models of AnyNetX_A again\?'
key y; check "puts it back, says how to go on" shows '^1 of AnyNetX_A queued again; .netspace res'
check "and the view shows it" shows '^nobody works on it; 1 model is open'
key R; check "there is nothing more" shows '^AnyNetX_A has no failed models'
key q; check "no wish is left" [ ! -e "$dir/lost.db.commands" ]

start 80 24 C screen running.db
check "C locale: ASCII on the screen" shows '^bbbb b.RegNetX'
check "and nothing else" ascii_only
kill -TERM "$(cat "$dir/pid")"
check "SIGTERM: the terminal is as before" restored 143
cat >"$dir/own.lua" <<'LUA'
local models = space.small.AnyNetXA:sample(2,
  { flops = { 3e6, 6e6 }, stem_width = 16, stride = { 1, 2, 2, 2 }, image = 32 })
sweep.start { store = "own.db", name = "own", models = models, data = "shapes",
  recipe = { epochs = 1000 }, workers = 1, quiet = true }
monitor "own.db"
LUA
for signal in TERM:143 HUP:129; do
    rm -rf "$dir"/own.db*
    start 80 24 C.UTF-8 screen own.lua
    check "a sweep and its monitor in one program" shows '1 running'
    kill -"${signal%:*}" "$(cat "$dir/pid")"
    check "SIG${signal%:*}: the terminal is as before" restored "${signal#*:}"
    check "and the sweep has stopped well" [ "$(cd "$dir" && "$NETSPACE" -q --no-init -e '
      local s = sweep.open "own.db"
      local events = s:events()
      print(s:population("own").running, events[#events].text:match "^[%a ]+")')" \
      = "0	run stopped" ]
done
start 80 24 C.UTF-8 linux running.db
check "TERM=linux: ASCII" shows '^bbbb b.RegNetX'
key C-c
check "Ctrl-C leaves with 130" restored 130
start 80 24 C.UTF-8 vt100 running.db
check "TERM=vt100 has no colours and works" shows '^bbbb b.RegNetX'
kill -ABRT "$(cat "$dir/pid")"
check "a crash: the terminal is as before" restored 134
start 100 24 C.UTF-8 dumb running.db
check "TERM=dumb: lines" shows '^[0-9:]{8}  running, 7/14 done'
check "and why" has "TERM is 'dumb', which cannot move the cursor; printing lines"
start 80 24 C.UTF-8 screen "later.db --wait"
check "a store that is not there yet is waited for" shows '^waiting for later\.db'
cp "$dir/finished.db" "$dir/part.db" && mv "$dir/part.db" "$dir/later.db"
check "and shown when it comes" shows '^13/14 done'
rm "$dir/later.db"
check "and its end is noticed" shows '^waiting for later\.db'
key q
check "q leaves" restored 0
# The palette, the mouse and the clipboard.
fresh running
start 80 24 C.UTF-8 xterm-256color running.db
tm set -s set-clipboard on
press() { # BUTTON COLUMN ROW
    text "$(printf '\033[<%d;%d;%dM' "$1" "$2" "$3")"
    [ "$1" -ge 64 ] || text "$(printf '\033[<%d;%d;%dm' "$1" "$2" "$3")"
}
row_of() { grep -nE -- "$1" "$dir/seen" | head -1 | cut -d: -f1; }
column_of() { sed -n "$2p" "$dir/seen" | grep -bo -- "$1" | head -1 | cut -d: -f1; }
tab() { press 0 $(($(column_of "$1" 24) + 2)) 24; }
check "the tabs are at the bottom" shows '^q leave  . keys  : commands  EDFs  models  property  log'
key :
check ": lists the commands" shows '^   q  +leave; the run goes on'
key z o o m
check "typing finds some" shows '^   \+ +zoom in'
check "and only those" has ! 'leave; the run'
key Down Enter
check "enter does what is chosen: zoomed out" shows 'zoomed; 0 fits'
key : f i t Enter
check "and what is typed: fits again" shows ! 'zoomed; 0 fits'
key : m o d
check "a view by its name" shows ':mod_'
key BSpace BSpace BSpace
check "backspace takes back" shows '^:_'
key BSpace
check "and leaves the empty one" shows ! '^:_'
key : q q q
check "where nothing is found that is said" shows 'nothing is called that'
key Escape
check "escape leaves" shows '^q leave'
tab models
check "a click on a tab is that view" shows '^14 of 14 models by state'
press 0 5 8
press 0 5 8
check "two clicks on a model open it" shows '^recipe: '
key Escape
check "escape goes back" shows '^14 of 14 models'
tab log
check "a click on the log's" shows 'loss is not a number'
press 0 30 "$(row_of 'loss is not a number')"
check "a click on an event names its model" shows '^AnyNetX_A model 3; a second click opens it'
press 0 30 "$(row_of 'loss is not a number')"
check "and opens it" shows '^AnyNetX_A model 3: diverged'
tab EDFs
check "a click on the first tab" shows '^ +n +min +mean failed'
press 0 8 "$(row_of 'b RegNetX')"
check "a click in the legend selects" shows 'b>RegNetX'
press 0 10 "$(row_of '^b +4 running')"
check "a click on a running model names it" shows '^RegNetX model 4, running.*; a second click'
press 0 10 "$(row_of '^b +4 running')"
check "and opens it" shows '^RegNetX model 4: running'
key Escape
check "back at the chart" shows '^ +n +min +mean failed'
press 0 40 8
check "a click on the chart is the cursor" shows '^at [0-9.]+ %:'
press 64 40 8
check "the wheel zooms" shows 'zoomed; 0 fits'
key 0 Escape c
check "the choice of populations" shows '^which populations'
press 0 8 "$(row_of '^ [*] RegNetX')"
press 0 8 "$(row_of '^ [*] RegNetX')"
check "is one for the mouse: the second click takes it away" shows '^   RegNetX'
key Enter Escape
tab property
check "the property view" shows ': error against flops'
key e : c o m p a Enter
check "compare shows the whole verdict, where there are two" shows 'there are no two populations'
tm set -s set-clipboard external
key y
check "y says where tmux may refuse" shows '^sent 1 population .*set -g set-clipboard on'
tm set -s set-clipboard on
key y
check "y copies the table" shows '^copied 1 population'
key m y
check "y copies the models" shows '^copied 14 models'
tm show-buffer >"$dir/seen" 2>/dev/null
check "to the clipboard, with tabs" has $'^AnyNetX_A\t3\tdiverged\t1\t100'
check "all of them" [ "$(wc -l <"$dir/seen")" -eq 15 ]
key l i
check "i says where there are no images" shows 'shows no images|this view has none'
key q
check "and all is as before" restored 0

done_testing
