-- The sweep of the tests in this directory: STORE [SCHEDULER [DIR]]; prints its table, each error
-- and each epoch to the last bit.  Without a scheduler it trains here.  COUNT and EPOCHS of the
-- environment say how many models there are and how long they train.
local path, scheduler, dir = table.unpack(arg)
local models = {}
for i = 1, tonumber(os.getenv "COUNT" or 10) do
  models[i] = arch.anynet { d = { 1, 1 }, w = { 8 * (1 + i % 2), 16 }, g = 8 }
end
local on = scheduler and cluster { scheduler = scheduler, dir = dir, tasks = tonumber(os.getenv "TASKS" or 4),
  look = 1,
  cpus = tonumber(os.getenv "CPUS" or 1), time = os.getenv "LIMIT",
  partition = os.getenv "PARTITION", extra = { os.getenv "EXTRA" } }
local name = os.getenv "NAME" or "A"
sweep.run { store = path, name = name, models = models, seed = 5, on = on,
  workers = not on and 2 or nil, data = data.open("shapes", { train = 512, test = 128 }),
  recipe = { epochs = tonumber(os.getenv "EPOCHS" or 3), batch = 32 } }
dofile "tests/cluster/table.lua"
