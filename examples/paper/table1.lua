--- Table 1: how large the spaces are: by the paper's reckoning, counted exactly, and different
-- networks after group compatibility.  Nothing is trained.
-- Section 3 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local spaces = paper.options.scale == "paper" and space or paper.scale.spaces
for _, s in ipairs { space, spaces ~= space and spaces or nil } do
  for _, name in ipairs { "AnyNetXA", "AnyNetXB", "AnyNetXC", "AnyNetXD", "AnyNetXE",
    "RegNetX" } do
    local size = s[name]:size()
    local function figure(n) return type(n) == "number" and ("%.4g"):format(n) or "not counted" end
    print(("%-15s nominal %-10s exact %-10s distinct %s"):format(s[name].name,
      figure(size.nominal), figure(size.exact), figure(size.distinct)))
  end
end
