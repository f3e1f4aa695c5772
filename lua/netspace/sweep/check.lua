--- `netspace trainer check COMMAND`: a trainer is taken through jobs good and bad, and what it gets
-- wrong of the protocol (netspace-trainer(5)) is said.  The rules themselves are protocol.lua.
--
-- Each trial starts the trainer anew, so that one that hangs or dies spoils no other.

local arch = require "netspace.network.arch"
local data = require "netspace.data.data"
local directories = require "netspace.lib.directory"
local json = require "netspace.lib.json"
local places = require "netspace.sweep.places"
local process = require "netspace.sweep.process"
local protocol = require "netspace.sweep.protocol"
local recipe = require "netspace.network.recipe"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"

local M = {}
local HELLO = 120           -- seconds until its hello
local STOP, PIPE = 60, 30   -- seconds to its end from SIGTERM, and from a broken pipe
local EPOCHS, LONG = 2, 30  -- of short jobs, and of those that are interrupted
local WILD = 1000           -- a learning rate with which every network diverges

-- What is wrong travels from deep inside as this.
local Wrong = {}
local function wrong(...) error(setmetatable({ text = (...):format(select(2, ...)) }, Wrong), 0) end

-- A trainer at work ---------------------------------------------------------------------------

local Session = {}
Session.__index = Session

-- Runs the event loop until done() is true, for so many seconds at most; whether it was.
local function wait(seconds, done)
  local finish, timer = sys.now() + seconds, uv.new_timer()
  timer:start(50, 50, function() end)
  while not done() and sys.now() < finish and not sys.interrupted() do uv.run "once" end
  timer:close()
  uv.run "nowait"
  if sys.interrupted() then error("interrupted", 0) end
  return done()
end

-- The next event; raises when none comes.
function Session:next(seconds, what)
  wait(seconds, function() return self.events[1] or self.ended end)
  local e = table.remove(self.events, 1)
  if e then return e end
  if not self.ended then wrong("it said nothing for %.0f seconds %s", seconds, what) end
  local fate = self.w:fate()
  wrong("%s %s%s", fate.why, what, fate.log and ":\n" .. fate.log or "")
end

-- Starts the trainer of a trial t and hears its hello.
local function start(t)
  local s = setmetatable({ events = {}, patience = t.patience }, Session)
  local why
  s.w, why = process.start(t.place, 1, {
    event = function(_, e) s.events[#s.events + 1] = e end,
    ended = function() s.ended = true end, settled = function() end,
    callback = function(f) return f end })
  if not s.w then wrong("it cannot be started: %s", why) end
  t.session = s
  s.hello = s:next(HELLO, "before its hello")
  local fault = protocol.wrong_hello(s.hello)
  if fault then wrong("%s", fault) end
  return s
end

-- Events of a job, until its end, or until when(e) is true: the last one, and all.
function Session:hear(job, when)
  local list = {}
  self.listener = self.listener or protocol.listener(job)
  repeat
    local e = self:next(self.patience, "at work on a job")
    local fault = self.listener:hear(e)
    if fault then wrong("%s", fault) end
    list[#list + 1] = e
    local last = protocol.ends(e)
    if last then self.listener = nil end
  until last or when and when(e)
  return list[#list], list
end

-- Gives it a job, and hears what comes of it.
function Session:run(job, when)
  self.w:tell(job)
  return self:hear(job, when)
end

local function expect(e, event, job_text)
  if e.event == event then return end
  wrong("%s is answered by '%s'%s, and not by '%s'", job_text, e.event,
    e.reason and (" (%s)"):format(e.reason) or "", event)
end

-- The trainer ends within so many seconds.
function Session:ends(seconds, when)
  if not wait(seconds, function() return self.ended end) then
    wrong("it is still there %.0f seconds %s", seconds, when)
  end
end

-- Jobs ---------------------------------------------------------------------------------------

local function job_of(t, o)
  local set = t.set
  local card = set:card()
  local m = arch._final(arch.anynet { d = { 1, 1 }, w = { 8, 32 }, g = 8, stride = { 1, 2 },
    stem_width = 8, image = card.image, classes = card.classes, channels = card.channels })
  t.jobs = (t.jobs or 0) + 1
  return { kind = "train", model = t.jobs, attempt = o.attempt or 1, seed = 7, m = m,
    recipe = recipe { epochs = o.epochs or EPOCHS, batch = 32, lr = o.lr or 0.05, warmup = 0 },
    source = data._source(set), checksum = o.checksum or set:checksum(),
    step_flops = 6 * arch.complexity(m).flops * 32, checkpoint = o.checkpoint }
end

-- The epochs of a list of events as text.
local function epochs_of(list)
  local lines = {}
  for _, e in ipairs(list) do
    if e.event == "epoch" then
      lines[#lines + 1] = json.encode { e.epoch, e.train_loss or false, e.validation_error }
    end
  end
  return lines
end

-- Trials ---------------------------------------------------------------------------------------

local trials = {}
local function trial(name, f) trials[#trials + 1] = { name = name, f = f } end

trial("a training", function(t)
  local s = start(t)
  local e, list = s:run(job_of(t, {}))
  expect(e, "done", "a training")
  local again
  e, again = s:run(job_of(t, { attempt = 2 }))
  expect(e, "done", "a second training")
  local same = table.concat(epochs_of(list)) == table.concat(epochs_of(again))
  return ("%s %s on %s (%s)%s"):format(s.hello.trainer, s.hello.version, s.hello.device,
    s.hello.kernels, same and "" or "; the same seed gave other results")
end)

trial("a loss that runs away", function(t)
  expect(start(t):run(job_of(t, { lr = WILD })), "diverged", ("a learning rate of %d"):format(WILD))
end)

trial("images with another checksum", function(t)
  local s = start(t)
  expect(s:run(job_of(t, { checksum = "0123456789abcdef" })), "refused", "a wrong checksum")
  expect(s:run(job_of(t, {})), "done", "the training after it")
end)

trial("are the images there?", function(t)
  local s, job = start(t), job_of(t, {})
  local ask = { kind = "check", model = 0, attempt = 1, source = job.source,
    checksum = job.checksum }
  expect(s:run(ask), "checked", "a check")
  ask.checksum = "0123456789abcdef"
  expect(s:run(ask), "refused", "a check with a wrong checksum")
end)

trial("a job of another kind", function(t)
  local s, job = start(t), job_of(t, {})
  s.listener = protocol.listener(job)
  expect(s:run { kind = "dance", model = job.model, attempt = 1 }, "failed", "an unknown kind")
  expect(s:run(job_of(t, {})), "done", "the training after it")
end)

trial("the next job while one is at work", function(t)
  local s, first, second = start(t), job_of(t, {}), job_of(t, {})
  s.w:tell(first)
  s.w:tell(second)
  expect(s:hear(first), "done", "the first of two jobs")
  expect(s:hear(second), "done", "the second of two jobs")
end)

trial("the end of its input", function(t)
  local s, job = start(t), job_of(t, {})
  s.w:tell(job)
  s.w:close()
  expect(s:hear(job), "done", "a job before the end of the input")
  s:ends(STOP, "after the end of its input")
end)

trial("SIGTERM without a job", function(t)
  local s = start(t)
  s.w:send_signal "sigterm"
  s:ends(STOP, "after SIGTERM")
end)

-- Stops a long training after its first epoch by stop(s), and lets another process go on: it is to
-- take up the checkpoint, and to end as if nothing had been.
local function interrupted(t, stop)
  local path = t.directory .. "/" .. #trials .. t.jobs .. ".safetensors"
  local o = { epochs = LONG, checkpoint = { path = path } }
  local s, job = start(t), job_of(t, o)
  local _, before = s:run(job, function(e) return e.event == "epoch" end)
  stop(s, job)
  if not uv.fs_stat(path) then wrong "it has written no checkpoint" end
  local other = start(t)
  o.attempt = 2
  local e, after = other:run(job_of(t, o))
  expect(e, "done", "the training that was interrupted")
  for _, begun in ipairs(after) do
    if begun.event == "begin" then
      if begun.epoch == 0 and begun.step == 0 then wrong "it does not go on from its checkpoint" end
      break
    end
  end
  if epochs_of(before)[1] ~= epochs_of(after)[1] then
    wrong("the first epoch was %s, and is told as %s after the checkpoint", epochs_of(before)[1],
      epochs_of(after)[1])
  end
end

local function stopped(s, job, when)
  local last = s:hear(job)
  if last.event == "done" then wrong("it trains on to the end %s", when) end
  expect(last, "stopped", "being told to stop")
  s:ends(STOP, when)
end

trial("SIGTERM, and from the checkpoint on", function(t)
  interrupted(t, function(s, job)
    s.w:send_signal "sigterm"
    stopped(s, job, "after SIGTERM")
  end)
end)

trial("stop, as over ssh", function(t)
  interrupted(t, function(s, job)
    s.w:tell { kind = "stop" }
    stopped(s, job, "after stop")
  end)
end)

trial("an output that nobody reads", function(t)
  interrupted(t, function(s)
    s.w:deafen()
    s:ends(PIPE, "after its output was closed")
  end)
end)

-- Running them ----------------------------------------------------------------------------------

--- Takes a trainer through all trials.
-- @tparam table o place (places.make), set (a dataset), patience (seconds), say(name, wrong, note)
-- @treturn integer how many it got wrong
function M.check(o)
  local count = 0
  local t = { place = o.place, set = o.set, patience = o.patience }
  t.directory = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/netspace-trial-XXXXXX"))
  for _, one in ipairs(trials) do
    local good, result = pcall(one.f, t)
    if t.session and not t.session.ended then
      t.session.w:kill()
      wait(STOP, function() return t.session.ended end)
    end
    t.session = nil
    if not good and getmetatable(result) ~= Wrong then error(result, 0) end
    count = count + (good and 0 or 1)
    o.say(one.name, not good and result.text or nil, good and result or nil)
  end
  for name in directories.each(t.directory) do uv.fs_unlink(t.directory .. "/" .. name) end
  uv.fs_rmdir(t.directory)
  return count
end

local USAGE = "trainer check [--data SPEC] [--patience SECONDS] COMMAND [ARG]..."

--- The command line `netspace trainer check …`.
-- @treturn integer exit status
function M.main(args)
  local spec, patience, i = "shapes", HELLO, 2
  while args[i] == "--data" or args[i] == "--patience" do
    if args[i] == "--data" then spec = args[i + 1] else patience = tonumber(args[i + 1]) end
    i = i + 2
  end
  if args[i] == "--" then i = i + 1 end
  if args[1] ~= "check" or not args[i] or args[i]:sub(1, 1) == "-" or not spec
    or not (patience and patience > 0) then
    io.stderr:write("usage: netspace ", USAGE, "\n")
    return 2
  end
  local set, why = data.open(spec, { train = 512, validation = 64, test = 64 })
  if not set then
    io.stderr:write("netspace: ", why, "\n")
    return 1
  end
  local words = { table.unpack(args, i) }
  local list = places.make("trainer check", 1, { command = #words == 1 and words[1] or words })
  local n = M.check { place = list[1].place, set = set, patience = patience,
    say = function(name, fault, note)
      print(("%-6s %s%s"):format(fault and "wrong" or "ok", name, fault and ": " .. fault
        or note and ": " .. note or ""))
    end }
  print(n == 0 and "it keeps to the protocol"
    or ("%s of %d wrong; netspace-trainer(5) has the protocol"):format(units.count(n, "trial"),
    #trials))
  return n == 0 and 0 or 1
end

return M
