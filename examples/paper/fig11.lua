--- Figure 11: which parameters good RegNetX have, from a quarter to four times the flops.  In
-- the paper depth stays, b = 1 is best, w_m about 2.5, and g, w_0 and w_a grow with flops.
-- Then params and acts of the same networks, which is the lower half of figure 12.
-- Section 4 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local regimes = { paper.results("X 1/4", "X 1/2", "X", "X 2", "X 4") }
for _, property in ipairs { "d", "b", "g", "w_m", "w_a", "w_0", "params", "acts" } do
  print(stats.trend(regimes, property))
end
paper.show("fig11", plot.trend(regimes, { "d", "b", "g", "w_m", "w_a", "w_0" }))
