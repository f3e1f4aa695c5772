-- Sweeps that are stopped and go on: checkpoints and their options, pauses, Ctrl-C,
-- several sweeps in turn.  The workers rest after each epoch, so that there is time to
-- disturb them.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local data = require "netspace.data.data"
local json = require "netspace.lib.json"
local net = require "netspace.network.net"
local recipe = require "netspace.network.recipe"
local sqlite = require "netspace.core.sqlite"
local sweep = require "netspace.sweep.sweep"
local sys = require "netspace.core.sys"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-resume-XXXXXX"))
local function at(name) return dir .. "/" .. name end
require "overlay" (at("lua"), [[
local handle = M.handle
function M.handle(job, send)
  return handle(job, function(e)
    send(e)
    if e.event == "epoch" then require("luv").sleep(70) end
  end)
end]])
local shapes = assert(data.open("shapes", { train = 128, test = 64 }))
local function models(n)
  local list = { space = "Tiny", seed = 3 }
  for i = 1, n do
    list[i] = arch.anynet { d = { 1, 1 }, w = { 8 * (1 + i % 2), 16 }, g = 8 }
  end
  return list
end
local function options(o)
  local all = { store = at("a.db"), data = shapes, quiet = true, workers = 1,
    recipe = recipe { epochs = 6, batch = 32 } }
  for k, v in pairs(o) do all[k] = v end
  return all
end
local function run(o) return sweep.run(options(o)) end
local function start(o) return sweep.start(options(o)) end
local function errors(r) return json.encode(r.errors) end
local function query(path, sql)
  local db = assert(sqlite.open(path, "r"))
  local rows = db:rows(sql)
  db:close()
  return rows
end
-- Every epoch of a population, without its times.
local function epochs(path, name)
  local lines = {}
  for i, r in ipairs(query(path, ([[SELECT idx, epoch, lr, train_loss, train_error, validation_error
    FROM epoch JOIN model ON model.id = epoch.model JOIN population
    ON population.id = population WHERE name = '%s' ORDER BY idx, epoch]]):format(name))) do
    lines[i] = ("%d %d %a %a %a %a"):format(r.idx, r.epoch, r.lr, r.train_loss, r.train_error,
      r.validation_error)
  end
  return table.concat(lines, "\n")
end
local function log(path)
  local text = {}
  for i, e in ipairs(assert(sweep.open(path)):events()) do text[i] = e.text end
  return table.concat(text, "\n")
end
local function files(path)
  local names, list = {}, uv.fs_scandir(path)
  for name in function() return list and uv.fs_scandir_next(list) end do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, " ")
end

local calm = run { name = "calm", models = models(1) }

-- A callback that does `act` once, when the first model has finished that many epochs.
local function after(path, epoch, act)
  local acted
  return function(s)
    local model = sweep.open(path):live(s.name)[1]
    if acted or model.status ~= "running" or model.epoch < epoch then return end
    acted = true
    act()
  end
end

-- Stopped, then with a checkpoint that is not what it should be -----------------------
local function stopped(path)
  local s
  s = start { store = path, name = "A", models = models(1), checkpoint = { every = 1 },
    progress = after(path, 1, function() s._stop(s) end) }
  t.fails(function() s:wait() end, "was cancelled with", "a sweep is stopped")
end
local function finish(path, name)
  local r = sweep.resume(path, { quiet = true, workers = 1 })[1]
  t.is(errors(r), errors(calm), name .. ": the undisturbed errors")
  t.is(epochs(path, "A"), epochs(at("a.db"), "calm"), name .. ": the undisturbed epochs")
  t.is(files(path .. ".checkpoints"), "", name .. ": no checkpoint stays")
end
local function change(path, f)
  local file = path .. ".checkpoints/1-1.safetensors"
  local h = assert(io.open(file, "rb"))
  local text = h:read("a")
  h:close()
  h = assert(io.open(file, "wb"))
  h:write(f(text))
  h:close()
end

local path = at("whole.db")
stopped(path)
t.is(files(path .. ".checkpoints"), "1-1.safetensors", "it leaves a checkpoint")
finish(path, "resumed")
t.ok(query(path, "SELECT count(*) AS n FROM epoch WHERE model = 1 AND attempt = 1")[1].n >= 1,
  "epochs before it are not trained again")
local wrong = { damaged = "is damaged: its checksum does not match",
  foreign = "is of another training", short = "it is cut short", noise = "states a header of" }
for name, f in pairs {
  damaged = function(text) return text:sub(1, -100) .. ("\xa5"):rep(99) end,
  short = function(text) return text:sub(1, #text // 2) end,
  foreign = function(text)
    return (text:gsub('(seed\\":%d*)(%d)', function(a, d) return a .. (d + 1) % 10 end, 1))
  end,
  noise = function() return ("\xa5"):rep(5000) end,
} do
  path = at(name .. ".db")
  stopped(path)
  change(path, f)
  finish(path, name)
  local text = log(path)
  t.ok(text:find("the checkpoint cannot be used, training starts again at epoch 1: " .. path, 1, true)
    and text:find(wrong[name], 1, true), name .. ": the log says that it is refused", text)
end

-- An epoch that is trained again and does not give what it gave before
path = at("differs.db")
stopped(path)
os.execute(("rm -rf '%s.checkpoints'"):format(path))
local db = assert(sqlite.open(path, "rw"))
assert(db:run("UPDATE epoch SET train_loss = train_loss + 1 WHERE epoch = 1"))
db:close()
finish(path, "differing")
t.ok(log(path):find("epoch 1 gave another result than before: train loss 3.", 1, true),
  "the log says that it differs", log(path))

-- Options -----------------------------------------------------------------------------
local seen = {}
local function look(store)
  return after(store, 2, function() -- but for one that is being written
    seen[#seen + 1] = files(store .. ".checkpoints"):gsub(" ?%S*%.part%-%d+", "")
  end)
end
run { store = at("none.db"), name = "A", models = models(1), checkpoint = false,
  progress = look(at("none.db")) }
run { store = at("limit.db"), name = "A", models = models(1),
  checkpoint = { every = 1, limit = "1 kB" }, progress = look(at("limit.db")) }
run { store = at("every.db"), name = "A", models = models(1), checkpoint = { every = 1 },
  progress = look(at("every.db")) }
t.is(table.concat(seen, "|"), "||1-1.safetensors", "none, none above a limit, one each epoch")
t.ok(log(at("limit.db")):find("above the limit of 1000: none is written", 1, true),
  "the log says so")
local kept = run { store = at("kept.db"), name = "A", models = models(2), workers = 2,
  checkpoint = { keep = true } }
t.is(files(at("kept.db.weights")), "1-1.safetensors 1-2.safetensors", "weights are kept")
local store = assert(sweep.open(at "kept.db"))
for i = 1, 2 do
  local n = assert(store:net("A", i))
  t.is((n:test(shapes, { split = "validation" })), kept.errors[i], "they are those of the finished model")
  n:close()
end
t.fails(function() store:net("A", 3) end, "'A' of " .. at "kept.db" .. " has no model 3")
t.fails(function() store:net "A" end, "give the number of a model of 'A' as the second argument")
store:close()
store = assert(sweep.open(at "every.db"))
local none, why = store:net("A", 1)
t.ok(none == nil and why:find("keeps weights with checkpoint = { keep = true }", 1, true),
  "weights that were not kept", why)
store:close()
local averaged = run { store = at("average.db"), name = "A", models = models(1), workers = 1,
  recipe = recipe { epochs = 2, batch = 32, ema = 0.01, ema_period = 2, precise_bn = 32,
    stochastic_depth = 0.2 },
  checkpoint = { keep = true } }
store = assert(sweep.open(at "average.db"))
do
  local n <close> = store:net("A", 1)
  t.is((n:test(shapes, { split = "validation" })), averaged.errors[1],
    "with an average it is that which is measured and kept")
  t.is(n:data().weights .. " " .. averaged.weights .. " " .. store:population("A").weights,
    "average average average", "file, result and store say so")
  t.ok(tostring(store:provenance("A")):find("of the moving average of the weights", 1, true), "and where it comes from")
end
store:close()
t.fails(function() run { name = "x", models = models(1), checkpoint = { evry = 1 } } end,
  "unknown option 'evry' (did you mean 'every'?)")
t.fails(function() run { name = "x", models = models(1), checkpoint = { every = 0 } } end,
  "checkpoint.every is '0'; it must be a number of epochs, at least 1, or a time, such as \"10m\"")
t.fails(function() run { name = "x", models = models(1), checkpoint = { limit = "1 XB" } } end,
  "checkpoint.limit is '1 XB'; it must be a size with its unit")

-- Checkpoints within an epoch, by the clock ---------------------------------------------
local long = { models = { arch.anynet { d = { 2, 2 }, w = { 32, 64 }, g = 8 } },
  data = assert(data.open("shapes", { train = 10000, test = 32 })),
  recipe = recipe { epochs = 1, batch = 32, schedule = "cos_step" } }
local function train_long(store, more)
  local o = { store = at(store), name = "A" }
  for k, v in pairs(long) do o[k] = v end
  for k, v in pairs(more) do o[k] = v end
  return run(o)
end
train_long("long.db", {})
local killed, first -- at the second checkpoint: then the worker has told of the first
train_long("clock.db", { checkpoint = { every = "0.1s" }, progress = function()
  if killed or files(at("clock.db.checkpoints")) ~= "1-1.safetensors" then return end
  local file = uv.fs_stat(at("clock.db.checkpoints/1-1.safetensors"))
  local written = file and file.mtime.sec + file.mtime.nsec / 1e9
  first = first or written
  if written == first then return end
  killed = query(at("clock.db"), "SELECT worker FROM model")[1].worker
  uv.kill(killed, "sigkill")
end })
t.ok(killed, "with every = \"0.1s\" there is a checkpoint in the first epoch")
t.is(epochs(at("clock.db"), "A"), epochs(at("long.db"), "A"), "going on there gives the same bits")
t.ok(log(at("clock.db")):find("SIGKILL; queued again (it had made progress)", 1, true),
  "it had made progress", log(at("clock.db")))

-- Paused and resumed ------------------------------------------------------------------
path = at("pause.db")
local s
s = start { store = path, name = "A", models = models(1),
  progress = after(path, 2, function() s:pause() end) }
while s:status().state ~= "paused" do uv.run("once") end
t.is(s:status().running .. s:status().queued, "01", "a paused sweep has no worker")
t.fails(function() s:wait() end, "is paused; its resume() lets it go on",
  "nobody can wait for it")
t.is(errors(run { store = path, name = "B", models = models(1) }), errors(calm),
  "another one has the workers meanwhile")
s:resume()
t.is(errors(s:wait()), errors(calm), "it goes on to the undisturbed errors")
t.is(epochs(path, "A"), epochs(at("a.db"), "calm"), "and epochs")
t.ok(query(path, "SELECT crashes FROM model WHERE id = 1")[1].crashes == 0, "a pause is no crash")
s = start { store = path, name = "C", models = models(1) }
s:pause()
s:cancel()
t.is(s:status().state, "stopped", "a paused sweep can be cancelled")

-- In turn -----------------------------------------------------------------------------
path = at("turns.db")
local one = recipe { epochs = 1, batch = 32 }
local a = start { store = path, name = "A", models = models(4), recipe = one }
local b = start { store = path, name = "B", models = models(4), recipe = one }
a:wait()
b:wait()
local order = {}
for i, r in ipairs(query(path, [[SELECT name FROM model JOIN population
  ON population.id = population ORDER BY started]])) do order[i] = r.name end
t.is(table.concat(order), "ABABABAB", "two sweeps have the one worker in turn")

-- Ctrl-C ------------------------------------------------------------------------------
local function press() uv.kill(uv.os_getpid(), "sigint") end
path = at("background.db")
local back = start { store = path, name = "back", models = models(5) }
local good, why = pcall(run, { store = path, name = "front", models = models(1), workers = 2,
  progress = after(path, 1, press) })
sys.clear_interrupt()
t.is(tostring(good) .. tostring(why), "falseinterrupted",
  "Ctrl-C stops the sweep that is waited for")
t.is(back:status().state, "running", "not the one in the background")
local timer = uv.new_timer()
timer:start(300, 0, press)
good, why = pcall(back.wait, back)
timer:close()
sys.clear_interrupt()
t.is(tostring(good) .. tostring(why), "falseinterrupted", "waiting for that one can be left")
t.is(back:status().state, "running", "and it goes on")
t.is(back:wait().errors[1], calm.errors[1], "to the end")
t.is(errors(sweep.resume(path, { quiet = true })[1]), errors(calm),
  "the stopped one is resumed")

os.execute("rm -rf " .. dir)
t.done()
