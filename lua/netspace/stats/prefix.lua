--- Prefixes of the drawn order: models 1 to n, all of which have ended.  They are the only part
-- of an unfinished population that statistics may look at while it trains: small networks end
-- first, so that those that have ended so far are no random sample of their space.

local blame = require "netspace.lib.blame"
local core = require "netspace.core.edf"
local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"

local M = {}

-- The places of a result's models in the order of their drawing: list of positions in .errors,
-- up to the first that has not ended.
local function places(where, name, x)
  local at, order = {}, {}
  if type(x) ~= "table" or not x.indices then
    local open = type(x) == "table" and math.type(x.n) == "integer" and x.errors
      and x.n - #x.errors or 0
    if open > 0 then
      error(("%s: %d models of %s are unfinished, and nothing says which (indices); give the "
        .. "result of a store"):format(where, open, name), 0)
    end
    for i = 1, #(x.errors or x) do order[i] = i end
    return order
  end
  for i, index in ipairs(x.indices) do at[index] = i end
  while at[#order + 1] do order[#order + 1] = at[#order + 1] end
  return order
end

--- The prefix of a list of errors or a result.
-- @treturn table name, errors (in the drawn order), n, ignored (ended models beyond), planned
function M._of(where, what, x)
  if core.is_edf(x) then
    error(("%s: %s is an edf, which has no order; give the result, or errors in the order in "
      .. "which the models were drawn"):format(where, what), 0)
  end
  local result = type(x) == "table" and x.errors ~= nil
  local p = { name = result and (x.name or x.space) or what, errors = {}, ignored = 0, n = 0 }
  local list = result and x.errors or x
  if type(list) == "table" and #list == 0 and result then -- nothing has ended yet
    p.planned = math.type(x.n) == "integer" and x.n or 0
    return p
  end
  input.edf(where, what, x) -- refuses what are no errors
  local order = places(where, p.name, x)
  for k, i in ipairs(order) do p.errors[k] = list[i] end
  p.n, p.order = #order, order
  p.ignored = #list - p.n
  p.planned = result and math.type(x.n) == "integer" and x.n or #list
  return p
end

--- The prefixes of two populations, as pairs in the drawn order.
-- @tparam[opt] string what  names y where it has no name
-- @treturn table a, b, n (pairs), names, ignored = { a =, b = }, planned
function M._pair(where, x, y, what)
  local a, b = M._of(where, "a", x), M._of(where, what or "b", y)
  local names = { a.name, b.name }
  if names[1] == names[2] then names = { names[1] .. " (a)", names[2] .. " (b)" } end
  return { a = a.errors, b = b.errors, n = math.min(a.n, b.n), names = names, have = { a.n, b.n },
    planned = math.min(a.planned, b.planned),
    ended = { a.n + a.ignored, b.n + b.ignored } }
end

--- " 3 more of A and 1 of B are not looked at: …", or "".
function M._ignored(p, n)
  local parts, order = {}, false
  if n == 0 then return "" end
  for side = 1, 2 do
    local more = p.ended[side] - n
    if more > 0 then parts[#parts + 1] = ("%d of %s"):format(more, p.names[side]) end
    order = order or p.ended[side] > p.have[side]
  end
  if #parts == 0 then return "" end
  return (" Not looked at: %s, which ended beyond it%s."):format(table.concat(parts, " and "),
    order and " (small networks end first; only models 1 to n are a fair sample)" or "")
end

--- The result x up to model n of its prefix p (of M._of), or all of that.
function M._cut(x, p, n)
  n = math.min(n or p.n, p.n)
  local function cut(list)
    local part = {}
    for k = 1, n do part[k] = list[p.order[k]] end
    return part
  end
  local t = {}
  for key, value in pairs(x) do
    if key:sub(1, 1) ~= "_" then t[key] = value end
  end
  t._origin = rawget(x, "_origin")
  t.name, t.errors, t.n, t.ignored = p.name, cut(x.errors), n, #x.errors - n
  t.failed = nil -- counted anew: errors of 100
  for _, key in ipairs { "models", "indices", "curves" } do
    if type(x[key]) == "table" then t[key] = cut(x[key]) end
  end
  for key, value in pairs(t.models and x.models or {}) do -- where a population was drawn from
    if type(key) == "string" then t.models[key] = value end
  end
  if x.columns then
    t.columns = {}
    for name, column in pairs(x.columns) do t.columns[name] = cut(column) end
  end
  return t
end

local function prefix_of(x)
  local where = "stats.prefix"
  if type(x) ~= "table" or type(x.errors) ~= "table" then
    error(("%s: it wants a result, not a %s"):format(where, core.is_edf(x) and "edf" or type(x)), 0)
  end
  return M._cut(x, M._of(where, "the argument", x))
end

function M.prefix(x) return (blame.call(1, blame.plainly, prefix_of, x)) end

document("stats.prefix", [[
stats.prefix(result) -> result
The models 1 to n of a population, in the order they were drawn, all of which have ended.
Small networks end first, so that all models that have ended so far are a biased sample of their
space; the first n of the drawn order are none.  But at a moment of your choice, n depends on how
long its models train: right are statistics that hold at every n (stats.anytime, edf:band "anytime")
or that look at planned n (stats.sequential).  Those two take the prefix by themselves.
.n, how many; .ignored, how many more have ended.
example: stats.prefix({ errors = { 40, 50, 60 }, indices = { 1, 2, 4 }, n = 4 }).errors
example: stats.edf(stats.prefix({ errors = { 40, 50 }, n = 2 })):band(0.95, "anytime").hi(45)]])

return M
