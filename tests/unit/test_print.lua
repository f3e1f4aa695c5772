-- print(x) in a script shows what the prompt shows, never an address.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local netspace = require "netspace"
local pretty = require "netspace.lib.pretty"

-- What print writes of these values.
local function printed(...)
  local parts, out = {}, io.stdout
  io.stdout = { write = function(_, ...) -- luacheck: ignore
    for i = 1, select("#", ...) do parts[#parts + 1] = (select(i, ...)) end
  end }
  local good, err = pcall(print, ...)
  io.stdout = out -- luacheck: ignore
  assert(good, err)
  return table.concat(parts)
end

t.is(printed("a b", 1, 2.5, nil, true), "a b\t1\t2.5\tnil\ttrue\n", "plain values as ever")
t.is(printed(), "\n", "nothing is an empty line")
t.is(printed { 1, 2, x = { "y" } }, pretty { 1, 2, x = { "y" } } .. "\n", "a table")
t.is(printed(zoo["RegNetX-400MF"]), pretty(zoo["RegNetX-400MF"]) .. "\n", "a network")
t.is(printed(zoo.names()), pretty(zoo.names()) .. "\n", "a list of names")
t.is(printed(arch.complexity(zoo["RegNetX-200MF"])),
  "{ acts = 2164056, flops = 199040872, params = 2684792 }\n", "its costs")
t.is(printed(stats.compare), help.about(stats.compare) .. "\n", "a function of netspace")
local A = space.small.RegNetX:sample(4)
local d = assert(data.open("shapes", { train = 64, test = 32 }))
local m = A[1]
local values = { A = A, d = d, m = m, net = net.new(m, { batch = 2 }), card = d:card(),
  edf = stats.edf { 1, 2, 3 }, cmp = stats.compare({ 48, 51, 55, 60 }, { 40, 42, 45, 47 }),
  S = space.AnyNetXE, small = space.small, c = constraint { name = "c", check = function() end },
  describe = arch.describe(m), plan = net.new(m, { batch = 2 }):plan(), plot = plot.edf { { 1, 2 } },
  recipe = recipe.quick, size = space.AnyNetXE:size(), own = function() end, thread = coroutine.create(print) }
for _, row in ipairs(netspace._names) do values[row[1]] = netspace[row[1]] end
for name, value in pairs(values) do
  local text = printed(value)
  local address = text:match("%a+: 0x%x+")
  local own = name == "own" or name == "thread" -- Lua's own, which have nothing else to show
  t.ok(#text > 3 and (own or not address), name .. " is shown", text)
end
local circle = {}
circle.circle = circle
t.is(printed(circle), pretty(circle) .. "\n", "a circle")
t.ok(printed(setmetatable({}, { __tostring = function() error("no") end })):find("__tostring fails"),
  "an object whose __tostring fails does not end the script")
t.is(tostring(m), pretty(m):gsub(" image=.*", ""), "tostring of a network is its short form")
t.is(("%s"):format(tostring(zoo["RegNetX-400MF"])), "x d=1,2,7,12 w=32,64,160,384 b=1 g=16", "of the zoo, too")
t.ok(tostring({}):find "^table: 0x" and tostring(nil) == "nil" and tostring(1.5) == "1.5",
  "of other values it is as ever")
t.fails(function() tostring() end, "value expected")

-- Names of netspace that a script takes for its own, and a principle given by its variable's name.
local function said(code)
  local p = assert(io.popen(("%s -q --no-init -e '%s' 2>&1"):format(require("netspace.core.sys").exe(),
    code)))
  local text = p:read "a"
  p:close()
  return text
end
t.is(said "space = 3 space = 4 print(space)",
  "netspace: 'space' is yours now and hides netspace's module of that name; space = nil brings it back\n4\n",
  "a name of netspace that becomes a variable is said, once")
t.ok(said "print(space.names()[1]) function data() end":find("'data' is yours now", 1, true),
  "also a function, and after other modules were used")
t.is(said "x = 3 local space = 4 print(x, space)", "3\t4\n", "other names and locals are not")
t.ok(said "stats = 3 stats = nil print(stats.compare({ 1, 2 }, { 3, 4 }).ks)":find "\n1%.0\n$", "nil brings it back")
t.ok(said [[steep = constraint{ name = "steep", check = function(m) return true end }
space.AnyNetXA:with("steep")]]:find("there is no constraint script called 'steep'; the variable steep is one, "
  .. "without quotes: S:with(steep)", 1, true), "with(\"steep\") names the variable")
-- A message beside a nil is not lost: where the nil is used, and where it is assigned at the prompt.
t.ok(said [[s = store.open("no.db") s:names()]]:find "global 's'.*store%.open gave nil: no%.db: no such store",
  "s:names() of a store that is not there says why there is no s")
t.ok(said [[m = arch.anynet{ d = {1}, w = {-8} } print(m.w)]]:find "arch%.anynet gave nil: ", "networks, too")
t.ok(not said [[x = nil print(x.y)]]:find "gave nil", "other nils are only that")
local typed = assert(io.popen(([[printf 's = store.open("no.db")\nt = nil\nr = stats.import("no.csv")\n' |
  %s -q -i --no-init 2>&1]]):format(require("netspace.core.sys").exe())))
t.is(typed:read "a", "s is nil: store.open: no.db: no such store\n"
  .. "r is nil: stats.import: cannot read no.csv: No such file or directory\n", "said when it is assigned")
typed:close()

-- Only where that nil is used, not with what is wrong later.
typed = assert(io.popen(([[printf 's = store.open("no.db")\ns:names()\nt = {}\nt.x.y = 1\nq.z = 1\n' |
  %s -q -i --no-init 2>&1]]):format(require("netspace.core.sys").exe())))
local later = typed:read "a"
typed:close()
t.is(select(2, later:gsub("store%.open gave nil: ", "")), 1, "told of s alone")
t.ok(later:find "global 's'[^\n]*\n.-gave nil.-field 'x'", "and there", later)

-- At a terminal a sentence that is longer than the line is broken between words, without quotes.
local sys, show = require "netspace.core.sys", require "netspace.prompt.show"
local terminal = sys.terminal
sys.terminal = function() return 20 end
t.is(show.text "B is better than A: its mean error is lower", "B is better than A:\n  its mean error is\n"
  .. "  lower", "a verdict")
t.is(show.text "short text", '"short text"', "a short text is a value, in quotes")
t.is(show.text(("x"):rep(30)), '"' .. ("x"):rep(30) .. '"', "one without blanks, too")
sys.terminal = terminal
t.done()
