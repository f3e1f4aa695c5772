-- Export to CSV and JSON lines, provenance, and the integrity check behind doctor STORE.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local integrity = require "netspace.store.integrity"
local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local space = require "netspace.space.space"
local sqlite = require "netspace.core.sqlite"
local stores = require "netspace.store.store"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-export-XXXXXX"))
local function at(name) return dir .. "/" .. name end
local function read(path)
  local f = assert(io.open(path, "rb"))
  local text = f:read("a")
  f:close()
  return text
end
local function write(path, text)
  local f = assert(io.open(path, "wb"))
  f:write(text)
  f:close()
end

-- A store of two populations, trained by nobody -------------------------------------------
local path = at("a.db")
local child = space.RegNetX:with(function(m) return m.d[1] < 9 end)
local pop = child:sample(6, { seed = 4, flops = { 1e6, 4e6 }, image = 32, stem = "cifar",
  stride = { 1, 2, 2, 2 } })
local plain = { arch.anynet { d = { 1, 1 }, w = { 8, 16 } } }
local data = { spec = "shapes", train = 10, test = 5 }
local function fill(w, name, models, more)
  w:write(function()
    local p = { name = name, seed = 7, recipe = { epochs = 2, lr = 1 / 3 }, source = data,
      card = { spec = "shapes", checksum = "abc", train_n = 10 } }
    for k, v in pairs(more) do p[k] = v end
    local id = w:create(p)
    for i, m in ipairs(models) do
      w:add_model(id, i, m, ledgers.identity(m), 100 + i, arch.complexity(m))
    end
    w:take(id, name, 2)
    local trainer = w:trainer { trainer = "stub", version = "1.2", device = "cpu", kernels = "avx9",
      host = "node1" }
    for i, row in ipairs(w:models(id)) do
      if i < #models then
        w:start(row.id, 1, 1, trainer)
        w:epoch(row.id, 1, { epoch = 1, lr = 0.1, train_loss = 1.5, validation_error = 100 / 3 })
      end
      if i == 2 then
        w:begin(row.id, 1, 1, 4096)
        w:finish(row.id, 1, { status = "diverged", error = 100, seconds = 0.5, crashes = 0,
          reason = 'loss is nan,\n"so" they say' })
      elseif i < #models - 1 then
        w:epoch(row.id, 1, { epoch = 2, lr = 0.1, train_error = 50, validation_error = 200 / (6 + i) })
        w:finish(row.id, 1, { status = "done", error = 200 / (6 + i), seconds = 1.5, crashes = 0 })
      end
    end
    w:finish_run()
  end)
end
local w = assert(ledgers.open(path))
fill(w, "A", pop, { space = pop.space, spec = pop.spec, constraints = pop.constraints,
  window = pop.window, tried = pop.tried, sample_seed = pop.seed })
fill(w, "B", plain, {})
w:close()
local s = assert(stores.open(path))

-- CSV ---------------------------------------------------------------------------------------
local function parse(text) -- RFC 4180, independent of the writer
  local rows, row, at_char = {}, {}, 1
  while at_char <= #text do
    local value
    if text:sub(at_char, at_char) == '"' then
      local from = at_char + 1
      local to = from
      while true do
        to = text:find('"', to, true)
        if text:sub(to + 1, to + 1) ~= '"' then break end
        to = to + 2
      end
      value, at_char = text:sub(from, to - 1):gsub('""', '"'), to + 1
    else
      local to = text:find("[,\n]", at_char)
      value, at_char = text:sub(at_char, to - 1), to
    end
    row[#row + 1] = value
    if text:sub(at_char, at_char) == "\n" then rows[#rows + 1], row = row, {} end
    at_char = at_char + 1
  end
  return rows
end

t.is(s:export(at("x.csv")), 7, "export returns how many models it wrote")
local rows = parse(read(at("x.csv")))
local head, column = rows[1], {}
for i, name in ipairs(head) do column[name] = i end
t.is(#rows, 8, "a line for each model and one for the names")
t.is(table.concat(head, ",", 1, 15),
  "population,index,d,w,b,g,stride,block,se,stem,stem_width,head_width,activation,classes,image",
  "the columns begin as documented")
local exact, complete = true, true
for i = 1, 6 do
  local r, m = rows[i + 1], pop[i]
  complete = complete and #r == #head and r[column.index] == tostring(i)
  for _, key in ipairs { "d", "w", "b", "g", "stride", "asked", "regnet" } do
    exact = exact and r[column[key]] == json.encode(m[key])
  end
  for key, v in pairs(arch.complexity(m)) do exact = exact and tonumber(r[column[key]]) == v end
end
t.ok(complete, "every line has every column")
t.ok(exact, "the networks, their parameters and costs are exact")
t.is(tonumber(rows[2][column.error]), 200 / 7, "an error reads back to the same double")
t.is(rows[2][column.curve], json.encode { 100 / 3, 200 / 7 }, "with the errors of its epochs")
t.is(rows[3][column.status] .. rows[3][column.error], "diverged100", "a diverged one is 100")
t.is(rows[3][column.reason], 'loss is nan,\n"so" they say', "with its reason, quotes and all")
t.is(rows[6][column.status] .. rows[6][column.error], "running", "a running one has no error yet")
t.is(rows[7][column.status] .. rows[7][column.curve], "queued[]", "nor has a queued one")
t.is(rows[8][column.population] .. rows[8][column.index], "B1", "populations follow each other")
t.is(table.concat(head, ",", #head - 23), "origin,hash,depth,d1,d2,d3,d4,w1,w2,w3,w4,b1,b2,b3,b4,"
  .. "g1,g2,g3,g4,e_fit,space,data,recipe,sample_seed", "columns for data frames end it")
t.is(tonumber(rows[2][column.w3]), pop[1].w[3], "a width by itself")
t.is(tonumber(rows[2][column.depth]), pop[1].d[1] + pop[1].d[2] + pop[1].d[3] + pop[1].d[4], "depth")
t.is(tonumber(rows[2][column.e_fit]), arch.fit(pop[1]).e_fit, "e_fit, exact")
t.is(rows[8][column.d3] .. rows[8][column.d2], "1", "no third stage, no value")
t.is(rows[2][column.recipe] .. "; " .. rows[2][column.data],
  "epochs=2 lr=0.3333333333333333; spec=shapes test=5 train=10", "how it was trained")
local side = json.decode(read(at("x.csv.provenance.json")))
t.is(side.populations[1].recipe.lr, 1 / 3, "the provenance lies beside it")

-- JSON lines --------------------------------------------------------------------------------
t.is(s:export(at("x.jsonl"), "A"), 6, "one population by its name")
local lines = {}
for line in read(at("x.jsonl")):gmatch("([^\n]*)\n") do lines[#lines + 1] = json.decode(line) end
t.is(#lines, 7, "a line for each model, one before them")
local p = lines[1].populations[1]
t.is(lines[1].netspace .. #lines[1].populations, "export1", "the first one says where they are from")
t.is(table.concat(p.lineage, ">"), "RegNetX>" .. pop.space, "the lineage of the space")
t.ok(p.constraints[1].source:find("m.d[1] < 9", 1, true), "the text of the constraint")
t.is(json.encode(p.trainers), '[{"device":"cpu","host":"node1","kernels":"avx9","models":4,'
  .. '"trainer":"stub","version":"1.2"}]', "who trained, and how many")
t.is(p.runs[1].host, uv.os_gethostname(), "on which host")
t.is(lines[2].trainer, "stub 1.2 on cpu", "and who has trained it")
t.is(lines[2].learning[2].train_error, 50, "what each epoch gave")
t.is(lines[2].error, 200 / 7, "exact")
local m = pop[1]
for key, v in pairs(m) do exact = exact and json.encode(lines[2][key]) == json.encode(v) end
t.ok(exact, "every field of the network")
local first = read(at("x.jsonl"))
s:export(at("x.jsonl"), { "A" })
t.ok(read(at("x.jsonl")) == first, "written again it is the same, byte for byte")
do -- only an export is written over
  local function put(name, text)
    local f <close> = assert(io.open(at(name), "wb"))
    f:write(text)
  end
  put("own.csv", "a,b\n1,2\n"); put("own.jsonl", '{"a":1}\n'); put("own.json", "[1]")
  put("own.jsonl.gz", "no gzip")
  for _, name in ipairs { "own.csv", "own.jsonl", "own.json", "own.jsonl.gz" } do
    local n, message = s:export(at(name))
    t.ok(n == nil and message:find("is there already and is not an export", 1, true),
      "export writes over no file of the user's: " .. name, message)
  end
  for _, name in ipairs { "x.csv", "o.json", "o.jsonl.gz" } do
    t.ok(s:export(at(name)) == 7 and s:export(at(name)) == 7, "but over an export: " .. name)
  end
end
-- A table comes last, so that it is never there without what goes with it.
assert(os.execute(("mkdir -p '%s/x'"):format(at("f.csv.provenance.json"))))
local made, why_not = s:export(at "f.csv")
t.ok(not made and why_not:find "provenance.json cannot be written", "what goes with a table fails", why_not)
t.ok(not io.open(at "f.csv"), "then there is no table")
assert(os.execute(("rm -r '%s'"):format(at("f.csv.provenance.json"))))
t.ok(s:export(at "f.csv"), "and another time there is")

-- What cannot be read of where results come from is left out of a salvage only.
local provenance = require "netspace.store.provenance"
local of = provenance.of
provenance.of = function(reader, ...)
  if reader.db then error("disk I/O error", 0) end
  return of(reader, ...)
end
local fine, given, said = pcall(s.export, s, at "f.jsonl")
t.ok((not fine or not given) and tostring(said or given):find "I/O error", "an export says what it cannot read")
provenance.of = of

t.fails(function() s:export("x.txt") end, "writes .csv, .jsonl or .json (or those as .gz), not 'x.txt'")
t.fails(function() s:export(at("y.csv"), "C") end, "no population 'C'; it has A, B")
t.fails(function() s:export(at("y.csv"), nil, { salvag = true }) end, "did you mean 'salvage'")
local none, why = s:export(at("no/dir.csv"))
t.ok(not none and why:find("cannot be written: no such file", 1, true), "a missing directory", why)
if uv.fs_stat("/dev/full") then
  assert(uv.fs_mkdir(at("part"), tonumber("755", 8)))
  assert(uv.fs_symlink("/dev/full", at("part/full.csv.part-" .. math.tointeger(uv.os_getpid()))))
  none, why = s:export(at("part/full.csv"))
  t.ok(not none and why:find("no space left", 1, true), "a full disk", why)
  t.ok(not uv.fs_stat(at("part/full.csv")), "leaves no half file")
end

-- Provenance --------------------------------------------------------------------------------
p = s:provenance("A")
t.is(p.sample_seed .. " " .. p.seed .. " " .. p.tried, "4 7 " .. pop.tried, "seeds")
local page = tostring(p)
for _, part in ipairs { "RegNetX > ", "seed 4, flops 1M to 4M", "lr=0.3333333333333333", "checksum    abc",
  "stub 1.2 on cpu (avx9) of node1, 4 models", "m.d[1] < 9", "4 models" } do
  t.ok(page:find(part, 1, true), "the page has " .. part, page)
end
for _ = 1, 3 do table.insert(p.runs, 1, { host = "idle", workers = 1, started = 1, ended = 2, models = 0 }) end
page = tostring(p)
t.ok(not page:find("idle", 1, true) and page:find("3 other runs that trained no model to its end", 1, true),
  "runs that trained nothing are counted, not listed", page)
s:close()

-- Integrity ---------------------------------------------------------------------------------
local function damaged(name, sql, part)
  local file = at(name .. ".db")
  write(file, read(path))
  local db = assert(sqlite.open(file, "rw"))
  assert(db:exec("PRAGMA ignore_check_constraints=ON; PRAGMA foreign_keys=OFF;" .. sql))
  db:close()
  local report = assert(integrity.check(file))
  local text = table.concat(report.problems, "\n")
  t.ok(text:find(part, 1, true), name, text)
  return report
end
local fine = assert(integrity.check(path))
t.is(#fine.problems, 0, "a store as sweeps leave it is whole")
t.is(fine.populations .. " " .. fine.models, "2 7", "and is counted")
local model = "A, model 1: "
damaged("network", [[UPDATE model SET m = replace(m, '"se":0', '"se":0.5') WHERE id = 1]],
  model .. "its network is not the one that was drawn")
damaged("json", "UPDATE model SET m = substr(m, 5) WHERE id = 1", model .. "its network is not JSON")
damaged("costs", "UPDATE model SET flops = flops + 1 WHERE id = 1", model .. "its flops are")
damaged("epochs", "DELETE FROM epoch WHERE model = 1 AND epoch = 1", model .. "its epoch 1 is missing")
damaged("short", "DELETE FROM epoch WHERE model = 1 AND epoch = 2; UPDATE model SET epochs = 1 WHERE id = 1",
  model .. "it is done after 1 of 2 epochs")
damaged("above", "UPDATE model SET error = 101 WHERE id = 1", model .. "its error is 101")
damaged("none", "UPDATE model SET error = NULL WHERE id = 1", model .. "its error is nil")
damaged("other", "UPDATE model SET error = 12 WHERE id = 1", model .. "its error is 12, its last epoch has")
damaged("diverged", "UPDATE model SET error = 12 WHERE id = 2", "model 2: it is diverged, but its error is 12")
damaged("percent", "UPDATE epoch SET train_error = -1 WHERE model = 1", model .. "its train_error of epoch")
damaged("status", "UPDATE model SET status = 'lost' WHERE id = 1", model .. "its status is lost")
damaged("gap", "DELETE FROM epoch WHERE model = 3; DELETE FROM model WHERE id = 3", "A: model 3 is missing")
damaged("owner", "UPDATE model SET population = 9 WHERE id = 7", "row 7 of model belongs to no population")
damaged("recipe", "UPDATE population SET recipe = '{' WHERE id = 1", "A: its recipe is not JSON")
damaged("no_epochs", [[UPDATE population SET recipe = replace(recipe, '"epochs"', '"epox"')]],
  "A: its recipe has no epochs")
local live, why_live = assert(stores.open(at("no_epochs.db"))):live("A")
t.ok(not live and why_live:find("has no epochs", 1, true), "nor does it break who looks", why_live)
local report = damaged("lost", "DELETE FROM epoch WHERE model = 1", "it has 0 epochs, but its count says 2")
t.is(table.concat(report.readable, "; "), "A: 6 networks, 4 of them with their error; "
  .. "B: 1 networks, 0 of them with their error", "what can still be read")

-- Pages overwritten: doctor says so, export --salvage saves the rest
local whole = read(path)
local page_size = 4096
local at_text = whole:find('"model":', 1, true) or whole:find("loss is nan", 1, true)
local start = (at_text - 1) // page_size * page_size
write(at("page.db"), whole:sub(1, start) .. ("\xa5"):rep(page_size) .. whole:sub(start + page_size + 1))
local function shell(arguments)
  local f = assert(io.popen(("%s %s 2>&1"):format(os.getenv("NETSPACE"), arguments)))
  local text = f:read("a")
  local _, _, status = f:close()
  return text, status
end
local text, status = shell("doctor " .. at("page.db"))
t.is(status, 4, "doctor: a damaged store has exit status 4")
t.ok(text:find("is damaged:", 1, true) and text:find("What can still be read", 1, true)
  or text:find("Nothing can be read", 1, true), "and says what is left", text)
-- Cut short: a copy of full length shows what is left, as doctor says
-- (a log at its end, which is what is lost: in so small a store the schema would be).
write(at("long.db"), whole)
do
  local db = assert(require("netspace.core.sqlite").open(at("long.db"), "rw"))
  for i = 1, 20 do
    assert(db:run("INSERT INTO event (time, text) VALUES (?, ?)", { i, ("x"):rep(2000) }))
  end
  db:close()
end
local long = read(at("long.db"))
write(at("cut.db"), long:sub(1, #long - 3 * page_size))
text, status = shell("doctor " .. at("cut.db"))
t.is(status, 4, "doctor: one that is cut short is damaged")
local remedy = text:match("cut short: %d+ of " .. #long .. " bytes; [^\n]*\n *([^\n]*; truncate [^\n;]*);")
t.ok(remedy and os.execute(remedy), "it says how to read what is left", text)
text = shell("doctor " .. at("cut.db.copy"))
t.ok(text:find("What can still be read:\n *A: %d+ networks"), "and so it can be", text)
text, status = shell("doctor " .. path)
t.ok(text:find("2 populations, 7 models, nothing is damaged", 1, true), "doctor: a whole one", text)
text, status = shell(("export %s -o %s"):format(path, at("z.jsonl")))
t.is(status, nil or 0, "netspace export")
t.ok(text:find("z.jsonl: 7 models", 1, true), "says how many", text)
text, status = shell(("export %s -o %s B"):format(path, at("z.csv")))
t.is(#parse(read(at("z.csv"))), 2, "one population by name")

-- Compressed: the same lines, the same bytes each time; a damaged file is refused
text = shell(("export %s -o %s"):format(path, at("z.jsonl.gz")))
t.ok(text:find("z.jsonl.gz: 7 models", 1, true), "export: compressed", text)
local packed = read(at("z.jsonl.gz"))
local gunzip <close> = io.popen("gzip -dc " .. at("z.jsonl.gz"))
t.is(gunzip:read("a"), read(at("z.jsonl")), "gzip reads it as what the other is")
shell(("export %s -o %s"):format(path, at("again.jsonl.gz")))
t.is(read(at("again.jsonl.gz")), packed, "the same store, the same bytes")
local function imported(name) return assert(stats.import(at(name))) end
t.is(json.encode(imported("z.jsonl.gz").A.errors), json.encode(imported("z.jsonl").A.errors),
  "import: compressed")
os.execute(("(head -c 999 %s | gzip -c; tail -c +1000 %s | gzip -c) >%s"):format(at("z.jsonl"),
  at("z.jsonl"), at("two.jsonl.gz")))
local here <close> = assert(stores.open(path))
local again = stats.compare(here:result "A", imported("z.jsonl.gz").A)
t.ok(not again.verdict:find("different", 1, true), "an export is of the same data", again.verdict)
write(at("part.jsonl"), (read(at("z.jsonl")):gsub("\n[^\n]*", "", 1))) -- the first of A
local part, all = imported("part.jsonl").A, imported("z.jsonl").A
t.is(part.n .. " " .. #part.errors, all.n .. " " .. #all.errors - 1, "a line that is missing is missed")
t.is(json.encode(imported("two.jsonl.gz").A.errors), json.encode(imported("z.jsonl").A.errors),
  "also in several members")
for _, kind in ipairs { "jsonl", "csv", "json" } do
  here:export(at("none." .. kind), "B")
  t.is(#assert(stats.import(at("none." .. kind)))[1].unfinished, 1, kind .. ": no model has ended yet")
end
write(at("padded.jsonl.gz"), packed .. ("\0"):rep(64))
t.is(json.encode(imported("padded.jsonl.gz").A.errors), json.encode(imported("z.jsonl").A.errors),
  "or padded")
write(at("cut.jsonl.gz"), packed:sub(1, -20))
t.is(select(2, stats.import(at("cut.jsonl.gz"))),
  at("cut.jsonl.gz") .. ": the compressed file ends too early", "one cut off")
write(at("noise.jsonl.gz"), "noise")
t.is(select(2, stats.import(at("noise.jsonl.gz"))),
  at("noise.jsonl.gz") .. ": it is not a gzip file, or it is damaged", "one that is none")
shell(("export %s -o %s"):format(path, at("z.csv.gz")))
t.is(imported("z.csv.gz").A.recipe.epochs, 2, "what belongs to a CSV lies beside it")

text, status = shell(("export %s -o %s"):format(at("page.db"), at("z2.jsonl")))
t.is(status, 4, "the export of a damaged store has exit status 4")
t.ok(not uv.fs_stat(at("z2.jsonl")), "and writes nothing")
text, status = shell(("export %s --salvage -o %s"):format(at("json.db"), at("z3.jsonl")))
t.ok(text:find("z3.jsonl: 6 models", 1, true), "--salvage takes what is whole", text)
text, status = shell(("export %s -o %s Nope"):format(path, at("nope.csv")))
t.is(text .. status, ("netspace: %s has no population 'Nope'; it has %s\n1"):format(path,
  table.concat(assert(stores.open(path)):names(), ", ")), "a population that is not there")
text, status = shell("export " .. path)
t.ok(status == 2 and text:find("usage: netspace export", 1, true), "without -o: usage")

os.execute("rm -rf " .. dir)
t.done()
