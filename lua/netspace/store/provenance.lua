--- Where a population comes from: the space it was drawn from as data, the text of every
-- constraint, seeds, recipe, data, and on what machines with what engine it was trained.
-- Enough to draw and train it again; printed, it is a page.

local domain = require "netspace.space.domain"
local json = require "netspace.lib.json"
local paths = require "netspace.lib.path"
local units = require "netspace.lib.units"

local M = {}
local meta = { __name = "provenance" }

-- Runs of a population, with how many of its models each trained.
local runs = [[SELECT host, pid, workers, started, ended, updated,
  (SELECT count(*) FROM model WHERE model.run = run.id AND status IN
    ('done', 'diverged', 'failed')) AS models
  FROM run WHERE population = ? ORDER BY id]]

local trainers = [[SELECT name AS trainer, version, device, kernels, host, count(*) AS models
  FROM trainer JOIN model ON model.trainer = trainer.id WHERE population = ?
  AND status IN ('done', 'diverged', 'failed') GROUP BY trainer.id ORDER BY min(idx)]]

local origins = [[SELECT origin FROM model WHERE population = ? AND origin IS NOT NULL
  ORDER BY idx]]

--- The trainers of a population (its id), and how many models each has made; inside of
-- reader:read().
function M.trainers(reader, id) return reader:rows(trainers, { id }) end

--- The provenance of the population in `row` (of the table population), read inside of
-- reader:read().
function M.of(reader, row)
  local function decoded(key)
    return reader:decode(("%s of %s"):format(key, row.name), row[key])
  end
  local p = {
    name = row.name, space = row.space, spec = decoded "spec", constraints = decoded "constraints",
    window = decoded "window", tried = row.tried, sample_seed = row.sample_seed, seed = row.seed,
    recipe = decoded "recipe", data = decoded "data", card = decoded "card",
    settings = decoded "settings", checksum = row.checksum, created = row.created,
    runs = reader:rows(runs, { row.id }), trainers = M.trainers(reader, row.id),
    store = paths.shown(reader.path),
    n = reader:rows("SELECT count(*) n FROM model WHERE population = ?", { row.id })[1].n,
  }
  p.lineage = p.spec and p.spec.lineage
  for _, model in ipairs(reader:rows(origins, { row.id })) do
    local from = reader:decode("origin of a model of " .. row.name, model.origin).population
    p.adopted = p.adopted or {}
    p.adopted[from] = (p.adopted[from] or 0) + 1
  end
  return setmetatable(p, meta)
end

--- The trials of a store, the latest first: lists of the names of their populations, the parent
-- first, with plan (and what its looks saw) and verdict, nil while undecided.
function M.trials(reader)
  local list, at = {}, {}
  for _, row in ipairs(reader:rows [[SELECT trial.id, plan, verdict, name FROM trial
    JOIN arm ON trial = trial.id JOIN population ON population.id = population
    ORDER BY trial.id DESC, place]]) do
    local t = at[row.id]
    if not t then
      t = { plan = json.decode(row.plan), verdict = row.verdict or nil }
      at[row.id], list[#list + 1] = t, t
    end
    t[#t + 1] = row.name
  end
  return list
end

local function date(t)
  return os.date("%Y-%m-%d %H:%M:%S", math.floor(t))
end

--- key=value of a flat table, sorted.
function M.listed(t)
  local parts = {}
  for k, v in pairs(t) do
    parts[#parts + 1] = ("%s=%s"):format(k, type(v) == "string" and v or json.encode(v))
  end
  table.sort(parts)
  return table.concat(parts, " ")
end

-- The ranges of a parameter: one, or those of its stages.
local function ranges(list)
  local shown, same = {}, true
  for i, r in ipairs(list) do
    shown[i] = domain.show(r)
    same = same and shown[i] == shown[1]
  end
  return same and shown[1] or table.concat(shown, " | ")
end

-- By which table of times a population was drawn, and how.
local function timed(spec)
  local t = spec and spec.timing
  if not t then return "" end
  return (" an image (%s, batch %s, %s; table %s of %s, %s)"):format(
    t.training and "training" or "testing", t.batch, units.count(t.threads, "thread"), t.table,
    t.processor, t.date)
end

-- ", flops 1M to 2M" of each window.
local function windows(p)
  local parts = {}
  for k, w in pairs(p.window or {}) do
    if k == "time" then
      parts[#parts + 1] = (", time %s%s"):format(units.span(w[1], w[2]), timed(p.spec))
    else
      parts[#parts + 1] = (", %s %s to %s"):format(k, units.short(w[1]), units.short(w[2]))
    end
  end
  table.sort(parts)
  return table.concat(parts)
end

--- How the models of a provenance were trained, and in which window they were drawn.
function M.training(p)
  return ("%s; data %s%s"):format(M.listed(p.recipe), M.listed(p.data), windows(p))
end

--- What there is to say of a provenance: a list of { term, text }; a term of "" belongs to
-- the one before.
-- @tparam[opt] function when says a Unix time (local time)
function M.facts(p, when)
  when = when or date
  local facts = {}
  local function add(key, ...) facts[#facts + 1] = { key, (...):format(select(2, ...)) } end
  if p.space then add("space", "%s", table.concat(p.lineage or { p.space }, " > ")) end
  if p.spec and p.spec.options then add("options", "%s", M.listed(p.spec.options)) end
  if p.spec and p.spec.params then
    local params = {}
    for k, list in pairs(p.spec.params) do params[#params + 1] = k .. " " .. ranges(list) end
    table.sort(params)
    for i, text in ipairs(params) do add(i == 1 and "ranges" or "", "%s", text) end
  end
  if p.sample_seed then
    add("drawn", "seed %d%s%s", p.sample_seed, windows(p),
      p.tried and ", " .. units.count(p.tried, "candidate") .. " tried" or "")
  end
  local adopted = {}
  for from in pairs(p.adopted or {}) do adopted[#adopted + 1] = from end
  table.sort(adopted)
  for _, from in ipairs(adopted) do
    add("adopted", "%s from %s", units.count(p.adopted[from], "model"), from)
  end
  add("training", "seed %d, %s", p.seed, M.listed(p.recipe))
  if p.recipe.ema then add("errors", "of the moving average of the weights") end
  add("data", "%s", M.listed(p.data))
  add("checksum", "%s", p.checksum)
  add("made", "%s", when(p.created))
  local idle = 0 -- runs that trained nothing to its end are counted, not listed
  for i, r in ipairs(p.runs) do
    if r.models == 0 then
      idle = idle + 1
    else
      add("run " .. i, "%s to %s on %s, %s, %s", when(r.started),
        when(r.ended or r.updated), r.host, units.count(r.workers, "worker"),
        units.count(r.models, "model"))
    end
  end
  if idle > 0 then
    add(idle == #p.runs and "runs" or "", "%s that trained no model to its end",
      units.count(idle, idle == #p.runs and "run" or "other run"))
  end
  for i, t in ipairs(p.trainers) do
    add(i == 1 and "trained by" or "", "%s %s on %s (%s) of %s, %s", t.trainer, t.version, t.device,
      t.kernels, t.host, units.count(t.models, "model"))
  end
  return facts
end

function meta.__tostring(p)
  local lines = { ("population %s of %s"):format(p.name, p.store) }
  local function add(key, text) lines[#lines + 1] = ("  %-12s"):format(key) .. text end
  for _, fact in ipairs(M.facts(p)) do add(fact[1], fact[2]) end
  for _, c in ipairs(p.constraints or {}) do
    add("constraint", c.name)
    for line in (c.source .. "\n"):gmatch("([^\n]*)\n") do add("", line) end
  end
  return table.concat(lines, "\n")
end

return M
