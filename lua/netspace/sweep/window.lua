--- How large networks may be for a sweep to take a given time: a window of flops for S:sample,
-- from the size of the data set and the speed of this machine.
--
-- The price of training on an image is that of forecast.lua, flops + 50 · acts.  Of networks
-- drawn from the space, for the data and without a window, ln price is a line over ln flops
-- (least squares), which is read backwards: the flops that cost what the time allows a network.
-- The speed is measured on a few networks around the middle of the space.

local benchmark = require "netspace.core.benchmark"
local blame = require "netspace.lib.blame"
local forecasts = require "netspace.sweep.forecast"
local ledgers = require "netspace.store.ledger"
local members = require "netspace.lib.members"
local requests = require "netspace.sweep.request"
local sizes = require "netspace.space.sizes"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"

local M = {}

local DRAWN = 200     -- networks of the line
local TIMED = 5       -- of these, to measure
local SECONDS = 0.3   -- each
local RARE = 0.02     -- of the networks of a space: none are looked for beyond them
local WIDE = 2 ^ 0.5  -- the window is from the flops / WIDE to the flops · WIDE
local fail = ledgers.fail

local Window = { __name = "window" }

function Window:__tostring()
  return ("flops %s to %s: %s of %s × %s × %s in about %s on %s%s"):format(
    units.short(self.flops[1]), units.short(self.flops[2]), units.count(self.models, "network"),
    self.space, units.count(self.epochs, "epoch"), units.count(self.images, "image"),
    units.duration(self.seconds), units.count(self.workers, "worker"),
    self.note and "; " .. self.note or "")
end

-- Least squares of ln y over ln x: y = exp(a + b · ln x).
local function line(xs, ys)
  local n, sx, sy, sxx, sxy = #xs, 0, 0, 0, 0
  for i = 1, n do
    local x, y = math.log(xs[i]), math.log(ys[i])
    sx, sy, sxx, sxy = sx + x, sy + y, sxx + x * x, sxy + x * y
  end
  local b = (n * sxy - sx * sy) / (n * sxx - sx * sx)
  return (sy - b * sx) / n, b
end

-- Seconds per unit of price, on networks in the middle of the sorted list.
local function rate(list, batch)
  local sum, n = 0, math.min(TIMED, #list)
  for k = 1, n do
    local x = list[math.ceil(#list * (0.25 + 0.5 * (k - 0.5) / n))]
    local b <close> = benchmark.new(x.m, batch)
    sum = sum + 1 / b:run(true, SECONDS).images_per_s / forecasts.price(x.cost,
      { train_n = 1, test_n = 0 }, 1, {})
  end
  return sum / n
end

-- Two significant digits.
local function round(x)
  local digit = 10.0 ^ (math.floor(math.log(x, 10)) - 1)
  return math.floor(x / digit + 0.5) * digit
end

--- The window of checked options.
function M.make(S, o)
  if members.kind(S) ~= "space" then
    fail(("sweep.window expects a space, got %s"):format(members.kind(S) or type(S)))
  end
  for _, key in ipairs { "data", "time" } do
    if o[key] == nil then fail(("sweep.window needs %s="):format(key)) end
  end
  local seconds = forecasts.seconds(o.time)
  if not seconds then
    fail(("sweep.window: time is '%s'; it must be a time, such as \"10m\", \"1h30m\" or 7200 "
      .. "(seconds)"):format(o.time))
  end
  local models = math.tointeger(o.models or 16)
  if models < 1 then fail(("sweep.window: models is %d; it must be at least 1"):format(models)) end
  local _, workers = requests.places("sweep.window", o.workers, {})
  local recipes = require "netspace.network.recipe"
  local good, recipe = pcall(recipes._complete, "sweep.window: recipe", o.recipe, 1, recipes.quick)
  if not good then fail(blame.bare(recipe)) end
  local card = sizes.card("sweep.window", o.data)
  local arch, list, flops, prices = require "netspace.network.arch", {}, {}, {}
  for i, m in ipairs(S:sample(DRAWN, { data = o.data, seed = sys.seed() })) do
    list[i] = { m = m, cost = arch.complexity(m) }
  end
  table.sort(list, function(a, b) return a.cost.flops < b.cost.flops end)
  for i, x in ipairs(list) do
    flops[i] = x.cost.flops
    prices[i] = forecasts.price(x.cost, card, recipe.epochs, recipe)
  end
  local a, b = line(flops, prices)
  local unit = rate(list, math.min(recipe.batch, card.train_n))
  local function seconds_of(f) return math.exp(a + b * math.log(f)) * unit end
  local each = seconds * math.min(workers, models) / models -- for one network, on its worker
  local middle = math.exp((math.log(each / unit) - a) / b)
  local w = { space = S:sample(1, { data = o.data, seed = sys.seed() }).space, models = models,
    epochs = recipe.epochs, images = card.train_n, workers = math.min(workers, models) }
  local few = math.ceil(DRAWN * RARE)
  local least, most = flops[few] * WIDE, flops[DRAWN + 1 - few] / WIDE
  if middle < least then
    middle, w.note = least, "smaller networks are rare in this space; train fewer, fewer epochs, "
      .. "or smaller images"
  elseif middle > most then
    middle, w.note = most, "larger ones are rare in this space: the time allows more networks or "
      .. "epochs"
  end
  w.flops = { round(middle / WIDE), round(middle * WIDE) }
  w.seconds = seconds_of(middle) * models / w.workers
  return setmetatable(w, Window)
end

return M
