--- What the terminal we have can show: asked once, and pictures written to it as graphics.lua
-- has them.

local escape = require "netspace.lib.escape"
local graphics = require "netspace.lib.graphics"
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

--- Whether ASCII is asked for by the environment.
function M.ascii_asked()
  local asked = os.getenv "NETSPACE_ASCII"
  return asked ~= nil and asked ~= "" and asked ~= "0"
end

--- Colours that text on the terminal may have: 0, 8, 16, 256, or 2^24 where it has them all.
function M.colours()
  if not sys.color(1) then return 0 end
  local all = os.getenv "COLORTERM"
  if all == "truecolor" or all == "24bit" then return 1 << 24 end
  return math.max(screen.colours(), 8)
end

--- Pixels of a cell: width, height.
function M.cell()
  local width, height = screen.cell()
  if width > 0 and height > 0 then return width, height end
  if known and known.width then return known.width, known.height end
  return CELL[1], CELL[2]
end

--- Writes a picture, in so many cells: for kitty a PNG or a page, else sixels.
function M.write(kind, picture, columns, rows)
  local tmux = escape.in_tmux()
  io.stdout:write(kind == "kitty" and graphics.kitty(picture, columns, rows, tmux)
    or graphics.sixel(picture, rows, tmux and not (known and known.sixel)))
  io.stdout:flush()
end

return M
