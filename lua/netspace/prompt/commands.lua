--- The commands of the command line: `netspace COMMAND ARG…`.  Each takes the list of its
-- arguments and returns the exit status (nothing: 0).

local M = {}

local function usage(text)
  io.stderr:write("usage: netspace ", text, "\n")
  return 2
end

function M.monitor(args)
  return require("netspace.monitor.monitor").main(args)
end

local RESUME = "resume STORE [--workers N] [--retry | --retry=all] [--memory SIZE] "
  .. "[--patience SECONDS]"
local of_resume = { "--workers", "--retry", "--retry=all", "--memory", "--patience" }

local function refused(...)
  io.stderr:write("netspace: ", (...):format(select(2, ...)), "\n")
  return 2
end

--- Finishes what a store has open; with --retry also what has failed.
function M.resume(args)
  local path, o = nil, {}
  local i = 1
  while args[i] do
    local a = args[i]
    local key, value = a:match "^%-%-(%a+)=(.*)$"
    key = key or a:match "^%-%-(%a+)$"
    if not value and (key == "workers" or key == "memory" or key == "patience") then
      i = i + 1
      value = args[i] or ""
    end
    if key == "workers" then
      o.workers = math.tointeger(tonumber(value))
      if not o.workers or o.workers < 1 then
        return refused("--workers is a whole number of at least 1, not '%s'", value)
      end
    elseif key == "patience" then
      o.patience = tonumber(value)
      if not o.patience or o.patience <= 0 then
        return refused("--patience is a number of seconds above 0, not '%s'", value)
      end
    elseif key == "memory" then
      if value == "" then return refused("--memory is a size, such as 2GB, or none") end
      o.memory = value
    elseif key == "retry" then
      if value and value ~= "all" then
        return refused("--retry takes what has failed, --retry=all also what has diverged; "
          .. "not '%s'", value)
      end
      o.retry = value or true
    elseif a:sub(1, 1) == "-" or path then
      refused("resume does not know '%s'%s", a, require("netspace.lib.options").hint(a, of_resume))
      return usage(RESUME)
    else
      path = a
    end
    i = i + 1
  end
  if not path then return usage(RESUME) end
  return require("netspace.sweep.sweep").resume(path, o)
end

-- What a command that writes a file is given: STORE -o FILE [NAME]…, and `flag` where it
-- has one.  Nothing, after saying why, when that is not what it got.
local function file_arguments(command, args, flag)
  local t, known = { names = {} }, { "-o", flag }
  local i = 1
  while args[i] do
    local a = args[i]
    if a == "-o" then
      i = i + 1
      t.file = args[i]
    elseif flag and a == flag then
      t.flag = true
    elseif a:sub(1, 1) == "-" then
      io.stderr:write(("netspace: %s does not know '%s'%s\n"):format(command, a,
        require("netspace.lib.options").hint(a, known)))
      return nil
    elseif t.path then
      table.insert(t.names, a)
    else
      t.path = a
    end
    i = i + 1
  end
  if #t.names == 0 then t.names = nil end
  return t.path and t.file and t or nil
end

local EXPORT = "export STORE -o FILE.csv|FILE.jsonl|sweep.json[.gz] [NAME]... [--salvage]"

--- Writes the models of a store to a file for other programs.
function M.export(args)
  local t = file_arguments("export", args, "--salvage")
  if not t then return usage(EXPORT) end
  local export = require "netspace.store.export"
  if not export.kind(t.file) then
    io.stderr:write(("netspace: export writes %s, not '%s'\n"):format(export.KINDS, t.file))
    return 2
  end
  local store, message, kind = require("netspace.store.store").open(t.path)
  local n
  if store then
    -- through pcall, which has no line of code that the message could name
    local ran
    ran, n, message, kind = pcall(store.export, store, t.file, t.names, { salvage = t.flag })
    store:close()
    if not ran then error(n, 0) end
  end
  if not n then
    io.stderr:write("netspace: ", message, "\n")
    return kind == "damaged" and 4 or 1
  end
  io.stderr:write(("%s: %s\n"):format(t.file, require("netspace.lib.units").count(n, "model")))
end

local COPY = "copy STORE NEW"

--- Copies a store, also one that a sweep is at work on.
function M.copy(args)
  if #args ~= 2 or args[1]:find "^-" or args[2]:find "^-" then return usage(COPY) end
  local store, message, kind = require("netspace.store.store").open(args[1])
  local good
  if store then
    good, message, kind = store:copy(args[2])
    store:close()
  end
  if not good then
    io.stderr:write("netspace: ", message, "\n")
    return kind == "damaged" and 4 or 1
  end
end

local REPORT = "report STORE -o FILE.html [NAME]..."

--- Writes what a store holds as an HTML page.
function M.report(args)
  local t = file_arguments("report", args)
  if not t then return usage(REPORT) end
  local report = require "netspace.report.report"
  if not report._is_page(t.file) then
    io.stderr:write(("netspace: report writes .html, not '%s'\n"):format(t.file))
    return 2
  end
  local made, message, kind = report.report(t.path, { output = t.file, populations = t.names })
  if not made then
    io.stderr:write("netspace: ", message, "\n")
    return kind == "damaged" and 4 or 1
  end
  io.stderr:write(tostring(made), "\n")
end

--- Makes the pack of a set of images, or checks one.
function M.pack(args)
  return require("netspace.data.main").pack(args)
end

--- Tells what a set of images holds, or what packs the cache has.
function M.data(args)
  return require("netspace.data.main").data(args)
end

local PACK = "pack SPEC -o FILE [--size N] [--jpeg | --bytes] [--KEY VALUE]... | "
  .. "pack --check FILE"
local DATA = "data SPEC [--KEY VALUE]... | data --cache [--clear] [--limit SIZE]"
local DOCTOR = "doctor [STORE]"

--- Checks the machine, or a store.
function M.doctor(args)
  if #args > 1 or args[1] and args[1]:find "^-" then return usage(DOCTOR) end
  return require("netspace.prompt.doctor").main(args)
end

-- COMMAND --help: how it is called, and what is said of the function behind it.
for name, about in pairs { resume = { RESUME, "sweep.resume" },
  export = { EXPORT, "store:export" }, copy = { COPY, "store:copy" },
  report = { REPORT, "report" }, doctor = { DOCTOR }, pack = { PACK, "data.open" },
  data = { DATA, "data.open" } } do
  local run = M[name]
  M[name] = function(args)
    for _, a in ipairs(args) do
      if a == "--help" or a == "-h" then
        io.stdout:write("usage: netspace ", about[1], "\n")
        return about[2] and require("netspace.prompt.help")._command { about[2] }
      end
    end
    return run(args)
  end
end

--- netspace help [TOPIC]
function M.help(args)
  return require("netspace.prompt.help")._command(args)
end

return M
