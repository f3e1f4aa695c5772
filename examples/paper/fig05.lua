--- Figure 5: one bottleneck ratio for all stages (A to B), one group width (B to C): no worse,
-- so the simpler space is taken; then which b and g good networks of C have.
-- Section 3.2 of arXiv 2003.13678.  The paper finds A, B and C "virtually identical", and
-- that b = 4 is poor and g > 1 best.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local A, B, C = paper.results("A", "B", "C")
paper.show("fig05", plot.panels { plot.edf { A, B }, plot.edf { B, C },
  plot.scatter(C, { "b", "g" }), columns = 2 })
print(stats.table { A, B, C })
print(stats.compare(A, B, { margin = 1 }))
print(stats.compare(B, C, { margin = 1 }))
paper.bands(C, { "b", "g" })
