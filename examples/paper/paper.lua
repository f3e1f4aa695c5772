--- What the scripts of this folder share: the scales, the populations, and how a script
-- gets at them.  Every population of the paper is named here once, with its space.
-- Source: Radosavovic et al. 2020 (arXiv 2003.13678), sections 3 and 4.
--
--   local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
--   local A, B = paper.results("A", "B")
--
-- A population of your own: paper.add { "mine", { "AnyNetXC", my_constraint }, main = true };
-- paper.results("C", "mine") then trains it like the others.

local paper = {}

local usage = [[
usage: netspace examples/paper/%s [--scale tiny|small|paper] [options]
  --scale tiny    minutes, on drawn figures (the default)
          small   hours of two cores, on CIFAR-10: needs --data cifar10:DIR
          paper   the setting of the paper: prints what it would take
  --data SPEC     the images, as in data.open
  --store FILE    where results are kept and found again (paper-SCALE.db)
  --from FILE     take the results of this export instead of training
  --as-is         take what the store holds, train nothing
  --pictures DIR  write the pictures there as SVG (needs gnuplot)
  --trainer COMMAND      another program trains, see netspace-trainer(5)
  --workers N|PLACE,...  how many at a time, or where: local:2,ssh:node1:8
]]

-- The scales.  n: models of the main populations and of the others; unit: the middle of the
-- flops window in which spaces are compared.  Small networks see few images, so that they
-- are trained with small batches, a high rate that falls at every step, and little cropping.
-- validation = 0: errors are those of the test images, as in the paper, which compares by them.
local cifar = { stem = "simple", stem_width = 16, stride = { 1, 2, 2, 2 }, image = 32 }
local scales = {
  tiny = { n = 6, other = 4, unit = 1e6, spaces = space.small, setting = cifar,
    data = "shapes", take = { train = 1500, test = 500, validation = 0 },
    recipe = recipe { like = recipe.quick, epochs = 3 } },
  small = { n = 100, other = 50, unit = 1.2e6, spaces = space.small, setting = cifar,
    take = { test = 5000, pad = 1, validation = 0 },
    recipe = recipe { like = recipe.quick, epochs = 3, warmup = 0 } },
  paper = { n = 500, other = 100, unit = 380e6, spaces = space, setting = { image = 224,
    classes = 1000 }, images = 1281167, recipe = recipe.paper },
}

-- The populations.  A space is a name of space.*, or { name, constraint }.  times: of the
-- unit of flops; epochs: times those of the recipe; share: of the number of models.  The
-- seed of each is its place in the list, so that new ones go to its end, by paper.add.
local populations = {
  { "A", "AnyNetXA", main = true }, { "B", "AnyNetXB", main = true },
  { "C", "AnyNetXC", main = true }, { "D", "AnyNetXD", main = true },
  { "C w equal", { "AnyNetXC", "equal_w" }, main = true },
  { "C w decreasing", { "AnyNetXC", "decreasing_w" }, main = true },
  { "E", "AnyNetXE", main = true }, { "X", "RegNetX", main = true },
  { "Y", "RegNetY" }, { "X inverted", "RegNetXInverted" },
  { "X depthwise", "RegNetXDepthwise" },
  { "D d equal", { "AnyNetXD", "equal_d" } }, { "D d decreasing", { "AnyNetXD", "decreasing_d" } },
  { "X w_m=2", { "RegNetX", "w_m_2" } }, { "X w_0=w_a", { "RegNetX", "w_0_is_w_a" } },
  { "X 1/4", "RegNetX", times = 1 / 4, share = 0.5 },
  { "X 1/2", "RegNetX", times = 1 / 2, share = 0.5 },
  { "X 2", "RegNetX", times = 2, share = 0.5 }, { "X 4", "RegNetX", times = 4, share = 0.5 },
}
-- Figure 10: the spaces again with more flops, more epochs, five stages, other blocks.  The
-- settings stand behind the letter of a space in the names of populations.
paper.settings = { " flops", " epochs", " 5 stages", " R", " V", " VR" }
for _, letter in ipairs { "A", "E", "X" } do
  local any, reg = "AnyNet", "RegNet"
  local function name(block, stages)
    if letter == "X" then return reg .. block .. stages end
    return any .. block .. letter .. stages
  end
  for _, t in ipairs { { " flops", "X", "", times = 2 }, { " epochs", "X", "", epochs = 2 },
    { " 5 stages", "X", "5" }, { " R", "R", "" }, { " V", "V", "" }, { " VR", "VR", "" } } do
    populations[#populations + 1] = { letter .. t[1], name(t[2], t[3]), times = t.times,
      epochs = t.epochs, share = 0.4, last = true }
  end
end

-- Options of the command line -------------------------------------------------------------

local script = arg[0]:match("[^/]*$")
local function stop(message)
  io.stderr:write(message, "\n", usage:format(script))
  os.exit(2, true)
end

-- Ends the script; within all.lua, only this figure.
local function fail(message)
  if arg.all then error(message, 0) end
  io.stderr:write(script, ": ", message, "\n")
  os.exit(1, true)
end

local options = { scale = "tiny" }
do
  local i = 1
  while arg[i] do
    local key = arg[i]:match("^%-%-(%S+)$")
    if key == "help" or arg[i] == "-h" then
      print((usage:format(script):gsub("\n$", "")))
      os.exit(0, true)
    elseif key == "as-is" then
      options.as_is = true
    elseif key == "scale" or key == "data" or key == "store" or key == "from"
      or key == "pictures" or key == "trainer" or key == "workers" then
      i = i + 1
      options[key] = arg[i] or stop(("%s: --%s needs a value"):format(script, key))
    else
      stop(("%s: unknown option '%s'"):format(script, arg[i]))
    end
    i = i + 1
  end
end
local scale = scales[options.scale]
  or stop(("%s: no scale '%s'; there are tiny, small, paper"):format(script, options.scale))
paper.scale, paper.options = scale, options
options.store = options.store or ("paper-%s.db"):format(options.scale)
local workers = options.workers and math.tointeger(tonumber(options.workers))
if options.workers and not workers then
  workers = {}
  for place in options.workers:gmatch "[^,]+" do table.insert(workers, place) end
end
if options.pictures and not io.open(options.pictures .. "/.") then
  fail(("--pictures: there is no directory %s; make it first (mkdir -p)"):format(options.pictures))
end
local imported
if options.from then
  local message
  imported, message = stats.import(options.from)
  if not imported then fail(message) end
elseif options.as_is then
  local store, message = sweep.open(options.store)
  if not store then fail(message) end
  store:close()
end

-- Populations -------------------------------------------------------------------------------

local by_name = {}
local function register(i)
  local p = populations[i]
  p.name, p.space, p.seed = p[1], p[2], i
  by_name[p.name] = p
end
for i in ipairs(populations) do register(i) end

--- One more population, as those above.
function paper.add(population)
  table.insert(populations, population)
  register(#populations)
end

--- All names, in the order of the list.
function paper.names()
  local list = {}
  for i, p in ipairs(populations) do list[i] = p.name end
  return list
end

--- The names in three lists, to be trained one after the other: the main populations, those
-- of single claims, and those of figure 10, which try the same again.
function paper.turns()
  local main, others, last = {}, {}, {}
  for _, p in ipairs(populations) do
    table.insert(p.main and main or p.last and last or others, p.name)
  end
  return { main, others, last }
end

--- The space of a population at this scale.
function paper.space(name)
  local s = by_name[name].space
  if type(s) == "string" then return scale.spaces[s] end
  return scale.spaces[s[1]]:with(s[2])
end

--- The flops window of a population: a sixth to either side of its middle.
function paper.window(name)
  local middle = scale.unit * (by_name[name].times or 1)
  if options.scale == "paper" then return { middle * 360 / 380, middle * 400 / 380 } end
  return { math.floor(middle * 5 / 6), math.floor(middle * 7 / 6) }
end

--- The networks of a population, each drawn with a seed of its own.
function paper.sample(name)
  local p, setting = by_name[name], {}
  for k, v in pairs(scale.setting) do setting[k] = v end
  local S = paper.space(name)
  if S.stages == 5 and setting.stride then setting.stride = { 1, 2, 2, 2, 1 } end
  setting.seed, setting.flops = p.seed, paper.window(name)
  local n = p.main and scale.n or math.ceil(scale.other * (p.share or 1))
  return S:sample(n, setting)
end

local dataset
local function images()
  if not dataset then
    local spec = options.data or scale.data
      or stop(("%s: --scale %s needs --data cifar10:DIR"):format(script, options.scale))
    local good, opened, message = pcall(data.open, spec, scale.take)
    if not good or not opened then fail(message or opened) end
    dataset = opened
  end
  return dataset
end

--- Trains what is missing of some populations, all at once: a worker trains a network of
-- each in turn, so that an interrupted run has about as many of each.
local trained = {}
function paper.train(names)
  local sweeps = {}
  for _, name in ipairs(names) do
    local r = scale.recipe
    if by_name[name].epochs then
      r = recipe { like = r, epochs = r.epochs * by_name[name].epochs }
    end
    if not trained[name] then
      local good, s = pcall(sweep.start, { store = options.store, name = name, yes = true,
      trainer = options.trainer, workers = workers,
        models = paper.sample(name), data = images(), recipe = r })
      if not good then fail((tostring(s):gsub("^%S+:%d+: ", ""))) end
      sweeps[#sweeps + 1] = s
    end
  end
  for _, s in ipairs(sweeps) do s:wait() end
  for _, name in ipairs(names) do trained[name] = true end
end

-- What a store or an export has of a population; nil and a message when that is nothing.
local function have(name)
  if imported then
    for _, r in ipairs(imported) do
      if r.name == name and #r.errors > 0 then return r end
    end
    return nil, ("nothing of '%s' is in %s yet"):format(name, options.from)
  end
  local store = assert(sweep.open(options.store))
  local good, result = pcall(store.result, store, name)
  store:close()
  if good and #result.errors > 0 then return result end
  return nil, ("nothing of '%s' is in %s yet"):format(name, options.store)
end

--- The results of populations: trained now as far as they are missing, or as the store or an
-- export has them; nil and a message when one is not there.
function paper.find(...)
  local names, list = { ... }, {}
  for _, name in ipairs(names) do
    if not by_name[name] then
      fail(("no population '%s'; there are %s"):format(name, table.concat(paper.names(), ", ")))
    end
  end
  if options.scale == "paper" then
    paper.forecast(names)
    os.exit(0, true)
  end
  if not (options.from or options.as_is) then paper.train(names) end
  for i, name in ipairs(names) do
    local message
    list[i], message = have(name)
    if not list[i] then return nil, message end
  end
  return table.unpack(list)
end

--- The same; without one of them there is no figure.
function paper.results(...)
  local found = table.pack(paper.find(...))
  if not found[1] then fail(found[2]) end
  return table.unpack(found, 1, found.n)
end

--- What populations would take in the paper's setting, from the speed of a few networks.
function paper.forecast(names)
  local total = 0
  for _, name in ipairs(names) do
    local models = paper.sample(name)
    local flops, rate = 0.0, 0.0 -- floats: an integer is too small
    for _, m in ipairs(models) do flops = flops + arch.complexity(m).flops end
    for i = 1, 2 do
      rate = rate + net.benchmark(models[i], { batch = 4, seconds = 0.3 }).gflops / 2
    end
    local epochs = scale.recipe.epochs * (by_name[name].epochs or 1)
    local seconds = flops * epochs * scale.images * 6 / (rate * 1e9)
    print(("%-14s %4d models of %3.0f MF, %d epochs of %d images: %.1f core-years at %.0f GF/s")
      :format(name, #models, flops / #models / 1e6, epochs, scale.images,
        seconds / (365.25 * 86400), rate))
    total = total + seconds
  end
  print(("in all %.1f core-years; netspace does not read ImageNet, so this is where it ends")
    :format(total / (365.25 * 86400)))
end

--- Shows a picture, or writes it where --pictures says.
function paper.show(name, picture)
  if options.pictures then
    local path = ("%s/%s.svg"):format(options.pictures, name)
    local good, message = picture:save(path)
    if not good then fail(message) end
    print("picture: " .. path)
  else
    picture:show()
  end
end

--- The networks of a result for which f holds, and the others, as results of their own;
-- nothing when either has fewer than two.
function paper.split(result, name, f)
  local yes = { name = result.name .. ", " .. name, errors = {}, models = {} }
  local no = { name = result.name .. ", the others", errors = {}, models = {} }
  yes.unfinished = result.n and result.n > #result.errors
  no.unfinished = yes.unfinished
  for i, m in ipairs(result.models) do
    local part = f(m) and yes or no
    table.insert(part.errors, result.errors[i])
    table.insert(part.models, m)
  end
  if #yes.models > 1 and #no.models > 1 then return yes, no end
end

--- Several results as one whose models have the column `setting`, 1 for those of the first;
-- and what compares two of these setting by setting, each of the same weight.
function paper.join(name, list)
  local all = { name = name, n = 0, errors = {}, models = {}, columns = { setting = {} } }
  for i, r in ipairs(list) do
    all.n = all.n + r.n
    for k, e in ipairs(r.errors) do
      table.insert(all.errors, e)
      table.insert(all.models, r.models[k])
      table.insert(all.columns.setting, i)
    end
  end
  return all, { by = "setting", bins = #list, range = { 1, #list } }
end

--- Prints which values of properties the best model has (the paper's empirical bootstrap).
function paper.bands(result, properties)
  for _, p in ipairs(properties) do
    print(("%s: %s"):format(result.name, stats.bootstrap(result, p)))
  end
end

return paper
