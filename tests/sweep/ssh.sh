#!/bin/sh
# Workers on other machines: two sshd on the loopback interface play the hosts node1 and node2.  One
# is killed with all it runs, in the middle, and comes back: the table is that of local training.
# What a host lacks is said; a line that is slow keeps no worker waiting.  Prints TAP.
. "$(dirname "$0")/../lib.sh"
. tests/lib-ssh.sh
root=$PWD
shown="err out"
# ---- sweeps -----------------------------------------------------------------------------
# sweep STORE WORKERS [MORE]: trains the population of the test; MORE are options.
cat >"$dir/sweep.lua" <<END
local o = load("return {" .. (arg[3] or "") .. "}")()
o.store, o.workers = arg[1], load("return " .. arg[2])()
o.models = o.models or space.small.RegNetX:sample(6, { seed = 1, flops = { 1e6, 2e6 } })
o.data = o.data or data.open("shapes", { train = 400, test = 50 })
o.recipe = o.recipe or { epochs = 3, batch = 32 }
o.checkpoint = { every = 1 }
sweep.run(o)
END
sweep() { "$NETSPACE" -q --no-init --yes "$dir/sweep.lua" "$dir/$1" "$2" "$3" >"$dir/out" 2>"$dir/err"; }
# The results of a store, every epoch to the last bit; the trainers' hosts do not count.
table_of() {
    "$NETSPACE" -q --no-init -e "local s = store.open('$dir/$1') local j = require 'netspace.lib.json'
        print(j.encode(s:result('RegNetX-32px').errors)) for _, m in ipairs(s:learning 'RegNetX-32px') do
        print(j.encode(m)) end"
}
log_of() {
    "$NETSPACE" -q --no-init -e "for _, e in ipairs(store.open('$dir/$1'):events()) do print(e.text) end"
}
has() { log_of "$1" >"$dir/out" 2>&1 && grep -q -- "$2" "$dir/out"; }
sweep local.db 1
check "trained here" [ $? -eq 0 ]
table_of local.db >"$dir/local"
both="{ 'ssh:node1:1:$NETSPACE', 'ssh:node2:1:$NETSPACE' }"
(sweep ssh.db "$both"; echo $? >"$dir/status") &
sweeping=$!
eventually 60 has ssh.db "worker on node2: netspace"
eventually 60 has ssh.db "worker on node1: netspace"
host_down 2
eventually 60 has ssh.db "connection to node2 was lost; tried again in"
check "a host that vanishes is missed" [ $? -eq 0 ]
host_up 2
wait $sweeping
check "the sweep goes on without it" [ "$(cat "$dir/status")" = 0 ]
table_of ssh.db >"$dir/ssh"
cmp -s "$dir/local" "$dir/ssh"
ok $? "and has the same table as one trained here, to the last bit" local ssh
has ssh.db "the connection to node2 was lost.*queued again (\(it had made progress\|1 of 30\))"
check "the model that it had was tried again, which does not count as its fault" [ $? -eq 0 ]
check "no worker stays there" [ -z "$(tree "$sshd1" | xargs ps -o args= -p 2>/dev/null | grep -e --worker)" ]
[ -d "$dir/there1/netspace/checkpoints" ] && [ -z "$(find "$dir/there1" -type f)" ]
check "no checkpoint of a finished model stays there" [ $? -eq 0 ]
# ---- checkpoints ---------------------------------------------------------------------------
long="models = { arch.anynet { d = { 1, 1 }, w = { 16, 16 }, g = 8 } }, name = 'long',
    recipe = { epochs = 200, batch = 32 }"
tables() {
    "$NETSPACE" -q --no-init tests/cluster/table.lua "$dir/$1"
}
sweep quiet.db 1 "$long"
tables quiet.db >"$dir/long"
(sweep far1.db "{ 'ssh:node2:1:$NETSPACE' }" "$long"; echo $? >"$dir/status") &
sweeping=$!
brought() { [ -n "$(find "$dir/far1.db.checkpoints" -name '*.safetensors' 2>/dev/null)" ]; }
check "a checkpoint comes back from a host" eventually 60 brought
host_down 2
eventually 60 has far1.db "connection to node2 was lost; tried again in"
kill -INT "$(pgrep -f "$dir/sweep.lua $dir/far1.db")" 2>/dev/null
wait $sweeping
sweep far1.db "{ 'ssh:node1:1:$NETSPACE' }" "$long"
check "where it was is gone, and another one goes on" [ $? -eq 0 ]
has far1.db "goes on after epoch [1-9]"
check "with it" [ $? -eq 0 ]
tables far1.db >"$dir/farther"
cmp -s "$dir/long" "$dir/farther"
ok $? "to the same table" long farther
check "it is removed then" [ ! -e "$dir/far1.db.checkpoints" ]
host_up 2
# ---- what a host lacks ---------------------------------------------------------------------
sweep none.db "{ 'ssh:node1:1:/no/such/netspace', 'local:1' }"
check "without a program there it goes on with the others" [ $? -eq 0 ]
grep -q 'no worker can be started on node1' "$dir/err" && grep -q '/no/such/netspace: not found' "$dir/err" &&
    grep -q 'install netspace there (make install), or name it: "ssh:node1:1:/path/to/netspace"' "$dir/err"
ok $? "and says what is missing, and how it comes there"
table_of none.db | cmp -s - "$dir/local"
ok $? "with the same table"
mkdir -p "$dir/here/a" "$dir/here/b"
"$NETSPACE" -q --no-init -e "local f = io.open('$dir/list.csv', 'w') for i = 0, 39 do local n =
    ('$dir/here/%s/%d.ppm'):format(i % 2 == 0 and 'a' or 'b', i) local g = io.open(n, 'wb')
    g:write('P6 32 32 255\n', (string.char(i * 5 % 256, 9, 7)):rep(1024)) g:close() end"
printf '#!/bin/sh\nmv "%s" "%s.away"\nexec "%s" --worker\n' "$dir/here" "$dir/here" "$NETSPACE" >"$dir/blind"
chmod +x "$dir/blind"
images="data = data.open('$dir/here', { image = 32 }), name = 'f',
    models = { arch.anynet { d = { 1 }, w = { 8 }, g = 8, image = 32, classes = 2 } }"
XDG_CACHE_HOME=$dir/cache1 sweep data.db "{ 'ssh:node1:1:$dir/blind' }" "$images"
check "a sweep without any host that has the data ends" [ $? -eq 1 ]
grep -q "node1: .*here.*; bring it: rsync -aR $dir/here node1:/" "$dir/err"
ok $? "and says how to bring it"
sweep gone.db "{ 'ssh:nowhere:1' }"
grep -q 'no worker can be started on nowhere' "$dir/err" &&
    grep -q '`ssh nowhere true` must work without a question' "$dir/err"
ok $? "a host that cannot be reached is named, with what to try"
# ---- kernels ---------------------------------------------------------------------------
printf '#!/bin/sh\nNETSPACE_ISA=portable exec "%s" "$@"\n' "$NETSPACE" >"$dir/slow"
chmod +x "$dir/slow"
sweep same.db "{ 'local:1', 'ssh:node1:1:$dir/slow' }" "identical = true"
check "identical = true: others train" [ $? -eq 0 ]
grep -q 'node1 has netspace .*portable), and others have netspace .*: identical = true keeps it out' "$dir/err"
ok $? "than hosts with other kernels"
table_of same.db | cmp -s - "$dir/local"
ok $? "and the table is the same"
# ---- a line that is slow ------------------------------------------------------------------
# This trainer ends the second model, and the third, only when it has the next one: a sweep that
# gives it only then waits for ever.
trainer="trainer = { command = { '$NETSPACE', '-q', '--no-init', '$root/tests/unit/stub_trainer.lua' },
    env = { STUB_AHEAD = 2, STUB_SECONDS = 0.5 } }"
sweep far.db "{ 'ssh:far1:1' }" "patience = 30, $trainer"
check "the next model is there before the one before it has ended" [ $? -eq 0 ]
done_testing
