--- Writing a store: one open population of one sweep.  Every change goes through
-- ledger:write(), a transaction that either happened or did not.
--
-- A population belongs to the run (process) at work on it; a run whose process is gone
-- leaves its models "running", and the next one takes them back into the queue.

local failures = require "netspace.store.failures"
local files = require "netspace.store.files"
local json = require "netspace.lib.json"
local paths = require "netspace.lib.path"
local schema = require "netspace.store.schema"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"

-- The columns of an epoch beside its model.
local of_epoch = { "epoch", "attempt", "lr", "train_loss", "train_error", "validation_error",
  "validation_loss", "top5_error", "class_error", "seconds", "images_per_s" }
local listed = table.concat(of_epoch, ", ")
local insert_epoch = ("INSERT OR REPLACE INTO epoch (model, %s) VALUES (:model, :%s)"):format(
  listed, table.concat(of_epoch, ", :"))
local copy_epochs = ("INSERT INTO epoch (model, %s) SELECT ?, %s FROM epoch WHERE model = ?")
  :format(listed, listed)

local M = { latest = nil } -- the store that this process has trained into last
local Ledger = {}
Ledger.__index = Ledger

--- Names equal networks across populations: FNV-1a, 64 bits, of an identity.
function M.fingerprint(text)
  local h, byte, last = 0xcbf29ce484222325, string.byte, #text - #text % 4
  for i = 1, last, 4 do
    local a, b, c, d = byte(text, i, i + 3)
    h = ((h ~ a) * 0x100000001b3 ~ b) * 0x100000001b3
    h = ((h ~ c) * 0x100000001b3 ~ d) * 0x100000001b3
  end
  for i = last + 1, #text do h = (h ~ byte(text, i)) * 0x100000001b3 end
  return ("%016x"):format(h)
end

local function only_threes(kernel)
  for _, k in ipairs(kernel) do
    if k ~= 3 then return false end
  end
  return true
end

--- The text of what makes a network the same network: not how it was asked for, nor the
-- kernels of 3×3 that all had before others could be asked for.
function M.identity(m)
  local t = {}
  for k, v in pairs(m) do
    if k ~= "asked" and k ~= "regnet" and not (k == "kernel" and only_threes(v)) then
      t[k] = v
    end
  end
  return json.encode(t)
end

--- A failure that the user can mend travels as this exception (field message).
M.Failure = { __tostring = function(self) return self.message end }

--- Raises a Failure; kind "damaged": the store is.
function M.fail(message, kind)
  error(setmetatable({ message = message, kind = kind }, M.Failure), 0)
end

local function must(self, method, ...)
  local found, message, code = self.db[method](self.db, ...)
  if found == nil then M.fail(schema.explain(self.path, message, code, "rw")) end
  return found
end

--- Opens (or makes) the store at `path` for writing: a ledger, or nil and a message.
function M.open(path)
  path = paths.absolute(path)
  local db, message, kind = schema.open(path)
  if not db then return nil, message, kind end
  return setmetatable({ path = path, db = db }, Ledger)
end

--- Runs f in a transaction; raises (a Failure when the outside world refused).
function Ledger:write(f)
  local done, message, code = self.db:transaction(function()
    f(self)
    return true
  end)
  if not done then M.fail(schema.explain(self.path, message, code, "rw")) end
end

local function run(self, sql, params) return must(self, "run", sql, params) end
local function rows(self, sql, params) return must(self, "rows", sql, params) end

--- The population row of that name, with its recipe, source and card decoded, or nil.
function Ledger:find(name)
  local p = rows(self, "SELECT * FROM population WHERE name = ?", { name })[1]
  if p then
    p.recipe, p.source = json.decode(p.recipe), json.decode(p.data)
    p.card = json.decode(p.card)
    p.settings = p.settings and json.decode(p.settings) or { checkpoint = {} }
  end
  return p
end

--- Names of the populations with unfinished models, oldest first.
function Ledger:open_names()
  local names = {}
  for i, p in ipairs(rows(self, [[SELECT name FROM population WHERE EXISTS (SELECT 1 FROM model
    WHERE population = population.id AND status IN ('queued', 'running')) ORDER BY id]])) do
    names[i] = p.name
  end
  return names
end

--- How many models of a population have not ended.
function Ledger:open(id)
  return rows(self, [[SELECT count(*) AS n FROM model WHERE population = ?
    AND status IN ('queued', 'running')]], { id })[1].n
end

--- Names of the populations whose first network has the fingerprint `hash`, oldest first.
function Ledger:names_of(hash)
  local names = {}
  for i, p in ipairs(rows(self, [[SELECT name FROM population JOIN model
    ON population.id = population WHERE idx = 1 AND hash = ? ORDER BY population.id]], { hash })) do
    names[i] = p.name
  end
  return names
end

--- The trials of the store, oldest first: id, plan, verdict (or nil), names (the parent first).
function Ledger:trials()
  local list = rows(self, "SELECT id, plan, verdict FROM trial ORDER BY id")
  for _, t in ipairs(list) do
    t.plan, t.names = json.decode(t.plan), {}
    for i, row in ipairs(rows(self, [[SELECT name FROM arm JOIN population
      ON population.id = population WHERE trial = ? ORDER BY place]], { t.id })) do
      t.names[i] = row.name
    end
  end
  return list
end

--- The trial of these populations, in this order, or nil.
function Ledger:trial(ids)
  local row = rows(self, [[SELECT id, plan, verdict FROM trial WHERE
    (SELECT json_group_array(population) FROM (SELECT population FROM arm WHERE trial = trial.id
      ORDER BY place)) = ?]], { json.encode(ids) })[1]
  if row then row.plan = json.decode(row.plan) end
  return row
end

--- Keeps the plan by which populations will be compared.
-- @treturn integer the id of the trial
function Ledger:plan(ids, plan)
  run(self, "INSERT INTO trial (plan, created) VALUES (?, ?)", { json.encode(plan), schema.time() })
  local id = self.db:last_id()
  for place, population in ipairs(ids) do
    run(self, "INSERT INTO arm VALUES (?, ?, ?)", { id, place, population })
  end
  return id
end

--- What a trial has decided.
function Ledger:decided(trial, verdict)
  run(self, "UPDATE trial SET verdict = ? WHERE id = ?", { verdict, trial })
end

--- The models of all populations that have failed, with their reasons and the population's name.
function Ledger:failed()
  return rows(self, [[SELECT reason, memory, population.name FROM model JOIN population
    ON population.id = population WHERE status = 'failed' ORDER BY population, idx]])
end

--- Makes a population; p as population() gives it, with source = how to open the data.
-- @treturn integer its id
function Ledger:create(p)
  run(self, [[INSERT INTO population (name, space, spec, constraints, window, tried,
    sample_seed, seed, recipe, data, card, checksum, created) VALUES (:name, :space, :spec,
    :constraints, :window, :tried, :sample_seed, :seed, :recipe, :data, :card, :checksum,
    :created)]], {
    name = p.name, space = p.space, spec = p.spec and json.encode(p.spec),
    constraints = p.constraints and json.encode(p.constraints),
    window = p.window and json.encode(p.window), tried = p.tried,
    sample_seed = p.sample_seed, seed = p.seed, recipe = json.encode(p.recipe),
    data = json.encode(p.source), card = json.encode(p.card), checksum = p.card.checksum,
    created = schema.time(),
  })
  local id = self.db:last_id()
  if p.draws then
    run(self, "INSERT INTO distribution VALUES (?, CAST(? AS BLOB))", { id, p.draws })
  end
  return id
end

--- Where the data of a population is now (its content is checked by whoever calls).
function Ledger:move_data(id, source)
  run(self, "UPDATE population SET data = ? WHERE id = ?", { json.encode(source), id })
end

--- How a population is trained besides: what results do not depend on.
function Ledger:set(id, settings)
  run(self, "UPDATE population SET settings = ? WHERE id = ?", { json.encode(settings), id })
end

--- Appends model number idx: m, its identity text, training seed and complexity, and what of the
-- recipe is its own (nil: nothing).
function Ledger:add_model(id, idx, m, identity, seed, cost, recipe)
  run(self, [[INSERT INTO model (population, idx, m, hash, seed, flops, params, acts, recipe)
    VALUES (:id, :idx, :m, :hash, :seed, :flops, :params, :acts, :recipe)]], { id = id, idx = idx,
    m = json.encode(m), hash = M.fingerprint(identity), seed = seed, flops = cost.flops,
    params = cost.params, acts = cost.acts, recipe = recipe and json.encode(recipe) })
end

--- Model number idx is that in place `index` of the population `from` (id and name), which
-- has finished: it comes with its seed, its epochs and its result.
function Ledger:adopt(id, idx, m, from, index)
  local old = rows(self, [[SELECT id, hash FROM model WHERE population = ? AND idx = ?
    AND status IN ('done', 'diverged', 'failed')]], { from.id, index })[1]
  if not old or old.hash ~= M.fingerprint(M.identity(m)) then
    M.fail(("model %d of '%s' has changed since it was adopted; draw the population again")
      :format(index, from.name))
  end
  run(self, [[INSERT INTO model (population, idx, origin, m, hash, seed, flops, params, acts,
      status, attempt, crashes, error, reason, run, started, ended, seconds, images_per_s,
      epochs, signal, log, memory, trainer, recipe)
    SELECT ?, ?, ?, m, hash, seed, flops, params, acts, status, attempt, crashes, error,
      reason, run, started, ended, seconds, images_per_s, epochs, signal, log, memory, trainer,
      recipe
    FROM model WHERE id = ?]],
    { id, idx, json.encode { population = from.name, index = index }, old.id })
  run(self, copy_epochs, { self.db:last_id(), old.id })
end

--- Models that a trainer (as of its hello) has made on its host, the latest first: seconds, flops,
-- acts, and the recipe and card of their population.
function Ledger:trained(hello)
  return rows(self, [[SELECT seconds, flops, acts, recipe, card FROM model
    JOIN trainer ON trainer.id = model.trainer JOIN population ON population.id = model.population
    WHERE status = 'done' AND trainer.name = :trainer AND version = :version AND device = :device
      AND kernels = :kernels AND host = :host AND origin IS NULL
    ORDER BY model.ended DESC LIMIT 200]], { trainer = hello.trainer, version = hello.version,
    device = hello.device, kernels = hello.kernels, host = hello.host })
end

--- All models of a population in order; m is the text of the network (10,000 of them as
-- tables would be most of the memory of a sweep).
function Ledger:models(id)
  return rows(self, [[SELECT id, idx, m, hash, seed, flops, acts, status, attempt,
    crashes, error, reason, memory, epochs, recipe FROM model WHERE population = ? ORDER BY idx]], { id })
end

--- The network of one of them.
function M.network(model)
  local m = json.decode(model.m)
  if type(m) ~= "table" then
    M.fail(("model %d of the store is damaged"):format(model.idx), "damaged")
  end
  return m
end

--- The row of the run that last took a population; raises when its process is at work.
function Ledger:owner(id, name)
  local owner = rows(self, [[SELECT run.* FROM population JOIN run ON run.id = population.run
    WHERE population.id = ?]], { id })[1]
  if owner and schema.alive(self.path, owner) then
    M.fail(("population '%s' of %s is being trained by process %d on %s; watch it with "
      .. "`netspace monitor %s`"):format(name, paths.shown(self.path), owner.pid, owner.host,
      paths.shown(self.path)), "busy")
  end
  return owner
end

--- Takes a population for this process and puts the models of a dead run back into the
-- queue.  Raises when another process is at work on it.
function Ledger:take(id, name, workers)
  local owner = self:owner(id, name)
  local why
  self.lock, why = sys.lock(files.lock(self.path), id)
  if why == "held" then
    M.fail(("population '%s' of %s is being trained by another process"):format(name,
      paths.shown(self.path)), "busy")
  elseif not self.lock and why ~= "unsupported" then
    M.fail(("%s cannot be locked: %s"):format(paths.shown(files.lock(self.path)), why))
  end
  local now, pid = schema.time(), math.tointeger(uv.os_getpid())
  run(self, [[INSERT INTO run (population, host, pid, birth, boot, workers, started,
    updated, images_per_s) VALUES (:id, :host, :pid, :birth, :boot, :workers, :now, :now, 0)]],
    { id = id, host = uv.os_gethostname(), pid = pid, birth = schema.birth(pid),
      boot = self.lock and schema.boot(), workers = workers, now = now })
  self.run, M.latest = self.db:last_id(), self.path
  if owner and not owner.ended then
    run(self, "UPDATE run SET ended = updated WHERE id = ?", { owner.id })
  end
  local back = run(self, "UPDATE model SET status = 'queued', worker = NULL "
    .. "WHERE population = ? AND status = 'running'", { id })
  run(self, "UPDATE population SET run = ? WHERE id = ?", { self.run, id })
  self:log(nil, ("run started with %s%s"):format(units.count(workers, "worker"),
    back > 0 and (", %s of a lost run queued again"):format(units.count(back,
    "unfinished model")) or ""))
end

--- The number of a trainer that says hello, in the table of them.
function Ledger:trainer(hello)
  local t = { trainer = hello.trainer, version = hello.version, device = hello.device,
    kernels = hello.kernels, host = hello.host }
  run(self, [[INSERT OR IGNORE INTO trainer (name, version, device, kernels, host)
    VALUES (:trainer, :version, :device, :kernels, :host)]], t)
  return rows(self, [[SELECT id FROM trainer WHERE name = :trainer AND version = :version
    AND device = :device AND kernels = :kernels AND host = :host]], t)[1].id
end

--- Trainers that have made models of a population, the first first, wherever that was.
function Ledger:trainers(id)
  return rows(self, [[SELECT name AS trainer, version, device, kernels FROM trainer
    JOIN model ON model.trainer = trainer.id WHERE population = ?
    AND status IN ('done', 'diverged', 'failed')
    GROUP BY name, version, device, kernels ORDER BY min(idx)]], { id })
end

--- Sign of life of the run, with its rate (nil: it is paused) and remaining seconds.
function Ledger:beat(images_per_s, eta)
  run(self, "UPDATE run SET updated = ?, images_per_s = ?, eta = ? WHERE id = ?",
    { schema.time(), images_per_s, eta, self.run })
end

function Ledger:finish_run()
  local now = schema.time()
  run(self, "UPDATE run SET updated = ?, ended = ?, images_per_s = NULL, eta = NULL "
    .. "WHERE id = ?", { now, now, self.run })
end

--- One line into the event log.
function Ledger:log(model, text)
  run(self, "INSERT INTO event (time, run, model, text) VALUES (?, ?, ?, ?)",
    { schema.time(), self.run, model, text })
end

--- A worker is given the model as that attempt; trainer: the number of what it is.
function Ledger:start(model, attempt, worker, trainer)
  run(self, [[UPDATE model SET status = 'running', attempt = ?, run = ?, worker = ?, trainer = ?,
    started = ?, ended = NULL, error = NULL, reason = NULL, epochs = 0 WHERE id = ?]],
    { attempt, self.run, worker, trainer, schema.time(), model })
end

--- What follows has no effect unless the attempt is the current one.
-- It begins after `epochs` finished ones, with a network of `memory` bytes.
function Ledger:begin(model, attempt, epochs, memory)
  run(self, [[UPDATE model SET epochs = ?, memory = ? WHERE id = ? AND attempt = ?
    AND status = 'running']], { epochs, memory, model, attempt })
end

--- An epoch ended.  Training is deterministic, so one that is trained again after a loss
-- gives what is there already; what it gave instead is returned when it does not.
function Ledger:epoch(model, attempt, e)
  if run(self, [[UPDATE model SET epochs = max(epochs, ?), images_per_s = ? WHERE id = ?
    AND attempt = ? AND status = 'running']], { e.epoch, e.images_per_s, model, attempt }) == 0
  then
    return nil
  end
  local old = rows(self, [[SELECT train_loss, train_error, validation_error, validation_loss
    FROM epoch WHERE model = ? AND epoch = ?]], { model, e.epoch })[1]
  local same = old and old.train_loss == e.train_loss and old.train_error == e.train_error
    and old.validation_error == e.validation_error
  if same and old.validation_loss then return nil end -- else of an old store: it gets the rest
  local row = { model = model, attempt = attempt }
  for _, key in ipairs(of_epoch) do row[key] = row[key] or e[key] end
  run(self, insert_epoch, row)
  return not same and old or nil
end

--- A model ended: as `e` says (status, error, reason, seconds, crashes, the bytes it needs, and
-- of a worker that died signal and log).
function Ledger:finish(model, attempt, e)
  if run(self, [[UPDATE model SET status = ?, error = ?, reason = ?, seconds = ?, crashes = ?,
    signal = ?, log = ?, memory = coalesce(?, memory), ended = ? WHERE id = ? AND attempt = ?
    AND status = 'running']], { e.status, e.error, e.reason, e.seconds, e.crashes, e.signal, e.log,
      e.memory, schema.time(), model, attempt }) == 1 and e.status == "diverged" then
    run(self, [[DELETE FROM epoch WHERE model = :id AND epoch >
      (SELECT epochs FROM model WHERE id = :id)]], { id = model }) -- an earlier attempt's
  end
end

--- A running model goes back into the queue; crashes counts the workers it has cost.
-- (signal and log of a worker that died, if it did)
function Ledger:requeue(model, attempt, e)
  run(self, [[UPDATE model SET status = 'queued', worker = NULL, crashes = ?, signal = ?,
    log = ? WHERE id = ? AND attempt = ? AND status = 'running']],
    { e.crashes, e.signal, e.log, model, attempt })
end

--- Takes a population out, with all that is known of its models, runs and events.
function Ledger:remove(id)
  for _, sql in ipairs {
    "DELETE FROM event WHERE model IN (SELECT id FROM model WHERE population = :id) "
      .. "OR run IN (SELECT id FROM run WHERE population = :id)",
    "DELETE FROM epoch WHERE model IN (SELECT id FROM model WHERE population = :id)",
    "DELETE FROM model WHERE population = :id", "DELETE FROM run WHERE population = :id",
    "DELETE FROM distribution WHERE population = :id",
    "DELETE FROM arm WHERE trial IN (SELECT trial FROM arm WHERE population = :id)",
    "DELETE FROM population WHERE id = :id" } do
    run(self, sql, { id = id })
  end
  run(self, "DELETE FROM trial WHERE id NOT IN (SELECT trial FROM arm)")
end

--- Gives a population another name, also where others say that they adopted from it.
function Ledger:rename(id, name, new)
  run(self, "UPDATE population SET name = ? WHERE id = ?", { new, id })
  run(self, [[UPDATE model SET origin = json_set(origin, '$.population', :new)
    WHERE origin IS NOT NULL AND origin ->> 'population' = :name]], { name = name, new = new })
end

local RETRY = [[UPDATE model SET status = 'queued', worker = NULL, error = NULL, reason = NULL,
  crashes = 0, signal = NULL, log = NULL, ended = NULL WHERE ]]

--- The failed models of a population go back into the queue.
-- @treturn integer how many
function Ledger:retry(id)
  return run(self, RETRY .. "population = ? AND status = 'failed'", { id })
end

--- A model of these goes back into the queue.
function Ledger:retry_model(model)
  run(self, RETRY .. "id = ?", { model.id })
end

--- The failed models of the store at `path`, which nobody trains in, are queued again: of the
-- population called o.name, or of all; with o.diverged also those that diverged; with o.only
-- those failed ones for which o.only(p, model) is true.  What is queued there waits for the next
-- sweep or resume.
-- @treturn table failed and diverged, how many are queued again; left, how many diverged ones
-- are not; limited, how many of the failed ones a limit had failed (failures.limited).  Raises,
-- a Failure of kind "busy" when a process is at work on it
function M.retry(path, o)
  local ledger, why, kind = M.open(path)
  if not ledger then M.fail(why, kind) end
  local n
  local good, err = pcall(ledger.write, ledger, function()
    n = { failed = 0, diverged = 0, left = 0, limited = { memory = 0, patience = 0 } }
    local found = rows(ledger, "SELECT id, name, run, settings FROM population "
      .. "WHERE name = :name OR :name IS NULL", { name = o.name })
    if o.name and not found[1] then M.fail(("%s has no population '%s'"):format(
      paths.shown(path), o.name)) end
    for _, p in ipairs(found) do
      ledger:owner(p.id, p.name)
      ledger.run = p.run
      p.settings = p.settings and json.decode(p.settings) or {}
      local taken = { failed = {}, diverged = {} }
      for _, model in ipairs(rows(ledger, [[SELECT id, status, reason FROM model
        WHERE population = ? AND status IN ('failed', 'diverged')]], { p.id })) do
        local take = o.diverged
        if model.status == "failed" then take = not o.only or o.only(p, model) end
        if take then
          ledger:retry_model(model)
          table.insert(taken[model.status], model)
        elseif model.status == "diverged" then
          n.left = n.left + 1
        end
      end
      for state, list in pairs(taken) do
        n[state] = n[state] + #list
        if #list > 0 then
          ledger:log(nil, units.count(#list, state .. " model") .. " queued again")
        end
      end
      for limit, count in pairs(failures.limited(taken.failed)) do
        n.limited[limit] = n.limited[limit] + count
      end
    end
  end)
  ledger:close()
  if not good then error(err, 0) end
  return n
end

--- Closes the store; all of it is in its main file then, also while readers stay (without
-- any, closing does the same and removes the log).
function Ledger:close()
  self.db:exec("PRAGMA wal_checkpoint(TRUNCATE)")
  self.db:close()
  if self.lock then self.lock:close() end -- whoever waits for it finds all of it
end

return M
