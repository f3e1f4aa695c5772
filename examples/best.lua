--- From a population to a network to use: takes the best network of a population, trains it
-- anew, longer and with all that helps a single network, and writes it for PyTorch.
--
--   netspace examples/best.lua STORE NAME DATA OUT [EPOCHS]
--   netspace examples/best.lua paper-small.db X cifar10:DIR best 30
--   netspace examples/best.lua RegNetX 60e6 cifar10:DIR best 100
--
-- STORE and NAME: a population that a sweep has trained; or a space of space.small and flops: the
-- first network that is drawn from it with 0.95 to 1 times as many.  DATA: images, as for
-- data.open; EPOCHS (30): how long.  The training is a sweep of its own, of one network, in
-- OUT.db, on all cores: it may be stopped and goes on, and `netspace monitor OUT.db` follows it.
-- The directory OUT then has the weights and the PyTorch module that loads them (net:export).
-- The test images are looked at once, at the end: neither the population nor the training saw
-- them.  On CIFAR-10, of which 45,000 images are trained on, a network of 60 MF takes 45,000/300 =
-- 150 seconds an epoch where a core makes 300 images a second: 100 epochs are four hours.  What
-- error they lead to has not been measured yet.
-- The recipe: rates that fall at every step from 0.1, with warm-up; no decay of norms; targets
-- smoothed by a tenth; stochastic depth; and the network is the average of its weights over the
-- last twelfth of the training.
-- The paper goes on in the same way, with the best of 25 (section 5 of arXiv 2003.13678).

local path, name, spec, out, epochs = table.unpack(arg)
epochs = math.tointeger(tonumber(epochs or 30))
if not out or not epochs or epochs < 1 then
  io.stderr:write("usage: netspace examples/best.lua STORE NAME DATA OUT [EPOCHS]\n")
  os.exit(2, true)
end

if io.open(out) and not io.open(out .. "/.") then -- said before it is trained
  io.stderr:write(("best.lua: %s is a file; OUT is a directory, made where it is missing\n")
    :format(out))
  os.exit(2, true)
end
local images = assert(data.open(spec))
local m, told
if tonumber(name) then
  local flops = tonumber(name)
  m = space.small[path]:sample(1, { data = images, flops = { 0.95 * flops, flops }, seed = 1 })[1]
  told = ("drawn from %s, %.1f MF"):format(path, arch.complexity(m).flops / 1e6)
else
  local population, e = assert(sweep.open(path)):result(name), nil
  m, e = stats.best(population)
  told = ("best of %d of %s, error %.2f %%"):format(#population.errors, name, e)
end
print(("%s: d %s  w %s  b %s  g %s"):format(told, table.concat(m.d, ","), table.concat(m.w, ","),
  table.concat(m.b, ","), table.concat(m.g, ",")))

local own = out:gsub("/+$", "") .. ".db"
local label = ("best of %s, %d epochs"):format(name, epochs)
local n_train = images:card().train_n
sweep.run { store = own, name = label, models = { m }, data = images, checkpoint = { keep = true },
  recipe = recipe { epochs = epochs, batch = math.min(64, n_train), lr = 0.1, schedule = "cos_step",
    warmup = math.min(epochs - 1, 1 + epochs // 20), wd = 5e-4, wd_bn = 0, label_smoothing = 0.1,
    zero_gamma = true, stochastic_depth = 0.1, ema = 12 / n_train, ema_period = 8 } }
local n = assert(assert(sweep.open(own)):net(label, 1))
assert(n:export(out))
print(("%s: test error %.2f %%"):format(out, (n:test(images)))) -- once, of one network
