--- Are the verdicts of sequential statistics right, and what do they save?  Experiments with
-- errors of real trainings: models are drawn with replacement from the populations of
-- examples/paper/small.jsonl.gz, one after the other, as a sweep would end them.
--
--   netspace examples/verdicts/sequential.lua [EXPERIMENTS [SEED]]
--
-- EXPERIMENTS (200) of each kind and population or pair; 200 take about 20 seconds of one core.
-- "level": both sides are drawn from one population, so that every claim is false; 5 % are
-- allowed.  "power": the pairs of neighbouring populations, b shifted so that the true difference
-- is 0.3, 0.5 or 0.8 standard deviations; every method has the maximum of models that gives it a
-- power of 80 % by theory, and the mean number of models until it decides is given as a multiple
-- of those of one look.  "naive" looks after every model with the plain limit.
-- "bias": how far the mean error lies off, on average, when 20 of 100 models have ended, of all
-- that have ended and of models 1 to n, all ended (stats.prefix), and when models 1 to 20 have: a
-- look that is planned.  n itself depends on how long models train; stats.anytime holds at every
-- n.  The population is RegNetX at five sizes, from a quarter to four times the flops; models
-- train on so many workers, as long as they took.
-- Method: man 7 netspace-method, "Looking repeatedly".

local experiments = math.tointeger(tonumber(arg[1] or 200))
local seed = math.tointeger(tonumber(arg[2] or 1))
if not experiments or experiments < 1 or not seed then
  io.stderr:write("usage: netspace examples/verdicts/sequential.lua [EXPERIMENTS [SEED]]\n")
  os.exit(2, true)
end
math.randomseed(seed)

local folder = arg[0]:gsub("[^/]*$", "")
local all = assert(stats.import(folder .. "../paper/small.jsonl.gz"))
local populations = {}
for i, name in ipairs { "A", "B", "C", "D", "E", "X" } do populations[i] = all[name].errors end

local function moments(list)
  local mean, squares = 0, 0
  for i, e in ipairs(list) do
    local d = e - mean
    mean = mean + d / i
    squares = squares + d * (e - mean)
  end
  return mean, squares / #list
end

-- n errors of the list, each moved by `shift` points.
local function draw(list, n, shift)
  local drawn = {}
  for i = 1, n do drawn[i] = list[math.random(#list)] + shift end
  return drawn
end

-- Methods: of errors a and b, each of n models, the number of models at which a difference is
-- claimed, or nil, and the number at which it stops.
local methods = {}

local function looked(options)
  return function(a, b, n)
    options.n = n
    local t = stats.sequential(a, b, options)
    return t.claim and t.n, t.n
  end
end
methods.single = looked { looks = 1 }
methods.obrien_fleming = looked { looks = 5 }
methods.pocock = looked { looks = 5, spending = "pocock" }

function methods.anytime(a, b, n)
  local t = stats.anytime(a, b)
  return t.at, t.at or n
end

-- Welch's t after every model from the tenth on, with the limit of a single look.
function methods.naive(a, b, n)
  local sum, squares = 0, 0
  local sum_b, squares_b = 0, 0
  for i = 1, n do
    sum, squares = sum + a[i], squares + a[i] ^ 2
    sum_b, squares_b = sum_b + b[i], squares_b + b[i] ^ 2
    if i >= 10 then
      local spread = squares - sum ^ 2 / i + squares_b - sum_b ^ 2 / i
      local se = math.sqrt(spread / (i * (i - 1)))
      if math.abs(sum_b - sum) / i > (1.96 + 1.2 / i) * se then return i, i end -- t, nearly
    end
  end
  return nil, n
end

local order = { "single", "obrien_fleming", "pocock", "anytime", "naive" }
local titles = { single = "one look, at the end", obrien_fleming = "5 looks, O'Brien-Fleming",
  pocock = "5 looks, Pocock", anytime = "every model, anytime", naive = "every model, naive" }

-- Rows of cells as a table in Markdown.
local function print_row(...) print("| " .. table.concat({ ... }, " | ") .. " |") end

-- False claims: experiments with both sides from one population.
local function level(method, n)
  local claims = 0
  for _, list in ipairs(populations) do
    for _ = 1, experiments do
      if methods[method](draw(list, n, 0), draw(list, n, 0), n) then claims = claims + 1 end
    end
  end
  return claims / (#populations * experiments)
end

-- Power and mean number of models, as a multiple of one look's, for a difference of `effect`
-- standard deviations when at most `most` times the models of one look are trained.
local function power(method, effect, most)
  local claims, models, trials = 0, 0, 0
  for i = 2, #populations do
    local a, b = populations[i - 1], populations[i]
    local mean_a, variance_a = moments(a)
    local mean_b, variance_b = moments(b)
    local difference = effect * math.sqrt((variance_a + variance_b) / 2)
    local single = (1.959964 + 0.841621) ^ 2 * (variance_a + variance_b) / difference ^ 2
    local n = math.ceil(most * single)
    for _ = 1, experiments do
      local at, stop = methods[method](draw(a, n, 0), draw(b, n, mean_a - mean_b - difference), n)
      claims, models = claims + (at and 1 or 0), models + stop / single
      trials = trials + 1
    end
  end
  return claims / trials, models / trials
end

print(("Level: share of false claims, %d experiments each (standard error %.1f points)\n"):format(
  #populations * experiments, 100 * math.sqrt(0.05 * 0.95 / (#populations * experiments))))
local sizes = { 25, 50, 100, 200 }
print_row("looks", "n = 25", "n = 50", "n = 100", "n = 200")
print_row("---", "---", "---", "---", "---")
for _, method in ipairs(order) do
  local cells = {}
  for i, n in ipairs(sizes) do cells[i] = ("%.1f %%"):format(100 * level(method, n)) end
  print_row(titles[method], table.unpack(cells))
end

print(("\nPower, and models until decided over those of one look at the end, %d experiments each\n")
  :format((#populations - 1) * experiments))
local effects = { 0.3, 0.5, 0.8 }
print_row("looks", "models at most", "0.3 sd", "0.5 sd", "0.8 sd")
print_row("---", "---", "---", "---", "---")
local most = { single = 1, obrien_fleming = stats.boundaries { looks = 5 }.most,
  pocock = stats.boundaries({ looks = 5, spending = "pocock" }).most, anytime = 3 }
for _, method in ipairs(order) do
  if most[method] then
    local cells = {}
    for i, effect in ipairs(effects) do
      local found, models = power(method, effect, most[method])
      cells[i] = ("%.0f %%, %.2f ×"):format(100 * found, models)
    end
    print_row(titles[method], ("%.2f ×"):format(most[method]), table.unpack(cells))
  end
end

local LOOK = 20

-- RegNetX at five sizes: errors and seconds of 25 models of each.
local function five_sizes()
  local errors, seconds = {}, {}
  for _, name in ipairs { "X 1/4", "X 1/2", "X", "X 2", "X 4" } do
    table.move(all[name].errors, 1, 25, #errors + 1, errors)
    table.move(all[name].columns.seconds, 1, 25, #seconds + 1, seconds)
  end
  return errors, seconds
end

-- 100 models on so many workers, in the order of their end; each goes to the first that is free.
local function train(errors, seconds, workers)
  local models, free = {}, {}
  for w = 1, workers do free[w] = 0 end
  for i = 1, 100 do
    local first, k = 1, math.random(#errors)
    for w = 2, workers do
      if free[w] < free[first] then first = w end
    end
    free[first] = free[first] + seconds[k]
    models[i] = { index = i, error = errors[k], ended = free[first] }
  end
  table.sort(models, function(x, y)
    return x.ended < y.ended or x.ended == y.ended and x.index < y.index
  end)
  return models
end

-- The biases of the mean of what has ended, of the prefix, and of a planned look.
local function bias(workers)
  local errors, seconds = five_sizes()
  local truth, trials = moments(errors), 10 * experiments
  local ended, prefix, size, planned = 0, 0, 0, 0
  for _ = 1, trials do
    local result = { name = "p", n = 100, errors = {}, indices = {} }
    for i, model in ipairs(train(errors, seconds, workers)) do
      if i <= LOOK then
        ended = ended + (model.error - truth) / LOOK
        result.errors[i], result.indices[i] = model.error, model.index
      end
      if model.index <= LOOK then planned = planned + (model.error - truth) / LOOK end
    end
    for _, e in ipairs(stats.prefix(result).errors) do
      prefix, size = prefix + e - truth, size + 1
    end
  end
  return ended / trials, prefix / size, planned / trials
end

print(("\nBias of the mean error in points, %d experiments each\n"):format(10 * experiments))
print_row("workers", "all that have ended", "models 1 to n by then", "models 1 to " .. LOOK)
print_row("---", "---", "---", "---")
for _, workers in ipairs { 2, 8, 32 } do
  local cells = { bias(workers) }
  for i, x in ipairs(cells) do cells[i] = ("%+.2f"):format(x) end
  print_row(("%d"):format(workers), table.unpack(cells))
end
