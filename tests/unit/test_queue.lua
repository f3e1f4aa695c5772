-- The queue of a sweep against a sorted list: models that come and leave in any order.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local queues = require "netspace.sweep.queue"

math.randomseed(7)
local wrong, models = 0, {}
for i = 1, 60 do models[i] = { idx = i, cost = i } end
for _ = 1, 50 do
  local q, waits = queues.new(), {}
  for _ = 1, 300 do
    local model = models[math.random(#models)]
    local first, n, cost
    local action = math.random(4)
    if action <= 2 and not waits[model] then
      q:add(model)
      waits[model] = true
    elseif action == 3 then
      q:remove(model)
      waits[model] = nil
    elseif action == 4 and q:first() then
      waits[q:take()] = nil
    end
    n, cost = 0, 0
    for _, other in ipairs(models) do
      if waits[other] then first, n, cost = first or other, n + 1, cost + other.cost end
    end
    local seen, last = 0, math.huge
    for k, other in q:each() do
      if not waits[other] or other.idx >= last or k ~= seen + 1 then wrong = wrong + 1 end
      seen, last = k, other.idx
    end
    if q:first() ~= first or #q ~= n or q.cost ~= cost or seen ~= n then wrong = wrong + 1 end
  end
end
t.is(wrong, 0, "first, length, cost and what waits are those of a sorted list")
t.done()
