--- Pixels as text: half blocks in true colour or 256 colours, or shades of ASCII; and pages, on
-- which several images stand side by side, for these and for graphics.lua.  Pure.
--
-- A page is { width =, height =, gray =, [1 + y·width + x] = 0xRRGGBB }; where there is no number
-- it is empty.  Colours of 256: the cube and the grays of xterm (xterm, Control Sequences).

local M = {}

local SHADES = " .:-=+*#%@" -- from black to white, two rows of pixels a letter

--- An image as a page of width × height, each pixel the mean of those that it covers.
-- @tparam table image width, height, channels (1 or 3), and its bytes row by row
function M.page(image, width, height)
  local page = { width = width, height = height, gray = image.channels == 1 }
  local n = image.channels
  for y = 0, height - 1 do
    local y0 = y * image.height // height
    local y1 = math.max(y0, ((y + 1) * image.height + height - 1) // height - 1)
    for x = 0, width - 1 do
      local x0 = x * image.width // width
      local x1 = math.max(x0, ((x + 1) * image.width + width - 1) // width - 1)
      local count, rgb = (y1 - y0 + 1) * (x1 - x0 + 1), 0
      for c = 1, 3 do
        local sum, channel = 0, n == 1 and 1 or c
        for sy = y0, y1 do
          for sx = x0, x1 do sum = sum + image[(sy * image.width + sx) * n + channel] end
        end
        rgb = rgb << 8 | (sum + count // 2) // count
      end
      page[y * width + x + 1] = rgb
    end
  end
  return page
end

--- Pages side by side, `gap` empty pixels between them.
function M.beside(pages, gap)
  local width, height, gray = -gap, 0, true
  for _, p in ipairs(pages) do
    width, height, gray = width + gap + p.width, math.max(height, p.height), gray and p.gray
  end
  local all, left = { width = width, height = height, gray = gray }, 0
  for _, p in ipairs(pages) do
    for y = 0, p.height - 1 do
      table.move(p, y * p.width + 1, (y + 1) * p.width, y * width + left + 1, all)
    end
    left = left + p.width + gap
  end
  return all
end

local STEPS = { 0, 95, 135, 175, 215, 255 } -- of the cube

local function distance(r, g, b, r2, g2, b2)
  return (r - r2) ^ 2 + (g - g2) ^ 2 + (b - b2) ^ 2
end

local function step(v)
  return v < 48 and 1 or v < 115 and 2 or math.min((v - 35) // 40 + 1, 6)
end

--- The nearest of xterm's 256 colours, from 16 on.
function M.of_256(rgb)
  local r, g, b = rgb >> 16, rgb >> 8 & 255, rgb & 255
  local i, j, k = step(r), step(g), step(b)
  local gray = math.max(0, math.min(23, ((r + g + b) / 3 - 3) // 10)) | 0
  local v = 8 + 10 * gray
  if distance(r, g, b, v, v, v) < distance(r, g, b, STEPS[i], STEPS[j], STEPS[k]) then
    return 232 + gray
  end
  return 16 + 36 * (i - 1) + 6 * (j - 1) + k - 1
end

-- "38;2;r;g;b", the colour of letters (38) or of the ground (48).
local function code(what, rgb, colours)
  if colours < 1 << 24 then return ("%d;5;%d"):format(what, M.of_256(rgb)) end
  return ("%d;2;%d;%d;%d"):format(what, rgb >> 16, rgb >> 8 & 255, rgb & 255)
end

-- One letter for two pixels, one above the other.
local function half_block(above, below, colours)
  if not above and not below then return "\27[0m " end
  if not above then return ("\27[0;%sm▄"):format(code(38, below, colours)) end
  if not below then return ("\27[0;%sm▀"):format(code(38, above, colours)) end
  return ("\27[%s;%sm▀"):format(code(38, above, colours), code(48, below, colours))
end

local function luminance(rgb) -- ITU-R BT.601
  return 0.299 * (rgb >> 16) + 0.587 * (rgb >> 8 & 255) + 0.114 * (rgb & 255)
end

local function shade(above, below)
  if not above and not below then return " " end
  local v = (luminance(above or below) + luminance(below or above)) / 2
  local n = math.min(#SHADES, 1 + v * #SHADES // 256 | 0)
  return SHADES:sub(n, n)
end

--- A page as lines of text, two rows of pixels a line.
-- @tparam integer colours below 256: shades of ASCII; below 2^24: 256 colours; else all
function M.lines(page, colours)
  local lines = {}
  for y = 0, page.height - 1, 2 do
    local line, before = {}, nil
    for x = 1, page.width do
      local above = page[y * page.width + x]
      local below = y + 1 < page.height and page[(y + 1) * page.width + x] or nil
      if colours < 256 then
        line[x] = shade(above, below)
      else
        local text = half_block(above, below, colours)
        line[x] = text == before and text:match "[^m]*$" or text
        before = text
      end
    end
    local text = table.concat(line)
    lines[#lines + 1] = colours < 256 and text:gsub(" +$", "") or text .. "\27[0m"
  end
  return lines
end

return M
