--- File systems where a store may lie.  Its write-ahead log needs memory that all its readers and
-- writers share and locks that hold: one machine and a local file system (sqlite.org/wal.html,
-- sqlite.org/howtocorrupt.html section 2.1).  On a network file system a store would be
-- damaged sooner or later, so sweeps refuse to write there.

local uv = require "luv"

local M = {}

-- f_type of statfs(2), from linux/magic.h and the sources of those not in it.
local network = {
  [0x6969] = "NFS", [0x517B] = "SMB", [0xFE534D42] = "SMB", [0xFF534D42] = "CIFS",
  [0x01021997] = "9p", [0x5346414F] = "AFS", [0x6B414653] = "AFS", [0x73757245] = "Coda",
  [0x00C36400] = "Ceph", [0x0BD00BD0] = "Lustre", [0x47504653] = "GPFS",
  [0x19830326] = "BeeGFS", [0xAAD7AAEA] = "PanFS", [0x01161970] = "GFS2",
  [0x7461636F] = "OCFS2", [0x786F4256] = "VirtualBox shared folder",
  [0xBACBACBC] = "VMware shared folder",
}
local FUSE = 0x65735546
-- Of those in user space, the ones that lie on a local disk.
local local_fuse = { fuseblk = true, ["fuse.ntfs-3g"] = true, ["fuse.mergerfs"] = true,
  ["fuse.gocryptfs"] = true, ["fuse.encfs"] = true, ["fuse.bindfs"] = true,
  ["fuse.fuse-overlayfs"] = true, ["fuse.ext2"] = true, virtiofs = true }

--- The directory of a file.
function M.directory(path)
  local dir = path:match("^(.*)/[^/]*$") or "."
  return dir == "" and "/" or dir
end

-- The kind of the file system in user space that holds `dir`, such as "fuse.sshfs".
local function fuse_kind(dir)
  local real, best, kind = uv.fs_realpath(dir), -1, "fuse"
  local f = real and io.open("/proc/self/mountinfo")
  if not f then return kind end
  for line in f:lines() do
    local point, name = line:match("^%S+ %S+ %S+ %S+ (%S+) .* %- (%S+) ")
    point = point and point:gsub("\\(%d%d%d)", function(octal)
      return string.char(tonumber(octal, 8))
    end)
    local inside = point and (point == "/" or real == point
      or real:sub(1, #point + 1) == point .. "/")
    if inside and #point >= best then best, kind = #point, name end
  end
  f:close()
  return kind
end

--- The name of the network file system under the file `path`, or nil when it is local.
function M.network(path)
  local dir = M.directory(uv.fs_realpath(path) or path)
  local about = uv.fs_statfs(dir)
  if not about then return nil end
  local kind = about.type & 0xffffffff
  if kind ~= FUSE then return network[kind] end
  kind = fuse_kind(dir)
  if local_fuse[kind] then return nil end
  return kind
end

--- True when a store may be written at `path`; else false and what to do.
function M.check(path)
  local name = os.getenv("NETSPACE_NETWORK_STORE") ~= "yes" and M.network(path)
  if not name then return true end
  return false, ("%s lies on a network file system (%s), where a store gets damaged: SQLite's "
    .. "log needs a local disk. Keep the store on one (store=\"/var/tmp/runs.db\") and copy it "
    .. "when the sweep has ended; NETSPACE_NETWORK_STORE=yes in the environment writes it there "
    .. "all the same"):format(path, name)
end

return M
