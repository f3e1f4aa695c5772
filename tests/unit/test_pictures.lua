-- Pictures of every kind: what each shows of known data, the script that gnuplot gets, the
-- SVG that comes of it, evil names, and a gnuplot that fails, hangs or is not there.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local plot = require "netspace.plot.plot"
local space = require "netspace.space.space"
local stats = require "netspace.stats.stats"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp(uv.os_tmpdir() .. "/netspace-test-XXXXXX"))
local function contents(path)
  local f = io.open(path, "rb")
  local s = f and f:read "a"
  if f then f:close() end
  return s or ""
end
local function script(p)
  assert(p:save(dir .. "/x.gp"))
  return contents(dir .. "/x.gp")
end
-- The numbers of a data block, row by row.
local function data(text, name)
  local rows = {}
  for line in text:match("%$" .. name .. " << EOD\n(.-)EOD\n"):gmatch "[^\n]+" do
    local row = {}
    for word in line:gmatch "%S+" do row[#row + 1] = tonumber(word) or 0 / 0 end
    rows[#rows + 1] = row
  end
  return rows
end

local function network(d, w, b, g) return arch.anynet { d = d, w = w, b = b or 1, g = g or 8 } end
local A = { name = "A", errors = { 50, 40, 45, 100, 60, 41 }, models = {
  network({ 1, 2 }, { 16, 32 }), network({ 2, 3 }, { 16, 64 }), network({ 1, 1 }, { 24, 32 }, 2),
  network({ 4, 4 }, { 8, 16 }), network({ 1, 6 }, { 16, 16 }, 2, 4),
  network({ 2, 2 }, { 32, 64 }) } }
local B = { name = "B", errors = { 30, 35, 32 }, models = { A.models[1], A.models[2],
  A.models[6] } }

-- Scatter.
local p = plot.scatter({ A, B }, "w[2]")
local text = script(p)
t.is(#data(text, "p1s2"), 5, "the finished models are points")
t.is(data(text, "p1s2")[2][1], 64, "at their property")
t.is(data(text, "p1s3")[1][1], 16, "a failed one is apart")
local band = stats.bootstrap(A, "w[2]", { exact = true })
t.ok(data(text, "p1s1")[1][1] == band.lo and data(text, "p1s1")[2][1] == band.hi, "the band")
t.is(data(text, "p1s4")[1][1], band.median, "the line at its median")
t.ok(data(text, "p1s5")[1][1] == 64 and data(text, "p1s5")[1][2] == 40, "the best model")
t.ok(text:find("× failed", 1, true) and p:text():find "A .- B", "two panels, named")
t.is(select(2, script(plot.scatter({ A, B }, { "d", "w[1]" })):gsub("\nplot ", "")), 4,
  "a panel for each population and property")
local kinds = script(plot.scatter(A, { { "kind of model", function(m)
  return m.d[2] > 2 and "deep" or "it's flat"
end } }))
t.ok(kinds:find("set xtics nomirror out scale 0.4 offset 0,0.3 ('deep' 1, 'it'.\"\\047\".'s flat' 2)",
  1, true) and kinds:find("'kind of model'", 1, true), "categories and labels of functions")
t.ok(plot.scatter(A, "b"):text { ascii = true }:find "\n +1 +2\n", "b is categorical")
t.is(tostring(plot.scatter(A, "e_fit")):match "e_fit", "e_fit", "e_fit is a property")

-- Panels.
local both = plot.panels { plot.edf { A, B, title = "EDFs" }, plot.scatter(A, "d"), columns = 1 }
t.ok(both:text():find "^EDFs\n" and both:text():find "\n +d$", "panels of several plots")
t.is(select(2, script(both):gsub("\nplot ", "")), 2, "in one file")

-- Widths.
text = script(plot.widths "RegNetX-200MF")
local dots, rings, line = data(text, "p1s2"), data(text, "p1s3"), data(text, "p1s1")
t.ok(#dots == 13 and dots[1][2] == 24 and dots[13][2] == 368, "a dot for each block")
t.ok(#rings == 4 and rings[3][1] == 2 and rings[3][2] == 152, "a ring where a stage starts")
t.near(line[13][2], 24 + 12 * 36.44, 1e-6, "the line of equation 2")
t.ok(text:find("'w_0 24, w_a 36.44, w_m 2.49'", 1, true), "its parameters")
t.ok(plot.widths { "RegNetX-200MF", A.models[1] }:text():find "w 16,32", "networks of any kind")
text = script(plot.profiles(A, { best = 2, worst = 1, fit = true }))
t.ok(#data(text, "p1s1") == 5 and #data(text, "p1s3") == 4 and #data(text, "p2s1") == 7,
  "profiles: the two best, and the worst that has not failed")
t.ok(text:find("'e 40.0  d 2,3  w 16,64  g 8, b 1'", 1, true), "their legend")
local fit = arch.fit(A.models[2])
t.is(data(text, "p1s2")[1][2], fit.w_0, "dashed, the nearest RegNet")
t.is(select(2, script(plot.profiles(A, { worst = 2 })):gsub("\nplot ", "")), 1, "one side alone")
text = script(plot.overlay(A, { best = 2 }))
local lines, trend = data(text, "p1s1"), data(text, "p1s2")
t.ok(#lines == 5 + 1 + 4 + 1 and lines[6][1] ~= lines[6][1], "overlay: parted by NaN")
local x, y = { 0, 1, 2, 3, 4, 0, 1, 2, 3 }, { 16, 16, 64, 64, 64, 32, 32, 64, 64 }
local f = stats.regress(x, y, { form = "affine" })
t.near(trend[5][2], f.a + 4 * f.b, 1e-6, "and the least-squares line")

-- Trends, scaling, search, training.
local regimes = {}
for i = 1, 3 do
  local models = space.RegNetX:sample(12, { seed = i, image = 32, flops = { 2 ^ i * 4e6,
    2 ^ i * 8e6 } })
  local errors = {}
  for k = 1, 12 do errors[k] = 50 - 5 * i + k * 7 % 12 end
  regimes[i] = { name = "r" .. i, errors = errors, models = models,
    columns = { images_per_s = { 500 / i, 400 / i, 300 / i } } }
end
text = script(plot.trend(regimes, { "d", "w_m" }))
local bands = stats.trend(regimes, "w_m")
t.near(data(text, "p2s1")[2][2], bands[2].lo, 1e-9, "trend: the band")
t.near(data(text, "p2s2")[3][2], bands[3].median, 1e-9, "its median")
text = script(plot.scaling(regimes))
local rows = stats.scaling(regimes)
local at = data(text, "p1s4")[10]
t.near(at[2], rows[1].fit(at[1] * 1e6) / 1000, 1e-3 * at[2], "scaling: the fit of acts, M and k")
t.is(#data(text, "p3s1"), 3, "the time of models whose speed is known")
t.is(data(text, "p3s2")[1][2], 4, "in milliseconds")
text = script(plot.fit({ 1, 4, 9 }, { 2, 4, 6 }, { form = "sqrt", x = "fl%s", y = "acts" }))
t.ok(text:find("'a √fl%s, R² 1.00'", 1, true), "a fit of lists, under their names")
t.near(data(text, "p1s2")[61][2], 2 * data(text, "p1s2")[61][1] ^ 0.5, 1e-6, "and its line")
text = script(plot.search { A, B })
local search = stats.search(B)
t.near(data(text, "p1s4")[2][2], search.mean[2], 1e-7, "search: the mean")
t.near(data(text, "p1s2")[1][3], search.hi[1], 1e-7, "and the band")
local learning = { { index = 1, curve = { 80, 60, 50 } }, { index = 2, curve = { 70, 65, 40 } },
  { index = 7, curve = { 90 }, status = "diverged" }, { index = 8, curve = {} } }
text = script(plot.training(learning))
t.is(data(text, "p1s2")[2][2], 65, "training: a diverged model counts in the median")
t.is(data(text, "p1s3")[3][2], 40, "the best")
t.ok(text:find("'model 2, best at the end'", 1, true) and text:find("'3 models'", 1, true),
  "named by their number")
text = script(plot.training({ { index = 1, train_loss = { 2, 1 } } }, { what = "train_loss" }))
t.ok(text:find("'training loss'", 1, true), "the loss")

-- Errors.
t.fails(function() plot.scatter(A, "ww") end, "plot.scatter: unknown property 'ww' (did you",
  "a property that is none")
t.fails(function() plot.scatter({ errors = {}, models = {} }, "d") end, "entry 1", "no models")
t.fails(function() plot.panels { 3 } end, "item 1 is a number, not a plot", "no plot")
t.fails(function() plot.widths "RegNetX-300MF" end, "zoo has no network", "no network")
t.fails(function() plot.profiles(A, { best = -1 }) end, "best is -1", "a negative number")
t.fails(function() plot.overlay(A, { bst = 1 }) end, "did you mean 'best'?", "misspelt")
t.fails(function() plot.trend(A, "block") end, "plot.trend: model 1: the property is x", "text")
t.fails(function() plot.training {} end, "no model has ended an epoch", "nothing trained")
t.fails(function() plot.training({ { 1 } }, { what = "train_lss" }) end,
  "did you mean 'train_loss'?", "an unknown curve")
t.fails(function() plot.edf { A, band = "dwk" } end, 'band is "dwk"', "an unknown band")

-- Files.  Names from anywhere never run, never break out, and are shown as they are.
local trap = dir .. "/trap"
local names = { ("`touch %s`"):format(trap), ("$(touch %s)"):format(trap),
  ("\"; system('touch %s')\n"):format(trap), "'@macro 'it''s' \\", "<script>alert(1)</script>&amp;",
  "\xff\xfe\0\27[31m", ("x"):rep(5000), "${HOME} %s {/Symbol a}^2", "EOD\nEOD" }
local evil = {}
for i, name in ipairs(names) do
  evil[i] = plot.panels { plot.edf { { name = name, errors = A.errors }, title = name },
    plot.scatter({ name = name, errors = A.errors, models = A.models }, { { name, function(m)
      return m.d[1] > 1 and name or "other"
    end } }), plot.search { { name = name, errors = A.errors } }, title = name }
end
local function balanced(svg)
  local open = {}
  for close, tag, empty in svg:gmatch "<(/?)(%a+)[^>]-(/?)>" do
    if close == "/" then
      if table.remove(open) ~= tag then return false end
    elseif empty == "" then
      open[#open + 1] = tag
    end
  end
  return #open == 0
end
if os.execute "command -v gnuplot >/dev/null" then
  for i, picture in ipairs(evil) do
    local svg, why = picture:svg()
    t.ok(svg and balanced(svg) and not svg:find "<script" and not svg:gsub("\n", ""):find "%c",
      "evil name " .. i, why)
  end
  t.is(io.open(trap), nil, "no name has run")
  t.ok(evil[1]:svg():find("`touch", 1, true) and evil[4]:svg():find("'@macro 'it''s' \\ ", 1,
    true), "they are shown")
  t.ok(evil[5]:svg():find("&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;", 1, true), "escaped")
  for name, picture in pairs { scatter = p, panels = both, widths = plot.widths "RegNetY-8.0GF",
    profiles = plot.profiles(A), overlay = plot.overlay { A, B }, search = plot.search { A },
    trend = plot.trend(regimes, "d"), scaling = plot.scaling(regimes),
    training = plot.training(learning) } do
    local svg, why = picture:svg()
    t.ok(svg and balanced(svg) and not svg:find " id=" and not svg:find "href", name, why)
    t.is(picture:svg(), svg, "the same every time")
  end
  local hundred = { band = true }
  for i = 1, 6 do
    hundred[i] = { name = "AnyNetX_" .. i, errors = {} }
    for k = 1, 100 do hundred[i].errors[k] = 30 + i + k * k % 997 / 50 end
  end
  t.ok(#plot.edf(hundred):svg() < 30000, "six EDFs of a hundred models are small")
  -- Points: one that hides another is drawn once, and ten times as many take ten times as long.
  local svgs = require "netspace.plot.svg"
  local function points(n, each)
    local out = { '<svg viewBox="0 0 360 240"><g id="gnuplot_plot_1">' }
    for i = 1, n do
      out[i + 1] = ("<use xlink:href='#gpPt5' transform='translate(%.1f,%.1f) scale(2.00)' "
        .. "color='rgb(0, 0, 0)'/>"):format(each and i // 200 / 10 or 10, i % 200)
    end
    out[#out + 1] = "</g></svg>"
    local text, began = table.concat(out, "\n"), os.clock()
    local svg = svgs.tidy(text, { title = "t", about = "a", font = "f", size = 11 })
    return select(2, svg:gsub("M", "")), os.clock() - began
  end
  t.is(points(400), 200, "a symbol that hides another is drawn once")
  local few, many = math.huge, math.huge
  for _ = 1, 3 do few = math.min(few, select(2, points(3000, true))) end
  for _ = 1, 2 do many = math.min(many, select(2, points(30000, true))) end
  t.ok(many < 40 * few, "the time a picture takes is proportional to its points",
    ("%.0f ms for 3,000, %.0f ms for 30,000"):format(1000 * few, 1000 * many))
  for _, kind in ipairs { "png", "pdf" } do
    t.ok(both:save(dir .. "/y." .. kind) and #contents(dir .. "/y." .. kind) > 1000, kind)
  end
  -- The script that is written draws by itself.
  assert(both:save(dir .. "/z.gp"))
  local f = io.popen(("gnuplot -d -e 'set terminal svg' '%s/z.gp' 2>&1"):format(dir))
  t.ok(f:read "a":find "</svg>", "a saved script draws the picture")
  f:close()
end

-- A gnuplot that fails: what was there before stays.
local path = os.getenv "PATH"
local function with_gnuplot(shell, f)
  local file = assert(io.open(dir .. "/gnuplot", "w"))
  file:write("#!/bin/sh\nPATH='", path, "'\n", shell, "\n")
  file:close()
  uv.fs_chmod(dir .. "/gnuplot", tonumber("755", 8))
  uv.os_setenv("PATH", dir)
  local a, b = f()
  uv.os_setenv("PATH", path)
  return a, b
end
local function save() return p:save(dir .. "/kept.svg") end
local file = assert(io.open(dir .. "/kept.svg", "w"))
file:write "before"
file:close()
local good, why = with_gnuplot("cat >/dev/null; echo half; echo 'no font' >&2; exit 3", save)
t.ok(good == nil and why:find "gnuplot ended with exit status 3: no font", "it fails", why)
good, why = with_gnuplot("echo early >&2; exit 1", save)
t.ok(good == nil and why:find "exit status 1: early", "it does not read", why)
good, why = with_gnuplot("kill -9 $$", save)
t.ok(good == nil and why:find "signal 9", "it is killed", why)
good, why = with_gnuplot("cat >/dev/null", save)
t.ok(good == nil and why:find "drew nothing", "it draws nothing", why)
t.is(contents(dir .. "/kept.svg"), "before", "the file is as it was")

-- Ctrl-C while it hangs.
file = assert(io.open(dir .. "/hang.lua", "w"))
file:write(('plot.edf{ { 40, 50 } }:save("%s/kept.svg")'):format(dir))
file:close()
local status
with_gnuplot(("echo $$ >'%s/pid'; exec sleep 100"):format(dir), function()
  local child = uv.spawn(os.getenv "NETSPACE" or "./netspace", { args = { "-q", "--no-init",
    dir .. "/hang.lua" }, stdio = {} }, function(n) status = n end)
  local timer = uv.new_timer()
  timer:start(10, 10, function()
    if contents(dir .. "/pid"):find "\n" then
      child:kill "sigint"
      timer:close()
    end
  end)
  uv.run()
  child:close()
end)
t.is(status, 130, "Ctrl-C while gnuplot hangs")
t.ok(not uv.kill(tonumber(contents(dir .. "/pid")), 0), "which is ended with it")
t.is(contents(dir .. "/kept.svg"), "before", "and the file is as it was")

for name in uv.fs_scandir_next, uv.fs_scandir(dir) do uv.fs_unlink(dir .. "/" .. name) end
uv.fs_rmdir(dir)
t.done()
