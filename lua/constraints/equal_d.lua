-- One depth for all stages, an alternative to monotone_d.
return constraint{
  name = "equal_d",
  doc = "d is the same in every stage",
  why = "the alternative to monotone_d that was tested: worse",
  from = "arXiv 2003.13678 section 3.2, figure 7",
  check = function(_, asked)
    for i = 2, #asked.d do
      if asked.d[i] ~= asked.d[i - 1] then return false end
    end
    return true
  end,
  order = { d = "equal" },
}
