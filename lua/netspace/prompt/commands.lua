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

local RESUME = "resume STORE [--workers N|PLACE,...] [--trainer COMMAND] [--retry | --retry=all] "
  .. "[--memory SIZE] [--patience SECONDS] [--budget TIME | --by HH:MM] [--on here|SCHEDULER]"
local of_resume = { "--workers", "--retry", "--retry=all", "--memory", "--patience", "--budget",
  "--by", "--trainer", "--on" }
local with_value = { workers = true, trainer = true, memory = true, patience = true,
  budget = true, by = true, on = true }

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
    if not value and with_value[key] then
      i = i + 1
      value = args[i] or ""
    end
    if key == "workers" then
      o.workers = math.tointeger(tonumber(value))
      if value:find ":" then
        o.workers = {}
        for place in value:gmatch "[^,]+" do table.insert(o.workers, place) end
      elseif not o.workers or o.workers < 1 then
        return refused("--workers is a whole number of at least 1, or places such as "
          .. "local:2,ssh:node1:8; not '%s'", value)
      end
    elseif key == "trainer" or key == "on" then
      o[key] = value
    elseif key == "patience" then
      o.patience = tonumber(value)
      if not o.patience or o.patience <= 0 then
        return refused("--patience is a number of seconds above 0, not '%s'", value)
      end
    elseif key == "memory" then
      local wrong = value ~= "none" and require("netspace.sweep.request").wrong_memory(value)
      if wrong then return refused("--memory is %s; none lifts the limit", wrong) end
      o.memory = value
    elseif key == "budget" then
      if not require("netspace.sweep.forecast").seconds(value) then
        return refused("--budget is a time, such as 6h, 90m or 7200 (seconds); not '%s'", value)
      end
      o.budget = value
    elseif key == "by" then
      if not require("netspace.sweep.plan").clock(value, os.time()) then
        return refused("--by is a time of day, 00:00 to 23:59; not '%s'", value)
      end
      o.by = value
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
  if o.by and o.budget then return refused "--by and --budget are two ways to say it; give one" end
  return require("netspace").sweep.resume(path, o)
end

--- Gives what a store has open to a cluster; takes in what its tasks have done; is such a task.
for _, name in ipairs { "submit", "collect", "task" } do
  M[name] = function(args) return require("netspace.cluster.commands")[name](args) end
end

-- What a command that writes a file is given: STORE -o FILE [NAME]…, `flag` where it has one,
-- and the option `valued`, which takes a value, where it has one.  Nothing, after saying why,
-- when that is not what it got.
local function file_arguments(command, args, flag, valued)
  local t, known = { names = {} }, { "-o", flag, valued }
  local i = 1
  while args[i] do
    local a = args[i]
    if a == "-o" then
      i = i + 1
      t.file = args[i]
    elseif flag and a == flag then
      t.flag = true
    elseif valued and a:match "^[^=]*" == valued then
      t.value = a:match "=(.*)$"
      if not t.value then
        i = i + 1
        t.value = args[i] or ""
      end
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

local EXPORT = "export STORE -o FILE.csv|FILE.jsonl|sweep.json[.gz] [NAME]... [--salvage]\n"
  .. "       netspace export STORE -o - [--format csv|jsonl|json] [NAME]... [--salvage]"

--- Writes the models of a store to a file for other programs.
function M.export(args)
  local t = file_arguments("export", args, "--salvage", "--format")
  if not t then return usage(EXPORT) end
  local export = require "netspace.store.export"
  local piped = t.file == "-"
  local kind_asked = piped and (t.value or "csv")
  if t.value and not piped then
    return refused("--format goes with -o -; the name of a file says its format")
  elseif piped and not export.kind("x." .. kind_asked) then
    return refused("--format is csv, jsonl or json, not '%s'", kind_asked)
  elseif not piped and not export.kind(t.file) then
    return refused("export writes %s, not '%s'%s", export.KINDS, t.file,
      require("netspace.lib.absent").table(t.file))
  end
  local store, message, kind = require("netspace.store.store").open(t.path)
  local n
  if store then
    -- through pcall, which has no line of code that the message could name
    local ran
    if piped then
      ran, n, message, kind = pcall(store._export_text, store, kind_asked, t.names, t.flag)
    else
      ran, n, message, kind = pcall(store.export, store, t.file, t.names, { salvage = t.flag })
    end
    store:close()
    if not ran then error(n, 0) end
  end
  if not n then
    io.stderr:write("netspace: ", message, "\n")
    return kind == "damaged" and 4 or 1
  end
  if piped then
    for _, piece in ipairs(message) do io.stdout:write(piece) end
    return
  end
  io.stderr:write(("%s: %s\n"):format(t.file, require("netspace.lib.units").count(n, "model")))
end

-- A command that asks a store for one thing: method, or the function, (store, …) with the arguments
-- after STORE.
local function change(command, args, n, method)
  if #args ~= n + 1 or table.concat(args, "\0"):find "%f[^\0]%-" then return usage(command) end
  local store, message, kind = require("netspace.store.store").open(args[1])
  local good
  if store then
    local ran
    ran, good, message, kind = pcall(store[method] or method, store, table.unpack(args, 2))
    store:close()
    if not ran then error(good, 0) end
  end
  if not good then
    io.stderr:write("netspace: ", message, "\n")
    return kind == "damaged" and 4 or 1
  end
end

local COPY = "copy STORE NEW"

--- Copies a store, also one that a sweep is at work on.
function M.copy(args)
  return change(COPY, args, 1, "copy")
end

local REMOVE = "remove STORE NAME [--yes]"

--- Takes a population out of a store for good; asks before, on a terminal, unless --yes is given.
function M.remove(args)
  local rest, yes = {}, false
  for _, a in ipairs(args) do
    if a == "--yes" then yes = true else rest[#rest + 1] = a end
  end
  local gone
  local status = change(REMOVE, rest, 1, function(store, name)
    local ran, models, message, kind = pcall(store.live, store, name)
    if not ran then error(models, 0) end
    if not models then return nil, message, kind end
    local units, seconds = require "netspace.lib.units", 0
    for _, model in ipairs(models) do seconds = seconds + (model.seconds or 0) end
    gone = ("%s, %s of training"):format(units.count(#models, "model"), units.duration(seconds))
    if not yes and not require("netspace.lib.question").agreed(("%s: %s; remove? "):format(name,
      gone)) then
      return nil, ("'%s' stays"):format(name)
    end
    return store:remove(name)
  end)
  if not status then io.stderr:write(("%s: removed %s\n"):format(rest[2], gone)) end
  return status
end

local RENAME = "rename STORE OLD NEW"

--- Gives a population of a store another name.
function M.rename(args)
  return change(RENAME, args, 2, "rename")
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

--- Tries a trainer with the protocol.
function M.trainer(args)
  return require("netspace.sweep.check").main(args)
end

local TRAINER = "trainer check [--data SPEC] [--patience SECONDS] COMMAND [ARG]..."
local PACK = "pack SPEC -o FILE [--size N] [--jpeg | --bytes] [--KEY VALUE]... | "
  .. "pack --check FILE"
local DATA = "data SPEC [--KEY VALUE]... | data --cache [--clear] [--limit SIZE]"
local DOCTOR = "doctor [STORE]"
local IMPORT = "import FILE.yaml [-o SCRIPT.lua]"

--- Tells what a configuration of pycls describes.
function M.import(args)
  return require("netspace.exchange.exchange")._import(args)
end

--- Checks the machine, or a store.
function M.doctor(args)
  if #args > 1 or args[1] and args[1]:find "^-" then return usage(DOCTOR) end
  return require("netspace.prompt.doctor").main(args)
end

-- COMMAND --help: how it is called, and what is said of the function behind it.
for name, about in pairs { resume = { RESUME, "sweep.resume" },
  export = { EXPORT, "store:export" }, copy = { COPY, "store:copy" },
  remove = { REMOVE, "store:remove" }, rename = { RENAME, "store:rename" },
  report = { REPORT, "report" }, trainer = { TRAINER }, doctor = { DOCTOR },
  pack = { PACK, "data.open" }, data = { DATA, "data.open" },
  import = { IMPORT, "exchange.pycls.read" } } do
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

--- netspace help [TOPIC]; of a command, what COMMAND --help says.
function M.help(args)
  local name = #args == 1 and args[1]
  if name and name ~= "help" and M[name] then return M[name] { "--help" } end
  return require("netspace.prompt.help")._command(args)
end

return M
