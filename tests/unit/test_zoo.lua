-- The networks of the zoo against the counts that pycls publishes for them: equal to the unit.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local zoo = require "netspace.network.zoo"

-- flops, params, acts; then depths and widths where they are published
local golden = {
  ["RegNetX-200MF"] = { 199040872, 2684792, 2164056, "1,1,4,7", "24,56,152,368" },
  ["RegNetX-400MF"] = { 397678568, 5157512, 3143272, "1,2,7,12", "32,64,160,384" },
  ["RegNetX-600MF"] = { 600891112, 6196040, 3975096, "1,3,5,7", "48,96,240,528" },
  ["RegNetX-800MF"] = { 799700712, 7259656, 5148744, "1,3,7,5", "64,128,288,672" },
  ["RegNetX-1.6GF"] = { 1602850792, 9190136, 7933512, "2,4,10,2", "72,168,408,912" },
  ["RegNetX-8.0GF"] = { 7995133416, 39572648, 14059688, "2,5,15,1", "80,240,720,1920" },
  ["RegNetX-32GF"] = { 31735930792, 107811560, 36302160, "2,7,13,1", "336,672,1344,2520" },
  ["RegNetY-200MF"] = { 199519076, 3162996, 2168052, "1,1,4,7", "24,56,152,368" },
  ["RegNetY-400MF"] = { 401849056, 4344144, 3892496, "1,3,6,6", "48,104,208,440" },
  ["RegNetY-800MF"] = { 797183328, 6263168, 5249888, "1,3,8,2", "64,128,320,768" },
  ["RegNetY-1.6GF"] = { 1612087326, 11202430, 8044814, "2,6,17,2", "48,120,336,888" },
  ["RegNetY-4.0GF"] = { 3973301344, 20646656, 12287200 },
  ["RegNetY-32GF"] = { 32279583362, 145046770, 30261570 },
  ["ResNet-50"] = { 4089185256, 25557032, 11315688 },
  ["ResNeXt-50"] = { 4230480872, 25028904, 14602216 },
  ["EfficientNet-B0"] = { 385825092, 5288548, 6748036 },
  -- counted of the networks in PyTorch (lua/netspace/network/torch_anynet.py)
  ["EfficientNet-B1"] = { 686817992, 7794184, 10884328 },
  ["EfficientNet-B2"] = { 993578282, 9109994, 13832834 },
  ["EfficientNet-B3"] = { 1827162472, 12233232, 23831296 },
  ["EfficientNet-B4"] = { 4393801064, 19341616, 49489032 },
  ["EfficientNet-B5"] = { 10266426072, 30389784, 98857400 },
  ["MobileNetV2-like"] = { 300775272, 3504872, 6679112 },
  ["VGG-16-like"] = { 15347143656, 15231912, 13548520 },
  ["R-56"] = { 125747850, 855770, 544778 },
  ["R-110"] = { 253149834, 1730714, 1060874 },
  ["V-56"] = { 125485706, 853018, 532490 },
}
-- Widths before group compatibility.
local asked = {
  ["RegNetX-400MF"] = "24,64,152,392", ["RegNetX-1.6GF"] = "80,176,408,912",
  ["RegNetX-8.0GF"] = "80,232,664,1912", ["RegNetX-32GF"] = "320,640,1280,2560",
  ["RegNetY-800MF"] = "56,136,320,776", ["RegNetY-1.6GF"] = "48,128,336,896",
  ["RegNetX-200MF"] = "24,56,152,368", ["RegNetY-400MF"] = "48,104,208,440",
}

local names = zoo.names()
t.is(#names, 41, "41 networks")
local seen = {}
for _, name in ipairs(names) do
  local m = zoo[name]
  local c = arch.complexity(m)
  seen[arch.hash(m)] = (seen[arch.hash(m)] or 0) + 1
  local want = golden[name]
  if want then
    t.is(("%d %d %d"):format(c.flops, c.params, c.acts), ("%d %d %d"):format(want[1], want[2],
      want[3]), name .. " counts")
    if want[4] then
      t.is(table.concat(m.d, ",") .. " " .. table.concat(m.w, ","), want[4] .. " " .. want[5],
        name .. " depths and widths")
    end
    golden[name] = nil
  end
  if asked[name] then
    t.is(table.concat(m.asked.w, ","), asked[name], name .. " widths before group compatibility")
  end
  local nominal, unit = name:match("^RegNet[XY]%-([%d.]+)([MG])F$")
  if nominal then
    nominal = tonumber(nominal) * (unit == "G" and 1e9 or 1e6)
    t.near(c.flops / nominal, 1, 0.02, name .. " has the flops of its name")
    t.is(#m.d, 4, name .. " has four stages")
    -- the caps and ranges that all published RegNets obey
    local F = c.flops / 1e9
    t.ok(name:find("RegNetY") or c.params / 1e6 < 3 + 5.5 * F and c.acts / 1e6 < 6.5 * math.sqrt(F),
      name .. " is within the caps")
    t.ok(m.regnet.w_m >= 2 and m.regnet.d >= 12 and m.regnet.d <= 28, name .. " is in range")
  end
end
t.is(next(golden), nil, "every golden network is in the zoo")
local twice = 0
for _, n in pairs(seen) do twice = twice + n - 1 end
t.is(twice, 0, "no two are the same network")

-- the paper's acts leave out the max pool of the res stem: 11.1, 16.2, 22.6, 14.4, 21.2, 29.7 M
for name, want in pairs { ["ResNet-50"] = 11.1, ["ResNet-101"] = 16.2, ["ResNet-152"] = 22.6,
  ["ResNeXt-50"] = 14.4, ["ResNeXt-101"] = 21.2, ["ResNeXt-152"] = 29.7 } do
  local c, paper = arch.complexity(zoo[name]), arch.complexity(zoo[name], { acts = "paper" })
  t.is(c.acts - paper.acts, 200704, name .. " max pool")
  t.near(paper.acts / 1e6, want, 0.0501, name .. " acts of the paper")
end
-- what pycls publishes of the larger EfficientNets is rounded: GF, M params, M acts
for name, want in pairs { ["EfficientNet-B2"] = { false, 9.11, false },
  ["EfficientNet-B3"] = { false, 12.23, false }, ["EfficientNet-B4"] = { 4.39, 19.34, 49.49 },
  ["EfficientNet-B5"] = { 10.27, 30.39, false } } do
  local c = arch.complexity(zoo[name])
  for i, got in ipairs { c.flops / 1e9, c.params / 1e6, c.acts / 1e6 } do
    if want[i] then t.near(got, want[i], .00501, name .. " " .. want[i]) end
  end
end
t.is(arch.complexity(zoo["RegNetX-200MF"], { acts = "paper" }).acts, 2164056,
  "a simple stem has no pool")

local small = zoo("RegNetX-200MF", { image = 32, classes = 10, stem = "cifar" })
t.is(small.image .. small.stem .. table.concat(small.w, ","), "32cifar24,56,152,368",
  "options of a named network can be changed")
t.ok(zoo["R-56"] ~= zoo["R-56"], "every look-up is a new table")
t.fails(function() return zoo["RegNetX-400GF"] end, "did you mean 'RegNetX-4.0GF'?")
t.fails(function() return zoo("R-56", { dd = 1 }) end, "unknown option 'dd'")

t.done()
