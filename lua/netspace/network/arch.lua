--- Network architectures as plain tables, and what they cost.
-- Source: arXiv 2003.13678 sections 3 and D; counting conventions of pycls.
--
--   m = arch.regnet{ d = 13, w_0 = 24, w_a = 36.44, w_m = 2.49, g = 8, image = 224 }
--   print(arch.complexity(m).flops)

local blame = require "netspace.lib.blame"
local core = require "netspace.core.arch"
local describe = require "netspace.network.describe"
local document = require("netspace.lib.doc").group "arch"
local options = require "netspace.lib.options"
local times = require "netspace.network.times"

local M = {}

-- The options that both kinds of network accept besides their own parameters.
local common = {
  stem = "string", stem_width = "integer", block = "string", se = "number",
  head_width = "integer", activation = "string", classes = "integer", image = "integer",
  channels = "integer", kernel = "integer|table",
}

local function with_common(t)
  for key, kinds in pairs(common) do t[key] = kinds end
  return t
end

options.declare("arch.anynet", with_common {
  d = "table", w = "table", b = "number|table", g = "integer|table",
  stride = "integer|table",
})
options.declare("arch.regnet", with_common {
  d = "integer", w_0 = "integer", w_a = "number", w_m = "number", b = "number",
  g = "integer", stride = "integer|table", stages = "integer|string",
})

options.words.block = { "x", "y", "r", "v", "vr", "basic", "vanilla", "linear", "mb" }
options.words.stem = { "simple", "res", "cifar" }
options.words.activation = { "relu", "silu" }

--- Block "y" of the paper is block "x" with squeeze-excitation.
local function copy(t)
  local c = {}
  for k, v in pairs(t) do c[k] = v end
  if c.block == "y" then
    c.block, c.se = "x", c.se or 0.25
  end
  return c
end

-- Calls the core, whose exceptions blame the user's line; `where` names the function.
local function call(where, f, ...)
  local a, b = blame.call(2, function(err) return where .. ": " .. blame.bare(tostring(err)) end,
    f, ...)
  if b == nil then return a end -- one value, so that the prompt prints one
  if a == nil then return blame.nothing(where, b) end
  return a, b
end

local function missing(where, t, names)
  for _, name in ipairs(names) do
    if t[name] == nil then
      error(("%s: '%s' is missing; it needs %s"):format(where, name,
        table.concat(names, ", ")), 3)
    end
  end
end

function M.anynet(t)
  options.check("arch.anynet", t)
  t = copy(t or {})
  missing("arch.anynet", t, { "d", "w" })
  return call("arch.anynet", core.complete, t)
end

local function shown(list)
  return table.concat(list, ", ")
end

--- Why a RegNet does not have the number of stages asked for, and the remedy.
local function wrong_stages(shape, want)
  local n = #shape.d
  local remedy = n < want and "raise d or w_a, or lower w_m" or "lower d or w_a, or raise w_m"
  return ("these RegNet parameters give %d stage%s (depths %s; widths %s), not %d: %s, "
    .. "or ask for stages = %d"):format(n, n == 1 and "" or "s", shown(shape.d),
    shown(shape.w), want, remedy, n)
end

function M.regnet(t)
  options.check("arch.regnet", t)
  t = copy(t or {})
  missing("arch.regnet", t, { "d", "w_0", "w_a", "w_m", "g" })
  local stages = t.stages or 4
  if type(stages) == "string" and stages ~= "any" then
    error(("arch.regnet: stages is '%s'; it must be a number or \"any\""):format(stages), 2)
  end
  local r = { d = t.d, w_0 = t.w_0, w_a = t.w_a, w_m = t.w_m, b = t.b or 1, g = t.g }
  local shape, reason = call("arch.regnet", core.regnet, r)
  if not shape then return nil, reason end
  if stages ~= "any" and #shape.d ~= stages then return nil, wrong_stages(shape, stages) end
  t.d, t.w, t.b = shape.d, shape.w, r.b
  local m
  m, reason = call("arch.regnet", core.complete, t)
  if not m then return nil, reason end
  m.regnet = r
  return m
end

options.declare({ "arch.complexity", "arch.parts", "arch.describe" },
  { image = "integer", acts = "string" })

local function counting(where, o)
  o = options.check(where, o, 2)
  if o.acts and o.acts ~= "pycls" and o.acts ~= "paper" then
    error(("%s: acts is '%s'; it must be \"pycls\" or \"paper\""):format(where, o.acts), 3)
  end
  return o.image, o.acts == "paper"
end

function M.complexity(m, o)
  if type(m) ~= "table" then
    error(("arch.complexity expects a network, such as zoo[\"RegNetX-200MF\"] or A[1], got %s")
      :format(type(m) == "string" and ("%q"):format(m) or type(m)), 2)
  end
  return call("arch.complexity", core.complexity, m, counting("arch.complexity", o))
end

function M.parts(m, o)
  return call("arch.parts", core.parts, m, counting("arch.parts", o))
end

options.declare("arch.time", { batch = "integer", image = "integer", threads = "integer",
  training = "boolean", table = "string" })

function M.time(m, o)
  o = options.check("arch.time", o)
  if type(m) ~= "table" then
    error(("arch.time expects a network, such as zoo[\"RegNetX-200MF\"] or A[1], got %s")
      :format(type(m)), 2)
  end
  return call("arch.time", times.seconds, m, o)
end

options.declare("arch.times", { threads = "integer", table = "string", again = "boolean" })

function M.times(o)
  o = options.check("arch.times", o)
  return call("arch.times", times.about, o)
end

-- The axes of the grid of arch.fit where none is given.
local fit_grid = { w_0 = { 8, 256, 8 }, w_a = { 0, 256, 4 }, w_m = { 1.5, 3, 0.05 } }

--- low, high, step (or one number) as a list of values.
local function axis(name, t)
  if type(t) == "number" then return { t } end
  local lo, hi, step = t[1], t[2], t[3]
  if type(lo) ~= "number" or type(hi) ~= "number" or type(step) ~= "number" or
    not (lo <= hi and step > 0 and (hi - lo) / step < 65536) then
    error(("arch.fit: %s should be a number or {low, high, step}, such as {%g, %g, %g}"):format(
      name, table.unpack(fit_grid[name])), 3)
  end
  local list = {}
  for k = 0, math.floor((hi - lo) / step + 1e-6) do
    list[k + 1] = tonumber(("%.10g"):format(lo + k * step)) -- 1.55, not 1.5500000000000003
  end
  return list
end

options.declare("arch.fit", { w_0 = "number|table", w_a = "number|table", w_m = "number|table",
  rounded = "boolean" })

function M.fit(m, o)
  o = options.check("arch.fit", o)
  if type(m) ~= "table" then
    error(("arch.fit expects a network or a list of networks, got %s"):format(type(m)), 2)
  end
  local grid = { rounded = o.rounded }
  for name, usual in pairs(fit_grid) do grid[name] = axis(name, o[name] or usual) end
  local one = m.d ~= nil
  local fits = call("arch.fit", core.fit, one and { m } or m, grid)
  return one and fits[1] or fits
end

function M.describe(m, o)
  local image, paper_acts = counting("arch.describe", o)
  if type(m) ~= "table" then
    error(("arch.describe expects a network, got %s"):format(type(m)), 2)
  end
  if not m.stride then m = (blame.call(1, blame.plainly, M.anynet, m)) end
  return call("arch.describe", function()
    return describe.network(M._final(m), image, paper_acts)
  end)
end

options.declare("arch.why", { space = "table", flops = "window", params = "window",
  acts = "window", time = "window", image = "integer" })

function M.why(t, o)
  if type(t) ~= "table" then
    error(("arch.why expects the options of arch.anynet or arch.regnet, got %s"):format(type(t)), 2)
  end
  o = options.check("arch.why", o)
  local make = type(t.d) == "table" and M.anynet or M.regnet
  return call("arch.why", describe.why, make, t, o)
end

local function same(a, b)
  for _, key in ipairs { "d", "w", "b", "g" } do
    if #a[key] ~= #b[key] then return false end
    for i, v in ipairs(a[key]) do
      if v ~= b[key][i] then return false end
    end
  end
  return true
end

--- The network that m is when it is built, with every field: m itself, where it is as it was
-- made.  Of one that was written or changed by hand, asked and regnet are those of what it is
-- now, so that what is trained, shown and stored is one and the same.  Raises, without a
-- position, what is wrong with it.
function M._final(m)
  core.complexity(m) -- raises where a change does not fit
  local made, reason = core.complete(m)
  if not made then error(reason, 0) end
  local final, as_made = {}, type(m.asked) == "table"
  for k, v in pairs(m) do final[k] = v end
  if as_made then
    local t = {}
    for k, v in pairs(made) do t[k] = v end
    for k, v in pairs(m.asked) do t[k] = v end
    local good, before = pcall(core.complete, t)
    as_made = good and before and same(before, made)
    if as_made then made.asked = m.asked end
  end
  local changed = not as_made
  for k, v in pairs(made) do
    changed = changed or final[k] == nil
    final[k] = v
  end
  if not as_made then final.regnet = nil end
  return changed and final or m
end

function M.hash(m)
  return call("arch.hash", core.hash, m)
end

document("arch.anynet", [[
arch.anynet{ d = {…}, w = {…}, … } -> m, or nil, reason
A network of stem, stages and head, each stage with its own depth, width, b, g and stride.
  d, w        lists: blocks and channels of each stage
  b = 1       bottleneck ratio, width / inner width (number or list); below 1: inverted
  g = 8       group width, channels per group of the 3×3 (number or list)
  stride = 2  of the first block of each stage (number or list)
  block = "x" x, y (x with se = 0.25), r, v, vr, basic, vanilla, linear (x without the last
              activation), mb (MBConv: its input expanded 1/b times, depthwise)
  kernel = 3  side of the blocks' k×k convolutions, odd (number or list)
  se = 0      squeeze-excitation ratio, of the block's input width
  stem = "simple" (3×3 stride 2), "res" (7×7 stride 2 and max pool), "cifar" (3×3 stride 1)
  stem_width = 32, head_width = 0, activation = "relu" or "silu", classes = 10
  image = 32, channels = 3   side of the image and its channels; 1: gray (m has no channels
              where they are 3)
Widths are made multiples of the group width (round half to even): m.w and m.g are final,
m.asked keeps d, w, b, g as written.
example: arch.anynet{ d = {1, 2}, w = {24, 392}, g = 16 }.w
source: arXiv 2003.13678 section 3 and appendix D]])

document("arch.regnet", [[
arch.regnet{ d =, w_0 =, w_a =, w_m =, g =, b = 1, … } -> m, or nil, reason
The network whose block widths follow u_j = w_0 + w_a·j, quantised to powers of w_m.
  d           blocks in all
  w_0         initial width, a multiple of 8
  w_a, w_m    slope (>= 0) and width multiplier (> 1)
  stages = 4  how many stages it must have; a number, or "any"
Block, stem, se, … are options as in arch.anynet.  m.regnet keeps the six parameters.
example: arch.regnet{ d = 13, w_0 = 24, w_a = 36.44, w_m = 2.49, g = 8 }.w
source: arXiv 2003.13678 equations 2 to 4; rounding of pycls]])

document("arch.complexity", [[
arch.complexity(m, { image =, acts = "pycls" }) -> { flops =, params =, acts = }
Multiply-adds, parameters and activations of one image, by formulas: nothing is built.
  image  side of the input in pixels (default: m.image)
  acts   "pycls" counts the output of the res stem's max pool, "paper" does not
example: arch.complexity(zoo["RegNetX-200MF"]).flops
source: counting conventions of pycls]])

document("arch.time", [[
arch.time(m, { batch = 64, threads = 1, training = true, image =, table = }) -> seconds
Seconds that this machine takes for one image, told from the times of layers; nothing is built.
  training = true   a step of training, forward and backward; false: a test
  batch = 64        images of a step, which takes batch times as long
  threads = 1       of one network; sweeps train each network with one
  image             side of the input in pixels (default: m.image)
  table             times of another machine or version: a file, or the identity of one
The times of layers are measured once, when they are first asked for, within a minute or two
(arch.times); it is interrupted and goes on like a sweep.  They count processor seconds, as if
nobody else used the machine.  Loading and augmenting images is not in it.  As a window of a
population: S:sample(n, { time = { 2e-3, 3e-3 } }); as a property: "time" and "test_time".
example: arch.time(zoo["RegNetX-200MF"], { batch = 16 })
source: sums of layers as in arXiv 1710.05420 (NeuralPower); method: src/model/timing.h]])

document("arch.times", [[
arch.times{ threads = 1, table =, again = false } -> table of times
The times of layers on this machine by which arch.time tells those of networks; made if need be.
  threads = 1  how many the networks are trained with; each number has its own table
  table        another one: a file, or the identity of one in the cache
  again        true: measures anew
Fields: .id (which a population drawn by time keeps), .processor, .kernels, .version, .threads,
.date, .path (of its file: a copy serves on other machines as table=), .error (median of the
networks that were measured, .train and .test).  netspace doctor shows how old it is.
example: arch.times().error.train
source: src/model/timing.h]])

document("arch.parts", [[
arch.parts(m, { image =, acts = }) -> list of { part =, size =, flops =, params =, acts = }
The same counts for stem, each stage and head; size is the side of the part's output.
example: arch.parts(zoo["RegNetX-200MF"])[2].flops
source: counting conventions of pycls]])

document("arch.fit", [[
arch.fit(m | population, { w_0 =, w_a =, w_m =, rounded = }) -> { e_fit =, w_0 =, w_a =, w_m = }
How far the block widths of a network are from the nearest RegNet of its depth.
  w_0 = {8, 256, 8}, w_a = {0, 256, 4}, w_m = {1.5, 3, 0.05}   low, high, step of the grid
                     that is searched, or a number
  rounded = false    true: predictions are rounded to multiples of 8
e_fit is the least mean over the blocks of |ln(predicted / observed width)|; the first grid
point that reaches it is returned.  The paper states neither its grid nor its rounding.  A
list of networks gives a list.
example: arch.fit(zoo["RegNetX-200MF"]).e_fit
example: #arch.fit(space.AnyNetXE:sample(10))
source: arXiv 2003.13678 section 3.3, equations 2 to 4]])

document("arch.describe", [[
arch.describe(m, { image =, acts = }) -> text, with .stages, .layers, .total
Every stage and layer of a network: resolution, width, groups, flops, params, acts, shares.
Where group compatibility changed a width or g, both are shown: 24 > 32.  The second block
of a stage stands for all that follow.
example: arch.describe(zoo["RegNetX-400MF"])
source: arXiv 2003.13678 figures 3 and 4; counting conventions of pycls]])

document("arch.why", [[
arch.why({ … }, { space =, flops = {lo, hi}, params =, acts =, time =, image = }) -> text
Why options of arch.anynet or arch.regnet make no network, or none of a space or window.
Shows the width levels that RegNet parameters give and what group compatibility changes;
.network is the network they make, and .reason is nil when nothing is wrong with it.
example: arch.why{ d = 12, w_0 = 96, w_a = 19.5, w_m = 2.942, g = 8 }
example: arch.why({ d = {1, 2}, w = {24, 40}, g = 16 }, { flops = {1e6, 2e6} }).reason
source: arXiv 2003.13678 equations 2 to 4 and appendix D]])

document("arch.hash", [[
arch.hash(m) -> string
Sixteen hexadecimal digits; they are equal exactly when two networks are the same.
A population has each network once.  Parameters that differ only before group compatibility
make the same network, as do block "r" and block "x" with a single group.
example: arch.hash(arch.anynet{ d = {1}, w = {30}, g = 16 })
source: uniqueness on the final network, not on the parameters]])

return M
