--- Validation images and metrics other than the error: in a sweep, its store, statistics and
-- exports; stores of the time before there were any, read, upgraded and resumed at the same
-- bits; looks at the test images.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local cards = require "netspace.lib.card"
local json = require "netspace.lib.json"
local looks = require "netspace.lib.looks"
local requests = require "netspace.sweep.request"
local schema = require "netspace.store.schema"
local sqlite = require "netspace.core.sqlite"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-metric-XXXXXX"))
local function at(name) return dir .. "/" .. name end
local function read(path)
  local f <close> = assert(io.open(path, "rb"))
  return f:read("a")
end

-- A sweep -------------------------------------------------------------------------------------
local D = data.open("shapes", { train = 160, validation = 100, test = 50, seed = 3 })
local function networks()
  return space.small.AnyNetXA:sample(4, { flops = { 8e5, 1.5e6 }, seed = 1 })
end
local function train(store, set, more)
  local o = { store = at(store), name = "A", models = networks(), data = set or D,
    recipe = { epochs = 2 }, workers = 1, quiet = true }
  for k, v in pairs(more or {}) do o[k] = v end
  return sweep.run(o)
end
local a = train "new.db"
t.is(#a.errors, 4, "trained")
local s = assert(sweep.open(at "new.db"))
local learning = s:learning "A"
for i, model in ipairs(learning) do
  t.is(model.validation_error[2], a.errors[i], "the error is that of the last epoch")
  t.is(a.columns.validation_loss[i], model.validation_loss[2], "as is the loss")
  -- ten of each class
  t.near(model.class_error[1], model.validation_error[1], 1e-9, "all classes alike: the same mean")
  t.ok(model.top5_error[2] <= model.validation_error[2], "among five is easier")
end
local p = s:population "A"
t.is(p.card.validation_n, 100, "the card says how many")
t.is(p.source.validation, 100, "and so does how to open it again")
t.ok(cards.apart(p.card) and cards.compared(p.card) == 100, "and by how many it compares")
local live = s:live("A")[1]
t.is(live.curve[2], a.errors[1], "live: the curve")

-- The same network, trained alone, and measured
do
  local seed = assert(sqlite.open(at "new.db", "r")):rows("SELECT seed FROM model WHERE idx = 1")[1].seed
  local n = net.new(a.models[1], { seed = seed, batch = 32 })
  local r = n:train(D, { epochs = 2 })
  t.is(r.error, a.errors[1], "alone as in the sweep")
  local e, m = n:test(D, { split = "validation" })
  t.is(e, r.error, "net:test of the validation images")
  t.is(m.loss, learning[1].validation_loss[2], "the loss as in the store")
  t.is(m.top5_error, learning[1].top5_error[2], "the top-5 error")
  t.is(m.class_error, learning[1].class_error[2], "the class error")
  t.is(m.n .. tostring(m.looks), "100nil", "no look at the test images")
  local c = n:confusion(D, { split = "validation" })
  local right, all = 0, 0
  for i, row in ipairs(c.matrix) do
    local of = 0
    for _, count in ipairs(row) do of = of + count end
    t.is(of, 10, "confusion: every image of a class has an answer")
    right, all = right + row[i], all + of
  end
  t.is(100 * (all - right) / all, e, "confusion: the same error")
  t.is(c.error, e, "and it says so")
  t.ok(#c.worst > 0 and c.worst[1].n >= c.worst[#c.worst].n, "the worst pair first")
  t.is(c.matrix[c.worst[1].label + 1][c.worst[1].answer + 1], c.worst[1].n, "a pair of the matrix")
  t.ok(tostring(c):find(("%s is taken for %s"):format(c.worst[1].class, c.worst[1].taken_for), 1, true),
    "printed")

  local before = D:looks()
  local _, tested = n:test(D)
  t.is(tested.n, 50, "net:test: the test images")
  t.is(D:looks(), before + 1, "and counts a look")
  t.is(tested.looks, before + 1, "and says how often")
  n:confusion(D)
  n:test(D, { split = "train" })
  local times, kinds = D:looks()
  t.is(times, before + 2, "a confusion of them is a look, other splits are none")
  t.is(kinds, before == 0 and 1 or kinds, "at one network")
  t.is((looks.of(D:checksum())), 0, "looks are those of the test images")
  t.fails(function() n:test(D, { split = "tset" }) end, "did you mean 'test'?")
  t.fails(function() n:confusion(D, { spilt = "test" }) end, "did you mean 'split'?")
end

-- Statistics ------------------------------------------------------------------------------------
local loss = {}
for i in ipairs(a.errors) do loss[i] = a.columns.validation_loss[i] end
t.is(stats.edf(a, { metric = "loss" }).mean, stats.edf(loss).mean, "the EDF of another metric")
t.is(stats.edf(a, { metric = "error" }).mean, stats.edf(a).mean, "of the error")
t.is(stats.edf(a, { metric = "top5_error" }).min, math.min(table.unpack(a.columns.top5_error)),
  "of the top-5 error")
local _, least, which = stats.best(a, { metric = "loss" })
t.is(least, math.min(table.unpack(loss)), "the best by it")
t.is(loss[which], least, "and its place")
local function made(name, shift)
  local x = { name = name, errors = {}, models = {}, columns = { class_error = {}, validation_loss = {} } }
  for i = 1, 12 do
    x.errors[i], x.models[i] = 50, { d = { i } }
    x.columns.class_error[i] = 40 + i + 20 * shift
    x.columns.validation_loss[i] = 1.5 + i / 100 + shift
  end
  return x
end
local x, y = made("x", 1), made("y", 0)
t.is(stats.compare(x, y).better, nil, "by the error nothing can be claimed")
local c = stats.compare(x, y, { metric = "class_error" })
t.is(c.better, "y", "by another metric it can")
t.ok(c.verdict:find("its mean class error is 20.00 points lower, 46.50 against 66.50 % (95 % CI", 1, true),
  "and the verdict says which", c.verdict)
c = stats.compare(x, y, { metric = "loss" })
t.ok(c.verdict:find("its mean loss is 1.000 lower, 1.565 against 2.565 (95 % CI 0.", 1, true)
  and not c.verdict:find "points", "a loss has no unit", c.verdict)
t.ok(tostring(c):find("mean difference -1.000, CI -1.0", 1, true), "nor in the figures", tostring(c))
local by = stats.alternatives(a, { a }, { metric = "loss" })
t.near(by.mean, stats.edf(loss).mean, 1e-12, "alternatives")
t.ok(tostring(by):find("^space +n +min +mean +difference"), "their table has no unit", tostring(by))
t.ok(tostring(stats.table { a, metric = "loss" }):find("^space +n +min +mean +median"), "nor stats.table")
t.ok(tostring(stats.table { a, metric = "top5_error" }):find("mean %%"), "but for one in percent")
t.is(stats.normalise({ a }, { metric = "top5_error", bins = 1 })[1].mean,
  stats.edf(a, { metric = "top5_error" }).mean, "normalise")
t.is(stats.bootstrap(a, function(m) return m.d[1] end, { metric = "loss" }).best, a.models[which].d[1],
  "bootstrap: the best by it")
t.near(stats.search(a, { metric = "loss" }).mean[1], stats.edf(loss).mean, 1e-12, "search")
t.ok(plot.edf { a, metric = "loss" }:text():find "loss", "plot.edf: its axis")
t.ok(plot.scatter(a, "flops", { metric = "class_error" }):text():find "class error", "plot.scatter")
t.ok(plot.training(learning, { what = "top5_error" }):text(), "plot.training")
t.fails(function() stats.edf(a, { metric = "class" }) end, 'it must be "error", "class_error"')
t.fails(function() stats.edf({ 1, 2 }, { metric = "loss" }) end,
  "the argument has no loss: only results have other metrics than the error")
t.fails(function() stats.compare(a, stats.edf(a), { metric = "loss" }) end, "b has no loss")
local lost = { name = "L", errors = { 40, 100 }, models = { a.models[1], a.models[2] },
  columns = { class_error = { 35 } } }
t.is(stats.edf(lost, { metric = "class_error" }).failed, 1, "a model that failed has 100 of every metric")
lost.errors[2] = 99
t.fails(function() stats.edf(lost, { metric = "class_error" }) end,
  "L has no class_error: it was trained before netspace kept it, or elsewhere")

-- Exports ---------------------------------------------------------------------------------------
s:export(at "x.csv")
local back = stats.import(at "x.csv")[1]
for _, metric in ipairs { "class_error", "top5_error", "loss" } do
  t.is(stats.edf(back, { metric = metric }).mean, stats.edf(a, { metric = metric }).mean,
    "CSV: " .. metric)
end
s:export(at "x.jsonl")
local line = json.decode(read(at "x.jsonl"):match("\n([^\n]*)\n"))
t.is(line.learning[2].validation_error, a.errors[1], "JSON lines: every epoch")
t.is(line.class_error, a.columns.class_error[1], "and the last")
s:close()

-- Stores of the time before ---------------------------------------------------------------------

-- Makes of a store one of version 4: without the columns, tables, card and source of now.
local function make_old(path)
  local db = assert(sqlite.open(path, "rw"))
  for _, view in ipairs { "models", "epochs", "populations" } do
    assert(db:exec("DROP VIEW " .. view))
  end
  assert(db:exec "ALTER TABLE model DROP COLUMN recipe")
  for _, column in ipairs { "validation_loss", "top5_error", "class_error" } do
    assert(db:exec("ALTER TABLE epoch DROP COLUMN " .. column))
  end
  for _, column in ipairs { "engine", "blas", "corename", "isa" } do
    assert(db:exec(("ALTER TABLE run ADD COLUMN %s TEXT"):format(column)))
  end
  assert(db:exec [[UPDATE run SET (engine, blas, corename, isa) = (SELECT version,
      substr(kernels, 1, instr(kernels, ', ') - 1), 'C', substr(kernels, instr(kernels, ', ') + 2)
      FROM trainer);
    ALTER TABLE model DROP COLUMN trainer; DROP TABLE trainer; DROP TABLE arm;
    DROP TABLE trial; DROP TABLE distribution; ALTER TABLE epoch RENAME COLUMN validation_error TO test_error;
    UPDATE population SET data = json_remove(data, '$.validation'),
      card = json_remove(card, '$.validation_n', '$.test_checksum', '$.channels');
    UPDATE population SET data = json_set(data, '$.test', 100),
      card = json_set(card, '$.test_n', 100); DROP TABLE program; PRAGMA user_version = 4]])
  db:close()
end

local function copy(from, to)
  local f <close> = assert(io.open(to, "wb"))
  f:write(read(from))
end

copy(at "new.db", at "old.db")
make_old(at "old.db")
local old_bytes = read(at "old.db")
local o = assert(sweep.open(at "old.db"))
local r = o:result "A"
t.is(table.concat(r.errors, " "), table.concat(a.errors, " "), "an old store: its errors")
t.is(o:learning("A")[2].validation_error[1], learning[2].validation_error[1], "of every epoch")
t.ok(o:learning("A")[2].class_error[1] ~= o:learning("A")[2].class_error[1], "the rest is NaN")
t.is(json.encode(r.trainers), json.encode(a.trainers), "an old store: who has trained its models")
t.is(r.columns.class_error, nil, "it has no other metrics")
t.fails(function() stats.edf(r, { metric = "class_error" }) end,
  "A has no class_error: it was trained before netspace kept it")
t.ok(not cards.apart(r.card) and cards.compared(r.card) == 100, "its test images serve for both")
local db = assert(sqlite.open(at "old.db", "r"))
t.is(json.encode(db:rows("PRAGMA user_version")[1]), '{"user_version":4}', "it is of the old schema")
t.is(#db:rows("SELECT test_error FROM epoch"), 8, "and has the old column")
db:close()
t.ok(read(at "old.db") == old_bytes, "it is only read")
o:close()
t.ok(not stats.compare(r, a).verdict:find("Careful: they were", 1, true),
  "old and new results are compared by the same images")

-- The same script goes on with it, and trains nothing anew.
local again = train "old.db"
t.is(table.concat(again.errors, " "), table.concat(a.errors, " "), "the same script: the same errors")
db = assert(sqlite.open(at "old.db", "r"))
t.is(db:rows("PRAGMA user_version")[1].user_version, schema.version, "writing brought it up to date")
t.is(db:rows("SELECT max(attempt) AS n FROM model")[1].n, 1, "nothing was trained again")
db:close()

-- What it has open is trained at the same bits, by the old source as by the same script.
local function reopen(name)
  copy(at "new.db", at(name))
  make_old(at(name))
  db = assert(sqlite.open(at(name), "rw"))
  assert(db:exec [[UPDATE model SET status = 'queued', error = NULL, epochs = 0 WHERE idx > 2;
    DELETE FROM epoch WHERE model IN (SELECT id FROM model WHERE idx = 4)]])
  db:close()
end
reopen "half.db"
sweep.resume(at "half.db", { quiet = true })
o = assert(sweep.open(at "half.db"))
t.is(table.concat(o:result("A").errors, " "), table.concat(a.errors, " "), "resumed: the same errors")
for i = 3, 4 do
  t.is(json.encode(o:learning("A")[i]), json.encode(learning[i]), "resumed: every epoch with its metrics")
end
t.is(o:population("A").source.validation, nil, "resumed: the data as it was opened before")
o:close()
reopen "script.db"
again = train "script.db"
t.is(table.concat(again.errors, " "), table.concat(a.errors, " "), "the same script: the same errors")

-- Where the images differ it says what would go on.
local _, message = pcall(requests.compare, { name = "A", store = "x.db", recipe = {},
  card = { spec = "cifar10:x", validation_n = 5000, test_n = 10000, checksum = "b" } },
  { recipe = {}, checksum = "a", card = { spec = "cifar10:x", test_n = 10000, checksum = "a" } }, {})
t.ok(tostring(message):find("validation = 0", 1, true), "other data: how to go on", tostring(message))

-- A report says how often its test images were looked at.
local function page(store)
  assert(report(at(store), { output = at "r.html" }))
  return read(at "r.html")
end
if pcall(page, "new.db") then
  t.ok(page "new.db":find("its test images were looked at %d+ times, at 1 network"), "a report counts")
  local shared = train("shared.db", data.open(D, { validation = 0 }))
  t.is(#shared.errors, 4, "test images for both")
  t.ok(page "shared.db":find("every sweep looks at them", 1, true), "and a report says so")
else
  t.ok(false, "a report", select(2, pcall(page, "new.db")))
end

os.execute("rm -rf " .. dir)
t.done()
