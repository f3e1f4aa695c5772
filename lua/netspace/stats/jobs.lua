--- Jobs of other programs as records: what pycls's sweep_collect writes (sweep.json) and the
-- files of NDS (On Network Design Spaces, arXiv 1905.13214).  A job has the errors of all its
-- epochs; which of them counts, the caller chooses.
-- Source: facebookresearch/pycls tools/sweep_collect.py, sweep/analysis.py; the notebooks of
-- facebookresearch/nds.

local arch = require "netspace.network.arch"
local foreign = require "netspace.stats.foreign"
local ledgers = require "netspace.store.ledger"
local pycls = require "netspace.network.pycls"
local pcall = require("netspace.lib.memory").pcall

local M = {}

local refuse, shown, number = foreign.refuse, foreign.shown, foreign.number

M.choices = { last = "the error of the last epoch", min = "the least error of all epochs",
  ema = "the least error of the averaged weights (EMA), as pycls takes it" }

-- An object, or nil; anything else is refused.
local function object(at, what, v)
  if v ~= nil and type(v) ~= "table" then
    refuse("%s, %s: %s is not an object", at, what, shown(v))
  end
  return v
end

-- A list of numbers; NaN and infinities may be among them.
local function list(at, what, v)
  if type(v) ~= "table" then refuse("%s, %s: %s is not a list", at, what, shown(v)) end
  local last = 0
  for k in pairs(v) do
    if math.type(k) ~= "integer" then refuse("%s, %s: it is not a list", at, what) end
    last = math.max(last, k)
  end
  for i = 1, last do
    if type(v[i]) ~= "number" then
      refuse("%s, %s: value %d is %s, not a number", at, what, i, shown(v[i]))
    end
  end
  return v
end

local function lost(e) return e ~= e or e == math.huge or e == -math.huge end

-- An error in percent; one that is not finite has failed and counts as 100.
local function percent(at, what, e)
  if lost(e) then return 100, true end
  if e < 0 or e > 100 then
    refuse("%s, %s: %s is no error in percent, 0 to 100", at, what, shown(e))
  end
  return e, false
end

local function least(at, what, values)
  local best = math.huge
  for _, e in ipairs(values) do
    if not lost(e) then best = math.min(best, (percent(at, what, e))) end
  end
  return best
end

-- Properties: the counts of a network and numbers or texts of the job, under our names.
local function counts(at, what, columns, t)
  for _, key in ipairs { "flops", "params", "acts" } do
    if t[key] ~= nil then columns[key] = number(at, what .. key, t[key]) end
  end
end

-- Where the counts of the file are not those of the network as it was read.
local function differences(columns, m)
  local good, counted = pcall(arch.complexity, m)
  local found = {}
  for _, key in ipairs { "flops", "params", "acts" } do
    local told = columns[key]
    if good and told and told ~= counted[key] then
      found[#found + 1] = { what = key, file = told, counted = counted[key] }
    end
  end
  return found
end

-- Puts a network into a record, or why there is none.
local function network(at, record, read, ...)
  local good, m, reason = pcall(read, ...)
  if not good then
    if type(m) ~= "string" or m == "interrupted" then error(m, 0) end
    refuse("%s: %s", at, m)
  end
  if m then
    record.model, record.differences = m, differences(record.columns, m)
  else
    record.no_network = reason
  end
end

-- pycls -----------------------------------------------------------------------------------------

-- Of a type of epochs ("test_epoch"): the epochs in order, each once (a job that was started
-- again repeats some), as values of `metric`; with the last and the number there were to be.
local function epochs_of(at, job, kind, metric)
  local t = object(at, kind, job[kind])
  if not t then return nil end
  local function values(key)
    return list(at, kind .. "." .. key, t[key] == nil and refuse("%s, %s: it has no %s", at, kind,
      key) or t[key])
  end
  local index, most, of = values "epoch_ind", values "epoch_max", values(metric)
  if #of ~= #index or #most ~= #index then
    refuse("%s, %s: %d values of %s, %d of epoch_max and %d of epoch_ind", at, kind, #of, metric,
      #most, #index)
  end
  local by, order = {}, {}
  for i, k in ipairs(index) do
    if not by[number(at, kind .. ".epoch_ind", k)] then order[#order + 1] = k end
    by[k] = of[i]
  end
  table.sort(order)
  local found = { last = order[#order], most = most[#most] }
  for i, k in ipairs(order) do found[i] = by[k] end
  return found
end

-- The error that counts of a job that came to its end.
local function pycls_error(at, job, test, choice)
  local e = percent(at, "test_epoch.top1_err", test[#test])
  if lost(test[#test]) then return 100, true end
  if choice == "last" then return e, false end
  local kind = choice == "min" and "test_epoch" or "test_ema_epoch"
  local t = epochs_of(at, job, kind, object(at, kind, job[kind]) and job[kind].min_top1_err
    and "min_top1_err" or "top1_err")
  if not t then
    refuse("%s has no test_ema_epoch; take error = \"last\" or \"min\"", at)
  end
  local best = least(at, kind .. ".min_top1_err", t)
  if best == math.huge then return 100, true end
  return best, false
end

local function text(v) return type(v) == "string" and v:find "%S" and v or nil end

-- What store:export adds to a job, so that it comes back as it was.
local function ours(at, record, t)
  record.population, record.index = text(t.population), math.tointeger(t.index)
  for _, key in ipairs { "status", "reason", "signal", "log", "seed" } do
    record.columns[key] = t[key]
  end
  if t.status == "diverged" or t.status == "failed" then record.e, record.lost = 100, true end
  local m = t.model
  if type(m) ~= "table" then return nil end
  local good, identity = pcall(ledgers.identity, m)
  if not (good and ledgers.fingerprint(identity) == t.hash) then
    refuse("%s: the network is not the one that was exported (hash %s)", at, shown(t.hash))
  end
  return m
end

function M.pycls(at, job, choice)
  local record = { at = at, job = "pycls", columns = {} }
  local columns = record.columns
  local cfg = object(at, "cfg", job.cfg) or {}
  local optim, train = object(at, "cfg.OPTIM", cfg.OPTIM), object(at, "cfg.TRAIN", cfg.TRAIN)
  for _, of in ipairs { { "lr", optim, "BASE_LR" }, { "wd", optim, "WEIGHT_DECAY" },
    { "epochs", optim, "MAX_EPOCH" }, { "batch", train, "BATCH_SIZE" },
    { "seed", cfg, "RNG_SEED" } } do
    local v = of[2] and of[2][of[3]]
    if v ~= nil then columns[of[1]] = number(at, "cfg " .. of[3], v) end
  end
  counts(at, "complexity.", columns, object(at, "complexity", job.complexity) or {})
  columns.log_file, columns.log = text(job.log_file), text(job.err)
  local test = epochs_of(at, job, "test_epoch", "top1_err")
  local reached, most = test and test.last or 0, test and test.most
  if test and most and reached >= most then
    record.e, record.lost = pycls_error(at, job, test, choice)
  else
    record.unfinished = most and ("ended after epoch %g of %g"):format(reached, most)
      or "no epoch was tested"
  end
  if test and test.last == #test then
    record.curve = {}
    for i, e in ipairs(test) do record.curve[i] = percent(at, "test_epoch.top1_err", e) end
  end
  local own = object(at, "netspace", job.netspace)
  local m = own and ours(at, record, own)
  if m then
    record.model, record.differences = m, {}
  elseif job.cfg == nil then
    record.no_network = "it has no cfg"
  else
    network(at, record, pycls.network, cfg)
  end
  return record
end

-- NDS -------------------------------------------------------------------------------------------

local nds_names = { rng_seed = "seed", base_lr = "lr" }

function M.nds(at, job, choice)
  local record = { at = at, job = "NDS", columns = {} }
  local columns = record.columns
  local optim = object(at, "optim", job.optim) or {}
  for _, t in ipairs { optim, job } do
    for key, v in pairs(t) do
      if type(v) == "string" or type(v) == "boolean" or type(v) == "number" and not lost(v) then
        columns[nds_names[key] or key] = v
      end
    end
  end
  counts(at, "", columns, job)
  if choice == "ema" then
    refuse("%s: NDS has no averaged weights; take error = \"last\" or \"min\"", at)
  end
  local test = job.test_ep_top1 ~= nil and list(at, "test_ep_top1", job.test_ep_top1) or {}
  if choice == "min" and job.min_test_top1 ~= nil then
    local v = job.min_test_top1
    if type(v) ~= "number" then
      refuse("%s, min_test_top1: %s is not a number", at, shown(v))
    end
    record.e, record.lost = percent(at, "min_test_top1", v)
  elseif #test > 0 and choice == "min" then
    local best = least(at, "test_ep_top1", test)
    record.e, record.lost = best < math.huge and best or 100, best == math.huge
  elseif #test > 0 then
    record.e, record.lost = percent(at, "test_ep_top1", test[#test])
  elseif job.min_test_top1 ~= nil then
    refuse("%s has no test_ep_top1; take error = \"min\"", at)
  else
    record.unfinished = "no epoch was tested"
  end
  if #test > 0 then
    record.curve = {}
    for i, e in ipairs(test) do record.curve[i] = percent(at, "test_ep_top1", e) end
  end
  network(at, record, pycls.nds, job.net, columns.params)
  local net = job.net -- of cells, what there is to say of them
  for _, key in ipairs { "width", "depth" } do
    if type(net[key]) == "number" then columns[key] = number(at, "net." .. key, net[key]) end
  end
  return record
end

-- What tells a job from a plain record.
local telling = { { "cfg", "pycls" }, { "test_epoch", "pycls" }, { "net", "nds" },
  { "test_ep_top1", "nds" } }

--- The record of a job, or nil: an element is none.
-- @tparam table how  choice: which error counts, or what was asked for instead of one
function M.record(at, raw, how)
  local kind, names = nil, {}
  for _, t in ipairs(telling) do
    if not kind and type(raw[t[1]]) == "table" then kind = t[2] end
    names[t[1]] = true
  end
  for key in pairs(raw) do
    local lower = type(key) == "string" and key:lower()
    if names[lower] and lower ~= key and raw[lower] == nil then
      refuse("%s: '%s' should be written '%s'", at, key, lower)
    end
  end
  if not kind then return nil end
  if not M.choices[how.choice] then
    refuse("%s is a job of %s, with the errors of all epochs, in percent; take error = \"last\", "
      .. "\"min\"%s, not %s", at, kind == "nds" and "NDS" or "pycls",
      kind == "nds" and "" or " or \"ema\"", how.asked)
  end
  return M[kind](at, raw, how.choice)
end

return M
