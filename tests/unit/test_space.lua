package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local cjson = require "cjson"
local arch = require "netspace.network.arch"
local constraint = require "netspace.space.constraint"
local domain = require "netspace.space.domain"
local draw = require "netspace.space.draw"
local population = require "netspace.space.population"
local units = require "netspace.lib.units"
local space = require "netspace.space.space"
local zoo = require "netspace.network.zoo"

local A, B, C, D, E = space.AnyNetXA, space.AnyNetXB, space.AnyNetXC, space.AnyNetXD, space.AnyNetXE
local setting = { image = 32, stem = "cifar", stem_width = 16, stride = { 1, 2, 2, 2 } }
local function with_setting(o)
  local s = {}
  for k, v in pairs(setting) do s[k] = v end
  for k, v in pairs(o) do s[k] = v end
  return s
end

---- probabilities of the quantised ranges
do
  local d = domain.table { lo = 1, hi = 16, q = 1, dist = "log_uniform" }
  for i, want in ipairs { .2, .2, .117, .083, .0644, .0526, .0445, .0385, .034, .0304, .0275,
    .0251, .0231, .0214, .0199, .0186 } do
    t.near(d.p[i], want, want < .05 and 6e-5 or 6e-4, ("P(d = %d)"):format(i))
  end
  local w = domain.table { lo = 8, hi = 1024, q = 8, dist = "log_uniform" }
  t.is(#w.v, 128, "128 widths")
  for x, want in pairs { [8] = .125, [16] = .125, [24] = .0731, [32] = .0519, [64] = .0241,
    [1024] = .0014 } do
    t.near(w.p[x // 8], want, 6e-5, ("P(w = %d)"):format(x))
  end
  t.is(domain.table { lo = 8, hi = 256, q = .1, dist = "log_uniform" }.v[3], 8.2,
    "steps are decimals, not sums of floats")
  local p2 = domain.table { lo = 1, hi = 128, q = 4, dist = "power2_or_log_uniform" }
  t.is(p2.v[1] .. " " .. p2.v[2] .. " " .. p2.v[3] .. " " .. p2.v[4], "1 2 4 8", "powers, then steps")
  t.near(p2.p[1], 1 / 8, 1e-12, "each power of two below the step: 1 in 8")
  t.near(p2.p[3], 6 / 8 * math.log(4 / 2) / math.log(128 / 2), 1e-12, "and log-uniform after")
  local n = domain.table { lo = 1, hi = 7, q = 1, dist = "normal" }
  t.near(n.p[1], n.p[7], 1e-12, "normal is symmetric")
  t.near(n.p[4], 0.3829249225 / 0.9973002039, 1e-9, "P(|z| < 1/2), clipped at 3 deviations")
  for dist in pairs { uniform = 1, log_uniform = 1, power2_uniform = 1, log_normal = 1, normal = 1 } do
    local sum = 0
    for _, p in ipairs(domain.table { lo = 2, hi = 32, q = 2, dist = dist }.p) do sum = sum + p end
    t.near(sum, 1, 1e-12, dist .. " sums to 1")
  end
  local cut = domain.table(domain.cut({ lo = 1, hi = 16, q = 1, dist = "log_uniform" }, 2, 3))
  t.near(cut.p[1] / cut.p[2], d.p[2] / d.p[3], 1e-12, "a cut keeps relative probabilities")
end

---- sizes of table 1, and exact ones
t.is(A:size().nominal, 1846757322198614016, "size of A")
t.is(A:size().exact, 1846757322198614016, "which is exact")
t.is(B:size().exact, 68398419340689408, "size of B")
t.is(C:size().exact, 316659348799488, "size of C")
t.near(D:size().nominal, 1.319e13, 1e10, "size of D by the paper")
t.is(D:size().exact, 13821510942720, "exact size of D")
t.near(E:size().nominal, 5.498e11, 1e8, "size of E by the paper")
t.is(E:size().exact, 817446539520, "exact size of E")
t.is(space.RegNetX:size().nominal, 301989888.0, "size of RegNetX by the paper")
t.is(space.RegNetX:size().exact, nil, "which has no exact count")
t.is(C:with("equal_w"):size().exact, 128 * 16 ^ 4 * 18 // 1 | 0, "one width for all stages")
t.is(C:with("decreasing_w"):size().exact, D:size().exact, "as many falling as rising")
t.is(A:with(function() return true end):size().exact, nil, "a check cannot be counted")
t.near(A:with { stages = 5 }:size().nominal, 36864.0 ^ 5, 1e8, "beyond 64 bits: a float")

---- lineage: every child sample is in its parents
do
  local chain = { A, B, C, D, E }
  for i, S in ipairs(chain) do
    local bad
    for _, m in ipairs(S:sample(300, with_setting { seed = i })) do
      for j = 1, i do
        local ok, why = chain[j]:contains(m)
        if not ok then bad = chain[j].name .. ": " .. why end
      end
    end
    t.is(bad, nil, S.name .. " is within every space it comes from")
  end
  t.is(E.parent.parent.name, "AnyNetX_C", "parents are kept")
  local m = arch.anynet { d = { 1, 2, 2, 4 }, w = { 64, 32, 64, 64 }, b = { 1, 1, 1, 1 }, g = 8 }
  t.ok(C:contains(m), "C has it")
  local ok, why = D:contains(m)
  t.is(tostring(ok) .. " " .. why, "false constraint monotone_w: w never falls from stage to stage",
    "D does not, and says which constraint")
  m = arch.anynet { d = { 1, 2, 2, 4 }, w = { 64, 64, 64, 64 }, b = { 1, 2, 1, 1 }, g = 8 }
  t.ok(select(2, B:contains(m)):find("constraint shared_b", 1, true), "another b breaks shared_b")
  local _, reason = A:contains(arch.anynet { d = { 1, 2, 2, 17 }, w = { 8, 8, 8, 8 } })
  t.is(reason, "stage 4: d = 17 is not in 1 to 16 step 1, log_uniform", "a depth out of range")
  _, reason = A:contains(arch.anynet { d = { 1, 2 }, w = { 8, 8 } })
  t.is(reason, "it has 2 stages, not 4", "another number of stages")
  _, reason = space.RegNetX:contains(m)
  t.is(reason, "it is not a RegNet: it has no w_0, w_a, w_m", "an AnyNet is not in RegNetX")
  t.ok(space.RegNetXC:contains(zoo["RegNetX-200MF"]), "RegNetX-200MF is in RegNetXC")
  t.ok(space.RegNetY:contains(zoo["RegNetY-200MF"]), "RegNetY-200MF is in RegNetY")
  t.is(space.RegNetX:contains(zoo["RegNetY-200MF"]), false, "and not in RegNetX")
  local bare = { d = m.d, w = m.w, b = { 1, 1, 1, 1 }, g = m.g, block = "x" }
  t.ok(A:contains(bare), "a network of an import has no se")
  _, reason = space.AnyNetYA:contains(bare)
  t.is(reason, "se is 0, not 0.25", "that is 0")
  _, reason = space.RegNetX:contains(zoo["RegNetX-4.0GF"])
  t.is(reason, "g = 40 is not in 1, 2, 4, 8, 16, 32", "a group width off the list")
  -- groups cut by compatibility do not break shared_g: it is about what was asked for
  t.ok(C:contains(arch.anynet { d = { 1, 1, 1, 1 }, w = { 8, 16, 32, 64 }, g = 32 }),
    "g = 32 asked of a width of 8")
end

---- populations
do
  local o = with_setting { seed = 5, flops = { 3e6, 6e6 } }
  local p, again = A:sample(60, o), A:sample(60, o)
  local first = A:sample(20, o)
  local same, prefix, unique, outside = true, true, {}, 0
  for i, m in ipairs(p) do
    local h = arch.hash(m)
    same = same and h == arch.hash(again[i])
    prefix = prefix and (i > 20 or h == arch.hash(first[i]))
    unique[h] = true
    local flops = arch.complexity(m).flops
    outside = outside + ((flops < 3e6 or flops > 6e6) and 1 or 0)
  end
  local n = 0
  for _ in pairs(unique) do n = n + 1 end
  t.ok(same, "the same seed gives the same population")
  t.ok(prefix, "the first 20 of 60 are the population of 20")
  t.is(n, 60, "all networks differ")
  t.is(outside, 0, "all are inside the window, at the sampled setting")
  t.ok(first.tried < p.tried, "tried counts the candidates walked")
  t.ok(arch.hash(A:sample(1, with_setting { seed = 6 })[1]) ~= arch.hash(A:sample(1,
    with_setting { seed = 5 })[1]), "another seed, other networks")
  t.is(p.space .. p.seed .. p.window.flops[2], "AnyNetX_A56000000.0", "space, seed and window are kept")
  t.ok(tostring(p):find("population of 60 networks of AnyNetX_A, seed 5, flops 3M to 6M", 1, true),
    tostring(p))
  t.is(p[1].stem .. table.concat(p[1].stride, ","), "cifar1,2,2,2", "the setting reaches the models")
  local stored = cjson.decode(cjson.encode { spec = p.spec, window = p.window,
    constraints = E:sample(1).constraints, first = p[1] })
  t.is(arch.hash(stored.first), arch.hash(p[1]), "models, spec and window are plain data")
  t.is(stored.constraints[1].name, "shared_b", "constraints are recorded")
  t.ok(stored.constraints[1].source:find("tie = \"b\"", 1, true), "with their text")
  local small = space.anynet { d = { 1, 2 }, w = { 8, 16 }, b = 1, g = 8, stages = 2 }
  local all = small:sample(16)
  t.is(#all, 16, "all 16 networks of a tiny space, each once")
  t.ok(all.rejected.duplicate > 0, "repeats were passed over")
  t.fails(function() small:sample(17, { max_tries = 2000 }) end,
    "accepted 16 of 17, none of the last 2,000", "the seventeenth does not exist")
  t.is(A:with { stages = 5, block = "y", "shared_g" }:sample(1)[1].se, 0.25, "block y, five stages")
  local v = A:with { block = "v" }:sample(5)
  t.is(v[5].g[1], v[5].w[1], "blocks without groups have one")
  local r = space.RegNetX:sample(20, with_setting { flops = { 3e6, 60e6 } })
  t.ok(r[20].regnet.w_m >= 1.5 and #r[20].d == 4 and table.concat(r[20].stride) == "1222",
    "RegNets carry their parameters")
end

---- acceptance: what sampling will find
do
  local o = with_setting { flops = { 3e6, 6e6 }, seed = 5 }
  local p = E:sample(300, o)
  o.n = 300
  local a = E:acceptance(o)
  local taken = #p + (p.rejected.duplicate or 0)
  t.near(a.share / (taken / p.tried), 1, 4 / math.sqrt(taken), "share as sampling finds it")
  t.near(a.candidates, 300 / a.share, 1e-6, "candidates that 300 networks need")
  t.is(a.taken + a.rejected.flops, a.tried, "every candidate is accounted for")
  t.ok(tostring(a):find("^space AnyNetX_E: 1 in %d+ candidates is taken; 300 networks need about"),
    tostring(a))
  local none = A:acceptance { flops = { 1e15, 2e15 } }
  t.is(none.share, 0.0, "nothing is taken")
  t.ok(tostring(none):find("none of 1,000,000 candidates is taken", 1, true), "and said so")
  t.ok(tostring(space.small.AnyNetXA:sample(1, { flops = { 1e6, 1.001e6 } })):find(
    "flops 1000000 to 1001000", 1, true), "a narrow window is told with its digits")
  t.ok(tostring(space.small):find("^space.small: AnyNetXA, AnyNetXB, "), "spaces by their names")
  local half = A:with(function(m) return m.d[1] == 1 end):acceptance()
  t.near(half.share, .2, .01, "constraints count")
  t.ok(math.abs(E:acceptance(with_setting { flops = { 3e6, 6e6 }, order = "sorted" }).share - a.share)
    > 5 * a.share_error, "sorting accepts another share")
  t.fails(function() A:acceptance { max_tries = 3 } end, "unknown option 'max_tries'")
  t.fails(function() A:acceptance { n = 0 } end, "n is 0; it must be at least 1")
  t.fails(function() A:acceptance { order = "up" } end, "order is 'up'")
end

---- windows that cannot be met, and other wrong use
t.fails(function() A:sample(10, { flops = { 1e15, 2e15 }, max_tries = 5000 }) end,
  "space AnyNetX_A: tried 5,000, accepted 0 of 10; flops seen ", "a window out of reach")
local _, message = pcall(A.sample, A, 10, { flops = { 1e15, 2e15 }, max_tries = 5000 })
t.ok(message:find("wanted 1P to 2P (5,000 outside flops); widen the window", 1, true), "says what to do",
  message)
t.fails(function() A:sample(5, { flop = { 1, 2 } }) end, "did you mean 'flops'?")
t.fails(function() A:sample(0) end, "n is 0")
t.fails(function() A:sample(math.huge) end, "n is inf")
t.fails(function() A:sample { 3, flops = { 1, 2 } } end, "as in S:sample(12, { … })")
t.fails(function() A:sample("3") end, 'n is "3"; it must be a whole number')
local nothing = constraint { name = "nothing", check = function() end }
t.fails(function() A:with(nothing):sample(1, { max_tries = 20000, flops = { 0, 1e12 } }) end,
  "the check of nothing refused every network it saw")
t.fails(function() A:sample(2, { flops = { 6e6, 3e6 } }) end, "{lo, hi} with lo <= hi")
t.fails(function() A:sample(2, { stride = { 1, 2 } }) end, "stride has 2 values, but there are 4 stages")
t.fails(function() A:with { g = { 0 } } end, "g = 0; it must be a whole number from 1 to 32768")
for key, most in pairs { d = 1000, w = 32768, b = 32768, g = 32768 } do
  local o = { d = 1, w = 8, b = { 1 }, g = { 8 } }
  for _, x in ipairs { most + 1, 2 ^ 31, 2 ^ 32 + 1, 1e300 } do
    o[key] = { values = { x } }
    t.fails(function() space.anynet(o) end, ("%s = %.10g; it must be a whole number"):format(key, x),
      ("a space with %s = %g"):format(key, x))
  end
end
t.fails(function() space.regnet { d = 4, w_0 = 8, w_a = 1e9, w_m = 2, b = 1, g = 8 } end,
  "w_a = 1000000000; it must be from 0 to 32768")
t.fails(function() A:with { b = { 0.3 } } end, "b = 0.3; it must be a whole number up to 32768, or 1 over one")
t.fails(function() A:with { w = { 10, 100, 8 } } end, "low and high must be multiples of the step")
t.fails(function() A:with { w = { 800, 8 } } end, "the range 800 to 8 is empty")
t.fails(function() A:with { ww = 1 } end, "unknown option 'ww' (did you mean 'w'?)")
t.fails(function() A:with { block = "basic", se = .25 } end, "has no squeeze-excitation")
t.fails(function() A:with { d = { { 1, 2 }, { 1, 2 } } } end, "d has 2 ranges, but there are 4 stages")
t.fails(function() A:with { w = { lo = 8, hi = 64, dist = "lognormal" } } end, "did you mean 'log_normal'?")
t.fails(function() A:with("shared_bb") end, "did you mean 'shared_b'?")
t.fails(function() A:with("w_m_2") end, "constraint w_m_2 is for RegNet spaces")
t.fails(function() B:with("shared_b") end, "has the constraint shared_b already")
t.fails(function() A:with { b = { 2, 4 } }:with("b_1") end, "constraint b_1 leaves no value of b")
t.fails(function() return space.AnyNetXF end, "did you mean 'AnyNetXA'?")
t.fails(function() space.anynet { d = 1 } end, "'w' is missing")
t.fails(function() space.regnet { d = 1, w_0 = 12, w_a = 1, w_m = 2, b = 1, g = 1 } end, "w_0 = 12")
t.fails(function() A:contains(3) end, "S:contains expects a network")
t.fails(function() constraint { name = "x" } end, "'check' is missing")
t.fails(function() constraint { name = "x", check = print, order = { w = "rise" } } end, "order of w is 'rise'")
t.fails(function() constraint { name = "x", check = print, tie = "ww" } end, "tie names 'ww'")
t.fails(function() constraint { name = "x", check = print, fix = { g = 0 / 0 } } end, "got NaN")
t.fails(function() constraint { name = "x", check = print, range = { d = { 0 / 0, 4 } } } end,
  "range of d should be")
for _, wrong in ipairs { { nmae = "x" }, { name = "x" }, { name = "x", check = print, kind = "q" },
  { name = "x", check = print, fix = { x = 1 } } } do
  t.fails(function() constraint(wrong) end, "test_space.lua:", "the line that asked is named")
end
t.fails(function() A:with(function(m) return m.q.r end):sample(1) end, "its check failed")

---- a user's own constraints
do
  local narrow = constraint { name = "narrow", doc = "at most 64 wide",
    check = function(m) return math.max(table.unpack(m.w)) <= 64 end }
  local S = A:with(narrow)
  local p, widest = S:sample(30, { seed = 2 }), 0
  for _, m in ipairs(p) do widest = math.max(widest, table.unpack(m.w)) end
  t.ok(widest <= 64 and widest > 8, "a check without a hint is obeyed by rejection")
  t.ok(p.rejected.narrow > 0, "and its rejections are counted")
  t.ok(p.constraints[1].source:find("math.max(table.unpack(m.w)) <= 64", 1, true), "text of the check is kept")
  t.is(S.name, "AnyNetX_A+narrow", "the child is named after it")
  local path = os.tmpname() .. ".lua"
  local file = assert(io.open(path, "w"))
  file:write('return constraint{ name = "few", check = function(m) return arch.complexity(m).params < 1e5 end }')
  file:close()
  t.ok(arch.complexity(A:with(path):sample(3)[3]).params < 1e5, "a script by its path")
  file = assert(io.open(path, "w"))
  file:write("return 3")
  file:close()
  t.fails(function() A:with(path) end, "should end with `return constraint{")
  file = assert(io.open(path, "w"))
  file:write("return constraint{ name = ")
  file:close()
  t.fails(function() A:with(path) end, "unexpected symbol near <eof>")
  os.remove(path)
  local liar = constraint { name = "liar", check = function(_, a) return a.w[1] > a.w[2] end,
    order = { w = "up" } }
  t.fails(function() A:with(liar):sample(5) end, "its hint drew a network that its check refuses")
  local caps = space.RegNetX:with("regnet_caps"):sample(5, { image = 224, classes = 1000, flops = { 1e8, 1e9 } })
  t.ok(space.RegNetX:with("regnet_caps"):contains(caps[5]), "a check that counts")
end

t.is(units.short(999400) .. units.short(999600), "999k1M", "three digits of a unit")
for text, x in pairs { ["10k"] = 9999.7, ["-50k"] = -50000, ["9998"] = 9998, nan = 0 / 0, inf = 1 / 0,
  ["0.05"] = 0.05, x = "x" } do
  t.is(units.value(x), text, "a value as " .. text)
end

---- Hint and check say the same: candidates drawn by the hint against candidates of the
---- parent that pass the check, for every constraint that has a hint.
local any2 = space.anynet { name = "any2", stages = 2, d = { 1, 4 }, w = { 8, 40, 8 },
  b = { 1, 2, 4 }, g = { 1, 2, 4 } }
local reg4 = space.regnet { name = "reg4", d = { 8, 60, 4 }, w_0 = { 8, 40 },
  w_a = { 8, 40, 8 }, w_m = { 1.5, 3, .5 }, b = { 1, 2, 4 }, g = { 1, 2, 4 } }

--- n candidates of S (not made unique), all that obey, as a table of how often each `key`.
local function histogram(S, n, seed, key)
  local p = draw.of(S)
  local s <close> = draw.sampler(p, seed)
  local index, got, counts = 0, 0, {}
  while got < n do
    local list
    list, index = s:next(index, index + 1000000, 256)
    for _, c in ipairs(list) do
      local obeys = true
      for _, k in ipairs(S.constraints) do
        local answer = population.obeys(k, c.m)
        assert(answer or not p.direct[k], "a hint drew what its check refuses")
        obeys = obeys and answer
      end
      if obeys and got < n then
        got = got + 1
        local at = key(c.m)
        counts[at] = (counts[at] or 0) + 1
      end
    end
  end
  return counts, s:share()
end

--- Two-sample chi-square of equally many draws, rare keys together; p = 0.1 % point.
local function agree(a, b)
  local keys, chi, freedom, rest_a, rest_b = {}, 0, -1, 0, 0
  for k in pairs(a) do keys[k] = true end
  for k in pairs(b) do keys[k] = true end
  local function cell(x, y)
    chi, freedom = chi + (x - y) ^ 2 / (x + y), freedom + 1
  end
  for k in pairs(keys) do
    local x, y = a[k] or 0, b[k] or 0
    if x + y < 20 then
      rest_a, rest_b = rest_a + x, rest_b + y
    else
      cell(x, y)
    end
  end
  if rest_a + rest_b >= 20 then cell(rest_a, rest_b) end
  if freedom == 0 then return true, "one key" end
  local limit = freedom * (1 - 2 / (9 * freedom) + 3.09 * math.sqrt(2 / (9 * freedom))) ^ 3
  return chi < limit, ("chi-square %.1f, %d degrees of freedom, limit %.1f"):format(chi, freedom, limit)
end

local function key(m)
  if m.regnet then
    local r = m.regnet
    return ("%d %d %g %g %g"):format(r.d, r.w_0, r.w_a, r.w_m, r.b)
  end
  return table.concat(m.asked.d, " ") .. "/" .. table.concat(m.asked.w, " ") .. "/"
    .. table.concat(m.asked.b, " ") .. "/" .. table.concat(m.asked.g, " ")
end

local hinted = 0
for _, name in ipairs(constraint.names()) do
  for _, parent in ipairs { any2, reg4 } do
    local c = constraint._of(name)
    local ok, S = pcall(parent.with, parent, c)
    if ok and draw.of(S).direct[c] then
      hinted = hinted + 1
      local bare = constraint { name = name, check = c.check, kind = c.kind }
      local function project(m) -- the parameters concerned, so that cells are well filled
        if m.regnet then return key(m):gsub(" [%d.]+$", "") end
        local d, w, b, g = key(m):match("(.*)/(.*)/(.*)/(.*)")
        return name:find("_[wd]$") and d .. "/" .. w or b .. "/" .. g
      end
      local direct = histogram(S, 10000, 1, project)
      local same, detail = agree(direct, (histogram(parent:with(bare), 10000, 2, project)))
      t.ok(same, ("%s drawn by its hint and by rejection agree (%s)"):format(name, parent.name),
        detail)
    end
  end
end
t.is(hinted, 18, "hints put to the test: nine in AnyNet spaces, nine in RegNet spaces")
do -- and the test can tell: sorting is not rejection
  local n, ordered = 10000, any2:with("monotone_d")
  local function d_of(m) return table.concat(m.asked.d, " ") end
  local function sorted(m)
    local d = { m.asked.d[1], m.asked.d[2] }
    table.sort(d)
    return table.concat(d, " ")
  end
  t.ok(not agree(histogram(ordered, n, 1, d_of), (histogram(any2, n, 2, sorted))),
    "sorted draws are told apart from rejection")
end

---- shares and acceptance at 224 pixels, 360 to 400 MF, against an independent Monte Carlo
do
  local _, w = histogram(C:with("monotone_w"), 1, 1, key)
  local _, d = histogram(C:with("monotone_d"), 1, 1, key)
  local _, c = histogram(C, 1, 1, key)
  t.near(w / c, .0554, 5e-5, "share of widths in order")
  t.near(d / c, .0795, 5e-5, "share of depths in order")
  local n = 2000
  -- acceptance given valid, share valid, mean depth, params, acts (M); relative tolerance
  -- covers both samples (2000 here; E there rests on some 80 draws) and the rounding there
  for _, row in ipairs {
    { A, .021, 1, 19.4, 1.47, 4.8, .1 }, { B, .021, 1, 19.2, 1.41, 4.8, .1 },
    { C, .021, 1, 19.3, 1.41, 4.8, .1 }, { D, .0186, 1, 21.6, 4.2, 3.67, .1 },
    { E, .018, 1, 19.3, 5.3, 2.86, .33 }, { space.RegNetX, .018, .141, 27, 4.2, 3.8, .1 },
    { space.RegNetX:with("b_1", "depth_le_40", "w_m_ge_2"), .020, .199, 22, 4.3, 3.5, .1 },
  } do
    local S, slack = row[1], row[7]
    local p = S:sample(n, { image = 224, classes = 1000, flops = { 360e6, 400e6 }, seed = 9 })
    local depth, params, acts = 0, 0, 0
    for _, m in ipairs(p) do
      local cost = arch.complexity(m)
      params, acts = params + cost.params, acts + cost.acts
      for _, blocks in ipairs(m.d) do depth = depth + blocks end
    end
    local valid = p.tried - (p.rejected.shape or 0)
    local accepted = (n + (p.rejected.duplicate or 0)) / valid
    t.near(accepted / row[2], 1, slack, ("%s: acceptance %.4f"):format(S.name, accepted))
    t.near(valid / p.tried / row[3], 1, .02, S.name .. ": share with four stages")
    t.near(depth / n / row[4], 1, .04, S.name .. ": mean depth")
    t.near(params / n / row[5] / 1e6, 1, .08, S.name .. ": mean params")
    t.near(acts / n / row[6] / 1e6, 1, .05, S.name .. ": mean acts")
  end
end

do -- the caps of 400 MF leave the share they are known to; the constraint has each its own
  local S = space.RegNetX:with("b_1", "depth_le_40", "w_m_ge_2")
  local p, n, wrong = S:sample(2000, { image = 224, classes = 1000, flops = { 360e6, 400e6 } }), 0, 0
  local function within(c, F) return c.params < 3e6 + 5.5e6 * F and c.acts < 6.5e6 * F ^ .5 end
  for _, m in ipairs(p) do
    local c = arch.complexity(m)
    n = n + (within(c, .4) and 1 or 0)
    wrong = wrong + (space.RegNetXC:contains(m) ~= within(c, c.flops / 1e9) and 1 or 0)
  end
  t.near(n / #p, .59, .035, ("share within the caps of 400 MF: %.3f"):format(n / #p))
  t.is(wrong, 0, "RegNetXC is within the caps, and nothing else is")
end

t.ok(tostring(E:describe()):find("monotone_d: d never falls from stage to stage (drawn directly)", 1, true),
  "describe says how a constraint is met")
t.is(tostring(B), "space AnyNetX_B (shared_b)", "tostring")

-- Seeds that nobody gave ----------------------------------------------------------------------
do
  local S, w = space.small.AnyNetXA:with { name = "seeded" }, { flops = { 1e6, 3e6 } }
  local C = S:with("shared_b")
  local p, q, again = S:sample(12, w), C:sample(12, w), S:sample(14, w)
  t.ok(p.seed ~= q.seed, "each space has a seed of its own", p.seed .. " and " .. q.seed)
  t.is(again.seed, p.seed, "and gets it again")
  t.is(arch.hash(again[12]), arch.hash(p[12]), "so that more continue what was drawn")
  local seen, shared = {}, 0
  for _, m in ipairs(p) do seen[arch.hash(m)] = true end
  for _, m in ipairs(q) do shared = shared + (seen[arch.hash(m)] and 1 or 0) end
  t.is(shared, 0, "populations that are compared share no networks")
  t.ok(tostring(q):find("seed " .. q.seed, 1, true), "the seed is shown")
  w.seed = 77
  t.is(S:sample(2, w).seed, 77, "one that is given is taken")
  w.seed = 9007199254740993
  t.is(S:sample(2, w).seed, 9007199254740993, "exactly")
end

t.done()
