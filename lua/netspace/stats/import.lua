--- Populations that somebody else trained: a table of parameters and errors, as CSV or JSON
-- lines, becomes results like those of a sweep.  The columns are those of store:export (the
-- round trip is exact); only the error is needed, and what is not known becomes a property.
-- The files are foreign bytes: every message names the line, the column and the value.

local arch = require "netspace.network.arch"
local blame = require "netspace.lib.blame"
local document = require("netspace.lib.doc").group "stats"
local export = require "netspace.store.export"
local foreign = require "netspace.stats.foreign"
local gzip = require "netspace.lib.gzip"
local jobs = require "netspace.stats.jobs"
local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local options = require "netspace.lib.options"
local sys = require "netspace.core.sys"
local tables = require "netspace.stats.tables"
local units = require "netspace.lib.units"
local varies = require "netspace.network.vary"
local pcall = require("netspace.lib.memory").pcall

local M = {}

local refuse, shown, number = foreign.refuse, foreign.shown, foreign.number
local fields = tables.fields

-- Status --------------------------------------------------------------------------------------

-- What trackers, schedulers and this program say of a training, and what it means here.
local statuses = {}
for meaning, words in pairs {
  done = "done finished finish completed complete success succeeded ok",
  failed = "failed fail crashed crash error errored diverged out_of_memory oom",
  unfinished = "running queued waiting pruned stopped killed preempted preempting canceled "
    .. "cancelled pending scheduled paused interrupted timeout node_fail boot_fail suspended",
} do
  for word in words:gmatch "%S+" do statuses[word] = meaning end
end

--- "done", "failed" or "unfinished"; nil where the record says nothing.
local function status_of(at, r, how)
  local s = r.status
  if s == nil then return nil end
  local word = type(s) == "string" and s:lower():match("^%s*(.-)%s*$"):match("[^.]*$")
    :gsub("^cancelled by %d+$", "cancelled") -- Slurm's
  if word == "" then return nil end -- (TrialState.COMPLETE is complete)
  return statuses[word] or refuse("%s, column %s: '%s' is no status that is known%s; write it as "
    .. "finished, failed, diverged, killed or running", at, shown(how.theirs.status or "status"),
    shown(s), word and options.hint(word, statuses) or "")
end

local infinite = { nan = true, inf = true, infinity = true }
local missing = { none = true, na = true, ["n/a"] = true, null = true, ["-"] = true }

-- The error in percent of a record, 100 and true when it failed; nil when there is none yet.
local function error_of(at, r, how)
  local status = status_of(at, r, how)
  local v = r[how.column]
  if type(v) == "string" then
    local word = v:lower():match("^%s*(.-)%s*$")
    if statuses[word] == "failed" or infinite[word:gsub("^[+-]", "")] then return 100, true end
    if missing[word] then v = nil end
  end
  if status == "failed" then return 100, true end
  if v == nil or status == "unfinished" then return nil end
  if type(v) ~= "number" then
    refuse("%s, column %s: %s is %s", at, shown(how.theirs[how.column]), shown(v),
      tonumber(v) and "a text, not a number" or "not a number")
  end
  if v ~= v or v == math.huge or v == -math.huge then return 100, true end
  how.values, how.most = how.values + 1, math.max(how.most, v)
  local e = how.fraction and 100 * v or v
  if how.accuracy then e = 100 - e end
  if not (e >= 0 and e <= 100) then
    refuse("%s, column %s: %s is no %s %s", at, shown(how.theirs[how.column]), shown(v),
      how.accuracy and "accuracy" or "error",
      how.fraction and "as a fraction, 0 to 1" or "in percent, 0 to 100")
  end
  return e, false
end

-- Models ----------------------------------------------------------------------------------------

local function check_list(at, column, v, stages)
  if type(v) ~= "table" then return v end
  if #v == 0 then refuse("%s, column %s: an empty list", at, column) end
  local last = 0 -- a null leaves a hole
  for i in pairs(v) do last = math.type(i) == "integer" and math.max(last, i) or last end
  for i = 1, last do
    if type(v[i]) ~= "number" then
      refuse("%s, column %s: entry %d is %s, not a number", at, column, i, shown(v[i]))
    end
  end
  if stages and #v ~= stages then
    refuse("%s, column %s: %s has %d stages, d has %d", at, column, shown(v), #v, stages)
  end
  return v
end

local numeric = { "d", "w", "b", "g", "stride", "kernel", "se", "stem_width", "head_width",
  "classes", "image", "channels" }

-- The network of a record, as far as it says.
local function model_of(at, r, known, exported)
  local m = {}
  for key, value in pairs(r) do
    if fields[key] or exported and not known[key] then m[key] = value end
  end
  local stages = type(m.d) == "table" and #m.d or nil
  for _, key in ipairs(numeric) do
    if type(m[key]) == "table" then
      check_list(at, key, m[key], stages)
    elseif m[key] ~= nil then
      number(at, "column " .. key, m[key])
    end
  end
  if exported then
    local good, identity = pcall(ledgers.identity, m)
    if r.hash and not (good and ledgers.fingerprint(identity) == r.hash) then
      refuse("%s: the network is not the one that was exported (hash %s)", at, shown(r.hash))
    end
    return m
  end
  if r.w_0 or r.w_a or r.w_m then
    local g = { d = m.d, w_0 = r.w_0, w_a = r.w_a, w_m = r.w_m, b = m.b or 1, g = m.g }
    for _, key in ipairs { "d", "w_0", "w_a", "w_m" } do
      number(at, "column " .. key, g[key])
    end
    m.regnet = g
    local t = { stages = "any", g = g.g or 8 }
    for _, key in ipairs { "d", "w_0", "w_a", "w_m", "b" } do t[key] = g[key] end
    local good, net = pcall(arch.regnet, t)
    if good and net and g.g then m.d, m.w, m.b, m.g = net.d, net.w, net.b, net.g end
  end
  return m
end

-- Populations -------------------------------------------------------------------------------

local function figure(x)
  return math.tointeger(x) and units.thousands(math.tointeger(x)) or ("%.6g"):format(x)
end

-- Sentences on what is not as the file has it: counts, missing networks, what never ended.
local function remarks(r)
  local lines, by, first = {}, {}, {}
  for _, d in ipairs(r.differences) do
    by[d.what] = (by[d.what] or 0) + 1
    first[d.what] = first[d.what] or d
  end
  for _, what in ipairs { "flops", "params", "acts" } do
    local d = first[what]
    if d then
      lines[#lines + 1] = ("  %s of %s are not those of the file: %s, %s there, %s counted")
        :format(what, units.count(by[what], "network"), d.at, figure(d.file),
        figure(d.counted))
    end
  end
  local none = r.no_network[1]
  if none then
    lines[#lines + 1] = ("  %s without a network: %s, %s"):format(
      units.count(#r.no_network, "model"), none.at, none.why)
  end
  local open = r.unfinished[1]
  if open then
    lines[#lines + 1] = ("  %d unfinished: %s, %s%s"):format(#r.unfinished, open.at,
      shown(open.why), open.text and (" (%s)"):format(shown(open.text)) or "")
  end
  return lines
end

local result_type = {
  __name = "result",
  __tostring = function(r)
    local what = ("result %s: %s: %s (%s%s)"):format(r.name, units.count(r.n, "model"),
      units.tally(r.counts), r.source,
      r.choice and (", error = \"%s\": %s"):format(r.choice, jobs.choices[r.choice]) or "")
    return table.concat({ what, table.unpack(remarks(r)) }, "\n")
  end,
}

-- What is asked of a table to see whether it is a result or an edf.
local asked = { errors = true, models = true, curves = true, steps = true, name = true }

--- A list of results that also answers to their names; to plot.edf it is a plain list.
local function new_results()
  local by_name = {}
  return setmetatable({}, { __name = "results", __index = by_name, __tostring = function(list)
    local lines = {}
    for i, r in ipairs(list) do lines[i] = tostring(r) end
    return table.concat(lines, "\n")
  end }), by_name
end

-- From now on a name that is not there is an error.
local function refuse_others(results, by_name)
  setmetatable(by_name, { __index = function(_, name)
    if asked[name] or type(name) ~= "string" then return nil end
    local names = {}
    for i, r in ipairs(results) do names[i] = r.name end
    error(("%s has no population '%s'%s; it has %s"):format(results[1].source, name,
      options.hint(name, by_name), table.concat(names, ", ")), 2)
  end })
end

-- Columns that are no property of a model, beside those of the network itself.
local own = { population = true, index = true, curve = true, origin = true, learning = true }
-- Columns of an export beside those of the network.
local of_export = { learning = true }
for name in pairs(export.known) do of_export[name] = not fields[name] or nil end
for _, name in ipairs(varies.keys) do of_export[name] = true end

local function new_result(name, source)
  return setmetatable({ name = name, errors = {}, models = {}, indices = {}, failed = 0, n = 0,
    columns = {}, unfinished = {}, differences = {}, no_network = {}, source = source,
    counts = { done = 0, diverged = 0, failed = 0, unfinished = 0 } }, result_type)
end

-- What becomes of a table's record: error, whether it failed, network, properties, curve.
local function of_table(record, how, exported)
  local at, r = record.at, record.r
  local e, lost = error_of(at, r, how)
  if not e then return nil end
  local columns = {}
  for key, value in pairs(r) do
    if not own[key] and not fields[key] and type(value) ~= "table" and key ~= how.column then
      columns[key] = value
    end
  end
  for _, key in ipairs { "flops", "params", "acts" } do
    if columns[key] ~= nil then number(at, "column " .. key, columns[key]) end
  end
  local curve = type(r.curve) == "table" and #r.curve > 0 and r.curve or nil
  return e, lost, model_of(at, r, of_export, exported), columns, check_list(at, "curve", curve)
end

local function add(result, record, how, exported)
  result.n = result.n + 1
  local job, r = record.job, record.r
  local index = math.tointeger(job and record.index or r and r.index) or result.n
  local e, lost, m, columns, curve
  if job then
    e, lost, m, columns, curve = record.e, record.lost, record.model or {}, record.columns,
      record.curve
  else
    e, lost, m, columns, curve = of_table(record, how, exported)
  end
  if not e then
    table.insert(result.unfinished, { index = index, at = record.at,
      why = record.unfinished or r and r.status or "no error yet",
      text = job and columns.log or r and (r.log or r.reason) })
    return
  end
  local at = #result.errors + 1
  result.errors[at], result.models[at], result.indices[at] = e, m, index
  local strayed = lost and r and type(r.status) == "string" and r.status:lower():find "diverged"
  local state = strayed and "diverged" or lost and "failed" or "done"
  result.counts[state] = result.counts[state] + 1
  if lost then result.failed = result.failed + 1 end
  if curve then
    result.curves = result.curves or {}
    result.curves[at] = curve
  end
  for key, value in pairs(columns) do
    result.columns[key] = result.columns[key] or {}
    result.columns[key][at] = value
  end
  for _, d in ipairs(record.differences or {}) do
    d.index, d.at = index, record.at
    table.insert(result.differences, d)
  end
  if record.no_network then
    table.insert(result.no_network, { index = index, at = record.at, why = record.no_network })
  end
end

-- What an export says of its populations: where it lies beside a CSV, or the first line.
local function describe(by_name, header)
  for _, p in ipairs(type(header) == "table" and type(header.populations) == "table"
    and header.populations or {}) do
    local result = type(p) == "table" and by_name[p.name]
    if result then
      for _, key in ipairs { "space", "spec", "constraints", "window", "recipe", "data", "card",
        "seed", "trainers" } do
        result[key] = p[key]
      end
      if math.type(p.n) == "integer" then result.n = math.max(result.n, p.n) end
    end
  end
end

-- Every model is in one state: what has no error yet, or no line at all, is unfinished.
local function count(results)
  for _, r in ipairs(results) do r.counts.unfinished = r.n - #r.errors end
end

-- Errors that all look like fractions might be either.
local function check_units(how)
  if how.fraction == nil and how.values > 1 and how.most > 0 and how.most <= 1 then
    refuse("column %s: no value is above 1; say whether these are fractions (fraction = true) "
      .. "or percent (fraction = false)", how.column)
  end
end

-- Puts the names of plain records into our words; the set of those that there are.
local function rename(records, names, how)
  local have = {}
  for _, key in ipairs(names or {}) do have[key] = true end
  for _, record in ipairs(records) do
    for key in pairs(record.raw or {}) do have[key] = true end
  end
  local wanted = { [how.column] = true, [how.population] = true }
  local ours
  ours, how.theirs = tables.renamed(have, wanted, names ~= nil)
  for _, record in ipairs(records) do
    if record.raw then record.r, record.raw = tables.in_our_words(record, ours), nil end
  end
  return have, how.theirs
end

local function parse(read, kind, name, source, how)
  local results, by_name = new_results()
  local records, plain = {}, false
  local names, header = tables.readers[kind](read, function(record)
    records[#records + 1] = record
    plain = plain or not record.job
    if #records % 1000 == 0 and sys.interrupted() then error("interrupted", 0) end
  end, how)
  local have, ours = rename(records, names, how)
  local none = header and how.column == "error" -- an export of netspace: no model has ended yet
  if (plain or names) and not ours[how.column] and not none then
    refuse("there is no column %s%s; name the one that has the %s with %s = \"…\"", how.column,
      options.hint(how.column, have), how.accuracy and "accuracy" or "error",
      how.accuracy and "accuracy" or "error")
  end
  local exported = header ~= nil or ours.hash and ours.asked and ours.population
  for k, record in ipairs(records) do
    records[k] = false -- what follows holds what is kept of it
    local of = record.population
    if record.r then of = record.r[how.population] end
    if of == nil then of = record.list end
    of = of ~= nil and type(of) ~= "table" and tostring(of) or name
    if not by_name[of] then
      by_name[of] = new_result(of, source)
      results[#results + 1] = by_name[of]
    end
    local r = exported and record.r or {}
    for key in pairs(r) do
      if export.derived(key) then r[key] = nil end
    end
    if record.job then by_name[of].choice = how.choice end
    add(by_name[of], record, how, exported)
    if k % 1000 == 0 and sys.interrupted() then error("interrupted", 0) end
  end
  if #results == 0 then refuse("it has no models") end
  check_units(how)
  describe(by_name, header)
  return results, by_name
end

local PIECE = 1 << 20 -- bytes

--- The text of a file, piece by piece: its first piece and a function that gives every piece;
-- or nil and a message.
local function open(path)
  local f, message = io.open(path, "rb")
  if not f then return nil, ("cannot read %s"):format(message) end
  local ended
  local function bytes()
    if ended then return nil end
    local piece, why = f:read(PIECE)
    if not piece then
      ended = true
      f:close()
    end
    return piece, why
  end
  local pieces, held, compressed = bytes, nil, gzip.named(path)
  if compressed then pieces, message = gzip.reader(bytes) end
  if pieces then held, message = pieces() end
  if message then
    return nil, (compressed and "%s: %s" or "cannot read %s: %s"):format(path, message)
  end
  return held or "", function()
    local piece, why = held, nil
    held = nil
    if not piece then piece, why = pieces() end
    if why then refuse("%s", why) end
    return piece
  end
end

options.declare("stats.import", { error = "string", accuracy = "string", fraction = "boolean",
  population = "string", name = "string", format = "string" })

function M.import(path, o)
  local where = "stats.import"
  o = options.check(where, o)
  if type(path) ~= "string" then
    error(("%s: it wants the path of a file, not a %s"):format(where, type(path)), 2)
  end
  if o.error and o.accuracy then
    error(where .. ": give error= or accuracy=, the column that has it, not both", 2)
  end
  if o.format and not tables.readers[o.format] then
    error(("%s: format is '%s'; it knows csv, json and jsonl"):format(where, o.format), 2)
  end
  local first, read = open(path)
  if not first then return blame.nothing(where, read) end
  local page = first:sub(1, 4096):lower()
  if page:find "^%s*<!doctype html" or page:find "^%s*<html" then
    return blame.nothing(where, ("%s is an HTML page, not a table%s"):format(path,
      page:find "netspace" and ": a report of netspace; its numbers are the text under \"Raw "
      .. "numbers\" (save that as a .csv file), or export the store: netspace export STORE -o "
      .. "FILE.csv" or "; save its table as CSV"))
  end
  local _, bare = gzip.named(path)
  local kind = o.format or tables.kind(bare, first)
  local name = o.name or bare:match("([^/]*)$"):gsub("%.[^.]*$", "")
  local how = { column = o.accuracy or o.error or "error", accuracy = o.accuracy ~= nil,
    fraction = o.fraction, population = o.population or "population", values = 0, most = 0,
    choice = o.error or "last" }
  for _, key in ipairs { "accuracy", "fraction", "population" } do
    if o[key] ~= nil then how.choice = nil end -- a job has no such thing
  end
  how.asked = how.choice and ("\"%s\""):format(how.choice)
    or "accuracy=, fraction= or population="
  local good, results, by_name = pcall(parse, read, kind, name, path, how)
  if not good then
    local reason = foreign.reason(results)
    if reason then return blame.nothing(where, ("%s: %s"):format(path, reason)) end
    error(results, 0)
  end
  if kind ~= "jsonl" then
    local sidecar = io.open(export.sidecar(bare), "rb")
    if sidecar then
      describe(by_name, json.decode(sidecar:read "a" or ""))
      sidecar:close()
    end
  end
  count(results)
  refuse_others(results, by_name)
  return results
end

document("stats.import", [[
stats.import(path, { error = "error", accuracy =, fraction =, … }) -> results, or nil, message
Populations trained elsewhere: a CSV (with a header) or JSON lines, one model a line, or a JSON
list: of such records, of jobs of pycls (sweep.json) or of NDS; also compressed, as .gz.
  error        the column of the error in percent ("error"); of jobs, which of their errors
               counts: "last" (epoch, the default), "min" or "ema" (of averaged weights)
  accuracy     the column of an accuracy, which is turned into an error
  fraction     true: these are fractions, 0 to 1; asked for when no value is above 1
  population   the column that names the population ("population")
  name         of the one population of a file without such a column (the file's)
  format       "csv", "jsonl" or "json" (by the name of the file and its first characters)
Other columns are taken by name, in capitals or not and also after metrics., params., config.,
summary., tags. or user_attrs.; all may be missing:
  d, w, b, g, stride   numbers, or JSON lists with one entry a stage
  w_0, w_a, w_m        with d, b, g: RegNet parameters
  block, se, stem, image, …   as in arch.anynet
  flops, params, acts  go before what would be counted
  status, state        finished, completed, done: a result; failed, crashed, diverged: counts
                       as 100; running, queued, killed, preempted, canceled, pruned, …:
                       unfinished; any other word is refused
  curve                JSON list of the error after each epoch, for stats.epochs
An error that is NaN or infinite has failed and counts as 100; an empty one is unfinished.
Everything else is a property of that name for stats.bootstrap and the others.  What
store:export writes comes back as it was; its columns depth, d1, w1, … are properties, too.
The networks of jobs are read (pycls: anynet, regnet, resnet, effnet; NDS: all but cells) and
their counts compared with those of the file; print(results) says what differs, what has no
network and what is unfinished.  NDS's bot_muls and num_gs are read as the params of the file
have it, else as multipliers of the width and numbers of groups.  "min" of pycls is
the least test_epoch.min_top1_err, "ema" that of test_ema_epoch, which its own analysis takes.
A JSON list is read element by element: its size is no matter, that of an element is (64 MB).
The results are a list, and by name: results.A has .errors, .models, .failed, .n, .counts (done,
diverged, failed, unfinished: they add up to n), .columns, .curves, .unfinished, .differences,
.no_network, and goes wherever a result does.
example: stats.import("no-such.csv")
source: RFC 4180; pycls tools/sweep_collect.py; Radosavovic et al. 2019 (arXiv 1905.13214)]])

return M
