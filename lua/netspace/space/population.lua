--- Drawing a population: the first n networks of a space, by candidate index, that are
-- valid, inside the window, obey every constraint, and differ from those before.
-- Candidate i depends on the seed and on i alone (src/stats/sampler.h).

local arch = require "netspace.core.arch"
local chunk = require "netspace.lib.chunk"
local draw = require "netspace.space.draw"
local slip = require "netspace.lib.slip"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"

local M = {}

local meta = { __name = "population" }
M.meta = meta

-- "1M to 2M", with as many digits as tell the ends apart; of times "2 ms to 3 ms".
local function range(lo, hi, name)
  if name == "time" then return units.span(lo, hi) end
  local a, b = units.short(lo), units.short(hi)
  if a == b and lo ~= hi then a, b = ("%.0f"):format(lo), ("%.0f"):format(hi) end
  return ("%s to %s"):format(a, b)
end

local measures = { "flops", "params", "acts", "time" }

--- Candidates not taken, by reason (only reasons that occurred).
local function rejections(counts, refused)
  local r = {}
  local function note(name, n)
    if n > 0 then r[name] = n end
  end
  for _, name in ipairs { "shape", "incompatible", "duplicate" } do note(name, counts[name]) end
  for _, name in ipairs(measures) do note(name, counts[name].outside) end
  for name, n in pairs(refused) do note(name, n) end
  return r
end

--- What was found, why the other candidates were refused (`seen`: the last one), and the remedy.
local function failure(space, n, population, tried, patience, counts, refused, window, seen)
  local parts = {}
  local rejected = rejections(counts, refused)
  local function note(name, what)
    if rejected[name] then parts[#parts + 1] = units.thousands(rejected[name]) .. " " .. what end
  end
  note("shape", ("not of %d stages"):format(space.stages))
  note("incompatible", "with group widths that fit no width")
  for _, name in ipairs(measures) do note(name, "outside " .. name) end
  for _, c in ipairs(space.constraints) do note(c.name, "refused by " .. c.name) end
  note("duplicate", "seen before")
  local text = ("space %s: tried %s, accepted %s of %s"):format(space.name, units.thousands(tried),
    units.thousands(#population), units.thousands(n))
  if #population > 0 then
    text = text .. (", none of the last %s"):format(units.thousands(patience))
  end
  for _, name in ipairs(measures) do
    local w, c = window[name], counts[name]
    if w and c.least then
      text = text .. ("; %s seen %s, wanted %s"):format(name, range(c.least, c.most, name),
        range(w[1], w[2], name))
    end
  end
  -- The one principle that refused whatever came so far, when there is one.
  local sole = #population == 0 and next(refused) or nil
  if sole and next(refused, sole) then sole = nil end
  local slipped
  for _, c in ipairs(seen and space.constraints or {}) do
    if c.name == sole then slipped = slip.told(c.check, seen, seen.asked or seen) end
  end
  local remedy = "raise max_tries, or loosen the constraints"
  if sole then
    remedy = ("the check of %s refused every network it saw: does it return true for some? "
      .. "%s"):format(sole, slipped and "There" .. slipped:sub(6) or "Otherwise widen the window")
  elseif next(window) then
    remedy = "widen the window, draw at another image size, or raise max_tries"
  elseif counts.duplicate > tried / 2 then
    remedy = "the space has too few different networks; ask for fewer, or widen its ranges"
  end
  return ("%s (%s); %s"):format(text, #parts > 0 and table.concat(parts, ", ") or "none valid",
    remedy)
end

-- What is said of an error in a user's check: its line, and what is nearly right in it.  (No
-- position stands in front, which whoever blames the caller would take off.)
local function check_failed(c, message, m)
  local source, line, rest = message:match("^([^\n]-):(%d+): (.*)$")
  local code = line and (chunk.line_of("=" .. source, tonumber(line))
    or chunk.line_of("@" .. source, tonumber(line)))
  local text = ("constraint %s, its check failed"):format(c.name)
  local wrong = message:find "%f[%w]nil%f[%W]" and slip.told(c.check, m, m.asked or m)
  if wrong then rest = ("%s; %s"):format(rest or message, wrong) end
  if not line then return ("%s: %s"):format(text, rest or message) end
  if not code then return ("%s (%s, line %s): %s"):format(text, source, line, rest) end
  return ("%s in '%s' (%s, line %s): %s"):format(text, code:match("^%s*(.-)%s*$"):sub(1, 200),
    source, line, rest)
end

--- Does m obey c?  An error in the user's check says whose it is.
function M.obeys(c, m)
  local ok, answer = pcall(c.check, m, m.asked or m)
  if answer == "interrupted" and not ok then error(answer, 0) end
  if not ok then error(check_failed(c, tostring(answer), m), 0) end
  return answer
end

--- The name of the constraint that m breaks, or nil.
local function broken(space, direct, m)
  for _, c in ipairs(space.constraints) do
    if not M.obeys(c, m) then
      if direct[c] then
        error(("constraint %s: its hint drew a network that its check refuses (d = %s; w = %s); "
          .. "the hint must say the same as the check"):format(c.name,
          table.concat(m.asked.d, ", "), table.concat(m.asked.w, ", ")), 0)
      end
      return c.name
    end
  end
end

-- Raises where a check reads a field that no network has, such as m.w4: nil compares with
-- anything, and the principle would say nothing or refuse all.
local function refuse_slips(space, m)
  for _, c in ipairs(space.constraints) do
    local slipped = pcall(c.check, m, m.asked or m) -- what fails says more (M.obeys)
      and slip.told(c.check, m, m.asked or m)
    if slipped and slipped:find "^there is no [%w_]+%.[%w_]+[, ]" then
      error(("constraint %s: %s"):format(c.name, slipped), 0)
    end
  end
end

-- A forecast rests on this many candidates, and on more (to a limit) while few are taken.
local LEAST, MOST, ENOUGH = 20000, 1000000, 100
local STRIDE = 100000 -- candidates between two looks at the clock
-- Seconds of drawing before a forecast, and the least that must remain for one.
local WAIT, LONG = 0.5, 3

--- "1 in 1,234 candidates is taken", or "none of 1,000,000 candidates is taken".
local function odds(taken, tried)
  return ("%s %s candidates is taken"):format(taken == 0 and "none of" or "1 in",
    units.thousands(taken == 0 and tried or math.floor(tried / taken + 0.5)))
end

local acceptance = { __name = "acceptance" }
function acceptance.__tostring(a)
  local text = ("space %s: %s"):format(a.space, odds(a.taken, a.tried))
  if a.taken > 0 then
    text = ("%s; %s networks need about %s candidates, %.2g s"):format(text, units.thousands(a.n),
      units.thousands(math.ceil(a.candidates)), a.seconds)
  end
  local reasons = {}
  for name, n in pairs(a.rejected) do
    reasons[#reasons + 1] = ("%s %.1f %%"):format(name, 100 * n / a.tried)
  end
  table.sort(reasons)
  return text .. (#reasons > 0 and "\nrefused: " .. table.concat(reasons, ", ") or "")
end

--- What share of candidates is taken, and so what n networks will need; repeats not counted.
function M.acceptance(space, drawn, n, o)
  local sampler <close> = draw.sampler(drawn, o.seed, o.window, o.timing)
  local refused, taken, tried, start = {}, 0, 0, sys.now()
  while tried < LEAST or tried < MOST and taken < ENOUGH do
    local list
    list, tried = sampler:next(tried, tried < LEAST and LEAST or MOST, 256)
    for _, candidate in ipairs(list) do
      local name = broken(space, drawn.direct, candidate.m)
      if name then
        refused[name] = (refused[name] or 0) + 1
      else
        taken = taken + 1
      end
    end
    if sys.interrupted() then error("interrupted", 0) end
  end
  local share, seconds = taken / tried, sys.now() - start
  return setmetatable({ space = space.name, n = n, taken = taken, tried = tried, share = share,
    share_error = math.sqrt(share * (1 - share) / tried), candidates = n / share,
    seconds = n / share * seconds / tried, rejected = rejections(sampler:counts(), refused) },
    acceptance)
end

--- Draws n networks.  drawn: { spec, base, factors, direct } of the space; o: seed, window,
-- timing, max_tries, adopted (adopt.lua: the first ones, already there).  Exceptions carry no
-- position.
function M.draw(space, drawn, n, o)
  local sampler <close> = draw.sampler(drawn, o.seed, o.window, o.timing)
  local population, refused, seen = {}, {}, nil -- seen: the network that was refused last
  local checked = false -- whether the checks read what there is
  local index, last = 0, 0 -- the next candidate, and the one after the last kept
  local start, said = sys.now(), false
  local function forecast() -- once, when it is going to be long
    local spent, taken = sys.now() - start, #population
    local left = taken > 0 and spent * (n - taken) / taken or math.huge
    if said or spent < WAIT or left < LONG then return end
    said = true
    io.stderr:write(("space %s: %s; %s\n"):format(space.name,
      odds(taken, index), taken > 0 and ("%s networks in about %.0f s"):format(units.thousands(n),
      spent + left) or ("it gives up after %s"):format(units.thousands(o.max_tries))))
  end
  for i, m in ipairs(o.adopted and o.adopted.models or {}) do
    sampler:keep(tonumber("0x" .. arch.hash(m)))
    population[i] = m
  end
  while #population < n do
    local limit = last + o.max_tries
    if index >= limit then
      error(failure(space, n, population, index, o.max_tries, sampler:counts(), refused,
        o.window, seen), 0)
    end
    local list
    list, index = sampler:next(index, math.min(limit, index + STRIDE), n - #population)
    if list[1] and not checked then
      refuse_slips(space, list[1].m)
      checked = true
    end
    for _, candidate in ipairs(list) do
      local name = broken(space, drawn.direct, candidate.m)
      if name then
        refused[name], seen = (refused[name] or 0) + 1, candidate.m
      elseif sampler:keep(candidate.hash) then
        population[#population + 1] = candidate.m
        last = candidate.index + 1
      end
    end
    if sys.interrupted() then error("interrupted", 0) end
    forecast()
  end
  population.space, population.seed, population.tried = drawn.spec.name, o.seed, last
  population.window, population.spec = o.window, drawn.spec
  drawn.spec.timing = o.timing
  if o.adopted then
    population.adopted = { population = o.adopted.population, store = o.adopted.store,
      indices = o.adopted.indices }
  end
  population.rejected = rejections(sampler:counts(), refused)
  population.constraints = {}
  for i, c in ipairs(space.constraints) do
    population.constraints[i] = { name = c.name, source = c.source }
  end
  return setmetatable(population, meta)
end

function meta.__tostring(p)
  local window = {}
  for _, name in ipairs(measures) do
    local w = p.window[name]
    if w then window[#window + 1] = ("%s %s"):format(name, range(w[1], w[2], name)) end
  end
  local adopted = ""
  if p.adopted then
    adopted = (", %d adopted from %s, %d drawn"):format(#p.adopted.indices, p.adopted.population,
      #p - #p.adopted.indices)
  end
  return ("population of %s networks of %s%s, seed %d%s, %s candidates tried"):format(
    units.thousands(#p), p.space, adopted, p.seed,
    #window > 0 and ", " .. table.concat(window, ", ") or "", units.thousands(p.tried))
    .. (p.spec.drawn and ", ordered by sorting" or "")
end

return M
