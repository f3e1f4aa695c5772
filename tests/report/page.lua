-- Reports in a real browser: netspace tests/report/page.lua [FOLDER FOR PICTURES]
-- No address is asked for, no script of a store runs, nothing is wider than a phone, and a
-- printer gets what the screen shows.
package.path = "tests/unit/?.lua;tests/report/?.lua;" .. package.path
local t = require "tap"
local browser = require "browser"
local uv = require "luv"

if not browser.find() then
  print "1..0 # SKIP no browser to look at reports with (Debian package chromium)"
  os.exit(0, true)
end

local folder = arg[1] or assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/page-XXXXXX"))
local function at(name) return folder .. "/" .. name end
local function save(name, bytes)
  local f = assert(io.open(at(name), "wb"))
  f:write(bytes)
  f:close()
end

local b = browser.open()
for _, kind in ipairs { "empty", "half", "evil", "windows", "small" } do
  local env = setmetatable({ arg = { [0] = "make_store.lua", at(kind .. ".db"), kind } },
    { __index = _G })
  assert(loadfile("tests/report/make_store.lua", "t", env))()
  assert(report(at(kind .. ".db"), { output = at(kind .. ".html") }))
  local function is(got, want, what) t.is(got, want, kind .. ": " .. what) end
  for _, window in ipairs { { 360, 740, "light" }, { 1200, 900, "dark" } } do
    local width = window[1]
    b:load(at(kind .. ".html"), width, window[2], window[3])
    is(table.concat(b:requests(), " "), "", ("nothing is asked for (%d px)"):format(width))
    is(table.concat(b:complaints(), "\n"), "", ("the console is silent (%d px)"):format(width))
    is(b:eval "document.title", "Design spaces in " .. kind .. ".db", "its title")
    b:eval "document.querySelectorAll('details').forEach(d => d.open = true)"
    t.ok(b:eval "document.documentElement.scrollWidth" <= width,
      ("%s: nothing is wider than %d px"):format(kind, width))
    is(b:eval [[[...document.querySelectorAll('main table, main svg, main pre')].filter(e =>
      !e.closest('.scroll, pre') && e.getBoundingClientRect().right > innerWidth + 1).length]], 0,
      ("what is wide scrolls in its box (%d px)"):format(width))
    if arg[1] then save(("%s-%d-%s.png"):format(kind, width, window[3]), b:screenshot()) end
  end
  is(b:eval "document.scripts.length", 0, "it has no script")
  is(b:eval "document.querySelectorAll('main > section').length",
    kind == "empty" and 0 or kind == "windows" and 9 or 8,
    "its sections")
  is(b:eval [[[...document.querySelectorAll('[href]')].filter(
    e => !document.getElementById(e.getAttribute('href').slice(1))).length]], 0,
    "links lead somewhere on the page")
  local colour = "getComputedStyle(document.body).backgroundColor"
  t.ok(b:eval(colour) ~= "rgb(255, 255, 255)", kind .. ": it is dark in the dark")
  b:load(at(kind .. ".html"), 1200, 900)
  b:call("Emulation.setEmulatedMedia", { media = "print" })
  is(b:eval(colour), "rgb(255, 255, 255)", "and white on paper")
  is(b:eval [[[...document.querySelectorAll('details.origin dl')].filter(
    e => e.getBoundingClientRect().height == 0).length]], 0, "where what is folded is open")
  local pdf = b:pdf()
  t.ok(pdf:find "^%%PDF" and #pdf > 5000, kind .. ": it prints")
  if arg[1] then save(kind .. ".pdf", pdf) end
end
b:close()

if not arg[1] then
  for name in function(s) return uv.fs_scandir_next(s) end, uv.fs_scandir(folder) do
    uv.fs_unlink(at(name))
  end
  uv.fs_rmdir(folder)
end
t.done()
