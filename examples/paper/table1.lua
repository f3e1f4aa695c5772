--- Table 1: how large the spaces are: by the paper's reckoning, counted exactly (of RegNets:
-- estimated), and different networks after group compatibility.  The paper's reckoning has 64
-- values of d, w_0, w_a, w_m for every RegNet.  Estimates (~) have a standard error of a few
-- percent.  Nothing is trained.
-- Section 3 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local spaces = paper.options.scale == "paper" and space or paper.scale.spaces
for _, s in ipairs { space, spaces ~= space and spaces or nil } do
  for _, name in ipairs { "AnyNetXA", "AnyNetXB", "AnyNetXC", "AnyNetXD", "AnyNetXE",
    "RegNetX" } do
    local size = s[name]:size()
    local as = size.exact and "%.4g" or "~%.2g"
    print(("%-15s nominal %-10.4g exact %-10s distinct %s"):format(s[name].name, size.nominal,
      as:format(size.exact or size.settings), as:format(size.distinct)))
  end
end
