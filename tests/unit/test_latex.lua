-- LaTeX takes what is written for it: every table of the statistics and every kind of plot, with
-- names full of what TeX reads as its own, and of characters that it lacks, in one document.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"

local function have(command) return os.execute("{ " .. command .. "; } >/dev/null 2>&1") end
if not have "command -v gnuplot && kpsewhich tikz.sty && kpsewhich gnuplot-lua-tikz.sty" then
  t.skip("LaTeX", "pdflatex, TikZ or gnuplot's style for it are not installed")
  t.done()
end

local dir = require "scratch" "latex"
local function path(name) return dir .. "/" .. name end
local function write(name, text)
  local f <close> = assert(io.open(path(name), "w"))
  f:write(text)
end

local a = { name = [[50 % of A_1 & {b} ~ $x^2 #3 \end{document} "<|>" --- ²]],
  errors = { 48, 51, 55, 60, 47, 52 }, models = space.small.AnyNetXA:sample(6) }
local b = { name = "[b] Größe α → 日本 \xff \0 − 3 ≤ é ‘q’ 👩", errors = { 40, 42, 45, 47, 39, 44 },
  models = space.small.AnyNetXE:sample(6) }
local pilot = { name = a.name, errors = {}, models = space.small.AnyNetXA:sample(24) }
for i = 1, 24 do pilot.errors[i] = 40 + i * 7 % 24 end
local curves = { { 90, 50 }, { 80, 60 }, { 85, 40 } }
local awkward = { { a.name, function(m) return m.d[1] end } }

local body = {}
local function add(name, text)
  write(name .. ".tex", text)
  body[#body + 1] = ("\\typeout{at %s}\\input{%s}\\par\n"):format(name, name)
end
for name, x in pairs { table = stats.table { a, b }, alternatives = stats.alternatives(a, { b }),
  search = stats.search(a), epochs = stats.epochs(curves), trend = stats.trend({ a, b }, "d"),
  scaling = stats.scaling { a, b }, plan = stats.plan { pilot = pilot, difference = 1 },
  sensitivity = stats.sensitivity(pilot), boundaries = stats.boundaries { looks = 3 },
  sequential = stats.sequential(a, b, { looks = 1 }) } do
  add(name, x:table "latex")
end
for name, p in pairs { edf = plot.edf { a, b, title = a.name, band = true }, search = plot.search(a),
  scatter = plot.scatter({ a, b }, awkward), trend = plot.trend({ a, b }, "d"),
  scaling = plot.scaling { a, b }, widths = plot.widths(zoo["RegNetX-200MF"]),
  fit = plot.fit({ 1, 4, 9 }, { 2, 4, 7 }, { x = a.name, form = "sqrt" }), training = plot.training(curves),
  profiles = plot.profiles(pilot), overlay = plot.overlay(pilot), effect = plot.effect(pilot, "d"),
  panels = plot.panels { plot.edf { a }, plot.edf { b, title = b.name }, title = b.name } } do
  local to = path("plot-" .. name .. ".tex")
  t.is(p:save(to), true, name .. " is drawn")
  body[#body + 1] = ("\\typeout{at plot-%s}\\input{plot-%s}\\par\n"):format(name, name)
end
write("paper.tex", "\\documentclass{article}\\usepackage{gnuplot-lua-tikz}\n\\begin{document}\n"
  .. table.concat(body) .. "\\end{document}\n")
local good = have(("cd %s && pdflatex -draftmode -interaction=nonstopmode paper"):format(dir))
local log = io.open(path "paper.log", "rb")
local text = log and log:read "a" or ""
if log then log:close() end
local wrong = {}
for line in text:gmatch "[^\n]+" do
  if line:find "^at " or line:find "^!" then wrong[line:find "^!" and #wrong + 1 or "at"] = line end
end
t.ok(good and #wrong == 0, "pdflatex takes all tables and plots",
  (wrong.at or "") .. " " .. table.concat(wrong, "\n"))
t.is(select(2, text:gsub("\nat ", "")), 22, "all of them")
os.execute("rm -rf " .. dir)
t.done()
