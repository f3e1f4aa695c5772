--- data.open and what a dataset can be asked.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local data = require "netspace.data.data"
local help = require "netspace.prompt.help"
local doc = require "netspace.lib.doc"

t.is(table.concat(data.names(), " "), "cifar10 cifar100 folder idx list npz pack shapes tar", "names are sorted")

local d <close> = data.open("shapes", { train = 60, test = 20, seed = 5 })
local card = d:card()
t.is(card.name, "shapes", "card: name")
t.is(card.spec, "shapes", "card: spec")
t.is(card.seed, 5, "card: seed")
t.is(card.classes, 10, "card: classes")
t.is(#card.class_names, 10, "card: class names")
t.is(card.image, 32, "card: image")
t.is(card.train_n, 60, "card: train_n")
t.is(card.test_n, 20, "card: test_n")
t.is(#card.mean + #card.std, 6, "card: mean and deviation of three channels")
t.ok(card.checksum:match("^%x+$") and #card.checksum == 64, "card: checksum is a SHA-256")
t.is(d:checksum(), card.checksum, "checksum() is the card's")
t.is(#d, 60, "# is the number of training images")
t.is(tostring(d), "dataset shapes: 10 classes, 60 training + 20 validation + 20 test images of 32x32", "tostring")

-- what a worker is sent opens the same again, numbers being floats after JSON
local again <close> = data.open(card.spec, { train = 60.0, test = 20.0, seed = 5.0 })
t.is(again:checksum(), card.checksum, "a spec opens the same images")
local other <close> = data.open("shapes", { train = 60, test = 20, seed = 6 })
t.ok(other:checksum() ~= card.checksum, "another seed, other images")
local less <close> = data.open(d, { train = 30, test = 20, seed = 5 })
t.is(#less, 30, "a dataset opens again with other options")
t.is(data.open(d), d, "a dataset without options is itself")
local half <close> = data.open(d, { train = 30 })
t.is(half:card().checksum, less:card().checksum, "and with some, what is not said stays")

t.is(card.pad, 4, "card: pad, as pycls")
local unpadded <close> = data.open("shapes", { train = 60, test = 20, seed = 5, pad = 0 })
t.is(unpadded:card().pad, 0, "pad: as asked")
t.ok(unpadded:checksum() ~= card.checksum, "pad: networks trained otherwise, another checksum")
t.fails(function() data.open("shapes", { pad = 17 }) end, "pad = 17", "pad: at most 16")

local pixels, label, name = d:image("test", 20)
t.is(#pixels, 32 * 32 * 3, "image: bytes of three channels")
local lo, hi = math.huge, -math.huge
for _, v in ipairs(pixels) do lo, hi = math.min(lo, v), math.max(hi, v) end
t.ok(lo >= 0 and hi <= 255 and hi > lo, "image: bytes, not all the same")
t.is(name, card.class_names[label + 1], "image: the name of its label")
local first = less:image("train", 7)
local same = d:image("train", 7)
t.is(table.concat(first, ","), table.concat(same, ","), "image 7 is the same in a smaller set")
local card, input = d:card(), d:input("train", 7)
for k, byte in ipairs(same) do
  local c = (k - 1) % 3 + 1
  if math.abs(input[k] - (byte - card.mean[c]) / card.std[c]) > 1e-5 then t.is(k, 0, "normalised") end
end
t.is(#input, #same, "an image as a network takes it")
t.fails(function() d:input("test", 0) end, "dataset:input: there is no test image 0")
t.fails(function() d:image("train", 61) end, "no train image 61; they are numbered 1 to 60")
t.fails(function() d:image("train", 0) end, "no train image 0")
t.fails(function() d:image("valid", 1) end, "invalid option 'valid'")

-- wrong use raises, with a hint
t.fails(function() data.open("shape") end, "did you mean 'shapes'?")
t.fails(function() data.open("mnist") end, 'there is no data set \'mnist\'; what can be opened is "cifar10:DIR" (CIFAR-10')
t.fails(function() data.open(42) end, "got number")
t.fails(function() data.open("cifar10") end, "needs the directory of its files: 'cifar10:DIR'")
t.fails(function() data.open("cifar10:") end, "needs the directory")
t.fails(function() data.open("shapes:x") end, "nothing may follow the name")
t.fails(function() data.open("shapes", { trian = 5 }) end, "did you mean 'train'?")
t.fails(function() data.open("shapes", { train = 0 }) end, "train = 0; 'shapes' has 1 to 1000000")
t.fails(function() data.open("shapes", { test = -1 }) end, "test images")
t.fails(function() data.open("shapes", { train = 1.5 }) end, "should be integer")
t.fails(function() data.open("cifar10:/nowhere", { train = 50001 }) end, "1 to 50000 training")
local ok, err = pcall(function() data.open("shapes", { train = 0 }) end)
t.ok(not ok and err:find("test_data.lua:", 1, true), "the caller's line is blamed")

-- a failing world returns nil and a message
local none, why = data.open("cifar10:/nowhere/at/all")
t.is(none, nil, "missing files: nil")
t.ok(why:find("/nowhere/at/all: No such file", 1, true), "missing files are named")
none, why = data.open("cifar10:~/no such directory here")
t.ok(none == nil and why:find(os.getenv("HOME"), 1, true), "~ is the home directory")

d:close()
t.is(tostring(d), "closed dataset", "closed")
t.fails(function() d:card() end, "closed dataset")
t.fails(function() return #d end, "closed dataset")
t.fails(function() data.open(d, { train = 5 }) end, "closed dataset")
d:close()
t.ok(true, "closing twice is fine")

for _, topic in ipairs { "data.open", "data.names", "dataset:card", "dataset:image",
  "dataset:checksum", "dataset:close" } do
  t.ok(doc.topics[topic], "help for " .. topic)
end
t.done()
