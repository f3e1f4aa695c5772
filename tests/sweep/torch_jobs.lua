-- Jobs for tests/sweep/torch.py, one a line: fifteen networks with every kind of block, and between
-- them every part of a recipe, each for ten epochs of one step.  Arguments: folders of colour
-- images of several sizes, and of gray ones.

local json = require "netspace.lib.json"
local sources = require "netspace.data.data"._source

local sets = {
  shapes = data.open("shapes", { train = 32, validation = 20, test = 20 }),
  large = data.open("shapes", { train = 32, validation = 20, test = 20, image = 40, scale = 1.2 }),
  folder = data.open("folder:" .. arg[1], { image = 32, pad = 2 }),
  jpeg = data.open("folder:" .. arg[1], { image = 32, pack = "jpeg", normalise = "imagenet" }),
  gray = data.open("folder:" .. arg[2], { image = 24, size = 40, resize = "pycls" }),
}

local number = 0
local function job(set, m, how)
  number = number + 1
  local d = sets[set]
  local card = d:card()
  m.image, m.classes, m.channels = card.image, card.classes, card.channels
  how.like, how.epochs, how.batch = recipe.quick, 10, 16
  if set == "shapes" or set == "large" then how.batch = 32 end
  local r = recipe(how)
  print(json.encode { kind = "train", model = number, attempt = 1, seed = 1000 + number,
    m = arch._final(arch.anynet(m)), recipe = r, source = sources(d), checksum = d:checksum() })
end

local stages = { d = { 1, 2 }, w = { 16, 32 } }
local function net(t)
  for k, v in pairs(stages) do t[k] = t[k] or v end
  t.stem, t.stem_width = t.stem or "cifar", 16
  return t
end

job("shapes", net { block = "x", g = 8 }, {})
job("shapes", net { block = "x", g = 8 }, { schedule = "linear_step", lr_end = 0.1, dropout = 0.2,
  stochastic_depth = 0.5, ema = 0.01, ema_period = 1, precise_bn = 32 })
job("folder", net { block = "mb", b = 0.25, activation = "silu" }, { schedule = "steps", steps = { 4, 8 },
  lr_mult = 0.3, stochastic_depth = 0.3, stochastic_depth_rule = "constant", ema = 0.02 })
job("shapes", net { block = "basic" }, { schedule = "exp", lr_end = 0.05, precise_bn = 100 })
job("shapes", net { block = "x", g = 4, b = 2, se = 0.25 },
  { augment = { like = "cifar", policy = "randaugment" }, schedule = "cos", warmup = 3 })
job("shapes", net { block = "r", b = 4 }, { augment = { policy = "trivial" }, wd_bn = 0 })
job("shapes", net { block = "basic" },
  { augment = { brightness = 0.4, contrast = 0.3, saturation = 0.5, hue = 0.1 }, wd_bias = 0 })
job("shapes", net { block = "vanilla" }, { augment = "none", zero_gamma = false, wd = 0.01 })
job("shapes", net { block = "v", kernel = 5 }, { augment = { mixup = 0.4 }, nesterov = false })
job("shapes", net { block = "vr" }, { augment = { cutmix = 1 }, label_smoothing = 0.1 })
job("large", net { block = "linear", b = 0.5, g = 1, stem = "simple", activation = "silu" },
  { augment = { like = "pycls", mixup = 0.2, cutmix = 0.5 }, schedule = "constant" })
job("folder", net { block = "mb", b = 0.25, se = 0.25, activation = "silu", head_width = 48 },
  { augment = { like = "light", policy = "randaugment", operations = 3, magnitude = 15 } })
job("folder", net { block = "x", g = 16, stem = "res", head_width = 40 },
  { augment = { crop = "padded", flip = true, lighting = 0.2 }, momentum = 0.8 })
job("gray", net { block = "x", g = 1, d = { 2, 2 } },
  { augment = { like = "light", brightness = 0.3, lighting = 0.1, policy = "trivial" } })
job("jpeg", net { block = "x", g = 8, se = 0.25 }, { augment = "none", warmup_factor = 0.5 })
