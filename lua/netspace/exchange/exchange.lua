--- What other programs have and take: exchange.pycls, and `netspace import`.

local options = require "netspace.lib.options"
local pycls = require "netspace.exchange.pycls"

local M = { pycls = { read = pycls.read, write = pycls.write } }

local function say(text, ...)
  io.stderr:write("netspace: ", text:format(...), "\n")
end

--- netspace import FILE.yaml: the network and the recipe, and what has no counterpart.
function M._import(args)
  local path = args[1]
  if #args ~= 1 or path:sub(1, 1) == "-" then
    if path and path:sub(1, 1) == "-" then
      say("import does not know '%s'%s", path, options.hint(path, { "--help" }))
    else
      io.stderr:write "usage: netspace import FILE.yaml\n"
    end
    return 2
  end
  local good, job = pcall(pycls.read, path)
  if not good then
    say("%s", tostring(job))
    return 1
  end
  print(job)
end

return M
