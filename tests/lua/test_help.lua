-- Every public function is documented, and every example of the documentation runs.
package.path = "tests/lua/?.lua;" .. package.path
local t = require "tap"
local help = require "netspace.help"
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
        t.ok(help.topics[name .. "." .. key] ~= nil, name .. "." .. key .. " has help")
      end
    end
  end
end

-- Methods: those of the metatables of C types and of the objects scripts meet.
local function methods_have_help(class, object)
  local meta = debug.getmetatable(object)
  for key, value in pairs(meta.__index) do
    if type(value) == "function" and key:sub(1, 1) ~= "_" then
      t.ok(help.topics[class .. ":" .. key] ~= nil, class .. ":" .. key .. " has help")
    end
  end
end
methods_have_help("dataset", data.open("shapes", { train = 10, test = 10 }))
methods_have_help("net", net.new(arch.anynet { d = { 1 }, w = { 16 }, stem = "cifar" }, { batch = 2 }))

-- The text of each topic: a signature and a sentence.
for _, name in ipairs(names) do
  local text = help.topics[name]
  local first, second = text:match("^([^\n]+)\n([^\n]+)")
  t.ok(first and second and #second >= 10, name .. ": a signature and a sentence", text)
  for line in text:gmatch("[^\n]+") do
    if utf8.len(line) > 100 then t.ok(false, name .. ": lines of at most 100 columns", line) end
  end
end

-- Examples: statements or expressions, in a fresh environment over the globals and a
-- folder of their own.
local uv = require "luv"
local home = assert(uv.cwd())
local folder = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/netspace-help.XXXXXX"))
local ran = 0
for _, name in ipairs(names) do
  for i, example in ipairs(help.examples(name)) do
    local label = ("%s: example %d runs: %s"):format(name, i, example.code)
    local env = setmetatable({ print = function() end }, { __index = _G })
    local code = "return " .. example.code
    if not load(code, "=example", "t", env) then code = example.code end
    local f, message = load(code, "=example", "t", env)
    if example.slow then
      t.ok(f ~= nil, name .. ": the slow example is Lua: " .. example.code, message)
    else
      local good, err = f ~= nil, message
      if f then
        uv.chdir(folder)
        good, err = pcall(f)
        uv.chdir(home)
      end
      t.ok(good, label, tostring(err))
      ran = ran + 1
    end
  end
end
t.ok(ran >= 20, ran .. " examples ran")
for entry in function(s) return uv.fs_scandir_next(s) end, uv.fs_scandir(folder) do
  uv.fs_unlink(folder .. "/" .. entry)
end
uv.fs_rmdir(folder)

-- By value, by name, and misses.
local function text_of(...)
  local text, message = help.text(...)
  return text or "", message
end
t.is(text_of(stats.compare), help.topics["stats.compare"], "a function stands for its topic")
t.is(text_of(space.RegNetX.sample), help.topics["S:sample"], "a method stands for its topic")
t.is(text_of("sample"), help.topics["S:sample"], "a method by its bare name")
t.ok(text_of(stats):find("stats.edf", 1, true), "a module lists its functions")
t.ok(text_of(space.RegNetX):find("S:sample", 1, true), "an object lists its methods")
t.ok(text_of():find("\nspace ", 1, true), "the overview names space")
for _, row in ipairs(netspace._names) do
  t.ok(text_of():find("\n" .. row[1] .. " ", 1, true), "the overview names " .. row[1])
end
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

t.done()
