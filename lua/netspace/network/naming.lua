--- What other programs call the parameters of a network, and which network the tensors of a
-- file are of.
-- Source: the state dicts of pycls (blocks.py, anynet.py), torchvision 0.28 (models/regnet.py,
-- resnet.py, efficientnet.py) and timm 1.0 (models/regnet.py, resnet.py, efficientnet.py).

local arch = require "netspace.network.arch"
local pcall = require("netspace.lib.memory").pcall
local zoo = require "netspace.network.zoo"

local M = {}

-- A style: the layers of blocks (inner) and others (outer), pycls's name = theirs; the prefix of
-- block j of stage i, whose numbers count on from `from` (first of a stage, of blocks); the
-- pattern of such a prefix.  `plain`: the layers of blocks that do not expand, where others have
-- the tensor `mark`.
local regnet = {
  torchvision = {
    prefix = "trunk_output.block%d.block%d-%d.", twice = true, from = { 1, 0 },
    pattern = "^trunk_output%.block(%d+)%.block%d+%-(%d+)%.",
    outer = { ["stem.conv"] = "stem.0", ["stem.bn"] = "stem.1", ["head.fc"] = "fc" },
    inner = { ["proj"] = "proj.0", ["bn"] = "proj.1", ["f.a"] = "f.a.0", ["f.a_bn"] = "f.a.1",
      ["f.b"] = "f.b.0", ["f.b_bn"] = "f.b.1", ["f.se.f_ex.0"] = "f.se.fc1",
      ["f.se.f_ex.2"] = "f.se.fc2", ["f.c"] = "f.c.0", ["f.c_bn"] = "f.c.1" },
  },
  timm = {
    prefix = "s%d.b%d.", pattern = "^s(%d+)%.b(%d+)%.", from = { 1, 1 },
    outer = { ["stem.conv"] = "stem.conv", ["stem.bn"] = "stem.bn", ["head.fc"] = "head.fc" },
    inner = { ["proj"] = "downsample.conv", ["bn"] = "downsample.bn", ["f.a"] = "conv1.conv",
      ["f.a_bn"] = "conv1.bn", ["f.b"] = "conv2.conv", ["f.b_bn"] = "conv2.bn",
      ["f.se.f_ex.0"] = "se.fc1", ["f.se.f_ex.2"] = "se.fc2", ["f.c"] = "conv3.conv",
      ["f.c_bn"] = "conv3.bn" },
  },
}
-- ResNets and ResNeXts, alike in both.
local resnet = {
  prefix = "layer%d.%d.", pattern = "^layer(%d+)%.(%d+)%.", from = { 1, 0 },
  outer = { ["stem.conv"] = "conv1", ["stem.bn"] = "bn1", ["head.fc"] = "fc" },
  inner = { ["proj"] = "downsample.0", ["bn"] = "downsample.1", ["f.a"] = "conv1",
    ["f.a_bn"] = "bn1", ["f.b"] = "conv2", ["f.b_bn"] = "bn2", ["f.c"] = "conv3",
    ["f.c_bn"] = "bn3" },
}
-- EfficientNets.  torchvision numbers the head as one more stage: "features.head" here.
local efficientnet = {
  torchvision = {
    prefix = "features.%d.%d.block.", pattern = "^features%.(%d+)%.(%d+)%.block%.",
    from = { 1, 0 }, mark = "3.0.weight",
    outer = { ["stem.conv"] = "features.0.0", ["stem.bn"] = "features.0.1",
      ["head.conv"] = "features.head.0", ["head.conv_bn"] = "features.head.1",
      ["head.fc"] = "classifier.1" },
    inner = { ["exp"] = "0.0", ["exp_bn"] = "0.1", ["dwise"] = "1.0", ["dwise_bn"] = "1.1",
      ["se.f_ex.0"] = "2.fc1", ["se.f_ex.2"] = "2.fc2", ["lin_proj"] = "3.0",
      ["lin_proj_bn"] = "3.1" },
    plain = { ["dwise"] = "0.0", ["dwise_bn"] = "0.1", ["se.f_ex.0"] = "1.fc1",
      ["se.f_ex.2"] = "1.fc2", ["lin_proj"] = "2.0", ["lin_proj_bn"] = "2.1" },
  },
  timm = {
    prefix = "blocks.%d.%d.", pattern = "^blocks%.(%d+)%.(%d+)%.", from = { 0, 0 },
    mark = "conv_pwl.weight",
    outer = { ["stem.conv"] = "conv_stem", ["stem.bn"] = "bn1", ["head.conv"] = "conv_head",
      ["head.conv_bn"] = "bn2", ["head.fc"] = "classifier" },
    inner = { ["exp"] = "conv_pw", ["exp_bn"] = "bn1", ["dwise"] = "conv_dw",
      ["dwise_bn"] = "bn2", ["se.f_ex.0"] = "se.conv_reduce", ["se.f_ex.2"] = "se.conv_expand",
      ["lin_proj"] = "conv_pwl", ["lin_proj_bn"] = "bn3" },
    plain = { ["dwise"] = "conv_dw", ["dwise_bn"] = "bn1", ["se.f_ex.0"] = "se.conv_reduce",
      ["se.f_ex.2"] = "se.conv_expand", ["lin_proj"] = "conv_pw", ["lin_proj_bn"] = "bn2" },
  },
}
M.STYLES = { "pycls", "timm", "torchvision" }

-- Widths of the heads of B5 to B7, whose batch norms divide by another epsilon in torchvision.
local other_epsilon = { [2048] = "B5", [2304] = "B6", [2560] = "B7" }

-- The style `names` for a network, or nil and why that program has no such network.
local function style_of(names, m)
  local se = m.se and m.se > 0
  if m.block == "mb" and m.stem == "simple" and m.head_width > 0 and se
    and m.activation == "silu" then
    local which = names == "torchvision" and #m.d == 7 and other_epsilon[m.head_width]
    if which then
      return nil, ("EfficientNet-%s divides by another epsilon in the batch norms of torchvision "
        .. "(0.001; here and in timm 0.00001): the same weights give other numbers there")
        :format(which)
    end
    return efficientnet[names]
  end
  local plain = m.block == "x" or m.block == "r"
  if m.head_width == 0 and m.stem == "res" and not se and (plain or m.block == "basic") then
    return resnet
  elseif m.head_width == 0 and m.stem == "simple" and m.block == "x" then
    return regnet[names]
  end
  return nil, ("%s has RegNets (stem = \"simple\", block = \"x\"), ResNets (stem = \"res\") and "
    .. "EfficientNets (block = \"mb\" with se, head_width, activation = \"silu\") alone; this "
    .. "network has stem = \"%s\" with block = \"%s\"%s, activation = \"%s\"%s; names = \"pycls\" "
    .. "takes any"):format(names, m.stem, m.block, se and " and se" or "", m.activation,
    m.head_width > 0 and ", head_width = " .. m.head_width or "")
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
  if not style then return nil, why end
  local head, list = "features." .. #m.d + 1, {}
  for k, p in ipairs(params) do
    local i, j, layer, last = parts(p.name)
    if i then
      local stage, block = i - 1 + style.from[1], j - 1 + style.from[2]
      local prefix = style.twice and style.prefix:format(stage, stage, block)
        or style.prefix:format(stage, block)
      local layers = style.plain and m.b[i] == 1 and style.plain or style.inner
      list[k] = ("%s%s.%s"):format(prefix, layers[layer], last)
    else
      list[k] = ("%s.%s"):format(style.outer[layer]:gsub("^features%.head", head), last)
    end
  end
  return list
end

-- Whose names the tensors of a file have: a tensor that the names have alone, the program, who
-- it is to a reader, and the style (nil: pycls's own).
local marks = {
  { "stem.0.weight", "torchvision", "torchvision", regnet.torchvision },
  { "s1.b1.conv1.conv.weight", "timm", "timm", regnet.timm },
  { "layer1.0.conv1.weight", "timm", "timm and torchvision", resnet },
  { "conv_stem.weight", "timm", "timm", efficientnet.timm },
  { "features.1.0.block.0.0.weight", "torchvision", "torchvision", efficientnet.torchvision },
  { "stem.conv.weight", "pycls", "pycls" },
}

local function mark_of(shapes)
  for _, mark in ipairs(marks) do
    if shapes[mark[1]] then return mark end
  end
end

--- Which program's names the tensors of a file have: "pycls", "timm" (also for those that both
-- others have), "torchvision", or nil; and the same for a reader.
function M.recognise(shapes)
  local mark = mark_of(shapes)
  if mark then return mark[2], mark[3] end
end

local function inverse(layers)
  local t = {}
  for ours, theirs in pairs(layers or {}) do t[theirs] = ours end
  return t
end

-- The shapes of a file by pycls's names.
local function translated(style, shapes)
  if not style then return shapes end
  local inner, plain, outer = inverse(style.inner), inverse(style.plain), inverse(style.outer)
  local t = {}
  for name, shape in pairs(shapes) do
    local i, j = name:match(style.pattern)
    local prefix = i and name:sub(1, select(2, name:find(style.pattern)))
    local layer, last = name:sub(prefix and #prefix + 1 or 1):match "^(.-)%.([%a_]+)$"
    local ours
    if i then
      local layers = style.plain and not shapes[prefix .. style.mark] and plain or inner
      ours = layers[layer] and ("s%d.b%d.%s"):format(tonumber(i) + 1 - style.from[1],
        tonumber(j) + 1 - style.from[2], layers[layer])
    elseif layer then
      ours = outer[layer] or outer[layer:gsub("^features%.[1-9]%d*", "features.head")]
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

-- The EfficientNet of the zoo that has these tensors, with as many classes, and what was assumed;
-- nil, message.
local function efficient(style, t, classes)
  local m = { d = {}, w = {}, kernel = {} }
  local function shape(i, j, layer)
    return t[("s%d.b%d.%s.weight"):format(i, j, layer)]
  end
  while shape(#m.d + 1, 1, "dwise") do
    local i, depth = #m.d + 1, 0
    while shape(i, depth + 1, "dwise") and shape(i, depth + 1, "lin_proj") do depth = depth + 1 end
    if depth == 0 then break end
    m.d[i], m.w[i], m.kernel[i] = depth, shape(i, 1, "lin_proj")[1], shape(i, 1, "dwise")[3]
  end
  for _, name in ipairs(zoo.names()) do
    local known, same = zoo[name], name:find "^EfficientNet"
    for key, list in pairs(m) do
      same = same and table.concat(list, " ") == table.concat(known[key], " ")
    end
    if same and t["s1.b1.se.f_ex.0.weight"] then
      return zoo(name, { classes = classes }), name .. " of the zoo" .. (style == efficientnet.timm
        and " (tf_efficientnet of timm has the same tensors, but pads otherwise: it gives other "
          .. "numbers here)" or "")
    end
  end
  return nil, "its depths, widths and kernels are of no EfficientNet of the zoo"
end

--- The network that a file without netspace's metadata is of, read off its tensors, which have the
-- names of a program that is known: strides are 2, the stem is that of the paper (or ResNet's),
-- images have 224 pixels; of EfficientNets those of the zoo.
-- @treturn table m, and what was assumed, in words; or nil and a message
function M.architecture(shapes)
  local style = mark_of(shapes)[4]
  local t = translated(style, shapes)
  local stem, fc = t["stem.conv.weight"], t["head.fc.weight"]
  if not (stem and #stem == 4 and fc and #fc == 2) then
    return nil, "it has no stem and head as RegNets, ResNets and EfficientNets have them"
  end
  if t["s1.b1.dwise.weight"] then return efficient(style, t, fc[1]) end
  local m = { d = {}, w = {}, b = {}, g = {}, stride = {}, stem_width = stem[1],
    block = t["s1.b1.f.c.weight"] and "x" or "basic", channels = stem[2], classes = fc[1],
    image = 224, stem = (style == resnet or stem[3] == 7) and "res" or "simple" }
  local last = m.block == "x" and "f.c" or "f.b"
  local squeezes, w_in = {}, stem[1]
  while t[("s%d.b1.%s.weight"):format(#m.d + 1, last)] do
    local i, depth = #m.d + 1, 0
    local function shape(layer)
      local s = t[("s%d.b%d.%s.weight"):format(i, depth + 1, layer)]
      return s and #s == 4 and s or nil
    end
    local a, b, c = shape "f.a", shape "f.b", shape(last)
    if not (a and b and c) then break end
    m.w[i] = c[1]
    if m.block == "x" then m.b[i], m.g[i] = c[1] / a[1], b[2] end
    m.stride[i] = i == 1 and m.stem == "res" and 1 or 2
    while shape(last) do
      local se = shape "f.se.f_ex.0"
      if se then squeezes[#squeezes + 1] = { width = se[1], w_in = w_in } end
      w_in, depth = m.w[i], depth + 1
    end
    m.d[i] = depth
  end
  if #m.d == 0 then return nil, "it has no blocks as RegNets and ResNets have them" end
  if m.block == "basic" then m.b, m.g = nil, nil end
  m.se = share_of(squeezes)
  if not m.se then return nil, "its squeeze-excitations have no common ratio" end
  local made, net, why = pcall(arch.anynet, m)
  if not (made and net) then return nil, tostring(made and why or net) end
  return net, "taken with strides of 2 and images of 224 pixels"
end

return M
