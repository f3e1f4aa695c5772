--- Figure 8: how near good networks are to a line of widths.  The twenty best of AnyNetX_E
-- with the line that suits them, the fit of the best by equations 2 to 4, and error against
-- e_fit for C, D and E.  In the paper good networks have small e_fit, and e_fit gets smaller
-- from C to E.
-- Section 3.3 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local C, D, E = paper.results("C", "D", "E")
paper.show("fig08-widths", plot.panels { plot.overlay(E, { best = 20 }),
  plot.profiles(E, { best = 2, worst = 0, fit = true }) })
paper.show("fig08", plot.scatter({ C, D, E }, "e_fit"))
for _, r in ipairs { C, D, E } do
  local sum = 0
  for _, m in ipairs(r.models) do sum = sum + arch.fit(m).e_fit end
  print(("%s: mean e_fit %.3f; %s"):format(r.name, sum / #r.models,
    stats.bootstrap(r, "e_fit")))
end
