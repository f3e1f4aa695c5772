--- Packs that data.open makes of folders, archives and the like, once, and finds again: files in
-- $XDG_CACHE_HOME/netspace/packs (~/.cache/netspace/packs).
--
-- The name of a pack is NAME-KEY-LISTING.pack: the key is a checksum of what was asked for, the
-- listing one of the names, sizes and times of the files.  So files that change make another
-- pack; the old one goes.  Only one process makes a pack, others wait for it.  The packs that
-- were not opened for the longest time go when all have more bytes than the limit.
--
-- To look at 60,000 files takes longer than all else.  So beside a pack of more files than M.few
-- lies NAME-KEY.folders: the inode and ctime of every folder, by which an open knows that no file
-- was added, removed, renamed or replaced.  A file that was written over in place changes only
-- itself: that is seen when the files are looked at, before a sweep and by its workers (M.still).
-- The time of a folder that changed within seconds before it was read says nothing, as another
-- change may follow in the same tick (git's racy index): then all files are looked at again.

local atomic = require "netspace.lib.atomic"
local background = require "netspace.lib.background"
local core = require "netspace.core.pack"
local directories = require "netspace.lib.directory"
local paths = require "netspace.lib.path"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"
local xdg = require "netspace.lib.xdg"

local M = {}
local LIMIT = 20e9  -- bytes of all packs
local WAIT = 100    -- milliseconds between two looks at a lock
local LONG = 1      -- seconds of packing that are worth a line

--- So many files are always looked at, in a fiftieth of a second.
M.few = 10000
--- Seconds after which the time of a folder can be trusted.
M.settled = 3

--- A worker: nothing is said, and a set whose files have changed is refused, not packed again.
M.worker = false

--- The folder of the packs, or nil where there is no home.
function M.folder() return xdg.cache "packs" end

local function say(text)
  if not M.worker then background.notify(text) end
end

-- The packs in the folder whose names begin with `head`: path, bytes, time of last use.
local function packs(head)
  local dir, list = M.folder(), {}
  for name in directories.each(dir) do
    if name:find("%.pack$") and name:sub(1, #head) == head then
      local about = uv.fs_stat(dir .. "/" .. name)
      if about then
        list[#list + 1] = { path = dir .. "/" .. name, bytes = about.size,
          used = about.mtime.sec + about.mtime.nsec * 1e-9 }
      end
    end
  end
  table.sort(list, function(a, b)
    if a.used ~= b.used then return a.used > b.used end
    return a.path < b.path
  end)
  return list
end

-- Of "…/NAME-KEY-LISTING.pack": "…/NAME-KEY.folders".
local function folders_of(path) return (path:gsub("%-%x+%.pack$", ".folders")) end

-- Removes a pack; whether it was there.
local function remove(path)
  uv.fs_unlink(folders_of(path))
  return uv.fs_unlink(path)
end

-- Removes what processes that were killed have left of packs whose names begin with `head`.
local function sweep_up(head)
  local dir = M.folder()
  for name in directories.each(dir) do
    local pack = name:match "^(.*%.pack)%.part%-%d+$"
    if pack and name:sub(1, #head) == head and not sys.locked(dir .. "/" .. pack .. ".lock", 0) then
      uv.fs_unlink(dir .. "/" .. name)
    end
  end
end

--- The limit of all packs in bytes: what set_limit has set, else 20 GB.
function M.limit()
  local f = io.open((M.folder() or "") .. "/limit")
  local n = f and f:read "n"
  if f then f:close() end
  return n or LIMIT
end

-- Removes those not used for the longest time, but for `kept`, until all have `limit` bytes.
local function trim(limit, kept)
  local total = 0
  for _, p in ipairs(packs "") do
    total = total + p.bytes
    if total > limit and p.path ~= kept and not sys.locked(p.path .. ".lock", 0) then
      remove(p.path)
      total = total - p.bytes
    end
  end
end

--- Sets the limit, now and from now on.
-- @treturn true, or nil and a message
function M.set_limit(bytes)
  local dir = M.folder()
  if not dir then return nil, "there is no home for a cache; XDG_CACHE_HOME names one" end
  xdg.make_folder(dir .. "/limit")
  local f, why = io.open(dir .. "/limit", "w")
  if not f then return nil, why end
  f:write(("%.0f\n"):format(bytes))
  f:close()
  trim(bytes)
  return true
end

--- The packs there are, last used first: { path =, bytes =, used =, spec =, images = }, or
-- damaged = why.
function M.list()
  local list = packs ""
  for _, p in ipairs(list) do
    local pack <close>, why = core.open(p.path)
    if pack then
      local about = pack:about()
      p.spec, p.images, p.kind, p.size = about.made.spec, about.images, about.kind, about.size
    else
      p.damaged = why
    end
  end
  return list
end

--- Removes all packs; how many, and their bytes.
function M.clear()
  local n, bytes = 0, 0
  sweep_up ""
  for _, p in ipairs(packs "") do
    if remove(p.path) then n, bytes = n + 1, bytes + p.bytes end
  end
  return n, bytes
end

-- "photos" of "folder:/home/me/photos"
local function short(spec)
  local name = spec:match "([^/]*)/*$" or ""
  name = name:gsub("^%w+:", ""):gsub("[^%w._-]", "_"):sub(1, 40)
  return name == "" and "set" or name
end

-- A function that shows how far the packing is, and one that takes that away.
local function progress(spec)
  local term = os.getenv "TERM"
  if M.worker or not (sys.isatty(2) and term and term ~= "" and term ~= "dumb") then
    return nil, function() end
  end
  local began, shown = sys.now(), false
  return function(done, of, anew)
    if done == 0 then return end
    local width = (sys.terminal(2) or 80) - 1
    local head = ("packing %s%s: "):format(short(spec), anew and " (anew)" or "")
    local text = ("%s images"):format(units.thousands(done))
    if of > 0 then
      local seconds = sys.now() - began
      local cells = math.max(0, math.min(30, width - #head - 40))
      local full = math.floor(cells * done / of)
      text = ("%s%s %d%% of %s images, ETA %s"):format(("#"):rep(full), ("."):rep(cells - full),
        math.floor(100 * done / of), units.thousands(of),
        units.duration(seconds * (of - done) / done))
    end
    local line = head .. text
    if #line > width then line = text:sub(1, width) end
    io.stderr:write("\r", line, "\27[K")
    shown = true
  end, function()
    if shown then io.stderr:write("\r\27[K") end
  end
end

--- Makes the pack of a feed at `path`; how: as core.pack's feed:pack takes it.
-- @treturn true, or nil and a message
function M.make(feed, spec, path, how)
  local began = sys.now()
  local tell, done = progress(spec)
  local ran, good, why = pcall(feed.pack, feed, path, how, tell)
  done()
  if not ran then error(good, 0) end
  if not good then return nil, why end
  local seconds, about = sys.now() - began, uv.fs_stat(path)
  if seconds > LONG then
    say(("packed %s in %s: %s, %s"):format(spec, units.duration(seconds), paths.shown(path),
      units.bytes(about and about.size or 0)))
  end
  local pack <close> = core.open(path)
  local note = pack and pack:about().made.note
  if note then say(("%s: %s"):format(spec, note)) end
  return true
end

-- Takes the lock of a pack, or waits for whoever has it.
local function take(path, spec)
  local said
  while true do
    local lock, why = sys.lock(path .. ".lock", 0)
    if lock or why ~= "held" then return lock end -- without locks: both make it, one stays
    if not said then say(("waiting for another process that packs %s"):format(spec)) end
    said = true
    uv.sleep(WAIT)
    if sys.interrupted() then error("interrupted", 0) end
  end
end

-- Remembers that a pack was used.
local function touch(path)
  local now = os.time()
  uv.fs_utime(path, now, now)
end

-- "folder:/home/me/photos" begins the names of its packs with "photos-KEY-".
local function head_of(spec, how)
  local asked = ("%s\0%d %d %s %s %s %s names 2"):format(spec, how.size, how.channels, how.kind,
    how.pycls and "pycls" or "antialias", how.white and "white" or "black",
    how.coarse and "coarse" or "fine")
  -- "names 2": other folders were recognised as parts once; such packs are not taken
  return ("%s-%s-"):format(short(spec), core.hash(asked))
end

-- The feed of a data set, and the folders that it read when they can be trusted.
local function listed(spec, how)
  local feed, why = core.feed(spec, how.coarse)
  if not feed then return nil, why end
  local folders, age = feed:folders()
  local _, files = feed:listing()
  return feed, files > M.few and age >= M.settled and #folders > 0 and folders or nil
end

-- Remembers that the files in these folders are those of a pack.
local function remember(path, folders)
  if not folders then return end
  atomic.write(folders_of(path), function(write)
    write(path:match "[^/]*$" .. "\0" .. table.concat(folders, "\0") .. "\0")
  end)
end

-- The pack of folders that are as they were when it was found or made, or nil.
local function remembered(spec, head)
  local base = M.folder() .. "/" .. head:sub(1, -2)
  local f <close> = io.open(base .. ".folders", "rb")
  local words = (f and f:read "a" or ""):gmatch "([^\0]*)\0"
  local name, root = words(), spec:gsub("^%w+:", "")
  local path = name and M.folder() .. "/" .. name
  if not path or not uv.fs_stat(path) then return nil end
  for folder in words do
    local s = uv.fs_stat(root .. "/" .. folder)
    if not s or words() ~= ("%d:%d:%d.%d"):format(s.dev, s.ino, s.ctime.sec, s.ctime.nsec) then
      return nil
    end
  end
  return path
end

--- Whether all files are those that a pack was made of.
-- @treturn true, or nil and what has changed
function M.still(spec, how, path)
  local feed <close>, why = core.feed(spec, how.coarse)
  if not feed then return nil, why end
  if path:match "%-(%x+)%.pack$" == feed:listing() then return true end
  uv.fs_unlink(folders_of(path)) -- whoever opens it next looks at all files
  local pack <close> = core.open(path)
  return nil, ("%s has changed: %s"):format(spec, pack and feed:differs(pack) or "its pack is gone")
end

--- The pack of a data set: found, or made.
-- @tparam string spec "folder:/home/me/photos", with an absolute path
-- @tparam table how as core.pack's feed:pack takes it; coarse: see data/feed.h
-- @treturn string its path, or nil and a message; and whether it was there already
function M.pack(spec, how)
  local dir = M.folder()
  if not dir then
    return nil, "there is no home for the packs of images; XDG_CACHE_HOME names a folder"
  end
  local head = head_of(spec, how)
  local path = not M.worker and remembered(spec, head)
  if path then
    touch(path)
    return path, nil, true
  end
  local feed, folders = listed(spec, how)
  if not feed then return nil, folders end
  path = ("%s/%s%s.pack"):format(dir, head, feed:listing())
  if uv.fs_stat(path) then
    touch(path)
    feed:close()
    remember(path, folders)
    return path, nil, true
  end
  xdg.make_folder(path)
  if not uv.fs_stat(dir) then
    return nil, ("%s cannot be made; XDG_CACHE_HOME names another folder for packs"):format(dir)
  end
  local old = packs(head)[1]
  if old then
    local pack <close> = core.open(old.path)
    local what = pack and feed:differs(pack) or "its pack is damaged"
    feed:close()
    if M.worker then
      uv.fs_unlink(folders_of(old.path)) -- whoever opens it next looks at all files
      return nil, ("%s has changed: %s"):format(spec, what)
    end
    say(("%s has changed (%s); it is packed anew"):format(spec, what))
    feed, folders = listed(spec, how)
    if not feed then return nil, folders end
  end
  sweep_up(head)
  local lock <close> = take(path, spec) -- luacheck: ignore 211
  local good, why = uv.fs_stat(path) ~= nil, nil -- by the process that had the lock
  if not good then
    good, why = M.make(feed, spec, path, how)
  end
  feed:close()
  if not good then
    if why:find("^the pack cannot be written") then
      why = ("%s (%s); `netspace data --cache --clear` removes older packs, XDG_CACHE_HOME names "
        .. "another folder"):format(why, paths.shown(path))
    end
    return nil, why
  end
  if old and old.path ~= path then remove(old.path) end
  remember(path, folders)
  trim(M.limit(), path)
  return path, nil, false
end

--- A pack whose index is whole, but not every image, is made anew of the same files; who has it
-- open keeps what it has.
-- @treturn true, or nil and why not
function M.mend(spec, how, path)
  local same, changed = M.still(spec, how, path)
  if not same then return nil, changed end
  local lock <close> = take(path, spec) -- luacheck: ignore 211
  local pack <close> = core.open(path)
  if pack and pack:check() == 0 then return true end -- another process has made it
  local feed <close>, why = core.feed(spec, how.coarse)
  if not feed then return nil, why end
  return M.make(feed, spec, path, how)
end

--- A pack that is damaged goes, so that it is made anew.
function M.discard(path, why)
  say(why .. ": it is made anew")
  remove(path)
end

return M
