--- Exceptions that blame the user's line: what our own code raises deep inside gets the position
-- of the line that called the public function.

local M = {}

--- A message without the position in front of it.
function M.bare(message)
  return (message:gsub("^[^\n]-:%d+: ", ""))
end

--- Calls f(…) and returns what it returns.  A string that it raises is raised anew at the caller
-- of the function that called us (level 1; 2: one further out), as say(message) puts it.
-- "interrupted" and what is no string pass as they are, unless say(value) makes a string of it.
-- The function that calls us must stay on the stack: write `return (blame.call(…))`.
function M.call(level, say, f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local err = results[2]
  local message = err ~= "interrupted" and say(err)
  if message then error(message, level + 2) end
  error(err, 0)
end

--- What netspace gave last instead of a value, where a caller may not have looked at the message
-- beside the nil: { what =, message = }.  Shown when the nil is used (prompt/exception.lua) or
-- assigned (prompt/repl.lua, which notes to which names).
M.last = nil

--- Returns nil, message and the rest as they are, and remembers the message.
function M.nothing(what, message, ...)
  M.last = { what = what, message = message }
  return nil, message, ...
end

--- The usual `say`: the message alone.
function M.plainly(err)
  return type(err) == "string" and M.bare(err)
end

return M
