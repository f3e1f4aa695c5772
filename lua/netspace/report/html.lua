--- HTML made of elements, in which every string is text: markup comes from elements only, so
-- that nothing a store holds (names, logs) can become a tag, an attribute or a script.
--
--   html.write(print, html.p{ class = "note", "a < b, ", html.b{ name } })
--
-- An element's children are strings, numbers, elements, false (nothing), or lists of these.
-- Source: HTML, WHATWG living standard, sections 13.1 (syntax) and 13.3 (serialising).

local M = {}
local Node = {}

-- Elements that are used, and whether they are void: a misspelt one raises.
local elements = {}
for name in ([[html head title style body header nav main section footer h1 h2 h3 h4 p div span b
  ul li dl dt dd table caption thead tbody tr th td details summary pre code figure figcaption
  a time bdi]]):gmatch "%a%w*" do
  elements[name] = "whole"
end
elements.meta, elements.br = "void", "void"

-- Controls U+0080 to 9F, marks of direction, and code points that are no characters.
local forbidden = { "\xC2[\x80-\x9F]", "\xE2\x80[\x8E\x8F\xAA-\xAE]",
  "\xE2\x81[\xA6-\xA9]", "\xEF\xB7[\x90-\xAF]", "\xEF\xBF[\xBE\xBF]",
  "[\xF0-\xF4][\x8F\x9F\xAF\xBF]\xBF[\xBE\xBF]" }

--- Bytes as text that HTML may hold: what is no UTF-8 becomes U+FFFD, as do characters that
-- HTML forbids and those that turn the direction of what follows; a control character
-- becomes its picture (␛).
function M.clean(s)
  s = tostring(s)
  local parts, at = {}, 1
  while at <= #s do
    local good, bad = utf8.len(s, at)
    local stop = good and #s or bad - 1
    parts[#parts + 1] = s:sub(at, stop)
    if not good then parts[#parts + 1] = "\u{FFFD}" end
    at = stop + (good and 1 or 2)
  end
  s = table.concat(parts):gsub("\r\n?", "\n")
  s = s:gsub("[\0-\8\11-\31]", function(c) return utf8.char(0x2400 + c:byte()) end)
  s = s:gsub("\127", "\u{2421}")
  for _, pattern in ipairs(forbidden) do s = s:gsub(pattern, "\u{FFFD}") end
  return s
end

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;",
  ["'"] = "&#39;" }

--- Text as HTML, for the content of elements and of attributes in double quotes.
function M.escape(s)
  return (M.clean(s):gsub("[&<>\"']", entities))
end

local function write(put, x)
  local kind = type(x)
  if kind == "string" or kind == "number" then
    put(M.escape(x))
  elseif kind == "table" and getmetatable(x) ~= Node then
    for _, child in ipairs(x) do write(put, child) end
  elseif kind == "table" and x.raw then
    put(x.raw)
  elseif kind == "table" then
    put("<" .. x.tag)
    for _, name in ipairs(x.names) do
      local value = x.attributes[name]
      put(value == true and " " .. name or (' %s="%s"'):format(name, M.escape(value)))
    end
    put ">"
    if elements[x.tag] == "void" then return end
    -- A line feed right after <pre> would be dropped.
    if x.tag == "pre" then put "\n" end
    for _, child in ipairs(x.children) do write(put, child) end
    put("</" .. x.tag .. ">")
    if x.block then put "\n" end
  elseif x then
    error("html: a " .. kind .. " is neither text nor an element")
  end
end

--- Writes an element, a text or a list of them by put(text).
M.write = write

--- What is HTML already, from our own files or checked (pictures.lua): not for foreign text.
function M.raw(text) return setmetatable({ raw = text }, Node) end

-- Elements that end a line, so that the source of a page can be read.
local blocks = {}
for name in ([[head title style header nav section footer h1 h2 h3 h4 p ul li dl dd table caption
  thead tbody tr details summary pre figure figcaption meta]]):gmatch "%a%w*" do
  blocks[name] = true
end

local function element(tag)
  return function(t)
    local node = { tag = tag, block = blocks[tag], attributes = {}, names = {}, children = {} }
    local most = 0
    for key, value in pairs(t) do
      if math.type(key) == "integer" then
        node.children[key], most = value, math.max(most, key)
      elseif value then
        node.attributes[key] = value
        node.names[#node.names + 1] = key
      end
    end
    for k = 1, most do -- what comes after a nil would be lost
      if node.children[k] == nil then error(("html.%s: child %d is nil"):format(tag, k), 2) end
    end
    table.sort(node.names) -- the same page is the same bytes
    return setmetatable(node, Node)
  end
end

return setmetatable(M, { __index = function(_, tag)
  if not elements[tag] then error(("html has no element '%s'"):format(tostring(tag)), 2) end
  return element(tag)
end })
