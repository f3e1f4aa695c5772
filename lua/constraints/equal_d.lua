-- One depth for all stages, an alternative to monotone_d.
-- Source: arXiv 2003.13678 section 3.2, figure 7.
return constraint{
  name = "equal_d",
  doc = "d is the same in every stage",
  check = function(_, asked)
    for i = 2, #asked.d do
      if asked.d[i] ~= asked.d[i - 1] then return false end
    end
    return true
  end,
  order = { d = "equal" },
}
