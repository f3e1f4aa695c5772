--- Populations that somebody else trained: a table of parameters and errors, as CSV or JSON
-- lines, becomes results like those of a sweep.  The columns are those of store:export (the
-- round trip is exact); only the error is needed, and what is not known becomes a property.
-- The files are foreign bytes: every message names the line, the column and the value.

local arch = require "netspace.network.arch"
local csv = require "netspace.lib.csv"
local export = require "netspace.store.export"
local gzip = require "netspace.lib.gzip"
local document = require("netspace.lib.doc").group "stats"
local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local options = require "netspace.lib.options"
local sys = require "netspace.core.sys"

local M = {}

-- What travels from deep inside to the caller as nil, message.
local Refusal = {}
local function refuse(...) error(setmetatable({ (...):format(select(2, ...)) }, Refusal), 0) end

local function shown(v)
  local text = type(v) == "table" and json.encode(v) or tostring(v)
  text = text:gsub("[%c\x80-\xff]", function(c) return ("\\x%02x"):format(c:byte()) end)
  return #text > 40 and text:sub(1, 40) .. "…" or text
end

-- Fields of a network, and under what names others have them.
local fields = {}
for _, name in ipairs { "d", "w", "b", "g", "stride", "block", "se", "stem", "stem_width",
  "head_width", "activation", "classes", "image", "asked", "regnet" } do
  fields[name] = true
end
local aliases = { w0 = "w_0", wa = "w_a", wm = "w_m", state = "status" }
local texts = { population = true, block = true, stem = true, activation = true, status = true,
  reason = true, signal = true, log = true, hash = true }
local failed = { failed = true, fail = true, diverged = true, crashed = true, error = true }
local unfinished = { running = true, queued = true, waiting = true, pruned = true,
  stopped = true }

-- Records -----------------------------------------------------------------------------------

-- The value of a cell: a number, JSON, else its text; nothing for an empty one.
local function value_of(text, line, column)
  if text == "" then return nil end
  if texts[column] then return text end
  local first = text:sub(1, 1)
  if first == "[" or first == "{" then
    local value, message = json.decode(text)
    if value == nil then
      refuse("line %d, column %s: %s is no JSON: %s", line, column, shown(text), message)
    end
    return value
  end
  return not text:find("^%s*[+-]?0[xX]") and tonumber(text) or text
end

local function column_names(cells)
  local names, seen = {}, {}
  for i, cell in ipairs(cells) do
    local name = cell:match("^%s*(.-)%s*$")
    if name == "" then name = ("column %d"):format(i) end
    if seen[name] then refuse("line 1: two columns are called %s", shown(name)) end
    names[i], seen[name] = name, true
  end
  return names
end

-- Readers call each(line, record) and return what kind of table it was: the names of its
-- columns (csv), and the header of an export where there is one.
local readers = {}

function readers.csv(text, each)
  local names
  local good, err = pcall(function()
    for line, cells in csv.rows(text) do
      if not names then
        names = column_names(cells)
      else
        if #cells > #names or #cells < #names and #cells > 1 then
          refuse("line %d: %d cells, but the header has %d columns", line, #cells, #names)
        end
        local record = {}
        for i, cell in ipairs(cells) do record[names[i]] = value_of(cell, line, names[i]) end
        each(line, record)
      end
    end
  end)
  if not good and type(err) == "table" and err.line then
    refuse("line %d: %s", err.line, err.message)
  elseif not good then
    error(err, 0)
  end
  if not names then refuse("it is empty; the first line names the columns") end
  return names
end

function readers.jsonl(text, each)
  local line, header = 0, nil
  for row in text:gsub("^\xef\xbb\xbf", ""):gmatch("([^\n]*)\n?") do
    line = line + 1
    if row:find("%S") then
      local record, message = json.decode(row)
      if type(record) ~= "table" or #record > 0 then
        refuse("line %d: %s is no JSON object%s", line, shown(row),
          record == nil and ": " .. message or "")
      end
      if record.netspace then
        header = header or record
      else
        each(line, record)
      end
    end
  end
  return nil, header
end

-- Models ------------------------------------------------------------------------------------

local function number(line, column, value)
  if type(value) ~= "number" then
    refuse("line %d, column %s: %s is not a number", line, column, shown(value))
  end
  return value
end

local infinite = { nan = true, inf = true, infinity = true }
local missing = { none = true, na = true, ["n/a"] = true, null = true, ["-"] = true }

-- The error in percent of a record, 100 and true when it failed; nil when there is none yet.
local function error_of(line, r, how)
  local status = type(r.status) == "string" and r.status:lower() or nil
  local v = r[how.column]
  if type(v) == "string" then
    local word = v:lower():match("^%s*(.-)%s*$")
    if failed[word] or infinite[word:gsub("^[+-]", "")] then return 100, true end
    if missing[word] then v = nil end
  end
  if failed[status] then return 100, true end
  if v == nil or unfinished[status] then return nil end
  number(line, how.column, v)
  if v ~= v or v == math.huge or v == -math.huge then return 100, true end
  how.values, how.most = how.values + 1, math.max(how.most, v)
  local e = how.fraction and 100 * v or v
  if how.accuracy then e = 100 - e end
  if not (e >= 0 and e <= 100) then
    refuse("line %d, column %s: %s is no %s %s", line, how.column, shown(v),
      how.accuracy and "accuracy" or "error",
      how.fraction and "as a fraction, 0 to 1" or "in percent, 0 to 100")
  end
  return e, false
end

local function check_list(line, column, v, stages)
  if type(v) ~= "table" then return v end
  if #v == 0 then refuse("line %d, column %s: an empty list", line, column) end
  local last = 0 -- a null leaves a hole
  for i in pairs(v) do last = math.max(last, i) end
  for i = 1, last do
    if type(v[i]) ~= "number" then
      refuse("line %d, column %s: entry %d is %s, not a number", line, column, i, shown(v[i]))
    end
  end
  if stages and #v ~= stages then
    refuse("line %d, column %s: %s has %d stages, d has %d", line, column, shown(v), #v, stages)
  end
  return v
end

-- The network of a record, as far as it says.
local function model_of(line, r, known, exported)
  local m = {}
  for key, value in pairs(r) do
    if fields[key] or exported and not known[key] then m[key] = value end
  end
  local stages = type(m.d) == "table" and #m.d or nil
  for _, key in ipairs { "d", "w", "b", "g", "stride" } do
    check_list(line, key, m[key], stages)
  end
  if exported then
    local good, identity = pcall(ledgers.identity, m)
    if r.hash and not (good and ledgers.fingerprint(identity) == r.hash) then
      refuse("line %d: the network is not the one that was exported (hash %s)", line,
        shown(r.hash))
    end
    return m
  end
  if r.w_0 or r.w_a or r.w_m then
    local g = { d = m.d, w_0 = r.w_0, w_a = r.w_a, w_m = r.w_m, b = m.b or 1, g = m.g }
    for _, key in ipairs { "d", "w_0", "w_a", "w_m" } do
      number(line, key, g[key])
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

local result_type = {
  __name = "result",
  __tostring = function(r)
    return ("result %s: %d of %d models finished, %d failed or diverged (%s)"):format(r.name,
      #r.errors, r.n, r.failed, r.source)
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

local function new_result(name, source)
  return setmetatable({ name = name, errors = {}, models = {}, indices = {}, failed = 0, n = 0,
    columns = {}, source = source }, result_type)
end

local function add(result, line, r, how, exported)
  result.n = result.n + 1
  local e, lost = error_of(line, r, how)
  if not e then return end
  local at = #result.errors + 1
  result.errors[at] = e
  result.models[at] = model_of(line, r, of_export, exported)
  result.indices[at] = r.index or result.n
  if lost then result.failed = result.failed + 1 end
  if type(r.curve) == "table" then
    result.curves = result.curves or {}
    result.curves[at] = check_list(line, "curve", #r.curve > 0 and r.curve or nil)
  end
  for key, value in pairs(r) do
    if not own[key] and not fields[key] and type(value) ~= "table" and key ~= how.column then
      result.columns[key] = result.columns[key] or {}
      result.columns[key][at] = value
    end
  end
end

-- What an export says of its populations: where it lies beside a CSV, or the first line.
local function describe(by_name, header)
  for _, p in ipairs(type(header) == "table" and type(header.populations) == "table"
    and header.populations or {}) do
    local result = type(p) == "table" and by_name[p.name]
    if result then
      for _, key in ipairs { "space", "recipe", "data", "card", "seed", "window" } do
        result[key] = p[key]
      end
      if math.type(p.n) == "integer" then result.n = math.max(result.n, p.n) end
    end
  end
end

-- Errors that all look like fractions might be either.
local function check_units(how)
  if how.fraction == nil and how.values > 1 and how.most > 0 and how.most <= 1 then
    refuse("column %s: no value is above 1; say whether these are fractions (fraction = true) "
      .. "or percent (fraction = false)", how.column)
  end
end

local function parse(text, kind, name, source, how)
  local results, by_name = new_results()
  local records = {}
  local names, header = readers[kind](text, function(line, raw)
    local r = {}
    for key, value in pairs(raw) do
      local other = aliases[key]
      r[other and raw[other] == nil and other or key] = value
    end
    records[#records + 1] = { line, r }
    if #records % 1000 == 0 and sys.interrupted() then error("interrupted", 0) end
  end)
  local have = {}
  for _, key in ipairs(names or {}) do have[key] = true end
  for _, record in ipairs(records) do
    for key in pairs(record[2]) do have[key] = true end
  end
  if not have[how.column] then
    refuse("there is no column %s%s; name the one that has the %s with %s = \"…\"", how.column,
      options.hint(how.column, have), how.accuracy and "accuracy" or "error",
      how.accuracy and "accuracy" or "error")
  end
  local exported = header ~= nil or have.hash and have.asked and have.population
  for k, record in ipairs(records) do
    local line, r = table.unpack(record)
    local of = how.population and r[how.population]
    of = of ~= nil and type(of) ~= "table" and tostring(of) or name
    if not by_name[of] then
      by_name[of] = new_result(of, source)
      results[#results + 1] = by_name[of]
    end
    for key in pairs(exported and r or {}) do
      if export.derived(key) then r[key] = nil end
    end
    add(by_name[of], line, r, how, exported)
    if k % 1000 == 0 and sys.interrupted() then error("interrupted", 0) end
  end
  if #results == 0 then refuse("it has no models") end
  check_units(how)
  describe(by_name, header)
  return results, by_name
end

local function read_file(path)
  local f, message = io.open(path, "rb")
  local text
  if f then
    text, message = f:read("a")
    message = message and ("%s: %s"):format(path, message)
    f:close()
  end
  if not text then return nil, ("cannot read %s"):format(message) end
  if gzip.named(path) then
    text, message = gzip.text(text)
    if not text then return nil, ("%s: %s"):format(path, message) end
  end
  if text:find "\0" then return nil, path .. ": it is binary, neither CSV nor JSON lines" end
  return text
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
  if o.format and not readers[o.format] then
    error(("%s: format is '%s'; it knows csv and jsonl"):format(where, o.format), 2)
  end
  local text, message = read_file(path)
  if not text then return nil, message end
  local _, bare = gzip.named(path)
  local kind = o.format or bare:lower():find("%.jsonl?$") and "jsonl"
    or bare:lower():find("%.[ct]sv$") and "csv" or text:find("^%s*{") and "jsonl" or "csv"
  local name = o.name or bare:match("([^/]*)$"):gsub("%.[^.]*$", "")
  local how = { column = o.accuracy or o.error or "error", accuracy = o.accuracy ~= nil,
    fraction = o.fraction, population = o.population or "population", values = 0, most = 0 }
  local good, results, by_name = pcall(parse, text, kind, name, path, how)
  if not good then
    if getmetatable(results) == Refusal then return nil, path .. ": " .. results[1] end
    error(results, 0)
  end
  if kind == "csv" then
    local sidecar = read_file(bare:gsub("%.[^.]*$", "") .. ".provenance.json")
    if sidecar then describe(by_name, json.decode(sidecar)) end
  end
  refuse_others(results, by_name)
  return results
end

document("stats.import", [[
stats.import(path, { error = "error", accuracy =, fraction =, … }) -> results, or nil, message
Populations trained elsewhere: a CSV (with a header) or JSON lines, one model a line; also
compressed, as .gz.
  error        the column of the error in percent ("error"); or
  accuracy     the column of an accuracy, which is turned into an error
  fraction     true: these are fractions, 0 to 1; asked for when no value is above 1
  population   the column that names the population ("population")
  name         of the one population of a file without such a column (the file's)
  format       "csv" or "jsonl" (by the name of the file, or its first character)
Other columns are taken by name, all may be missing:
  d, w, b, g, stride   numbers, or JSON lists with one entry a stage
  w_0, w_a, w_m        with d, b, g: RegNet parameters
  block, se, stem, image, …   as in arch.anynet
  flops, params, acts  go before what would be counted
  status               failed, diverged, …: counts as 100; running, queued, pruned: left out
  curve                JSON list of the error after each epoch, for stats.epochs
An error that is NaN or infinite has failed and counts as 100; an empty one is unfinished.
Everything else is a property of that name for stats.bootstrap and the others.  What
store:export writes comes back as it was.  The results are a list, and by name: results.A
has .errors, .models, .failed, .n, .columns, .curves, and goes wherever a result does.
example: stats.import("no-such.csv")
source: RFC 4180]])

return M
