-- `make errors`: does the engine still train networks to the same errors?
--
--   make errors NAME=before        … change the engine, build …        make errors NAME=after
--   make errors NAME=torch TRAINER="python3 scripts/torch_trainer.py"
--
-- Twenty networks of three spaces, drawn by a fixed seed, are trained on `shapes` with fixed
-- seeds (two minutes on two cores) and kept under NAME in build/errors.db.  The mean error is
-- printed beside those of earlier names, with the difference of each network to the first
-- name paired: a change that only reorders sums moves single networks by a few points either
-- way, and the mean by no more than its interval.
local path = "build/errors.db"
local name = arg[1]
if not name or name == "" then
  io.stderr:write("usage: make errors NAME=NAME [TRAINER=COMMAND]   ",
    "(names of earlier runs are kept in ", path, ")\n")
  os.exit(2)
end

local window = { seed = 20, flops = { 1.5e6, 2.5e6 }, image = 32, stem = "simple",
  stem_width = 16, stride = { 1, 2, 2, 2 } }
local models = {}
for _, part in ipairs { { space.AnyNetXA, 8 }, { space.RegNetX, 6 }, { space.RegNetY, 6 } } do
  for _, m in ipairs(part[1]:sample(part[2], window)) do models[#models + 1] = m end
end
local trainer = arg[2] ~= "" and arg[2] or nil
sweep.run { store = path, name = name, models = models, seed = 20, trainer = trainer,
  data = data.open("shapes", { train = 3000, test = 1000 }), recipe = recipe.quick }

local store <close> = sweep.open(path)
local first, networks
print(("%-16s %6s %8s %8s  %s"):format("name", "models", "mean %", "median %",
  "mean difference to the first, and its 95 % interval"))
for _, each in ipairs(store:names()) do
  local result = store:result(each)
  local errors, hashes, text = result.errors, {}, ""
  for i, m in ipairs(result.models) do hashes[i] = arch.hash(m) end
  local same = table.concat(hashes, " ")
  local edf = stats.edf(errors)
  if not first then
    first, networks = errors, same
  elseif networks ~= same then
    text = "other networks"
  else
    local sum, squares, n = 0, 0, #errors
    for i = 1, n do sum = sum + errors[i] - first[i] end
    for i = 1, n do squares = squares + (errors[i] - first[i] - sum / n) ^ 2 end
    local half = 2.09 * math.sqrt(squares / (n - 1) / n) -- Student's t, 19 degrees of freedom
    text = ("%+.2f points, %+.2f to %+.2f"):format(sum / n, sum / n - half, sum / n + half)
  end
  print(("%-16s %6d %8.2f %8.2f  %s"):format(each, #errors, edf.mean, edf.median, text))
end
