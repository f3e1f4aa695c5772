--- Are matrix products and kernels right on this machine?  Some OpenBLAS releases compute wrong
-- products on processors newer than they are, so a sweep asks before it starts.

local sys = require "netspace.core.sys"

local checked -- "right", or what is wrong, once known

--- Found out once a process.
-- @treturn boolean, and what is wrong
return function()
  if not checked then
    local right, why = sys.check_blas()
    if right then right, why = sys.check_kernels() end
    checked = right and "right" or why
  end
  return checked == "right", checked
end
