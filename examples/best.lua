--- From a population to a network to use: takes the best network of a population, trains it
-- anew for longer, and writes it for PyTorch.
--
--   netspace examples/best.lua STORE NAME DATA OUT [EPOCHS]
--   netspace examples/best.lua paper-small.db X cifar10:DIR best 30
--
-- STORE and NAME: a population that a sweep has trained; DATA: images, as for data.open;
-- EPOCHS (30): how long.  The training is a sweep of its own, of one network, in OUT.db, on all
-- cores: it may be stopped and goes on, and `netspace monitor OUT.db` follows it.
-- The directory OUT then has the weights and the PyTorch module that loads them (net:export).
-- The test images are looked at once, at the end: neither the population nor the training saw
-- them.
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
local store = assert(sweep.open(path))
local population = store:result(name)
local m, e = stats.best(population)
print(("best of %d of %s: d %s  w %s  b %s  g %s, error %.2f %%"):format(#population.errors, name,
  table.concat(m.d, ","), table.concat(m.w, ","), table.concat(m.b, ","),
  table.concat(m.g, ","), e))

local images = assert(data.open(spec))
local own = out:gsub("/+$", "") .. ".db"
local label = ("best of %s, %d epochs"):format(name, epochs)
sweep.run { store = own, name = label, models = { m }, data = images,
  recipe = recipe { like = recipe.quick, epochs = epochs }, checkpoint = { keep = true } }
local n = assert(assert(sweep.open(own)):net(label, 1))
assert(n:export(out))
print(("%s: test error %.2f %%"):format(out, (n:test(images)))) -- once, of one network
