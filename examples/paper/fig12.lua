--- Figure 12: what networks cost.  Activations, parameters and measured time of RegNetX of
-- many sizes against flops, with the fits of the paper: acts ~ √flops, params ~ flops, time ~
-- flops and √flops; and which of flops and acts tells the time better (the same form of both).
-- Beside the measured times are those that arch.time tells from the times of layers.
-- The paper fits the best networks (fig11.lua prints those), this any, and its time is that of
-- a GPU, on which acts tell more.  Nothing is trained.
-- Section 4 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local count = { tiny = 8, small = 32, paper = 32 }
local scale, n = paper.scale, count[paper.options.scale]
local models, flops, acts, speed, us, told = {}, {}, {}, {}, {}, {}
for i = 1, n do
  local setting = { seed = i }
  for k, v in pairs(scale.setting) do setting[k] = v end
  local middle = scale.unit * 4 ^ (2 * (i - 1) / (n - 1) - 1) -- a quarter to four times
  setting.flops = { math.floor(middle * 0.9), math.ceil(middle * 1.1) }
  models[i] = scale.spaces.RegNetX:sample(1, setting)[1]
  local c = arch.complexity(models[i])
  speed[i] = net.benchmark(models[i], { mode = "test", batch = 16,
    seconds = 0.2 }).images_per_s
  flops[i], acts[i], us[i] = c.flops, c.acts, 1e6 / speed[i]
  told[i] = 1e6 * arch.time(models[i], { training = false, batch = 16 })
end
local result = { name = "RegNetX", errors = us, models = models,
  columns = { images_per_s = speed } }
print(stats.scaling(result))
print("µs of inference an image")
print(("by flops: %s"):format(stats.regress(flops, us, { form = "linear+sqrt" })))
print(("by flops: %s"):format(stats.regress(flops, us, { form = "power" })))
print(("by acts:  %s"):format(stats.regress(acts, us, { form = "power" })))
print(("told by acts: %s"):format(stats.regress(acts, told, { form = "power" })))
print(("told by measured: %s"):format(stats.regress(us, told, { form = "power" })))
for i, a in ipairs(acts) do acts[i] = a / 1000 end
paper.show("fig12", plot.panels { plot.scaling(result),
  plot.fit(acts, us, { x = "acts (k)", y = "µs an image", form = "power" }),
  plot.fit(acts, told, { x = "acts (k)", y = "µs an image, told", form = "power" }), columns = 3 })
