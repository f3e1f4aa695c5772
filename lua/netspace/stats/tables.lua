--- Records of foreign tables: CSV, JSON lines, and JSON lists, whose elements are records or
-- jobs of other programs (stats/jobs.lua).  A record is what the file says of one model, as
-- { at = "line 3", raw = { name = value } }; names are put in our words at the end, when all
-- of them are known.

local csv = require "netspace.lib.csv"
local elements = require "netspace.lib.elements"
local foreign = require "netspace.stats.foreign"
local jobs = require "netspace.stats.jobs"
local json = require "netspace.lib.json"
local sys = require "netspace.core.sys"

local M = {}

local refuse, shown = foreign.refuse, foreign.shown

-- Fields of a network.
M.fields = {}
for _, name in ipairs { "d", "w", "b", "g", "stride", "block", "se", "stem", "stem_width",
  "head_width", "activation", "classes", "image", "asked", "regnet", "kernel",
  "channels" } do
  M.fields[name] = true
end
-- Other names that files have for ours, and what trackers put before the names of columns.
local aliases = { w0 = "w_0", wa = "w_a", wm = "w_m", state = "status" }
local sections = { metrics = true, params = true, config = true, summary = true, tags = true,
  user_attrs = true }
local texts = { population = true, block = true, stem = true, activation = true, status = true,
  reason = true, signal = true, log = true, hash = true }
local others = { w_0 = true, w_a = true, w_m = true, flops = true, params = true, acts = true,
  index = true, curve = true, origin = true, learning = true, seed = true }

-- Names ---------------------------------------------------------------------------------------

local function bare(name)
  local section, rest = name:match("^([%a_]+)%.(.+)$")
  return section and sections[section:lower()] and rest or name
end

-- What a name means here: one of our names, in any case, or nil.
local function meaning(name, wanted)
  for _, text in ipairs { name, bare(name) } do
    local lower = text:lower()
    lower = aliases[lower] or lower
    if M.fields[lower] or texts[lower] or others[lower] then return lower end
    for key in pairs(wanted) do
      if lower == key:lower() then return key end
    end
  end
end

--- From the names of a file to ours.  A name as we write it goes before the same in other
-- letters; other names stay, without the section of a tracker ("params.lr" is lr) where no
-- other column is called that.
-- @tparam table have the set of names
-- @tparam table wanted the set of names that the caller asked for
-- @tparam boolean header whether all records have all these names
-- @treturn table name -> our name; and our name -> name
function M.renamed(have, wanted, header)
  local sorted, ours, theirs = {}, {}, {}
  for name in pairs(have) do sorted[#sorted + 1] = name end
  table.sort(sorted)
  local function take(name, key) ours[name], theirs[key] = key, theirs[key] or name end
  for _, name in ipairs(sorted) do
    if wanted[name] or meaning(name, wanted) == name then take(name, name) end
  end
  local shorts = {}
  for _, name in ipairs(sorted) do
    local key = not ours[name] and meaning(name, wanted)
    if key and not (header and have[key]) then
      if header and theirs[key] then
        refuse("the columns %s and %s both mean %s; rename one", shown(theirs[key]), shown(name),
          key)
      end
      take(name, key)
    end
    shorts[bare(name)] = (shorts[bare(name)] or 0) + 1
  end
  for _, name in ipairs(sorted) do
    if not ours[name] then
      local short = bare(name)
      take(name, shorts[short] == 1 and not theirs[short] and not have[short] and short or name)
    end
  end
  return ours, theirs
end

--- A record in our words.
function M.in_our_words(record, ours)
  local r, from = {}, {}
  for name, value in pairs(record.raw) do
    local key = ours[name]
    if from[key] and from[key] ~= key and name ~= key then
      local pair = { from[key], name }
      table.sort(pair)
      refuse("%s: %s and %s both mean %s", record.at, shown(pair[1]), shown(pair[2]), key)
    end
    if from[key] ~= key then r[key], from[key] = value, name end
  end
  return r
end

-- Readers -------------------------------------------------------------------------------------

local function is_text(column)
  local lower = bare(column):lower()
  return texts[aliases[lower] or lower]
end

-- The value of a cell: a number, JSON, else its text; nothing for an empty one.
local function value_of(text, line, column)
  if text == "" then return nil end
  if is_text(column) then return text end
  local first = text:sub(1, 1)
  if first == "[" or first == "{" then
    local value, message = json.decode(text)
    if value == nil then
      refuse("line %d, column %s: %s is no JSON: %s", line, shown(column), shown(text), message)
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

-- Readers call each(record) and return the names of the columns (csv), and the header of an
-- export where there is one.
M.readers = {}

local function whole(read)
  local parts = {}
  for piece in read do parts[#parts + 1] = piece end
  local text = table.concat(parts)
  if text:find "\0" then refuse "it is binary, neither CSV nor JSON" end
  return text
end

function M.readers.csv(read, each)
  local names
  local text = whole(read)
  local good, err = pcall(function()
    for line, cells in csv.rows(text) do
      if not names then
        names = column_names(cells)
      else
        if #cells > #names or #cells < #names and #cells > 1 then
          refuse("line %d: %d cells, but the header has %d columns", line, #cells, #names)
        end
        local raw = {}
        for i, cell in ipairs(cells) do raw[names[i]] = value_of(cell, line, names[i]) end
        each { at = ("line %d"):format(line), raw = raw }
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

local function object_of(at, text)
  local raw, message = json.decode(text)
  if type(raw) ~= "table" or #raw > 0 then
    refuse("%s: %s is no JSON object%s", at, shown(text), raw == nil and message
      and ": " .. message or "")
  end
  return raw
end

-- Lines of a text that comes in pieces.
local function lines_of(read)
  local text, at = "", 1
  return function()
    while text do
      local stop = text:find("\n", at, true)
      if stop then
        local line = text:sub(at, stop - 1)
        at = stop + 1
        return line
      end
      local rest, parts = text:sub(at), {}
      repeat -- a line may be longer than a piece
        local piece = read()
        parts[#parts + 1] = piece
      until not piece or piece:find("\n", 1, true)
      text, at = #parts > 0 and rest .. table.concat(parts) or nil, 1
      if not text then return rest end
    end
  end
end

function M.readers.jsonl(read, each)
  local line, header = 0, nil
  for row in lines_of(read) do
    line = line + 1
    if row:find "\0" then refuse "it is binary, neither CSV nor JSON" end
    if line == 1 then row = row:gsub("^\xef\xbb\xbf", "") end
    if row:find("%S") then
      local at = ("line %d"):format(line)
      local raw = object_of(at, row)
      if raw.netspace then
        header = header or raw
      else
        raw.learning = nil -- of an export: long, and all that is used of it is in the curve
        each { at = at, raw = raw }
      end
    end
  end
  return nil, header
end

function M.readers.json(read, each, how)
  local good, err = pcall(elements.each, read, function(text, n, key)
    local at = ("entry %d"):format(n)
    local raw = object_of(at, text)
    local record = jobs.record(at, raw, how) or { at = at, raw = raw }
    record.list = key
    each(record)
    if n % 100 == 0 and sys.interrupted() then error("interrupted", 0) end
  end)
  if not good and type(err) == "table" and err.message then
    refuse("%s%s", err.entry and ("entry %d: "):format(err.entry) or "", err.message)
  elseif not good then
    error(err, 0)
  end
end

--- What kind of table it is, by the name of the file and its first characters.
function M.kind(name, first)
  name = name:lower()
  if name:find "%.jsonl$" or name:find "%.ndjson$" then return "jsonl" end
  if name:find "%.[ct]sv$" then return "csv" end
  first = first:gsub("^\xef\xbb\xbf", "")
  if first:find "^%s*%[" or first:find '^%s*{%s*"[^"]*"%s*:%s*%[%s*[{%]]' then return "json" end
  if first:find "^%s*{" or name:find "%.json$" then return "jsonl" end
  return "csv"
end

return M
