--- The store as a file: its tables, and opening it with every way that can fail named.
-- store.lua reads it, ledger.lua writes it; both go through schema.open.
--
-- A store is one SQLite database (application id "nets", user_version = M.version):
--
--   population  a named list of networks with what they are trained by: recipe, data, seed
--   model       one network of a population and how it stands; idx is its place, from 1
--   epoch       what each finished epoch of a model gave (attempt: the start that gave it)
--   run         one process at work on one population: since when, where, with what engine
--   event       what happened, in words, for the person who wonders later
--
-- Errors are in percent; a failed or diverged model has error 100.  Times are Unix seconds.
-- A model's attempt grows with each start, and only the current attempt may report: what a
-- worker given up on still says has no effect.  crashes counts the workers it cost since it
-- last came further; signal and log (the last lines it wrote) are of the last of them, memory
-- is what the network needs in bytes.  settings are those of sweep.run that results do not
-- depend on, for who resumes it.

local sqlite = require "netspace.core.sqlite"
local uv = require "luv"

local M = { version = 2, application = 0x6e657473 }

local tables = [[
CREATE TABLE population (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  space TEXT, spec TEXT, constraints TEXT, window TEXT, tried INTEGER, sample_seed INTEGER,
  seed INTEGER NOT NULL, recipe TEXT NOT NULL,
  data TEXT NOT NULL, card TEXT NOT NULL, checksum TEXT NOT NULL,
  created REAL NOT NULL, run INTEGER, settings TEXT);
CREATE TABLE model (
  id INTEGER PRIMARY KEY, population INTEGER NOT NULL REFERENCES population,
  idx INTEGER NOT NULL, m TEXT NOT NULL, hash TEXT NOT NULL, seed INTEGER NOT NULL,
  flops INTEGER NOT NULL, params INTEGER NOT NULL, acts INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'queued'
    CHECK (status IN ('queued', 'running', 'done', 'diverged', 'failed')),
  attempt INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0,
  error REAL, reason TEXT, run INTEGER, worker INTEGER, started REAL, ended REAL,
  seconds REAL, images_per_s REAL, epochs INTEGER NOT NULL DEFAULT 0,
  signal TEXT, log TEXT, memory INTEGER, UNIQUE (population, idx));
CREATE TABLE epoch (
  model INTEGER NOT NULL REFERENCES model, epoch INTEGER NOT NULL, attempt INTEGER NOT NULL,
  lr REAL, train_loss REAL, train_error REAL, test_error REAL, seconds REAL,
  images_per_s REAL, PRIMARY KEY (model, epoch)) WITHOUT ROWID;
CREATE TABLE run (
  id INTEGER PRIMARY KEY, population INTEGER NOT NULL REFERENCES population,
  host TEXT NOT NULL, pid INTEGER NOT NULL, birth TEXT NOT NULL, workers INTEGER NOT NULL,
  engine TEXT, blas TEXT, corename TEXT, isa TEXT,
  started REAL NOT NULL, updated REAL NOT NULL, ended REAL,
  images_per_s REAL, eta REAL);
CREATE TABLE event (
  id INTEGER PRIMARY KEY, time REAL NOT NULL, run INTEGER, model INTEGER, text TEXT NOT NULL);
]]

-- What makes a store of version i one of version i + 1.
local upgrades = {
  [[ALTER TABLE population ADD COLUMN settings TEXT;
    ALTER TABLE model ADD COLUMN signal TEXT;
    ALTER TABLE model ADD COLUMN log TEXT;
    ALTER TABLE model ADD COLUMN memory INTEGER;]],
}

--- Unix time with its fraction.
function M.time()
  local seconds, micro = uv.gettimeofday()
  return seconds + micro / 1e6
end

--- When process `pid` of this machine was born (clock ticks since boot), or nil when there
-- is none: a pid alone may have been given to somebody else since.
function M.birth(pid)
  local f = io.open("/proc/" .. pid .. "/stat")
  local text = f and f:read("a")
  if f then f:close() end
  local fields = text and text:match(".*%)(.*)")
  local n = 0
  for field in (fields or ""):gmatch("%S+") do
    n = n + 1
    if n == 1 and field == "Z" then return nil end -- dead, only not yet buried
    if n == 20 then return field end
  end
end

--- Whether the process of a row of `run` is still at work.  On this machine it is looked up;
-- on another one it counts as alive while its last sign of life is under a minute old.
function M.alive(run)
  if run.ended then return false end
  if run.host == uv.os_gethostname() then return M.birth(run.pid) == run.birth end
  return M.time() - run.updated < 60
end

local function directory(path)
  return path:match("^(.*)/[^/]*$") or "."
end

-- What SQLite's code means for the person at the prompt.
local function explain(path, message, code, mode)
  local dir = directory(path)
  if dir == "" then dir = "/" end
  if code == sqlite.NOTADB then
    return ("%s is not a netspace store: it is no SQLite database"):format(path)
  elseif code == sqlite.CORRUPT then
    return ("%s is damaged (%s); `sqlite3 %s .recover` saves what can be read"):format(
      path, message, path), "damaged"
  elseif code == sqlite.FULL then
    return ("%s: the disk is full; make room and run again, finished models are safe")
      :format(path)
  elseif code == sqlite.BUSY then
    return ("%s is locked by another program since half a minute"):format(path)
  end
  local about = uv.fs_stat(path)
  if about and about.type == "directory" then
    return ("%s is a directory; a store is a file in one, such as %s/runs.db"):format(path,
      path)
  elseif not uv.fs_stat(dir) then
    return ("%s: there is no directory %s; make it first (mkdir -p %s)"):format(path, dir, dir)
  elseif mode == "r" and not about then
    return ("%s: no such store"):format(path)
  elseif about and not uv.fs_access(path, "R") then
    return ("%s may not be read (%s)"):format(path, message)
  elseif mode == "rw" and not uv.fs_access(dir, "W") then
    return ("%s: the directory %s is read-only for you; a store needs to write there. "
      .. "Choose another one with store=, or make it writable (chmod u+w %s)"):format(
      path, dir, dir)
  elseif mode == "rw" and about and not uv.fs_access(path, "W") then
    return ("%s is read-only for you; choose another store= or make it writable "
      .. "(chmod u+w %s)"):format(path, path)
  elseif mode == "rw" and not about then
    return ("%s cannot be made in the directory %s (%s); choose another store="):format(
      path, dir, message)
  end
  return ("%s: %s"):format(path, message)
end
M.explain = explain

-- Reading where the log's index cannot be made is possible when there is no log to read.
local function open_frozen(path, message, code)
  local log = uv.fs_stat(path .. "-wal")
  if log and log.size > 0 then
    return nil, ("%s: finished work is still in %s-wal, and the directory %s is read-only; "
      .. "copy both files to a writable directory and open the copy"):format(
      path, path, directory(path)), code
  end
  local db, why, frozen_code = sqlite.open(path, "frozen")
  return db, why or message, frozen_code or code
end

--- Opens `path` as a store.  mode "r": it must exist and be one; "rw": a missing or empty
-- file becomes one.
-- @treturn database, or nil, a message, and "damaged" when the file is broken
function M.open(path, mode)
  local about = uv.fs_stat(path)
  if mode == "r" and not about or about and about.type == "directory" then
    return nil, explain(path, "", sqlite.CANTOPEN, mode)
  end
  local db, message, code = sqlite.open(path, mode)
  local rows
  if db then
    rows, message, code = db:rows("SELECT (SELECT count(*) FROM sqlite_schema) AS tables")
  end
  if not rows and mode == "r" and (code == sqlite.CANTOPEN or code == sqlite.READONLY) then
    if db then db:close() end
    db, message, code = open_frozen(path, message, code)
    if not db then return nil, explain(path, message, code, mode) end
    rows, message, code = db:rows("SELECT (SELECT count(*) FROM sqlite_schema) AS tables")
  end
  local function refuse(...)
    if db then db:close() end
    return nil, ...
  end
  if not rows then return refuse(explain(path, message, code, mode)) end

  local function header(pragma)
    local found = db:rows("PRAGMA " .. pragma)
    return found and found[1] and found[1][pragma] or 0
  end
  if rows[1].tables == 0 and header("application_id") == 0 then
    if mode == "r" then return refuse(path .. " is empty: no sweep has written it yet") end
    local good, made, why, failed = pcall(db.transaction, db, function()
      -- Another sweep may have made the tables since we looked.
      local now = db:rows("SELECT count(*) AS n FROM sqlite_schema")
      if now and now[1].n == 0 then
        local ok, text, number = db:exec(tables .. ("PRAGMA application_id=%d;"
          .. "PRAGMA user_version=%d"):format(M.application, M.version))
        if not ok then error({ text = text, code = number }) end
      end
      return true
    end)
    if not good then made, why, failed = nil, made.text, made.code end
    if not made then return refuse(explain(path, why, failed, mode)) end
  end
  if header("application_id") ~= M.application then
    return refuse(("%s is an SQLite database, but not a netspace store; choose another "
      .. "file"):format(path))
  end
  local version = header("user_version")
  if version > M.version then
    return refuse(("%s was written by a newer netspace (store version %d, this one knows "
      .. "%d); update netspace to open it"):format(path, version, M.version))
  end
  if version < M.version and mode == "r" then
    return refuse(("%s was written by an older netspace (store version %d, this one has %d); "
      .. "`netspace resume %s` brings it up to date"):format(path, version, M.version, path))
  elseif version < M.version then
    local good, done, why, failed = pcall(db.transaction, db, function()
      for v = header("user_version"), M.version - 1 do
        local ok, text = db:exec(upgrades[v] .. ("PRAGMA user_version=%d"):format(v + 1))
        if not ok then error(text, 0) end
      end
      return true
    end)
    if not good then done, why = nil, done end
    if not done then return refuse(explain(path, why, failed, mode)) end
  end
  if mode == "rw" then -- the write-ahead log: readers and the writer never wait for each other
    local logged, why, failed = db:exec("PRAGMA journal_mode=WAL")
    if not logged then return refuse(explain(path, why, failed, mode)) end
  end
  return db
end

return M
