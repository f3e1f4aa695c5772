--- Figures 15 and 16: the published RegNetX and RegNetY: parameters, costs, and the widths of
-- their blocks with the line they are quantised from.  Nothing is trained.
-- Section 5 and appendix of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
for _, name in ipairs(zoo.names()) do
  if name:find("^RegNet[XY]") then
    local m = zoo[name]
    local c = arch.complexity(m)
    print(("%-14s d %2d  w_0 %3d  w_a %6.2f  w_m %.2f  flops %6.2f G  params %6.2f M  acts %5.2f M")
      :format(name, m.regnet.d, m.regnet.w_0, m.regnet.w_a, m.regnet.w_m, c.flops / 1e9,
        c.params / 1e6, c.acts / 1e6))
    print(("%14s d_i %s  w_i %s  g %d"):format("", table.concat(m.d, ","),
      table.concat(m.w, ","), m.g[#m.g]))
  end
end
for _, letter in ipairs { "X", "Y" } do
  local list = {}
  for i, size in ipairs { "200MF", "800MF", "3.2GF", "16GF" } do
    list[i] = "RegNet" .. letter .. "-" .. size
  end
  paper.show(letter == "X" and "fig15" or "fig16", plot.widths(list, { columns = 2 }))
end
