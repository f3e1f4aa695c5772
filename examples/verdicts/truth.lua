-- Trains what truth.jsonl.gz holds: two large populations of small networks on real photographs,
-- so that their mean errors are known to a few hundredths of a point.
--
--   netspace examples/verdicts/truth.lua DIR [N]
--
-- DIR has the binary files of CIFAR-10; N (1500) networks each of AnyNetX_A and RegNetX, 1.0 to 1.4
-- million multiply-adds, 3 epochs over 3,000 images: about two core-seconds a network.  They go
-- into truth.db, which a second call continues; `netspace export truth.db -o truth.jsonl` and
-- gzip make the file.

local dir, n = arg[1], math.tointeger(tonumber(arg[2] or 1500))
if not dir or not n then
  io.stderr:write("usage: netspace examples/verdicts/truth.lua DIR [N]\n")
  os.exit(2, true)
end
local images = assert(data.open("cifar10:" .. dir, { train = 3000, validation = 0, test = 4000,
  seed = 1, pad = 2 })) -- measured on 4,000 test images: nothing here is chosen by them
local training = recipe { like = recipe.quick, epochs = 3 }
local function draw(S, seed)
  return S:sample(n, { seed = seed, flops = { 1.0e6, 1.4e6 }, stem = "simple", stem_width = 16,
    stride = { 1, 2, 2, 2 }, image = 32 })
end
for _, p in ipairs { { "A", draw(space.small.AnyNetXA, 1), 101 },
  { "X", draw(space.small.RegNetX, 2), 102 } } do
  sweep.run { store = "truth.db", name = p[1], models = p[2], data = images, recipe = training,
    seed = p[3] }
end
