--- Table 1: how large the spaces are: by the paper's reckoning, counted exactly (of RegNets:
-- estimated), and different networks after group compatibility.  The paper's reckoning has 64
-- values of d, w_0, w_a, w_m for every RegNet.  Nothing is trained.
-- Section 3 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local spaces = paper.options.scale == "paper" and space or paper.scale.spaces
for _, s in ipairs { space, spaces ~= space and spaces or nil } do
  for _, name in ipairs { "AnyNetXA", "AnyNetXB", "AnyNetXC", "AnyNetXD", "AnyNetXE",
    "RegNetX" } do
    local size = s[name]:size()
    local about = size.exact and "" or "~"
    print(("%-15s nominal %-10.4g exact %-10s distinct %s"):format(s[name].name, size.nominal,
      ("%s%.4g"):format(about, size.exact or size.settings),
      ("%s%.4g"):format(about, size.distinct)))
  end
end
