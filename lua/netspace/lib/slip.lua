--- Where a user's function of a network reads what no network has: "m.w[5]", "m.width".  The
-- function is run again on a stand-in that notes such reads; the last one is told.
--
--   slip.told(function(m) return m.w[5] > m.w[1] end, m)
--     --> "there is no m.w[5]: the network has 4 stages"

local options = require "netspace.lib.options"

local M = {}

-- What people call the parameters of a network in code.
local meant = { width = "w", widths = "w", depth = "d", depths = "d", bottleneck = "b",
  bottlenecks = "b", group = "g", groups = "g", group_width = "g", group_widths = "g" }
local of_regnet = { w_0 = true, w_a = true, w_m = true, w0 = "w_0", wa = "w_a", wm = "w_m" }
-- What a network may lack: nobody's slip.
local optional = { asked = true, regnet = true, name = true, kernel = true }
local costs = { flops = true, params = true, acts = true }

--- The parameter that people call `key`, or nil.
function M.meant(key) return meant[key] end

--- What to write for the field `key` of a network called `name`, or nil.
function M.instead(name, key)
  local parameter, stage = key:match "^([dwbg])_?(%d+)$"
  if key == "time" then
    return ("its time is arch.time(%s)"):format(name)
  elseif costs[key] then
    return ("its cost is arch.complexity(%s).%s"):format(name, key)
  elseif of_regnet[key] then
    local real = of_regnet[key] == true and key or of_regnet[key]
    return ("of a RegNet it is %s.regnet.%s"):format(name, real)
  elseif parameter then
    return ("a stage's is %s.%s[%s]"):format(name, parameter, stage)
  elseif meant[key] then
    return ("it is %s.%s, a list with one for each stage"):format(name, meant[key])
  elseif key == "stages" then
    return ("their number is #%s.d"):format(name)
  end
end

local function text_of(name, m, path, key)
  local what = type(key) == "string" and key:find "^[%a_][%w_]*$" and "." .. key
    or ("[%s]"):format(tostring(key))
  local text = ("there is no %s%s%s"):format(name, path, what)
  if path ~= "" then
    local list = m[path:sub(2)]
    return ("%s: the network has %d stages%s"):format(text, #list,
      type(key) == "number" and key < 1 and ", counted from 1" or "")
  end
  local instead = type(key) == "string" and M.instead(name, key)
  if instead then return text .. ", " .. instead end
  return text .. options.hint(key, m)
    .. ", a network has the lists d, w, b and g, one of each for a stage"
end

--- What is said of the field `key` that the network m, called `name`, lacks; nil where it may.
function M.field(name, m, key)
  if optional[key] or (options.declared["arch.anynet"] or {})[key] then return nil end
  return text_of(name, m, "", key)
end

-- A stand-in for a table of the network: reads go through, and what is not there is noted.
local function watched(t, note, path)
  return setmetatable({}, {
    __index = function(_, key)
      local value = t[key]
      if value == nil then note(path, key) end
      if type(value) == "table" and path == "" then
        return watched(value, note, "." .. tostring(key))
      end
      return value
    end,
    __len = function() return #t end,
    __pairs = function() return pairs(t) end,
  })
end

--- What the function f, given the network m and other tables of it, reads last of what is not
-- there; nil where it reads no such thing.
function M.told(f, m, ...)
  local of, path, key
  local known = options.declared["arch.anynet"] or {}
  local given = table.pack(m, ...)
  local watching = {}
  for i = 1, given.n do
    watching[i] = watched(given[i], function(p, k)
      if p ~= "" or not optional[k] and not known[k] then of, path, key = i, p, k end
    end, "")
  end
  pcall(f, table.unpack(watching, 1, given.n))
  if key == nil then return nil end
  return text_of(debug.getlocal(f, of) or "m", given[of], path, key)
end

return M
