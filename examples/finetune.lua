--- Fine-tuning: weights that were trained on many images learn your few.
--
--   netspace examples/finetune.lua WEIGHTS DATA OUT [EPOCHS [SIDE]]
--   netspace examples/finetune.lua regnetx_004.safetensors ~/photos mine 10 96
--
-- WEIGHTS: a safetensors file of netspace, timm, torchvision or pycls (a .pth or .pyth of PyTorch
-- becomes one by scripts/from_torch.py); DATA: images, as for data.open; EPOCHS (10): of the second
-- step; SIDE: pixels that networks take (those of the weights, where they say it, else 64).
-- First only the new head learns, for a fifth of the epochs, on a body that stays as it is; then
-- all of it, every stage at half the rate of the next.  Beside it stands a network of the same kind
-- from fresh weights, trained as long.  The validation images tell which is better; the test images
-- are looked at once, for that one, which is saved as OUT.safetensors.

local path, spec, out, epochs, side = table.unpack(arg)
epochs = math.tointeger(tonumber(epochs or 10))
if not out or not epochs or epochs < 1 then
  io.stderr:write("usage: netspace examples/finetune.lua WEIGHTS DATA OUT [EPOCHS [SIDE]]\n")
  os.exit(2, true)
end

assert(io.open(out .. ".part", "w")):close() -- better now than after hours
os.remove(out .. ".part")
local known = assert(net.load(path))
local about = known:data()
side = math.tointeger(tonumber(side)) or about and about.image or 64
known:close()
local images = assert(data.open(spec, { image = side }))
local card = images:card()
local batch = 32
while batch > card.train_n do batch = batch // 2 end

local n = assert(net.load(path, { classes = card.classes, image = side }))
local head = { like = recipe.quick, epochs = math.max(1, epochs // 5), batch = batch, warmup = 0,
  freeze = "body" }
print(("head alone, %d epochs: validation error %.2f %%"):format(head.epochs,
  n:train(images, head).error))
local all = { like = recipe.quick, epochs = epochs, batch = batch, lr = 0.02, lr_scale = 0.5 }
local tuned = n:train(images, all).error
print(("all of it, %d epochs more: %.2f %%"):format(epochs, tuned))

local fresh = net.new(n:arch())
local scratch = fresh:train(images, { like = recipe.quick, epochs = head.epochs + epochs,
  batch = batch }).error
print(("the same network from fresh weights: %.2f %%"):format(scratch))

local best = tuned <= scratch and n or fresh
assert(best:save(out .. ".safetensors"))
print(("%s.safetensors: %s, test error %.2f %%"):format(out, best == n and "fine-tuned" or "fresh",
  (best:test(images))))
