--- The public names of netspace: `local netspace = require "netspace"`.
-- Each is a module of its own, loaded when it is first used.  The prelude gives scripts
-- and the prompt the same names as globals.

local M = {}

--- name -> what it is, in the order of the overview that help() prints.
M._names = {
  { "space", "design spaces: sample, refine with principles, count" },
  { "constraint", "a principle as a few lines of Lua" },
  { "arch", "network architectures: AnyNet and RegNet, complexity, fit" },
  { "zoo", "published networks by name" },
  { "data", "data sets: built-in shapes, CIFAR-10" },
  { "net", "one network: train, test, save, load" },
  { "recipe", "how networks are trained" },
  { "sweep", "train a whole population on every core" },
  { "store", "what a sweep wrote, read-only" },
  { "stats", "error EDFs, comparison of spaces, properties of the best, noise, imports" },
  { "design", "one step of designing a space: train, compare, decide" },
  { "plot", "pictures: in the terminal, as SVG, PNG or PDF" },
  { "monitor", "live view of a store" },
  { "report", "a store as one HTML page to send to a colleague" },
  { "who", "the globals of your session; :save FILE and :time EXPRESSION" },
  { "tour", "the method in ten steps, on the built-in data" },
  { "pretty", "any value as the text the prompt prints" },
  { "help", "documentation of any name" },
}

-- Names that are a function of a module: of the same name, or called otherwise.
local functions = { who = true, monitor = true, report = true }
local modules = { who = "session" }

--- True for a public name, loaded or not.
function M._is_public(name)
  for _, row in ipairs(M._names) do
    if row[1] == name then return true end
  end
  return false
end

return setmetatable(M, {
  __index = function(t, name)
    if type(name) ~= "string" or not M._is_public(name) then return nil end
    local value = require("netspace." .. (modules[name] or name))
    if functions[name] then value = value[name] end
    rawset(t, name, value)
    return value
  end,
})
