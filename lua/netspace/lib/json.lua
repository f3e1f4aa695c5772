--- JSON for the event protocol and the store: every number comes back as it was.
-- Reading is cjson's, but for whole numbers beyond 2^53, which it rounds (a seed may be any of
-- 63 bits); writing is our own, because cjson writes 14 digits at most (a RegNet's
-- slope and an error in percent need 17) and its keys come in any order.  Here keys are
-- sorted, so equal values have equal text: the store compares recipes and models that way.
--
--   json.encode({ d = { 1, 2 }, se = 0.25 })   --> {"d":[1,2],"se":0.25}

local cjson = require "cjson"
local memory = require "netspace.lib.memory"

local M = {}
local EXACT = 2 ^ 53
local exact = { "%.15g", "%.16g", "%.17g" } -- the first that reads back to the same is taken

local function number(v)
  if v ~= v or v == math.huge or v == -math.huge then
    return "null" -- a loss that is not a number is unknown to the reader
  end
  if math.type(v) == "integer" or v == math.floor(v) and math.abs(v) <= EXACT then
    return ("%d"):format(v)
  end
  for _, format in ipairs(exact) do
    local text = format:format(v)
    if tonumber(text) == v then return text end
  end
end

local encode

local function encode_table(t)
  local parts, n = {}, #t
  if n > 0 or next(t) == nil then
    for i = 1, n do
      local v = t[i]
      parts[i] = math.type(v) == "integer" and v or encode(v) -- most are such
    end
    for k in next, t do
      if math.type(k) ~= "integer" or k < 1 or k > n then
        error(("a list with the key '%s' has no JSON form"):format(tostring(k)), 0)
      end
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for k in pairs(t) do
    if type(k) ~= "string" then
      error(("the key %s has no JSON form"):format(tostring(k)), 0)
    end
    parts[#parts + 1] = k
  end
  table.sort(parts)
  for i, k in ipairs(parts) do parts[i] = cjson.encode(k) .. ":" .. encode(t[k]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode(v)
  local kind = type(v)
  if kind == "number" then return number(v) end
  if kind == "table" then return encode_table(v) end
  if kind == "string" or kind == "boolean" then return cjson.encode(v) end
  error(("a %s has no JSON form"):format(kind), 0)
end

-- A whole number that may lie beyond 2^53: no digits behind a point.
local LONG = "%f[%d.]" .. ("%d"):rep(16)

-- The text with each long whole number as a string that begins with `mark`.
local function marked(text, mark)
  local parts, from, at = {}, 1, 1
  while true do
    local first, last = text:find('["%d]', at)
    if not first then break end
    if text:sub(first, first) == '"' then
      repeat
        last = text:find('["\\]', last + 1) or #text
        local escape = text:sub(last, last) == "\\"
        if escape then last = last + 1 end
      until not escape or last >= #text
    else
      first = text:sub(first - 1, first - 1) == "-" and first - 1 or first
      last = select(2, text:find("^[%d.eE+-]+", first))
      local value = tonumber(text:sub(first, last)) -- an integer where it fits into 64 bits
      if math.type(value) == "integer" and (value > EXACT or value < -EXACT) then
        parts[#parts + 1] = text:sub(from, first - 1)
        parts[#parts + 1] = '"' .. mark .. text:sub(first, last) .. '"'
        from = last + 1
      end
    end
    at = last + 1
  end
  return table.concat(parts) .. text:sub(from)
end

-- Whole numbers become integers again (cjson reads floats only), null becomes nil.
local function restore(v, mark)
  if type(v) == "number" then
    return v == math.floor(v) and math.abs(v) <= EXACT and math.tointeger(v) or v
  elseif v == cjson.null then
    return nil
  elseif type(v) == "table" then
    for k, x in next, v do
      if type(x) == "number" then -- as below, without a call: most values are numbers
        local n = math.tointeger(x)
        if n and x <= EXACT and x >= -EXACT then v[k] = n end
      else
        v[k] = restore(x, mark)
      end
    end
  elseif mark and type(v) == "string" and v:sub(1, #mark) == mark then
    return tonumber(v:sub(#mark + 1))
  end
  return v
end

--- Text of a value made of tables, strings, numbers and booleans; NaN and infinities are
-- written as null.  Raises on what has no JSON form (functions, mixed tables).
M.encode = encode

--- The value of a text, or nil and a message.
function M.decode(text)
  local mark = type(text) == "string" and text:find(LONG) and "whole " or nil
  while mark and text:find(mark, 1, true) do mark = mark .. "!" end
  local good, v = memory.pcall(cjson.decode, mark and marked(text, mark) or text)
  if not good then return nil, v end
  return restore(v, mark)
end

return M
