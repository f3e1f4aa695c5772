-- Stores of every earlier version, as the program of that version wrote them (tests/data/stores, by
-- scripts/make_stores_fixture.py): they are read as they are, brought up to date, and give in both
-- states the table that was recorded when they were written; what they left queued is trained.
-- One of a later version is refused with the netspace that reads it.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local gzip = require "netspace.lib.gzip"
local schema = require "netspace.store.schema"
local sqlite = require "netspace.core.sqlite"
local stores = require "netspace.store.store"
local sweep = require "netspace.sweep.sweep"
local sys = require "netspace.core.sys"
local uv = require "luv"

local dir, _, read = require "scratch" "old"

local function unpack_store(version)
  local f = assert(io.open(("tests/data/stores/%d.db.gz"):format(version), "rb"))
  local path = ("%s/%d.db"):format(dir, version)
  local out = assert(io.open(path, "wb"))
  for piece in assert(gzip.reader(function() return f:read(65536) end)) do out:write(piece) end
  out:close()
  f:close()
  return path
end

local function exact(x) return ("%.17g"):format(x) end

-- What this program makes of a store, in the form of the record.
local function table_of(s)
  local models, epochs, costs = {}, {}, {}
  for _, name in ipairs { "A", "B" } do
    local r = s:result(name)
    for k, m in ipairs(r.models) do
      local function list(key) return table.concat(m[key], " ") end
      models[#models + 1] = ("model %s %d | %s | %s | %s | %s | %s"):format(name, k, list "d",
        list "w", list "b", list "g", exact(r.errors[k]))
    end
    for i, e in ipairs(s:learning(name)) do
      for k in ipairs(e.lr) do
        epochs[#epochs + 1] = ("epoch %s %d %d %s %s %s %s"):format(name, i, k, exact(e.lr[k]),
          exact(e.train_loss[k]), exact(e.train_error[k]), exact(e.validation_error[k]))
      end
    end
    for i, m in ipairs(s:live(name)) do
      costs[#costs + 1] = ("cost %s %d %d %d %d %s"):format(name, i, m.flops, m.params, m.acts,
        m.status)
    end
  end
  return table.concat(models, "\n") .. "\n" .. table.concat(epochs, "\n") .. "\n"
    .. table.concat(costs, "\n") .. "\n"
end

local function version_of(path)
  local db = assert(sqlite.open(path, "r"))
  local version = db:rows("PRAGMA user_version")[1].user_version
  db:close()
  return version
end

for version = 1, schema.version - 1 do
  local path = unpack_store(version)
  local record = read(("tests/data/stores/%d.txt"):format(version))
  local before = read(path)
  t.is(version_of(path), version, ("a store of version %d"):format(version))
  local s = assert(stores.open(path))
  t.is(table_of(s), record, "gives the table that was recorded when it was written")
  s:close()
  t.ok(read(path) == before, "and looking changes nothing")
  assert(schema.open(path)):close()
  t.is(version_of(path), schema.version, "it is brought up to date")
  s = assert(stores.open(path))
  t.is(table_of(s), record, "and gives the same table")
  s:close()
  t.is(#sweep.resume(path, { quiet = true })[1].models, 3, "what was queued is trained")
end

-- A later version names the program that wrote it.
do
  local path = dir .. "/later.db"
  assert(schema.open(path)):close()
  local db = assert(sqlite.open(path, "rw"))
  local function refused(part, name)
    for _, open in ipairs { stores.open, schema.open } do
      local s, why = open(path)
      t.ok(not s and why:find(part, 1, true), name, tostring(why))
    end
  end
  t.is(db:rows("SELECT version FROM program")[1].version,
    ("%s, commit %s"):format(sys.version, sys.commit), "a store names the program that made it")
  db:exec(("PRAGMA user_version = %d; UPDATE program SET version = '0.9.0, commit 123'"):format(
    schema.version + 1))
  refused(("newer netspace (store version %d, this one knows %d); open it with netspace 0.9.0, "
    .. "commit 123, or a later one"):format(schema.version + 1, schema.version),
    "a later version is refused with the program that reads it")
  db:exec("UPDATE program SET version = 'x' || char(27) || '[2J' || char(10)")
  refused("netspace x?[2J?, or", "whose name is harmless")
  db:exec("DROP TABLE program")
  refused("open it with that one", "or without it where the store has lost it")
  db:close()
end
t.done()
