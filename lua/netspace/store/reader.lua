--- Reading a store without disturbing it: a reader never changes it, never makes a file,
-- never makes the sweep at work on it wait, and works in a read-only directory.
--
-- While nobody writes, all of a store is in its main file, and that is read as it lies
-- ("frozen": no locks, no log's index, which would be a new file).  Once there is a log, the
-- reader joins the others through its index.  Which of the two it is is looked at before
-- each read; a frozen read during which the file changed is done again.  The store of an
-- older version is read as a copy in memory, brought up to date there.

local filesystem = require "netspace.lib.filesystem"
local json = require "netspace.lib.json"
local paths = require "netspace.lib.path"
local rules = require "netspace.store.rules"
local schema = require "netspace.store.schema"
local sqlite = require "netspace.core.sqlite"
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}
local GAP = 1000 -- numbers in a row without a row: the end of a table
local Reader = {}
Reader.__index = Reader

local function size(path)
  local about = uv.fs_stat(path)
  return about and about.size or 0
end

local function in_use(path)
  return size(path .. "-wal") > 0 or size(path .. "-journal") > 0
end

-- Equal texts mean that nothing was written in between.
local function state(path)
  local parts = {}
  for _, file in ipairs { path, path .. "-wal", path .. "-journal" } do
    local about = uv.fs_stat(file)
    if about and about.size > 0 then
      parts[#parts + 1] = ("%d %d %d.%d"):format(about.ino, about.size, about.mtime.sec,
        about.mtime.nsec)
    else
      parts[#parts + 1] = "-"
    end
  end
  return table.concat(parts, ", ")
end

local function unreadable(path, message, code)
  local dir = filesystem.directory(path)
  if in_use(path) and (code == sqlite.CANTOPEN or code == sqlite.READONLY)
    and not uv.fs_access(dir, "W") then
    return ("%s: finished work is still in %s-wal, and the directory %s is read-only; copy "
      .. "both files to a writable directory and open the copy"):format(path, path, dir)
  end
  return schema.explain(path, message, code, "r")
end

-- A database of this version, and whether it is a copy; or nil, a message and "damaged".
local function connect(path, mode)
  if not uv.fs_stat(path) then
    return nil, schema.explain(path, "", sqlite.CANTOPEN, "r")
  end
  local db, message, code = sqlite.open(path, mode)
  if not db then return nil, unreadable(path, message, code) end
  local version, why, kind = schema.version_of(db, path, "r")
  if version == schema.version then return db, false end
  local copy
  if version == 0 then
    why = paths.shown(path) .. " is empty: no sweep has written it yet"
  elseif version then
    copy, message, code = db:copy()
    local good = copy
    if copy then good, message, code = schema.upgrade(copy) end
    if not good then why, kind = unreadable(path, message, code) end
  end
  db:close()
  if why then return nil, why, kind end
  return copy, true
end

-- self.state: what of the files makes the connection stale when it changes; nil for a live
-- one, which sees changes by itself.
local function reopen(self)
  self:close()
  local before, live = state(self.path), in_use(self.path)
  local db, copied, kind = connect(self.path, live and "r" or "frozen")
  if not db then return nil, copied, kind end
  self.db, self.state = db, (copied or not live) and before or nil
  return true
end

--- A reader of the store at `path`, or nil, a message, and "damaged" when it is broken.
function M.open(path)
  local self = setmetatable({ path = paths.absolute(path) }, Reader)
  local good, message, kind = reopen(self)
  if not good then return nil, message, kind end
  return self
end

-- What the outside world refuses inside of read() travels as this.
local Failure = {}

local function query(self, method, sql, params)
  local found, message, code = self.db[method](self.db, sql, params)
  if found then return found end
  error(setmetatable({ message = message, code = code }, Failure), 0)
end

--- Inside of read(): the content is not what a sweep writes.
function Reader:damaged(what)
  error(setmetatable({ message = what, code = sqlite.CORRUPT }, Failure), 0)
end

-- A value of JSON whose strings a terminal may show.
local function harmless(v)
  if type(v) == "string" then return sys.harmless(v) end
  if type(v) == "table" then
    for k, x in pairs(v) do
      if type(x) ~= "number" then v[k] = harmless(x) end
    end
  end
  return v
end

--- Inside of read(): the value of a text in JSON, nil for nil.
function Reader:decode(what, text)
  if text == nil then return nil end
  local value = json.decode(text)
  if type(value) ~= "table" then self:damaged(what .. " is not JSON") end
  -- an escape may be of a control character; those of more than ASCII can turn text around
  if text:find("\\u", 1, true) or text:find "\xe2[\x80\x81]" then harmless(value) end
  return value
end

--- The same of what is always there.
function Reader:needed(what, text)
  return self:decode(what, text) or self:damaged(what .. " is missing")
end

--- Inside of read(): db:rows and db:columns.
function Reader:rows(sql, params) return query(self, "rows", sql, params) end
function Reader:columns(sql, params) return query(self, "columns", sql, params) end

--- Inside of read(): calls each(row) for the rows of a table, every one looked up on its own
-- by its number (the ? of the statement), so that a damaged page costs only what is in it.
-- @treturn integer how many were lost between those found
function Reader:probe(sql, each)
  local lost, missing, id, last = 0, 0, 1, 0
  while id - last <= GAP do
    if sys.interrupted() then error("interrupted", 0) end
    local rows = self.db:rows(sql, { id })
    if not rows then
      missing = missing + 1
    elseif rows[1] then
      last, lost, missing = id, lost + missing, 0
      each(rows[1])
    end
    id = id + 1
  end
  return lost
end

-- The Failure that explains an exception of Lua code while reading, when the store is damaged;
-- else the exception: it is a bug.
local function failure_of(self, err)
  local ours = type(err) == "string" and (err:find("%.lua:%d+: ") or err:find("^attempt to "))
  if not ours then return err end
  local found = self.db:check() or {}
  if not found[1] then pcall(rules.check, self, found) end
  if not found[1] then return err end
  return setmetatable({ message = found[1], code = sqlite.CORRUPT }, Failure)
end

-- f(…) once: whether it ran, and its results or the exception.
local function attempt(self, f, ...)
  local args, results = table.pack(...), nil
  local ran, good, message, code = pcall(self.db.snapshot, self.db, function()
    results = table.pack(f(table.unpack(args, 1, args.n)))
    return true
  end)
  if ran and good then return true, results end
  if ran then return false, setmetatable({ message = message, code = code }, Failure) end
  return false, failure_of(self, good)
end

--- f(…), everything it reads being of one moment: what f returns, or nil, a message, and
-- "damaged" when the store is.
function Reader:read(f, ...)
  for _ = 1, 5 do
    if not self.db or self.state and self.state ~= state(self.path) then
      local good, message, kind = reopen(self)
      if not good then return nil, message, kind end
    end
    local ran, results = attempt(self, f, ...)
    if not self.state or self.state == state(self.path) then
      if ran then return table.unpack(results, 1, results.n) end
      if getmetatable(results) == Failure then
        return nil, schema.explain(self.path, results.message, results.code, "r")
      end
      error(results, 0)
    end
  end
  return nil, paths.shown(self.path) .. " is being replaced; try again"
end

function Reader:close()
  if self.db then self.db:close() end
  self.db = nil
end

return M
