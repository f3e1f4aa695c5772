--- How often the test images of a data set were looked at.  Whoever chooses among networks by
-- their test error sees a better one than he will get, so every net:test is noted: a line of
-- JSON (time, data, test, network, error) in $XDG_STATE_HOME/netspace/tests.jsonl, else
-- ~/.local/state/netspace/tests.jsonl; `data` and `test` are checksums of the data set and of
-- its test images.  Where nobody has a home, or it cannot be written, nothing is counted.

local json = require "netspace.lib.json"
local xdg = require "netspace.lib.xdg"

local M = {}

--- Notes a look: test and data (checksums), network (hash), error (percent).
-- @treturn boolean whether it could be written
function M.note(look)
  local path = xdg.state "tests.jsonl"
  if not path then return false end
  xdg.make_folder(path)
  local f = io.open(path, "a")
  if not f then return false end
  look.time = os.time()
  local good = f:write(json.encode(look), "\n") -- one write: several processes may append
  return f:close() and good ~= nil
end

--- How often the test images with this checksum were looked at, at how many networks, and when
-- last (Unix time); 0, 0 when never.
function M.of(test)
  local path, n, networks, kinds, last = xdg.state "tests.jsonl", 0, {}, 0, nil
  local f = path and io.open(path)
  if not f then return 0, 0 end
  for line in f:lines() do
    local good, look = pcall(json.decode, line)
    if good and type(look) == "table" and look.test == test then
      n, last = n + 1, math.tointeger(look.time)
      local network = tostring(look.network)
      if not networks[network] then kinds = kinds + 1 end
      networks[network] = true
    end
  end
  f:close()
  return n, kinds, last
end

return M
