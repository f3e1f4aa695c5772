-- Steps of design: decisions from figures, populations that are found again, independent
-- seeds, repeats, misuse.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local data = require "netspace.data.data"
local design = require "netspace.design.step"
local json = require "netspace.lib.json"
local recipe = require "netspace.network.recipe"
local space = require "netspace.space.space"
local stats = require "netspace.stats.stats"
local sweep = require "netspace.sweep.sweep"
local uv = require "luv"

local function blamed(f, part)
  local _, message = pcall(f)
  t.ok(tostring(message):find("test_design.lua:", 1, true) ~= nil
    and tostring(message):find(part, 1, true) ~= nil, part, tostring(message))
end

-- Decisions: the paper's rule from made-up errors.
local A, B, C = space.AnyNetXA, space.AnyNetXB, space.AnyNetXC
local function errors(S, first)
  local list = {}
  for i = 1, 60 do list[i] = first + 0.25 * i end
  return { name = S.name, errors = list }
end
local function decide(a, b, c, margin)
  local list = { errors(B, b), c and errors(C, c) }
  return design._decide(stats.alternatives(errors(A, a), list, { margin = margin }), { A, B, C })
end
local chosen, verdict = decide(40, 30, 35)
t.ok(chosen == B and verdict:find("^Go on with AnyNetX_B: AnyNetX_B is better than AnyNetX_A"),
  "the best of the better ones", verdict)
chosen, verdict = decide(40, 50, 40.1, 3)
t.ok(chosen == C and verdict:find("no more than 3 points worse than AnyNetX_A and it is 5.83k "
  .. "times smaller", 1, true), "else the best of those that are no worse, as they are smaller",
  verdict)
chosen, verdict = decide(40, 50, 55)
t.ok(chosen == A and verdict:find("^Stay with AnyNetX_A: every alternative is worse"),
  "the parent when all are worse", verdict)
chosen, verdict = decide(40, 39, 50, 0.5)
t.ok(chosen == nil and verdict:find("^Undecided: nothing can be claimed of 1 of 2 candidates; n is "
  .. "too small: about %d+ more models of each .* that of AnyNetX_B%.$"), "nothing when n is too small", verdict)
chosen, verdict = decide(40, 40)
t.ok(chosen == nil and verdict:find("any candidate; train more models", 1, true),
  "equal means have no size", verdict)

-- A small step, trained.
local dir = assert(uv.fs_mkdtemp("/tmp/netspace-design-XXXXXX"))
local function step(o)
  local all = { store = dir .. "/a.db", data = data.open("shapes", { train = 64, test = 50 }),
    n = 2, recipe = recipe { epochs = 1, batch = 32 }, quiet = true,
    sample = { flops = { 3e5, 6e5 }, stem_width = 8, stride = { 2, 2, 2, 2 } } }
  for k, v in pairs(o) do all[k] = v end
  return design.step(all)
end
local s = step { parent = "AnyNetXA", candidates = { B, "shared_g" } }
t.ok(#s.results == 3 and s.spaces[3].name == "AnyNetX_A+shared_g", "constraints make spaces")
t.ok(s.alternatives.parent == "AnyNetX_A" and #s.alternatives.rows == 2, "compared")
t.ok(tostring(s):find("^AnyNetX_A and its candidates, n = 2 each") ~= nil
  and tostring(s):find(s.verdict, 1, true) ~= nil, "printed", tostring(s))
local function seed(name)
  local store = assert(sweep.open(dir .. "/a.db"))
  local p = store:population(name)
  store:close()
  return p.sample_seed
end
t.ok(seed "AnyNetX_A" ~= seed "AnyNetX_B", "populations are independent draws")
local before, drawn = json.encode(s.results[2].errors), seed "AnyNetX_B"
local next_step = step { parent = B, candidates = { C }, n = 3 }
t.is(json.encode { table.unpack(next_step.results[1].errors, 1, 2) }, before,
  "a candidate that becomes the parent keeps its models; a larger n adds some")
t.is(#next_step.results[1].errors, 3, "one more of the parent")
local again = step { parent = B, candidates = { C }, n = 3 }
t.is(json.encode(again.results[2].errors), json.encode(next_step.results[2].errors),
  "the same step again is the same")
t.is(seed "AnyNetX_B", drawn, "with the same seed")

-- Adoption: what the parent has of the child is not trained again.
local wide = space.RegNetX:with { "b_1", name = "wide" }
local shallow = wide:with { function(m) return #m.d > 0 end, name = "shallow" } -- all obey
local adopted = step { parent = wide, candidates = { shallow }, adopt = true }
t.is(json.encode(adopted.results[2].errors), json.encode(adopted.results[1].errors),
  "adopted results")
t.is(adopted.alternatives.rows[1].comparison.shared, 2, "are known to be shared")
local rest = step { parent = "AnyNetXA", candidates = { "shared_b", "shared_g" }, adopt = true, n = 3,
  store = dir .. "/b.db" }
local of_b, of_g = rest.results[2].models[3], rest.results[3].models[3]
t.ok(json.encode(of_b.asked.d) ~= json.encode(of_g.asked.d),
  "what else two candidates need are independent draws", json.encode { of_b.asked, of_g.asked })

-- Repeats.
local models = wide:sample(2, { flops = { 3e5, 6e5 }, stem_width = 8, stride = { 2, 2, 2, 2 } })
local runs = design.repeats { models = models, times = 2, store = dir .. "/r.db", quiet = true,
  data = data.open("shapes", { train = 64, test = 50 }), recipe = recipe { epochs = 1, batch = 32 } }
t.ok(#runs == 2 and runs[1].name == "wide" and runs[2].name == "wide, seed 2", "two trainings")
t.is(json.encode(runs[1].models), json.encode(runs[2].models), "of the same models")
local store = assert(sweep.open(dir .. "/r.db"))
t.ok(store:population("wide").seed ~= store:population("wide, seed 2").seed, "with other seeds")
t.is(store:population("wide").seed, models.seed, "the first as sweep.run would train them")
store:close()
t.is(stats.noise(runs).k, 2, "for stats.noise")

blamed(function() step { candidates = { B } } end, "design.step needs parent=")
blamed(function() step { parent = A, candidates = {} } end, "candidates is empty")
blamed(function() step { parent = A, candidates = { "shared_c" } } end, "no constraint 'shared_c'")
blamed(function() step { parent = "AnyNetXZ", candidates = { B } } end, "no space 'AnyNetXZ'")
blamed(function() step { parent = 3, candidates = { B } } end, "option 'parent' should be")
blamed(function() step { parent = {}, candidates = { B } } end, "parent is a table; it should be")
blamed(function() step { parent = A, candidates = { B, B } } end, "two spaces are called AnyNetX_B")
blamed(function() step { parent = A, candidates = { B }, sample = { seed = 1 } } end,
  "give seed= to the step")
blamed(function() step { parent = A, candidates = { B }, margn = 1 } end, "did you mean 'margin'?")
blamed(function() step { parent = A, candidates = { B }, recipe = { epochs = 2 } } end,
  "has another recipe")
blamed(function() design.repeats { models = models, store = "x", data = "shapes", times = 1 } end,
  "times is 1")

for name in function(scan) return uv.fs_scandir_next(scan) end, uv.fs_scandir(dir) do
  uv.fs_unlink(dir .. "/" .. name)
end
uv.fs_rmdir(dir)
t.done()
