-- The monitor: golden frames (tests/frame/*.txt) composed from fixed snapshots, every size,
-- what a snapshot says of a store, and the command line.  The screen itself is tested by
-- tests/frame/monitor.sh.  NETSPACE_GOLDEN=1 writes the goldens anew: then read the diff.
package.path = "tests/lua/?.lua;" .. package.path
local t = require "tap"
local frame = require "netspace.frame"
local monitor = require "netspace.monitor"

local function golden(name, lines)
  local path, text = "tests/frame/" .. name .. ".txt", table.concat(lines, "\n") .. "\n"
  if os.getenv "NETSPACE_GOLDEN" then
    local f = assert(io.open(path, "w"))
    f:write(text)
    f:close()
  end
  local f = assert(io.open(path))
  t.is(text, f:read "a", "frame " .. name)
  f:close()
end

-- A store with two populations, as the store module shows it.
local function fake_store(change)
  local live = { A = {}, B = {} }
  for i = 1, 16 do
    live.A[i] = { index = i, status = i > 12 and "queued" or "done", attempt = 1, epoch = 10,
      epochs = 10, error = 50 + (i * 7 % 16) / 2, images_per_s = 400 + i, seconds = 30 + i,
      worker = i % 2 + 1, curve = { 60, 55 } }
    live.B[i] = { index = i, status = i > 10 and "queued" or "done", attempt = 1, epoch = 10,
      epochs = 10, error = 46 + (i * 5 % 16) / 3, images_per_s = 300 + i, seconds = 40 + i,
      worker = i % 2 + 1, curve = {} }
    if i > 12 then live.A[i].error, live.B[i].error = nil, nil end
  end
  live.A[4].status, live.A[4].error = "diverged", 100
  live.A[4].reason = "loss is not a number in epoch 3"
  live.A[4].epoch = 3
  for _, i in ipairs { 11, 12 } do
    live.B[i].status, live.B[i].epoch, live.B[i].error = "running", i - 5, 51.5
  end
  live.A[13].error, live.A[13].worker, live.A[13].attempt = nil, nil, 0
  live.A[13].images_per_s, live.A[13].seconds, live.A[13].epoch = nil, nil, 0
  local store = {
    names = function() return { "A", "B" } end,
    population = function(_, name)
      return { name = name == "A" and "AnyNetX_A" or "RegNetX", space = name }
    end,
    live = function(_, name)
      local copy = {}
      for i, model in ipairs(live[name]) do
        copy[i] = {}
        for k, v in pairs(model) do copy[i][k] = v end
      end
      return copy
    end,
    progress = function()
      return { images_per_s = 812.4, eta = 203, updated = 1000, running_main = true }
    end,
  }
  for key, value in pairs(change or {}) do store[key] = value end
  return store
end

local function snapshot(change)
  local s = monitor.snapshot("runs.db", fake_store(change))
  s.now = 1002
  return s
end

local s = snapshot()
t.is(s.state, "running", "state of a store at work")
t.is(("%d %d %d %d %d"):format(s.done, s.failed, s.running, s.queued, s.total), "21 1 2 8 32",
  "counts")
t.is(#s.populations[1].errors, 12, "errors of finished models")
t.is(math.max(table.unpack(s.populations[1].errors)), 100, "a diverged model counts as 100")
t.is(#s.populations[2].provisional, 2, "errors of running models")
t.is(s.models[1].status, "running", "running models come first")
t.is(s.models[3].status, "diverged", "then the failed ones")
t.is(s.models[#s.models].status, "queued", "queued ones last")

local idle = { progress = function() return { updated = 1000, running_main = false } end }
local stopped = snapshot(idle)
t.is(stopped.state, "stopped", "open models and nobody at work")
t.ok(frame.status(stopped):find("stopped, 21/32 done", 1, true), "its status line")
local finished = snapshot { progress = idle.progress, live = function()
  return { { index = 1, status = "done", attempt = 1, epoch = 2, epochs = 2, error = 40 } }
end }
t.is(finished.state, "finished", "no open models")
local waiting = monitor.snapshot("runs.db")
t.is(waiting.state, "waiting", "no store yet")
local unread = monitor.snapshot("runs.db", nil, "runs.db is damaged")
t.is(unread.state, "error", "a store that cannot be read")
t.is(snapshot { names = function() return {} end }.state, "waiting", "a store without sweeps")
t.is(snapshot { live = function() return nil, "it is locked" end }.message, "it is locked",
  "a failing read")

golden("80x24", frame.compose(s, { width = 80, height = 24 }))
golden("80x24-ascii", frame.compose(s, { width = 80, height = 24, ascii = true }))
golden("40x10", frame.compose(s, { width = 40, height = 10 }))
golden("200x60", frame.compose(s, { width = 200, height = 60 }))
golden("models", frame.compose(s, { width = 80, height = 24, ascii = true, view = "models",
  scroll = 2 }))
golden("models-40x10", frame.compose(s, { width = 40, height = 10, ascii = true,
  view = "models" }))
golden("help", frame.compose(s, { width = 80, height = 24, ascii = true, help = true }))
golden("cursor", frame.compose(s, { width = 80, height = 24, ascii = true, cursor = 49.9 }))
golden("cursor-40x10", frame.compose(s, { width = 40, height = 10, ascii = true,
  cursor = 49.9, hidden = { true } }))
golden("frozen", frame.compose(s, { width = 80, height = 24, ascii = true, frozen = true,
  hidden = { [2] = true } }))
golden("waiting", frame.compose(waiting, { width = 80, height = 24, ascii = true }))
golden("stopped", frame.compose(stopped, { width = 80, height = 24, ascii = true }))
golden("damaged-40x10", frame.compose(unread, { width = 40, height = 10, ascii = true }))

-- Strictly below: at 50.5 itself, A's best error, none of A counts.
local at = frame.compose(s, { width = 40, height = 10, ascii = true, cursor = 50.5 })
t.ok(at[10]:find("50.50%: a 0.00 b 0.80 b-a +0.80", 1, true), "the cursor reads F strictly", at[10])

local old = snapshot()
old.now = 1100
t.ok(frame.compose(old, { width = 80, height = 24, ascii = true, colours = 8 })[2]
  :find("31mdata 1m40s old", 1, true), "stale data turns red")
t.ok(table.concat((frame.compose(old, { width = 40, height = 10, ascii = true })))
  :find("1m40s old", 1, true), "and is named on a small screen")

local info = select(3, frame.compose(s, { width = 80, height = 24 }))
t.ok(info.x0 > 46 and info.x0 < 46.6 and info.x1 > 57.5 and info.x1 < 58, "the chart tells its range")

-- Every size: as many lines as asked for, none wider, no error.
local bad
for _, snap in ipairs { s, waiting, stopped, finished, unread } do
  for width = 1, 150, 7 do
    for _, height in ipairs { 1, 2, 3, 4, 5, 7, 9, 10, 15, 16, 20, 23, 60 } do
      for _, view in ipairs { "edf", "models" } do
        for _, help in ipairs { true, false } do
          local lines = frame.compose(snap, { width = width, height = height, ascii = true,
            view = view, help = help, cursor = 50, scroll = 1000 })
          local fits = #lines == height
          for _, line in ipairs(lines) do fits = fits and #line <= width end
          if not fits then bad = ("%d x %d %s"):format(width, height, view) end
        end
      end
    end
  end
end
t.is(bad, nil, "every size fits")

-- Nine populations: eight curves, and the counts still include the ninth.
local many = snapshot { names = function() return { "A", "A", "A", "A", "A", "A", "A", "A", "B" } end }
t.is(many.total, 9 * 16, "nine populations are counted")
t.ok(table.concat((frame.compose(many, { width = 80, height = 40, ascii = true })), "\n")
  :find("\nhhhh h AnyNetX_A", 1, true), "eight have a curve")

t.is(frame.duration(59.4), "59s", "seconds")
t.is(frame.duration(200), "3m20s", "minutes")
t.is(frame.duration(7500), "2h05m", "hours")
t.is(frame.duration(3.2 * 86400), "3d04h", "days")
t.is(frame.duration(-2), "0s", "a clock that went back")

-- The command line; what is wrong goes to stderr, the code says usage.
local stderr = io.stderr
local said = {}
io.stderr = { write = function(_, ...) said[#said + 1] = table.concat { ... } end }
local codes = { monitor.main {}, monitor.main { "a", "b" }, monitor.main { "--onse", "a" },
  monitor.main { "--once", "--json", "a" } }
io.stderr = stderr
t.is(table.concat(codes, " "), "2 2 2 2", "usage errors are 2")
t.ok(said[1]:find "which store%?" and said[2]:find "a and b" and said[3]:find "'%-%-once'%?"
  and said[4]:find "%-%-once and %-%-json exclude", "and say what is wrong")
t.fails(function() monitor(3) end, "expects the path of a store, got number", "no path")
t.fails(function() monitor("x", { mode = "onse" }) end, "none of once, text, json", "no mode")
t.fails(function() monitor("x", { asci = true }) end, "did you mean 'ascii'?", "unknown option")
t.done()
