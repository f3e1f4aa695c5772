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

local RESUME = "resume STORE [--workers N] [--retry]"

--- Finishes what a store has open; with --retry also what has failed.
function M.resume(args)
  local path, workers, retry
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
    elseif a == "--retry" then
      retry = true
    elseif a:sub(1, 1) == "-" or path then
      io.stderr:write(("netspace: resume does not know '%s'%s\n"):format(a,
        require("netspace.options").hint(a, { "--workers", "--retry" })))
      return usage(RESUME)
    else
      path = a
    end
    i = i + 1
  end
  if not path then return usage(RESUME) end
  return require("netspace.sweep").resume(path, { workers = workers, retry = retry })
end

local EXPORT = "export STORE -o FILE.csv|FILE.jsonl[.gz] [NAME]... [--salvage]"

--- Writes the models of a store to a file for other programs.
function M.export(args)
  local path, file, salvage, names = nil, nil, false, {}
  local i = 1
  while args[i] do
    local a = args[i]
    if a == "-o" then
      i = i + 1
      file = args[i]
    elseif a == "--salvage" then
      salvage = true
    elseif a:sub(1, 1) == "-" then
      io.stderr:write(("netspace: export does not know '%s'%s\n"):format(a,
        require("netspace.options").hint(a, { "-o", "--salvage" })))
      return usage(EXPORT)
    elseif path then
      names[#names + 1] = a
    else
      path = a
    end
    i = i + 1
  end
  if not path or not file then return usage(EXPORT) end
  if not require("netspace.export").kind(file) then
    io.stderr:write(("netspace: export writes .csv or .jsonl (or those as .gz), not '%s'\n"):format(file))
    return 2
  end
  local store, message, kind = require("netspace.store").open(path)
  local n
  if store then
    n, message, kind = store:export(file, #names > 0 and names or nil, { salvage = salvage })
    store:close()
  end
  if not n then
    io.stderr:write("netspace: ", message, "\n")
    return kind == "damaged" and 4 or 1
  end
  io.stderr:write(("%s: %d models\n"):format(file, n))
end

local REPORT = "report STORE -o FILE.html [NAME]..."

--- Writes what a store holds as an HTML page.
function M.report(args)
  local path, file, names = nil, nil, {}
  local i = 1
  while args[i] do
    local a = args[i]
    if a == "-o" then
      i = i + 1
      file = args[i]
    elseif a:sub(1, 1) == "-" then
      io.stderr:write(("netspace: report does not know '%s'\n"):format(a))
      return usage(REPORT)
    elseif path then
      names[#names + 1] = a
    else
      path = a
    end
    i = i + 1
  end
  if not path or not file then return usage(REPORT) end
  local report = require "netspace.report"
  if not report._is_page(file) then
    io.stderr:write(("netspace: report writes .html, not '%s'\n"):format(file))
    return 2
  end
  local made, message, kind = report.report(path, { output = file,
    populations = #names > 0 and names or nil })
  if not made then
    io.stderr:write("netspace: ", message, "\n")
    return kind == "damaged" and 4 or 1
  end
  io.stderr:write(tostring(made), "\n")
end

function M.doctor(args)
  return require("netspace.doctor").main(args)
end

--- netspace help [TOPIC]
function M.help(args)
  return require("netspace.help")._command(args)
end

return M
