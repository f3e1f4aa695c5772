-- What the prompt is made of, without a terminal: entries, pastes, the glossary, what is not
-- there, the palette, the line of a value.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local absent = require "netspace.lib.absent"
local entries = require "netspace.prompt.entry"
local fold = require "netspace.lib.fold"
local glossary = require "netspace.prompt.glossary"
local help = require "netspace.prompt.help"
local paste = require "netspace.prompt.paste"
local palette = require "netspace.prompt.palette"
local doc = require "netspace.lib.doc"
local canvas = require "netspace.core.canvas"

-- Entries.
local function assigned(text) return table.concat(entries.assigned(text), " ") end
t.is(assigned("A = 1"), "A", "an assignment")
t.is(assigned("A, B = f()"), "A B", "of two")
t.is(assigned("A == 1"), "", "no comparison")
t.is(assigned("local A = 1"), "", "no local")
t.is(assigned("A.b = 1"), "", "no field")
t.is(assigned("for i = 1, 2 do end"), "", "no loop")
for _, case in ipairs { { "?x.y", 'help("x.y")' }, { "help w_0", 'help("w_0")' },
  { " help fine-tune ", 'help("fine-tune")' }, { "help group width", 'help("group width")' } } do
  t.is(entries.help_request(case[1]), case[2], case[1])
end
for _, text in ipairs { "help()", 'help("x")', 'help "x"', "help = 3", "helper x" } do
  t.is(entries.help_request(text), nil, text .. " is Lua")
end

-- Pastes.
local function pasted(text, pending)
  local p, out = paste.entries(text, pending), {}
  for i, e in ipairs(p) do out[i] = ("%d<%s>"):format(e.from, e.text) end
  if p.open then out[#out + 1] = "open<" .. p.open .. ">" end
  if p.rest ~= "" then out[#out + 1] = "rest<" .. p.rest .. ">" end
  if p.output > 0 then out[#out + 1] = p.output .. " output" end
  return table.concat(out, " ")
end
t.is(pasted("1\n2\n"), "1<1> 2<2>", "two entries")
t.is(pasted("1\n2"), "1<1> rest<2>", "the last line is not ended")
t.is(pasted("> 1\n> x = 3\n"), "1<1> 2<x = 3>", "prompts")
t.is(pasted("> f(\n>> 1)\n> 2"), "1<f(\n1)> rest<2>", "of lines that go on, and of the last")
t.is(pasted("> f(\n  1)\n2\n"), "1<f(\n  1)> 1 output", "a line that goes on without one; output")
t.is(pasted("  > 1\n  > 2\n"), "1<1> 2<2>", "indented ones")
t.is(pasted(">\n> 1\n>\n"), "2<1>", "empty ones")
t.is(pasted("f(\n1\n"), "open<f(\n1>", "not complete")
t.is(pasted("1)\n2\n", "f("), "1<f(\n1)> 2<2>", "an open entry")
t.is(pasted("S = x\n  :y()\n  .z\n2\n"), "1<S = x\n  :y()\n  .z> 4<2>", "lines that can only go on")
t.is(pasted("a = 1\n:time a\n"), "1<a = 1> 2<:time a>", "a command goes on with nothing")
t.is(pasted("x > 1\n> 2\n"), "1<x > 1\n> 2>", "a > that is an operator")
t.is(pasted(""), "", "nothing")

-- The glossary: what the brief of help names, and that it leads somewhere.
help.names()
for word in ([[d w b g w_0 w_a w_m EDF MF population principle window stage stem head flops acts
  params seed epoch run attempt checkpoint budget bottleneck]]):gmatch "%S+" do
  local text = help.text(word)
  t.ok(text and text:find("\n") and (glossary.text(word) == nil or text:find("see", 1, true)),
    "help " .. word, text)
end
local seen = {}
for _, row in ipairs(glossary.rows()) do
  for topic in row.see:gmatch "[^, ]+" do
    t.ok(doc.topics[topic], ("%s: %s is a topic"):format(row.words, topic))
  end
  for word in row.words:gmatch "[^,]+" do
    word = word:match "^%s*(.-)$"
    t.ok(not seen[word:lower()], word .. " is explained once")
    t.ok(not doc.topics[word], word .. " is not a topic as well")
    seen[word:lower()] = true
  end
end
t.is(glossary.text "Bottleneck-Ratio", glossary.text "b", "other ways to write a word")
t.is(glossary.text "stages", glossary.text "stage", "the plural")
t.ok(help.text("glossary"):find("w_0", 1, true), "help glossary lists words")

-- What there is not.
for word in ([[gpu onnx imagenet latency folder threads pandas finetune distributed
  tensorboard wandb jupyter windows cuda nas pruning quantization]]):gmatch "%S+" do
  local text = help.text(word)
  t.ok(text and text:find("^" .. word .. ": %l.*") and not text:find("\n"), "help " .. word, text)
end
t.is(absent.answer "Fine-Tune", absent.answer "finetune", "other ways to write one")
for _, word in ipairs(absent.words()) do
  t.ok(not doc.topics[word] and not glossary.text(word) or word == "pycls",
    word .. " is in one place")
  for topic in absent.answer(word):gmatch "%f[%w_]%l+[.:][%l_]+" do
    local name = topic:gsub("images_per_s", "")
    t.ok(name:find("%.db$") or name:find("%.lua$") or name == "sweep.json" or help.text(topic) or
      topic == "net.benchmark", ("%s: %s is there"):format(word, topic))
  end
end
t.fails(function() net.new({}, { device = "cuda" }) end, "trains on processor cores", "net.new")
local set = data.open("shapes", { train = 10, test = 10 })
local n = net.new(arch.anynet { d = { 1 }, w = { 8 }, stem = "cifar" })
t.fails(function() n:train(set, { epochs = 1, device = "cuda" }) end, "trains on processor cores", "net:train")
t.fails(function() sweep.run { device = "cuda" } end, "trains on processor cores", "sweep.run")
t.fails(function() n:train(set, { epochs = 1, mixup = 0.2 }) end, "there is no option 'mixup': it goes into augment", "mixup")
for _, spec in ipairs { "photos", "imagenet" } do
  t.fails(function() data.open(spec) end, ("there is no data set '%s'; what can be opened is "
    .. '"cifar10:DIR"'):format(spec), spec)
end

-- Names and slips.
t.is(help.text "store.export", help.text "store:export", "a dot for the colon")
t.is(help.text "stats:edf", help.text "stats.edf", "a colon for the dot")
t.is(help.text "space.sample", help.text "S:sample", "a method by its module")
t.is(space["AnyNetX_A"], space.AnyNetXA, "a space by what it prints as")
local wrong = {}
for _, from in ipairs { space, space.small } do
  for _, name in ipairs(space.names()) do
    local S = from[name]
    if space[S.name] ~= S or from[S.name] ~= S then wrong[#wrong + 1] = S.name end
  end
end
t.is(table.concat(wrong, " "), "", "every printed name of a shipped space finds it")
t.fails(function() return space.AnyNetA end, "did you mean 'AnyNetXA'?")
t.fails(function() return space["AnyNetX_Q-32px"] end, "has no space 'AnyNetX_Q-32px'")
local S, m = space.AnyNetXA, zoo["RegNetX-200MF"]
t.fails(function() S:sample(3, { flops = 2e6 }) end,
  "flops is 2000000; it must be a window: {lo, hi}, such as {1.5e6, 2.5e6}")
t.fails(function() S:size { acts = 2e6 } end, "acts is 2000000; it must be a window", "of acts too")
t.fails(function() sweep.run { store = "x.db", models = m, data = "shapes" } end,
  "models is one network; it takes a list: models = { m }")
t.fails(function() sweep.run { store = "x.db", models = S, data = "shapes" } end,
  "models is a space; networks are drawn from it")
t.fails(function()
  S:with(constraint { name = "mine", check = function(x) return x.w4 < x.w1 end }):sample(1)
end, "constraint mine, its check failed in 'S:with(constraint { name = \"mine\"")
t.fails(function()
  S:with(constraint { name = "mine", check = function(x) return x.w4 < x.w1 end }):sample(1)
end, "there is no x.w1, a stage's is x.w[1]", "a stage's parameter taken for a field")
for text, says in pairs {
  ["m.w[5] > m.w[1]"] = "there is no m.w[5]: the network has 4 stages",
  ["m.w[0] > 3"] = "there is no m.w[0]: the network has 4 stages, counted from 1",
  ["m.width[1] > 3"] = "there is no m.width, it is m.w, a list with one for each stage",
  ["m.flops > 3"] = "there is no m.flops, its cost is arch.complexity(m).flops",
  ["m.stages > 3"] = "there is no m.stages, their number is #m.d",
  ["asked.b[9] > 3"] = "there is no asked.b[9]: the network has 4 stages",
  ["m.w4 == nil"] = "there is no m.w4, a stage's is m.w[4]",
  ["m.narow"] = "there is no m.narow, a network has the lists d, w, b and g",
} do
  local check = load("return function(m, asked) return " .. text .. " end")()
  t.fails(function()
    space.small.AnyNetXA:with(constraint { name = "mine", check = check }):sample(1,
      { max_tries = 100 })
  end, says, "a slip in a principle: " .. text)
end
local drawn = { name = "x", errors = { 1, 2, 3 }, models = space.small.AnyNetXA:sample(3) }
t.fails(function() stats.bootstrap(drawn, function(m) return m.w[5] end) end,
  "the property is nil; there is no m.w[5]", "in a property")
t.fails(function() stats.bootstrap(drawn, function(m) return m.w[5] / 2 end) end,
  "there is no m.w[5]: the network has 4 stages", "that fails")

-- Fields that there are not, at the prompt.
local lacking = require "netspace.prompt.lacking"
A0 = space.small.RegNetX:sample(3)
C0 = stats.compare({ 1, 2, 3 }, { 4, 5, 6 })
R0 = stats.edf { 1, 2 }
for text, says in pairs {
  ["A0[0]"] = "A0[0] is nil: A0 has 3, counted from 1",
  ["x = A0[61];"] = "A0[61] is nil: A0 has 3",
  ["A0.len"] = "#A0 is its length",
  ["A0[1].flops"] = "its cost is arch.complexity(A0[1]).flops",
  ["y = A0[1].width"] = "it is A0[1].w, a list",
  ["A0[1].w[9]"] = "A0[1].w has 4",
  ["C0.verdikt"] = "did you mean 'verdict'?",
} do
  local told = lacking.told(text)
  t.ok(told and told:find(says, 1, true), "there is no " .. text, told)
end
for _, text in ipairs { "C0.better", "C0.more", "A0[1].kernel", "A0[1]", "nothing.x", "t = {}", "A0[1].d[1]",
  "f(A0.len)", "_ENV.x" } do
  t.is(lacking.told(text), nil, "nothing is said of " .. text)
end
A0, C0, R0 = nil, nil, nil

-- Habits of other languages.
local habits = require "netspace.lib.habits"
for code, says in pairs { ["print A"] = "print(A)", ["2**3"] = "2^3", ["x += 1"] = "x = x + 1",
  ["A != nil"] = "~=", ["import x"] = "require", ["from x import y"] = "require",
  ["A[1:3]"] = "no slices", ["for m in A:"] = "ipairs", ["if x:"] = "then", ["x && y"] = "and",
  ["S:sample(5, flops={1,2})"] = "in braces", ['sweep.run(store="x")'] = "in braces",
  ["zoo.RegNetX-400MF"] = 'zoo["RegNetX-400MF"]', ["x = 3 # note"] = "--",
  ["f = function(m) m.w[4] >= 4 * m.w[1] end"] = "with return",
  ["f{ a = 1, b = function(m) m.d > 3 end }"] = "with return" } do
  t.ok(not load(code) and not load("return " .. code), code .. " is no Lua")
  t.ok((habits.line(code) or ""):find(says, 1, true), code, habits.line(code))
end
for _, code in ipairs { "x = = 3", "f(", 'print("a != b"', "S:sample(5, { flops = {1, 2} }",
  "f = function(m) m.d = 3 x end", "x = { a = 1, b = 2 3 }" } do
  t.is(habits.line(code), nil, "nothing is said of " .. code)
end
-- What :save keeps of entries that raised: sweeps that Ctrl-C stopped.
do
  local session = require "netspace.prompt.session"
  session.raised('a = sweep.run{ store = "x.db", models = A, data = D }', true)
  session.raised("b = stats.compare(a, a)", true)
  session.raised("error 'no'", false)
  local file = os.tmpname()
  os.remove(file)
  session.run(":save " .. file)
  local f = assert(io.open(file))
  local text = f:read "a"
  f:close()
  os.remove(file)
  t.ok(text:find('a = sweep.run{ store = "x.db"', 1, true), "a stopped sweep is saved", text)
  t.ok(not text:find "stats.compare" and not text:find "error", "other entries that raised are not")
end

t.ok(not entries.incomplete "for m in A:" and entries.incomplete "for i = 1, 2 do", "a block of Python's is whole")
for word, says in pairs { len = "#A", range = "for i = 1, 3", None = "nil", dir = "Tab", quit = "Ctrl%-D" } do
  t.ok((help.text(word) or ""):find(says), "help " .. word)
end

for word, says in pairs { compare = "stats.compare", ["test error"] = "net:test", ["validation error"] = "data.open" } do
  t.ok((help.text(word) or ""):find("see: " .. says, 1, true), "help " .. word)
end
t.is(require("netspace.lib.options").nearest("monotone_width", { "monotone_d", "monotone_w" }), "monotone_w",
  "of equally near names what the word begins with")
t.fails(function() return zoo["RegNetX"] end, "there are RegNetX-200MF", "names that begin so")
t.fails(function() arch.complexity "RegNetX" end, 'expects a network, such as', "a name is no network")
t.is(select("#", space.small.RegNetX:contains(space.small.RegNetX:sample(1)[1])), 1, "contains gives one true")

-- The line of a value.
local A = space.small.RegNetX:sample(2, { flops = { 1e6, 2e6 } })
t.ok(pretty._has_line(A) and pretty._has_line(m) and pretty._has_line(S), "populations, networks, spaces")
for _, value in ipairs { 1, "x", true, print, { 1 }, { flops = { 1, 2 } } } do
  t.ok(not pretty._has_line(value), "not " .. tostring(value))
end
for width = 10, 100, 7 do
  local line = pretty._line(A, width)
  t.ok(canvas.text_width(line) <= width and not line:find("\n"), "at most " .. width .. " cells", line)
end
t.is(pretty._line({ a = 1 }, 40), "{ a = 1 }", "a table")

-- The palette.
local rows = palette.rows()
for _, row in ipairs(rows) do
  t.ok(#row.about > 5 and not row.about:find("\n"), row.name .. " has a line", row.about)
end
local function first(query) return palette.find(rows, query)[1].name end
t.is(first "swrun", "sweep.run", "names are found by a few of their characters")
t.is(first "comp", "stats.compare", "in the order of how well they fit")
t.is(first ":sa", ":save", "commands")
t.is(first "ctrl r", "Ctrl-R", "keys")
local by_text = palette.find(rows, "learning rate")
t.is(by_text[#by_text].name, "recipe.rates", "and by words of what they say")
t.is(#palette.find(rows, "zzzz"), 0, "or nothing")
local state = { query = "", row = 1 }
for key in ("s t é backspace down down up end"):gmatch "%S+" do palette.press(state, key, 7, 5) end
t.is(state.query .. state.row, "st7", "keys")
palette.press(state, "down", 7, 5)
t.is(state.row, 7, "it ends at the last row")
palette.press(state, "backspace", 7, 5); palette.press(state, "backspace", 7, 5)
palette.press(state, "backspace", 7, 5)
t.is(state.query .. state.row, "1", "nothing left to erase")
local c = palette.draw({ query = "x", row = 30 }, rows, 60, 10)
t.is(c:lines()[1], "find: x_", "what is typed")
t.ok(c:lines()[9]:find("^" .. rows[30].name:gsub("%p", "%%%0")), "the chosen row is on the screen")
t.ok(palette.draw({ query = "", row = 1 }, {}, 20, 3), "a small screen without rows")

-- Text breaks between words, not at what is no column.
t.is(table.concat(fold.lines("What is it?  A sentence that goes on and on.", 30), "|"),
  "What is it?  A sentence that|  goes on and on.", "a question is no first column")
t.done()
