--- Error EDFs: step curves, their confidence bands, and, dotted, what models in training
-- would add.  F(e) = share of models with error below e (Radosavovic et al. 2020, equation 1).

local canvas = require "netspace.core.canvas"
local edfs = require "netspace.core.edf"
local document = require("netspace.lib.doc").group "plot"
local input = require "netspace.stats.input"
local members = require "netspace.lib.members"
local options = require "netspace.lib.options"
local picture = require "netspace.plot.picture"
local predict = require "netspace.stats.predict"
local prediction = require "netspace.stats.prediction"

local M = {}

local MOST = 8 -- curves a canvas tells apart

--- The steps of a list of errors: x ascending, y the share of models up to and with x.
-- NaN (a diverged model) counts as 100, never dropped.
local function steps(errors)
  local x, y = {}, {}
  for i, e in ipairs(errors) do x[i] = e == e and e or 100 end
  table.sort(x)
  for i = 1, #x do y[i] = i / #x end
  return x, y
end

--- A curve, as canvas:legend takes it too, from a list of errors in percent.
-- @tparam[opt] number total models there will be, for a legend of "12/16"
function M._curve(name, id, errors, total)
  local curve = { kind = "steps", name = name, id = id, failed = 0 }
  curve.x, curve.y = steps(errors)
  local sum = 0
  for _, e in ipairs(curve.x) do
    sum = sum + e
    if e >= 100 then curve.failed = curve.failed + 1 end
  end
  local n = #errors
  curve.count = total and total ~= n and ("%d/%d"):format(n, total) or tostring(n)
  if n > 0 then curve.min, curve.mean = curve.x[1], sum / n end
  return curve
end

--- The faint curve of the finished models together with what running ones have now.
function M._provisional(id, errors, running)
  local all = table.move(errors, 1, #errors, 1, {})
  table.move(running, 1, #running, #all + 1, all)
  local x, y = steps(all)
  return { kind = "steps", id = id, faint = true, x = x, y = y }
end

local function check_errors(list, level)
  for i, e in ipairs(list) do
    if type(e) ~= "number" then
      error(("plot.edf: error %d is a %s; errors are numbers in percent"):format(
        i, type(e)), level + 1)
    elseif e < 0 or e > 100 then -- a NaN is neither
      error(("plot.edf: error %d is %g; errors are percent, 0 to 100"):format(i, e), level + 1)
    end
  end
  return list
end

-- A step function as straight lines: y[i] holds from x[i] to x[i + 1].
local function staircase(x, y)
  local at, to = { x[1] }, { y[1] }
  for i = 2, #x do
    at[#at + 1], to[#to + 1] = x[i], y[i - 1]
    at[#at + 1], to[#to + 1] = x[i], y[i]
  end
  return at, to
end

--- The confidence band of an edf as an area, and as edf:band gives it.
function M._band(edf, id, kind, level)
  local band = edf:band(level, kind)
  local x, lo, hi = band.steps()
  table.insert(x, 1, -1) -- left of every model
  table.insert(lo, 1, 0)
  table.insert(hi, 1, band.hi(-1))
  x[#x + 1], lo[#lo + 1], hi[#hi + 1] = 101, lo[#lo], hi[#hi]
  local area = { kind = "area", id = id }
  area.x, area.lo = staircase(x, lo)
  area.x, area.hi = staircase(x, hi)
  return area, band
end

-- Adds what `value`, the i-th argument, shows: curves, and the edf of its band.
local function add_curves(t, value, i, level)
  local kind = type(value)
  local wrong = input.untrained(("item %d"):format(i), value)
    or members.kind(value) == "sweep" and input.unfinished(("item %d"):format(i), value)
  if wrong then error("plot.edf: " .. wrong, level + 1) end
  if kind ~= "table" and kind ~= "userdata" then
    error(("plot.edf: item %d is a %s; it should be a result of sweep.run, a stats.edf value, "
      .. "a list of errors, or { name =, errors = }"):format(i, kind), level + 1)
  end
  local curves = t.curves
  if kind == "userdata" or value.steps then -- an edf
    local x, y = value:steps()
    curves[#curves + 1] = { kind = "steps", name = value.name or "curve " .. i, id = i,
      x = x, y = y, failed = value.failed, count = tostring(value.n), min = value.min,
      mean = value.mean }
    t.edfs[i] = value
    return
  end
  local errors = check_errors(value.errors or value, level + 1)
  local name = value.errors and value.name or "curve " .. i
  curves[#curves + 1] = M._curve(tostring(name), i, errors, value.n)
  t.edfs[i] = #errors > 0 and edfs.new(curves[#curves].x, name) or nil
  if value.provisional and #value.provisional > 0 then
    check_errors(value.provisional, level + 1)
    curves[#curves + 1] = M._provisional(i, errors, value.provisional)
  end
end

-- "[6.9|19.7] (n = 12/16, 1 failed) AnyNetX_A", as the paper's figures have it; the count is in
-- the title of the key when it is the same for all.
local function key_name(curve, same_n)
  local notes = {}
  if not same_n then notes[1] = "n = " .. curve.count end
  if curve.failed > 0 then notes[#notes + 1] = ("%d failed"):format(curve.failed) end
  return ("[%s] %s%s"):format(curve.min and ("%.1f|%.1f"):format(curve.min, curve.mean)
    or "–", #notes > 0 and ("(%s) "):format(table.concat(notes, ", ")) or "", curve.name)
end

-- What a key in a file says of the curves, and in words what the picture shows.
local function name_curves(panel, curves)
  local first, same_n, words = curves[1].count, true, {}
  for _, curve in ipairs(curves) do
    same_n = same_n and (curve.faint or curve.count == first)
  end
  for _, curve in ipairs(curves) do
    if not curve.faint then
      curve.key = key_name(curve, same_n)
      words[#words + 1] = curve.key
    end
  end
  panel.key_title = "[min|mean]" .. (same_n and ("  n = %s"):format(first) or "")
  return panel.key_title .. ": " .. table.concat(words, "; ")
end

local bands = { dkw = true, bootstrap = true, anytime = true }

options.declare("plot.edf", { title = "string", from = "number", to = "number",
  band = "boolean|string", level = "number", metric = "string", predict = "boolean|table" })
options.declare("plot.edf: predict", { with = "table", features = "table" })

-- The items, each followed by the prediction of its space where there can be one; and why there is
-- none of the others, in words.
local function with_predictions(t, o)
  local wish = predict.asked("plot.edf", o.predict)
  if not wish then return t, "" end
  local known, list, why = {}, {}, {}
  for i, x in ipairs(t) do
    known[i] = type(x) == "table" and type(x.errors) == "table" and #x.errors > 0
      and input.edf("plot.edf", ("item %d"):format(i), x) or {}
  end
  local found, reasons = prediction._all("plot.edf", t, known, wish, o.metric)
  for i, x in ipairs(t) do
    list[#list + 1] = x
    if found[i] then
      list[#list + 1] = found[i]
    else
      why[#why + 1] = ("; item %d is not predicted: %s"):format(i, reasons[i])
    end
  end
  return list, table.concat(why)
end

local function check_options(o, n)
  options.check("plot.edf", o, 2)
  for _, key in ipairs { "from", "to" } do
    if o[key] and not (o[key] >= 0 and o[key] <= 100) then
      error(("plot.edf: %s is %g; errors are percent, 0 to 100"):format(key, o[key]), 3)
    end
  end
  if o.from and o.to and o.from >= o.to then
    error(("plot.edf: from = %g must be below to = %g"):format(o.from, o.to), 3)
  end
  if o.level and not (o.level > 0 and o.level < 1) then
    error(("plot.edf: level is %g; it must be between 0 and 1, such as 0.95"):format(o.level), 3)
  end
  if type(o.band) == "string" and not bands[o.band] then
    error(('plot.edf: band is "%s"; it must be "dkw", "bootstrap", "anytime" or false'):format(
      o.band), 3)
  end
  if n < 1 or n > MOST then
    error(("plot.edf shows 1 to %d curves, got %d"):format(MOST, n), 3)
  end
end

--- A plot of up to eight error EDFs.
function M.edf(t, ...)
  if select("#", ...) > 0 then
    error("plot.edf takes one table: plot.edf{ A, B, band = true }", 2)
  end
  if type(t) == "userdata" then t = { t } end
  if type(t) ~= "table" then
    error("plot.edf expects a table: plot.edf{ A, B }, got " .. type(t), 2)
  end
  -- plot.edf(result) and plot.edf{ 40, 50 } mean one curve
  if t.errors or t.steps or type(t[1]) == "number" or members.kind(t) == "population"
    or members.kind(t) == "sweep" then
    t = { t }
  end
  local o = {}
  for k, v in pairs(t) do
    if math.type(k) ~= "integer" then o[k] = v end
  end
  local unpredicted
  t, unpredicted = with_predictions(input.whole("plot.edf", t), o)
  check_options(o, #t)
  local found = { curves = {}, edfs = {} }
  for i = 1, #t do
    add_curves(found, input.by("plot.edf", ("item %d"):format(i), t[i], o.metric), i, 2)
  end
  local series = {}
  for i = 1, o.band and #t or 0 do
    local edf = found.edfs[i]
    if edf and not edf.weighted then
      series[#series + 1] = M._band(edf, i, o.band ~= true and o.band or "dkw", o.level)
    end
  end
  table.move(found.curves, 1, #found.curves, #series + 1, series)
  local x = canvas.new(80, 24):chart { curves = found.curves } -- the range of the data
  local name, unit = input.metric(o.metric)
  local panel = { x = { label = name .. (unit ~= "" and " (%)" or ""),
    from = o.from or x.x0, to = o.to or x.x1 },
    y = { label = "share of models with error below e", short = "share with error below e",
      from = 0, to = 1 }, series = series }
  local about = name_curves(panel, found.curves) .. unpredicted
  return picture.new { title = o.title, name = "Error EDFs", about = about,
    panels = { panel } }
end

document("plot.edf", [[
  plot.edf{ A, B, … } -> plot
  The error EDFs of up to eight populations in one plot; failed models count as 100 %.
    A, B, …    results of sweep.run, stats.edf values, lists of errors in percent, or
               { name =, errors =, provisional = }: provisional errors, of models still
               in training, are drawn as sparse dots
    title      a heading
    from, to   the range of errors to show (default: all finished models)
    band       "dkw" (or true), "bootstrap" or "anytime": shades the confidence band, as in
               edf:band
    level = 0.95   of the band
    metric     another one than the error, as in stats.edf
    predict    true, or { with =, features = }: beside each population its whole space, by
               prediction (stats.predict), where there can be one
  example: plot.edf{ { 40, 50, 60 }, { name = "B", errors = { 35, 45, 100 } } }:show()
  source: Radosavovic et al. 2020, equation 1 and figure 2]])

return M
