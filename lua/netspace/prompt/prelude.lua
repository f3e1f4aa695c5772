--- What every script, prompt and worker starts with: the public names as globals, strict
-- globals, and a clear message for a Lua library that is not installed.

local background = require "netspace.lib.background"
local sys = require "netspace.core.sys"
local strict = require "netspace.strict"

local M = {}

--- Libraries of other projects, and the Debian packages that bring them.
M.libraries = { luv = "lua-luv", cjson = "lua-cjson" }

-- The event loop must notice signals: a watcher that does not keep it alive.
local function watch_signals(uv)
  local poll = assert(uv.new_poll(sys.wake_fd()))
  poll:start("r", function()
    sys.drain_wake()
    uv.stop()
  end)
  poll:unref()
end

local function load_library(name)
  local path = package.searchpath(name, package.cpath)
  if not path then
    error(("the Lua library '%s' is missing: install the package %s (apt install %s)")
      :format(name, M.libraries[name], M.libraries[name]), 0)
  end
  if name == "luv" and package.loadlib(path, "*") then sys.before_luv() end
  local open = assert(package.loadlib(path, "luaopen_" .. name))
  if name ~= "luv" then return open(name, path) end
  local good, library = pcall(function()
    local uv = open(name, path)
    sys.after_luv(uv)
    watch_signals(uv)
    return uv
  end)
  if good then return library end
  local why = tostring(library):gsub("^[^:]*:%d+: ", ""):gsub("%s+$", "")
  io.stderr:write("netspace: there is no event loop: ", why, "; `ulimit -n` and `ulimit -u` show ",
    "what a process may have\n")
  os.exit(1) -- luv crashes where it closes a loop that has not begun
end

--- Called once by the program; `luadir` holds netspace's Lua files.
function M.install(luadir)
  for name in pairs(M.libraries) do package.preload[name] = load_library end
  print = function(...) require("netspace.prompt.show").print(...) end
  local plain = tostring
  tostring = function(...) -- luacheck: ignore
    local v = ...
    local text = type(v) == "table" and require("netspace.lib.pretty")._network(v)
    return text or plain(...)
  end
  math.randomseed(sys.seed())
  strict.install(luadir)
end

--- A value to be closed when the Lua state is: it ends the event loop.  luv 1.44 crashes when
-- a handle was closed and the loop has not run since.
M.guard = setmetatable({}, {
  __close = function()
    local uv = package.loaded.luv
    if not uv then return end
    pcall(uv.walk, function(handle)
      if not handle:is_closing() then handle:close() end
    end)
    pcall(uv.run, "nowait")
  end,
})

--- Called when the script has ended: waits for sweeps it has started and not waited for
-- (after an exception: stops them).
function M.finish(failed)
  background.finish(failed)
end

return M
