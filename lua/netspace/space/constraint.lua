--- Constraints: one design principle each, as a predicate over a network.
-- `check(m, asked)` defines the principle; `asked` has the lists d, w, b, g as they were
-- before group compatibility, which is what the principles of arXiv 2003.13678 speak of.  The
-- optional hint (tie, order, fix, range) says the same in a form that can be drawn directly;
-- whatever is drawn is still put to the check.
--
--   narrow = constraint{ name = "narrow", doc = "no stage wider than 256",
--     check = function(m) return math.max(table.unpack(m.w)) <= 256 end }
--   space.AnyNetXA:with(narrow)

local arch = require "netspace.network.arch"
local chunk = require "netspace.lib.chunk"
local directories = require "netspace.lib.directory"
local document = require("netspace.lib.doc").group "constraint"
local options = require "netspace.lib.options"

local M = {}

options.declare("constraint", {
  name = "string", doc = "string", why = "string", from = "string", check = "function",
  kind = "string",
  tie = "string|table", order = "table", fix = "table", range = "table",
  hint_kind = "string",
})

local meta = { __name = "constraint" }
function meta.__tostring(c)
  return ("constraint %s%s"):format(c.name, c.doc and ": " .. c.doc or "")
end

--- The text of the check, so that a stored population says what it obeyed.
local function text_of(check)
  local info = debug.getinfo(check, "S")
  local text = chunk.text_of(info.source)
  if not text then return info.source end
  local lines, n = {}, 0
  for line in (text .. "\n"):gmatch("(.-)\n") do
    n = n + 1
    if n >= info.linedefined and n <= info.lastlinedefined then lines[#lines + 1] = line end
  end
  return table.concat(lines, "\n")
end

local function check_kind(name, key, kind)
  if kind and kind ~= "anynet" and kind ~= "regnet" then
    error(("constraint %s: %s is '%s'; it must be \"anynet\" or \"regnet\""):format(
      name, key, kind), 3)
  end
end

local parameters = { d = 1, w = 1, b = 1, g = 1, w_0 = 1, w_a = 1, w_m = 1 }

local function number(x) return type(x) == "number" and x == x end

-- What is wrong with the hints of a constraint, or nil.
local function wrong_hint(c)
  if type(c.tie) == "string" then c.tie = { c.tie } end
  local named = { tie = {} }
  for _, name in ipairs(c.tie or {}) do named.tie[name] = true end
  for _, key in ipairs { "tie", "order", "fix", "range" } do
    for name in pairs(named[key] or c[key] or {}) do
      if not parameters[name] then
        return ("%s names '%s'; the parameters are d, w, b, g, w_0, w_a, w_m"):format(key,
          tostring(name))
      end
    end
  end
  for parameter, order in pairs(c.order or {}) do
    if order ~= "up" and order ~= "down" and order ~= "equal" then
      return ("order of %s is '%s'; it must be \"up\", \"down\" or \"equal\""):format(parameter,
        tostring(order))
    end
  end
  for parameter, value in pairs(c.fix or {}) do
    if not number(value) then
      return ("fix of %s should be a number, got %s"):format(parameter,
        type(value) == "number" and "NaN" or type(value))
    end
  end
  for parameter, r in pairs(c.range or {}) do
    if type(r) ~= "table" or not number(r[1]) or not number(r[2]) then
      return ("range of %s should be {low, high}, such as {2, math.huge}"):format(parameter)
    end
  end
end

local function new(t)
  t = options.check("constraint", t)
  if not t.name then error("constraint: 'name' is missing", 2) end
  if not t.check then
    error(("constraint %s: 'check' is missing; it is the function that says which networks "
      .. "obey"):format(t.name), 2)
  end
  local c = setmetatable({}, meta)
  for k, v in pairs(t) do c[k] = v end
  check_kind(c.name, "kind", c.kind)
  check_kind(c.name, "hint_kind", c.hint_kind)
  local wrong = wrong_hint(c)
  if wrong then error(("constraint %s: %s"):format(c.name, wrong), 2) end
  c.source = text_of(c.check)
  return c
end

-- The principles that come with netspace.
local shipped = assert(package.searchpath("constraints.shared_b", package.path))
  :match("^(.*)/[^/]*$")

-- Where named constraints are looked for: the user's own first.
local folders = { "constraints", shipped }

function M.names()
  local names, seen = {}, {}
  for _, folder in ipairs(folders) do
    for file in directories.each(folder) do
      local name = file:match("^([%w_]+)%.lua$")
      if name and not seen[name] then
        seen[name] = true
        names[#names + 1] = name
      end
    end
  end
  table.sort(names)
  return names
end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local function find(name)
  if name:find("/", 1, true) or name:find("%.lua$") then return name end
  for _, folder in ipairs(folders) do
    local path = ("%s/%s.lua"):format(folder, name)
    if exists(path) then return path end
  end
  local names, variable = M.names(), rawget(_G, name)
  if M._is(variable) or type(variable) == "function" then
    error(("there is no constraint script called '%s'; the variable %s is one, without quotes: "
      .. "S:with(%s)"):format(name, name, name), 0)
  end
  error(("there is no constraint '%s'%s; there are %s; a script of your own is found as "
    .. "./constraints/NAME.lua or by its path"):format(name, options.hint(name, names),
    table.concat(names, ", ")), 0)
end

-- Runs a script that returns a constraint; exceptions carry no position.  A script of the user
-- with the name of a shipped one gets its path as its name.
local function load_script(name, path)
  local env = setmetatable({ constraint = M, arch = arch }, { __index = _G })
  local f, message = loadfile(path, "t", env)
  if not f then error("constraint " .. name .. ": " .. message, 0) end
  local c = f()
  if getmetatable(c) ~= meta then
    error(("constraint %s: %s should end with `return constraint{ … }`"):format(name, path), 0)
  end
  local file = assert(io.open(path))
  c.source = file:read("a")
  file:close()
  if path:match("^(.*)/[^/]*$") ~= shipped and exists(("%s/%s.lua"):format(shipped, c.name)) then
    c.name = (path:find("^%.?/") and path or "./" .. path):gsub("%.lua$", "")
  end
  return c
end

--- A principle that comes with netspace, whatever the current directory has.
function M._shipped(name)
  return load_script(name, ("%s/%s.lua"):format(shipped, name))
end

--- Turns a name, path, function or constraint into a constraint.
function M._of(x)
  if M._is(x) then return x end
  if type(x) == "string" then
    return load_script(x, find(x))
  end
  if type(x) == "function" then
    local info = debug.getinfo(x, "S")
    return new { name = ("check at %s:%d"):format(info.short_src, info.linedefined), check = x,
      doc = text_of(x):match("^[^\n]*(function.*end)[^\n]*$") }
  end
  error(("a constraint is a name, a function or constraint{ … }, got %s"):format(type(x)), 0)
end

function M._is(x)
  return getmetatable(x) == meta
end

document("constraint", [[
constraint{ name =, check =, … } -> constraint
A design principle: which networks obey it, and how to draw only those.
  name, doc  its name, and what it demands in one line
  why, from  the reason in one line, and its source
  check      function(m, asked) -> bool, the definition; asked has d, w, b, g as drawn
  tie        parameter(s) that are equal: in all stages (AnyNet), or to each other (RegNet)
  order      { w = "up" }: never falls from stage to stage; also "down", "equal"
  fix        { b = 1 }
  range      { w_m = {2, math.huge} }: low and high
  kind       "anynet" or "regnet" when it applies to such spaces only
  hint_kind  the same for tie, order, fix, range: in other spaces only the check is used
A script ./constraints/NAME.lua that returns one makes it available by name.  Where netspace
comes with one of that name, yours is used and shown with its path (./constraints/NAME); the
spaces that come with netspace never use it.
example: constraint{ name = "narrow", check = function(m) return m.w[4] <= 256 end }
source: arXiv 2003.13678 section 3]])

document("constraint.names", [[
constraint.names() -> list
Constraints by name: those that come with netspace and the scripts in ./constraints/.
example: constraint.names()[1]
source: arXiv 2003.13678 section 3]])

return setmetatable(M, { __call = function(_, t) return new(t) end, __name = "constraints" })
