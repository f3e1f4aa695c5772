--- Section of a report: the best and the worst models of each population, and what they are
-- made of.  Radosavovic et al. 2020 (arXiv 2003.13678), figures 6 and 8.

local arch = require "netspace.network.arch"
local html = require "netspace.report.html"
local widgets = require "netspace.report.widgets"

local M = { id = "models", title = "Best and worst models" }

local MOST = 5   -- of each end
local DRAWN = 3  -- of them as pictures
local MANY = 20  -- of the best in one picture

-- Equal entries as one.
local function per_stage(list)
  for _, x in ipairs(list or {}) do
    if x ~= list[1] then return widgets.list(list) end
  end
  return widgets.number(list and list[1])
end

-- Trained models from best to worst (failed ones are in a section of their own).
local function ranked(p)
  local list = {}
  for _, model in ipairs(p.models) do
    if model.status == "done" then list[#list + 1] = model end
  end
  table.sort(list, function(a, b)
    return a.error < b.error or a.error == b.error and a.index < b.index
  end)
  return list
end

local function row(p, model, rank)
  local m = p.networks[model.index]
  local cells = { ("%d"):format(rank), ("#%d"):format(model.index), widgets.percent(model.error),
    widgets.list(m.d), widgets.list(m.w), per_stage(m.b), per_stage(m.g),
    widgets.number(model.flops), widgets.number(model.params), widgets.number(model.acts) }
  local r = m.regnet
  cells[#cells + 1] = r and ("w_0 %s, w_a %s, w_m %s"):format(widgets.number(r.w_0),
    widgets.number(r.w_a), widgets.number(r.w_m)) or nil
  return cells
end

local function tables(p, list)
  local rows = {}
  local n = math.min(MOST, #list)
  for rank = 1, n do rows[rank] = row(p, list[rank], rank) end
  for rank = math.max(n + 1, #list - MOST + 1), #list do
    rows[#rows + 1] = row(p, list[rank], rank)
    if #rows == n + 1 then rows[#rows].class = "break" end
  end
  local regnet = rows[1][11]
  local head = { "rank", "model", "error %", "depth d", "width w", "b", "g", "flops", "params",
    "acts" }
  if regnet then head[11] = "RegNet" end
  return widgets.table { align = regnet and "hlrllllrrrl" or "hlrllllrrr", rows = rows, head = head,
    label = ("Best and worst models of %s"):format(p.label),
    caption = { html.bdi { p.label }, (": the best and the worst of its %s; d, w, b and g by "
      .. "stages"):format(widgets.count(#list, "trained model")) } }
end

-- The stages of the best model, as arch.describe has them; nothing for what it refuses.
local function architecture(p, model)
  local m = p.networks[model.index]
  local good, text = pcall(function() return tostring(arch.describe(m)) end)
  if not good then
    if text == "interrupted" then error(text, 0) end
    return false
  end
  return widgets.details(("Stages and layers of the best model, #%d"):format(model.index),
    html.pre { tabindex = "0", text:match "^(.-)\n\n" or text })
end

-- The widths of the best models, of the worst, and of many good ones over each other.
local function profiles(p, list, pictures)
  local n = math.min(DRAWN, #list // 2)
  return html.div { class = "small",
    pictures:profiles(p.result, { best = math.max(1, n), worst = 0 },
      ("The best models of %s, block by block"):format(p.label)),
    n > 0 and pictures:profiles(p.result, { best = 0, worst = n },
      ("The worst models of %s"):format(p.label)),
    #list >= 2 * MANY and pictures:overlay(p.result, { best = MANY },
      ("The %d best models of %s over each other"):format(MANY, p.label)) }
end

function M.section(all, pictures)
  local blocks = {}
  for _, p in ipairs(all.populations) do
    local list = ranked(p)
    if #list > 0 and not p.first then
      blocks[#blocks + 1] = html.section { class = "of-population",
        html.h3 { html.bdi { p.label } }, tables(p, list), profiles(p, list, pictures),
        architecture(p, list[1]) }
    end
  end
  return #blocks > 0 and blocks or html.p { "No model has finished training." }
end

return M
