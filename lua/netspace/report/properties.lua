--- Section of a report: which properties the best models share, as bands of the paper's
-- empirical bootstrap and as pictures of error against the property.
-- Radosavovic et al. 2020 (arXiv 2003.13678), footnote 4, figures 6 and 8.

local html = require "netspace.report.html"
local property = require "netspace.stats.property"
local stats = require "netspace.stats.stats"
local times = require "netspace.network.times"
local widgets = require "netspace.report.widgets"

local M = { id = "properties", title = "What the best models share" }

local LEAST = 4 -- finished models, below which a band says nothing
local MOST = 12 -- populations with pictures

-- What to look at: of stages, the last one; a name in a list stands for the first that all
-- models have.  Pictures are made of those that are marked.
local function names_of(p)
  local d = p.result.models[1].d
  local stages = type(d) == "table" and #d or 1
  local names = { { "d", picture = true }, { "w" }, { ("w[%d]"):format(stages), picture = true },
    { "b", ("b[%d]"):format(stages), picture = true },
    { "g", ("g[%d]"):format(stages), picture = true }, { "w_0", picture = true },
    { "w_a", picture = true }, { "w_m", picture = true }, { "flops" }, { "params" }, { "acts" } }
  if times.present() then names[#names + 1] = { "time" } end
  return names
end

local function look(result, names)
  for _, name in ipairs(names) do
    local good, values, _, categorical = pcall(property.values, "report", result, name, true)
    if good then
      local lo, hi = math.huge, -math.huge
      for _, x in ipairs(values) do lo, hi = math.min(lo, x), math.max(hi, x) end
      return { name = name, lo = lo, hi = hi, categorical = categorical,
        picture = names.picture and lo < hi }
    end
  end
end

-- "1 64 %, 2 20 %": how often the best model of a draw has each value.
local function shares_text(shares)
  local parts = {}
  for k = 1, math.min(4, #shares or 0) do
    parts[k] = ("%s %.0f %%"):format(widgets.number(shares[k].value), 100 * shares[k].share)
  end
  return table.concat(parts, ", ")
end

local function bands(p, result, found)
  local rows = {}
  for i, f in ipairs(found) do
    local band = stats.bootstrap(result, f.name, { exact = true })
    local range = f.lo == f.hi and ("always %s"):format(widgets.number(f.lo))
      or ("%s to %s"):format(widgets.number(f.lo), widgets.number(f.hi))
    rows[i] = { f.name, range, widgets.number(band.median),
      ("%s to %s"):format(widgets.number(band.lo), widgets.number(band.hi)),
      widgets.number(band.best), f.categorical and f.lo < f.hi and shares_text(band.shares) or "" }
  end
  return widgets.table { align = "hrrrrl", rows = rows,
    label = ("Properties of the best models of %s"):format(p.label),
    caption = { html.bdi { p.label }, (": properties of the best of a random quarter of its "
      .. "%s"):format(
      widgets.count(p.finished, "model")) },
    head = { "property", "population", "median", "95 % band", "best model", "shares" } }
end

local function scatters(p, result, found, pictures)
  local figures = {}
  for _, f in ipairs(found) do
    if f.picture then
      figures[#figures + 1] = pictures:scatter(result, f.name,
        ("%s of %s"):format(f.name, p.label))
    end
  end
  return #figures > 0 and html.div { class = "small", figures }
end

function M.section(all, pictures)
  local blocks = {}
  local drawn = 0
  for _, p in ipairs(all.populations) do
    if p.finished >= LEAST and not p.first then
      drawn = drawn + 1
      local result, found = p.result, {}
      for _, names in ipairs(names_of(p)) do found[#found + 1] = look(result, names) end
      blocks[#blocks + 1] = html.section { class = "of-population",
        html.h3 { html.bdi { p.label } },
        bands(p, result, found), drawn <= MOST and scatters(p, result, found, pictures) }
    end
  end
  if #blocks == 0 then
    return html.p { ("No population has %d finished models, so there is nothing to see yet.")
      :format(LEAST) }
  end
  return {
    html.p { "The band is that of the empirical bootstrap: draw a quarter of the models with "
      .. "replacement, keep the property of the best one, repeat. It shows where the best models "
      .. "lie; where it is much narrower than the population, the property matters. d is the "
      .. "number of blocks, w their mean width, a number in brackets a stage; flops are "
      .. "multiply-adds. In the pictures the band is shaded, with a line at its median; the best "
      .. "model is filled, and crosses at the upper edge are failed models.",
      times.present() and " time is seconds of an image in training, told by the times of layers "
      .. "on the machine that made this page (arch.time)." or false },
    blocks }
end

return M
