--- The commands `netspace submit`, `netspace collect` and `netspace task`: what a store has open is
-- given to a cluster, and what its tasks have done is taken in, without the script.

local clusters = require "netspace.cluster.cluster"
local fleet = require "netspace.cluster.fleet"
local ledgers = require "netspace.store.ledger"
local options = require "netspace.lib.options"
local paths = require "netspace.lib.path"
local preview = require "netspace.cluster.preview"
local progress = require "netspace.sweep.progress"
local news = require "netspace.sweep.news"
local sweeps = require "netspace.sweep.sweep"
local sys = require "netspace.core.sys"
local topics = require("netspace.lib.doc").topics
local trainings = require "netspace.sweep.training"
local units = require "netspace.lib.units"
local uv = require "luv"

local M = {}
local fail = ledgers.fail

-- An on= of the options kept in a store, with other ones over them.
local function on_of(kept, over)
  local t = { scheduler = "slurm" }
  for _, from in ipairs { kept or {}, over or {} } do
    for key, value in pairs(from) do t[key] = value end
  end
  return clusters.make(t.scheduler, t, 2)
end

--- The id of a population of the store at `path`.
function M.id_of(path, name)
  local ledger, why, kind = ledgers.open(path)
  if not ledger then fail(why, kind) end
  local p = ledger:find(name)
  ledger:close()
  return p.id
end

--- Takes up a population of the store at `path` as `on` says: a sweep at work (training.lua), or
-- nil where somebody is at work on it.
function M.take_up(path, name, on, quiet)
  local ledger, why, kind = ledgers.open(path)
  if not ledger then fail(why, kind) end
  local good, s = pcall(function()
    local p = ledger:find(name)
    local settings = {}
    for key, value in pairs(p.settings) do settings[key] = value end
    settings.cluster = on.options
    ledger:write(function()
      ledger:take(p.id, name, on:width(settings.trainer))
      ledger:set(p.id, settings)
    end)
    return trainings.begin(ledger, p.id, { store = path, name = name, card = p.card,
      recipe = p.recipe, source = p.source, settings = settings,
      workers = on:width(settings.trainer),
      places = {}, quiet = quiet, on = on })
  end)
  if good then return s end
  ledger:close()
  if getmetatable(s) == ledgers.Failure and s.kind == "busy" then return nil end
  error(s, 0)
end

--- Populations of a store with open models: name, id, created, places of those that are open (a
-- set), and the options of their cluster (nil: none yet).
function M.populations(path)
  local ledger, why, kind = ledgers.open(path)
  if not ledger then fail(why, kind) end
  local list = {}
  for i, name in ipairs(ledger:open_names()) do
    local p = ledger:find(name)
    list[i] = { name = name, id = p.id, created = p.created, options = p.settings.cluster,
      open = ledger:open(p.id) }
  end
  ledger:close()
  return list
end

-- Waits until the sweeps have taken in and submitted what there is, then leaves them.
local function pass(list)
  while true do
    local waiting = false
    for _, s in ipairs(list) do waiting = waiting or s.state ~= "ended" and not fleet.passed(s) end
    if not waiting or sys.interrupted() then break end
    uv.run "once"
  end
  for _, s in ipairs(list) do s:_leave() end
  news.report(list)
  for _, s in ipairs(list) do
    if s.trouble then error(s.trouble, 0) end
  end
end

local USAGE = {
  submit = "submit STORE [NAME]... [--dir DIR] [--time T] [--tasks N] [--at-once N] [--cpus N] "
    .. "[--gpus N]\n       [--partition P] [--account A] [--scheduler S] [--dry-run] [--wait] "
    .. "[-- SBATCH-OPTION...]",
  collect = "collect STORE [--wait]",
}
local numbers = { tasks = true, at_once = true, cpus = true, gpus = true }
local texts = { dir = true, time = true, partition = true, account = true, scheduler = true }

local function refuse(command, ...)
  io.stderr:write("netspace ", command, ": ", (...):format(select(2, ...)), "\nusage: netspace ",
    USAGE[command], "\n")
  return nil
end

-- { path =, names =, over = options, dry =, wait = }, or nil after saying what is wrong.
local function parse(command, args)
  local t = { names = {}, over = {} }
  local flags = { "--wait" }
  if command == "submit" then
    flags[#flags + 1] = "--dry-run"
    for _, list in ipairs { numbers, texts } do
      for key in pairs(list) do flags[#flags + 1] = "--" .. key:gsub("_", "-") end
    end
  end
  local i = 1
  while args[i] do
    local a = args[i]
    if a == "--help" or a == "-h" then return { help = true } end
    local key, value = a:match "^%-%-([%a-]+)=(.*)$"
    key = (key or a:match "^%-%-([%a-]+)$" or ""):gsub("-", "_")
    local valued = command == "submit" and (numbers[key] or texts[key])
    if valued and not value then
      i = i + 1
      value = args[i]
    end
    if valued then
      t.over[key] = value
      if numbers[key] then t.over[key] = math.tointeger(tonumber(value)) end
      if not t.over[key] or t.over[key] == "" then
        return refuse(command, "%s takes a %s, not '%s'", a, numbers[key] and "whole number"
          or "value", tostring(value or ""))
      end
    elseif a == "--" and command == "submit" then
      t.over.extra = table.pack(table.unpack(args, i + 1))
      t.over.extra.n = nil
      break
    elseif a == "--wait" or a == "--dry-run" and command == "submit" then
      t[key] = true
    elseif a:sub(1, 1) == "-" then
      return refuse(command, "unknown option '%s'%s", a, options.hint(a, flags))
    elseif t.path and command == "submit" then
      t.names[#t.names + 1] = a
    elseif t.path then
      return refuse(command, "it takes one store, and '%s' is a second one", a)
    else
      t.path = a
    end
    i = i + 1
  end
  if not t.path then return refuse(command, "a store is missing") end
  t.path = paths.absolute(t.path)
  if not uv.fs_stat(t.path) then
    return refuse(command, "%s: no such store", paths.line(paths.shown(t.path)))
  end
  return t
end

-- f(t) with what the command line says, as the status of a command.
local function status(command, args, f)
  local t = parse(command, args)
  if not t then return 2 end
  if t.help then
    io.stdout:write("usage: netspace ", USAGE[command], "\n", topics.slurm, "\n")
    return 0
  end
  local good, err = pcall(sys.shielded, f, t)
  if good then return err end
  if getmetatable(err) ~= ledgers.Failure and type(err) ~= "string" then error(err, 0) end
  io.stderr:write("netspace: ", type(err) == "string" and err or err.message, "\n")
  return type(err) == "table" and err.kind == "damaged" and 4 or 1
end

local function finish(t, list)
  if not t.wait then return pass(list) end
  sweeps.finish(false)
end

-- The populations of a store, or those of them that are named.
local function chosen(t)
  local all, by_name, list = M.populations(t.path), {}, {}
  if #t.names == 0 then return all end
  for _, p in ipairs(all) do by_name[p.name] = p end
  for i, name in ipairs(t.names) do
    list[i] = by_name[name]
    if not list[i] then
      fail(("%s has no population '%s' with models to train%s"):format(paths.shown(t.path), name,
        options.hint(name, by_name)))
    end
  end
  return list
end

-- Refuses to submit to another directory or scheduler while tasks of the one before are at work,
-- whose models would be trained twice.
local function alone(path, p, on)
  local before = p.options and on_of(p.options)
  local directory = before and before:directory(path, p.id)
  if not before or before.options.scheduler == on.options.scheduler
    and directory == on:directory(path, p.id) then return end
  local n, why = preview.at_work(path, p, before)
  if n == 0 then return end
  fail(("tasks of '%s' in %s %s; `netspace collect %s --wait` waits for them"):format(
    p.name, paths.shown(directory), n and "have " .. units.count(n, "model") .. " at work"
    or "may be at work (" .. why .. ")", paths.shown(path)))
end

--- Gives what a store has open to a cluster.
function M.submit(args)
  return status("submit", args, function(t)
    local list, started = chosen(t), {}
    if #list == 0 then progress.clear(paths.shown(t.path) .. ": nothing is open") end
    for _, p in ipairs(list) do
      local on = on_of(p.options, t.over)
      if t.dry_run then
        preview.show(t.path, p, on)
      else
        alone(t.path, p, on)
        local ready, why = on:module().ready(on.options)
        if not ready then fail(why) end
        started[#started + 1] = M.take_up(t.path, p.name, on)
          or fail(("population '%s' of %s is being trained; that sweep has to end first"):format(
            p.name, paths.shown(t.path)))
      end
    end
    finish(t, started)
    return 0
  end)
end

--- Takes up what a store has on clusters, without submitting more than what tasks have lost: a list
-- of sweeps, and the number of populations that somebody else is at work on.
function M.collect_from(path, quiet)
  local list, busy = {}, 0
  for _, p in ipairs(M.populations(path)) do
    if p.options then
      local on = on_of(p.options)
      on.eager = false
      local s = M.take_up(path, p.name, on, quiet)
      list[#list + 1] = s
      if not s then busy = busy + 1 end
    end
  end
  return list, busy
end

--- Takes in what tasks of a cluster have done.
function M.collect(args)
  return status("collect", args, function(t)
    local list, busy = M.collect_from(t.path)
    if busy > 0 then
      progress.clear(("%s: %s taken in by another process already, a script or a monitor"):format(
        paths.shown(t.path), busy == 1 and "a population is" or busy .. " populations are"))
    elseif #list == 0 then
      progress.clear(paths.shown(t.path) .. ": no population has models on a cluster")
    end
    finish(t, list)
    return 0
  end)
end

--- What a batch script calls.
function M.task(args)
  local share = #args == 2 and math.tointeger(tonumber(args[1]))
  if not share or not uv.fs_stat(share .. ".jobs") then
    io.stderr:write("usage: netspace task SHARE LABEL, in the directory of a submission: what the "
      .. "batch scripts of `netspace submit` call\n")
    return 2
  end
  return require("netspace.cluster.task").main(share, (args[2]:gsub("[^%w_.-]", "_")))
end

return M
