--- Properties of models by name: what stats.bootstrap, stats.trend and the others look at.
-- A column of an import takes precedence over the network, because the numbers that came with
-- the errors belong to them.

local options = require "netspace.lib.options"
local slip = require "netspace.lib.slip"
local times = require "netspace.network.times"

local M = {}

--- A value shared by all stages: as it was asked for, else when the final ones are equal.
local function shared(m, key)
  local asked = m.asked and m.asked[key]
  if type(asked) == "number" then return asked end
  local list = type(asked) == "table" and asked or m[key]
  if type(list) ~= "table" then return list end
  for i = 2, #list do
    if list[i] ~= list[1] then
      return nil, ("%s differs between its stages; name one, such as %s[1]"):format(key, key)
    end
  end
  return list[1]
end

local function complexity(m, key)
  if type(m.d) ~= "table" or type(m.w) ~= "table" or not m.image then
    return nil, ("its %s are not known: there is neither a column of them nor a complete network")
      :format(key)
  end
  return require("netspace.network.arch").complexity(m)[key]
end

-- Seconds of an image on this machine, in training (time) and in testing (test_time).
local function time(m, key)
  if type(m.d) ~= "table" or type(m.w) ~= "table" or not m.image then
    return nil, "its time is not known: there is neither a column of it nor a complete network"
  end
  return times.seconds(m, { training = key == "time" })
end

local function depth(m)
  if type(m.d) ~= "table" then return m.d, "it has no d" end
  local sum = 0
  for _, d in ipairs(m.d) do sum = sum + d end
  return sum
end

local function mean_width(m)
  if type(m.w) ~= "table" or type(m.d) ~= "table" then return m.w, "it has no d and w" end
  local sum, blocks = 0, 0
  for i, d in ipairs(m.d) do sum, blocks = sum + d * m.w[i], blocks + d end
  return sum / blocks
end

local function regnet(m, key)
  if not m.regnet then return nil, ("it is not a RegNet, so it has no %s"):format(key) end
  return m.regnet[key]
end

local function e_fit(m)
  if type(m.d) ~= "table" or type(m.w) ~= "table" then return nil, "it has no d and w" end
  return require("netspace.network.arch").fit(m).e_fit
end

--- What is known by name: f(m, key) -> value, or nil and why not.
local known = {
  d = depth, depth = depth, w = mean_width, b = shared, g = shared, flops = complexity,
  params = complexity, acts = complexity, w_0 = regnet, w_a = regnet, w_m = regnet,
  e_fit = e_fit, time = time, test_time = time,
}

local function scalar(value)
  local kind = type(value)
  return kind == "number" or kind == "string" or kind == "boolean"
end

-- f(i, m) -> value or nil, reason; and whether percentiles between values make no sense.
local function reader(where, result, what)
  if type(what) == "function" then
    return function(_, m)
      local good, value = pcall(what, m)
      if good and value ~= nil then return value end
      local slipped = value ~= "interrupted" and slip.told(what, m)
      if good then return nil, slipped and "the property is nil; " .. slipped end
      local of_nil = slipped and tostring(value):find "%f[%w]nil%f[%W]"
      error(of_nil and ("%s; %s"):format(value, slipped) or value, 0)
    end
  end
  if type(what) ~= "string" then
    error(("%s: the property is a %s, not a name or a function of a model"):format(where,
      type(what)), 0)
  end
  local column = result.columns and result.columns[what]
  if column then
    return function(i) return column[i], ("it has no value of %s"):format(what) end
  end
  local categorical = what == "b" or what == "g" or what:find("^[bg]%[?%d") ~= nil
  local key, stage = what:match("^(%l[%w_]*)%[(%d+)%]$")
  if not key then key, stage = what:match("^([dwbg])(%d+)$") end -- as a CSV has it
  if key then
    return function(_, m)
      local list = m[key]
      if type(list) ~= "table" then return nil, ("it has no %s by stages"):format(key) end
      return list[tonumber(stage)], ("it has %d stages, no %s"):format(#list, what)
    end, categorical
  end
  if known[what] then return function(_, m) return known[what](m, what) end, categorical end
  for _, m in ipairs(result.models) do
    if scalar(m[what]) then
      return function(_, x) return x[what], ("it has no %s"):format(what) end
    end
  end
  local names = {}
  for name in pairs(known) do names[name] = true end
  for name in pairs(result.columns or {}) do names[name] = true end
  error(("%s: unknown property '%s'%s; it knows d, w, b, g (or of one stage, such as w[4]), depth, "
    .. "w_0, w_a, w_m, e_fit, flops, params, acts, time, test_time, columns of an "
    .. "import, or a function of a model"):format(where, what, options.hint(what, names)), 0)
end

--- A result without those failed models that have no value of the column `what`, such as
-- images_per_s of a network that could not be trained: they say nothing of it.  Other models
-- without a value stay, and values() refuses them.
-- @treturn table result; integer how many models are left out
function M.measured(result, what)
  local column = result.columns and result.columns[what]
  if type(what) ~= "string" or not column then return result, 0 end
  local kept = { name = result.name, errors = {}, models = {}, columns = { [what] = {} } }
  for i, e in ipairs(result.errors) do
    if column[i] ~= nil or e < 100 then
      local at = #kept.errors + 1
      kept.errors[at], kept.models[at], kept.columns[what][at] = e, result.models[i], column[i]
    end
  end
  local left = #result.errors - #kept.errors
  if left == 0 or #kept.errors == 0 then return result, 0 end
  return kept, left
end

--- The values of a property, one for each model of a result.  `numbers` refuses others.
-- @treturn table list; string what to call it; boolean whether it is categorical
function M.values(where, result, what, numbers, level)
  level = (level or 1) + 2
  local good, read, categorical = pcall(reader, where, result, what)
  if not good then error(read, level) end
  local list = {}
  for i, m in ipairs(result.models) do
    local value, reason = read(i, m)
    local number = type(value) == "number" and value == value
    if not (number or not numbers and scalar(value) and value == value) then
      if value ~= nil then reason = nil end
      error(("%s: model %d: %s"):format(where, i, reason or ("the property is %s, not a %s")
        :format(tostring(value), numbers and "number" or "number, text or truth value")), level)
    end
    list[i] = value
  end
  return list, type(what) == "string" and what or "property", categorical or false
end

return M
