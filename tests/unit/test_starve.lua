-- Memory that is short: a sample of the allocations fails.  tests/torture/memory.sh has thousands.
-- Arguments: how many (200), and, of several at a time, which part of how many (2 4).
package.path = "tests/unit/?.lua;tests/fault/?.lua;" .. package.path
local t = require "tap"
local starve = require "starve"

local w = starve.new()
w:walk(tonumber(arg[1]) or 200, function(name, what) t.ok(not what, name, what) end,
  math.tointeger(tonumber(arg[2])), math.tointeger(tonumber(arg[3])))
w:close()
t.done()
