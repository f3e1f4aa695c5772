--- AnyNetX_A against RegNetX on real photographs.
--
--   netspace examples/cifar10.lua DIR [MODELS] [EPOCHS]
--
-- DIR holds CIFAR-10's binary files (data_batch_1.bin … test_batch.bin).  Draws MODELS
-- (32) networks of 3 to 6 MF from each space, trains each on the same 10,000 images for
-- EPOCHS (15) epochs, and compares the EDFs of their errors on 5,000 validation images.
-- About an hour on two cores; it may be interrupted at any time, and running it again trains
-- only what is missing.

local dir = arg[1]
local n = math.tointeger(tonumber(arg[2] or 32))
local epochs = math.tointeger(tonumber(arg[3] or 15))
if not dir or not n or n < 1 or not epochs or epochs < 1 then
  io.stderr:write("usage: netspace examples/cifar10.lua DIR [MODELS] [EPOCHS]\n")
  os.exit(2, true)
end

local window = {
  flops = { 3e6, 6e6 }, image = 32, stem_width = 16, stride = { 1, 2, 2, 2 },
}
local cifar = assert(data.open("cifar10:" .. dir, { train = 10000, validation = 5000 }))
local training = recipe { epochs = epochs, batch = 32, lr = 0.05, wd = 5e-4 }

local sweeps = {}
for i, S in ipairs { space.AnyNetXA, space.RegNetX } do
  window.seed = i -- populations that are compared share no random numbers
  sweeps[#sweeps + 1] = sweep.start {
    store = "cifar10.db", name = S.name, models = S:sample(n, window), data = cifar,
    recipe = training,
  }
end
local results = {}
for i, handle in ipairs(sweeps) do results[i] = handle:wait() end

plot.edf(results):show()
print(stats.table(results))
print(stats.compare(results[1], results[2]).verdict)
