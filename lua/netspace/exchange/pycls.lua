--- Configurations of pycls, files in YAML, as networks and recipes, in both directions.
-- Source: facebookresearch/pycls core/config.py and configs/ (2021); words of networks and
-- recipes: network/pycls.lua, network/pycls_recipe.lua.

local arch = require "netspace.network.arch"
local atomic = require "netspace.lib.atomic"
local blame = require "netspace.lib.blame"
local document = require("netspace.lib.doc").group "exchange"
local networks = require "netspace.network.pycls"
local options = require "netspace.lib.options"
local recipes = require "netspace.network.pycls_recipe"
local recipe = require "netspace.network.recipe"
local sweeps = require "netspace.exchange.sweep"
local yaml = require "netspace.core.yaml"

local M = {}

local MOST = 1 << 20 -- bytes of a configuration; they have one or two thousand

local function fail(...) error((...):format(select(2, ...)), 0) end

-- Keys of a map that begin as `word` does, whatever the case.
local function near(word, names)
  for name in pairs(names) do
    if type(word) == "string" and word:upper() == name then
      return (" (did you mean %s? keys are in capitals)"):format(name)
    end
  end
  return options.hint(word, names)
end

-- Reading -------------------------------------------------------------------------------------

local function text_of(path)
  local file <close>, why = io.open(path, "rb")
  if not file then fail("%s", why) end
  local text, reason = file:read(MOST + 1)
  if not text and reason then fail("%s: %s", path, reason) end
  text = text or ""
  if #text > MOST then
    fail("%s: it is larger than %d bytes, and no configuration of a job", path, MOST)
  end
  return (text:gsub("^\xef\xbb\xbf", "")) -- the mark that some editors put first
end

-- The map in a file, and the lines of its keys.
local function load(path)
  local cfg, lines = yaml.read(text_of(path))
  if not cfg then fail("%s: %s", path, lines) end
  if type(cfg) ~= "table" or cfg[1] ~= nil then
    fail("%s: it is no map of keys (MODEL: …)%s", path, (path:find "%.json"
      or path:find "%.csv") and "; stats.import reads results" or "")
  end
  if next(cfg) == nil then fail("%s: it is empty", path) end
  return cfg, lines
end

-- Where a message about a file has its cause: at the first key that it names.
local function place(path, message, lines)
  for key in message:gmatch "%u[%w_.]*[%w_]" do
    for _, above in ipairs { "", "SETUP.", "SETUP.BASE_CFG.", "SETUP.SAMPLERS." } do
      local line = lines[above .. key]
      if line then return ("%s: line %d"):format(path, line) end
    end
  end
  return path
end

-- f(…), with what it raises as a message about the file.
local function about(path, lines, f, ...)
  local good, value, more = pcall(f, ...)
  if good then return value, more end
  if type(value) ~= "string" or value == "interrupted" then error(value, 0) end
  local message = value:gsub("^cfg%.", "")
  fail("%s: %s", place(path, message, lines), message)
end

local function lines_of(rest, text)
  if #rest == 0 then return text end
  local width = 0
  for _, row in ipairs(rest) do width = math.max(width, utf8.len(row.key .. row.value) or 0) end
  text = text .. "\nwithout counterpart:"
  for _, row in ipairs(rest) do
    local pad = width - (utf8.len(row.key .. row.value) or 0)
    text = ("%s\n  %s = %s%s  %s"):format(text, row.key, row.value, (" "):rep(pad), row.why)
  end
  return text
end

local Job = { __name = "job" }
Job.__index = Job

function Job.__tostring(j)
  local parts, keys = {}, {}
  for key in pairs(j.recipe) do keys[#keys + 1] = key end
  table.sort(keys)
  for i, key in ipairs(keys) do
    local v = j.recipe[key]
    parts[i] = ("%s = %s"):format(key, type(v) == "table" and "{ … }" or tostring(v))
  end
  local card = tostring(arch.describe(j.network)):gsub("\n\n.*", "")
  return lines_of(j.left, ("%s\n\nrecipe: %s\ndata: %s, image = %d, scale = %.4g"):format(card,
    table.concat(parts, ", "), j.data.name ~= "" and j.data.name or "not said", j.data.image,
    j.data.scale))
end

function M.read(path)
  return (blame.call(1, blame.plainly, function()
    if type(path) ~= "string" then
      fail("exchange.pycls.read: the file is a %s; give its name", type(path))
    end
    local raw, lines = load(path)
    if raw.SETUP then
      fail("%s: it describes a sweep (SETUP): exchange.pycls.sweep makes a script of it; a job has "
        .. "MODEL, OPTIM and TRAIN", path)
    end
    local cfg = about(path, lines, recipes.check, raw, near)
    local m, why = about(path, lines, networks.network, cfg)
    if not m then fail("%s: %s", place(path, why, lines), why) end
    local r, rest = about(path, lines, recipes.recipe, cfg)
    local train, test = cfg.TRAIN or {}, cfg.TEST or {}
    local image = train.IM_SIZE or recipes.defaults.TRAIN.IM_SIZE
    return setmetatable({ network = m, recipe = r, left = rest,
      seed = cfg.RNG_SEED or recipes.defaults.RNG_SEED, name = cfg.DESC,
      data = { name = train.DATASET or "", image = image,
        scale = (test.IM_SIZE or recipes.defaults.TEST.IM_SIZE) / image } }, Job)
  end))
end

--- The script of a sweep, and what has no counterpart.
local function script_of(path)
  if type(path) ~= "string" then
    fail("exchange.pycls.sweep: the file is a %s; give its name", type(path))
  end
  local cfg, lines = load(path)
  if not cfg.SETUP then
    fail("%s: it describes no sweep (SETUP); exchange.pycls.read reads a job", path)
  end
  return about(path, lines, sweeps.script, cfg, path, near)
end

function M.sweep(path, to)
  return blame.call(1, blame.plainly, function()
    local text, rest = script_of(path)
    if to == nil then return text, rest end
    if type(to) ~= "string" then
      fail("exchange.pycls.sweep: the script is a %s; give its name", type(to))
    end
    local foreign = atomic.foreign(to, "a script made of a sweep", function(head)
      return head:find "Made by netspace from" ~= nil
    end)
    if foreign then fail("exchange.pycls.sweep: %s", foreign) end
    local good, why = atomic.write(to, function(write) return write(text) end)
    if not good then return nil, why end
    return rest
  end)
end

--- Whether a file describes a sweep (a job otherwise).
function M._is_sweep(path)
  return load(path).SETUP ~= nil
end

-- Writing -------------------------------------------------------------------------------------

local ORDER = { "DESC", "MODEL", "ANYNET", "REGNET", "EN", "OPTIM", "BN", "TRAIN", "TEST",
  "RNG_SEED" }

local function quoted(text)
  return ("%q"):format(text):gsub("\\\n", "\\n"):gsub("\\(%d+)", function(code)
    return ("\\x%02x"):format(code)
  end)
end

local function scalar(v)
  if type(v) == "string" then
    return v:find "^[%a][%w_]*$" and type(yaml.read(v)) == "string" and v or quoted(v)
  end
  if type(v) ~= "number" then return tostring(v) end
  if math.type(v) == "integer" then return tostring(v) end
  if v == math.floor(v) and math.abs(v) < 1e15 then return ("%.1f"):format(v) end
  for digits = 6, 17 do
    local text = ("%%.%dg"):format(digits):format(v)
    if tonumber(text) == v then -- PyYAML wants a point before an exponent
      return text:find "[.]" and text or (text:gsub("e", ".0e"))
    end
  end
end

local function value_text(v)
  if type(v) ~= "table" then return scalar(v) end
  local parts = {}
  for i, entry in ipairs(v) do parts[i] = scalar(entry) end
  return "[" .. table.concat(parts, ", ") .. "]"
end

local function text_from(cfg)
  local lines = {}
  for _, name in ipairs(ORDER) do
    local section = cfg[name]
    if type(section) == "table" then
      lines[#lines + 1] = name .. ":"
      local keys = {}
      for key in pairs(section) do keys[#keys + 1] = key end
      table.sort(keys)
      for _, key in ipairs(keys) do
        local v = section[key]
        if math.type(recipes.defaults[name][key]) == "float" then v = v + 0.0 end
        lines[#lines + 1] = ("  %s: %s"):format(key, value_text(v))
      end
    elseif section ~= nil then
      lines[#lines + 1] = ("%s: %s"):format(name, scalar(section))
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

options.declare("exchange.pycls.write", { dataset = "string", scale = "number", seed = "integer",
  name = "string" })

function M.write(path, m, r, o)
  local where = "exchange.pycls.write"
  o = options.check(where, o)
  return blame.call(1, blame.plainly, function()
    if type(path) ~= "string" then
      fail("%s: the file is a %s; give its name", where, type(path))
    end
    if type(m) ~= "table" or not m.stem then
      fail("%s: the second argument is a %s; it should be a network (arch.anynet, zoo, …)", where,
        type(m))
    end
    r = recipe._complete(where .. ": recipe", r or {}, 1)
    local cfg = networks.config(m)
    if not cfg then
      fail("%s: pycls has no network that means the same (block '%s', %d channels)", where,
        m.block, m.channels or 3)
    end
    if cfg.ANYNET and cfg.REGNET then cfg.REGNET = nil end
    local training, rest = recipes.config(r, cfg.EN)
    cfg.OPTIM, cfg.BN = training.OPTIM, training.BN
    for key, v in pairs(training.TRAIN) do cfg.TRAIN[key] = v end
    for key, v in pairs(training.EN) do cfg.EN[key] = v end
    cfg.TRAIN.DATASET = o.dataset
    cfg.TEST = { DATASET = o.dataset, IM_SIZE = math.floor((o.scale or 8 / 7) * m.image + 0.5) }
    cfg.RNG_SEED, cfg.DESC = o.seed, o.name
    local foreign = atomic.foreign(path, "a configuration of pycls", function(head)
      return head:find "MODEL:" ~= nil
    end)
    if foreign then fail("%s: %s", where, foreign) end
    local good, why = atomic.write(path, function(write) return write(text_from(cfg)) end)
    if not good then return nil, why end
    return rest
  end)
end

document("exchange.pycls.read", [[
exchange.pycls.read(file) -> job
The network and the recipe of a configuration of pycls (a job, as in its configs/): ANYNET,
REGNET, RESNET and EFFNET, with pycls's own defaults where a key is missing.
.network, .recipe   as arch.anynet or arch.regnet makes it, and as recipe{ … } has it
.data               name (TRAIN.DATASET), image and scale (short side of the test view by image),
                    as data.open takes them
.seed, .name        RNG_SEED, DESC
.left               what has no counterpart: list of { key =, value =, why = }; nothing that the
                    file says is dropped without a word; a moving average of the weights that
                    only pycls's defaults ask for is listed, too
Prints as all of that.  A key that pycls does not know, a value of the wrong kind, an alias or
a tag is refused with its line or name.  pycls feeds images with blue first; networks here
take red first.
example: exchange.pycls.write("x.yaml", zoo["R-56"]) print(exchange.pycls.read("x.yaml").network)
source: facebookresearch/pycls core/config.py; YAML 1.1]])

document("exchange.pycls.write", [[
exchange.pycls.write(file, m, recipe, { dataset =, scale =, … }) -> list, or nil, message
Writes the network m and a recipe (default: recipe.paper) as a configuration of pycls.  Gives
what pycls has no word for: list of { key =, value =, why = }, empty when it says all.
  dataset      TRAIN.DATASET and TEST.DATASET: "imagenet", "cifar10"
  scale = 8/7  TEST.IM_SIZE by TRAIN.IM_SIZE
  seed, name   RNG_SEED, DESC
A network that pycls cannot build (gray images, a block that it has not) is an error.
example: #exchange.pycls.write("x.yaml", zoo["R-56"], recipe.paper, { dataset = "cifar10" })
source: facebookresearch/pycls core/config.py]])

document("exchange.pycls.sweep", [[
exchange.pycls.sweep(file [, script]) -> list, or nil, message
Makes a Lua script of a sweep of pycls (SETUP, as in its configs/sweeps) that draws and trains the
same space: all samplers with their distributions and steps, the windows of CX, the number of
stages; rates and weight decays that are drawn vary by model (recipe: vary).
  script   the file to write; without it the text of the script is given, and the list
Gives what has no counterpart, as exchange.pycls.read; the script says it, too.  OPTIM.MAX_EPOCH
and TRAIN.BATCH_SIZE become a population for each value.  A sampler of anything else, or several
numbers of stages, is refused by its name.  No network is drawn twice, where pycls draws no
parameters twice.
example: #exchange.pycls.sweep("sweep.yaml", "sweep.lua")
source: facebookresearch/pycls sweep/samplers.py, sweep/random.py]])

return M
