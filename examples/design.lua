--- From AnyNetX_A to RegNetX in five steps, as the paper goes, at a scale of minutes.
--
--   netspace examples/design.lua [MODELS] [STORE]
--
-- Each step trains a space and its refinements, MODELS (8) networks each, on the built-in
-- `shapes`, compares them and says what can be claimed; what is trained already is found
-- again in STORE (design.db).  With 8 networks a space hardly anything can be claimed, and
-- netspace says so: the paper trained 500 of 400 MF on ImageNet.  Run it again with more, as
-- `netspace examples/design.lua 64`, and only the new ones are trained.
-- Steps of Radosavovic et al. 2020, sections 3.2 and 3.3, figures 5, 7 and 9.

local n = math.tointeger(tonumber(arg[1] or 8))
if not n or n < 1 then
  io.stderr:write("usage: netspace examples/design.lua [MODELS] [STORE]\n")
  os.exit(2, true)
end
local shapes = data.open("shapes", { train = 2000, test = 1000 })

local function step(parent, ...)
  local s = design.step {
    parent = parent, candidates = { ... }, n = n, store = arg[2] or "design.db",
    data = shapes, recipe = recipe { like = recipe.quick, epochs = 4 },
    sample = { flops = { 1e6, 1.5e6 }, image = 32, stem_width = 16, stride = { 1, 2, 2, 2 } },
  }
  print(s)
  print()
end

step(space.AnyNetXA, space.AnyNetXB)                            -- one b for all stages
step(space.AnyNetXB, space.AnyNetXC)                            -- one g for all stages
step(space.AnyNetXC, space.AnyNetXD, "equal_w", "decreasing_w") -- widths that grow
step(space.AnyNetXD, space.AnyNetXE, "equal_d", "decreasing_d") -- depths that grow
step(space.AnyNetXE, space.RegNetX)                             -- widths on a line
