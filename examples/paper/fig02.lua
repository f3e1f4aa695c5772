--- Figure 2: what a population looks like: the error EDF of AnyNetX_A, and its errors against
-- depth and the width of the last stage, with the band of the best model.
-- Section 3.1 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local A = paper.results("A")
paper.show("fig02", plot.panels { plot.edf { A }, plot.scatter(A, { "d", "w[4]" }) })
print(stats.table { A })
paper.bands(A, { "d", "w[4]" })
