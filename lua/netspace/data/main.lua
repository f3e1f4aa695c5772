--- The commands `netspace pack` and `netspace data`.

local cache = require "netspace.data.cache"
local core = require "netspace.core.pack"
local options = require "netspace.lib.options"
local paths = require "netspace.lib.path"
local sets = require "netspace.data.data"
local units = require "netspace.lib.units"

local M = {}

local PACK = "pack SPEC -o FILE [--size N] [--jpeg | --bytes] [--KEY VALUE]... | "
  .. "pack --check FILE"
local DATA = "data SPEC [--KEY VALUE]... | data --cache [--clear] [--limit SIZE]"

local function say(text, ...)
  io.stderr:write("netspace: ", text:format(...), "\n")
end

local function refused(text, ...)
  say(text, ...)
  return nil, 2
end

-- What an option of data.open has as a word: "96", "skip", "0.8,0.1,0.1".
local function value_of(key, word)
  local kind = options.declared["data.open"][key]
  if kind == "table" then
    local list = {}
    for part in word:gmatch "[^,]+" do list[#list + 1] = tonumber(part) or part end
    return list
  end
  if kind == "string" then return word end
  local n = tonumber(word)
  return kind == "integer" and n and math.tointeger(n) or n
end

-- The arguments: { spec =, file =, flags =, o = options of data.open }, or nil and an exit status.
local function parse(command, args, flags)
  local t = { flags = {}, o = {} }
  local known = { "-o" }
  for key in pairs(options.declared["data.open"]) do known[#known + 1] = "--" .. key end
  for flag in pairs(flags) do known[#known + 1] = flag end
  local i = 1
  while args[i] do
    local a = args[i]
    local name, value = a:match "^(%-%-[%w-]+)=(.*)$"
    name = name or a
    local function word()
      if value then return value end
      i = i + 1
      return args[i]
    end
    local key = name:match "^%-%-([%w]+)$"
    if a == "-o" and command == "pack" then
      t.file = word()
      if not t.file then return refused("the name of the file is missing after -o") end
    elseif flags[name] then
      t.flags[name] = flags[name] == "value" and (word() or "") or true
    elseif key and options.declared["data.open"][key] then
      local text = word()
      t.o[key] = text and value_of(key, text)
      if t.o[key] == nil then
        return refused("%s needs a %s%s", name, options.declared["data.open"][key] == "string"
          and "word" or "number", text and (", not '%s'"):format(text) or "")
      end
    elseif a:sub(1, 1) == "-" or t.spec then
      return refused("%s does not know '%s'%s", command, a, options.hint(name, known))
    else
      t.spec = a
    end
    i = i + 1
  end
  return t
end

local function usage(text)
  io.stderr:write("usage: netspace ", text, "\n")
  return 2
end

-- Verifies every image of a pack.
local function check(path)
  local pack <close>, why = core.open(path)
  if not pack then
    say("%s", why)
    return 4
  end
  local about = pack:about()
  local damaged, first = pack:check()
  if damaged > 0 then
    say("%s is damaged: %s, the first is '%s'; make it anew (netspace pack)", path,
      units.count(damaged, "image", nil), first)
    return 4
  end
  print(("%s: %s in %d classes, %s, all as they were written"):format(path,
    units.count(about.images, "image"), #about.class_names, units.bytes(about.bytes)))
end

--- netspace pack SPEC -o FILE, netspace pack --check FILE
function M.pack(args)
  local t, status = parse("pack", args, { ["--jpeg"] = true, ["--bytes"] = true,
    ["--check"] = true })
  if not t then return status end
  if t.flags["--check"] then
    if not t.spec or t.file then return usage(PACK) end
    return check(t.spec)
  end
  if not (t.spec and t.file) then return usage(PACK) end
  if t.flags["--jpeg"] or t.flags["--bytes"] then
    if t.o.pack or t.flags["--jpeg"] and t.flags["--bytes"] then
      say("a pack is of JPEG files or of bytes: one of --jpeg and --bytes")
      return 2
    end
    t.o.pack = t.flags["--jpeg"] and "jpeg" or "bytes"
  end
  local about, why = sets._pack(t.spec, t.file, t.o)
  if not about then
    say("%s", why)
    return 1
  end
  for k, bad in ipairs(about.bad) do
    if k > 10 then
      say("… %d more", #about.bad - 10)
      break
    end
    say("left out: %s: %s", bad.name, bad.reason)
  end
  io.stderr:write(("%s: %s in %d classes, %s (%s), %s\n"):format(t.file,
    units.count(about.images, "image"), #about.class_names, units.bytes(about.bytes), about.kind,
    #about.bad == 0 and "all could be read"
    or ("%d could not be read"):format(#about.bad)))
end

local function size(word)
  local n, unit = word:upper():match "^([%d.]+)%s*([KMGT]?)B?$"
  n = tonumber(n)
  return n and n * ({ [""] = 1, K = 1e3, M = 1e6, G = 1e9, T = 1e12 })[unit]
end

local function show_cache(t)
  local limit = t.flags["--limit"]
  if limit then
    local bytes = size(limit)
    if not bytes then
      say("--limit is a size, such as 20GB, not '%s'", limit)
      return 2
    end
    local good, why = cache.set_limit(bytes)
    if not good then
      say("%s", why)
      return 1
    end
  end
  if t.flags["--clear"] then
    local n, bytes = cache.clear()
    print(("%s removed, %s"):format(units.count(n, "pack"), units.bytes(bytes)))
    return
  end
  local total, list = 0, cache.list()
  for _, p in ipairs(list) do
    total = total + p.bytes
    print(("%10s  %s  %s"):format(units.bytes(p.bytes), os.date("%Y-%m-%d %H:%M",
      math.floor(p.used)), p.damaged and "damaged: " .. p.path
      or ("%s: %s, %s, short side %d"):format(p.spec, units.count(p.images, "image"), p.kind,
        p.size)))
  end
  print(("%s, %s of at most %s, in %s"):format(units.count(#list, "pack"), units.bytes(total),
    units.bytes(cache.limit()), cache.folder() and paths.shown(cache.folder()) or "no folder"))
end

--- netspace data SPEC, netspace data --cache
function M.data(args)
  local t, status = parse("data", args, { ["--cache"] = true, ["--clear"] = true,
    ["--limit"] = "value" })
  if not t then return status end
  if t.flags["--cache"] then
    if t.spec or next(t.o) then return usage(DATA) end
    return show_cache(t)
  end
  if not t.spec or next(t.flags) then return usage(DATA) end
  t.o.bad = t.o.bad or "skip" -- it tells of them
  local right, set, why = pcall(sets.open, t.spec, t.o)
  if not right or not set then
    say("%s", right and why or set)
    return not right and 2 or (why:find "cut short" or why:find "damaged") and 4 or 1
  end
  print(set:describe())
  set:close()
end

return M
