--- From a space to what the sampler draws: hints of constraints turned into cut ranges and
-- bonds, and those into factors (src/stats/sampler.h).
-- Source: arXiv 2003.13678 section 3.

local arch = require "netspace.core.arch"
local core = require "netspace.core.sampler"
local domain = require "netspace.space.domain"
local times = require "netspace.network.times"

local M = {}

-- Parameters of each kind, in the order of the sampler's slots, with their usual ranges
-- (list: an unnamed list means values), whether they are whole numbers, the least and most they
-- may be, and that in words.
local blocks, width = arch.limits.blocks, arch.limits.width
local function whole(from, to) return ("a whole number from %d to %d"):format(from, to) end
local d = { "d", q = 1, dist = "log_uniform", whole = true, least = 1, most = blocks,
  must = whole(1, blocks) }
local b = { "b", q = 1, dist = "uniform", list = true, least = 1 / width, most = width,
  must = ("a whole number up to %d, or 1 over one for an inverted bottleneck"):format(width) }
local g = { "g", q = 8, dist = "power2_or_log_uniform", list = true, whole = true, groups = true,
  least = 1, most = width, must = whole(1, width) }
local kinds = {
  anynet = {
    d, { "w", q = 8, dist = "log_uniform", whole = true, least = 1, most = width,
      must = whole(1, width) },
    b, g,
  },
  regnet = {
    { "d", q = 1, dist = "uniform", whole = true, least = 1, most = blocks, must = d.must },
    { "w_0", q = 8, dist = "log_uniform", whole = true, least = 8, most = width,
      must = ("a multiple of 8 from 8 to %d"):format(width) },
    { "w_a", q = 0.1, dist = "log_uniform", least = 0, most = width,
      must = ("from 0 to %d"):format(width) },
    { "w_m", q = 0.001, dist = "log_uniform", least = 1, most = width,
      must = ("above 1, and at most %d"):format(width) },
    b, g,
  },
}

M.kinds = kinds

--- Fixed options with defaults, as arch.anynet wants them (one block a stage).
local function base_of(S, o)
  local base = { d = {}, w = {}, b = 1, g = 1 }
  for i = 1, S.stages do base.d[i], base.w[i] = 1, 8 end
  for k, v in pairs(S.options) do base[k] = v end
  for k, v in pairs(o or {}) do base[k] = v end
  local ok, m, reason = pcall(arch.complete, base)
  if not ok or not m then
    error(("space %s: %s"):format(S.name, tostring(ok and reason or m):gsub("^.-:%d+: ", "")), 0)
  end
  m.asked = nil
  return m
end

--- Is g drawn as the number of groups?
function M.by_groups(S)
  return S.params.g[1].groups == true
end

--- Is c's hint about parameters that this kind of space draws?
local function hint_applies(S, c)
  if not (c.tie or c.order or c.fix or c.range) then return false end
  if M.by_groups(S) then
    for _, name in ipairs(c.tie or {}) do
      if name == "g" then return false end
    end
    for _, key in ipairs { "order", "fix", "range" } do
      if c[key] and c[key].g then return false end
    end
  end
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
    for i, range in ipairs(r.ranges[name]) do r.ranges[name][i] = domain.cut(range, min, max) end
  end
  for _, c in ipairs(S.constraints) do
    if hint_applies(S, c) then
      r.direct[c] = true
      for name, value in pairs(c.fix or {}) do cut(name, value, value) end
      for name, range in pairs(c.range or {}) do cut(name, range[1], range[2]) end
      for name, order in pairs(c.order or {}) do
        r.bonds[name] = join(r.bonds[name], order)
      end
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
          if #domain.table(range).v == 0 then
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
local function factors_of(S, r, sorted)
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
        slots[#slots + 1], dist[#dist + 1] = slot_of[n], domain.table(r.ranges[n][1])
      end
      if not done[name] then add("equal", sets[name] or { name }, slots, dist) end
      for _, n in ipairs(sets[name] or {}) do done[n] = true end
    else
      for i, range in ipairs(r.ranges[name]) do
        slots[i], dist[i] = (k - 1) * S.stages + i - 1, domain.table(range)
      end
      local bond = r.bonds[name]
      if bond == "down" then
        for i = 1, S.stages // 2 do
          local j = S.stages + 1 - i
          slots[i], slots[j], dist[i], dist[j] = slots[j], slots[i], dist[j], dist[i]
        end
      end
      if bond then
        add(bond == "equal" and "equal" or sorted and "sorted" or "up", { name }, slots, dist)
      else
        for i = 1, S.stages do add("equal", { name }, { slots[i] }, { dist[i] }) end
      end
    end
  end
  return factors
end

function M.lineage(S)
  local names = {}
  while S do
    table.insert(names, 1, S.name)
    S = S.parent
  end
  return names
end

-- The name of a space for images of a size: space.small is called after that of its own.
local function sized(name, base)
  return (name:gsub("%-%d+px", ("-%dpx"):format(base.image), 1))
end

--- Everything needed to draw from S with the network options o; sorted: ordered parameters
-- are drawn by sorting independent draws.
function M.of(S, o, sorted)
  local r = resolve(S)
  local base = base_of(S, o)
  local constraints, fixed = {}, {}
  for i, c in ipairs(S.constraints) do constraints[i] = c.name end
  for k, v in pairs(base) do
    if k ~= "d" and k ~= "w" and k ~= "b" and k ~= "g" then fixed[k] = v end
  end
  local lineage = M.lineage(S)
  for i, name in ipairs(lineage) do lineage[i] = sized(name, base) end
  return {
    base = base, factors = factors_of(S, r, sorted), direct = r.direct, resolved = r,
    groups = M.by_groups(S),
    spec = { name = sized(S.name, base), lineage = lineage, kind = S.kind, stages = S.stages,
      params = r.ranges, bonds = r.bonds, ties = r.ties, options = fixed,
      constraints = constraints, drawn = sorted and "sorted" or nil },
  }
end

--- Degrees of freedom of what M.of gave: how many parameters are drawn independently, and
-- how many there are.
function M.freedom(drawn)
  local free, all = 0, 0
  for _, f in ipairs(drawn.factors) do
    all = all + #f.slots
    local own = f.bond == "equal" and 1 or #f.slots
    for i = 1, own do
      if #f.dist[i].v > 1 then free = free + 1 end
    end
  end
  return free, all
end

--- A sampler of what M.of gave.  timing: by which table a window of time counts (times.timing).
function M.sampler(drawn, seed, window, timing)
  local by = window and window.time and timing
  if by then
    local found, why = times.find(by.table)
    if not found then error(why, 0) end
    times.check(by.batch, drawn.base.image)
    by = { table = found.timing, batch = by.batch, train = by.training }
  end
  return core.new { kind = drawn.spec.kind, base = drawn.base, groups = drawn.groups,
    seed = seed, window = window, timing = by, factors = drawn.factors }
end

return M
