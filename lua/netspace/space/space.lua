--- Design spaces as data: ranges of parameters, fixed options, and a list of constraints.
-- Source: arXiv 2003.13678 section 3; ranges and distributions of pycls.
--
--   B = space.AnyNetXA:with("shared_b")
--   pop = B:sample(100, { flops = {3e6, 6e6}, image = 32, stem = "cifar", stride = {1,2,2,2} })

local adopt = require "netspace.space.adopt"
local arch = require "netspace.core.arch"
local blame = require "netspace.lib.blame"
local constraint = require "netspace.space.constraint"
local count = require "netspace.space.count"
local describe = require "netspace.space.describe"
local distribution = require "netspace.space.distribution"
local domain = require "netspace.space.domain"
local document = require("netspace.lib.doc").group "space"
local json = require "netspace.lib.json"
local options = require "netspace.lib.options"
local draw = require "netspace.space.draw"
local population = require "netspace.space.population"
local presets = require "netspace.space.presets"
local pretty = require "netspace.lib.pretty"
local seeds = require "netspace.space.seeds"
local sizes = require "netspace.space.sizes"
local sys = require "netspace.core.sys"
local times = require "netspace.network.times"

local M = {}

local kinds = draw.kinds

local Space = { __name = "space" }
Space.__index = Space

-- Fixed options of the networks that may change from one population to the next.
local network_options = {
  stem = "string", stem_width = "integer", stride = "integer|table", head_width = "integer",
  activation = "string", classes = "integer", image = "integer", channels = "integer",
}
-- Fixed options of the blocks: part of the space.
local block_options = { block = "string", se = "number", kernel = "integer|table" }

local both = {} -- what S:with may change, of either kind
for kind, parameters in pairs(kinds) do
  local t = { name = "string", doc = "string", stages = "integer" }
  for _, p in ipairs(parameters) do t[p[1]] = "number|table" end
  for _, from in ipairs { network_options, block_options } do
    for k, v in pairs(from) do t[k] = v end
  end
  options.declare("space." .. kind, t)
  for k, v in pairs(t) do both[k] = v end
end
options.declare("S:with", both)

--- Refuses values no network could have, whatever the rest.
local function check_values(where, p, range)
  for _, x in ipairs(domain.table(range).v) do
    local good = x >= p.least and x <= p.most and (not p.whole or x == math.floor(x))
    if p[1] == "b" then
      local inverse = x > 0 and 1 / x or 0
      good = good and (x == math.floor(x) or math.abs(inverse - math.floor(inverse + 0.5)) < 1e-9)
    elseif p[1] == "w_m" then
      good = good and x > 1
    elseif p[1] == "w_0" then
      good = good and x % 8 == 0
    end
    if not good then
      error(("%s = %.10g; it must be %s"):format(where, x, p.must), 0)
    end
  end
  return range
end

--- A parameter's ranges: one, or one a stage (a list of tables).
local function read_ranges(S, p, t)
  local where = ("space %s: %s"):format(S.name, p[1])
  if type(t) == "table" and type(t[1]) == "table" and S.kind == "anynet" then
    local list = {}
    for i, r in ipairs(t) do
      local at = ("%s of stage %d"):format(where, i)
      list[i] = check_values(at, p, domain.range(at, r, p))
    end
    return list
  end
  return { check_values(where, p, domain.range(where, t, p)) }
end

--- Refuses a space that could never be drawn from.
local function verify(S)
  local ok, message = pcall(draw.sampler, draw.of(S), 0)
  if not ok then
    error(("space %s: %s"):format(S.name, tostring(message):gsub("^.-:%d+: ", "")), 0)
  end
  message:close()
  return setmetatable(S, Space)
end

local function set_option(S, key, value)
  for _, p in ipairs(kinds[S.kind]) do
    if p[1] == key then
      S.params[key] = read_ranges(S, p, value)
      return
    end
  end
  if key == "block" and value == "y" then
    S.options.block, S.options.se = "x", S.options.se or 0.25 -- the paper's Y
  else
    S.options[key] = value
  end
end

local function fill(S, t)
  if S.stages < 1 or S.stages > 16 then
    error(("space %s: stages is %d; it must be from 1 to 16"):format(S.name, S.stages), 0)
  end
  local keys = {}
  for key in pairs(options.declared["space." .. S.kind]) do
    if key ~= "name" and key ~= "doc" and key ~= "stages" then keys[#keys + 1] = key end
  end
  table.sort(keys) -- "block" before "se": y sets its own
  for _, key in ipairs(keys) do
    if t[key] ~= nil then set_option(S, key, t[key]) end
  end
  for _, range in ipairs(S.params.g) do
    if (range.groups or false) ~= draw.by_groups(S) or range.groups and S.kind == "regnet" then
      error(("space %s: g counts groups in every stage of an AnyNet space, or in none"):format(
        S.name), 0)
    end
  end
  for _, p in ipairs(kinds[S.kind]) do
    local ranges = S.params[p[1]]
    if #ranges ~= 1 and #ranges ~= S.stages then
      error(("space %s: %s has %d ranges, but there are %d stages"):format(S.name, p[1],
        #ranges, S.stages), 0)
    end
  end
end

local function create(kind, t)
  options.check("space." .. kind, t, 2)
  t = t or {}
  local S = { name = t.name or (kind == "anynet" and "AnyNet" or "RegNet"), doc = t.doc,
    kind = kind, stages = t.stages or 4, params = {}, options = {}, constraints = {},
    sized = {} } -- options that follow the size of images, as spaces of presets.lua have them
  for _, p in ipairs(kinds[kind]) do
    if t[p[1]] == nil then
      error(("space.%s: '%s' is missing; a space has a range for each parameter"):format(
        kind, p[1]), 3)
    end
  end
  return (blame.call(2, blame.plainly, function()
    fill(S, t)
    return verify(S)
  end))
end

function M.anynet(t)
  local S = create("anynet", t)
  return S
end

function M.regnet(t)
  local S = create("regnet", t)
  return S
end

local function add_constraint(S, x)
  local c = constraint._of(x)
  if c.kind and c.kind ~= S.kind then
    error(("constraint %s is for %s spaces; %s is not one"):format(c.name,
      c.kind == "regnet" and "RegNet" or "AnyNet", S.name), 0)
  end
  for _, old in ipairs(S.constraints) do
    if old.name == c.name then
      error(("space %s has the constraint %s already"):format(S.parent.name, c.name), 0)
    end
  end
  S.constraints[#S.constraints + 1] = c
end

local function derive(parent, ...)
  local S = { parent = parent, kind = parent.kind, stages = parent.stages, params = {},
    options = {}, constraints = table.move(parent.constraints, 1, #parent.constraints, 1, {}),
    sized = {} }
  for _, part in ipairs { "params", "options", "sized" } do
    for k, v in pairs(parent[part]) do S[part][k] = v end
  end
  local changes, wanted = {}, {}
  for i = 1, select("#", ...) do
    local x = select(i, ...)
    if type(x) == "table" and not constraint._is(x) then
      for _, c in ipairs(x) do wanted[#wanted + 1] = c end
      for key, value in pairs(x) do
        if math.type(key) ~= "integer" then changes[key] = value end
      end
    else
      wanted[#wanted + 1] = x
    end
  end
  if #wanted == 0 and not next(changes) then
    error("S:with needs a constraint or changed options", 0)
  end
  local ok, message = pcall(options.check, "S:with", changes, 1, "space." .. S.kind)
  if not ok then error((tostring(message):gsub("^.-:%d+: ", "")), 0) end
  S.name = changes.name or parent.name
  S.stages = changes.stages or parent.stages
  for key in pairs(changes) do S.sized[key] = nil end
  S.doc = changes.doc
  for _, x in ipairs(wanted) do add_constraint(S, x) end
  if not changes.name then
    local added = {}
    for i = #parent.constraints + 1, #S.constraints do
      added[#added + 1] = S.constraints[i].name
    end
    local changed = {}
    for key, value in pairs(changes) do
      if key ~= "doc" then
        changed[#changed + 1] = type(value) == "table" and key or key .. "=" .. tostring(value)
      end
    end
    table.sort(changed)
    table.move(changed, 1, #changed, #added + 1, added)
    S.name = parent.name .. "+" .. table.concat(added, "+")
  end
  fill(S, changes)
  return verify(S)
end

function Space:with(...)
  local S = blame.call(1, blame.plainly, derive, self, ...)
  return S
end

local windows = { flops = "{1.5e6, 2.5e6}", params = "{1.5e6, 2.5e6}", acts = "{1.5e6, 2.5e6}",
  time = "{2e-3, 3e-3} (seconds)" }

-- The windows of options, and by which table of times that of time counts.
local function read_window(where, o)
  local window = {}
  for name, such in pairs(windows) do
    local w = o[name]
    if w then
      local lo, hi = w[1], w[2]
      if type(lo) ~= "number" or type(hi) ~= "number" or not (lo <= hi) then
        error(("%s: %s is a window: {lo, hi} with lo <= hi, such as %s"):format(where, name, such),
          0)
      end
      window[name] = { math.max(lo, 0), math.min(hi, 2.0 ^ 53) }
    end
  end
  if not o.time then return window end
  local how = {}
  for key, value in pairs(o.time) do
    if math.type(key) ~= "integer" then how[key] = value end
  end
  local good, why = pcall(options.check, where, how, 1, "S:sample: time")
  if not good then error(blame.bare(why), 0) end
  good, why = pcall(times.timing, how)
  if not good then error(why == "interrupted" and why or ("%s: time: %s"):format(where, why), 0) end
  return window, why
end

local function read_network_options(where, S, o)
  local set = {}
  for k in pairs(network_options) do set[k] = o[k] end
  if not o.data then return set end
  return sizes.complete(where, S, set, sizes.card(where, o.data))
end

local function sorted(o)
  if o.order and o.order ~= "rejection" and o.order ~= "sorted" then
    error(('order is \'%s\'; it must be "rejection" or "sorted"'):format(o.order), 0)
  end
  return o.order == "sorted"
end

-- The space as a text that tells it from others, whatever its network options.
local function identity(S, spec)
  local parts = { S.name, json.encode(spec.params or {}) }
  for _, c in ipairs(S.constraints) do parts[#parts + 1] = c.source or c.name end
  return table.concat(parts, "\n")
end

options.declare("S:sample: time", { batch = "integer", threads = "integer",
  training = "boolean", table = "string" })

local sample_options = { seed = "integer", max_tries = "integer", flops = "window",
  params = "window", acts = "window", time = "window", order = "string", adopt = "table",
  data = "any" }
for k, v in pairs(network_options) do sample_options[k] = v end
options.declare({ "S:sample", "design.step: sample" }, sample_options)

function Space:sample(n, o)
  o = options.check("S:sample", o)
  if type(n) ~= "number" or not math.tointeger(n) or n < 1 then
    error(("S:sample: n is %s; it must be a whole number of networks, at least 1, as in "
      .. "S:sample(12, { … })"):format(type(n) == "number" and tostring(n)
      or pretty(n, { width = 60 })), 2)
  end
  local max_tries = o.max_tries or 1000000
  if max_tries < 1 then
    error(("S:sample: max_tries is %d; it must be at least 1"):format(max_tries), 2)
  end
  local p = blame.call(1, blame.plainly, function()
    local how = { seed = math.tointeger(o.seed) }
    how.window, how.timing = read_window("S:sample", o)
    local set = read_network_options("S:sample", self, o)
    if o.adopt then adopt.complete(o.adopt, set, network_options) end
    local drawn = draw.of(self, set, sorted(o))
    if o.adopt then
      how.adopted = adopt.from(self, drawn.spec, o.adopt, n, how)
      how.seed, how.window = how.adopted.seed, how.adopted.window
      how.timing = how.adopted.timing
    end
    local key, given = identity(self, drawn.spec), how.seed ~= nil
    how.seed, how.max_tries = how.seed or seeds.choose(key), math.tointeger(max_tries)
    local found = population.draw(self, drawn, math.tointeger(n), how)
    seeds.note(key, how.seed, given)
    distribution.note(self, found)
    return found
  end)
  return p
end

local size_options = { draws = "integer", seed = "integer", flops = "window", params = "window",
  acts = "window", time = "window", data = "any" }
for k, v in pairs(network_options) do size_options[k] = v end
options.declare("S:size", size_options)

local acceptance_options = { n = "integer", order = "string" }
for k, v in pairs(size_options) do acceptance_options[k] = v end
acceptance_options.draws = nil
options.declare("S:acceptance", acceptance_options)

function Space:acceptance(o)
  o = options.check("S:acceptance", o)
  local n = math.tointeger(o.n or 500)
  if n < 1 then error(("S:acceptance: n is %d; it must be at least 1"):format(n), 2) end
  local a = blame.call(1, blame.plainly, function()
    local set = read_network_options("S:acceptance", self, o)
    local how = { seed = math.tointeger(o.seed or sys.seed()) }
    how.window, how.timing = read_window("S:acceptance", o)
    return population.acceptance(self, draw.of(self, set, sorted(o)), n, how)
  end)
  return a
end

local function has_parameter(S, p, range, x, stage)
  if domain.has(range, x, S.kind == "regnet" and not p.whole) then return true end
  return false, ("%s%s = %s is not in %s"):format(stage and ("stage %d: "):format(stage) or "",
    p[1], tostring(x), domain.show(range))
end

--- Are the parameters of m in the ranges of S (before any constraint)?
local function in_ranges(S, m)
  local asked = m.asked or m
  if #asked.d ~= S.stages then
    return false, ("it has %d stages, not %d"):format(#asked.d, S.stages)
  end
  local block = S.options.block or "x"
  if m.block ~= block then return false, ("block is %s, not %s"):format(m.block, block) end
  if (m.se or 0) ~= (S.options.se or 0) then
    return false, ("se is %g, not %g"):format(m.se or 0, S.options.se or 0)
  end
  if S.kind == "regnet" then
    if not m.regnet then return false, "it is not a RegNet: it has no w_0, w_a, w_m" end
    for _, p in ipairs(kinds.regnet) do
      local ok, reason = has_parameter(S, p, S.params[p[1]][1], m.regnet[p[1]])
      if not ok then return false, reason end
    end
    local shape, why = arch.regnet(m.regnet)
    if not shape then return false, why end
    if shape.levels ~= #shape.d then
      return false, ("its %d stages stand for %d width levels"):format(#shape.d, shape.levels)
    end
    return true
  end
  for _, p in ipairs(kinds.anynet) do
    local name = p[1]
    if name ~= "b" and name ~= "g" or block == "x" or block == "r" and name == "b" then
      for i = 1, S.stages do
        local ranges, x = S.params[name], asked[name][i]
        if name == "g" and draw.by_groups(S) then x = asked.w[i] / asked.b[i] / x end
        local ok, reason = has_parameter(S, p, ranges[i] or ranges[1], x, i)
        if not ok then return false, reason end
      end
    end
  end
  return true
end

--- Why m is not in S: a list of reasons, empty where it is.
function Space:_objections(m)
  local ok, reason = in_ranges(self, m)
  local list = { not ok and reason or nil }
  for _, c in ipairs(ok and self.constraints or {}) do
    if not population.obeys(c, m) then
      list[#list + 1] = ("constraint %s: %s"):format(c.name, c.doc or "not met")
    end
  end
  return list
end

function Space:contains(m)
  if type(m) ~= "table" or type(m.d) ~= "table" then
    error("S:contains expects a network (a table from arch, zoo or a population)", 2)
  end
  local reason = blame.call(1, blame.plainly, self._objections, self, m)[1]
  if reason == nil then return true end
  return false, reason
end

function Space:size(o)
  o = options.check("S:size", o)
  local draws = math.tointeger(o.draws or 2000)
  if draws < 1 then error(("S:size: draws is %d; it must be at least 1"):format(draws), 2) end
  local result = blame.call(1, blame.plainly, function()
    local how = { seed = math.tointeger(o.seed or sys.seed()), draws = draws,
      set = read_network_options("S:size", self, o) }
    how.window, how.timing = read_window("S:size", o)
    return count.size(self, how)
  end)
  return result
end

function Space:describe()
  local text = blame.call(1, blame.plainly, describe, self)
  return text
end

function Space:__tostring()
  local names = {}
  for i, c in ipairs(self.constraints) do names[i] = c.name end
  return ("space %s%s"):format(self.name,
    #names > 0 and " (" .. table.concat(names, ", ") .. ")" or "")
end

M.small = presets.fill({}, "small", "space.small", M)

document("space", [[
space.AnyNetXA … space.AnyNetXE, space.RegNetX, …; space.small.AnyNetXA, …
Design spaces by name; space.names() lists all.  These are the paper's, for ImageNet; space.small
has the same for small images, which a processor can train.  S:sample{ data = … } fits either to
the images of a data set.
  AnyNetXA                         every stage free
  AnyNetXB, XC, XD, XE             + shared_b, + shared_g, + monotone_w, + monotone_d
  RegNetX                          widths quantised from a line
  RegNetXC                         b = 1, at most 40 blocks, w_m >= 2, caps
  AnyNetYA … E, RegNetY            with squeeze-excitation
  AnyNetRA, RB, RD, RE, RegNetR    one group
  AnyNetVA, VD, VE, RegNetV        one 3×3, no residual connection
  AnyNetVRA, VRD, VRE, RegNetVR    one 3×3 with a residual connection
  AnyNetLA … E, RegNetL            linear bottleneck
  AnyNetXA3 … E3, RegNetX3         three stages;  AnyNetXA5 … E5, RegNetX5: five
  RegNetXInverted                  b from 1/8 to 1;  RegNetXDepthwise: g = 1
  RegNetXDepth20                   20 blocks
  NDSVanilla, NDSResNet, NDSResNeXtA, NDSResNeXtB   three stages, 32 pixels
What a space prints as finds it, too: space.AnyNetX_A, space["AnyNetX_A-32px"].
Make more with S:with, space.anynet and space.regnet; draw with S:sample.
example: space.AnyNetXD:describe()
source: arXiv 2003.13678 sections 3, 4, appendices B and D; arXiv 1905.13214]])

document("space.small", [[
space.small.AnyNetXA, … (the names of space.names())
The same spaces for small images, which ordinary processors can train.
They have a quarter of the widths, half of the depths, a 3×3 stem of stride 1 with 16
channels, and 10 classes, for 32 pixels.  A window such as flops = {3e6, 6e6} makes the networks
comparable; sweep.window suggests one.  With data = d in S:sample they take size, channels and
classes from the data, and the names say the size (AnyNetX_A-64px).
example: space.small.AnyNetXA:sample(3, { flops = {3e6, 6e6} })
source: ranges of netspace, principles of arXiv 2003.13678]])

document("space.anynet", [[
space.anynet{ d =, w =, b =, g =, stages = 4, … } -> S
A space of networks whose stages have their own depth, width, bottleneck ratio, group width.
  d = {1, 16}, w = {8, 1024, 8}  low, high, step: log-uniform (as pycls rounds)
  b = {1, 2, 4}, g = {8, 16}     lists: every value equally likely
  g = { groups = {1, 2, 4} }     how many groups instead of how wide
  or { lo =, hi =, q =, dist = } with dist uniform, log_uniform, power2_uniform,
  power2_or_log_uniform, normal or log_normal; or { values = {…} }; or one number;
  or a list of such tables, one a stage
  block, kernel, se, stem, stem_width, stride, head_width, activation, classes, image,
  channels: as in arch.anynet
  name, doc
example: space.anynet{ stages = 3, d = {1, 8}, w = {16, 256, 8}, b = 1, g = {8, 16} }
source: arXiv 2003.13678 section 3.2]])

document("space.regnet", [[
space.regnet{ d =, w_0 =, w_a =, w_m =, b =, g =, stages = 4, … } -> S
A space of RegNets; parameters that give another number of stages are skipped.
  d = {12, 28}       uniform;  w_0 = {8, 256}, w_a = {8, 256}, w_m = {2, 3}: log-uniform in
                     steps of 8, 0.1 and 0.001
  b, g and the rest  as in space.anynet
example: space.regnet{ d = {12, 28}, w_0 = {8, 256}, w_a = {8, 256}, w_m = {2, 3}, b = 1, g = 8 }
source: arXiv 2003.13678 section 3.3; ranges and steps of pycls]])

document("space.names", [[
space.names() -> list
The names of the spaces that come with netspace, in space and in space.small.
example: space.names()[1]
source: arXiv 2003.13678 section 3]])

document("S:with", [[
S:with(constraint, …) -> child space
A refined space: this one with more constraints (a name, a constraint{ … }, a function of
m), with changed options or ranges, or with both in one table.
  name   of the child (default: the parent's name and what was added)
  doc, stages, ranges (d, w, …), block, se, stem, …   as in space.anynet or space.regnet
example: space.AnyNetXA:with("shared_b", "monotone_w")
example: space.RegNetX:with{ "b_1", g = { 16, 24 }, name = "mine" }
source: arXiv 2003.13678 section 3.1]])

document("S:sample", [[
S:sample(n, { seed =, flops = {lo, hi}, params =, acts =, time =, … }) -> population
The first n different networks of the space inside the window; it depends on the seed only.
  seed                   when not given, each space has its own, so that populations that are
                         compared are independent: the first one drawn from that of netspace
                         --seed (1), the others 2, 3, … as they come; printed and stored
  data                   an open data set or its name: image, channels and classes are its own,
                         stem and strides fit (unless the space or you give them), so that the
                         last of four stages has 4 to 8 pixels a side:
                           8 to 12 px   stem "cifar", strides 1 1 1 2     13 to 24   1 1 2 2
                           25 to 48     1 2 2 2, as space.small at 32
                           49 to 96     stem "simple" (stride 2), strides 1 2 2 2
                           97 and more  stem "simple", strides 2 2 2 2, as the paper's at 224
  flops, params, acts, time   windows; time = { 2e-3, 3e-3 } is seconds an image on this machine
                         (arch.time), of training in steps of 64 images by one thread; batch =,
                         training = false, threads = or table = in it say otherwise.  The
                         population keeps by which table of times it was drawn (.spec.timing);
                         table = "its identity" draws the same again where the tables differ
  image, classes, channels, stem, stem_width, stride, head_width, activation  network options, as
                         in arch.anynet; complexity is counted at this image size
  max_tries = 1000000    give up after so many candidates without a new network
  order = "rejection"    how ordered parameters (monotone_w, …) are drawn: as if repeated until
                         they obey; or "sorted": drawn once and sorted, which makes ties rarer
  adopt                  the result of a sweep over a space that this one refines: its networks
                         that obey the added constraints come first, with their errors, and
                         only the rest is drawn.  Window and network options are those of the
                         result.  This is exact for constraints; changed ranges or options, a
                         wider window and a seed that drew the result are refused.  Two spaces
                         that adopt from one result draw the same rest: give one another seed
A population is a list of networks with .space .seed .tried .rejected .window .spec
and .constraints; the first k of a larger one are the population of k.
example: space.AnyNetXA:sample(3, { flops = {3e6, 6e6}, stem = "cifar", stride = {1, 2, 2, 2} })
source: arXiv 2003.13678 section 3.1]])

document("S:acceptance", [[
S:acceptance{ n = 500, flops = {lo, hi}, params =, time =, image =, … } -> text, with .share …
The share of candidates that S:sample accepts, and the time that n networks need.
  flops, params, acts, time, data, image, stem, …  window and network options, as in S:sample
Fields: .share, .share_error, .taken of .tried, .candidates and .seconds for n networks, and
.rejected by reason.  S:sample prints the same before a draw that takes seconds.
example: space.AnyNetXE:acceptance{ flops = {3e6, 6e6}, stem = "cifar" }
source: rejection sampling of arXiv 2003.13678 section 3.1]])

document("S:contains", [[
S:contains(m) -> true, or false and the reason
Is the network in the space: are its parameters in the ranges, does it obey every
constraint?  Its stem, strides, image, classes and activation are not checked.
example: space.AnyNetXE:contains(zoo["RegNetX-200MF"])
source: arXiv 2003.13678 figure 1]])

document("S:size", [[
S:size{ flops = {lo, hi}, params =, acts =, time =, draws = 2000, seed =, image =, … }
    -> { nominal =, exact =, distinct =, window = … }
How many settings (values of all parameters) a space has, and how many networks they make.
  data, image, classes, channels, stem, stem_width, stride, head_width, activation  as in S:sample
  .nominal  settings as the paper counts them: an order divides by n!, a RegNet has 64 values
            each of d, w_0, w_a and w_m
  .exact    settings, counted: every order and tie as it is
  .distinct networks that differ after group compatibility, counted
Where these cannot be counted (RegNets, constraints without a hint), they are estimated from
`draws` settings of equal probability: .settings and .distinct, with the standard errors
.settings_error and .distinct_error; no .distinct where a constraint has no hint.
  .window   with flops, params or acts: share, share_error, settings and settings_error of the
            settings inside (all count alike, so it is not the share of draws); for RegNets
            distinct, too
example: space.AnyNetXE:size().exact
example: space.AnyNetXE:size{ flops = {3e6, 6e6}, stem = "cifar" }.window.share
source: arXiv 2003.13678 table 1]])

document("S:describe", [[
S:describe() -> text
Ranges, network options, constraints and size of the space, and its lineage.
example: space.AnyNetXE:describe()
source: arXiv 2003.13678 section 3]])

return presets.fill(M, "paper", "space", M)
