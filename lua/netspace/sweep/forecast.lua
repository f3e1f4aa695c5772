--- What a sweep will cost, before it starts: models × epochs × images × multiply-adds against
-- the speed of this machine, with a range; and the price of a model, from which the remaining
-- time is estimated while it runs.
--
-- The price of training on one image is flops + 50 · acts: a multiply-add and the traffic of
-- an activation.  Over AnyNetX and RegNet networks of 3 to 60 MF the time per image is
-- proportional to this with a scatter of 8 to 21 %, and to the flops alone with 9 to 37 %
-- (that acts tell more of the time than flops: arXiv 2003.13678 section 5, figure 12).
--
-- The speed comes from models of the store that this machine, with these kernels, has trained
-- before, or is measured on a few of the models, on as many workers at once as will train.
-- What is remembered are seconds as they passed; what is measured is processor time, which
-- lasts longer while others want the processor too (the load of the machine says how much).

local background = require "netspace.lib.background"
local cards = require "netspace.lib.card"
local core = require "netspace.core.net"
local json = require "netspace.lib.json"
local pool = require "netspace.sweep.pool"
local progress = require "netspace.sweep.progress"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"

local M = {}
local ACT = 50           -- multiply-adds that take as long as the traffic of an activation
local TEST = 1 / 3       -- price of a validation image beside one that is trained on
local SAMPLE = 5         -- models to measure at least
local SECONDS = 0.3      -- for each
local SCATTER = 0.2      -- of the models around their price, at least
local MACHINE = 0.1      -- uncertainty of the machine's own speed
local TRIVIAL = 20       -- seconds not worth a measurement, on a machine that does
local SLOW = 3e9         --   so many units of the price a second
local ASK = 3600         -- seconds that are not begun without asking

--- The price of one training: c the costs of the network (flops, acts), card that of the
-- data.
function M.price(c, card, epochs)
  return (c.flops + ACT * c.acts) * (card.train_n + TEST * cards.compared(card)) * epochs
end

local spans = { s = 1, m = 60, h = 3600, d = 86400 }

--- Seconds of "2h", "1h30m", "90m", "45s", "1d", 7200; nil when it is none of these.
function M.seconds(text)
  if type(text) == "number" then return text > 0 and text < math.huge and text or nil end
  local total, rest = 0, text:gsub("%s", "")
  if rest == "" then return nil end
  while rest ~= "" do
    local n, unit, after = rest:match("^(%d+%.?%d*)([smhd])(.*)$")
    if not n then return nil end
    total, rest = total + tonumber(n) * spans[unit], after
  end
  return total > 0 and total or nil
end

-- Speed ------------------------------------------------------------------------------------

-- Seconds per unit of price of models that this machine has trained before, the latest first.
local function remembered(ledger)
  local engine, list = sys.engine(), {}
  for _, row in ipairs(ledger:trained(uv.os_gethostname(), engine.engine, engine.isa)) do
    local card, recipe = json.decode(row.card), json.decode(row.recipe)
    if card and cards.compared(card) and recipe and row.seconds > 0 then
      list[#list + 1] = row.seconds / M.price(row, card, recipe.epochs)
    end
  end
  return list
end

-- The same measured on a few of the models, spread over their prices, on all workers.
local function measured(request, todo)
  local sorted = table.move(todo, 1, #todo, 1, {})
  local function price(i) return M.price(request.costs[i], request.card, 1) end
  table.sort(sorted, function(a, b) return price(a) < price(b) end)
  local n = math.min(#todo, math.max(SAMPLE, request.workers))
  local jobs, needs, list, open = {}, {}, {}, n
  for k = 1, n do
    local i = sorted[math.ceil((k - 0.5) * #sorted / n)]
    jobs[k] = { kind = "measure", model = i, attempt = 1, m = request.models[i], seconds = SECONDS,
      batch = request.recipe.batch, step_flops = 6 * request.costs[i].flops * request.recipe.batch }
  end
  local client = { limit = request.workers, patience = 120 }
  function client:_waiting() return self.ended and 0 or #jobs end
  function client:_need()
    local job = jobs[#jobs]
    needs[job] = needs[job] or core.need(job.m, request.recipe.batch)
    return needs[job]
  end
  function client:_held() end
  function client:_next() return table.remove(jobs) end
  function client:_event(job, e)
    if not e.ended then return end
    open = open - 1
    if e.images_per_s then
      local c = request.costs[job.model]
      list[#list + 1] = 1 / (e.images_per_s * (c.flops + ACT * c.acts))
    end
  end
  function client:_lost() open = open - 1 end
  function client:_ready() end
  function client:_settle() end
  function client:_broken() self.ended = true end
  pool.add(client)
  if not request.quiet then
    progress.moment(("%s: measuring the speed of %d models"):format(request.name, n))
  end
  while open > 0 and not client.ended and not sys.interrupted() do uv.run("once") end
  client.ended = true
  pool.remove(client)
  progress.clear()
  if sys.interrupted() then error("interrupted", 0) end
  return list
end

-- Mean of the measured speeds, and the factor by which the truth may lie off (two standard
-- errors, and twice the uncertainty of the machine).
local function spread(list)
  local sum, logs = 0, 0
  for _, r in ipairs(list) do sum, logs = sum + r, logs + math.log(r) end
  local mean, squares = logs / #list, 0
  for _, r in ipairs(list) do squares = squares + (math.log(r) - mean) ^ 2 end
  local scatter = math.max(SCATTER, #list > 1 and math.sqrt(squares / (#list - 1)) or 0)
  return sum / #list, math.exp(2 * math.sqrt(scatter ^ 2 / #list + MACHINE ^ 2))
end

-- Time -------------------------------------------------------------------------------------

-- Until all are done, each worker taking the next in order.
local function makespan(prices, workers)
  local free = {}
  for w = 1, math.min(workers, #prices) do free[w] = 0 end
  local last = 0
  for _, p in ipairs(prices) do
    local soonest = 1
    for w = 2, #free do
      if free[w] < free[soonest] then soonest = w end
    end
    free[soonest] = free[soonest] + p
    last = math.max(last, free[soonest])
  end
  return last
end

local Forecast = { __name = "forecast" }

--- The forecast of a request (request.lua), of which the models with the indices `todo` are open.
-- @treturn table models, epochs, images, flops (of all training, forward and backward),
-- workers, seconds, low, high, rate (seconds per unit of price); the last four are missing
-- when nothing could be measured, or it is not worth it
-- others: the sweeps at work, if any: how many (n), seconds they still take, rate
function M.make(ledger, request, todo, others)
  local f = { name = request.name, models = #todo, epochs = request.recipe.epochs,
    images = request.card.train_n, workers = math.min(request.workers, math.max(1, #todo)),
    flops = 0 }
  local prices, total = {}, 0
  for k, i in ipairs(todo) do
    local c = request.costs[i]
    prices[k] = M.price(c, request.card, f.epochs)
    total = total + prices[k]
    f.flops = f.flops + c.flops * (3 * f.images + cards.compared(request.card)) * f.epochs
  end
  setmetatable(f, Forecast)
  if total == 0 or not request.budget and total / SLOW / f.workers < TRIVIAL then return f end
  local list, undisturbed = ledger and remembered(ledger) or {}, false
  f.source = units.count(#list, "model") .. " trained here before"
  if #list < SAMPLE and not others then
    list = measured(request, todo)
    f.source, undisturbed = ("%d models measured now"):format(#list), true
  end
  if #list == 0 and others then
    list, f.source = { others.rate }, "the sweeps at work"
  end
  if #list == 0 then return f end
  local factor
  f.rate, factor = spread(list)
  f.seconds = makespan(prices, request.workers) * f.rate
  if others and others.seconds then
    f.others, f.together = others.n, f.seconds + others.seconds
  end
  f.load = math.max(0, uv.loadavg() - pool.load())
  local busy = (f.load + f.workers) / sys.cores() -- as long as others want the processor, too
  if busy <= 1.5 then f.load, busy = nil, 1 end
  f.low, f.high = f.seconds / factor, f.seconds * factor * busy
  if undisturbed then f.seconds, f.rate = f.seconds * busy, f.rate * busy end
  return f
end

function Forecast:__tostring()
  if self.models == 0 then return self.name .. ": nothing is left to train" end
  local text = ("%s: %s × %s × %s, %s multiply-adds"):format(self.name,
    units.count(self.models, "model"), units.count(self.epochs, "epoch"),
    units.count(self.images, "image"), units.short(self.flops))
  if not self.seconds then return text end
  text = text .. ("; about %s on %s (%s to %s, from %s%s)"):format(
    units.duration(self.seconds), units.count(self.workers, "worker"),
    units.duration(self.low), units.duration(self.high), self.source,
    self.load and ("; the machine is busy, load %.1f"):format(self.load) or "")
  return not self.together and text or ("%s; with %s at work %s"):format(text,
    self.others == 1 and "the sweep" or ("the %d sweeps"):format(self.others),
    units.duration(self.together))
end

-- Asking -----------------------------------------------------------------------------------

-- A line from the terminal; nil at its end or after Ctrl-C.  Sweeps at work go on.
local function read_line()
  -- polling makes a descriptor non-blocking for all who share it: one of our own
  local terminal = uv.fs_open("/proc/self/fd/0", "r", 0)
  if not terminal then return nil end
  local poll, text = uv.new_poll(terminal), nil
  poll:start("r", function()
    text = uv.fs_read(terminal, 256) or ""
    uv.stop()
  end)
  while not text and not sys.interrupted() do uv.run("once") end
  poll:close()
  uv.fs_close(terminal)
  return text ~= "" and text or nil
end

--- Whether the user agrees to start: asked on a terminal, when it takes more than an hour
-- (or what the budget leaves of it does).
function M.agreed(request)
  local f = request.forecast
  local seconds = f and f.seconds and math.min(f.seconds, request.budget or math.huge) or 0
  if seconds < ASK or request.yes or sys.yes() then return true end
  if not (sys.isatty(0) and sys.isatty(2)) then return true end
  io.stderr:write(("%s will take about %s.  Start? [y/N] "):format(request.name,
    units.duration(seconds)))
  local answer = background.asking(read_line)
  if sys.interrupted() then error("interrupted", 0) end
  return answer ~= nil and answer:find("^%s*[yY]") ~= nil
end

return M
