--- Section of a report: models that failed or diverged, the reason, and their last output.

local html = require "netspace.report.html"
local widgets = require "netspace.report.widgets"

local M = { id = "failures", title = "Failures" }

local MOST = 25 -- of one population

local function text_of(m)
  local parts = {}
  for i, key in ipairs { "d", "w", "b", "g" } do
    parts[i] = key .. " " .. widgets.list(m[key])
  end
  return table.concat(parts, "; ")
end

local function failure(p, model)
  local how = model.status == "diverged" and "diverged" or "failed"
  local facts = { html.dt { "network" }, html.dd { text_of(p.networks[model.index]) },
    html.dt { "reason" }, html.dd { html.bdi { model.reason or "not known" } } }
  if model.signal then
    table.move({ html.dt { "signal" }, html.dd { html.bdi { model.signal } } }, 1, 2,
      #facts + 1, facts)
  end
  table.move({ html.dt { "reached" }, html.dd { ("epoch %d of %d, attempt %d"):format(model.epoch,
    model.epochs, model.attempt) } }, 1, 2, #facts + 1, facts)
  return html.section { class = "failure", html.h3 { html.bdi { p.label },
    (" #%d %s"):format(model.index, how) }, html.dl { facts },
    model.log and model.log ~= "" and { html.p { "Its last output:" },
      html.pre { tabindex = "0", model.log } } }
end

local function counts(all)
  local rows = {}
  for _, p in ipairs(all.populations) do
    if p.failed + p.diverged > 0 then
      rows[#rows + 1] = { widgets.link(p), tostring(p.n), tostring(p.failed),
        tostring(p.diverged) }
    end
  end
  return widgets.table { align = "hrrr", rows = rows, label = "Failures by population",
    caption = "Failed: its worker died repeatedly or could not train it. Diverged: the loss was no "
      .. "longer a number",
    head = { "population", "models", "failed", "diverged" } }
end

function M.section(all)
  if all.failed + all.diverged == 0 then
    return html.p { "No model failed or diverged." }
  end
  local list = {}
  for _, p in ipairs(all.populations) do
    local shown, more = 0, 0
    for _, model in ipairs(p.models) do
      if model.status == "failed" or model.status == "diverged" then
        if shown < MOST then
          shown = shown + 1
          list[#list + 1] = failure(p, model)
        else
          more = more + 1
        end
      end
    end
    if more > 0 then
      list[#list + 1] = html.p { "And ", tostring(more), " more of ", html.bdi { p.label },
        "; the raw numbers list all of them." }
    end
  end
  return { html.p { "They count as 100 % in every table, curve and comparison." }, counts(all),
    list }
end

return M
