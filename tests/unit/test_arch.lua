package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local cjson = require "cjson"

local function list(l) return table.concat(l, ",") end

-- defaults, scalars for lists, what was asked beside what is built
local m = arch.anynet { d = { 1, 2 }, w = { 24, 392 }, g = 16 }
t.is(list(m.w), "32,384", "widths are multiples of the group width, half to even")
t.is(list(m.asked.w), "24,392", "the widths asked for stay visible")
t.is(list(m.b) .. " " .. list(m.g) .. " " .. list(m.stride), "1,1 16,16 2,2", "scalars broadcast")
t.is(m.block .. m.stem .. m.activation, "xsimplerelu", "default block, stem, activation")
t.is(("%d %d %d %d"):format(m.stem_width, m.head_width, m.classes, m.image), "32 0 10 32",
  "default sizes")
t.is(math.type(m.b[1]) .. math.type(m.se), "integerinteger", "whole numbers are integers")
local y = arch.anynet { d = { 1 }, w = { 16 }, block = "y" }
t.is(y.block .. y.se, "x0.25", "block y is x with squeeze-excitation")
t.is(arch.anynet { d = { 1 }, w = { 16 }, block = "y", se = 0.5 }.se, 0.5, "y keeps a given se")
t.is(list(arch.anynet { d = { 1 }, w = { 16 }, b = 0.25, g = 8 }.b), "0.25", "inverted bottleneck")

-- a model is plain data and survives JSON
local again = cjson.decode(cjson.encode(m))
t.is(arch.hash(again), arch.hash(m), "a model survives JSON")
t.is(arch.hash(arch.anynet { d = { 1 }, w = { 30 }, g = 16 }),
  arch.hash(arch.anynet { d = { 1 }, w = { 34 }, g = 16 }), "equal networks have equal hashes")
t.ok(arch.hash(m) ~= arch.hash(y), "different networks have different hashes")

-- RegNet
local r = arch.regnet { d = 22, w_0 = 24, w_a = 24.48, w_m = 2.54, g = 16, image = 224 }
t.is(list(r.asked.w) .. " " .. list(r.w), "24,64,152,392 32,64,160,384", "RegNetX-400MF widths")
t.is(list(r.d), "1,2,7,12", "RegNetX-400MF depths")
t.is(r.regnet.w_a, 24.48, "m.regnet keeps the parameters")
local eight = arch.regnet { d = 23, w_0 = 80, w_a = 49.56, w_m = 2.88, g = 120 }
t.is(list(eight.g), "80,120,120,120", "g is cut where the width is smaller")

local two = { d = 12, w_0 = 96, w_a = 19.5, w_m = 2.942, g = 8 }
local none, reason = arch.regnet(two)
t.is(none, nil, "a RegNet of two stages is refused")
t.ok(reason:find("give 2 stages (depths 4, 8; widths 96, 280), not 4", 1, true)
  and reason:find("ask for stages = 2", 1, true), "and the reason says what to do", reason)
two.stages = 2
local cifar = { se = 0.25, stem = "cifar", stem_width = 16 }
for k, v in pairs(cifar) do two[k] = v end
local c = arch.complexity(arch.regnet(two))
t.is(("%d %d %d"):format(c.flops, c.params, c.acts), "120497384 1811688 914584",
  "counts of the two-stage CIFAR RegNet")
two.stages = "any"
t.is(#arch.regnet(two).d, 2, "stages = any takes what comes")

-- stage by stage: RegNetX-200MF and RegNetY-200MF
local stages = {
  [0] = { { 10838016, 928, 401408, 112 }, { 19267584, 4032, 526848, 56 },
    { 10888192, 10304, 307328, 28 }, { 48620544, 226480, 476672, 14 },
    { 109057536, 2074048, 450800, 7 }, { 369000, 369000, 1000, 1 } },
  [0.25] = { { 10838016, 928, 401408, 112 }, { 19268000, 4448, 526880, 56 },
    { 10888926, 11038, 307390, 28 }, { 48660192, 266128, 477408, 14 },
    { 109494942, 2511454, 453966, 7 }, { 369000, 369000, 1000, 1 } },
}
for se, want in pairs(stages) do
  local parts = arch.parts(arch.regnet { d = 13, w_0 = 24, w_a = 36.44, w_m = 2.49, g = 8,
    se = se, image = 224, classes = 1000 })
  t.is(#parts, 6, "stem, four stages, head")
  for i, p in ipairs(parts) do
    t.is(("%d %d %d %d"):format(p.flops, p.params, p.acts, p.size), table.concat(want[i], " "),
      ("se %g, %s"):format(se, p.part))
  end
end

-- e_fit: reference values of published networks, each recomputed with the default grid
do
  local zoo = require "netspace.network.zoo"
  for name, want in pairs { ["RegNetX-200MF"] = { .0195, 24, 36, 2.5 },
    ["RegNetX-400MF"] = { .0709, 32, 24, 2.3 }, ["RegNetX-600MF"] = { .0412 },
    ["RegNetX-800MF"] = { .0262 }, ["RegNetX-1.6GF"] = { .0251 }, ["RegNetX-3.2GF"] = { .0548 },
    ["RegNetX-8.0GF"] = { .0252 }, ["RegNetX-12GF"] = { .0117, 224, 60, 2 },
    ["RegNetY-400MF"] = { .0163 }, ["ResNet-50"] = { .0780, 152, 100, 1.9 },
    ["ResNet-101"] = { .1050 }, ["ResNet-152"] = { .1446 } } do
    local f = arch.fit(zoo[name])
    t.near(f.e_fit, want[1], 5.1e-5, "e_fit of " .. name)
    if want[2] then
      t.is(("%g %g %g"):format(f.w_0, f.w_a, f.w_m), table.concat({ table.unpack(want, 2) }, " "),
        "and where it is")
    end
  end
  -- at the published parameters, rounded as the networks are
  for name, want in pairs { ["RegNetX-200MF"] = 0, ["RegNetY-400MF"] = 0,
    ["RegNetX-400MF"] = .0406, ["RegNetX-12GF"] = .0903 } do
    local p = zoo[name].regnet
    t.near(arch.fit(zoo[name], { w_0 = p.w_0, w_a = p.w_a, w_m = p.w_m, rounded = true }).e_fit,
      want, 5.1e-5, name .. " at its own parameters")
  end
  local falling = arch.anynet { d = { 4, 4, 4, 4 }, w = { 512, 256, 128, 64 } }
  t.near(arch.fit(falling).e_fit, math.log(2), 1e-12, "falling widths")
  local list = arch.fit { falling, arch.anynet { d = { 4, 4 }, w = { 64, 64 } } }
  t.is(list[2].e_fit, 0.0, "one width, in a list")
  t.is(list[1].e_fit, arch.fit(falling).e_fit, "a list gives what each one gives")
  t.fails(function() arch.fit(3) end, "arch.fit expects a network or a list of networks, got number")
  t.fails(function() arch.fit(falling, { w_m = { 1.5, 3 } }) end, "w_m should be a number or {low, high, step}")
  t.fails(function() arch.fit(falling, { w_m = 1 }) end, "arch.fit: w_m is 1; it must be from 1.01")
  t.fails(function() arch.fit(falling, { w_a = { 0, 256, .01 } }) end, "the limit is")
  t.fails(function() arch.fit(falling, { w_0 = { 8, 32000, 8 }, w_a = { 0, 4000, 1 }, w_m = 2 }) end,
    "a table of 256064000 numbers for w_0, w_a and blocks; the limit is 33554432")
  t.fails(function() arch.fit(falling, { w_0 = { 1, 60000, 1 }, w_a = 1e6, w_m = { 1.01, 2, .01 } })
  end, "numbers for w_0, w_m and widths")
  t.fails(function() arch.fit { falling, { d = { 1 } } } end, "arch.fit: stage 1: w is nil")
end

-- describe: layers and stages add up, layers are called as the parameters of a net
do
  local zoo = require "netspace.network.zoo"
  local function sum(list, name)
    local n = 0
    for _, l in ipairs(list) do n = n + l[name] * (l.times or 1) end
    return n
  end
  local nets = { zoo["RegNetY-400MF"], zoo["ResNet-50"], zoo["EfficientNet-B1"] }
  for _, block in ipairs { "x", "y", "r", "v", "vr", "basic", "vanilla", "linear", "mb" } do
    local m = arch.anynet { d = { 1, 3 }, w = { 16, 24 }, block = block, head_width = 32, b = 1,
      stem = "cifar", kernel = { 3, 5 } }
    nets[#nets + 1] = m
    local known, unknown = {}, nil
    for _, p in ipairs(require("netspace.network.net").new(m, { batch = 1 }):params()) do
      known[p.name:gsub("%.weight$", "")] = true
    end
    for _, l in ipairs(arch.describe(m).layers) do
      if not known[l.layer] then unknown = l.layer end
    end
    t.is(unknown, nil, block .. ": layers have the names of parameters")
  end
  for i, m in ipairs(nets) do
    local text, c = arch.describe(m), arch.complexity(m)
    for _, name in ipairs { "flops", "params", "acts" } do
      t.is(sum(text.layers, name), c[name], ("network %d: layers have all %s"):format(i, name))
      t.is(sum(text.stages, name), c[name], "and so have stages")
    end
  end
  local shown = tostring(arch.describe(zoo["RegNetX-400MF"]))
  t.ok(shown:find("s3 +14 +7 +152 > 160 +1 +16 +10 +107M +27%%"), "asked and final widths", shown)
  t.ok(shown:find("s4.b2%-12.f.b +3x3 +7 +384 +24 "), "a layer of equal blocks")
  t.is(arch.describe { d = { 1 }, w = { 24 }, g = 16 }.stages[2].width, 32, "from options")
  t.is(arch.describe(zoo["ResNet-50"], { acts = "paper" }).total.acts, 11114984, "acts of the paper")
  t.fails(function() arch.describe(3) end, "arch.describe expects a network, got number")

  local why = arch.why { d = 12, w_0 = 96, w_a = 19.5, w_m = 2.942, g = 8 }
  t.is(why.network, nil, "why: no network")
  t.ok(tostring(why):find("no network: these RegNet parameters give 2 stages", 1, true)
    and tostring(why):find("1 +5%-12 +174.0 to 310.5 +282.4 +280"), "why: levels", tostring(why))
  why = tostring(arch.why { d = 22, w_0 = 24, w_a = 104.48, w_m = 1.54, g = 16 })
  t.ok(why:find("skipped: level 1 to 3;", 1, true), "why: skipped levels", why)
  t.is(arch.why { d = 22, w_0 = 24, w_a = 24.48, w_m = 2.54, g = 16 }.reason, nil, "nothing against it")
  local space = require "netspace.space.space"
  local four = { d = { 2, 1, 1, 1 }, w = { 24, 16, 16, 16 }, g = 16 }
  why = tostring(arch.why(four, { flops = { 1e9, 2e9 }, space = space.AnyNetXE }))
  t.ok(why:find("outside 1G to 2G", 1, true) and why:find("monotone_w", 1, true)
    and why:find("monotone_d", 1, true) and why:find("24 > 32", 1, true),
    "why: window, every constraint, groups", why)
  t.ok(arch.why { dd = 3 }.reason:find("unknown option 'dd'", 1, true), "why: a misspelt option")
  t.ok(arch.why { d = { 1 }, w = { 8 }, stride = 9 }.reason:find("stride is 9", 1, true), "why: a bad value")
end

-- wrong use raises and says where
t.fails(function() arch.anynet { d = { 1 }, W = { 8 } } end, "unknown option 'W' (did you mean 'w'?)")
t.fails(function() arch.anynet { w = { 8 } } end, "'d' is missing")
t.fails(function() arch.anynet { d = { 1, 2 }, w = { 8 } } end, "w has 1 value, but there are 2 stages")
t.fails(function() arch.anynet { d = { 1 }, w = { 8.5 } } end, "stage 1: w is 8.5")
t.fails(function() arch.anynet { d = { 1 }, w = { "8" } } end, "stage 1: w is 8; it must be a whole")
t.fails(function() arch.anynet { d = {}, w = {} } end, "d has 0 stages")
t.fails(function() arch.anynet { d = { 1 }, w = { 8 }, block = "z" } end, "block is 'z'; it must be one of")
t.fails(function() arch.regnet { d = 12 } end, "'w_0' is missing")
t.fails(function() arch.complexity(m, { image = 5000 }) end, "image is 5000")
t.fails(function() arch.complexity(m, { acts = "x" }) end, 'must be "pycls" or "paper"')
t.fails(function() arch.complexity { d = { 1 }, w = { 8 }, g = 0 } end, "group width is 0")
local ok, message = pcall(arch.anynet, { d = { 1 }, w = { 8 }, stem = "y" })
t.ok(not ok and message:find("^tests/unit/test_arch.lua:%d+: arch.anynet: stem is 'y'"),
  "the caller is blamed, not the module", message)

-- values that make no network are a reason, not an error
for part, o in pairs {
  ["stage 1: group width is 0"] = { d = { 1 }, w = { 8 }, g = 0 },
  ["fits no width near 2: the nearest is 7"] = { d = { 1 }, w = { 2 }, g = 7, b = 0.25 },
  ["has no squeeze-excitation"] = { d = { 1 }, w = { 8 }, block = "basic", se = 0.25 },
  ["stage 2: depth is 0"] = { d = { 1, 0 }, w = { 8, 8 } },
  ["stage 1: stride is 9"] = { d = { 1 }, w = { 8 }, stride = 9 },
} do
  none, reason = arch.anynet(o)
  t.ok(none == nil and reason:find(part, 1, true), part, reason)
end
none, reason = arch.regnet { d = 12, w_0 = 20, w_a = 19.5, w_m = 2.942, g = 8 }
t.ok(none == nil and reason:find("w_0 is 20; the initial width must be a multiple of 8"), "w_0 = 20")

t.done()
