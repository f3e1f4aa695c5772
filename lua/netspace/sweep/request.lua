--- What a sweep is to train: the options of the user checked and completed, and compared with
-- what the store has under that name.  Numbers of one population come from one recipe, one
-- data set and one seed; otherwise an exception shows the difference.

local blame = require "netspace.lib.blame"
local cards = require "netspace.lib.card"
local failures = require "netspace.store.failures"
local forecasts = require "netspace.sweep.forecast"
local distribution = require "netspace.space.distribution"
local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local members = require "netspace.lib.members"
local options = require "netspace.lib.options"
local paths = require "netspace.lib.path"
local places = require "netspace.sweep.places"
local rules = require "netspace.store.rules"
local sets = require "netspace.data.data"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"
local varies = require "netspace.network.vary"

local M = {
  PATIENCE = 120, -- seconds a silent worker is given at least, where no option says otherwise
}
local fail = ledgers.fail

-- What the numbers of a population hang on, compared with what the store has ------------

local function show(value)
  return type(value) == "table" and json.encode(value) or tostring(value)
end

local function differences(old, new, keys)
  local lines = {}
  for _, key in ipairs(keys) do
    if show(old[key]) ~= show(new[key]) then
      lines[#lines + 1] = ("  %s: %s in the store, %s now"):format(key, show(old[key]),
        show(new[key]))
    end
  end
  return lines
end

local function union_keys(a, b)
  local seen, keys = {}, {}
  for _, t in ipairs { a, b } do
    for k in pairs(t) do
      if not seen[k] then keys[#keys + 1] = k end
      seen[k] = true
    end
  end
  table.sort(keys)
  return keys
end

local function refuse(request, what, lines)
  fail(("'%s' in %s has %s:\n%s\n%s"):format(request.name, paths.shown(request.store), what,
    table.concat(lines, "\n"), request.remedy or "Use another name= or store= to train it anew"))
end

--- Raises unless the population `old` with its models `stored` is the beginning of the request.
function M.compare(request, old, stored)
  local what, lines = {}, {}
  local function add(name, more)
    if #more == 0 then return end
    what[#what + 1] = name
    table.move(more, 1, #more, #lines + 1, lines)
  end
  add("another recipe", differences(old.recipe, request.recipe,
    union_keys(old.recipe, request.recipe)))
  if old.checksum ~= request.card.checksum then
    local other = differences(old.card, request.card,
      { "spec", "seed", "train_n", "validation_n", "test_n", "pad", "checksum" })
    if not cards.apart(old.card) and cards.apart(request.card) then
      other[#other + 1] = "  its networks are compared by the test images: "
        .. "data.open(…, { validation = 0 }) goes on with them"
    end
    add("other data", other)
  end
  add("another training seed", differences(old, request, { "seed" }))
  if #what > 0 then refuse(request, table.concat(what, " and "), lines) end
  for i, model in ipairs(stored) do
    local m = request.models[i]
    if not m then
      refuse(request, "other models", { ("  %d in the store, %d now (more may be added, fewer not)")
        :format(#stored, #request.models) })
    end
    local now = ledgers.identity(m)
    if ledgers.fingerprint(now) ~= model.hash then
      local before = json.decode(ledgers.identity(ledgers.network(model)))
      now = json.decode(now)
      local changed = differences(before, now, union_keys(before, now))
      refuse(request, "other models", { ("  the first that differs is number %d:"):format(i),
        table.unpack(changed) })
    end
  end
end

-- From the options of the user to a request -------------------------------------------------

-- The card of the data, and how to open it again from any directory.
local function card_of(where, data)
  local set, why = data, nil
  if type(data) ~= "userdata" then
    set, why = sets.open(data)
    if not set then fail(("%s: %s"):format(where, why)) end
  elseif members.kind(data) ~= "dataset" then
    fail(("%s: data should be the name of a data set or a dataset from data.open"):format(where))
  end
  local same, changed = sets._still(set)
  if not same then fail(("%s: %s; open it again"):format(where, changed)) end
  local card, source = set:card(), sets._source(set)
  if set ~= data then set:close() end
  return card, source
end

-- The networks as they will be trained and stored, and what they cost.
local function check_models(where, models, card)
  if #models == 0 then
    fail(where .. ": models is empty; it takes a population (S:sample) or a list of networks")
  end
  local arch, list, costs = require "netspace.network.arch", {}, {}
  for i, m in ipairs(models) do
    if type(m) ~= "table" then
      fail(("%s: models[%d] is a %s, not a network"):format(where, i, type(m)))
    end
    local good, final = pcall(arch._final, m)
    if not good then fail(("%s: models[%d]: %s"):format(where, i, blame.bare(final))) end
    for _, key in ipairs { "image", "classes", "channels" } do
      local has = final[key] or key == "channels" and 3
      if has ~= card[key] then
        fail(("%s: models[%d] has %s = %s, the data '%s' has %d; make the models with %s = %d, or "
          .. "draw them for the data: S:sample(n, { data = … })")
          :format(where, i, key, tostring(has), card.spec, card[key], key, card[key]))
      end
    end
    list[i], costs[i] = final, arch.complexity(final)
  end
  return list, costs
end

local LEAST = 64e3 -- bytes: no network needs less
local sizes = { [""] = 1, k = 1e3, m = 1e6, g = 1e9, t = 1e12 }

--- A number of bytes, also written "2GB" or "500 MB"; nil when it is none, such as the text "60",
-- which may mean bytes or MB.
function M.bytes(value)
  if type(value) == "number" then return value >= 1 and math.floor(value) or nil end
  local n, unit, b = tostring(value):lower():match("^%s*([%d.]+)%s*([kmgt]?)(i?b?)%s*$")
  n = tonumber(n)
  if not n or unit .. b == "" or n * sizes[unit] < 1 then return nil end
  return math.floor(n * sizes[unit])
end

--- What is wrong with a limit of the memory of a network, and what to write; nil for nothing.
function M.wrong_memory(value)
  local n, digits = M.bytes(value), tostring(value):match "^%s*(%d+)%s*$"
  if n and n >= LEAST then return nil end
  local meant = digits and (' (did you mean "%sMB"?)'):format(digits) or ""
  if n then
    return ("%s, and no network needs less than %s%s"):format(units.bytes(n), units.bytes(LEAST),
      meant)
  end
  return ("'%s'; it must be a size with its unit, such as \"2GB\" or \"500MB\", or a number of "
    .. "bytes%s"):format(tostring(value), meant)
end

-- Bytes of the option memory; nil stays nil.
local function memory(where, value)
  if value == nil then return nil end
  local wrong = M.wrong_memory(value)
  if wrong then fail(("%s: memory is %s"):format(where, wrong)) end
  return M.bytes(value)
end

options.declare({ "sweep.run: checkpoint", "sweep.start: checkpoint",
  "sweep.forecast: checkpoint", "design.step: checkpoint", "design.repeats: checkpoint" },
  { every = "integer|string", limit = "number|string", keep = "boolean" })

local function patience(where, seconds)
  if seconds and not (seconds > 0 and seconds < math.huge) then
    fail(("%s: patience is %g; it is a number of seconds above 0"):format(where, seconds))
  end
  return seconds
end

for _, name in ipairs { "sweep.run", "sweep.start", "sweep.forecast" } do
  options.declare(name .. ": early", { after = "integer", full = "integer" })
end

-- Which models of n are trained to the end, the others for some epochs only; nil: all are.
local function early(where, value, n, recipe)
  if value == nil then return nil end
  local e = options.check(where .. ": early", value, 4, "sweep.run: early")
  local epochs, full = e.after or 1, e.full
  if not full or full < 1 or full >= n then
    fail(("%s: early.full is %s; it is how many of the %d models are trained to the end, from 1 to "
      .. "%d"):format(where, tostring(full), n, n - 1))
  elseif epochs < 1 or epochs >= recipe.epochs then
    fail(("%s: early.after is %d epochs; it must be from 1 to %d, below the %d of the recipe")
      :format(where, epochs, recipe.epochs - 1, recipe.epochs))
  end
  return { epochs = math.tointeger(epochs), full = math.tointeger(full) }
end

--- The epoch after which model number i is left as it is; nil: the last.
function M.until_epoch(settings, i)
  local e = settings.early
  return e and i > e.full and e.epochs or nil
end

--- Whether a model of the store is as far as it shall come before its last epoch.
function M.parked(settings, model)
  local last = M.until_epoch(settings, model.idx)
  return last ~= nil and model.status == "queued" and model.epochs >= last
end

--- How many epochs of model number i a request trains.
function M.epochs(request, i)
  return M.until_epoch(request.settings, i) or request.recipe.epochs
end

--- Where models are trained, and how many at a time: by the option workers, and the settings of
-- a population.
function M.places(where, workers, how)
  local list, total = places.make(where, workers, how.trainer)
  for _, share in ipairs(how.checkpoint and how.checkpoint.keep and list or {}) do
    if share.place.host then
      fail(("%s: checkpoint.keep keeps weights beside the store, and those of %s would lie there; "
        .. "train the networks whose weights you want on local workers"):format(where,
        share.place.host))
    end
  end
  return list, total
end

-- What a population is trained with besides: checkpoints, the memory of a network, patience, the
-- trainer, whether all workers must be alike, and what is trained early on only.
local function settings(where, o, n, recipe)
  local c = o.checkpoint
  if c == nil or c == true then c = {} end
  if c then
    c = options.check(where .. ": checkpoint", c, 4, "sweep.run: checkpoint")
    local epochs = math.tointeger(c.every)
    local seconds = not epochs and forecasts.seconds(c.every or "")
    if c.every and not seconds and not (epochs and epochs >= 1) then
      fail(("%s: checkpoint.every is '%s'; it must be a number of epochs, at least 1, or a time, "
        .. "such as \"10m\""):format(where, c.every))
    end
    local limit = c.limit and M.bytes(c.limit)
    if c.limit and not limit then
      fail(("%s: checkpoint.limit is '%s'; it must be a size with its unit, such as \"200MB\", or "
        .. "a number of bytes"):format(where, tostring(c.limit)))
    end
    c = { every = epochs, seconds = seconds or nil, keep = c.keep, limit = limit }
  end
  return { checkpoint = c, memory = memory(where, o.memory),
    patience = patience(where, o.patience), trainer = places.trainer(where, o.trainer),
    identical = o.identical or nil, early = early(where, o.early, n, recipe),
    cluster = o.on and o.on.options }
end

--- Checks where to train, when not here: cluster{ … }.  Options (o) that are about workers here do
-- not go with it.
function M.check_on(where, on, o)
  if not on then return end
  if type(on.hands) ~= "table" then
    fail(where .. ": on is a table without a scheduler; it takes slurm{ … } or cluster{ … }")
  end
  local instead = { workers = "at_once= and cpus= of slurm{ … } say how many models are trained at "
    .. "a time; on = \"here\" of sweep.resume (resume --on here) goes on here",
    by = "tasks wait in a queue; budget= is time of tasks",
    identical = "ask the scheduler for nodes of one kind, such as extra = { "
    .. "\"--constraint=zen4\" }; the log says where tasks differ" }
  for option, text in pairs(instead) do
    if o[option] then fail(("%s: %s does not go with on=; %s"):format(where, option, text)) end
  end
  local ready, why = on:module().ready(on.options)
  if not ready then fail(("%s: %s"):format(where, why)) end
end

--- The settings of a population with others: o.memory, o.patience, o.trainer and o.identical,
-- where they are given; memory "none" lifts the limit.
function M.limits(where, old, o)
  local new = {}
  for k, v in pairs(old) do new[k] = v end
  if o.memory == "none" then
    new.memory = nil
  elseif o.memory then
    new.memory = memory(where, o.memory)
  end
  new.patience = patience(where, o.patience) or new.patience
  new.trainer = places.trainer(where, o.trainer) or new.trainer
  if o.identical ~= nil then new.identical = o.identical or nil end
  return new
end

--- Whether the reason for which a model failed is a limit that the settings `new` lift above
-- the settings `old` of its population.
function M.lifted(reason, old, new)
  local limit = failures.limit(reason)
  if limit == "memory" then
    return old.memory ~= nil and (new.memory or math.huge) > old.memory
  end
  return limit == "patience" and (new.patience or M.PATIENCE) > (old.patience or M.PATIENCE)
end

--- Seconds of a budget; nil stays nil.
function M.budget(where, value)
  if value == nil then return nil end
  local seconds = forecasts.seconds(value)
  if not seconds then
    fail(("%s: budget is '%s'; it must be a time, such as \"2h\", \"1h30m\" or 7200 (seconds)")
      :format(where, tostring(value)))
  end
  return seconds
end

-- A usual size of a batch that fits into n images.
local function smaller_batch(n)
  local batch = 1
  while 2 * batch <= math.min(n, 32) do batch = 2 * batch end
  return batch
end

--- The request of checked options: what is trained, how, on what, into which store.
function M.make(where, o)
  for _, key in ipairs { "store", "models", "data" } do
    if o[key] == nil then fail(("%s needs %s="):format(where, key)) end
  end
  local models, recipe = o.models, require("netspace.network.recipe")
  local kind = members.kind(models)
  if kind == "space" or kind == "spaces" then
    fail(where .. ": models is a space; networks are drawn from it: models = S:sample(n, …)")
  elseif models.d and models.w then
    fail(where .. ": models is one network; it takes a list: models = { m }")
  end
  M.check_on(where, o.on, o)
  local name = o.name or type(models.space) == "string" and models.space
  if not name or name == "" then fail(where .. " needs name=, what to call this population") end
  local wrong = rules.wrong_name(name)
  if wrong then fail(("%s: name %s"):format(where, wrong)) end
  local card, source = card_of(where, o.data)
  local list, costs = check_models(where, models, card)
  local good, how = pcall(recipe._complete, where .. ": recipe", o.recipe, 1, recipe.quick)
  if not good then fail(blame.bare(how)) end
  local idle = recipe._idle(how, card.channels)
  if idle then fail(("%s: recipe: %s"):format(where, idle)) end
  if how.batch > card.train_n then
    fail(("%s: recipe.batch is %d, and the training set of '%s' has %s: a batch may be no larger; "
      .. "use recipe = { batch = %d }, or more images (data.open(…, { train = … }))"):format(where,
      how.batch, card.spec, units.count(card.train_n, "image"),
      smaller_batch(card.train_n)))
  end
  local besides = settings(where, o, #list, how)
  local list_of_places, workers = M.places(where, o.workers, besides)
  return {
    store = paths.absolute(o.store), name = name, models = list, card = card, source = source,
    costs = costs, recipe = how, given = recipe._given(o.recipe),
    places = o.on and {} or list_of_places, on = o.on,
    workers = o.on and o.on:width(besides.trainer) or workers,
    seed = math.tointeger(o.seed or models.seed or sys.seed()),
    space = type(models.space) == "string" and models.space or nil, spec = models.spec,
    constraints = models.constraints, window = models.window, tried = models.tried,
    sample_seed = models.seed, adopted = models.adopted, progress = o.progress, quiet = o.quiet,
    settings = besides, budget = M.budget(where, o.budget), yes = o.yes,
  }
end

-- The population that a request adopts models from, its id and their indices; {} for none.
local function adopted(ledger, request)
  local a = request.adopted
  if not a then return { indices = {} } end
  if uv.fs_realpath(a.store) ~= uv.fs_realpath(request.store) then
    fail(("'%s' adopts models of '%s', which are in %s; train it there (store=\"%s\"), or draw "
      .. "it without adopt"):format(request.name, a.population,
      paths.shown(a.store), paths.shown(a.store)))
  end
  local from = ledger:find(a.population)
  if not from then fail(("%s has no population '%s' any more"):format(paths.shown(a.store),
    a.population)) end
  M.compare({ name = a.population, store = request.store, recipe = request.recipe,
    card = request.card, seed = from.seed, remedy = "Models are adopted only with the "
    .. "recipe and data they were trained with; use those, or draw without adopt" }, from, {})
  return { id = from.id, name = a.population, indices = a.indices }
end

-- The population of a request in the store and its models; nil and none when it is not there.
local function match(ledger, request)
  local old = ledger:find(request.name)
  if not old then return nil, {} end
  ledger:owner(old.id, request.name)
  local stored = ledger:models(old.id)
  M.compare(request, old, stored)
  return old, stored
end

--- The name of a population in the store that has the networks of the request under another name,
-- trained with the same recipe, data and seed; nil for none, and where the name itself is there.
function M.namesake(ledger, request)
  if request.adopted or ledger:find(request.name) then return nil end
  local first = ledgers.fingerprint(ledgers.identity(request.models[1]))
  for _, name in ipairs(ledger:names_of(first)) do
    if pcall(M.compare, request, ledger:find(name), ledger:models(ledger:find(name).id)) then
      return name
    end
  end
end

--- The indices of the models that a request has still to train (ledger: nil when there is no
-- store yet).
function M.open(ledger, request)
  local finished, todo = {}, {}
  local old, stored
  if ledger then old, stored = match(ledger, request) end
  for i in ipairs(request.adopted and request.adopted.indices or {}) do finished[i] = true end
  for _, model in ipairs(stored or {}) do
    finished[model.idx] = M.parked(request.settings, model)
      or model.status ~= "queued" and model.status ~= "running" and not (model.status == "failed"
      and M.lifted(model.reason, old.settings, request.settings))
  end
  for i in ipairs(request.models) do
    if not finished[i] then todo[#todo + 1] = i end
  end
  return todo
end

--- Makes the population in the store, or finds it there and adds models that are new.  What
-- failed there at a limit that is higher now is queued again.
-- @treturn integer its id; and how many are queued again
function M.enter(ledger, request)
  local id, lifted
  ledger:write(function()
    local old, stored = match(ledger, request)
    local have = #stored
    lifted = 0
    if old then
      id = old.id
      if json.encode(old.source) ~= json.encode(request.source) then
        ledger:move_data(id, request.source)
      end
    else
      request.draws = distribution.keep(request)
      id = ledger:create(request)
    end
    local from = adopted(ledger, request)
    for i = have + 1, #request.models do
      local m = request.models[i]
      if from.indices[i] then
        ledger:adopt(id, i, m, from, from.indices[i])
      else
        -- 53 bits: what a JSON reader keeps of a whole number
        local seed = sys.random(request.seed, i, sys.purpose.model) >> 10
        ledger:add_model(id, i, m, ledgers.identity(m), seed, request.costs[i],
          varies.draw(request.recipe, request.seed, i))
      end
    end
    for _, model in ipairs(stored) do
      if model.status == "failed"
        and M.lifted(model.reason, old.settings, request.settings) then
        ledger:retry_model(model)
        lifted = lifted + 1
      end
    end
    ledger:set(id, request.settings)
    ledger:take(id, request.name, request.workers)
    if lifted > 0 then
      ledger:log(nil, units.count(lifted, "failed model")
        .. " queued again: the limit is higher now")
    end
    if have == 0 and #from.indices > 0 then
      ledger:log(nil, units.count(#from.indices, "model") .. " adopted from " .. from.name)
    end
  end)
  return id, lifted
end

return M
