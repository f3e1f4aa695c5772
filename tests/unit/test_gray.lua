-- Gray networks: what is counted, named, saved, trained; and that networks of three channels are
-- what they were before there were others.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local pycls = require "netspace.network.pycls"

-- Three channels: the key is absent; hash and fingerprint are those of the release before.
local colour = zoo["RegNetX-200MF"]
t.is(colour.channels, nil, "a network of three channels does not say so")
t.is(arch.anynet({ d = { 1 }, w = { 8 }, channels = 3 }).channels, nil, "nor where it is asked for")
t.is(arch.hash(colour), "da21c8ee23283a1c", "its hash is as it was")
t.is(ledgers.fingerprint(ledgers.identity(colour)), "5088faccd1d933cf", "and its fingerprint")
t.is(arch.hash(space.small.AnyNetXA:sample(1, { seed = 1 })[1]), "e389293d2c923faa",
  "a space draws what it drew")

local gray = zoo("RegNetX-200MF", { channels = 1 })
local a, b = arch.complexity(colour), arch.complexity(gray)
t.is(gray.channels, 1, "a gray network says so")
t.is(a.params - b.params, 2 * 9 * 32, "it has two thirds fewer weights in its stem")
t.is(a.flops - b.flops, 2 * 9 * 32 * 112 * 112, "and so many fewer multiply-adds")
t.is(a.acts, b.acts, "and the same activations")
t.ok(arch.hash(gray) ~= arch.hash(colour), "another hash")
t.ok(ledgers.fingerprint(ledgers.identity(gray)) ~= "5088faccd1d933cf", "another fingerprint")
t.ok(tostring(arch.describe(gray)):find("224 px gray, 1000 classes", 1, true), "described as gray")
t.ok(not tostring(arch.describe(colour)):find "gray", "the other is not")
t.ok(pretty(gray):find("channels=1", 1, true), "printed as gray")
t.is(pycls.config(gray), nil, "pycls has no such network")
t.ok(pycls.config(colour) ~= nil, "but the other")
local none, reason = arch.anynet { d = { 1 }, w = { 8 }, channels = 2 }
t.is(none, nil, "two channels are refused")
t.is(reason, "channels is 2; images have 3 (red, green, blue) or 1 (gray)", "with the reason")

local made = json.decode(json.encode(gray))
t.is(arch.hash(made), arch.hash(gray), "through JSON and back")

local S = space.small.RegNetX:with { channels = 1, image = 28 }
local pop = S:sample(3, { seed = 1 })
t.is(pop[1].channels, 1, "spaces draw gray networks")
t.is(pop.spec.options.channels, 1, "and say so")
t.ok(tostring(S:describe()):find("28 px gray", 1, true), "and describe them")

-- A net of one channel: its input, its parameters, its file.
local m = arch.anynet { d = { 1, 1 }, w = { 16, 24 }, stem = "cifar", image = 9, channels = 1 }
local n <close> = net.new(m, { seed = 3 })
local x = {}
for i = 1, 81 do x[i] = math.sin(i) end
t.is(#n:forward { x }[1], 10, "it takes one value a pixel")
t.fails(function() n:forward { { 1, 2, 3 } } end,
  "takes flat lists of 81 numbers (rows of pixels of 1 channel)", "and says how many values")
local stem
for _, p in ipairs(n:params()) do
  if p.name == "stem.conv.weight" then stem = table.concat(p.shape, "x") end
end
t.is(stem, "32x1x3x3", "the stem's weights, by pycls's name")
local path = os.tmpname()
t.ok(n:save(path), "saved")
local back <close> = net.load(path)
t.is(back:arch().channels, 1, "the file says that it is gray")
t.is(table.concat(back:forward { x }[1], " "), table.concat(n:forward { x }[1], " "),
  "and has the same weights")
os.remove(path)

-- Data of three channels.
local d <close> = data.open("shapes", { train = 40, test = 20 })
local other = arch.anynet { d = { 1 }, w = { 8 }, stem = "cifar", channels = 1 }
local wrong <close> = net.new(other)
t.fails(function() wrong:train(d) end, "the data has colour images of 32 pixels and 10 classes, "
  .. "this net takes gray of 32 and 10: make it with image = 32, classes = 10, channels = 3",
  "training refuses other channels")
t.fails(function() wrong:test(d) end, "make it with image = 32, classes = 10, channels = 3",
  "and so does testing")
local dir = os.tmpname()
os.remove(dir)
t.fails(function() sweep.run { store = dir, name = "g", models = { other }, data = d } end,
  "models[1] has channels = 1, the data 'shapes' has 3; make the models with channels = 3, "
  .. "or draw them for the data", "a sweep says the remedy before it begins")

local b1 = net.benchmark(other, { seconds = 0.01, batch = 2 })
t.ok(b1.images_per_s > 0, "a gray network can be timed")

t.done()
