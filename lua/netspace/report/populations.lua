--- Section of a report: the populations, how they stand and how they were trained.

local html = require "netspace.report.html"
local provenance = require "netspace.store.provenance"
local stats = require "netspace.stats.stats"
local units = require "netspace.lib.units"
local widgets = require "netspace.report.widgets"

local M = { id = "populations", title = "Populations" }

-- How the models stand, counted as everywhere: what is not done is named.
local function state(p)
  if p.done == p.n then return tostring(p.n) end
  return ("%d: %s"):format(p.n, units.tally(p))
end

local function summary(populations)
  local rows, spaces = {}, false
  for i, p in ipairs(populations) do
    spaces = spaces or p.space and p.space ~= p.name
    local edf = p.finished > 0 and stats.edf(p.result)
    rows[i] = { widgets.link(p), state(p),
      widgets.percent(edf and edf.min), widgets.percent(edf and edf.median),
      widgets.percent(edf and edf.mean), html.bdi { p.images }, tostring(p.epochs),
      html.bdi { p.space or "" } }
  end
  return widgets.table { align = spaces and "hlrrrlrl" or "hlrrrlr", rows = rows,
    caption = "Populations and the errors of their models, in percent of the validation images; "
      .. "failed and diverged models count as 100 %",
    label = "Populations and errors",
    head = { "population", "models", "least", "median", "mean", "data", "epochs",
      spaces and "space" or nil } }
end

-- How the populations of each group were trained.
local function settings(groups)
  local items = {}
  for i, group in ipairs(groups) do
    local names = {}
    for k, p in ipairs(group) do names[k] = p.label end
    items[i] = html.li { #groups > 1 and { html.b { html.bdi { table.concat(names, ", ") } },
      ": " } or "All were trained alike: ", provenance.training(group[1].provenance) }
  end
  return html.ul { class = "settings", items }
end

-- Whether anybody has looked at the test images, and how often: the populations of each data
-- set together.
local function looks(populations)
  local items, seen = {}, {}
  for _, p in ipairs(populations) do
    local text
    if not p.apart then
      text = "its test images serve for validation: every sweep looks at them, and the error of "
        .. "the best network flatters it"
    elseif p.looks == 0 then
      text = "nobody has looked at its test images yet"
    elseif p.looks then
      text = ("its test images were looked at %s, at %s"):format(widgets.count(p.looks, "time"),
        widgets.count(p.looked, "network"))
    end
    local key = text and p.checksum .. text
    if text and not seen[key] then
      seen[key] = true
      items[#items + 1] = html.li { html.bdi { p.images }, ": ", text, "." }
    end
  end
  return #items > 0 and html.ul { class = "settings", items }
end

function M.section(all)
  local unfinished
  if all.open > 0 then
    unfinished = html.p { class = "note",
      ("%s of %d had not finished at the last event; everything below is about the other %d, "
        .. "and comparisons may still change."):format(widgets.count(all.open, "model"), all.total,
        all.finished) }
  end
  return { unfinished or false, summary(all.populations), settings(all.groups),
    looks(all.populations) }
end

return M
