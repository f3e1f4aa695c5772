--- Completion at the prompt: globals, fields a.b.c, methods obj:, keywords; inside strings
-- names of the zoo, constraints, presets, topics of help, data sets, files; the option keys of
-- a function inside { }, as its help has them.
-- Values are only looked at (raw access, __index tables); no function of theirs is called,
-- but for netspace's own tables that make their fields when asked (_names of the metatable)
-- and the names of the populations in a store.
-- Pure Lua: complete(line, point) can be tested without a terminal.

local directories = require "netspace.lib.directory"
local netspace = require "netspace"
local members = require "netspace.lib.members"
local options = require "netspace.lib.options"

local M = {}

local keywords = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function",
  "goto", "if", "in", "local", "nil", "not", "or", "repeat", "return", "then", "true",
  "until", "while" }

-- Characters that end a word outside of strings; '.' and ':' belong to the word.
M.breaks = " \t\n\"'`><=;+-*/%^~#{}()[],|&"

-- Where the string that `point` lies in began, and its quote; nil outside of strings.
local function open_string(line, point)
  local quote, from
  local i = 1
  while i <= point do
    local c = line:sub(i, i)
    if quote then
      if c == "\\" then
        i = i + 1
      elseif c == quote then
        quote = nil
      end
    elseif c == '"' or c == "'" then
      quote, from = c, i
    elseif c == "-" and line:sub(i, i + 1) == "--" then
      return nil
    end
    i = i + 1
  end
  return quote and from, quote
end

-- The public name, loaded if need be, or the global; raw.
local function global(name)
  local value = rawget(_G, name)
  if value == nil and netspace._is_public(name) then
    local good, loaded = pcall(function() return netspace[name] end)
    value = good and loaded or nil
  end
  return value
end

-- value[name] without running anybody's code.
local function raw_field(value, name)
  for _ = 1, 8 do
    if type(value) == "table" then
      local v = rawget(value, name)
      if v ~= nil then return v end
    end
    local meta = debug.getmetatable(value)
    meta = type(meta) == "table" and meta or {}
    for _, own in ipairs(rawget(meta, "_names") or {}) do
      if own == name then return value[name] end
    end
    value = members.behind(meta)
    if not value then return nil end
  end
end

-- Calls f(key, value) for every string key of value and of its __index tables.
local function each_field(value, f)
  for _ = 1, 8 do
    if type(value) == "table" then
      for k, v in next, value do
        if type(k) == "string" then f(k, v) end
      end
    end
    local meta = debug.getmetatable(value)
    meta = type(meta) == "table" and meta or {}
    for _, name in ipairs(rawget(meta, "_names") or {}) do f(name) end
    value = members.behind(meta)
    if not value then return end
  end
end

local function sorted(set)
  local list = {}
  for word in pairs(set) do list[#list + 1] = word end
  table.sort(list)
  return list
end

local function starts(s, prefix)
  return s:sub(1, #prefix) == prefix
end

local function callable(v)
  local meta = debug.getmetatable(v)
  return type(v) == "function" or type(v) ~= "table" and type(meta) == "table" and
    rawget(meta, "__call") ~= nil
end

-- Globals, public names and keywords that begin with `word`.
local function names(word)
  local set = {}
  local function add(name)
    if starts(name, word) and (word ~= "" or name:sub(1, 1) ~= "_") then set[name] = true end
  end
  for name in next, _G do
    if type(name) == "string" then add(name) end
  end
  for _, row in ipairs(netspace._names) do add(row[1]) end
  for _, name in ipairs(keywords) do add(name) end
  return sorted(set)
end

-- Fields of a.b. or methods of a.b: that begin with the rest of `word`.
local function fields(word)
  local path, separator, part = word:match("^(.*)([.:])([%a_]?[%w_]*)$")
  if not path then return {} end
  local value
  for name in path:gmatch("[^.]+") do
    if not name:find("^[%a_][%w_]*$") then return {} end
    if value == nil then
      value = global(name)
    else
      value = raw_field(value, name)
    end
    if value == nil then return {} end
  end
  local set = {}
  each_field(value, function(k, v)
    if starts(k, part) and k:find("^[%a_][%w_]*$") and (part ~= "" or k:sub(1, 1) ~= "_") and
      (separator == "." or callable(v)) then
      set[path .. separator .. k] = true
    end
  end)
  return sorted(set)
end

-- The call whose option table `text` ends in ("sweep.run", "space.RegNetX:sample", in a table
-- that is an option of its own "sweep.run: recipe"), and what of the table is there; nil
-- elsewhere.
local function open_table(text)
  local code = text:gsub("\\.", "xx"):gsub("([\"'])(.-)%1", function(_, s)
    return '"' .. ("s"):rep(#s) .. '"'
  end)
  local depth, at = 0, #code
  while at > 0 do
    local c = code:sub(at, at)
    if c:find("[)}%]]") then
      depth = depth + 1
    elseif c:find("[({%[]") then
      if depth == 0 then break end
      depth = depth - 1
    end
    at = at - 1
  end
  if code:sub(at, at) ~= "{" then return nil end
  local before = code:sub(1, at - 1)
  local call = before:match("([%a_][%w_.:]*)%s*%(?%s*$")
  local outer, key = before:match("^(.*)%f[%w_]([%a_][%w_]*)%s*=%s*$")
  if key then
    call = open_table(outer)
    call = call and call .. ": " .. key
  elseif not call then -- after other arguments
    local flat = before
    repeat
      local n
      flat, n = flat:gsub("%b{}", ""):gsub("%b()", "")
    until n == 0
    call = flat:match("([%a_][%w_.:]*)%s*%([^()]*,%s*$")
  end
  return call, code:sub(at + 1)
end

-- Option keys that can begin where `text` ends, with `word` typed of it; nil elsewhere.
local function option_keys(text, word)
  local call, inside = open_table(text)
  if not call or not inside:find("^[%a_]?[%w_]*$") and not inside:find("[,;]%s*[%a_]?[%w_]*$")
    and not inside:find("^%s*[%a_]?[%w_]*$") then
    return nil
  end
  local depth = select(2, inside:gsub("[({%[]", "")) - select(2, inside:gsub("[)}%]]", ""))
  if depth ~= 0 then return nil end
  local help = require "netspace.prompt.help"
  local known = help.options(call)
  if #known == 0 and not call:find(": ", 1, true) then
    known = help.options(call:match("[%w_]+$"))
  end
  local set = {}
  for _, key in ipairs(known) do
    if starts(key, word) and not inside:find("%f[%w_]" .. key .. "%s*=") then
      set[key .. " ="] = true
    end
  end
  return next(set) and set or nil
end

local function files(word)
  local uv = require "luv"
  local dir, part = word:match("^(.*/)([^/]*)$")
  dir, part = dir or "", part or word
  local real = dir:gsub("^~/", function() return (os.getenv("HOME") or "~") .. "/" end)
  local list = {}
  for name, kind in directories.each(real == "" and "." or real) do
    if kind == "link" or kind == "unknown" then
      local about = uv.fs_stat(real .. name)
      kind = about and about.type
    end
    if starts(name, part) and (part ~= "" or name:sub(1, 1) ~= ".") then
      list[#list + 1] = dir .. name .. (kind == "directory" and "/" or "")
    end
  end
  return list
end

-- Names of the populations of an open store, when `path` leads to one.
local function populations(path)
  local value
  for name in path:gmatch("[^.]+") do
    if value == nil then value = global(name) else value = raw_field(value, name) end
    if value == nil then return nil end
  end
  return members.kind(value) == "store" and value:names()
end

local of_files = { store = true, output = true, path = true }

-- What may stand in the string of the option that `before` ends in ("arch.anynet{ block = "): its
-- few words, nothing where it is a text of the user's; nil for files, and outside of options.
local function option_words(before)
  local outer, key = before:match("^(.*)%f[%w_]([%a_][%w_]*)%s*=%s*$")
  if not outer then return nil end
  local call = open_table(outer)
  local words = options.words_of(call or "", key)
  if words or not call then return words end
  local help = require "netspace.prompt.help"
  local known = help.options(call)
  if #known == 0 then known = help.options(call:match("[%w_]+$") or call) end
  for _, name in ipairs(known) do
    if name == key and not of_files[key] then return {} end
  end
end

-- What may stand in a string, by the text before its quote; files otherwise.
local function in_string(before, word)
  local list
  local store = before:match("([%a_][%w_.]*):%l+%s*%(?%s*$")
  if store and populations(store) then
    list = populations(store)
  elseif before:find("zoo%s*%[%s*$") then
    list = global("zoo").names()
  elseif before:find(":with%s*[({]?%s*$") or before:find(":with%s*[({][^})]*,%s*$") then
    list = global("constraint").names()
  elseif before:find("space%s*%[%s*$") or before:find("parent%s*=%s*$") then
    list = global("space").names()
  elseif before:find("candidates%s*=%s*{[^}]*$") then
    list = global("constraint").names()
  elseif before:find("stats%.bootstrap%s*%([^()]*,%s*$")
    or before:find("plot%.scatter%s*%([^()]*,%s*$") then
    list = require("netspace.monitor.views.property").names()
  elseif before:find("help%s*%(?%s*$") then
    list = require("netspace.prompt.help").names()
  elseif before:find("data%.open%s*%(?%s*$") or before:find("[{,]%s*data%s*=%s*$") then
    if starts(word, "cifar10:") then
      list = files(word:sub(9))
      for i, name in ipairs(list) do list[i] = "cifar10:" .. name end
    else
      list = global("data").names()
    end
  else
    list = option_words(before)
    if not list then return files(word) end
  end
  local set = {}
  for _, name in ipairs(list) do
    if starts(name, word) then set[name] = true end
  end
  return sorted(set)
end

--- What can stand at `point` (bytes before the cursor) of `line`.
-- @treturn table a list of whole words that replace the one begun; breaks = the characters
-- that end a word there, append = what follows a single match
function M.complete(line, point)
  local text = line:sub(1, point)
  local from, quote = open_string(line, point)
  if from then
    local word = text:sub(from + 1)
    local good, list = pcall(in_string, text:sub(1, from - 1), word)
    if not good then list = {} end
    list.breaks = quote
    if #list == 1 and list[1]:sub(-1) ~= "/" and list[1]:sub(-1) ~= ":" then
      list.append = line:sub(point + 1, point + 1) ~= quote and quote or nil
    end
    return list
  end
  local word = text:match("[^" .. M.breaks:gsub("[%^%]%-%%]", "%%%0") .. "]*$")
  if text:find("^%s*:%a*$") then -- a command of the prompt
    local list = { breaks = " :", append = " " }
    for name in pairs(require("netspace.prompt.session").commands) do
      if starts(name, word:sub(2)) then list[#list + 1] = name end
    end
    table.sort(list)
    return list
  end
  local file = text:match("^%s*:save!?%s+(%S*)$")
  if file then
    local list = { breaks = " " }
    for _, name in ipairs(files(file)) do -- scripts, and where they may lie
      if name:find "%.lua$" or name:sub(-1) == "/" then list[#list + 1] = name end
    end
    return list
  end
  if text:find("^%s*%?%s*[%w_.:]*$") then -- ?topic
    word = text:match("[%w_.:]*$")
    local list = { breaks = " ?" }
    for _, name in ipairs(require("netspace.prompt.help").names()) do
      if starts(name, word) then list[#list + 1] = name end
    end
    return list
  end
  local keys = not word:find("[.:]") and option_keys(text, word)
  local list
  if keys then
    if word ~= "" then -- a value of a list may stand there as well
      for _, name in ipairs(names(word)) do keys[name] = true end
    end
    list = sorted(keys)
    if #list == 1 and list[1]:find("=") then list.append = " " end
  else
    list = word:find("[.:]") and fields(word) or names(word)
  end
  list.breaks = M.breaks
  return list
end

return M
