-- Workers on hosts, where a script plays ssh (tests/sweep/ssh.sh has the real one): words arrive as
-- they are, hosts that are not there are left out, the others share the work.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local data = require "netspace.data.data"
local sweep = require "netspace.sweep.sweep"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-hosts-XXXXXX"))
local function at(name) return dir .. "/" .. name end
local function write(name, text)
  local f <close> = assert(io.open(at(name), "w"))
  f:write(text)
  assert(uv.fs_chmod(at(name), tonumber("755", 8)))
end
-- A host called "down" is not there; "late" from its third call on.  Connections to "shot" are killed
-- five times, those to "shooting" always.
write("ssh", ([[#!/bin/sh
echo "$*" >>%s/calls
while [ "$1" != -- ]; do shift; done
if [ "$2" = down ] || { [ "$2" = late ] && [ $(grep -c -- '-- late' %s/calls) -lt 3 ]; }; then
  echo "ssh: connect to host $2: no route" >&2
  exit 255
fi
if [ "$2" = shooting ] || { [ "$2" = shot ] && [ $(grep -c -- '-- shot' %s/calls) -le 5 ]; }; then
  kill -9 $$
fi
HOST=$2 exec /bin/sh -c "$3"
]]):format(dir, dir, dir))
uv.os_setenv("NETSPACE_SSH", at "ssh" .. " -o Compression=yes")

local stub = { uv.exepath(), "-q", "--no-init", uv.cwd() .. "/tests/unit/stub_trainer.lua" }
local shapes = assert(data.open("shapes", { train = 64, test = 32 }))
local function run(n, o)
  local models = { space = "Tiny", seed = 3 }
  for i = 1, n do models[i] = arch.anynet { d = { 1, 1 }, w = { 8, 64 }, g = 8 } end
  local all = { store = at "a.db", models = models, data = shapes, quiet = true,
    recipe = { epochs = 2, batch = 32, warmup = 0 }, trainer = { command = stub } }
  for k, v in pairs(o) do all[k] = v end
  return sweep.run(all)
end
local function log(name)
  local text = {}
  for _, e in ipairs(assert(sweep.open(at "a.db")):events { population = name }) do
    text[#text + 1] = e.text
  end
  return table.concat(text, "\n")
end
local function read(name)
  local f <close> = assert(io.open(at(name)))
  return f:read "a"
end

-- Words and variables arrive as they are
local odd = "it's \"$HOME\"; `id`\\ *"
local r = run(3, { name = "words", workers = { "ssh:user@node1:1" }, trainer = {
  command = { stub[1], stub[2], stub[3], stub[4], odd }, env = { STUB_DEVICE = odd } } })
t.is(r.trainers[1].trainer, odd, "words of a command arrive at a host as they are")
t.is(r.trainers[1].device, odd, "and so do variables")
t.is(r.counts.done, 3, "and all are trained")
local call = read "calls":match "[^\n]*"
t.ok(call:find("^%-o Compression=yes %-T ") and call:find("-o BatchMode=yes", 1, true)
  and call:find("-- user@node1 env NETSPACE_SLOT=1 ", 1, true), "how ssh is called", call)
r = run(1, { name = "line", workers = { "ssh:node1:1" },
  trainer = ("STUB_HOST=$HOST exec '%s' -q --no-init '%s'"):format(stub[1], stub[4]) })
t.is(r.trainers[1].host, "node1", "a command line is one of sh there")

-- Netspace's own workers
r = run(4, { name = "own", trainer = nil, workers = { "ssh:node1:2:" .. uv.exepath() } })
local here = run(4, { name = "here", workers = 2, trainer = nil })
t.is(table.concat(r.errors, " "), table.concat(here.errors, " "), "a host gives the same errors")

-- Hosts that are not there; the trainer elsewhere begins when that is known
write("patient", ([[#!/bin/sh
while [ $(grep -c -- '-- down' %s/calls) -lt 3 ]; do sleep 0.1; done
STUB_SECONDS=0.5 exec '%s' -q --no-init '%s'
]]):format(dir, stub[1], stub[4]))
r = run(4, { name = "down", workers = { "ssh:down:2", "ssh:node1:1" },
  trainer = { command = { at "patient" } } })
t.is(r.counts.done, 4, "a host that is not there is left out")
t.ok(log("down"):find("no worker can be started on down: the connection to down was lost while it "
  .. "started:\nssh: connect to host down: no route\n`ssh down true` must work without a question",
  1, true), "and named, with what to try", log "down")
t.fails(function() run(1, { name = "none", workers = { "ssh:down:1" } }) end,
  "no worker can be started on down")
r = run(2, { name = "late", workers = { "ssh:late:1" } })
t.is(r.counts.done, 2, "one that comes late is waited for")
t.ok(log("late"):find("late: the connection to late was lost; tried again in 1s\n.*tried again in "
  .. "2s\nlate is there again"), "with growing pauses", log "late")

-- Connections that others kill while they begin
r = run(2, { name = "shot", workers = { "ssh:shot:1" } })
t.is(r.counts.done, 2, "a host is tried again where others kill the connection while it begins")
t.fails(function() run(1, { name = "shooting", workers = { "ssh:shooting:1" } }) end,
  "no worker can be started on shooting: its worker was killed by SIGKILL while it started")
local _, calls = read "calls":gsub("%-%- shooting", "")
t.is(calls, 30, "not for ever")

-- The faster one trains more
write("trainer", ([[#!/bin/sh
STUB_HOST=$HOST; STUB_SECONDS=0.05
[ "$HOST" != slow ] || STUB_SECONDS=1
export STUB_HOST STUB_SECONDS
exec '%s' -q --no-init '%s'
]]):format(stub[1], stub[4]))
r = run(30, { name = "speeds", workers = { "ssh:slow:1", "ssh:fast:1" }, trainer = at "trainer" })
local made = {}
for _, one in ipairs(r.trainers) do made[one.host] = one.models end
t.ok(made.fast > 2 * made.slow, "a faster host trains more",
  ("fast %d, slow %d"):format(made.fast, made.slow))

os.execute("rm -rf " .. dir)
t.done()
