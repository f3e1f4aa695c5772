--- The spaces that come with netspace, by name, each made when it is first asked for.
-- Sources: arXiv 2003.13678 sections 3 and 4, appendices B and D (AnyNet, RegNet and their
-- variants); arXiv 1905.13214 section 4 (NDS).  The small versions are netspace's own: the same
-- spaces with a quarter of the widths and half of the depths, for 32-pixel images (and those of
-- any data set: sizes.lua).

local constraint = require "netspace.space.constraint"
local options = require "netspace.lib.options"

local M = {}

-- The ranges and the network options of each version of the spaces.
local versions = {
  paper = { suffix = "", d = { 1, 16 }, w = { 8, 1024, 8 },
    regnet = { d = { 4, 63 }, w_0 = { 8, 256 }, w_a = { 8, 256 } },
    options = function() return {} end },
  small = { suffix = "-32px", d = { 1, 8 }, w = { 8, 256, 8 },
    regnet = { d = { 4, 24 }, w_0 = { 8, 64 }, w_a = { 2, 64 } },
    options = function(stages)
      local stride = { 1 }
      for i = 2, stages do stride[i] = 2 end
      return { stem = "cifar", stem_width = 16, stride = stride, image = 32, classes = 10 }
    end },
}

local all_b, all_g = { 1, 2, 4 }, { 1, 2, 4, 8, 16, 32 }

-- The letters of a block in names of spaces, and the AnyNet letters that differ for it.
local blocks = {
  { "X", letters = "ABCDE", make = { b = all_b, g = all_g } },
  { "Y", letters = "ABCDE", make = { b = all_b, g = all_g, block = "y" } },
  { "R", letters = "ABDE", make = { b = all_b, g = 1, block = "r" } },
  { "V", letters = "ADE", make = { b = 1, g = 1, block = "v" } },
  { "VR", letters = "ADE", make = { b = 1, g = 1, block = "vr" } },
  { "L", letters = "ABCDE", make = { b = all_b, g = all_g, block = "linear" } },
}
local principles = { B = "shared_b", C = "shared_g", D = "monotone_w", E = "monotone_d" }

local names, makers = {}, {}
local printed = {} -- what a space prints as ("AnyNetX_A", "RegNetX_C") -> its name

local space -- space.lua, which needs this file

--- make(spaces, v) -> the space, which prints as `shown`; `spaces` are those of the version v.
local function add(name, shown, make)
  names[#names + 1] = name
  makers[name] = make
  printed[shown] = name
end

-- The options of a space: those of its block, its ranges, its network options.
local function options_of(v, block, ranges, more)
  local t = v.options(more.stages or 4)
  for _, from in ipairs { block.make, ranges, more } do
    for k, x in pairs(from) do t[k] = x end
  end
  t.name = more.name .. v.suffix
  return t
end

local function add_anynet(block, stages)
  local before
  for letter in block.letters:gmatch(".") do
    local tail = stages and tostring(stages) or ""
    local key = ("AnyNet%s%s%s"):format(block[1], letter, tail)
    local shown = ("AnyNet%s_%s%s"):format(block[1], letter, tail)
    local parent = before
    add(key, shown, letter == "A" and function(spaces, v)
      return space.anynet(options_of(v, block, { d = v.d, w = v.w }, { name = shown,
        stages = stages, doc = "every stage free" }))
    end or function(spaces, v)
      return spaces[parent]:with { constraint._shipped(principles[letter]),
        name = shown .. v.suffix }
    end)
    before = key
  end
end

local function add_regnet(block, stages)
  local name = ("RegNet%s%s"):format(block[1], stages or "")
  add(name, name, function(_, v)
    local t = options_of(v, block, v.regnet, { name = name, stages = stages,
      doc = "widths quantised from a line" })
    t.w_m = { 1.5, 3 }
    return space.regnet(t)
  end)
end

local function add_child(name, parent, shown, changes)
  add(name, shown, function(spaces, v)
    local t = { name = shown .. v.suffix }
    for k, x in pairs(changes) do
      t[k] = math.type(k) == "integer" and constraint._shipped(x) or x
    end
    return spaces[parent]:with(t)
  end)
end

for _, block in ipairs(blocks) do add_anynet(block) end
for _, block in ipairs(blocks) do add_regnet(block) end
add_child("RegNetXC", "RegNetX", "RegNetX_C", { "b_1", "depth_le_40", "w_m_ge_2",
  "regnet_caps", doc = "the constrained RegNetX" })
for _, stages in ipairs { 3, 5 } do
  add_anynet(blocks[1], stages)
  add_regnet(blocks[1], stages)
end
add_child("RegNetXInverted", "RegNetX", "RegNetX_inverted",
  { b = { 1, 1 / 2, 1 / 4, 1 / 8 }, doc = "bottleneck ratios up to 1" })
add_child("RegNetXDepthwise", "RegNetX", "RegNetX_depthwise",
  { g = 1, doc = "every group one channel" })
add_child("RegNetXDepth20", "RegNetX", "RegNetX_depth20", { "fixed_depth" })

-- NDS: three stages at 32 pixels; values about evenly spaced on a log scale.  The paper gives
-- their ends and number; between, these are the nearest different whole numbers (widths:
-- multiples of 8).  r is b here, and its g is the number of groups.
local function add_nds(name, block, d, w, b, groups)
  add(name, name, function(_, v)
    local function part(list, divisor) -- the small version: the lower three fifths
      if v.suffix == "" then return { values = list } end
      local lower = {}
      for i = 1, #list * 3 // 5 do lower[i] = list[i] // divisor end
      return { values = lower }
    end
    local t = versions.small.options(3)
    t.stages, t.block, t.name = 3, block, name .. v.suffix
    t.d, t.w, t.b, t.g = part(d, 1), part(w, 2), b, groups
    t.doc = "of arXiv 1905.13214"
    return space.anynet(t)
  end)
end

local nds_d, nds_w = { 1, 2, 3, 4, 5, 7, 11, 16, 24 },
  { 16, 24, 32, 40, 48, 56, 72, 96, 120, 152, 200, 256 }
add_nds("NDSVanilla", "vanilla", nds_d, nds_w, 1, 1)
add_nds("NDSResNet", "basic", nds_d, nds_w, 1, 1)
add_nds("NDSResNeXtA", "x", { 1, 2, 4, 8, 16 }, { 16, 32, 64, 128, 256 }, all_b,
  { groups = { 1, 2, 4 } })
add_nds("NDSResNeXtB", "x", { 1, 2, 4, 8, 16 }, { 64, 128, 256, 512, 1024 }, all_b,
  { groups = { 1, 2, 4, 8, 16 } })

--- All names, in order of family.
function M.names()
  return table.move(names, 1, #names, 1, {})
end

-- "AnyNetA" is the paper's X block; else the nearest name.
local function hint(name)
  local family, rest = name:match("^(%a-Net)_?(.*)$")
  local x = family and family .. "X" .. rest
  return makers[x] and (" (did you mean '%s'?)"):format(x) or options.hint(name, names)
end

--- Gives t the spaces of a version ("paper", "small"), each made when first asked for.
-- `where` is how a user writes t; `maker` has the functions anynet and regnet.
function M.fill(t, version, where, maker)
  space = maker
  t.names = M.names
  return setmetatable(t, {
    __name = "spaces",
    __tostring = function() return ("%s: %s"):format(where, table.concat(M.names(), ", ")) end,
    _names = M.names(), -- the names that __index knows, for completion
    __index = function(_, name)
      if makers[name] then
        local S = makers[name](t, versions[version])
        for _, key in ipairs { "stem", "stride" } do S.sized[key] = S.options[key] ~= nil end
        rawset(t, name, S)
        return S
      end
      local text = tostring(name)
      local base, small = text:match("^(.*)(%-%d+px)$")
      local key = printed[base or text] or base and makers[base] and base
      if key then return (small and space.small or t)[key] end
      error(("%s has no space '%s'%s; %s.names() lists them"):format(where, text,
        hint(text), where), 2)
    end,
  })
end

return M
