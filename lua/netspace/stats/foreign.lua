--- What the readers of foreign files share: how they refuse, and how they show what they
-- were given.

local json = require "netspace.lib.json"

local M = {}

-- What travels from deep inside to the caller as nil, message.
local Refusal = {}

--- Gives the file up, for a reason that names the line or entry, the column and the value.
function M.refuse(...) error(setmetatable({ (...):format(select(2, ...)) }, Refusal), 0) end

--- The reason, if `err` was raised by refuse.
function M.reason(err) return getmetatable(err) == Refusal and err[1] or nil end

--- A value of a file as short text without control characters.
function M.shown(v)
  local text
  if type(v) == "table" then
    local good, encoded = pcall(json.encode, v)
    text = good and encoded or "a list or object"
  else
    text = tostring(v)
  end
  text = text:gsub("[%c\x80-\xff]", function(c) return ("\\x%02x"):format(c:byte()) end)
  return #text > 40 and text:sub(1, 40) .. "…" or text
end

--- A finite number of the field `what` at `at` ("line 3"), or the file is given up.
function M.number(at, what, v)
  if type(v) ~= "number" or v ~= v or v == math.huge or v == -math.huge then
    M.refuse("%s, %s: %s is not a %snumber", at, what, M.shown(v),
      type(v) == "number" and "finite " or "")
  end
  return v
end

return M
