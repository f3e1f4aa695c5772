--- The history of the prompt: a file of entries, one a line, in the order of typing.
-- A backslash is written as \\ and the line ends inside an entry as \n, so an entry of many
-- lines is one line here.  Sessions append, so several can write at once; when a session
-- starts, repeated and very old entries are dropped and the file is replaced as a whole.

local uv = require "luv"
local xdg = require "netspace.lib.xdg"

local M = { LIMIT = 2000 } -- entries kept

--- Where the history is: $NETSPACE_HISTORY (a path; "off" or empty: none), else
-- $XDG_STATE_HOME/netspace/history, else ~/.local/state/netspace/history; nil: none.
function M.path()
  local own = os.getenv "NETSPACE_HISTORY"
  if own then return own ~= "" and own ~= "off" and own or nil end
  return xdg.state "history"
end

local function encode(entry)
  return (entry:gsub("[\\\n]", { ["\\"] = "\\\\", ["\n"] = "\\n" }))
end

local function decode(line)
  return (line:gsub("\\(.)", { n = "\n", ["\\"] = "\\" }))
end

local function write(path, flags, text)
  local fd, why = uv.fs_open(path, flags, tonumber("600", 8))
  if not fd then return nil, why end
  local good
  good, why = uv.fs_write(fd, text, -1)
  uv.fs_close(fd)
  if good and good < #text then return nil, "the disk is full" end
  return good, why
end

--- The entries of the file, oldest first; {} when there is none.
function M.load(path)
  local f = io.open(path)
  if not f then return {} end
  local lines = {}
  for line in f:lines() do
    if line ~= "" then lines[#lines + 1] = line end
  end
  f:close()
  local seen, kept = {}, {}
  for i = #lines, 1, -1 do
    if not seen[lines[i]] and #kept < M.LIMIT then
      seen[lines[i]] = true
      table.insert(kept, lines[i])
    end
  end
  local entries, text = {}, {}
  for i = #kept, 1, -1 do
    entries[#entries + 1] = decode(kept[i])
    text[#text + 1] = kept[i] .. "\n"
  end
  if #kept < #lines then
    local new = ("%s.%d"):format(path, uv.os_getpid())
    if write(new, "w", table.concat(text)) then uv.fs_rename(new, path) end
  end
  return entries
end

--- Adds an entry to the file, which is made when missing.
-- @treturn true, or nil and why it could not be written
function M.append(path, entry)
  xdg.make_folder(path)
  return write(path, "a", encode(entry) .. "\n")
end

return M
