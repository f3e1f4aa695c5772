--- The text of Lua code that runs: of files, and of what is in no file (entries of the prompt,
-- -e, standard input).  Messages of exceptions quote it; a constraint keeps that of its check.

local M = {}

--- Text of chunks that are in no file, by their source name.
M.texts = {}

--- load() for code that is in no file (nil: what stdin has), whose text is kept.
function M.load(text, name)
  text = text or io.read("a"):gsub("^#[^\n]*", "")
  M.texts[name] = text
  return load(text, name)
end

--- The whole text of a chunk, or nil when it cannot be had.
function M.text_of(source)
  if M.texts[source] or source:sub(1, 1) ~= "@" then return M.texts[source] end
  local f = io.open(source:sub(2))
  local text = f and f:read("a")
  if f then f:close() end
  return text
end

--- The text of one line of a chunk and of all lines before it; nil when it cannot be had.
function M.line_of(source, line)
  local n, start = 0, 1
  local text = M.text_of(source)
  if not text then return nil end
  for from, s in (text .. "\n"):gmatch("()(.-)\n") do
    n, start = n + 1, from
    if n == line then return s, text:sub(1, start - 1) end
  end
end

return M
