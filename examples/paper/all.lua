--- The paper done again: trains every population into one store, the main ones first and
-- those of figure 10 last, then makes every figure and table.  What a store has is not
-- trained again.
--
--   netspace examples/paper/all.lua --scale tiny                             minutes
--   netspace examples/paper/all.lua --scale small --data cifar10:DIR         hours
--   netspace examples/paper/all.lua --from examples/paper/small.jsonl.gz     no training
--
-- It may be stopped at any time; the same command goes on, and meanwhile the same with --as-is
-- shows how far it is.  The figures are scripts of their own with the same options; each
-- trains only what it needs.

local here = arg[0]:gsub("[^/]*$", "")
local paper = dofile(here .. "paper.lua")
if paper.options.scale == "paper" then paper.results(table.unpack(paper.names())) end
local train = not (paper.options.from or paper.options.as_is)
if train then
  for _, names in ipairs(paper.turns()) do paper.train(names) end
  arg[#arg + 1] = "--as-is"
end
arg.all = true -- paper.lua then leaves it to this script to end
for _, figure in ipairs { "fig01", "fig02", "fig05", "fig06", "fig07", "fig08", "fig09", "fig10",
  "fig11", "fig12", "fig13", "fig14", "fig15", "table1" } do
  print(("\n%s.lua\n"):format(figure))
  arg[0] = here .. figure .. ".lua"
  local good, message = pcall(dofile, arg[0])
  if not good then
    if train or message == "interrupted" then error(message, 0) end
    print(message)
  end
end
