--- What the targets written in Lua share: what a message must be, and a folder in memory.
local uv = require "luv"

local M = {}

-- What Lua and our code say where the code is wrong.
local mistakes = { "netspace/[%w_/]+%.lua:%d+:", "stack traceback", "attempt to", "bad argument #%d+ to" }

--- A message for people: not empty, and none of those, unless the input has the words.
function M.clear(message, input)
  if type(message) ~= "string" or message == "" then return false end
  for _, words in ipairs(mistakes) do
    if message:find(words) and not (input and input:find(words)) then return false end
  end
  return true
end

--- Calls f(…) on something made of `input`: what it returns, or nothing where it says clearly that it cannot.  Anything else is
-- a finding.
function M.answer(what, input, f, ...)
  local arguments = table.pack(...)
  local results = table.pack(pcall(function() -- a line of a user, for messages that name it
    local got = table.pack(f(table.unpack(arguments, 1, arguments.n)))
    return table.unpack(got, 1, got.n)
  end))
  local message = results[1] and results[3] or results[2]
  if results[1] and results[2] ~= nil then return table.unpack(results, 2, results.n) end
  if not M.clear(message, input) then
    error(("%s: no clear message: %s"):format(what, tostring(message)), 0)
  end
end

local folder
local execute = os.execute
setmetatable(M, { __gc = function()
  if folder then execute("rm -rf " .. folder) end
end })

--- Writes the file NAME in a folder in memory; its path.
function M.file(name, bytes)
  folder = folder or assert(uv.fs_mkdtemp "/dev/shm/netspace-fuzz-XXXXXX")
  local path = folder .. "/" .. name
  local f = assert(io.open(path, "wb"))
  assert(f:write(bytes))
  f:close()
  return path
end

return M
