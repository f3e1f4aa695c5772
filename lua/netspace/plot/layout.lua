--- Where everything of a picture lies, in units of 1/72 of an inch at a column's width: the
-- plots with room for their labels, and each key in a corner that no curve passes, or below
-- its plot when there is none.

local M = {}

M.FONT, M.SMALL = 11, 10 -- of texts and of keys: 7 points in a column 88 mm wide
M.LINE = 13              -- of a key
M.KEY_BELOW = 38         -- from the end of a plot to a key below it

local LEFT, RIGHT, BOTTOM, TOP, TITLE, HEADING = 52, 12, 36, 9, 16, 22
local SAMPLE = 30                   -- of a key: what stands before its text
local CHARACTER = 0.5 * M.SMALL     -- the mean width of one,
local GUESS = 0.62 * M.SMALL        -- and what gnuplot takes it for

-- Where a value lies on an axis: 0 is its lower end, 1 its upper.
local function fraction(a, v)
  if a.log then
    if v <= 0 then return -1 end
    return math.log(v / a.from) / math.log(a.to / a.from)
  end
  return (v - a.from) / (a.to - a.from)
end

-- Calls f(x, y) for points along a series, close enough to each other to miss no corner;
-- values: its y, or an edge of an area.
local function walk(panel, s, values, f)
  local last_x, last_y
  local function go(x, y)
    local n = s.kind == "points" and 1
      or math.ceil(40 * math.min(4, math.max(math.abs(x - last_x), math.abs(y - last_y)))) + 1
    for i = 1, n do f(last_x + (x - last_x) * i / n, last_y + (y - last_y) * i / n) end
    last_x, last_y = x, y
  end
  for i, value in ipairs(s.x) do
    local x, y = fraction(panel.x, value), fraction(panel.y, values[i])
    if x == x and y == y then
      if not last_x then last_x, last_y = x, s.kind == "steps" and 0 or y end
      if s.kind == "steps" then go(x, last_y) end
      go(x, y)
    end
  end
  if s.kind == "steps" and last_x and last_x < 1 then go(1, last_y) end
end

-- The corner of a plot with no curve or edge within w and h of it (shares of the plot), or nil.
local function free_corner(panel, w, h)
  if w > 1 or h > 1 then return nil end
  local hits = { bottom_right = 0, top_right = 0, top_left = 0, bottom_left = 0 }
  for _, s in ipairs(panel.series) do
    for _, values in ipairs(s.y and { s.y } or { s.lo, s.hi }) do
      walk(panel, s, values, function(x, y)
        if x < 0 or x > 1 or y < 0 or y > 1 then return end
        local right, top = x > 1 - w, y > 1 - h
        if right and top then hits.top_right = hits.top_right + 1 end
        if right and y < h then hits.bottom_right = hits.bottom_right + 1 end
        if x < w and top then hits.top_left = hits.top_left + 1 end
        if x < w and y < h then hits.bottom_left = hits.bottom_left + 1 end
      end)
    end
  end
  for _, corner in ipairs { "bottom_right", "top_right", "top_left", "bottom_left" } do
    if hits[corner] == 0 then return corner end
  end
end

-- The key of a panel, or its notes: where, how wide, how many lines it takes below the plot.
local function key_of(panel, plot_width, plot_height, below)
  local sample, names = panel.notes and 4 or SAMPLE, panel.notes or {}
  for _, s in ipairs(panel.series) do
    if s.key or s.name then names[#names + 1] = s.key or s.name end
  end
  if #names == 0 then return nil end
  local longest = utf8.len(panel.key_title or "") - sample / CHARACTER
  local most = (plot_width + RIGHT - sample) // CHARACTER
  for _, name in ipairs(names) do
    longest = math.max(longest, math.min(utf8.len(name) or #name, most))
  end
  local width, above = sample + longest * CHARACTER, panel.key_title and 1 or 0
  local height = (#names + above) * M.LINE
  local corner = not below and free_corner(panel, (sample + longest * GUESS + 14) / plot_width,
    (height + 14) / plot_height)
  if corner then
    return { corner = corner, width = width, height = height, most = most, lines = 0 }
  end
  local columns = math.max(1, math.min(#names, plot_width // (1.3 * width) | 0))
  local rows = (#names + columns - 1) // columns
  return { rows = rows, width = width, height = height, most = most, lines = rows + above }
end

--- The characters of the usual font that fit into a width.
function M.characters(width) return width // (0.56 * M.FONT) end

--- Lays a picture out: { width =, height =, boxes = { left =, right =, top =, bottom =,
-- key = }, … }, from the top left.
function M.of(picture)
  local n = #picture.panels
  local columns = math.min(n, picture.columns or 3)
  local wide = n == 1 or picture.wide
  local w, h = wide and 360 or 270, wide and 240 or 190
  local boxes, y, below = {}, picture.title and HEADING or 0, false
  local function keys()
    for i, panel in ipairs(picture.panels) do
      local key = key_of(panel, w - LEFT - RIGHT, h - BOTTOM - TOP, below)
      boxes[i] = { key = key }
      below = below or key and not key.corner
    end
    return below
  end
  if keys() then keys() end -- where one finds no corner, none takes one
  for first = 1, n, columns do
    local last, lines, title = math.min(n, first + columns - 1), 0, 0
    for i = first, last do
      lines = math.max(lines, boxes[i].key and boxes[i].key.lines or 0)
      if picture.panels[i].title then title = TITLE end
    end
    for i = first, last do
      local x, box = (i - first) * w, boxes[i]
      box.left, box.right = x + LEFT, x + w - RIGHT
      box.top, box.bottom = y + title + TOP, y + title + h - BOTTOM
    end
    y = y + title + h + (lines > 0 and lines * M.LINE + 8 or 0)
  end
  return { width = columns * w, height = y, boxes = boxes }
end

return M
