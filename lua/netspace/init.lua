--- The public names of netspace: `local netspace = require "netspace"`.
-- Each is a module of its own, loaded when it is first used.  The prelude gives scripts
-- and the prompt the same names as globals.

local M = {}

--- Each name, what it is, and its module under netspace/, in the order of the overview that
-- help() prints.
M._names = {
  { "space", "design spaces: sample, refine with principles, count", "space.space" },
  { "constraint", "a principle as a few lines of Lua", "space.constraint" },
  { "arch", "network architectures: AnyNet and RegNet, complexity, fit", "network.arch" },
  { "zoo", "published networks by name", "network.zoo" },
  { "data", "data sets: your images, CIFAR, MNIST, built-in shapes", "data.data" },
  { "net", "one network: train, test, save, load", "network.net" },
  { "recipe", "how networks are trained", "network.recipe" },
  { "sweep", "train a whole population on every core", "sweep.sweep" },
  { "slurm", "where a sweep trains: on a cluster with Slurm", "cluster.cluster" },
  { "cluster", "the same for any scheduler", "cluster.cluster" },
  { "store", "what a sweep wrote, read-only", "store.store" },
  { "exchange", "files of other programs: configurations of pycls", "exchange.exchange" },
  { "stats", "error EDFs, comparisons, properties of the best, noise, imports", "stats.stats" },
  { "design", "one step of designing a space: train, compare, decide", "design.step" },
  { "plot", "pictures: in the terminal, as SVG, PNG or PDF", "plot.plot" },
  { "monitor", "live view of a store", "monitor.monitor" },
  { "report", "a store as one HTML page to send to a colleague", "report.report" },
  { "who", "the globals of your session; :save FILE and :time EXPRESSION", "prompt.session" },
  { "tour", "the method in ten steps, on the built-in data", "prompt.tour" },
  { "pretty", "any value as the text the prompt prints", "lib.pretty" },
  { "help", "documentation of any name", "prompt.help" },
}

-- A module that has to be there for a name: a sweep may have been begun on a cluster.
local besides = { sweep = "cluster.home", design = "cluster.home" }

-- Names that are a function of their module, called the same.
local functions = { who = true, monitor = true, report = true, slurm = true, cluster = true }

local function row_of(name)
  for _, row in ipairs(M._names) do
    if row[1] == name then return row end
  end
end

--- True for a public name, loaded or not.
function M._is_public(name)
  return row_of(name) ~= nil
end

return setmetatable(M, {
  __index = function(t, name)
    local row = row_of(name)
    if not row then return nil end
    local value = require("netspace." .. row[3])
    if besides[name] then require("netspace." .. besides[name]) end
    if functions[name] then value = value[name] end
    rawset(t, name, value)
    return value
  end,
})
