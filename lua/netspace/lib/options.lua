--- Option tables: every function that takes `{ key = value }` checks it here, so that a
-- misspelt key raises with the nearest valid name and is never silently ignored.
--
--   options.declare("net.new", { seed = "integer", batch = "integer" })
--   local o = options.check("net.new", t)
--
-- What is declared is also what Tab offers inside { }; a test holds the help against it.

local absent = require "netspace.lib.absent"

local M = {
  declared = {}, -- name -> { key = types }
  words = {},    -- key -> the texts that it may be, where they are few; "name: key" goes before
}

--- Damerau-Levenshtein distance (adjacent swaps count 1).
local function distance(a, b)
  local d = {}
  for i = 0, #a do d[i] = { [0] = i } end
  for j = 0, #b do d[0][j] = j end
  for i = 1, #a do
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local best = math.min(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        best = math.min(best, d[i - 2][j - 2] + 1)
      end
      d[i][j] = best
    end
  end
  return d[#a][#b]
end

--- The name nearest to `word` among the keys (or list) `names`, or nil when none is near.
function M.nearest(word, names)
  local best, near, near_key
  word = tostring(word)
  for k, v in pairs(names) do
    local name = type(k) == "number" and v or k
    if type(name) == "string" then
      local n = distance(word:lower(), name:lower())
      local most = #word == 1 and 0 or math.max(1, #word // 3)
      local begins = word:sub(1, #name) == name and " " or "" -- first what word begins with
      if n <= most and (not best or n < best or n == best and begins .. name < near_key) then
        best, near, near_key = n, name, begins .. name
      end
    end
  end
  return near
end

--- " (did you mean 'x'?)", or "" when nothing is near.
function M.hint(word, names)
  local near = M.nearest(word, names)
  return near and (" (did you mean '%s'?)"):format(near) or ""
end

-- Kinds of options that are tables, and how they are written.
local written = { window = "a window: {lo, hi}, such as {1.5e6, 2.5e6}" }

local function matches(value, kinds)
  for kind in kinds:gmatch("[%w_]+") do
    if kind == "any" or type(value) == kind or written[kind] and type(value) == "table"
      or kind == "integer" and type(value) == "number" and math.tointeger(value) then
      return true
    end
  end
  return false
end

--- Declares the option keys of one or several functions, called as in their help ("net.new",
-- "S:sample"; "sweep.run: recipe" is the table given as that option), and of each the Lua
-- types it may have ("number", "integer", "string|table", "any"), or "window".
function M.declare(names, keys)
  for _, name in ipairs(type(names) == "table" and names or { names }) do
    M.declared[name] = keys
  end
end

--- The texts that the option `key` of what is called `name` may be, or nil.
function M.words_of(name, key)
  return M.words[("%s: %s"):format(name, key)] or M.words[key]
end

--- Checks the option table `t` of `where`, by what is declared for `name` (`where`).
-- Exceptions blame the caller's caller.
-- @treturn table t itself, or {} when t is nil
function M.check(where, t, level, name)
  local allowed = M.declared[name or where]
  level = (level or 1) + 2
  if t == nil then return {} end
  if type(t) ~= "table" then
    error(("%s expects a table of options, got %s"):format(where, type(t)), level)
  end
  for key, value in pairs(t) do
    local kinds = allowed[key]
    if not kinds then
      local names = {}
      for k in pairs(allowed) do names[#names + 1] = k end
      table.sort(names)
      local answer = absent.answer(key)
      if answer then
        error(("%s: there is no option '%s': %s"):format(where, tostring(key), answer), level)
      end
      for inner, keys in pairs(M.declared) do -- of a table that is an option of its own
        local outer, option = inner:match "^(.*): ([%w_]+)$"
        if outer == (name or where) and keys[key] and allowed[option] then
          error(("%s: '%s' belongs in %s = { %s = … }"):format(where, key, option, key), level)
        end
      end
      error(("%s: unknown option '%s'%s; it knows %s"):format(
        where, tostring(key), M.hint(key, allowed), table.concat(names, ", ")), level)
    end
    if not matches(value, kinds) then
      local number = type(value) == "number" and ("%.14g"):format(value)
      if written[kinds] then
        error(("%s: %s is %s; it must be %s"):format(where, key, number or tostring(value),
          written[kinds]), level)
      end
      error(("%s: option '%s' should be %s, got %s"):format(
        where, key, (kinds:gsub("|", " or ")), number or type(value)), level)
    end
  end
  return t
end

return M
