-- A disk that fails in the middle of a sweep or a resume: at a sample of the points where they
-- write, one for each way to fail.  tests/torture/fault.sh walks over all of them.
package.path = "tests/unit/?.lua;tests/fault/?.lua;" .. package.path
local t = require "tap"
local walk = require "walk"

local w = walk.new()
t.ok(w:points("write", false) > 20, "the writes of a sweep are seen")
t.ok(w:points("sync", true) > 2, "and what a resume syncs")
for _, calls in ipairs { "rename", "truncate", "open" } do
  t.ok(w:points(calls, false) > 0, ("a sweep's %ss are seen"):format(calls))
end
w:walk(function(k, n, way, resume)
  return k == math.ceil(n * (resume and 0.7 or 0.4)) and (way.place % 2 == 0) == resume
end, function(name, what) t.ok(not what, name, what) end)
w:close()
t.done()
