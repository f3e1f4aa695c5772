-- Decoders for the tests: what a terminal is sent, as pixels.
--   local image = images.png(bytes)      image.width, image.height, image:at(x, y) -> "#rrggbb"
-- PNG of 8 bits, RGB or RGBA, not interlaced; sixels with colours in RGB percent.
local zlib = require "zlib"

local M = {}

local function image(width, height, at)
  local function distance(a, b)
    local sum = 0
    for i = 2, 6, 2 do
      sum = sum + math.abs(tonumber(a:sub(i, i + 1), 16) - tonumber(b:sub(i, i + 1), 16))
    end
    return sum
  end
  local t = { width = width, height = height }
  function t:at(x, y) return at(x, y) end -- from 0
  -- How many pixels are within `near` of a colour.
  function t:count(colour, near)
    local n, is = 0, {}
    for y = 0, height - 1 do
      for x = 0, width - 1 do
        local c = at(x, y) or "#000000"
        if is[c] == nil then is[c] = distance(c, colour) <= (near or 12) end
        if is[c] then n = n + 1 end
      end
    end
    return n
  end
  return t
end

function M.unbase64(text)
  local value, out = {}, {}
  for i, c in utf8.codes "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" do
    value[c] = i - 1
  end
  for a, b, c, d in text:gmatch "(.)(.)(.)(.)" do
    local n = 0
    for _, letter in ipairs { a, b, c, d } do n = n << 6 | (value[letter:byte()] or 0) end
    local bytes = string.char(n >> 16, n >> 8 & 255, n & 255)
    out[#out + 1] = bytes:sub(1, c == "=" and 1 or d == "=" and 2 or 3)
  end
  return table.concat(out)
end

local function paeth(a, b, c)
  local p = a + b - c
  local pa, pb, pc = math.abs(p - a), math.abs(p - b), math.abs(p - c)
  return pa <= pb and pa <= pc and a or pb <= pc and b or c
end

function M.png(bytes)
  assert(bytes:sub(1, 8) == "\137PNG\r\n\26\n", "no PNG")
  local at, data, width, height, each = 9, {}, nil, nil, nil
  while at < #bytes do
    local size, kind = (">I4c4"):unpack(bytes, at)
    local body = bytes:sub(at + 8, at + 7 + size)
    if kind == "IHDR" then
      local depth, colour
      width, height, depth, colour = (">I4I4BB"):unpack(body)
      assert(depth == 8 and (colour == 2 or colour == 6), "another kind of PNG")
      each = colour == 2 and 3 or 4
    elseif kind == "IDAT" then
      data[#data + 1] = body
    end
    at = at + 12 + size
  end
  local raw, rows, before = zlib.inflate()(table.concat(data)), {}, {}
  for y = 0, height - 1 do
    local from = y * (width * each + 1) + 1
    local filter, row = raw:byte(from), {}
    for i = 1, width * each do
      local x = raw:byte(from + i)
      local a, b, c = row[i - each] or 0, before[i] or 0, before[i - each] or 0
      if i <= each then c = 0 end
      row[i] = (x + (filter == 1 and a or filter == 2 and b or filter == 3 and (a + b) // 2
        or filter == 4 and paeth(a, b, c) or 0)) & 255
    end
    rows[y], before = row, row
  end
  return image(width, height, function(x, y)
    local row, i = rows[y], x * each
    return ("#%02x%02x%02x"):format(row[i + 1], row[i + 2], row[i + 3])
  end)
end

--- The PNG of an image, 8 bits RGB; what has no colour is white.
function M.to_png(t)
  local crc_of = {}
  for i = 0, 255 do
    local c = i
    for _ = 1, 8 do c = c & 1 == 1 and 0xedb88320 ~ (c >> 1) or c >> 1 end
    crc_of[i] = c
  end
  local function chunk(kind, data)
    local crc = 0xffffffff
    for i = 1, #kind + #data do
      local byte = i <= 4 and kind:byte(i) or data:byte(i - 4)
      crc = crc_of[(crc ~ byte) & 255] ~ (crc >> 8)
    end
    return (">I4"):pack(#data) .. kind .. data .. (">I4"):pack(crc ~ 0xffffffff)
  end
  local rows = {}
  for y = 0, t.height - 1 do
    local row = { "\0" }
    for x = 0, t.width - 1 do
      local c = t:at(x, y) or "#ffffff"
      row[x + 2] = c:sub(2):gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)
    end
    rows[y + 1] = table.concat(row)
  end
  return "\137PNG\r\n\26\n" .. chunk("IHDR", (">I4I4BBBBB"):pack(t.width, t.height, 8, 2, 0, 0, 0))
    .. chunk("IDAT", (zlib.deflate(9)(table.concat(rows), "finish"))) .. chunk("IEND", "")
end

function M.sixel(bytes)
  local body = assert(bytes:match "\27P[%d;]*q(.*)\27\\", "no sixels")
  local width, height = body:match '^"%d+;%d+;(%d+);(%d+)'
  width, height = tonumber(width), tonumber(height)
  local colours, pixels, colour, x, y, i = {}, {}, nil, 0, 0, body:find "#"
  while i <= #body do
    local c = body:sub(i, i)
    if c == "#" then
      local n, r, g, b, next_at = body:match("^#(%d+);2;(%d+);(%d+);(%d+)()", i)
      if not n then n, next_at = body:match("^#(%d+)()", i) end
      colour, i = n, next_at
      if r then
        colours[n] = ("#%02x%02x%02x"):format((r * 255 + 50) // 100 | 0, (g * 255 + 50) // 100 | 0,
          (b * 255 + 50) // 100 | 0)
      end
    elseif c == "$" or c == "-" then
      x, y, i = 0, c == "-" and y + 6 or y, i + 1
    elseif c == "\n" or c == "\r" then
      i = i + 1
    else
      local n, next_at = body:match("^!(%d+)()", i)
      i = next_at or i
      local bits = body:byte(i) - 63
      assert(bits >= 0 and bits < 64, "no sixel")
      for k = 0, 5 do
        if bits >> k & 1 == 1 then
          for j = x, x + (n or 1) - 1 do pixels[(y + k) * width + j] = colours[colour] end
        end
      end
      x, i = x + (n or 1), i + 1
    end
  end
  return image(width, height, function(px, py) return pixels[py * width + px] end)
end

return M
