--- Curves: the best models against flops (Radosavovic et al. 2020, figure 11), any two lists
-- with a fit, how complexity grows (figure 12), how soon random search finds a good model
-- (figure 9), and how models learn epoch by epoch.

local document = require("netspace.lib.doc").group "plot"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local picture = require "netspace.plot.picture"
local property = require "netspace.stats.property"
local stats = require "netspace.stats.stats"

local M = {}

local MOST = 8 -- populations told apart

-- An axis that is logarithmic where the numbers differ eightfold and more.
local function wide_axis(label, list)
  local lo, hi = math.huge, -math.huge
  for _, x in ipairs(list) do lo, hi = math.min(lo, x), math.max(hi, x) end
  return picture.axis({ label = label, log = lo > 0 and hi / lo >= 8 and 2 or nil }, { list })
end

local function name_of(r, i) return tostring(r.name or r.space or "#" .. i) end

-- Trends -------------------------------------------------------------------------------

local function trend_panel(t, first)
  local at, lists = {}, { lo = {}, hi = {}, median = {}, best = {} }
  for i, row in ipairs(t) do
    at[i] = row.at
    for key, list in pairs(lists) do list[i] = row[key] end
  end
  local function name(text) return first and text or nil end
  local y = picture.axis({ label = t.property }, { lists.lo, lists.hi, lists.best })
  return { x = wide_axis(t.on, at), y = y, series = {
    { kind = "area", id = 6, opacity = 0.3, x = at, lo = lists.lo, hi = lists.hi },
    { kind = "line", id = 1, x = at, y = lists.median, name = name "median of the best" },
    { kind = "points", id = 1, symbol = 7, size = 0.4, x = at, y = lists.median },
    { kind = "points", id = 2, symbol = 4, size = 0.5, x = at, y = lists.best,
      name = name "best model" } } }
end

options.declare("plot.trend", { title = "string", columns = "integer", share = "number",
  level = "number", on = "string|function" })

function M.trend(results, properties, o)
  local where = "plot.trend"
  o = options.check(where, o)
  if type(properties) ~= "table" then properties = { properties } end
  local panels, about = {}, {}
  for i, what in ipairs(properties) do
    local t = picture.call(where, stats.trend, results, what, { share = o.share,
      level = o.level, on = o.on })
    panels[i] = trend_panel(t, i == 1)
    about[i] = tostring(t):gsub("\n", "; "):gsub("  +", " ")
  end
  if #panels == 0 then error(where .. " expects a property or a list of properties", 2) end
  return picture.new { title = o.title, name = "Properties of the best models",
    about = table.concat(about, ". "), panels = panels, columns = o.columns }
end

-- Fits ---------------------------------------------------------------------------------

local forms = { sqrt = "a √%s", linear = "a %s", ["linear+sqrt"] = "a %s + b √%s",
  affine = "a + b %s", power = "a %s^b" }

-- Points of every population under its name, and the fit over all of them.
local function fit_panel(x_name, y_name, fit, xs, ys, names)
  local all_x, all_y, series = {}, {}, {}
  for i, x in ipairs(xs) do
    table.move(x, 1, #x, #all_x + 1, all_x)
    table.move(ys[i], 1, #x, #all_y + 1, all_y)
    series[i] = { kind = "points", id = (i - 1) % MOST + 1, x = x, y = ys[i],
      name = #xs > 1 and names and names[i] or nil }
  end
  local axis, line = wide_axis(x_name, all_x), { x = {}, y = {} }
  for k = 0, 60 do
    local x = axis.log and axis.from * (axis.to / axis.from) ^ (k / 60)
      or axis.from + (axis.to - axis.from) * k / 60
    local y = (x > 0 or fit.form ~= "power") and fit(x) or 0 / 0
    line.x[k + 1], line.y[k + 1] = x, y
  end
  series[#series + 1] = { kind = "line", id = 8, dash = "(6,3)", width = 1.4, x = line.x,
    y = line.y, name = forms[fit.form]:gsub("%%s", (x_name:gsub("%%", "%%%%"))) .. (fit.r2
    and (", R² %.2f"):format(fit.r2) or "") }
  return { x = axis, y = wide_axis(y_name, all_y), series = series }
end

options.declare("plot.fit", { form = "string", x = "string", y = "string", title = "string" })

function M.fit(x, y, o)
  local where = "plot.fit"
  o = options.check(where, o)
  local fit = picture.call(where, stats.regress, x, y, { form = o.form })
  local panel = fit_panel(o.x or "x", o.y or "y", fit, { x }, { y })
  return picture.new { title = o.title, name = ("%s against %s"):format(o.y or "y",
    o.x or "x"), about = tostring(fit), panels = { panel } }
end

-- Scaling ------------------------------------------------------------------------------

-- Microseconds of training an image against flops, of the models whose speed is known.
local function times(results, flops)
  local xs, ys, n = {}, {}, 0
  for i, r in ipairs(results) do
    local speed = r.columns and r.columns.images_per_s or {}
    xs[i], ys[i] = {}, {}
    for k = 1, #r.errors do
      if speed[k] and speed[k] > 0 then
        n = n + 1
        table.insert(xs[i], flops[i][k])
        table.insert(ys[i], 1e6 / speed[k])
      end
    end
  end
  return n >= 3 and xs or nil, ys
end

options.declare("plot.scaling", { title = "string", columns = "integer" })

function M.scaling(results, o)
  local where = "plot.scaling"
  o = options.check(where, o)
  results = input.results(where, results)
  local t = picture.call(where, stats.scaling, results)
  local flops, names, panels = {}, {}, {}
  for i, r in ipairs(results) do
    names[i], flops[i] = name_of(r, i), property.values(where, r, "flops", true)
  end
  for k, row in ipairs(t) do
    local values = {}
    for i, r in ipairs(results) do values[i] = property.values(where, r, row.what, true) end
    panels[k] = fit_panel("flops", row.what, row.fit, flops, values, k == 1 and names)
  end
  local about = tostring(t):gsub("\n", "; "):gsub("  +", " ")
  local xs, ys = times(results, flops)
  if xs then
    local x, y = {}, {}
    for i, list in ipairs(xs) do
      table.move(list, 1, #list, #x + 1, x)
      table.move(ys[i], 1, #list, #y + 1, y)
    end
    local fit = picture.call(where, stats.regress, x, y, { form = "linear+sqrt" })
    panels[3] = fit_panel("flops", "µs an image", fit, xs, ys)
    about = about .. "; training time: " .. tostring(fit)
  end
  return picture.new { title = o.title, name = "Complexity of networks against flops",
    about = about, panels = panels, columns = o.columns }
end

-- Random search ------------------------------------------------------------------------

options.declare("plot.search", { title = "string", level = "number", band = "boolean" })

function M.search(populations, o)
  local where = "plot.search"
  o = options.check(where, o)
  if type(populations) ~= "table" or populations.errors
    or type(populations[1]) == "number" then
    populations = { populations }
  end
  if #populations < 1 or #populations > MOST then
    error(("%s shows 1 to %d populations, got %d"):format(where, MOST, #populations), 2)
  end
  local areas, lines, xs, ys, about = {}, {}, {}, {}, {}
  for i, r in ipairs(input.whole(where, populations)) do
    local t = picture.call(where, stats.search, r, { level = o.level })
    local name = t.name or "curve " .. i
    lines[i] = { kind = "line", id = i, x = t.m, y = t.mean, name = name }
    if o.band ~= false then
      areas[#areas + 1] = { kind = "area", id = i, x = t.m, lo = t.lo, hi = t.hi,
        opacity = 0.13 }
      ys[#ys + 1], ys[#ys + 2] = t.lo, t.hi
    end
    xs[i], ys[#ys + 1] = t.m, t.mean
    about[i] = ("%s: best of %d has %.2f %% on average"):format(name, t.m[#t.m],
      t.mean[#t.mean])
  end
  table.move(lines, 1, #lines, #areas + 1, areas)
  local panel = { x = picture.axis({ label = "models drawn", log = 2 }, xs),
    y = picture.error_axis("error of the best (%)", ys), series = areas }
  return picture.new { title = o.title, name = "Random search: the best of m models",
    about = table.concat(about, "; "), panels = { panel } }
end

-- Training -----------------------------------------------------------------------------

local labels = { validation_error = "validation error (%)", train_error = "training error (%)",
  class_error = "mean error of the classes (%)", top5_error = "top-5 error (%)",
  validation_loss = "validation loss", train_loss = "training loss", lr = "learning rate" }

-- The curves of models and what to call each.
local function curves_of(where, list, what)
  if type(list) ~= "table" then
    error(("%s expects s:live(name) or s:learning(name) of a store, an import with curves, "
      .. "or a list of curves, got %s"):format(where, type(list)), 3)
  end
  local curves, given = {}, list.curves or list
  for i = 1, #(list.curves and list.errors or list) do
    local x = given[i]
    local curve = type(x) == "table" and (x[what] or what == "validation_error" and (x.curve or x))
    if x and type(curve) ~= "table" then
      error(("%s: entry %d has no curve of %s; s:learning(name) has those of a store"):format(
        where, i, what), 3)
    end
    for k, e in ipairs(curve or {}) do
      if type(e) ~= "number" then
        error(("%s: curve %d: epoch %d is a %s, not a number"):format(where, i, k, type(e)), 3)
      end
    end
    if curve and #curve > 0 then
      curves[#curves + 1] = { y = curve, name = ("model %d"):format(x.index or i),
        ended = x.status == "failed" or x.status == "diverged" }
    end
  end
  if #curves == 0 then error(where .. ": no model has ended an epoch", 3) end
  return curves
end

-- The median of an epoch; a model that failed before it has 100 % from there on.
local function median_curve(curves, longest, percent)
  local x, y = {}, {}
  for epoch = 1, longest do
    local values = {}
    for _, c in ipairs(curves) do
      local e = c.y[epoch] or percent and c.ended and 100 or nil
      if e and e == e then values[#values + 1] = e end
    end
    table.sort(values)
    local n = #values
    x[epoch] = epoch
    y[epoch] = n > 0 and (values[(n + 1) // 2] + values[n // 2 + 1]) / 2 or 0 / 0
  end
  return x, y
end

options.declare("plot.training", { title = "string", what = "string" })

function M.training(list, o)
  local where = "plot.training"
  o = options.check(where, o)
  local what = o.what or "validation_error"
  if not labels[what] then
    error(("%s: unknown curve '%s'%s; it knows validation_error, validation_loss, class_error, "
      .. "top5_error, train_error, train_loss, lr"):format(where, what, options.hint(what, labels)),
      2)
  end
  local curves, percent = curves_of(where, list, what), what:find "error" ~= nil
  local all, shown, longest, best = { x = {}, y = {} }, {}, 0, nil
  for _, c in ipairs(curves) do longest = math.max(longest, #c.y) end
  for _, c in ipairs(curves) do
    for epoch, e in ipairs(c.y) do
      all.x[#all.x + 1], all.y[#all.y + 1] = epoch, e
      if not percent or e < 100 then shown[#shown + 1] = e end
    end
    all.x[#all.x + 1], all.y[#all.y + 1] = 0 / 0, 0 / 0
    if #c.y == longest and (not best or c.y[longest] < best.y[longest]) then best = c end
  end
  local x, y = median_curve(curves, longest, percent)
  local panel = { x = picture.axis({ label = "epoch" }, { x }),
    y = picture.axis({ label = labels[what] }, { shown }), series = {
    { kind = "line", id = 6, dash = "1", width = 0.6, x = all.x, y = all.y,
      key = ("%d models"):format(#curves) },
    { kind = "line", id = 1, dash = "1", width = 2, x = x, y = y, name = "median" },
    { kind = "line", id = 2, dash = "(6,3)", width = 2, x = table.move(x, 1, longest, 1, {}),
      y = best.y, name = ("%s, best at the end"):format(best.name) } } }
  local about = ("%s of %d models over %d epochs; at the end the median is %.4g, %s has %.4g")
    :format(labels[what], #curves, longest, y[longest], best.name, best.y[longest])
  return picture.new { title = o.title, name = "How models learn", about = about,
    panels = { panel } }
end

document("plot.trend", [[
  plot.trend(results, properties, { level = 0.95, on = "flops", columns = 3 }) -> plot
  Properties of the best models against flops, one panel for each: the median and the band of
  stats.trend, and the best model of each population.
    results      a result for each flops regime
    properties   a property as in stats.bootstrap, or a list of them; numbers
    level, share, on   as in stats.trend
    title, columns     a heading; panels in a row
  example: plot.trend({ { errors = { 40, 50 }, models = space.RegNetX:sample(2) } }, "d"):show()
  source: arXiv 2003.13678, figure 11]])

document("plot.fit", [[
  plot.fit(x, y, { form = "linear", x = "x", y = "y", title = }) -> plot
  Two lists of numbers as points, with the least-squares fit of stats.regress.
    form   "linear", "sqrt", "linear+sqrt", "affine" or "power", as in stats.regress
    x, y   labels of the axes
  example: plot.fit({ 1, 4, 9, 16 }, { 2, 4, 6, 8.1 }, { form = "sqrt", x = "flops" }):show()
  source: arXiv 2003.13678, figure 12]])

document("plot.scaling", [[
  plot.scaling(results, { title =, columns = 3 }) -> plot
  How complexity grows with flops: activations with the fit a·√flops, parameters with a·flops
  and, where the speed of training is known, the time of an image with a·flops + b·√flops.
    results   a result or a list of results, as in stats.scaling
  example: plot.scaling({ errors = { 1, 1, 1, 1 }, models = space.RegNetX:sample(4) }):show()
  source: arXiv 2003.13678, figure 12]])

document("plot.search", [[
  plot.search(populations, { level = 0.95, band = true, title = }) -> plot
  Random search efficiency: the expected error of the best of m random models, and the band
  that holds it.
    populations   errors as in stats.search, or a list of up to eight of those
    band = false  without bands
  example: plot.search{ { 40, 50, 60, 70 }, { 45, 46, 47, 48 } }:show()
  source: arXiv 2003.13678, figure 9 right]])

document("plot.training", [[
  plot.training(list, { what = "validation_error", title = }) -> plot
  How the models of a population learn, epoch by epoch: all of them, their median, and the
  one that is best at the end.
    list   s:live(name) or s:learning(name) of a store, an import with curves, or a list of
           lists of errors
    what   "validation_error", or of s:learning(name) "validation_loss", "class_error",
           "top5_error", "train_error", "train_loss" or "lr"
  Models in training are shown up to their last epoch; failed ones count as 100 % in the median.
  example: plot.training{ { 80, 60, 50 }, { 70, 55, 52 } }:show()]])

return M
