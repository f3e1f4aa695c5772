--- The best network of a population, to look at, train for longer, or take to PyTorch (the
-- next step of the paper: section 5 of arXiv 2003.13678).

local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"
local options = require "netspace.lib.options"

local M = {}

options.declare("stats.best", { metric = "string" })

function M.best(result, o)
  o = options.check("stats.best", o)
  input.result("stats.best", "the argument", result)
  result = input.by("stats.best", "the argument", result, o.metric)
  local best
  for i, e in ipairs(result.errors) do
    if not best or e < result.errors[best] then best = i end
  end
  if not best then error("stats.best: the result has no finished models", 2) end
  return result.models[best], result.errors[best], best
end

document("stats.best", [[
stats.best(result, { metric = "error" }) -> network, error, i
The model with the least error (the first of several), that error in percent, and its index
in result.models and result.errors.
  result   of a sweep, or an import
  metric   another one than the error, as in stats.edf
example: stats.best({ errors = { 50, 40 }, models = space.AnyNetXE:sample(2) })]])

return M
