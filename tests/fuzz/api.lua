-- Any bytes as calls of public functions and methods with any arguments (make fuzz T=api): values of
-- all kinds, objects of the program, tables of options whose keys are right or nearly.  Each gives
-- something, or nil and a clear message, or raises one; nothing crashes, no assertion of ours fails.
-- Programs are not started, and files lie in a folder in memory.
local arch = require "netspace.network.arch"
local doc = require "netspace.lib.doc"
local draws = dofile "tests/fuzz/draws.lua"
local ledgers = require "netspace.store.ledger"
local netspace = require "netspace"
local options = require "netspace.lib.options"
local oracle = dofile "tests/fuzz/oracle.lua"
local uv = require "luv"

require("netspace.prompt.help").names() -- loads every module that has documentation
local home = uv.cwd()
local path = oracle.file("runs.db", "")
local folder = path:match "^(.*)/"
os.remove(path)
uv.os_setenv("XDG_CACHE_HOME", folder .. "/cache")
uv.os_setenv("XDG_STATE_HOME", folder .. "/state")
package.path = package.path:gsub("(%f[^;%z])(%a)", home .. "/%2") -- modules that are still to load
local nowhere = assert(io.open("/dev/null", "w"))
local function no_program() return nil, "EAGAIN: resource temporarily unavailable" end

-- f() where no program is started, and nothing printed.
local function quietly(f)
  local spawn, popen, execute, say, err, out = uv.spawn, io.popen, os.execute, print, io.stderr, io.stdout
  uv.spawn, io.popen, os.execute = no_program, no_program, no_program
  print, io.stderr, io.stdout = function() end, nowhere, nowhere
  io.output(nowhere)
  uv.chdir(folder)
  local results = table.pack(pcall(f))
  uv.chdir(home)
  uv.spawn, io.popen, os.execute = spawn, popen, execute
  print, io.stderr, io.stdout = say, err, out
  io.output(out)
  return table.unpack(results, 1, results.n)
end

-- A store with a population of each kind of model.
local function make_store()
  local w = assert(ledgers.open(path))
  w:write(function()
    local id = w:create { name = "A", space = "S", seed = 1, tried = 3, sample_seed = 4,
      spec = { lineage = { "S" }, options = { se = 0 }, params = {} }, window = { flops = { 1, 2 } },
      constraints = { { name = "c", source = "return true" } }, recipe = { epochs = 2, lr = 0.1 },
      source = { spec = "shapes", train = 8 },
      card = { spec = "shapes", checksum = "x", train_n = 8, test_n = 8, classes = 10 } }
    for i = 1, 8 do
      local m = arch.anynet { d = { 1 + i % 3, 1 }, w = { 8 * i, 16 } }
      w:add_model(id, i, m, ledgers.identity(m), i, arch.complexity(m))
    end
    w:take(id, "A", 2)
    for i, row in ipairs(w:models(id)) do
      w:start(row.id, 1, 7)
      for e = 1, 2 do
        w:epoch(row.id, 1, { epoch = e, lr = 0.1, train_loss = 1 / e, validation_error = 10 + i / e })
      end
      w:finish(row.id, 1, { status = i < 7 and "done" or i == 7 and "failed" or "diverged",
        error = i < 7 and 10 + i / 2 or 100, reason = i > 6 and "why" or nil, seconds = 1, crashes = 0 })
    end
  end)
  w:close()
end
make_store()

local D = data.open("shapes", { train = 16, test = 8, image = 16 })
local m = arch.anynet { d = { 1, 1 }, w = { 8, 16 }, image = 16 }
local A = space.small.RegNetX:sample(4, { seed = 1 })
local result = sweep.open(path):result "A"

-- An object of each kind, made anew for each input, as calls may close it.
local makers = {
  dataset = function() return data.open("shapes", { train = 16, test = 8, image = 16 }) end,
  net = function() return net.new(m, { batch = 4 }) end,
  edf = function() return stats.edf { 40, 50, 60, 100 } end,
  S = function() return space.small.AnyNetXA end,
  store = function() return assert(store.open(path)) end,
  plot = function() return plot.edf { result } end,
  prediction = function() return result end,
  rows = function() return stats.alternatives(result, { result }) end,
  m = function() return m end, A = function() return A end, result = function() return result end,
  D = function() return D end, zoo = function() return zoo["R-56"] end,
  recipe = function() return recipe { epochs = 1, batch = 8 } end,
  constraint = function() return constraint { name = "c", check = function() return true end } end,
  errors = function() return { 40, 50, 60.5, 100 } end,
  f = function() return function(x) return x end end,
}
local kinds = {}
for name in pairs(makers) do kinds[#kinds + 1] = name end
table.sort(kinds)

-- What is called: functions by their documentation.  Left out are those that wait for keys, and
-- those that measure for seconds.
local left_out = { tour = true, monitor = true, ["net.benchmark"] = true, ["net.profile"] = true,
  ["arch.times"] = true, ["arch.time"] = true, ["sweep.window"] = true, ["profile:kinds"] = true }
local calls = {}
for name in pairs(doc.topics) do
  local kind = name:match "^([%w_]+):"
  if not left_out[name] and not name:find "^:" and (not kind or makers[kind]) then
    calls[#calls + 1] = name
  end
end
table.sort(calls)

local numbers = { 0, 1, 2, -1, 3, 0.5, 1.5, 100, 16, 32, 1e-300, -0.0, 0 / 0, math.huge, -math.huge,
  1e300, math.mininteger, 7, 10, 255 }
local texts = { "A", "w[4]", "d", "flops", "x.csv", "x.jsonl", "shapes", "runs.db", "edf.svg", "",
  "error", "up", "\27[2J", "\255", "%s%n", "../x", "relu", "train", "RegNetX" }

local value

local function option_table(d, name)
  local t, known = {}, {}
  for key in pairs(options.declared[name] or {}) do known[#known + 1] = key end
  table.sort(known)
  for _ = 1, d:below(4) do
    local key = #known > 0 and d:below(16) > 0 and d:one_of(known) or d:text()
    t[key] = value(d, name, 1)
  end
  return t
end

function value(d, name, depth)
  local kind = d:below(depth and 8 or 10)
  if kind < 2 then return d:one_of(numbers) end
  if kind == 2 then return d:one_of(texts) end
  if kind == 3 then return d:below(2) == 0 end
  if kind == 4 then return d:text() end
  if kind == 5 then return makers[d:one_of(kinds)]() end
  if kind == 6 then
    local list = {}
    for i = 1, d:below(5) do list[i] = d:below(4) == 0 and d:one_of(texts) or d:one_of(numbers) end
    return list
  end
  if kind == 7 then return nil end
  return option_table(d, name)
end

-- The function of a name, with the object before its arguments.
local function resolve(name)
  local kind, method = name:match "^([%w_]+):([%w_]+)$"
  if kind then
    local object = makers[kind]()
    return object[method], object
  end
  local f = netspace
  for word in name:gmatch "[%w_]+" do f = f and f[word] end
  return f
end

local function run(bytes)
  local d = draws.of(bytes)
  for _ = 1, 4 do
    if not d:left() then break end
    local name = calls[1 + (d:below(256) * 256 + d:below(256)) % #calls]
    local f, object = resolve(name)
    local arguments, n = {}, d:below(5)
    for i = 1, n do arguments[i] = value(d, name) end
    if object ~= nil then
      table.insert(arguments, 1, object)
      n = n + 1
    end
    local meta = debug.getmetatable(f)
    if type(f) == "function" or type(meta) == "table" and rawget(meta, "__call") then
      local results = table.pack(pcall(function() -- a line of a user
        local got = table.pack(f(table.unpack(arguments, 1, n)))
        return table.unpack(got, 1, got.n)
      end))
      local said = not results[1] and results[2] or results[2] == nil and results[3]
      if type(said) == "table" then said = tostring(said) end
      if said and type(said) ~= "number" and not oracle.clear(said, bytes)
        and not said:find "bad argument #%d+ to" then
        error(("%s: no clear message: %s"):format(name, said), 0)
      end
    end
  end
end

return function(bytes)
  local good, wrong = quietly(function() run(bytes) end)
  if not good then error(wrong, 0) end
end
