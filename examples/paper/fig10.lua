--- Figure 10: do the principles hold elsewhere?  A, E and RegNetX with more flops, more
-- epochs, five stages, without groups (R), without bottleneck and residual (V), and with the
-- residual alone (VR).  In the paper RegNetX > E > A everywhere.
-- Section 3.4 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local edfs, all, how = {}, { A = {}, E = {}, X = {} }, nil
for _, what in ipairs(paper.settings) do
  local A, E, X = paper.find("A" .. what, "E" .. what, "X" .. what)
  if A then
    edfs[#edfs + 1] = plot.edf { A, E, X }
    all.A[#edfs], all.E[#edfs], all.X[#edfs] = A, E, X
    print(stats.alternatives(A, { E, X }))
  else
    print(E) -- what is not there
  end
  print()
end
if #edfs == #paper.settings then
  for space, list in pairs(all) do
    all[space], how = paper.join(space .. " everywhere", list)
  end
  print(stats.alternatives(all.A, { all.E, all.X }, how))
  print()
end
if #edfs > 0 then
  edfs.columns = 3
  paper.show("fig10", plot.panels(edfs))
end
