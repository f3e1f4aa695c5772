-- Configurations of pycls as files: the networks of the zoo there and back, recipes, what has
-- no counterpart, and broken or hostile YAML.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local json = require "netspace.lib.json"
local yaml = require "netspace.core.yaml"

local dir, file = require "scratch" "exchange"
local function refused(what, text, part)
  local good, message = pcall(exchange.pycls.read, file("bad.yaml", text))
  t.ok(not good and tostring(message):find(part, 1, true) ~= nil, what, tostring(message))
end

-- YAML, as PyYAML reads it ----------------------------------------------------------------------

local function value(text) return json.encode((yaml.read(text))) end
t.is(value "a: 1\nb: [1, 2.5, -3]\nc: {d: yes, e: No}\nf: 'yes'\n",
  '{"a":1,"b":[1,2.5,-3],"c":{"d":true,"e":false},"f":"yes"}', "maps, lists, booleans, strings")
t.is(value "a: 5e-5\nb: 5.0e-5\nc: 5.e-5\nd: 1_000\ne: .5\nf: 017\ng: 0x10\nh: 1.5.2\ni: 1:30\n",
  '{"a":"5e-5","b":5e-05,"c":5e-05,"d":1000,"e":0.5,"f":"017","g":"0x10","h":"1.5.2","i":"1:30"}',
  "numbers in the forms of YAML 1.1")
t.is(value "a: \nb: ~\nc: 2\n", '{"c":2}', "a null is a missing key")
t.ok(yaml.read("a: .inf").a == math.huge and yaml.read("a: -.inf").a == -math.huge
  and yaml.read("a: .nan").a ~= yaml.read("a: .nan").a, "infinities and NaN")
local function no(what, text, part)
  local v, why = yaml.read(text)
  t.ok(v == nil and tostring(why):find(part, 1, true) ~= nil, what, tostring(why))
end
local bomb = { "a0: &a0 [x, x]" }
for i = 1, 30 do bomb[i + 1] = ("a%d: &a%d [*a%d, *a%d]"):format(i, i, i - 1, i - 1) end
no("an alias", table.concat(bomb, "\n"), "line 2: an alias")
no("a tag", "a: !!python/object:os.system x", "line 1: a tag")
no("a key twice", "a: 1\nb: 2\na: 3", "line 3: a is given twice")
no("two documents", "a: 1\n---\nb: 2", "more than one document")
no("a list as a key", "? [a]\n: b", "a key is a list")
no("deep", ("["):rep(100), "64 levels")
no("many", "[" .. ("1,"):rep(300000) .. "1]", "more than 200,000")
no("no YAML", "a: [1, 2\nb: 3", "line 2")
no("bytes", "a: \xff\xfe", "line")
t.is(value "", "[]", "an empty text is an empty map")

-- Networks and recipes --------------------------------------------------------------------------

local path = dir .. "/net.yaml"
local tried, wrong = 0, {}
for i, name in ipairs(zoo.names()) do
  if not name:find "like" then
    local r = i % 2 == 0 and recipe { augment = "pycls" } or recipe { schedule = "constant",
      epochs = 7, lr = 1 / 3, wd = 1e-5, wd_bn = 0, wd_bias = 0, warmup = 2, zero_gamma = true,
      label_smoothing = 0.1, nesterov = false, batch = 96,
      augment = { like = "pycls", lighting = 0, mixup = 0.2 } }
    local m = zoo[name]
    local rest = exchange.pycls.write(path, m, r, { dataset = "imagenet", seed = 3, scale = 1,
      name = "a: 'b' \"c\"\n#d" })
    local job = exchange.pycls.read(path)
    tried = tried + 1
    if arch.hash(job.network) ~= arch.hash(m) or json.encode(job.recipe) ~= json.encode(r)
      or arch.complexity(job.network).params ~= arch.complexity(m).params or job.seed ~= 3
      or job.name ~= "a: 'b' \"c\"\n#d" or job.data.name ~= "imagenet" or job.data.scale ~= 1
      or job.data.image ~= m.image or #rest > 0 then
      wrong[#wrong + 1] = name
    end
  end
end
t.ok(tried >= 39 and #wrong == 0, "networks of the zoo, there and back", table.concat(wrong, " "))

local job = exchange.pycls.read(file("job.yaml", "\xef\xbb\xbfMODEL:\r\n  TYPE: regnet\r\n"
  .. "  NUM_CLASSES: '1000'\r\nREGNET: {DEPTH: 13, W0: 24, WA: 36.44, WM: 2.49, GROUP_W: 8}\r\n"
  .. "OPTIM: {BASE_LR: 8e-1, MAX_EPOCH: 100, WEIGHT_DECAY: 5e-5, EMA_ALPHA: 0.0, STEPS: [0, 30]}\r\n"
  .. "BN: {USE_PRECISE_STATS: False}\r\nTRAIN: {DATASET: imagenet, SPLIT: train}\r\nNUM_GPUS: 8\r\n"))
t.is(arch.hash(job.network), arch.hash(zoo["RegNetX-200MF"]), "a mark, CRLF, numbers as text")
t.is(job.recipe.lr, 0.8, "the rate")
t.is(job.recipe.wd, 5e-5, "weight decay")
t.is(job.recipe.batch, 128, "pycls's batch where none is given")
t.is(job.recipe.augment, "pycls", "images of ImageNet")
local keys = {}
for i, row in ipairs(job.left) do keys[i] = row.key end
t.is(table.concat(keys, " "), "NUM_GPUS TRAIN.SPLIT", "what has no counterpart")
t.ok((tostring(job)):find("RegNet d = 13", 1, true) ~= nil, "it prints the network")
t.ok((tostring(job)):find("NUM_GPUS = 8 ", 1, true) ~= nil, "and what is left")
local usual = exchange.pycls.read(file("job.yaml", "MODEL: {TYPE: resnet, DEPTH: 56}\n"
  .. "TRAIN: {DATASET: cifar10, IM_SIZE: 32}\nOPTIM: {LR_POLICY: exp, MIN_LR: 0.001}\n"))
t.is(arch.hash(usual.network), arch.hash(zoo["R-56"]), "a ResNet of CIFAR")
t.is(usual.recipe.augment, "cifar", "images of CIFAR")
keys = {}
for i, row in ipairs(usual.left) do keys[i] = row.key end
t.is(table.concat(keys, " "), "OPTIM.EMA_ALPHA", "what pycls does by default")
t.is(usual.recipe.schedule .. " " .. usual.recipe.lr_end .. " " .. usual.recipe.precise_bn,
  "exp 0.001 8192", "its schedule and statistics")

-- Schedules, averages, statistics and what is left out, there and back.
local mb = zoo["EfficientNet-B0"]
for i, o in ipairs { { epochs = 90, schedule = "steps", steps = { 30, 60 }, lr_mult = 0.2, warmup = 5 },
  { schedule = "linear", lr_end = 0.25, ema = 0.00025, ema_period = 16 }, { precise_bn = 8192, wd_bn = 0 },
  { schedule = "exp", lr_end = 0.01, dropout = 0.2, stochastic_depth = 0.2,
    stochastic_depth_rule = "constant" }, { schedule = "constant" } } do
  o.augment = "pycls"
  local wanted = recipe(o)
  local rest = exchange.pycls.write(path, mb, wanted)
  local got = exchange.pycls.read(path)
  local same = true
  for key, v in pairs(wanted) do
    same = same and json.encode(got.recipe[key]) == json.encode(v)
  end
  for key in pairs(got.recipe) do same = same and wanted[key] ~= nil end
  t.ok(same and #rest == 0 and #got.left == 0, ("recipe %d: there and back"):format(i), json.encode(got))
end
local rest = exchange.pycls.write(path, zoo["R-56"], recipe { dropout = 0.1, stochastic_depth = 0.1 })
t.is(rest[2].key .. ", " .. rest[3].key, "dropout, stochastic_depth", "of a ResNet pycls leaves nothing out")
rest = exchange.pycls.write(path, mb, recipe { stochastic_depth = 0.1, augment = "pycls" })
t.is(rest[1].key, "stochastic_depth_rule", "nor by EfficientNet's rule")
job = exchange.pycls.read(file("job.yaml", "MODEL: {TYPE: resnet, DEPTH: 56}\nTRAIN: {DATASET: cifar10, BATCH_SIZE: 512}\n"
  .. "OPTIM: {EMA_ALPHA: 1.0e-5, LR_POLICY: steps, STEPS: [0, 30, 400]}\nBN: {NUM_SAMPLES_PRECISE: 100}\n"
  .. "EN: {DC_RATIO: 0.2}\n"))
t.is(job.recipe.ema .. " " .. job.recipe.precise_bn .. " " .. #job.recipe.steps, "1e-05 512 1",
  "an average that is asked for; a batch at least; steps before the end")
keys = {}
for i, row in ipairs(job.left) do keys[i] = row.key end
t.is(table.concat(keys, " "), "EN.DC_RATIO BN.NUM_SAMPLES_PRECISE", "what has no counterpart")

-- Bad input -------------------------------------------------------------------------------------

local whole = "MODEL: {TYPE: regnet}\n"
refused("an unknown key", whole .. "OPTIM: {BASE_RL: 1}", "OPTIM.BASE_RL is no key of pycls's")
refused("with the near one", whole .. "OPTIM: {BASE_RL: 1}", "BASE_LR")
refused("the wrong case", whole .. "Optim: {BASE_LR: 1}", "did you mean OPTIM?")
refused("text for a number", whole .. "OPTIM: {BASE_LR: fast}", "OPTIM.BASE_LR: fast is not a finite")
refused("infinity", whole .. "OPTIM: {BASE_LR: .inf}", "not a finite number")
refused("beyond all numbers", whole .. "OPTIM: {BASE_LR: 1.0e+400}", "not a finite number")
refused("NaN in a list", "MODEL: {TYPE: anynet}\nANYNET: {DEPTHS: [.nan]}", "is not a list")
refused("a list for a number", whole .. "OPTIM: {BASE_LR: [1]}", "[1] is not a finite number")
refused("a number for a map", "MODEL: 3", "MODEL is 3, not a map of keys")
refused("no network", "MODEL: {TYPE: vit}", "MODEL.TYPE 'vit' is not known; there are anynet, effnet, "
  .. "regnet, resnet")
refused("a type in the wrong case", "MODEL: {TYPE: RegNet}", "(did you mean 'regnet'?)")
refused("half a block", whole .. "REGNET: {DEPTH: 3.5}", "REGNET.DEPTH: 3.5 is no whole number")
refused("half an epoch", whole .. "OPTIM: {MAX_EPOCH: 2.5}",
  "bad.yaml: line 2: OPTIM.MAX_EPOCH should be integer, got 2.5")
refused("no batch", whole .. "TRAIN: {BATCH_SIZE: 0}", "bad.yaml: line 2: TRAIN.BATCH_SIZE is 0; it")
refused("stages that do not fit", "MODEL: {TYPE: anynet}\nANYNET: {DEPTHS: [1, 2], WIDTHS: [8]}",
  "WIDTHS: 1 entries for 2 stages")
refused("a sweep", "SETUP: {NUM_CONFIGS: 3}", "it describes a sweep")
refused("a list", "- 1\n- 2", "no map of keys")
refused("an empty file", "", "it is empty")
-- What is out of range is named as pycls calls it, with its line.
for text, part in pairs {
  ["OPTIM:\n  BASE_LR: -1.0"] = "line 3: OPTIM.BASE_LR is -1; it must be from 0",
  ["OPTIM:\n  MAX_EPOCH: 10\n  WARMUP_EPOCHS: 20"] = "line 4: OPTIM.WARMUP_EPOCHS is 20 epochs",
  ["OPTIM:\n  WEIGHT_DECAY: -1.0"] = "line 3: OPTIM.WEIGHT_DECAY, BN.CUSTOM_WEIGHT_DECAY, ",
  ["OPTIM: {LR_POLICY: steps,\n  STEPS: [0, 5, 3]}"] = "line 3: OPTIM.STEPS has 3; they must rise",
  ["OPTIM:\n  LR_POLICY: cosine"] = "line 3: OPTIM.LR_POLICY 'cosine' is not known",
  ["TRAIN: {MIXUP_ALPHA: 200.0}"] = "line 2: TRAIN.MIXUP_ALPHA is 200; it must be from 0",
  ["REGNET:\n  DEPTH: 0"] = "line 3: REGNET.DEPTH is 0; a RegNet has from 1",
  ["REGNET:\n  W0: 24\n  WM: 0.5"] = "line 4: REGNET.WM is 0.5; the width multiplier",
  ["REGNET:\n  BOT_MUL: 3.7"] = "line 3: REGNET.BOT_MUL: stage 1: b, the inverse, is 0.27027",
  ["REGNET:\n  STRIDE: 9"] = "line 3: REGNET.STRIDE: stage 1: stride is 9; it must be from 1",
  ["REGNET:\n  BLOCK_TYPE: fancy"] = "line 3: REGNET.BLOCK_TYPE 'fancy' is not known; there are",
  ["REGNET:\n  Depth: 3"] = "line 3: REGNET.Depth is no key of pycls's configuration (did you",
  ["TRAIN:\n  IM_SIZE: 0"] = "line 3: TRAIN.IM_SIZE is 0; it must be from 1",
} do
  refused(part, whole .. text, "bad.yaml: " .. part)
end
for text, part in pairs {
  ["DEPTHS: [1, 0]\n  WIDTHS: [8, 8]"] = "line 3: ANYNET.DEPTHS: stage 2: depth is 0",
  ["DEPTHS: [1, 1]\n  WIDTHS: [8, 0]"] = "line 4: ANYNET.WIDTHS: stage 2: width is 0",
  ["DEPTHS: [1, 1]\n  WIDTHS: [8, 12]"] = "line 4: ANYNET.WIDTHS, stage 2: width 12, multiplier 1 and",
} do
  refused(part, "MODEL: {TYPE: anynet}\nANYNET:\n  " .. text .. "\n  STRIDES: [1, 2]\n  "
    .. "BOT_MULS: [1, 1]\n  GROUP_WS: [8, 8]", "bad.yaml: " .. part)
end
refused("no such ResNet", "MODEL:\n  TYPE: resnet\n  DEPTH: 51", "line 3: MODEL.DEPTH: a ResNet of depth 51")
refused("a huge file", "# " .. ("x"):rep(1 << 21), "larger than")
local good, why = pcall(exchange.pycls.read, dir .. "/none.yaml")
t.ok(not good and tostring(why):find "No such file", "a missing file", why)
good, why = pcall(exchange.pycls.read, file("sweep.json", "[1]"))
t.ok(not good and tostring(why):find "; stats.import reads results", "results are read elsewhere", why)
good, why = exchange.pycls.write(dir .. "/none/x.yaml", zoo["R-56"])
t.is(good == nil and why, dir .. "/none/x.yaml cannot be written: no such file or directory",
  "a directory that is not there")
good, why = pcall(exchange.pycls.write, path, arch.anynet { d = { 1 }, w = { 8 },
  channels = 1 })
t.ok(not good and tostring(why):find "pycls has no network", "gray images", why)
good, why = pcall(exchange.pycls.write, file("notes.txt", "mine"), zoo["R-56"])
t.ok(not good and tostring(why):find "is not a configuration", "another's file stays", why)

os.execute("rm -rf " .. dir)
t.done()
