-- The long walk of tests/torture/power.sh: every operation, three ways.
package.path = "tests/unit/?.lua;tests/fault/?.lua;" .. package.path
local t = require "tap"
local power = require "power"

io.stdout:setvbuf "line"
local p = power.record()
for k = 1, #p.operations do
  for way = 1, 3 do
    local what = p:try(k, way, (3 * k + way) % 10 == 0)
    t.ok(not what, ("the power is cut after %d of %d operations, way %d"):format(k, #p.operations,
      way), what)
  end
end
p:close()
t.done()
