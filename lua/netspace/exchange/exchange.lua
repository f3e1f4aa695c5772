--- What other programs have and take: exchange.pycls, and `netspace import`.

local blame = require "netspace.lib.blame"
local options = require "netspace.lib.options"
local pycls = require "netspace.exchange.pycls"
local units = require "netspace.lib.units"

local M = { pycls = { read = pycls.read, write = pycls.write,
  sweep = pycls.sweep } }

local function say(text, ...)
  io.stderr:write("netspace: ", text:format(...), "\n")
end

-- FILE.yaml, and the script of -o; nil for wrong use, which is said.
local function arguments(args)
  local path, to
  local i = 1
  while i <= #args do
    local a = args[i]
    if a == "-o" and args[i + 1] then
      to, i = args[i + 1], i + 1
    elseif a == "-o" then
      say "the name of the script is missing after -o"
      return nil
    elseif a:sub(1, 1) == "-" then
      say("import does not know '%s'%s", a, options.hint(a, { "--help", "-o" }))
      return nil
    elseif path then
      path = nil
      break
    else
      path = a
    end
    i = i + 1
  end
  if not path then io.stderr:write "usage: netspace import FILE.yaml [-o SCRIPT.lua]\n" end
  return path, to
end

--- netspace import FILE.yaml: of a job the network and the recipe, and what has no counterpart; of
-- a sweep a script.
function M._import(args)
  local path, to = arguments(args)
  if not path then return 2 end
  local good, what, why = pcall(function()
    if not pycls._is_sweep(path) then
      if to then error("-o is for a sweep; a job makes no script", 0) end
      return tostring(pycls.read(path)) .. "\n"
    end
    if not to then return (pycls.sweep(path)) end
    local rest, message = pycls.sweep(path, to)
    return rest and ("%s: %s without counterpart %s listed at its head\n"):format(to,
      units.count(#rest, "key"), #rest == 1 and "is" or "are"), message
  end)
  if not good or not what then
    say("%s", good and why or blame.bare(tostring(what)))
    return 1
  end
  io.stdout:write(what)
end

return M
