-- Networks and recipes from Lua: shapes, training, progress, wrong use.
package.path = "tests/unit/?.lua;" .. package.path
local json = require "netspace.lib.json"
local t = require "tap"
local arch = require "netspace.network.arch"
local data = require "netspace.data.data"
local net = require "netspace.network.net"
local recipe = require "netspace.network.recipe"

local function tiny(more)
  local m = { d = { 1, 1 }, w = { 16, 32 }, g = 8, stem = "cifar", stem_width = 8 }
  for k, v in pairs(more or {}) do m[k] = v end
  return assert(arch.anynet(m))
end

-- Structure.
do
  local m = tiny { se = 0.25 }
  local n <close> = net.new(m, { seed = 5, batch = 4 })
  local names, count = {}, 0
  for _, p in ipairs(n:params()) do
    names[p.name] = p
    local product = 1
    for _, s in ipairs(p.shape) do product = product * s end
    t.is(p.count, product, p.name .. ": count is the product of the shape")
    if p.group ~= "buffer" then count = count + p.count end
  end
  t.is(count, arch.complexity(m).params, "parameters as counted in closed form")
  t.is(table.concat(names["s1.b1.f.b.weight"].shape, " "), "16 8 3 3", "grouped weights")
  local squeeze = names["s2.b1.f.se.f_ex.0.weight"]
  t.is(table.concat(squeeze.shape, " "), "4 32 1 1", "squeeze weights")
  t.is(names["s1.b1.f.a_bn.bias"].group, "bn", "biases of batch norm are in group bn")
  t.is(names["head.fc.bias"].group, "bias", "bias of the head")
  t.ok(tostring(n:plan()):find("s1.b1.f.se.f_ex", 1, true), "plan names its operations")
  t.is(json.encode(n:arch()), json.encode(m), "arch() is what it was made from")
  n:arch().w[1] = 48
  t.is(n:arch().w[1], m.w[1], "and nobody else's table")
  t.ok(n:bytes() > 0 and n:bytes() < 100e6, "bytes")
  t.ok(tostring(n):find("2 stages, 2 blocks 'x'", 1, true), "tostring")
  local v = n:values("head.fc.weight")
  t.is(#v, 320, "values of a parameter")
  t.fails(function() n:values("head.fc.wight") end, "no parameter 'head.fc.wight'")
end

-- Forward: deterministic, any number of images, and what an image must be.
do
  local m = tiny { image = 4, classes = 3 }
  local n <close> = net.new(m, { seed = 5, batch = 2 })
  local same <close> = net.new(m, { seed = 5 })
  local other <close> = net.new(m, { seed = 6 })
  local images = {}
  for i = 1, 5 do
    images[i] = {}
    for k = 1, 48 do images[i][k] = math.sin(i * k) end
  end
  local y, z, x = n:forward(images), same:forward(images), other:forward(images)
  t.is(#y, 5, "logits of every image")
  t.is(#y[1], 3, "one a class")
  local differs = false
  for i = 1, 5 do
    for k = 1, 3 do
      t.near(y[i][k], z[i][k], 1e-6, ("same seed, image %d, class %d"):format(i, k))
      differs = differs or math.abs(y[i][k] - x[i][k]) > 1e-3
    end
  end
  t.ok(differs, "another seed, another network")
  t.is(#n:forward(images, 1), 5, "a further argument does no harm")
  t.fails(function() n:forward { { 1, 2, 3 } } end,
    "image 1 is table with 3 values; this net takes flat lists of 48")
  images[2][7] = "a"
  t.fails(function() n:forward(images) end, "image 2: value 7 is string")
end

-- Training.
local d = assert(data.open("shapes", { train = 600, test = 100, seed = 2 }))
local quick = recipe { like = recipe.quick, epochs = 6, batch = 20, zero_gamma = false }
do
  local n <close> = net.new(tiny(), { seed = 1, batch = 8 })
  local events, steps = {}, 0
  local r = n:train(d, quick, function(e)
    if e.kind == "epoch" then events[#events + 1] = e else steps = steps + 1 end
  end)
  t.is(r.status, "done", "done")
  t.is(r.epochs, 6, "six epochs")
  t.is(#events, 6, "six epoch events")
  t.is(r.error, events[6].validation_error, "the error is that of the last test")
  t.is(n:test(d, { split = "validation" }), r.error, "test gives it again, of the validation images")
  t.ok(events[6].train_loss < events[1].train_loss, "the loss falls")
  t.ok(events[6].validation_error < 80, "better than chance")
  t.near(events[2].lr, recipe.rates(quick)[2], 1e-9, "rate of the second epoch")
  local rate = events[1].lr
  t.ok(#("%.15g"):format(rate) <= 11 and string.pack("f", rate)
    == string.pack("f", recipe.rates(quick)[1]), "rates have no more digits than they need", rate)
  t.ok(events[1].images_per_s > 0 and events[1].seconds > 0, "speed")
  local again <close> = net.new(tiny(), { seed = 1 })
  local s = again:train(d, quick)
  t.is(s.error, r.error, "the same seed gives the same error")
  t.is(s.train_loss, r.train_loss, "and the same loss to the bit")
  local other <close> = net.new(tiny(), { seed = 2 })
  t.ok(other:train(d, quick).train_loss ~= r.train_loss, "another seed does not")
end
do
  local n <close> = net.new(tiny(), { seed = 1 })
  local r = n:train(d, quick, function(e) return e.kind ~= "epoch" end)
  t.is(r.status, "stopped", "false stops")
  t.is(r.epochs, 1, "after the epoch that said so")
  t.fails(function() n:train(d, quick, function() error("my own") end) end, "my own",
    "an error in progress is the error of train")
  t.fails(function()
    n:train(d, quick, function() n:test(d) end)
  end, "this net is training")
  t.ok(n:test(d) <= 100, "the net is usable after that")
  r = net.new(tiny()):train(d, recipe { like = quick, lr = 1000, warmup = 0 })
  t.is(r.status, "diverged", "a rate of 1000 diverges")
  t.is(r.error, 100, "diverged: 100 %")
  t.ok(r.reason:find("the loss became"), "with a reason")
  local zero = net.new(tiny(), { seed = 1 })
  zero:train(d, recipe { like = quick, epochs = 1, lr = 0, zero_gamma = true })
  t.is(zero:values("s1.b1.f.c_bn.weight")[1], 0, "zero_gamma")
  t.is(zero:values("s1.b1.f.a_bn.weight")[1], 1, "and only the last of a branch")
end

-- Files.
do
  local path = os.tmpname()
  local n <close> = net.new(tiny { se = 0.25, classes = 10 }, { seed = 3 })
  n:train(d, recipe { like = quick, epochs = 1 })
  t.is(n:save(path), true, "save")
  local back <close> = assert(net.load(path))
  for _, name in ipairs { "m.onnx", "m.pt", "m.TFLITE" } do
  t.fails(function() n:save(name) end, ("net:save: '%s': "):format(name))
  t.is(io.open(name), nil, "no file is made")
end
t.is(back:test(d), n:test(d), "a loaded net has the same error")
  local same = true
  for _, p in ipairs(n:params()) do
    local x, y = n:values(p.name), back:values(p.name)
    for k = 1, p.count do same = same and x[k] == y[k] end
  end
  t.ok(same, "and the same values to the bit")
  t.is(table.concat(back:arch().w, " "), "16 32", "and the architecture")
  local missing, message = net.load(path .. ".none")
  t.ok(missing == nil and message:find(".none", 1, true), "a missing file is named",
    message)
  local ok
  ok, message = n:save("/nowhere/at/all.safetensors")
  t.ok(ok == nil and message:find("/nowhere/at/all", 1, true),
    "so is a folder that is not there", message)
  local card = d:card()
  t.is(back:data().mean[1] .. " " .. back:data().class_names[2], card.mean[1] .. " "
    .. card.class_names[2], "what it was trained on travels with it")
  t.is(net.new(tiny {}):data(), nil, "a fresh net knows nothing of it")
  local same_arch <close> = net.new(n:arch())
  t.is(same_arch:load(path), same_arch, "weights are loaded into a network made for them")
  t.is(same_arch:test(d), n:test(d), "and are the same")
  for file, part in pairs { [path] = "tensor 's2.b1.proj.weight' is (32, 16, 1, 1); the network "
    .. "takes (64, 16, 1, 1)", [path .. ".none"] = ".none" } do
    local none, why = net.new(tiny { w = { 16, 64 }, se = 0.25 }):load(file)
    t.ok(none == nil and why:find(part, 1, true), part, why)
  end
  t.fails(function() same_arch:load() end, "net:load expects a path, got nil")
  os.remove(path)
  t.is(type(n:export(path)), "table", "export")
  t.ok(io.open(path .. "/net.safetensors") and io.open(path .. "/torch_anynet.py"),
    "the weights and what loads them")
  t.is(type(n:export(path)), "table", "also into a directory that is there")
  os.execute("rm -r " .. path)
  ok, message = n:export("/nowhere/at/all")
  t.is(message, "/nowhere/at/all cannot be made: no such file or directory",
    "or cannot be made")
  t.fails(function() n:export("") end, 'the name of a directory, got ""')
  local closed = net.new(tiny {})
  closed:close()
  t.fails(function() closed:export(path) end, "closed net")
  t.ok(not io.open(path), "before anything is made")
  local reference = assert(net.load("tests/data/y_silu.safetensors"))
  t.is(reference:arch().activation, "silu", "files of other programs load too")
  local x = {}
  for k = 1, 8 * 8 * 3 do x[k] = k % 7 end
  t.is(#reference:forward({ x })[1], 5, "and run")
  os.remove(path)
end

-- Wrong use.
do
  local n = net.new(tiny())
  t.fails(function() n:train("shapes", quick) end, "dataset")
  t.fails(function() n:train(d, { epoch = 3 }) end,
    "unknown option 'epoch' (did you mean 'epochs'?)")
  t.fails(function() n:train(d, { batch = 601 }) end, "only 600 training images")
  t.fails(function() n:train(d, { epochs = 0 }) end, "epochs is 0; it must be from 1")
  t.fails(function() net.new(tiny { classes = 5 }):train(d) end,
    "make it with image = 32, classes = 10")
  t.fails(function() net.new(tiny(), { batch = 0 }) end, "batch is 0")
  t.fails(function() net.new(tiny(), { batch = -5 }) end, "batch is -5")
  t.fails(function() net.new(tiny(), { sed = 0 }) end, "did you mean 'seed'?")
  t.fails(function() net.new("RegNetX-200MF") end, "net.new expects an architecture")
  t.fails(function() net.new { d = { 1 } } end, "stage 1: w is nil")
  n:close()
  n:close()
  t.is(tostring(n), "net (closed)", "closed")
  t.fails(function() n:test(d) end, "closed net")
  local huge = tiny { image = 1024, stem_width = 4096 }
  t.fails(function() net.new(huge, { batch = 65536 }) end, "GB at batch 65536")
end

-- Recipes.
t.is(recipe.paper.lr, 0.05, "the paper's rate")
t.is(recipe {}.epochs, 10, "missing keys are the paper's")
t.is(recipe { like = recipe.quick }.batch, recipe.quick.batch, "or another recipe's")
t.near(recipe.rates(recipe.paper)[10], 0.001224, 5e-7, "half a cosine")
t.near(recipe.rates { epochs = 100, lr = 0.8, warmup = 5 }[2], 0.223945, 5e-7, "warm-up")
t.fails(function() recipe { lr = -1 } end, "recipe: lr is -1; it must be from 0 to 1000")
t.fails(function() recipe { schedule = "cosine" } end, 'it must be "cos", "linear", "exp" (each also with "_step"), "steps" or "constant"')
t.fails(function() recipe { momentum = 0 } end, "nesterov needs a momentum above 0")

t.done()
