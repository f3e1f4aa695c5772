--- The SVG that gnuplot writes, as a small picture that can stand in a page: read element by
-- element and written again, so that only what is known to be drawing passes; no scripts,
-- no ids (several pictures of one page cannot collide), no empty groups, coordinates in
-- tenths, lines of one style in one path.
-- Source: SVG 1.1 (W3C), sections 8.3 (paths) and 5.4 (title and desc).

local clean = require("netspace.lib.label").clean

local M = {}

local function escape(s)
  return (clean(s):gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;",
    ['"'] = "&quot;" }))
end

-- Tenths of a unit as a number, without what is not needed: 120 -> "12", -5 -> "-.5"
local texts = {} -- of those that were asked for already: a picture has few different ones
local function tenths(n)
  local text = texts[n]
  if not text then
    text = n % 10 == 0 and ("%d"):format(n // 10)
      or ("%.1f"):format(n / 10):gsub("^(%-?)0%.", "%1.")
    texts[n] = text
  end
  return text
end

local function round(x) return math.floor(10 * x + 0.5) end

-- Numbers in a row: a minus sign separates as well as a space does.
local function row(...)
  local out = {}
  for i, n in ipairs { ... } do
    local text = tenths(n)
    out[i] = i > 1 and text:sub(1, 1) ~= "-" and " " .. text or text
  end
  return table.concat(out)
end

-- An absolute path of M, L and Z as a relative one in tenths.  Moves at the end go, and runs
-- in one direction become one.
local function relative(d)
  local out, x, y, dx, dy = {}, nil, nil, 0, 0
  local function flush()
    if dx ~= 0 and dy ~= 0 then
      out[#out + 1] = "l" .. row(dx, dy)
    elseif dx ~= 0 then
      out[#out + 1] = "h" .. tenths(dx)
    elseif dy ~= 0 then
      out[#out + 1] = "v" .. tenths(dy)
    end
    dx, dy = 0, 0
  end
  for command, a, b in d:gmatch "([MLZ]) *([%d.+-]*),?([%d.+-]*)" do
    local nx, ny = tonumber(a), tonumber(b)
    if command == "Z" then
      flush()
      out[#out + 1] = "z"
    elseif nx and ny then
      nx, ny = round(nx), round(ny)
      if command == "M" or not x then
        flush()
        if (out[#out] or ""):find "^M" then out[#out] = nil end
        out[#out + 1] = "M" .. row(nx, ny)
      else
        local ax, ay = nx - x, ny - y
        local straight = ay == 0 and dy == 0 and ax * dx >= 0 or ax == 0 and dx == 0
          and ay * dy >= 0
        if not straight then flush() end
        dx, dy = dx + ax, dy + ay
      end
      x, y = nx, ny
    end
  end
  flush()
  if (out[#out] or ""):find "^M" then out[#out] = nil end
  return table.concat(out)
end

-- gnuplot's point symbols by number: the corners, in units of the size; a circle has none.
local corners = {
  [0] = { { -1, 0, 1, 0 }, { 0, -1, 0, 1 } }, { { -1, -1, 1, 1 }, { 1, -1, -1, 1 } },
  [3] = { { -1, -1, 1, -1, 1, 1, -1, 1 }, closed = true },
  [7] = { { 0, -1.33, -1.33, 0.67, 1.33, 0.67 }, closed = true },
  [9] = { { 0, 1.33, -1.33, -0.67, 1.33, -0.67 }, closed = true },
  [11] = { { 0, -1.41, 1.41, 0, 0, 1.41, -1.41, 0 }, closed = true },
}

-- A circle, from its left end on; all of a plot have one size.
local circles = {}
local function circle(x, y, r)
  if not circles[r] then
    circles[r] = ("a%s 0 1 0 %s 0a%s 0 1 0 %s 0z"):format(row(r, r), tenths(2 * r), row(r, r),
      tenths(-2 * r))
  end
  x, y = tenths(x - r), tenths(y)
  return "M" .. x .. (y:byte() == 45 and "" or " ") .. y .. circles[r]
end

local function symbol(number, x, y, size)
  if number == 5 or number == 6 then return circle(round(x), round(y), round(size)) end
  local shape, parts = corners[number] or corners[number - 1], {}
  for k, list in ipairs(shape or {}) do
    local d = {}
    for i = 1, #list, 2 do
      d[#d + 1] = ("%s%.2f,%.2f"):format(i == 1 and "M" or "L", x + size * list[i],
        y + size * list[i + 1])
    end
    parts[k] = relative(table.concat(d, " ")) .. (shape.closed and "z" or "")
  end
  return table.concat(parts)
end

local function colour(text)
  local r, g, b = text:match "rgb%( *(%d+), *(%d+), *(%d+)%)"
  return r and ("#%02x%02x%02x"):format(r, g, b) or text
end

-- The picture as it grows; what has the same style goes into one path, as a list of parts.
local Page = {}
Page.__index = Page

-- Returns the path that d went to.
function Page:draw(style, d)
  local at = self.frame[style]
  if not at and self.last == style then at = #self end
  if not at then
    self[#self + 1] = { style = style, drawn = {} }
    self.last, at = style, #self
    if not self.plots then self.frame[style] = at end
  end
  local path = self[at]
  path[#path + 1] = d
  return path
end

-- A symbol that hides another one of its path, to the tenth, is drawn once.
function Page:stamp(style, d)
  local last = self[#self]
  if self.last == style and last.drawn[d] then return end
  self:draw(style, d).drawn[d] = true
end

function Page:put(text)
  self[#self + 1] = text
  self.last = nil
end

-- Attributes of a tag.
local function read(text)
  local t = {}
  for name, value in text:gmatch "([%w:-]+)%s*=%s*'([^']*)'" do t[name] = value end
  if not text:find('"', 1, true) then return t end
  for name, value in text:gmatch '([%w:-]+)%s*=%s*"([^"]*)"' do t[name] = value end
  return t
end

local handlers = {}

local function is_plot(group)
  return (rawget(group, "id") or ""):find "^gnuplot_plot" ~= nil
end

-- In a plot the order of what is drawn matters; grid and ticks around it are sorted by style.
function handlers.g(page, t)
  local group = setmetatable(t, { __index = page.groups[#page.groups] })
  page.groups[#page.groups + 1] = group
  if is_plot(t) then page.plots = true end
end

local function close_group(page)
  local group = table.remove(page.groups)
  if is_plot(group) then page.plots, page.frame = false, {} end
end

function handlers.path(page, t)
  local group = page.groups[#page.groups]
  local d = relative(t.d or "")
  if not d:find "[hvl]" then return end
  local dash = t.class ~= "gridline" and t["stroke-dasharray"]
  local width = tonumber(group["stroke-width"]) or 1
  page:draw(('fill="none" stroke="%s" stroke-width="%s"%s'):format(
    colour(t.stroke or group.stroke or "black"), tenths(round(width)),
    dash and (' stroke-dasharray="%s"'):format(dash:gsub("%s", "")) or ""), d)
end

function handlers.polygon(page, t)
  local points = (t.points or ""):gsub("([%d.-]+,[%d.-]+)", "L%1"):gsub("^%s*L", "M")
  local opacity = tonumber(t["fill-opacity"]) or 1
  page:draw(('fill="%s"%s'):format(colour(t.fill or "black"),
    opacity < 1 and (' fill-opacity="%g"'):format(opacity) or ""), relative(points) .. "z")
end

function handlers.use(page, t)
  local number = tonumber((t["xlink:href"] or t.href or ""):match "gpPt(%d+)")
  local x, y, size = (t.transform or ""):match
    "translate%(([%d.-]+), *([%d.-]+)%) scale%(([%d.]+)%)"
  if not (number and x and size) then return end
  local filled = number > 3 and number % 2 == 0 and number ~= 0
  local ink = colour(t.color or "black")
  page:stamp(filled and ('fill="%s"'):format(ink)
    or ('fill="none" stroke="%s" stroke-width="1"'):format(ink),
    symbol(number, tonumber(x), tonumber(y), tonumber(size)))
end

function handlers.text(page, _, content)
  local group = page.groups[#page.groups]
  local x, y = (group.transform or ""):match "translate%(([%d.-]+), *([%d.-]+)%)"
  content = content:match("^%s*(.-)%s*$"):gsub(">", "&gt;") -- gnuplot escapes & and <
  if not x or content == "" then return end
  local turn = group.transform:match "rotate%(([%d.-]+)%)"
  local position = turn and (' transform="translate(%s %s)rotate(%s)"'):format(
      tenths(round(x)), tenths(round(y)), turn)
    or (' x="%s" y="%s"'):format(tenths(round(x)), tenths(round(y)))
  local anchor, size, weight = group["text-anchor"], tonumber(group["font-size"]),
    group["font-weight"]
  page:put(("<text%s%s%s%s>%s</text>"):format(position,
    anchor and anchor ~= "start" and (' text-anchor="%s"'):format(anchor) or "",
    size and size ~= page.size and (' font-size="%g"'):format(size) or "",
    weight and weight ~= "normal" and (' font-weight="%s"'):format(weight) or "", content))
end

local skipped = { defs = true, title = true, desc = true }

--- @tparam string text what gnuplot's terminal svg wrote
-- @tparam table o title, about (what it shows, for who cannot see it), font, and the size of
--   most texts
function M.tidy(text, o)
  local page = setmetatable({ groups = { {} }, frame = {}, size = o.size }, Page)
  local skip
  for close, tag, more, content in text:gmatch "<(/?)(%a+)([^>]*)>([^<]*)" do
    if skip then
      if close == "/" and tag == skip then skip = nil end
    elseif skipped[tag] then
      skip = tag
    elseif close == "/" then
      if tag == "g" and #page.groups > 1 then close_group(page) end
    elseif handlers[tag] then
      handlers[tag](page, read(more), content)
    end
  end
  local width, height = text:match 'viewBox="0 0 (%d+) (%d+)"'
  local out = { ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" '
    .. 'height="%s" role="img" aria-label="%s" font-family="%s" font-size="%g">'):format(
    width, height, width, height, escape(o.title), escape(o.font), o.size),
    ("<title>%s</title>"):format(escape(o.title)), ("<desc>%s</desc>"):format(escape(o.about)),
    ('<rect width="%s" height="%s" fill="#fff"/>'):format(width, height) }
  for _, item in ipairs(page) do
    out[#out + 1] = type(item) == "string" and item
      or ('<path %s d="%s"/>'):format(item.style, table.concat(item))
  end
  out[#out + 1] = "</svg>\n"
  return table.concat(out, "\n")
end

return M
