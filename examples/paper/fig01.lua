--- Figure 1: from AnyNetX_A to RegNetX in one picture: the error EDF of every space on the way.
-- Section 1 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local spaces = { paper.results("A", "B", "C", "D", "E", "X") }
paper.show("fig01", plot.edf(spaces))
print(stats.table(spaces))
print(stats.compare(spaces[1], spaces[6]))
