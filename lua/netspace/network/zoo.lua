--- Published networks by name, as architecture tables at their training size.
-- Source: parameters of RegNetX and RegNetY from arXiv 2003.13678 figures 15 and 16 (pycls
-- configs); ResNet, ResNeXt, EfficientNet (Tan & Le 2019) and the CIFAR networks as pycls
-- builds them; MobileNetV2 from arXiv 1801.04381 table 2.
--
--   m = zoo["RegNetX-400MF"]
--   small = zoo("RegNetX-200MF", { image = 32, classes = 10, stem = "cifar" })

local arch = require "netspace.network.arch"
local document = require("netspace.lib.doc").group "zoo"
local options = require "netspace.lib.options"

-- d, w_0, w_a, w_m, g; b = 1, four stages, 224 pixels, 1000 classes; Y has se = 0.25.
local regnets = {
  { "RegNetX-200MF", 13, 24, 36.44, 2.49, 8 },
  { "RegNetX-400MF", 22, 24, 24.48, 2.54, 16 },
  { "RegNetX-600MF", 16, 48, 36.97, 2.24, 24 },
  { "RegNetX-800MF", 16, 56, 35.73, 2.28, 16 },
  { "RegNetX-1.6GF", 18, 80, 34.01, 2.25, 24 },
  { "RegNetX-3.2GF", 25, 88, 26.31, 2.25, 48 },
  { "RegNetX-4.0GF", 23, 96, 38.65, 2.43, 40 },
  { "RegNetX-6.4GF", 17, 184, 60.83, 2.07, 56 },
  { "RegNetX-8.0GF", 23, 80, 49.56, 2.88, 120 },
  { "RegNetX-12GF", 19, 168, 73.36, 2.37, 112 },
  { "RegNetX-16GF", 22, 216, 55.59, 2.1, 128 },
  { "RegNetX-32GF", 23, 320, 69.86, 2.0, 168 },
  { "RegNetY-200MF", 13, 24, 36.44, 2.49, 8 },
  { "RegNetY-400MF", 16, 48, 27.89, 2.09, 8 },
  { "RegNetY-600MF", 15, 48, 32.54, 2.32, 16 },
  { "RegNetY-800MF", 14, 56, 38.84, 2.4, 16 },
  { "RegNetY-1.6GF", 27, 48, 20.71, 2.65, 24 },
  { "RegNetY-3.2GF", 21, 80, 42.63, 2.66, 24 },
  { "RegNetY-4.0GF", 22, 96, 31.41, 2.24, 64 },
  { "RegNetY-6.4GF", 25, 112, 33.22, 2.27, 72 },
  { "RegNetY-8.0GF", 17, 192, 76.82, 2.19, 56 },
  { "RegNetY-12GF", 19, 168, 73.36, 2.37, 112 },
  { "RegNetY-16GF", 18, 200, 106.23, 2.48, 112 },
  { "RegNetY-32GF", 20, 232, 115.89, 2.53, 232 },
}

local resnet_depths = { ["50"] = { 3, 4, 6, 3 }, ["101"] = { 3, 4, 23, 3 },
  ["152"] = { 3, 8, 36, 3 } }

-- d, w, image, stem, head; depths and widths grow from one to the next.
local efficientnets = {
  { { 1, 2, 2, 3, 3, 4, 1 }, { 16, 24, 40, 80, 112, 192, 320 }, 224, 32, 1280 },
  { { 2, 3, 3, 4, 4, 5, 2 }, { 16, 24, 40, 80, 112, 192, 320 }, 240, 32, 1280 },
  { { 2, 3, 3, 4, 4, 5, 2 }, { 16, 24, 48, 88, 120, 208, 352 }, 260, 32, 1408 },
  { { 2, 3, 3, 5, 5, 6, 2 }, { 24, 32, 48, 96, 136, 232, 384 }, 300, 40, 1536 },
  { { 2, 4, 4, 6, 6, 8, 2 }, { 24, 32, 56, 112, 160, 272, 448 }, 380, 48, 1792 },
  { { 3, 5, 5, 7, 7, 9, 3 }, { 24, 40, 64, 128, 176, 304, 512 }, 456, 48, 2048 },
}
local expansion = { 1, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 1 / 6 } -- b: its inverse

local makers, names = {}, {}

local function add(name, make, parameters)
  names[#names + 1] = name
  makers[name] = function(o)
    local t = {}
    for k, v in pairs(parameters) do t[k] = v end
    for k, v in pairs(o or {}) do t[k] = v end
    return make(t)
  end
end

for _, r in ipairs(regnets) do
  add(r[1], arch.regnet, { d = r[2], w_0 = r[3], w_a = r[4], w_m = r[5], g = r[6],
    se = r[1]:find("^RegNetY") and 0.25 or 0, image = 224, classes = 1000 })
end
for _, family in ipairs { { "ResNet-", 4, { 64, 128, 256, 512 } },
  { "ResNeXt-", 2, { 4, 8, 16, 32 } } } do
  for _, depth in ipairs { "50", "101", "152" } do
    add(family[1] .. depth, arch.anynet, { d = resnet_depths[depth],
      w = { 256, 512, 1024, 2048 }, b = family[2], g = family[3], stride = { 1, 2, 2, 2 },
      stem = "res", stem_width = 64, image = 224, classes = 1000 })
  end
end
for i, net in ipairs(efficientnets) do
  add("EfficientNet-B" .. i - 1, arch.anynet, { d = net[1], w = net[2], b = expansion,
    kernel = { 3, 3, 5, 3, 5, 5, 3 }, stride = { 1, 2, 2, 2, 1, 2, 1 }, block = "mb",
    se = 0.25, activation = "silu", stem_width = net[4], head_width = net[5], image = net[3],
    classes = 1000 })
end
add("MobileNetV2-like", arch.anynet, { d = { 1, 2, 3, 4, 3, 3, 1 },
  w = { 16, 24, 32, 64, 96, 160, 320 }, b = expansion, stride = { 1, 2, 2, 2, 1, 2, 1 },
  block = "mb", head_width = 1280, image = 224, classes = 1000 })
add("VGG-16-like", arch.anynet, { d = { 1, 2, 3, 3, 3 }, w = { 64, 128, 256, 512, 512 },
  stride = { 1, 2, 2, 2, 2 }, stem = "cifar", stem_width = 64, block = "v", image = 224,
  classes = 1000 })
for _, net in ipairs { { "R-56", 9, "basic" }, { "R-110", 18, "basic" },
  { "V-56", 9, "vanilla" } } do
  add(net[1], arch.anynet, { d = { net[2], net[2], net[2] }, w = { 16, 32, 64 },
    stride = { 1, 2, 2 }, stem = "cifar", stem_width = 16, block = net[3], image = 32,
    classes = 10 })
end

local M = {}

--- All names, in order of family and size.
function M.names()
  return table.move(names, 1, #names, 1, {})
end

local function maker(name)
  if makers[name] then return makers[name] end
  local begun = {} -- names that begin so
  for _, known in ipairs(names) do
    if known:sub(1, #tostring(name)) == name then begun[#begun + 1] = known end
  end
  local hint = options.hint(name, makers)
  if hint == "" and #begun > 0 then
    hint = (" (there are %s%s)"):format(table.concat(begun, ", ", 1, math.min(4, #begun)),
      #begun > 4 and ", …" or "")
  end
  error(("zoo has no network '%s'%s; zoo.names() lists them"):format(tostring(name), hint), 3)
end

document("zoo", [[
zoo["RegNetX-400MF"] -> m;  zoo(name, { image =, classes =, stem =, … }) -> m
A published network by name: the 24 RegNets, ResNet- and ResNeXt-50/101/152 (224 pixels,
1000 classes), EfficientNet-B0 to B5 (recipe{ dropout =, stochastic_depth = }), and the CIFAR
networks R-56, R-110, V-56.
MobileNetV2-like has ReLU in place of ReLU6; VGG-16-like has batch norm, strides in place of
max pools, and one linear layer.
The second form changes any option of arch.anynet or arch.regnet.
example: zoo("RegNetX-200MF", { image = 32, classes = 10, stem = "cifar" }).w
source: arXiv 2003.13678 figures 15 and 16, 1905.11946, 1801.04381; configurations of pycls]])

document("zoo.names", [[
zoo.names() -> list
The names of all networks of the zoo.
example: zoo.names()[1]
source: arXiv 2003.13678; pycls]])

return setmetatable(M, {
  __name = "zoo",
  __index = function(_, name) return maker(name)() end,
  __call = function(_, name, o)
    local m, reason = maker(name)(o)
    return m, reason
  end,
})
