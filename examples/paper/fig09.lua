--- Figure 9: RegNetX against AnyNetX_A and E; with w_m = 2 and with w_0 = w_a; and how many
-- random models it takes to find a good one.  In the paper RegNetX is better than A and E,
-- both restrictions are a little better still, and about 32 models are enough.
-- Section 3.3 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local A, E, X = paper.results("A", "E", "X")
paper.show("fig09", plot.panels { plot.edf { A, E, X }, plot.search { A, E, X } })
print(stats.alternatives(A, { E, X }))
print(stats.search(X))
local w_m, w_0 = paper.results("X w_m=2", "X w_0=w_a")
paper.show("fig09-restricted", plot.edf { X, w_m, w_0 })
print(stats.alternatives(X, { w_m, w_0 }))
