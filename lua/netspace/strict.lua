--- Undeclared globals: reading one in a script or a function raises an exception that says the
-- nearest known name, and in an entry of the prompt itself prints a hint.  Public names of
-- netspace are loaded when first read.
-- A global is declared by assigning to it, nil included; whoever takes one of netspace's own
-- names for a variable is told so.  Code of other Lua libraries
-- (which test for optional globals) reads nil as ever.

local habits = require "netspace.lib.habits"
local netspace = require "netspace"
local options = require "netspace.lib.options"

local M = { declared = {}, prompt = "=in[" }

--- What the prompt wants to hear of: called with (name, nearest name or nil).
M.listener = nil

--- All names a user can have meant: globals, public names and constants.
function M.known()
  local names = { "true", "false", "nil" }
  for name in next, _G do names[#names + 1] = name end
  for _, row in ipairs(netspace._names) do names[#names + 1] = row[1] end
  return names
end

local function index(_, name)
  if netspace._is_public(name) then -- also after NAME = nil
    return netspace[name] -- not kept in _G, so that an assignment to the name is noticed
  end
  if M.declared[name] or type(name) ~= "string" then return nil end
  local reader = debug.getinfo(2, "S")
  if not reader or reader.what == "C" or reader.source:sub(1, 5) == "@/usr" and
    reader.source:sub(2, #M.luadir + 1) ~= M.luadir then
    return nil
  end
  if reader.source:sub(1, #M.prompt) == M.prompt and reader.what == "main" then
    if M.listener then M.listener(name, options.nearest(name, M.known())) end
    return nil
  end
  local habit = habits.name(name)
  error(("undeclared variable '%s'%s"):format(name, habit and ": " .. habit
    or options.hint(name, M.known())), 2)
end

--- Makes _G strict.  `luadir` holds netspace's own Lua files.
function M.install(luadir)
  M.luadir = luadir
  setmetatable(_G, {
    __index = index,
    __newindex = function(t, name, value)
      if netspace._is_public(name) and not M.declared[name] then
        io.stderr:write(("netspace: '%s' is yours now and hides netspace's module of that name; "
          .. "%s = nil brings it back\n"):format(name, name))
      end
      M.declared[name] = true
      rawset(t, name, value)
    end,
  })
end

return M
