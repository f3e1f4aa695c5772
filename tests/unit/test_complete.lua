-- Completion, error texts and strict globals, without a terminal.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local complete = require "netspace.prompt.complete".complete
local chunk = require "netspace.lib.chunk"
local exception = require "netspace.prompt.exception"
local strict = require "netspace.strict"

-- What Tab offers at the end of `line` (or at |).
local function offers(line)
  local point = line:find("|", 1, true)
  line = line:gsub("|", "")
  return complete(line, point and point - 1 or #line)
end
local function text(line) return table.concat(offers(line), " ") end
local function has(line, word)
  for _, w in ipairs(offers(line)) do
    if w == word then return true end
  end
  return false
end

t.is(text "spa", "space", "a public name")
t.is(text "sw", "sweep", "one that is not loaded")
t.is(text "whi", "while", "a keyword")
t.is(text "x = f(tost", "tostring", "a global after other text")
t.is(text "spa| = 3", "space", "in the middle of a line")
t.is(text "string.gs", "string.gsub", "a field")
t.is(text "string.qqq", "", "no field")
t.is(text 'stats.bootstrap(a, "flo', "flops", "a property")
t.ok(has('plot.scatter({ a, b }, "', "w_m"), "of a picture")
do -- :save offers scripts, never a store
  local dir = assert(require("luv").fs_mkdtemp("/tmp/netspace-complete-XXXXXX"))
  for _, name in ipairs { "first.db", "first.lua" } do io.open(dir .. "/" .. name, "w"):close() end
  t.is(text(":save " .. dir .. "/fi"), dir .. "/first.lua", ":save completes scripts only")
  os.remove(dir .. "/first.db"); os.remove(dir .. "/first.lua"); os.remove(dir)
end
imported = setmetatable({}, { __index = setmetatable({ Alpha = 1 }, { __index = error }) })
t.is(text "imported.Al", "imported.Alpha", "a field through an __index that refuses others")
t.is(text "nosuch.x", "", "a field of nothing")
t.is(text "space.RegNetX:sam", "space.RegNetX:sample", "a method through __index")
t.ok(not has("space.RegNetX:", "space.RegNetX:name"), "after ':' functions only")
t.ok(has("space.RegNetX.", "space.RegNetX.name"), "after '.' fields too")
t.ok(not has("", "_G"), "names with _ only when asked for")
t.is(text "_VERS", "_VERSION", "which is so here")
t.is(text 'zoo["RegNetX-400', "RegNetX-400MF", "names of the zoo")
t.is(offers('zoo["RegNetX-400').append, '"', "the string is closed")
t.is(offers('zoo["RegNetX-400|"]').append, nil, "unless it is already")
t.is(text 'space.AnyNetXA:with("shared_b', "shared_b", "constraints")
t.ok(has('space.AnyNetXA:with { "shared_b", "shared_', "shared_g"), "in a list")
t.is(text 'help("stats.comp', "stats.compare", "topics of help")
t.is(text '?stats.comp', "stats.compare", "also after ?")
t.is(text 'data.open("sha', "shapes", "data sets")
t.is(text "store.open('scripts/lay", "scripts/layers", "files")
t.is(offers("store.open('scripts/lay").append, "'", "closed with the quote that opened")
t.is(text 'f("scri', "scripts/", "a folder ends with /")
t.is(offers('f("scri').append, nil, "and the string stays open")
t.is(text "print('it\\'s', stri", "string", "an escaped quote does not end a string")
t.is(text '-- "spa', "space", "a quote in a comment opens no string")
t.is(text 'data.open("cifar10:scri', "cifar10:scripts/", "folders after cifar10:")

-- Option keys inside { }.
t.is(text "sweep.run{ work", "workers =", "an option")
t.is(offers("sweep.run{ work").append, " ", "a blank follows")
t.is(text "sweep.run { store = 'a.db', bud", "budget =", "after others")
t.ok(has("sweep.run{ store = 'a.db', ", "models ="), "all of them")
t.ok(not has("sweep.run{ store = 'a.db', ", "store ="), "but those given")
t.is(text "sweep.run{ store = stri", "string", "a value is no key")
t.is(text "space.RegNetX:sample(5, { flo", "flops =", "of a method, after an argument")
t.is(text "p = space.RegNetX:sample(f(2), { flops = {3e6, 6e6}, max_", "max_tries =",
  "after values with brackets")
t.is(text "stats.compare(a, b, { lev", "level =", "of a function with two arguments")
t.is(text "x = { budg", "", "a table that is nobody's")
t.is(text "sweep.run{ recipe = { label_", "label_smoothing =", "an option that is a table")
t.is(text "sweep.run{ store = 'a.db', checkpoint = { lim", "limit =", "another, after others")
t.is(text "f{ recipe = { label_", "", "of a function that has none")
t.is(text 'space["AnyNetXA', "AnyNetXA AnyNetXA3 AnyNetXA5", "presets")
t.is(text 'design.step{ parent = "RegNetXC', "RegNetXC", "of a step")
t.is(text 'design.step{ candidates = { "shared_g', "shared_g", "candidates")

-- Fields and methods of objects that make them when asked.
rawset(_G, "curve", stats.edf { 40, 50 })
t.is(text "curve.medi", "curve.median", "a field that is computed")
t.is(text "curve:quan", "curve:quantile", "a method beside them")
t.is(text "curve:medi", "", "a field is no method")

-- Populations of a store.
local uv = require "luv"
local dir = assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/netspace-XXXXXX"))
sweep.run { store = dir .. "/a.db", name = "first try", quiet = true,
  models = { arch.anynet { d = { 1 }, w = { 8 } } }, recipe = recipe { epochs = 1, batch = 20 },
  data = data.open("shapes", { train = 20, test = 10 }) }
rawset(_G, "runs", sweep.open(dir .. "/a.db"))
t.is(text 'runs:result("fi', "first try", "populations of a store")
t.is(text 'plot.edf{ runs:result "', "first try", "in a table, without brackets")
t.is(text 'runs:nothing(x, "fi', "", "not everywhere")
runs:close()
t.is(text 'runs:result("fi', "", "a closed one has none")
os.execute(("rm -r '%s'"):format(dir))

-- Nothing of the user's runs.
local ran = 0
local trap = function() ran = ran + 1 return {} end
rawset(_G, "trapped", setmetatable({ a = 1 }, { __index = trap, __pairs = trap, __tostring = trap,
  __len = trap, __call = trap }))
t.is(text "trapped.", "trapped.a", "a table with metamethods")
text "trapped.b.c"
text "trapped:x"
t.is(ran, 0, "no metamethod was called")
rawset(_G, "circle", {})
setmetatable(circle, { __index = circle })
circle.me = circle
t.is(text "circle.me.me", "circle.me.me", "a circle of __index ends")
rawset(_G, "odd", { ["not a name"] = 1, [1] = 2, good_name = 3 })
t.is(text "odd.", "odd.good_name", "keys that are no names are left out")

-- Errors: the handler's account of what happened.
local function fails(code, name)
  chunk.texts[name] = code
  local _, e = xpcall(assert(load(code, name)), exception.handler)
  return e
end
local e = fails("local tbl = { alpha = 1 }\nreturn tbl.alhpa.x", "=case1")
t.is(e.near, "alpha", "a field of a local")
t.is(e.line, 2, "its line")
e = fails("local tbl = { inner = { beta = 1 } }\nlocal function f() return tbl.inner.betta() end\nreturn f() + 1",
  "=case2")
t.is(e.near, "beta", "a field of an upvalue's field")
t.is(e.frames[1].text, "case2:2: in function 'f'", "where it happened", e.frames[1].text)
t.is(e.frames[2].text, "case2:3: in main chunk", "and from where")
e = fails("local obj = setmetatable({}, { __index = { method = print } })\nobj:metod()", "=case3")
t.is(e.near, "method", "a method through __index")
e = fails("error({})", "=case4")
t.is(e.message, "error with the value {}", "an error value that is a table")
e = fails("error('interrupted', 0)", "=case5")
t.is(#exception.lines(e), 1, "an interrupt is one line")
e = fails("error()", "=case6")
t.is(e.message, "error with the value nil", "an error without a value")
local function caret(code)
  chunk.texts["=syntax"] = code
  local _, message = load(code, "=syntax")
  local lines = exception.lines(message)
  return lines[3] and #lines[3][2] - 3
end
t.is(caret "x = = 3", 4, "the caret is under the second =")
t.is(caret "f(a b)", 4, "under the name")
t.is(caret "ö = 1", 0, "under a byte that is no name")
t.is(caret "if x then", 9, "behind the end")

-- Strict globals.
t.fails(function() return undeclared_thing end, "undeclared variable 'undeclared_thing'",
  "reading an undeclared global")
t.fails(function() return sweeep end, "did you mean 'sweep'?", "the near public name")
declared_nil = nil
t.is(declared_nil, nil, "assigning nil declares")
local seen
strict.listener = function(name, near) seen = name .. " " .. tostring(near) end
t.is(load("return spce", "=in[1]")(), nil, "at the prompt it is nil")
t.is(seen, "spce space", "and a hint")
t.is(rawget(_G, "never_there"), nil, "rawget asks without an error")

-- The words that an option may be, not files; each is one that the function takes.
t.is(text 'arch.anynet{ d = {1}, w = {8}, block = "va', "vanilla", "a block type")
t.is(#offers 'space.anynet{ block = "', 9, "all of them")
t.is(text 'space.AnyNetXA:sample(3, { stem = "s', "simple", "an option of a method")
t.is(text 'sweep.run{ recipe = { schedule = "cos_', "cos_step", "of a table within")
t.is(text 'net.benchmark(m, { mode = "tr', "train", "of one function")
t.is(text 'monitor("x.db", { mode = "o', "once", "another one of the same name")
t.is(text 'sweep.run{ name = "scri', "", "a name is no file")
t.is(text 'sweep.run{ store = "scri', "scripts/", "a store is")
t.is(text 'x = { activation = "si', "silu", "in any table")
for _, key in ipairs { "block", "stem", "activation" } do
  for _, word in ipairs(require("netspace.lib.options").words[key]) do
    t.ok(arch.anynet { d = { 1 }, w = { 8 }, [key] = word }, ("%s = %s"):format(key, word))
  end
end
for _, word in ipairs(require("netspace.lib.options").words.schedule) do
  local needs = { exp = { lr_end = 0.1 }, exp_step = { lr_end = 0.1 }, steps = { steps = { 3 } } }
  local r = needs[word] or {}
  r.schedule = word
  t.ok(recipe(r), "schedule = " .. word)
end

t.done()
