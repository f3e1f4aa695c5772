-- A directory for the files of a test, writing into it, and reading the file at a path.
--   local dir, write, read = require "scratch" "import"
local uv = require "luv"

return function(name)
  local dir = assert(uv.fs_mkdtemp("/tmp/netspace-" .. name .. "-XXXXXX"))
  return dir, function(file, text)
    local path = dir .. "/" .. file
    local f <close> = assert(io.open(path, "wb"))
    f:write(text)
    return path
  end, function(path)
    local f <close> = assert(io.open(path, "rb"))
    return f:read "a"
  end
end
