-- Walks over the allocations of what the program does: each fails once, and then it must hold that
--   - the program ends by itself with status 0 or 1, and with 1 it says that memory is short (255,
--     where lua-cjson says so);
--   - where it goes on, what it gives is what it gives undisturbed;
--   - a sweep that is run again gives the undisturbed table, bit for bit.
-- tests/fault/memory.c makes allocations fail.  Used by tests/unit/test_starve.lua (a sample) and
-- tests/torture/memory.sh.
local archives = require "archives"
local uv = require "luv"

local M = {}
local shim = "build/tests/memory.so"

-- What is done, by name: `before` is not disturbed, `text` is; dir is a directory with made files.
-- What it prints is compared.  Where `twice` is true, it is done once before, so that most of the
-- allocations are its own and not those of the modules that it loads.
local scenarios = {}
local function add(name, before, text, twice)
  scenarios[#scenarios + 1] = { name = name, before = before, text = text, twice = twice ~= false }
end

for _, spec in ipairs { "folder:set", "tar:a.tar", "a.zip", "list:l.csv", "idx:idx", "npz:a.npz",
  "pack:a.pack" } do
  add("open " .. spec:match "^%a+" .. (spec == "a.zip" and ".zip" or ""),
    "data.open('folder:' .. dir .. '/other', { image = 8 })", ([[
    local kind, rest = (%q):match "^(%%a+:)(.*)$"
    local d = assert(data.open(kind and kind .. dir .. "/" .. rest or dir .. "/a.zip", { image = 8 }))
    print(d:checksum())]]):format(spec), false)
end
for _, block in ipairs { "x", "y", "r", "v", "vr", "basic", "vanilla", "linear", "mb" } do
  add("train " .. block, [[
    local d = data.open("shapes", { train = 64, test = 32 })
    local r = recipe { epochs = 1, batch = 32 }]], ([[
    local m = arch.anynet { block = %q, d = { 1, 1 }, w = { 8, 16 } }
    local n <close> = require "netspace.network.net".new(m, { seed = 5 })
    print(("%%a"):format(n:train(d, r, { threads = 2 }).error))]]):format(block))
end
local two = [[
    local r = stats.import "examples/paper/small.jsonl.gz"
    local a, b, x = r.A, r.E, r.X]]
for _, pair in ipairs { { "compare", "stats.compare(a, x, { predict = false })" },
  { "predict", "stats.compare(a, b)" }, { "edf", "stats.edf(a):quantile(.5)" },
  { "bootstrap", "stats.bootstrap(a, 'w[4]').median" }, { "ks", "stats.ks(a, b)" },
  { "alternatives", "stats.alternatives(a, { b, x })" },
  { "dominates", "stats.edf(a):band().epsilon" } } do
  add("stats." .. pair[1], two, ("print(assert(%s))"):format(pair[2]))
end
add("sample", "", "for _, m in ipairs(space.AnyNetXE:sample(20, { flops = { 3e8, 4e8 } })) do print(m) end")
add("import csv", "", "print(assert(stats.import(dir .. '/e.csv')).A.n)")
add("import jsonl", "", "print(assert(stats.import(dir .. '/e.jsonl')).A.n)")
add("pycls", "", [[
    local path = dir .. "/job.yaml"
    exchange.pycls.write(path, zoo "RegNetX-200MF", recipe {}, { dataset = "imagenet" })
    print(exchange.pycls.read(path).m)]])
add("export net", [[
    local n = require "netspace.network.net".new(arch.anynet { d = { 1 }, w = { 8 } }, { seed = 1 })]],
  "assert(n:export(dir .. '/net', { c = true })) print 'written'")
add("weights", [[
    local n = require "netspace.network.net".new(arch.anynet { d = { 1 }, w = { 8 } }, { seed = 1 })]],
  "assert(n:save(dir .. '/n.safetensors')) print(assert(net.load(dir .. '/n.safetensors')).model)")
add("read store", "", [[
    local s = assert(sweep.open(dir .. "/calm.db"))
    for i, e in ipairs(assert(s:result "A").errors) do print(i, ("%a"):format(e)) end
    assert(s:export(dir .. "/x.csv"))]])
add("monitor", "", [[require "netspace.monitor.monitor".main { dir .. "/calm.db", "--once" }]])
add("report", "", [[assert(require "netspace.report.report".report(dir .. "/calm.db", { output = dir .. "/r.html" }))
    print 'written']])
local sweep_text = [[
    local models = {}
    for i = 1, 2 do models[i] = arch.anynet { d = { 1 }, w = { 8 * i } } end
    local r = sweep.run { store = dir .. "/run.db", name = "A", models = models, workers = %s, seed = 5,
      data = data.open("shapes", { train = 64, test = 32 }), recipe = recipe { epochs = 2, batch = 32 },
      checkpoint = { every = 1 }, quiet = true }
    for i, e in ipairs(r.errors) do print(i, ("%%a"):format(e)) end]]
add("sweep", "", sweep_text:format(1), false)
add("worker", [==[
    package.path = "tests/unit/?.lua;" .. package.path
    require "overlay" (dir .. "/lua", [[
      local handle, uv = M.handle, require "luv"
      function M.handle(job, send)
        local mine = job.attempt == 1 and job.model == 1
        if mine then uv.os_setenv("MEMORY_FAULT", os.getenv "AT") end
        local x = handle(job, send)
        if mine then uv.os_setenv("MEMORY_FAULT", "off") end
        return x
      end]])]==], sweep_text:format(2), false)
scenarios[#scenarios].elsewhere = true

local function write(path, text) archives.write(path, text) end
local function read(path)
  local f = io.open(path, "rb")
  local text = f and f:read "a" or ""
  if f then f:close() end
  return text
end

-- Images of two classes, in every kind of file.
local function make_files(dir)
  local members, list, bytes = {}, { "path,label,split" }, {}
  for i = 1, 12 do
    local name = ("%s/%s/%d.ppm"):format(i % 3 == 0 and "test" or "train", i % 2 == 0 and "a" or "b", i)
    local ppm, pixels = archives.picture(8, 8, 3, i)
    write(dir .. "/set/" .. name, ppm)
    write(dir .. "/other/" .. name, ppm)
    members[i] = { name, ppm }
    list[#list + 1] = ("set/%s,%s,%s"):format(name, i % 2 == 0 and "a" or "b",
      i % 3 == 0 and "test" or "train")
    bytes[i] = pixels
  end
  write(dir .. "/a.tar", archives.tar(members))
  write(dir .. "/a.zip", archives.zip(members))
  write(dir .. "/l.csv", table.concat(list, "\n") .. "\n")
  local gray, labels = ("\1\2\3\4"):rep(16 * 12), ("\0\1"):rep(6)
  for _, part in ipairs { "train", "t10k" } do
    write(("%s/idx/%s-images-idx3-ubyte"):format(dir, part), archives.idx({ 12, 8, 8 }, gray))
    write(("%s/idx/%s-labels-idx1-ubyte"):format(dir, part), archives.idx({ 12 }, labels))
  end
  write(dir .. "/a.npz", archives.zip {
    { "x_train.npy", archives.npy("|u1", "(12, 8, 8, 3)", table.concat(bytes)) },
    { "y_train.npy", archives.npy("|u1", "(12,)", labels) },
    { "x_test.npy", archives.npy("|u1", "(12, 8, 8, 3)", table.concat(bytes)) },
    { "y_test.npy", archives.npy("|u1", "(12,)", labels) } })
  local csv, lines = { "population,error" }, {}
  for i = 1, 12 do
    csv[#csv + 1] = ("A,%d"):format(40 + i)
    lines[i] = ('{"population":"A","error":%d}'):format(40 + i)
  end
  write(dir .. "/e.csv", table.concat(csv, "\n") .. "\n")
  write(dir .. "/e.jsonl", table.concat(lines, "\n") .. "\n")
end

--- A place for the walk, with the files that are read and what each scenario gives undisturbed.
function M.new()
  local w = setmetatable({ dir = assert(uv.fs_mkdtemp "/tmp/netspace-starve-XXXXXX") },
    { __index = M })
  make_files(w.dir)
  for i, s in ipairs(scenarios) do
    local on = s.elsewhere and "" or 'uv.os_setenv("MEMORY_FAULT", os.getenv "AT")\n'
    write(("%s/%d.lua"):format(w.dir, i), table.concat({ 'local uv, dir = require "luv", arg[1]',
      s.before, s.twice and ("do %s end"):format(s.text) or "", on .. "do", s.text, "end",
      on ~= "" and 'uv.os_setenv("MEMORY_FAULT", "off")\n' or "" }, "\n"))
  end
  os.execute(("%s -q --no-init pack folder:%s/set -o %s/a.pack >/dev/null 2>&1"):format(
    os.getenv "NETSPACE", w.dir, w.dir))
  for i, s in ipairs(scenarios) do
    if s.name == "sweep" then
      w:clear()
      w:run(i, 0, 1)
      os.execute(("cp %s/run.db %s/calm.db"):format(w.dir, w.dir))
    end
  end
  for i, s in ipairs(scenarios) do
    w:clear()
    local status = w:run(i, 0, 1)
    assert(status == 0, s.name .. ": " .. read(w.dir .. "/err"))
    s.given, s.count = read(w.dir .. "/out"), tonumber(read(w.dir .. "/count"))
  end
  return w
end

--- The scenarios: name, count (allocations).
function M:scenarios() return scenarios end

function M:clear()
  os.execute(("rm -rf %s/run.db* %s/lua %s/net %s/cache %s/x.csv"):format(self.dir, self.dir,
    self.dir, self.dir, self.dir))
end

function M:run(i, k, times)
  local _, _, status = os.execute(("env XDG_CACHE_HOME=%s/cache LD_PRELOAD=%s MEMORY_COUNT=%s/count AT='%d %d' "
    .. "timeout 300 %s -q --no-init %s/%d.lua %s >%s/out 2>%s/err"):format(self.dir,
    assert(uv.fs_realpath(shim)), self.dir, k, times, os.getenv "NETSPACE", self.dir, i, self.dir,
    self.dir, self.dir))
  return status
end

local function timeless(text) return (text:gsub(" *%w+ ago", "")) end

--- Scenario i, allocation k (and `times` - 1 after it) fails; nil when all is well, else what is not.
function M:try(i, k, times)
  local s = scenarios[i]
  self:clear()
  local status = self:run(i, k, times)
  local out, err = read(self.dir .. "/out"), read(self.dir .. "/err")
  local said = (err .. out):find "[Mm]emory" or err:find "[Aa]llocat"
    or err:find "module 'netspace.-' not found" -- Lua's require does not say why
  if err:find "luv_alloc_cb: Assertion" then return end -- luv stops the program: out of our hands
  if status > 1 and not (status == 255 and said) then return ("status %d: %s"):format(status, err) end
  if err:find("stack traceback", 1, true) or err:find("attempt to", 1, true) then
    return "a bug, not a message: " .. err
  end
  if status == 1 and not said then return "it does not say what is short: " .. err end
  if status == 0 and not said and timeless(out) ~= timeless(s.given) then
    return ("it gives %s%s"):format(out, err)
  end
  if not s.text:find "sweep.run" then return end
  if self:run(i, 0, 1) ~= 0 then return "run again: " .. read(self.dir .. "/err") end
  if read(self.dir .. "/out") ~= s.given then return "run again, another table" end
end

--- Walks over about `points` of all allocations, one and two failing in turn; say(name, what)
-- after each.  Of several walks at a time (of) each takes a part (1, 2, …) of every scenario.
function M:walk(points, say, part, of)
  for i, s in ipairs(scenarios) do
    local n = math.min(s.count, math.ceil(points / #scenarios))
    for j = part or 1, n, of or 1 do
      local k, times = (2 * j - 1) * s.count // (2 * n) + 1, 1 + j % 2
      say(("%s: %s of %d allocations fails%s"):format(s.name, k, s.count,
        times > 1 and ", and the next" or ""), self:try(i, math.min(k, s.count), times))
    end
  end
end

function M:close()
  os.execute("rm -rf " .. self.dir)
end

return M
