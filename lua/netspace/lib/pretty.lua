--- Values as text for people: what the prompt prints for the result of an expression.
-- Keys are sorted, so equal tables print equally; cycles and depth are bounded; a list of
-- records becomes an aligned table; a model becomes one line.  Where no terminal shows it (a
-- pipe, a file) nothing is left out: the reader may be a program.
--
--   pretty{ b = { 1, 2, 3 }, a = "x" }   -->  { a = "x", b = { 1, 2, 3 } }

local canvas = require "netspace.core.canvas"
local columns = require "netspace.lib.columns"
local document = require("netspace.lib.doc").group "pretty"
local members = require "netspace.lib.members"
local options = require "netspace.lib.options"
local screen = require "netspace.core.screen"
local sys = require "netspace.core.sys"

local M = {
  echo = true, -- whether the prompt says in a line what was assigned
}

local STRING_LIMIT = 200 -- bytes of a string inside a table
local CELL = 60          -- cells of a text in a table of records
local WIDE = 20          -- what a column of texts keeps when others need the room

local escapes = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ['"'] = '\\"',
  ["\\"] = "\\\\" }

-- Quoted; UTF-8 stays readable, control characters and broken bytes are escaped.
local function quote(s)
  s = s:gsub('[%c"\\]', function(c)
    return escapes[c] or ("\\x%02x"):format(c:byte())
  end)
  if not utf8.len(s) then
    s = s:gsub("[\x80-\xff]", function(c) return ("\\x%02x"):format(c:byte()) end)
  end
  return '"' .. s .. '"'
end

--- A text in at most `width` cells, with dots where something is missing.
function M._shorten(text, width, dots)
  if canvas.text_width(text) <= width then return text end
  local room, at = width - canvas.text_width(dots), 0
  for from, code in utf8.codes(text, true) do
    room = room - canvas.text_width(utf8.char(code))
    if room < 0 then break end
    at = from + #utf8.char(code) - 1
  end
  return text:sub(1, at) .. dots
end

-- Cuts a long string at a character and says how much is missing.
local function cut_string(s, limit, ctx)
  if #s <= limit then return quote(s) end
  while limit > 0 and (s:byte(limit + 1) or 0) & 0xc0 == 0x80 do limit = limit - 1 end
  return ("%s%s %d more bytes"):format(quote(s:sub(1, limit)), ctx.dots, #s - limit)
end

-- Metatables may raise in __tostring; a value that cannot be shown must not end a session.
local function safe_tostring(v)
  local good, s = pcall(tostring, v)
  return good and s or ("<%s whose __tostring fails: %s>"):format(type(v), tostring(s))
end

local function atom(v, ctx, top)
  if type(v) == "string" then
    return top and quote(v) or cut_string(v, ctx.complete and #v or STRING_LIMIT, ctx)
  end
  return safe_tostring(v)
end

-- Fields that are Unix times: "2024-05-06 12:00:30", as in the provenance of a population.
local times = { time = true, created = true, updated = true, started = true, ended = true }

local function when(key, v)
  if not times[key] or type(v) ~= "number" or v < 1e9 or v >= 1e11 then return nil end
  return os.date("%Y-%m-%d %H:%M:%S", math.floor(v))
end

local function is_table(v)
  return type(v) == "table" and not members.own_text(v)
end

-- Models: the tables of arch.anynet and arch.regnet.

local function is_model(v)
  return type(v) == "table" and type(rawget(v, "d")) == "table"
    and type(rawget(v, "w")) == "table" and type(rawget(v, "b")) == "table"
    and type(rawget(v, "g")) == "table" and type(rawget(v, "block")) == "string"
end

-- "1,1,4,7", or "8" when all are the same and `fold` is set.
local function values(list, fold)
  local same = fold and #list > 0
  for i = 2, #list do same = same and list[i] == list[1] end
  return same and tostring(list[1]) or table.concat(list, ",")
end

-- Bottleneck ratios as people write them: 1/6, not 0.16666666666667.
local function ratios(list)
  local t = {}
  for i, v in ipairs(list) do
    local inverse = type(v) == "number" and v > 0 and v < 1 and math.floor(1 / v + 0.5)
    t[i] = inverse and v == 1 / inverse and inverse > 2 and "1/" .. inverse or v
  end
  return t
end

local function model_line(m)
  local out = { m.block, "d=" .. values(m.d), "w=" .. values(m.w),
    "b=" .. values(ratios(m.b), true), "g=" .. values(m.g, true) }
  local stride = type(m.stride) == "table" and values(m.stride, true)
  if stride and stride ~= "2" then out[#out + 1] = "stride=" .. stride end
  local kernel = type(m.kernel) == "table" and values(m.kernel, true)
  if kernel and kernel ~= "3" then out[#out + 1] = "kernel=" .. kernel end
  local usual = { { "se", 0 }, { "stem", "simple" }, { "stem_width", 32 },
    { "head_width", 0 }, { "activation", "relu" }, { "channels", 3 } }
  for _, knob in ipairs(usual) do
    local value = m[knob[1]]
    if value ~= nil and value ~= knob[2] then
      out[#out + 1] = ("%s=%s"):format(knob[1], tostring(value))
    end
  end
  return table.concat(out, " ")
end

-- Keys.

local function key_less(a, b)
  local ta, tb = type(a), type(b)
  if ta == tb and (ta == "number" or ta == "string") then return a < b end
  if ta ~= tb and (ta == "number" or tb == "number") then return ta == "number" end
  if ta ~= tb and (ta == "string" or tb == "string") then return ta == "string" end
  return safe_tostring(a) < safe_tostring(b)
end

-- The keys outside the list part, sorted.
local function field_keys(t)
  local n, keys = #t, {}
  for k in next, t do
    if not (math.type(k) == "integer" and k >= 1 and k <= n) then keys[#keys + 1] = k end
  end
  table.sort(keys, key_less)
  return keys
end

local reserved = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or
  repeat return then true until while]]):gmatch "%a+" do
  reserved[word] = true
end

local function key_text(k, ctx)
  if type(k) == "string" and k:match "^[%a_][%w_]*$" and not reserved[k] then return k end
  return "[" .. atom(k, ctx) .. "]"
end

-- One line.

-- A text that is shown without quotes.
local AsIs = { __tostring = function(self) return self.text end }
local function as_is(text) return setmetatable({ text = text }, AsIs) end

-- The table on one line, or nil when it takes more than `width` cells, more items than
-- allowed or more depth than is left.
local function flat(v, ctx, depth, width)
  if is_model(v) then
    local line = model_line(v)
    return #line <= width and line or nil
  end
  if not is_table(v) then
    local s = atom(v, ctx)
    return canvas.text_width(s) <= width and not s:find("\n", 1, true) and s or nil
  end
  if next(v) == nil then return "{}" end
  if ctx.path[v] then return "<cycle>" end
  if depth <= 0 then return "{" .. ctx.dots .. "}" end
  ctx.path[v] = true
  local out, used = {}, 4
  local function add(prefix, item)
    local s = flat(item, ctx, depth - 1, width - used - #prefix)
    used = s and used + canvas.text_width(s) + #prefix + 2
    out[#out + 1] = s and prefix .. s
    return s and used - 2 <= width and #out <= ctx.items
  end
  local fits = true
  for i = 1, #v do
    fits = fits and add("", rawget(v, i))
    if not fits then break end
  end
  if fits then
    for _, k in ipairs(field_keys(v)) do
      local time = when(k, rawget(v, k))
      fits = fits and add(key_text(k, ctx) .. " = ", time and as_is(time) or rawget(v, k))
      if not fits then break end
    end
  end
  ctx.path[v] = nil
  return fits and "{ " .. table.concat(out, ", ") .. " }" or nil
end

-- Lists of records.

local function is_record(v)
  return is_table(v) and not is_model(v) and #v == 0 and type(next(v)) == "string"
end

local function all(list, test)
  for i = 1, #list do
    if not test(rawget(list, i)) then return false end
  end
  return #list >= 2
end

local first_columns = { time = 0, index = 1, id = 2, name = 3 }

local function column_names(list)
  local seen, names = {}, {}
  for i = 1, #list do
    for k in next, list[i] do
      if not seen[k] then
        seen[k] = true
        names[#names + 1] = k
      end
    end
  end
  table.sort(names, function(a, b)
    local fa, fb = first_columns[a] or 9, first_columns[b] or 9
    if fa ~= fb then return fa < fb end
    return key_less(a, b)
  end)
  return names
end

local function cell_text(v, ctx, name)
  if v == nil then return "" end
  if when(name, v) then return when(name, v) end
  if math.type(v) == "float" then return (ctx.complete and "%.14g" or "%.6g"):format(v) end
  if type(v) == "string" then
    local text = (v:find "%c" or not utf8.len(v)) and quote(v) or v
    return ctx.complete and text or M._shorten(text, CELL, ctx.dots)
  end
  if ctx.complete then return flat(v, ctx, math.huge, math.huge) end
  return flat(v, ctx, 2, CELL) or "{" .. ctx.dots .. "}"
end

-- Rows shown: all, or the first and last halves of the limit.
local function row_numbers(n, limit)
  local rows = {}
  if n <= limit then
    for i = 1, n do rows[i] = i end
    return rows
  end
  for i = 1, (limit + 1) // 2 do rows[#rows + 1] = i end
  rows[#rows + 1] = 0 -- the gap
  for i = n - limit // 2 + 1, n do rows[#rows + 1] = i end
  return rows
end

-- Makes the widest column of texts narrower (to WIDE cells at least) where the columns do not
-- fit into the width.
local function squeeze(rows, widths, names, ctx, indent, is_number)
  local used, widest = indent - 2, nil
  for c, width in ipairs(widths) do
    used = used + width + 2
    if not is_number[names[c]] and width > (widths[widest] or WIDE) then widest = c end
  end
  if used <= ctx.width or ctx.complete or not widest then return end
  widths[widest] = math.max(WIDE, widths[widest] - (used - ctx.width))
  for _, row in ipairs(rows) do row[widest] = M._shorten(row[widest], widths[widest], ctx.dots) end
end

-- An aligned table with heading and footer; `get(i, name)` gives the text of a cell.
-- The footer counts `what`: "500 models, 40 shown".
local function tabulate(names, n, what, ctx, indent, get, is_number)
  local numbers, rows, gap = row_numbers(n, ctx.items), { {} }, nil
  for c, name in ipairs(names) do rows[1][c] = tostring(name) end
  for _, i in ipairs(numbers) do
    local row = {}
    for c, name in ipairs(names) do row[c] = i > 0 and get(i, name) or "" end
    rows[#rows + 1] = row
    if i == 0 then gap = row end
  end
  local widths, shown, used = columns.widths(rows), 0, indent
  squeeze(rows, widths, names, ctx, indent, is_number)
  for c, width in ipairs(widths) do
    if c > 1 and used + width > ctx.width and not ctx.complete then break end
    shown, used = c, used + width + 2
  end
  local rule = {}
  for c = 1, shown do
    rule[c] = ctx.rule:rep(widths[c])
    if gap then gap[c] = ctx.dots end
  end
  for _, row in ipairs(rows) do
    for c = shown + 1, #names do row[c] = nil end
  end
  table.insert(rows, 2, rule)
  local out = columns.lines(rows, { widths = widths,
    left = function(c) return not is_number[names[c]] end })
  local footer = ("%d %s"):format(n, what)
  if n > ctx.items then footer = ("%s, %d shown"):format(footer, ctx.items) end
  if shown < #names then
    local missing = table.move(names, shown + 1, #names, 1, {})
    footer = ("%s, %d more column%s: %s"):format(footer, #missing,
      #missing == 1 and "" or "s", table.concat(missing, ", "))
  end
  out[#out + 1] = footer
  return table.concat(out, "\n" .. (" "):rep(indent))
end

local function record_table(list, ctx, indent)
  local names, is_number = column_names(list), {}
  for _, name in ipairs(names) do
    is_number[name] = true
    for i = 1, #list do
      local v = list[i][name]
      if v ~= nil and type(v) ~= "number" or when(name, v) then
        is_number[name] = nil
        break
      end
    end
  end
  local function get(i, name) return cell_text(list[i][name], ctx, name) end
  return tabulate(names, #list, "rows", ctx, indent, get, is_number)
end

local function model_table(list, ctx, indent)
  return tabulate({ "#", "model" }, #list, "models", ctx, indent, function(i, name)
    return name == "#" and tostring(i) or model_line(list[i])
  end, { ["#"] = true })
end

-- Several lines.

local render

-- The list part as lines: scalars flow, tables take a line each.
local function list_lines(v, ctx, depth, indent, out)
  local n = math.min(#v, ctx.items)
  local row
  for i = 1, n do
    local item = rawget(v, i)
    if is_table(item) then
      if row then out[#out + 1] = row end
      row = nil
      out[#out + 1] = render(item, ctx, depth - 1, indent) .. ","
    else
      local s = render(item, ctx, depth - 1, indent) .. ","
      if row and indent + canvas.text_width(row) + 1 + canvas.text_width(s) > ctx.width then
        out[#out + 1] = row
        row = nil
      end
      row = row and row .. " " .. s or s
    end
  end
  if row then out[#out + 1] = row end
  if #v > n then out[#out + 1] = ("%s %d more"):format(ctx.dots, #v - n) end
end

local function field_lines(v, keys, ctx, depth, indent, out)
  for i = 1, math.min(#keys, ctx.items) do
    local k = keys[i]
    local value = rawget(v, k)
    local time = when(k, value)
    if time then value = as_is(time) end
    local text = render(value, ctx, depth - 1, indent, key_text(k, ctx) .. " = ")
    out[#out + 1] = text .. ","
  end
  if #keys > ctx.items then
    out[#out + 1] = ("%s %d more"):format(ctx.dots, #keys - ctx.items)
  end
end

-- `prefix` ("key = ") stands before the value on its first line.
function render(v, ctx, depth, indent, prefix)
  prefix = prefix or ""
  local margin = "\n" .. (" "):rep(indent)
  if not is_table(v) and not is_model(v) then
    return prefix .. (atom(v, ctx):gsub("\n", margin))
  end
  local line = flat(v, ctx, depth, ctx.width - indent - #prefix - 1)
  if line then return prefix .. line end
  if is_model(v) then return prefix .. model_line(v) end
  local models, records = all(v, is_model), all(v, is_record)
  local keys = field_keys(v)
  ctx.path[v] = true
  local out = {}
  if models or records then
    local inner = prefix == "" and #keys == 0 and indent or indent + 2
    local text = (models and model_table or record_table)(v, ctx, inner)
    if prefix == "" and #keys == 0 then
      ctx.path[v] = nil
      return text
    end
    out[1] = text
  else
    list_lines(v, ctx, depth, indent + 2, out)
  end
  field_lines(v, keys, ctx, depth, indent + 2, out)
  ctx.path[v] = nil
  local inside = margin .. "  "
  return prefix .. "{" .. inside .. table.concat(out, inside) .. margin .. "}"
end

options.declare("pretty", { width = "integer", depth = "integer", items = "integer",
  ascii = "boolean" })

--- The text of a value.
-- @param value anything
-- @tparam[opt] table o width (the terminal's), depth (4), items (40), ascii (by the locale)
-- @treturn string
-- @usage pretty({ 1, 2, { x = 3 } }, { width = 40 })
function M.pretty(value, o)
  o = options.check("pretty", o)
  local ascii = o.ascii
  if ascii == nil then ascii = not screen.unicode() end
  local width = o.width or sys.terminal(1)
  local ctx = {
    width = width or 80, items = math.max(1, o.items or width and 40 or math.huge), path = {},
    complete = not width, -- nobody looks: a pipe or a file
    dots = ascii and "..." or "…", rule = ascii and "-" or "─",
  }
  if type(value) == "string" then return atom(value, ctx, true) end
  if is_model(value) and not members.own_text(value) then
    return ("%s image=%s classes=%s"):format(model_line(value), tostring(value.image),
      tostring(value.classes))
  end
  return render(value, ctx, o.depth or width and 4 or math.huge, 0)
end

--- A value in one line of at most `width` cells: the first of its own text, or all of it.
function M._line(value, width)
  local text
  if members.own_text(value) then
    text = safe_tostring(value):match "[^\n]*"
  else
    text = M.pretty(value, { width = 1000, items = 8, depth = 1 }):gsub("%s*\n%s*", " ")
  end
  return M._shorten(text, width, screen.unicode() and "…" or "...")
end

--- A network in one line; nil for other values, and for one with a text of its own.
function M._network(value)
  return is_model(value) and not members.own_text(value) and model_line(value) or nil
end

--- Whether a value is worth a line when it is assigned: a network, or what says itself how it
-- prints (a population, a space, a result), but no numbers, strings and tables.
function M._has_line(value)
  return is_model(value) or type(value) ~= "function" and members.own_text(value)
end

document("pretty.echo", [[
  pretty.echo = true
  Whether the prompt says in a line what an assignment has made: "A: population of 12 networks".
  Networks and what has a text of its own (populations, spaces, results, data sets) are said;
  a `;` at the end of an entry leaves the line out, pretty.echo = false always.
  example: pretty.echo = true]])
document("pretty", [[
  pretty(value [, { width =, depth = 4, items = 40, ascii = }]) -> string
  What the prompt prints for a value: sorted keys, lists of records as aligned tables.
    width    characters of a line (default: the terminal's)
    depth    levels of nested tables that are shown; {…} stands for deeper ones
    items    items, fields or rows that are shown; "… 482 more" stands for the rest
  A table that is wider than the line says which columns it leaves out.  Where standard output
  is a pipe or a file and no width is given, nothing is left out: all columns and rows, however
  wide.  Unix times (time, created, updated, started, ended) are shown as dates.
  example: print(pretty{ { name = "A", n = 16 }, { name = "B", n = 3 } })]])

return setmetatable(M, { __call = function(_, ...) return M.pretty(...) end })
