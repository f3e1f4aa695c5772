--- Section of a report: how the best models change with flops, where one space was trained in
-- three windows or more.  Radosavovic et al. 2020 (arXiv 2003.13678), section 4, figure 11.

local html = require "netspace.report.html"
local json = require "netspace.lib.json"
local stats = require "netspace.stats.stats"
local widgets = require "netspace.report.widgets"

local M = { id = "trends", title = "Trends with flops" }

local LEAST = 3  -- windows
local MODELS = 4 -- finished ones in each

-- Populations that differ in their window alone, by space.
local function regimes(all)
  local list, found = {}, {}
  for _, group in ipairs(all.groups) do
    for _, p in ipairs(group) do
      local key = json.encode { p.space or p.name, p.recipe, p.source, p.checksum }
      if p.finished >= MODELS and p.window and p.window.flops then
        if not found[key] then
          found[key] = {}
          list[#list + 1] = found[key]
        end
        table.insert(found[key], p)
      end
    end
  end
  return list
end

local function distinct(populations)
  local seen, n = {}, 0
  for _, p in ipairs(populations) do
    local window = json.encode(p.window)
    if not seen[window] then seen[window], n = true, n + 1 end
  end
  return n
end

local function trend(populations, pictures)
  local results, figures = {}, {}
  for i, p in ipairs(populations) do results[i] = p.result end
  local head, cells = { "population", "flops" }, {}
  for _, what in ipairs { "d", "b", "g", "w_0", "w_a", "w_m" } do
    local good, t = pcall(stats.trend, results, what)
    if not good and t == "interrupted" then error(t, 0) end
    for i, row in ipairs(good and t or {}) do
      cells[i] = cells[i] or { html.bdi { row.name }, widgets.number(row.at) }
      cells[i][#head + 1] = ("%s (%s to %s)"):format(widgets.number(row.median),
        widgets.number(row.lo), widgets.number(row.hi))
    end
    if good then
      head[#head + 1] = what
      figures[#figures + 1] = pictures:trend(results, what, what .. " of the best models")
    end
  end
  local space = populations[1].space or populations[1].label
  return { html.div { class = "small", figures },
    widgets.table { align = "hr" .. ("r"):rep(#head - 2), rows = cells, head = head,
    label = "Trends of " .. space, caption = { html.bdi { space },
      ": median and 95 % band of the best models' properties, by the median flops of the "
      .. "population" } } }
end

--- Nothing, where no space was trained often enough.
function M.section(all, pictures)
  local tables = {}
  for _, populations in ipairs(regimes(all)) do
    if distinct(populations) >= LEAST then tables[#tables + 1] = trend(populations, pictures) end
  end
  return #tables > 0 and tables or nil
end

return M
