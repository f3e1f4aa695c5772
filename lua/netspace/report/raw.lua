--- Section of a report: the numbers behind it, as CSV that stats.import reads back.

local export = require "netspace.store.export"
local html = require "netspace.report.html"
local widgets = require "netspace.report.widgets"

local M = { id = "numbers", title = "Raw numbers" }

local columns = { "population", "index", "status", "error", "d", "w", "b", "g", "asked",
  "regnet", "flops", "params", "acts", "epochs", "seconds", "reason" }

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for i = 1, math.max(#a, #b) do
    if a[i] ~= b[i] then return false end
  end
  return true
end

-- Of what was asked for, b and g where group compatibility changed them.
local function asked(m)
  if type(m.asked) ~= "table" then return nil end
  local t = {}
  for _, key in ipairs { "b", "g" } do
    if m.asked[key] and not same(m.asked[key], m[key]) then t[key] = m.asked[key] end
  end
  return next(t) and t or nil
end

local function record(p, model)
  local m = p.networks[model.index]
  return { population = p.name, index = model.index, status = model.status,
    error = model.status ~= "running" and model.error or nil, d = m.d, w = m.w, b = m.b, g = m.g,
    asked = asked(m), regnet = m.regnet, flops = model.flops, params = model.params,
    acts = model.acts, epochs = model.epoch, seconds = model.seconds, reason = model.reason }
end

function M.section(all)
  local lines = { table.concat(columns, ",") .. "\n" }
  for _, p in ipairs(all.populations) do
    for _, model in ipairs(p.models) do
      lines[#lines + 1] = export.line(columns, record(p, model))
    end
  end
  return html.details { class = "raw",
    html.summary { ("%s as CSV"):format(widgets.count(all.total, "model")) },
    html.p { "One model per line; numbers are exact. Saved as a file, it is read by ",
      html.code { 'stats.import("FILE.csv")' }, " of netspace, and every comparison can be "
      .. "repeated. ", html.code { "netspace export" }, " of the store gives more columns." },
    html.pre { tabindex = "0", table.concat(lines) } }
end

return M
