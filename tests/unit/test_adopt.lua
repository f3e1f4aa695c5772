-- Live refinement: a child space adopts the models of its parent's population that obey the
-- new constraints.  In distribution first (nothing is trained), then what is refused, then a
-- real store.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local data = require "netspace.data.data"
local json = require "netspace.lib.json"
local recipe = require "netspace.network.recipe"
local space = require "netspace.space.space"
local stores = require "netspace.store.store"
local sweep = require "netspace.sweep.sweep"
local uv = require "luv"

local tiny = { stages = 2, d = { 1, 3 }, w = { 8, 64, 8 }, b = { 1, 2 }, g = { 1, 8 } }
local setting = { image = 32, stem = "cifar", stem_width = 8, stride = { 1, 2 } }
local function with(o)
  local all = {}
  for _, from in ipairs { setting, o } do
    for k, v in pairs(from) do all[k] = v end
  end
  return all
end

-- A population as if it were trained.
local function trained(pop, seeds)
  local r = { name = "A", models = pop, indices = {}, _origin = { store = "a.db", spec = pop.spec,
    window = pop.window, constraints = pop.constraints, seeds = seeds or { pop.seed } } }
  for i = 1, #pop do r.indices[i] = i end
  return r
end

-- Distribution --------------------------------------------------------------------------------
local function kind_of(m) -- a few dozen kinds of network
  local a = m.asked
  return ("%d%d %d%d %d"):format(a.d[1], a.d[2], a.b[1], a.g[2], a.w[1] // 24)
end

-- Chance of at least this difference between two lists of counts when both are one
-- distribution: chi-square, normal approximation of Wilson and Hilferty 1931.
local function same_distribution(a, b)
  local na, nb, chi, df, rest_a, rest_b = 0, 0, 0, -1, 0, 0
  local kinds = {}
  for _, c in ipairs { a, b } do
    for k in pairs(c) do kinds[k] = true end
  end
  for k in pairs(kinds) do na, nb = na + (a[k] or 0), nb + (b[k] or 0) end
  local function add(x, y)
    local expected_x, expected_y = (x + y) * na / (na + nb), (x + y) * nb / (na + nb)
    chi, df = chi + (x - expected_x) ^ 2 / expected_x + (y - expected_y) ^ 2 / expected_y, df + 1
  end
  for k in pairs(kinds) do
    local x, y = a[k] or 0, b[k] or 0
    if x + y >= 20 then add(x, y) else rest_a, rest_b = rest_a + x, rest_b + y end
  end
  if rest_a + rest_b > 0 then add(rest_a, rest_b) end
  local z = ((chi / df) ^ (1 / 3) - (1 - 2 / (9 * df))) / math.sqrt(2 / (9 * df))
  return z, df
end

local function count(into, pop)
  for _, m in ipairs(pop) do
    local k = kind_of(m)
    into[k] = (into[k] or 0) + 1
  end
end

local window = { flops = { 8e5, 1e7 } }
local function compare(name, S, C, adopt_window)
  local adopting, direct, share, ends = {}, {}, 0, {}
  for seed = 1, 150 do
    local A = trained(S:sample(40, with { seed = seed, flops = window.flops }))
    local B = C:sample(20, { adopt = A, flops = adopt_window })
    share = share + #B.adopted.indices
    count(adopting, B)
    count(direct, C:sample(20, with { seed = 5000 + seed, flops = adopt_window or window.flops }))
    for i = #B.adopted.indices + 1, #B do count(ends, { B[i] }) end
  end
  local z, df = same_distribution(adopting, direct)
  t.ok(z < 3.5, ("%s: %d of 3000 adopted, as drawn directly (%d kinds, z = %.2f)"):format(name,
    share, df + 1, z))
  t.ok(share > 300 and share < 2900, name .. ": some are adopted, some drawn")
  return adopting, ends
end
local S = space.anynet(tiny)
local rule = function(m) return m.d[1] <= m.d[2] and m.b[1] == 1 end
compare("a predicate", S, S:with(rule))
compare("a constraint with a hint", S, S:with("shared_b", "monotone_w"))
local adopting = compare("a narrower window", S, S:with("shared_g"), { 1e6, 6e6 })
do -- the same comparison sees a sample that is none: from uniform instead of log-uniform widths
  local other = {}
  for k, v in pairs(tiny) do other[k] = v end
  other.w = { lo = 8, hi = 64, q = 8, dist = "uniform" }
  local wrong, C = {}, space.anynet(other):with("shared_g")
  for seed = 1, 150 do
    count(wrong, C:sample(20, with { seed = 5000 + seed, flops = { 1e6, 6e6 } }))
  end
  t.ok(same_distribution(adopting, wrong) > 6, "another distribution of widths is told apart")
end

-- What is adopted, and what is not ----------------------------------------------------------
local A = trained(S:sample(30, with { seed = 7, flops = window.flops }))
local C = S:with(rule)
local B = C:sample(12, { adopt = A })
local expected = {}
for i, m in ipairs(A.models) do
  if rule(m) and #expected < 12 then expected[#expected + 1] = i end
end
t.is(json.encode(B.adopted.indices), json.encode(expected), "those that obey, in their order")
t.ok(rawequal(B[1], A.models[expected[1]]), "they are the same networks")
local seen, twice = {}, false
for _, m in ipairs(B) do
  twice = twice or seen[arch.hash(m)]
  seen[arch.hash(m)] = true
end
t.ok(not twice and #B == 12, "none is drawn a second time")
t.ok(B.seed ~= 7 and B.seed > 1000, "the rest has a seed of its own")
t.ok(tostring(B):find(("%d adopted from A, %d drawn"):format(#expected, 12 - #expected), 1, true),
  "it says how many", tostring(B))
t.is(json.encode(B[12]), json.encode(C:sample(12, { adopt = A })[12]), "the same call, the same networks")
t.is(#C:sample(2, { adopt = A }).adopted.indices, 2, "no more than asked for")
local cut = trained(S:sample(30, with { seed = 7, flops = window.flops }))
cut.indices[expected[2]] = 0 -- as if that one were not finished
t.is(#C:sample(12, { adopt = cut }).adopted.indices, 1, "only from an unbroken beginning")
local function refused(part, space_of, o)
  o.adopt = o.adopt or A
  t.fails(function() space_of:sample(5, o) end, part)
end
refused("seed 7 drew them", C, { seed = 7 })
refused("the window of flops, 1 to 1000000, is wider than theirs", C, { flops = { 1, 1e6 } })
refused("image was 32 and is now 64", C, { image = 64 })
refused("b was", S:with { b = 1 }, {})
refused("block was \"x\" and is now \"v\"", S:with { block = "v" }, {})
refused("they obey the constraint shared_b, which AnyNet does not have", S,
  { adopt = trained(S:with("shared_b"):sample(3, setting)) })
refused("adopt should be a result", C, { adopt = {} })
refused("drawn was not set and is now", S:with("monotone_w"), { order = "sorted" })
refused('order = "sorted" draws from another', S:with("monotone_w"), { order = "sorted",
  adopt = trained(S:sample(3, with { order = "sorted" })) })

-- A real store ------------------------------------------------------------------------------
local dir = assert(uv.fs_mkdtemp("/tmp/netspace-adopt-XXXXXX"))
local path = dir .. "/a.db"
local function run(models, o)
  local all = { store = path, models = models, recipe = recipe { epochs = 1, batch = 32 },
    data = data.open("shapes", { train = 32, test = 32 }), quiet = true }
  for k, v in pairs(o or {}) do all[k] = v end
  return sweep.run(all)
end
local P = run(S:sample(6, with { seed = 7, flops = window.flops }), { name = "P" })
local child = S:with("shared_g")
local Q = child:sample(4, { adopt = P })
local taken = #Q.adopted.indices
t.ok(taken > 0 and taken < 4, "some of six")
local before = P.errors[Q.adopted.indices[1]]
local R = run(Q, { name = "Q" })
t.is(R.errors[1], before, "an adopted model has the error it had")
local s = assert(stores.open(path))
t.is(s:provenance("Q").runs[1].models, 4 - taken, "only the others were trained")
t.is(s:provenance("Q").adopted.P, taken, "its provenance says where they are from")
t.is(#s:live("Q")[1].curve, 1, "with its epochs")
t.is(json.encode(run(Q, { name = "Q" }).errors), json.encode(R.errors), "run again, nothing changes")
t.fails(function() child:sample(3, { adopt = R, seed = Q.seed }) end, "drew them",
  "nor may a grandchild have a seed of its parent")
t.fails(function() child:sample(3, { adopt = R, seed = 7 }) end, "seed 7 drew them")
t.fails(function() run(Q, { name = "Z", recipe = recipe { epochs = 2, batch = 32 } }) end,
  "epochs: 1 in the store, 2 now")
t.fails(function() run(Q, { name = "Z", store = dir .. "/b.db" }) end, "train it there")
t.is(table.concat(s:names(), " "), "P Q", "what is refused leaves nothing behind")
s:close()
os.execute("rm -rf " .. dir)
t.done()
