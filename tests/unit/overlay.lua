-- Makes workers run a worker.lua of a test's own: the real one, as M, with `code` after it.
--   require "overlay" (directory, code)
local uv = require "luv"

return function(dir, code)
  local lua = assert(package.searchpath("netspace.sweep.worker", package.path)):match("^(.*)/netspace/")
  local worker = "/netspace/sweep/worker.lua"
  assert(os.execute(("mkdir -p %s && cp -rsf %s/. %s && rm %s"):format(dir, lua, dir,
    dir .. worker)))
  local f = assert(io.open(dir .. worker, "w"))
  f:write(("local M = dofile(%q)\n%s\nreturn M\n"):format(lua .. worker, code))
  f:close()
  uv.os_setenv("NETSPACE_PATH", dir)
end
