--- Networks that can be trained, saved and measured.
-- Structure and parameter names follow pycls (AnyNet, RegNet); files are safetensors.
--
--   n = net.new(arch.anynet{ d = {1, 1}, w = {16, 32}, stem = "cifar" }, { seed = 1 })
--   print(n:train(data.open("shapes"), recipe.quick).error)

local absent = require "netspace.lib.absent"
local benchmark = require "netspace.core.benchmark"
local blame = require "netspace.lib.blame"
local confusions = require "netspace.network.confusion"
local core = require "netspace.core.net"
local document = require("netspace.lib.doc").group "net"
local pretty = require "netspace.lib.pretty"
local exports = require "netspace.network.export"
local looking = require "netspace.core.look"
local looks = require "netspace.lib.looks"
local predictions = require "netspace.network.predict"
local profiles = require "netspace.network.profile"
local members = require "netspace.lib.members"
local options = require "netspace.lib.options"
local final = require("netspace.network.arch")._final
local hash = require("netspace.network.arch").hash
local recipe = require "netspace.network.recipe"
local sys = require "netspace.core.sys"
local weights = require "netspace.network.weights"

local M = {}
local methods = core.methods
local arch_of = methods.arch
local THREADS_MOST = 256 -- that a network can use

options.declare({ "net:test", "net:confusion" }, { split = "string" })
for _, name in ipairs { "net:test", "net:confusion" } do
  options.words[name .. ": split"] = { "train", "validation", "test" }
end
options.declare("net.new", { seed = "integer", batch = "integer" })
options.declare("net:train: progress", { threads = "integer", progress = "function" })
options.declare({ "net.benchmark", "net.profile" },
  { mode = "string", batch = "integer", seconds = "number" })
for _, name in ipairs { "net.benchmark", "net.profile" } do
  options.words[name .. ": mode"] = { "train", "test" }
end

-- Calls the core; its exceptions name the function that the user called and blame the user's
-- line.
local function call(where, f, ...)
  local function say(err)
    return type(err) == "string"
      and where .. ": " .. blame.bare(err):gsub("^bad argument #%d+ to '[^']*' ", "")
  end
  local results = table.pack(blame.call(2, say, f, ...))
  return table.unpack(results, 1, results.n)
end

-- What a net was trained on, as far as whoever uses it must know: its classes, and how an image
-- becomes the numbers that it takes.
local trained_on = setmetatable({}, { __mode = "k" })

--- The net is trained on this data set from now on; which: of its weights it has then, "average" or
-- "last".
function M._trained(n, set, which)
  local card = set:card()
  trained_on[n] = { name = card.spec, checksum = card.checksum, image = card.image,
    mean = card.mean, std = card.std, class_names = card.class_names,
    channels = card.channels == 1 and "gray" or "RGB", scale = card.scale, resize = card.resize,
    size = card.size, size_resize = card.size_resize, background = card.background,
    weights = which == "average" and which or nil }
end

-- A copy of a network, down to its lists: whoever changes one of the two changes no other.
local function copy(m)
  local t = {}
  for k, v in pairs(m) do t[k] = type(v) == "table" and copy(v) or v end
  return t
end

-- Why an image cannot be read, with what was done about it.
local function unreadable(data, why)
  local mended, text = data:_mend(why)
  return mended and text .. ": open the data again" or text
end

-- Calls f, which reads the data; the reason of an exception is said as above.
local function reading(data, f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local why = results[2]
  local said = type(why) == "string" and members.kind(data) == "dataset"
  error(said and unreadable(data, why) or why, 0)
end

local function is_net(x)
  return members.kind(x) == "net"
end

local function check_net(where, x)
  if not is_net(x) then
    error(("%s expects a net (write n:%s), got %s")
      :format(where, where:match("%a+$"), type(x)), 3)
  end
end

local function size(n, missing)
  return math.tointeger(n or missing or 32)
end

--- Makes a network with fresh weights.
-- @tparam table m from arch.anynet, arch.regnet, zoo or a population
-- @tparam[opt] table opts seed (1): of weights, order and augmentation; batch (32)
-- @treturn net
function M.new(m, opts)
  local o = options.check("net.new", opts)
  if type(m) ~= "table" then
    error(("net.new expects an architecture, such as arch.anynet{…}, got %s")
      :format(type(m)), 2)
  end
  return call("net.new", function()
    return core.new(copy(final(m)), size(o.batch), size(o.seed, sys.seed()))
  end)
end

--- Loads a network of a file of weights.
-- @tparam string path
-- @tparam[opt] table opts as net.new (seed names the order of further training), classes, image,
-- channels
-- @treturn net or nil and a message
function M.load(path, opts)
  local o = options.check("net.load", opts)
  if type(path) ~= "string" then
    error(("net.load expects a path, got %s"):format(type(path)), 2)
  end
  local file, message = call("net.load", weights.open, path, o.channels)
  if not file then return nil, message end
  local m, assumed = weights.network(file, path)
  if not m then return nil, assumed end
  local made, n = pcall(function()
    return core.new(weights.changed(m, o), size(o.batch), size(o.seed, sys.seed()))
  end)
  if not made then
    if n == "interrupted" then error(n, 0) end
    return nil, path .. ": " .. blame.bare(tostring(n))
  end
  local about
  about, message = weights.read(n, path, file, o.classes ~= nil)
  if about == nil then
    n:close()
    return nil, message
  end
  trained_on[n] = about or nil
  if assumed then
    weights.say("%s does not say which network it is of; by its tensors (names of %s) it is %s, %s",
      path, file.whose, pretty._network(m), assumed)
  end
  if o.classes then
    weights.say("%s: the head for %d classes is freshly drawn (seed %d); that of the file is for "
      .. "%d", path, o.classes, size(o.seed, sys.seed()), m.classes)
  end
  return n
end

function methods.save(n, path, opts)
  check_net("net:save", n)
  if type(path) ~= "string" then
    error(("net:save expects a path, got %s"):format(type(path)), 2)
  end
  local o = options.check("net:save", opts)
  local other = absent.format(path)
  if other then error(("net:save: '%s': %s"):format(path, other), 2) end
  return call("net:save", weights.write, n, path, trained_on[n], o)
end

function methods.load(n, path, opts)
  check_net("net:load", n)
  if type(path) ~= "string" then
    error(("net:load expects a path, got %s"):format(type(path)), 2)
  end
  local o = options.check("net:load", opts)
  local file, message = call("net:load", weights.open, path, o.channels)
  if not file then return nil, message end
  local about
  about, message = call("net:load", weights.read, n, path, file, false)
  if about == nil then return nil, message end
  trained_on[n] = about or nil
  return n
end

function methods.data(n)
  check_net("net:data", n)
  call("net:data", arch_of, n) -- refuses a closed one
  return trained_on[n] and copy(trained_on[n])
end

function methods.export(n, dir, o)
  check_net("net:export", n)
  if type(dir) ~= "string" or dir == "" or dir:find "\0" then
    error(("net:export expects the name of a directory, got %s"):format(type(dir) == "string"
      and ("%q"):format(dir) or type(dir)), 2)
  end
  call("net:export", n.arch, n) -- raises when it is closed
  return exports.write(n, dir, trained_on[n], o)
end

function methods.arch(n)
  check_net("net:arch", n)
  return copy(call("net:arch", arch_of, n))
end

-- All cores are for one network: the results do not depend on how many.
local function all_cores(n)
  core.threads(n, math.min(sys.cores(), THREADS_MOST))
end

function methods.train(n, data, r, o)
  check_net("net:train", n)
  if type(r) == "function" and o == nil then r, o = nil, r end
  if type(o) == "function" then o = { progress = o } end
  o = options.check("net:train", o, 1, "net:train: progress")
  r = recipe._complete("net:train", r, 1, recipe.quick)
  local idle = members.kind(data) == "dataset" and recipe._idle(r, data:card().channels)
  if idle then error("net:train: " .. idle, 2) end
  -- Weights that were trained on other data go on with the mean and deviation they know.
  local about, look = trained_on[n], nil
  if about and about.mean and members.kind(data) == "dataset"
    and about.checksum ~= data:card().checksum then
    look = { mean = about.mean, std = about.std }
  end
  call("net:train", arch_of, n) -- refuses a closed one, and one that is training
  if o.threads then call("net:train", core.threads, n, o.threads) else all_cores(n) end
  local result = call("net:train", core.run, n, data, r, o.progress, nil, look)
  if result.status == "unreadable" then result.reason = unreadable(data, result.reason) end
  result.weights = result.status == "done" and recipe._weights(r) or "last"
  M._trained(n, data, result.weights)
  if look then trained_on[n].mean, trained_on[n].std = look.mean, look.std end
  return result
end

local forward = methods.forward

function methods.forward(n, ...)
  if is_net(n) then all_cores(n) end
  return (call("net:forward", forward, n, ...))
end

local splits = { train = true, validation = true, test = true }

-- Which split to measure: "test" when nothing else is asked.
local function split_of(where, opts)
  local split = options.check(where, opts, 2).split or "test"
  if not splits[split] then
    error(("%s: split is '%s'%s; it must be \"test\", \"validation\" or \"train\""):format(where,
      split, options.hint(split, splits)), 3)
  end
  return split
end

-- A look at the test images is noted; where they also serve for validation, whoever asks for
-- those looks at them as well.
local function note(n, data, split, error_percent)
  if split ~= "test" then return nil end
  local test = data:test_checksum()
  if not looks.note { test = test, data = data:checksum(), error = error_percent,
    network = hash(n:arch()) } then return nil end
  return (looks.of(test))
end

-- What class names are not in another list: "'a', 'b' and 3 more".
local function missing(names, from)
  local known, list = {}, {}
  for _, name in ipairs(from) do known[name] = true end
  for _, name in ipairs(names) do
    if not known[name] then list[#list + 1] = ("'%s'"):format(name) end
  end
  local more = #list - 3
  return table.concat(list, ", ", 1, math.min(3, #list))
    .. (more > 0 and (" and %d more"):format(more) or "")
end

-- How a net sees a data set that it was not trained on: its own mean and deviation, and for each
-- class of the data its own number of that name.  Nil: as the data set is.  Second, the names of
-- the classes in the order of the logits.
local function seen(where, n, data)
  local about = trained_on[n]
  if members.kind(data) ~= "dataset" then return nil end -- core says so
  local card = data:card()
  if not about or about.checksum == card.checksum then return nil, card.class_names end
  local names = about.class_names or card.class_names
  if #names ~= card.classes then return nil, card.class_names end -- core says so
  local of, labels = {}, {}
  for k, name in ipairs(names) do of[name] = k - 1 end
  for k, name in ipairs(card.class_names) do labels[k] = of[name] end
  for k = 1, #names do
    if not labels[k] then
      error(("%s: the classes differ: %s of %s, on which the net was trained, and %s of %s: give "
        .. "the same classes the same names, or train the net on these data first"):format(where,
        missing(names, card.class_names), about.name, missing(card.class_names, names),
        card.spec), 3)
    end
  end
  return { mean = about.mean or card.mean, std = about.std or card.std, labels = labels }, names
end

function methods.test(n, data, opts)
  check_net("net:test", n)
  local split = split_of("net:test", opts)
  call("net:test", arch_of, n)
  all_cores(n)
  local e, metrics = call("net:test", reading, data, core.test, n, data, split,
    (seen("net:test", n, data)))
  metrics.looks = note(n, data, split, e)
  return e, metrics
end

function methods.confusion(n, data, opts)
  check_net("net:confusion", n)
  local split = split_of("net:confusion", opts)
  call("net:confusion", arch_of, n)
  all_cores(n)
  local look, names = seen("net:confusion", n, data)
  local matrix, answers = call("net:confusion", reading, data, core.confusion, n, data, split,
    look)
  local c, labels = confusions.new(matrix, names, split), looking.labels(data, split)
  confusions.show(c, answers, function(i)
    return look and look.labels[labels[i] + 1] or labels[i]
  end, function(i) return data:name(split, i) end)
  note(n, data, split, c.error)
  return c
end

function methods.predict(n, what)
  check_net("net:predict", n)
  call("net:predict", arch_of, n) -- refuses a closed one
  local about = trained_on[n]
  if not (about and about.mean and about.class_names) then
    error("net:predict: the net was not trained, or its file does not say on what: nobody knows "
      .. "its classes, nor how it takes images", 2)
  end
  all_cores(n)
  return call("net:predict", predictions.predict, n, about, what)
end

-- "train" or "test", train when not given.
local function check_mode(where, mode, level)
  mode = mode or "train"
  if mode ~= "train" and mode ~= "test" then
    error(("%s: mode is '%s'; it must be \"train\" or \"test\""):format(where,
      tostring(mode)), (level or 1) + 2)
  end
  return mode
end

function methods.plan(n, mode)
  check_net("net:plan", n)
  return profiles.plan(call("net:plan", core.plan, n), check_mode("net:plan", mode))
end

-- A benchmark of m (an architecture or a net) for the function `where`; mode, seconds.
local function benchmark_of(where, m, opts, seconds)
  local o = options.check(where, opts, 2)
  local mode = check_mode(where, o.mode, 2)
  seconds = o.seconds or seconds
  if not (seconds > 0 and seconds <= 3600) then
    error(("%s: seconds is %g; it must be above 0, to 3600"):format(where, seconds), 3)
  end
  if is_net(m) then m = m:arch() end
  if type(m) ~= "table" then
    error(("%s expects an architecture or a net, got %s"):format(where, type(m)), 3)
  end
  return call(where, benchmark.new, m, math.tointeger(o.batch or 64)), mode, seconds
end

--- How fast a network runs on one core here.
function M.benchmark(m, opts)
  local b <close>, mode, seconds = benchmark_of("net.benchmark", m, opts, 3)
  local speed = b:run(mode == "train", seconds)
  speed.sgemm_gflops = benchmark.sgemm() / 1e9
  return speed
end

--- Where the time of a step goes.
function M.profile(m, opts)
  local b <close>, mode, seconds = benchmark_of("net.profile", m, opts, 1)
  return profiles.profile(b:profile(mode == "train", seconds), mode)
end

document("net.new", [[
  net.new(m [, { seed =, batch = }]) -> net
  A network with fresh weights, ready to train.
    m       an architecture: arch.anynet{…}, arch.regnet{…}, zoo[…] or one of a population
    seed    of the weights, the order of images and their augmentation (1)
    batch   images at a time in forward and test (32); training takes the recipe's
  Weights as in pycls: convolutions N(0, 2/(k·k·w_out)), batch norm 1, 0, head N(0, .01).
  example: net.new(arch.anynet{ d = {1, 1}, w = {16, 32}, stem = "cifar" })
  source: arXiv 2003.13678; pycls anynet.py]])

document("net.load", [=[
  net.load(path [, { classes =, image =, channels =, seed =, batch = }]) -> net, or nil, message
  A network with the architecture and weights of a safetensors file, by the names of pycls, timm or
  torchvision, which it recognises.  Of a file that does not say its architecture (another
  program's) that is read off its tensors, for RegNets, ResNets, EfficientNets, and that is said.
    classes    another head, freshly drawn by seed, which is said: for training on other images
               (net:train with freeze = "body", then lr_scale)
    image      pixels a side of its images, where it is to take others than those of the file
    channels   "BGR": the file is for images with blue first, as pycls's of ImageNet, and does not
               say it; the first convolution is turned, for networks here take red first
  Files of PyTorch become safetensors by scripts/from_torch.py; man netspace-exchange has more.
  example: net.load("nothing.safetensors", { classes = 10 })]=])

document("net.benchmark", [[
  net.benchmark(m [, { mode =, batch =, seconds = }])
      -> { images_per_s =, gflops =, sgemm_gflops =, peak_bytes =, faults =, … }
  Speed of a network on one core, on random images, and of a matrix product beside it.
    m        an architecture or a net
    mode     "train" (forward, backward, step) or "test"
    batch    images at a time (64)
    seconds  processor seconds to measure (3)
  gflops counts 2 operations a multiply-add, and 3 passes when training; peak_bytes is all
  memory of the network; faults (pages touched for the first time) and switches (waits for
  the system) are per step; steps says how many steps were timed.
  example: net.benchmark(arch.anynet{ d = {1}, w = {8} }, { seconds = 0.05 }).steps]])

document("net.profile", [[
  net.profile(m [, { mode =, batch =, seconds = }]) -> profile
  Where the time of a step goes, operation by operation and by kind.  Prints as a table of
  time, share, operations and bytes a second, and the share of what the machine can do.
    m        an architecture or a net
    mode     "train" (default) or "test"
    batch    images at a time (64)
    seconds  how long to measure (1); of each operation the fastest time counts
  Fields: seconds, images_per_s and operations, a list of records; profile:kinds() has the
  totals.
  example: net.profile(arch.anynet{ d = {1}, w = {8} }, { seconds = 0.05 })]])

document("profile:kinds", [[
  profile:kinds() -> list of { kind =, seconds =, operations =, bytes =, bound = }
  The totals of a profile by kind of operation, the longest first; bound is the least time
  the machine needs for it.
  example: net.profile(arch.anynet{ d = {1}, w = {8} }, { seconds = 0.05 }):kinds()[1].kind]])

document("net:train", [=[
  net:train(data [, recipe [, { progress =, threads = }]])
      -> { status =, error =, epochs =, … }
  Trains on a data set: random order and augmentation each epoch, measured after each on the
  validation images.
    recipe    as for recipe{ … }; what is not given is as in recipe.quick
    threads   how many processor cores (all); the results are the same bits for any number
    progress  function called with each event; returning false stops the training (it may
              also stand in place of the table)
              { kind = "epoch", epoch =, lr =, train_loss =, train_error =,
                validation_error =, validation_loss =, top5_error =, class_error =,
                seconds =, images_per_s = }
              { kind = "step", epoch =, step =, steps =, loss = }, at most ten a second
  status is "done", "diverged" (error 100, a reason), "interrupted", "stopped" or "unreadable"
  (an image could not be read: a reason); error is the last validation error in percent, with
  validation_loss, top5_error and class_error as net:test has them.  weights is "average" where
  the net in the end is the moving average of its weights (recipe{ ema = … }), otherwise "last".
  A net may be trained again, on other data with the mean and deviation that it knows; momentum
  starts from 0.
  example: net.new(arch.anynet{ d = {1}, w = {16} }):train(D, { epochs = 2, batch = 32 })
  source: pycls trainer.py]=])

document("net:test", [[
  net:test(data [, { split = "test" }]) -> percent, metrics
  The error on the test images: how often the largest logit is not the label.  Sweeps, and
  whoever chooses a network, look at the validation images; test images are for a network
  already chosen, once: looks at them are counted in $XDG_STATE_HOME/netspace/tests.jsonl.
    split   "test", "validation" or "train" (not augmented)
  Of other data than the net was trained on, classes are matched by their names (the same names
  in any order), and pixels normalised by the net's own mean and deviation (net:data), as whoever
  uses its weights does.
  metrics has error and
    loss          cross-entropy
    top5_error    in percent: the label is not among the five largest logits; nil of five
                  classes and fewer
    class_error   in percent: the mean of the errors of every class that has images, which
                  counts rare classes like others
    n, looks      images; how often these test images were looked at so far
  example: net.new(arch.anynet{ d = {1}, w = {8} }):test(data.open("shapes"))
  source: pycls meters.py]])

document("net:confusion", [[
  net:confusion(data [, { split = "test" }]) -> confusion
  Which classes are taken for which.  Prints as a matrix, where that fits 80 columns, and as the
  pairs that are most often mistaken; c:table("csv"), as rows:table, gives the whole matrix.
    split   "test", "validation" or "train" (not augmented)
  .matrix has a row for each class, in the order of .class_names (that of the net): how many of
  its images got each answer (an image whose logits are no numbers none).  .worst are the pairs:
  class, taken_for, n, of, share, label, answer (from 0), and of up to three such images .images,
  their numbers in the split, and .files, their names where they are from files.  .error and
  .class_error are those of net:test, .n and .n_wrong the images.  A look at the test images counts
  as net:test does.
  example: net.new(arch.anynet{ d = {1}, w = {8} }):confusion(D, { split = "validation" })]])

document("net:predict", [[
  net:predict(file) -> prediction, or nil and a message
  net:predict{ file, … } -> list of predictions, or nil and a message
  What the network says of an image: the classes with their probabilities (softmax of the logits),
  the most likely first.  Prints the first five.
    file   a JPEG, PNG, WebP, PPM or BMP file.  It goes through the steps that the images the net
           was trained on went through (net:data): the short side to size where it is larger,
           then to scale * image, the middle cut out, minus the mean, divided by std.  Or an image
           as dataset:image gives it, which is only normalised
  p[1].class, .p and .label (from 0) are of the most likely class, as are p.class, p.p and p.label;
  of a list of files each has .file.  Probabilities are those of a network that is often too sure:
  they order classes, and say less of how often it is right.
  example: n = net.new(arch.anynet{ d = {1}, w = {8} }) n:train(D) n:predict{ "a.jpg", "b.jpg" }
  example: n = net.new(arch.anynet{ d = {1}, w = {8} }) n:train(D) n:predict(D:image("test", 1))]])

document("net:forward", [[
  net:forward(images) -> list of lists of logits
  The logits of images; batch norm uses its running statistics.
    images   a list; each image a flat list of image·image·3 numbers by row, column,
             channel (red, green, blue), normalised: what dataset:input gives
  example: net.new(arch.anynet{ d = {1}, w = {8}, image = 1 }):forward{ { 0, 0, 0 } }]])

document("net:params", [[
  net:params() -> list of { name =, shape =, count =, group = }
  Every parameter and buffer, by pycls's names; shapes as in PyTorch; group is "weight",
  "bn", "bias" (weight decay differs) or "buffer".
  example: net.new(arch.anynet{ d = {1}, w = {8} }):params()[1].name]])

document("net:values", [[
  net:values(name) -> flat list of numbers
  The values of a parameter, in the order of its shape.
  example: #net.new(arch.anynet{ d = {1}, w = {8} }):values("head.fc.bias")]])

document("net:plan", [[
  net:plan([mode]) -> plan
  The operations of a step: their shapes, what is fused with each, and where its result lies
  in the memory of the network.  Prints as a table.
    mode   "train" (default) or "test"
  Fields: operations and tensors, lists of records.  A tensor has holds (its content), size,
  bytes, offset, first and last (the times of its uses), and kept (for the backward pass).
  example: net.new(arch.anynet{ d = {1}, w = {8} }):plan()
  example: net.new(arch.anynet{ d = {1}, w = {8} }):plan("test").tensors]])

document("net:save", [=[
  net:save(path [, { names = "pycls", channels = "RGB" }]) -> true, or nil and a message
  Writes the weights as safetensors, in the metadata the architecture and what it was trained on
  (net:data).
    names      "timm" or "torchvision": a RegNet (stem "simple", blocks "x"), a ResNet (stem
               "res") or an EfficientNet (blocks "mb") loads there, by load_state_dict
    channels   "BGR": for images with blue first, as pycls feeds ImageNet
  The file appears whole or not at all.
  example: net.new(arch.anynet{ d = {1}, w = {8} }):save("net.safetensors")]=])

document("net:load", [=[
  net:load(path [, { channels = "BGR" }]) -> the net, or nil and a message
  Takes the weights of a safetensors file by the names of pycls, timm or torchvision into a network
  made from its architecture, also of a file that does not say which network it is of.
  The first name or shape that differs is named; the net is as it was then.
  example: net.new(arch.anynet{ d = {1}, w = {8} }):load("nothing.safetensors")]=])

document("net:data", [=[
  net:data() -> { name =, mean =, std =, class_names =, image =, … }, or nil
  What the weights were trained on: its classes in the order of the logits, and how an image
  becomes what the net takes: the short side brought to size (where it is larger; of images from
  files), by size_resize ("antialias" or "pycls"), with background under what is transparent;
  then to round(scale * image), by resize; image pixels a side cut out of the middle; pixels
  (channels, 0 to 255) minus mean, divided by std.  It is saved with the weights; nil where a net
  was not trained.
  example: net.new(arch.anynet{ d = {1}, w = {8} }):data()]=])

document("net:export", [=[
  net:export(dir, { c = false, fold = true, normalise = true }) -> { onnx =, … }, or nil, message
  All that other programs need, in a directory that is made where it is missing:
    net.safetensors   the weights (net:save)
    torch_anynet.py   for PyTorch: load("net.safetensors") gives the torch.nn.Module with these
                      weights, and .mean, .std, .class_names and .image of the data it was
                      trained on; see(net, picture) makes of a picture of Pillow's what it takes
    net.onnx          for ONNX runtimes: opset 17, input "image" (N, channels, side, side), red
                      first, output "logits" (N, classes); class names, mean, deviation and the
                      order of the channels in its metadata.  Beyond 2 GiB the weights lie in
                      net.onnx.data
    net.c, net.h, demo.c   with c = true: C that needs only libm, for one image at a time; of more
                      than a million weights, net.weights beside it.
                      cc -O3 -march=native net.c demo.c -lm; ./a.out picture.ppm
    fold        batch norms of net.onnx go into the convolutions before them (those of net.c do)
    normalise   net.onnx takes pixels from 0 to 255 and normalises them itself (net.c does); where
                nobody knows how the net was trained, it takes what is normalised
  .onnx: whether there is one (the build needs protobuf-c and ONNX's schema); .normalised, what it
  takes; .memory, the bytes of static memory that net.c takes.
  example: net.new(arch.anynet{ d = {1}, w = {8} }):export("best")
  source: onnx.proto and Operators.md of ONNX]=])

document("net:arch", [[
  net:arch() -> m
  The architecture of the network, as it is trained and saved; the table is your own.
  example: net.new(arch.anynet{ d = {1}, w = {8} }):arch().w]])

document("net:bytes", [[
  net:bytes() -> integer
  All memory of the network at its batch: weights, gradients, momentum and activations.
  example: net.new(arch.anynet{ d = {1}, w = {8} }, { batch = 1 }):bytes()]])

document("net:close", [[
  net:close()
  Frees the memory; using the net afterwards raises.
  example: net.new(arch.anynet{ d = {1}, w = {8} }):close()]])

return M
