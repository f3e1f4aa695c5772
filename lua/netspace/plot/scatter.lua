--- Error against a property of the networks, with the band that holds the best model by the
-- empirical bootstrap and the line at its median (Radosavovic et al. 2020, section 3.2 and
-- figures 2, 5, 8 and 11).

local document = require("netspace.lib.doc").group "plot"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local picture = require "netspace.plot.picture"
local property = require "netspace.stats.property"
local bootstrap = require("netspace.stats.bootstrap").bootstrap

local M = {}

local MOST = 12 -- categories with a tick each

-- The distinct values in order, when they are few or no numbers, and the index of each.
local function categories(x, categorical)
  local list, index_of = {}, {}
  for _, value in ipairs(x) do
    if type(value) ~= "number" then categorical = true end
    if not index_of[value] then
      index_of[value] = true
      list[#list + 1] = value
    end
  end
  if not categorical or #list > MOST and type(list[1]) == "number" then return nil end
  table.sort(list, function(a, b)
    if type(a) == "number" and type(b) == "number" then return a < b end
    return tostring(a) < tostring(b)
  end)
  for i, value in ipairs(list) do index_of[value] = i end
  return list, index_of
end

-- Categories as coordinates 1, 2, … with the points of each spread out, always the same way.
local function spread(x, index_of)
  local out = {}
  for i, value in ipairs(x) do
    out[i] = index_of[value] + 0.5 * (i * 0.6180339887 % 1 - 0.5) -- the golden ratio
  end
  return out
end

local function tick(value)
  return math.type(value) == "float" and ("%.4g"):format(value) or tostring(value)
end

-- Puts the failures, which lie outside, to the upper end of the axis as crosses.
local function add_points(series, x, errors, top)
  local good, bad = { x = {}, y = {} }, { x = {}, y = {} }
  for i, e in ipairs(errors) do
    local t = e < 100 and good or bad
    t.x[#t.x + 1], t.y[#t.y + 1] = x[i], e < 100 and e or top
  end
  series[#series + 1] = { kind = "points", id = 1, x = good.x, y = good.y }
  if #bad.x > 0 then
    series[#series + 1] = { kind = "points", id = 8, symbol = 2, x = bad.x, y = bad.y }
  end
  return #bad.x
end

local function best_of(errors)
  local best = 1
  for i, e in ipairs(errors) do
    if e < errors[best] then best = i end
  end
  return best
end

-- One panel, and what it shows in words.
local function panel_of(result, what, o)
  local label
  if type(what) == "table" then label, what = what[1], what[2] end
  local band = bootstrap(result, what, { exact = true, level = o.level, share = o.share })
  result = property.measured(result, what)
  local x, name, categorical = property.values("plot.scatter", result, what)
  name = label or name
  local list, index_of = categories(x, categorical)
  local at = list and spread(x, index_of) or x
  local lo, median, hi = band.lo, band.median, band.hi
  if list and median then
    lo, median, hi = index_of[lo] - 0.45, index_of[median], index_of[hi] + 0.45
  end
  local metric, unit = input.metric(result.metric)
  local text = metric .. (unit ~= "" and " (%)" or "")
  local y = picture.error_axis(text, { result.errors })
  local series = {}
  if median then
    series[1] = { kind = "area", id = 6, opacity = 0.3, x = { lo, hi },
      lo = { y.from, y.from }, hi = { y.to, y.to } }
  end
  local failed = add_points(series, at, result.errors, y.to)
  if median then
    series[#series + 1] = { kind = "line", id = 8, dash = "1", width = 1.2,
      x = { median, median }, y = { y.from, y.to } }
  end
  local best = best_of(result.errors)
  series[#series + 1] = { kind = "points", id = 2, symbol = 7, size = 0.6, x = { at[best] },
    y = { result.errors[best] } }
  if failed > 0 then y.label = text .. ", × failed" end
  local axis = { label = name, log = o.log and 2 or nil }
  if list then
    axis.ticks = {}
    for i, value in ipairs(list) do axis.ticks[i] = tick(value) end
    axis.from, axis.to = 0.4, #list + 0.6
  end
  return { x = picture.axis(axis, { at }), y = y, series = series },
    (tostring(band):gsub("\n", "; "))
end

options.declare("plot.scatter", { title = "string", columns = "integer", level = "number",
  share = "number", log = "boolean", metric = "string" })

function M.scatter(results, properties, o)
  local where = "plot.scatter"
  o = options.check(where, o)
  local level, share = input.level(where, o.level), input.share(where, o.share)
  results = input.all_by(where, input.results(where, results), o.metric)
  if type(properties) ~= "table" or type(properties[2]) == "function" then
    properties = { properties }
  end
  if #properties == 0 then error(where .. " expects a property or a list of properties", 2) end
  local panels, about = {}, {}
  for i, r in ipairs(results) do
    input.edf(where, ("entry %d"):format(i), r) -- for its checks
    if #r.errors == 0 then
      error(("%s: entry %d has no finished model"):format(where, i), 2)
    end
    for _, what in ipairs(properties) do
      local panel, text = picture.call(where, panel_of, r, what, { level = level,
        share = share, log = o.log })
      local name = tostring(r.name or r.space or "#" .. i)
      if #results > 1 then panel.title = name end
      panels[#panels + 1], about[#about + 1] = panel, ("%s: %s"):format(name, text)
    end
  end
  return picture.new { title = o.title, name = "Error against properties of the networks",
    about = table.concat(about, ". "), panels = panels,
    columns = o.columns or #results > 1 and #properties > 1 and #properties or 3 }
end

document("plot.scatter", [[
  plot.scatter(results, properties, { level = 0.95, share = 0.25, columns = 3 }) -> plot
  Error against a property of the networks: one panel for each population and property.
    results      a result, or a list of them side by side
    properties   a property as in stats.bootstrap ("d", "w[4]", "g", a column, a function of a
                 model), a list of them, or { "its label", function }
    level, share   of the band, as in stats.bootstrap
    title        a heading
    columns      panels in a row
    log = true   a logarithmic axis of the property
    metric       another one than the error, as in stats.edf
  The shaded band is that of the best model, by the exact empirical bootstrap, with a line at
  its median; the best model is filled; crosses at the upper edge are failed models.
  example: plot.scatter({ errors = { 40, 50 }, models = space.RegNetX:sample(2) }, "d"):show()
  source: arXiv 2003.13678, footnote 4, figures 2, 5 and 8]])

return M
