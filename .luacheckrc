-- What luacheck looks for in Lua files (scripts/lint): undefined and unused names, above all.
std = "lua54"
max_line_length = 100
unused_args = false
ignore = { "311" } -- a value that is overwritten before it is used: often the clearer form
files["lua/constraints"].read_globals = { "constraint", "arch" }
local public = { "space", "constraint", "arch", "zoo", "data", "net", "recipe", "sweep", "store",
  "stats", "design", "plot", "monitor", "report", "who", "tour", "pretty", "help" }
for _, folder in ipairs { "examples", "scripts", "tests" } do
  files[folder].read_globals = public
end
