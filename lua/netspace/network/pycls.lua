--- Networks in the words of other programs: the configuration of pycls (MODEL, ANYNET, REGNET,
-- RESNET, EN), in both directions, and the `net` of NDS's files.  What cannot be said in
-- netspace's words is nil and a reason; what is malformed is raised as a text without a
-- position that names the key.
-- Source: facebookresearch/pycls core/config.py, models/*.py (2021); NDS: arXiv 1905.13214.

local arch = require "netspace.network.arch"
local blame = require "netspace.lib.blame"
local options = require "netspace.lib.options"

local M = {}

local function malformed(...) error((...):format(select(2, ...)), 0) end

-- Values --------------------------------------------------------------------------------------

local function shown(v)
  local text = type(v) == "table" and "a list or object" or tostring(v)
  if type(v) == "string" then text = ("%q"):format(text):gsub("[%c\x80-\xff]", "?") end
  return #text > 40 and text:sub(1, 40) .. "…" or text
end

-- A section of a configuration as a function (key, kind, default) that checks its values; all
-- keys may be missing, only the changed ones are told.
local function section(cfg, name)
  local t = cfg[name]
  if t ~= nil and type(t) ~= "table" then
    malformed("cfg.%s is %s, not an object", name, shown(t))
  end
  return function(key, kind, default)
    local v = t and t[key]
    if v == nil then return default end
    local whole = kind == "integer" and type(v) == "number" and math.tointeger(v)
    if whole then return whole end
    if type(v) ~= kind then
      malformed("cfg.%s.%s: %s is no %s", name, key, shown(v),
        kind == "integer" and "whole number" or kind)
    end
    return v
  end
end

-- A list of numbers, one for each of `stages` (any number where nil).
local function numbers(where, v, stages)
  if type(v) ~= "table" then malformed("%s: %s is no list", where, shown(v)) end
  local last = 0
  for k in pairs(v) do
    last = math.type(k) == "integer" and math.max(last, k) or malformed("%s: it is no list", where)
  end
  for i = 1, last do
    if type(v[i]) ~= "number" then
      malformed("%s: entry %d is %s, not a number", where, i, shown(v[i]))
    end
  end
  if stages and last ~= stages then
    malformed("%s: %d entries for %d stages", where, last, stages)
  end
  return v
end

--- b of a bottleneck multiplier, which is 1/b.
local function ratio(multiplier)
  local b = 1 / multiplier
  local whole = math.floor(b + 0.5)
  if whole >= 1 and math.abs(b - whole) < 1e-6 then return whole end
  return b
end

local function map(list, f)
  local out = {}
  for i, v in ipairs(list) do out[i] = f(v, i) end
  return out
end

-- What arch calls the keys of stages, where not as here.
local of_stage = { depth = "d", width = "w", ["group width"] = "g" }

-- Why there is no network, with the key of the configuration in front, or in place of ours.
local function in_keys(reason, keys)
  local key = keys[reason:match "^([%w_]+) is "]
  if key then return key .. reason:match "^[%w_]+(.*)" end
  local stage = reason:match "^stage %d+: ([%a ]-) is "
  key = keys[of_stage[stage] or stage]
  if not key then return reason end
  if stage == "b" then reason = reason:gsub(": b is ", ": b, the inverse, is ") end
  return key .. ": " .. reason
end

-- make(t), a network or nil and why not.  `keys`: what the configuration calls the entries of t.
local function made(make, t, keys)
  local good, m, reason = pcall(make, t)
  if not good then
    if m == "interrupted" then error(m, 0) end
    m, reason = nil, (blame.bare(tostring(m)):gsub("^arch%.%w+: ", ""))
  end
  return m, reason and in_keys(reason, keys or {})
end

-- The keys of one section, and of those that all kinds have.
local function keys_of(name, words)
  local t = { classes = "MODEL.NUM_CLASSES", image = "TRAIN.IM_SIZE" }
  for ours, theirs in pairs(words) do t[ours] = name .. "." .. theirs end
  return t
end

local stems = { simple_stem_in = "simple", res_stem_in = "res", res_stem_cifar = "cifar" }
local blocks = { res_bottleneck_block = "x", res_bottleneck_linear_block = "linear",
  res_basic_block = "basic", vanilla_block = "vanilla" }
local activations = { relu = "relu", silu = "silu", swish = "silu" }
local stem_names, block_names = {}, {}
for theirs, ours in pairs(stems) do stem_names[ours] = theirs end
for theirs, ours in pairs(blocks) do block_names[ours] = theirs end

local function known(names, word, what)
  local ours, list = names[word], {}
  if ours then return ours end
  for name in pairs(names) do list[#list + 1] = name end
  table.sort(list)
  return nil, ("%s '%s' is not known%s; there are %s"):format(what, word,
    options.hint(word, names), table.concat(list, ", "))
end

--- The words of stem, block and activation here: { stem =, block =, activation = }, or nil and
-- which is not known.
function M.words(stem, block, activation)
  local t, reason = {}, nil
  t.stem, reason = known(stems, stem, "STEM_TYPE")
  if not t.stem then return nil, reason end
  t.block, reason = known(blocks, block, "BLOCK_TYPE")
  if not t.block then return nil, reason end
  t.activation, reason = known(activations, activation or "relu", "MODEL.ACTIVATION_FUN")
  if not t.activation then return nil, reason end
  return t
end

-- From pycls ------------------------------------------------------------------------------------

-- What all kinds say alike, or nil and why not.
local function common(cfg)
  local model, train = section(cfg, "MODEL"), section(cfg, "TRAIN")
  local activation, reason = known(activations, model("ACTIVATION_FUN", "string", "relu"),
    "MODEL.ACTIVATION_FUN")
  if not activation then return nil, reason end
  return { activation = activation, classes = model("NUM_CLASSES", "integer", 10),
    image = train("IM_SIZE", "integer", 224) }
end

local readers = {}

-- What ANYNET and REGNET say alike.
local function of_stages(t, get, name)
  local reason
  t.stem, reason = known(stems, get("STEM_TYPE", "string", "simple_stem_in"),
    name .. ".STEM_TYPE")
  if not t.stem then return nil, reason end
  t.block, reason = known(blocks, get("BLOCK_TYPE", "string", "res_bottleneck_block"),
    name .. ".BLOCK_TYPE")
  if not t.block then return nil, reason end
  t.stem_width, t.head_width = get("STEM_W", "integer", 32), get("HEAD_W", "integer", 0)
  local wide = t.block == "x" or t.block == "linear" -- the others have neither b, g nor se
  if wide and get("SE_ON", "boolean", false) then t.se = get("SE_R", "number", 0.25) end
  return t, wide
end

local anynet_keys = keys_of("ANYNET", { d = "DEPTHS", w = "WIDTHS", stride = "STRIDES",
  b = "BOT_MULS", g = "GROUP_WS", stem_width = "STEM_W", head_width = "HEAD_W", se = "SE_R" })

function readers.anynet(cfg, t)
  local get = section(cfg, "ANYNET")
  local good, wide = of_stages(t, get, "ANYNET")
  if not good then return nil, wide end
  t.d = numbers("cfg.ANYNET.DEPTHS", get("DEPTHS", "table", {}))
  local n = #t.d
  t.w = numbers("cfg.ANYNET.WIDTHS", get("WIDTHS", "table", {}), n)
  t.stride = numbers("cfg.ANYNET.STRIDES", get("STRIDES", "table", {}), n)
  if wide then
    t.b = map(numbers("cfg.ANYNET.BOT_MULS", get("BOT_MULS", "table", {}), n), ratio)
    t.g = numbers("cfg.ANYNET.GROUP_WS", get("GROUP_WS", "table", {}), n)
  end
  local m, reason = made(arch.anynet, t, anynet_keys)
  if not m then return nil, reason end
  for i = 1, n do -- pycls makes widths and groups of a RegNet fit, not those of an AnyNet
    if m.w[i] ~= t.w[i] or wide and m.g[i] ~= t.g[i] then
      return nil, ("ANYNET.WIDTHS, stage %d: width %g, multiplier %g and group width %g do not fit")
        :format(i, t.w[i], 1 / t.b[i], t.g[i])
    end
  end
  return m
end

local regnet_keys = keys_of("REGNET", { d = "DEPTH", w_0 = "W0", w_a = "WA", w_m = "WM",
  g = "GROUP_W", b = "BOT_MUL", stride = "STRIDE", stem_width = "STEM_W", head_width = "HEAD_W",
  se = "SE_R" })

function readers.regnet(cfg, t)
  local get = section(cfg, "REGNET")
  local good, wide = of_stages(t, get, "REGNET")
  if not good then return nil, wide end
  t.d, t.w_0 = get("DEPTH", "integer", 10), get("W0", "integer", 32)
  t.w_a, t.w_m = get("WA", "number", 5.0), get("WM", "number", 2.5)
  t.g, t.b = get("GROUP_W", "integer", 16), ratio(get("BOT_MUL", "number", 1.0))
  t.stride, t.stages = get("STRIDE", "integer", 2), "any"
  return made(arch.regnet, t, regnet_keys)
end

local resnet_depths = { [50] = { 3, 4, 6, 3 }, [101] = { 3, 4, 23, 3 }, [152] = { 3, 8, 36, 3 } }

function readers.resnet(cfg, t)
  local get, depth = section(cfg, "RESNET"), section(cfg, "MODEL")("DEPTH", "integer", 0)
  local transform = get("TRANS_FUN", "string", "basic_transform")
  if section(cfg, "TRAIN")("DATASET", "string", ""):find "cifar" then
    local d = (depth - 2) // 6
    if transform ~= "basic_transform" or d < 1 or d * 6 + 2 ~= depth then
      return nil, ("MODEL.DEPTH: a ResNet of depth %g with %s for CIFAR is not known"):format(depth,
        transform)
    end
    t.d, t.w, t.stride, t.block = { d, d, d }, { 16, 32, 64 }, { 1, 2, 2 }, "basic"
    t.stem, t.stem_width = "cifar", 16
    return made(arch.anynet, t)
  end
  if transform ~= "bottleneck_transform" or not resnet_depths[depth] then
    return nil, ("MODEL.DEPTH: a ResNet of depth %g with %s is not known"):format(depth, transform)
  end
  if get("STRIDE_1X1", "boolean", true) then
    return nil, "RESNET.STRIDE_1X1: strides are those of the 3×3 convolutions here"
  end
  local groups, width = get("NUM_GROUPS", "integer", 1), get("WIDTH_PER_GROUP", "integer", 64)
  t.d, t.w, t.stride = resnet_depths[depth], { 256, 512, 1024, 2048 }, { 1, 2, 2, 2 }
  t.b, t.g = ratio(groups * width / 256), map({ 1, 2, 4, 8 }, function(k) return k * width end)
  t.stem, t.stem_width = "res", 64
  return made(arch.anynet, t, keys_of("RESNET", { b = "WIDTH_PER_GROUP", g = "WIDTH_PER_GROUP" }))
end

local effnet_keys = keys_of("EN", { d = "DEPTHS", w = "WIDTHS", stride = "STRIDES",
  kernel = "KERNELS", b = "EXP_RATIOS", stem_width = "STEM_W", head_width = "HEAD_W", se = "SE_R" })

function readers.effnet(cfg, t)
  local get = section(cfg, "EN")
  t.d = numbers("cfg.EN.DEPTHS", get("DEPTHS", "table", {}))
  t.w = numbers("cfg.EN.WIDTHS", get("WIDTHS", "table", {}), #t.d)
  t.stride = numbers("cfg.EN.STRIDES", get("STRIDES", "table", {}), #t.d)
  t.kernel = numbers("cfg.EN.KERNELS", get("KERNELS", "table", {}), #t.d)
  t.b = map(numbers("cfg.EN.EXP_RATIOS", get("EXP_RATIOS", "table", {}), #t.d), ratio)
  t.block, t.stem, t.stem_width = "mb", "simple", get("STEM_W", "integer", 32)
  t.se, t.head_width = get("SE_R", "number", 0.25), get("HEAD_W", "integer", 1280)
  return made(arch.anynet, t, effnet_keys)
end

--- The network of a configuration of pycls: as arch.anynet or arch.regnet makes it, or nil and
-- why there is none.
function M.network(cfg)
  if type(cfg) ~= "table" then malformed("cfg: %s is no object", shown(cfg)) end
  local kind = section(cfg, "MODEL")("TYPE", "string", "")
  local read, unknown = known(readers, kind, "MODEL.TYPE")
  if not read then return nil, unknown end
  local t, reason = common(cfg)
  if not t then return nil, reason end
  return read(cfg, t)
end

-- To pycls --------------------------------------------------------------------------------------

local function parameters(r)
  return { DEPTH = r.d, W0 = r.w_0, WA = r.w_a, WM = r.w_m, GROUP_W = r.g, BOT_MUL = 1 / r.b }
end

local function of_regnet(m)
  local t, stride = parameters(m.regnet), m.stride[1]
  for _, s in ipairs(m.stride) do
    if s ~= stride then return nil end
  end
  t.STRIDE = stride
  return t
end

local function multipliers(m)
  return map(m.b, function(b) return 1 / b end)
end

-- MODEL.TYPE, the section for it and its values.
local function written(m)
  if m.block == "mb" and m.se > 0 then -- EN's blocks all squeeze
    return "effnet", "EN", { DEPTHS = m.d, WIDTHS = m.w, STRIDES = m.stride, KERNELS = m.kernel,
      EXP_RATIOS = multipliers(m), SE_R = m.se }
  end
  local t = m.regnet and of_regnet(m)
  local name = t and "REGNET" or "ANYNET"
  if not t then
    local whole = m.block == "r" -- one group
    t = { DEPTHS = m.d, WIDTHS = m.w, STRIDES = m.stride, BOT_MULS = multipliers(m),
      GROUP_WS = map(m.g, function(g, i) return whole and math.floor(m.w[i] / m.b[i]) or g end) }
  end
  t.STEM_TYPE = stem_names[m.stem]
  t.BLOCK_TYPE = block_names[m.block == "r" and "x" or m.block]
  t.SE_ON, t.SE_R = m.se > 0, m.se > 0 and m.se or 0.25
  return name:lower(), name, t
end

--- The sections of pycls's configuration that describe a network; or nil where pycls has none
-- that means the same.
function M.config(m)
  if m.channels == 1 then return nil end -- pycls's images have three
  local function config(net)
    local kind, name, t = written(net)
    t.STEM_W, t.HEAD_W = net.stem_width, net.head_width
    local cfg = { MODEL = { TYPE = kind, NUM_CLASSES = net.classes,
      ACTIVATION_FUN = net.activation }, TRAIN = { IM_SIZE = net.image }, [name] = t }
    local good, back = pcall(M.network, cfg)
    return good and back and arch.hash(back) == arch.hash(net) and cfg or nil
  end
  local bare = {} -- a RegNet whose parameters do not say it all is written as an AnyNet
  for k, v in pairs(m) do bare[k] = v end
  bare.regnet = nil
  local cfg = m.regnet and config(m) or config(bare)
  if cfg and m.regnet and not cfg.REGNET then -- for whoever analyses them
    cfg.REGNET = parameters(m.regnet)
  end
  return cfg
end

-- From NDS --------------------------------------------------------------------------------------

local nds_blocks = { double_plain_block = "vanilla", vanilla_block = "vanilla",
  res_basic_block = "basic", res_bottleneck_block = "x" }
local nds_stems = { { "cifar", 32, 10 }, { "simple", 224, 1000 }, [4] = { "res", 224, 1000 } }

-- Width of the bottleneck and of its groups: `times`, bot_muls multiplies the width (as its name
-- says), else it divides it; `count`, num_gs counts the groups, else it is their width.
local readings = { { true, true }, { false, true }, { true, false }, { false, false } }

local function bottlenecks(t, muls, gs, times, count)
  local b, g = {}, {}
  for i, w in ipairs(t.w) do
    b[i] = ratio(times and muls[i] or 1 / muls[i])
    g[i] = count and w / b[i] / gs[i] or gs[i]
    g[i] = math.tointeger(g[i]) or g[i]
  end
  t.b, t.g = b, g
  return t
end

--- The network of a job of NDS, whose first stage is the stem; or nil and why there is none.
-- Its bottlenecks can be read in several ways: the first that has the job's count of
-- parameters is taken, else the one that the names say.
function M.nds(net, params)
  if type(net) ~= "table" then malformed("net: %s is no object", shown(net)) end
  if net.genotype ~= nil then return nil, "a cell (genotype) is no network of stages" end
  local kind = net.block_type
  if type(kind) ~= "string" then malformed("net.block_type: %s is no string", shown(kind)) end
  local block, reason = known(nds_blocks, kind, "net.block_type")
  if not block then return nil, reason end
  local ds = numbers("net.ds", net.ds)
  if #ds < 2 then return nil, "net.ds has no stage beside the stem" end
  local ws, ss = numbers("net.ws", net.ws, #ds), numbers("net.ss", net.ss, #ds)
  local stem = nds_stems[ss[1]]
  if not stem or ds[1] ~= 1 then
    return nil, ("a stem of depth %g and stride %g is not known"):format(ds[1], ss[1])
  end
  local function rest(list) return table.move(list, 2, #list, 1, {}) end
  local t = { d = rest(ds), w = rest(ws), stride = rest(ss), block = block, stem = stem[1],
    stem_width = ws[1], image = stem[2], classes = stem[3] }
  if block ~= "x" then return made(arch.anynet, t) end
  local muls = rest(numbers("net.bot_muls", net.bot_muls or net.bms, #ds))
  local counted = net.num_gs ~= nil
  local gs = rest(numbers(counted and "net.num_gs" or "net.gws", net.num_gs or net.gws, #ds))
  local first, why
  for _, way in ipairs(readings) do
    if counted or not way[2] then
      local m, no = made(arch.anynet, bottlenecks(t, muls, gs, way[1], way[2]))
      local fits = m ~= nil
      for i = 1, fits and #t.w or 0 do fits = fits and m.w[i] == t.w[i] and m.g[i] == t.g[i] end
      if fits and arch.complexity(m).params == params then return m end
      first, why = first or fits and m, why or no or not fits and "widths and groups do not fit"
    end
  end
  if first then return first end
  return nil, why
end

return M
