-- Tables for papers: what the statistics print in columns, as CSV, Markdown and LaTeX.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local csv = require "netspace.lib.csv"
local tabular = require "netspace.lib.tabular"

local rows = stats.table { { name = 'A_1, "x" | 50 %', errors = { 40, 50 } }, { 30, 100 } }
local text = rows:table("csv")
local read = {}
for _, cells in csv.rows(text) do read[#read + 1] = cells end
t.is(#read, 3, "a heading and two rows")
t.is(table.concat(read[1], "|"), "space|n|min %|mean %|median %|failed", "headings")
t.is(read[2][1], 'A_1, "x" | 50 %', "a CSV reads back")
t.is(table.concat(read[3], "|", 2), "2|30.00|65.00|65.00|1", "cells as printed")

local lines = {}
for line in rows:table("markdown"):gmatch("[^\n]+") do lines[#lines + 1] = line end
t.is(#lines, 4, "Markdown: headings, a rule, rows")
t.is(lines[2], "| :--- | ---: | ---: | ---: | ---: | ---: |", "the first column is flush left")
t.is(lines[3], '| A\\_1, "x" \\| 50 % | 2 | 40.00 | 45.00 | 45.00 | 0 |',
  "bars do not split a cell")

local latex = rows:table("latex")
t.ok(latex:find("^\\begin{tabular}{lrrrrr}\n\\hline\nspace & n & min \\%% &"),
  "LaTeX begins", latex)
t.ok(latex:find("A\\_1, \"x\" $|$ 50 \\% & 2 & 40.00 &", 1, true),
  "with what TeX would take for its own", latex)
t.ok(latex:find("\\\\\n\\hline\n\\end{tabular}\n$"), "and ends")

local function latex_of(cell)
  local whole = tabular.write("latex", { { "h" }, { cell } })
  return whole:match("hline\n([^\n]*) \\\\\n\\hline\n\\end")
end
t.is(latex_of "-13.48 to +0.40", "$-13.48$ to $+0.40$", "numbers have a minus sign")
t.is(latex_of "A+b_1, 2-3", "A+b\\_1, 2-3", "other hyphens stay")
t.is(latex_of "< 0.001", "$<$ 0.001", "less than")
t.is(latex_of "{$x^2~\\}#&",
  "\\{\\$x\\textasciicircum{}2\\textasciitilde{}\\textbackslash{}\\}\\#\\&",
  "every special character")
t.is(latex_of "R²", "R\\textsuperscript{2}", "a square")

-- every table of the statistics
local a = { name = "A", errors = { 48, 51, 55, 60, 47, 52 },
  models = space.small.AnyNetXA:sample(6) }
local b = { name = "B", errors = { 40, 42, 45, 47, 39, 44 },
  models = space.small.AnyNetXE:sample(6) }
local function epochs() return stats.epochs { { 90, 50 }, { 80, 60 }, { 85, 40 } } end
for name, make in pairs { alternatives = function() return stats.alternatives(a, { b }) end,
  search = function() return stats.search(a) end, epochs = epochs,
  trend = function() return stats.trend({ a, b }, "d") end,
  scaling = function() return stats.scaling { a, b } end } do
  local x = make()
  local wide = {}
  for _, cells in csv.rows(x:table "csv") do wide[#wide + 1] = #cells end
  t.ok(#wide > 1 and wide[1] == wide[#wide], name .. " as a CSV", table.concat(wide, " "))
  t.ok(x:table("latex"):find("\\begin{tabular}", 1, true)
    and x:table("markdown"):find("| :--- |", 1, true), name .. " for papers")
  t.ok(tostring(x):find "\n", name .. " still prints")
end
t.ok(tostring(epochs()):find("3 models; same order", 1, true), "with what stands below")
t.fails(function() return rows:table "latx" end,
  "table: format is 'latx' (did you mean 'latex'?); it knows csv, markdown and latex")
t.fails(function() return rows:table() end, "table: format is missing")
t.is(require("netspace.lib.tabular").latex "[a] 1", "{[}a] 1", "a bracket after \\\\ is no option")

t.done()
