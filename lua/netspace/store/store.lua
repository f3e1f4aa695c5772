--- Reading a store: what sweeps have trained so far.  Read-only, safe while a sweep writes,
-- and as good on the store of a sweep that was killed.
--
--   local s = assert(sweep.open("runs.db"))
--   for _, name in ipairs(s:names()) do print(name, stats.edf(s:result(name)).min) end
--
-- Opening and every method return nil and a message when the file fails; a name that the store
-- does not have raises an exception that lists those it has.

local absent = require "netspace.lib.absent"
local blame = require "netspace.lib.blame"
local early = require "netspace.store.early"
local export = require "netspace.store.export"
local files = require "netspace.store.files"
local finished = require "netspace.store.finished"
local document = require("netspace.lib.doc").group "store"
local json = require "netspace.lib.json"
local live = require "netspace.store.live"
local manage = require "netspace.store.manage"
local nets = require "netspace.network.net"
local options = require "netspace.lib.options"
local paths = require "netspace.lib.path"
local provenance = require "netspace.store.provenance"
local readers = require "netspace.store.reader"
local recipes = require "netspace.network.recipe"
local rules = require "netspace.store.rules"
local schema = require "netspace.store.schema"
local units = require "netspace.lib.units"

local M = {}
local Read = {} -- the methods; what users call is guarded at the end of the file

local function find(self, name)
  if type(name) ~= "string" then
    error(("store: a population is meant by its name, a text, not a %s"):format(type(name)), 0)
  end
  local row = self.reader:rows("SELECT * FROM population WHERE name = ?", { name })[1]
  if row then return row end
  local list = self.reader:rows "SELECT id, name, CAST(name AS BLOB) AS bytes FROM population"
  local names = Read.names(self)
  for _, known in ipairs(list) do
    if known.name == name and known.bytes == name then
      self.reader:damaged("its index of names")
    elseif known.name == name then -- shown without what a terminal obeys
      return self.reader:rows("SELECT * FROM population WHERE id = ?", { known.id })[1]
    end
  end
  error(("%s has no population '%s'%s; it has %s"):format(paths.shown(self.path), tostring(name),
    options.hint(name, names), #names > 0 and table.concat(names, ", ") or "none yet"), 0)
end

-- Lists of names print as text.
local Names = { __name = "names", __tostring = function(list) return table.concat(list, ", ") end }

--- Names of the populations, in the order they were made.
function Read:names()
  local list = self.reader:columns("SELECT name FROM population ORDER BY id").name
  for _, name in ipairs(list) do
    if type(name) ~= "string" then self.reader:damaged "the name of a population is missing" end
  end
  return setmetatable(list, Names)
end

local function at_work(self, run)
  return run.pid ~= nil and not run.ended and schema.alive(self.path, run)
end

-- Whether a run is at work, but paused (ledger:beat).
local function paused(self, run)
  return not run.images_per_s and at_work(self, run)
end

-- Whether a population was compared while it was trained, and all that it was compared for is
-- decided.
local function decided(self, id)
  local row = self.reader:rows([[SELECT count(*) AS n, count(verdict) AS decided FROM arm
    JOIN trial ON trial.id = trial WHERE population = ?]], { id })[1]
  return row.n > 0 and row.n == row.decided
end

--- What a population is and how it stands.
function Read:population(name)
  local row = find(self, name)
  local function decoded(key) return self.reader:decode(key .. " of " .. row.name, row[key]) end
  local function needed(key) return self.reader:needed(key .. " of " .. row.name, row[key]) end
  local p = {
    name = row.name, space = row.space, spec = decoded "spec",
    constraints = decoded "constraints", window = decoded "window",
    tried = row.tried, sample_seed = row.sample_seed, seed = row.seed,
    recipe = needed "recipe", source = needed "data", card = decoded "card",
    checksum = row.checksum, created = row.created,
    n = 0, done = 0, failed = 0, diverged = 0, running = 0, queued = 0,
  }
  p.data, p.epochs, p.weights = p.source.spec, p.recipe.epochs, recipes._weights(p.recipe)
  for _, r in ipairs(self.reader:rows("SELECT status, count(*) AS n FROM model "
    .. "WHERE population = ? GROUP BY status", { row.id })) do
    p[r.status] = r.n
    p.n = p.n + r.n
  end
  p.counts = { done = p.done, diverged = p.diverged, failed = p.failed, running = p.running,
    queued = p.queued }
  local run = self.reader:rows("SELECT * FROM run WHERE id = ?", { row.run })[1] or {}
  p.host, p.trainers = run.host, provenance.trainers(self.reader, row.id)
  p.early = early.of(self.reader, row)
  local parked = p.early and p.early.parked or 0
  p.state = p.done + p.failed + p.diverged + parked == p.n and "finished"
    or paused(self, run) and "paused" or at_work(self, run) and "running"
    or decided(self, row.id) and "decided" or "stopped"
  return p
end

-- Its tasks on a cluster at the last look at them (cluster/fleet.lua): time, scheduler, tasks; nil
-- where it has none.
function Read:_tasks(name)
  local row = find(self, name)
  local settings = self.reader:decode("settings of " .. name, row.settings)
  local on = settings and settings.cluster
  local f = on and io.open(files.cluster(self.path, row.id, on.dir) .. "/tasks.json")
  if not f then return on and { tasks = {} } or nil end
  local t = json.decode(f:read "a")
  f:close()
  return type(t) == "table" and type(t.tasks) == "table" and t or { tasks = {} }
end

--- The finished models of a population: errors (percent, failed and diverged 100) and
-- models, both in the order of the population.
function Read:result(name)
  local r = finished.of(self.reader, Read.population(self, name), find(self, name))
  r._origin.store = self.path
  return setmetatable(r, M._Result)
end

--- Every model of a population as it stands now, in order: index, status, attempt, epoch,
-- epochs, error (of the last epoch so far), images_per_s, seconds, worker, memory, started,
-- flops, params, acts, reason, signal, log and curve, the validation errors of its epochs.
function Read:live(name)
  return live.read(self.seen, self.reader, find(self, name))
end

--- What each epoch of each model gave, as lists by the number of the model: { index =,
-- lr = {…}, train_loss = {…}, train_error = {…}, validation_error = {…}, validation_loss = {…},
-- top5_error = {…}, class_error = {…} }; what was no number, or is not known, is NaN.
function Read:learning(name)
  local p, list = find(self, name), {}
  local c = self.reader:columns([[SELECT idx, status, lr, train_loss, train_error,
      validation_error, validation_loss, top5_error, class_error
    FROM model LEFT JOIN epoch ON epoch.model = model.id
    WHERE population = ? ORDER BY idx, epoch]], { p.id })
  for i, index in ipairs(c.idx) do
    local model = list[#list]
    if not model or model.index ~= index then
      model = { index = index, status = c.status[i], lr = {}, train_loss = {},
        train_error = {}, validation_error = {}, validation_loss = {}, top5_error = {},
        class_error = {} }
      list[#list + 1] = model
    end
    if c.lr[i] then
      for key, values in pairs(model) do
        if type(values) == "table" then values[#values + 1] = c[key][i] or 0 / 0 end
      end
    end
  end
  return list
end

--- The networks of a population in order, each decoded once.
function Read:networks(name)
  local p = find(self, name)
  local decoded = self.decoded[name]
  if not decoded or decoded.id ~= p.id or decoded.created ~= p.created then
    decoded = { id = p.id, created = p.created, list = {} }
    self.decoded[name] = decoded
  end
  for _, row in ipairs(self.reader:rows([[SELECT idx, m FROM model WHERE population = ?
    AND idx > ? ORDER BY idx]], { p.id, #decoded.list })) do
    decoded.list[row.idx] = self.reader:decode("a network of " .. name, row.m)
  end
  return decoded.list
end

--- The network of one model.
function Read:network(name, index)
  local row = self.reader:rows("SELECT m FROM model WHERE population = ? AND idx = ?",
    { find(self, name).id, index })[1]
  if row then return self.reader:decode("a network of " .. name, row.m) end
  error(index and ("'%s' of %s has no model %s"):format(name, paths.shown(self.path),
    tostring(index))
    or ("give the number of a model of '%s' as the second argument, from 1"):format(name), 0)
end

--- The trained network of one model, where the sweep kept its weights.
function Read:net(name, index)
  local directory = files.weights(self.path)
  Read.network(self, name, index)
  local n, message = nets.load(files.path(directory, find(self, name).id, index))
  if n then return n end
  return nil, message .. " (sweep.run keeps weights with checkpoint = { keep = true })"
end

--- The whole store at a glance: done, diverged, failed, running, queued, total models;
-- images_per_s and eta (seconds) of the sweeps at work; updated, Unix time of the last sign
-- of life; running_main, whether any sweep is at work now, paused, whether all of these are
-- paused; events, how long the log is.
function Read:progress()
  local p = { done = 0, diverged = 0, failed = 0, running = 0, queued = 0, total = 0,
    images_per_s = 0, running_main = false, paused = false }
  for _, r in ipairs(self.reader:rows(
    "SELECT status, count(*) AS n FROM model GROUP BY status")) do
    local key = r.status
    if not p[key] then self.reader:damaged("models with the status " .. tostring(key)) end
    p[key] = p[key] + r.n
    p.total = p.total + r.n
  end
  for _, run in ipairs(self.reader:rows("SELECT * FROM run WHERE ended IS NULL")) do
    if at_work(self, run) then
      p.paused = paused(self, run) and (p.paused or not p.running_main)
      p.running_main = true
      p.images_per_s = p.images_per_s + (run.images_per_s or 0)
      p.eta = run.eta and math.max(p.eta or 0, run.eta) or p.eta
    end
  end
  p.updated = self.reader:rows("SELECT max(updated) AS t FROM run")[1].t
  p.events = self.reader:rows("SELECT max(id) AS n FROM event")[1].n or 0
  return p
end

options.declare("store:events",
  { last = "integer", skip = "integer", population = "string", index = "integer" })

--- The event log, the latest last: list of {time, index (of the model, or nil), population,
-- text}; o.last many of it before the o.skip latest, of one population or model.
function Read:events(o)
  o = options.check("store:events", o)
  local list = self.reader:rows([[SELECT time, idx AS "index", population.name AS population,
      text FROM (SELECT * FROM event WHERE :index IS NULL AND :population IS NULL
        OR model = (SELECT model.id FROM model JOIN population ON population.id = population
          WHERE name = :population AND idx = :index)
        OR :index IS NULL AND run IN (SELECT run.id FROM run JOIN population
          ON population.id = run.population WHERE name = :population)
      ORDER BY id DESC LIMIT :last OFFSET :skip) AS event
    LEFT JOIN run ON run.id = event.run LEFT JOIN population ON population.id = run.population
    LEFT JOIN model ON model.id = event.model ORDER BY event.id]],
    { last = o.last or -1, skip = o.skip or 0, population = o.population, index = o.index })
  return list
end

--- Where a population comes from; printed, it is a page.
function Read:provenance(name)
  return provenance.of(self.reader, find(self, name))
end

options.declare("store:export", { salvage = "boolean" })

--- Writes populations to a file for other programs.
-- @tparam string path ends in .csv, .jsonl or .json
-- @tparam[opt] string|table names of populations; all of them
-- @tparam[opt] table o salvage = true: what can be read of a damaged store
-- @treturn integer how many models were written; or nil and a message
function Read:export(path, names, o)
  if type(path) ~= "string" or not export.kind(path) then
    error(("store:export writes %s, not '%s'%s"):format(export.KINDS, tostring(path),
      absent.table(tostring(path))), 0)
  end
  o = options.check("store:export", o)
  if type(names) == "string" then names = { names } end
  for _, name in ipairs(not o.salvage and names or {}) do find(self, name) end
  return export.write(self.reader, path, names, o.salvage)
end

--- An export as the list of its pieces of text, for standard output; for our own modules.
-- @treturn integer how many models; or nil and a message
function Read:_export_text(kind, names, salvage)
  for _, name in ipairs(not salvage and names or {}) do find(self, name) end
  return export.text(self.reader, kind, names, salvage)
end

--- The trials: populations that are trained until it is decided how they compare, the latest
-- first: lists of their names, the parent first, with plan and verdict (nil while undecided); for
-- our own modules.
function Read:_trials()
  return provenance.trials(self.reader)
end

--- A text that is the same as before as long as nothing was written; for our own modules.
function Read:_version()
  local reader = self.reader
  return reader.state or ("%s %d"):format(reader.db,
    reader:rows("PRAGMA data_version")[1].data_version)
end

--- f(s), where all that is read of the store s is of one moment: what f returns, or nil and
-- a message.  Under its name with _ it is for our own modules.
function Read:_at_once(f)
  return f(setmetatable({}, { __index = function(_, key)
    return function(_, ...) return Read[key](self, ...) end
  end }))
end

local function close(self)
  if self.reader then self.reader:close() end
  self.reader = nil
end

-- Raises it at the line that called the function that calls us.
local function raise(err)
  local message = err ~= "interrupted" and blame.plainly(err)
  error(message or err, message and 3 or 0)
end

-- A method as users call it: all it reads is of one moment, and what is wrong with its
-- arguments is said of their line.
local function guarded(method)
  return function(self, ...)
    if not self.reader then error("closed store", 2) end
    local results = table.pack(pcall(self.reader.read, self.reader, method, self, ...))
    if results[1] then return table.unpack(results, 2, results.n) end
    raise(results[2])
  end
end

-- What changes the store, or the disk beside it, happens once: it is no part of a reading that
-- is done again when the file has changed meanwhile.
local Change = {}

-- A name that a population of the store may get.
local function check_name(where, name)
  if type(name) ~= "string" then
    error(("%s expects the name of a population, got a %s"):format(where, type(name)), 0)
  end
  local wrong = rules.wrong_name(name)
  if wrong then error(("%s: the name of a population %s"):format(where, wrong), 0) end
end

--- Takes a population out of the store, with its checkpoints and the weights kept of it.
-- @treturn true, or nil and a message where a process is at work on it or the disk refuses
function Change:remove(name)
  if type(name) ~= "string" then
    error("s:remove expects the name of a population, got a " .. type(name), 0)
  end
  local row, why, kind = self.reader:read(find, self, name)
  if not row then return nil, why, kind end
  return manage.remove(self.path, name)
end

--- Gives a population another name.
-- @treturn true, or nil and a message where a process is at work on it or the disk refuses
function Change:rename(name, new)
  check_name("s:rename", new)
  local row, why, kind = self.reader:read(find, self, name)
  if not row then return nil, why, kind end
  if name == new then return true end
  return manage.rename(self.path, name, new)
end

--- Copies the store to a new file.
-- @treturn true, or nil and a message
function Change:copy(path)
  if type(path) ~= "string" or path == "" then
    error(("s:copy expects the path of a new file, got %s"):format(type(path)), 0)
  end
  return manage.copy(self.reader, path)
end

local function blamed(method)
  return function(self, ...)
    if not self.reader then error("closed store", 2) end
    local results = table.pack(pcall(method, self, ...))
    if results[1] then return table.unpack(results, 2, results.n) end
    raise(results[2])
  end
end

local Store = { __name = "store", __close = close, __gc = close }
Store.__index = { close = close }
for name, method in pairs(Read) do Store.__index[name] = guarded(method) end
for name, method in pairs(Change) do Store.__index[name] = blamed(method) end
function Store:__tostring()
  return self.reader and "store " .. paths.shown(self.path) or "closed store"
end

M._Store = Store

--- A result prints as one line; its models are decoded when they are first asked for.
M._Result = { __name = "result", _names = { "models" } }
function M._Result:__index(key)
  if key ~= "models" then return nil end
  local models = {}
  for i, text in ipairs(self._models) do models[i] = json.decode(text) end
  self.models, self._models = models, nil
  return models
end
function M._Result:__tostring()
  local e = self.early
  return ("result %s: %s: %s%s%s"):format(self.name, units.count(e and e.n or self.n, "model"),
    units.tally(self.counts), e and (" (%d of them left after %s)"):format(e.parked,
    units.count(e.epochs, "epoch")) or "", self.budget and "; the budget of "
    .. units.limit(self.budget) .. " is spent" or "")
end

--- Opens a store for reading: a store, or nil and a message ("damaged" as the third value
-- when the file is broken).
function M.open(path)
  if type(path) ~= "string" then
    error("sweep.open expects the path of a store, got " .. type(path), 2)
  end
  local reader, message, kind = readers.open(path)
  if reader then return setmetatable({ path = reader.path, reader = reader, seen = {},
    decoded = {} }, Store) end
  if kind then return blame.nothing("store.open", message, kind) end
  return blame.nothing("store.open", message)
end

document("sweep.open", [[
  sweep.open(path) -> store, or nil and a message
  Opens a store to read what its sweeps have trained; safe while one is running.
    path   the file given to sweep.run as store=
  The store has s:names() s:population(name) s:result(name) s:live(name)
  s:networks(name) s:net(name, i) s:learning(name) s:progress() s:events() s:provenance(name)
  s:export(file) s:copy(path) s:remove(name) s:rename(name, new) s:close().  In a
  script print(pretty(x)) shows any of what they return, as the prompt does.
  example: sweep.open("no-such.db")]])
document("store.open", [[
  store.open(path) -> store, or nil and a message
  The same as sweep.open.
  example: store.open("no-such.db")]])
document("store:names", [[
  s:names() -> list of strings
  Names of the populations in a store, oldest first; printed, they are a line of text.
  example: store.open("runs.db"):names()]])
document("store:population", [[
  s:population(name) -> table
  What a population is and how it stands: space, seed, n, done, diverged, failed, running,
  queued (they add up to n; .counts has them as a table), state ("running", "paused",
  "stopped" (nobody works on what is open), "decided" (sweep.run{ compare = } needs no more of
  it), "finished"), epochs, recipe, weights (which the errors are of: "average", of
  recipe{ ema = … }, or "last"), data, card,
  created, host, and trainers, a list: trainer, version, device, kernels and host of each, and
  how many models it has made.
  example: store.open("runs.db"):population("A").done]])
document("store:result", [[
  s:result(name) -> result
  The finished models: .errors in percent (failed and diverged count as 100) and .models in
  the order of the population, .failed (how many failed or diverged), .n, .counts (done,
  diverged, failed, running, queued: they add up to n), .recipe, .weights (s:population), .data,
  .space; .columns has what the training of each took, seconds and images_per_s, and of the last
  epoch of models that are done, where the store has them, validation_loss, top5_error and
  class_error (net:test), as properties and metrics for statistics and plots.
  example: store.open("runs.db"):result("A")]])
document("store:live", [[
  s:live(name) -> list
  The current state of every model: index, status, attempt, epoch, epochs, error, images_per_s,
  seconds, started, worker, memory (bytes it needs), flops, params, acts, reason, signal and
  log (the last lines of a worker that died) and curve, the validation errors of its epochs so
  far.
  example: store.open("runs.db"):live("A")[1].curve]])
document("store:learning", [[
  s:learning(name) -> list
  The results of every epoch of every model: index, status and the lists lr, train_loss,
  train_error, validation_error, validation_loss, top5_error and class_error; NaN where training
  diverged, or an old store does not have it.  plot.training shows them.
  example: store.open("runs.db"):learning("A")[1].lr]])
document("store:networks", [[
  s:networks(name) -> list
  The networks of a population in order, also of models that have not finished.  The store
  shares this list with other callers: do not change it.
  example: store.open("runs.db"):networks("A")[1].w]])
document("store:network", [[
  s:network(name, index) -> m
  The network of one model.
  example: store.open("runs.db"):network("A", 1).w]])
document("store:net", [[
  s:net(name, index) -> net, or nil and a message
  The trained network of one model, to test, save or train on; its sweep must have kept
  weights (checkpoint = { keep = true }).
  example: store.open("runs.db"):net("A", 1)]])
document("store:progress", [[
  s:progress() -> table
  All populations together: done, diverged, failed, running, queued (they add up to total),
  images_per_s, eta in seconds, updated (Unix time), running_main (whether a sweep is at
  work), paused (whether all of these are paused), events (how many the log has).
  example: store.open("runs.db"):progress().done]])
document("store:events", [[
  s:events([{ last =, skip = 0, population =, index = }]) -> list of {time, population, index, text}
  The log of the store, the latest last: starts, crashes, retries, interruptions.
    last, skip          so many events, before the `skip` latest (default: all)
    population, index   those of one population, or of one of its models
  example: store.open("runs.db"):events{ last = 10 }
  example: store.open("runs.db"):events()]])
document("store:provenance", [[
  s:provenance(name) -> table that prints as a page
  Where a population comes from: space and lineage as data, the text of every constraint,
  window, seeds, recipe, data with its checksum, for each run on it host and times, and by which
  trainers, on which devices, its models were made.
  example: store.open("runs.db"):provenance("A")]])
document("store:export", [[
  s:export("file.csv" | "file.jsonl" | "sweep.json" | … ".gz" [, name or list of names]
           [, { salvage = true }]) -> n
  Writes every model of the populations (all when none is named) for other programs, and
  returns how many; or nil and a message.  From a shell: netspace export STORE -o FILE; with
  -o - to standard output, as CSV or as --format says (no provenance beside a CSV then).
    .csv    one model a line, with the columns below; RFC 4180, UTF-8, line feeds; lists are
            JSON in the cell, and empty cells missing values.  Provenance goes to
            file.csv.provenance.json
    .jsonl  first a line with the provenance of all populations (key "netspace"), then one
            object a model with the same keys, and learning: the results of each epoch.  In pandas:
            read_json("x.jsonl", lines = True).iloc[1:] has the models alone
    .json   the sweep.json of pycls, a list of jobs: cfg (MODEL; REGNET, ANYNET or EN, where
            pycls has the network; OPTIM, TRAIN), complexity, train_epoch, test_epoch and, as
            its analysis wants it, test_ema_epoch, the same again (unfinished models have none
            and are dropped there; failed ones have 100); netspace, what pycls has no place
            for.  Provenance goes to sweep.json.provenance.json
    salvage true: what can still be read of a damaged store
  Columns, and keys of an object:
    population, index         name, and place in it from 1
    d, w, b, g, stride, …     the fields of the network; kernel and others where there are any
    asked, regnet             as it was asked for: before group compatibility; parameters
    flops, params, acts       what it costs
    seed                      of its training
    error, status             percent, of the last epoch (100 for failed and diverged, missing
                              while queued or running); done, diverged, failed, running, queued
    class_error, top5_error, validation_loss   of models that are done: see help "net:test"
    reason, signal, log       why it failed, and the last words of its worker
    epochs, attempts          finished epochs, and how often it was begun
    seconds, images_per_s     of its training
    memory                    bytes it needs
    trainer                   what trained it, such as "netspace 0.1.0 on cpu"
    curve                     the validation errors of its epochs
    origin, hash              where an adopted result is from; equal for equal networks
  Only in a CSV, for data frames: they follow from the rest.
    depth                     blocks in all
    d1, d2, … w1, … b1, … g1, …   the lists, a column for each stage
    e_fit                     as arch.fit gives it
    space, data, recipe       of its population: what it was drawn from, and trained on and how
    sample_seed               with which the population was drawn
  Numbers are exact: they read back to the same double or integer, and stats.import reads all
  of them.  The file appears whole or not at all, and takes the place of no file but an export.
  example: store.open("runs.db"):export("runs.csv")]])
document("store:remove", [[
  s:remove(name) -> true, or nil and a message
  Takes a population out of the store for good, with its checkpoints and the weights kept of
  it.  Safe while others read the store or train other populations of it; one that a process
  is at work on is refused.  From a shell: netspace remove STORE NAME, which asks
  on a terminal (--yes: it does not).
  example: store.open("runs.db"):copy("less.db") store.open("less.db"):remove("A")]])
document("store:rename", [[
  s:rename(name, new) -> true, or nil and a message
  Gives a population another name; refused while a process is at work on it.  From a shell:
  netspace rename STORE OLD NEW.
  example: store.open("runs.db"):copy("named.db") store.open("named.db"):rename("A", "first")]])
document("store:copy", [[
  s:copy(path) -> true, or nil and a message
  Copies the store, as it is at one moment, to a new file, with the weights it keeps; safe
  while sweeps are at work, unlike cp, which misses what is still in STORE-wal.  Models in
  training are queued in the copy.  From a shell: netspace copy STORE NEW.
  example: store.open("runs.db"):copy("copy.db")]])
document("store:close", [[
  s:close()
  Closes the store; one that is no longer used closes itself.
  example: store.open("runs.db"):close()]])

return M
