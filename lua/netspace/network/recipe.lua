--- Recipes: how a network is trained, as plain tables.
-- Source: Radosavovic et al. 2020, section 3 and appendix D (low-compute regime: 10
-- epochs, lr .05, weight decay 5e-5), as pycls does it (Nesterov, per-epoch cosine).
--
--   r = recipe{ epochs = 20 }                       -- the rest as recipe.paper
--   r = recipe{ like = recipe.quick, epochs = 3 }   -- the rest as recipe.quick

local core = require "netspace.core.recipe"
local document = require("netspace.lib.doc").group "recipe"
local options = require "netspace.lib.options"

local M = {}

local keys = {
  like = "table",
  epochs = "integer", batch = "integer", lr = "number", wd = "number", wd_bn = "number",
  wd_bias = "number", momentum = "number", nesterov = "boolean", schedule = "string",
  warmup = "integer", warmup_factor = "number", label_smoothing = "number",
  zero_gamma = "boolean",
}
options.declare({ "recipe", "recipe.rates", "net:train", "sweep.run: recipe",
  "sweep.start: recipe", "sweep.forecast: recipe", "design.step: recipe",
  "design.repeats: recipe" }, keys)

options.words.schedule = { "cos", "cos_step", "constant" }

M.paper = {
  epochs = 10, batch = 128, lr = 0.05, wd = 5e-5, momentum = 0.9, nesterov = true,
  schedule = "cos", warmup = 0, warmup_factor = 0.1, label_smoothing = 0,
  zero_gamma = false,
}

-- For a few thousand images of 32 pixels on a processor: small batches, because there are
-- few of them an epoch, an epoch of warm-up, because the rate is high, a rate that falls at
-- every step, because a few epochs otherwise end far from 0, and residual branches that start
-- at zero, because a deep network hardly leaves chance in so few steps otherwise (the quick
-- start with schedule = "cos", with zero_gamma = false shows it).
M.quick = {
  epochs = 5, batch = 32, lr = 0.1, wd = 5e-4, momentum = 0.9, nesterov = true,
  schedule = "cos_step", warmup = 1, warmup_factor = 0.1, label_smoothing = 0,
  zero_gamma = true,
}

--- Completes and checks a recipe.  `where` is the function that exceptions name.
-- @tparam[opt] table t what differs from t.like, or from `usual`
-- @tparam[opt] table usual what is the default there (recipe.paper)
-- @treturn table a new table with every key
function M._complete(where, t, level, usual)
  level = (level or 1) + 1
  t = options.check(where, t, level, "recipe")
  local r = {}
  if t.like then
    for k, v in pairs(M._complete(where .. ": like", t.like, level)) do r[k] = v end
  else
    for k, v in pairs(usual or M.paper) do r[k] = v end
  end
  for k, v in pairs(t) do
    if k ~= "like" then r[k] = keys[k] == "integer" and math.tointeger(v) or v end
  end
  local ok, message = pcall(core.check, r)
  if not ok then error(message:gsub("^recipe:", where .. ":"), level + 1) end
  return r
end

--- The learning rates of all epochs.
-- @tparam table r recipe
-- @treturn table list of numbers
function M.rates(r)
  r = M._complete("recipe.rates", r)
  local list = {}
  for epoch = 1, r.epochs do list[epoch] = core.lr(r, epoch) end
  return list
end

document("recipe", [[
  recipe{ epochs =, batch =, lr =, … } -> recipe
  How to train: SGD with momentum.  Options that are not given are those of
  recipe.paper, or of the recipe given as `like`.
    epochs = 10, batch = 128
    lr = 0.05              learning rate at the start
    schedule = "cos"       half a cosine, set once an epoch; "cos_step": set at every
                           step, so that a few epochs end near 0; "constant"
    warmup = 0             epochs of linear warm-up, from warmup_factor = 0.1
    momentum = 0.9, nesterov = true
    wd = 5e-5              weight decay
    wd_bn = wd, wd_bias    of batch norm and biases
    label_smoothing = 0
    zero_gamma = false     true: residual branches start at zero (of fresh networks)
    like = recipe.paper
  Where a recipe is an option (sweep.run, net:train, design.step) a table that gives only a few
  of these, such as recipe = { epochs = 3 }, starts from what is the default there:
  recipe.quick.
  A recipe is a plain table and may be stored or printed.
  example: recipe{ epochs = 2, lr = 0.1 }.lr
  source: arXiv 2003.13678 section 3; pycls optimizer.py]])

document("recipe.paper", [[
  recipe.paper
  The paper's low-compute regime: 10 epochs, batch 128, lr 0.05 with half a cosine, weight
  decay 5e-5, momentum 0.9 (Nesterov, as the published code has it).
  example: recipe.paper.lr
  source: arXiv 2003.13678 section 3]])

document("recipe.quick", [[
  recipe.quick
  For a few thousand small images on a processor: 5 epochs, batch 32, an epoch of warm-up,
  a learning rate that falls at every step, residual branches that start at zero (otherwise a
  deep network learns too late).
  example: recipe{ like = recipe.quick, epochs = 3 }.epochs]])

document("recipe.rates", [[
  recipe.rates(r) -> list of numbers
  The learning rate at the start of every epoch; r as for recipe{ … }.
  example: #recipe.rates(recipe.paper)]])

return setmetatable(M, {
  __call = function(_, t) return M._complete("recipe", t, 2) end,
  __index = function(_, name)
    error(("there is no recipe.%s%s; there are recipe.paper, recipe.quick and recipe{ … }")
      :format(tostring(name), options.hint(name, { paper = true, quick = true })), 2)
  end,
})
