-- Counting networks: against enumeration of small spaces, and against known sizes of large ones.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local core = require "netspace.core.count"
local domain = require "netspace.space.domain"
local space = require "netspace.space.space"

-- after group compatibility a stage has 1496 of 2304; known to three digits
t.is(space.AnyNetXA:size().distinct, (16 * 1496) ^ 4 // 1 | 0, "networks of AnyNetX_A")
t.near(space.AnyNetXB:size().distinct / 1e16, 1.46, .005, "networks of AnyNetX_B")
t.near(space.AnyNetXC:size().distinct / 1e14, 1.62, .005, "networks of AnyNetX_C")
t.is(space.AnyNetVE:size().distinct, space.AnyNetVE:size().exact, "no groups: every setting differs")
t.is(space.NDSResNeXtB:size().distinct, 52734375, "groups counted: every setting differs")

-- Every setting of a small space, its network by hash.
local function enumerate(S, lists, make)
  local seen, settings, networks, x = {}, 0, 0, {}
  local function walk(k)
    if k > #lists then
      local m = make(x)
      if m and S:contains(m) then
        settings = settings + 1
        local h = arch.hash(m)
        if not seen[h] then networks = networks + 1 end
        seen[h] = (seen[h] or 0) + 1
      end
      return
    end
    for _, v in ipairs(lists[k]) do
      x[k] = v
      walk(k + 1)
    end
  end
  walk(1)
  return settings, networks, seen
end

local function anynet(block)
  return function(x)
    return (arch.anynet { d = { 1, 1 }, w = { x[1], x[2] }, b = { x[3], x[4] }, g = { x[5], x[6] },
      block = block })
  end
end
local w, b, g = { 8, 16, 24, 40 }, { 1, 2, 4 }, { 4, 8, 32 }
local lists = { w, w, b, b, g, g }
local any = space.anynet { name = "any", stages = 2, d = 1, w = { values = w }, b = b, g = g }
local strange = constraint { name = "strange", check = function(_, a)
  return a.w[1] >= a.w[2] and a.b[1] <= a.b[2] and a.g[1] <= a.g[2]
end, order = { w = "down", b = "up", g = "up" } }
local same_w = constraint { name = "same_w", check = function(_, a) return a.w[1] == a.w[2] end,
  tie = "w" }
for _, names in ipairs { {}, { "shared_b" }, { "shared_g" }, { "shared_b", "shared_g" },
  { "monotone_w" }, { "shared_b", "shared_g", "monotone_w" }, { "shared_g", "decreasing_w" },
  { "equal_w" }, { "equal_w", "shared_g" }, { strange }, { same_w, "shared_b" } } do
  local S = #names > 0 and any:with(table.unpack(names)) or any
  local settings, networks = enumerate(S, lists, anynet())
  local size = S:size()
  t.is(size.exact, settings, S.name .. ": settings")
  t.is(size.distinct, networks, S.name .. ": networks")
end
local linear = any:with { block = "linear", "monotone_w", "shared_g" }
t.is(linear:size().distinct, select(2, enumerate(linear, lists, anynet "linear")), "linear blocks")
local r = any:with { block = "r", "monotone_w" }
t.is(r:size().distinct, select(2, enumerate(r, lists, anynet "r")), "one group: g makes no difference")

-- RegNets: how often each network is made, and both estimates within four errors
local function values(range) return domain.table(range).v end
for _, o in ipairs { {}, { "w_0_is_w_a" }, { block = "v" } } do
  local S = space.regnet { name = "reg", stages = 3, d = { 5, 9 }, w_0 = { 8, 32, 8 },
    w_a = { 4, 32, 4 }, w_m = { 1.5, 3, .25 }, b = { 1, 2 }, g = { 8, 32 } }
  if next(o) then S = S:with(o) end
  local p = S.params
  local function make(x)
    return (arch.regnet { d = x[1], w_0 = x[2], w_a = x[3], w_m = x[4], b = x[5], g = x[6],
      stages = 3, block = o.block })
  end
  local ranges = { values(p.d[1]), values(p.w_0[1]), values(p.w_a[1]), values(p.w_m[1]), p.b[1].values,
    p.g[1].values }
  local settings, networks, seen = enumerate(S, ranges, make)
  local sample = S:sample(40, { seed = 4 })
  local counts = core.multiplicity(sample, { base = sample[1], d = ranges[1], w_0 = ranges[2],
    w_a = ranges[3], w_m = ranges[4], b = ranges[5], g = ranges[6], tied = o[1] ~= nil })
  local wrong = 0
  for i, m in ipairs(sample) do
    -- counted among networks of the default setting, as enumerated
    if counts[i] ~= seen[arch.hash(m)] then wrong = wrong + 1 end
  end
  t.is(wrong, 0, S.name .. ": settings that make each of 40 networks")
  local size = S:size { draws = 4000 }
  t.is(size.exact, nil, "not counted")
  t.near((size.settings - settings) / size.settings_error, 0, 4,
    ("%s: %d settings, estimated %.0f"):format(S.name, settings, size.settings))
  t.near((size.distinct - networks) / size.distinct_error, 0, 4,
    ("%s: %d networks, estimated %.0f"):format(S.name, networks, size.distinct))
end

-- Windows: share of settings, by enumeration
do
  local S = any:with("shared_b")
  local inside, all = 0, 0
  enumerate(S, lists, function(x)
    local m = anynet()(x)
    if S:contains(m) then
      local f = arch.complexity(m).flops
      all, inside = all + 1, inside + (f >= 3e5 and f <= 5e5 and 1 or 0)
    end
  end)
  local window = S:size { flops = { 3e5, 5e5 }, draws = 4000 }.window
  t.near((window.share - inside / all) / window.share_error, 0, 4,
    ("share in a window: %.4f, estimated %.4f"):format(inside / all, window.share))
  t.near(window.settings, window.share * all, 1e-6, "and the settings it has")
  local none = S:size { flops = { 1, 2 } }.window
  t.is(none.share, 0.0, "nothing inside")
  t.ok(none.share_error > 0, "is said with an error")
end
t.is(any:with(function() return true end):size().distinct, nil, "a check without a hint")
t.near(any:with(function(m) return m.w[1] == 8 end):size { draws = 3000 }.settings, 1296 / 4, 40,
  "its settings are estimated")
t.fails(function() any:size { draw = 3 } end, "did you mean 'draws'?")
t.fails(function() any:size { flops = 3 } end, "flops is 3; it must be a window: {lo, hi}")
t.fails(function() any:size { flops = { 2, 1 } } end, "flops is a window: {lo, hi} with lo <= hi")
t.ok(tostring(space.RegNetX:describe()):find("different networks, estimated", 1, true), "describe says which")

t.done()
