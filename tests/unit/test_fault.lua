-- Calls of the system that fail in the middle of what people run: a sample of the points, one for
-- each kind of call and error, in one of the scenarios after another.  tests/torture/fault.sh
-- walks over all of them.
package.path = "tests/unit/?.lua;tests/fault/?.lua;" .. package.path
local t = require "tap"
local scenarios = require "scenarios"
local walk = require "walk"

local w = walk.new()
t.ok(w:points("write", scenarios[1]) > 20, "the writes of a sweep are seen")
t.ok(w:points("sync", scenarios[2]) > 2, "and what a resume syncs")
local of = {}
for i, s in ipairs(scenarios) do of[s] = i end
w:walk(function(k, n, way, s)
  return k == math.ceil(n * (0.3 + 0.06 * of[s])) and way.place % #scenarios + 1 == of[s]
end, function(name, what) t.ok(not what, name, what) end, function(way, s)
  return way.place % #scenarios + 1 == of[s]
end)
w:close()
t.done()
