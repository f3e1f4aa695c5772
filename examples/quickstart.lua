--- A first experiment, in about two minutes: is RegNetX a better space than AnyNetX_A?
--
--   netspace examples/quickstart.lua [MODELS] [STORE]
--
-- Draws MODELS (16) networks from each space within one flops window, trains all of them
-- on the built-in `shapes`, and compares the two error distributions (the error EDF of
-- Radosavovic et al. 2020, section 3.1).  Everything is kept in STORE
-- (quickstart.db): interrupt it and run it again, and only the rest is trained; watch it
-- from another terminal with `netspace monitor quickstart.db`.

local n = math.tointeger(tonumber(arg[1] or 16))
if not n or n < 1 then
  io.stderr:write("usage: netspace examples/quickstart.lua [MODELS] [STORE]\n")
  os.exit(2, true)
end
local store = arg[2] or "quickstart.db"
local window = {
  flops = { 1.5e6, 2.5e6 }, image = 32, stem_width = 16, stride = { 1, 2, 2, 2 },
}
local shapes = data.open("shapes", { train = 3000, test = 1000 })

local sweeps = {}
for i, S in ipairs { space.AnyNetXA, space.RegNetX } do
  window.seed = i -- populations that are compared share no random numbers
  sweeps[#sweeps + 1] = sweep.start {
    store = store, name = S.name, models = S:sample(n, window), data = shapes,
    recipe = recipe.quick,
  }
end
local results = {}
for i, handle in ipairs(sweeps) do results[i] = handle:wait() end

plot.edf(results):show()
print(stats.table(results))
print(stats.compare(results[1], results[2]).verdict)
