-- plot: what counts as a curve, its text, sizes, errors.  The drawing itself is tested in
-- tests/unit/test_canvas.c.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local plot = require "netspace.plot.plot"

local function text(list, width, height, ascii)
  return plot.edf(list):text { width = width, height = height, ascii = ascii ~= false }
end

local golden = [[
 1.0+                                b
    |bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb a
 0.5+b                 aaaaaaaaaaaaaaaaa
    |b aaaaaaaaaaaaaaaaa
 0.0+b a
    +--+---------------+---------------+
      40              50              60
                 n    min   mean failed
aaaa a curve 1   4  40.00  62.50      1
bbbb b B       3/5  39.00  45.67      0]]
t.is(text({ { 40, 50, 0 / 0, 60 }, { name = "B", errors = { 39, 39, 59 }, n = 5 } }, 40, 10),
  golden, "two curves; NaN counts as 100 and is named as failed")

local A = { 41, 45, 52 }
t.is(text({ A }, 40, 10), text({ { name = "curve 1", errors = A } }, 40, 10), "list = errors")
t.is(plot.edf(A):text { width = 40, height = 10, ascii = true }, text({ A }, 40, 10),
  "one list without braces around it")
t.is(text({ { 52, 41, 45 } }, 40, 10), text({ A }, 40, 10), "order of errors does not matter")
local edf = require("netspace.stats.stats").edf
t.is(text({ edf(A) }, 40, 10), text({ A }, 40, 10), "an edf value")
t.is(plot.edf(edf(A)):text { width = 40, height = 10, ascii = true }, text({ A }, 40, 10),
  "an edf without braces around it")
t.ok(text({ edf { 41, 45, 100, 54 } }, 60, 10):find "60.00 +1$",
  "failures of an edf value are counted")

local both = text({ { name = "A", errors = A, provisional = { 48 } } }, 40, 10)
t.ok(both:find("..", 1, true), "provisional models are dotted")
t.ok(not text({ A }, 40, 10):find("..", 1, true), "finished ones are not")
t.is(select(2, both:gsub("\n", "\n")), 9, "and take no row of the legend")

t.ok(text({ {} }, 40, 10):find("curve 1 +0 +%- +%-"), "an empty population")
t.ok(text({ { 50 } }, 40, 10):find("50.00 +50.00"), "one model")
t.ok(not text({ A }, 40, 10):find "[\x80-\xff]", "ASCII is ASCII")
t.ok(text({ A }, 40, 10, false):find "⡇", "braille is not")

for _, size in ipairs { { 1, 1 }, { 1, 30 }, { 30, 1 }, { 3, 3 }, { 10, 5 }, { 1000, 2 } } do
  local lines, wide = 0, true
  for line in (text({ A, { 100 }, {} }, size[1], size[2]) .. "\n"):gmatch "(.-)\n" do
    lines, wide = lines + 1, wide and #line <= size[1]
  end
  t.ok(lines == size[2] and wide, ("fits %d x %d"):format(size[1], size[2]))
end
local zoomed = plot.edf { { 10, 41, 90 }, from = 40, to = 45, title = "zoomed in" }
local seen = zoomed:text { width = 60, height = 12, ascii = true }
t.ok(seen:find "^zoomed in\n" and seen:find "40 +41 +42 +43 +44 +45", "title, from and to")
t.ok(plot.edf { { 10, 41, 90 }, from = 80 }:text { width = 60, height = 12, ascii = true }
  :find "\n +80 ", "from alone")
t.is(tostring(zoomed):match "^[^\n]*", "zoomed in", "tostring is the picture")

t.fails(function() plot.edf(3) end, "plot.edf expects a table", "a number")
t.fails(function() plot.edf {} end, "1 to 8 curves, got 0", "nothing")
t.fails(function() plot.edf { A, A, A, A, A, A, A, A, A } end, "1 to 8 curves, got 9", "nine")
t.fails(function() plot.edf { { 1, "x" } } end, "error 2 is a string", "no number")
t.fails(function() plot.edf { A, 3 } end, "item 2 is a number", "no curve")
t.fails(function() plot.edf { A, tilte = "x" } end, "did you mean 'title'?", "unknown option")
t.fails(function() plot.edf { { 40, -1e308 } } end, "error 2 is -1e+308", "no error")
t.fails(function() plot.edf { A, from = -math.huge } end, "from is -inf", "from outside")
t.fails(function() plot.edf { A, from = 50, to = 40 } end, "must be below", "from above to")
t.fails(function() plot.edf { A }:text { width = 0 } end, "width is 0", "width 0")
t.fails(function() plot.edf { A }:text { widht = 80 } end, "did you mean 'width'?", "misspelt")

-- Files, by gnuplot.
local uv = require "luv"
local dir = assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/netspace-test-XXXXXX"))
local function contents(path)
  local f = io.open(path, "rb")
  local s = f and f:read "a"
  if f then f:close() end
  return s or ""
end
local trap = dir .. "/trap"
local nasty = ("it's `touch %s` $(touch %s) \" @x_{y}\nz"):format(trap, trap)
local picture = plot.edf { { name = nasty, errors = A }, {}, { 100, 50 }, title = nasty }
if os.execute "command -v gnuplot >/dev/null" then
  t.is(picture:save(dir .. "/a.svg"), true, "svg")
  local svg = contents(dir .. "/a.svg")
  t.ok(svg:find "^<svg " and svg:find("it's `touch", 1, true) and svg:find("@x_{y} z", 1, true),
    "names are shown as they are")
  t.ok(not svg:find " id=" and not svg:find "href" and not svg:find "<!",
    "nothing that could collide with another picture of a page, or lead out of it")
  t.is(io.open(trap), nil, "and never run")
  t.ok(picture:save(dir .. "/b.svg") and contents(dir .. "/b.svg") == svg, "the same every time")
  t.ok(picture:save(dir .. "/c.png") and contents(dir .. "/c.png"):find "^\x89PNG", "png")
  t.ok(picture:save(dir .. "/d.pdf") and contents(dir .. "/d.pdf"):find "^%%PDF", "pdf")
  local good, why = picture:save(dir .. "/none/e.svg")
  t.ok(good == nil and why:find "none/e.svg cannot be written: no such", "no directory", why)
end
t.is(picture:save(dir .. "/g.gp"), true, "script and data")
do -- for LaTeX: words are escaped, a bracket at the beginning is no option, the time is not in it
  local named = plot.edf { { 40, 50 }, title = "50% of a_b" }
  t.is(named:save(dir .. "/g.tex"), true, "a tikzpicture")
  local text = contents(dir .. "/g.tex")
  t.ok(text:find("\\begin{tikzpicture}", 1, true) == 1, "that begins at once")
  t.ok(text:find("{50\\% of a\\_b}", 1, true) and text:find("\\relax[min$|$", 1, true)
    and not text:find "%-%d%d%d%d", "escaped, and nothing far outside", text)
end
plot.edf { A }:save(dir .. "/h.gp")
t.ok(contents(dir .. "/h.gp"):find "set key at graph", "a key in a free corner")
plot.edf { A, band = true, level = 0.999 }:save(dir .. "/h.gp")
t.ok(contents(dir .. "/h.gp"):find "set key at screen", "below where a band takes them all")
local path = os.getenv "PATH"
uv.os_setenv("PATH", dir)
local good, why = picture:save(dir .. "/f.svg")
uv.os_setenv("PATH", path)
t.ok(good == nil and why:find("Debian package gnuplot-nox", 1, true), "gnuplot missing", why)
t.is(contents(dir .. "/f.svg"), "", "leaves nothing behind")
t.fails(function() picture:save("x.gif") end, "'x.gif' does not end in .svg", "unknown kind")
t.fails(function() picture:save(1) end, "expects a file name", "no file name")
for name in uv.fs_scandir_next, uv.fs_scandir(dir) do uv.fs_unlink(dir .. "/" .. name) end
uv.fs_rmdir(dir)
t.done()
