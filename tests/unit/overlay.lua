-- Makes workers run a worker.lua of a test's own: the real one, as M, with `code` after it.
--   require "overlay" (directory, code)
local uv = require "luv"

return function(dir, code)
  local lua = assert(package.searchpath("netspace.worker", package.path)):match("^(.*)/netspace/")
  assert(os.execute(("mkdir -p %s/netspace && ln -sf %s/netspace/*.lua %s/netspace && rm "
    .. "%s/netspace/worker.lua"):format(dir, lua, dir, dir)))
  local f = assert(io.open(dir .. "/netspace/worker.lua", "w"))
  f:write(("local M = dofile(%q)\n%s\nreturn M\n"):format(lua .. "/netspace/worker.lua", code))
  f:close()
  uv.os_setenv("NETSPACE_PATH", dir)
end
