-- Sweeps of pycls as scripts: what they draw against quantiles of what pycls's own sampler draws
-- (tests/data/sweeps, made by scripts/make_sweeps_fixture.py), the whole of a script, what is
-- refused; recipes that vary by model, from the draw to statistics.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local json = require "netspace.lib.json"
local dir, write = require "scratch" "sweeps"
local vary = require "netspace.network.vary"

local N = 3000

local function read(path)
  local f = assert(io.open(path))
  local text = f:read "a"
  f:close()
  return text
end

-- What a script would draw and how it would train: it runs with a data set and a sweep of ours.
local function drawn(path, n)
  local text = exchange.pycls.sweep(path)
  local seen = {}
  local env = setmetatable({ arg = { [2] = tostring(n) }, print = function() end,
    data = { open = function(_, o)
      seen.opened = o
      return data.open("shapes", { train = 64, test = 16, image = o.image })
    end },
    sweep = { run = function(o)
      seen.runs = seen.runs or {}
      seen.runs[#seen.runs + 1] = o
      local how = recipe(o.recipe)
      seen.models, seen.recipe = o.models, how
      return {}
    end },
    stats = { bootstrap = function() end, table = function() end } }, { __index = _G })
  assert(load(text, "=" .. path, "t", env))()
  return seen, text
end

-- The distributions of pycls --------------------------------------------------------------------

local function row_of(m, own, usual)
  local row = { depth = 0, stages = #m.d }
  for i, d in ipairs(m.d) do row.depth = row.depth + d end
  for _, key in ipairs { "d", "w", "b", "g" } do
    for i, v in ipairs(m[key]) do row[key .. i] = v end
  end
  for _, key in ipairs { "lr", "wd", "momentum", "label_smoothing" } do
    row[key] = own and own[key] or usual[key]
  end
  return row
end

local expected = json.decode(read "tests/data/sweeps/pycls.json")

for _, name in ipairs { "regnet", "scalars", "anynet" } do
  local want = expected[name]
  local seen = drawn("tests/data/sweeps/" .. name .. ".yaml", N)
  local rows = {}
  for i, m in ipairs(seen.models) do
    rows[i] = row_of(m, vary.draw(seen.recipe, 11, i), seen.recipe)
  end
  local checked = 0
  for key, of in pairs(want.of) do
    local sum, list = 0, {}
    for i, row in ipairs(rows) do
      sum, list[i] = sum + row[key], row[key]
    end
    -- five standard errors of both means together, and of both shares below a quantile
    local noise = of.sd * math.sqrt(1 / N + 1 / want.taken)
    t.ok(math.abs(sum / N - of.mean) < 5 * noise, ("%s: the mean of %s, %.5g and %.5g"):format(name,
      key, sum / N, of.mean))
    for k, p in ipairs(expected.probes) do
      local below, at = 0, of.quantiles[k]
      local upto = 0
      for _, x in ipairs(list) do
        if x < at - 1e-9 * math.abs(at) then below = below + 1 end
        if x <= at + 1e-9 * math.abs(at) then upto = upto + 1 end
      end
      local room = 5 * math.sqrt(0.25 * (1 / N + 1 / want.taken))
      if below / N > p + room or upto / N < p - room then
        t.ok(false, ("%s: the %g %% quantile of %s is %g in pycls: %.3f below, %.3f up to it"):format(
          name, 100 * p, key, at, below / N, upto / N))
      end
      checked = checked + 1
    end
  end
  t.ok(checked >= 30, name .. ": quantiles within noise")
end

-- A script as a whole ---------------------------------------------------------------------------

local seen, text = drawn("tests/data/sweeps/regnet.yaml", 5)
t.is(#seen.models, 5, "the second argument is how many networks")
t.is(seen.opened.image, 32, "images as pycls has them")
t.is(seen.recipe.batch, 128, "pycls's defaults")
t.ok(text:find "Without counterpart:" and text:find "OPTIM.EMA_ALPHA", "what is left is said")
t.is(seen.recipe.vary.wd.q, 1e-5, "steps of what varies")

local FIXED = [[
NAME: a/fixed
SETUP:
  NUM_CONFIGS: 4
  SAMPLERS:
%s
  BASE_CFG:
    MODEL: {TYPE: anynet, NUM_CLASSES: 10}
    ANYNET: {STEM_TYPE: res_stem_cifar, STEM_W: 16, BLOCK_TYPE: res_basic_block, DEPTHS: [1, 1],
      WIDTHS: [16, 32], STRIDES: [1, 2]}
    TRAIN: {DATASET: cifar10, IM_SIZE: 32, BATCH_SIZE: 32}
    TEST: {DATASET: cifar10, IM_SIZE: 32}
]]
local function sweep_of(samplers, extra)
  return write("s.yaml", FIXED:format(samplers) .. (extra or ""))
end

local by = drawn(sweep_of [[
    OPTIM.MAX_EPOCH: {TYPE: value_sampler, VALUES: [1, 2]}
    RNG_SEED: {TYPE: int_sampler, RANGE: [1, 3]} ]], 4)
t.is(#by.runs, 2, "a population for each number of epochs")
t.is(by.runs[1].name .. " " .. by.runs[2].name, "fixed-epochs1 fixed-epochs2", "with its name")
t.is(#by.runs[1].models, 2, "and its share of the networks")

t.ok(exchange.pycls.sweep("tests/data/sweeps/anynet.yaml", dir .. "/anynet.lua"), "it is written")
t.ok(read(dir .. "/anynet.lua"):find("^%-%- Made by netspace from anynet.yaml"), "as a file")
write("mine.lua", "print 'mine'\n")
t.fails(function() exchange.pycls.sweep("tests/data/sweeps/anynet.yaml", dir .. "/mine.lua") end,
  "mine.lua", "no other file is overwritten")

-- What is refused -------------------------------------------------------------------------------

for samplers, why in pairs {
  ["    OPTIM.BASE_LR: {TYPE: flaot_sampler}"] = "TYPE flaot_sampler is not known",
  ["    OPTIM.BASE_LR: {RANGE: [0.1, 1.0]}"] = "TYPE nil is not known",
  ["    OPTIM.BASE_LR: {TYPE: float_sampler, RANGE: [1.0, 0.1]}"] = "RANGE 1 to 0.1 is empty",
  ["    OPTIM.BASE_LR: {TYPE: float_sampler, RANGE: [\"a\", 1.0]}"] = "no list of two numbers",
  ["    OPTIM.BASE_LR: {TYPE: float_sampler, RAND_TYPE: log_unifrom, RANGE: [0.1, 1.0]}"] =
    "RAND_TYPE 'log_unifrom' is not known (did you mean 'log_uniform'",
  ["    OPTIM.BASE_LR: {TYPE: float_sampler, RAND_TYPE: log_uniform, RANGE: [0.0, 1.0]}"] =
    "log_uniform needs more than 0",
  ["    OPTIM.BASE_LR: {TYPE: float_sampler, RANGE: [0.15, 1.0], QUANTIZE: 0.1}"] =
    "not in steps of 0.1",
  ["    OPTIM.BASE_LR: {TYPE: float_sampler, RANGE: [.nan, 1.0]}"] = "RANGE",
  ["    OPTIM.BASE_LR: {TYPE: value_sampler, RANGE: [0.1, 1.0]}"] = "value_sampler has no RANGE",
  ["    OPTIM.GAMMA: {TYPE: float_sampler, RANGE: [0.1, 1.0]}"] = "OPTIM.GAMMA has no counterpart",
  ["    BN.CUSTOM_WEIGHT_DECAY: {TYPE: float_sampler, RANGE: [0.0, 1.0]}"] =
    "changes nothing without BN.USE_CUSTOM_WEIGHT_DECAY",
  ["    ANYNET.DEPTHS: {TYPE: int_sampler, RANGE: [1, 4]}"] = "it takes a list_sampler",
  ["    ANYNET.DEPTHS: {TYPE: list_sampler, LENGTH: 3, ITEM_SAMPLER: {TYPE: int_sampler, "
    .. "RANGE: [1, 4]}}"] = "LENGTH is 3, but ANYNET.STRIDES has 2 stages",
  ["    REGNET: {TYPE: regnet_sampler}"] = "belong together",
  ["    OPTIM.MAX_EPOCH: {TYPE: float_sampler, RANGE: [1.0, 2.0]}"] = "a population has one value",
} do
  t.fails(function() exchange.pycls.sweep(sweep_of(samplers)) end, why, why)
end
t.fails(function() exchange.pycls.sweep(write("l.yaml",
  "SETUP:\n  NUM_CONFIGS: 3\n  BASE_CFG:\n    OPTIM:\n      MOMENTUM: 9\n")) end,
  "l.yaml: line 5: OPTIM.MOMENTUM is 9; it must be from 0", "a value out of range, with its line")
t.fails(function() exchange.pycls.sweep(write("l.yaml", "SETUP:\n  NUM_CONFIGS: 3\n  SAMPLERS:\n"
  .. "    OPTIM.BASE_LR:\n      TYPE: fancy\n")) end, "l.yaml: line 4: SETUP.SAMPLERS.OPTIM.BASE_LR: TYPE fancy",
  "a sampler, with its line")
t.fails(function() exchange.pycls.sweep(sweep_of("    {}", "Launch: {}\n")) end,
  "Launch is no key of a sweep of pycls (did you mean LAUNCH?", "a key in the wrong case")
t.fails(function() exchange.pycls.sweep(write("j.yaml", "MODEL: {TYPE: regnet}\n")) end,
  "exchange.pycls.read reads a job", "a job is no sweep")
t.fails(function() exchange.pycls.read "tests/data/sweeps/regnet.yaml" end,
  "exchange.pycls.sweep makes a script", "a sweep is no job")
local stages = read "tests/data/sweeps/scalars.yaml":gsub("%[3, 3%]", "[2, 4]")
t.fails(function() exchange.pycls.sweep(write("n.yaml", stages)) end,
  "a space has one number of stages", "several numbers of stages")
t.fails(function() exchange.pycls.sweep(write("b.yaml",
  "SETUP: &a {x: 1}\nb: *a\n")) end, "line", "an alias is refused")

-- Recipes that vary ------------------------------------------------------------------------------

for what, why in pairs {
  ["epochs cannot vary"] = { epochs = { 1, 2 } }, ["must be above 0"] = { lr = { 0, 1 } },
  ["lr is 2000"] = { lr = { 1, 2000 } }, ["is empty"] = { lr = { 1, 0.5 } },
  ["is not a number"] = { lr = { "a", 1 } }, ["unknown distribution"] =
    { lr = { lo = 1, hi = 2, dist = "gauss" } }, ["not 'low'"] = { lr = { low = 1, hi = 2 } },
  ["must be from 0 to below 1"] = { momentum = { 0.5, 1 } },
} do
  t.fails(function() return recipe { vary = why } end, what, what)
end
local D = data.open("shapes", { train = 64, test = 32 })
local net1 = net.new(arch.anynet { d = { 1 }, w = { 8 }, stem = "cifar", stem_width = 8, image = 32 })
t.fails(function() net1:train(D, { vary = { lr = { 0.1, 1 } } }) end, "vary is for populations",
  "a network has one recipe")
t.fails(function() sweep.run { store = dir .. "/f.db", name = "f", models = { net1:arch() }, data = D,
  recipe = { freeze = "body" } } end, "freeze is for a network that was loaded", "freeze in a sweep")

local A = space.small.RegNetX:sample(6, { flops = { 5e5, 1e6 }, data = D })
local how = { epochs = 1, vary = { lr = { 0.01, 0.5 }, wd = { values = { 1e-4, 1e-3 } } } }
local a = sweep.run { store = dir .. "/v.db", name = "A", models = A, data = D, recipe = how,
  workers = 2, quiet = true }
local different = {}
for i, lr in ipairs(a.columns.lr) do
  different[lr] = true
  t.ok(lr >= 0.01 and lr <= 0.5 and (a.columns.wd[i] == 1e-4 or a.columns.wd[i] == 1e-3),
    "drawn within its range")
end
local n = 0
for _ in pairs(different) do n = n + 1 end
t.is(n, 6, "for each model")
local s = sweep.open(dir .. "/v.db")
t.near(s:learning "A"[1].lr[1], a.columns.lr[1] * 0.1, 1e-6, "trained with it (a tenth: warm-up)")
t.ok(tostring(s:provenance "A"):find("vary=", 1, true), "the provenance says it")
s:close()
t.ok(tostring(stats.bootstrap(a, "lr")):find "^lr of the best model", "a property")
t.fails(function() sweep.run { store = dir .. "/v.db", name = "A", models = A, data = D,
  recipe = { epochs = 1, vary = { lr = { 0.01, 1 } } }, quiet = true } end, "another recipe",
  "another range is another recipe")
for _, kind in ipairs { "csv", "jsonl", "json" } do
  local st = sweep.open(dir .. "/v.db")
  assert(st:export(dir .. "/v." .. kind))
  st:close()
  local back = stats.import(dir .. "/v." .. kind)[1]
  t.near(back.columns.lr[3], a.columns.lr[3], 1e-12, "back from " .. kind)
end

-- As a feature: errors that hang on the rate alone are predicted by it
local S = space.AnyNetXA
local P, errors, lr = S:sample(40, { flops = { 1e8, 2e8 } }), {}, {}
local r = recipe { vary = { lr = { 0.01, 1 } } }
for i in ipairs(P) do
  lr[i] = vary.draw(r, 7, i).lr
  errors[i] = 50 + 10 * math.abs(math.log(lr[i] / 0.1))
end
local R = { name = "P", errors = errors, models = P, columns = { lr = lr }, recipe = r }
t.ok(stats.predict(R).r2 > 0.9, "predictions take the rate into account")
R.columns = {}
t.ok(select(2, stats.predict(R)):find("its recipe varies, and the lr of model 1 is not known", 1,
  true), "which must be known")
os.execute("rm -rf " .. dir)
t.done()
