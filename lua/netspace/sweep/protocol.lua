--- The rules of the lines that workers write: what an event must be, alone and after those before
-- it.  netspace-trainer(5) is the protocol in words.  Whatever takes events in asks here first,
-- so that nothing of a trainer that lies reaches a store.
--
--   local listener = protocol.listener(job)
--   local wrong = listener:hear(event)      --> nil, or what is wrong with it

local json = require "netspace.lib.json"

local M = {
  VERSION = 1,
  LINE_MOST = 1 << 20, -- bytes of a line
}

-- Events that end a job.
local ends = { done = true, diverged = true, failed = true, refused = true, stopped = true,
  parked = true, checked = true, measured = true }

--- Whether an event is the last one of its job.
function M.ends(e) return ends[e.event] or false end

-- A value of an event as short text.
local function shown(v)
  if v == nil then return "missing" end
  local good, text = pcall(json.encode, v)
  text = good and v == v and text or tostring(v)
  return #text > 40 and text:sub(1, 40) .. "…" or text
end

local function finite(x) return type(x) == "number" and x == x and math.abs(x) < math.huge end

-- What values may be: each says nothing, or what it should have been.
local kinds = {
  percent = function(x)
    return not (finite(x) and x >= 0 and x <= 100) and "a number from 0 to 100"
  end,
  number = function(x) return not finite(x) and "a number" end,
  positive = function(x) return not (finite(x) and x >= 0) and "a number of at least 0" end,
  count = function(x)
    return not (math.type(x) == "integer" and x >= 0) and "a whole number of at least 0"
  end,
  share = function(x) return not (finite(x) and x >= 0 and x <= 1) and "a number from 0 to 1" end,
  text = function(x) return type(x) ~= "string" and "a text" end,
}

-- Fields of each event; those with ? may be missing (null is missing).
local fields = {
  hello = { trainer = "text", version = "text", device = "text", kernels = "text", host = "text?",
    pid = "count?", memory = "count?", threads = "count?" },
  begin = { epoch = "count", step = "count", memory = "count?" },
  step = { epoch = "count", part = "share", images_per_s = "positive?" },
  epoch = { epoch = "count", validation_error = "percent", lr = "number?", train_loss = "number?",
    train_error = "percent?", validation_loss = "number?", top5_error = "percent?",
    class_error = "percent?", seconds = "positive?", images_per_s = "positive?" },
  saved = { epoch = "count", step = "count" },
  note = { text = "text" },
  done = { error = "percent", seconds = "positive?" },
  diverged = { reason = "text?", seconds = "positive?" },
  failed = { reason = "text", seconds = "positive?" },
  refused = { reason = "text" },
  parked = { seconds = "positive?" }, stopped = {}, checked = {},
  measured = { images_per_s = "positive?" },
}

-- The same as lists of { key, check, optional }, in the order of their keys.
local checks = {}
for event, of in pairs(fields) do
  local list = {}
  for key, text in pairs(of) do
    local kind, optional = text:match "^(%a+)(%??)$"
    list[#list + 1] = { key, kinds[kind], optional ~= "" }
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  checks[event] = list
end

-- What is wrong with the fields of an event, or nil.
local function wrong_fields(e)
  for _, check in ipairs(checks[e.event]) do
    local key, should, optional = table.unpack(check)
    local value = e[key]
    local text = not (optional and value == nil) and should(value)
    if text then
      return ("its %s event has %s %s, which should be %s"):format(e.event, key, shown(value),
        text)
    end
  end
end

--- An event of a line that begins with "{"; or nil and what is wrong.
function M.decode(line)
  local e = json.decode(line)
  if type(e) == "table" and type(e.event) == "string" then return e end
  return nil, ("it wrote a line that is no event: %s%s"):format(line:sub(1, 60),
    #line > 60 and "…" or "")
end

--- What is wrong with the first event of a worker, or nil.
function M.wrong_hello(e)
  if e.event ~= "hello" then
    return ("its first event is '%s', not a hello"):format(e.event)
  elseif e.protocol ~= M.VERSION then
    return ("it speaks version %s of the protocol, this netspace version %d"):format(
      shown(e.protocol), M.VERSION)
  end
  return wrong_fields(e)
end

local Listener = {}
Listener.__index = Listener

--- Hears the events of one job.
function M.listener(job)
  return setmetatable({ job = job, epochs = 0,
    most = job.recipe and job.recipe.epochs }, Listener)
end

-- Events that answer a job of each kind, beside failed, refused and stopped.
local answers = {
  train = { begin = true, step = true, epoch = true, saved = true, note = true, done = true,
    diverged = true, parked = true },
  check = { checked = true, note = true }, measure = { measured = true },
}
local always = { failed = true, refused = true, stopped = true }

-- What is wrong with an event of a training after those before it, or nil.
function Listener:_order(e)
  if e.event == "begin" then
    if self.begun then return "it began twice" end
    self.begun = true
    if e.epoch > self.most then
      return ("it goes on after epoch %d of %d"):format(e.epoch, self.most)
    end
  elseif e.event == "step" or e.event == "epoch" or e.event == "saved" or e.event == "done" then
    if not self.begun then return ("its %s event comes before begin"):format(e.event) end
    if e.epoch and e.epoch > self.most then
      return ("it told of epoch %d of %d"):format(e.epoch, self.most)
    end
  end
  if e.event == "epoch" then
    if e.epoch ~= self.epochs + 1 then
      return ("it told of epoch %d after epoch %d"):format(e.epoch, self.epochs)
    end
    self.epochs, self.error = e.epoch, e.validation_error
  elseif e.event == "parked" then
    local last = self.job.stop_after
    if self.epochs ~= last then
      return ("it left its model after epoch %d, not %s"):format(self.epochs, shown(last))
    end
  elseif e.event == "done" then
    if self.epochs < self.most then
      return ("it was done after %d of %d epochs"):format(self.epochs, self.most)
    elseif e.error ~= self.error then
      return ("it was done with error %s, and its last epoch had %s"):format(shown(e.error),
        shown(self.error))
    end
  end
end

--- What is wrong with the next event of the job, or nil.
function Listener:hear(e)
  local job = self.job
  if not fields[e.event] or e.event == "hello" then
    return ("it wrote an event that is none: %s"):format(shown(e.event))
  elseif e.model ~= job.model or e.attempt ~= job.attempt then
    return ("it spoke of model %s, attempt %s, and was at work on model %d, attempt %d"):format(
      shown(e.model), shown(e.attempt), job.model, job.attempt)
  elseif not (answers[job.kind][e.event] or always[e.event]) then
    return ("it answered a job of the kind '%s' by '%s'"):format(job.kind, e.event)
  end
  return wrong_fields(e) or job.kind == "train" and self:_order(e) or nil
end

--- What is wrong with an event when no job is at work.
function M.idle(e)
  return ("it wrote an event '%s' without a job"):format(shown(e.event))
end

return M
