--- Errors less what was predicted of them before they were known, for statistics that hold at every
-- moment (stats.anytime):
--
--   v_i = y_i - lambda (f(x_i) - mean of f over the space)
--
-- with f and lambda from models before i of both populations, and from others.  Whatever those are,
-- the expectation of v_i, given all that came before, is the mean error of the space, so that
-- the v are differences of a martingale around it, as errors are; they only spread less.
-- Cross-fitting would not do: there a model is predicted by later ones.
-- Sources: Waudby-Smith et al. 2021 (arXiv 2103.06476, section 3: sequential sample splitting);
-- Angelopoulos et al. 2023 (arXiv 2311.01453, lambda).

local core = require "netspace.core.adjust"

local M = {}

local FIRST, GROWTH = 10, 1.5 -- models of each at the first fit without others, and until the next
local ENOUGH = 50 -- networks of others that fits may begin with

-- The features of networks i to j.
local function cut(p, i, j)
  local width = #p.rows // p.n
  return p.rows:sub(width * (i - 1) + 1, width * j)
end

-- Predictions for models from to last of the two, by a fit to those before and to the others: for
-- each of the two lambda, f (a list, from `from` on) and its mean over the space.
local function predict(two, others, from, last, seed)
  local n, N, rows, errors, drawn, asked = {}, {}, {}, {}, {}, {}
  local function add(p, count, draws, size)
    n[#n + 1], N[#N + 1], rows[#rows + 1], drawn[#drawn + 1] = count, size, cut(p, 1, count), draws
    table.move(p.errors, 1, count, #errors + 1, errors)
  end
  for k, p in ipairs(two) do -- its draws, and the networks that are asked for
    asked[k] = { draws = p.draws.rows .. cut(p, from, last), size = p.draws.N + last - from + 1 }
    if from > FIRST then add(p, from - 1, asked[k].draws, asked[k].size) end
  end
  for k, p in ipairs(others) do -- as long as the two are in no fit, these carry their draws
    local carried = from <= FIRST and asked[k]
    add(p, p.n, carried and carried.draws or cut(p, 1, 2), carried and carried.size or 2)
  end
  local fit = core.new(two[1].starts, n, N, table.concat(rows), errors, table.concat(drawn), seed)
  local f, at, out = select(2, fit:predictions()), 0, {}
  for k, p in ipairs(two) do
    local mean = 0
    for i = at + 1, at + p.draws.N do mean = mean + f[i] / p.draws.N end
    out[k] = { f = table.move(f, at + p.draws.N + 1, at + asked[k].size, from, {}), mean = mean,
      lambda = from > FIRST and fit:mean(k).lambda or 1 }
    at = at + asked[k].size
  end
  return out
end

--- The values of the first n models of two populations, as predict.lua prepares them.
-- @tparam table two  of each n, rows, errors, starts and draws = { rows, N }
-- @tparam table others  populations that fits learn from as well: n, rows, errors
-- @treturn table, table  lists of n values
function M.values(two, others, n, seed)
  local total = 0
  for _, p in ipairs(others) do total = total + p.n end
  local out = { {}, {} }
  local known = total >= ENOUGH and #others >= 2
  local from = known and 1 or FIRST + 1
  for k, p in ipairs(two) do table.move(p.errors, 1, math.min(n, from - 1), 1, out[k]) end
  while from <= n do
    local last = math.min(n, math.max(from <= FIRST and FIRST or 0, math.ceil(GROWTH * from) - 1))
    local found = predict(two, others, from, last, seed)
    for k, p in ipairs(two) do
      local g = found[k]
      for i = from, last do out[k][i] = p.errors[i] - g.lambda * (g.f[i] - g.mean) end
    end
    from = last + 1
  end
  return out[1], out[2]
end

return M
