--- Recipes in the words of pycls: the sections OPTIM, BN and TRAIN of its configuration, in both
-- directions.  What has no counterpart here is listed with the reason, never dropped.
-- Source: facebookresearch/pycls core/config.py, core/optimizer.py, datasets/*.py (2021).

local blame = require "netspace.lib.blame"
local pcall = require("netspace.lib.memory").pcall
local recipes = require "netspace.network.recipe"

local M = {}

-- What a configuration says where it says nothing: core/config.py.
M.defaults = {
  MODEL = { TYPE = "", DEPTH = 0, NUM_CLASSES = 10, LOSS_FUN = "cross_entropy",
    ACTIVATION_FUN = "relu", ACTIVATION_INPLACE = true, SCALING_TYPE = "", SCALING_FACTOR = 1.0 },
  RESNET = { TRANS_FUN = "basic_transform", NUM_GROUPS = 1, WIDTH_PER_GROUP = 64,
    STRIDE_1X1 = true },
  ANYNET = { STEM_TYPE = "simple_stem_in", STEM_W = 32, BLOCK_TYPE = "res_bottleneck_block",
    DEPTHS = {}, WIDTHS = {}, STRIDES = {}, BOT_MULS = {}, GROUP_WS = {}, HEAD_W = 0,
    SE_ON = false, SE_R = 0.25 },
  REGNET = { STEM_TYPE = "simple_stem_in", STEM_W = 32, BLOCK_TYPE = "res_bottleneck_block",
    STRIDE = 2, SE_ON = false, SE_R = 0.25, DEPTH = 10, W0 = 32, WA = 5.0, WM = 2.5,
    GROUP_W = 16, BOT_MUL = 1.0, HEAD_W = 0 },
  EN = { STEM_W = 32, DEPTHS = {}, WIDTHS = {}, EXP_RATIOS = {}, SE_R = 0.25, STRIDES = {},
    KERNELS = {}, HEAD_W = 1280, DC_RATIO = 0.0, DROPOUT_RATIO = 0.0 },
  VIT = { PATCH_SIZE = 16, STEM_TYPE = "patchify", C_STEM_KERNELS = {}, C_STEM_STRIDES = {},
    C_STEM_DIMS = {}, NUM_LAYERS = 12, NUM_HEADS = 12, HIDDEN_DIM = 768, MLP_DIM = 3072,
    CLASSIFIER_TYPE = "token" },
  BN = { EPS = 1e-5, MOM = 0.1, USE_PRECISE_STATS = true, NUM_SAMPLES_PRECISE = 8192,
    ZERO_INIT_FINAL_GAMMA = false, USE_CUSTOM_WEIGHT_DECAY = false, CUSTOM_WEIGHT_DECAY = 0.0 },
  LN = { EPS = 1e-5, USE_CUSTOM_WEIGHT_DECAY = false, CUSTOM_WEIGHT_DECAY = 0.0 },
  OPTIM = { OPTIMIZER = "sgd", BASE_LR = 0.1, MIN_LR = 0.0, LR_POLICY = "cos", STEPS = {},
    LR_MULT = 0.1, MAX_EPOCH = 200, MOMENTUM = 0.9, DAMPENING = 0.0, NESTEROV = true,
    WEIGHT_DECAY = 5e-4, BIAS_USE_CUSTOM_WEIGHT_DECAY = false, BIAS_CUSTOM_WEIGHT_DECAY = 0.0,
    WARMUP_FACTOR = 0.1, WARMUP_EPOCHS = 0, EMA_ALPHA = 1e-5, EMA_UPDATE_PERIOD = 32,
    BETA1 = 0.9, BETA2 = 0.999, MTA = false, GAMMA = 0.1 },
  TRAIN = { DATASET = "", SPLIT = "train", BATCH_SIZE = 128, IM_SIZE = 224, AUTO_RESUME = true,
    WEIGHTS = "", MIXED_PRECISION = false, LABEL_SMOOTHING = 0.0, MIXUP_ALPHA = 0.0,
    CUTMIX_ALPHA = 0.0, PCA_STD = 0.1, AUGMENT = "", EVAL_PERIOD = 1, CHECKPOINT_PERIOD = 1 },
  TEST = { DATASET = "", SPLIT = "val", BATCH_SIZE = 200, IM_SIZE = 256, WEIGHTS = "" },
  DATA_LOADER = { NUM_WORKERS = 8, PIN_MEMORY = true, MODE = "pytorch" },
  MEM = { RELU_INPLACE = true },
  CUDNN = { BENCHMARK = true },
  PREC_TIME = { WARMUP_ITER = 3, NUM_ITER = 30, BATCH_SIZE = 128, ENABLED = false },
  LAUNCH = { MODE = "local", MAX_RETRY = 3, NAME = "pycls_job", COMMENT = "", CPUS_PER_GPU = 10,
    MEM_PER_GPU = 60, PARTITION = "devlab", GPU_TYPE = "volta", TIME_LIMIT = 4200, EMAIL = "" },
  FSDP = { ENABLED = false, RESHARD_AFTER_FW = true, LAYER_NORM_FP32 = true },
  DESC = "", VERBOSE = true, NUM_GPUS = 1, MAX_GPUS_PER_NODE = 8, OUT_DIR = "/tmp",
  CFG_DEST = "config.yaml", RNG_SEED = 1, LOG_DEST = "stdout", LOG_PERIOD = 10,
  DIST_BACKEND = "nccl", HOST = "localhost", PORT = 10001, PORT_RANGE = { 10000, 65000 },
  DOWNLOAD_CACHE = "/tmp/pycls-download-cache",
}

-- Of sections and keys that say where and how pycls runs, not what is computed.
local machine = { DATA_LOADER = true, MEM = true, CUDNN = true, PREC_TIME = true, LAUNCH = true,
  FSDP = true, VERBOSE = true, NUM_GPUS = true, MAX_GPUS_PER_NODE = true, OUT_DIR = true,
  CFG_DEST = true, LOG_DEST = true, LOG_PERIOD = true, DIST_BACKEND = true, HOST = true,
  PORT = true, PORT_RANGE = true, DOWNLOAD_CACHE = true,
  ["MODEL.ACTIVATION_INPLACE"] = true, ["OPTIM.MTA"] = true, ["TRAIN.AUTO_RESUME"] = true,
  ["TRAIN.MIXED_PRECISION"] = true, ["TRAIN.EVAL_PERIOD"] = true,
  ["TRAIN.CHECKPOINT_PERIOD"] = true, ["TEST.BATCH_SIZE"] = true }

-- Keys that the recipe, the network, the data or the seed have.
local taken = {}
for name in ([[MODEL.TYPE MODEL.DEPTH MODEL.NUM_CLASSES MODEL.ACTIVATION_FUN DESC RNG_SEED
  BN.ZERO_INIT_FINAL_GAMMA BN.USE_CUSTOM_WEIGHT_DECAY BN.CUSTOM_WEIGHT_DECAY OPTIM.BASE_LR
  OPTIM.LR_POLICY OPTIM.MAX_EPOCH OPTIM.MOMENTUM OPTIM.NESTEROV OPTIM.WEIGHT_DECAY
  OPTIM.BIAS_USE_CUSTOM_WEIGHT_DECAY OPTIM.BIAS_CUSTOM_WEIGHT_DECAY OPTIM.WARMUP_FACTOR
  OPTIM.WARMUP_EPOCHS OPTIM.MIN_LR OPTIM.STEPS OPTIM.LR_MULT OPTIM.EMA_ALPHA
  OPTIM.EMA_UPDATE_PERIOD BN.USE_PRECISE_STATS BN.NUM_SAMPLES_PRECISE TRAIN.DATASET
  TRAIN.BATCH_SIZE TRAIN.IM_SIZE TRAIN.LABEL_SMOOTHING TRAIN.MIXUP_ALPHA TRAIN.CUTMIX_ALPHA
  TRAIN.PCA_STD TEST.IM_SIZE]]):gmatch "%S+" do
  taken[name] = true
end

-- Keys of which only one value means what happens here, with what else they would be.
local only = {
  ["MODEL.LOSS_FUN"] = { { "cross_entropy", "soft_cross_entropy" }, "the loss is cross entropy" },
  ["MODEL.SCALING_TYPE"] = { { "" }, "networks are not scaled; give the scaled one" },
  ["MODEL.SCALING_FACTOR"] = { { 1 }, "networks are not scaled; give the scaled one" },
  ["BN.EPS"] = { { 1e-5 }, "it is 1e-5" },
  ["BN.MOM"] = { { 0.1 }, "it is 0.1" },
  ["OPTIM.OPTIMIZER"] = { { "sgd" }, "the optimizer is SGD with momentum" },
  ["OPTIM.DAMPENING"] = { { 0 }, "there is no dampening" },
  ["TRAIN.WEIGHTS"] = { { "" }, "training starts from new weights" },
  ["TRAIN.AUGMENT"] = { { "" }, "the operations are others; recipe{ augment = { policy = … } }" },
}

-- Values --------------------------------------------------------------------------------------

--- A value as pycls reads it: text that is a number, a boolean or a list is such (yacs).
local function literal(v)
  if type(v) ~= "string" then return v end
  if v == "True" or v == "False" then return v == "True" end
  local n = v:find "^[+-]?[%d.]" and not v:find "[xX]" and tonumber(v)
  return n or v
end

local function shown(v)
  if type(v) == "table" then
    local parts = {}
    for i, entry in ipairs(v) do parts[i] = shown(entry) end
    return "[" .. table.concat(parts, ", ") .. "]"
  end
  local text = type(v) == "string" and v:gsub("[%c\x80-\xff]", "?") or tostring(v)
  return #text > 40 and text:sub(1, 40) .. "…" or text
end

local function finite(v)
  return type(v) ~= "number" or v == v and math.abs(v) < math.huge
end

local function same_kind(v, default)
  if type(default) ~= "table" then return type(v) == type(default) and finite(v) end
  if type(v) ~= "table" then return false end
  local n = 0
  for k, entry in pairs(v) do
    n = n + 1
    if math.type(k) ~= "integer" or not finite(entry) then return false end
  end
  return n == #v
end

local kinds = { string = "text", number = "a finite number", boolean = "true or false",
  table = "a list" }

--- Checks a configuration key by key, as pycls does: what it does not know is an error.
-- @tparam table cfg of maps and values; text becomes what it says
-- @tparam function near (word, names) -> " (did you mean …?)" or ""
-- @treturn table the same with values of the right kind; raises a text that names the key
function M.check(cfg, near)
  local function fault(text, ...) error(text:format(...), 0) end
  local function checked(where, v, default)
    v = literal(v)
    if type(v) == "table" then
      local list = {}
      for k, entry in pairs(v) do list[k] = literal(entry) end
      v = list
    end
    if not same_kind(v, default) then
      fault("%s: %s is not %s", where, shown(v), kinds[type(default)])
    end
    return v
  end
  local t = {}
  for name, section in pairs(cfg) do
    local default = M.defaults[name]
    if default == nil then
      fault("%s is no key of pycls's configuration%s", shown(name), near(name, M.defaults))
    elseif type(default) ~= "table" or #default > 0 then
      t[name] = checked(name, section, default)
    elseif type(section) ~= "table" then
      fault("%s is %s, not a map of keys", name, shown(section))
    else
      t[name] = {}
      for key, v in pairs(section) do
        local where = ("%s.%s"):format(name, shown(key))
        if default[key] == nil then
          fault("%s is no key of pycls's configuration%s", where, near(key, default))
        end
        t[name][key] = checked(where, v, default[key])
      end
    end
  end
  return t
end

-- From pycls ------------------------------------------------------------------------------------

local function value(cfg, name)
  local section, key = name:match "^(%u+)%.(.*)$"
  local v = cfg[section] and cfg[section][key]
  if v == nil then v = M.defaults[section][key] end
  return v
end

local function among(list, v)
  for _, other in ipairs(list) do
    if other == v then return true end
  end
end

local reasons = { TEST = "data.open says what is tested on", OPTIM = "the optimizer is SGD",
  TRAIN = "data.open says what is trained on" }

--- What the configuration gives that has no counterpart: list of { key =, value =, why = }.
-- Keys whose default means something that does not happen here are listed too.
local function left(cfg, network)
  local list = {}
  local function add(key, v, why) list[#list + 1] = { key = key, value = shown(v), why = why } end
  local function look(name, section, v)
    local rule = only[name]
    if machine[section] or machine[name] then
      add(name, v, "of the machine, not of the training")
    elseif rule then
      if not among(rule[1], v) then add(name, v, rule[2]) end
    elseif section ~= network and not taken[name] then
      add(name, v, reasons[section] or "this network has no use for it")
    end
  end
  for name, section in pairs(cfg) do
    if type(M.defaults[name]) == "table" and #M.defaults[name] == 0 then
      for key, v in pairs(section) do look(name .. "." .. key, name, v) end
    elseif machine[name] then
      add(name, section, "of the machine, not of the training")
    end
  end
  if not (cfg.OPTIM and cfg.OPTIM.EMA_ALPHA) then
    add("OPTIM.EMA_ALPHA", M.defaults.OPTIM.EMA_ALPHA, "pycls also tests this average by default; "
      .. "here errors would be of it: recipe{ ema = … }")
  end
  table.sort(list, function(a, b) return a.key < b.key end)
  return list
end

-- The epochs at which rates fall: pycls's list begins at 0, and may go on behind the end.
local function falls_at(steps, epochs)
  local list = {}
  for _, epoch in ipairs(steps) do
    if epoch > 0 and epoch < epochs then list[#list + 1] = epoch end
  end
  return list
end

-- What pycls calls the entries of a recipe.
local keys = { epochs = "OPTIM.MAX_EPOCH", batch = "TRAIN.BATCH_SIZE", lr = "OPTIM.BASE_LR",
  wd = "OPTIM.WEIGHT_DECAY", momentum = "OPTIM.MOMENTUM", warmup = "OPTIM.WARMUP_EPOCHS",
  warmup_factor = "OPTIM.WARMUP_FACTOR", label_smoothing = "TRAIN.LABEL_SMOOTHING",
  lr_end = "OPTIM.MIN_LR", lr_mult = "OPTIM.LR_MULT", steps = "OPTIM.STEPS",
  ema = "OPTIM.EMA_ALPHA", ema_period = "OPTIM.EMA_UPDATE_PERIOD",
  precise_bn = "BN.NUM_SAMPLES_PRECISE", dropout = "EN.DROPOUT_RATIO",
  stochastic_depth = "EN.DC_RATIO", wd_bn = "BN.CUSTOM_WEIGHT_DECAY",
  wd_bias = "OPTIM.BIAS_CUSTOM_WEIGHT_DECAY", lighting = "TRAIN.PCA_STD",
  mixup = "TRAIN.MIXUP_ALPHA", cutmix = "TRAIN.CUTMIX_ALPHA" }

-- The recipe of t; what is wrong with it is raised in the words of pycls.
local function made(t)
  local good, r = pcall(recipes, t)
  if good then return r end
  local text = blame.bare(tostring(r)):gsub("^recipe: ", ""):gsub("^augment: ", "")
    :gsub("^option '([%l_]+)'", keys)
  local names, rest
  for _, verb in ipairs { "is", "are", "has" } do
    if not names then names, rest = text:match("^([%l_, ]-)( " .. verb .. " .*)") end
  end
  error(names and names:gsub("[%l_]+", keys) .. rest or text, 0)
end

local sections = { anynet = "ANYNET", regnet = "REGNET", resnet = "RESNET", effnet = "EN" }

--- The recipe of a checked configuration, and what has no counterpart.
function M.recipe(cfg)
  local function get(name) return value(cfg, name) end
  local policy, dataset = get "OPTIM.LR_POLICY", get "TRAIN.DATASET"
  local rest = left(cfg, sections[get "MODEL.TYPE"])
  local schedule = ({ cos = "cos", lin = "linear", exp = "exp", steps = "steps" })[policy]
  if not schedule then
    error(("OPTIM.LR_POLICY '%s' is not known; pycls has cos, lin, exp and steps"):format(
      shown(policy)), 0)
  end
  local steps = schedule == "steps" and falls_at(get "OPTIM.STEPS", get "OPTIM.MAX_EPOCH")
  if steps and (#steps == 0 or get "OPTIM.LR_MULT" == 1) then schedule, steps = "constant", nil end
  local t = { epochs = get "OPTIM.MAX_EPOCH", batch = get "TRAIN.BATCH_SIZE",
    lr = get "OPTIM.BASE_LR", wd = get "OPTIM.WEIGHT_DECAY", momentum = get "OPTIM.MOMENTUM",
    nesterov = get "OPTIM.NESTEROV", schedule = schedule, warmup = get "OPTIM.WARMUP_EPOCHS",
    warmup_factor = get "OPTIM.WARMUP_FACTOR", label_smoothing = get "TRAIN.LABEL_SMOOTHING",
    zero_gamma = get "BN.ZERO_INIT_FINAL_GAMMA" }
  if steps then
    t.steps, t.lr_mult = steps, get "OPTIM.LR_MULT"
  elseif schedule ~= "constant" then
    t.lr_end = get "OPTIM.MIN_LR"
  end
  if cfg.OPTIM and (cfg.OPTIM.EMA_ALPHA or 0) > 0 and get "OPTIM.EMA_UPDATE_PERIOD" > 0 then
    t.ema, t.ema_period = cfg.OPTIM.EMA_ALPHA, get "OPTIM.EMA_UPDATE_PERIOD"
  end
  if get "BN.USE_PRECISE_STATS" then
    t.precise_bn = get "BN.NUM_SAMPLES_PRECISE"
    if t.precise_bn < t.batch then
      rest[#rest + 1] = { key = "BN.NUM_SAMPLES_PRECISE", value = shown(t.precise_bn),
        why = "less than a batch, of which pycls takes no statistics; the recipe takes one" }
      t.precise_bn = t.batch
    end
  end
  if get "MODEL.TYPE" == "effnet" then
    t.dropout, t.stochastic_depth = get "EN.DROPOUT_RATIO", get "EN.DC_RATIO"
    if t.stochastic_depth > 0 then t.stochastic_depth_rule = "constant" end
  end
  if get "BN.USE_CUSTOM_WEIGHT_DECAY" then t.wd_bn = get "BN.CUSTOM_WEIGHT_DECAY" end
  if get "OPTIM.BIAS_USE_CUSTOM_WEIGHT_DECAY" then
    t.wd_bias = get "OPTIM.BIAS_CUSTOM_WEIGHT_DECAY"
  end
  local a = { like = dataset:find "cifar" and "cifar" or "pycls" }
  if a.like == "pycls" then a.lighting = get "TRAIN.PCA_STD" end
  if get "TRAIN.MIXUP_ALPHA" > 0 then a.mixup = get "TRAIN.MIXUP_ALPHA" end
  if get "TRAIN.CUTMIX_ALPHA" > 0 then a.cutmix = get "TRAIN.CUTMIX_ALPHA" end
  t.augment = (a.lighting == 0.1 or not a.lighting) and not a.mixup and not a.cutmix and a.like
    or a
  return made(t), rest
end

-- To pycls --------------------------------------------------------------------------------------

--- The sections OPTIM, BN and TRAIN of a recipe, EN where `en` is such a section, and what pycls
-- has no word for: list of { key =, value =, why = }.
function M.config(r, en)
  local kind, rest = (r.schedule or "cos"):gsub("_step$", ""), {} -- an import may not know it
  local constant = kind == "constant"
  local a = type(r.augment) == "table" and r.augment or { like = r.augment or "auto" }
  if r.schedule and r.schedule ~= kind then
    rest[1] = { key = "schedule", value = r.schedule, why = "pycls sets rates once an epoch" }
  end
  local steps = constant and { 0 } or r.steps and { 0, table.unpack(r.steps) }
  for _, key in ipairs { "dropout", "stochastic_depth" } do
    if r[key] and not en then
      rest[#rest + 1] = { key = key, value = shown(r[key]), why = "pycls has it of EfficientNets" }
    end
  end
  if r.stochastic_depth and en and r.stochastic_depth_rule ~= "constant" then
    rest[#rest + 1] = { key = "stochastic_depth_rule", value = "linear",
      why = "pycls has the same rate for all blocks" }
  end
  for key, v in pairs(a) do
    if key ~= "mixup" and key ~= "cutmix" and key ~= "lighting"
      and not (key == "like" and (v == "pycls" or v == "cifar")) then
      rest[#rest + 1] = { key = "augment." .. key, value = shown(v),
        why = "pycls augments as its data set has it" }
    end
  end
  table.sort(rest, function(x, y) return x.key < y.key end)
  return {
    OPTIM = { OPTIMIZER = "sgd", BASE_LR = r.lr, WEIGHT_DECAY = r.wd, MAX_EPOCH = r.epochs,
      MOMENTUM = r.momentum, NESTEROV = r.nesterov, WARMUP_EPOCHS = r.warmup,
      WARMUP_FACTOR = r.warmup_factor, STEPS = steps, MIN_LR = r.lr_end,
      LR_POLICY = steps and "steps" or kind == "linear" and "lin" or kind,
      LR_MULT = constant and 1 or steps and (r.lr_mult or 0.1) or nil, EMA_ALPHA = r.ema or 0.0,
      EMA_UPDATE_PERIOD = r.ema and (r.ema_period or 32) or nil,
      BIAS_USE_CUSTOM_WEIGHT_DECAY = r.wd_bias and true or nil,
      BIAS_CUSTOM_WEIGHT_DECAY = r.wd_bias },
    BN = { ZERO_INIT_FINAL_GAMMA = r.zero_gamma or false,
      USE_PRECISE_STATS = r.precise_bn ~= nil, NUM_SAMPLES_PRECISE = r.precise_bn,
      USE_CUSTOM_WEIGHT_DECAY = r.wd_bn and true or nil, CUSTOM_WEIGHT_DECAY = r.wd_bn },
    EN = en and { DC_RATIO = r.stochastic_depth, DROPOUT_RATIO = r.dropout } or {},
    TRAIN = { BATCH_SIZE = r.batch, LABEL_SMOOTHING = r.label_smoothing,
      MIXUP_ALPHA = a.mixup, CUTMIX_ALPHA = a.cutmix, PCA_STD = a.lighting },
  }, rest
end

return M
