--- The store as a file: its tables and their versions, and how it is opened, with a message for
-- every failure.  ledger.lua writes it; everything else reads it through reader.lua.
--
-- A store is one SQLite database (application id "nets", user_version = M.version):
--
--   population  a named list of networks with what they are trained by: recipe, data, seed
--   model       one network of a population and how it stands; idx is its place, from 1
--   epoch       what each finished epoch of a model gave (attempt: the start that gave it)
--   run         one process at work on one population: since when, and where
--   trainer     a program that has trained models: its version, device, kernels and host
--   event       what happened, in words, for the person who wonders later
--   models, epochs, populations    views of these for other programs (views.lua)
--   trial       a plan by which populations (arm) are trained until it is decided how they compare
--   program     the netspace that gave the store its version, for an older one that cannot read it
--
-- Errors are in percent; a failed or diverged model has error 100.  Times are Unix seconds.
-- A model's attempt grows with each start, and only the current attempt may report: what a
-- worker given up on still says has no effect.  crashes counts the workers it cost since it
-- last came further; signal and log (the last lines it wrote) are of the last of them, memory
-- is what the network needs in bytes.  settings are those of sweep.run that results do not
-- depend on, for who resumes it.
-- origin says, as JSON, from which population a result was adopted.  change numbers the
-- changes of a population's models, so that a reader asks only for what is new.
--
-- A new column or table is a new step of `steps`, never a change of an old one: a new store
-- takes all steps, an older one those it lacks, when it is opened for writing.

local files = require "netspace.store.files"
local filesystem = require "netspace.lib.filesystem"
local paths = require "netspace.lib.path"
local sqlite = require "netspace.core.sqlite"
local sys = require "netspace.core.sys"
local uv = require "luv"

local views = require "netspace.store.views"

local FRESH = 60 -- seconds since a sign of life

local steps = {}

steps[1] = [[
CREATE TABLE population (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  space TEXT, spec TEXT, constraints TEXT, window TEXT, tried INTEGER, sample_seed INTEGER,
  seed INTEGER NOT NULL, recipe TEXT NOT NULL,
  data TEXT NOT NULL, card TEXT NOT NULL, checksum TEXT NOT NULL,
  created REAL NOT NULL, run INTEGER);
CREATE TABLE model (
  id INTEGER PRIMARY KEY, population INTEGER NOT NULL REFERENCES population,
  idx INTEGER NOT NULL, m TEXT NOT NULL, hash TEXT NOT NULL, seed INTEGER NOT NULL,
  flops INTEGER NOT NULL, params INTEGER NOT NULL, acts INTEGER NOT NULL,
  status TEXT NOT NULL DEFAULT 'queued'
    CHECK (status IN ('queued', 'running', 'done', 'diverged', 'failed')),
  attempt INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0,
  error REAL, reason TEXT, run INTEGER, worker INTEGER, started REAL, ended REAL,
  seconds REAL, images_per_s REAL, epochs INTEGER NOT NULL DEFAULT 0,
  UNIQUE (population, idx));
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

steps[2] = [[
ALTER TABLE population ADD COLUMN settings TEXT;
ALTER TABLE model ADD COLUMN signal TEXT;
ALTER TABLE model ADD COLUMN log TEXT;
ALTER TABLE model ADD COLUMN memory INTEGER;
]]

steps[3] = [[
ALTER TABLE model ADD COLUMN origin TEXT;
ALTER TABLE model ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
CREATE INDEX model_status ON model (population, status);
CREATE INDEX model_change ON model (population, change);
CREATE TRIGGER model_changed AFTER UPDATE OF status, attempt, epochs, error ON model BEGIN
  UPDATE model SET change = 1 +
    (SELECT max(change) FROM model WHERE population = NEW.population) WHERE id = NEW.id;
END;
]]

-- boot names the kernel that a run locks its population in (a run without it holds no lock).
steps[4] = [[
ALTER TABLE run ADD COLUMN boot TEXT;
]]

-- Networks are measured on validation images, which old stores' test images were.
steps[5] = [[
ALTER TABLE epoch RENAME COLUMN test_error TO validation_error;
ALTER TABLE epoch ADD COLUMN validation_loss REAL;
ALTER TABLE epoch ADD COLUMN top5_error REAL;
ALTER TABLE epoch ADD COLUMN class_error REAL;
]]

-- Networks drawn from a space whose principles a later session cannot run (distribution.lua).
steps[6] = [[
CREATE TABLE distribution (
  population INTEGER PRIMARY KEY REFERENCES population, draws BLOB NOT NULL);
]]

-- Who has trained each model; until then netspace alone did, and the run said which.
steps[7] = [[
CREATE TABLE trainer (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, device TEXT NOT NULL,
  kernels TEXT NOT NULL, host TEXT NOT NULL, UNIQUE (name, version, device, kernels, host));
INSERT INTO trainer (name, version, device, kernels, host) SELECT DISTINCT 'netspace', engine,
  'cpu', blas || ', ' || isa, host FROM run WHERE engine IS NOT NULL;
ALTER TABLE model ADD COLUMN trainer INTEGER REFERENCES trainer;
UPDATE model SET trainer = (SELECT trainer.id FROM run JOIN trainer ON version = engine
  AND kernels = blas || ', ' || isa AND trainer.host = run.host WHERE run.id = model.run);
ALTER TABLE run DROP COLUMN engine;
ALTER TABLE run DROP COLUMN blas;
ALTER TABLE run DROP COLUMN corename;
ALTER TABLE run DROP COLUMN isa;
]]

-- Populations that are trained until it is decided how they compare, by a plan that was fixed
-- before (sweep/trial.lua); place 1 is the parent.  verdict: what was decided, NULL until then.
steps[8] = [[
CREATE TABLE trial (id INTEGER PRIMARY KEY, plan TEXT NOT NULL, created REAL NOT NULL,
  verdict TEXT);
CREATE TABLE arm (
  trial INTEGER NOT NULL REFERENCES trial, place INTEGER NOT NULL,
  population INTEGER NOT NULL REFERENCES population, PRIMARY KEY (trial, place)) WITHOUT ROWID;
]]

-- What of the recipe is a model's own, as JSON ({"lr":0.3,"wd":0.0001}; network/vary.lua); and
-- views for other programs, whose names and columns stay (netspace-exchange(7)).
steps[9] = [[
ALTER TABLE model ADD COLUMN recipe TEXT;
]] .. views

-- One row: who wrote these tables.  It stays as it is, since older programs read it (newer).
steps[10] = [[
CREATE TABLE program (version TEXT NOT NULL);
]]

local M = { version = #steps, application = 0x6e657473 }

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

--- The kernel that runs: another one after every start of the machine.
function M.boot()
  local f = io.open("/proc/sys/kernel/random/boot_id")
  local text = f and f:read("l")
  if f then f:close() end
  return text
end

--- Whether the run, a row of `run` of the store at `path`, is still at work.  Its process holds
-- a lock while it is (files.lua); a pid says little, since other containers count anew.  When in
-- doubt (it works under another kernel, or without a lock) a sign of life under a minute old
-- counts.
function M.alive(path, run)
  if run.ended then return false end
  if sys.locked(files.lock(path), run.population) then return true end
  if run.boot and run.boot == M.boot() then return false end
  local here = run.host == uv.os_gethostname()
  if here and not run.boot and M.birth(run.pid) == run.birth then return true end
  return M.time() - (tonumber(run.updated) or 0) < FRESH
end

-- What SQLite's code means for the person at the prompt.
local function explain(path, message, code, mode)
  path = paths.shown(path)
  local dir = filesystem.directory(path)
  if code == sqlite.NOTADB then
    return ("%s is not a netspace store: it is not an SQLite database"):format(path)
  elseif code == sqlite.CORRUPT then
    return ("%s is damaged (%s); `netspace doctor %s` says what can still be read"):format(
      path, message, path), "damaged"
  elseif code == sqlite.FULL then
    return ("%s: the disk is full; free some space and run again: finished models are safe")
      :format(path)
  elseif code == sqlite.BUSY then
    return ("another program has locked %s for half a minute"):format(path)
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
    return ("%s cannot be read (%s)"):format(path, message)
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
  elseif code == sqlite.READONLY then -- it may be written, but opening it for that failed
    return ("%s cannot be opened for writing; check the disk (space, dmesg), then run again: "
      .. "finished models are safe"):format(path)
  end
  return ("%s: %s"):format(path, message)
end
M.explain = explain

local function header(db)
  local rows, message, code = db:rows([[SELECT (SELECT count(*) FROM sqlite_schema) AS tables,
    (SELECT application_id FROM pragma_application_id) AS application,
    (SELECT user_version FROM pragma_user_version) AS version]])
  if not rows then return nil, message, code end
  return rows[1]
end

--- Brings a database to a version (this one), all steps or none: true, or nil, a message and
-- a code.
function M.upgrade(db, version)
  version = version or M.version
  local good, done, message, code = pcall(db.transaction, db, function()
    local function exec(sql)
      local ok, text, number = db:exec(sql)
      if not ok then error({ text, number }) end
    end
    -- Another sweep may have taken the steps since we looked.
    local first = header(db).version + 1
    for step = first, version do
      exec(steps[step] .. "PRAGMA user_version=" .. step)
    end
    if first <= version and version >= 10 then
      exec(("DELETE FROM program; INSERT INTO program VALUES ('%s, commit %s')"):format(
        sys.version, sys.commit))
    end
    exec("PRAGMA application_id=" .. M.application)
    return true
  end)
  if good then return done, message, code end
  if type(done) ~= "table" then error(done, 0) end
  return nil, done[1], done[2]
end

-- Why a store of a later version is not opened, and which netspace opens it.
local function newer(db, path, version)
  local row = (db:rows("SELECT CAST(version AS TEXT) AS version FROM program LIMIT 1") or {})[1]
  return ("%s was written by a newer netspace (store version %d, this one knows %d); open it "
    .. "with %s"):format(path, version, M.version, row and row.version and
    ("netspace %s, or a later one"):format(paths.line(row.version)) or "that one")
end

--- Whose file an open database is: its version (0: it is empty, a store to be), or nil, a
-- message, and "damaged" when it is broken.
function M.version_of(db, path, mode)
  local h, message, code = header(db)
  if not h then return nil, explain(path, message, code, mode) end
  if h.tables == 0 and h.application == 0 then return 0 end
  path = paths.shown(path)
  if h.application ~= M.application then
    return nil, ("%s is an SQLite database, but not a netspace store; choose another file")
      :format(path)
  elseif h.version > M.version then
    return nil, newer(db, path, h.version)
  elseif h.version < 1 then
    return nil, explain(path, "its version is " .. h.version, sqlite.CORRUPT, mode)
  end
  return h.version
end

--- Opens `path` for writing: a missing or empty file becomes a store, an older one is
-- brought up to date.
-- @treturn database, or nil, a message, and "damaged" when the file is broken
function M.open(path)
  local about = uv.fs_stat(path)
  if about and about.type == "directory" then
    return nil, explain(path, "", sqlite.CANTOPEN, "rw")
  end
  if about and about.nlink > 1 then
    return nil, ("%s has %d names (hard links), and a sweep under one does not see what another "
      .. "one does under the other; keep one name, or use a symbolic link (ln -s)"):format(
      paths.shown(path), about.nlink)
  end
  local fine, network = filesystem.check(path)
  if not fine then return nil, network end
  local db, message, code = sqlite.open(path, "rw")
  if not db then return nil, explain(path, message, code, "rw") end
  local function refuse(...)
    db:close()
    return nil, ...
  end
  local version, why, kind = M.version_of(db, path, "rw")
  if not version then return refuse(why, kind) end
  local good, damage = true, db:check() -- nothing is written into what is damaged
  if damage and damage[1] then return refuse(explain(path, damage[1], sqlite.CORRUPT, "rw")) end
  if version < M.version then good, message, code = M.upgrade(db) end
  if good then -- the write-ahead log: readers and the writer never wait for each other
    good, message, code = db:exec("PRAGMA journal_mode=WAL")
  end
  if not good then return refuse(explain(path, message, code, "rw")) end
  return db
end

return M
