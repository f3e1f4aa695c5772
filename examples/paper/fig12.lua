--- Figure 12: what networks cost.  Activations, parameters and measured time of RegNetX of
-- many sizes against flops, with the fits of the paper: acts ~ √flops, params ~ flops, time ~
-- flops and √flops; and which of flops and acts tells the time better.  Nothing is trained.
-- Section 4 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local count = { tiny = 8, small = 32, paper = 64 }
local models, rows = {}, { flops = {}, acts = {}, seconds = {} }
local scale = paper.scale
for i = 1, count[paper.options.scale] do
  local setting = { seed = i }
  for k, v in pairs(scale.setting) do setting[k] = v end
  local middle = scale.unit * 4 ^ (2 * (i - 1) / (count[paper.options.scale] - 1) - 1)
  setting.flops = { math.floor(middle * 0.9), math.ceil(middle * 1.1) }
  models[i] = scale.spaces.RegNetX:sample(1, setting)[1]
end
for i, m in ipairs(models) do
  local c = arch.complexity(m)
  local b = net.benchmark(m, { batch = 32, seconds = 0.2 })
  rows.flops[i], rows.acts[i], rows.seconds[i] = c.flops, c.acts, 1000 / b.images_per_s
end
local result = { name = "RegNetX", errors = rows.seconds, models = models }
print(stats.scaling(result))
local function told(by, form)
  return ("ms an image of training by %s: %s"):format(by,
    stats.regress(rows[by], rows.seconds, { form = form }))
end
print(told("flops", "linear+sqrt"))
print(told("acts", "linear"))
paper.show("fig12", plot.panels {
  plot.fit(rows.flops, rows.acts, { form = "sqrt", x = "flops", y = "acts" }),
  plot.fit(rows.flops, rows.seconds, { form = "linear+sqrt", x = "flops", y = "ms an image" }),
  plot.fit(rows.acts, rows.seconds, { form = "linear", x = "acts", y = "ms an image" }) })
