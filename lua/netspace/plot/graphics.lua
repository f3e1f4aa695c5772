--- Pictures in terminals, as bytes: the question what a terminal can show, its answer, and the
-- pixels by the protocol of kitty or as sixels.  Pure; plot/image.lua talks to the terminal.
--
--   graphics.read("\27_Gi=31;OK\27\\\27[?62;4c")   --> { kitty = true, sixel = true, … }
--
-- Sources: kitty, Terminal graphics protocol (querying support: the answer comes before that to
-- DA1, or never); xterm, Control Sequences (DA1: attribute 4 is sixel; XTWINOPS 16).

local escape = require "netspace.lib.escape"

local M = {}

local CHUNK = 4096 -- letters of base 64 in one sequence of kitty
local ASK = "\27_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\27\\"

--- What to write, before screen.ask: whether kitty's protocol is known, the size of a cell, DA1.
function M.question(tmux)
  return (tmux and escape.passthrough(ASK) or ASK) .. "\27[16t\27[c"
end

--- What an answer says: kitty, sixel (booleans), width and height of a cell in pixels or nil,
-- answered (whether there was one to DA1), and what in it was typed.
function M.read(reply)
  local t = { kitty = false, sixel = false, answered = false }
  t.typed = reply:gsub("\27_G([^\27]*)\27\\", function(text)
    if text:find "^i=31[,;]" and text:find ";OK$" then t.kitty = true end
    return ""
  end):gsub("\27%[6;(%d+);(%d+)t", function(height, width)
    t.height, t.width = math.tointeger(tonumber(height)), math.tointeger(tonumber(width))
    return ""
  end):gsub("\27%[%?([%d;]*)c", function(attributes)
    t.answered = true
    local class = true -- the first number is what the terminal is
    for n in attributes:gmatch "%d+" do
      if n == "4" and not class then t.sixel = true end
      class = false
    end
    return ""
  end)
  return t
end

--- The cells a picture of this shape (height / width) takes of a box, and its pixels.
-- @treturn integer columns, rows, width and height in pixels
function M.fit(shape, cell_width, cell_height, columns, rows)
  local width = columns * cell_width
  if width * shape > rows * cell_height then width = rows * cell_height / shape end
  width = math.max(1, width // 1) | 0
  local height = math.max(1, width * shape // 1) | 0
  return (width + cell_width - 1) // cell_width | 0, (height + cell_height - 1) // cell_height | 0,
    width, height
end

-- Room for so many rows, what draws in it from its first cell on, and the cursor below.
local function in_rows(rows, sequences)
  return ("\n"):rep(rows) .. ("\27[%dA\r\0277"):format(rows) .. sequences
    .. ("\0278\27[%dB\r"):format(rows)
end

--- A PNG by kitty's protocol, in so many cells.
function M.kitty(png, columns, rows, tmux)
  local text, out = escape.base64(png), {}
  for at = 1, #text, CHUNK do
    local last = at + CHUNK > #text
    local keys = at == 1 and ("a=T,f=100,q=2,C=1,c=%d,r=%d,"):format(columns, rows) or "q=2,"
    local sequence = ("\27_G%sm=%d;%s\27\\"):format(keys, last and 0 or 1,
      text:sub(at, at + CHUNK - 1))
    out[#out + 1] = tmux and escape.passthrough(sequence) or sequence
  end
  return in_rows(rows, table.concat(out))
end

--- Sixels, as gnuplot writes them, in so many rows; through: past tmux, which knows none.
function M.sixel(bytes, rows, through)
  bytes = bytes:match "\27P.*\27\\" or bytes
  return in_rows(rows, through and escape.passthrough(bytes) or bytes)
end

return M
