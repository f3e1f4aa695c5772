-- Memory that is short: a sample of the allocations fails.  tests/torture/memory.sh has thousands.
package.path = "tests/unit/?.lua;tests/fault/?.lua;" .. package.path
local t = require "tap"
local starve = require "starve"

local w = starve.new()
w:walk(tonumber(arg[1]) or 200, function(name, what) t.ok(not what, name, what) end)
w:close()
t.done()
