-- Images from folders, archives, lists and arrays: what data.open makes of them, the cache of
-- their packs, and what it refuses.  All files are made here.

package.path = "tests/unit/?.lua;" .. package.path
local make = require "archives"
local cache = require "netspace.data.cache"
local background = require "netspace.lib.background"
local t = require "tap"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp "/tmp/netspace-folders-XXXXXX")
uv.os_setenv("XDG_CACHE_HOME", dir .. "/cache")
local at_end <close> = setmetatable({}, { __close = function() -- luacheck: ignore 211
  os.execute("rm -rf '" .. dir .. "'")
end })

local said = {}
function background.notify(text) said[#said + 1] = text end

local function path(name) return dir .. "/" .. name end

-- open() of what must fail: the message.
local function refused(spec, o)
  local set, why = data.open(spec, o)
  if set then set:close() end
  return set and "it was opened" or why
end

local function has(text, part, name)
  t.ok(text:find(part, 1, true) ~= nil, name or part, "got: " .. text)
end

-- A folder of two classes, n images each in train and test.
local function folder(name, n, side)
  for _, part in ipairs { "train", "test" } do
    for k, class in ipairs { "cat", "dog" } do
      for i = 1, n do
        make.write(("%s/%s/%s/%03d.ppm"):format(path(name), part, class, i),
          (make.picture(side, side, 3, i + 1000 * k + (part == "test" and 7 or 0))))
      end
    end
  end
  return path(name)
end

-- ---- a folder ---------------------------------------------------------------------------

local why
local set = folder("set", 20, 8)
local d = data.open(set)
local card = d:card()
t.is(card.train_n .. " " .. card.validation_n .. " " .. card.test_n, "36 4 40", "parts of a folder")
t.is(card.image, 8, "images of one size keep it")
t.is(card.channels .. " " .. card.bad .. " " .. card.kind, "3 0 bytes", "channels, bad, kind")
t.is(card.spec, "folder:" .. set, "the spec opens it from anywhere")
t.ok(uv.fs_stat(card.pack), "the pack lies in the cache")
t.is(#uv.fs_scandir_next(uv.fs_scandir(dir .. "/cache/netspace/packs")) > 0, true, "in its folder")
local again = data.open(set)
t.is(again:card().checksum, card.checksum, "the same checksum again")
t.is(again:card().pack, card.pack, "and the same pack")
local bytes, label, class = d:image("test", 1)
t.is(label .. class, "0cat", "an image has its class")
local _, pixels = make.picture(8, 8, 3, 1 + 1000 + 7)
t.is(string.char(table.unpack(bytes)), pixels, "and its bytes")
has(tostring(d:describe()), "short side 128", "described with its pack")
local sub = data.open(d, { train = 10 })
t.is(sub:card().train_n, 10, "a dataset opens again with other options")
t.is(sub:card().validation_n, 4, "without those")
for _, x in ipairs { again, sub } do x:close() end

local source = data._source(d)
local other = data._reopen(source)
t.is(other:card().checksum, card.checksum, "opened by its source")
other:close()

local wide = data.open(set, { image = 16, pack = "jpeg", seed = 3, scale = 1.25, normalise = "imagenet" })
card = wide:card()
t.is(card.image .. card.kind .. card.scale .. card.normalise, "16jpeg1.25imagenet", "options")
t.near(card.mean[1], 0.485 * 255, 1e-9, "the mean of ImageNet")
other = data._reopen(data._source(wide))
t.is(other:card().checksum, card.checksum, "options go to the workers")
t.ok(card.checksum ~= d:card().checksum, "and into the checksum")
other:close()
wide:close()

local gray = data.open(set, { channels = 1, background = "white" })
t.is(gray:card().channels, 1, "colours as gray when asked")
t.is(#gray:input("test", 1), 64, "one number a pixel")
do
  local m = arch.anynet { d = { 1 }, w = { 8 }, image = 8, classes = 2, channels = 1 }
  local n <close> = net.new(m)
  local hue = { augment = { hue = 0.1 } }
  local text = "augment: hue is 0.1, but the images are gray: it changes nothing"
  t.fails(function() n:train(gray, hue) end, "net:train: " .. text, "what changes nothing of gray")
  t.fails(function()
    sweep.run { store = path "gray.db", name = "A", models = { m }, data = gray, recipe = hue }
  end, "sweep.run: recipe: " .. text, "nor is there a sweep with it")
end
gray:close()

-- ---- a network of another set -----------------------------------------------------------

-- Drawn images as a folder, whose classes are in another order and whose mean is another.
do
  local drawn = data.open("shapes", { train = 300, test = 60 })
  local function written(name, rename)
    for _, part in ipairs { "train", "test" } do
      for i = 1, part == "train" and 40 or 60 do
        local pixels, _, class = drawn:image(part, i)
        local n = #pixels // 3
        local out = {}
        for k = 1, n do out[k] = string.char(pixels[3 * k - 2], pixels[3 * k - 1], pixels[3 * k]) end
        make.write(("%s/%s/%s/%03d.ppm"):format(path(name), part, rename(class), i),
          "P6\n32 32\n255\n" .. table.concat(out))
      end
    end
    return data.open(path(name), { validation = 0 })
  end
  local files = written("drawn", function(class) return class end)
  t.ok(table.concat(drawn:card().class_names, " ") ~= table.concat(files:card().class_names, " "),
    "the classes of the folder are in another order")
  t.ok(math.abs(drawn:card().mean[1] - files:card().mean[1]) > 0.01, "and its mean is another")
  local n <close> = net.new(arch.anynet { d = { 1, 1 }, w = { 16, 32 }, stem = "cifar" }, { seed = 1 })
  n:train(drawn, { epochs = 12, batch = 20, lr = 0.05 })
  local e, metrics = n:test(drawn)
  t.ok(e < 89, "the network does not always say the same", tostring(e))
  local other, others = n:test(files)
  t.is(other, e, "the same images from a folder: the same error")
  t.near(others.loss, metrics.loss, 1e-12, "and loss, added in another order")
  local a, b = n:confusion(drawn), n:confusion(files)
  t.is(b:table "csv", a:table "csv", "and the same confusion, in the order of the network")
  assert(n:save(path "drawn.safetensors"))
  local loaded <close> = assert(net.load(path "drawn.safetensors"))
  t.is((loaded:test(files)), e, "as of a network from a file")
  local renamed = written("renamed", function(class)
    return class == drawn:card().class_names[1] and "zebra" or class
  end)
  for _, name in ipairs { "test", "confusion" } do
    t.fails(function() n[name](n, renamed) end, ("net:%s: the classes differ: '%s' of shapes, on "
      .. "which the net was trained, and 'zebra' of folder:%s: give the same"):format(name,
      drawn:card().class_names[1], path "renamed"))
  end
  for _, x in ipairs { drawn, files, renamed } do x:close() end
end

-- ---- names of parts, the wrong level, what is left out -----------------------------------

do
  local seed = 0
  -- n images for each name of a folder.
  local function fill(name, n, folders)
    for _, folder_name in ipairs(folders) do
      for i = 1, n do
        seed = seed + 1
        make.write(("%s/%s/%d.ppm"):format(path(name), folder_name, i),
          (make.picture(8, 8, 3, seed)))
      end
    end
    return path(name)
  end
  local function parts(set_of)
    local c = set_of:card()
    set_of:close()
    return ("%d %d %d"):format(c.train_n, c.validation_n, c.test_n)
  end
  for first, second in pairs { Training = "Testing", train = "eval", TRAIN = "tests",
    training = "Evaluation" } do
    local name = "parts-" .. first
    fill(name, 10, { first .. "/a", first .. "/b" })
    t.is(parts(data.open(fill(name, 3, { second .. "/a", second .. "/b" }))), "18 2 6",
      first .. " and " .. second)
  end
  fill("valid", 10, { "train/a", "train/b" })
  fill("valid", 4, { "valid/a", "valid/b" })
  local vd = data.open(path "valid")
  has(tostring(vd:describe()), "\nparts       train and val alone: val is the test set, validation is "
    .. "taken from train", "val alone is the test set, which is said")
  t.is(parts(vd), "18 2 8", "val alone is the test set")
  fill("beside", 10, { "train/a", "train/b", "test/a", "test/b" })
  said = {}
  local bd = data.open(fill("beside", 2, { "holdout/a", "extra/b" }))
  local note = "'extra', 'holdout' beside the training images are not used: the parts are called "
    .. "train, val"
  has(table.concat(said, "\n"), note, "other folders beside train are named")
  has(tostring(bd:describe()), "\nleft out    4 files in no class folder\nnote        " .. note,
    "and described")
  t.is(parts(bd), "18 2 20", "not taken")

  fill("above", 4, { "one/train/a", "one/train/b", "one/test/a", "two/train/c", "two/test/c" })
  has(refused(path "above"), ("folder:%s: 'one' would be a class, but it has a folder 'test' of its "
    .. "own; did you mean %s/one?"):format(path "above", path "above"), "a level too high")
  said = {}
  data.open(fill("nested", 30, { "one/a", "one/b", "two/c" })):close()
  has(table.concat(said, "\n"), "the class folders have no images themselves, only folders")

  fill("rest", 30, { "a", "b" })
  make.write(path "rest/a/none.jpg", "")
  make.write(path "rest/loose.ppm", (make.picture(8, 8, 3, 5)))
  make.write(path "rest/b/notes.txt", "text")
  make.write(path "rest/b/.hidden", "text")
  uv.fs_mkdir(path "rest/c", tonumber("777", 8))
  said = {}
  local rest = data.open(path "rest")
  local text = tostring(rest:describe())
  has(text, "\nleft out    1 empty file, 1 file that is no image, 1 file in no class folder, 1 hidden "
    .. "file\nnote        'c' is empty: a folder without images is no class\n", "what was left out")
  has(table.concat(said, "\n"), "'c' is empty: a folder", "which is said when it is packed")
  rest:close()
  make.write(path "rest/b/phone.heic", "\0\0\0\24ftypheic\0\0\0\0mif1heic")
  has(refused(path "rest"), "'b/phone.heic': is a HEIC image, which is not read; convert it", "HEIC")
  for _, class_name in ipairs { "a", "b" } do
    make.write(path "words/" .. class_name .. "/1.txt", "text")
    make.write(path "void/" .. class_name .. "/1.jpg", "")
  end

  -- a class of few images has none in validation
  fill("uneven", 40, { "train/a", "test/a" })
  fill("uneven", 2, { "train/b", "test/b" })
  said = {}
  local uneven = data.open(path "uneven")
  t.is(uneven:card().largest, 4, "images of the largest class")
  t.is(table.concat(uneven:card().unmeasured, " "), "b", "a class without validation images")
  has(table.concat(said, "\n"), "class 'b' has no validation images: no network is measured on it")
  has(tostring(uneven:describe()), "\nvalidation  class 'b' has no validation images\n")
  uneven:close()
  said = {}
  local even = data.open(path "uneven", { validation = 0 })
  t.is(even:card().largest .. #said, "400", "of the test images where they serve for both")
  even:close()


  fill("flat", 1, { "." })
  make.write(path "flat/2.ppm", (make.picture(8, 8, 3, 5)))
  has(refused(path "flat"), "has no images in class folders: 2 lie directly in it; put them into a")
  make.write(path "columns.csv", "photo,breed\na/1.ppm,x\n")
  has(refused(path "columns.csv"), "has the columns 'photo', 'breed'; it needs one called path")
  for _, name in ipairs { "validation", "test" } do
    t.fails(function() data.open(path "rest", { [name] = 0.2 }) end,
      ("data.open: %s = 0.2; it is a number of images; shares of class folders are split ="):format(name))
  end
  local files = {}
  for i = 1, 20 do
    files[i] = { ("%s/%d.ppm"):format(i <= 10 and "a" or "b", i), (make.picture(8, 8, 3, i)) }
  end
  make.write(path "cut.tar", make.tar(files):sub(1, 5 * 1024 + 600))
  local cut_why = refused(path "cut.tar")
  has(cut_why, "has one class, 'a'")
  has(cut_why, "; 'a/6.ppm' cannot be read: Truncated tar archive", "which is why")

  has(refused(path "words"), "has no image that can be read: its 2 files are no images (JPEG")
  has(refused(path "void"), "has no files that could be images: all are empty")
end

-- ---- options that are wrong -------------------------------------------------------------

for text, o in pairs {
  ["image = 7; it is 8 to 4096 pixels"] = { image = 7 },
  ["size = 10 keeps less than the image = 20"] = { size = 10, image = 20 },
  ["channels = 2; images have 1 (gray) or 3"] = { channels = 2 },
  ["bad = \"ignore\"; it is \"stop\" or \"skip\""] = { bad = "ignore" },
  ["the shares are 1 together"] = { split = { 0.5, 0.1, 0.1 } },
  ["split is three shares"] = { split = { 0.5, 0.5 } },
  ["scale = 0.5"] = { scale = 0.5 },
} do
  t.fails(function() data.open(set, o) end, text)
end
t.fails(function() data.open("shapes", { channels = 1 }) end, "'channels' is for images from files")
t.fails(function() data.open("fodler:/x") end, "there is no data set 'fodler:/x'")
t.fails(function() data.open "folder:" end, "needs the directory of its files: 'folder:DIR'")
has(refused(path "nothing/there"), "No such file")
make.write(path "text", "some words\n")
has(refused(path "text"), "what can be opened is folder:DIR (class folders), list:FILE")
local shapes = data.open("shapes", { train = 10, test = 10, image = 16 })
t.is(#shapes:input("train", 1), 3 * 16 * 16, "drawn images, too, come at any size")
shapes:close()

-- ---- changes, damage, and the cache -----------------------------------------------------

said = {}
make.write(set .. "/train/dog/more.ppm", (make.picture(8, 8, 3, 99)))
d = data.open(set)
t.is(d:card().train_n + d:card().validation_n, 41, "a new file makes a new pack")
has(table.concat(said, "\n"), "has changed ('train/dog/more.ppm' is new); it is packed anew")
cache.worker = true
make.write(set .. "/train/dog/more.ppm", (make.picture(9, 9, 3, 99)))
has(refused(set), "has changed: 'train/dog/more.ppm' has ", "a worker refuses changed files")
cache.worker = false
uv.fs_unlink(set .. "/train/dog/more.ppm")
d = data.open(set)
t.is(d:card().checksum, data.open("folder:" .. set .. "/"):card().checksum, "the first again")

local pack = d:card().pack
local whole = make.read(pack)
said = {}
make.write(pack, whole:sub(1, -2))
t.is(data.open(set):card().checksum, d:card().checksum, "a pack cut short is made anew")
has(said[1] or "", "is cut short", "which is said")
make.write(pack, whole:sub(1, 8) .. "\9" .. whole:sub(10))
t.is(data.open(set):card().checksum, d:card().checksum, "and one of another version")
has(said[2] or "", "version 9")
make.write(pack, whole:sub(1, -40) .. "x" .. whole:sub(-38))
t.is(data.open(set):card().checksum, d:card().checksum, "and one whose index is damaged")
t.is(make.read(pack), whole, "each time the same bytes")

-- An image of a pack that is damaged is seen when it is first used.
do
  local function spoil(at)
    local f <close> = assert(io.open(pack, "r+b"))
    f:seek("set", at)
    local byte = f:read(1)
    f:seek("set", at)
    f:write(string.char(byte:byte() ~ 1))
  end
  local m = arch.anynet { d = { 1 }, w = { 8 }, image = 8, classes = 2 }
  local n <close> = net.new(m)
  local short = { epochs = 1, batch = 4 }
  local testing, training = 200, 160 + 40 * 192 + 40 -- images lie in the order of their names
  for at, f in pairs {
    [training] = function(x) return n:train(x, short).reason end,
    [testing] = function(x) return select(2, pcall(n.test, n, x)) end,
  } do
    spoil(at)
    local x = data.open(set)
    has(f(x) or "", "the pack is damaged; it was made anew: open the data again", "damage is said")
    t.is(make.read(pack), whole, "and the pack made anew")
    has(f(x) or "", "the pack is damaged; it was made anew", "what is open keeps what it has")
    x:close()
    x = data.open(set)
    t.is(n:train(x, short).status, "done", "opened again, it is whole")
    x:close()
  end
  spoil(training)
  local x = data.open(set)
  make.write(set .. "/train/dog/more.ppm", (make.picture(8, 8, 3, 99)))
  has(n:train(x, short).reason or "", "and cannot be made anew: folder:" .. set
    .. " has changed: 'train/dog/more.ppm' is new", "not of other files")
  t.fails(function() sweep.run { store = path "mended.db", name = "A", data = x, models = { m } } end,
    "'train/dog/more.ppm' is new; open it again", "nor does a sweep begin with them")
  uv.fs_unlink(set .. "/train/dog/more.ppm")
  x:close()
  make.write(pack, whole)
end

-- Of a folder of many files whose pack is there only the folders are looked at.
do
  local packs = require "netspace.core.pack"
  local few, feed, listings = cache.few, packs.feed, 0
  cache.few = 79
  function packs.feed(...)
    listings = listings + 1
    return feed(...)
  end
  local function looks(name, want, f)
    listings = 0
    local x = assert(data.open(set))
    if f then f(x) end
    x:close()
    t.is(listings, want, name)
  end
  looks("a folder that has just changed: all files are looked at", 1)
  cache.settled = -1
  looks("then they are looked at once more", 1)
  looks("and the next time the folders", 0)
  local many = set .. "/train/dog"
  local function changes(name, f)
    said = {}
    f()
    looks(name, 2)
    has(table.concat(said), "has changed", name)
  end
  changes("a new file", function() make.write(many .. "/more.ppm", (make.picture(8, 8, 3, 99))) end)
  looks("again the folders", 0)
  changes("a file that is gone", function() uv.fs_unlink(many .. "/more.ppm") end)
  changes("a renamed file", function() uv.fs_rename(many .. "/020.ppm", many .. "/021.ppm") end)
  changes("and back", function() uv.fs_rename(many .. "/021.ppm", many .. "/020.ppm") end)
  changes("a file that another replaces", function()
    make.write(many .. "/.new", (make.picture(8, 8, 3, 77)))
    uv.fs_rename(many .. "/.new", many .. "/020.ppm")
  end)
  uv.fs_mkdir(many .. "/more", tonumber("777", 8))
  looks("a new folder: all files are looked at, and are the same", 1)
  uv.fs_rmdir(many .. "/more")
  looks("so without it", 1)
  -- a file that is written over in place
  local old = make.read(many .. "/020.ppm")
  make.write(many .. "/020.ppm", (make.picture(9, 8, 3, 77)))
  looks("written over in place: it is not seen at once", 3, function(x)
    for _ = 1, 2 do
      t.fails(function() sweep.run { store = path "many.db", name = "A", data = x, models = {
        arch.anynet { d = { 1 }, w = { 8 }, image = 8, classes = 2 } } } end,
        "'train/dog/020.ppm' has 227 bytes, it had 203; open it again", "but before a sweep")
    end
    has(tostring(x:describe()), "'train/dog/020.ppm' has 227 bytes", "and by describe")
  end)
  said = {}
  looks("from then on all files are looked at", 2)
  has(said[1] or "", "'train/dog/020.ppm' has", "and it is packed anew")
  make.write(many .. "/020.ppm", (make.picture(8, 8, 3, 1020 + 1000)))
  t.ok(#old > 0)
  -- links lead elsewhere
  make.write(path "elsewhere.ppm", old)
  assert(uv.fs_symlink(path "elsewhere.ppm", many .. "/022.ppm"))
  for _ = 1, 2 do
    listings = 0
    data.open(set):close()
  end
  t.is(listings, 1, "of links all files are looked at")
  uv.fs_unlink(many .. "/022.ppm")
  make.write(many .. "/020.ppm", (make.picture(8, 8, 3, 20 + 2000)))
  cache.few, cache.settled, packs.feed = few, 3, feed
  t.is(data.open(set):card().checksum, d:card().checksum, "the first images again")
end
make.write(path "one.gif", "GIF89a")
has(refused(path "one.gif"), "one.gif is one image")
make.write(path "bad.pack", whole:sub(1, -2))
has(refused(path "bad.pack"), "is cut short", "a pack that is named is refused")
t.is(require("netspace.data.main").data { path "bad.pack" }, 4, "netspace data: exit status 4")
make.write(path "good.pack", whole)
t.is(data.open(path "good.pack"):card().checksum, d:card().checksum, "a pack opens by its name")
t.fails(function() data.open(path "good.pack", { size = 64 }) end,
  "'size' is decided when a pack is made")

t.ok(#cache.list() >= 3, "the cache is listed")
t.is(cache.list()[1].damaged, nil, "with what each pack is of")
cache.set_limit(1)
t.is(#cache.list(), 0, "a limit of nothing leaves nothing")
t.is(cache.limit(), 1, "the limit is kept")
t.is(data.open(set):card().checksum, d:card().checksum, "but what is opened is made")
t.is(#cache.list(), 1, "and stays until another comes")
cache.set_limit(1e9)
make.write(pack .. ".part-99999", "left by a process that was killed")
local removed = cache.clear()
t.is(removed .. #cache.list(), "10", "cleared")
t.ok(not uv.fs_stat(pack .. ".part-99999"), "also of what was left by others")

-- ---- bad files --------------------------------------------------------------------------

make.write(path "bad/a/1.ppm", (make.picture(8, 8, 3, 1)))
make.write(path "bad/b/1.ppm", (make.picture(8, 8, 3, 2)))
make.write(path "bad/b/2.jpg", "<!DOCTYPE html><html></html>")
make.write(path "bad/b/3.ppm", (make.picture(8, 8, 3, 3)):sub(1, -10))
has(refused(path "bad", { split = { 0.4, 0.3, 0.3 } }),
  "2 of 4 files cannot be read, the first is 'b/2.jpg'", "bad files stop")
-- ---- class folders alone ----------------------------------------------------------------

for i = 1, 60 do
  make.write(path(("alone/%d/%d.pgm"):format(i % 3, i)), (make.picture(9, 8, 1, i)))
end
make.write(path "alone/1/broken.png", "\x89PNG\r\n\26\n")
d = data.open(path "alone", { bad = "skip", split = { 0.6, 0.2, 0.2 } })
card = d:card()
t.is(card.bad .. " " .. card.channels .. " " .. card.image, "1 1 64", "bad files are skipped")
t.is(card.train_n + card.validation_n + card.test_n, 60, "all others are there")
has(tostring(d:describe()), "broken.png", "and named")
d = data.open(path "alone", { bad = "skip", split = { 0.8, 0, 0.2 } })
t.is(d:card().validation_n, 0, "no share for validation: there is none")

-- ---- archives ---------------------------------------------------------------------------

local members = {}
for i = 1, 30 do
  members[i] = { ("top/%s/%d.x.ppm"):format(i % 2 == 0 and "even" or "odd", i),
    (make.picture(8, 8, 3, i)) }
end
members[31] = { "../../even/escape.ppm", (make.picture(8, 8, 3, 31)) }
members[32] = { "/abs/odd/absolute.ppm", (make.picture(8, 8, 3, 32)) }
members[33] = { "top/even/notes.txt", "text" }
members[34] = { "top/even/._hidden.ppm", "x" }
table.remove(members, 31) -- names that lead elsewhere are tried below
table.remove(members, 31)
make.write(path "a.tar", make.tar(members))
make.write(path "a.tar.gz", make.gzip(make.tar(members)))
make.write(path "a.zip", make.zip(members))
local sums = {}
for _, name in ipairs { "a.tar", "a.tar.gz", "a.zip" } do
  local x, why = data.open(path(name))
  t.ok(x, name .. " opens", why)
  sums[#sums + 1] = x and x:card().checksum
  t.is(x and table.concat(x:card().class_names, " "), "even odd", name .. ": its classes")
end
t.ok(sums[1] == sums[2] and sums[2] == sums[3], "the same images have the same checksum")

local strange = {}
for i = 1, 20 do
  strange[i] = { ("%s/%s/%d.ppm"):format(i % 3 == 0 and "/abs" or "../../..", i % 2, i),
    (make.picture(8, 8, 3, i)) }
end
make.write(path "strange/in/x.tar", make.tar(strange))
local before = #make.read(path "strange/in/x.tar")
refused(path "strange/in/x.tar")
t.ok(not uv.fs_stat(path "0") and not uv.fs_stat "/abs" and not uv.fs_stat(path "strange/0"),
  "names of an archive are never paths")
t.is(#make.read(path "strange/in/x.tar"), before, "nor is it written to")

local cut = make.tar(members):sub(1, 23140)
make.write(path "cut.tar", cut)
has(refused(path "cut.tar"), "cannot be read, the first is 'top/", "an archive cut in the middle")
d, why = data.open(path "cut.tar", { bad = "skip", split = { 0.6, 0.2, 0.2 } })
t.ok(d and d:card().bad == 2, "what is before the cut can be used: the image and the archive are bad", d and tostring(d:card().bad) or why)
make.write(path "cut.tar.gz", make.gzip(make.tar(members)):sub(1, 2000))
has(refused(path "cut.tar.gz"), "truncated gzip input", "and a compressed one")

-- WebDataset
for shard = 0, 2 do
  local list = {}
  for i = 1, 20 do
    local key = ("%d/%06d"):format(shard, i)
    local class_file = i % 2 == 0 and { key .. ".cls", ("%d\n"):format(i % 4) }
      or { key .. ".json", ('{"a": {"label": 9}, "label": %d}'):format(i % 4) }
    list[#list + 1] = i % 3 == 0 and class_file or nil
    list[#list + 1] = { key .. ".ppm", (make.picture(8, 8, 3, 100 * shard + i)) }
    list[#list + 1] = i % 3 ~= 0 and class_file or nil
  end
  make.write(path(("wds-%s-%03d.tar"):format(shard == 2 and "test" or "train", shard)),
    make.tar(list))
end
d = assert(data.open("tar:" .. path "wds-{train-{000..001},test-002}.tar"))
card = d:card()
t.is(card.train_n + card.validation_n .. " " .. card.test_n .. " " .. card.classes, "40 20 4",
  "shards, braces, parts by the names of shards")
local _, first = d:image("test", 1)
t.is(first, 1, "the class of key.json")
has(refused("tar:" .. path "wds-train-{000..003}.tar"), "wds-train-002.tar: No such file")
make.write(path "gap.tar", make.tar { { "1.ppm", (make.picture(8, 8, 3, 1)) }, { "1.cls", "0" },
  { "2.ppm", (make.picture(8, 8, 3, 2)) }, { "2.cls", "5" } })
has(refused(path "gap.tar"), "label 5, but no training image has label 1", "labels beyond the classes")
make.write(path "lack.tar", make.tar { { "1.ppm", (make.picture(8, 8, 3, 1)) }, { "1.cls", "0" },
  { "2.ppm", (make.picture(8, 8, 3, 2)) } })
has(refused(path "lack.tar"), "'2.ppm' has no class", "an image without a class")

-- ---- arrays -----------------------------------------------------------------------------

local function block(n, seed)
  local _, bytes_of = make.picture(n, 1, 1, seed)
  return bytes_of
end
local labels = {}
for i = 1, 30 do labels[i] = string.char(i % 3) end
labels = table.concat(labels)
for suffix, pack_it in pairs { [""] = function(x) return x end, [".gz"] = make.gzip } do
  local name = path("idx" .. (suffix == "" and "" or "gz"))
  make.write(name .. "/train-images-idx3-ubyte" .. suffix, pack_it(make.idx({ 30, 6, 4 }, block(720, 1))))
  make.write(name .. "/train-labels-idx1-ubyte" .. suffix, pack_it(make.idx({ 30 }, labels)))
  make.write(name .. "/t10k-images-idx3-ubyte" .. suffix, pack_it(make.idx({ 3, 6, 4 }, block(72, 2))))
  make.write(name .. "/t10k-labels-idx1-ubyte" .. suffix, pack_it(make.idx({ 3 }, "\0\1\2")))
end
d = data.open(path "idx", { image = 8 })
t.is(d:card().train_n .. " " .. d:card().test_n .. " " .. d:card().channels, "27 3 1", "IDX files")
t.is(data.open(path "idxgz", { image = 8 }):card().checksum, d:card().checksum, "gzip or not")
make.write(path "idx/train-labels-idx1-ubyte", make.idx({ 30 }, labels .. "x"))
has(refused(path "idx"), "goes on after its last value")
make.write(path "idx/train-labels-idx1-ubyte", make.idx({ 29 }, labels:sub(1, 29)))
has(refused(path "idx"), "29 labels for 30 images")
make.write(path "idx/train-labels-idx1-ubyte", make.idx({ 30 }, labels:sub(1, 28)))
has(refused(path "idx"), "is cut short")
make.write(path "idx/train-labels-idx1-ubyte", make.idx({ 30 }, labels:sub(1, 29) .. "\200"))
has(refused(path "idx"), "label 200, but no training image has label 3")
make.write(path "idx/train-labels-idx1-ubyte", "\0\0\13\1" .. string.pack(">I4", 30))
has(refused(path "idx"), "values of type 0d; bytes (08) are read")
-- EMNIST: several sets in a folder, images turned, labels from 1
for _, part in ipairs { "train", "test" } do
  make.write(path("emnist/emnist-letters-" .. part .. "-images-idx3-ubyte"),
    make.idx({ 4, 2, 2 }, "\1\2\3\4" .. block(12, 3)))
  make.write(path("emnist/emnist-letters-" .. part .. "-labels-idx1-ubyte"),
    make.idx({ 4 }, "\1\2\1\2"))
end
d = data.open("idx:" .. path "emnist/emnist-letters", { image = 8, validation = 0 })
t.is(table.concat(d:card().class_names, " "), "1 2", "labels may begin with 1")
local feed = require("netspace.core.pack").open(d:card().pack)
t.is(feed:image(1).bytes, "\1\3\2\4", "EMNIST's images are turned back")
feed:close()
has(refused("idx:" .. path "emnist"), "of several sets in a folder one is named")

local function npz(list)
  local files = {}
  for _, x in ipairs(list) do
    files[#files + 1] = { x[1] .. ".npy", make.npy(x[2], x[3], x[4], x[5]) }
  end
  return make.zip(files)
end
local longs = {}
for i = 1, 30 do longs[i] = string.pack("<i8", i % 3) end
longs = table.concat(longs)
make.write(path "keras.npz", npz { { "x_test", "|u1", "(3, 6, 4)", block(72, 2) },
  { "x_train", "|u1", "(30, 6, 4)", block(720, 1) }, { "y_train", "<i8", "(30,)", longs },
  { "y_test", "|u1", "(3,)", "\0\1\2" } })
local keras = data.open(path "keras.npz", { image = 8, validation = 3 })
t.is(keras:card().train_n .. " " .. keras:card().test_n, "27 3", "arrays as Keras has them")
t.is(keras:card().checksum, data.open(path "idxgz", { image = 8, validation = 3 }):card().checksum,
  "the same images as the IDX files")
make.write(path "med.npz", npz { { "train_images", "|u1", "(30, 6, 4, 1)", block(720, 1) },
  { "train_labels", "|u1", "(30, 1)", labels }, { "val_images", "|u1", "(3, 6, 4, 1)", block(72, 3) },
  { "val_labels", "|u1", "(3, 1)", "\0\1\2" }, { "test_images", "|u1", "(3, 6, 4, 1)", block(72, 2) },
  { "test_labels", "|u1", "(3, 1)", "\0\1\2" } })
d = data.open(path "med.npz", { image = 8 })
t.is(d:card().train_n .. " " .. d:card().validation_n .. " " .. d:card().test_n, "30 3 3",
  "and MedMNIST")
for text, list in pairs {
  ["type '<f4'; images are bytes"] = { { "x_train", "<f4", "(1, 1, 1)", "abcd" } },
  ["columns first (fortran_order)"] = { { "x_train", "|u1", "(1, 1, 1)", "a", "True" } },
  ["14 labels an image; one is needed"] = { { "y_train", "|u1", "(1, 14)", ("a"):rep(14) } },
  ["labels are whole numbers"] = { { "y_train", "<f8", "(1,)", ("a"):rep(8) } },
  ["its head is not understood"] = { { "x_train", "|u1", "(1, 1", "a" } },
  ["it has 2 dimensions"] = { { "x_train", "|u1", "(1, 1)", "a" } },
  ["has no arrays x_train and y_train"] = { { "x", "|u1", "(1, 1, 1)", "a" } },
  ["of the test part only the images"] = { { "x_train", "|u1", "(1, 1, 1)", "a" },
    { "y_train", "|u1", "(1,)", "\0" }, { "x_test", "|u1", "(1, 1, 1)", "a" } },
} do
  make.write(path "wrong.npz", npz(list))
  has(refused("npz:" .. path "wrong.npz"), text)
end
make.write(path "names.npz", npz { { "X", "|u1", "(30, 6, 4)", block(720, 1) },
  { "Y", "|u1", "(30,)", block(30, 1) } })
has(refused(path "names.npz"), "train_labels (MedMNIST); it has 'X.npy', 'Y.npy'")
make.write(path "wrong.npz", npz { { "x_train", "|u1", "(30, 6, 4)", block(700, 1) },
  { "y_train", "|u1", "(30,)", labels } })
has(refused(path "wrong.npz"), "it is cut short", "an array with too few values")

-- CIFAR-100: a record of two labels and planes
local records = {}
for i = 0, 59999 do
  records[i % 50000 + 1 + (i >= 50000 and 50000 or 0)] = string.char(i % 20, i % 100)
end
local plane = ("\1"):rep(1024) .. ("\2"):rep(1024) .. ("\3"):rep(1024)
local function cifar(first, last)
  local out = {}
  for i = first, last do out[#out + 1] = records[i] .. plane end
  return table.concat(out)
end
make.write(path "c100/test.bin", cifar(50001, 60000))
make.write(path "c100/train.bin", "short")
has(refused(path "c100"), "has 5 bytes; that of CIFAR-100 has 153700000")
make.write(path "c100/train.bin", cifar(1, 50000))
d = data.open(path "c100", { labels = "coarse", train = 200, test = 100 })
t.is(d:card().classes .. " " .. d:card().train_n .. " " .. d:card().validation_n, "20 200 100",
  "CIFAR-100 by its coarse classes")
t.is(table.concat(d:image("train", 1), " ", 1, 6), "1 2 3 1 2 3", "its planes become rows")
d:close()

-- ---- sweeps -----------------------------------------------------------------------------

local worker = require "netspace.sweep.worker"
local pictures = folder("sweep", 30, 16)
d = data.open(pictures, { image = 16, bad = "skip" })
local job = { kind = "train", model = 1, attempt = 1, seed = 1, source = data._source(d),
  checksum = d:card().checksum, recipe = recipe { epochs = 1, batch = 16 },
  m = arch.anynet { d = { 1 }, w = { 8 }, g = 8, image = 16, classes = 2 } }
local events
local function last_event()
  events = {}
  cache.worker = true
  worker.handle(job, function(e) events[#events + 1] = e end)
  cache.worker = false
  job.source.bad = job.source.bad == "skip" and "stop" or "skip" -- opened again next time
  return events[#events]
end
t.is(last_event().event, "done", "a worker trains on the pack")
local first = events[#events - 1]
pack = d:card().pack
whole = make.read(pack)
local broken = whole:sub(1, 160) .. whole:sub(161, 80000):gsub("[a-z]", "A") .. whole:sub(80001)
make.write(pack, broken)
uv.fs_rename(pictures, pictures .. "-away")
local mended, because = d:_mend "x; the pack is damaged"
t.is(mended, false, "a damaged pack of files that are away stays")
has(because, "the pack is damaged, and cannot be made anew: " .. pictures .. ": No such file")
uv.fs_rename(pictures .. "-away", pictures)
local e = last_event()
local note
for _, event in ipairs(events) do note = event.event == "note" and event.text or note end
has(note or "", "the pack is damaged; it was made anew", "a worker has a damaged pack made anew")
t.is(make.read(pack), whole, "to the byte")
t.is(e.event, "done", "and goes on")
t.is(events[#events - 1].train_loss, first.train_loss, "with the same images")
make.write(pictures .. "/train/cat/001.ppm", (make.picture(16, 17, 3, 5)))
e = last_event()
t.is(e.event, "refused", "nor are files that have changed")
has(e.reason, "'train/cat/001.ppm' has ", "which are named")
d:close()

local result = sweep.run { store = path "s.db", name = "A", models = { job.m, job.m }, seed = 1,
  data = data.open(pictures, { image = 16 }), recipe = job.recipe, workers = 2, quiet = true }
t.is(#result.errors, 2, "a sweep on a folder")
make.write(pictures .. "/train/cat/new.ppm", (make.picture(16, 16, 3, 5)))
t.fails(function()
  sweep.run { store = path "s.db", name = "A", models = { job.m, job.m, job.m }, seed = 1,
    data = data.open(pictures, { image = 16 }), recipe = job.recipe, workers = 2, quiet = true }
end, "other data", "goes on with the same images only")

t.done()
