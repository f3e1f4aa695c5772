--- The times of layers on this machine, measured once and kept: files in
-- $XDG_CACHE_HOME/netspace/times (~/.cache/netspace/times).
--
-- What is measured and how networks are told from it: src/model/timing.h.  A table is named by
-- the processor, the kernels, the version and the number of threads, and has an identity, the
-- checksum of its numbers, which a population that is drawn by time keeps.  While it is being
-- made, what is measured lies beside it (NAME.probes, a line of JSON each), so that an
-- interruption loses nothing.

local atomic = require "netspace.lib.atomic"
local background = require "netspace.lib.background"
local core = require "netspace.core.timing"
local directories = require "netspace.lib.directory"
local json = require "netspace.lib.json"
local pack = require "netspace.core.pack"
local paths = require "netspace.lib.path"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"
local xdg = require "netspace.lib.xdg"

local M = {}

local FORMAT = 1 -- of a file; another when pieces or their lattices become others
local SOON = 0.2 -- seconds between two lines on a terminal

--- Networks that are measured for a table.
M.probes = core.probes

local function fail(...) error((...):format(select(2, ...)), 0) end

--- The folder of the tables, or nil where there is no home.
function M.folder() return xdg.cache "times" end

-- What a table is of.
local function identity(threads)
  local info = uv.cpu_info()
  return { format = FORMAT, processor = info and info[1] and info[1].model or "unknown",
    kernels = sys.isa(), version = sys.version, threads = threads }
end

-- "…/times/1a2b3c4d5e6f7081", without an ending; nil where there is no home.
local function base(threads)
  local folder = M.folder()
  return folder and ("%s/%s"):format(folder, pack.hash(json.encode(identity(threads))))
end

-- Tables that have been read, by identity, and by path.
local known, by_path = {}, {}

-- The table in a file: { id =, timing =, processor =, kernels =, version =, threads =, date =,
-- error = { test =, train = }, path = }; or nil and why not.
local function read(path)
  if by_path[path] then return by_path[path] end
  local f <close>, why = io.open(path, "rb")
  if not f then return nil, why end
  local text = f:read "a" or ""
  local good, t = pcall(json.decode, text)
  if not good or type(t) ~= "table" or type(t.times) ~= "table" or t.format ~= FORMAT then
    return nil, ("%s is no table of times of this version"):format(paths.shown(path))
  end
  local timing
  timing, why = core.new(t.times)
  if not timing then return nil, ("%s: %s"):format(paths.shown(path), why) end
  local table_ = { timing = timing, path = path, id = pack.hash(json.encode(t.times)) }
  for _, key in ipairs { "processor", "kernels", "version", "threads", "date" } do
    table_[key] = t[key]
  end
  table_.error = { test = t.times.test.error, train = t.times.train.error }
  known[table_.id], by_path[path] = table_, table_
  return table_
end

-- Making one --------------------------------------------------------------------------------

-- What was measured before an interruption: probes by number, and a file to add to.
local function unfinished(path)
  local probes = {}
  local f = io.open(path, "rb")
  for line in f and f:lines() or function() end do
    local good, p = pcall(json.decode, line) -- the last one may be half
    if good and type(p) == "table" and math.type(p.number) == "integer" then
      probes[p.number] = p
    end
  end
  if f then f:close() end
  local out, why = io.open(path, "ab")
  if not out then
    fail("the times of layers have to be measured once, and %s cannot be written (%s); "
      .. "XDG_CACHE_HOME names another folder, or table= a file that is there already",
      paths.shown(path), atomic.reason(why))
  end
  return probes, out
end

-- Says how far it is: on a terminal again and again, else once.
local function progress(threads)
  local term = os.getenv "TERM"
  local line = ("measuring the times of layers on this machine, once (%s)"):format(
    units.count(threads, "thread"))
  local in_place = sys.isatty(2) and term and term ~= "" and term ~= "dumb"
  if not in_place then background.notify(line .. ": about a minute") end
  local began, last, first = sys.now(), 0, nil
  return function(done, all)
    first = first or done
    if not in_place or sys.now() - last < SOON then return end
    last = sys.now()
    local left = done > first and ("about %s left"):format(
      units.duration((last - began) / (done - first) * (all - done))) or "about a minute"
    local text = ("%s: %d of %d networks, %s"):format(line, done, all, left)
    io.stderr:write("\r", text:sub(1, (sys.terminal(2) or 80) - 1), "\27[K")
  end, function()
    if in_place then io.stderr:write("\r\27[K") end
  end
end

-- Measures what is missing of the probes in `path`.
local function measure(path, threads)
  local probes, out <close> = unfinished(path)
  local list, tell, done = {}, progress(threads)
  local good, why = pcall(function()
    for number = 0, M.probes - 1 do
      tell(number, M.probes)
      local p = probes[number]
      if not p then
        local reason
        p, reason = core.measure(number, threads)
        if not p then fail("the times of layers cannot be measured: %s", reason) end
        out:write(json.encode(p), "\n")
        out:flush()
      end
      list[#list + 1] = p
      if sys.interrupted() then error("interrupted", 0) end
    end
  end)
  done()
  if not good then error(why, 0) end
  return list
end

-- Only one process measures: two would slow each other.
local function take(path)
  while true do
    local lock, why = sys.lock(path .. ".lock", 0)
    if lock or why ~= "held" then return lock end
    uv.sleep(100)
    if sys.interrupted() then error("interrupted", 0) end
  end
end

--- Keeps what core.fit gave as the table for so many threads of this machine.
function M.keep(threads, times)
  local path, t = base(threads) .. ".json", identity(threads)
  t.date, t.times = os.date "!%Y-%m-%d %H:%M", times
  xdg.make_folder(path)
  local good, why = atomic.write(path, function(write) write(json.encode(t), "\n") end)
  if not good then fail("%s", why) end
  by_path[path] = nil
  return assert(read(path))
end

local function make(path, threads)
  local place = base(threads)
  xdg.make_folder(path)
  local lock <close> = take(path) -- luacheck: ignore 211
  local made = read(path) -- by the process that had the lock
  if made then return made end
  local probes = measure(place .. ".probes", threads)
  local good, times = pcall(core.fit, probes)
  if good then made = M.keep(threads, times) end
  uv.fs_unlink(place .. ".probes")
  if not good then error(times, 0) end
  return made
end

-- Finding one -------------------------------------------------------------------------------

--- The table with this identity, among those of the cache.
-- @treturn table, or nil and why not
function M.find(id)
  if known[id] then return known[id] end
  local folder = M.folder()
  for name in directories.each(folder) do
    local t = name:find "%.json$" and read(folder .. "/" .. name)
    if t and t.id == id then return t end
  end
  return nil, ("the table of times %s is not on this machine; copy its file to %s, or draw by "
    .. "another table"):format(id, folder and paths.shown(folder) or "the cache")
end

--- The table for so many threads of this machine (1), made where there is none yet; or, with
-- `which`, that of a file or with that identity.  Raises what is wrong, without a position.
function M.table(threads, which)
  local t, why
  if which then
    t, why = (which:find "^%x+$" and #which == 16 and M.find or read)(which)
    if not t then
      fail("table: %s; give the .path or the .id that arch.times() shows", why)
    end
    if threads and threads ~= t.threads then
      fail("threads is %d, and the table %s is of %s; leave threads out, or name another table",
        threads, paths.shown(which), units.count(t.threads, "thread"))
    end
    return t
  end
  threads = threads or 1
  if threads < 1 or threads > sys.cores() then
    fail("threads is %d; it must be from 1 to %d, the cores of this machine (table= names the "
      .. "times of another)", threads, sys.cores())
  end
  local place = base(threads)
  if not place then
    fail "there is no home for the times of layers; XDG_CACHE_HOME names a folder"
  end
  return read(place .. ".json") or make(place .. ".json", threads)
end

local About = { __name = "times of layers" }

function About:__tostring()
  return ("times of layers %s: %s, kernels %s, netspace %s, %s; measured %s; median error %.1f %% "
    .. "in training, %.1f %% in testing"):format(self.id, self.processor, self.kernels,
    self.version, units.count(self.threads, "thread"), self.date, 100 * self.error.train,
    100 * self.error.test)
end

--- What there is to say of a table; o: threads, table, again.
function M.about(o)
  local threads = math.tointeger(o.threads)
  local old = o.again and not o.table and M.present(threads)
  if old then
    by_path[old.path] = nil
    uv.fs_rename(old.path, ("%s-%s.json"):format(old.path:gsub("%.json$", ""), old.id))
  end
  local t, about = M.table(threads, o.table), {}
  for key, value in pairs(t) do
    if key ~= "timing" then about[key] = value end
  end
  return setmetatable(about, About)
end

--- The table of so many threads of this machine, if it is there; never made.
function M.present(threads)
  local place = base(threads or 1)
  return place and read(place .. ".json") or nil
end

--- How many probes of an unfinished table there are.
function M.begun(threads)
  local place, n = base(threads or 1), 0
  local f <close> = place and io.open(place .. ".probes", "rb")
  for _ in f and f:lines() or function() end do n = n + 1 end
  return n
end

--- Refuses a batch and an image size that a table says nothing of.
function M.check(batch, image)
  if batch < 1 or batch > core.most_batch then
    fail("batch is %d; times are told for batches of 1 to %d images", batch, core.most_batch)
  end
  if image < core.least_image or image > core.most_image then
    fail("image is %d; times were measured at 16 to 224 pixels, and are told for %d to %d: take "
      .. "one of these, or measure with net.benchmark", image, core.least_image, core.most_image)
  end
end

--- Seconds of an image of the network m, in steps of `batch`.
-- o: batch, image, threads, training, table
function M.seconds(m, o)
  local batch, training = math.tointeger(o.batch or 64), o.training ~= false
  local image = math.tointeger(o.image or m.image or 32)
  M.check(batch, image)
  local t = M.table(math.tointeger(o.threads), o.table)
  return t.timing:seconds(m, image, batch, training) / batch
end

--- What a population that is drawn by time keeps of it: by which table, and how.
function M.timing(o)
  local batch = math.tointeger(o.batch or 64)
  M.check(batch, 32)
  local t = M.table(math.tointeger(o.threads), o.table)
  return { table = t.id, batch = batch, training = o.training ~= false, threads = t.threads,
    processor = t.processor, kernels = t.kernels, version = t.version, date = t.date }
end

return M
