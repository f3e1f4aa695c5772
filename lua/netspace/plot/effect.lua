--- What a predictor has learnt of one parameter: predicted error against it, the others as they
-- come in the space, with the trained networks behind it.

local document = require("netspace.lib.doc").group "plot"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local picture = require "netspace.plot.picture"
local predict = require "netspace.stats.predict"
local property = require "netspace.stats.property"
local sensitivity = require "netspace.stats.sensitivity"

local M = {}

options.declare("plot.effect", { title = "string", features = "table", seed = "integer",
  log = "boolean" })

local function panel_of(where, result, learnt, what, o)
  local rows, name = sensitivity.effect(where, learnt, what, 1)
  local band, line = { kind = "area", id = 6, opacity = 0.3, x = {}, lo = {}, hi = {} },
    { kind = "line", id = 2, x = {}, y = {} }
  for i, row in ipairs(rows) do
    band.x[i], line.x[i], line.y[i] = row.at, row.at, row.mean
    band.lo[i], band.hi[i] = row.mean - 2 * row.spread, row.mean + 2 * row.spread
  end
  local shown, x = { kind = "points", id = 1, x = {}, y = {} },
    property.values(where, result, what, true)
  for i, e in ipairs(result.errors) do
    if e < 100 then shown.x[#shown.x + 1], shown.y[#shown.y + 1] = x[i], e end
  end
  local panel = { x = picture.axis({ label = name, log = o.log and 2 or nil }, { x, line.x }),
    y = picture.error_axis("error (%)", { result.errors, band.lo, band.hi }),
    series = { band, shown, line } }
  local first, last = rows[1], rows[#rows]
  return panel, ("%s: predicted error %.2f %% at %.4g, %.2f %% at %.4g"):format(name, first.mean,
    first.at, last.mean, last.at)
end

function M.effect(result, properties, o)
  local where = "plot.effect"
  o = options.check(where, o)
  input.result(where, "the first argument", result)
  if type(properties) ~= "table" then properties = { properties } end
  if #properties == 0 then error(where .. " expects a property or a list of properties", 2) end
  local learnt, why = predict.learnt(where, result, o)
  if not learnt then error(("%s: %s"):format(where, why), 2) end
  local panels, about = {}, {}
  for i, what in ipairs(properties) do
    panels[i], about[i] = picture.call(where, panel_of, where, result, learnt, what, o)
  end
  return picture.new { title = o.title, name = "Predicted error against properties",
    about = table.concat(about, "; "), panels = panels, columns = math.min(3, #panels) }
end

document("plot.effect", [[
  plot.effect(result, properties, { title =, features =, log =, seed = 1 }) -> plot
  Predicted error against a property of the networks, the others as they come in the space: what
  the trained networks of a population teach of all of its space.
    result       as for stats.predict; at least 20 networks
    properties   one as in stats.bootstrap ("w[4]", "d", a function of a model), or a list
    features     as for stats.predict
    log = true   a logarithmic axis of the property
  The line is the mean of the predictions in bins of the property, the band two standard
  errors (how much halves of the trained networks disagree); points are the trained networks.
  example: P = space.small.AnyNetXA:sample(20) E = {} for i = 1, 20 do E[i] = 30 + P[i].d[1] end
      plot.effect({ errors = E, models = P }, "d[1]"):show()
  source: Friedman 2001 speaks of partial dependence; this one is conditional (Apley and Zhu 2020,
    M plots): no network is looked at that the space does not have]])

return M
