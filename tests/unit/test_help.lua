-- Every public function is documented, and every example of the documentation runs.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local help = require "netspace.prompt.help"
local doc = require "netspace.lib.doc"
local members = require "netspace.lib.members"
local netspace = require "netspace"

local names = help.names()
t.ok(#names >= 60, "the registry is filled: " .. #names .. " topics")

-- Public functions: the fields of the public modules.
for _, row in ipairs(netspace._names) do
  local name = row[1]
  t.ok(help.text(name) ~= nil, name .. " has help")
  local module = netspace[name]
  if type(module) == "table" then
    for key, value in pairs(module) do
      if type(key) == "string" and type(value) == "function" and key:sub(1, 1) ~= "_" and
        key ~= "main" and key ~= name then
        t.ok(doc.topics[name .. "." .. key] ~= nil, name .. "." .. key .. " has help")
      end
    end
  end
end

-- A directory with what examples are about: the store runs.db, its population A, the data D, a
-- sweep of pycls.
local uv = require "luv"
local home = assert(uv.cwd())
local folder = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/netspace-help.XXXXXX"))
os.execute(("cp tests/data/sweeps/anynet.yaml %s/sweep.yaml"):format(folder))
local D = data.open("shapes", { train = 128, test = 100 })
local A = space.small.RegNetX:sample(4, { flops = { 1e6, 2e6 } })
require "fake_times"(folder .. "/cache") -- what arch.time tells by
uv.chdir(folder)
local handle = sweep.start { store = "runs.db", name = "A", models = A, data = D, quiet = true }
local result = handle:wait()
local runs = assert(store.open(folder .. "/runs.db"))

-- Methods: what each object that a script meets answers to has help, found from it too.
local function methods_have_help(class, object)
  local found = 0
  for _, key in ipairs(members.keys_of(object)) do
    local method = object[key]
    if type(method) == "function" and key:sub(1, 1) ~= "_" then
      local topic = class .. ":" .. key
      found = found + 1
      t.ok(doc.topics[topic] ~= nil, topic .. " has help")
      t.is(help.text(method), doc.topics[topic], "which the method stands for")
      t.ok(help.text(object):find(topic:match("%w+$") .. "[({]"), "and the object lists")
    end
  end
  t.ok(found > 0, class .. " has methods")
end
methods_have_help("dataset", D)
methods_have_help("net", net.new(A[1], { batch = 2 }))
methods_have_help("edf", stats.edf(result))
methods_have_help("S", space.RegNetX)
methods_have_help("store", runs)
methods_have_help("sweep", handle)
methods_have_help("plot", plot.edf { result })
methods_have_help("profile", net.profile(A[1], { seconds = 0.01 }))
for name, object in pairs { ["S:sample"] = A, ["store:result"] = result,
  ["stats.compare"] = stats.compare(result, result), ["stats.search"] = stats.search(result),
  ["net:plan"] = net.new(A[1]):plan() } do
  t.ok((help.text(object) or ""):find(doc.topics[name]:match("^[^\n]*"), 1, true),
    name .. " is the help of what it gives")
end
uv.chdir(home)

-- The text of each topic: a signature and a sentence.
for _, name in ipairs(names) do
  local text = doc.topics[name]
  local first, second = text:match("^([^\n]+)\n([^\n]+)")
  t.ok(first and second and #second >= 10, name .. ": a signature and a sentence", text)
  for line in text:gmatch("[^\n]+") do
    if utf8.len(line) > 100 then t.ok(false, name .. ": lines of at most 100 columns", line) end
  end
end

-- Options: every key that a function knows is in its help, or in that of another which it
-- names; every key that its signature shows is known.
local options = require "netspace.lib.options"
local function told(topic, key, seen)
  local text = doc.topics[topic]
  if not text or seen[topic] then return false end
  seen[topic] = true
  if text:find("%f[%w_]" .. key .. "%f[^%w_]") then return true end
  for other in text:gmatch("[%a_][%w_]*[.:][%a_][%w_]*") do
    if told(other, key, seen) then return true end
  end
  if text:find("for recipe{", 1, true) then return told("recipe", key, seen) end
  return false
end
for _, name in ipairs(names) do
  local keys, first = options.declared[name] or {}, doc.topics[name]:match("^[^\n]*")
  local more = options.declared[name .. ": progress"] or {} -- a second table
  for key in pairs(keys) do t.ok(told(name, key, {}), ("%s tells of %s"):format(name, key)) end
  for inside in first:gsub("%->.*", ""):gmatch("%b{}") do
    for key in inside:sub(2, -2):gsub("%b{}", ""):gmatch("([%a_][%w_]*)%s*=") do
      t.ok(keys[key] or more[key], ("%s knows the %s of its signature"):format(name, key))
    end
  end
end

-- What is declared, and so offered by Tab, is what the functions take and nothing else.
local m, S, r = zoo["R-56"], space.RegNetX, { errors = { 1, 2 }, models = { { d = 1 }, { d = 2 } } }
local picture = plot.edf { { 40, 50 } }
local function after(f, ...)
  local args = table.pack(...)
  return function(o)
    args[args.n + 1] = o
    return f(table.unpack(args, 1, args.n + 1))
  end
end
local calls = {
  constraint = constraint, recipe = recipe, slurm = slurm, cluster = cluster, pretty = after(pretty, 1), monitor = after(monitor, "x"),
  report = after(report, "x"), ["recipe.rates"] = recipe.rates,
  ["arch.anynet"] = arch.anynet, ["arch.regnet"] = arch.regnet,
  ["arch.complexity"] = after(arch.complexity, m), ["arch.parts"] = after(arch.parts, m),
  ["arch.describe"] = after(arch.describe, m), ["arch.fit"] = after(arch.fit, m),
  ["arch.time"] = after(arch.time, m), ["arch.times"] = arch.times,
  ["arch.why"] = after(arch.why, {}), ["space.anynet"] = space.anynet,
  ["space.regnet"] = space.regnet, ["S:with"] = after(S.with, S),
  ["S:sample"] = after(S.sample, S, 1), ["S:size"] = after(S.size, S),
  ["S:acceptance"] = after(S.acceptance, S), ["data.open"] = after(data.open, "shapes"),
  ["dataset:show"] = function(o) data.open("shapes", { train = 10, test = 10 }):show(1, o) end,
  ["net.new"] = after(net.new, m), ["net.load"] = after(net.load, "x"),
  ["net.benchmark"] = after(net.benchmark, m), ["net.profile"] = after(net.profile, m),
  ["net:train"] = function(o)
    net.new(m):train(data.open("shapes", { train = 10, test = 10 }), o)
  end,
  ["net:test"] = after(net.new(m).test, net.new(m), 1),
  ["net:confusion"] = after(net.new(m).confusion, net.new(m), 1),
  ["stats.edf"] = after(stats.edf, { 1 }), ["stats.best"] = after(stats.best, r),
  ["stats.table"] = function(o) return stats.table { { 1 }, zzzz = o.zzzz } end,
  ["sweep.run"] = sweep.run, ["sweep.start"] = sweep.start, ["sweep.forecast"] = sweep.forecast,
  ["sweep.resume"] = after(sweep.resume, "x"), ["sweep.plan"] = sweep.plan,
  ["sweep.window"] = after(sweep.window, S),
  ["sweep.retry"] = after(sweep.retry, "x", "A"), ["design.step"] = design.step,
  ["design.repeats"] = design.repeats,
  ["stats.compare"] = after(stats.compare, { 1 }, { 2 }),
  ["stats.alternatives"] = after(stats.alternatives, { 1 }, { { 2 } }),
  ["stats.predict"] = after(stats.predict, r), ["stats.sensitivity"] = after(stats.sensitivity, r),
  ["plot.effect"] = after(plot.effect, r, "d"),
  ["stats.bootstrap"] = after(stats.bootstrap, r, "d"), ["stats.trend"] = after(stats.trend, { r }, "d"),
  ["stats.search"] = after(stats.search, { 1 }), ["stats.noise"] = after(stats.noise, { r, r }),
  ["stats.boundaries"] = stats.boundaries, ["stats.plan"] = stats.plan,
  ["net:save"] = after(net.new(m).save, net.new(m), "x"),
  ["net:load"] = after(net.new(m).load, net.new(m), "x"),
  ["net:export"] = after(net.new(m).export, net.new(m), "x"),
  ["exchange.pycls.write"] = after(exchange.pycls.write, "x.yaml", m, recipe.paper),
  ["stats.sequential"] = after(stats.sequential, { 1 }, { 2 }),
  ["stats.anytime"] = after(stats.anytime, { 1 }, { 2 }),
  ["stats.normalise"] = after(stats.normalise, { r }),
  ["stats.regress"] = after(stats.regress, { 1 }, { 1 }), ["stats.scaling"] = after(stats.scaling, r),
  ["stats.correlation"] = after(stats.correlation, { 1 }, { 1 }),
  ["stats.epochs"] = after(stats.epochs, {}), ["stats.import"] = after(stats.import, "x.csv"),
  ["plot.edf"] = plot.edf, ["plot.panels"] = plot.panels, ["plot.widths"] = after(plot.widths, m),
  ["plot.profiles"] = after(plot.profiles, r), ["plot.overlay"] = after(plot.overlay, r),
  ["plot.scatter"] = after(plot.scatter, r, "d"), ["plot.trend"] = after(plot.trend, r, "d"),
  ["plot.fit"] = after(plot.fit, { 1 }, { 1 }), ["plot.scaling"] = after(plot.scaling, r),
  ["plot.search"] = after(plot.search, r), ["plot.training"] = after(plot.training, {}),
  ["store:events"] = after(runs.events, runs),
  ["store:export"] = after(runs.export, runs, "x.csv", "A"),
  ["plot:text"] = after(picture.text, picture), ["plot:show"] = after(picture.show, picture),
}
for name, keys in pairs(options.declared) do
  local outer, key = name:match("^(.*): (.*)$")
  if outer then
    t.ok(options.declared[outer][key] ~= nil or keys[key] ~= nil and doc.topics[outer]:find(key, 1, true),
      name .. ": an option that is a table")
  else
    local _, message = pcall(calls[name], { zzzz = 1 })
    t.ok(tostring(message):find("unknown option 'zzzz'", 1, true), name .. " refuses other keys", message)
    local known = {}
    for k in (tostring(message):match("it knows ([^\n]*)$") or ""):gmatch("[%w_]+") do
      known[#known + 1] = k
    end
    for _, k in ipairs(help.options(name)) do
      t.ok(name == "S:with" or table.concat(known, " "):find("%f[%w_]" .. k .. "%f[^%w_]"),
        name .. " takes " .. k)
    end
    t.ok(name == "S:with" or #known == #help.options(name), name .. ": all of them are offered")
  end
end

-- Examples: statements or expressions, in a fresh environment over the globals.
local ran, gnuplot = 0, os.execute "command -v gnuplot >/dev/null"
for _, name in ipairs(names) do
  local examples = help.examples(name)
  t.ok(#examples > 0 or name:find "^:", name .. " has an example")
  for i, code in ipairs(examples) do
    local label = ("%s: example %d runs: %s"):format(name, i, code)
    if not gnuplot and (name == "plot:save" or name == "plot:svg") then
      t.skip(label, "gnuplot is not installed")
    else
      local env = setmetatable({ print = function() end, A = A, D = D }, { __index = _G })
      local f = load("return " .. code, "=example", "t", env)
      local message
      if not f then f, message = load(code, "=example", "t", env) end
      uv.chdir(folder)
      local good, err = f ~= nil, message
      if f then good, err = pcall(f) end
      uv.chdir(home)
      t.ok(good, label, tostring(err))
      ran = ran + 1
    end
  end
end
t.ok(ran >= 20, ran .. " examples ran")
runs:close()
os.execute(("rm -r '%s'"):format(folder))

-- By value, by name, and misses.
local function text_of(...)
  local text, message = help.text(...)
  return text or "", message
end
t.is(text_of(stats.compare), doc.topics["stats.compare"], "a function stands for its topic")
t.is(text_of(space.RegNetX.sample), doc.topics["S:sample"], "a method stands for its topic")
t.is(text_of("sample"), doc.topics["S:sample"], "a method by its bare name")
t.ok(text_of(stats):find("stats.edf", 1, true), "a module lists its functions")
t.ok(text_of(space.RegNetX):find("S:sample", 1, true), "an object lists its methods")
t.ok(text_of():find("\nspace ", 1, true), "the overview names space")
for _, row in ipairs(netspace._names) do
  t.ok(text_of():find("\n" .. row[1] .. " ", 1, true), "the overview names " .. row[1])
end
t.is(#help.examples("design.repeats"), 1, "one example")
t.is(#help.examples("design.step"), 2, "an example of two lines is one")
local text, message = help.text("smple")
t.is(text, nil, "a miss gives nil")
t.ok(message:find("S:sample", 1, true), "and what is near", message)
text, message = help.text("verdict in words")
t.ok(text == nil and message:find("stats.compare", 1, true), "a search in the sentences", message)
text, message = help.text("qqqqqq")
t.ok(text == nil and message:find("help()", 1, true), "nothing near points at the overview", message)
text, message = help.text(nil)
t.ok(text == nil and message:find("nil", 1, true), "nil is said to be nil", message)
t.fails(function() help.add("stats.edf", "twice\nThis is there already.") end, "twice",
  "a topic is registered once")

-- What is listed of a topic: all of its signature and a whole sentence; at any width each stays
-- in lines of its own, and no line goes on after a short one.
for _, name in ipairs(help.names()) do
  local signature, sentence = help._summary(name)
  t.ok(signature ~= "" and sentence:find "[%.%?:]$" and not sentence:find "example:",
    "the summary of " .. name, sentence)
end
t.is(select(1, help._summary "store:export"):gsub("%s+", " "):match "%->.*", "-> n",
  "a signature of two lines")
local listed = require("netspace.lib.fold").anew(help.text(space.AnyNetXA), 80)
t.ok(listed:find("S:acceptance{[^\n]*\n[^\n]*%->[^\n]*\nThe share of candidates")
  or listed:find("S:acceptance{[^\n]*\n  [^\n]*\nThe share of candidates"),
  "a signature is not run into its sentence", listed)
t.ok(listed:find "does it obey%s+every constraint%?", "and the sentence is whole")

t.done()
