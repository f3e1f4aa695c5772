--- Figure 6: good and bad networks of AnyNetX_C, by the widths of their blocks.  The paper
-- sees that good networks widen from stage to stage.  g is that after group compatibility.
-- Section 3.2 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local C = paper.results("C")
paper.show("fig06", plot.profiles(C, { best = 3, worst = 3 }))
-- How much of it is order: the mean error of networks whose widths never shrink, and of others.
local grows, other = paper.split(C, "widths that never shrink", function(m)
  return m.w[1] <= m.w[2] and m.w[2] <= m.w[3] and m.w[3] <= m.w[4]
end)
if grows then print(stats.table { grows, other }) end
