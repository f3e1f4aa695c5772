-- A directory for the files of a test, and writing into it.
--   local dir, write = require "scratch" "import"
local uv = require "luv"

return function(name)
  local dir = assert(uv.fs_mkdtemp("/tmp/netspace-" .. name .. "-XXXXXX"))
  return dir, function(file, text)
    local path = dir .. "/" .. file
    local f <close> = assert(io.open(path, "wb"))
    f:write(text)
    return path
  end
end
