-- Populations that are trained in turn until it is decided how they compare: looks, arms, plans,
-- what is kept.  The workers train nothing: the error of a network is made of its seed and depth.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local data = require "netspace.data.data"
local design = require "netspace.design.step"
local json = require "netspace.lib.json"
local space = require "netspace.space.space"
local sqlite = require "netspace.core.sqlite"
local stats = require "netspace.stats.stats"
local sweep = require "netspace.sweep.sweep"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-trial-XXXXXX"))
local function at(name) return dir .. "/" .. name end
-- The better the network, the longer it takes; of recipe.lr, shifts: of 1-stage networks, of those
-- of 2 stages, ….
require "overlay" (at("lua"), [[
local sys = require "netspace.core.sys"
local handle = M.handle
function M.handle(job, send)
  if job.kind ~= "train" then return handle(job, send) end
  local function emit(e)
    e.model, e.attempt = job.model, job.attempt
    send(e)
  end
  local noise, depth = 0, 0
  for k = 1, 4 do noise = noise + (sys.random(job.seed, k, 6) >> 11) / 2.0 ^ 53 - 0.5 end
  for _, d in ipairs(job.m.d) do depth = depth + d end
  local error = 40 + 2 * noise - job.recipe.lr * #job.m.d + 0.3 * depth * (job.recipe.wd * 1e4)
  emit { event = "begin", epoch = 0, step = 0, memory = 1000 }
  require("luv").sleep(math.max(1, math.floor(60 - error)))
  emit { event = "epoch", epoch = 1, lr = 0.1, train_loss = 1, train_error = error,
    validation_error = error, validation_loss = 1, class_error = error, seconds = 0.1,
    images_per_s = 100 }
  emit { event = "done", error = error, seconds = 0.1 }
  return not sys.interrupted()
end]])
local shapes = assert(data.open("shapes", { train = 64, test = 50 }))

-- n networks of a number of stages.
local function models(name, stages, n, seed)
  local list = { space = name, seed = seed }
  for i = 1, n do
    local m = { d = {}, w = {}, g = 8 }
    for k = 1, stages do m.d[k], m.w[k] = 1 + (i + k) % 3, 8 * k end
    list[i] = arch.anynet(m)
  end
  return list
end
local function run(store, populations, compare, o)
  local all = { store = at(store), data = shapes, quiet = true, workers = 3, models = populations,
    recipe = { epochs = 1, batch = 32, lr = 1, wd = 0 }, compare = compare }
  for k, v in pairs(o or {}) do all[k] = v end
  return sweep.run(all)
end
local function query(store, sql)
  local db = assert(sqlite.open(at(store), "r"))
  local rows = db:rows(sql)
  db:close()
  return rows
end
local function looks(d)
  local list = {}
  for i, arm in ipairs(d.arms) do
    list[i] = { arm.claim or false, arm.at or false, arm.n }
    for _, row in ipairs(arm.looks or {}) do
      table.insert(list[i], { row.n, row.difference, row.limit })
    end
  end
  return json.encode(list)
end

-- A difference of a point and a deviation of 0.6: decided at the second of five looks, or the
-- third.
local A, B = models("A", 1, 60, 1), models("B", 2, 60, 2)
local r = run("a.db", { A, B }, true)
local d = r.decision.arms[1]
t.ok(d.claim == "difference" and d.better == "B" and d.at < 4, "decided while it trains", r.verdict)
t.is(tostring(r), tostring(r.decision), "printed as the decision")
t.ok(#r[1].errors >= d.n and #r[1].errors < d.n + 5 and r[1].n == 60,
  "hardly a model beyond the look is trained", #r[1].errors)
t.is(d.verdict:gsub(" Not looked.*", ""), stats.sequential(r[1], r[2], { n = 60 }).verdict
  :gsub(" Not looked.*", ""), "the same as stats.sequential says of what is trained")
t.is(query("a.db", "SELECT count(*) AS n FROM model WHERE status = 'running'")[1].n, 0,
  "nothing is left at work")
local begun = query("a.db", [[SELECT idx, name FROM model JOIN population ON population.id =
  population WHERE started IS NOT NULL ORDER BY started]])
local apart = 0
for i, row in ipairs(begun) do apart = math.max(apart, math.abs(row.idx - (i + 1) // 2)) end
t.ok(apart <= 1, "A1 B1 A2 B2 …", apart)
t.is(#query("a.db", "SELECT * FROM event WHERE text LIKE 'B is better than A, decided at look%'"), 1,
  "the log of the store says it")

-- Again: nothing is trained, and nothing changes.
local again = run("a.db", { A, B }, true)
t.is(looks(again.decision), looks(r.decision), "the same call gives the same looks")
t.is(#query("a.db", "SELECT 1 FROM model WHERE started IS NOT NULL"), #begun, "and trains nothing")
t.is(#sweep.resume(at("a.db"), { quiet = true }), 0, "nor does resuming the store")
t.is(query("a.db", "SELECT verdict FROM trial")[1].verdict, r.verdict, "the store has the verdict")
local store = assert(sweep.open(at("a.db")))
t.is(store:population("A").state, "decided", "which is how it stands")
store:close()
local function refused(f, part, what)
  local good, message = pcall(f)
  t.ok(not good and tostring(message):find(part, 1, true), what or part, tostring(message))
end
refused(function() run("a.db", { A, B }, { looks = 4 }) end,
  "looks: [12,24,36,48,60] planned, [15,30,45,60] now", "another plan is refused")
refused(function() run("a.db", { models("A", 1, 80, 1), models("B", 2, 80, 2) }, true) end,
  "n: 60 planned, 80 now", "more models are another experiment")

-- Three candidates: one much better, one the same, one a little better.
local C, E = models("C", 1, 60, 3), models("E", 3, 60, 4)
r = run("arms.db", { A, E, C }, { margin = 0.2 })
local far, same = r.decision.arms[1], r.decision.arms[2]
t.ok(far.better == "E" and far.at <= 2 and #r[2].errors < 30, "an arm that is decided stops alone",
  #r[2].errors)
t.ok(same.claim == nil and same.over and #r[3].errors == 60 and #r[1].errors == 60,
  "the other goes on, with the parent", same.verdict)
t.near(far.level, 0.975, 1e-12, "with a margin each has half of the error probability")
r = run("holm.db", { A, E, C }, true)
t.near(r.decision.arms[1].level, 0.975, 1e-12, "Holm: half of it for the first claim")
t.near(r.decision.arms[2].level, 0.95, 1e-12, "all of it for the second")

-- Sameness, precision, any time.
r = run("same.db", { A, C }, { margin = 2 })
t.ok(r.decision.arms[1].same and #r[1].errors < 50, "the same within 2 points", r.verdict)
r = run("precise.db", { A, C }, { precision = 0.8 })
local narrow = r.decision.arms[1]
t.ok(narrow.at and (narrow.ci[2] - narrow.ci[1]) / 2 <= 0.8 and #r[1].errors < 40
  and #r[1].errors >= 10, "until the interval is narrow enough", r.verdict)
local before = narrow.looks[#narrow.looks - 1]
t.ok(before == nil or (before.ci[2] - before.ci[1]) / 2 > 0.8, "and not at the look before")
r = run("any.db", { A, C }, { looks = "anytime" }, { models = { models("A", 1, 15, 1),
  models("C", 1, 15, 3) } })
t.ok(not r.decision.over and #r[1].errors == 15, "at any time: not decided", r.verdict)
r = run("any.db", { A, B }, { looks = "anytime" }, { name = { "A", "C" }, models = {
  models("A", 1, 30, 1), models("C", 1, 30, 3) } })
t.is(#r[2].errors, 30, "and models may be added")
r = run("any.db", { A, B }, { looks = "anytime" })
t.ok(r.decision.arms[1].better == "B" and #r[2].errors < 40, "after every model", r.verdict)
t.ok(r.verdict:find("decided at model", 1, true), "says when")

-- Models that were there before the looks were planned.
run("before.db", A, nil, { name = "A" })
run("before.db", B, nil, { name = "B" })
r = run("before.db", { A, B }, true)
t.ok(r.verdict:find("Careful: 60 models of each had ended before the looks were planned", 1, true),
  "are told", r.verdict)

-- A step: predicted, until it is decided.
local S = space.small.AnyNetXA
local function step(o)
  local all = { parent = S, candidates = { "b_1" }, n = 40, store = at("step.db"), data = shapes,
    sample = { flops = { 1e6, 2e6 } }, quiet = true, workers = 3,
    recipe = { epochs = 1, batch = 32, lr = 1, wd = 1e-4 } }
  for k, v in pairs(o) do all[k] = v end
  return design.step(all)
end
local s = step { stop = "decided", predict = true, looks = { 30, 40 }, margin = 2 }
local arm = s.decision.arms[1]
t.ok(arm.looks[1].predicted and arm.looks[1].predicted.worth > 1.5, "estimates by prediction",
  arm.verdict)
t.ok(s.chosen ~= nil and s.verdict:find("^Go on with AnyNetX_A%-32px%+b_1: .* decided at look 1 of 2")
  and #s.results[1].errors < 40, "a step decides", s.verdict)
t.ok(tostring(s):find("candidate +look +models") ~= nil and s.alternatives == nil, "and prints")
local small = { parent = space.small.AnyNetXB, candidates = { "monotone_w" }, n = 10,
  looks = { 5, 10 }, stop = "decided", margin = 5 }
local few = step(small).decision.arms[1]
t.ok(few.looks[1].predicted and few.looks[1].predicted.guest >= 60,
  "the other populations of the store tell of few models", json.encode(few.looks))

local plan = json.decode(query("step.db", "SELECT plan FROM trial ORDER BY id DESC LIMIT 1")[1].plan)
t.ok(#plan.others == 2 and plan.predict == "where it pays" and plan.others[1][2] >= 30,
  "which are kept with the plan", json.encode(plan))
t.is(step(small).decision.arms[1].verdict, few.verdict, "and known again")
t.ok(#plan.arms[1].looks == #few.looks and plan.arms[1].looks[1].n == 5, "with what looks saw")
do -- in reports and exports
  local report = require "netspace.report.report"
  local function text(name)
    local f <close> = assert(io.open(at(name)))
    return f:read "a"
  end
  assert(report.report(at("step.db"), { output = at("step.html") }))
  local page = text("step.html")
  t.ok(page:find('<section id="trials">', 1, true) and page:find("looks at 30, 40 models of each")
    and page:find("predictions that learn from AnyNetX_A-32px+b_1 (", 1, true), "a report has plans")
  t.ok(page:find(few.verdict:sub(1, 60), 1, true), "and verdicts")
  assert(assert(sweep.open(at("step.db"))):export(at("step.jsonl")))
  local header = json.decode(text("step.jsonl"):match("^[^\n]*"))
  t.ok(#header.trials == 2 and header.trials[2].populations[1] == "AnyNetX_B-32px"
    and header.trials[2].plan.arms[1].looks[1].n == 5 and header.trials[2].verdict == few.verdict,
    "an export, too", json.encode(header.trials))
end
small = { parent = space.small.AnyNetXC, candidates = { "monotone_w" }, n = 20, looks = "anytime",
  stop = "decided", predict = true, seed = 4, margin = 2 }
few = step(small).decision.arms[1]
plan = json.decode(query("step.db", "SELECT plan FROM trial ORDER BY id DESC LIMIT 1")[1].plan)
t.ok(few.predicted and few.same and few.n < 20 and #plan.others == 2 and plan.predict == true,
  "at any moment, too, by what the plan names", few.verdict .. json.encode(plan))
t.ok(few.verdict:find("with predictions", 1, true) and step(small).decision.arms[1].verdict
  == few.verdict, "which is known again", few.verdict)
local bare = stats.anytime(step(small).results[1], step(small).results[2])
t.ok(few.ci[2] - few.ci[1] < 0.8 * (bare.ci[2] - bare.ci[1]), "and narrower than without",
  json.encode { few.ci, bare.ci, few.n, bare.n })
s = step { stop = "precision", precision = 1, store = at("step2.db") }
t.ok(s.decision.arms[1].at, "or stops at a precision", s.verdict)
for part, o in pairs {
  ["give stop = \"decided\", too"] = { looks = 3 },
  ["metric is for populations that are trained to the end"] = { stop = "decided", metric = "loss" },
  ["(did you mean 'decided'?); it is \"decided\" or \"precision\""] = { stop = "decide" },
  ["needs precision="] = { stop = "precision" },
  ["precision goes with stop"] = { stop = "decided", precision = 1 },
  ["leave one out"] = { stop = "decided", adopt = true },
  ["looks is 'often'"] = { stop = "decided", looks = "often" },
  ["the first look would be at 2 models"] = { stop = "decided", n = 10 },
} do refused(function() step(o) end, part) end

-- Misuse of sweep.run.
refused(function() run("x.db", { A, B }, nil) end, "compare = true trains them until")
refused(function() run("x.db", A, true, { name = "A" }) end, "compare is for several populations")
refused(function() run("x.db", { A, A }, true) end, "two populations are called A")
refused(function() run("x.db", { A, models("B", 2, 50, 2) }, true) end, "A has 60 models and B 50")
refused(function() run("x.db", { A, B }, { precision = 1, margin = 1 }) end,
  "precision and margin exclude each other")
refused(function() run("x.db", { A, B }, { looks = "anytime", spending = "pocock" }) end,
  "looks at any time take no spending")
refused(function() run("x.db", { A, B }, { margn = 1 }) end, "did you mean 'margin'?")
refused(function() run("x.db", { A }, true) end, "models has one population")
t.ok(not uv.fs_stat(at("x.db")), "what is refused leaves no store")

os.execute(("rm -rf %s"):format(dir))
t.done()
