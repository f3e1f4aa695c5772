--- Text longer than the screen goes through a pager: $NETSPACE_PAGER, else $PAGER, else
-- less -FRX.  Only at the prompt of a terminal; the event loop runs on while the user reads.

local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}

-- Its line says how to leave, and when there is no more.
local LESS = "less -FRX '-Ps?ethe end, q leaves:space goes on, q leaves.'"

--- Whether what is printed may be paged; the prompt sets it while it evaluates an entry.
M.allowed = false

--- News that wait until the pager has gone: a list while it shows, else nil.
M.held = nil

local function command()
  local own = os.getenv "NETSPACE_PAGER" or os.getenv "PAGER" or LESS
  return own:find("%S") and own ~= "cat" and own or nil
end

-- Whether `text` takes more lines than the terminal has, beside the prompt.
local function is_long(text)
  local width, height = sys.terminal(1)
  if not width then return false end
  local lines = 0
  for line in (text .. "\n"):gmatch("(.-)\n") do
    local cells = math.max(1, require("netspace.core.canvas").text_width(line))
    lines = lines + (cells + width - 1) // width
  end
  return lines > height - 1
end

-- Runs the pager until the user leaves it; false when there is none.
local function page(pager, text)
  local input = uv.new_pipe(false)
  local ended
  -- less is told to take no commands that run programs or write files: what is typed ahead
  -- would be taken for one.
  local shell = "LESSSECURE=1; export LESSSECURE; " .. pager
  local process = uv.spawn("/bin/sh", { args = { "-c", shell }, stdio = { input, 1, 2 } },
    function(status) ended = status end)
  if not process then
    input:close()
    return false
  end
  input:write(text .. "\n", function() input:close() end)
  while not ended do
    local good, why = pcall(uv.run, "once") -- a callback of the user's may fail
    if not good then table.insert(M.held, tostring(why)) end
    sys.clear_interrupt() -- Ctrl-C is the pager's
    if sys.ending() then process:kill("sigterm") end
  end
  process:close()
  if not input:is_closing() then input:close() end
  uv.run("nowait")
  return ended ~= 127 and ended ~= 126 -- the shell found it
end

--- Prints text and a newline, through the pager when it is long and a user reads.
function M.print(text)
  io.stdout:flush()
  local term = os.getenv "TERM"
  local pager = M.allowed and term and term ~= "dumb" and not uv.loop_mode() and command()
  M.held = {}
  local paged = pager and is_long(text) and sys.shielded(page, pager, text)
  if not paged then io.stdout:write(text, "\n") end
  for _, line in ipairs(M.held) do io.stderr:write(line, "\n") end
  M.held = nil
end

return M
