--- What other programs call the parameters of a network, and which network the tensors of a
-- file are of.
-- Source: the state dicts of pycls (blocks.py, anynet.py), torchvision 0.28 (models/regnet.py,
-- models/resnet.py) and timm 1.0 (models/regnet.py, models/resnet.py).

local arch = require "netspace.network.arch"
local pcall = require("netspace.lib.memory").pcall

local M = {}

-- The layers of a block and outside of blocks, as pycls, torchvision and timm call them.
local regnet = {
  torchvision = {
    block = { "trunk_output.block%d.block%d-%d.",
      "^trunk_output%.block(%d+)%.block%d+%-(%d+)%.", 1 },
    layers = { ["stem.conv"] = "stem.0", ["stem.bn"] = "stem.1", ["head.fc"] = "fc",
      ["proj"] = "proj.0", ["bn"] = "proj.1", ["f.a"] = "f.a.0", ["f.a_bn"] = "f.a.1",
      ["f.b"] = "f.b.0", ["f.b_bn"] = "f.b.1", ["f.se.f_ex.0"] = "f.se.fc1",
      ["f.se.f_ex.2"] = "f.se.fc2", ["f.c"] = "f.c.0", ["f.c_bn"] = "f.c.1" },
  },
  timm = {
    block = { "s%d.b%d.", "^s(%d+)%.b(%d+)%.", 0 },
    layers = { ["stem.conv"] = "stem.conv", ["stem.bn"] = "stem.bn", ["head.fc"] = "head.fc",
      ["proj"] = "downsample.conv", ["bn"] = "downsample.bn", ["f.a"] = "conv1.conv",
      ["f.a_bn"] = "conv1.bn", ["f.b"] = "conv2.conv", ["f.b_bn"] = "conv2.bn",
      ["f.se.f_ex.0"] = "se.fc1", ["f.se.f_ex.2"] = "se.fc2", ["f.c"] = "conv3.conv",
      ["f.c_bn"] = "conv3.bn" },
  },
}
-- ResNets and ResNeXts, alike in both.
local resnet = {
  block = { "layer%d.%d.", "^layer(%d+)%.(%d+)%.", 1 },
  layers = { ["stem.conv"] = "conv1", ["stem.bn"] = "bn1", ["head.fc"] = "fc",
    ["proj"] = "downsample.0", ["bn"] = "downsample.1", ["f.a"] = "conv1", ["f.a_bn"] = "bn1",
    ["f.b"] = "conv2", ["f.b_bn"] = "bn2", ["f.c"] = "conv3", ["f.c_bn"] = "bn3" },
}
M.STYLES = { "pycls", "timm", "torchvision" }

-- Layers of a block the other way: their name, then pycls's; and those outside of blocks.
for _, style in ipairs { regnet.torchvision, regnet.timm, resnet } do
  style.inner, style.outer = {}, {}
  for ours, theirs in pairs(style.layers) do
    local outside = ours:find "^stem" or ours:find "^head"
    style[outside and "outer" or "inner"][theirs] = ours
  end
end

-- The style `names` for a network, or nil and why that program has no such network.
local function style_of(names, m)
  if m.head_width > 0 then return nil, "a head with a convolution" end
  local plain = m.block == "x" or m.block == "r"
  if m.stem == "res" and (m.se == 0 or m.se == nil) and (plain or m.block == "basic") then
    return resnet
  elseif m.stem == "simple" and m.block == "x" then
    return regnet[names]
  end
  return nil, ("stem = '%s' with blocks '%s'%s"):format(m.stem, m.block,
    m.se and m.se > 0 and " and squeeze-excitation" or "")
end

-- "s1.b2.f.a.weight" → 1, 2, "f.a", "weight"; of stem and head nil, nil, "stem.conv", "weight".
local function parts(name)
  local i, j, layer, last = name:match "^s(%d+)%.b(%d+)%.(.-)%.([%a_]+)$"
  if i then return tonumber(i), tonumber(j), layer, last end
  return nil, nil, name:match "^(.-)%.([%a_]+)$"
end

--- Parameters by the names of another program, or nil and why it has none for such a network.
-- @tparam string names  "timm" or "torchvision"
-- @tparam table params  net:params()
function M.of(names, m, params)
  local style, why = style_of(names, m)
  if not style then
    return nil, ("%s has RegNets (stem \"simple\", blocks \"x\") and ResNets (stem \"res\") alone; "
      .. "this network has %s"):format(names, why)
  end
  local list = {}
  for k, p in ipairs(params) do
    local i, j, layer, last = parts(p.name)
    local prefix = ""
    if i and style == regnet.torchvision then
      prefix = style.block[1]:format(i, i, j - 1)
    elseif i then
      prefix = style.block[1]:format(i, j - style.block[3])
    end
    list[k] = ("%s%s.%s"):format(prefix, style.layers[layer], last)
  end
  return list
end

--- Which program's names the tensors of a file have: "pycls", "timm", "torchvision", "resnet"
-- (that of both), or nil.
function M.recognise(shapes)
  if shapes["stem.0.weight"] then return "torchvision" end
  if shapes["layer1.0.conv1.weight"] then return "resnet" end
  if shapes["s1.b1.conv1.conv.weight"] then return "timm" end
  return shapes["stem.conv.weight"] and "pycls" or nil
end

-- The shapes of a file by pycls's names.
local function translated(names, shapes)
  if names == "pycls" then return shapes end
  local style, t = names == "resnet" and resnet or regnet[names], {}
  for name, shape in pairs(shapes) do
    local i, j = name:match(style.block[2])
    local layer, last = name:gsub(style.block[2], ""):match "^(.-)%.([%a_]+)$"
    local ours = layer and (i and style.inner or style.outer)[layer]
    if ours and i then
      ours = ("s%d.b%d.%s"):format(tonumber(i), tonumber(j) + style.block[3], ours)
    end
    if ours then t[ours .. "." .. last] = shape end
  end
  return t
end

-- The share that makes each squeeze as wide as it is: round(se · w_in).
local function share_of(squeezes)
  if #squeezes == 0 then return 0 end
  local shares = { 0.25 }
  for _, s in ipairs(squeezes) do shares[#shares + 1] = s.width / s.w_in end
  for _, se in ipairs(shares) do
    local fits = true
    for _, s in ipairs(squeezes) do
      fits = fits and math.abs(math.floor(se * s.w_in + 0.5) - s.width) == 0
    end
    if fits then return se end
  end
  return nil
end

--- The network that a file without netspace's metadata is of, read off its tensors: strides are
-- 2, the stem is that of the paper (or ResNet's), images have 224 pixels.
-- @treturn table m, or nil and a message
function M.architecture(names, shapes)
  local t = translated(names, shapes)
  local stem, fc = t["stem.conv.weight"], t["head.fc.weight"]
  if not (stem and #stem == 4 and fc and #fc == 2) then
    return nil, "it has no stem and head as RegNets and ResNets have them"
  end
  local m = { d = {}, w = {}, b = {}, g = {}, stride = {}, block = "x", stem_width = stem[1],
    channels = stem[2], classes = fc[1], image = 224,
    stem = (names == "resnet" or stem[3] == 7) and "res" or "simple" }
  local squeezes, w_in = {}, stem[1]
  while t[("s%d.b1.f.c.weight"):format(#m.d + 1)] do
    local i, depth = #m.d + 1, 0
    local function shape(layer)
      local s = t[("s%d.b%d.%s.weight"):format(i, depth + 1, layer)]
      return s and #s == 4 and s or nil
    end
    local a, b, c = shape "f.a", shape "f.b", shape "f.c"
    if not (a and b and c) then break end
    m.w[i], m.b[i], m.g[i] = c[1], c[1] / a[1], b[2]
    m.stride[i] = i == 1 and m.stem == "res" and 1 or 2
    while shape "f.c" do
      local se = shape "f.se.f_ex.0"
      if se then squeezes[#squeezes + 1] = { width = se[1], w_in = w_in } end
      w_in, depth = m.w[i], depth + 1
    end
    m.d[i] = depth
  end
  if #m.d == 0 then return nil, "it has no bottleneck blocks as RegNets and ResNets have them" end
  m.se = share_of(squeezes)
  if not m.se then return nil, "its squeeze-excitations have no common ratio" end
  local made, net, why = pcall(arch.anynet, m)
  if not (made and net) then return nil, tostring(made and why or net) end
  return net
end

return M
