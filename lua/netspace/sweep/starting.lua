--- Beginning a sweep: what it will take is said, and agreed to, and its population is entered into
-- the store.

local elsewhere = require "netspace.sweep.elsewhere"
local forecasts = require "netspace.sweep.forecast"
local ledgers = require "netspace.store.ledger"
local news = require "netspace.sweep.news"
local paths = require "netspace.lib.path"
local progress = require "netspace.sweep.progress"
local requests = require "netspace.sweep.request"
local selfcheck = require "netspace.sweep.selfcheck"
local sys = require "netspace.core.sys"
local trainings = require "netspace.sweep.training"
local units = require "netspace.lib.units"
local uv = require "luv"

local M = {}
local active, fail = trainings.active, ledgers.fail
local told = {} -- recipes of which it was said what they start from

--- Opens a store for writing, after the self-check; raises a Failure.
function M.open_ledger(path)
  local right, wrong = selfcheck()
  if not right then
    sys.status(5)
    fail(wrong)
  end
  local ledger, why, kind = ledgers.open(path)
  if not ledger then fail(why, kind) end
  return ledger
end

--- Says what it will take (of several together it is kept in the list `several`, and said in one
-- line), and asks when that is much; raises unless it may start.
function M.prepare(ledger, request, several)
  if request.on or request.quiet and not request.budget then return end
  request.forecast = forecasts.make(ledger, request, requests.open(ledger, request),
    trainings.others())
  if request.quiet then return end
  if several then
    several[#several + 1] = request.forecast
  elseif request.forecast.seconds or request.forecast.over then
    progress.clear(tostring(request.forecast))
  end
  if not forecasts.agreed(request) then
    fail(("sweep '%s' was not started"):format(request.name))
  end
end

-- A recipe that leaves something out: what the rest is, once, when a population is new.
local function tell_rest(ledger, request)
  local given, how = request.given, request.recipe
  if not given or request.quiet or told[given] or ledger:find(request.name) then return end
  told[given] = true
  progress.clear(("%s: recipe.quick with %s: %s, batch %d, lr %g; recipe{ like = …, … } starts "
    .. "from another"):format(request.name, given, units.count(how.epochs, "epoch"), how.batch,
    how.lr))
end

--- Ctrl-C while it is measured what a sweep will take: says what there is, as at any other time.
function M.unbegun(ledger, request, began)
  if request.quiet then return end
  local s = { name = request.name, store = request.store, total = #request.models,
    seconds = sys.now() - began, queue = {},
    kept = { done = 0, diverged = 0, failed = 0, trained = 0 } }
  local p = ledger:find(request.name)
  for _, model in ipairs(p and ledger:models(p.id) or {}) do
    if s.kept[model.status] then s.kept[model.status] = s.kept[model.status] + 1 end
  end
  local ended = s.kept.done + s.kept.diverged + s.kept.failed
  for i = 1, s.total - ended do s.queue[i] = true end
  s.unknown = not p
  news.report { s }
end

--- After Ctrl-C, SIGTERM or SIGHUP nothing begins, also where a script has caught the exception.
function M.not_interrupted()
  if sys.interrupted() then error("interrupted", 0) end
end

--- What is left of the time that several sweeps share: shared.finish (sys.now() when it is over).
function M.left_of(shared) return math.max(shared.finish - sys.now(), 1e-3) end

--- One line for all that was begun together.
function M.foretell(several, shared)
  local text = #several == 1 and (several[1].seconds or several[1].over) and tostring(several[1])
    or #several > 1 and forecasts.together(several, shared and M.left_of(shared),
    shared and shared.seconds)
  if text then progress.clear(text) end
end

-- Brings a population that has trained on a cluster home from there, unless it goes on there;
-- nothing happens before it is the one of the request.
local function bring(request)
  if not uv.fs_stat(request.store) then return end
  local ledger = M.open_ledger(request.store)
  local good, p = pcall(function()
    local found = ledger:find(request.name)
    if found and found.settings.cluster then requests.open(ledger, request) end
    return found
  end)
  ledger:close()
  if not good then error(p, 0) end
  elsewhere.bring(request.store, p, request.on, request.quiet)
end

--- Starts a sweep under checked options.
-- @tparam[opt] table with  shared: finish and seconds of a time, where several share one; several:
--   as of prepare; trial and place: as of trial.lua
function M.start(where, o, with)
  M.not_interrupted()
  local request, shared = requests.make(where, o), with and with.shared
  request.trial, request.place = with and with.trial, with and with.place
  for _, s in ipairs(active) do
    if s.name == request.name and uv.fs_realpath(s.store) == uv.fs_realpath(request.store) then
      fail(("%s: '%s' of %s is being trained already"):format(where, request.name,
        paths.shown(request.store)))
    end
  end
  bring(request)
  local ledger, began = M.open_ledger(request.store), sys.now()
  local good, id, lifted = pcall(function()
    local namesake = not request.quiet and requests.namesake(ledger, request)
    if namesake then
      progress.clear(("%s: the same networks, with the same recipe, data and seed, are in %s "
        .. "as '%s'; name = \"%s\" goes on with those, `netspace rename` gives them this name")
        :format(request.name, paths.shown(request.store), namesake, namesake))
    end
    tell_rest(ledger, request)
    if shared then request.budget, request.asked = M.left_of(shared), shared.seconds end
    M.prepare(ledger, request, with and with.several)
    if shared then request.budget = M.left_of(shared) end
    return requests.enter(ledger, request)
  end)
  if not good then
    if id == "interrupted" then M.unbegun(ledger, request, began) end
    ledger:close()
    error(id, 0)
  end
  if lifted > 0 and not request.quiet then
    progress.clear(("%s: %s queued again: the limit that failed %s is higher now"):format(
      request.name, units.count(lifted, "failed model"), lifted == 1 and "it" or "them"))
  end
  return trainings.begin(ledger, id, request)
end

--- Goes on with a population of a store, all of which is there.
-- @tparam table o  of sweep.resume, checked
-- @tparam table with  as of M.start; of a time that several share .among: how many
function M.resume(path, name, o, with)
  local ledger, shared = M.open_ledger(path), with.shared
  local good, err = pcall(function()
    local p = ledger:find(name)
    local on = elsewhere.resumed(o.on, p.settings.cluster)
    if p.settings.cluster then
      ledger:owner(p.id, name)
      ledger:close()
      elsewhere.bring(path, p, on, o.quiet)
      ledger = M.open_ledger(path)
    end
    local data = assert(require("netspace.data.data")._reopen(p.source))
    local request = { store = path, name = name, models = {}, card = data:card(),
      recipe = p.recipe, source = p.source, quiet = o.quiet, costs = {}, yes = true,
      trial = with.trial, place = with.place }
    data:close()
    if request.card.checksum ~= p.checksum then requests.compare(request, p, {}) end
    for k, model in ipairs(ledger:models(p.id)) do
      request.models[k], request.costs[k] = ledgers.network(model), model
    end
    request.seed = p.seed
    request.settings = requests.limits("sweep.resume", p.settings, o)
    request.on, request.settings.cluster = on, on and on.options
    requests.check_on("sweep.resume", on, { workers = o.workers, by = o.by,
      identical = request.settings.identical, checkpoint = request.settings.checkpoint })
    request.places, request.workers = requests.places("sweep.resume", o.workers,
      request.settings)
    if on then
      request.places, request.workers = {}, on:width(request.settings.trainer)
      request.budget = shared and shared.seconds / shared.among
    elseif shared then
      request.budget, request.asked = M.left_of(shared), shared.seconds
    end
    M.prepare(ledger, request, with.several)
    if shared and not on then request.budget = M.left_of(shared) end
    ledger:write(function()
      ledger:set(p.id, request.settings)
      ledger:take(p.id, name, request.workers)
    end)
    return trainings.begin(ledger, p.id, request)
  end)
  if good then return err end
  ledger:close()
  error(err, 0)
end

return M
