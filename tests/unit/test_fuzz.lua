-- The targets of tests/fuzz that are written in Lua, without libFuzzer: what they hold of parsers and
-- public functions is true of their corpora and of bytes drawn at random, the same ones each time.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local sys = require "netspace.core.sys"
local uv = require "luv"

local COUNT = tonumber(os.getenv "FUZZ_COUNT" or 150)

local function corpus(target)
  local list, scan = {}, uv.fs_scandir("tests/fuzz/corpus/" .. target)
  for name in function() return scan and uv.fs_scandir_next(scan) end do
    local f = assert(io.open(("tests/fuzz/corpus/%s/%s"):format(target, name), "rb"))
    list[#list + 1] = { name, f:read "a" }
    f:close()
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

-- Bytes number i: alone, or in the place of some of an input of the corpus.
local function noise(i, inputs)
  local bytes, of = {}, #inputs > 0 and inputs[1 + (sys.random(i, 0, 1) >> 1) % #inputs][2] or ""
  for k = 1, 1 + (sys.random(i, 0, 2) >> 1) % 60 do
    bytes[k] = string.char((sys.random(i, k, 3) >> 1) % 256)
  end
  bytes = table.concat(bytes)
  if of == "" or i % 2 == 0 then return bytes end
  local at = (sys.random(i, 0, 4) >> 1) % #of
  return of:sub(1, at) .. bytes:sub(1, 1 + i % 4) .. of:sub(at + 2 + i % 4)
end

for _, target in ipairs { "lines", "import", "pycls", "hint", "api" } do
  local run = dofile(("tests/fuzz/%s.lua"):format(target))
  local inputs, wrong = corpus(target), nil
  for _, input in ipairs(inputs) do
    local good, why = pcall(run, input[2])
    if not good then wrong = wrong or ("%s: %s"):format(input[1], why) end
  end
  for i = 1, COUNT do
    local good, why = pcall(run, noise(i, inputs))
    if not good then wrong = wrong or ("bytes %d: %s"):format(i, why) end
  end
  t.ok(not wrong, ("%s: %d inputs of the corpus and %d at random"):format(target, #inputs, COUNT), wrong)
end

-- What random calls have found: each blames the line that asked, and says what is wrong.
local scratch = assert(uv.fs_mkdtemp "/tmp/netspace-test-XXXXXX")
local path = scratch .. "/x.db"
assert(require("netspace.store.ledger").open(path)):close()
local s = assert(store.open(path))
for what, call in pairs {
  ["help.examples: nothing is called 'nil'"] = function() local _ = help.examples() end,
  ["help.add expects a name and a text"] = function() help.add({}, "x") end,
  ["meant by its name, a text, not a table"] = function() local _ = s:result {} end,
  ["store:events: unknown option"] = function() local _ = s:events { momentum = 1 } end,
  ["constraint: 'name' is missing"] = function() local _ = constraint() end,
  ["sweep.resume expects the path of a store"] = function() local _ = sweep.resume() end,
  ["sweep.retry expects the path of a store"] = function() local _ = sweep.retry(5) end,
  ["sweep.retry expects the name of a population"] = function() local _ = sweep.retry(path, {}) end,
  ["arch.anynet: 'd' is missing"] = function() local _ = arch.describe {} end,
  ["net:forward: image 1 is"] = function()
    local n = net.new(arch.anynet { d = { 1 }, w = { 8 } }, { batch = 2 })
    local _ = n:forward { 1 }
  end,
} do
  local good, err = pcall(call)
  t.ok(not good and tostring(err):find(what, 1, true), what, tostring(err))
  t.ok(tostring(err):find "^tests/unit/test_fuzz.lua:%d+: [^/]*$", "and names the line", tostring(err))
end
s:close()
os.execute("rm -rf " .. scratch)
t.done()
