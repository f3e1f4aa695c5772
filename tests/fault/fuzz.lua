-- Stores that are damaged at random: whatever reads them says so, or gives what is there;
-- nothing crashes, hangs or shows a mistake of the program.
--   netspace tests/fault/fuzz.lua FIRST COUNT     prints TAP; damage number i is always the same
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local integrity = require "netspace.store.integrity"
local ledgers = require "netspace.store.ledger"
local monitor = require "netspace.monitor.monitor"
local stores = require "netspace.store.store"
local sys = require "netspace.core.sys"
local uv = require "luv"

local first, count = tonumber(arg[1]), tonumber(arg[2])
local dir = assert(uv.fs_mkdtemp("/tmp/netspace-fuzz-XXXXXX"))
local path = dir .. "/f.db"

local function read(file)
  local f = assert(io.open(file, "rb"))
  local text = f:read("a")
  f:close()
  return text
end

local function write(file, text)
  local f = assert(io.open(file, "wb"))
  f:write(text)
  f:close()
end

-- A store of two populations with all kinds of models, and its files while a sweep holds it
-- open with changes in the log.
local function make()
  local w = assert(ledgers.open(path))
  for p, name in ipairs { "A", "B" } do
    w:write(function()
      local id = w:create { name = name, space = "S", seed = p, tried = 3, sample_seed = 4,
        spec = { lineage = { "S" }, options = { se = 0 }, params = {} }, window = { flops = { 1, 2 } },
        constraints = { { name = "c", source = "return true" } }, recipe = { epochs = 3, lr = 0.1 },
        source = { spec = "shapes", train = 8 }, card = { spec = "shapes", checksum = "x", train_n = 8 } }
      for i = 1, 30 do
        local m = arch.anynet { d = { 1 + i % 3, 1 }, w = { 8 * i, 16 } }
        w:add_model(id, i, m, ledgers.identity(m), i, arch.complexity(m))
      end
      w:take(id, name, 2)
      for i, row in ipairs(w:models(id)) do
        if i < 28 then w:start(row.id, 1, 7) end
        for e = 1, i < 28 and 3 or 0 do
          w:epoch(row.id, 1, { epoch = e, lr = 0.1, train_loss = 1 / e, validation_error = 10 + i / e })
        end
        local status = i < 20 and "done" or i < 23 and "failed" or i < 25 and "diverged"
        if status then
          w:finish(row.id, 1, { status = status, error = status == "done" and 10 + i / 3 or 100,
            reason = status ~= "done" and "why" or nil, seconds = 1, crashes = 0 })
        end
      end
    end)
  end
  local live = { [""] = read(path), ["-wal"] = read(path .. "-wal"), ["-shm"] = read(path .. "-shm") }
  w:close()
  return { [""] = read(path) }, live
end
local still, live = make()

-- The same numbers for the same damage.
local number, drawn
local function below(n)
  drawn = drawn + 1
  return (sys.random(number, drawn, 6) >> 1) % n
end

local function noise(n)
  local kind, bytes = below(4), {}
  for i = 1, n do bytes[i] = string.char(kind == 0 and 0 or kind == 1 and 255 or below(256)) end
  return table.concat(bytes)
end

local ways = {
  function(text) return text:sub(1, below(#text)), "cut" end,
  function(text)
    local n = 1 + below(below(2) == 0 and 16 or 5000)
    local at = below(#text)
    return text:sub(1, at) .. noise(math.min(n, #text - at)) .. text:sub(at + n + 1), "overwritten"
  end,
  function(text)
    for _ = 1, 1 + below(40) do
      local at = below(#text)
      text = text:sub(1, at) .. string.char(below(256)) .. text:sub(at + 2)
    end
    return text, "bytes changed"
  end,
  function(text) -- pages in each other's place
    local pages = math.max(1, #text // 4096)
    local a, b = below(pages), below(pages)
    local page = text:sub(b * 4096 + 1, b * 4096 + 4096)
    return text:sub(1, a * 4096) .. page .. text:sub(a * 4096 + 4097), "pages doubled"
  end,
  function(text) -- the header, or that of the first pages
    local at = below(2) == 0 and below(100) or 4096 * below(math.max(1, #text // 4096)) + below(12)
    return text:sub(1, at) .. noise(1 + below(8)) .. text:sub(at + 9), "headers changed"
  end,
  function(text) -- rows: words in the text of tables
    local words = { "done", "epochs", "shapes", "queued", '"w"', "flops", "CREATE", "model" }
    local word = words[1 + below(#words)]
    local k = below(20)
    return text:gsub(word, function(w)
      k = k - 1
      return k == 0 and noise(#w) or w
    end), "words changed"
  end,
}

local function damage()
  for _, suffix in ipairs { "", "-wal", "-shm", "-journal" } do os.remove(path .. suffix) end
  local files = below(3) == 0 and live or still
  local suffix = files == live and below(3) > 0 and (below(2) == 0 and "-wal" or "-shm") or ""
  local what
  for name, text in pairs(files) do
    if name == suffix then text, what = ways[1 + below(#ways)](text) end
    write(path .. name, text)
  end
  return ("%s of %s%s"):format(what, files == live and "an open store" or "a store", suffix)
end

-- A message for people: not empty, and about the store rather than about our code.
local function clear(message)
  return type(message) == "string" and message:find("f.db", 1, true) ~= nil
    and not message:find("%.lua:%d+:") and not message:find("stack traceback", 1, true)
end

local function attempt(what, f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] and (results[2] ~= nil or clear(results[3])) then return nil end
  local message = results[1] and results[3] or results[2]
  if getmetatable(message) == ledgers.Failure and clear(message.message) then return nil end
  if clear(message) then return nil end -- such as: there is no population 'A'
  return ("%s: %s"):format(what, tostring(message))
end

local function readers()
  local s, message = stores.open(path)
  if not s then return not clear(message) and "open: " .. tostring(message) or nil end
  local wrong
  for _, call in ipairs { { "names" }, { "population", "A" }, { "result", "A" }, { "live", "A" },
    { "live", "B" }, { "progress" }, { "events" }, { "provenance", "B" },
    { "export", dir .. "/x.jsonl" }, { "export", dir .. "/x.csv", "A" },
    { "export", dir .. "/x.jsonl", nil, { salvage = true } } } do
    wrong = wrong or attempt(call[1], s[call[1]], s, table.unpack(call, 2, 4))
  end
  local r = s.names(s) and select(2, pcall(s.result, s, "A"))
  if type(r) == "table" and rawget(r, "_models") then
    wrong = wrong or attempt("models", function() return r.models or {} end)
  end
  wrong = wrong or attempt("monitor", monitor.snapshot, path, s)
  s:close()
  return wrong
end

local function writers()
  local w, message = ledgers.open(path)
  if not w then return not clear(message) and "open to write: " .. tostring(message) or nil end
  local wrong = attempt("open populations", w.open_names, w)
  for _, name in ipairs { "A", "B" } do
    wrong = wrong or attempt("write", function()
      w:write(function()
        local p = w:find(name)
        if not p then return end
        w:models(p.id)
        pcall(w.take, w, p.id, name, 1) -- it may be held by a process that lives
      end)
      return true
    end)
  end
  w:close()
  return wrong
end

for i = first, first + count - 1 do
  number, drawn = i, 0
  local what = damage()
  local wrong = readers()
  if not wrong then
    local good, report, message = pcall(integrity.check, path)
    if not good or not report and not clear(message) then
      wrong = "check: " .. tostring(not good and report or message)
    end
  end
  wrong = wrong or writers()
  t.ok(not wrong, ("%d: %s"):format(i, what), wrong)
end
os.execute("rm -rf " .. dir)
t.done()
