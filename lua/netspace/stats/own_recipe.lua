--- Recipes that vary from model to model (network/vary.lua) as features of predictions: what was
-- drawn for the trained networks, and, for those that were not trained, numbers drawn the same way.

local varies = require "netspace.network.vary"

local M = {}

local SEED = 0x5eed -- of the untrained networks' recipes

-- Logarithms where all values have one, as other features are.
local function scaled(recipe, key, x)
  return varies.ends(recipe.vary[key]) > 0 and math.log(x) or x
end

--- What varies in the recipe of a result: a list of keys; nil where nothing does.
function M.keys(r)
  local vary, keys = r.recipe and type(r.recipe) == "table" and r.recipe.vary, {}
  for _, key in ipairs(vary and varies.keys or {}) do
    if vary[key] then keys[#keys + 1] = key end
  end
  return keys[1] and keys or nil
end

local function pack(recipe, keys, of)
  local list = {}
  for k, key in ipairs(keys) do list[k] = scaled(recipe, key, of[key]) end
  return string.pack(("f"):rep(#list), table.unpack(list)), list
end

-- A reader of features (features.lua) that has seen more of the same networks.
local function widened(read, added)
  local t = { n = read.n, sum = table.move(read.sum, 1, #read.sum, 1, {}),
    square = table.move(read.square, 1, #read.square, 1, {}) }
  for c = 1, #added[1] do
    local sum, square = 0, 0
    for _, list in ipairs(added) do sum, square = sum + list[c], square + list[c] ^ 2 end
    t.sum[#t.sum + 1], t.square[#t.square + 1] = sum, square
  end
  return t
end

local function starts_of(starts, keys)
  local list = table.move(starts, 1, #starts, 1, {})
  for _ in ipairs(keys) do list[#list + 1] = list[#list] + 1 end
  return list
end

--- The features of draws (predict.lua) with a recipe for each.
function M.draws(r, keys, d)
  local width, rows, added = 4 * d.starts[#d.starts], {}, {}
  for i = 1, d.N do
    local text
    text, added[i] = pack(r.recipe, keys, varies.draw(r.recipe, SEED, i))
    rows[i] = d.rows:sub(width * (i - 1) + 1, width * i) .. text
  end
  return { N = d.N, different = d.different, rows = table.concat(rows),
    starts = starts_of(d.starts, keys), read = widened(d.read, added) }
end

--- The rows of the trained networks with what was drawn for each, and their reader; nil, why.
function M.trained(r, keys, rows, reader)
  local added = {}
  for i, row in ipairs(rows) do
    local of = {}
    for _, key in ipairs(keys) do
      of[key] = r.columns and r.columns[key] and r.columns[key][i]
      if type(of[key]) ~= "number" then
        return nil, ("its recipe varies, and the %s of model %d is not known"):format(key, i)
      end
    end
    local text
    text, added[i] = pack(r.recipe, keys, of)
    rows[i] = row .. text
  end
  local wide = widened(reader, added)
  wide.starts = starts_of(reader.starts, keys)
  return rows, wide
end

return M
