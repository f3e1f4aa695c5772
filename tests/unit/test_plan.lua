-- Several populations in one time (sweep.plan), what is counted and said, limits of a resume,
-- recipes that give a few settings, and what is refused before anything is stored.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local chance = require "netspace.lib.chance"
local data = require "netspace.data.data"
local failures = require "netspace.store.failures"
local json = require "netspace.lib.json"
local net = require "netspace.network.net"
local news = require "netspace.sweep.news"
local plan = require "netspace.sweep.plan"
local recipe = require "netspace.network.recipe"
local requests = require "netspace.sweep.request"
local space = require "netspace.space.space"
local stats = require "netspace.stats.stats"
local sweep = require "netspace.sweep.sweep"
local units = require "netspace.lib.units"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-plan-XXXXXX"))
local function at(name) return dir .. "/" .. name end
local D = data.open("shapes", { train = 320, test = 100 })
local S = space.small.AnyNetXA
local window = { flops = { 1e6, 2e6 }, seed = 3 }
local A = S:sample(4, window)
window.seed = 4
local B = S:sample(4, window)

-- Time of day ---------------------------------------------------------------------------------
local noon = os.time { year = 2024, month = 5, day = 6, hour = 12, min = 0, sec = 30 }
t.is(plan.clock("12:01", noon), 30, "the next minute")
t.is(plan.clock("12:00", noon), 86400 - 30, "what has passed is tomorrow's")
t.is(plan.clock("7:00", noon), 19 * 3600 - 30, "tomorrow morning")
t.is(plan.clock("23:59", noon), 12 * 3600 - 90, "tonight")
for _, text in ipairs { "24:00", "7", "07:60", "7:0", "", "noon" } do
  t.is(plan.clock(text, noon), nil, ("'%s' is no time of day"):format(text))
end

-- Wrong use -----------------------------------------------------------------------------------
local function refused(o, part)
  local good, message = pcall(sweep.plan, o)
  t.ok(not good and tostring(message):find(part, 1, true), part, message)
end
refused({ budget = 5 }, "sweep.plan needs sweeps=")
refused({ sweeps = { { models = A } } }, "needs one of by=")
refused({ sweeps = { { models = A } }, by = "7:00", budget = 5 }, "needs one of by=")
refused({ sweeps = { { models = A } }, by = "25:00" }, "by is '25:00'")
for _, o in ipairs { { by = "7:60" }, { by = "7:00", budget = "1h" } } do
  t.fails(function() sweep.resume("/tmp", o) end, o.budget and "sweep.resume needs one of by="
    or "sweep.resume: by is '7:60'; it is a time of day")
end
refused({ sweeps = { { models = A } }, budget = "soon" }, "budget is 'soon'")
refused({ sweeps = { { models = A } }, budget = 5, order = "evn" }, "did you mean 'even'?")
refused({ sweeps = { { modls = A } }, budget = 5 }, "sweeps[1]: unknown option 'modls'")
refused({ sweeps = { { models = A, budget = 3 } }, budget = 5 }, "unknown option 'budget'")
refused({ sweeps = { { models = A }, { models = B } }, budget = 5, store = "x" },
  "sweeps[2] and sweeps[1] are both called 'AnyNetX_A-32px'")

-- Trained -------------------------------------------------------------------------------------
local function indices(r) return table.concat(r.indices, " ") end
local function both(budget, order, more)
  local o = { budget = budget, order = order, store = at(order .. budget .. ".db"), data = D,
    recipe = { epochs = 1 }, quiet = true, workers = 1,
    sweeps = { { name = "A", models = A }, { name = "B", models = B } } }
  for k, v in pairs(more or {}) do o[k] = v end
  return sweep.plan(o)
end
local all = both(600, "even")
t.is(indices(all[1]) .. ", " .. indices(all[2]), "1 2 3 4, 1 2 3 4", "enough time: all of both")
t.is(json.encode(both(600, "in turn")[2].errors), json.encode(all[2].errors),
  "the order changes no number")
t.is(#both(1e-3, "in turn")[2].errors, 0, "no time, no model")
local none = both(0.5, "even", { budget = 1e-3 })[1]
t.is(none.budget .. tostring(none), "0.001result A: 4 models: 4 queued; the budget of 0.001s is spent",
  "what is told is the time that was set")
t.is(tostring(stats.table { none, all[1] }):match "\nA +0[^\n]*", "\nA      0      -       -         -       0",
  "a row also of a population without finished models")
t.is(stats.table({ none })[1].n, 0, "n = 0")
for seconds, text in pairs { [0.5] = "0.5s", [9] = "9s", [0.001] = "0.001s", [9.5] = "9.5s", [12.25] = "12s",
  [75] = "1m15s", [7200] = "2h00m" } do
  t.is(units.limit(seconds), text, "a budget of " .. text)
end
local rest = sweep.resume(at "even0.5.db", { budget = 1e-3, quiet = true })
t.is(#rest .. rest[1].budget, "20.001", "resume has a budget for all")
t.is(#sweep.resume(at "even0.5.db", { budget = "10m", quiet = true })[2].errors, 4, "and goes on")

-- The handle of a sweep ------------------------------------------------------------------------
local handle = sweep.start { store = at "handle.db", name = "H", models = A, data = D, quiet = true,
  recipe = { epochs = 1 }, workers = 1 }
t.fails(function() handle:wait(5) end, "s:wait takes no argument, got 5")
t.fails(function() handle:cancel { now = true } end, "s:cancel takes no argument, got a table")
t.fails(function() handle.pause() end, "call it with a colon: s:pause()")
t.is(#handle:wait().errors, 4, "and without one it waits")
local heavy = { arch.anynet { d = { 2, 2 }, w = { 32, 64 } } }
for i = 2, 40 do heavy[i] = arch.anynet { d = { 2, 2 }, w = { 32, 64 + 8 * i } } end
local function share(order)
  sweep.run { store = at(order .. "4.db"), name = "before", models = { table.unpack(heavy, 1, 6) },
    data = D, recipe = { epochs = 2 }, quiet = true, workers = 1 } -- so that nothing is measured
  return both(4, order, { recipe = { epochs = 2 }, sweeps = { { name = "A", models = heavy },
    { name = "B", models = heavy, seed = 9 } } })
end
local even = share "even"
t.ok(#even[1].errors > 0 and #even[2].errors > 0 and #even[1].errors < 40,
  "even: some of each", ("%d and %d"):format(#even[1].errors, #even[2].errors))
t.ok(math.abs(#even[1].errors - #even[2].errors) <= 2, "about as many of both",
  ("%d and %d"):format(#even[1].errors, #even[2].errors))
local turn = share "in turn"
t.ok(#turn[1].errors > #turn[2].errors, "in turn: the first takes what it needs",
  ("%d and %d"):format(#turn[1].errors, #turn[2].errors))
for _, r in ipairs { even[1], even[2], turn[1] } do
  t.is(r.indices[#r.indices], #r.errors, "a beginning of the population")
  t.ok(tostring(r):find("the budget of %d+s is spent"), "the result says so", tostring(r))
end

-- Counting ------------------------------------------------------------------------------------
t.is(units.tally { done = 4, failed = 1, diverged = 0, running = 2, queued = 3 },
  "4 done, 1 failed, 2 running, 3 queued", "one way of counting")
t.is(units.tally {}, "0 done", "of nothing")
t.is(units.count(2, "model", 1), "1 of 2 models", "a part of them")
t.is(tostring(all[1]), "result A: 4 models: 4 done", "a result")
t.is(tostring(even[1]):match "^result A: 40 models: %d+ done, %d+ queued", tostring(even[1])
  :match "^[^;]*", "of one that was cut short")
local counts = even[1].counts
t.is(counts.done + counts.diverged + counts.failed + counts.running + counts.queued, even[1].n,
  "they add up")
local function ended(kept, queue, more)
  local s = { name = "A", store = "x.db", total = 6, seconds = 3, queue = queue or {}, kept = kept }
  for k, v in pairs(more or {}) do s[k] = v end
  return news.summary(s)
end
local function lost(...)
  local list = {}
  for i, reason in ipairs { ... } do list[i] = { reason = reason, memory = 100e6 * i } end
  return list
end
local killed = "its worker was killed by SIGSEGV, 3 times without progress"
t.is(ended({ done = 5, failed = 1, diverged = 0, trained = 6 }, nil, { lost = lost(killed), strayed = {} }),
  "A: 6 models: 5 done, 1 failed; 6 trained in 3s (x.db); 1 failed: " .. killed
  .. "; `netspace resume x.db --retry` trains the failed one again",
  "a summary says why some failed, and how they are trained again")
t.is(ended({ done = 3, failed = 1, diverged = 2, trained = 6 }, nil, { lost = lost(killed),
  strayed = lost("the loss is nan in epoch 1", "the loss is nan in epoch 1") }),
  "A: 6 models: 3 done, 2 diverged, 1 failed; 6 trained in 3s (x.db); 1 failed: " .. killed
  .. "; 2 diverged: the loss is nan in epoch 1; `netspace resume x.db "
  .. "--retry` trains the failed one (what diverged, too: --retry=all) again", "and diverged ones")
local function needs(n)
  return ("it needs %d MB at batch 32, and the limit is 9 MB per worker; raise memory= of the sweep, "
    .. "or use a smaller batch, image or width"):format(n)
end
t.is(ended({ done = 3, failed = 3, diverged = 0, trained = 6 }, nil,
  { lost = lost(needs(100), needs(200), killed), strayed = {} }),
  "A: 6 models: 3 done, 3 failed; 6 trained in 3s (x.db); 2 failed: it needs 100 MB at "
  .. "batch 32, and the limit is 9 MB per worker (numbers of the first); 1 failed: " .. killed .. "; `netspace resume "
  .. "x.db --retry --memory 210MB`, or the same script with a larger memory=, trains the failed "
  .. "ones again", "a limit that failed some is named, with what lifts it")
local hung = "its worker hung: it said nothing for 2 seconds, 3 times without progress"
t.ok(ended({ done = 5, failed = 1, diverged = 0, trained = 6 }, nil, { lost = lost(hung), strayed = {} })
  :find("resume x.db --patience SECONDS`, or the same script with a larger patience=, trains", 1, true),
  "so is patience")
t.ok(ended({ done = 4, failed = 1, diverged = 0, trained = 5 }, { 1 }, { lost = lost(needs(100)), strayed = {} })
  :find("run it again, or `netspace resume x.db` (with --memory 105MB also what failed)", 1, true),
  "also where models are left")
t.is(ended({ done = 0, failed = 6, diverged = 0, trained = 0, unsuccessful = 6 }, nil,
  { lost = lost(needs(100)), strayed = {} }):match "; ([^;]*) %(x.db%)", "none trained, 6 failed",
  "models that failed at once are not trained in no time")
t.ok(ended({ done = 4, failed = 1, diverged = 0, trained = 4 }, { 1 }, { lost = lost(needs(100)), strayed = {},
  over = { most = 400e6 } }):find("(with --memory 420MB also what failed)", 1, true),
  "the limit is enough for the models that wait, too")
t.is(failures.text(lost("a", "b", "b", "c", "d"), "failed"),
  "2 failed: b; 1 failed: a; 1 failed: c; 1 other reason", "the most frequent reasons first")
t.is(ended({ done = 4, failed = 0, diverged = 0, trained = 4 }, { 1, 2 }),
  "A: 6 models: 4 done, 2 queued; 4 trained in 3s (x.db); run it again, or `netspace resume x.db`",
  "or what is left")
t.is(ended({ done = 0, failed = 0, diverged = 0, trained = 0 }, { 1, 2, 3, 4, 5, 6 },
  { unknown = true }), "A: 6 models: 6 queued; none trained to the end in 3s (x.db); run it again",
  "where the store does not know it yet")

-- Not learning ----------------------------------------------------------------------------------
local card = { classes = 10, test_n = 500 }
t.is(chance.of_errors({ 90, 88, 91.5, 100 }, card), 90, "all near chance")
t.is(chance.of_errors({ 90, 84, 91.5 }, card), nil, "one has learnt")
t.is(chance.of_errors({ 100, 100, 90 }, card), nil, "a single one says little")
local uneven = { classes = 4, test_n = 500, largest = 400 }
t.near(chance.of_errors({ 20, 21, 40 }, uneven), 20, 1e-9, "always the largest class is chance, too")
t.is(chance.of_errors({ 10, 21, 40 }, uneven), nil, "less is learnt")
t.is(chance.of_errors({ 90, 90 }, nil), nil, "of data that nobody knows")
t.ok(ended({ done = 6, failed = 0, diverged = 0, trained = 6 }, nil, { least = 89, card = card })
  :find("no model has learnt: all errors are near chance (90 %)", 1, true), "the summary says it")
local dull = sweep.run { store = at "dull.db", name = "A", models = A, data = D, quiet = true,
  recipe = { epochs = 1, lr = 1e-7 } }
t.ok(stats.compare(dull, all[1]).verdict:find("no model has learnt", 1, true),
  "and the verdict", stats.compare(dull, all[1]).verdict)
-- Populations that are not trained ----------------------------------------------------------------
t.fails(function() stats.compare(A, B) end,
  "a is a population, which is not trained yet; train it first: sweep.run{ models = a, … }")
t.fails(function() stats.edf { A[1], A[2] } end, "is a list of networks, which is not trained yet; train it first")

-- A partial recipe --------------------------------------------------------------------------------
local function stored(file) return sweep.open(at(file)):population("A").recipe end
t.is(json.encode(stored "even600.db"), json.encode(recipe { like = recipe.quick, epochs = 1 }),
  "a partial recipe starts from recipe.quick")
t.is(recipe({ epochs = 3 }).batch, recipe.paper.batch, "recipe{ … } from recipe.paper")

-- A batch that is too large -----------------------------------------------------------------------
local small = data.open("shapes", { train = 100, test = 50 })
for name, f in pairs { ["sweep.run"] = sweep.run, ["sweep.forecast"] = sweep.forecast } do
  local good, message = pcall(f, { store = at "none.db", name = "A", models = A, data = small,
    recipe = recipe.paper, quiet = true })
  t.ok(not good and tostring(message):find(name .. ": recipe.batch is 128, and the training set "
    .. "of 'shapes' has 100 images", 1, true), name .. " refuses a batch above the data", message)
end
t.ok(not uv.fs_stat(at "none.db"), "before anything is stored")

-- Networks changed by hand ------------------------------------------------------------------------
local m = arch.anynet { d = { 1, 1 }, w = { 16, 32 }, g = 8 }
t.is(arch._final(m), m, "what is as it was made stays")
m.w[2] = 33
local fits = "stage 2: w = 33 does not fit groups of g = 8; it would be 32"
for name, f in pairs {
  complexity = function() arch.complexity(m) end, hash = function() arch.hash(m) end,
  describe = function() arch.describe(m) end, ["net.new"] = function() net.new(m) end,
  ["sweep.run"] = function()
    sweep.run { store = at "hand.db", name = "H", models = { m }, data = D, quiet = true }
  end } do
  t.fails(f, fits, name .. " refuses a change that does not fit")
end
m.w[2], m.regnet = 40, { d = 2 }
local hand = sweep.run { store = at "hand.db", name = "H", models = { m }, data = D, quiet = true,
  recipe = { epochs = 1 }, checkpoint = { keep = true } }
local kept = sweep.open(at "hand.db")
t.is(hand.models[1].w[2] .. " " .. hand.models[1].asked.w[2] .. " "
  .. tostring(hand.models[1].regnet), "40 40 nil", "stored as it is trained")
t.is(kept:net("H", 1):arch().w[2], 40, "and its weights")
t.is(kept:net("H", 1):data().class_names[1], D:card().class_names[1], "which know their data")
local raw = sweep.run { store = at "hand.db", name = "R", quiet = true, data = D,
  models = { { d = { 1, 1 }, w = { 16, 33 }, image = 32, classes = 10 } }, recipe = { epochs = 1 } }
t.is(raw.models[1].w[2] .. " " .. raw.models[1].asked.w[2], "32 33", "so is one written by hand")

-- Limits of a resume ------------------------------------------------------------------------------
local old = { memory = 5e6, patience = 7, checkpoint = { every = 2 } }
t.is(json.encode(requests.limits("x", old, {})), json.encode(old), "limits stay as they are")
t.is(requests.limits("x", old, { memory = "none" }).memory, nil, "are lifted")
t.is(requests.limits("x", old, { memory = "2GB", patience = 9 }).memory, 2000000000, "or set")
t.is(requests.limits("x", old, { patience = 9 }).patience, 9, "as patience is")
local tight = sweep.run { store = at "tight.db", name = "T", models = A, data = D, quiet = true,
  recipe = { epochs = 1 }, memory = "1MB" }
t.is(tight.counts.failed, 4, "too little memory")
t.is(sweep.resume(at "tight.db", { retry = true, memory = "none", quiet = true })[1].counts.done,
  4, "trained when the limit is lifted")
t.is(sweep.open(at "tight.db"):population("T").failed, 0, "and the store says so")
-- The same call with a higher limit trains again what failed at the lower one, and nothing else.
local function limited(memory, more)
  local o = { store = at "limit.db", name = "L", models = A, data = D, quiet = true,
    recipe = { epochs = 1 }, memory = memory }
  for k, v in pairs(more or {}) do o[k] = v end
  return sweep.run(o).counts
end
local function query(sql)
  local db = require("netspace.core.sqlite").open(at "limit.db", "rw")
  local rows = db:rows(sql)
  db:close()
  return rows
end
t.is(limited("1MB").failed, 4, "a limit fails all")
local list = query "SELECT memory, attempt FROM model"
t.ok(list[1].memory and list[1].memory > 1e6, "what each needs is known also of failed ones")
t.is(limited("1MB").failed .. query("SELECT max(attempt) AS n FROM model")[1].n, "41",
  "the same limit: not again")
query "UPDATE model SET reason = 'its worker was killed by SIGSEGV' WHERE idx = 1"
t.is(sweep.forecast({ store = at "limit.db", name = "L", models = A, data = D,
  recipe = { epochs = 1 }, memory = "1GB" }).models, 3, "the forecast knows")
local counts = limited("1GB")
t.is(counts.done .. counts.failed, "31", "a higher one: those, and not what failed otherwise")
query "UPDATE model SET status = 'failed', reason = 'its worker hung: it said nothing', error = 100"
limited("1GB", { patience = 100 })
t.is(limited("1GB").done, 4, "patience: 120 seconds are more than 100")
t.is(limited("1GB", { patience = 500 }).done, 4, "what is done stays")
query "UPDATE population SET settings = '{\"memory\":1000000}'"
query [[UPDATE model SET status = 'failed', error = 100,
  reason = 'it took more memory than the limit of 1 MB per worker; raise memory= of the sweep']]
t.is(#sweep.resume(at "limit.db", { quiet = true, memory = "900kB" }), 0, "resume: a lower limit")
t.is(sweep.resume(at "limit.db", { quiet = true, memory = "2GB" })[1].counts.done, 4,
  "resume: a higher one does not need --retry")

local wild = sweep.run { store = at "wild.db", name = "W", models = A, data = D, quiet = true,
  recipe = { epochs = 1, lr = 1000 } }
t.is(wild.counts.diverged, 4, "all diverged")
t.is(sweep.retry(at "wild.db"), 0, "which is a result, not a failure")
t.is(sweep.retry(at "wild.db", "W", { diverged = true }), 4, "unless asked for")
t.is(#sweep.resume(at "wild.db", { quiet = true })[1].errors, 4, "and trained again")
local good, message = pcall(sweep.resume, at "wild.db", { retry = "some" })
t.ok(not good and tostring(message):find("retry is 'some'", 1, true), "true or all", message)

os.execute("rm -r " .. dir)
t.done()
