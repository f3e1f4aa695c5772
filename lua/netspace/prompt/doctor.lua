--- Checks of the machine (`netspace doctor`) and the versions of everything used.
-- Why: some OpenBLAS releases compute wrong products on processors newer than they are, and
-- a terminal or locale that cannot draw shows an empty plot.

local prelude = require "netspace.prompt.prelude"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"

local M = {}

local function library(name)
  local good, value = pcall(require, name)
  return good and value or nil, value
end

--- The lines of `netspace --version`.
function M.version()
  local uv = library "luv"
  print(("netspace %s, commit %s, %s"):format(sys.version, sys.commit, sys.build))
  print("licence GPL-3.0-or-later; no warranty")
  print(sys.lua)
  print("SQLite " .. require("netspace.core.sqlite").version)
  print(("%s, kernels %s"):format(sys.blas(), sys.isa()))
  print("readline " .. require("netspace.core.readline").version)
  print(require("netspace.core.screen").version)
  print(uv and "libuv " .. uv.version_string() or "luv: not installed")
end

local function quoted(s)
  return "'" .. s:gsub("'", "'\\''") .. "'"
end

-- A self-check in a process of its own, which may die of an illegal instruction.
local function self_check(what, f, hint)
  local code = ([[print(select(2, require("netspace.core.sys").%s()) or "right")]]):format(f)
  local p = assert(io.popen(("%s -q --no-init -e %s 2>&1"):format(quoted(sys.exe()), quoted(code))))
  local text = p:read("a"):gsub("%s+$", "")
  local good, how, status = p:close()
  if good and text ~= "right" then return false, text end
  if good then return true end
  return false, ("%s: the self-check ended by %s %d%s; %s"):format(what, how, status,
    text ~= "" and ": " .. text or "", hint)
end

local function blas()
  local right, why = self_check(sys.blas(), "check_blas",
    "OPENBLAS_CORETYPE=" .. sys.other_core .. " netspace doctor tries another kernel")
  return right, why or sys.blas() .. ": matrix products are right"
end

local function kernels()
  local asked = os.getenv "NETSPACE_ISA"
  if asked and asked ~= sys.isa() then
    return false, ("NETSPACE_ISA=%s is not of this processor; the kernels use %s"):format(asked,
      sys.isa())
  end
  local right, why = self_check(sys.isa() .. " kernels", "check_kernels",
    "NETSPACE_ISA=portable netspace doctor tries others")
  return right, why or sys.isa() .. ": networks train as with other kernels" ..
    (sys.isa() == "neon" and "; their speed on ARM is unmeasured" or "")
end

local function threads()
  local n = os.getenv "OPENBLAS_NUM_THREADS"
  return n == "1", ("%s for workers, OPENBLAS_NUM_THREADS=%s"):format(
    units.count(sys.cores(), "core"), tostring(n))
end

local function lua_library(name)
  local found, message = library(name)
  return found ~= nil, found and name or message
end

local function terminal()
  local term = os.getenv "TERM"
  local columns, rows = sys.terminal(1)
  if not columns then return true, "standard output is not a terminal: plain text" end
  local small = columns < 40 or rows < 10
  return not small and term ~= nil, ("TERM=%s, %d×%d%s, %s"):format(tostring(term), columns, rows,
    small and " (the monitor needs 40×10)" or "", sys.color(1) and "colours" or "no colours")
end

local function locale()
  local good = require("netspace.core.screen").unicode()
  return true, good and "UTF-8: curves are drawn with braille dots" or
    "not UTF-8, so curves are drawn with ASCII characters (LC_ALL=C.UTF-8 gives braille)"
end

local function pictures()
  local version, message = require("netspace.plot.gnuplot").version()
  return version ~= nil, version and version .. ": pictures as SVG, PNG and PDF" or message
end

-- Which formats of images this build reads.
local function images()
  local good, missing = {}, {}
  for _, format in ipairs(sys.images()) do
    local list = format.read and good or missing
    list[#list + 1] = format.name
  end
  local text = table.concat(good, ", ") .. " are read"
  if #missing == 0 then return true, text end
  return false, ("%s; %s is not: install libwebp (Debian, Ubuntu: libwebp-dev) and build again")
    :format(text, missing[1])
end

-- The table of times by which arch.time tells those of networks (none is made here).
local function measured()
  local times = require "netspace.network.times"
  local t, folder = times.present(1), times.folder()
  if not folder then return false, "there is no home for them; XDG_CACHE_HOME names a folder" end
  if not t then
    local begun = times.begun(1)
    return true, ("not measured yet on this machine%s; arch.times() does it, in a minute or two")
      :format(begun > 0 and (", but for %d of %d networks"):format(begun, times.probes) or "")
  end
  local age = os.time() - (require("luv").fs_stat(t.path) or { mtime = { sec = 0 } }).mtime.sec
  return true, ("of layers, measured %s ago (%s), median error %.1f %% in training, %.1f %% in "
    .. "testing"):format(units.duration(age), t.id, 100 * t.error.train, 100 * t.error.test)
end

local function history()
  local path = require("netspace.prompt.history").path()
  if not path then return true, "off" end
  local uv = require "luv"
  local folder = path
  local about
  repeat
    folder = folder:match("^(.+)/[^/]*$") or "/"
    about = uv.fs_stat(folder)
  until about
  if about.type == "directory" and uv.fs_access(uv.fs_stat(path) and path or folder, "W") then
    return true, path
  end
  return false, path .. " cannot be written; NETSPACE_HISTORY=off turns the history off"
end

local SHOWN = 12 -- of what is damaged; the rest is counted

-- Of a database that has fewer bytes than its first page says: how to read what there is.
local function cut_short(path)
  local f = io.open(path, "rb")
  local head, size = f and f:read(100) or "", f and f:seek "end" or 0
  if f then f:close() end
  if #head < 100 then return nil end
  local page, pages = string.unpack(">I2", head, 17), string.unpack(">I4", head, 29)
  local whole = (page == 1 and 65536 or page) * pages -- 65536 does not fit in there
  if size >= whole then return nil end
  local copy = path .. ".copy"
  return ("The file is cut short: %d of %d bytes; a copy of full length shows what can be "
    .. "read:\n     cp %s %s; truncate -s %d %s; netspace doctor %s"):format(size,
    whole, path, copy, whole, copy, copy)
end

-- What a store without a population may be.  In WAL mode (bytes 18 and 19 of the file) what a
-- sweep has written lately lies in STORE-wal.
local function empty(path)
  local f = io.open(path, "rb")
  local head = f and f:read(20) or ""
  if f then f:close() end
  local text = path .. ": 0 populations"
  local log = io.open(path .. "-wal", "rb")
  if log then log:close() end
  if log or head:sub(19, 20) ~= "\2\2" then return text .. ", nothing is damaged" end
  return ("%s.  If it was copied from a store at work, what was in there is still in the\n     "
    .. "%s-wal beside the original: copy both files, or use netspace copy STORE NEW"):format(text,
    path:match "[^/]*$")
end

local function store(path)
  local report, message = require("netspace.store.integrity").check(path)
  if not report then return false, message, 1 end
  local problems, lines = report.problems, {}
  if #problems == 0 and report.populations == 0 then return true, empty(path) end
  if #problems == 0 then
    return true, ("%s: %s, %s, nothing is damaged"):format(path,
      units.count(report.populations, "population"), units.count(report.models, "model"))
  end
  lines[1] = path .. " is damaged:"
  for i = 1, math.min(#problems, SHOWN) do -- how others say that it is damaged: only why
    lines[i + 1] = (problems[i]:gsub("^.- is damaged %((.*)%);.*$", "%1"))
  end
  if #problems > SHOWN then lines[#lines + 1] = ("and %d more"):format(#problems - SHOWN) end
  lines[#lines + 1] = #report.readable > 0 and "What can still be read:" or cut_short(path)
    or "Nothing can be read"
  table.move(report.readable, 1, #report.readable, #lines + 1, lines)
  if #report.readable > 0 then
    lines[#lines + 1] = ("netspace export %s --salvage -o FILE.jsonl saves it"):format(path)
  end
  return false, table.concat(lines, "\n     "), 4
end

--- netspace doctor [STORE]: one line a check.  "bad", with status 5, is what would make
-- results wrong or stop the program, 4 a damaged store; a "note" says what else is not as it
-- should be.
function M.main(args)
  local worst = 0
  local function check(name, status, f, ...)
    local ran, good, text, own = pcall(f, ...)
    if good == "interrupted" then error(good, 0) end
    if not ran then good, text = false, tostring(good) end
    status = not good and (own or status) or 0
    worst = math.max(worst, status)
    print(("%-4s %-10s %s"):format(good and "ok" or status > 0 and "bad" or "note", name, text))
    io.stdout:flush()
  end
  check("blas", 5, blas)
  check("kernels", 5, kernels)
  check("cores", 5, threads)
  local names = {}
  for name in pairs(prelude.libraries) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do check("library", 5, lua_library, name) end
  check("images", 0, images)
  check("times", 0, measured)
  check("terminal", 0, terminal)
  check("locale", 0, locale)
  check("history", 0, history)
  check("gnuplot", 0, pictures)
  if args[1] then check("store", 1, store, args[1]) end
  return worst
end

return M
