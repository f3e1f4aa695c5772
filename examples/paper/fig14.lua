--- Figure 14: alternatives to RegNetX: inverted bottlenecks (b < 1), depthwise convolution
-- (g = 1), and squeeze-and-excitation (RegNetY).  In the paper inverted is worse, depthwise
-- worse still, and Y better.
-- Section 4 and 5 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local X, Y, inverted, depthwise = paper.results("X", "Y", "X inverted", "X depthwise")
paper.show("fig14", plot.panels { plot.edf { X, inverted, depthwise }, plot.edf { X, Y } })
print(stats.alternatives(X, { inverted, depthwise, Y }))
