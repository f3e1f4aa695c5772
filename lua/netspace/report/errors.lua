--- Section of a report: the error EDFs, as pictures and in quantiles.
-- Radosavovic et al. 2020 (arXiv 2003.13678), equation 1 and figures 5, 7 and 9.

local html = require "netspace.report.html"
local stats = require "netspace.stats.stats"
local widgets = require "netspace.report.widgets"

local M = { id = "errors", title = "Error distributions" }

local MOST = 8 -- curves that can be told apart in one picture

-- Populations of a picture each: those trained alike together, at most MOST.  In further
-- pictures of a group its first population comes again, to hold the others against.
local function pictures_of(all)
  local list, alone = {}, {}
  local function split(group)
    local others = math.max(1, #group - 1)
    local pictures = (others + MOST - 2) // (MOST - 1)
    local each = (others + pictures - 1) // pictures
    for from = 2, others + 1, each do
      list[#list + 1] = table.move(group, from, math.min(from + each - 1, #group), 2,
        { group[1] })
    end
  end
  for _, group in ipairs(all.groups) do
    local finished = {}
    for _, p in ipairs(group) do
      if p.finished > 0 then finished[#finished + 1] = p end
    end
    if #finished > 1 then split(finished) end
    if #finished == 1 then alone[#alone + 1] = finished[1] end
  end
  if #alone > 0 then split(alone) end
  return list
end

local function quantiles(populations)
  local rows = {}
  for _, p in ipairs(populations) do
    if p.finished > 0 then
      local edf = stats.edf(p.result)
      local row = { widgets.link(p), tostring(edf.n), widgets.percent(edf.min) }
      for _, share in ipairs { 0.05, 0.25, 0.5, 0.75, 0.95 } do
        row[#row + 1] = widgets.percent(edf:quantile(share))
      end
      row[#row + 1] = widgets.percent(edf.mean)
      rows[#rows + 1] = row
    end
  end
  return widgets.table { align = "hrrrrrrrr", rows = rows, label = "Quantiles of the errors",
    caption = "Quantiles of the errors, in percent: the error below which a share of the "
      .. "models lies",
    head = { "population", "n", "least", "5 %", "25 %", "50 %", "75 %", "95 %", "mean" } }
end

-- Errors that all pictures show, so that they can be laid side by side.
local function range_of(populations)
  local from, to = 100, 0
  for _, p in ipairs(populations) do
    for _, e in ipairs(p.result.errors) do
      if e < 100 then from, to = math.min(from, e), math.max(to, e) end
    end
  end
  if from >= to then return nil end
  return math.floor(from), math.ceil(to)
end

function M.section(all, pictures)
  if all.finished == 0 then return html.p { "No model has finished." } end
  local figures, groups = {}, pictures_of(all)
  for i, populations in ipairs(groups) do
    local edfs = {}
    for k, p in ipairs(populations) do edfs[k] = p.result end
    if #groups > 1 then edfs.from, edfs.to = range_of(all.populations) end
    figures[i] = pictures:edf(edfs, ("Error EDFs of %s"):format(widgets.names(populations)))
  end
  return {
    html.p { "F(e) is the share of models with an error below e. A curve further to the left is a "
      .. "better space; its foot is the best model. The key gives the least and the mean error." },
    #all.groups > 1 and html.p { "There is a picture for the populations that were trained alike; "
      .. "the others differ: see ", html.a { href = "#comparisons", "Comparisons" }, "." },
    html.div { class = "pair", figures }, quantiles(all.populations) }
end

return M
