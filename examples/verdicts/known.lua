-- Populations of networks whose errors are all known, for experiments on what statistics claim of a
-- sample: of a store or an export with large populations, or else made of the committed results
-- (examples/paper/small.jsonl.gz).  Used by prediction.lua, stopping.lua and guests.lua.

local core = require "netspace.core.adjust"
local distribution = require "netspace.space.distribution"
local features = require "netspace.stats.features"

local M = {}

local MADE, LEAST = 4000, 500 -- networks of each that are made; of a large population, at least

-- Rows of features of networks, as the regression takes them.
local function rows_of(models)
  local reader, rows = features.reader(features.groups), {}
  for i, m in ipairs(models) do rows[i] = reader.read(m) end
  return rows, reader.starts
end

local function known(name, rows, starts, errors)
  local sum, squares, sorted = 0, 0, table.move(errors, 1, #errors, 1, {})
  for _, e in ipairs(errors) do sum, squares = sum + e, squares + e ^ 2 end
  table.sort(sorted)
  local mean = sum / #errors
  return { name = name, rows = rows, starts = starts, errors = errors, all = table.concat(rows),
    mean = mean, variance = squares / #errors - mean ^ 2, sorted = sorted }
end

-- Of the committed results `steps`: predictions by all of them for the networks of each space,
-- spread as the residuals of networks that were not seen are.
local function made(steps)
  local n, N, errors, trained, drawn, starts = {}, {}, {}, {}, {}, nil
  for k, r in ipairs(steps) do
    local list = distribution.list(r)
    drawn[k], starts = rows_of(table.move(list, 1, MADE, 1, {}))
    trained[k] = table.concat((rows_of(r.models)))
    n[k], N[k] = #r.errors, #drawn[k]
    table.move(r.errors, 1, #r.errors, #errors + 1, errors)
  end
  local all = {}
  for k, rows in ipairs(drawn) do all[k] = table.concat(rows) end
  local fit = core.new(starts, n, N, table.concat(trained), errors, table.concat(all), 1)
  local seen, f = fit:predictions()
  local list, first, from = {}, 0, 0
  for k, r in ipairs(steps) do
    local y = {}
    for i = 1, N[k] do
      local j = from + math.random(n[k])
      y[i] = math.min(100, math.max(0, f[first + i] + errors[j] - seen[j]))
    end
    list[k] = known(r.name, drawn[k], starts, y)
    first, from = first + N[k], from + n[k]
  end
  return list
end

--- The known populations of a store or an export at `path`, or those made of `steps`: name, rows
-- (of features), starts, all (rows in one), errors, mean, variance, sorted (errors).
function M.populations(steps, path)
  if not path then return made(steps) end
  local list, s = {}, nil
  if path:find("%.db$") then
    local store = assert(sweep.open(path))
    s = {}
    for i, name in ipairs(store:names()) do s[i] = store:result(name) end
  else
    s = assert(stats.import(path))
  end
  for _, r in ipairs(s) do
    if #r.errors >= LEAST then
      local rows, starts = rows_of(r.models)
      local p = known(r.name, rows, starts, r.errors)
      list[#list + 1], p.models = p, r.models
    end
  end
  return list
end

--- Each of the populations cut in two, by how much wider its networks end than they begin: more
-- spaces of which the truth is known.
function M.halves(populations)
  local list = {}
  for _, p in ipairs(populations) do
    local ratio, order = {}, {}
    for i, row in ipairs(p.rows) do -- log d, log w, …: four stages each
      ratio[i], order[i] = string.unpack("f", row, 29) - string.unpack("f", row, 17), i
    end
    table.sort(order, function(i, j)
      return ratio[i] < ratio[j] or ratio[i] == ratio[j] and i < j
    end)
    local n = #order // 2
    for half = 0, 1 do
      local rows, errors = {}, {}
      for k = 1, n do
        local i = order[k + half * n]
        rows[k], errors[k] = p.rows[i], p.errors[i]
      end
      list[#list + 1] = known(p.name .. (half == 0 and " narrow" or " wide"), rows, p.starts,
        errors)
    end
  end
  return list
end

--- `count` different places in a list of N, at random.
function M.places(N, count)
  local swapped, list = {}, {}
  for i = 1, count do
    local j = math.random(i, N)
    list[i], swapped[j] = swapped[j] or j, swapped[i] or i
  end
  return list
end

--- The features (in one) and errors of n networks of p, those after place `from` of the list `at`.
function M.take(p, at, from, n)
  local rows, errors = {}, {}
  for i = 1, n do rows[i], errors[i] = p.rows[at[from + i]], p.errors[at[from + i]] end
  return table.concat(rows), errors
end

return M
