-- Weights by the names of other programs: tensors against the state dicts of timm 1.0.31 and
-- torchvision 0.28 (their names and shapes, as checksums), files that do not say what they are,
-- channels the other way round, other heads, and fine-tuning.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local core = require "netspace.core.weights"
local fingerprint = require("netspace.store.ledger").fingerprint
local naming = require "netspace.network.naming"

local dir, write = require "scratch" "names"
local function at(name) return dir .. "/" .. name .. ".safetensors" end

-- What a call says on standard error is not looked at here; terminal/cli.sh does.
local weights = require "netspace.network.weights"
local said = {}
weights.say = function(text, ...) said[#said + 1] = text:format(...) end

-- Names and shapes ------------------------------------------------------------------------------

local function listed(path)
  local lines = {}
  for name, shape in pairs(assert(core.header(path)).shapes) do
    lines[#lines + 1] = ("%s [%s]\n"):format(name, table.concat(shape, ", "))
  end
  table.sort(lines)
  return table.concat(lines)
end

local resnet18 = arch.anynet { d = { 2, 2, 2, 2 }, w = { 64, 128, 256, 512 }, block = "basic",
  stem = "res", stem_width = 64, stride = { 1, 2, 2, 2 }, classes = 1000 }

-- FNV-1a of the sorted lines "name shape" of a state dict.
for _, of in ipairs {
  { "RegNetX-200MF", "timm", "de445a9d31a4fa2b" },
  { "RegNetY-200MF", "timm", "f0eb2497b81f560e" },
  { "RegNetX-800MF", "torchvision", "1230e2e50fd10ec5" },
  { "RegNetY-400MF", "torchvision", "d8b69b483144f9d1" },
  { "ResNet-50", "timm", "3daba3a4e389aa02" },
  { "ResNeXt-50", "torchvision", "b3d04542916c2383" },
  { "ResNet-18", "torchvision", "6ea2f393dbdf6cf4" },
  { "EfficientNet-B0", "timm", "d878226f9f01fef7" },
  { "EfficientNet-B0", "torchvision", "89850fff021588eb" },
} do
  local name, names, sum = table.unpack(of)
  local m = name == "ResNet-18" and resnet18 or zoo[name]
  m.image = 32
  local n <close> = net.new(m, { batch = 1 })
  assert(n:save(at "w", { names = names }))
  t.is(fingerprint(listed(at "w")), sum, ("%s by the names of %s"):format(name, names))
end

-- There and back --------------------------------------------------------------------------------

local function small(o)
  local m = { d = { 1, 2 }, w = { 16, 24 }, b = { 1, 2 }, g = 4, stem = "simple", stem_width = 8,
    image = 16, classes = 5, se = 0.25 }
  for k, v in pairs(o or {}) do m[k] = v end
  return arch.anynet(m)
end

local function image(n)
  local x = {}
  for i = 1, n do x[i] = math.sin(i) end
  return x
end

local x = image(16 * 16 * 3)
local function same(a, b)
  local p, q = a:forward { x }[1], b:forward { x }[1]
  for k = 1, #p do
    if p[k] ~= q[k] then return false end
  end
  return #p == #q
end

-- The file without its metadata, as other programs write it.
local function bare(path)
  local f = assert(io.open(path, "rb"))
  local text = f:read "a"
  f:close()
  local length = string.unpack("<I8", text)
  local head = text:sub(9, 8 + length):gsub('^{"__metadata__":{.-},"', '{"')
  head = head .. (" "):rep(-#head % 8)
  f = assert(io.open(path, "wb"))
  f:write(string.pack("<I8", #head), head, text:sub(9 + length))
  f:close()
end

for _, names in ipairs(naming.STYLES) do
  for _, o in ipairs { {}, { se = 0 }, { stem = "res", se = 0, stride = { 1, 2 } },
    { stem = "res", se = 0, stride = { 1, 2 }, block = "basic" }, "EfficientNet-B0" } do
    if o.block then o.b, o.g = nil, nil end
    local m = type(o) == "string" and zoo(o, { image = 16, classes = 5 }) or small(o)
    local n <close> = net.new(m, { seed = 3, batch = 1 })
    assert(n:save(at "w", { names = names }))
    local k = assert(net.load(at "w"))
    t.ok(same(n, k), ("%s, stem %s, blocks %s: loaded again"):format(names, m.stem, m.block))
    bare(at "w")
    local g <close> = assert(net.load(at "w", { image = 16 }))
    t.ok(same(n, g), "and without metadata, by its tensors")
    t.is(arch.hash(g:arch()), arch.hash(m), "which are of the same network")
    local other <close> = net.new(m, { seed = 4, batch = 1 })
    t.ok(other:load(at "w") == other and same(n, other), "and into a network that is there")
    k:close()
  end
end
t.ok(said[1]:find "does not say which network it is of; by its tensors %(names of pycls%) it is "
  and said[1]:find "d=1,2 w=16,24 b=1,2 g=4 se=0.25", "what was guessed is said", said[1])

-- Channels --------------------------------------------------------------------------------------

-- Ten classes of bright and dark stripes, as files.
for _, split in ipairs { "train", "val" } do
  for class = 0, 9 do
    local folder = ("%s/images/%s/c%d"):format(dir, split, class)
    os.execute("mkdir -p " .. folder)
    for i = 1, split == "train" and 10 or 2 do
      local pixels = {}
      for k = 1, 16 * 16 * 3 do
        pixels[k] = string.char((k // 48 * (class + 1) * 7 + k * i * 13) % 256)
      end
      local f <close> = assert(io.open(("%s/%d.ppm"):format(folder, i), "wb"))
      f:write("P6\n16 16\n255\n", table.concat(pixels))
    end
  end
end
local function images(o)
  o.image, o.scale = 16, 1
  return data.open("folder:" .. dir .. "/images", o)
end
local D = images { normalise = "imagenet" }
local n = net.new(small { classes = 10 }, { seed = 1 })
n:train(D, { epochs = 1, batch = 32 })
assert(n:save(at "bgr", { names = "pycls", channels = "BGR" }))
local text = core.header(at "bgr").metadata["netspace.data"]
t.ok(text:find('"channels":"BGR"', 1, true) and text:find('"mean":[103.53,116.28,123.67', 1, true),
  "a file for blue first has mean and deviation in that order", text)
local k = assert(net.load(at "bgr"))
t.ok(same(n, k), "and is turned when it is loaded")
t.is(k:data().channels .. " " .. k:data().mean[1], "RGB " .. n:data().mean[1], "with its data")
n:save(at "rgb")
local stem, turned = n:values "stem.conv.weight", nil
local b = net.new(n:arch())
assert(b:load(at "rgb", { channels = "BGR" }))
turned = b:values "stem.conv.weight"
t.ok(stem[1] == turned[19] and stem[10] == turned[10] and stem[2] ~= turned[2],
  "channels = \"BGR\" turns a file that does not say it")
t.fails(function() n:save(at "x", { channels = "GBR" }) end,
  'net:save: channels is \'GBR\'; it must be "RGB" or "BGR"', "a wrong word")
t.fails(function() net.new(small { channels = 1 }):save(at "x", { channels = "BGR" }) end,
  "gray images", "gray images have no order")

-- What is refused -------------------------------------------------------------------------------

t.fails(function() n:save(at "x", { names = "tim" }) end,
  'names is \'tim\'; it must be "pycls", "timm" or "torchvision"', "names of nobody")
t.fails(function() net.new(small { block = "basic", stem = "cifar", se = 0 }):save(at "x",
  { names = "timm" }) end, 'this network has stem = "cifar" with block = "basic", activation = '
  .. '"relu"; names = "pycls" takes any', "a network that timm has not")
t.fails(function() net.new(zoo("MobileNetV2-like", { image = 16 })):save(at "x",
  { names = "torchvision" }) end, 'has stem = "simple" with block = "mb", activation = "relu", '
  .. "head_width = 1280", "nor torchvision: another activation")
local function message(f, ...) return tostring(select(2, f(...))) end
do -- tensors of an EfficientNet with torchvision's epsilon, and of one that is not in the zoo
  local like = { d = { 1, 1, 1, 1, 1, 1, 1 }, w = { 8, 8, 8, 8, 8, 8, 8 }, b = 1 / 6, block = "mb",
    se = 0.25, activation = "silu", head_width = 2048, stem_width = 8, image = 16,
    stride = { 1, 2, 1, 1, 1, 1, 1 }, classes = 5 }
  local n <close> = net.new(arch.anynet(like), { batch = 1 })
  t.fails(function() n:save(at "x", { names = "torchvision" }) end,
    "EfficientNet-B5 divides by another epsilon in the batch norms of torchvision (0.001; here and "
    .. "in timm 0.00001)", "torchvision's B5 gives other numbers")
  assert(n:save(at "x", { names = "timm" }))
  bare(at "x")
  t.ok(message(net.load, at "x"):find("are of no EfficientNet of the zoo; make that network", 1,
    true), "an EfficientNet whose strides nobody knows", message(net.load, at "x"))
  assert(n:load(at "x"))
end
local wide = net.new(small { w = { 16, 32 } })
assert(net.new(small()):save(at "t", { names = "torchvision" }))
t.ok(message(wide.load, wide, at "t"):find("tensor 'trunk_output.block2.block2-0.proj.0.weight' is "
  .. "(24, 16, 1, 1); the network takes (32, 16, 1, 1)", 1, true),
  "weights of another network: the first that differs, both shapes")
local plain = net.new(small { se = 0 })
t.ok(message(plain.load, plain, at "t"):find("f.se.fc1.bias' (2), which the network lacks", 1, true),
  "one more", message(plain.load, plain, at "t"))
assert(plain:save(at "p", { names = "timm" }))
local with_se = net.new(small())
t.ok(message(with_se.load, with_se, at "p"):find("has no tensor 's1.b1.se.fc1.weight' (2, 16, 1, 1)",
  1, true), "one less", message(with_se.load, with_se, at "p"))
local foreign = write("foreign.safetensors", string.pack("<I8", 64)
  .. ('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'):sub(1, 64)
  .. (" "):rep(64 - 54) .. "\0\0\0\0")
t.ok(message(net.load, foreign):find("of no RegNet, ResNet or EfficientNet by the names", 1,
  true),
  "tensors of nobody", message(net.load, foreign))
for what, head in pairs {
  overlap = '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
    .. '"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
  ["cut short"] = '{"a":{"dtype":"F32","shape":[99],"data_offsets":[0,396]}}',
  ["by its shape and dtype"] = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}',
  overflows = '{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}',
} do
  local f = write("bad.safetensors", string.pack("<I8", #head) .. head .. ("\0"):rep(8))
  t.ok(message(net.load, f):find(what, 1, true), "offsets: " .. what, message(net.load, f))
end

for what, head in pairs { zip = "PK\3\4 and so on", pickle = "\x80\2\x8a\nl\xfc\x9cF" } do
  t.ok(message(net.load, write("net.pth", head)):find("is a file of PyTorch, a pickle, which is not "
    .. "read here; scripts/from_torch.py", 1, true), "a file of PyTorch: " .. what)
end
t.is(message(net.load, at "rgb", { classes = 0 }), at "rgb" .. ": classes is 0; it must be from 1 to "
  .. "100000", "no classes")
local gray <close> = net.new(small { channels = 1, classes = 10 })
t.ok(message(gray.load, gray, at "rgb"):find("it takes colour images, this network gray ones", 1,
  true), "colour and gray", message(gray.load, gray, at "rgb"))

-- Other heads, fine-tuning ----------------------------------------------------------------------

said = {}
local f = assert(net.load(at "rgb", { classes = 3, image = 24, seed = 9 }))
t.ok(said[1]:find "the head for 3 classes is freshly drawn %(seed 9%); that of the file is for 10",
  "another head is said", said[1])
t.is(f:arch().classes .. " " .. f:arch().image, "3 24", "with other images")
t.is(f:data().image, 24, "which are those that it predicts from")
t.is(#assert(net.load(at "rgb", { image = 24 }):predict(dir .. "/images/val/c0/1.ppm")), 10,
  "also with the file's own head")
t.is(table.concat(f:values "s2.b1.f.a.weight", " "), table.concat(n:values "s2.b1.f.a.weight", " "),
  "the body is the file's")
t.is(f:data().class_names, nil, "its classes are forgotten, not its mean")
t.is(f:data().mean[1], n:data().mean[1], "which stays")

local function parts_changed(before, net1)
  local set, list = {}, {}
  for _, p in ipairs(net1:params()) do
    local v = net1:values(p.name)
    for i, old in ipairs(before[p.name]) do
      if v[i] ~= old then set[p.name:match "^%w+"] = true break end
    end
  end
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, " ")
end

local function values(net1)
  local v = {}
  for _, p in ipairs(net1:params()) do v[p.name] = net1:values(p.name) end
  return v
end

for what, want in pairs { body = "head", stem = "head s1 s2", s1 = "head s2" } do
  local g = assert(net.load(at "rgb", { classes = 10 }))
  local before = values(g)
  g:train(D, { epochs = 1, freeze = what })
  t.is(parts_changed(before, g), want, "freeze = " .. what .. ": what learns")
end

-- The head alone learns as softmax regression on fixed features: a step computed here.
do
  local g = assert(net.load(at "rgb", { classes = 10 }))
  local before = values(g)
  local one = images { train = 32, normalise = "imagenet" }
  g:train(one, { epochs = 1, batch = 32, freeze = "body", lr = 0.5, wd = 0, momentum = 0,
    nesterov = false, warmup = 0, schedule = "constant", augment = "none" })
  local fixed = assert(net.load(at "rgb", { classes = 10 }))
  local step, C = {}, 10
  for i = 1, 32 do
    local logits = fixed:forward { (one:input("train", i)) }[1]
    local most, sum = math.max(table.unpack(logits)), 0
    for c = 1, C do sum = sum + math.exp(logits[c] - most) end
    local _, label = one:image("train", i)
    for c = 1, C do
      step[c] = (step[c] or 0) + (math.exp(logits[c] - most) / sum - (c == label + 1 and 1 or 0)) / 32
    end
  end
  local off = 0
  for c, v in ipairs(g:values "head.fc.bias") do
    off = math.max(off, math.abs(v - (before["head.fc.bias"][c] - 0.5 * step[c])))
  end
  t.ok(off < 1e-6, "the step of the head's bias is that of fixed features", off)
end

-- Rates by part: without momentum, the first step of each part is its share of that with one rate.
do
  local function step(scale)
    local g = assert(net.load(at "rgb", { classes = 10 }))
    local before = values(g)
    local one = images { train = 32, normalise = "imagenet" }
    g:train(one, { epochs = 1, batch = 32, lr = 0.1, wd = 0, momentum = 0, nesterov = false, warmup = 0,
      schedule = "constant", augment = "none", lr_scale = scale })
    local d = {}
    for name, old in pairs(before) do d[name] = g:values(name)[1] - old[1] end
    return d
  end
  local whole, half = step(nil), step(0.5)
  for name, share in pairs { ["stem.bn.bias"] = 1 / 8, ["s1.b1.f.c_bn.bias"] = 1 / 4,
    ["s2.b2.f.c_bn.bias"] = 1 / 2, ["head.fc.bias"] = 1 } do
    t.near(half[name] / whole[name], share, 1e-2, "lr_scale = 0.5: the step of " .. name)
  end
end

-- A net that knows its mean keeps it on other data.
do
  local g = assert(net.load(at "rgb", { classes = 10 }))
  local own = images {}
  t.ok(own:card().mean[1] ~= D:card().mean[1], "data with another mean")
  g:train(own, { epochs = 1, freeze = "body" })
  t.is(g:data().mean[1], n:data().mean[1], "fine-tuned with the mean that the body knows")
end

t.fails(function() net.new(small { classes = 10 }):train(D, { freeze = "body" }) end,
  "those of this net are fresh", "nothing to keep")
local g = assert(net.load(at "rgb"))
t.fails(function() g:train(D, { freeze = "s3" }) end, "freeze is 's3'; this net has 2 stages",
  "a stage that is not there")
t.fails(function() g:train(D, { freeze = "head" }) end, "freeze is 'head'", "the head learns")
t.fails(function() g:train(D, { lr_scale = 0 }) end, "lr_scale is 0; it must be above 0, to 1", "0")
os.execute("rm -rf " .. dir)
t.done()
