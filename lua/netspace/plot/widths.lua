--- Widths block by block: networks one by one (Radosavovic et al. 2020, figures 15 and 16),
-- the best and the worst of a population (figure 6), the best laid over each other with a
-- line through all of their blocks (figure 8).

local arch = require "netspace.network.arch"
local document = require("netspace.lib.doc").group "plot"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"
local picture = require "netspace.plot.picture"
local regress = require("netspace.stats.regress").regress

local M = {}

-- Block numbers from 0 and the width of each block.
local function blocks(m)
  local x, w = {}, {}
  for i, d in ipairs(m.d) do
    for _ = 1, d do x[#x + 1], w[#w + 1] = #x, m.w[i] end
  end
  return x, w
end

-- A line for the widths that RegNet's parameters predict: u_j before, w_j after quantisation
-- (equations 2 to 4; halves to even, as NumPy rounds).
local function predicted(p, d, quantised)
  local x, y = {}, {}
  for j = 0, d - 1 do
    local u = p.w_0 + p.w_a * j
    if quantised then
      local s = math.log(u / p.w_0) / math.log(p.w_m)
      local k = math.floor(s + 0.5)
      if k - s == 0.5 and k % 2 == 1 then k = k - 1 end
      u = p.w_0 * p.w_m ^ k
    end
    x[j + 1], y[j + 1] = j, u
  end
  return x, y
end

-- "8", or "8,16" where the stages differ.
local function list(values)
  if type(values) ~= "table" then return tostring(values) end
  local same, out = true, {}
  for i, v in ipairs(values) do
    same = same and v == values[1]
    out[i] = ("%g"):format(v)
  end
  return same and out[1] or table.concat(out, ",")
end

local function per_stage(values) return table.concat(values, ",") end

-- d, w, g, b of a network as the legends of the paper have them.
local function legend(m)
  return { "d " .. per_stage(m.d), "w " .. per_stage(m.w),
    ("g %s, b %s"):format(list(m.g), list(m.b)) }
end

local function check_network(where, what, m)
  if type(m) ~= "table" or type(m.d) ~= "table" or type(m.w) ~= "table" then
    error(("%s: %s is %s, not a network with d and w of its stages"):format(where, what,
      type(m) == "table" and "a table" or "a " .. type(m)), 3)
  end
end

local function stage_starts(m)
  local x, y, at = {}, {}, 0
  for i, d in ipairs(m.d) do
    x[i], y[i], at = at, m.w[i], at + d
  end
  return x, y
end

local Y = "width"

local function network_panel(name, m)
  local x, w = blocks(m)
  local series, notes, u = {}, legend(m), {}
  if m.regnet then
    local p, ux = m.regnet, nil
    ux, u = predicted(p, #x)
    series[1] = { kind = "line", id = 8, dash = "(1,2)", width = 1.2, x = ux, y = u }
    notes[#notes + 1] = ("w_0 %g, w_a %g, w_m %g"):format(p.w_0, p.w_a, p.w_m)
  end
  local rx, ry = stage_starts(m)
  series[#series + 1] = { kind = "points", id = 1, symbol = 7, size = 0.4, x = x, y = w }
  series[#series + 1] = { kind = "points", id = 2, symbol = 6, size = 0.75, x = rx, y = ry }
  return { title = name, notes = notes, series = series,
    x = picture.axis({ label = "block" }, { x }),
    y = picture.axis({ label = Y, log = 2 }, { w, u }) }
end

options.declare("plot.widths", { title = "string", columns = "integer" })

function M.widths(networks, o)
  local where = "plot.widths"
  o = options.check(where, o)
  if type(networks) ~= "table" or networks.d then networks = { networks } end
  local panels, about = {}, {}
  for i, m in ipairs(networks) do
    local name = #networks > 1 and "#" .. i or nil
    if type(m) == "string" then
      local good, found = pcall(require("netspace.network.zoo"), m)
      if not good then error(("%s: %s"):format(where, found:match "zoo.*"), 2) end
      name, m = m, found
    end
    check_network(where, ("entry %d"):format(i), m)
    panels[i] = network_panel(name, m)
    about[i] = ("%s: %s"):format(name or "a network", table.concat(panels[i].notes, "; "))
  end
  if #panels == 0 then error(where .. " expects a network or a list of networks", 2) end
  return picture.new { title = o.title, name = "Widths of networks, block by block",
    about = table.concat(about, ". "), panels = panels, columns = o.columns }
end

-- Populations --------------------------------------------------------------------------

-- The models of a result from best to worst, failures left out: { model, error } each.
local function ranked(where, result)
  input.result(where, "the first argument", result, 2)
  local order = {}
  for i, e in ipairs(result.errors) do
    if e < 100 then
      check_network(where, ("model %d"):format(i), result.models[i])
      order[#order + 1] = { model = result.models[i], error = e, index = i }
    end
  end
  table.sort(order, function(a, b)
    if a.error ~= b.error then return a.error < b.error end
    return a.index < b.index
  end)
  if #order == 0 then error(where .. ": no model has finished", 3) end
  return order
end

local function count(where, name, n, default, most)
  if n and n < 0 then
    error(("%s: %s is %d; it must be 0 or more"):format(where, name, n), 3)
  end
  return math.min(n or default, most)
end

local function profile_panel(title, chosen, fit)
  local panel, xs, ws = { title = title, series = {} }, {}, {}
  for k, entry in ipairs(chosen) do
    local m = entry.model
    local x, w = blocks(m)
    local words = legend(m)
    panel.series[#panel.series + 1] = { kind = "line", id = k, x = x, y = w,
      name = ("e %.1f  %s"):format(entry.error, table.concat(words, "  ")) }
    xs[#xs + 1], ws[#ws + 1] = x, w
    if fit then
      local fx, fw = predicted(arch.fit(m), #x, true)
      panel.series[#panel.series + 1] = { kind = "line", id = k, dash = "(3,3)", width = 1,
        x = fx, y = fw }
      ws[#ws + 1] = fw
    end
  end
  panel.x = picture.axis({ label = "block" }, xs)
  return panel, ws
end

options.declare("plot.profiles", { title = "string", best = "integer", worst = "integer",
  fit = "boolean" })

function M.profiles(result, o)
  local where = "plot.profiles"
  o = options.check(where, o)
  local order = ranked(where, result)
  local other = (o.best or o.worst) and 0 or 3 -- of what is not asked for
  local best = count(where, "best", o.best, other, math.min(8, #order))
  local worst = count(where, "worst", o.worst, other, math.min(8, #order - best))
  local name = tostring(result.name or result.space or "the population")
  local panels, widths, about = {}, {}, {}
  for _, side in ipairs { { "best", 1, best }, { "worst", #order - worst + 1, #order } } do
    local title, chosen = ("%s of %s"):format(side[1], name), {}
    table.move(order, side[2], side[3], 1, chosen)
    if #chosen > 0 then
      local panel, ws = profile_panel(title, chosen, o.fit)
      panels[#panels + 1] = panel
      table.move(ws, 1, #ws, #widths + 1, widths)
      for _, s in ipairs(panel.series) do about[#about + 1] = s.name end
    end
  end
  if #panels == 0 then error(where .. ": best = 0 and worst = 0 leave no model", 2) end
  for _, panel in ipairs(panels) do
    panel.y = picture.axis({ label = Y, log = 2 }, widths)
  end
  return picture.new { title = o.title, name = "Widths of the best and worst models",
    about = table.concat(about, ". "), panels = panels, columns = 2, wide = true }
end

options.declare("plot.overlay", { title = "string", columns = "integer", best = "integer" })

function M.overlay(results, o)
  local where = "plot.overlay"
  o = options.check(where, o)
  local panels, about = {}, {}
  for i, r in ipairs(input.results(where, results)) do
    local order = ranked(where, r)
    local best = count(where, "best", o.best, 20, #order)
    if best < 1 then error(where .. ": best = 0 leaves no model", 2) end
    local lines, all_x, all_w, longest = { x = {}, y = {} }, {}, {}, 0
    for k = 1, best do
      local x, w = blocks(order[k].model)
      table.move(x, 1, #x, #all_x + 1, all_x)
      table.move(w, 1, #w, #all_w + 1, all_w)
      table.move(x, 1, #x, #lines.x + 1, lines.x)
      table.move(w, 1, #w, #lines.y + 1, lines.y)
      lines.x[#lines.x + 1], lines.y[#lines.y + 1] = 0 / 0, 0 / 0 -- parts it from the next
      longest = math.max(longest, x[#x])
    end
    local good, fit = pcall(regress, all_x, all_w, { form = "affine" })
    local panel = { title = tostring(r.name or r.space or "#" .. i), series = {
      { kind = "line", id = 1, width = 0.8, dash = "1", x = lines.x, y = lines.y,
        name = ("best %d"):format(best) } } }
    if good then
      local x, y = {}, {}
      for j = 0, longest do
        if fit.a + fit.b * j > 0 then x[#x + 1], y[#y + 1] = j, fit.a + fit.b * j end
      end
      panel.series[2] = { kind = "line", id = 2, dash = "(6,3)", width = 2, x = x, y = y,
        name = ("w = %.3g %s %.3g j"):format(fit.a, fit.b < 0 and "−" or "+", math.abs(fit.b)) }
    end
    panel.x = picture.axis({ label = "block j" }, { all_x })
    panel.y = picture.axis({ label = Y, log = 2 }, { all_w })
    panels[i] = panel
    about[i] = ("%s: the %d best of %d%s"):format(panel.title, best, #r.errors,
      good and ", least squares " .. panel.series[2].name or "")
  end
  return picture.new { title = o.title, name = "Widths of the best models",
    about = table.concat(about, ". "), panels = panels, columns = o.columns }
end

document("plot.widths", [[
  plot.widths(networks, { title =, columns = 3 }) -> plot
  Networks as diagrams: the width of every block, a ring at the start of each stage and, for
  a RegNet, the line u_j = w_0 + w_a·j that its widths are quantised from, dotted.
    networks   a network, the name of one in the zoo, or a list of them
  example: plot.widths{ "RegNetX-200MF", "RegNetX-400MF" }:show()
  source: arXiv 2003.13678, equations 2 to 4, figures 15 and 16]])

document("plot.profiles", [[
  plot.profiles(result, { best = 3, worst = 3, fit = false }) -> plot
  The widths of the best and of the worst models of a population, block by block.
    best, worst   how many, at most 8; where only one is given, the other is 0.  Failed models
                  are not shown
    fit = true    adds the nearest RegNet of each, quantised, by arch.fit, as a dashed line
    title         a heading
  example: plot.profiles({ errors = { 40, 50 }, models = space.AnyNetXC:sample(2) }):show()
  source: arXiv 2003.13678, figures 6 and 8]])

document("plot.overlay", [[
  plot.overlay(results, { best = 20, title =, columns = 3 }) -> plot
  The widths of the best models laid over each other, and the least-squares line through all
  of their blocks: do good networks become wider block by block?
    results   a result, or a list of them side by side
    best      how many models
  example: plot.overlay({ errors = { 40, 50 }, models = space.AnyNetXE:sample(2) }):show()
  source: arXiv 2003.13678, figure 8]])

return M
