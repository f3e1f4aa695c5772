--- Recipes: how a network is trained, as plain tables.
-- Source: Radosavovic et al. 2020, section 3 and appendix D (low-compute regime: 10
-- epochs, lr .05, weight decay 5e-5), as pycls does it (Nesterov, per-epoch cosine).
--
--   r = recipe{ epochs = 20 }                       -- the rest as recipe.paper
--   r = recipe{ like = recipe.quick, epochs = 3 }   -- the rest as recipe.quick

local core = require "netspace.core.recipe"
local document = require("netspace.lib.doc").group "recipe"
local options = require "netspace.lib.options"
local varies = require "netspace.network.vary"

local M = {}

local keys = {
  like = "table",
  epochs = "integer", batch = "integer", lr = "number", wd = "number", wd_bn = "number",
  wd_bias = "number", momentum = "number", nesterov = "boolean", schedule = "string",
  warmup = "integer", warmup_factor = "number", label_smoothing = "number",
  zero_gamma = "boolean", augment = "string|table", freeze = "string", lr_scale = "number",
  vary = "table",
  steps = "table", lr_mult = "number", lr_end = "number", ema = "number", ema_period = "integer",
  dropout = "number", stochastic_depth = "number", stochastic_depth_rule = "string",
  precise_bn = "integer",
}
local augment_keys = {
  like = "string", crop = "string", pad = "integer", area = "table", aspect = "table",
  swap = "boolean", flip = "boolean", lighting = "number", brightness = "number",
  contrast = "number", saturation = "number", hue = "number", policy = "string",
  operations = "integer", magnitude = "integer", mixup = "number", cutmix = "number",
}
options.declare({ "recipe", "recipe.rates", "net:train", "sweep.run: recipe",
  "sweep.start: recipe", "sweep.forecast: recipe", "design.step: recipe",
  "design.repeats: recipe" }, keys)

options.words.freeze = { "body", "stem", "s1", "s2", "s3" }
options.words.schedule = { "cos", "cos_step", "linear", "linear_step", "exp", "exp_step", "steps",
  "constant" }
options.words.stochastic_depth_rule = { "linear", "constant" }

-- What an option is where a recipe does not have it; a recipe never has it with this value, so that
-- recipes of the time before there was a choice are the same as now.
local off = { lr_mult = 0.1, lr_end = 0, ema = 0, ema_period = 32, dropout = 0,
  stochastic_depth = 0, stochastic_depth_rule = "linear", precise_bn = 0 }

local falls = { cos = true, linear = true, exp = true }

-- Options that change nothing where another is not in use: of which that is, and whether it is.
local parts = {
  { "ema_period", "ema", function(r) return r.ema end },
  { "stochastic_depth_rule", "stochastic_depth", function(r) return r.stochastic_depth end },
  { "steps", "schedule", function(r) return r.schedule == "steps" end },
  { "lr_mult", "schedule", function(r) return r.schedule == "steps" end },
  { "lr_end", "schedule", function(r) return falls[r.schedule:gsub("_step$", "")] end },
  { "warmup_factor", "warmup", function(r) return r.warmup ~= 0 end },
}

-- Leaves out of r what is off, and what changes nothing; of the latter what `given` names is
-- returned as a message.
local function tidy(r, given)
  local nothing
  for key, v in pairs(off) do
    if r[key] == v then r[key] = nil end
  end
  if type(r.steps) == "table" then
    local list = {}
    for i, v in ipairs(r.steps) do list[i] = math.tointeger(v) or v end
    r.steps = list[1] and list
  end
  for _, part in ipairs(parts) do
    local key, of, used = table.unpack(part)
    if r[key] ~= M.paper[key] and not used(r) then
      if given[key] ~= nil then
        local v = r[of] or off[of]
        nothing = nothing or ("%s changes nothing with %s = %s"):format(key, of,
          type(v) == "string" and ("%q"):format(v) or v)
      end
      r[key] = M.paper[key] -- of what it is like
    end
  end
  return nothing
end

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

options.declare("recipe: augment", augment_keys)
options.words.augment = { "auto", "none", "cifar", "light", "pycls" }
options.words["recipe: augment: like"] = options.words.augment
options.words.crop = { "auto", "none", "padded", "resized" }
options.words.policy = { "none", "randaugment", "trivial" }

-- The augmentation of a recipe as it is stored: none for "auto", so that recipes of the time
-- before there was a choice are the same as now.
local function augmentation(where, a, level)
  if type(a) ~= "table" then return a ~= "auto" and a or nil end
  options.check(where .. ": augment", a, level + 1, "recipe: augment")
  local t = {}
  for k, v in pairs(a) do
    t[k] = augment_keys[k] == "integer" and math.tointeger(v) or v
  end
  return next(t) and t or nil
end

-- Of which crop or policy an option of augmentation is.
local parts_of = {
  { "pad", "crop", "padded" }, { "area", "crop", "resized" }, { "aspect", "crop", "resized" },
  { "swap", "crop", "resized" }, { "operations", "policy", "randaugment" },
  { "magnitude", "policy", "randaugment" },
}
local crop_of = { auto = "auto", none = "none", cifar = "padded", light = "resized",
  pycls = "resized" }

-- What of an augmentation that is written out changes nothing, as a message; nil: all has effect.
local function idle(a)
  local of = { crop = a.crop or crop_of[a.like or "auto"], policy = a.policy or "none" }
  for _, part in ipairs(parts_of) do
    local key, kind, needs = table.unpack(part)
    if a[key] ~= nil and of[kind] ~= needs then
      local text = "augment: %s is of %s = \"%s\" and changes nothing with %s = \"%s\""
      return text:format(key, kind, needs, kind, of[kind])
    end
  end
  if a.flip ~= nil and of.crop == "auto" then
    return "augment: flip changes nothing with crop = \"auto\", which always flips; name the crop"
  end
end

--- What a complete recipe says that changes nothing of images of so many channels, as a message.
function M._idle(r, channels)
  local a = type(r.augment) == "table" and channels == 1 and r.augment or {}
  for _, key in ipairs { "saturation", "hue" } do
    if (a[key] or 0) > 0 then
      return ("augment: %s is %g, but the images are gray: it changes nothing"):format(key, a[key])
    end
  end
end

-- Functions whose recipe may be for one network that has weights already.
local of_one = { ["net:train"] = true, recipe = true, ["recipe.rates"] = true }

-- The ranges of a recipe whose numbers vary from model to model; their ends must be possible.
local function varied(where, r, level)
  if where:find "^net:train" then
    error(where .. ": vary is for populations (sweep.run); a network has one recipe", level + 1)
  end
  local good, vary = pcall(varies.complete, where, r.vary)
  if not good then error(vary, level + 1) end
  for key, range in pairs(vary or {}) do
    for _, value in ipairs { varies.ends(range) } do
      local ok, message = pcall(core.check, varies.merged(r, { [key] = value }))
      if not ok then error(message:gsub("^recipe:", where .. ": vary:"), level + 1) end
    end
  end
  return vary
end

--- Completes and checks a recipe.  `where` is the function that exceptions name.
-- @tparam[opt] table t what differs from t.like, or from `usual`
-- @tparam[opt] table usual what is the default there (recipe.paper)
-- @treturn table a new table with every key
function M._complete(where, t, level, usual)
  level = (level or 1) + 1
  for k in pairs(type(t) == "table" and t or {}) do
    if augment_keys[k] and not keys[k] then
      error(("%s: there is no option '%s': it goes into augment, augment = { %s = … }"):format(
        where, k, k), level + 1)
    end
  end
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
  r.augment = augmentation(where, r.augment, level)
  if r.lr_scale == 1 then r.lr_scale = nil end
  if (r.freeze or r.lr_scale) and not of_one[where:match "^[%a:]+"] then
    error(("%s: %s is for a network that was loaded, by net:train"):format(where,
      r.freeze and "freeze" or "lr_scale"), level + 1)
  end
  local nothing = tidy(r, t)
  local ok, message = pcall(core.check, r)
  if not ok then error(message:gsub("^recipe:", where .. ":"), level + 1) end
  if r.vary then r.vary = varied(where, r, level) end
  nothing = nothing or type(t.augment) == "table" and r.augment and idle(r.augment)
  if nothing then error(where .. ": " .. nothing, level + 1) end
  return r
end

--- What a recipe that leaves something out gives, such as "epochs = 3, lr = 0.2"; nil for one that
-- is whole or says by `like` what it starts from.
function M._given(t)
  if type(t) ~= "table" or t.like then return nil end
  local list, left_out = {}, false
  for k, v in pairs(t) do
    list[#list + 1] = type(v) == "table" and k or ("%s = %s"):format(k, v)
  end
  for k in pairs(M.quick) do left_out = left_out or t[k] == nil end
  table.sort(list)
  return left_out and #list > 0 and table.concat(list, ", ") or nil
end

--- Which weights the errors of a recipe are of: "average" or "last".
function M._weights(r)
  return r.ema and "average" or "last"
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
    schedule = "cos"       half a cosine, set once an epoch; "linear"; "exp"; each with
                           "_step": set at every step, so that a few epochs end near the
                           end; "steps": times lr_mult = .1 at each of the epochs
                           steps = { … }; "constant"
    lr_end = 0             where cos, linear, exp end, as a share of lr
    warmup = 0             epochs of linear warm-up, from warmup_factor = 0.1
    momentum = 0.9, nesterov = true
    wd = 5e-5              weight decay
    wd_bn = wd, wd_bias    of batch norm and biases; 0: none
    label_smoothing = 0
    dropout = 0            share of what the last layer reads that each image lacks
    stochastic_depth = 0   share of the images that lack a residual branch: block i of n, from
                           0, at this rate times i/n, as EfficientNet has it;
                           stochastic_depth_rule = "constant": all blocks at this rate
    ema = 0                > 0: the network is the moving average of its weights, and errors are
                           of it; about 1/(ema · images) of the training counts, such as
                           ema = 12.5/images for 8 %.  Every ema_period = 32 steps; while the
                           rate warms up it is the weights themselves
    precise_bn = 0         images of which batch norms take their statistics anew before each
                           validation (pycls: 8192), at the price of validating as many
    zero_gamma = false     true: residual branches start at zero (of fresh networks)
    freeze                 net:train of a network that was loaded: what stays as it is, "body"
                           (all but the head), "stem", or "s2", that stage and all before it;
                           their batch norms use their running statistics
    lr_scale = 1           rate of each part (stem, stages) over that of the next; the head
                           learns at lr
    vary = { lr = {0.1, 2}, wd = { lo = 1e-5, hi = 1e-3, q = 1e-6, dist = "log_uniform" } }
                           of a population: numbers that are drawn for each model (lr, wd, wd_bn,
                           wd_bias, momentum, label_smoothing), by the seed of its training:
                           "log_uniform" where not said, "uniform", "normal", "log_normal" (cut at
                           3 deviations, the ends), "power2_uniform", or { values = {0.1, 1} };
                           q is a step, rounded to as in pycls's sweeps.  They are properties and
                           features of the models: stats.bootstrap(a, "lr")
    augment = "auto"       how training images are changed, drawn by seed, epoch and image:
        "auto"    images of the size that networks take: padded by the data set's pad,
                  cropped at random, flipped half of the time; others: as "light"
        "none"    not at all
        "cifar"   padded by 4, cropped, flipped, as CIFAR-10 usually is
        "light"   a random crop of 35 to 100 % of the image, resized, and flipped
        "pycls"   as pycls trains ImageNet: a crop of 8 to 100 %, flipped, colours shifted
                  by lighting .1
        { … }     of these, what is not given being as in `like` ("auto"):
          crop = "none" | "padded" | "resized" | "auto"
          pad = 4                     pixels, 0 to 16 (crop = "padded")
          area = {.35, 1}, aspect = {3/4, 4/3}, swap = false   of crop = "resized": share of
                                      the image, width / height; swap: drawn as pycls does
          flip = true                 half of the images, left and right
          lighting = 0                deviation of AlexNet's PCA lighting, 0 to 1
          brightness, contrast, saturation (0 to 1), hue (0 to .5) = 0
                                      colour jitter, as torchvision's
          policy = "none" | "randaugment" | "trivial"; operations = 2 (1 to 10),
          magnitude = 9 (0 to 30)     of RandAugment, or TrivialAugment
          mixup = 0, cutmix = 0       alpha of the beta distribution of the share that an
                                      image keeps of itself; with both, a coin for each batch.
                                      Label smoothing adds to it, and train_error counts
                                      against the heavier of the two labels
    like = recipe.paper
  Where a recipe is an option (sweep.run, net:train, design.step) a table that gives only a few
  of these, such as recipe = { epochs = 3 }, starts from what is the default there:
  recipe.quick.
  An option that changes nothing beside the others (pad without crop = "padded") is refused.
  A recipe is a plain table and may be stored or printed.
  example: recipe{ epochs = 2, lr = 0.1 }.lr
  example: recipe{ augment = { like = "light", mixup = 0.2 } }
  source: arXiv 2003.13678 section 3; pycls optimizer.py, transforms; arXiv 1710.09412 (mixup),
    1905.04899 (cutmix), 1909.13719 (RandAugment), 2103.10158 (TrivialAugment)]])

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
