-- Any bytes as what a worker writes (make fuzz T=lines): the first says which kind of job it has,
-- the rest are its lines.  What is accepted is an event of this job and survives being written
-- down, as in a shard, whose reader gets the lines, too, with and without their checksums.
local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local oracle = dofile "tests/fuzz/oracle.lua"
local protocol = require "netspace.sweep.protocol"
local shard = require "netspace.cluster.shard"

local kinds = { "train", "check", "measure" }
local most = { validation_error = 100, train_error = 100, part = 1, error = 100 }

-- What whoever takes an accepted event relies on.
local function check(e, listener)
  for key, above in pairs(most) do
    local v = e[key]
    assert(v == nil or type(v) == "number" and v >= 0 and v <= above, key)
  end
  assert(e.model == 3 and e.attempt == 1, "it is of this job")
  assert(listener.epochs <= 2, "no more epochs than there are")
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b or a ~= a and b == nil end
  for k, v in pairs(a) do
    if not same(v, b[k]) then return false end
  end
  return true
end

return function(bytes)
  local job = { kind = kinds[1 + (bytes:byte() or 0) % 3], model = 3, attempt = 1,
    recipe = { epochs = 2 }, stop_after = (bytes:byte() or 0) > 127 and 1 or nil }
  local listener = protocol.listener(job)
  local lines, written = {}, {}
  for line in bytes:sub(2):gmatch "[^\n]+" do
    local e, why = protocol.decode(line)
    if not e then
      assert(oracle.clear(why, bytes), why)
    else
      local wrong = e.event == "hello" and protocol.wrong_hello(e) or listener:hear(e)
      if e.event == "hello" then assert(oracle.clear(protocol.idle(e), bytes)) end
      if wrong then
        assert(oracle.clear(wrong, bytes), wrong)
      elseif e.event ~= "hello" then
        check(e, listener)
        assert(type(protocol.ends(e)) == "boolean")
        local good, text = pcall(shard.line, e)
        if good then -- unknown fields may have no JSON form: a list with a hole
          local back = shard.event(text:sub(1, -2))
          assert(same(e, back), "what is written is read")
        else
          assert(oracle.clear(text, bytes), text)
        end
      end
    end
    lines[#lines + 1] = line
    written[#written + 1] = ("%d %s %s"):format(#line, ledgers.fingerprint(line), line)
  end
  for _, text in ipairs { table.concat(lines, "\n"), table.concat(written, "\n") .. "\n" } do
    local n, reader = 0, shard.reader(oracle.file("x.shard", text))
    reader:read(function(e)
      assert(type(e) == "table")
      n = n + 1
    end)
    assert(n + reader.bad <= #lines + 1)
  end
end
