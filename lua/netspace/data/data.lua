--- Data sets: the built-in drawn `shapes`, and CIFAR-10 from its binary files.
-- Normalisation and augmentation follow pycls (data/batch.h).
--
--   local d = data.open("shapes", { train = 4000, test = 1000, seed = 1 })
--   print(d, d:card().checksum)

local core = require "netspace.core.data"
local blame = require "netspace.lib.blame"
local document = require("netspace.lib.doc").group "data"
local looks = require "netspace.lib.looks"
local members = require "netspace.lib.members"
local options = require "netspace.lib.options"
local paths = require "netspace.lib.path"
local sys = require "netspace.core.sys"

local M = {}

-- How to open a data set again from any directory, where its name is not enough.
local sources = setmetatable({}, { __mode = "k" })

-- The data sets: how many images each has at most, what follows the colon, and how to open it.
local kinds = {
  shapes = {
    what = '"shapes" (ten drawn figures)', train = 1000000, validation = 1000000, test = 1000000,
    open = function(_, o) return core.shapes(o) end,
  },
  cifar10 = {
    what = '"cifar10:DIR" (CIFAR-10, binary version, in the folder DIR)',
    train = 50000, validation = 49999, test = 10000, argument = "DIR",
    open = function(dir, o)
      local set, message = core.cifar10(dir:sub(1, 2) == "~/" and paths.absolute(dir) or dir, o)
      if set then sources[set] = "cifar10:" .. paths.absolute(dir) end
      return set, message
    end,
  },
}

--- The names data.open knows, sorted.
-- @treturn table list of strings
function M.names()
  local list = {}
  for name in pairs(kinds) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function is_dataset(x)
  return members.kind(x) == "dataset"
end

local words = { train = "training", validation = "validation", test = "test" }

-- How many images of a split, nil when nobody says; validation may be 0.
local function count(o, key, name, most)
  local n = o[key]
  if n == nil then return nil end
  local least = key == "validation" and 0 or 1
  if n < least or n > most then
    error(("data.open: %s = %d; '%s' has %d to %d %s images"):format(key, n, name, least, most,
      words[key]), 3)
  end
  return math.tointeger(n)
end

options.declare("data.open", { train = "integer", validation = "integer", test = "integer",
  seed = "integer", pad = "integer" })

--- How to open a data set again, from any directory: the arguments of data.open, as a table.
function M._source(set)
  local card = set:card()
  return { spec = sources[set] or card.spec, train = card.train_n,
    validation = card.validation_n, test = card.test_n, seed = card.seed, pad = card.pad }
end

--- Opens a data set that _source told of; one of the time before there were validation images
-- had none.
function M._reopen(source)
  local o = {}
  for k, v in pairs(source) do o[k] = v end
  o.spec, o.validation = nil, source.validation or 0
  return M.open(source.spec, o)
end

function core.methods.looks(set)
  local n, networks = looks.of(set:test_checksum())
  return n, networks
end

--- Opens a data set.
-- @tparam string|dataset spec "shapes", "cifar10:DIR", or an open data set
-- @tparam[opt] table opts train, validation, test: how many images; seed (1); pad (4)
-- @treturn dataset or nil and a message when files are missing or damaged
function M.open(spec, opts)
  local o = options.check("data.open", opts)
  if is_dataset(spec) then
    if next(o) == nil then return spec end
    local card = spec:card()
    o = { train = o.train or card.train_n, validation = o.validation or card.validation_n,
      test = o.test or card.test_n, seed = o.seed or card.seed, pad = o.pad or card.pad }
    spec = card.spec
  end
  if type(spec) ~= "string" then
    error(("data.open expects 'shapes', 'cifar10:DIR' or a dataset, got %s"):format(type(spec)), 2)
  end
  local name, argument = spec:match("^([^:]*):(.*)$")
  name = name or spec
  local kind = kinds[name]
  if not kind then
    local what = M.names()
    for i, known in ipairs(what) do what[i] = kinds[known].what end
    error(("data.open: there is no data set '%s'%s; what can be opened is %s"):format(spec,
      options.hint(name, kinds), table.concat(what, " and ")), 2)
  end
  if kind.argument and (argument or "") == "" then
    error(("data.open: '%s' needs the directory of its files: '%s:%s'"):format(name, name,
      kind.argument), 2)
  elseif argument and not kind.argument then
    error(("data.open: nothing may follow the name '%s', got ':%s'"):format(name, argument), 2)
  end
  local how = { seed = math.tointeger(o.seed or sys.seed()) }
  for key in pairs(words) do how[key] = count(o, key, name, kind[key]) end
  local pad = math.tointeger(o.pad or 4)
  if pad < 0 or pad > 16 then
    error(("data.open: pad = %d; training images are padded by 0 to 16 pixels"):format(pad), 2)
  end
  how.pad = pad
  local set, why = kind.open(argument, how)
  if not set then return blame.nothing("data.open", why) end
  return set
end

document("data.open", [[
  data.open(spec [, { train=, validation=, test=, seed=, pad= }])
      -> dataset, or nil and a message
  Opens a data set: training images; validation images, by which sweeps compare networks; and
  test images, which only net:test looks at, of a network already chosen.
    spec    "shapes"        ten kinds of drawn figures, 32x32 RGB, made in half a second
            "cifar10:DIR"   CIFAR-10, binary version: data_batch_1.bin ... test_batch.bin in DIR
            a dataset       the same data with other options
    train        training images (shapes 10000; cifar10 the 45000 that are not for validation)
    validation   validation images (as many as test where that is given; else shapes 2000,
                 cifar10 5000).  Of cifar10 they are taken out of the training images, of each
                 class the same share.  0: none, and the test images serve for both, as in
                 stores that were written before there were validation images
    test         test images (shapes 2000, cifar10 all 10000)
    seed    of the drawn images, or of the choice of a subset (1); subsets are balanced over
            the classes, and a smaller one is the beginning of a larger one
    pad     zeros around a training image before it is cropped at random (4, as in pycls);
            fewer are better for trainings of few epochs
  Training images are padded, cropped at random and flipped half of the time, unless the
  recipe says otherwise (augment).
  example: data.open("shapes", { train = 100, test = 20 })
  source: pycls datasets (normalisation, augmentation); Krizhevsky 2009 (CIFAR-10)]])

document("data.names", [[
  data.names() -> list of strings
  The names of the data sets that data.open knows.
  example: data.names()]])

document("dataset:card", [[
  dataset:card() -> table
  What a data set is: name, spec (opens it again), seed, classes, class_names, image (pixels a
  side), channels (3: red, green, blue; 1: gray), train_n, validation_n (0: the test images
  serve for both), test_n, pad, mean and std (of the channels: images are normalised by them),
  checksum (of the training and validation images) and test_checksum.
  example: data.open("shapes", { train = 100, test = 20 }):card().class_names]])

document("dataset:image", [[
  dataset:image(split, i) -> pixels, label, name
  One image to look at: a flat list of bytes by row, column and channel (red, green, blue), its
  label (from 0) and the name of its class.
    split   "train", "validation" or "test"
    i       from 1 to train_n, validation_n or test_n of the card
  example: select(3, data.open("shapes", { train = 10, test = 10 }):image("train", 1))]])

document("dataset:input", [[
  dataset:input(split, i) -> numbers, label, name
  One image as a network takes it: as dataset:image, but normalised (minus the mean, divided
  by std), neither cropped nor flipped.
  example: #data.open("shapes", { train = 10, test = 10 }):input("test", 1)]])

document("dataset:checksum", [[
  dataset:checksum() -> string
  The SHA-256 of the training and validation images and labels in use, so that a result shows
  what it was trained and compared on.
  Computed once, when it is first needed.
  example: data.open("shapes", { train = 10, test = 10 }):checksum()]])

document("dataset:test_checksum", [[
  dataset:test_checksum() -> string
  The same of the test images: looks at them are counted by it (net:test).
  example: data.open("shapes", { train = 10, test = 10 }):test_checksum()]])

document("dataset:looks", [[
  dataset:looks() -> n, networks
  How often net:test has looked at these test images on this account, and at how many different
  networks.  The more often, the less the best of these errors says of new images.
  example: data.open("shapes", { train = 10, test = 10 }):looks()]])

document("dataset:close", [[
  dataset:close()
  Frees the memory or the mapped files; using the data set afterwards raises.
  example: data.open("shapes", { train = 10, test = 10 }):close()]])

return M
