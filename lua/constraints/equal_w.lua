-- One width for all stages, an alternative to monotone_w.
return constraint{
  name = "equal_w",
  doc = "w is the same in every stage",
  why = "the alternative to monotone_w that was tested: worse",
  from = "arXiv 2003.13678 section 3.2, figure 7",
  check = function(_, asked)
    for i = 2, #asked.w do
      if asked.w[i] ~= asked.w[i - 1] then return false end
    end
    return true
  end,
  order = { w = "equal" },
}
