--- Pictures on the terminal we have: asks what it can show, once, and writes what gnuplot draws
-- as plot/graphics.lua has it.

local escape = require "netspace.lib.escape"
local gnuplot = require "netspace.plot.gnuplot"
local graphics = require "netspace.plot.graphics"
local layout = require "netspace.plot.layout"
local screen = require "netspace.core.screen"
local sys = require "netspace.core.sys"

local M = {}

local PATIENCE = 1000  -- milliseconds a terminal may take to answer
local AROUND = 200     -- and, after tmux has, the one around it
local CELL = { 8, 16 } -- pixels of a cell where nobody tells

M.kinds = { "auto", "kitty", "sixel", "text" }

local known -- what the terminal has answered

local function ask()
  if known then return known end
  local term = os.getenv "TERM" or ""
  if term == "" or term == "dumb" or not (sys.isatty(0) and sys.isatty(1)) then return {} end
  local tmux = escape.in_tmux()
  local reply = screen.ask(graphics.question(tmux), PATIENCE, tmux and AROUND or 0)
  if not reply then return {} end -- keys are waiting: another time
  known = graphics.read(reply)
  if known.typed ~= "" then screen.give_back(known.typed) end
  return known
end

--- How a picture is shown: what is asked for, or what the terminal can.
function M.kind(asked)
  if asked ~= "auto" then return asked end
  local t = ask()
  return t.kitty and "kitty" or t.sixel and "sixel" or "text"
end

-- Pixels of a cell.
local function cell()
  local width, height = screen.cell()
  if width > 0 and height > 0 then return width, height end
  if known and known.width then return known.width, known.height end
  return CELL[1], CELL[2]
end

--- Writes a picture into a box of cells; true, or nil and why it cannot be drawn.
-- @tparam string kind "kitty" or "sixel"
function M.show(picture, kind, columns, rows)
  local page, tmux = layout.of(picture), escape.in_tmux()
  local cell_width, cell_height = cell()
  local width
  columns, rows, width = graphics.fit(page.height / page.width, cell_width, cell_height, columns,
    rows)
  local bytes, message = gnuplot.draw(picture, kind == "kitty" and "png" or "sixel", width)
  if not bytes then return nil, message end
  io.stdout:write(kind == "kitty" and graphics.kitty(bytes, columns, rows, tmux)
    or graphics.sixel(bytes, rows, tmux and not (known and known.sixel)))
  io.stdout:flush()
  return true
end

return M
