-- Errors that say that memory is short.  Who catches errors to go on in another way must not take
-- them for the reason that it expects.
--   local pcall = require("netspace.lib.memory").pcall
local M = {}

--- Whether err, a message of Lua or of the engine, says so.
function M.short(err)
  return type(err) == "string"
    and (err:find("not enough memory", 1, true) or err:find("out of memory", 1, true)) ~= nil
end

local function passed(good, err, ...)
  if not good and M.short(err) then error(err, 0) end
  return good, err, ...
end

--- pcall, but errors of memory that is short are not caught.
function M.pcall(f, ...) return passed(pcall(f, ...)) end

return M
