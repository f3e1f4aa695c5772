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
local KEPT = 32

-- The features of networks i to j.
local function cut(p, i, j)
  local width = #p.rows // p.n
  return p.rows:sub(width * (i - 1) + 1, width * j)
end

-- A fit to the first `before` models of the two and to the others: fit, and for each of the two its
-- lambda and the mean of f over its space.  It knows nothing of the models that it is for.
local function fitted(two, others, before, seed)
  local n, N, rows, errors, drawn, at = {}, {}, {}, {}, {}, 0
  local function add(p, count, draws)
    n[#n + 1], N[#N + 1], rows[#rows + 1], drawn[#drawn + 1] = count, draws.N, cut(p, 1, count),
      draws.rows
    table.move(p.errors, 1, count, #errors + 1, errors)
  end
  for _, p in ipairs(before > 0 and two or {}) do add(p, before, p.draws) end
  for k, p in ipairs(others) do -- as long as the two are in no fit, these carry their draws
    add(p, p.n, before == 0 and two[k] and two[k].draws or { N = 2, rows = cut(p, 1, 2) })
  end
  local fit = core.new(two[1].starts, n, N, table.concat(rows), errors, table.concat(drawn), seed)
  local block, f = { fit = fit, mean = {}, lambda = {} }, select(2, fit:predictions())
  for k, p in ipairs(two) do
    local sum = 0
    for i = at + 1, at + p.draws.N do sum = sum + f[i] end
    block.mean[k], at = sum / p.draws.N, at + p.draws.N
    block.lambda[k] = before > 0 and fit:mean(k).lambda or 1
  end
  return block
end

local kept = {} -- what was fitted, from what; the last that was asked for is the last

-- The same, where it was fitted before.
local function fit_of(two, others, before, seed)
  local from = { seed, before, table.concat(two[1].starts, " ") }
  for k, p in ipairs { two[1], two[2], table.unpack(others) } do
    local count = k <= 2 and before or p.n
    local errors = {}
    for i = 1, count do errors[i] = string.pack("d", p.errors[i]) end
    table.move({ cut(p, 1, count), table.concat(errors), k <= 2 and p.draws.rows or "" }, 1, 3,
      #from + 1, from)
  end
  for at = #kept, 1, -1 do
    local same = #kept[at].from == #from
    for i, part in ipairs(from) do same = same and kept[at].from[i] == part end
    if same then
      table.insert(kept, table.remove(kept, at))
      return kept[#kept]
    end
  end
  local block = fitted(two, others, before, seed)
  block.from = from
  if #kept == KEPT then table.remove(kept, 1) end
  kept[#kept + 1] = block
  return block
end

--- The values of the first n models of two populations, as predict.lua prepares them.
-- @tparam table two  of each n, rows, errors, starts and draws = { rows, N }
-- @tparam table others  populations that fits learn from as well: n, rows, errors
-- @tparam integer most  the last model that is predicted; beyond it values are errors
-- @treturn table, table  lists of n values
function M.values(two, others, n, seed, most)
  local total = 0
  for _, p in ipairs(others) do total = total + p.n end
  local out = { table.move(two[1].errors, 1, n, 1, {}), table.move(two[2].errors, 1, n, 1, {}) }
  local from = total >= ENOUGH and #others >= 2 and 1 or FIRST + 1
  n = math.min(n, most or n)
  while from <= n do
    local last = from <= FIRST and FIRST or math.ceil(GROWTH * from) - 1
    local block, to = fit_of(two, others, from <= FIRST and 0 or from - 1, seed), math.min(last, n)
    for k, p in ipairs(two) do
      for i, f in ipairs(block.fit:predict(cut(p, from, to))) do
        local at = from + i - 1
        out[k][at] = p.errors[at] - block.lambda[k] * (f - block.mean[k])
      end
    end
    from = last + 1
  end
  return out[1], out[2]
end

return M
