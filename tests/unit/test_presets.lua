-- The spaces that come with netspace, what describe says of them, and drawing by sorting.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local constraint = require "netspace.space.constraint"
local space = require "netspace.space.space"

local names = space.names()
t.is(#names, 51, "51 spaces")
t.is(table.concat(space.small.names()), table.concat(names), "each in a small version")

-- Every one can be drawn from, contains what it draws, and is within its parents.
local shown = {}
for _, name in ipairs(names) do
  for _, version in ipairs { space, space.small } do
    local S = version[name]
    shown[S.name] = (shown[S.name] or 0) + 1
    local p, bad = S:sample(2, { seed = 3 }), nil
    for _, m in ipairs(p) do
      local P = S
      while P do
        -- a child may replace ranges of its parent, as RegNetXInverted does
        local ok, why = P:contains(m)
        if not ok and (P == S or #P.constraints > 0) then bad = why end
        P = P.parent
      end
    end
    t.is(bad, nil, S.name .. " contains what it draws")
    if version == space.small then
      t.is(p[1].image .. p[1].stem .. p[1].stride[1], "32cifar1", S.name .. " is set for 32 pixels")
      t.ok(math.max(table.unpack(p[1].w)) <= 600, S.name .. " is narrow")
    end
  end
end
for name, n in pairs(shown) do
  if n > 1 then t.ok(false, name .. " is the name of several spaces") end
end

local function line(S, word)
  return tostring(S:describe()):match("%f[%w]" .. word .. "%s+([^\n]*)")
end
t.is(line(space.AnyNetXA, "freedom"), "16 of 16 parameters are drawn independently", "A has 16 dimensions")
for name, n in pairs { AnyNetXB = 13, AnyNetXC = 10, AnyNetXD = 10, AnyNetXE = 10, RegNetX = 6,
  RegNetXC = 5, RegNetXDepthwise = 5, AnyNetXA5 = 20, AnyNetXC3 = 8, AnyNetVA = 8 } do
  t.ok(line(space[name], "freedom"):find("^" .. n .. " of"), name .. " has " .. n)
end
t.is(line(space.AnyNetXE5, "lineage"),
  "AnyNetX_A5 > AnyNetX_B5 > AnyNetX_C5 > AnyNetX_D5 > AnyNetX_E5", "lineage")
t.is(space.AnyNetYA:sample(1)[1].se, 0.25, "Y has squeeze-excitation")
t.is(space.AnyNetLA:sample(1)[1].block, "linear", "L is the linear bottleneck")
t.is(space.RegNetXDepth20:sample(1)[1].regnet.d, 20, "a fixed depth")
t.ok(space.RegNetXInverted:sample(20)[20].b[1] <= 1, "inverted bottlenecks")
t.is(space.RegNetXDepthwise:sample(1)[1].g[1], 1, "depthwise")
t.is(#space.RegNetX5:sample(1)[1].d, 5, "five stages")

-- NDS: sizes of the paper's table, groups counted instead of measured
for name, size in pairs { NDSVanilla = 1259712, NDSResNet = 1259712, NDSResNeXtA = 11390625,
  NDSResNeXtB = 52734375 } do
  t.is(space[name]:size().exact, size, "size of " .. name)
end
local seen = {}
for _, m in ipairs(space.NDSResNeXtB:sample(200)) do
  for i = 1, 3 do seen[m.w[i] / m.b[i] / m.g[i]] = true end
end
local groups = {}
for n in pairs(seen) do groups[#groups + 1] = math.tointeger(n) end
table.sort(groups)
t.is(table.concat(groups, " "), "1 2 4 8 16", "numbers of groups")
local m = arch.anynet { d = { 1, 1, 1 }, w = { 64, 64, 64 }, g = { 64, 32, 2 } }
local _, why = space.NDSResNeXtB:contains(m)
t.is(why, "stage 3: g = 32.0 is not in 1, 2, 4, 8, 16 groups", "and checked as such")
t.fails(function() space.regnet { d = 9, w_0 = 8, w_a = 8, w_m = 2, b = 1, g = { groups = { 1 } } } end,
  "g counts groups in every stage of an AnyNet space, or in none")

t.fails(function() return space.small.RegNetZ end, "space.small.names() lists them")
t.fails(function() return space.AnyNetXF end, "did you mean 'AnyNetXA'?")

-- Every principle says why, and where it comes from.
for _, name in ipairs(constraint.names()) do
  local c = constraint._of(name)
  t.is(c.name, name, name .. " is called like its script")
  t.ok(c.doc and c.why and #c.why <= 80 and c.from and c.from:find("arXiv", 1, true),
    name .. " says what, why and from where")
end
t.is(select("#", space.AnyNetXA:describe()), 1, "describe gives one value")
local own = space.AnyNetXA:with(function(n) return n.d[1] == 1 end)
t.ok(tostring(own:describe()):find("function(n) return n.d[1] == 1 end (by rejection)", 1, true),
  "a function is described by its text", tostring(own:describe()))
local text = tostring(space.AnyNetXD:describe())
t.ok(text:find("good networks widen from stage to stage", 1, true)
  and text:find("arXiv 2003.13678 section 3.2, figures 6 and 7", 1, true), "describe gives reasons")

-- Sorting: P ∝ n!/Π multiplicities!, by the closed form over all vectors of two depths.
do
  local S = space.anynet { stages = 2, d = { values = { 1, 2, 3 } }, w = 8, b = 1, g = 8 }
    :with("monotone_d")
  local counts, n = {}, 0
  for seed = 1, 3000 do
    local p = S:sample(1, { order = "sorted", seed = seed })
    local key = table.concat(p[1].d, " ")
    counts[key], n = (counts[key] or 0) + 1, n + 1
  end
  local chi = 0
  for i = 1, 3 do
    for j = i, 3 do
      local expected = n * (i == j and 1 or 2) / 9
      chi = chi + ((counts[i .. " " .. j] or 0) - expected) ^ 2 / expected
    end
  end
  t.ok(chi < 20.5, ("sorted draws follow their law (chi-square %.1f, limit 20.5)"):format(chi))
  local p = space.AnyNetXE:sample(3, { order = "sorted" })
  t.is(p.spec.drawn, "sorted", "a population says that it was sorted")
  t.ok(tostring(p):find("ordered by sorting", 1, true), tostring(p))
  t.fails(function() S:sample(1, { order = "sort" }) end, 'must be "rejection" or "sorted"')
  t.fails(function() space.anynet { stages = 2, d = { { 1, 2 }, { 1, 3 } }, w = 8, b = 1, g = 8 }
    :with("monotone_d"):sample(1, { order = "sorted" }) end, "different ranges cannot be sorted")
end

-- The current directory does not redefine the paper ------------------------------------------
do
  local uv = require "luv"
  local home, dir = uv.cwd(), assert(uv.fs_mkdtemp("/tmp/netspace-presets-XXXXXX"))
  assert(uv.fs_mkdir(dir .. "/constraints", tonumber("755", 8)))
  local function own(name, text)
    local f = assert(io.open(("%s/constraints/%s.lua"):format(dir, name), "w"))
    f:write(text)
    f:close()
  end
  for _, name in ipairs { "shared_b", "shared_g", "monotone_w", "monotone_d", "b_1" } do
    own(name, ('_G.ran = "%s"\nreturn constraint{ name = "%s", doc = "mine", check = function() '
      .. 'return true end }'):format(name, name))
  end
  assert(uv.chdir(dir))
  ran = nil
  local fresh = require("netspace.space.presets").fill({}, "small", "fresh", space)
  for _, name in ipairs { "AnyNetYE", "RegNetXC", "AnyNetLB" } do
    for _, c in ipairs(fresh[name].constraints) do
      t.ok(c.doc ~= "mine" and not c.name:find("/"), name .. " has the shipped " .. c.name)
    end
  end
  t.is(ran, nil, "and nothing of the current directory has run")
  local S = space.small.AnyNetXA:with("shared_b")
  t.is(S.constraints[1].name, "./constraints/shared_b", "one's own is told apart by its name")
  t.is(S.constraints[1].doc, "mine", "and is the one that is meant")
  t.is(ran, "shared_b", "which has run")
  t.is(#space.small.AnyNetXB:with("shared_b").constraints, 2, "beside the shipped one")
  assert(uv.chdir(home))
  os.execute("rm -r " .. dir)
end

t.done()
