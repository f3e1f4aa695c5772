--- Figure 14: alternatives to RegNetX: inverted bottlenecks (b <= 1), depthwise convolution
-- (g = 1), and squeeze-and-excitation (RegNetY).  In the paper inverted is worse than b = 1,
-- depthwise worse still, and Y better.  Its third part, other resolutions, is left out:
-- the images come in one size.
-- Section 4 and 5 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local X, Y, inverted, depthwise = paper.results("X", "Y", "X inverted", "X depthwise")
paper.show("fig14", plot.panels { plot.edf { X, inverted, depthwise }, plot.edf { X, Y } })
print(stats.alternatives(X, { inverted, depthwise, Y }))
-- Most of X has b > 1: what is inverted is to be held against those without a bottleneck.
local straight = paper.split(X, "b = 1", function(m) return m.b[1] == 1 end)
local below = paper.split(inverted, "b < 1", function(m) return m.b[1] < 1 end)
if straight and below then print(stats.compare(straight, below)) end
