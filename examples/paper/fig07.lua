--- Figure 7: widths that never shrink (D), against no order (C), equal and shrinking widths;
-- then the same of the depths (E).  In the paper growing is best each time, the gain of D
-- large and that of E small.
-- Section 3.2 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local C, D, equal_w, decreasing_w = paper.results("C", "D", "C w equal", "C w decreasing")
paper.show("fig07", plot.edf { C, D, equal_w, decreasing_w })
print(stats.alternatives(C, { D, equal_w, decreasing_w }))
local E, equal_d, decreasing_d = paper.results("E", "D d equal", "D d decreasing")
paper.show("fig07-depths", plot.edf { D, E, equal_d, decreasing_d })
print(stats.alternatives(D, { E, equal_d, decreasing_d }))
