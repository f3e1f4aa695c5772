--- What keys of the monitor want of the world: files, the clipboard, images, and telling the sweep.

local controls = require "netspace.sweep.controls"
local copy = require "netspace.monitor.copy"
local edf = require "netspace.monitor.views.edf"
local escape = require "netspace.lib.escape"
local fold = require "netspace.lib.fold"
local image = require "netspace.plot.image"
local ledgers = require "netspace.store.ledger"
local property = require "netspace.monitor.views.property"
local sys = require "netspace.core.sys"
local uv = require "luv"
local verdicts = require "netspace.monitor.views.verdict"

local M = {}

local PUMP = 50 -- milliseconds a sweep of this process may have to wait for us

-- A file name that says of what and when, without what a name may not have, and is new.
local function file_name(path, view)
  local base = path:match "[^/]*$":gsub("%.[^.]*$", "")
  local what = view.detail and "model" or view.view
  local name = ("%s-%s-%s"):format(base, what, os.date "%Y%m%d-%H%M%S")
  local free, n = name, 1
  while uv.fs_stat(free .. ".txt") do
    n = n + 1
    free = ("%s-%d"):format(name, n)
  end
  return free
end

local plots = { edf = edf.plot, property = property.plot }

-- Writes the view to a text file, and what gnuplot can draw as SVG too; says what it did.
local function write_files(s, view, c)
  local name = file_name(s.path, view)
  local f, message = io.open(name .. ".txt", "w")
  if not f then return "cannot write " .. message end
  f:write(table.concat(c:lines(), "\n"), "\n")
  local verdict = view.view == "edf" and not view.detail and verdicts.text(s, view)
  if verdict then f:write(fold.text(verdict, math.max(60, view.width)), "\n") end
  f:close()
  local text = ("written: %s.txt"):format(name)
  local picture = not view.detail and plots[view.view] and plots[view.view](s, view)
  if not picture then return text end
  local good, why = picture:save(name .. ".svg")
  return good and text .. " and .svg" or ("%s; no SVG: %s"):format(text, why)
end

local function send(path, want, view)
  local good, message = controls.send(path, want, view.about)
  return good and ("asked the sweep: %s"):format(view.asked) or message
end

-- Asks the sweep at work; where nobody is, the failed models wait for the next one.
local function retry(path, view)
  local population = view.about
  local good, n = pcall(ledgers.retry, path, { name = population })
  if good and n.failed == 0 then
    return population .. " has no failed models; those that diverged are results"
  elseif good then
    return ("%d of %s queued again; `netspace resume %s` trains them"):format(n.failed, population,
      path)
  end
  if getmetatable(n) == ledgers.Failure and n.kind == "busy" then
    return send(path, "retry", view)
  end
  return tostring(n)
end

-- Leaves the full screen to show an image on the terminal itself, until a key is pressed.
local function show_image(s, view, window)
  local picture = not view.detail and plots[view.view] and plots[view.view](s, view)
  if not picture then return "EDFs and properties can be images; this view has none" end
  local kind = image.kind(sys.graphics())
  if kind == "text" then
    return "this terminal shows no images (kitty's protocol, sixel); s writes an SVG"
  end
  local width, height = window:size()
  window:leave()
  local _, why = picture:show { graphics = kind, width = width, height = height - 2 }
  io.stdout:write "any key goes back"
  io.stdout:flush()
  repeat uv.run "nowait" until window:pressed(PUMP) or sys.interrupted()
  io.stdout:write "\n"
  window:enter()
  return why and "no image: " .. why or nil
end

-- Whether tmux passes the clipboard of its programs on; true outside of tmux, where nobody says.
local function clipboard_taken()
  if not escape.in_tmux() then return true end
  local f = io.popen "tmux show-options -sv set-clipboard 2>/dev/null"
  local value = f and f:read "l"
  if f then f:close() end
  return value == "on"
end

local function copy_text(s, view, c)
  local text, what = copy.text(s, view, c, view.height >= 16 and 4 or 2)
  io.stdout:write(escape.clipboard(text, escape.in_tmux()))
  io.stdout:flush()
  if clipboard_taken() then return "copied " .. what end
  return ("sent %s to the terminal (tmux: set -g set-clipboard on)"):format(what)
end

--- Does what view.want says, and says in view.said what came of it.
function M.act(s, view, c, window)
  local want = view.want
  view.want = nil
  if want == "snapshot" then
    view.said = write_files(s, view, c)
  elseif want == "copy" then
    view.said = copy_text(s, view, c)
  elseif want == "picture" then
    view.said = show_image(s, view, window)
  elseif want == "retry" then
    view.said = retry(s.path, view)
  else
    view.said = send(s.path, want, view)
  end
end

return M
