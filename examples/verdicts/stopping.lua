-- What both parts save together: predictions and planned looks.  How many trainings it takes until
-- a difference is decided, beside the classical test with one look at the end of the same level
-- and power; and how often a difference is claimed where there is none.
--
--   ./netspace examples/verdicts/stopping.lua [TIMES] [TRUTH] [OTHERS]
--
-- TIMES (100) experiments for each pair of neighbouring populations, effect and method.  TRUTH: a
-- store or an export with populations of 500 models or more, or - for those made of the committed
-- results (known.lua).  OTHERS (0): the predictor learns from so many models of each other
-- population as well, as it can in a store where a design has come so far, and as
-- predict = { with = … } does.
--
-- The difference of b and a is made 0.3, 0.5, 0.8 and 1 standard deviation.  One look takes
-- n = 2 (t_0.975 + t_0.8)² / effect² models of each for a power of 80 %, Student's quantiles at
-- 2 n − 2 degrees of freedom.  With predictions the last look is at the least n at which they are
-- worth that many (at 2 n − 4), times 1.025 for the looks; how much they are worth at n is what 20
-- samples of each pair say beforehand, as a pilot would.
-- There are up to five looks, at ten models of each or more; at five, where OTHERS tell how errors
-- depend on a network: fewer than ten models of the new populations are then in no fit (adjust.h,
-- guests).

local core = require "netspace.core.adjust"
local arms = require "netspace.stats.arms"
local looks = require "netspace.stats.looks"

local times, path, others = tonumber(arg[1]) or 100, arg[2] ~= "-" and arg[2] or nil,
  math.tointeger(tonumber(arg[3] or 0))
local here = arg[0]:match("^(.*)/verdicts/[^/]*$")
local known = dofile(here .. "/verdicts/known.lua")
local results = assert(stats.import(here .. "/paper/small.jsonl.gz"))

local LOOKS, DRAWN, SCALE = 5, 2000, 200 -- DRAWN: untrained networks of each, SCALE of others
local LEAST, GUESTS = others > 0 and 5 or 10, 10 -- models that are fewer than GUESTS are guests

-- The features of the first networks of p, in one: what is known without training.
local function drawn_of(p, most)
  local width = #p.all // #p.rows
  p.drawn = p.drawn or {}
  p.drawn[most] = p.drawn[most] or { n = math.min(most, #p.rows), rows = p.all:sub(1, width * most) }
  return p.drawn[most]
end

-- A sample of the pair: n models of each in order, and OTHERS of the other populations.
local function sample(list, a, b, n)
  local s = { others = {} }
  if a == b then
    local at = known.places(#a.errors, 2 * n)
    s.a, s.b = { p = a, at = at, from = 0 }, { p = a, at = at, from = n }
  else
    s.a = { p = a, at = known.places(#a.errors, n), from = 0 }
    s.b = { p = b, at = known.places(#b.errors, n), from = 0 }
  end
  for _, p in ipairs(others > 0 and list or {}) do
    if p ~= a and p ~= b then
      s.others[#s.others + 1] = { p = p, at = known.places(#p.errors, others), from = 0 }
    end
  end
  return s
end

-- The estimate of the difference from the first n of both, with predictions.
local function predicted(s, n, shift, seed)
  local counts, drawn, rows, errors, all = {}, {}, {}, {}, {}
  local function add(side, count, by, most)
    local x, e = known.take(side.p, side.at, side.from, count)
    for _, y in ipairs(e) do errors[#errors + 1] = math.max(0, math.min(100, y + by)) end
    counts[#counts + 1], rows[#rows + 1] = count, x
    local d = drawn_of(side.p, most)
    drawn[#drawn + 1], all[#all + 1] = d.n, d.rows
  end
  add(s.a, n, 0, DRAWN)
  add(s.b, n, shift, DRAWN)
  for _, side in ipairs(s.others) do add(side, others, 0, SCALE) end
  local fit = core.new(s.a.p.starts, counts, drawn, table.concat(rows), errors, table.concat(all),
    seed)
  local x, y = fit:mean(1), fit:mean(2)
  local difference, se = fit:difference(1, 2)
  local u, v = x.se ^ 2, y.se ^ 2
  return { n = n, difference = difference, se = se, predicted = { guest = n < GUESTS },
    df = (u + v) ^ 2 / (u ^ 2 / x.df + v ^ 2 / y.df), plain = x.plain_se ^ 2 + y.plain_se ^ 2 }
end

-- Until what n a method goes on, and what it claims: the look, or nil.
local function go_on(s, plan, shift, with)
  local path_, plain = {}, nil
  if not with then
    local a, b = select(2, known.take(s.a.p, s.a.at, s.a.from, plan.n)),
      select(2, known.take(s.b.p, s.b.at, s.b.from, plan.n))
    for i, e in ipairs(b) do b[i] = math.max(0, math.min(100, e + shift)) end
    plain = looks.estimates({ a = a, b = b, n = plan.n }, plan.at)
  end
  for k, n in ipairs(plan.at) do
    path_[k] = with and predicted(s, n, shift, k) or plain[k]
    local t = arms.decide("stopping", plan, path_, plan.level)
    if t.claim then return n, t.mean_difference end
  end
  return plan.n, nil
end

-- Looks up to n, at LEAST or more, so many at most.
local function plan_of(n, count, spending)
  local at = {}
  for k = 1, count do
    local m = math.max(math.min(LEAST, n), math.ceil(k * n / count))
    if m > (at[#at] or 0) then at[#at + 1] = m end
  end
  return arms.plan("stopping", { looks = at, spending = spending }, n)
end

-- What predictions are worth for the pair at n models of each: a function of n, by those tried.
local function worth_of(list, a, b)
  local tried = { 10, 15, 20, 30, 40, 60, 80 }
  if LEAST < GUESTS then table.move({ 5, 6, 8 }, 1, 3, 1, table.move(tried, 1, #tried, 4)) end
  local function at(n)
    local plain, square = 0, 0
    for k = 1, 20 do
      local e = predicted(sample(list, a, b, n), n, 0, k)
      plain, square = plain + e.plain, square + e.se ^ 2
    end
    return plain / square
  end
  local found = {}
  for i, n in ipairs(tried) do found[i] = at(n) end
  return function(n)
    if n >= tried[#tried] then return found[#found] end
    for i = 2, #tried do
      if n <= tried[i] then
        local part = (n - tried[i - 1]) / (tried[i] - tried[i - 1])
        return found[i - 1] + part * (found[i] - found[i - 1])
      end
    end
  end
end

local methods = {
  { "one look, at the end", looks = 1, most = 1 },
  { "5 looks", looks = LOOKS, most = stats.boundaries({ looks = LOOKS }).most },
  { "one look, predicted", looks = 1, most = 1, with = true },
  { "5 looks, predicted", looks = LOOKS, most = stats.boundaries({ looks = LOOKS }).most,
    with = true },
  { "5 looks by Pocock, predicted", looks = LOOKS, spending = "pocock", with = true,
    most = stats.boundaries({ looks = LOOKS, spending = "pocock" }).most },
}

-- The models of each that find an effect with a power of 80 % at one look of n, when it is
-- estimated with so many degrees of freedom.
local function needed(effect, freedom)
  return 2 * (core.student(0.975, freedom) + core.student(0.8, freedom)) ^ 2 / effect ^ 2
end

local function single_of(effect)
  local n = 3
  while n < needed(effect, 2 * n - 2) do n = n + 1 end
  return n
end

-- The models of each that a method goes to.
local function models(method, effect, worth)
  if not method.with then return math.ceil(method.most * single_of(effect)) end
  local n = LEAST
  while n * worth(n) < method.most * needed(effect, 2 * n - (n < GUESTS and 2 or 4)) do n = n + 1 end
  return n
end

local function print_row(...) print("| " .. table.concat({ ... }, " | ") .. " |") end

io.stdout:setvbuf "line"
math.randomseed(18)
local list = known.populations({ results.A, results.B, results.C, results.D, results.E, results.X },
  path)
local began, worths = os.clock(), {}
for i = 2, #list do worths[i] = worth_of(list, list[i - 1], list[i]) end
print(("Populations: %d; the predictor learns from %d models of each other one, too\n"):format(
  #list, others))
print_row("pair", "worth at 10", "20", "40", "80")
print_row("---", "---", "---", "---", "---")
for i = 2, #list do
  local cells = {}
  for k, n in ipairs { 10, 20, 40, 80 } do cells[k] = ("%.1f"):format(worths[i](n)) end
  print_row(list[i - 1].name .. "→" .. list[i].name, table.unpack(cells))
end

local effects = { 0.3, 0.5, 0.8, 1 }
print(("\nTrainings until decided over those of one look, and power; %d experiments each\n"):format(
  times * (#list - 1)))
print_row("method", "0.3 sd", "0.5 sd", "0.8 sd", "1 sd", "geometric mean")
print_row("---", "---", "---", "---", "---", "---")
for _, method in ipairs(methods) do
  local cells, product = {}, 1
  for k, effect in ipairs(effects) do
    local claims, share, trials = 0, 0, 0
    for i = 2, #list do
      local a, b = list[i - 1], list[i]
      local difference = effect * math.sqrt((a.variance + b.variance) / 2)
      local single = single_of(effect)
      local plan = plan_of(models(method, effect, worths[i]), method.looks, method.spending)
      for _ = 1, times do
        local n, claim = go_on(sample(list, a, b, plan.n), plan, a.mean - b.mean - difference,
          method.with)
        claims, share = claims + (claim and claim < 0 and 1 or 0), share + n / single
        trials = trials + 1
      end
    end
    product = product * share / trials
    cells[k] = ("%.2f ×, %.0f %%"):format(share / trials, 100 * claims / trials)
  end
  cells[#cells + 1] = ("%.2f ×"):format(product ^ (1 / #effects))
  print_row(method[1], table.unpack(cells))
end

print(("\nFalse claims where there is no difference, %d experiments each\n"):format(times * #list))
print_row("method", "n = 20", "n = 50", "n = 100")
print_row("---", "---", "---", "---")
for _, method in ipairs(methods) do
  local cells = {}
  for k, n in ipairs { 20, 50, 100 } do
    local claims, plan = 0, plan_of(n, method.looks, method.spending)
    for _, p in ipairs(list) do
      for _ = 1, method.with and math.ceil(times / (k == 3 and 5 or 1)) or times do
        local _, claim = go_on(sample(list, p, p, n), plan, 0, method.with)
        claims = claims + (claim and 1 or 0)
      end
    end
    local trials = #list * (method.with and math.ceil(times / (k == 3 and 5 or 1)) or times)
    cells[k] = ("%.1f %% of %d"):format(100 * claims / trials, trials)
  end
  print_row(method[1], table.unpack(cells))
end
print(("\n%.0f seconds of one core"):format(os.clock() - began))
