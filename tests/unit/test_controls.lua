-- What a monitor asks of a sweep at work: pause, go on, retry what failed, cancel.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local controls = require "netspace.sweep.controls"
local sweep = require "netspace.sweep.sweep"
local uv = require "luv"

local dir = uv.fs_mkdtemp(uv.os_tmpdir() .. "/netspace-XXXXXX")
local path = dir .. "/runs.db"
local models = {}
for i = 1, 4 do
  models[i] = arch.anynet { d = { 1 }, w = { 8 * i }, b = { 1 }, g = { 8 }, stride = { 2 },
    stem_width = 8 }
end

-- Turns the loop until f() is true; false after a minute.
local function until_true(f)
  local good = false
  local limit, timer = uv.now() + 60000, uv.new_timer()
  timer:start(20, 20, function() end)
  repeat
    uv.run "once"
    good = f()
  until good or uv.now() > limit
  timer:close()
  return good
end

-- Requests to the event loop that are not forgotten; a sweep looks for commands for hours.
local function requests()
  local n = 0
  for _, v in next, debug.getregistry() do
    n = n + (type(v) == "userdata" and tostring(v):find "^uv_fs_t" and 1 or 0)
  end
  return n
end
local forgotten = requests()

controls.send(path, "cancel", "A") -- nobody is there yet
local s = sweep.start { store = path, name = "A", models = models, quiet = true, workers = 1,
  data = data.open("shapes", { train = 640, test = 64 }), checkpoint = false,
  memory = "100kB", recipe = recipe { epochs = 1, batch = 32 } }
t.is(s:status().state, "running", "an old wish is of no effect")
controls.send(path, "pause", "B")
s:pause()
controls.send(path, "pause", "A")
t.ok(until_true(function() return s:status().state == "finished" end),
  "a paused one goes on, to its end")
t.is(s:status().failed, 4, "no network fits into a byte")

-- Another one finds them failed, and trains them when asked to.
models[5] = arch.anynet { d = { 1 }, w = { 8 }, b = { 1 }, g = { 8 }, stride = { 1 },
  stem_width = 8 }
s = sweep.start { store = path, name = "A", models = models, quiet = true, workers = 1,
  data = data.open("shapes", { train = 640, test = 64 }), checkpoint = false,
  recipe = recipe { epochs = 1, batch = 32 } }
s:pause() -- or it may have ended before it looks for wishes
controls.send(path, "retry", "A")
t.ok(until_true(function() return s:status().failed == 0 end), "retry: none counts as failed")
s:resume()
t.ok(until_true(function() return s:status().state == "finished" end), "and it ends")
t.is(s:status().done, 5, "with all trained")
t.fails(function() s:retry() end, "has ended; `netspace resume " .. path .. " --retry`", "too late")
local runs = sweep.open(path)
t.is(#runs:networks "A", 5, "the store has the networks")
t.is(runs:networks("A")[5].w[1], 8, "in order")
local texts = {}
for _, e in ipairs(runs:events()) do texts[#texts + 1] = e.text end
t.ok(table.concat(texts, "\n"):find "4 failed models queued again", "the log tells of it")
runs:close()

s = sweep.start { store = path, name = "C", models = models, quiet = true, workers = 1,
  data = data.open("shapes", { train = 6400, test = 64 }), checkpoint = false,
  recipe = recipe { epochs = 9, batch = 32 } }
controls.send(path, "pause", "C")
t.ok(until_true(function() return s:status().state == "paused" end), "paused")
t.ok(until_true(function()
  local seen <close> = store.open(path)
  return seen:progress().paused and seen:population("C").state == "paused"
    and seen:population("A").state ~= "paused"
end), "the store tells")
controls.send(path, "cancel", "C")
t.ok(until_true(function() return s:status().state == "stopped" end), "cancelled")
sweep.finish()
-- A store that nobody trains in: what failed is queued for the next sweep or resume.
t.fails(function() sweep.retry(path, "D") end, "has no population 'D'", "no such population")
t.is(sweep.retry(path), 0, "nothing has failed")
s = sweep.start { store = path, name = "F", models = models, quiet = true, workers = 1,
  data = data.open("shapes", { train = 640, test = 64 }), memory = "100kB",
  recipe = recipe { epochs = 1, batch = 32 } }
s:pause()
t.fails(function() sweep.retry(path, "F") end, "is being trained by process", "not while it is trained")
s:resume()
s:wait()
t.is(sweep.retry(path, "A"), 0, "of another population")
t.is(sweep.retry(path, "F"), 5, "all of F")
runs = sweep.open(path)
t.is(runs:population("F").queued, 5, "wait in the queue")
t.is(#runs:result("F").errors, 0, "and have no result")
runs:close()
sweep.run { store = path, name = "F", models = models, quiet = true, workers = 1,
  data = data.open("shapes", { train = 640, test = 64 }), recipe = recipe { epochs = 1, batch = 32 } }
t.is(sweep.resume(path, { quiet = true, retry = true })[1].name, "C", "resume: nothing else is open")
s = sweep.start { store = path, name = "G", models = models, quiet = true, workers = 1,
  data = data.open("shapes", { train = 640, test = 64 }), memory = "100kB",
  recipe = recipe { epochs = 1, batch = 32 } }
s:wait()
local r = sweep.resume(path, { quiet = true, retry = true })
t.ok(#r == 1 and r[1].name == "G" and r[1].failed == 5, "resume --retry tries them again")

-- The directories of checkpoints and commands go when they are empty, also while another writes.
-- The function of that name is called once with before() before it.
local function once(of, name, before)
  local f = of[name]
  of[name] = function(...)
    of[name] = f
    before()
    return f(...)
  end
end
local weights, checkpoints = require "netspace.core.weights", require "netspace.sweep.checkpoint"
local n, notes, saved = require("netspace.network.net").new(models[1], { seed = 1 }), {}, 0
local keeper = checkpoints.keeper(n, { m = models[1], recipe = recipe {}, seed = 1,
  checkpoint = { path = dir .. "/check/1-1.safetensors", every = 1 } },
  function(text) notes[#notes + 1] = text end, function() saved = saved + 1 end)
once(weights, "checkpoint", function() assert(uv.fs_rmdir(dir .. "/check")) end)
keeper:save { epoch = 1 }
t.is(saved, 1, "a checkpoint is written where its directory has just been removed")
t.is(table.concat(notes), "", "and nothing is said")
n:close()
local other = dir .. "/other.db"
once(uv, "fs_open", function() assert(uv.fs_rmdir(controls.directory(other))) end)
t.ok(controls.send(other, "cancel", "B"), "so is a command")
t.is(controls.take(other, "B")[1], "cancel", "which is taken")

for _, wish in ipairs { "A", "B" } do controls.take(path, wish) end
t.is(uv.fs_stat(controls.directory(path)), nil, "nothing is left behind")
t.is(requests(), forgotten, "and no request for a file is left in memory")
os.execute(("rm -rf '%s'"):format(dir))
t.done()
