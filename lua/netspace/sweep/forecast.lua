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
-- before; or, where the times of layers were measured once (arch.times), from them; or is
-- measured on a few of the models, on as many workers at once as will train.
-- What is remembered are seconds as they passed; what is told or measured is processor time, which
-- lasts longer while others want the processor too (the load of the machine says how much).

local cards = require "netspace.lib.card"
local core = require "netspace.core.net"
local json = require "netspace.lib.json"
local places = require "netspace.sweep.places"
local pool = require "netspace.sweep.pool"
local progress = require "netspace.sweep.progress"
local question = require "netspace.lib.question"
local sys = require "netspace.core.sys"
local times = require "netspace.network.times"
local units = require "netspace.lib.units"
local uv = require "luv"
local worker = require "netspace.sweep.worker"

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
local MOST = 1000        -- models of which it is known beforehand what memory they need (2 ms each)

--- The price of so many epochs of a recipe: c the costs of the network (flops, acts), card that
-- of the data.
function M.price(c, card, epochs, recipe)
  local forward = cards.compared(card) + math.min(recipe.precise_bn or 0, card.train_n)
  return (c.flops + ACT * c.acts) * (card.train_n + TEST * forward) * epochs
end

local spans = { s = 1, m = 60, h = 3600, d = 86400 }

--- Seconds of "2h", "1h30m", "90m", "45s", "1d", 7200 or "7200"; nil when it is none of these.
function M.seconds(text)
  if type(text) == "string" and text:find "^%s*%d+%.?%d*%s*$" then text = tonumber(text) end
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
  local list = {}
  for _, row in ipairs(ledger:trained(worker.hello())) do
    local card, recipe = json.decode(row.card), json.decode(row.recipe)
    if card and cards.compared(card) and recipe and row.seconds > 0 then
      list[#list + 1] = row.seconds / M.price(row, card, recipe.epochs, recipe)
    end
  end
  return list
end

-- The same measured on a few of the models, spread over their prices, on all workers of this
-- machine (own: the part of its places).
local function measured(request, todo, own)
  local sorted = table.move(todo, 1, #todo, 1, {})
  local function price(i) return M.price(request.costs[i], request.card, 1, request.recipe) end
  table.sort(sorted, function(a, b) return price(a) < price(b) end)
  local n = math.min(#todo, math.max(SAMPLE, own.slots))
  local jobs, needs, list, open = {}, {}, {}, n
  for k = 1, n do
    local i = sorted[math.ceil((k - 0.5) * #sorted / n)]
    jobs[k] = { kind = "measure", model = i, attempt = 1, m = request.models[i], seconds = SECONDS,
      batch = request.recipe.batch, step_flops = 6 * request.costs[i].flops * request.recipe.batch }
  end
  local client = { patience = 120,
    places = { { place = own.place, slots = own.slots, state = "good" } } }
  function client:_waiting() return self.ended and 0 or #jobs end
  function client:_need()
    local job = jobs[#jobs]
    needs[job] = needs[job] or core.need(job.m, request.recipe)
    return needs[job]
  end
  function client:_price() return 0 end
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
  client._unreachable = client._broken
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

-- Seconds of each open model by the times of layers, or nil where they say nothing of them.
local function told(request, todo)
  local table_, recipe, card = times.present(1), request.recipe, request.card
  local batch = math.min(recipe.batch, card.train_n)
  if not table_ or not pcall(times.check, batch, request.models[todo[1]].image) then return nil end
  local forward = cards.compared(card) + math.min(recipe.precise_bn or 0, card.train_n)
  local list = {}
  for k, i in ipairs(todo) do
    local how = { batch = batch, table = table_.id }
    local train = times.seconds(request.models[i], how)
    how.training = false
    local test = times.seconds(request.models[i], how)
    list[k] = (train * card.train_n + test * forward) * recipe.epochs
  end
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

-- Memory -----------------------------------------------------------------------------------

--- Of the open models those that need more than the sweep's limit of memory and will fail: n, of
-- how many, the most that one needs, the limit; nil for none.  Of very many the first are looked
-- at.
local function beyond(request, todo)
  local limit = request.settings and request.settings.memory
  if not limit then return nil end
  local over = { n = 0, of = math.min(#todo, MOST), most = 0, limit = limit }
  for k = 1, over.of do
    local m = request.models[todo[k]]
    local need = core.need(m, request.recipe)
    if need > limit then over.n, over.most = over.n + 1, math.max(over.most, need) end
  end
  return over.n > 0 and over or nil
end

-- Time -------------------------------------------------------------------------------------

-- Until all are done, each worker taking the next in order; and how many of the first are done by
-- `finish`, where none begins that would not be.  spreads: the last ones get the idle cores.
local function makespan(prices, workers, finish, spreads)
  local free = {}
  for w = 1, math.min(workers, #prices) do free[w] = 0 end
  local last, fit, all = 0, 0, 0
  for k, p in ipairs(prices) do
    local soonest = 1
    for w = 2, #free do
      if free[w] < free[soonest] then soonest = w end
    end
    free[soonest] = free[soonest] + p
    last, all = math.max(last, free[soonest]), all + p
    if fit == k - 1 and last <= (finish or math.huge) then fit = k end
  end
  return spreads and all / workers or last, fit
end

local Forecast = { __name = "forecast" }

--- The forecast of a request (request.lua), of which the models with the indices `todo` are open.
-- @treturn table models, epochs, images, flops (of all training, forward and backward),
-- workers, seconds, low, high, rate (seconds per unit of price); the last four are missing
-- when nothing could be measured, or it is not worth it
-- others: the sweeps at work, if any: how many (n), seconds they still take, rate
function M.make(ledger, request, todo, others)
  local f = { name = request.name, models = #todo, epochs = request.recipe.epochs,
    images = request.card.train_n, flops = 0,
    workers = math.min(request.workers, math.max(1, #todo)),
    spreads = places.spreads(request.places, request.workers) }
  if f.spreads then f.workers = request.workers end
  local prices, total, early = {}, 0, request.settings and request.settings.early
  for k, i in ipairs(todo) do
    local c = request.costs[i]
    local epochs = early and i > early.full and early.epochs or f.epochs
    if epochs < f.epochs then
      f.early = { n = (f.early and f.early.n or 0) + 1, epochs = epochs }
    end
    prices[k] = M.price(c, request.card, epochs, request.recipe)
    total = total + prices[k]
    f.flops = f.flops + c.flops * (3 * f.images + cards.compared(request.card)) * epochs
  end
  f.over, f.prices = beyond(request, todo), prices
  f.budget, f.asked = request.budget, request.asked or request.budget
  setmetatable(f, Forecast)
  if total == 0 or not request.budget and total / SLOW / f.workers < TRIVIAL then return f end
  local own = #request.places == 1 and places.own(request.places) -- others' speed is not known
  local list, undisturbed = own and ledger and remembered(ledger) or {}, false
  f.source = units.count(#list, "model") .. " trained here before"
  local seconds = #list < SAMPLE and not others and own and told(request, todo)
  if seconds then -- prices in the units of before, in proportion to the seconds
    local sum = 0
    for _, s in ipairs(seconds) do sum = sum + s end
    for k, s in ipairs(seconds) do
      local full = request.recipe.epochs -- those of all but the ones that end early
      local share = early and todo[k] > early.full and early.epochs / full or 1
      prices[k], list[k] = s * share * total / sum, sum / total
    end
    f.source, undisturbed = "the times of layers", true
  elseif #list < SAMPLE and not others and own then
    list = measured(request, todo, own)
    f.source, undisturbed = ("%d models measured now"):format(#list), true
  end
  if #list == 0 and others then
    list, f.source = { others.rate }, "the sweeps at work"
  end
  if #list == 0 then return f end
  local factor
  f.rate, factor = spread(list)
  f.seconds = makespan(prices, request.workers, nil, f.spreads) * f.rate
  if others and others.seconds then
    f.others, f.together = others.n, f.seconds + others.seconds
  end
  f.load = math.max(0, uv.loadavg() - pool.load())
  local busy = (f.load + f.workers) / sys.cores() -- as long as others want the processor, too
  if busy <= 1.5 then f.load, busy = nil, 1 end
  f.low, f.high = f.seconds / factor, f.seconds * factor * busy
  if undisturbed then f.seconds, f.rate = f.seconds * busy, f.rate * busy end
  if f.budget then f.fit = select(2, makespan(prices, request.workers, f.budget / f.rate)) end
  return f
end

-- "; 2 of 8 need more than 40 MB (up to 78.6 MB) and will fail: raise memory=", or "".
local function shortage(over)
  if not over then return "" end
  return ("; %d of %s%s more than %s (up to %s) and will fail: raise memory="):format(over.n,
    over.of == MOST and "the first " or "", over.of .. (over.n == 1 and " needs" or " need"),
    units.bytes(over.limit), units.bytes(over.most))
end

-- "; about 20 of 40 by 13:07, when the budget of 2h00m is spent", or "" where all are done by then.
local function fitting(fit, budget, asked)
  if not fit then return "" end
  return ("; %s by %s, when the budget of %s is spent"):format(fit,
    os.date("%H:%M", os.time() + math.floor(budget)), units.limit(asked))
end

-- "about 5m00s on 2 workers (4m00s to 6m00s, from …)".
local function time(t)
  return ("about %s on %s (%s to %s, from %s%s)"):format(units.duration(t.seconds),
    units.count(t.workers, "worker"), units.duration(t.low), units.duration(t.high), t.source,
    t.load and ("; the machine is busy, load %.1f"):format(t.load) or "")
end

function Forecast:__tostring()
  if self.models == 0 then return self.name .. ": nothing is left to train" end
  local text = ("%s: %s × %s%s × %s, %s multiply-adds"):format(self.name,
    units.count(self.models, "model"), units.count(self.epochs, "epoch"), self.early
    and (" (%d of them %s)"):format(self.early.n, units.count(self.early.epochs, "epoch")) or "",
    units.count(self.images, "image"), units.short(self.flops))
  if not self.seconds then return text .. shortage(self.over) end
  text = ("%s; %s"):format(text, time(self))
  if self.together then
    text = ("%s; with %s at work %s"):format(text,
      self.others == 1 and "the sweep" or ("the %d sweeps"):format(self.others),
      units.duration(self.together))
  end
  local fit = self.fit and self.fit < self.models
    and ("about %d of %d"):format(self.fit, self.models)
  return text .. fitting(fit, self.budget, self.asked) .. shortage(self.over)
end

-- Prices of several sweeps in the order in which their models begin: the first of each, then the
-- second, …; and to which each belongs.
local function in_turn(list)
  local prices, whose = {}, {}
  for k = 1, math.huge do
    local before = #prices
    for i, f in ipairs(list) do
      if f.prices[k] then
        prices[#prices + 1] = f.prices[k]
        whose[#prices] = i
      end
    end
    if #prices == before then return prices, whose end
  end
end

-- "about 20 of 40 of each", or of all together.
local function shares(list, whose, fit)
  local counts, alike = {}, true
  for i = 1, #list do counts[i] = 0 end
  for k = 1, fit do counts[whose[k]] = counts[whose[k]] + 1 end
  for i, f in ipairs(list) do
    alike = alike and f.models == list[1].models and math.abs(counts[i] - counts[1]) <= 1
  end
  return alike and ("about %d of %d of each"):format(counts[1], list[1].models)
    or ("about %d of %d"):format(fit, #whose)
end

--- One line for the forecasts of sweeps that are trained together, within the `budget` seconds that
-- are left of those `asked` for, where there is a budget; nil where there is nothing to say.
function M.together(list, budget, asked)
  local open, flops, timed, over = {}, 0, nil, nil
  for _, f in ipairs(list) do
    if f.models > 0 then open[#open + 1], flops = f, flops + f.flops end
    if f.rate then timed = timed or f end
    if f.over then
      over = over or { n = 0, of = 0, most = 0, limit = f.over.limit }
      over.n, over.of = over.n + f.over.n, math.min(over.of + f.models, MOST)
      over.most = math.max(over.most, f.over.most)
      over.limit = math.min(over.limit, f.over.limit)
    end
  end
  if #open == 0 or not (timed or over) then return nil end
  local prices, whose = in_turn(open)
  local text = ("%d sweeps: %s, %s multiply-adds"):format(#open, units.count(#prices, "model"),
    units.short(flops))
  if timed then
    local workers = 1
    for _, f in ipairs(open) do workers = math.max(workers, f.workers) end
    local all, fit = makespan(prices, workers, budget and budget / timed.rate, timed.spreads)
    all = all * timed.rate
    text = ("%s; %s"):format(text, time { seconds = all, workers = workers, source = timed.source,
      low = all * timed.low / timed.seconds, high = all * timed.high / timed.seconds,
      load = timed.load })
    text = text .. fitting(budget and fit < #prices and shares(open, whose, fit), budget, asked)
  end
  return text .. shortage(over)
end

-- Asking -----------------------------------------------------------------------------------

--- Whether the user agrees to start: asked on a terminal, when it takes more than an hour
-- (or what the budget leaves of it does).
function M.agreed(request)
  local f = request.forecast
  local seconds = f and f.seconds and math.min(f.seconds, request.budget or math.huge) or 0
  if seconds < ASK or request.yes then return true end
  return question.agreed(("%s will take about %s.  Start? "):format(request.name,
    units.duration(seconds)))
end

return M
