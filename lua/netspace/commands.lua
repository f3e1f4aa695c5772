--- The commands of the command line: `netspace COMMAND ARG…`.  Each takes the list of its
-- arguments and returns the exit status (nothing: 0).

local M = {}

local function usage(text)
  io.stderr:write("usage: netspace ", text, "\n")
  return 2
end

function M.monitor(args)
  return require("netspace.monitor").main(args)
end

--- Finishes what a store has open.
function M.resume(args)
  local path, workers
  local i = 1
  while args[i] do
    local a = args[i]
    local value = a:match("^%-%-workers=(.*)$")
    if a == "--workers" then
      i = i + 1
      value = args[i] or ""
    end
    if value then
      workers = math.tointeger(tonumber(value))
      if not workers or workers < 1 then
        io.stderr:write(("netspace: --workers is a whole number of at least 1, not '%s'\n")
          :format(value))
        return 2
      end
    elseif a:sub(1, 1) == "-" or path then
      io.stderr:write(("netspace: resume does not know '%s'%s\n"):format(a,
        require("netspace.options").hint(a, { "--workers" })))
      return usage("resume STORE [--workers N]")
    else
      path = a
    end
    i = i + 1
  end
  if not path then return usage("resume STORE [--workers N]") end
  return require("netspace.sweep").resume(path, { workers = workers })
end

function M.doctor(args)
  return require("netspace.doctor").main(args)
end

--- netspace help [TOPIC]
function M.help(args)
  return require("netspace.help")._command(args)
end

return M
