-- What a network says of a file: the steps from the file to its input, beside a computation of
-- their own in plain Lua (Pillow's resizing by its formula) and beside the data set's; what is
-- kept with the weights; what is refused.
package.path = "tests/unit/?.lua;" .. package.path
local make = require "archives"
local look = require "netspace.core.look"
local members = require "netspace.lib.members"
local t = require "tap"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp "/tmp/netspace-single-XXXXXX")
uv.os_setenv("XDG_CACHE_HOME", dir .. "/cache")
uv.os_setenv("XDG_STATE_HOME", dir .. "/state")
local at_end <close> = setmetatable({}, { __close = function() -- luacheck: ignore 211
  os.execute("rm -rf '" .. dir .. "'")
end })

-- ---- the steps, by their formulas -------------------------------------------------------

-- One line of n bytes to m: a triangle as wide as the step, rounded to a byte.
local function line(from, m)
  local n, to = #from, {}
  local scale = n / m
  local reach = math.max(scale, 1)
  for i = 0, m - 1 do
    local middle, sum, weight = (i + 0.5) * scale, 0, 0
    for k = math.max(0, math.floor(middle - reach + 0.5)),
      math.min(n, math.floor(middle + reach + 0.5)) - 1 do
      local w = math.max(0, 1 - math.abs((k + 0.5 - middle) / reach))
      sum, weight = sum + w * from[k + 1], weight + w
    end
    to[i + 1] = math.floor(sum / weight + 0.5)
  end
  return to
end

-- p[y][x] of one channel, resized to width and height: rows, then columns.
local function resized(p, width, height)
  local rows, out = {}, {}
  for y = 1, #p do rows[y] = #p[y] == width and p[y] or line(p[y], width) end
  for y = 1, height do out[y] = {} end
  for x = 1, width do
    local column = {}
    for y = 1, #rows do column[y] = rows[y][x] end
    if #column ~= height then column = line(column, height) end
    for y = 1, height do out[y][x] = column[y] end
  end
  return out
end

local function to_side(p, side)
  local w, h = #p[1], #p
  if w > h then return resized(p, side * w // h, side) end
  return resized(p, side, side * h // w)
end

-- The numbers that a network of `image` pixels takes of planes[c][y][x].
local function by_hand(planes, about)
  local x, image = {}, about.image
  for c, p in ipairs(planes) do
    if about.size and math.min(#p, #p[1]) > about.size then p = to_side(p, about.size) end
    p = to_side(p, math.floor(about.scale * image + 0.5))
    local left, top = (#p[1] - image) // 2, (#p - image) // 2
    if (#p[1] - image) % 4 == 3 then left = left + 1 end -- halves to the even number, as Python
    if (#p - image) % 4 == 3 then top = top + 1 end
    for y = 1, image do
      for k = 1, image do
        x[((y - 1) * image + k - 1) * #planes + c] =
          (p[top + y][left + k] - about.mean[c]) / about.std[c]
      end
    end
  end
  return x
end

-- A smooth picture, its planes and the bytes of its file.
local function picture(width, height, channels, seed)
  local planes, bytes = {}, {}
  for c = 1, channels do planes[c] = {} end
  for y = 1, height do
    for c = 1, channels do planes[c][y] = {} end
    for x = 1, width do
      for c = 1, channels do
        local wave = math.sin(seed + c + x / (3 + seed % 5)) * math.cos(y / 5 + c)
        local v = math.floor(127 + 120 * wave)
        planes[c][y][x] = v
        bytes[#bytes + 1] = string.char(v)
      end
    end
  end
  return ("P%d\n%d %d\n255\n%s"):format(channels == 3 and 6 or 5, width, height,
    table.concat(bytes)), planes
end

local function farthest(a, b)
  local most = #a == #b and 0 or math.huge
  for i = 1, math.min(#a, #b) do most = math.max(most, math.abs(a[i] - b[i])) end
  return most
end

local function softmax(logits)
  local p, sum = {}, 0
  for k, x in ipairs(logits) do
    p[k] = math.exp(x)
    sum = sum + p[k]
  end
  for k in ipairs(p) do p[k] = p[k] / sum end
  return p
end

-- A folder of two classes, a network trained on it for a moment.
local function trained(name, channels, o)
  for _, part in ipairs { "train", "test" } do
    for k, class in ipairs { "cat", "dog" } do
      for i = 1, 12 do
        make.write(("%s/%s/%s/%s/%02d.pnm"):format(dir, name, part, class, i),
          (picture(30 + 7 * i, 44 - i, channels, 100 * k + i)))
      end
    end
  end
  local d = assert(data.open(dir .. "/" .. name, o))
  local n = net.new(arch.anynet { d = { 1 }, w = { 8 }, image = o.image, classes = 2,
    channels = channels, stem = "cifar" }, { seed = 1 })
  n:train(d, { epochs = 2, batch = 8 })
  return n, d
end

for channels, name in pairs { [3] = "colour", [1] = "gray" } do
  local n, d = trained(name, channels, { image = 16, size = 20 })
  local about = n:data()
  t.is(("%g %d %s %s %s"):format(about.scale, about.size, about.resize, about.size_resize,
    about.background), "1.14286 20 antialias antialias black", name .. ": kept with the network")
  for i, size in ipairs { { 40, 30 }, { 23, 57 }, { 16, 16 }, { 18, 90 }, { 200, 31 } } do
    local file = ("%s/%s-%d.pnm"):format(dir, name, i)
    local bytes, planes = picture(size[1], size[2], channels, 7 * i)
    make.write(file, bytes)
    local x = by_hand(planes, about)
    local seen = look.single(file, { image = 16, channels = channels, scale = about.scale,
      size = about.size, mean = about.mean, std = about.std })
    t.ok(farthest(x, seen) <= 1.01 / math.min(table.unpack(about.std)),
      ("%s of %dx%d: within a byte of the formula"):format(name, size[1], size[2]),
      tostring(farthest(x, seen) * about.std[1]))
    local p, want = n:predict(file), softmax(n:forward { x }[1])
    t.near(p[1].p + p[2].p, 1, 1e-12, "probabilities are 1 together")
    t.near(p.p, want[p.label + 1], 0.01, "and those of the formula")
    t.is(p.class, ({ "cat", "dog" })[p.label + 1], "of the class of that number")
    t.ok(p[1].p >= p[2].p and p.p == p[1].p, "the most likely first")
  end
  -- the data set's own images
  for _, i in ipairs { 1, 13, 24 } do
    local file = ("%s/%s/%s"):format(dir, name, d:name("test", i))
    local p = n:predict(file)
    local logits = n:forward { (d:input("test", i)) }[1]
    t.near(p.p, math.max(table.unpack(softmax(logits))), 1e-12, d:name("test", i)
      .. ": as in the data set")
    local as_bytes = n:predict((d:image("test", i)))
    t.near(as_bytes[1].p, p[1].p, 1e-6, "and of its bytes")
  end
  if channels == 1 then -- colours as gray, by luma
    make.write(dir .. "/red.ppm", "P6\n16 16\n255\n" .. ("\255\0\0"):rep(256))
    make.write(dir .. "/luma.pgm", "P5\n16 16\n255\n" .. ("\76"):rep(256))
    t.is(n:predict(dir .. "/red.ppm").p, n:predict(dir .. "/luma.pgm").p, "red is gray of 76")
    -- another gray set is seen by the network's own mean
    local other = select(2, trained("other", 1, { image = 16, size = 20 }))
    t.ok(n:test(other), "a gray network is tested on another gray set")
  end
  -- from a file of weights
  assert(n:export(dir .. "/out"))
  local loaded <close> = assert(net.load(dir .. "/out/net.safetensors"))
  local file = ("%s/%s-1.pnm"):format(dir, name)
  t.is(tostring(loaded:predict(file)), tostring(n:predict(file)), "the same from its file")
  t.ok(tostring(n:predict(file)):find "^%a+ %d+%.%d %%, %a+ %d+%.%d %%$", "as text")
  local two = n:predict { file, dir .. "/" .. name .. "-2.pnm" }
  t.is(#two .. two[1].file, "2" .. file, "of a list of files")
  t.is(two[1].p, n:predict(file).p, "each as alone")
  t.ok(tostring(two):find(file .. ": ", 1, true), "with its name")
  t.is(members.kind(two) .. members.kind(two[1]), "predictionsprediction", "their kinds")

  local none, why = n:predict(dir .. "/none.jpg")
  t.is(none, nil, "a file that is not there")
  t.is(why, dir .. "/none.jpg: No such file or directory", "is named")
  make.write(dir .. "/page.jpg", "<!DOCTYPE html>")
  none, why = n:predict { file, dir .. "/page.jpg" }
  t.ok(none == nil and why:find(dir .. "/page.jpg: ", 1, true), "so is one that is none", why)
  t.fails(function() n:predict { 1, 2, 3 } end,
    "net:predict: an image is a flat list of " .. 256 * channels .. " bytes (16 rows of 16 pixels")
  t.fails(function() n:predict { file, 3 } end, "file 2 of the list is number, not a name")
  t.fails(function() n:predict(7) end, "net:predict: it takes the name of a file")
  n:close()
  t.fails(function() n:predict(file) end, "net:predict: closed net")
end

local fresh <close> = net.new(arch.anynet { d = { 1 }, w = { 8 } })
t.fails(function() fresh:predict "x.jpg" end, "net:predict: the net was not trained")
t.done()
