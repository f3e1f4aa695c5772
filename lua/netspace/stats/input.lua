--- What all statistics share: populations of any kind become edfs, options are checked, figures
-- become aligned text.  Exceptions blame the caller of the public function.

local columns = require "netspace.lib.columns"
local core = require "netspace.core.edf"
local options = require "netspace.lib.options"
local paths = require "netspace.lib.path"
local sys = require "netspace.core.sys"
local members = require "netspace.lib.members"
local tabular = require "netspace.lib.tabular"
local units = require "netspace.lib.units"

local M = {}

-- Metrics --------------------------------------------------------------------------------

-- What populations can be compared by instead of the error: the column of a result that has
-- it, what it is called, its unit.
local metrics = {
  error = { name = "error", unit = " %" },
  class_error = { column = "class_error", name = "class error", unit = " %" },
  top5_error = { column = "top5_error", name = "top-5 error", unit = " %" },
  loss = { column = "validation_loss", name = "loss", unit = "" },
}
options.words.metric = { "error", "class_error", "top5_error", "loss" }
local LOST = 100 -- of a model that failed, in every metric

--- What a metric is called, and its unit (" %" or ""); of the error for nil.
function M.metric(metric)
  local t = metrics[metric or "error"]
  return t.name, t.unit
end

--- "mean %", as the heading of a column; "mean" of a metric without a unit.
function M.heading(text, metric)
  return text .. metrics[metric or "error"].unit
end

--- A format for errors in percent as one for this metric: without "points" and "%%", and with
-- another digit, where it has no unit.
function M.measured(format, metric)
  if metrics[metric or "error"].unit ~= "" then return format end
  return (format:gsub("(%%[+%d.a-z]+) points", "%1"):gsub("(%%%+?%.2f) %%%%", "%1")
    :gsub("(%%%+?)%.2f", "%1.3f"))
end

--- Refuses a metric that there is not.
function M.check_metric(where, metric, level)
  if metric == nil or metrics[metric] then return end
  error(("%s: metric is '%s'%s; it must be \"error\", \"class_error\", \"top5_error\" or "
    .. "\"loss\""):format(where, tostring(metric), options.hint(metric, metrics)),
    (level or 1) + 2)
end

-- The values of a metric in the place of a result's errors.
local function values_of(r, column)
  local errors, failed = {}, 0
  for i, e in ipairs(r.errors) do
    local value = column[i]
    if e >= LOST then value = LOST end
    if type(value) ~= "number" then return nil end
    errors[i] = math.min(value, LOST)
    failed = failed + (errors[i] == LOST and 1 or 0)
  end
  return errors, failed
end

--- A population by another metric than the error: a result whose .errors are that; x itself for
-- the error.  Models that failed have 100 of every metric.
function M.by(where, what, x, metric, level)
  level = (level or 1) + 2
  M.check_metric(where, metric, level - 1)
  local column = metric and metrics[metric].column
  if not column then return x end
  local is_result = type(x) == "table" and type(x.errors) == "table"
  local have = is_result and x.columns and x.columns[column]
  local errors, failed
  if have then errors, failed = values_of(x, have) end
  if not errors then
    error(("%s: %s has no %s: %s"):format(where, is_result and (x.name or x.space) or what, metric,
      not is_result and "only results have other metrics than the error"
      or metric == "top5_error" and "its classes are five or fewer, or it was trained before "
      .. "netspace kept it" or "it was trained before netspace kept it, or elsewhere"), level)
  end
  return setmetatable({ errors = errors, failed = failed, metric = metric },
    { __index = x, __name = "result" })
end

--- The same of a list of populations.
function M.all_by(where, list, metric, level)
  local t = {}
  for i, x in ipairs(list) do
    t[i] = M.by(where, ("entry %d"):format(i), x, metric, (level or 1) + 1)
  end
  return t
end

-- Populations ----------------------------------------------------------------------------

--- Whether x is the result of a population of which no model has finished.
function M.empty(x)
  return type(x) == "table" and type(x.errors) == "table" and #x.errors == 0
    and math.type(x.n) == "integer"
end

--- Why there are no errors yet, and how to wait, of a sweep at work or a result without finished
-- models; nil for other values.
function M.unfinished(what, x)
  if members.kind(x) == "sweep" then
    return ("%s is a sweep at work, not its result (%s); wait for it: its :wait() gives the "
      .. "result; store.open(\"%s\"):result(\"%s\") has what is finished so far"):format(what,
      tostring(x), paths.shown(x.store), x.name)
  end
  if M.empty(x) then
    return ("none of the %s of %s has finished (%s); wait for the sweep, or go on with it: "
      .. "netspace resume STORE"):format(units.count(x.n, "model"), x.name or what,
      x.counts and units.tally(x.counts) or "no error yet")
  end
end

--- Why x, a population or a list of networks, has no errors, and how to train it; nil for other
-- values.
function M.untrained(what, x)
  local first = type(x) == "table" and x[1]
  local kind = members.kind(x) == "population" and "population"
    or type(first) == "table" and first.d and first.w and "list of networks"
  return kind and ("%s is a %s, which is not trained yet; train it first: sweep.run{ models = %s, "
    .. "… }"):format(what, kind, what:match "^%a$" or "…") or nil
end

--- x as an edf; `what` names it in messages.
function M.edf(where, what, x)
  if core.is_edf(x) then return x end
  local wrong = M.unfinished(what, x) or M.untrained(what, x)
  if wrong then error(("%s: %s"):format(where, wrong), 3) end
  local errors, name, failed = x, nil, nil
  if type(x) == "table" and x.errors ~= nil then
    errors, name, failed = x.errors, x.name or x.space, x.failed
    what = name or what
  end
  if type(errors) ~= "table" then
    error(("%s: %s is a %s; it should be a list of errors in percent, an edf or a result")
      :format(where, what, type(errors)), 3)
  end
  local first = errors[1]
  if type(first) == "table" and first.errors then
    error(("%s: %s is a list of results; pick one of them, such as [1]"):format(where, what), 3)
  end
  local edf, message = core.new(errors, name, failed)
  if not edf then error(("%s: %s: %s"):format(where, what, message), 3) end
  return edf
end

--- Refuses what is not a result: errors with a model (or columns of an import) for each.
-- Exceptions blame `level` (1) above the caller's caller.
function M.result(where, what, x, level)
  level = (level or 1) + 2
  local wrong = M.unfinished(what, x) or M.untrained(what, x)
  if wrong then error(("%s: %s"):format(where, wrong), level) end
  local kind = type(x)
  if kind == "table" and type(x.models) == "table" and type(x.errors) == "table" then
    if #x.models ~= #x.errors then
      error(("%s: %d models but %d errors"):format(where, #x.models, #x.errors), level)
    end
    return x
  end
  if kind == "table" then kind = "table without models" end
  if core.is_edf(x) then kind = "edf" end
  error(("%s: %s is a %s; it should be a result, with errors and models"):format(where, what,
    kind), level)
end

--- Refuses a list with a nil in the middle, where ipairs would end silently.  Exceptions blame
-- `level` (1) above the caller's caller.
function M.whole(where, list, level)
  local last = 0
  for i in pairs(list) do last = math.type(i) == "integer" and math.max(last, i) or last end
  for i = 1, last do
    if list[i] == nil then error(("%s: entry %d is nil"):format(where, i), (level or 1) + 2) end
  end
  return list
end

--- A list of results, also of a single one.
function M.results(where, x)
  local list = type(x) == "table" and x.errors == nil and M.whole(where, x, 2) or { x }
  if #list == 0 then error(where .. " expects a result or a list of results", 3) end
  for i, r in ipairs(list) do
    if type(r) ~= "table" or type(r.models) ~= "table" or type(r.errors) ~= "table"
      or #r.models ~= #r.errors then
      error(("%s: entry %d should be a result, with as many errors as models"):format(where, i), 3)
    end
  end
  return list
end

function M.level(where, level)
  if level and not (level > 0 and level < 1) then
    error(("%s: level is %s; it must be between 0 and 1, such as 0.95"):format(where, level), 3)
  end
  return level or 0.95
end

function M.draws(where, draws, default)
  if draws and not (draws >= 1 and draws <= 10000000) then
    error(("%s: draws is %s; it must be from 1 to 10000000"):format(where, draws), 3)
  end
  return draws and math.tointeger(draws) or default or 10000
end

function M.share(where, share)
  if share and not (share > 0 and share <= 1) then
    error(("%s: share is %s; it must be above 0 and at most 1"):format(where, share), 3)
  end
  return share or 0.25
end

function M.percent(x) return ("%.2f"):format(x) end

--- A figure of a metric in a table.
function M.figure(x, metric) return M.measured("%.2f", metric):format(x) end

function M.p_text(p)
  return p < 0.001 and "p < 0.001" or ("p = %.3f"):format(p)
end

--- An estimate, not a count: two significant digits, upwards.
function M.about(n)
  if n > 100000 then return "more than 100,000" end
  local unit = math.max(1, 10 ^ (#tostring(n) - 2))
  return ("about %d"):format(math.tointeger(math.ceil(n / unit) * unit))
end

--- "about 12 more models".
function M.more(n)
  return ("%s more %s"):format(M.about(n), n == 1 and "model" or "models")
end

-- Without the column that is headed `name`.
local function leave_out(rows, name)
  for k, heading in ipairs(rows[1]) do
    if heading == name then
      for _, row in ipairs(rows) do table.remove(row, k) end
    end
  end
end

--- Lines of aligned columns; the first is left-aligned.  Where a terminal is too narrow,
-- columns of the list `spare` are left out, the first first; rows[1] has the headings.
function M.aligned(rows, spare)
  local limit, all = spare and spare[1] and sys.terminal(1), -2
  for _, w in ipairs(columns.widths(rows)) do all = all + w + 2 end
  if limit and all > limit then
    leave_out(rows, spare[1])
    return M.aligned(rows, { table.unpack(spare, 2) })
  end
  return table.concat(columns.lines(rows), "\n")
end

--- The metatable of values that are tables: they print in aligned columns and have a method
-- `table`, which gives the same for other programs.
-- @tparam function cells  of a value, the rows; rows[1] has the headings
-- @tparam[opt] function below  what stands below the printed table
-- @tparam[opt] table spare  as for aligned
function M.tabular(name, cells, below, spare)
  return { __name = name, __index = { table = tabular.method(cells) }, __tostring = function(t)
    return M.aligned(cells(t), spare) .. (below and "\n" .. below(t) or "")
  end }
end

return M
