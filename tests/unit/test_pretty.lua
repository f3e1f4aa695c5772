-- pretty: scalars, tables, cycles, limits, records, models.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local pretty = require "netspace.lib.pretty"

local function shows(value, want, name, o)
  o = o or {}
  o.width, o.ascii = o.width or 80, true
  t.is(pretty(value, o), want, name)
end

shows(nil, "nil", "nil")
shows(16, "16", "integer")
shows(16.0, "16.0", "float")
shows(0 / 0, tostring(0 / 0), "NaN")
shows('a\n"b"\0', [["a\n\"b\"\x00"]], "strings are quoted")
shows("é\xff", [["\xc3\xa9\xff"]], "broken UTF-8 is escaped")
shows("é", '"é"', "UTF-8 is not")
shows(("x"):rep(500), '"' .. ("x"):rep(500) .. '"', "a string alone is whole")
shows({ ("x"):rep(250) }, '{\n  "' .. ("x"):rep(200) .. '"... 50 more bytes,\n}',
  "a string in a table is cut")

shows({}, "{}", "empty table")
shows({ 1, 2, { x = "y" } }, '{ 1, 2, { x = "y" } }', "short tables stay on a line")
shows({ b = 1, a = 2, [1.5] = 3, ["end"] = 4, ["x y"] = 5 },
  '{ [1.5] = 3, a = 2, b = 1, ["end"] = 4, ["x y"] = 5 }', "keys are sorted")
shows({ alpha = { 1, 2, 3 }, beta = { 4, 5, 6 } },
  "{\n  alpha = { 1, 2, 3 },\n  beta = { 4, 5, 6 },\n}", "wide tables break", { width = 30 })
shows({ 1, nil, 3 }, "{ 1, nil, 3 }", "a hole in a list")

local cycle = {}
cycle.self = { cycle }
shows(cycle, "{ self = { <cycle> } }", "cycle")
local shared = { 1 }
shows({ shared, shared }, "{ { 1 }, { 1 } }", "the same table twice is no cycle")
local deep = { ("x"):rep(40), ("y"):rep(40) }
deep.deep = deep
shows(deep, '{\n  "' .. ("x"):rep(40) .. '",\n  "' .. ("y"):rep(40) .. '",\n  deep = <cycle>,\n}',
  "cycle over lines", { width = 60 })
shows({ a = { b = { c = { d = 1 } } } }, "{ a = { b = {...} } }", "depth", { depth = 2 })
shows({ a = {} }, "{ a = {} }", "an empty table needs no depth", { depth = 1 })

local list = {}
for i = 1, 522 do list[i] = i end
t.ok(pretty(list, { width = 80, ascii = true }):find("\n  ... 482 more\n", 1, true), "item limit")
shows({ 1, 2, 3 }, "{\n  1, 2,\n  ... 1 more\n}", "item limit given", { items = 2 })
shows({ a = 1, b = 2, c = 3 }, "{\n  a = 1,\n  b = 2,\n  ... 1 more\n}", "field limit", { items = 2 })

shows(setmetatable({}, { __tostring = function() return "space A" end }), "space A", "__tostring")
shows({ x = setmetatable({}, { __tostring = function() return "space A" end }) },
  "{ x = space A }", "__tostring inside")
t.ok(pretty(setmetatable({}, { __tostring = function() error "no" end }))
  :find("whose __tostring fails", 1, true), "a failing __tostring does not raise")

local rows = {}
for i = 1, 500 do rows[i] = { name = "m" .. i, index = i, error = i / 8, note = i == 2 and "x" or nil } end
shows(rows, [[
index  name   error  note
-----  ----  ------  ----
    1  m1     0.125
    2  m2      0.25  x
  ...  ...      ...  ...
  499  m499  62.375
  500  m500    62.5
500 rows, 4 shown]], "records: aligned, middle cut", { items = 4 })
shows({ rows[1], rows[2] }, [[
index  name
-----  ----
    1  m1
    2  m2
2 rows, 2 more columns: error, note]], "records: columns that do not fit are named", { width = 12 })
shows({ { ["é"] = "ü" }, { ["é"] = "longer than the width" } },
  "é\n---------------------\nü\nlonger than the width\n2 rows", "cells are counted, not bytes", { width = 21 })

-- Times, long texts; nothing is left out where no terminal shows it.
local noon = os.time { year = 2026, month = 5, day = 6, hour = 12, min = 0, sec = 30 }
shows({ updated = noon + 0.25, n = 2 }, "{ n = 2, updated = 2026-05-06 12:00:30 }", "a time is a date")
shows({ time = 12.5, n = noon }, ("{ n = %d, time = 12.5 }"):format(noon), "other numbers are not")
local word = ("word "):rep(20)
local events = {}
for i = 1, 60 do
  events[i] = { time = noon + i, index = i, text = i .. " " .. word, population = "A" }
end
shows({ events[1], events[2] }, [[
time                 index  population  text
-------------------  -----  ----------  -----------------------------------
2026-05-06 12:00:31      1  A           1 word word word word word word ...
2026-05-06 12:00:32      2  A           2 word word word word word word ...
2 rows]], "a long text is cut to what the width leaves", { width = 75 })
shows({ events[1], events[2] }, [[
time                 index
-------------------  -----
2026-05-06 12:00:31      1
2026-05-06 12:00:32      2
2 rows, 2 more columns: population, text]], "which columns are left out is said", { width = 30 })
local pipe = assert(io.popen(([["$NETSPACE" -q --no-init -e '%s' | cat]]):format([[
  local list = {}
  for i = 1, 60 do
    list[i] = { time = %d + i, index = i, text = i .. " " .. ("word "):rep(20), population = "A",
      more = { deep = { deeper = { deepest = { i, 1 / 3 } } } }, list = { ("x"):rep(300) } }
  end
  print(list)]]):format(noon)))
local text = pipe:read "a"
pipe:close()
local lines, whole = 0, 0
for line in text:gmatch "[^\n]+" do
  lines = lines + 1
  local i = line:match " (%d+) word "
  if i and line:find(word:sub(1, -2), 1, true) and line:find(("x"):rep(300), 1, true)
    and line:find(("deepest = { %d, 0.3333333333"):format(i), 1, true) then
    whole = whole + 1
  end
end
t.is(lines .. " " .. whole, "63 60", "into a pipe: all rows, columns, texts and levels")

local m = { block = "x", d = { 1, 1, 4, 7 }, w = { 24, 56, 152, 368 }, b = { 1, 1, 1, 1 },
  g = { 8, 8, 8, 8 }, stride = { 2, 2, 2, 2 }, stem = "simple", stem_width = 32, se = 0,
  head_width = 0, activation = "relu", classes = 10, image = 32 }
local line = "x d=1,1,4,7 w=24,56,152,368 b=1 g=8"
shows(m, line .. " image=32 classes=10", "a model")
shows({ m }, "{ " .. line .. " }", "a model inside")
shows({ m, m, seed = 1 }, "{\n  #  model\n  -  " .. ("-"):rep(#line) .. "\n  1  " .. line
  .. "\n  2  " .. line .. "\n  2 models\n  seed = 1,\n}", "a population")
local other = setmetatable({ g = { 8, 8, 16, 16 }, stride = { 1, 2, 2, 2 }, se = 0.25,
  stem = "cifar" }, { __index = m })
for k, v in pairs(m) do if other[k] == v then rawset(other, k, v) end end
shows({ other }, "{ x d=1,1,4,7 w=24,56,152,368 b=1 g=8,8,16,16 stride=1,2,2,2 se=0.25 stem=cifar }",
  "what is unusual about a model is shown", { width = 100 })

t.fails(function() pretty({}, { wdith = 3 }) end, "did you mean 'width'?", "unknown option")
-- Lines of a terminal's width.
local fold = require "netspace.lib.fold"
t.is(fold.text("one two three", 80), "one two three", "what fits stays")
t.is(fold.text("one two three", 8), "one two\n  three", "broken between words, goes on further in")
t.is(fold.text("  one two three", 10), "  one two\n    three", "under its beginning")
t.is(fold.text("  key  what it is", 14), "  key  what it\n       is", "under the second column")
t.is(fold.text("  much_too_long_a_key  what it is", 20), "  much_too_long_a_key\n    what it is",
  "unless that is far to the right")
t.is(fold.text("abcdefghij klm", 4), "abcdefghij\n  klm", "a word stays whole")
t.is(fold.text("é→ü é→ü", 7), "é→ü é→ü", "cells count, not bytes")
t.is(fold.text("a b\n\nc d", 3), "a b\n\nc d", "line by line")
t.is(#fold.lines("", 10), 1, "an empty line")
local broken = ("f()\n" .. ("word "):rep(15) .. "end.  More\nto say.\n  key  what it\n       is\n"
  .. "  a    b\nexample: f()")
t.is(fold.anew(broken, 90), broken, "what fits stays as it is")
t.is(fold.anew(broken, 79), "f()\n" .. ("word "):rep(15) .. "end.\n  More to say.\n"
  .. "  key  what it is\n  a    b\nexample: f()", "lines broken for a wider one are put together")
for width = 1, 40 do
  local text = help.text("sweep.run")
  t.is(fold.anew(text, width):gsub("%s+", " "), text:gsub("%s+", " "), "nothing is lost at " .. width)
end

t.done()
