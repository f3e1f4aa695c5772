-- Networks that take their size from the data: the rule for stem and strides, what spaces take
-- from a data set, and what they refuse.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local sizes = require "netspace.space.sizes"

local function shown(f) return f.stem .. " " .. table.concat(f.stride, " ") end

t.is(shown(sizes.fit(8, 4)), "cifar 1 1 1 2", "8 pixels")
t.is(shown(sizes.fit(12, 4)), "cifar 1 1 1 2", "12")
t.is(shown(sizes.fit(13, 4)), "cifar 1 1 2 2", "13")
t.is(shown(sizes.fit(28, 4)), "cifar 1 2 2 2", "28")
t.is(shown(sizes.fit(32, 4)), "cifar 1 2 2 2", "32, as space.small always was")
t.is(shown(sizes.fit(32, 3)), "cifar 1 2 2", "three stages")
t.is(shown(sizes.fit(32, 5)), "cifar 1 2 2 2 2", "five")
t.is(shown(sizes.fit(48, 4)), "cifar 1 2 2 2", "48")
t.is(shown(sizes.fit(64, 4)), "simple 1 2 2 2", "64")
t.is(shown(sizes.fit(96, 4)), "simple 1 2 2 2", "96")
t.is(shown(sizes.fit(128, 4)), "simple 2 2 2 2", "128")
t.is(shown(sizes.fit(224, 4)), "simple 2 2 2 2", "224, as the paper")
t.is(shown(sizes.fit(9, 1)), "cifar 1", "one stage")

-- From 8 to 256 pixels the last of four stages has 4 to 8 a side, counted by the engine.
local least, most = math.huge, 0
for image = 8, 256 do
  local f = sizes.fit(image, 4)
  local parts = arch.parts(arch.anynet { d = { 1, 1, 1, 1 }, w = { 8, 8, 8, 8 }, stem = f.stem,
    stride = f.stride, image = image })
  local last = parts[#parts - 1].size
  least, most = math.min(least, last), math.max(most, last)
end
t.is(least, 4, "never below 4 pixels")
t.is(most, 8, "nor above 8")

local d <close> = data.open("shapes", { train = 40, test = 20 })
local w = { seed = 1, flops = { 1e6, 2e6 } }
local plain = space.small.AnyNetXA:sample(4, w)
w.data = d
local fitted = space.small.AnyNetXA:sample(4, w)
local same = true
for i, m in ipairs(plain) do same = same and arch.hash(m) == arch.hash(fitted[i]) end
t.ok(same, "the spaces for 32 pixels draw the same networks for data of 32 pixels")
t.is(fitted.space, "AnyNetX_A-32px", "called the same")

local m = space.AnyNetXA:sample(1, { data = "shapes" })[1]
t.is(m.image .. " " .. m.stem .. " " .. table.concat(m.stride, " "), "32 cifar 1 2 2 2",
  "the paper's spaces take size, stem and strides from the data, by its name as well")
m = space.AnyNetXA:with({ stem = "res" }):sample(1, { data = d, stride = 2 })[1]
t.is(m.stem .. " " .. table.concat(m.stride, " "), "res 2 2 2 2",
  "not what the space or the call gives")
m = space.small.AnyNetXA:with({ stride = 2 }):sample(1, { data = d })[1]
t.is(table.concat(m.stride, " "), "2 2 2 2", "nor what was changed of a small one")
t.ok(space.small.AnyNetXA:size({ data = d, draws = 10 }).nominal > 1, "S:size takes data")
t.ok(space.small.AnyNetXA:acceptance({ data = d }).share > 0, "S:acceptance takes data")

-- A data set of other images, as far as a space looks at it.
local S = space.small.AnyNetXB
local set = sizes.complete("S:sample", S, {},
  { spec = "folder:x", image = 64, channels = 1, classes = 7 })
local p = S:sample(1, set)
m = p[1]
t.is(m.image .. " " .. m.channels .. " " .. m.classes .. " " .. m.stem, "64 1 7 simple",
  "gray images of 64 pixels in seven classes")
t.is(p.space, "AnyNetX_B-64px", "the population is called after the size")
t.is(p.spec.name .. " " .. table.concat(p.spec.lineage, ">"),
  "AnyNetX_B-64px AnyNetX_A-64px>AnyNetX_B-64px", "in the store as well")
t.ok(space["AnyNetX_B-64px"] == S and space.small["AnyNetX_B-64px"] == S, "and found by that name")
t.ok(S:contains(m), "the network is one of the space")

t.fails(function() S:sample(1, { data = d, image = 64 }) end, "S:sample: image is 64, and the data "
  .. "'shapes' has 32: leave it out, or open the data with image = 64", "another size is refused")
t.fails(function() S:sample(1, { data = d, classes = 3 }) end,
  "classes is 3, and the data 'shapes' has 10: leave it out", "other classes as well")
t.fails(function() S:sample(1, { data = 7 }) end, "got number", "a number is no data")
t.fails(function() S:sample(1, { data = "shaps" }) end, "there is no data set 'shaps'",
  "nor an unknown name")

t.done()
