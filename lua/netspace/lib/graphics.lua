--- Pictures in terminals, as bytes: the question what a terminal can show, its answer, and the
-- pixels by the protocol of kitty or as sixels.  Pure; display.lua talks to the terminal.
--
--   graphics.read("\27_Gi=31;OK\27\\\27[?62;4c")   --> { kitty = true, sixel = true, … }
--
-- Sources: kitty, Terminal graphics protocol (querying support: the answer comes before that to
-- DA1, or never); xterm, Control Sequences (DA1: attribute 4 is sixel; XTWINOPS 16); DEC VT330/340
-- programmer reference (sixels); Bayer 1973 (ordered dithering).

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

--- A picture by kitty's protocol, in so many cells: a PNG, or a page (mosaic.lua).
function M.kitty(picture, columns, rows, tmux)
  local bytes, form = picture, "f=100"
  if type(picture) == "table" then
    local pixels = {}
    for i = 1, picture.width * picture.height do
      pixels[i] = picture[i] and (">I3B"):pack(picture[i], 255) or "\0\0\0\0"
    end
    bytes = table.concat(pixels)
    form = ("f=32,s=%d,v=%d"):format(picture.width, picture.height)
  end
  local text, out = escape.base64(bytes), {}
  for at = 1, #text, CHUNK do
    local last = at + CHUNK > #text
    local keys = at == 1 and ("a=T,%s,q=2,C=1,c=%d,r=%d,"):format(form, columns, rows) or "q=2,"
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

-- Thresholds of a 4×4 block, between 0 and 1.
local bayer = { 0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5 }

local CUBE, GRAYS = 6, 64 -- levels of each of three colours, and of gray

-- The number of a colour in the palette: a cube of 216, or grays; with ordered dithering.
local function register(rgb, gray, threshold)
  local function level(v, levels) return (v * (levels - 1) / 255 + threshold) // 1 | 0 end
  if gray then return level(rgb & 255, GRAYS) end
  return level(rgb >> 16, CUBE) * CUBE * CUBE + level(rgb >> 8 & 255, CUBE) * CUBE
    + level(rgb & 255, CUBE)
end

local function palette(gray)
  local out = {}
  local function percent(v, levels) return (100 * v / (levels - 1) + 0.5) // 1 | 0 end
  for n = 0, (gray and GRAYS or CUBE ^ 3) - 1 do
    local r, g, b
    if gray then
      r = percent(n, GRAYS)
      g, b = r, r
    else
      r, g, b = percent(n // CUBE ^ 2, CUBE), percent(n // CUBE % CUBE, CUBE),
        percent(n % CUBE, CUBE)
    end
    out[#out + 1] = ("#%d;2;%d;%d;%d"):format(n, r, g, b)
  end
  return table.concat(out)
end

-- The sixels of one colour in a band of six rows: `bits` by column, the same ones in a row once.
local function runs(bits, width)
  local out, x = {}, 1
  while x <= width do
    local from, v = x, bits[x] or 0
    while x <= width and (bits[x] or 0) == v do x = x + 1 end
    local letter, n = string.char(63 + v), x - from
    out[#out + 1] = n > 3 and ("!%d%s"):format(n, letter) or letter:rep(n)
  end
  return (table.concat(out):gsub("!%d+%?$", ""))
end

--- The sixels of a page (mosaic.lua); where it has no pixel nothing is drawn.
function M.sixels(page)
  local width, height, gray = page.width, page.height, page.gray
  local out = { ('\27P0;1q"1;1;%d;%d'):format(width, height), palette(gray) }
  for top = 0, height - 1, 6 do
    local bands, order = {}, {}
    for y = top, math.min(top + 5, height - 1) do
      for x = 1, width do
        local rgb = page[y * width + x]
        if rgb then
          local n = register(rgb, gray, (bayer[y % 4 * 4 + (x - 1) % 4 + 1] + 0.5) / 16)
          if not bands[n] then
            bands[n], order[#order + 1] = {}, n
          end
          bands[n][x] = (bands[n][x] or 0) | 1 << (y - top)
        end
      end
    end
    local lines = {}
    for i, n in ipairs(order) do lines[i] = ("#%d%s"):format(n, runs(bands[n], width)) end
    out[#out + 1] = table.concat(lines, "$") .. "-"
  end
  return table.concat(out) .. "\27\\"
end

return M
