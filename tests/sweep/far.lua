-- A line of 0.1 s each way to a port of this machine, as ssh's ProxyCommand: far.lua PORT.
local uv = require "luv"

local DELAY = 100 -- ms
local here, back, there = uv.new_pipe(false), uv.new_pipe(false), uv.new_tcp()
assert(here:open(0))
assert(back:open(1))

-- What comes from one end goes to the other, later, in its order.
local function carry(from, to)
  local waiting = {}
  from:read_start(function(_, chunk)
    waiting[#waiting + 1] = chunk or false
    local timer = uv.new_timer()
    timer:start(DELAY, 0, function()
      timer:close()
      local next_chunk = table.remove(waiting, 1)
      if next_chunk then to:write(next_chunk) else os.exit(0) end
    end)
  end)
end

there:connect("127.0.0.1", tonumber(arg[1]), function(err)
  assert(not err, err)
  carry(here, there)
  carry(there, back)
end)
uv.run()
