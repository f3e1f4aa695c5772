--- Speed of drawing from spaces, of counting and of e_fit, on one core.
--
--   netspace -q --no-init scripts/bench/spaces.lua [REPEATS]     (make bench-spaces)
--
-- Each figure is the best of REPEATS (5) in processor time, the subjects taking turns.

local repeats = math.tointeger(tonumber(arg[1] or 5))
local imagenet = { image = 224, classes = 1000, flops = { 360e6, 400e6 } }

local rows = {}
local function row(what, unit, f) rows[#rows + 1] = { what, unit, f, math.huge } end

-- A draw of n: seconds, and candidates walked.
local function sampling(S, n, window)
  return function()
    local o = { image = 224, classes = 1000, flops = window }
    local start = os.clock()
    local p = S:sample(n, o)
    return os.clock() - start, p.tried
  end
end

for _, name in ipairs { "AnyNetXA", "AnyNetXC", "AnyNetXE", "RegNetX" } do
  row(name .. ", window 360 to 360.1 MF", "candidates/s", sampling(space[name], 20,
    { 360e6, 360.1e6 }))
end
for _, name in ipairs { "AnyNetXA", "AnyNetXD", "AnyNetXE", "RegNetX" } do
  row(name .. ", 500 models of 360 to 400 MF", "ms", sampling(space[name], 500, imagenet.flops))
end
for _, name in ipairs { "AnyNetXA", "AnyNetXE", "RegNetX" } do
  local p = space[name]:sample(100, imagenet)
  row(name .. ", e_fit of 100 models", "ms", function()
    local start = os.clock()
    arch.fit(p)
    return os.clock() - start
  end)
end
for _, name in ipairs { "AnyNetXA", "AnyNetXD", "AnyNetXE", "RegNetX" } do
  row(name .. ":size()", "ms", function()
    local start = os.clock()
    space[name]:size()
    return os.clock() - start
  end)
end

for _ = 1, repeats do
  for _, r in ipairs(rows) do
    local seconds, tried = r[3]()
    local value = r[2] == "ms" and seconds * 1e3 or -(tried / seconds)
    r[4] = math.min(r[4], value)
  end
end
for _, r in ipairs(rows) do
  print(("%-44s %12s %s"):format(r[1], r[2] == "ms" and ("%.1f"):format(r[4])
    or ("%.0f"):format(-r[4]), r[2]))
end
