--- The elements of a JSON array, one after the other, from a text that comes in pieces: a file
-- of any size needs the memory of its largest element.  The array is the whole text, or one of
-- the values of an object whose values are arrays ({"top": […], "mid": […]}).
--
--   local f = io.open "sweep.json"
--   elements.each(function() return f:read(1 << 20) end, function(text, n, key) … end)

local M = {}

M.MOST = 64 << 20 -- bytes of an element
M.DEEPEST = 500 -- lists and objects in each other

-- Raised by what follows: the element (or nil) and what is wrong.
local function fail(s, ...)
  error({ entry = s.n > 0 and s.n or nil, message = (...):format(select(2, ...)) }, 0)
end

-- Reads on, drops what lies before s.at; false at the end of the text.
local function more(s)
  local piece = s.read()
  if not piece then return false end
  s.text, s.at = s.text:sub(s.at) .. piece, 1
  return true
end

-- The next character that is no blank, at s.at; "" at the end of the text.
local function peek(s)
  while true do
    local at = s.text:find("[^ \t\r\n]", s.at)
    if at then
      s.at = at
      return s.text:sub(at, at)
    end
    s.at = #s.text + 1
    if not more(s) then return "" end
  end
end

local function seen(c)
  if c == "" then return "the end of the file" end
  local function hex(x) return ("\\x%02x"):format(x:byte()) end
  return ("'%s'"):format(c:gsub("[%c\x80-\xff]", hex))
end

local function cut_off(s) fail(s, "the file ends before it is complete; was it cut off?") end

-- The object that begins at s.at, where it is all there, has no escapes, and few brackets: found
-- by the matcher of brackets, and held against the same text without its strings.
local function plain(s)
  local text = s.text:match("^%b{}", s.at)
  if not text or text:find("\\", 1, true) then return nil end
  local bare = text:gsub('"[^"]*"', "")
  if bare:find('"', 1, true) or bare:match "^%b{}" ~= bare then return nil end
  if select(2, bare:gsub("[%[{]", "")) > M.DEEPEST then return nil end
  s.at = s.at + #text
  return text
end

-- Where the value that begins at s.at ends: its text, which is not looked at any closer.
local function value(s)
  local whole = plain(s)
  if whole then return whole end
  local at, depth, quoted = s.at, 0, false
  while true do
    local i = s.text:find(quoted and '["\\]' or depth > 0 and '["%[%]{}]' or '["%[%]{},:]', at)
    if not i then
      local done = math.max(at, #s.text + 1) - s.at
      if done > M.MOST then
        fail(s, "it is larger than %d MB; split the file, or leave out what is not needed",
          M.MOST >> 20)
      end
      if not more(s) then cut_off(s) end
      at = s.at + done
    else
      local c = s.text:sub(i, i)
      at = i + 1
      if c == '"' then
        quoted = not quoted
      elseif c == "\\" then
        at = i + 2
      elseif c == "[" or c == "{" then
        depth = depth + 1
        if depth > M.DEEPEST then
          fail(s, "more than %d lists and objects in each other", M.DEEPEST)
        end
      else
        if depth == 0 then at = i end -- the bracket or comma after a plain value
        if c == "]" or c == "}" then depth = depth - 1 end
      end
      if not quoted and depth <= 0 and (c == "]" or c == "}" or at == i) then
        local text = s.text:sub(s.at, at - 1)
        s.at = at
        return text
      end
    end
  end
end

local function array(s, each, key)
  s.at = s.at + 1
  if peek(s) == "]" then
    s.at = s.at + 1
    return
  end
  repeat
    peek(s)
    s.n = s.n + 1
    each(value(s), s.n, key)
    local c = peek(s)
    s.at = s.at + 1
    if c == "" then cut_off(s) end
    if c ~= "," and c ~= "]" then
      fail(s, "%s follows where a comma or ] belongs", seen(c))
    end
  until c == "]"
end

local function object(s, each)
  s.at = s.at + 1
  repeat
    if peek(s) ~= '"' then fail(s, "%s where the name of a list belongs", seen(peek(s))) end
    local key = value(s):match('^"([^"\\]*)"%s*$')
    if not key or peek(s) ~= ":" then fail(s, "the name of a list is malformed") end
    s.at = s.at + 1
    if peek(s) ~= "[" then fail(s, "'%s' is no list: %s", key, seen(peek(s))) end
    array(s, each, key)
    local c = peek(s)
    s.at = s.at + 1
    if c == "" then cut_off(s) end
    if c ~= "," and c ~= "}" then fail(s, "%s follows where a comma or } belongs", seen(c)) end
  until c == "}"
end

--- each(text, n, key) for the elements, n from 1 through the whole text, key the name of the
-- list in an object.  Raises a table { entry = n or nil, message = } where it is no such text.
-- @tparam function read  the next piece of the text, or nil at its end
function M.each(read, each)
  local s = { read = read, text = "", at = 1, n = 0 }
  while #s.text < 3 and more(s) do end
  if s.text:sub(1, 3) == "\xef\xbb\xbf" then s.at = 4 end
  local c = peek(s)
  if c == "[" then
    array(s, each)
  elseif c == "{" then
    object(s, each)
  else
    fail(s, "it begins with %s, not with a list", seen(c))
  end
  if peek(s) ~= "" then
    s.n = 0
    fail(s, "text after the end of the list: %s", seen(peek(s)))
  end
end

return M
