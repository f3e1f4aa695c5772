-- What luacheck looks for in Lua files (scripts/lint): undefined and unused names, above all.
std = "lua54"
max_line_length = 100
unused_args = false
ignore = {
  "311", -- a value that is overwritten before it is used: often the clearer form
  "581", -- not (x < y) is no x >= y where NaN is meant to fail, too
}
files["lua/netspace/prompt/prelude.lua"].globals = { "print" }
files["lua/constraints"].read_globals = { "constraint", "arch" }
local public = { "space", "constraint", "arch", "zoo", "data", "net", "recipe", "sweep", "store",
  "stats", "design", "plot", "monitor", "report", "who", "tour", "pretty", "help" }
files["examples"].globals = { "arg" } -- all.lua runs the others with arguments of their own
for _, folder in ipairs { "examples", "scripts", "tests" } do
  files[folder].read_globals = public
end
