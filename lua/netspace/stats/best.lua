--- The best network of a population, to look at, train for longer, or take to PyTorch (the
-- next step of the paper: section 5 of arXiv 2003.13678).

local document = require("netspace.lib.doc").group "stats"
local input = require "netspace.stats.input"

local M = {}

function M.best(result)
  input.result("stats.best", "the argument", result)
  local best
  for i, e in ipairs(result.errors) do
    if not best or e < result.errors[best] then best = i end
  end
  if not best then error("stats.best: the result has no finished models", 2) end
  return result.models[best], result.errors[best], best
end

document("stats.best", [[
stats.best(result) -> network, error, i
The model with the least error (the first of several), that error in percent, and its index
in result.models and result.errors.
  result   of a sweep, or an import
example: stats.best({ errors = { 50, 40 }, models = space.AnyNetXE:sample(2) })]])

return M
