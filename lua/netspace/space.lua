--- Design spaces as data: ranges of parameters, fixed options, and a list of constraints.
-- Source: arXiv 2003.13678 section 3; ranges and distributions of pycls.
--
--   B = space.AnyNetXA:with("shared_b")
--   pop = B:sample(100, { flops = {3e6, 6e6}, image = 32, stem = "cifar", stride = {1,2,2,2} })

local arch = require "netspace.core.arch"
local core = require "netspace.core.sampler"
local constraint = require "netspace.constraint"
local grid = require "netspace.grid"
local help = require "netspace.help"
local options = require "netspace.options"
local population = require "netspace.population"

local M = {}

local Space = { __name = "space" }
Space.__index = Space

-- Parameters of each kind, in the order of the sampler's slots, with their usual ranges.
local kinds = {
  anynet = {
    { "d", q = 1, dist = "log_uniform" }, { "w", q = 8, dist = "log_uniform" },
    { "b", q = 1, dist = "uniform", list = true },
    { "g", q = 8, dist = "power2_or_log_uniform", list = true },
  },
  regnet = {
    { "d", q = 1, dist = "uniform", whole = true },
    { "w_0", q = 8, dist = "log_uniform", whole = true },
    { "w_a", q = 0.1, dist = "log_uniform" }, { "w_m", q = 0.001, dist = "log_uniform" },
    { "b", q = 1, dist = "uniform", list = true, whole = true },
    { "g", q = 8, dist = "power2_or_log_uniform", list = true, whole = true },
  },
}

-- What a network is set in: may change from one population to the next.
local settings = {
  stem = "string", stem_width = "integer", stride = "integer|table", head_width = "integer",
  activation = "string", classes = "integer", image = "integer",
}
-- What makes the blocks: part of the space.
local makings = { block = "string", se = "number" }

local allowed = {}
for kind, parameters in pairs(kinds) do
  local t = { name = "string", doc = "string", stages = "integer" }
  for _, p in ipairs(parameters) do t[p[1]] = "number|table" end
  for _, from in ipairs { settings, makings } do
    for k, v in pairs(from) do t[k] = v end
  end
  allowed[kind] = t
end

--- A parameter's ranges: one, or one a stage (a list of tables).
local function read_ranges(S, p, t)
  local where = ("space %s: %s"):format(S.name, p[1])
  if type(t) == "table" and type(t[1]) == "table" and S.kind == "anynet" then
    local list = {}
    for i, r in ipairs(t) do list[i] = grid.range(("%s of stage %d"):format(where, i), r, p) end
    return list
  end
  return { grid.range(where, t, p) }
end

--- Fixed options with defaults, as arch.anynet wants them (one block a stage).
local function base_of(S, o)
  local base = { d = {}, w = {}, b = 1, g = 1 }
  for i = 1, S.stages do base.d[i], base.w[i] = 1, 8 end
  for k, v in pairs(S.options) do base[k] = v end
  for k, v in pairs(o or {}) do base[k] = v end
  local ok, m, reason = pcall(arch.finish, base)
  if not ok or not m then
    error(("space %s: %s"):format(S.name, tostring(ok and reason or m):gsub("^.-:%d+: ", "")), 0)
  end
  m.asked = nil
  return m
end

--- Does c's hint speak of parameters this kind of space draws?
local function hint_applies(S, c)
  if not (c.tie or c.order or c.fix or c.range) then return false end
  if c.hint_kind and c.hint_kind ~= S.kind then return false end
  for _, key in ipairs { "order", "fix", "range" } do
    for name in pairs(c[key] or {}) do
      if not S.params[name] or key == "order" and S.kind == "regnet" then return false end
    end
  end
  local bound = 0
  for _, name in ipairs(c.tie or {}) do
    if not S.params[name] then return false end
    if name ~= "b" and name ~= "g" then bound = bound + 1 end
  end
  return not (S.kind == "regnet" and bound == 1) -- d alone is no vector there
end

local function join(old, new)
  return (not old or old == new) and new or "equal"
end

--- What the hints make of the space: cut ranges (a list per parameter, one a slot), the
-- bond of each parameter over the stages, and sets of parameters equal to each other.
local function resolve(S)
  local r = { ranges = {}, bonds = {}, ties = {}, direct = {} }
  for name, ranges in pairs(S.params) do
    local list = {}
    for i = 1, S.kind == "anynet" and S.stages or 1 do list[i] = ranges[i] or ranges[1] end
    r.ranges[name] = list
  end
  local function cut(name, min, max)
    for i, range in ipairs(r.ranges[name]) do r.ranges[name][i] = grid.cut(range, min, max) end
  end
  for _, c in ipairs(S.constraints) do
    if hint_applies(S, c) then
      r.direct[c] = true
      for name, value in pairs(c.fix or {}) do cut(name, value, value) end
      for name, range in pairs(c.range or {}) do cut(name, range[1], range[2]) end
      for name, way in pairs(c.order or {}) do r.bonds[name] = join(r.bonds[name], way) end
      local tied = {}
      for _, name in ipairs(c.tie or {}) do
        if S.kind == "anynet" then
          r.bonds[name] = "equal"
        elseif name ~= "b" and name ~= "g" then
          tied[#tied + 1] = name
        end
      end
      if #tied > 1 then r.ties[#r.ties + 1] = tied end
      for name in pairs(S.params) do
        for _, range in ipairs(r.ranges[name]) do
          if #grid.table(range).v == 0 then
            error(("space %s: constraint %s leaves no value of %s"):format(S.name, c.name,
              name), 0)
          end
        end
      end
    end
  end
  return r
end

--- The ties of a RegNet space as one table: parameter -> list of all it is equal to.
local function tie_sets(r)
  local set_of = {}
  for _, tied in ipairs(r.ties) do
    local merged = {}
    for _, name in ipairs(tied) do
      for _, n in ipairs(set_of[name] or { name }) do merged[n] = true end
    end
    local list = {}
    for name in pairs(merged) do list[#list + 1] = name end
    table.sort(list)
    for _, name in ipairs(list) do set_of[name] = list end
  end
  return set_of
end

--- The factors the sampler draws, each { bond, names, slots, dist }.
local function factors_of(S, r)
  local factors, sets, done = {}, tie_sets(r), {}
  local function add(bond, names, slots, dist)
    factors[#factors + 1] = { bond = bond, names = names, slots = slots, dist = dist }
  end
  local slot_of = {}
  for k, p in ipairs(kinds[S.kind]) do slot_of[p[1]] = k - 1 end
  for k, p in ipairs(kinds[S.kind]) do
    local name, slots, dist = p[1], {}, {}
    if S.kind == "regnet" then
      for _, n in ipairs(sets[name] or { name }) do
        slots[#slots + 1], dist[#dist + 1] = slot_of[n], grid.table(r.ranges[n][1])
      end
      if not done[name] then add("equal", sets[name] or { name }, slots, dist) end
      for _, n in ipairs(sets[name] or {}) do done[n] = true end
    else
      for i, range in ipairs(r.ranges[name]) do
        slots[i], dist[i] = (k - 1) * S.stages + i - 1, grid.table(range)
      end
      local way = r.bonds[name]
      if way == "down" then
        for i = 1, S.stages // 2 do
          local j = S.stages + 1 - i
          slots[i], slots[j], dist[i], dist[j] = slots[j], slots[i], dist[j], dist[i]
        end
      end
      if way then
        add(way == "equal" and "equal" or "up", { name }, slots, dist)
      else
        for i = 1, S.stages do add("equal", { name }, { slots[i] }, { dist[i] }) end
      end
    end
  end
  return factors
end

local function lineage(S)
  local names = {}
  while S do
    table.insert(names, 1, S.name)
    S = S.parent
  end
  return names
end

--- Everything needed to draw from S with the settings o.
local function plan_of(S, o)
  local r = resolve(S)
  local base = base_of(S, o)
  local constraints, fixed = {}, {}
  for i, c in ipairs(S.constraints) do constraints[i] = c.name end
  for k, v in pairs(base) do
    if k ~= "d" and k ~= "w" and k ~= "b" and k ~= "g" then fixed[k] = v end
  end
  return {
    base = base, factors = factors_of(S, r), direct = r.direct, resolved = r,
    spec = { name = S.name, lineage = lineage(S), kind = S.kind, stages = S.stages,
      params = r.ranges, bonds = r.bonds, ties = r.ties, options = fixed,
      constraints = constraints },
  }
end

--- Refuses a space that could never be drawn from.
local function verify(S)
  local plan = plan_of(S)
  local ok, message = pcall(core.new, { kind = S.kind, base = plan.base, seed = 0,
    factors = plan.factors })
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
    S.options.block, S.options.se = "x", S.options.se or 0.25
  else
    S.options[key] = value
  end
end

local function fill(S, t)
  if S.stages < 1 or S.stages > 16 then
    error(("space %s: stages is %d; it must be from 1 to 16"):format(S.name, S.stages), 0)
  end
  for key, value in pairs(t) do
    if allowed[S.kind][key] and key ~= "name" and key ~= "doc" and key ~= "stages" then
      set_option(S, key, value)
    end
  end
  for name, ranges in pairs(S.params) do
    if #ranges ~= 1 and #ranges ~= S.stages then
      error(("space %s: %s has %d ranges, but there are %d stages"):format(S.name, name,
        #ranges, S.stages), 0)
    end
  end
end

--- Runs f, so that its errors blame the caller of the public function.
local function blame(f, ...)
  local ok, result, more = pcall(f, ...)
  if not ok then error(result, result == "interrupted" and 0 or 3) end
  return result, more
end

local function create(kind, t)
  options.check("space." .. kind, t, allowed[kind], 2)
  t = t or {}
  local S = { name = t.name or (kind == "anynet" and "AnyNet" or "RegNet"), doc = t.doc,
    kind = kind, stages = t.stages or 4, params = {}, options = {}, constraints = {} }
  for _, p in ipairs(kinds[kind]) do
    if t[p[1]] == nil then
      error(("space.%s: '%s' is missing; a space has a range for each parameter"):format(
        kind, p[1]), 3)
    end
  end
  return blame(function()
    fill(S, t)
    return verify(S)
  end)
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
    options = {}, constraints = table.move(parent.constraints, 1, #parent.constraints, 1, {}) }
  for k, v in pairs(parent.params) do S.params[k] = v end
  for k, v in pairs(parent.options) do S.options[k] = v end
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
  local ok, message = pcall(options.check, "S:with", changes, allowed[S.kind], -1)
  if not ok then error(message, 0) end
  S.name = changes.name or parent.name
  S.stages = changes.stages or parent.stages
  S.doc = changes.doc
  for _, x in ipairs(wanted) do add_constraint(S, x) end
  if not changes.name then
    local added = {}
    for i = #parent.constraints + 1, #S.constraints do
      added[#added + 1] = S.constraints[i].name
    end
    for key in pairs(changes) do added[#added + 1] = key end
    table.sort(added, function(a, b) return tostring(a) < tostring(b) end)
    S.name = parent.name .. "+" .. table.concat(added, "+")
  end
  fill(S, changes)
  return verify(S)
end

function Space:with(...)
  local S = blame(derive, self, ...)
  return S
end

local function read_window(o)
  local window = {}
  for _, name in ipairs { "flops", "params", "acts" } do
    local w = o[name]
    if w then
      local lo, hi = w[1], w[2]
      if type(lo) ~= "number" or type(hi) ~= "number" or not (lo <= hi) then
        error(("S:sample: %s should be {low, high} with low <= high, such as {3e6, 6e6}"):format(
          name), 0)
      end
      window[name] = { math.max(lo, 0), math.min(hi, 2.0 ^ 53) }
    end
  end
  return window
end

local sample_options = { seed = "integer", max_tries = "integer", flops = "table",
  params = "table", acts = "table" }
for k, v in pairs(settings) do sample_options[k] = v end

function Space:sample(n, o)
  o = options.check("S:sample", o, sample_options)
  if math.type(n) ~= "integer" and (type(n) ~= "number" or n ~= math.floor(n)) or n < 1 then
    error(("S:sample: n is %s; it must be a whole number of networks, at least 1"):format(
      tostring(n)), 2)
  end
  local set = {}
  for k in pairs(settings) do set[k] = o[k] end
  local max_tries = o.max_tries or 1000000
  if max_tries < 1 then
    error(("S:sample: max_tries is %d; it must be at least 1"):format(max_tries), 2)
  end
  local p = blame(function()
    return population.draw(self, plan_of(self, set), math.tointeger(n),
      { seed = math.tointeger(o.seed or 1), max_tries = math.tointeger(max_tries),
        window = read_window(o) })
  end)
  return p
end

local function has_parameter(S, p, range, x, stage)
  if grid.has(range, x, S.kind == "regnet" and not p.whole) then return true end
  return false, ("%s%s = %s is not in %s"):format(stage and ("stage %d: "):format(stage) or "",
    p[1], tostring(x), grid.show(range))
end

--- Are the parameters of m in the ranges of S (before any constraint)?
local function in_ranges(S, m)
  local asked = m.asked or m
  if #asked.d ~= S.stages then
    return false, ("it has %d stages, not %d"):format(#asked.d, S.stages)
  end
  local block = S.options.block or "x"
  if m.block ~= block then return false, ("block is %s, not %s"):format(m.block, block) end
  if m.se ~= (S.options.se or 0) then
    return false, ("se is %g, not %g"):format(m.se, S.options.se or 0)
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
        local ranges = S.params[name]
        local ok, reason = has_parameter(S, p, ranges[i] or ranges[1], asked[name][i], i)
        if not ok then return false, reason end
      end
    end
  end
  return true
end

function Space:contains(m)
  if type(m) ~= "table" or type(m.d) ~= "table" then
    error("S:contains expects a network (a table from arch, zoo or a population)", 2)
  end
  local ok, reason = in_ranges(self, m)
  if not ok then return false, reason end
  for _, c in ipairs(self.constraints) do
    if not blame(population.obeys, c, m) then
      return false, ("constraint %s: %s"):format(c.name, c.doc or "not met")
    end
  end
  return true
end

-- Counting: as integers while they fit in 62 bits, else as floats.
local function times(a, b)
  return a * 1.0 * b < 2.0 ^ 62 and a * b or a * 1.0 * b
end

local function plus(a, b)
  return a * 1.0 + b < 2.0 ^ 62 and a + b or a * 1.0 + b
end

--- Non-decreasing vectors of one value from each list.
local function count_up(dists)
  local later, later_count = nil, nil
  for k = #dists, 1, -1 do
    local v, count, j, sum = dists[k].v, {}, later and #later or 0, 0
    for i = #v, 1, -1 do
      while later and j >= 1 and later[j] >= v[i] do
        sum = plus(sum, later_count[j])
        j = j - 1
      end
      count[i] = later and sum or 1
    end
    later, later_count = v, count
  end
  local total = 0
  for _, c in ipairs(later_count) do total = plus(total, c) end
  return total
end

local function count_equal(dists)
  local total = 0
  for _, x in ipairs(dists[1].v) do
    local everywhere = true
    for k = 2, #dists do
      local found = false
      for _, y in ipairs(dists[k].v) do found = found or x == y end
      everywhere = everywhere and found
    end
    if everywhere then total = total + 1 end
  end
  return total
end

--- The paper counts 64 values for each of d, w_0, w_a, w_m of a RegNet; a constraint that
-- keeps a part of the values keeps that part of 64.
local function regnet_values(S, resolved, name)
  if name == "b" or name == "g" then return #grid.table(resolved.ranges[name][1]).v end
  local kept = #grid.table(resolved.ranges[name][1]).v
  return kept == 1 and 1 or 64 * kept / #grid.table(S.params[name][1]).v
end

function Space:size()
  local plan = plan_of(self)
  local nominal, exact = 1, 1
  for _, f in ipairs(plan.factors) do
    local n = #f.slots
    if self.kind == "regnet" then
      local least = math.huge
      for _, name in ipairs(f.names) do
        least = math.min(least, regnet_values(self, plan.resolved, name))
      end
      nominal = nominal * least
    elseif f.bond == "up" then
      local independent = 1
      for k = 1, n do independent = independent * (#f.dist[k].v / k) end
      nominal = nominal * independent
      exact = times(exact, count_up(f.dist))
    else
      local count = count_equal(f.dist)
      nominal = times(nominal, count)
      exact = times(exact, count)
    end
  end
  if self.kind == "regnet" then exact = nil end
  for _, c in ipairs(self.constraints) do
    if not plan.direct[c] then exact = nil end
  end
  return { nominal = nominal, exact = exact }
end

--- Text that the prompt and print show as it is.
local function text(lines)
  return setmetatable({ lines = lines }, { __name = "description",
    __tostring = function(t) return table.concat(t.lines, "\n") end })
end

function Space:describe()
  local lines = { ("%s%s"):format(self.name, self.doc and ": " .. self.doc or "") }
  local function add(...) lines[#lines + 1] = "  " .. (...):format(select(2, ...)) end
  local plan = plan_of(self)
  if self.parent then add("lineage     %s", table.concat(lineage(self), " > ")) end
  local o = plan.base
  add("networks    %s of %d stages, block %s%s", self.kind == "regnet" and "RegNet" or "AnyNet",
    self.stages, o.block, o.se > 0 and (", se %g"):format(o.se) or "")
  for _, p in ipairs(kinds[self.kind]) do
    local ranges = plan.resolved.ranges[p[1]]
    local shown, same = {}, true
    for i, r in ipairs(ranges) do
      shown[i] = grid.show(r)
      same = same and shown[i] == shown[1]
    end
    add("%-12s%s", p[1], same and shown[1] or table.concat(shown, " | "))
  end
  add("setting     stem %s of %d, stride %s, %s, %d px, %d classes (S:sample may change it)",
    o.stem, o.stem_width, table.concat(o.stride, ","), o.activation, o.image, o.classes)
  for _, c in ipairs(self.constraints) do
    add("constraint  %s: %s (%s)", c.name, c.doc or "no doc",
      plan.direct[c] and "drawn directly" or "by rejection")
  end
  local size = self:size()
  add("size        %.3g%s", size.nominal,
    size.exact and (", exactly %.15g"):format(size.exact) or " (parameter settings, nominal)")
  return text(lines)
end

function Space:__tostring()
  local names = {}
  for i, c in ipairs(self.constraints) do names[i] = c.name end
  return ("space %s%s"):format(self.name,
    #names > 0 and " (" .. table.concat(names, ", ") .. ")" or "")
end

local all_g = { 1, 2, 4, 8, 16, 32 }

M.AnyNetXA = M.anynet { name = "AnyNetX_A", doc = "every stage free",
  d = { 1, 16 }, w = { 8, 1024, 8 }, b = { 1, 2, 4 }, g = all_g }
M.AnyNetXB = M.AnyNetXA:with { "shared_b", name = "AnyNetX_B" }
M.AnyNetXC = M.AnyNetXB:with { "shared_g", name = "AnyNetX_C" }
M.AnyNetXD = M.AnyNetXC:with { "monotone_w", name = "AnyNetX_D" }
M.AnyNetXE = M.AnyNetXD:with { "monotone_d", name = "AnyNetX_E" }
M.RegNetX = M.regnet { name = "RegNetX", doc = "widths quantised from a line",
  d = { 4, 63 }, w_0 = { 8, 256 }, w_a = { 8, 256 }, w_m = { 1.5, 3 }, b = { 1, 2, 4 },
  g = all_g }
M.RegNetY = M.RegNetX:with { name = "RegNetY", block = "y",
  doc = "RegNetX with squeeze-excitation" }
M.RegNetXC = M.RegNetX:with { "b_1", "depth_le_40", "w_m_ge_2", name = "RegNetXC",
  doc = "the constrained RegNetX" }

local named = { "AnyNetXA", "AnyNetXB", "AnyNetXC", "AnyNetXD", "AnyNetXE", "RegNetX",
  "RegNetY", "RegNetXC" }

function M.names()
  return table.move(named, 1, #named, 1, {})
end

help.add("space", [[
space.AnyNetXA … space.AnyNetXE, space.RegNetX, space.RegNetY, space.RegNetXC
The design spaces of the paper; each letter adds one principle to the one before.
  A  every stage free     B  + shared_b      C  + shared_g
  D  + monotone_w         E  + monotone_d    RegNetX, RegNetY  widths from a line
  RegNetXC  RegNetX with b = 1, at most 40 blocks, w_m >= 2
Make more with S:with, space.anynet and space.regnet; draw with S:sample.
example: space.AnyNetXD:describe()
source: arXiv 2003.13678 sections 3 and 4]])

help.add("space.anynet", [[
space.anynet{ d =, w =, b =, g =, stages = 4, … } -> S
A space of networks whose stages have their own depth, width, bottleneck ratio, group width.
  d = {1, 16}, w = {8, 1024, 8}  low, high, step: log-uniform (as pycls rounds)
  b = {1, 2, 4}, g = {8, 16}     lists: every value equally likely
  or { lo =, hi =, q =, dist = } with dist uniform, log_uniform, power2_uniform,
  power2_or_log_uniform, normal or log_normal; or { values = {…} }; or one number;
  or a list of such tables, one a stage
  block, se, stem, stem_width, stride, head_width, activation, classes, image: as arch.anynet
  name, doc
example: space.anynet{ stages = 3, d = {1, 8}, w = {16, 256, 8}, b = 1, g = {8, 16} }
source: arXiv 2003.13678 section 3.2]])

help.add("space.regnet", [[
space.regnet{ d =, w_0 =, w_a =, w_m =, b =, g =, stages = 4, … } -> S
A space of RegNets; parameters that give another number of stages are passed over.
  d = {12, 28}       uniform;  w_0 = {8, 256}, w_a = {8, 256}, w_m = {2, 3}: log-uniform in
                     steps of 8, 0.1 and 0.001
  b, g and the rest  as in space.anynet
example: space.regnet{ d = {12, 28}, w_0 = {8, 256}, w_a = {8, 256}, w_m = {2, 3}, b = 1, g = 8 }
source: arXiv 2003.13678 section 3.3; ranges and steps of pycls]])

help.add("space.names", [[
space.names() -> list
The names of the spaces that come with netspace.
example: space.names()[1]
source: arXiv 2003.13678 section 3]])

help.add("S:with", [[
S:with(constraint, …) -> child space
The space refined: by constraints (a name, a constraint{ … }, a function of m), by changed
options or ranges, or by both in one table.
  name  of the child (default: the parent's name and what was added)
example: space.AnyNetXA:with("shared_b", "monotone_w")
example: space.RegNetX:with{ "b_1", g = { 16, 24 }, name = "mine" }
source: arXiv 2003.13678 section 3.1]])

help.add("S:sample", [[
S:sample(n, { seed = 1, flops = {lo, hi}, params = {lo, hi}, acts = {lo, hi}, … }) -> population
The first n different networks of the space inside the window; it depends on the seed only.
  image, classes, stem, stem_width, stride, head_width, activation  the setting; counts are
                         taken at this image size
  max_tries = 1000000    candidates without a new network before it gives up
A population is a list of networks with .space .seed .tried .window .spec .constraints; the
first k of a larger one are the population of k.
example: space.AnyNetXA:sample(3, { flops = {3e6, 6e6}, stem = "cifar", stride = {1, 2, 2, 2} })
source: arXiv 2003.13678 section 3.1]])

help.add("S:contains", [[
S:contains(m) -> true, or false and the reason
Is the network in the space: its parameters in the ranges, every constraint obeyed?
The setting (stem, strides, image, classes, activation) is not asked about.
example: space.AnyNetXE:contains(zoo["RegNetX-200MF"])
source: arXiv 2003.13678 figure 1]])

help.add("S:size", [[
S:size() -> { nominal =, exact = }
How many parameter settings: by the paper's reckoning (an order divides by n!; a RegNet has
64 values of d, w_0, w_a, w_m each), and exactly where that can be counted.
example: space.AnyNetXE:size().exact
source: arXiv 2003.13678 table 1]])

help.add("S:describe", [[
S:describe() -> text
Ranges, setting, constraints and size of the space, and where it comes from.
example: space.AnyNetXE:describe()
source: arXiv 2003.13678 section 3]])

return setmetatable(M, {
  __name = "spaces",
  __index = function(_, name)
    error(("there is no space '%s'%s; there are %s"):format(tostring(name),
      options.hint(name, named), table.concat(named, ", ")), 2)
  end,
})
