--- Where workers run, and what is started there: netspace itself or another trainer, on this
-- machine or on others by ssh.
--
--   places.make(where, { "local:2", "ssh:node1:8" }, trainer)
--     --> { { place = …, slots = 2 }, { place = …, slots = 8 } }, 10
--
-- A place is one for all sweeps that name it, so that they share its workers.  Its fields:
--
--   name     what it is called in messages: "local" or the host
--   host     of ssh; nil: this machine
--   engine   whether netspace's own worker is started there
--   what     its command in words
--   file, args, env   what is started; the number of the slot is added by process.lua
--   cwd      the directory in which it is started; nil: that of this process
--
-- No command is put together from names without quotes: here a list of words is started as it is,
-- and a command line of the user's goes to sh as one argument; by ssh every word is quoted for the
-- shell that sshd starts.  What the shell there is does not matter: it gets `sh -c '…'`.

local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local options = require "netspace.lib.options"
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}
local MOST = 4096 -- workers of a place
local known = {}  -- places by their key
local fail = ledgers.fail

--- A word that a shell takes as it is.
function M.quoted(word)
  return word:find "[^%w_./@=,+-]" and "'" .. word:gsub("'", "'\\''") .. "'" or word
end

local function joined(words)
  local list = {}
  for i, word in ipairs(words) do list[i] = M.quoted(word) end
  return table.concat(list, " ")
end

-- Options of ssh: nothing is asked, and a connection that is lost is noticed within 45 seconds.
local ssh = { "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o",
  "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3" }

-- The program that reaches other machines, as words.
local function reach()
  local words = {}
  for word in (os.getenv "NETSPACE_SSH" or "ssh"):gmatch "%S+" do words[#words + 1] = word end
  return words
end

-- Assignments for env(1), sorted.
local function assignments(env)
  local list = {}
  for key, value in pairs(env) do list[#list + 1] = ("%s=%s"):format(key, value) end
  table.sort(list)
  return list
end

-- The place on this machine: of a trainer, or of netspace.
local function here(trainer)
  local command = trainer and trainer.command
  local words = type(command) == "table" and command or { "/bin/sh", "-c", command }
  if not trainer then words = { "/proc/self/exe", "--worker" } end
  return { name = "local", engine = not trainer, shell = type(command) == "string",
    what = not trainer and "netspace --worker" or type(command) == "string" and command
    or table.concat(command, " "),
    file = words[1], args = { table.unpack(words, 2) }, cwd = trainer and trainer.directory,
    env = trainer and assignments(trainer.env or {}) or {} }
end

-- The place on a host; program: the netspace there.
local function there(host, program, trainer)
  local command = trainer and trainer.command or { program or "netspace", "--worker" }
  local text = type(command) == "table" and joined(command) or command
  -- The shell stays, and tells by its status how the command ended.
  local remote = { "sh", "-c", text .. "\nexit $?" }
  local env = trainer and assignments(trainer.env or {}) or {}
  return { name = host, host = host, engine = not trainer, shell = true, what = text, ssh = reach(),
    env = {}, line = function(slot)
      local set = { "env", "NETSPACE_SLOT=" .. slot, table.unpack(env) }
      return joined(set) .. " " .. joined(remote)
    end }
end

--- The file and arguments that start a worker in a slot of a place.
function M.command(place, slot)
  if not place.host then return place.file, place.args end
  local words = { table.unpack(place.ssh) }
  table.move(ssh, 1, #ssh, #words + 1, words)
  for _, word in ipairs { "--", place.host, place.line(slot) } do words[#words + 1] = word end
  return words[1], { table.unpack(words, 2) }
end

--- The environment of a worker in a slot of a place: a list of KEY=VALUE.
function M.environment(place, slot)
  local list, set = {}, { OPENBLAS_NUM_THREADS = place.engine and "1" or nil,
    NETSPACE_SLOT = tostring(slot), NETSPACE = uv.exepath() }
  for _, assignment in ipairs(place.env) do
    local key, value = assignment:match "^([^=]*)=(.*)$"
    set[key] = value
  end
  for name, value in pairs(uv.os_environ()) do
    if not set[name] then list[#list + 1] = name .. "=" .. value end
  end
  for name, value in pairs(set) do list[#list + 1] = name .. "=" .. value end
  return list
end

-- Options ----------------------------------------------------------------------------------

options.declare({ "sweep.run: trainer", "sweep.start: trainer", "sweep.forecast: trainer",
  "sweep.resume: trainer", "design.step: trainer", "design.repeats: trainer" },
  { command = "string|table", slots = "integer", env = "table" })

--- A trainer as an option gives it, checked: command (a text for sh, or a list of words), slots,
-- env, and the directory in which it was given, where it is started on machines that share it; nil
-- stays nil.
function M.trainer(where, t)
  if t == nil then return nil end
  if type(t) == "string" then t = { command = t } end
  t = options.check(where .. ": trainer", t, 4, "sweep.run: trainer")
  local command = t.command
  local words = type(command) == "table" and command or { command }
  for i, word in ipairs(words) do
    if type(word) ~= "string" or word:find "%z" then
      fail(("%s: trainer.command[%d] is a %s; it is a list of texts"):format(where, i, type(word)))
    end
  end
  if not words[1] or not words[1]:find "%S" then
    fail(where .. ": trainer has no command; it is a command line, \"python3 trainer.py\", or "
      .. "trainer = { command =, slots =, env = }")
  end
  if t.slots and (t.slots < 1 or t.slots > MOST) then
    fail(("%s: trainer.slots is %d; it must be from 1 to %d"):format(where, t.slots, MOST))
  end
  local env
  for key, value in pairs(t.env or {}) do
    if type(key) ~= "string" or not key:find "^[%a_][%w_]*$" then
      fail(("%s: trainer.env has '%s', which is no name of a variable"):format(where,
        tostring(key)))
    end
    env = env or {}
    env[key] = tostring(value)
  end
  return { command = command, slots = t.slots and math.tointeger(t.slots), env = env,
    directory = uv.cwd() }
end

local FORM = 'it is "local:2" or "ssh:HOST:8", where a host may be user@host, and the netspace '
  .. 'there may follow: "ssh:HOST:8:/opt/bin/netspace"'

-- Host, slots and program of one entry of workers; no host: this machine.
local function entry(where, text)
  local n = type(text) == "string" and text:match "^local:(%d+)$"
  if n then return nil, n end
  local host, count, rest = tostring(text):match "^ssh:([%w_][%w_.@-]*):(%d+)(.*)$"
  local program = host and rest ~= "" and rest:match "^:(/[^%c]+)$" or nil
  if not host or rest ~= "" and not program then
    fail(("%s: workers has '%s'; %s"):format(where, tostring(text), FORM))
  end
  return host, count, program
end

-- The number of workers of a place.
local function count(where, n)
  local slots = math.tointeger(tonumber(n))
  if not slots or slots < 1 or slots > MOST then
    fail(("%s: workers is %s; it must be from 1 to %d"):format(where, tostring(n), MOST))
  end
  return slots
end

--- How many workers of the option `workers` (a number, a list such as { "local:2", "ssh:node1:8" },
-- or nil: all cores, or the slots of the trainer) and where.
-- @treturn table list of { place =, slots = }; and how many workers together
function M.make(where, workers, trainer)
  if workers == nil then workers = trainer and (trainer.slots or 1) or sys.cores() end
  if type(workers) ~= "table" then workers = { ("local:%d"):format(count(where, workers)) } end
  local list, total, seen = {}, 0, {}
  for i, text in ipairs(workers) do
    local host, n, program = entry(where, text)
    local of = { host = host or "", program = program, reach = host and reach(),
      trainer = trainer and { command = trainer.command, env = trainer.env,
        directory = not host and trainer.directory or nil } }
    local key = json.encode(of)
    if seen[host or ""] then
      fail(("%s: workers names %s twice"):format(where, host or "local"))
    end
    seen[host or ""] = true
    known[key] = known[key] or (host and there(host, program, trainer) or here(trainer))
    list[i] = { place = known[key], slots = count(where, n) }
    total = total + list[i].slots
  end
  if #list == 0 then fail(("%s: workers is empty; %s"):format(where, FORM)) end
  return list, total
end

--- Whether the last models get the idle cores (idle.lua): all is netspace's own, on cores of this
-- machine that nobody else was given.
function M.spreads(list, workers)
  return #list == 1 and M.own(list) ~= nil and workers <= sys.cores()
end

--- The part of a list that is netspace's own on this machine, or nil.
function M.own(list)
  for _, share in ipairs(list) do
    if share.place.engine and not share.place.host then return share end
  end
end

return M
