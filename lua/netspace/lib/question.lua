--- A question at the terminal: [y/N], before what takes long or cannot be undone.  Where nobody
-- sits at one, nothing is asked, and the answer is yes.

local background = require "netspace.lib.background"
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}

-- A line from the terminal; nil at its end or after Ctrl-C.  Sweeps at work go on.
local function read_line()
  -- polling makes a descriptor non-blocking for all who share it: one of our own
  local terminal = uv.fs_open("/proc/self/fd/0", "r", 0)
  if not terminal then return nil end
  local poll, text = uv.new_poll(terminal), nil
  poll:start("r", function()
    text = uv.fs_read(terminal, 256) or ""
    uv.stop()
  end)
  while not text and not sys.interrupted() do uv.run("once") end
  poll:close()
  uv.fs_close(terminal)
  return text ~= "" and text or nil
end

--- Whether the user agrees to `text`, such as "Start? ".  Ctrl-C raises "interrupted".
function M.agreed(text)
  if sys.yes() or not (sys.isatty(0) and sys.isatty(2)) then return true end
  io.stderr:write(text, "[y/N] ")
  local answer = background.asking(read_line)
  if sys.interrupted() then error("interrupted", 0) end
  return answer ~= nil and answer:find("^%s*[yY]") ~= nil
end

return M
