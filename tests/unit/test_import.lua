-- Populations from files of other people: CSV and JSON lines read by the column, the round trip
-- with store:export, messages with line, column and value, and foreign bytes.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local csv = require "netspace.lib.csv"
local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local sys = require "netspace.core.sys"
local uv = require "luv"

local dir, write = require "scratch" "import"
local function import(name, text, o) return stats.import(write(name, text), o) end
local function refused(text, part, o, name)
  local results, message = import(name or "bad.csv", text, o)
  t.ok(results == nil and tostring(message):find(part, 1, true) ~= nil, part, tostring(message))
end

-- CSV itself
local function rows(text)
  local out = {}
  for line, cells in csv.rows(text) do out[#out + 1] = line .. ":" .. table.concat(cells, "|") end
  return table.concat(out, " ")
end
t.is(rows "a,b\n1,2\n", "1:a|b 2:1|2", "rows and their lines")
t.is(rows "a,b\r\n1,2", "1:a|b 2:1|2", "CRLF, no line break at the end")
t.is(rows '\xef\xbb\xbfa;b\n"x;""y""";\n', '1:a|b 2:x;"y"|', "byte order mark, semicolons, quotes")
t.is(rows 'a\tb,c\td\n1\t2,5\t3\n', "1:a|b,c|d 2:1|2,5|3", "tabs")
t.is(rows 'a,b\n"1\n2",3\n\n4,5\n', "1:a|b 2:1\n2|3 5:4|5", "line breaks in quotes, empty lines")
t.is(rows "", "", "nothing")
local function csv_error(text)
  local _, e = pcall(rows, text)
  return type(e) == "table" and e.line .. ": " .. e.message or tostring(e)
end
t.is(csv_error 'a\n"b', "2: a quoted cell that is never closed", "an open quote")
t.is(csv_error 'a\nb"c"\n', "2: a quote inside a cell that does not begin with one", "a late quote")
t.is(csv_error 'a\n"b"c\n', "2: text after a closing quote", "text after a quote")

-- a table of somebody else
local foreign = import("mine.csv", [[
population,d,w,b,g,error,lr,note,status,curve
A,"[1,2]","[16,32]",1,8,45.5,0.1,"x ""y"", z",,"[80,45.5]"
A,"[1,3]","[16,32]","[1,2]",8,nan,0.2,,,"[90]"
B,"[1,1]","[16,24]",2,8,40,0.05,hm,COMPLETE,
B,"[2,1]","[16,24]",2,8,,0.05,hm,RUNNING,
B,"[2,2]","[16,24]",2,8,12,,hm,failed,
A,7,,,,41,0.3,,,"[70,41]"
]])
t.ok(#foreign == 2 and foreign[1] == foreign.A and foreign[2].name == "B", "two populations")
local A, B = foreign.A, foreign.B
t.is(table.concat(A.errors, " "), "45.5 100 41", "errors; NaN has failed")
t.ok(A.failed == 1 and A.n == 3 and B.n == 3 and #B.errors == 2, "unfinished models are counted")
t.ok(B.errors[2] == 100 and B.failed == 1, "a status of failed counts as 100")
t.is(A.columns.note[1], 'x "y", z', "texts are properties")
t.is(A.columns.lr[3], 0.3, "numbers too")
t.is(stats.bootstrap(A, "lr", { exact = true }).best, 0.3, "for the bootstrap")
t.is(stats.bootstrap(A, "d", { exact = true }).best, 7, "d as one number")
t.is(A.models[2].b[2], 2, "lists by stages")
t.is(stats.epochs(A)[1].n, 3, "curves for stats.epochs")
t.is(stats.edf(A).failed, 1, "an EDF with its failures")
t.ok(tostring(plot.edf(foreign)):find("A", 1, true), "a plot")
t.ok(tostring(foreign):find("result B: 3 models: 1 done, 1 failed, 1 unfinished"), "printed")
local _, why = pcall(stats.bootstrap, A, "flops")
t.ok(tostring(why):find("flops are not known", 1, true), "what is not known is said", why)
_, why = pcall(stats.bootstrap, A, "lrr")
t.ok(tostring(why):find("did you mean 'lr'?", 1, true), "near a column", why)
t.is(stats.bootstrap(B, "lr").left_out, 1, "an empty cell of a failed model")

t.fails(function() return foreign.C end, "mine.csv has no population 'C'; it has A, B")
t.fails(function() return stats.table { foreign.A, nil, B } end, "stats.table: entry 2 is nil")
t.fails(function() local x = stats.trend({ foreign.A, nil, B }, "lr") return x end,
  "test_import.lua:" .. debug.getinfo(1, "l").currentline - 1 .. ": stats.trend: entry 2 is nil")
t.fails(function() return stats.alternatives(A, { nil, B }) end, "entry 1 is nil")
t.fails(function() return plot.edf { A, nil, B } end, "plot.edf: entry 2 is nil")
t.fails(function() return plot.edf(A, B) end, "plot.edf takes one table")

-- units and names
local one = import("acc.csv", "acc,flops\n0.75,1e6\n0.5,2e6\n", { accuracy = "acc", fraction = true })
t.is(table.concat(one[1].errors, " "), "25.0 50.0", "accuracies as fractions")
t.is(one[1].name, "acc", "called as the file")
t.is(import("x.csv", "error\n1\n2\n", { name = "mine" }).mine.n, 2, "or as asked for")
t.is(import("x.csv", "top1,space\n1,S\n2,T\n", { error = "top1", population = "space" }).T.errors[1],
  2, "columns by other names")
refused("error\n0.25\n0.5\n", "no value is above 1; say whether these are fractions")
t.is(import("x.csv", "error\n0.25\n0.5\n", { fraction = false })[1].errors[1], 0.25, "percent")
refused("eror\n1\n", "there is no column error (did you mean 'eror'?); name the one")
refused("error\n101\n", "line 2, column error: 101 is no error in percent, 0 to 100")
refused("error\n5\n1.5\n", "5 is no accuracy as a fraction, 0 to 1",
  { accuracy = "error", fraction = true })
refused("error\n5\nfive\n", "line 3, column error: five is not a number")
refused("error;x\n5,5;1\n", "line 2, column error: 5,5 is not a number")
refused("", "it is empty")
refused("\x89PNG\r\n\26\n\0\0", "it is binary, neither CSV nor JSON")
t.is(select(2, stats.import(dir)), ("cannot read %s: Is a directory"):format(dir), "a directory")
refused("error\n", "it has no models")
refused("error,a\n1,2,3\n", "line 2: 3 cells, but the header has 2 columns")
refused("error,a,error\n", "line 1: two columns are called error")
refused('{"error":"5"}\n', "line 1, column error: 5 is a text, not a number", nil, "x.jsonl")
refused('error,d\n1,"[1,x]"\n', 'line 2, column d: [1,x] is no JSON')
refused('error,d\n1,"[1,""x""]"\n', "line 2, column d: entry 2 is x, not a number")
refused('error,d,w\n1,"[1,2]","[8]"\n', "line 2, column w: [8] has 1 stages, d has 2")
refused('error,d\n1,[]\n', "line 2, column d: an empty list")
refused('error,curve\n1,"[5,""x""]"\n', "line 2, column curve: entry 2 is x")
refused('{"error":1,"curve":[5,null,"x"]}\n', "line 1, column curve: entry 2 is nil", nil, "x.jsonl")
t.is(import("x.csv", 'error,status,log\n100,failed,"[W] x"\n20,done,\n')[1].columns.log[1],
  "[W] x", "a failed model's last words are a text, whatever they begin with")
refused('error\n\1\2\n', "column error: \\x01\\x02 is not a number")
refused('{"error":5}\n[1]\n', "line 2: [1] is no JSON object", nil, "x.jsonl")
refused('{"error":5}\n{"error":\n', "line 2: {\"error\": is no JSON object", nil, "x.jsonl")
local missing, message = stats.import(dir .. "/none.csv")
t.ok(missing == nil and message:find("none.csv", 1, true), "no such file", message)
t.fails(function() stats.import(3) end, "the path of a file, not a number")
t.fails(function() stats.import("x", { eror = "y" }) end, "did you mean 'error'?")
t.fails(function() stats.import("x", { error = "a", accuracy = "b" }) end, "not both")
t.fails(function() stats.import("x", { format = "xml" }) end, "it knows csv, json and jsonl")

-- JSON lines, RegNet parameters
local lines = import("nets.jsonl", '{"d":13,"w_0":24,"w_a":36.44,"w_m":2.49,"g":8,"error":31}\n'
  .. '\n{"d":22,"w0":24,"wa":24.48,"wm":2.54,"g":16,"error":NaN}\n'
  .. '{"d":1,"w_0":24,"w_a":0,"w_m":2.5,"error":55,"b":2}\n')
local nets = lines.nets
t.is(table.concat(nets.models[1].w, " "), "24 56 152 368", "the widths of RegNetX-200MF")
t.is(nets.models[2].regnet.w_m, 2.54, "other spellings")
t.is(nets.errors[2], 100, "NaN in JSON")
t.is(stats.bootstrap(nets, "w_a", { exact = true }).best, 36.44, "properties of RegNets")
t.is(nets.models[3].regnet.g, nil, "what is not given stays open")
refused("error,w_0,w_a\n1,8,x\n", "column d: nil is not a number")

-- the round trip
local path = dir .. "/a.db"
local pop = space.RegNetX:sample(9, { seed = 4, flops = { 1e6, 4e6 }, stem = "cifar",
  stride = { 1, 2, 2, 2 } })
local w = assert(ledgers.open(path))
w:write(function()
  for _, name in ipairs { "X", 'Y "2"' } do
    local id = w:create { name = name, space = "RegNetX", seed = 7, recipe = { epochs = 2 },
      source = { spec = "shapes" }, card = { spec = "shapes", checksum = "abc" } }
    for i, m in ipairs(pop) do
      w:add_model(id, i, m, ledgers.identity(m), 100 + i, arch.complexity(m))
    end
    w:take(id, name, 1)
    for i, row in ipairs(w:models(id)) do
      if i < 9 then
        w:start(row.id, 1, 1)
        w:epoch(row.id, 1, { epoch = 1, lr = 0.1, validation_error = 90 - i / 7 })
        w:epoch(row.id, 1, { epoch = 2, lr = 0.1, validation_error = 200 / (6 + i) })
        w:finish(row.id, 1, { status = i == 2 and "diverged" or "done", seconds = 0.5,
          error = i == 2 and 100 or 200 / (6 + i), reason = i == 2 and "loss is\nnan" or nil,
          crashes = 0 })
      end
    end
    w:finish_run()
  end
end)
w:close()
local s = assert(sweep.open(path))
for _, kind in ipairs { "csv", "jsonl", "json" } do
  assert(s:export(dir .. "/out." .. kind))
  local back = assert(stats.import(dir .. "/out." .. kind))
  for k, name in ipairs(s:names()) do
    local want, got = s:result(name), back[name]
    t.is(back[k], got, kind .. ": population " .. k .. " in its place")
    for _, key in ipairs { "errors", "models", "indices", "recipe" } do
      t.is(json.encode(got[key]), json.encode(want[key]), ("%s: %s of %s"):format(kind, key, name))
    end
    t.ok(got.failed == want.failed and got.n == want.n and got.space == want.space,
      kind .. ": counts of " .. name)
    t.is(tostring(stats.bootstrap(got, "flops")), tostring(stats.bootstrap(want, "flops")),
      kind .. ": the same bootstrap")
  end
  t.is(back.X.columns.seed[3], 103, kind .. ": training seeds")
  t.is(stats.epochs(back.X)[1].tau, stats.epochs(s:live("X"))[1].tau, kind .. ": the same curves")
end
s:close()
local function read(name)
  local f = assert(io.open(dir .. "/" .. name, "rb"))
  local text = f:read("a")
  f:close()
  return text
end
refused((read("out.csv"):gsub('"[%[]%d+', '"[99', 1)), "the network is not the one that was exported")

local sound = { { "csv", read "out.csv" }, { "jsonl", read "out.jsonl" },
  { "csv", read "mine.csv" }, { "jsonl", read "nets.jsonl" } }
-- foreign bytes: whatever is done to a sound file, there are results or a message
local index = 0
local function random(n)
  index = index + 1
  return (sys.random(5, index, 6) >> 1) % n + 1
end
local scraps = { '"', ",", "\n", "\0", "[", "]", "{", "}", "nan", "1e999", "-1", "\xff", ";", "\r",
  '""', "null", "0x7", "\\", ":", "[[[[" }
local results, refusals, raised = 0, 0, nil
for i = 1, 600 do
  local kind, text = table.unpack(sound[i % #sound + 1])
  for _ = 1, random(3) do
    local at, what = random(math.max(1, #text)), random(4)
    if what == 1 then
      text = text:sub(1, at) -- cut
    elseif what == 2 then
      text = text:sub(1, at - 1) .. scraps[random(#scraps)] .. text:sub(at)
    elseif what == 3 then
      text = text:sub(1, at - 1) .. text:sub(at + random(40))
    else
      text = text:sub(1, at - 1) .. scraps[random(#scraps)] .. text:sub(at + 1)
    end
  end
  local good, list, problem = pcall(import, "fuzz." .. kind, text)
  if not good or list == nil and type(problem) ~= "string" then
    raised = raised or ("%s\n%s"):format(tostring(list), text:sub(1, 300))
  elseif list then
    results = results + 1
    for _, r in ipairs(list) do
      if #r.errors > 0 and not pcall(stats.edf, r) then raised = raised or "an edf: " .. r.name end
    end
  else
    refusals = refusals + 1
  end
end
t.ok(not raised, "600 damaged files are read or refused", raised)
t.ok(results > 20 and refusals > 20, "some of each", results .. " " .. refusals)

-- What netspace writes: the columns that follow from others are properties, too; the counts add up.
local path = dir .. "/own.db"
local own = sweep.run { store = path, name = "A", data = data.open("shapes", { train = 64, test = 50 }),
  models = space.small.AnyNetXA:sample(4, { flops = { 1e6, 2e6 } }), recipe = { epochs = 1 }, quiet = true }
assert(store.open(path)):export(dir .. "/own.csv")
local back = stats.import(dir .. "/own.csv").A
for column, property in pairs { depth = "d", d1 = "d[1]", w4 = "w[4]", g2 = "g[2]" } do
  t.is(stats.bootstrap(back, column).median, stats.bootstrap(own, property).median, column)
  t.is(stats.bootstrap(own, column).median, stats.bootstrap(own, property).median,
    column .. " of the sweep itself")
end
local half = { name = "H", errors = { 40, 100, 50, 100 }, models = own.models,
  columns = { images_per_s = { 400, nil, 300, nil } } }
local speed = stats.bootstrap(half, "images_per_s")
t.is(("%d %d %g"):format(speed.left_out, speed.n, speed.best), "2 2 400",
  "failed models without a speed are left out")
t.ok(tostring(speed):find("; 2 failed without it are left out", 1, true), "which is said", tostring(speed))
t.ok(plot.scatter(half, "images_per_s"), "a picture can be made")
half.columns.images_per_s[1] = nil
t.fails(function() stats.bootstrap(half, "images_per_s") end, "model 1: it has no value of images_per_s")
t.is(tostring(back):match "result A: [^(]*", "result A: 4 models: 4 done ", "counted as the sweep is")
local few = assert(io.open(dir .. "/few.csv", "w"))
few:write "error,status\n40,done\n,diverged\nnan,\n,running\n"
few:close()
few = stats.import(dir .. "/few.csv").few
t.is(tostring(few):match "[^(]*", "result few: 4 models: 1 done, 1 diverged, 1 failed, 1 unfinished ",
  "every model is in one state")
assert(report(path, { output = dir .. "/own.html" }))
local _, why = stats.import(dir .. "/own.html")
t.ok(why:find("own.html is an HTML page, not a table: a report of netspace; its numbers are the text "
  .. 'under "Raw numbers"', 1, true), "a page is named as what it is", why)
local page = assert(io.open(dir .. "/page.csv", "w"))
page:write "<!DOCTYPE html>\n<html><body>error</body></html>"
page:close()
t.ok(select(2, stats.import(dir .. "/page.csv")):find("is an HTML page, not a table; save its table as CSV",
  1, true), "also one of others")

os.execute(("rm -rf %s/own.db*"):format(dir))
for name in function(scan) return uv.fs_scandir_next(scan) end, uv.fs_scandir(dir) do
  uv.fs_unlink(dir .. "/" .. name)
end
uv.fs_rmdir(dir)
t.done()
