--- Entries of the prompt: what is typed between one `> ` and the next, as code to run, and
-- whether more lines belong to it.

local habits = require "netspace.lib.habits"
local netspace = require "netspace"
local strict = require "netspace.strict"

local M = {}

--- The text of an entry as a chunk: an expression first, then statements.
-- @return the function, whether its results are shown, whether it ends with a `;`; or nil,
-- message, whether more lines can complete it
function M.compile(text, name)
  local expression = text:gsub("^%s*=", "")
  local quiet = expression:find(";%s*$") ~= nil
  local f, message = load("return " .. expression, name, "t")
  if f then -- not as a tail call, which leaves no line to blame
    local bare = expression:gsub(";%s*$", "")
    local kept = load(("return (function(...) return ... end)(%s%s)"):format(bare,
      bare:find("%-%-") and "\n" or ""), name, "t")
    return kept or f, not quiet, quiet
  end
  f, message = load(text, name, "t")
  if f then return f, false, quiet end
  return nil, message, message:sub(-5) == "<eof>" and not habits.is_block(text)
end

--- "?x" and "help x" are help(x) by name, or of what the user called so; nil for other text.
function M.help_request(text)
  local topic = text:match("^%s*%?%s*(.-)%s*$")
    or text:match("^%s*help%s+([%w_][%w_.:%- ]-)%s*$")
  if not topic then return nil end
  local kind = strict.declared[topic] and type(rawget(_G, topic))
  local own = kind and kind ~= "number" and kind ~= "nil" and not netspace._is_public(topic)
  return ("help(%s)"):format((own or topic == "") and topic or ("%q"):format(topic))
end

--- Whether `text` is a command of the prompt, such as ":save FILE".
function M.is_command(text)
  return text:find("^%s*:%s*%a") ~= nil or text:find("^%s*:%s*$") ~= nil
end

--- Whether more lines can make `text` an entry.
function M.incomplete(text)
  if M.help_request(text) or M.is_command(text) then return false end
  local f, _, more = M.compile(text, "=in")
  return not f and more
end

--- What a line makes of the entry that is open: the one that is still open (or nil), and one
-- to evaluate (or nil).  "?x" inside of an entry leaves it open.
function M.advance(pending, line)
  local text = pending and pending .. "\n" .. line or line
  if M.incomplete(text) then return text end
  if pending and M.help_request(line) and not M.compile(text, "=in") then return pending, line end
  return nil, text
end

--- The global names that a statement assigns to: { "A", "B" } of "A, B = f()"; {} of others.
function M.assigned(text)
  local names, list = {}, text:match("^%s*([%a_][%w_,%s]*)=%f[^=]")
  for name in ((list or "") .. ","):gmatch("%s*([^,]-)%s*,") do
    if not name:find("^[%a_][%w_]*$") then return {} end
    names[#names + 1] = name
  end
  return names
end

return M
