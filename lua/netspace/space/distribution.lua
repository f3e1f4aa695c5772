--- What a space is made of, known without training: many networks drawn from it in the same
-- window, always the same ones.  Repeats are kept, since the draws stand for the probabilities.
--
-- A population that was trained says what it was drawn from as data (spec, constraints,
-- window).  The constraints are run only where their text is that of one that comes with
-- netspace, or of a space that this session or script has drawn from itself: the text in a
-- store or an export is never executed.  For spaces with principles of the user, some draws are
-- therefore kept with the population.

local constraint = require "netspace.space.constraint"
local draw = require "netspace.space.draw"
local gzip = require "netspace.lib.gzip"
local json = require "netspace.lib.json"
local population = require "netspace.space.population"
local sys = require "netspace.core.sys"

local M = { n = 20000 }

-- Far from any seed that a person would choose.
local SEED = 0x6e65747370616365
-- Candidates tried at most, and networks put to constraints of the user.
local MOST, CHECKS = 6000000, 400000
local THREADS = 8 -- that draw, at most
-- Models of a population from which on its draws are kept with it.
local LEAST = 10

local seen = {} -- spaces this session has drawn from, by their text

-- A space as it was drawn from, as a text that tells it from others.
local function identity(spec, constraints)
  local t, texts = {}, {}
  for k, v in pairs(spec) do
    if k ~= "name" and k ~= "lineage" then t[k] = v end
  end
  for i, c in ipairs(constraints or {}) do texts[i] = { name = c.name, source = c.source } end
  return json.encode { spec = t, constraints = texts }
end

--- A population has been drawn from the space S.
function M.note(S, p)
  local key = identity(p.spec, p.constraints)
  if not seen[key] then seen[key] = { constraints = table.move(S.constraints, 1, #S.constraints,
    1, {}), mine = true } end
end

-- The constraints themselves; `mine`: whether the user wrote any of them.  Or nil and why not.
local function constraints_of(origin)
  local known = seen[identity(origin.spec, origin.constraints)]
  local list = {}
  for i, c in ipairs(origin.constraints or {}) do
    local good, shipped = pcall(constraint._shipped, c.name)
    if good and shipped.source == c.source then
      list[i] = shipped
    elseif known then
      return known.constraints, true
    else
      return nil, ("the constraint %s of its space is known as text only, which is not run; "
        .. "draw from the space in this session first"):format(c.name)
    end
  end
  return list, false
end

-- Whether the ranges of a parameter, perhaps from a file, are of a size that can be tabulated.
local function sensible(ranges)
  if type(ranges) ~= "table" then return false end
  for _, r in ipairs(ranges) do
    local lo, hi, q = r.lo, r.hi, r.q
    local steps = not r.values and type(lo) == "number" and type(hi) == "number"
      and type(q) == "number" and q > 0 and (hi - lo) / q
    if r.values and (type(r.values) ~= "table" or #r.values == 0 or #r.values > 1e5)
      or not r.values and not (steps and steps >= 0 and steps <= 1e6) then
      return false
    end
  end
  return #ranges > 0
end

-- What can be drawn from: a space and the network options in one, a sampler, whether the user
-- wrote any of its constraints, and whether all are drawn directly; or nil and why not.
local function space_of(origin)
  local spec = origin.spec
  if type(spec) ~= "table" or type(spec.params) ~= "table" or not draw.kinds[spec.kind]
    or math.type(spec.stages) ~= "integer" or spec.stages < 1 or spec.stages > 16 then
    return nil, "the space it was drawn from is not known"
  end
  for _, p in ipairs(draw.kinds[spec.kind] or {}) do
    if not sensible(spec.params[p[1]]) then
      return nil, ("its ranges of %s cannot be drawn from"):format(p[1])
    end
  end
  local constraints, mine = constraints_of(origin)
  if not constraints then return nil, mine end
  local S = { name = spec.name, kind = spec.kind, stages = spec.stages, params = spec.params,
    options = spec.options, constraints = constraints }
  local direct = true
  local good, sampler = pcall(function()
    local drawn = draw.of(S, nil, spec.drawn == "sorted")
    for _, c in ipairs(constraints) do direct = direct and drawn.direct[c] end
    return draw.sampler(drawn, SEED, origin.window, spec.timing)
  end)
  if not good then return nil, (tostring(sampler):gsub("^.-:%d+: ", "")) end
  return S, sampler, mine, direct
end

-- Whether m obeys them all.
local function obeys(S, m)
  for _, c in ipairs(S.constraints) do
    if not population.obeys(c, m) then return false end
  end
  return true
end

--- The text by which equal distributions are told.
function M.key(origin)
  return identity(origin.spec, origin.constraints) .. json.encode(origin.window or {})
    .. json.encode(origin.spec.timing or {})
end

-- What M.keep has written: networks, and how many of them are different; or nil and why not.
local function kept(origin)
  local text, read = origin.draws, nil
  if gzip.is(text) then
    local parts, piece = {}, text
    read = gzip.reader(function()
      piece, text = text, nil
      return piece
    end)
    while read do
      local more = read()
      if not more then break end
      parts[#parts + 1] = more
    end
    text = table.concat(parts)
  end
  local t, list = json.decode(text), {}
  if type(t) ~= "table" or type(t.different) ~= "number" or type(t.networks) ~= "table" then
    return nil, "the draws kept with it cannot be read"
  end
  for i, row in ipairs(t.networks) do
    local m = { d = row[1], w = row[2], b = row[3], g = row[4] }
    for key, value in pairs(origin.spec.options or {}) do m[key] = value end
    list[i] = m
  end
  return list, t.different
end

--- What is to be kept with a population (spec, constraints, window) for those who cannot run
-- its principles: a text; or nil where everybody can, or nothing can be drawn.
function M.keep(p)
  if #p.models < LEAST or not p.spec then return nil end
  local known, rows = seen[identity(p.spec, p.constraints)], {}
  local constraints, mine = constraints_of(p)
  if not known or not constraints or not mine then return nil end
  local n, different = M.each(p, function(m)
    rows[#rows + 1] = json.encode { m.d, m.w, m.b, m.g }
  end)
  if not n then return nil end
  local text, parts = ('{"different":%d,"networks":[%s]}'):format(different,
    table.concat(rows, ",")), {}
  local write, last = gzip.writer(function(bytes) parts[#parts + 1] = bytes end)
  if not write then return text end
  write(text)
  last()
  return table.concat(parts)
end

--- Calls visit(m) for networks drawn from the space that `origin` (spec, constraints, window)
-- describes, M.n of them or as many as a bounded number of candidates holds.
-- @treturn integer how many were visited; and how many different ones; or nil and why none
function M.each(origin, visit)
  local S, drawn, mine = space_of(origin)
  if not S then
    if not origin.draws then return nil, drawn end
    local list, different = kept(origin)
    for _, m in ipairs(list or {}) do visit(m) end
    return list and #list, different
  end
  local sampler <close> = drawn
  local n, different, index, checks, kinds = 0, 0, 0, 0, {}
  while n < M.n and index < MOST and checks < CHECKS do
    local list
    list, index = sampler:next(index, math.min(MOST, index + 100000), 256)
    for _, candidate in ipairs(list) do
      checks = checks + (mine and 1 or 0)
      if n < M.n and obeys(S, candidate.m) then
        n = n + 1
        if not kinds[candidate.hash] then different, kinds[candidate.hash] = different + 1, true end
        visit(candidate.m)
      end
    end
    if sys.interrupted() then error("interrupted", 0) end
  end
  return n, different
end

--- The same networks as the logarithms of their d, w, b and g, packed in single precision, where
-- all constraints are drawn directly (as those that come with netspace): much sooner.
-- @treturn string the networks one after the other, how many, and how many different ones; or nil
function M.logs(origin)
  local S, drawn, _, direct = space_of(origin)
  if not S or not direct then return nil end
  local sampler <close> = drawn
  local rows, hashes = sampler:rows(0, MOST, M.n, math.min(sys.cores(), THREADS))
  if sys.interrupted() then error("interrupted", 0) end
  local different, kinds = 0, {}
  for _, hash in ipairs(hashes) do
    if not kinds[hash] then different, kinds[hash] = different + 1, true end
  end
  return rows, #hashes, different
end

--- Networks drawn from it, as a list; or nil and why none.
function M.list(origin)
  local list = {}
  local n, why = M.each(origin, function(m) list[#list + 1] = m end)
  if not n then return nil, why end
  return list
end

return M
