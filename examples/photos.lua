--- Two spaces on your own photographs: from a folder to a verdict and a tested network.
--
--   netspace examples/photos.lua DIR [MODELS] [MINUTES] [IMAGE] [STORE]
--   netspace examples/photos.lua ~/photos 8 10 64
--
-- DIR has a folder of images for each class, or folders train, validation and test with such
-- folders inside (all that data.open takes will do).  Draws MODELS (8) networks from AnyNetX_A
-- and from RegNetX, as large as MINUTES (10) allow on this machine, for images of IMAGE (64)
-- pixels a side; trains all of them on the training images, compares the two spaces by the
-- validation images, trains the best network for three times as long, and measures that one, and
-- no other, on the test images.  Everything is kept in STORE (photos.db): interrupt it and run it
-- again, and only the rest is done; `netspace monitor photos.db` watches it.

local dir, store = arg[1], arg[5] or "photos.db"
local n = math.tointeger(tonumber(arg[2] or 8))
local minutes = tonumber(arg[3] or 10)
local side = math.tointeger(tonumber(arg[4] or 64))
if not dir or not n or n < 2 or not minutes or minutes <= 0 or not side or side < 8 then
  io.stderr:write("usage: netspace examples/photos.lua DIR [MODELS] [MINUTES] [IMAGE] [STORE]\n")
  os.exit(2, true)
end

-- The data: what is in it, and what it looks like.
local images = assert(data.open(dir, { image = side, bad = "skip" }))
print(images:describe())
print()
images:show(3)

-- How large the networks may be: one window for both spaces, so that they are comparable.  A
-- store that is gone on with has its own.
local training = recipe { like = recipe.quick, epochs = 8 }
local spaces = { space.small.AnyNetXA, space.small.RegNetX }
local kept = sweep.open(store)
local window = kept and kept:names()[1] and kept:provenance(kept:names()[1]).window
if not window then
  local w = sweep.window(spaces[1], { data = images, models = n, recipe = training,
    time = minutes * 60 * 0.35 }) -- for each space; the rest is for the best network
  print("\n" .. tostring(w))
  window = { flops = w.flops }
end

local sweeps = {}
for i, S in ipairs(spaces) do
  local models = S:sample(n, { data = images, flops = window.flops, seed = i })
  local what = { store = store, models = models, data = images, recipe = training }
  print(sweep.forecast(what))
  sweeps[i] = sweep.start(what)
end
local results = {}
for i, handle in ipairs(sweeps) do results[i] = handle:wait() end

plot.edf(results):show()
print(stats.table(results))
print(stats.compare(results[1], results[2]).verdict)

-- The best of all, by the validation images, trained for longer.
local best, least, from
for _, result in ipairs(results) do
  local m, e = stats.best(result)
  if not best or e < least then best, least, from = m, e, result.name end
end
print(("\nbest: of %s, %.2f %% of the validation images wrong"):format(from, least))
print(best)
sweep.run { store = store, name = "best", models = { best }, data = images,
  recipe = recipe { like = training, epochs = 3 * training.epochs }, checkpoint = { keep = true } }
local network = assert(assert(sweep.open(store)):net("best", 1))
print()
print(network:confusion(images, { split = "validation" }))

-- The test images, once, for the network that was chosen.
local e, metrics = network:test(images)
print(("\ntest: %.2f %% wrong (by class %.2f %%), %s"):format(e, metrics.class_error,
  metrics.looks == 1 and "the first look at these images"
  or ("look number %d at these images"):format(metrics.looks)))
