--- The populations of a store as pycls's sweep_collect would have written them: sweep.json, a
-- list of jobs with configuration, complexity and the errors of all epochs, which its analysis
-- reads.  What pycls has no place for is under the key "netspace", so that stats.import gives
-- the same populations back.
-- Source: facebookresearch/pycls tools/sweep_collect.py, sweep/analysis.py, core/config.py.

local json = require "netspace.lib.json"
local pycls = require "netspace.network.pycls"
local recipes = require "netspace.network.pycls_recipe"
local varies = require "netspace.network.vary"

local M = {}

-- (What of the recipe was drawn for the model is among its fields.)
local function configuration(r, m, recipe, dataset)
  local cfg = pycls.config(m) -- or there is no such network in pycls
    or { MODEL = { TYPE = "netspace", NUM_CLASSES = m.classes }, TRAIN = { IM_SIZE = m.image } }
  local own = {}
  for key in pairs(recipe.vary or {}) do own[key] = r[key] end
  local training = recipes.config(varies.merged(recipe, own))
  cfg.OPTIM, cfg.BN = training.OPTIM, training.BN
  for key, v in pairs(training.TRAIN) do cfg.TRAIN[key] = v end
  cfg.TRAIN.DATASET = dataset
  cfg.RNG_SEED, cfg.DESC = r.seed, r.population
  return cfg
end

-- The values of a key in all epochs; nil where one has none.
local function column(epochs, key)
  local list = {}
  for i, e in ipairs(epochs) do
    if e[key] == nil then return nil end
    list[i] = e[key]
  end
  return list
end

local function filled(n, value)
  local list = {}
  for i = 1, n do list[i] = value end
  return list
end

local function running_minimum(list)
  local out, best = {}, math.huge
  for i, v in ipairs(list) do
    best = math.min(best, v)
    out[i] = best
  end
  return out
end

-- Errors of the epochs, with the epochs; what failed has 100 as its least error, as it counts.
local function tested(r, most)
  local lost = r.status == "failed" or r.status == "diverged"
  local errors, index = r.curve, {}
  for i, e in ipairs(r.learning) do index[i] = e.epoch end
  if #errors == 0 then
    if not r.error then return nil end
    errors, index = { r.error }, { lost and 0 or most }
  end
  return { top1_err = errors, min_top1_err = lost and filled(#errors, 100)
    or running_minimum(errors), epoch_ind = index, epoch_max = filled(#errors, most) }
end

local function trained(r, most)
  if #r.learning == 0 then return nil end
  local t = { loss = column(r.learning, "train_loss"), lr = column(r.learning, "lr"),
    time_epoch = column(r.learning, "seconds"), top1_err = column(r.learning, "train_error"),
    epoch_ind = column(r.learning, "epoch"), epoch_max = filled(#r.learning, most) }
  return t
end

-- A model as a job.
local function job(r, m, recipe, dataset)
  local most = recipe.epochs or r.epochs or #r.learning
  local test = tested(r, most)
  local file = ("%s/%06d/"):format(r.population, r.index)
  return { cfg = configuration(r, m, recipe, dataset),
    complexity = { flops = r.flops, params = r.params, acts = r.acts },
    train_epoch = trained(r, most), test_epoch = test,
    test_ema_epoch = r.error and test, -- no averaged weights; without it pycls drops a job
    log_file = file .. "stdout.log", err_file = file .. "stderr.log",
    err = r.log or r.reason or "",
    netspace = { population = r.population, index = r.index, status = r.status, seed = r.seed,
      reason = r.reason, signal = r.signal, log = r.log, hash = r.hash, model = m } }
end

--- Writes the populations of `list`, whose models come from rows(reader, p, each).
-- @treturn integer how many models
function M.write(reader, list, rows, write)
  local n = 0
  write "["
  for _, p in ipairs(list) do
    local function decoded(key) -- damaged: nothing is known of it
      local good, value = pcall(json.decode, p[key] or "{}")
      return good and type(value) == "table" and value or {}
    end
    local recipe, data = decoded "recipe", decoded "data"
    rows(reader, p, function(r, text)
      write(n > 0 and ",\n" or "\n")
      write(json.encode(job(r, json.decode(text), recipe, data.spec or "")))
      n = n + 1
    end)
  end
  write "\n]\n"
  return n
end

return M
