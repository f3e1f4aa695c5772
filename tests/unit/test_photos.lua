-- A person's folder of images, the whole way: description with files that cannot be read and images
-- that are there twice, gray networks of the data's size, a sweep, confusion, the test images once.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local sys = require "netspace.core.sys"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-photos-XXXXXX"))
for _, name in ipairs { "CACHE", "STATE", "CONFIG" } do
  uv.os_setenv(("XDG_%s_HOME"):format(name), dir .. "/" .. name:lower())
end

-- A gray image: a bar that stands (class "bar") or lies ("sky"), at a place of its own.
local function image(class, k)
  local pixels = {}
  for y = 0, 17 do
    for x = 0, 21 do
      local at = class == "bar" and x or y
      pixels[#pixels + 1] = string.char((at + k) % 9 < 3 and 200 or 40 + (x * y + k) % 7)
    end
  end
  return "P5 22 18 255\n" .. table.concat(pixels)
end
local function write(path, bytes)
  local at = dir .. "/own"
  uv.fs_mkdir(at, 493)
  for part in path:gmatch "([^/]+)/" do
    at = at .. "/" .. part
    uv.fs_mkdir(at, 493)
  end
  local f = assert(io.open(dir .. "/own/" .. path, "wb"))
  f:write(bytes)
  f:close()
end
for class, n in pairs { bar = 40, sky = 24 } do
  for k = 1, n do
    write(("train/%s/%d.pgm"):format(class, k), image(class, k))
    write(("validation/%s/%d.pgm"):format(class, k), image(class, k + 100))
    write(("test/%s/%d.pgm"):format(class, k), image(class, k + 200))
  end
end

-- Two images of train in test as well, one of them in another class.
local function noise(seed)
  local pixels = {}
  for i = 1, 22 * 18 do pixels[i] = string.char(sys.random(seed, i, sys.purpose.shapes) % 256) end
  return "P5 22 18 255\n" .. table.concat(pixels)
end
write("train/bar/a.pgm", noise(1))
write("test/bar/a.pgm", noise(1))
write("train/bar/b.pgm", noise(2))
write("test/sky/b.pgm", noise(2))
write("train/sky/broken.pgm", "P5 22 18 255\nshort")

local spec = "folder:" .. dir .. "/own"
local none, why = data.open(spec, { image = 16 })
t.ok(none == nil and why:find("broken.pgm", 1, true), "a file that cannot be read stops it", why)
local d <close> = assert(data.open(spec, { image = 16, bad = "skip" }))
local card = d:card()
t.is(card.channels .. " " .. card.image .. " " .. card.classes, "1 16 2", "gray, of the size asked for")
local about = d:describe()
local text = tostring(about)
t.ok(text:find("images of 16x16 pixels, gray, in 2 classes", 1, true), "what it is", text)
t.ok(text:find "\nunreadable +1 file, left out\n[^\n]*broken.pgm: %S", "what could not be read", text)
t.ok(text:find("\nfiles       22x18 pixels\n            409 bytes to 409 bytes (median 409 bytes)\n",
    1, true) and text:find("\nkept        22x18 pixels\n", 1, true), "sizes", text)
t.is(about.survey.test.again.train >= 2, true, "images of train in test are found")
t.ok(text:find "of test are in train, too", "and told of", text)
t.ok(text:find "in several classes", "those of another class as well", text)
t.ok(text:find "\n +train train/bar/%d+%.pgm = test test/bar/%d+%.pgm\n", "by the names of files", text)

-- Networks for it.
local S = space.small.RegNetX
local models = S:sample(2, { data = d, flops = { 1e5, 3e6 }, seed = 1 })
t.is(models.space .. " " .. models[1].channels .. " " .. models[1].classes, "RegNetX-16px 1 2",
  "networks are gray, too")
local result = sweep.run { store = dir .. "/own.db", models = models, data = d, quiet = true,
  recipe = { epochs = 6, batch = 8 }, checkpoint = { keep = true } }
t.is(result.failed, 0, "they train")
t.ok(math.min(table.unpack(result.errors)) < 30, "and learn", table.concat(result.errors, " "))
for _, kind in ipairs { "csv", "jsonl" } do
  local path = dir .. "/own." .. kind
  assert(sweep.open(dir .. "/own.db"):export(path))
  local back = stats.import(path)
  t.is(arch.hash((back[1] or back).models[1]), arch.hash(models[1]), kind .. ": there and back")
end

local n <close> = assert(assert(sweep.open(dir .. "/own.db")):net(models.space, 1))
t.is(n:arch().channels, 1, "the store has a gray network")
t.near(n:confusion(d, { split = "validation" }).error, result.errors[1], 1e-9,
  "the confusion has the error of the sweep")
local e, metrics = n:test(d)
t.ok(e >= 0 and metrics.looks == 1, "the test images, once")
t.ok(tostring(d:describe()):find("test        looked at once, at 1 network", 1, true),
  "which the description says")

os.execute("rm -rf " .. dir)
t.done()
