-- The long walk of tests/torture/fault.sh: every point, every way to fail, or of each STEP of them
-- the one that is numbered FIRST (from 0).
--   netspace tests/fault/all.lua [STEP [FIRST]]     prints TAP, and the number of points
package.path = "tests/unit/?.lua;tests/fault/?.lua;" .. package.path
local t = require "tap"
local walk = require "walk"

io.stdout:setvbuf "line"
local step, first = tonumber(arg[1]) or 1, tonumber(arg[2]) or 0
local w, seen, walked = walk.new(), 0, 0
w:walk(function()
  seen = seen + 1
  return seen % step == first
end, function(name, what)
  walked = walked + 1
  t.ok(not what, name, what)
end)
w:close()
print(("# %d of %d points"):format(walked, seen))
t.done()
