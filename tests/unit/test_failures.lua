-- Sweeps whose models or workers fail: crashes, hangs, divergence, too little memory.
-- The workers here run a worker.lua of our own, which does what the width of the first
-- stage asks for and is otherwise the real one.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local data = require "netspace.data.data"
local json = require "netspace.lib.json"
local recipe = require "netspace.network.recipe"
local sqlite = require "netspace.core.sqlite"
local sweep = require "netspace.sweep.sweep"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-failures-XXXXXX"))
local function at(name) return dir .. "/" .. name end

local NORMAL, CRASHES, HANGS, DIVERGES, DIES_LATE, GROWS, MIXED = 8, 24, 32, 40, 48, 56, 16
local BABBLES, CHATS = 80, 88
require "overlay" (at("lua"), ([[
local handle = M.handle
local function die(signal)
  io.stderr:write("last words\n")
  require("luv").kill(require("luv").os_getpid(), signal)
end
function M.handle(job, send)
  local w = job.m.w[1]
  if w == %d then die("sigsegv") end
  if w == %d and job.attempt < 5 then die(job.attempt < 3 and "sigkill" or "sigsegv") end
  if w == %d then job.recipe.lr = 1000 end
  if w == %d then -- lines without end, where events belong
    for _ = 1, 100 do io.stdout:write(("x"):rep(1 << 16)) io.stdout:flush() end
  end
  if w == %d then -- noise that is no event
    for _ = 1, 40 do io.stderr:write(("y"):rep(1 << 16)) end
    io.stderr:write("\nan end of noise\n")
    io.stdout:write(("z"):rep(1 << 19), "\n")
    io.stdout:flush()
  end
  return handle(job, function(e)
    send(e)
    if e.event == "epoch" and e.epoch == 2 then
      if w == %d then die("sigstop") end
      if w == %d then die("sigabrt") end
      if w == %d then eaten = ("x"):rep(200 << 20) end
    end
  end)
end]]):format(CRASHES, MIXED, DIVERGES, BABBLES, CHATS, HANGS, DIES_LATE, GROWS))
local shapes = assert(data.open("shapes", { train = 128, test = 64 }))
local function model(w) return arch.anynet { d = { 1, 1 }, w = { w, 64 }, g = 8 } end
local function models(...)
  local list = { space = "Tiny", seed = 3 }
  for i, w in ipairs { ... } do list[i] = model(w) end
  return list
end
local function run(o)
  local all = { store = at("a.db"), data = shapes, quiet = true, workers = 1,
    recipe = recipe { epochs = 4, batch = 32, warmup = 1, warmup_factor = 1e-5 } }
  for k, v in pairs(o) do all[k] = v end
  return sweep.run(all)
end
local function rows(name)
  local db = assert(sqlite.open(at("a.db"), "r"))
  local list = db:rows([[SELECT model.* FROM model JOIN population ON population.id = population
    WHERE name = ? ORDER BY idx]], { name })
  for _, r in ipairs(list) do
    r.curve = db:columns([[SELECT epoch, train_loss, validation_error FROM epoch WHERE model = ?
      ORDER BY epoch]], { r.id })
  end
  db:close()
  return list
end
local function log(name)
  local text = {}
  for _, e in ipairs(assert(sweep.open(at("a.db"))):events()) do
    if e.population == name then text[#text + 1] = e.text end
  end
  return table.concat(text, "\n")
end

local calm = run { name = "calm", models = models(NORMAL, NORMAL, NORMAL, NORMAL) }

-- A crash -----------------------------------------------------------------------------
local r = run { name = "crash", models = models(NORMAL, CRASHES, NORMAL) }
local row = rows("crash")
t.is(json.encode(r.errors), json.encode { calm.errors[1], 100, calm.errors[3] },
  "a model that always crashes has error 100, the others are as they should be")
t.is(r.failed .. row[2].status .. row[2].attempt, "1failed3", "it failed after three attempts")
t.is(row[2].reason, "its worker was killed by SIGSEGV, 3 times without progress",
  "with the reason")
t.is(row[2].signal .. ": " .. row[2].log, "SIGSEGV: last words", "its signal and its last words")
local live = assert(sweep.open(at("a.db"))):live("crash")
t.is(#live .. live[2].status, "3failed", "it stays in the table")

-- Kills from outside, and crashes of its own -------------------------------------------
r = run { name = "mixed", models = models(MIXED) }
t.is(rows("mixed")[1].status .. rows("mixed")[1].attempt, "done5",
  "two kills and two crashes are less than three crashes", log "mixed")

-- A crash that comes further each time ------------------------------------------------
r = run { name = "late", models = models(NORMAL, DIES_LATE), checkpoint = { every = 1 } }
row = rows("late")
t.is(row[2].status .. row[2].attempt, "failed4",
  "one that dies after epoch 1 is stored came further once, and has failed after three more")
t.is(row[2].reason:match("SIGABRT, %d"), "SIGABRT, 3", "the reason counts the crashes")
t.is(row[2].curve.n, 2, "the epochs it had stay")
t.ok(not uv.fs_stat(at("a.db.checkpoints")), "no checkpoint stays")

-- A hang ------------------------------------------------------------------------------
r = run { name = "hang", models = models(NORMAL, HANGS, NORMAL), patience = 0.5, workers = 2,
  checkpoint = { every = 1 } }
row = rows("hang")
t.is(row[2].reason:match("hung: it said nothing for %d+ seconds"):sub(1, 4), "hung",
  "a worker that says nothing is killed", row[2].reason)
t.is(r.errors[1] .. " " .. r.errors[3], calm.errors[1] .. " " .. calm.errors[3],
  "the others are as they should be")

-- Divergence in epoch 2 ---------------------------------------------------------------
r = run { name = "wild", models = models(NORMAL, DIVERGES, NORMAL, NORMAL) }
row = rows("wild")
t.is(row[2].status .. r.errors[2], "diverged100.0", "a loss that runs away is a result")
t.ok(row[2].reason:find("in epoch 2", 1, true), "with the epoch where", row[2].reason)
t.is(row[2].curve.n, 1, "the epoch before is kept")
t.is(json.encode { r.errors[1], r.errors[3], r.errors[4] },
  json.encode { calm.errors[1], calm.errors[3], calm.errors[4] },
  "models trained after it by the same worker are as they should be")

-- Too little memory -------------------------------------------------------------------
local need = require("netspace.core.net").need(model(NORMAL), recipe { batch = 32 })
r = run { name = "limit", models = models(NORMAL, 1024, NORMAL), memory = 2 * need }
row = rows("limit")
t.is(row[1].memory, need, "what a network needs is on record")
t.is(row[2].status .. r.errors[2], "failed100.0", "a network above the limit has failed")
local reason = row[2].reason
t.ok(reason:find("the limit is " .. units.bytes(2 * need), 1, true)
  and reason:find("it needs [%d.]+ MB at batch 32") and reason:find("raise memory=", 1, true),
  "the reason names need, limit and remedy", reason)
t.is(r.errors[1] .. " " .. r.errors[3], calm.errors[1] .. " " .. calm.errors[3],
  "the others are trained")
r = run { name = "grows", models = models(NORMAL, GROWS, NORMAL), memory = "100MB" }
row = rows("grows")
t.is(row[2].reason, "it took more memory than the limit of 100 MB per worker; raise "
  .. "memory= of the sweep", "a worker cannot take more than the limit either")
t.is(r.errors[1] .. " " .. r.errors[3], calm.errors[1] .. " " .. calm.errors[3],
  "the same worker trains the others")
r = run { name = "free", models = models(NORMAL, GROWS), workers = 1 }
t.is(r.failed, 0, "without a limit it may")

-- Lines without end
r = run { name = "babble", models = models(NORMAL, BABBLES, CHATS) }
row = rows("babble")
t.is(row[2].reason, "its worker wrote a line of more than 1.05 MB, 3 times without progress",
  "a worker that writes no line ends is stopped")
t.is(row[1].status .. row[3].status, "donedone", "long noise that is none of ours does no harm")

-- A machine with room for one network at a time
local memory = sys.memory
sys.memory = function() return 2 * need end
r = run { name = "narrow", models = models(NORMAL, NORMAL, NORMAL, NORMAL), workers = 2 }
sys.memory = memory
local together = 0
for i, a in ipairs(rows("narrow")) do
  for j, b in ipairs(rows("narrow")) do
    if i < j and a.started < b.ended and b.started < a.ended then together = together + 1 end
  end
end
t.is(together .. json.encode(r.errors), 0 .. json.encode(calm.errors),
  "networks that do not fit together are trained one after the other")
t.ok(log("narrow"):find("needs [%d.]+ MB: waits until it fits into memory with the others"),
  "the log says so", log("narrow"))
t.fails(function() run { name = "x", models = models(NORMAL), memory = "much" } end,
  'memory is \'much\'; it must be a size with its unit, such as "2GB" or "500MB", or a number of bytes')
for value, said in pairs { ["60"] = "memory is '60'; it must be a size with its unit",
  [60] = 'memory is 60 bytes, and no network needs less than 64 kB (did you mean "60MB"?)',
  ["60 B"] = "memory is 60 bytes, and no network" } do
  t.fails(function() run { name = "x", models = models(NORMAL), memory = value } end, said)
end
t.fails(function() run { name = "x", models = models(NORMAL), patience = 0 } end,
  "patience is 0; it is a number of seconds above 0")

-- Failed models are in the EDF
t.is(require("netspace.stats.stats").edf(assert(sweep.open(at("a.db"))):result("limit")).n, 3,
  "failed models count in the EDF")
t.ok(log("crash"):find("SIGSEGV, its last line: last words; queued again (1 of 3)", 1, true),
  "the log has each attempt", log("crash"))

os.execute("rm -rf " .. dir)
t.done()
