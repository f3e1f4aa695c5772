--- Figure 11: which parameters good RegNetX have, from a quarter to four times the flops.  In
-- the paper depth stays, b = 1 is best, w_m about 2.5, and g, w_0 and w_a grow with flops.
-- Section 4 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local regimes = { paper.results("X 1/4", "X 1/2", "X", "X 2", "X 4") }
local properties = { "d", "b", "g", "w_m", "w_a", "w_0" }
for _, property in ipairs(properties) do print(stats.trend(regimes, property)) end
paper.show("fig11", plot.trend(regimes, properties))
