--- What is done with a store as a whole: taking a population out, giving it another name, and
-- copying the file.  All three are safe while others read the store or train in it; what a
-- process is at work on is not removed or renamed.

local directories = require "netspace.lib.directory"
local files = require "netspace.store.files"
local ledgers = require "netspace.store.ledger"
local paths = require "netspace.lib.path"
local schema = require "netspace.store.schema"
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}

local function ended(err)
  if getmetatable(err) == ledgers.Failure then return nil, err.message, err.kind end
  error(err, 0)
end

-- change(ledger, p) of the population `name` in a transaction, while its lock is held.
local function change(path, name, f)
  local ledger, why, kind = ledgers.open(path)
  if not ledger then return nil, why, kind end
  local lock
  local good, err = pcall(ledger.write, ledger, function()
    local p = ledger:find(name)
    if not p then
      ledgers.fail(("%s has no population '%s' any more"):format(paths.shown(path), name))
    end
    ledger:owner(p.id, name)
    local held
    lock, held = sys.lock(files.lock(ledger.path), p.id)
    if held == "held" then
      ledgers.fail(("population '%s' of %s is being trained by another process"):format(name,
        paths.shown(path)), "busy")
    end
    f(ledger, p)
  end)
  if lock then lock:close() end
  ledger:close()
  if not good then return ended(err) end
  return true
end

--- Takes a population out of the store at `path`, with its checkpoints and kept weights.
-- @treturn true, or nil, a message and what kind of failure it is
function M.remove(path, name)
  local id
  local good, why, kind = change(path, name, function(ledger, p)
    id = p.id
    ledger:remove(id)
    ledger:log(nil, ("population '%s' was removed"):format(name))
  end)
  if not good then return nil, why, kind end
  for _, directory in ipairs { files.checkpoints(path), files.weights(path) } do
    for file in directories.each(directory) do
      if file:match "^(%d+)%-%d+%.safetensors" == tostring(id) then
        uv.fs_unlink(directory .. "/" .. file)
      end
    end
    uv.fs_rmdir(directory) -- when nothing else is in it
  end
  return true
end

--- Gives a population another name; what was adopted from it says so.
-- @treturn true, or nil, a message and what kind of failure it is
function M.rename(path, name, new)
  return change(path, name, function(ledger, p)
    if ledger:find(new) then
      ledgers.fail(("%s has a population '%s' already; remove it, or choose another name"):format(
        paths.shown(path), new))
    end
    ledger:rename(p.id, name, new)
    ledger:log(nil, ("population '%s' is called '%s' now"):format(name, new))
  end)
end

-- In a copy nobody is at work.
local at_rest = [[
UPDATE run SET ended = updated, images_per_s = NULL, eta = NULL WHERE ended IS NULL;
UPDATE model SET status = 'queued', worker = NULL WHERE status = 'running';
PRAGMA journal_mode = WAL;
]]

local function copy_weights(from, to)
  local bad
  for file in directories.each(from) do
    uv.fs_mkdir(to, tonumber("755", 8))
    local good, why = uv.fs_copyfile(from .. "/" .. file, to .. "/" .. file)
    if not good then bad = why end
  end
  return bad
end

--- Copies the store that `reader` reads, as it is at one moment, to the new file `path`, with
-- the weights it keeps.  Checkpoints of what is in training stay: in the copy such models
-- begin again.
-- @treturn true, or nil and a message
function M.copy(reader, path)
  path = paths.absolute(path)
  if uv.fs_stat(path) then
    return nil, ("%s is there already; a copy is a new file"):format(paths.shown(path))
  end
  local part = ("%s.part-%d"):format(path, uv.os_getpid())
  local function refuse(message, code)
    for _, suffix in ipairs { "", "-wal", "-shm", "-journal" } do uv.fs_unlink(part .. suffix) end
    return nil, schema.explain(path, message, code, "rw")
  end
  -- reading begins again where the store has changed meanwhile; the new file gets its name once
  local made, why, kind = reader:read(function()
    uv.fs_unlink(part)
    local db, message, code = reader.db:copy(part)
    local done = db
    if db then
      done, message, code = db:exec(at_rest)
      db:close()
    end
    return { done = done, message = message, code = code }
  end)
  if not made then
    refuse("")
    return nil, why, kind
  elseif not made.done then
    return refuse(made.message, made.code)
  end
  local good, message = uv.fs_link(part, path) -- takes no file's place
  if not good then good, message = uv.fs_rename(part, path) end
  if not good then return refuse(message) end
  refuse("")
  why = copy_weights(files.weights(reader.path), files.weights(path))
  if why then
    return nil, ("%s is copied, but its weights are not: %s"):format(paths.shown(path), why)
  end
  return true
end

return M
