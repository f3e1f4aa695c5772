-- Any bytes as a table of errors, CSV, JSON lines or JSON, also of pycls and NDS (make fuzz
-- T=import): the first byte says as what.  It is refused with a message that names the file, or
-- the results are whole and go where results go.
local oracle = dofile "tests/fuzz/oracle.lua"
local pretty = require "netspace.lib.pretty"

local formats = { "csv", "jsonl", "json", nil }
local columns = { {}, { fraction = true }, { fraction = false }, { error = "min" },
  { accuracy = "acc" }, { error = "ema" }, { population = "space" }, { error = "e", name = "x" } }

local function check(r, bytes)
  assert(#r.errors == #r.models and r.n >= #r.errors)
  local n = 0
  for _, count in pairs(r.counts) do
    assert(count >= 0)
    n = n + count
  end
  assert(n == r.n, "the counts add up")
  for _, e in ipairs(r.errors) do assert(e >= 0 and e <= 100) end
  assert(tostring(r) and pretty(r))
  if #r.errors == 0 then return end
  local edf = oracle.answer("stats.edf", bytes, stats.edf, r)
  if edf then assert(edf.n == #r.errors and edf.min >= 0) end
  for _, property in ipairs { "d", "w[4]", "flops", "lr" } do
    oracle.answer("stats.bootstrap", bytes, stats.bootstrap, r, property, { draws = 9 })
  end
end

return function(bytes)
  local how = bytes:byte() or 0
  local o = {}
  for key, value in pairs(columns[1 + how // 4 % 8]) do o[key] = value end
  o.format = formats[1 + how % 4]
  local path = oracle.file(how > 127 and "table.json" or "table.csv", bytes:sub(2))
  local good, results, message = pcall(stats.import, path, o)
  if not good then error("it raised: " .. tostring(results), 0) end
  if not results then
    assert(oracle.clear(message, bytes) and message:find(path, 1, true), message)
    assert(not message:find "[%z\1-\9\11-\31]", "control characters in a message")
    return
  end
  assert(#results > 0)
  for _, r in ipairs(results) do check(r, bytes) end
end
