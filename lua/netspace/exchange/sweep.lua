--- A sweep of pycls (YAML) as a Lua script that draws and trains the same space.
-- Source: facebookresearch/pycls sweep/config.py, sweep/samplers.py, sweep/random.py,
-- tools/sweep_setup.py (2021).

local networks = require "netspace.network.pycls"
local options = require "netspace.lib.options"
local recipes = require "netspace.network.pycls_recipe"

local M = {}

local function fail(...) error((...):format(select(2, ...)), 0) end

-- Lua text --------------------------------------------------------------------------------------

local function number(x)
  if x == math.huge then return "math.huge" end
  if x == math.floor(x) and math.abs(x) < 1e15 then return ("%d"):format(x) end
  for digits = 6, 17 do
    local text = ("%%.%dg"):format(digits):format(x)
    if tonumber(text) == x then return text end
  end
end

local literal

local function fields(t)
  local parts, keys = {}, {}
  for i, v in ipairs(t) do parts[i] = literal(v) end
  for key in pairs(t) do
    if math.type(key) ~= "integer" then keys[#keys + 1] = key end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do parts[#parts + 1] = ("%s = %s"):format(key, literal(t[key])) end
  return parts
end

function literal(v)
  if type(v) == "table" then
    return "{ " .. table.concat(fields(v), ", ") .. " }"
  elseif type(v) == "string" then
    return (("%q"):format(v):gsub("\\\n", "\\n"))
  end
  return type(v) == "number" and number(v) or tostring(v)
end

-- The fields of a table over as many lines as they need.
local function folded(t, indent)
  local lines, line = {}, indent
  for _, part in ipairs(fields(t)) do
    if #line + #part > 92 and line ~= indent then
      lines[#lines + 1] = line:gsub("%s+$", "")
      line = indent
    end
    line = line .. part .. ", "
  end
  lines[#lines + 1] = line:gsub(",?%s+$", "")
  return table.concat(lines, "\n")
end

-- Samplers --------------------------------------------------------------------------------------

local defaults = {
  value_sampler = { VALUES = {} },
  float_sampler = { RAND_TYPE = "uniform", RANGE = { 0, 0 }, QUANTIZE = 1e-5 },
  int_sampler = { RAND_TYPE = "uniform", RANGE = { 0, 0 }, QUANTIZE = 1 },
  list_sampler = { LENGTH = 0, ITEM_SAMPLER = {} },
  regnet_sampler = { DEPTH = { 12, 28 }, W0 = { 8, 256 }, WA = { 8, 256 }, WM = { 2, 3 },
    GROUP_W = { 8, 128 }, BOT_MUL = { 1, 1 } },
}
local rand_types = { uniform = true, log_uniform = true, power2_uniform = true,
  power2_or_log_uniform = true, normal = true, log_normal = true }
-- How regnet_sampler draws each: distribution, step.
local of_regnet = { DEPTH = { "uniform", 1 }, W0 = { "log_uniform", 8 },
  WA = { "log_uniform", 0.1 }, WM = { "log_uniform", 0.001 },
  GROUP_W = { "power2_or_log_uniform", 8 }, BOT_MUL = { "power2_uniform", 1 / 128 } }

local function pair(where, t)
  if type(t) ~= "table" or #t ~= 2 or type(t[1]) ~= "number" or type(t[2]) ~= "number" then
    fail("%s is no list of two numbers", where)
  end
  return t[1], t[2]
end

local function whole_steps(x, q) return math.abs(x / q - math.floor(x / q + 0.5)) < 1e-6 end

-- { lo, hi, q, dist }, as pycls's validate_rand wants it.
local function range(where, dist, lo, hi, q)
  if type(dist) ~= "string" or not rand_types[dist] then
    fail("%s: RAND_TYPE '%s' is not known%s", where, tostring(dist), options.hint(dist, rand_types))
  elseif type(q) ~= "number" or not (q > 0) then
    fail("%s: QUANTIZE is %s; it must be a number above 0", where, tostring(q))
  elseif lo > hi then
    fail("%s: RANGE %g to %g is empty", where, lo, hi)
  elseif lo <= 0 and dist ~= "uniform" and dist ~= "normal" then
    fail("%s: RANGE begins at %g; %s needs more than 0", where, lo, dist)
  elseif dist ~= "power2_or_log_uniform" and not (whole_steps(lo, q) and whole_steps(hi, q)) then
    fail("%s: RANGE %g to %g is not in steps of %g (QUANTIZE)", where, lo, hi, q)
  end
  return { lo = lo, hi = hi, q = q, dist = dist }
end

-- A sampler of one number as a range, one of lists as { length =, item = range }.
local function read_sampler(where, s)
  local of = type(s) == "table" and s.TYPE
  local usual = type(of) == "string" and defaults[of]
  if not usual then
    fail("%s: TYPE %s is not known%s", where, tostring(of), type(of) == "string"
      and options.hint(of, defaults) or "; a sampler has one")
  end
  for key in pairs(s) do
    if key ~= "TYPE" and usual[key] == nil then
      fail("%s: %s has no %s%s", where, of, tostring(key), options.hint(key, usual))
    end
  end
  local function get(key) return s[key] == nil and usual[key] or s[key] end
  if of == "value_sampler" then
    local v = get "VALUES"
    if type(v) ~= "table" or #v == 0 then fail("%s: VALUES is no list of values", where) end
    return { values = v }
  elseif of == "list_sampler" then
    local n = get "LENGTH"
    if math.type(n) ~= "integer" or n < 1 then
      fail("%s: LENGTH is %s; it must be a whole number above 0", where, tostring(n))
    end
    local item = read_sampler(where .. ".ITEM_SAMPLER", get "ITEM_SAMPLER")
    if item.length or item.regnet then fail("%s: a list of lists is not known", where) end
    return { length = n, item = item }
  elseif of == "regnet_sampler" then
    local t = { regnet = {} }
    for key, how in pairs(of_regnet) do
      local at = ("%s.%s"):format(where, key)
      local lo, hi = pair(at, get(key))
      t.regnet[key] = range(at, how[1], lo, hi, how[2])
    end
    return t
  end
  local lo, hi = pair(where .. ".RANGE", get "RANGE")
  return range(where, get "RAND_TYPE", lo, hi, get "QUANTIZE")
end

-- Spaces ----------------------------------------------------------------------------------------

local function inverse(multiplier)
  local b = 1 / multiplier
  local near = math.floor(b + 0.5)
  return near >= 1 and math.abs(b - near) < 1e-9 and near or b
end

-- The range of a bottleneck multiplier as that of the ratio b, which is 1 over it.
local function ratios(where, r)
  local list = r.values
  if not list and r.dist == "power2_uniform" then
    list = {}
    for e = math.floor(math.log(r.lo, 2) + 0.5), math.floor(math.log(r.hi, 2) + 0.5) do
      list[#list + 1] = 2.0 ^ e
    end
  elseif not list and r.lo == r.hi then
    list = { r.lo }
  elseif not list then
    fail("%s: multipliers of %s are not 1 over whole numbers: use power2_uniform or a "
      .. "value_sampler", where, r.dist)
  end
  local values = {}
  for i, x in ipairs(list) do
    if type(x) ~= "number" or x <= 0 then fail("%s: %s is no multiplier", where, tostring(x)) end
    values[#list + 1 - i] = inverse(x)
  end
  table.sort(values)
  return { values = values }
end

local function distinct(where, r)
  local seen = {}
  for _, x in ipairs(r.values or {}) do
    if type(x) ~= "number" then fail("%s: the value %s is no number", where, tostring(x)) end
    if seen[x] then fail("%s: the value %s is there twice; values are drawn alike", where, x) end
    seen[x] = true
  end
  return r
end

local parameters = {
  regnet = { section = "REGNET", list = false,
    { "DEPTH", "d" }, { "W0", "w_0" }, { "WA", "w_a" }, { "WM", "w_m" }, { "BOT_MUL", "b" },
    { "GROUP_W", "g" } },
  anynet = { section = "ANYNET", list = true,
    { "DEPTHS", "d" }, { "WIDTHS", "w" }, { "BOT_MULS", "b" }, { "GROUP_WS", "g" } },
}

-- The space: kind, and the options of space.anynet or space.regnet; nil where the network is fixed.
local function space_of(cfg, samplers)
  local kind = cfg.MODEL and cfg.MODEL.TYPE
  local p = parameters[kind]
  if not p then return nil end
  local section, usual = cfg[p.section] or {}, recipes.defaults[p.section]
  local composite = samplers.REGNET
  if composite and not (composite.regnet and kind == "regnet") then
    fail("SAMPLERS.REGNET: a regnet_sampler, and MODEL.TYPE: regnet, belong together")
  end
  local t, drawn = {}, composite ~= nil
  local stages = kind == "anynet" and #(section.STRIDES or {}) or nil
  samplers.REGNET = nil
  for _, of in ipairs(p) do
    local key, name = of[1], of[2]
    local where = ("SAMPLERS.%s.%s"):format(p.section, key)
    local full = ("%s.%s"):format(p.section, key)
    local s, r = samplers[full] or composite and composite.regnet[key], nil
    samplers[full] = nil
    if s then
      drawn = true
      if s.regnet or (s.length ~= nil) ~= p.list then
        fail("%s: it takes a %s", where, p.list and "list_sampler" or "sampler of numbers")
      end
      if p.list and s.length ~= stages then
        fail("%s: LENGTH is %d, but ANYNET.STRIDES has %d stages", where, s.length, stages)
      end
      r = distinct(where, p.list and s.item or s)
      r = name == "b" and ratios(where, r) or r
    else
      local v = section[key]
      if v == nil then v = usual[key] end
      if not p.list then
        r = { values = { name == "b" and inverse(v) or v } }
      else -- scale_model has 1 for multipliers and groups that are not given
        local list = #v == 0 and (name == "b" or name == "g") and {} or v
        r = {}
        for i = 1, stages do
          local x = list[i] or (name == "b" or name == "g") and 1
            or fail("%s has %d entries for %d stages", full, #v, stages)
          r[i] = { values = { name == "b" and inverse(x) or x } }
        end
      end
    end
    t[name] = r
  end
  if not drawn then return nil end
  local get = function(key)
    if section[key] ~= nil then return section[key] end
    return usual[key]
  end
  t.stride = kind == "anynet" and section.STRIDES or get "STRIDE"
  if kind == "anynet" then t.stages = stages end
  local m, why = networks.words(get "STEM_TYPE", get "BLOCK_TYPE", cfg.MODEL.ACTIVATION_FUN)
  if not m then fail("SETUP.BASE_CFG: %s", why) end
  t.stem, t.block, t.activation = m.stem, m.block, m.activation
  t.stem_width = get "STEM_W"
  if get "HEAD_W" > 0 then t.head_width = get "HEAD_W" end
  if get "SE_ON" then t.se = get "SE_R" end
  return kind, t
end

-- Recipes ---------------------------------------------------------------------------------------

local of_recipe = { ["OPTIM.BASE_LR"] = "lr", ["OPTIM.WEIGHT_DECAY"] = "wd",
  ["OPTIM.MOMENTUM"] = "momentum", ["TRAIN.LABEL_SMOOTHING"] = "label_smoothing",
  ["BN.CUSTOM_WEIGHT_DECAY"] = "wd_bn", ["OPTIM.BIAS_CUSTOM_WEIGHT_DECAY"] = "wd_bias" }
local needs = { wd_bn = { "BN", "USE_CUSTOM_WEIGHT_DECAY" },
  wd_bias = { "OPTIM", "BIAS_USE_CUSTOM_WEIGHT_DECAY" } }
-- Of which there is one a population: a population for each value.
local of_population = { ["OPTIM.MAX_EPOCH"] = "epochs", ["TRAIN.BATCH_SIZE"] = "batch" }

-- The values of a sampler that are drawn alike, for a population each.
local function values_of(where, s)
  local list = s.values
  if not list and s.dist == "uniform" and (s.hi - s.lo) / s.q <= 16 then
    list = {}
    for x = s.lo, s.hi, s.q do list[#list + 1] = x end
  end
  for _, x in ipairs(list or {}) do
    if math.type(x) ~= "integer" then list = nil break end
  end
  return list or fail("%s: a population has one value of this: a value_sampler of a few whole "
    .. "numbers makes a population for each", where)
end

-- What varies by model, and what by population: vary, { key, values }; both may be nil.
local function recipe_of(cfg, samplers, notes)
  local vary, by = {}, nil
  for full, s in pairs(samplers) do
    local where, key = "SAMPLERS." .. full, of_recipe[full]
    if key then
      if s.length or s.regnet then fail("%s: it takes a sampler of numbers", where) end
      local need = needs[key]
      if need and not (cfg[need[1]] and cfg[need[1]][need[2]]) then
        fail("%s changes nothing without %s.%s: True", where, need[1], need[2])
      end
      vary[key] = s.values and { values = s.values } or s
    elseif of_population[full] then
      if by then fail("%s: with %s there would be two numbers of a population", where, by.key) end
      by = { key = of_population[full], values = values_of(where, s) }
    elseif full == "RNG_SEED" then
      notes[#notes + 1] = { key = where, value = "…",
        why = "every network has a training seed of its own" }
    else
      fail("%s has no counterpart: networks, %s, OPTIM.MAX_EPOCH, TRAIN.BATCH_SIZE and RNG_SEED "
        .. "may be drawn; give it a value in BASE_CFG", where, "OPTIM.BASE_LR, OPTIM.WEIGHT_DECAY, "
        .. "OPTIM.MOMENTUM, TRAIN.LABEL_SMOOTHING, custom weight decays")
    end
  end
  return next(vary) and vary or nil, by
end

-- The script ------------------------------------------------------------------------------------

local function window(where, t)
  local lo, hi = pair(where, t)
  if lo == 0 and hi == 0 then return nil end
  if hi ~= 0 and lo > hi then fail("%s: %g to %g is empty", where, lo, hi) end
  return { lo, hi == 0 and math.huge or hi }
end

local known = {
  top = { ROOT_DIR = true, NAME = true, DESC = true, NUM_PROC = true, SWEEP_CFG_FILE = true,
    SETUP = true, LAUNCH = true, COLLECT = true, ANALYZE = true },
  setup = { NUM_CONFIGS = true, NUM_SAMPLES = true, CHUNK_SIZE = true, RNG_SEED = true,
    BASE_CFG = true, SAMPLERS = true, CONSTRAINTS = true },
  constraints = { CX = true, REGNET = true }, cx = { FLOPS = true, PARAMS = true, ACTS = true },
  regnet = { NUM_STAGES = true },
}

local function check_keys(where, t, names, near)
  if type(t) ~= "table" then fail("%s is no map of keys", where) end
  for key in pairs(t) do
    if not names[key] then
      fail("%s%s is no key of a sweep of pycls%s", where == "" and "" or where .. ".",
        tostring(key), near(key, names))
    end
  end
end

local function whole(where, v, least)
  if type(v) ~= "number" or v < least or v ~= math.floor(v) then
    fail("%s is %s; it must be a whole number from %d up", where, tostring(v), least)
  end
  return math.tointeger(v)
end

-- Text for a comment: one line.
local function plain(text) return (tostring(text):gsub("%s+", " "):gsub("%c", "?")) end

local function comments(text)
  local lines, line = {}, "--"
  for word in plain(text):gmatch "%S+" do
    if #line + #word > 95 then
      lines[#lines + 1], line = line, "--"
    end
    line = line .. " " .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

--- The script of a sweep.
-- @tparam table cfg what the file says
-- @tparam string path its name
-- @tparam function near as of network/pycls_recipe.lua
-- @treturn string the script; and what has no counterpart: list of { key =, value =, why = }
function M.script(cfg, path, near)
  check_keys("", cfg, known.top, near)
  local setup = cfg.SETUP
  check_keys("SETUP", setup, known.setup, near)
  local n = whole("SETUP.NUM_CONFIGS", setup.NUM_CONFIGS or 0, 1)
  local tries = whole("SETUP.NUM_SAMPLES", setup.NUM_SAMPLES or 1000000, 1)
  local seed = whole("SETUP.RNG_SEED", setup.RNG_SEED or 0, 0)
  local base = recipes.check(setup.BASE_CFG or {}, near)
  local cons = setup.CONSTRAINTS or {}
  check_keys("SETUP.CONSTRAINTS", cons, known.constraints, near)
  check_keys("SETUP.CONSTRAINTS.CX", cons.CX or {}, known.cx, near)
  check_keys("SETUP.CONSTRAINTS.REGNET", cons.REGNET or {}, known.regnet, near)
  local samplers = {}
  if type(setup.SAMPLERS or {}) ~= "table" then fail("SETUP.SAMPLERS is no map of samplers") end
  for key, s in pairs(setup.SAMPLERS or {}) do
    samplers[key] = read_sampler("SETUP.SAMPLERS." .. tostring(key), s)
  end
  local kind, t = space_of(base, samplers)
  local vary, by
  local r, notes = recipes.recipe(base)
  vary, by = recipe_of(base, samplers, notes)
  r.vary = vary
  if by then r[by.key] = nil end
  local stages = cons.REGNET and cons.REGNET.NUM_STAGES or { 4, 4 }
  local lo, hi = pair("SETUP.CONSTRAINTS.REGNET.NUM_STAGES", stages)
  if kind == "regnet" then
    if lo ~= hi then
      fail("SETUP.CONSTRAINTS.REGNET.NUM_STAGES is %g to %g: a space has one number of stages; "
        .. "make a sweep for each, such as [%g, %g]", lo, hi, hi, hi)
    end
    t.stages = whole("SETUP.CONSTRAINTS.REGNET.NUM_STAGES", lo, 1)
  end
  local name = tostring(cfg.NAME or ""):match "[^/]*$"
  name = name ~= "" and name:gsub("[^%w_.-]", "_") or "sweep"
  local how = { seed = seed, max_tries = tries }
  for key in pairs(known.cx) do
    how[key:lower()] = cons.CX and cons.CX[key] and window("SETUP.CONSTRAINTS.CX." .. key,
      cons.CX[key]) or nil
  end
  for key in pairs(known.top) do
    if key == "LAUNCH" or key == "COLLECT" or key == "ANALYZE" then
      if cfg[key] then
        notes[#notes + 1] = { key = key, value = "…",
          why = "of the machine and of pycls's reports" }
      end
    end
  end
  table.sort(notes, function(a, b) return a.key < b.key end)
  local train = base.TRAIN or {}
  local image = train.IM_SIZE or recipes.defaults.TRAIN.IM_SIZE
  local test = base.TEST and base.TEST.IM_SIZE or recipes.defaults.TEST.IM_SIZE
  local opened = { image = image }
  if test > image then opened.scale = test / image end
  local out = { comments(("Made by netspace from %s, a sweep of pycls. %s"):format(
    path:match "[^/]*$", cfg.DESC or "")),
    ("--   netspace %s.lua [DATA [NETWORKS]]"):format(name),
    comments(("pycls trains on %s; without DATA (such as %s) these are built-in drawings."):format(
      train.DATASET ~= nil and train.DATASET ~= "" and train.DATASET or "a data set it names",
      train.DATASET == "cifar10" and "cifar10:DIR" or "a folder of images")) }
  local function add(...) out[#out + 1] = (...):format(select(2, ...)) end
  for i, note in ipairs(notes) do
    if i == 1 then add "-- Without counterpart:" end
    add("--   %s = %s: %s", note.key, plain(note.value), note.why)
  end
  add("\nlocal D = assert(data.open(arg[1] or \"shapes\", %s))", literal(opened))
  add("local n = tonumber(arg[2]) or %d\n", n)
  if t then
    add("local S = space.%s{\n  name = %s,", kind, literal(name))
    local order = { "stages", "d", "w", "w_0", "w_a", "w_m", "b", "g" }
    for _, key in ipairs(order) do
      if t[key] ~= nil then add("  %s = %s,", key, literal(t[key])) end
      t[key] = nil
    end
    add("%s,\n}", folded(t, "  "))
    add("local A = S:sample(n, {\n  data = D, %s,\n})", folded(how, "  "):sub(3))
  else
    local m, why = networks.network(base)
    if not m then fail("SETUP.BASE_CFG: there is no such network here: %s", why) end
    add("local card = D:card()")
    local given = {}
    for _, key in ipairs { "d", "w", "b", "g", "stride", "stem", "stem_width", "block", "se",
      "head_width", "activation", "kernel" } do given[key] = m[key] end
    add("local m = arch.anynet{ image = card.image, classes = card.classes, "
      .. "channels = card.channels,\n%s }", folded(given, "  "))
    add("local A = { seed = %d }\nfor i = 1, n do A[i] = m end", seed)
  end
  r.vary = nil
  add("\nlocal how = {\n%s,", folded(r, "  "))
  if vary then add("  vary = {\n%s,\n  },", folded(vary, "    ")) end
  add "}"
  if by then
    add("\n-- Each value of %s has a share of the networks.", by.key)
    add("local values, results = %s, {}", literal(by.values))
    add("for k, %s in ipairs(values) do", by.key)
    add("  local part = { seed = A.seed }")
    add("  for i = k, n, #values do part[#part + 1] = A[i] end")
    add("  if #part > 0 then\n    how.%s = %s", by.key, by.key)
    add("    results[#results + 1] = sweep.run{ store = %s,\n      name = \"%s-%s\" .. %s,",
      literal(name .. ".db"), name, by.key, by.key)
    add("      models = part, data = D, recipe = how }\n  end\nend")
    add("print(stats.table(results))")
  else
    add("local a = sweep.run{ store = %s, name = %s,\n  models = A, data = D, recipe = how }",
      literal(name .. ".db"), literal(name))
    add("print(a)")
    local keys = {}
    for key in pairs(vary or {}) do keys[#keys + 1] = key end
    table.sort(keys)
    for _, key in ipairs(keys) do add("print(stats.bootstrap(a, %s))", literal(key)) end
    if kind == "regnet" then add("print(stats.bootstrap(a, \"d\"))") end
    if kind == "anynet" then add("print(stats.bootstrap(a, \"depth\"))") end
  end
  return table.concat(out, "\n") .. "\n", notes
end

return M
