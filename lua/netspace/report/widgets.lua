--- What the sections of a report have in common: tables, figures of numbers, times.

local html = require "netspace.report.html"
local units = require "netspace.lib.units"

local M = { count = require("netspace.lib.units").count }

--- A value of a property; "–" for none.
function M.number(x) return x == nil and "–" or units.value(x) end

--- The entries of a list, one a stage.
function M.list(list)
  if type(list) ~= "table" then return M.number(list) end
  local parts = {}
  for i, x in ipairs(list) do parts[i] = M.number(x) end
  return table.concat(parts, ", ")
end

function M.percent(x) return x and ("%.2f"):format(x) or "–" end

--- A difference, with a true minus.
function M.signed(x) return x and (("%+.2f"):format(x):gsub("-", "−")) or "–" end

function M.p(p)
  if not p then return "–" end
  return p < 0.001 and "< 0.001" or ("%.3f"):format(p)
end

--- Unix time in words, the same everywhere on earth.
function M.when(t) return os.date("!%Y-%m-%d %H:%M UTC", math.floor(t)) end

--- Its element.
function M.time(t)
  return html.time { datetime = os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(t)), M.when(t) }
end

--- A table that scrolls in its own box where it is wider than the page.
-- @tparam table t caption; head, a list of texts; align, a letter a column: h the header of
-- its row, l text, r number; rows, lists of cells (texts or elements)
function M.table(t)
  local function cell(make, k, content)
    return make { class = t.align:sub(k, k) == "r" and "n", content }
  end
  local head, rows = {}, {}
  for k, text in ipairs(t.head) do
    head[k] = html.th { scope = "col", class = t.align:sub(k, k) == "r" and "n", text }
  end
  for i, row in ipairs(t.rows) do
    local cells = {}
    for k = 1, #t.head do
      local content = row[k] == nil and "–" or row[k]
      cells[k] = t.align:sub(k, k) == "h" and html.th { scope = "row", content }
        or cell(html.td, k, content)
    end
    rows[i] = html.tr { class = row.class, cells }
  end
  return html.div { class = "scroll", tabindex = "0", role = "region",
    ["aria-label"] = t.label or t.caption,
    html.table { html.caption { html.span { t.caption } }, html.thead { html.tr { head } },
      html.tbody { rows } } }
end

--- A block that opens and closes.
function M.details(summary, ...)
  return html.details { html.summary { summary }, ... }
end

--- The names of populations in a row.
function M.names(populations)
  local names = {}
  for i, p in ipairs(populations) do names[i] = p.label end
  return table.concat(names, ", ")
end

--- The name of a population, linked to where it comes from.
function M.link(p)
  return html.a { href = ("#population-%d"):format(p.number), html.bdi { p.label } }
end

return M
