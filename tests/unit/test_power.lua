-- The power is cut at a sample of the moments of a sweep.  tests/torture/power.sh has all of them.
package.path = "tests/unit/?.lua;tests/fault/?.lua;" .. package.path
local t = require "tap"
local power = require "power"

local p = power.record()
local n = #p.operations
t.ok(n > 100, "what a sweep does to files is written down", n)
local ways = 24
for way = 1, ways do
  local k = way * n // ways
  local what = p:try(k, way, way % 6 == 0)
  t.ok(not what, ("the power is cut after %d of %d operations"):format(k, n), what)
end
local lost = 0
for way = 1, 6 do lost = lost + (p:try(n, way, false, true) and 1 or 0) end
t.ok(lost > 0, "a disk that does not sync would lose results")
p:close()
t.done()
