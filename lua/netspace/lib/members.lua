--- The members of a value: its own keys and those of the tables behind it.  Raw access only, so
-- that looking at a value (completion, hints, help) never runs anybody's code.

local M = {}

--- Where the fields of values with this metatable come from, when that is a table: __index,
-- or _methods where __index is a function.
function M.behind(meta)
  local index = rawget(meta, "__index")
  return type(index) == "table" and index or rawget(meta, "_methods")
end

--- All string keys of a value and of its __index tables.
function M.keys_of(value)
  local names, depth = {}, 0
  while value ~= nil and depth < 8 do
    if type(value) == "table" then
      for k in next, value do
        if type(k) == "string" then names[#names + 1] = k end
      end
    end
    local meta = debug.getmetatable(value)
    meta = type(meta) == "table" and meta or {}
    for _, name in ipairs(rawget(meta, "_names") or {}) do names[#names + 1] = name end
    value = M.behind(meta)
    depth = depth + 1
  end
  return names
end

--- The name of an object's type ("net", "space", "result"), or nil.
function M.kind(value)
  local meta = debug.getmetatable(value)
  local name = type(meta) == "table" and rawget(meta, "__name")
  return type(name) == "string" and name:gsub("^netspace%.", "") or nil
end

--- Whether a value has a __tostring of its own.
function M.own_text(value)
  local meta = debug.getmetatable(value)
  return type(meta) == "table" and rawget(meta, "__tostring") ~= nil
end

--- Where code takes a stage's parameter for a field: "m.w4", "m.w[4]"; nil where it does not.
function M.stage_field(code)
  local name, parameter, stage = code:match("([%a_][%w_]*)%.([dwbg])_?(%d+)%f[^%w_]")
  if not name or parameter == "w" and stage == "0" then return nil end
  return code:match(name .. "%." .. parameter .. "_?" .. stage),
    ("%s.%s[%s]"):format(name, parameter, stage)
end

return M
