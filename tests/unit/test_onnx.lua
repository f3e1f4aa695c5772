-- ONNX models of every block and stem, read and computed by a naive interpreter: the logits are
-- those of the network.  With the batch norms folded and not, the normalisation inside and not,
-- and the weights in a file of their own.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local core = require "netspace.core.export"
local json = require "netspace.lib.json"
local naive = require "onnx_naive"
local onnx = require "netspace.network.onnx"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-onnx-XXXXXX")) .. "/"
local file = dir .. "net.onnx"

local first = arch.anynet { d = { 1 }, w = { 8 }, stem_width = 8, image = 8, classes = 10 }
do -- a build without ONNX says what it lacks
  local n <close> = net.new(first)
  local good, why = onnx.write(n, file, nil, { fold = true })
  if not good then
    t.ok(tostring(why):find("libonnx-dev", 1, true) ~= nil, "what is missing is named", why)
    os.execute("rm -rf " .. dir)
    return t.done()
  end
end

-- A net whose weights and statistics are not those of the start (of gray images they are), and
-- two images for it.
local function used(m)
  local C, n, images = m.channels or 3, net.new(m, { seed = 5, batch = 2 }), {}
  if C == 3 then
    local d <close> = assert(data.open("shapes", { train = 16, test = 16, image = m.image }))
    assert(n:train(d, { epochs = 1, batch = 8, warmup = 0, lr = 0.05 }).status == "done")
  end
  for b = 1, 2 do
    images[b] = {}
    for i = 1, m.image ^ 2 * C do images[b][i] = math.sin(0.7 * i + b + i % 17) end
  end
  return n, images
end

-- The largest difference of a model's logits from the net's, by the largest logit.
local function difference(n, images, m, about, o)
  assert(onnx.write(n, file, about, o))
  local model = naive.read(file)
  local side, C = m.image, m.channels or 3
  local x = { shape = { #images, C, side, side } }
  for _, image in ipairs(images) do
    for c = 1, C do
      for k = 0, side * side - 1 do -- images of the net have their channels last
        local v = image[k * C + c]
        x[#x + 1] = o.normalise and v * about.std[c] + about.mean[c] or v
      end
    end
  end
  local y, want, worst, most = naive.run(model, x), n:forward(images), 0, 0
  for b, list in ipairs(want) do
    for k, v in ipairs(list) do
      worst = math.max(worst, math.abs(v - y[(b - 1) * #list + k]))
      most = math.max(most, math.abs(v))
    end
  end
  return worst / most, model
end

local about = { mean = { 120, 110, 100 }, std = { 60, 61, 62 }, class_names = { "a", "b" },
  channels = "RGB" }
local tried = 0
for _, block in ipairs { "x", "r", "linear", "mb", "basic", "vanilla", "v", "vr" } do
  for _, stem in ipairs { "simple", "res", "cifar" } do
    local wide = block == "x" or block == "r" or block == "linear"
    local m = assert(arch.anynet { d = { 1, 2 }, w = { 8, 16 }, block = block, stem = stem,
      b = block == "mb" and { 1, 1 / 2 } or wide and 2 or nil, stem_width = 8,
      g = (block == "x" or block == "linear") and 4 or nil, image = 12, classes = 10,
      se = (block == "x" or block == "mb") and 0.25 or nil,
      activation = block == "mb" and "silu" or nil })
    local n <close>, images = used(m)
    local folded = difference(n, images, m, about, { fold = true, normalise = true })
    local plain, model = difference(n, images, m, about, { fold = false, normalise = false })
    t.ok(folded < 1e-5 and plain < 1e-5, ("block %s, stem %s"):format(block, stem),
      ("%g %g"):format(folded, plain))
    tried = tried + 1
    if tried == 1 then
      t.is(model.opset, 17, "the opset")
      t.is(model.metadata.class_names, '["a","b"]', "class names")
      t.is(model.metadata.mean, "[120,110,100]", "mean")
      t.is(model.metadata.channels, "RGB", "the order of the channels")
      t.is(arch.hash(json.decode(model.metadata["netspace.arch"])), arch.hash(m), "the network")
    end
  end
end
t.is(tried, 24, "all blocks with all stems")

local gray = arch.anynet { d = { 1 }, w = { 8 }, stem_width = 8, image = 8, classes = 10,
  channels = 1, head_width = 16 }
do
  local n <close>, images = used(gray)
  local off = difference(n, images, gray, { mean = { 100 }, std = { 50 } },
    { fold = true, normalise = true })
  t.ok(off < 1e-5, "gray images, a wider head", tostring(off))
  off = difference(n, images, gray, about, { fold = true, normalise = false, inside = 0 })
  local size = assert(uv.fs_stat(file .. ".data")).size
  t.ok(off < 1e-5 and size > 4 * 100 and uv.fs_stat(file).size < 2 * size,
    "weights in a file beside it", tostring(off))
  local good, why = onnx.write(n, dir .. "none/net.onnx", nil, {})
  t.ok(not good and why:find "cannot be written", "a directory that is not there", why)
  good, why = pcall(core.onnx, n, file, { inside = 1, mean = { 1 }, metadata = {} })
  t.ok(not good and tostring(why):find "mean without std", "half a normalisation", why)
end

-- The whole directory.
do
  local n <close> = used(first)
  local made = assert(n:export(dir .. "out", { c = true }))
  t.ok(made.onnx and made.normalised and made.memory > 1000, "what an export has")
  local names, entries = {}, assert(uv.fs_scandir(dir .. "out"))
  for name in uv.fs_scandir_next, entries do names[#names + 1] = name end
  table.sort(names)
  t.is(table.concat(names, " "), "demo.c net.c net.h net.onnx net.safetensors torch_anynet.py",
    "its files")
  t.ok(#naive.read(dir .. "out/net.onnx").metadata.class_names > 10, "classes of the data")
  local fresh <close> = net.new(first)
  t.is(assert(fresh:export(dir .. "fresh")).normalised, false, "a net that was not trained")
  local good, why = pcall(fresh.export, fresh, dir .. "fresh", { normalise = true })
  t.ok(not good and tostring(why):find "was not trained", "has no mean to take away", why)
end

os.execute("rm -rf " .. dir)
t.done()
