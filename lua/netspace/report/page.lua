--- A report as one HTML page that needs nothing else: no script, no address outside.
-- The style is style.lua, the sections are the files named below.

local html = require "netspace.report.html"
local raw = require "netspace.report.raw"
local style = require "netspace.report.style"
local units = require "netspace.lib.units"
local widgets = require "netspace.report.widgets"

local M = {}

local sections = {}
for i, name in ipairs { "populations", "errors", "comparisons", "trials", "properties",
  "trends", "models", "failures", "origins" } do
  sections[i] = require("netspace.report." .. name)
end
sections[#sections + 1] = raw

-- What browsers are told: nothing may be loaded or run, whatever the page holds.
local policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

-- The population and index of the best model, and its error.
local function best_of(all)
  local best
  for _, p in ipairs(all.populations) do
    for i, e in ipairs(p.result.errors) do
      if e < 100 and (not best or e < best.error) then
        best = { error = e, population = p, index = p.result.indices[i] }
      end
    end
  end
  return best
end

local function figures(all)
  local list = {}
  local function add(term, ...)
    list[#list + 1] = html.div { html.dt { term }, html.dd { ... } }
  end
  add("populations", tostring(#all.populations))
  add("models", ("%d: %s"):format(all.total, units.tally(all)))
  local best = best_of(all)
  if best then
    add("best error", widgets.percent(best.error), " %, #", tostring(best.index), " of ",
      widgets.link(best.population))
  end
  if all.updated then add("last event", widgets.time(all.updated)) end
  return html.dl { class = "figures", list }
end

-- What is in it, in a sentence.
local function lead(all)
  local data, seen = {}, {}
  for _, p in ipairs(all.populations) do
    if not seen[p.images] then data[#data + 1] = p.images end
    seen[p.images] = true
  end
  return html.p { class = "lead", ("%s of networks, trained on "):format(
    widgets.count(#all.populations, "population")), html.bdi { table.concat(data, ", ") },
    ": how good are the networks of each design space?" }
end

local function contents(shown)
  local items = {}
  for i, s in ipairs(shown) do items[i] = html.li { html.a { href = "#" .. s.id, s.title } } end
  return html.nav { ["aria-label"] = "Sections", html.ul { items } }
end

local function notes()
  return html.footer {
    html.p { "Errors are percentages of the validation images. The error EDF is F(e), the share of "
      .. "models with an error strictly below e. Flops are multiply-adds. The method is that of "
      .. "Radosavovic, Kosaraju, Girshick, He and Dollár, Designing Network Design Spaces, 2020 "
      .. "(arXiv 2003.13678). Made by netspace; the same store gives the same page." } }
end

--- The page, written by put(text).
-- @param all what collect.take found
-- @param pictures pictures.lua
function M.write(put, all, title, pictures)
  local shown, body, some = {}, {}, #all.populations > 0
  for _, s in ipairs(some and sections or {}) do
    local content = s.section(all, pictures)
    if content then
      shown[#shown + 1] = s
      body[#shown] = html.section { id = s.id, html.h2 { s.title }, content }
    end
  end
  if not some then
    body[1] = html.p { "No sweep has written a population to this store yet." }
  end
  put "<!DOCTYPE html>\n"
  html.write(put, html.html { lang = "en",
    html.head { html.meta { charset = "utf-8" },
      html.meta { ["http-equiv"] = "Content-Security-Policy", content = policy },
      html.meta { name = "viewport", content = "width=device-width, initial-scale=1" },
      html.meta { name = "color-scheme", content = "light dark" },
      html.meta { name = "generator", content = "netspace" },
      html.title { title }, html.style { html.raw(style) } },
    html.body { html.header { html.h1 { html.bdi { title } },
      some and lead(all), figures(all),
      pictures.missing ~= nil and html.p { class = "note", "There are no pictures: ",
        pictures.missing, "." },
      some and contents(shown) }, html.main { body }, notes() } })
  put "\n"
end

return M
