-- The long walk of tests/torture/fault.sh: every point, every way to fail.
package.path = "tests/unit/?.lua;tests/fault/?.lua;" .. package.path
local t = require "tap"
local walk = require "walk"

io.stdout:setvbuf "line"
local w = walk.new()
w:walk(function(k) return k % (tonumber(arg[1]) or 1) == 0 end,
  function(name, what) t.ok(not what, name, what) end)
w:close()
t.done()
