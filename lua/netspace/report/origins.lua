--- Section of a report: where each population comes from, enough to draw and train it again.

local html = require "netspace.report.html"
local provenance = require "netspace.store.provenance"
local widgets = require "netspace.report.widgets"

local M = { id = "origins", title = "Where the populations come from" }

local function origin(p)
  local facts, sources = { html.dt { "name" }, html.dd { html.bdi { p.name } } }, {}
  for _, fact in ipairs(provenance.facts(p.provenance, widgets.when)) do
    if fact[1] ~= "" then facts[#facts + 1] = html.dt { fact[1] } end
    facts[#facts + 1] = html.dd { html.bdi { fact[2] } }
  end
  for i, c in ipairs(p.constraints or {}) do
    sources[i] = { html.p { "Constraint ", html.b { html.bdi { c.name } }, ":" },
      html.pre { tabindex = "0", c.source } }
  end
  return html.details { id = ("population-%d"):format(p.number), class = "origin",
    html.summary { html.bdi { p.label } }, html.dl { facts }, sources }
end

function M.section(all)
  local list = {}
  for i, p in ipairs(all.populations) do list[i] = origin(p) end
  return list
end

return M
