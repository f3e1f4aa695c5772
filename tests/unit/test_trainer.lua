-- Sweeps with a trainer of one's own: what it is is on record, what it may not say is named and not
-- stored, comparisons say who trained.  The trainer is stub_trainer.lua, which trains nothing.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local data = require "netspace.data.data"
local json = require "netspace.lib.json"
local sqlite = require "netspace.core.sqlite"
local stats = require "netspace.stats.stats"
local sweep = require "netspace.sweep.sweep"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-trainer-XXXXXX"))
local function at(name) return dir .. "/" .. name end
local stub = { uv.exepath(), "-q", "--no-init", uv.cwd() .. "/tests/unit/stub_trainer.lua" }
local shapes = assert(data.open("shapes", { train = 64, test = 32 }))
local function models(...)
  local list = { space = "Tiny", seed = 3 }
  for i, w in ipairs { ... } do list[i] = arch.anynet { d = { 1, 1 }, w = { w, 64 }, g = 8 } end
  return list
end
local function run(o)
  local all = { store = at("a.db"), data = shapes, quiet = true, recipe = { epochs = 2, batch = 32,
    warmup = 0 }, trainer = { command = stub } }
  for k, v in pairs(o) do all[k] = v end
  return sweep.run(all)
end
local function rows(name)
  local db = assert(sqlite.open(at("a.db"), "r"))
  local list = db:rows([[SELECT model.*, trainer.name AS trained_by, device, version FROM model
    JOIN population ON population.id = population LEFT JOIN trainer ON trainer.id = trainer
    WHERE population.name = ? ORDER BY idx]], { name })
  for _, r in ipairs(list) do
    r.curve = db:columns("SELECT validation_error AS e FROM epoch WHERE model = ?", { r.id }).e
  end
  db:close()
  return list
end
local function log(name)
  local text = {}
  for _, e in ipairs(assert(sweep.open(at("a.db"))):events { population = name }) do
    text[#text + 1] = e.text
  end
  return table.concat(text, "\n")
end

-- One that keeps to the protocol ---------------------------------------------------------------
local r = run { name = "good", models = models(8, 8, 8), trainer = { command = stub, slots = 2 } }
local row = rows "good"
for i = 1, 3 do t.is(r.errors[i], 20.0 + row[i].seed % 60, "an error that the trainer gave") end
t.is(row[1].trained_by .. row[1].version .. row[1].device, "stub1none", "who made it is on record")
t.is(json.encode(r.trainers), ('[{"device":"none","host":"%s","kernels":"none","models":3,'
  .. '"trainer":"stub","version":"1"}]'):format(uv.os_gethostname()), "a result has its trainers")
t.ok(tostring(assert(sweep.open(at("a.db"))):provenance("good")):find(
  "trained by  stub 1 on none (none) of " .. uv.os_gethostname() .. ", 3 models", 1, true), "the provenance says it")
r = run { name = "line", models = models(8), trainer = ("exec '%s' -q --no-init '%s' two"):format(
  stub[1], stub[4]) }
t.is(r.trainers[1].trainer, "two", "a trainer may be a command line")
r = run { name = "env", models = models(8), trainer = { command = stub,
  env = { STUB_DEVICE = "it's a \"$HOME\"", STUB_HOST = "there" } } }
t.is(r.trainers[1].device .. r.trainers[1].host, "it's a \"$HOME\"there",
  "its environment comes as it is written")

-- Lies -----------------------------------------------------------------------------------------
local lies = {
  { 16, "it spoke of model %d+, attempt 3, and was at work on model %d+, attempt 3", 0 },
  { 24, "its done event has error 250, which should be a number from 0 to 100", 2 },
  { 32, "its epoch event has validation_error nan, which should be a number from 0 to 100", 0,
    "its epoch event has validation_error %-nan, which should be a number from 0 to 100" },
  { 40, "its worker ended with status 0, in the middle of a line", 2 },
  { 48, "its worker wrote a line of more than 1.05 MB", 2 },
  { 56, "its worker hung: it said nothing for %d+ seconds", 2 },
  { 64, "it told of epoch 2 after epoch 0", 0 },
  { 72, "it was done with error [%d.]+, and its last epoch had %d+", 2 },
  { 80, "it wrote an event that is none: \"rumour\"", 0 },
  { 88, "it wrote a line that is no event: {half of it", 2 },
}
local widths = { 8 }
for i, lie in ipairs(lies) do widths[i + 1] = lie[1] end
r = run { name = "lies", models = models(table.unpack(widths)), patience = 1,
  trainer = { command = stub, slots = 2 } }
row = rows "lies"
t.is(row[1].status, "done", "a model without a lie is trained beside them")
for i, lie in ipairs(lies) do
  local model = row[i + 1]
  t.ok(model.reason:find(lie[2]) or lie[4] and model.reason:find(lie[4]),
    "named: " .. lie[2], model.reason)
  t.is(model.status .. model.error .. #model.curve, "failed100.0" .. lie[3],
    "and nothing of the lie is stored")
end
t.is(r.failed, #lies, "each has failed")
t.ok(log("lies"):find("queued again (2 of 3)", 1, true), "after three attempts, which the log has")

-- What cannot be started -----------------------------------------------------------------------
local function other(o)
  o.name, o.store, o.models = "x", at "b.db", models(8)
  return function() run(o) end
end
t.fails(other { trainer = "no-such-trainer --fast" },
  "no worker can be started: its worker ended with status 127 while it started:")
t.fails(other { trainer = { command = { "/no/such" } } },
  "no worker can be started: /no/such: ENOENT")
t.fails(other { trainer = { command = stub, env = { STUB_PROTOCOL = "2" } } },
  "its worker broke the protocol: it speaks version 2 of the protocol, this netspace version 1")
t.fails(other { trainer = "echo '{\"event\":\"ready\"}'" },
  "its first event is 'ready', not a hello")
for trainer, said in pairs { [""] = "trainer has no command", [{ slots = 2 }] = "has no command",
  [{ command = stub, slots = 0 }] = "trainer.slots is 0; it must be from 1 to 4096",
  [{ command = stub, env = { ["a=b"] = 1 } }] = "trainer.env has 'a=b', which is no name",
  [{ command = { "a", 3 } }] = "trainer.command[2] is a number" } do
  t.fails(other { trainer = trainer }, said)
end
for workers, said in pairs { [{}] = "workers is empty; it is \"local:2\"",
  [{ "ssh:-oProxyCommand=x:2" }] = "workers has 'ssh:-oProxyCommand=x:2'; it is",
  [{ "ssh:a b:2" }] = "workers has 'ssh:a b:2'", [{ "local:0" }] = "workers is 0",
  [{ "ssh:a:1", "ssh:a:2" }] = "workers names a twice", [{ "node1:4" }] = "workers has 'node1:4'",
  [{ "ssh:a:1:bin/netspace" }] = "workers has 'ssh:a:1:bin/netspace'" } do
  t.fails(other { workers = workers }, said)
end
t.fails(other { workers = { "ssh:a:1" }, checkpoint = { keep = true } }, "checkpoint.keep keeps weights beside the store")

-- Populations that were not made alike ---------------------------------------------------------
local a = run { name = "a", models = models(8, 8, 8, 8) }
local b = run { name = "b", models = models(8, 8, 8, 8), seed = 5 }
local c = run { name = "c", models = models(8, 8, 8, 8), seed = 6, trainer = { command = stub,
  env = { STUB_DEVICE = "other" } } }
t.ok(not stats.compare(a, b).verdict:find("trainers", 1, true), "alike: nothing is said")
local verdict = stats.compare(a, c).verdict
t.ok(verdict:find("Careful: they were trained with different trainers (stub 1 on none and stub 1 "
  .. "on other).", 1, true), "not made alike: the verdict says so", verdict)

-- A population goes on with its trainer, also by resume ------------------------------------------
r = run { name = "a", models = models(8, 8, 8, 8, 8) }
t.is(json.encode(r.trainers):match '"models":(%d)', "5", "more of them, by the same trainer")
local db = assert(sqlite.open(at("a.db"), "rw"))
assert(db:exec [[UPDATE model SET status = 'queued', error = NULL, epochs = 0 WHERE idx = 2 AND
  population = (SELECT id FROM population WHERE name = 'a')]])
db:close()
r = sweep.resume(at("a.db"), { quiet = true })[1]
t.is(r.name .. #r.trainers .. r.trainers[1].trainer .. r.counts.done, "a1stub5",
  "resume knows the trainer of a population")
r = run { name = "a", models = models(8, 8, 8, 8, 8, 8), trainer = { command = stub,
  env = { STUB_DEVICE = "other" } } }
t.is(#r.trainers, 2, "another trainer may go on with it")
t.ok(log("a"):find("earlier models were trained by stub 1 on none (none); now it is stub 1 on "
  .. "other (none): their errors are not made alike", 1, true), "which the log says", log "a")
verdict = stats.compare(a, r).verdict
t.ok(verdict:find("different trainers (stub 1 on none and stub 1 on none, stub 1 on other)", 1,
  true), "and the verdict", verdict)
t.fails(function() run { name = "b", models = models(8, 8, 8, 8, 8), seed = 5, identical = true,
  trainer = { command = stub, env = { STUB_DEVICE = "other" } } } end,
  "local has stub 1 on other (none), and others have stub 1 on none (none): identical = true keeps "
  .. "it out")

-- The command line
local function shell(arguments)
  local f = assert(io.popen(("%s %s 2>&1"):format(uv.exepath(), arguments)))
  local text = f:read "a"
  local _, _, status = f:close()
  return status, text
end
local function open_again()
  local file = assert(sqlite.open(at "a.db", "rw"))
  assert(file:exec "UPDATE model SET status = 'queued', error = NULL, epochs = 0 WHERE idx = 1")
  file:close()
end
open_again()
local _, text = shell(("resume %s --workers local:1 --trainer \"%s three\""):format(at "a.db",
  table.concat(stub, " ")))
t.ok(rows("a")[1].trained_by == "three", "resume takes places and a trainer", text)
local status
status, text = shell(("resume %s --workers some"):format(at "a.db"))
t.ok(status == 2 and text:find("or places such as local:2,ssh:node1:8; not 'some'", 1, true),
  "and refuses what is neither", text)

-- The example of the manual
if os.execute "command -v python3 >/dev/null" then
  local f <close> = assert(io.open "man/netspace-trainer.5")
  local source = f:read("a"):match '%.\\" trainer\n%.Bd[^\n]*\n(.-)%.Ed'
  local g <close> = assert(io.open(at "stub.py", "w"))
  g:write((source:gsub("\\&", "")))
  g:flush()
  r = run { name = "python", models = models(8, 8), trainer = "python3 " .. at "stub.py" }
  t.is(r.errors[1] .. r.errors[2] .. r.trainers[1].trainer, "50.050.0stub",
    "the trainer of the manual keeps to the protocol")
end

os.execute("rm -rf " .. dir)
t.done()
