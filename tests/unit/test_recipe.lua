--- Recipes: how training images are changed; what is stored, what is refused.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local json = require "netspace.lib.json"

t.is(recipe { augment = "auto" }.augment, nil, "auto is what a recipe without it means")
t.is(json.encode(recipe { augment = "auto" }), json.encode(recipe {}), "so that old recipes are equal")
t.is(recipe { augment = {} }.augment, nil, "nor is an empty table anything")
t.is(recipe { augment = "pycls" }.augment, "pycls", "a name is kept")
t.is(json.encode(recipe { augment = { like = "cifar", mixup = 0.2, pad = 2.0 } }.augment),
  '{"like":"cifar","mixup":0.2,"pad":2}', "a table is kept")
local r = recipe { like = recipe { augment = "none" }, epochs = 3 }
t.is(r.augment, "none", "like: its augmentation")
t.is(recipe { like = r, augment = "auto" }.augment, nil, "like: and another one")

local function refused(augment, what, name)
  t.fails(function() recipe { augment = augment } end, what, name)
end
refused("lite", "augment is 'lite'; it must be \"auto\", \"none\", \"cifar\", \"light\", \"pycls\" or a table")
refused({ like = "lite" }, "augment: like is 'lite'")
refused({ mixups = 1 }, "augment: unknown option 'mixups' (did you mean 'mixup'?)")
refused({ crop = "pad" }, "crop is 'pad'; it must be \"auto\", \"none\", \"padded\" or \"resized\"")
refused({ policy = "auto" }, "policy is 'auto'; it must be \"none\", \"randaugment\" or \"trivial\"")
refused({ pad = 17 }, "augment: pad is 17; it must be from 0 to 16")
refused({ crop = "resized", area = { 0, 1 } }, "area is from 0 to 1")
refused({ crop = "resized", area = { 0.5, 0.4 } }, "area is from 0.5 to 0.4")
refused({ area = { 1, 0.35 } }, "area is from 1 to 0.35")
refused({ crop = "padded", aspect = { 2, 1 } }, "aspect is from 2 to 1")
refused({ aspect = { 1 } }, "it must be two numbers, {from, to}")
refused({ crop = "resized", area = { 0.5 } }, "it must be two numbers, {from, to}")
refused({ like = "light", aspect = { 0.01, 1 } }, "aspect is from 0.01 to 1; it must be a range within 0.1 to 10")
refused({ lighting = -1 }, "lighting is -1; it must be from 0 to 1")
refused({ hue = 0.6 }, "hue is 0.6; it must be from 0 to 0.5")
refused({ brightness = 2 }, "brightness is 2; it must be from 0 to 1")
refused({ mixup = -0.1 }, "mixup is -0.1; it must be from 0 to 100")
refused({ cutmix = 0 / 0 }, "cutmix is")
refused({ policy = "randaugment", operations = 0 }, "operations is 0; it must be from 1 to 10")
refused({ policy = "randaugment", magnitude = 31 }, "magnitude is 31; it must be from 0 to 30")
refused({ operations = 1.5 }, "'operations' should be integer")
refused({ pad = 2 }, "recipe: augment: pad is of crop = \"padded\" and changes nothing with crop = \"auto\"")
refused({ like = "light", pad = 2 }, "pad is of crop = \"padded\" and changes nothing with crop = \"resized\"")
refused({ like = "cifar", area = { 0.5, 1 } }, "area is of crop = \"resized\" and changes nothing with crop = \"padded\"")
refused({ crop = "none", aspect = { 0.5, 1 } }, "aspect is of crop = \"resized\"")
refused({ like = "pycls", crop = "padded", swap = true }, "swap is of crop = \"resized\"")
refused({ operations = 1 }, "operations is of policy = \"randaugment\" and changes nothing with policy = \"none\"")
refused({ policy = "trivial", magnitude = 3 }, "magnitude is of policy = \"randaugment\" and changes nothing with policy = \"trivial\"")
refused({ flip = false }, "flip changes nothing with crop = \"auto\", which always flips")
for _, good in ipairs { { like = "pycls", area = { 0.5, 1 }, swap = false }, { crop = "padded", pad = 1 },
  { crop = "none", flip = true }, { policy = "randaugment", operations = 1, magnitude = 3 } } do
  t.is(recipe { like = recipe { augment = good }, epochs = 2 }.augment.pad, good.pad, "what has effect is taken")
end
t.fails(function() recipe { warmup_factor = 0.5 } end, "recipe: warmup_factor changes nothing with warmup = 0")
t.is(recipe { like = recipe { warmup = 1, warmup_factor = 0.5 }, warmup = 0 }.warmup_factor, 0.1,
  "of what it is like it is forgotten")
refused(3, "option 'augment' should be string or table")
t.fails(function() net.new(arch.anynet { d = { 1 }, w = { 8 } }):train(data.open("shapes", { train = 10, test = 10 }),
  { augment = { pad = 99 } }) end, "net:train: augment: pad is 99")

-- Each of them trains, the same again, and otherwise than the others.
local d = data.open("shapes", { train = 64, test = 20 })
local function loss(augment)
  local n <close> = net.new(arch.anynet { d = { 1 }, w = { 8 }, stem = "cifar" }, { seed = 2 })
  return n:train(d, { epochs = 1, batch = 32, augment = augment }).train_loss
end
local seen = {}
for i, augment in ipairs { "auto", "none", "light", "pycls", { crop = "padded", pad = 1 },
  { like = "light", policy = "randaugment" }, { policy = "trivial" }, { hue = 0.3 }, { mixup = 1 },
  { cutmix = 1 } } do
  local x = loss(augment)
  t.is(x, loss(augment), ("augmentation %d: the same again"):format(i))
  t.ok(not seen[x], ("augmentation %d: another one"):format(i), ("%.17g"):format(x))
  seen[x] = true
end
t.is(loss "cifar", loss "auto", "cifar is what these images get by themselves")

-- What is off is not stored, so that recipes of the time before it are the same.
t.is(json.encode(recipe { ema = 0, ema_period = 32, dropout = 0, stochastic_depth = 0,
  stochastic_depth_rule = "linear", precise_bn = 0, lr_end = 0, lr_mult = 0.1, steps = {} }),
  json.encode(recipe {}), "options that are off")
local all = { ema = 0.01, ema_period = 2, dropout = 0.3, stochastic_depth = 0.5, precise_bn = 32, batch = 16 }
t.is(recipe { like = recipe(all), ema = 0 }.ema_period, nil, "without ema its period is forgotten")
t.is(recipe { like = recipe { epochs = 90, schedule = "steps", steps = { 30, 60.0 } },
  epochs = 20, schedule = "cos" }.steps, nil, "and the steps of another schedule")
t.is(json.encode(recipe { epochs = 90, schedule = "steps", steps = { 30, 60.0 } }.steps), "[30,60]",
  "epochs are whole numbers")
for options, what in pairs {
  [{ ema_period = 8 }] = "ema_period changes nothing with ema = 0",
  [{ stochastic_depth_rule = "constant" }] = "changes nothing with stochastic_depth = 0",
  [{ steps = { 5 } }] = 'steps changes nothing with schedule = "cos"',
  [{ schedule = "linear", lr_mult = 0.5 }] = 'lr_mult changes nothing with schedule = "linear"',
  [{ schedule = "constant", lr_end = 0.1 }] = 'lr_end changes nothing with schedule = "constant"',
  [{ schedule = "exp" }] = "give lr_end, the share of lr where it ends, such as 0.01",
  [{ schedule = "steps" }] = "needs steps, the epochs at which lr is multiplied by lr_mult",
  [{ schedule = "steps", steps = { 5, 10 } }] = "steps has 10; they must rise, from 1 to below the 10",
  [{ schedule = "steps", steps = { 5, 3 } }] = "steps has 3; they must rise",
  [{ schedule = "steps", steps = { 2.5 } }] = "steps has 2.5; they must be whole numbers",
  [{ schedule = "steps", steps = { 5 }, lr_mult = -1 }] = "lr_mult is -1; it must be from 0 to 10",
  [{ lr_end = 2 }] = "lr_end is 2; it must be a share of lr, from 0 to 1",
  [{ ema = -1 }] = "ema is -1; it must be from 0 to 1",
  [{ ema = 0 / 0 }] = "ema is",
  [{ ema = 0.1, ema_period = 0 }] = "ema_period is 0 steps; it must be from 1",
  [{ dropout = 1 }] = "dropout is 1; it must be from 0 to below 1",
  [{ stochastic_depth = 1 }] = "stochastic_depth is 1; it must be from 0 to below 1",
  [{ stochastic_depth = 0.1, stochastic_depth_rule = "square" }] = 'it must be "linear" or "constant"',
  [{ precise_bn = 100 }] = "precise_bn is 100 images; it must be 0, or at least a batch of 128",
  [{ precise_bn = 1.5 }] = "'precise_bn' should be integer",
} do
  t.fails(function() recipe(options) end, what, what)
end

-- Rates: by hand.
local function rates(o)
  o.epochs, o.lr = 4, 1
  local list = {}
  for i, lr in ipairs(recipe.rates(o)) do list[i] = ("%.4f"):format(lr) end
  return table.concat(list, " ")
end
t.is(rates { schedule = "linear" }, "1.0000 0.7500 0.5000 0.2500", "linear")
t.is(rates { schedule = "linear", lr_end = 0.2 }, "1.0000 0.8000 0.6000 0.4000", "to its end")
t.is(rates { schedule = "exp", lr_end = 0.0001 }, "1.0000 0.1000 0.0100 0.0010", "exponential")
t.is(rates { schedule = "steps", steps = { 1, 3 }, lr_mult = 0.5 }, "1.0000 0.5000 0.5000 0.2500", "steps")
t.is(rates { schedule = "steps", steps = { 3 }, warmup = 2, warmup_factor = 0.5 },
  "0.5000 0.7500 1.0000 0.1000", "with warm-up")
t.is(rates { lr_end = 0.5 }, "1.0000 0.9268 0.7500 0.5732", "a cosine to half")

-- Each of them trains, the same again, and otherwise than without; an average is what the net is.
local function trained(o)
  local n <close> = net.new(arch.anynet { d = { 2 }, w = { 8 }, stem = "cifar" }, { seed = 2 })
  o.epochs, o.batch = 1, 16
  local r = n:train(d, o)
  return r, n:test(d, { split = "validation" }), n:values "head.fc.weight"[1]
end
local plain, _, weight = trained {}
t.is(plain.weights, "last", "weights of the last step")
for key, v in pairs(all) do
  if key ~= "ema_period" and key ~= "batch" then
    local o = { [key] = v, ema_period = key == "ema" and 2 or nil }
    local x, measured, w = trained(o)
    local again = trained(o)
    t.is(x.validation_loss, again.validation_loss, key .. ": the same again")
    t.ok(x.validation_loss ~= plain.validation_loss, key .. ": another one")
    t.is(measured, x.error, key .. ": the net is what was measured")
    t.is(w ~= weight, key ~= "precise_bn", key .. ": its weights")
    t.is(x.weights, key == "ema" and "average" or "last", key .. ": which these are")
  end
end
t.done()
