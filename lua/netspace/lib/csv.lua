--- Reading CSV as RFC 4180 has it, of unknown origin: quoted cells with doubled quotes and
-- line breaks, LF or CRLF, a byte order mark, commas, semicolons or tabs.
--
--   for line, cells in csv.rows('a,b\n1,"x,y"\n') do print(line, cells[2]) end

local M = {}

--- What separates the cells of a header: the most frequent of , ; and tab outside quotes.
function M.separator(text)
  local header = text:match("^[^\r\n]*"):gsub('"[^"]*"', "")
  local best, most = ",", 0
  for _, c in ipairs { ",", ";", "\t" } do
    local _, n = header:gsub(c, c)
    if n > most then best, most = c, n end
  end
  return best
end

local function count_lines(text, from, to)
  local n = 0
  while true do
    local at = text:find("\n", from, true)
    if not at or at > to then return n end
    n, from = n + 1, at + 1
  end
end

-- The quoted cell whose quote is at `at`: its text, and where it ends; or nil, a message.
local function quoted(text, at)
  local from = at + 1
  while true do
    local quote = text:find('"', from, true)
    if not quote then return nil, "a quoted cell that is never closed" end
    if text:byte(quote + 1) ~= 34 then
      return (text:sub(at + 1, quote - 1):gsub('""', '"')), quote + 1
    end
    from = quote + 2
  end
end

--- The rows of `text` as an iterator of (line, cells), with the line each begins on, from 1;
-- empty lines are left out.  Raises a table { line =, message = } where it is no CSV.
function M.rows(text, separator)
  local at = text:sub(1, 3) == "\xef\xbb\xbf" and 4 or 1
  separator = separator or M.separator(text:sub(at))
  local plain = "^[^\r\n\"" .. separator .. "]*()"
  local line = 1
  local function fail(message) error({ line = line, message = message }, 0) end

  local function row()
    local cells, began = {}, line
    while true do
      if text:byte(at) == 34 then -- "
        local cell, last = quoted(text, at)
        if not cell then fail(last) end
        line = line + count_lines(text, at, last - 1)
        cells[#cells + 1], at = cell, last
      else
        local last = text:match(plain, at)
        cells[#cells + 1], at = text:sub(at, last - 1), last
      end
      local c = text:sub(at, at)
      if c == separator then
        at = at + 1
      elseif c == "" or c == "\n" or c == "\r" then
        at = at + (text:sub(at, at + 1) == "\r\n" and 2 or 1)
        line = line + 1
        return began, cells
      elseif c == '"' then
        fail("a quote inside a cell that does not begin with one")
      else
        fail("text after a closing quote")
      end
    end
  end

  return function()
    while at <= #text do
      local began, cells = row()
      if #cells > 1 or cells[1] ~= "" then return began, cells end
    end
  end
end

return M
