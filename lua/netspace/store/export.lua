--- A store as a text file for other programs: CSV or JSON lines, one model a line, or the
-- sweep.json of pycls (store/pycls.lua), complete and exact (a number is the shortest text that
-- reads back to the same double).  The formats are described by help("store:export").

local arch = require "netspace.network.arch"
local atomic = require "netspace.lib.atomic"
local gzip = require "netspace.lib.gzip"
local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local paths = require "netspace.lib.path"
local provenance = require "netspace.store.provenance"
local pycls = require "netspace.store.pycls"
local sys = require "netspace.core.sys"
local tabular = require "netspace.lib.tabular"
local uv = require "luv"
local pcall = require("netspace.lib.memory").pcall

local M = {}
local FORMAT = 1
local CHUNK = 500 -- models in memory at a time

-- The columns, in order; EXTRA stands for fields of networks that are not named here.
local EXTRA = {}
local columns = {
  "population", "index", "d", "w", "b", "g", "stride", "block", "se", "stem", "stem_width",
  "head_width", "activation", "classes", "image", EXTRA, "asked", "regnet", "flops", "params",
  "acts", "seed", "error", "class_error", "top5_error", "validation_loss", "status", "reason",
  "signal", "log", "epochs", "attempts", "seconds", "images_per_s", "memory", "trainer", "curve",
  "origin", "hash",
}
local known = {}
for _, name in ipairs(columns) do known[name] = true end
M.known = known -- for whoever reads one back

-- What a CSV has besides, so that a data frame needs no JSON: single numbers of the lists, and
-- where the model is from.  All of it follows from the rest, and is left out when read back.
local spread = { "d", "w", "b", "g" }
local derived = { depth = true, e_fit = true, space = true, data = true, recipe = true,
  sample_seed = true }

--- Whether a column of a CSV follows from others.
function M.derived(name)
  return derived[name] or name:find "^[dwbg]%d+$" ~= nil
end

local of_model = [[SELECT id, idx, m, hash, seed, flops, params, acts, status, attempt, error,
  reason, signal, log, seconds, images_per_s, memory, epochs, origin, recipe AS own,
  (SELECT name || ' ' || version || ' on ' || device FROM trainer WHERE trainer.id = model.trainer)
  AS trainer FROM model ]]
local of_epoch = [[SELECT epoch, lr, train_loss, train_error, validation_error,
  validation_loss, top5_error, class_error, seconds, images_per_s
  FROM epoch WHERE model = ? ORDER BY epoch]]

-- A model as one flat record, with the rows of its epochs; and its network as text.
local function record(reader, name, model, epochs)
  local r = reader:decode(("model %d of %s"):format(model.idx, name), model.m)
  for _, key in ipairs { "flops", "params", "acts", "seed", "error", "status", "reason",
    "signal", "log", "epochs", "seconds", "images_per_s", "memory", "hash", "trainer" } do
    r[key] = model[key]
  end
  r.population, r.index, r.attempts = name, model.idx, model.attempt
  for key, v in pairs(model.own and json.decode(model.own) or {}) do r[key] = v end
  r.origin = model.origin and json.decode(model.origin)
  r.learning, r.curve = epochs, {}
  for i, e in ipairs(r.learning) do r.curve[i] = e.validation_error or 100 end
  local last = model.status == "done" and epochs[#epochs] or {}
  for _, key in ipairs { "class_error", "top5_error", "validation_loss" } do r[key] = last[key] end
  return r, model.m
end

-- each(record, network) for the models of a population, in order.
local function whole(reader, p, each)
  local from = 0
  repeat
    local list = reader:rows(of_model .. "WHERE population = ? AND idx > ? ORDER BY idx LIMIT ?",
      { p.id, from, CHUNK })
    for _, model in ipairs(list) do
      each(record(reader, p.name, model, reader:rows(of_epoch, { model.id })))
      from = model.idx
      if sys.interrupted() then error("interrupted", 0) end
    end
  until #list < CHUNK
end

-- The same for what can be read of a damaged store: networks that are still as they were
-- drawn, without their epochs where those are lost.
local function salvaged(reader, p, each)
  reader:probe(of_model .. "WHERE id = ? AND +population = " .. p.id, function(model)
    local epochs = reader.db:rows(of_epoch, { model.id }) or {}
    local good, r, m = pcall(record, reader, p.name, model, epochs)
    if good and ledgers.fingerprint(ledgers.identity(json.decode(m))) == model.hash then
      each(r, m)
    end
  end)
end

-- What reads the rest of a store: of a damaged one as far as it goes.
local function surely(f, ...) return true, f(...) end
local function reading(rows) return rows == salvaged and pcall or surely end

-- Which populations: all, or those named.
local function populations(reader, names, salvage)
  local list = {}
  if salvage then
    reader:probe("SELECT * FROM population WHERE id = ?", function(p)
      if type(p.name) == "string" then list[#list + 1] = p end
    end)
  else
    list = reader:rows "SELECT * FROM population ORDER BY id"
  end
  if not names then return list end
  local wanted = {}
  for _, name in ipairs(names) do
    for _, p in ipairs(list) do
      if p.name == name then wanted[#wanted + 1] = p end
    end
  end
  return wanted
end

-- The trials all of whose populations are in the list: populations (the parent first), plan (with
-- what the looks saw), verdict; nil where there are none.
local function trials(reader, list, rows)
  local here, found = {}, {}
  for _, p in ipairs(list) do here[p.name or ""] = true end -- a damaged one has no name
  local good, all = reading(rows)(provenance.trials, reader)
  for _, t in ipairs(good and all or {}) do
    local whole_trial = true
    for _, name in ipairs(t) do whole_trial = whole_trial and here[name] end
    if whole_trial then
      table.insert(found, 1, { populations = table.move(t, 1, #t, 1, {}), plan = t.plan,
        verdict = t.verdict })
    end
  end
  return #found > 0 and found or nil
end

local function header(reader, list, rows)
  local all = {}
  for _, p in ipairs(list) do
    local good, found = reading(rows)(provenance.of, reader, p)
    if not good then -- what the row itself says
      local bare = setmetatable({ rows = function() return {} end }, { __index = reader })
      good, found = pcall(provenance.of, bare, p)
    end
    if good then all[#all + 1] = found end
  end
  return json.encode { netspace = "export", format = FORMAT, store = paths.shown(reader.path),
    populations = all, trials = trials(reader, list, rows) }
end

local function cell(v)
  if v == nil then return "" end
  return tabular.quoted(type(v) == "string" and v or json.encode(v))
end

--- A line of a CSV: the values of a record under these names.
function M.line(names, values)
  local cells = {}
  for i, name in ipairs(names) do cells[i] = cell(values[name]) end
  return table.concat(cells, ",") .. "\n"
end

-- Each writes everything and returns the number of models.
local writers = {}

function writers.jsonl(reader, list, rows, write)
  local n = 0
  write(header(reader, list, rows) .. "\n")
  for _, p in ipairs(list) do
    rows(reader, p, function(r)
      n = n + 1
      write(json.encode(r) .. "\n")
    end)
  end
  return n
end

-- What a CSV says besides of the records of population p, some at a time.
local function derive(records, p)
  local good, fits = pcall(arch.fit, records)
  for i, r in ipairs(records) do
    local own, fit = good, good and fits[i]
    if not good then own, fit = pcall(arch.fit, r) end -- one of a damaged store has none
    r.e_fit, r.depth = own and fit.e_fit or nil, 0
    r.space, r.data, r.recipe = p.space, p.data_text, p.recipe_text
    r.sample_seed = p.sample_seed
    for _, key in ipairs(spread) do
      for stage, v in ipairs(type(r[key]) == "table" and r[key] or {}) do
        r[key .. stage] = v
        if key == "d" then r.depth = r.depth + v end
      end
    end
  end
end

-- "epochs=5 lr=0.1" of a table as JSON.
local function listed(text)
  local t = text and json.decode(text)
  return type(t) == "table" and provenance.listed(t) or nil
end

function writers.csv(reader, list, rows, write)
  local extra, names, stages = {}, {}, 0
  for _, p in ipairs(list) do
    rows(reader, p, function(r)
      stages = math.max(stages, type(r.d) == "table" and #r.d or 0)
      for key in pairs(r) do
        if not known[key] and key ~= "learning" then extra[key] = true end
      end
    end)
  end
  for _, name in ipairs(columns) do
    if name == EXTRA then
      local sorted = {}
      for key in pairs(extra) do sorted[#sorted + 1] = key end
      table.sort(sorted)
      table.move(sorted, 1, #sorted, #names + 1, names)
    else
      names[#names + 1] = name
    end
  end
  names[#names + 1] = "depth"
  for _, key in ipairs(spread) do
    for stage = 1, stages do names[#names + 1] = key .. stage end
  end
  table.move({ "e_fit", "space", "data", "recipe", "sample_seed" }, 1, 5, #names + 1, names)
  write(table.concat(names, ",") .. "\n")
  local n = 0
  for _, p in ipairs(list) do
    local records = {}
    local from = { space = p.space, data_text = listed(p.data), recipe_text = listed(p.recipe),
      sample_seed = p.sample_seed }
    local function flush()
      derive(records, from)
      for _, r in ipairs(records) do write(M.line(names, r)) end
      n, records = n + #records, {}
    end
    rows(reader, p, function(r)
      records[#records + 1] = r
      if #records == CHUNK then flush() end
    end)
    flush()
  end
  return n
end

writers.json = pycls.write

M.KINDS = ".csv, .jsonl or .json (or those as .gz)"

--- Which writer the name of a file asks for: "csv", "jsonl", "json" (also with .gz), or nil.
function M.kind(path)
  local _, bare = gzip.named(path)
  local kind = bare:lower():match("%.(%w+)$")
  return writers[kind] and kind
end

--- Where the provenance of an export lies, of the path without its .gz.
function M.sidecar(bare) return bare .. ".provenance.json" end

--- The text of an export as a list of pieces, inside of reader:read().
-- @treturn integer how many models; table the pieces
function M.text(reader, kind, names, salvage)
  local pieces = {}
  local n = writers[kind](reader, populations(reader, names, salvage),
    salvage and salvaged or whole, function(text) pieces[#pieces + 1] = text end)
  return n, pieces
end

-- Whether a file at `path` that begins with `head` is an export: its first line or the sidecar
-- says so.
local function is_export(path, head)
  local compressed, bare = gzip.named(path)
  if M.kind(path) ~= "jsonl" then
    return head:sub(1, 15) ~= "SQLite format 3" and uv.fs_stat(M.sidecar(bare)) ~= nil
  end
  if compressed then
    local rest = head
    local read = gzip.reader(function()
      local piece = rest
      rest = nil
      return piece
    end)
    head = read and read() or ""
  end
  local good, first = pcall(json.decode, head:match "^[^\n]*")
  return good and type(first) == "table" and first.netspace == "export"
end

--- Writes the populations of a store (those named in the list `names`, or all) to `path`,
-- inside of reader:read().  salvage: what can be read of a damaged one.
-- @treturn integer how many models were written; or nil and a message
function M.write(reader, path, names, salvage)
  local kind, n = M.kind(path), nil
  local compressed, bare = gzip.named(path)
  local foreign = atomic.foreign(path, "an export of netspace", function(head)
    return is_export(path, head)
  end)
  if foreign then return nil, foreign end
  if compressed then -- before anything is written
    local able, why = gzip.writer(print)
    if not able then return nil, why end
  end
  local list = populations(reader, names, salvage)
  local rows = salvage and salvaged or whole
  local good, why = true, nil
  if kind ~= "jsonl" then -- that has it in its first line; the table comes last, whole with it
    good, why = atomic.write(M.sidecar(bare), function(write)
      write(header(reader, list, rows) .. "\n")
    end)
  end
  if not good then return nil, why end
  good, why = atomic.write(path, function(write)
    local last
    if compressed then write, last = gzip.writer(write) end
    n = writers[kind](reader, list, rows, write)
    if last then last() end
  end)
  if not good then return nil, why end
  return n
end

return M
