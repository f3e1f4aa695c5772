--- Data sets: the built-in drawn `shapes`, CIFAR-10 from its binary files, and what goes through a
-- pack: folders of images, archives, lists, and arrays (data/feed.h).
--
--   local d = data.open("shapes", { train = 4000, test = 1000, seed = 1 })
--   local e = data.open("~/photos", { image = 96 })
--   print(d, d:card().checksum)

local cache = require "netspace.data.cache"
local core = require "netspace.core.data"
local background = require "netspace.lib.background"
local blame = require "netspace.lib.blame"
local describe = require "netspace.data.describe"
local document = require("netspace.lib.doc").group "data"
local looks = require "netspace.lib.looks"
local members = require "netspace.lib.members"
local options = require "netspace.lib.options"
local packs = require "netspace.core.pack"
local paths = require "netspace.lib.path"
local show = require "netspace.data.show"
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}

-- Of open data sets: how to open each again from any directory, where its card does not say; and
-- what its card has besides.
local sources = setmetatable({}, { __mode = "k" })
local cards = setmetatable({}, { __mode = "k" })
-- Of those whose pack lies in the cache: what the cache was asked for, and the path of the pack.
local kept = setmetatable({}, { __mode = "k" })

-- A data set by way of a pack, which is found or made.
local function packed(spec, o)
  local path, why, old
  for _ = 1, 2 do
    if o.pack_file then path = o.pack_file
    else path, why, old = cache.pack(spec, o.how) end
    if not path then return nil, why end
    local set, damaged
    set, why, damaged = core.packed(path, o)
    if set then return set, nil, path end
    if not (damaged and old) then return nil, why end
    if cache.worker then return nil, why end
    cache.discard(path, why)
  end
  return nil, why
end

local function by_pack(kind)
  return function(argument, o)
    o.name = kind
    o.spec = ("%s:%s"):format(kind, paths.absolute(argument))
    if kind == "pack" then o.pack_file = paths.absolute(argument) end
    local set, message, path = packed(o.spec, o)
    if not set then return nil, message end
    local pack <close> = assert(packs.open(path))
    local about = pack:about()
    cards[set] = { pack = path, bad = #about.bad, kind = about.kind, size = about.size,
      images = about.images, normalise = o.imagenet and "imagenet" or "own",
      background = about.made.background, size_resize = about.made.resize }
    kept[set] = not o.pack_file and { spec = o.spec, how = o.how, path = path } or nil
    return set
  end
end

-- The data sets: how many images each has at most, what follows the colon, how to open it, and
-- whether that is by way of a pack.
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
      if set then o.spec = "cifar10:" .. paths.absolute(dir) end
      return set, message
    end,
  },
}
for kind, about in pairs {
  folder = { "DIR", "class folders of images" }, list = { "FILE", "lines of path,label[,split]" },
  tar = { "PATTERN", "tar or zip archives" }, cifar100 = { "DIR", "CIFAR-100, binary version" },
  idx = { "DIR", "MNIST and its family" }, npz = { "FILE", "NumPy's arrays" },
  pack = { "FILE", "made by netspace pack" },
} do
  kinds[kind] = { what = ('"%s:%s" (%s)'):format(kind, about[1], about[2]), argument = about[1],
    train = 0xffffffff, validation = 0xfffffffe, test = 0xffffffff, packed = true,
    made = kind == "pack",
    open = by_pack(kind) }
end

--- The names data.open knows, sorted.
-- @treturn table list of strings
function M.names()
  local list = {}
  for name in pairs(kinds) do list[#list + 1] = name end
  table.sort(list)
  return list
end

--- Whether the files of a data set are those that it was opened with.
-- @treturn true, or nil and what has changed
function M._still(set)
  local k = kept[set]
  if not k then return true end
  return cache.still(k.spec, k.how, k.path)
end

--- An image could not be read, for the reason `why`.  Where its pack in the cache is damaged, that
-- is made anew.
-- @treturn boolean whether it is whole now, for whoever opens the data again; and the reason with
-- what was done
function core.methods._mend(set, why)
  local k = kept[set]
  if not (k and why:find("the pack is damaged", 1, true)) then return false, why end
  local good, reason = cache.mend(k.spec, k.how, k.path)
  if good then return true, why .. "; it was made anew" end
  return false, ("%s, and cannot be made anew: %s"):format(why, reason)
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
  seed = "integer", pad = "integer", image = "integer", channels = "integer", split = "table",
  size = "integer", pack = "string", scale = "number", resize = "string", normalise = "string",
  background = "string", bad = "string", labels = "string" })

-- Options that are one of some words, the first when nothing is said.
local choices = { pack = { "auto", "bytes", "jpeg" }, resize = { "antialias", "pycls" },
  normalise = { "own", "imagenet" }, background = { "black", "white" }, bad = { "stop", "skip" },
  labels = { "fine", "coarse" } }
-- Options that need a pack.
local of_packs = { "channels", "split", "size", "pack", "normalise", "background", "bad", "labels" }
local of_making = { "channels", "size", "pack", "background", "labels" }
local SIDE = { 8, 4096 } -- pixels of an image

local function fail(text, ...)
  error("data.open: " .. text:format(...), 0)
end

local function chosen(o, key)
  local words_of = choices[key]
  for _, word in ipairs(words_of) do
    if (o[key] or words_of[1]) == word then return word end
  end
  local list = {}
  for i, word in ipairs(words_of) do list[i] = ('"%s"'):format(word) end
  fail("%s = \"%s\"; it is %s", key, o[key], table.concat(list, " or "))
end

local function side(o, key)
  local n = o[key]
  if n and (n < SIDE[1] or n > SIDE[2]) then
    fail("%s = %d; it is %d to %d pixels", key, n, SIDE[1], SIDE[2])
  end
  return n and math.tointeger(n)
end

-- The shares of training, validation and test.
local function shares(split)
  local sum = 0
  for k = 1, 3 do
    local x = split[k]
    if type(x) ~= "number" or not (x >= 0 and x < math.huge) or #split ~= 3 then
      fail("split is three shares, of training, validation and test: { 0.8, 0.1, 0.1 }")
    end
    sum = sum + x
  end
  if math.abs(sum - 1) > 1e-6 or split[1] == 0 then
    fail("split = { %g, %g, %g }; the shares are 1 together, and some is for training",
      split[1], split[2], split[3])
  end
  return split
end

-- What the options say of sizes and packs, checked, in `how` (for core) and how.how (the pack).
local function checked(how, o, kind)
  how.image, how.resize = side(o, "image"), chosen(o, "resize")
  if o.scale and not (o.scale >= 1 and o.scale <= 4) then
    fail("scale = %g; it is the short side by the side of the network, 1 to 4", o.scale)
  end
  how.scale = o.scale
  if not kind.packed then
    for _, key in ipairs(of_packs) do
      if o[key] ~= nil then fail("'%s' is for images from files", key) end
    end
    return
  end
  for _, key in ipairs(kind.made and of_making or {}) do
    if o[key] ~= nil then fail("'%s' is decided when a pack is made", key) end
  end
  if o.channels and o.channels ~= 1 and o.channels ~= 3 then
    fail("channels = %d; images have 1 (gray) or 3 (red, green, blue)", o.channels)
  end
  how.split = o.split and shares(o.split)
  if o.split and o.split[2] == 0 and not o.validation then how.validation = 0 end
  how.imagenet, how.skip_bad = chosen(o, "normalise") == "imagenet", chosen(o, "bad") == "skip"
  local size = side(o, "size") or 2 * (how.image or 64)
  if size < (how.image or SIDE[1]) then
    fail("size = %d keeps less than the image = %d that networks take", size, how.image)
  end
  how.how = { size = size, channels = o.channels or 0, kind = chosen(o, "pack"),
    pycls = how.resize == "pycls", white = chosen(o, "background") == "white",
    coarse = chosen(o, "labels") == "coarse", threads = math.min(sys.cores(), 16) }
end

--- The kinds of options that only images from files have; for the command line.
M._choices = choices

--- How to open a data set again, from any directory: the arguments of data.open, as a table.
function M._source(set)
  local card = set:card()
  local s = { spec = card.spec, train = card.train_n, validation = card.validation_n,
    test = card.test_n, seed = card.seed, pad = card.pad }
  for k, v in pairs(sources[set]) do s[k] = v end
  s.asked = nil
  return s
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

-- Options that a card does not repeat.
local again = { "image", "channels", "split", "size", "pack", "scale", "resize", "normalise",
  "background", "bad", "labels" }

local card_of = core.methods.card
function core.methods.card(set)
  local card = card_of(set)
  for k, v in pairs(cards[set] or {}) do card[k] = v end
  return card
end

local needed = { DIR = "the directory of its files", FILE = "the name of its file",
  PATTERN = "the names of its files" }

-- The name, what follows its colon, and the kind of a spec; of a path by its content.  Nil and a
-- message when that is nothing known.
local function locate(spec)
  if type(spec) ~= "string" then
    error(("data.open expects 'shapes', 'cifar10:DIR' or a dataset, got %s"):format(type(spec)), 3)
  end
  local name, argument = spec:match("^(%w*):(.*)$")
  local kind = kinds[name or spec]
  local path = not kind and paths.absolute(spec)
  if path and (uv.fs_stat(path) or not name and spec:find "[/.]") then
    local guess, why = packs.guess(path)
    if not guess then return nil, why end
    name, argument, kind = guess, path, kinds[guess]
  end
  name = name or spec
  if not kind then
    local what = M.names()
    for i, known in ipairs(what) do what[i] = kinds[known].what end
    error(("data.open: there is no data set '%s'%s; what can be opened is %s"):format(spec,
      options.hint(name, kinds), table.concat(what, ", ")), 3)
  end
  if kind.argument and (argument or "") == "" then
    error(("data.open: '%s' needs %s: '%s:%s'"):format(name, needed[kind.argument], name,
      kind.argument), 3)
  elseif argument and not kind.argument then
    error(("data.open: nothing may follow the name '%s', got ':%s'"):format(name, argument), 3)
  end
  return name, argument, kind
end

options.declare("dataset:show", { split = "string", class = "string|integer",
  augmented = "boolean|string|table", epoch = "integer", seed = "integer", columns = "integer",
  width = "integer", graphics = "string", ascii = "boolean" })

local function check_set(where, set)
  if not is_dataset(set) then
    error(("%s expects a dataset (write d:%s), got %s"):format(where, where:match("%a+$"),
      type(set)), 3)
  end
end

-- The pack of a data set, for the description, or nil.
local function source_of(set)
  local path = cards[set] and cards[set].pack
  local pack <close> = path and packs.open(path) or nil
  return pack and pack:about()
end

function core.methods.describe(set)
  check_set("dataset:describe", set)
  return (blame.call(1, blame.plainly, describe.describe, set, source_of(set),
    select(2, M._still(set))))
end

function core.methods.show(set, n, o)
  check_set("dataset:show", set)
  if type(n) == "table" then n, o = nil, n end
  o = options.check("dataset:show", o)
  n = n or 12
  if not math.tointeger(n) then
    error(("dataset:show: n is %s; it is how many images"):format(tostring(n)), 2)
  end
  blame.call(1, blame.plainly, show.show, set, math.tointeger(n), o)
end

--- Opens a data set.
-- @tparam string|dataset spec "shapes", "cifar10:DIR", or an open data set
-- @tparam[opt] table opts train, validation, test: how many images; seed (1); pad (4)
-- @treturn dataset or nil and a message when files are missing or damaged
function M.open(spec, opts)
  for key in pairs(type(opts) == "table" and words or {}) do
    local n = opts[key]
    if type(n) == "number" and n > 0 and n < 1 then
      error(("data.open: %s = %g; it is a number of images; shares of class folders are split = "
        .. "{ 0.8, 0.1, 0.1 }, of training, validation and test"):format(key, n), 2)
    end
  end
  local o = options.check("data.open", opts)
  if is_dataset(spec) then
    if next(o) == nil then return spec end
    local source = M._source(spec)
    if cards[spec] then -- the parts of images from files are drawn again by another seed
      for key in pairs(words) do source[key] = sources[spec].asked[key] end
    end
    for k, v in pairs(o) do source[k] = v end
    spec, source.spec, o = source.spec, nil, source
  end
  local name, argument, kind = locate(spec)
  if not name then return blame.nothing("data.open", argument) end
  local how = { seed = math.tointeger(o.seed or sys.seed()) }
  for key in pairs(words) do how[key] = count(o, key, name, kind[key]) end
  local pad = math.tointeger(o.pad or 4)
  if pad < 0 or pad > 16 then
    error(("data.open: pad = %d; training images are padded by 0 to 16 pixels"):format(pad), 2)
  end
  how.pad = pad
  local right, what = pcall(checked, how, o, kind)
  if not right then error(what, 2) end
  local set, message = kind.open(argument, how)
  if not set then return blame.nothing("data.open", message) end
  local source = { spec = how.spec,
    asked = { train = o.train, validation = o.validation, test = o.test } }
  for _, key in ipairs(again) do source[key] = o[key] end
  sources[set] = source
  local without = cards[set] and not o.validation and not cache.worker and set:card().unmeasured
  if without then
    background.notify(("%s: %s: no network is measured on %s; validation = gives more"):format(
      how.spec, describe.without(without), #without == 1 and "it" or "them"))
  end
  return set
end

--- Makes a pack of a set as a file; what it holds (core.pack's pack:about()), or nil and a message.
function M._pack(spec, file, opts)
  local o = options.check("data.open", opts)
  local name, argument, kind = locate(spec)
  if not name then return nil, argument end
  if not kind.packed or kind.made then
    return nil, ("a pack is made of images in files: '%s' is none"):format(spec)
  end
  local how = {}
  local right, what = pcall(checked, how, o, kind)
  if not right then return nil, (what:gsub("^data.open: ", "")) end
  spec = ("%s:%s"):format(name, paths.absolute(argument))
  local feed <close>, why = packs.feed(spec, how.how.coarse)
  if not feed then return nil, why end
  local good
  good, why = cache.make(feed, spec, paths.absolute(file), how.how)
  if not good then return nil, why end
  local pack <close> = assert(packs.open(file))
  return pack:about()
end

document("data.open", [[
  data.open(spec [, { image=, train=, validation=, test=, seed=, … }])
      -> dataset, or nil and a message
  Opens a data set: training images; validation images, by which sweeps compare networks; and
  test images, which only net:test looks at, of a network already chosen.
    spec    "shapes"          ten kinds of drawn figures, 32x32 RGB, made in half a second
            "cifar10:DIR"     CIFAR-10, binary version: data_batch_1.bin ... test_batch.bin in DIR
            "folder:DIR"      a folder for each class, in train, val (validation, valid) and test
                              (testing, eval), or alone; JPEG, PNG, WebP, PPM, BMP, told by
                              content.  Of train and val alone, val is the test set
            "list:FILE"       lines of path,label[,split], relative to FILE
            "tar:PATTERN"     tar or zip, compressed or not, of class folders, or WebDataset's
                              (key.jpg with key.cls or key.json): "tar:x-{000..146}.tar"
            "cifar100:DIR"    CIFAR-100, binary version: train.bin, test.bin
            "idx:DIR"         MNIST and its family, gzip or not; "idx:DIR/emnist-letters" of several
            "npz:FILE"        NumPy: x_train, y_train … (Keras), train_images … (MedMNIST)
            "pack:FILE"       what netspace pack wrote
            "~/photos"        one of these, told by its content
            a dataset         the same data with other options
    train        training images (shapes 10000; else all that are not for validation)
    validation   validation images (as many as test where that is given; else shapes 2000, of
                 others a tenth of the training images, where the files have none of their own:
                 of each class the same share).  0: none, and the test images serve for both, as
                 in stores that were written before there were validation images
    test         test images (shapes 2000, else all)
    seed    of the drawn images, or of the choice of a subset (1); subsets are balanced over
            the classes, and a smaller one is the beginning of a larger one
    image   pixels a side that networks take, 8 to 4096 (the files' own size where all are
            squares of the same 64 pixels or less, else 64)
    scale   of the test view: short side by image (8/7; 1 where files have just that size), then
            the middle is cut out
    resize  "antialias", as Pillow and torchvision, or "pycls", without
    pad     zeros around a training image before it is cropped at random (4, as in pycls);
            fewer are better for trainings of few epochs
  Of images from files, which are decoded once and kept in a pack:
    channels    1 or 3 (1 where all files are gray, else 3)
    split       shares of training, validation and test of class folders alone, drawn by seed and
                name, so that images stay where they are when others are added ({ 0.8, 0.1, 0.1 })
    size        short side that is kept (2 * image); smaller images stay as they are
    pack        "bytes" or "jpeg" (bytes while they are less than 4 GiB)
    normalise   "own" mean and deviation, or those of "imagenet"
    background  under transparent images: "black" or "white"
    bad         files that cannot be read: "stop" with the first, or "skip" them
    labels      of CIFAR-100: "fine" or "coarse"
  Packs lie in ~/.cache/netspace/packs ($XDG_CACHE_HOME); `netspace data --cache` lists them.  One
  is made anew when files were added, removed, renamed or changed, or when it is damaged.  Of a
  folder of more than 10,000 files the folders alone are looked at: a file that was written over in
  place is seen by dataset:describe and before a sweep begins.
  Training images that have the network's size are padded, cropped at random and flipped half of
  the time; others are cropped at random sizes, unless the recipe says otherwise (augment).
  example: data.open("shapes", { train = 100, test = 20 })
  source: pycls datasets (normalisation, augmentation); Krizhevsky 2009 (CIFAR-10); torchvision's
  ImageFolder; WebDataset]])

document("data.names", [[
  data.names() -> list of strings
  The names of the data sets that data.open knows.
  example: data.names()]])

document("dataset:card", [[
  dataset:card() -> table
  What a data set is: name, spec (opens it again), seed, classes, class_names, image (pixels a
  side), channels (3: red, green, blue; 1: gray), train_n, validation_n (0: the test images
  serve for both), test_n, pad, mean and std (of the channels: images are normalised by them),
  scale, resize, checksum (of the training and validation images) and test_checksum; of the images
  that networks are compared by, largest (those of the largest class) and unmeasured (the names of
  classes that have none; nil where all have some).  Of images
  from files also pack (its path), images (in it), kind ("bytes", "jpeg"), size (the short side
  kept), size_resize (how: "antialias" or "pycls"), background (under what was transparent), bad
  (files that could not be read) and normalise.
  example: data.open("shapes", { train = 100, test = 20 }):card().class_names]])

document("dataset:image", [[
  dataset:image(split, i) -> pixels, label, name
  One image to look at: a flat list of bytes by row, column and channel (red, green, blue), its
  label (from 0) and the name of its class.
    split   "train", "validation" or "test"
    i       from 1 to train_n, validation_n or test_n of the card
  example: select(3, data.open("shapes", { train = 10, test = 10 }):image("train", 1))]])

document("dataset:name", [[
  dataset:name(split, i) -> string, or nil
  The name of the file of an image, from the folder or archive that was opened ("train/cat/1.jpg");
  nil of images that are not from files.
  example: data.open("shapes", { train = 10, test = 10 }):name("train", 1)]])

document("dataset:input", [[
  dataset:input(split, i) -> numbers, label, name
  One image as a network takes it: as dataset:image, but normalised (minus the mean, divided
  by std), neither cropped nor flipped.
  example: #data.open("shapes", { train = 10, test = 10 }):input("test", 1)]])

document("dataset:describe", [[
  dataset:describe() -> text, with .survey, .card
  What is in a data set: images and bytes of each class and split, sizes, mean and deviation, what
  is done to an image before a network sees it, images that are there twice (also in train and
  test), files that could not be read or were left out, and how often the test images were looked
  at.
  example: data.open("shapes", { train = 100, test = 20 }):describe()]])

document("dataset:show", [[
  dataset:show(n = 12 [, { split =, class =, augmented =, … }])
  Draws n images in the terminal, chosen at random by seed, with the names of their classes: as
  pictures where the terminal has them (kitty's protocol, sixel), else in half blocks of true
  colour or 256 colours, else (in a pipe, too) in shades of ASCII, black being blank.
    split       "train", "validation" or "test"
    class       only of this class, by its name or number (from 0)
    augmented   true: as training sees them in an epoch; or an augmentation, as recipe.augment
                has it ("pycls"), to see what it does
    epoch       which (1)
    seed        of the choice and of the augmentation (1)
    columns     images side by side (as many as fit)
    width       columns of the terminal
    graphics    "kitty", "sixel" or "text", as plot:show;  ascii = true: shades
  It is no look at the test images that dataset:looks counts: no network is measured.
  example: data.open("shapes", { train = 100, test = 20 }):show(6)]])

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
