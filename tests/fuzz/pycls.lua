-- Any bytes as a configuration of pycls in YAML, a job or a sweep (make fuzz T=pycls).  A job that
-- is read is the same after being written and read again; the script made of a sweep is Lua that
-- names nothing but spaces, recipes, data and sweeps, whatever the file says.
local chunk = [[^[%w_]+$]]
local oracle = dofile "tests/fuzz/oracle.lua"
local pycls = require "netspace.exchange.pycls"

-- What a script may name.
local allowed = {}
for _, name in ipairs { "space", "sweep", "data", "recipe", "arg", "arch", "constraint", "stats",
  "math", "ipairs", "print", "assert", "tonumber" } do
  allowed[name] = true
end

-- Whatever is asked of it is there, and can be called.
local thing = setmetatable({}, { __index = function(t) return t end, __call = function(t) return t end,
  __len = function() return 0 end, __concat = function() return "" end,
  __add = function(a) return a end, __mul = function(a) return a end,
  __div = function(a) return a end, __sub = function(a) return a end,
  __lt = function() return false end, __le = function() return false end })

local function run(text)
  local env = setmetatable({}, { __index = function(_, name)
    assert(name:find(chunk) and allowed[name], "the script names " .. name)
    return thing
  end })
  local f, why = load(text, "=script", "t", env)
  assert(f, why)
  f()
end

local function same(a, b, where)
  if type(a) == "table" and type(b) == "table" then
    for key, value in pairs(a) do same(value, b[key], where .. "." .. tostring(key)) end
    return
  end
  assert(a == b or a ~= a and b ~= b, ("%s: %s, then %s"):format(where, a, b))
end

return function(bytes)
  local path = oracle.file("x.yaml", bytes)
  local job = oracle.answer("read", bytes, pycls.read, path)
  if job then
    assert(tostring(job))
    local other = path .. ".out.yaml"
    os.remove(other)
    local rest = oracle.answer("write", bytes, pycls.write, other, job.network, job.recipe,
      { seed = job.seed, dataset = job.data.name })
    if rest and #rest == 0 then
      local again = assert(pycls.read(other))
      same(job.network, again.network, "network")
      same(job.recipe, again.recipe, "recipe")
    end
    return
  end
  local text = oracle.answer("sweep", bytes, pycls.sweep, path)
  if text then run(text) end
end
