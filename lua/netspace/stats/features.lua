--- What is known of a network before it is trained, as numbers: what predictions (predict.lua)
-- are made from.  Features come in groups; the regression learns how far each group matters.
--
-- The four groups are logarithms of what a design space consists of, stage by stage.  (Flops,
-- params and activations beside them make no prediction better: they follow from these.)  The
-- sampler gives the same four of its draws (src/bind/sampler.c: rows).

local M = {}

local function by_stages(key)
  return function(m)
    local list = {}
    for i, v in ipairs(m[key]) do list[i] = math.log(v) end
    return list
  end
end

M.groups = {
  { name = "depth", of = by_stages "d" }, { name = "width", of = by_stages "w" },
  { name = "ratio", of = by_stages "b" }, { name = "group", of = by_stages "g" },
}

--- The groups of everyone and those of the user, in the order of their names.
-- @tparam[opt] table user  name -> function of a model: a number or a list of them
function M.with(where, user)
  local list, names = table.move(M.groups, 1, #M.groups, 1, {}), {}
  for name, f in pairs(user or {}) do
    if type(name) ~= "string" or type(f) ~= "function" then
      error(("%s: features is a table of functions of a model, as in { heads = function(m) "
        .. "return m.w[4] end }"):format(where), 0)
    end
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do list[#list + 1] = { name = name, of = user[name] } end
  return list
end

-- The numbers that a group has for m, as a list.
local function values(group, m)
  local v = group.of(m)
  if type(v) == "number" then v = { v } end
  for i, x in ipairs(type(v) == "table" and v or { false }) do
    if type(x) ~= "number" or x ~= x or math.abs(x) == math.huge then
      error(("the feature %s of a network is %s; it should be a number, or a list of them")
        :format(group.name, type(v) == "table" and ("%s (number %d)"):format(tostring(x), i)
        or tostring(v)), 0)
    end
  end
  return v
end

--- Something that turns networks into rows of features: read(m) -> packed row; .starts, where
-- each group begins, and how many there are in all, known after the first network; .n, .sum and
-- .square of the features of those that were read.
function M.reader(groups)
  local r = { n = 0, sum = {}, square = {} }
  local function check(v, group, k)
    if #v ~= r.starts[k + 1] - r.starts[k] then
      error(("the feature %s has %d numbers for one network and %d for another"):format(
        group.name, r.starts[k + 1] - r.starts[k], #v), 0)
    end
  end
  function r.read(m)
    local row, first = {}, not r.starts
    if first then r.starts = { 0 } end
    for k, group in ipairs(groups) do
      local v = values(group, m)
      table.move(v, 1, #v, #row + 1, row)
      if first then r.starts[k + 1] = #row else check(v, group, k) end
    end
    r.n = r.n + 1
    for c, x in ipairs(row) do
      r.sum[c], r.square[c] = (r.sum[c] or 0) + x, (r.square[c] or 0) + x * x
    end
    r.format = r.format or ("f"):rep(#row)
    return string.pack(r.format, table.unpack(row))
  end
  return r
end

return M
