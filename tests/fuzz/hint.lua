-- Any bytes as a principle with hints: tie, order, fix, range of any parameters, on a space of any
-- kind (make fuzz T=hint).  It is refused clearly, or all that is drawn obeys both the hints, as
-- they are written here a second time, and the check, is in the space, and the space can be
-- counted and described.
local draws = dofile "tests/fuzz/draws.lua"
local oracle = dofile "tests/fuzz/oracle.lua"

local known = { d = true, w = true, b = true, g = true }
local parameters = { "d", "w", "b", "g", "w_0", "w_a", "w_m", "x" }
local checks = {
  function() return true end,
  function(m) return m.w[#m.w] >= m.w[1] end,
  function(_, asked) return asked.d[1] <= 8 end,
}
local spaces = { space.small.AnyNetXA, space.AnyNetXB, space.small.RegNetX, space.RegNetY,
  space.anynet { d = { 1, 4 }, w = { 8, 64, 8 }, b = { 1, 2 }, g = { 1, 8 }, stages = 3 } }

local function value(d)
  local kind = d:below(8)
  if kind < 5 then return d:number() end
  if kind == 5 then return d:text() end
  if kind == 6 then return { d:number(), d:number() } end
  return d:below(2) == 0
end

local function hints(d)
  local t = {}
  for _ = 1, 1 + d:below(4) do
    local key, name = d:one_of { "tie", "order", "fix", "range" }, d:one_of(parameters)
    if key == "tie" then
      t.tie = d:below(4) == 0 and name or { name, d:below(2) == 0 and d:one_of(parameters) or nil }
    else
      t[key] = t[key] or {}
      local v
      if d:below(8) == 0 then
        v = value(d)
      elseif key == "order" then
        v = d:one_of { "up", "down", "equal", "sideways" }
      elseif key == "fix" then
        v = d:number()
      else
        v = { d:number(), d:number() }
      end
      t[key][name] = v
    end
  end
  return t
end

-- Which hint a drawn network of an AnyNet space does not obey, by the values as drawn.  Hints that
-- speak of what the space does not draw say nothing: there only the check is used.
local function disobeyed(t, m)
  for _, key in ipairs { "order", "fix", "range" } do
    for name in pairs(t[key] or {}) do
      if not known[name] then return end
    end
  end
  for _, name in ipairs(t.tie or {}) do
    if not known[name] then return end
  end
  local asked = m.asked or m
  for name, order in pairs(t.order or {}) do
    local v = asked[name]
    for i = 2, type(v) == "table" and #v or 0 do
      if order == "up" and v[i] < v[i - 1] or order == "down" and v[i] > v[i - 1]
        or order == "equal" and v[i] ~= v[i - 1] then return "order of " .. name end
    end
  end
  for name, x in pairs(t.fix or {}) do
    local v = asked[name]
    for i = 1, type(v) == "table" and #v or 0 do
      if v[i] ~= x then return "fix of " .. name end
    end
  end
  for name, r in pairs(t.range or {}) do
    local v = asked[name]
    for i = 1, type(v) == "table" and #v or 0 do
      if not (v[i] >= r[1] and v[i] <= r[2]) then return "range of " .. name end
    end
  end
  for _, name in ipairs(t.tie or {}) do
    local v = asked[name]
    for i = 2, type(v) == "table" and #v or 0 do
      if v[i] ~= v[1] then return "tie of " .. name end
    end
  end
end

return function(bytes)
  local d = draws.of(bytes)
  local S, check, t = d:one_of(spaces), d:one_of(checks), hints(d)
  local regnet = S == spaces[3] or S == spaces[4]
  local options = { name = "c", check = check }
  for key, v in pairs(t) do options[key] = v end
  if d:below(4) == 0 then options.hint_kind = d:one_of { "anynet", "regnet", "none" } end
  if d:below(8) == 0 then options.kind = d:one_of { "anynet", "regnet", "none" } end
  local c = oracle.answer("constraint", bytes, constraint, options)
  local T = c and oracle.answer("with", bytes, S.with, S, c)
  if not T then return end
  assert(tostring(T))
  local A = oracle.answer("sample", bytes, T.sample, T, 3, { seed = 1 + d:below(9),
    max_tries = 2000 })
  local here = options.hint_kind == nil or (options.hint_kind == "regnet") == regnet
  for _, m in ipairs(A or {}) do
    local wrong = not regnet and here and disobeyed(c, m)
    assert(not wrong, wrong)
    local asked = m.asked or m
    assert(check(m, { d = asked.d, w = asked.w, b = asked.b, g = asked.g }), "the check")
    assert(T:contains(m), "a space has what is drawn from it")
    assert(S:contains(m), "and so has the space that it is part of")
  end
  if not A or d:below(16) ~= 1 then return end -- counting takes long
  assert(T:describe())
  local size = oracle.answer("size", bytes, T.size, T)
  assert(not A or #A == 0 or not size or not size.exact or tonumber(size.exact) ~= 0,
    "a space that is drawn from is not empty")
end
