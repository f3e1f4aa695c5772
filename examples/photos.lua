--- Two spaces on your own photographs: from a folder to a verdict and a tested network.
--
--   netspace examples/photos.lua DIR [--size 64] [--networks 16] [--minutes 10] [--store photos.db]
--
-- DIR has a folder of images for each class, or folders train, validation and test with such
-- folders inside (all that data.open takes will do).  Draws as many networks from AnyNetX_A and
-- from RegNetX, for images of --size pixels a side, as large as --minutes allow on this machine;
-- trains all of them on the training images, compares the two spaces by the validation images,
-- trains the best network for three times as long, and measures that one, and no other, on the
-- test images.  Everything is kept in the store: interrupt it and run it again with the same
-- options, and only the rest is done; `netspace monitor photos.db` watches it.

local EPOCHS, LONGER = 8, 3 -- of each network; times as long for the best one
local USED = 0.9            -- of the time; the rest is for drawing and measuring

local function usage(text, ...)
  io.stderr:write("photos.lua: ", text:format(...), "\nusage: netspace examples/photos.lua DIR "
    .. "[--size PIXELS] [--networks N] [--minutes M] [--store FILE]\n")
  os.exit(2, true)
end

local o = { size = 64, networks = 16, minutes = 10, store = "photos.db" }
local dir
do
  local i = 1
  while arg[i] do
    local key, value = arg[i]:match "^%-%-(%w+)=?(.*)$"
    if key and o[key] == nil then usage("there is no option --%s", key) end
    if not key and dir then usage("one folder, not also '%s'", arg[i]) end
    if key and value == "" then
      i = i + 1
      value = arg[i] or usage("--%s needs a value", key)
    end
    if key then
      local number = type(o[key]) == "number"
      if number and not tonumber(value) then usage("--%s is a number, not '%s'", key, value) end
      o[key] = number and tonumber(value) or value
    else
      dir = arg[i]
    end
    i = i + 1
  end
end
if not dir then usage "the folder of images is missing" end
local side, n = math.tointeger(o.size), math.tointeger(o.networks)
if not side or side < 8 then usage("--size is %g; it is 8 pixels or more", o.size) end
if not n or n < 2 then usage("--networks is %g; each space needs 2 or more", o.networks) end
if not (o.minutes > 0) then usage("--minutes is %g; it is more than 0", o.minutes) end

-- The data: what is in it, and what it looks like.
local images = assert(data.open(dir, { image = side, bad = "skip" }))
print(images:describe())
print()
images:show(3)

-- The budget.  Of the time t that a space takes on all workers, each of its networks takes
-- workers/n, and the best one LONGER times that.  One window for both spaces, so that they are
-- comparable.  A store that is gone on with has its own.
local training = recipe { like = recipe.quick, epochs = EPOCHS }
local spaces = { space.small.AnyNetXA, space.small.RegNetX }
local kept = sweep.open(o.store)
local window = kept and kept:names()[1] and kept:provenance(kept:names()[1]).window
local workers = math.min(require("luv").available_parallelism(), n)
local each = USED * o.minutes * 60 / (#spaces + LONGER * workers / n)
print(("\nbudget: %g minutes on %d workers: %.1f each for %d networks of two spaces, %.1f for the "
  .. "best one, trained %d times as long; the rest for drawing and measuring"):format(o.minutes,
  workers, each / 60, n, each * LONGER * workers / n / 60, LONGER))
if not window then
  local w = sweep.window(spaces[1], { data = images, models = n, recipe = training, time = each,
    workers = workers })
  print(w)
  window = { flops = w.flops }
end

local sweeps = {}
for i, S in ipairs(spaces) do
  local models = S:sample(n, { data = images, flops = window.flops, seed = i })
  local what = { store = o.store, models = models, data = images, recipe = training }
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
sweep.run { store = o.store, name = "best", models = { best }, data = images,
  recipe = recipe { like = training, epochs = LONGER * EPOCHS }, checkpoint = { keep = true } }
local network = assert(assert(sweep.open(o.store)):net("best", 1))
print()
print(network:confusion(images, { split = "validation" }))

-- The test images, once, for the network that was chosen.
local e, metrics = network:test(images)
print(("\ntest: %.2f %% wrong (by class %.2f %%), %s"):format(e, metrics.class_error,
  metrics.looks == 1 and "the first look at these images"
  or ("look number %d at these images"):format(metrics.looks)))
