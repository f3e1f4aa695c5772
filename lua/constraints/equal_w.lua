-- One width for all stages, an alternative to monotone_w.
-- Source: arXiv 2003.13678 section 3.2, figure 7.
return constraint{
  name = "equal_w",
  doc = "w is the same in every stage",
  check = function(_, asked)
    for i = 2, #asked.w do
      if asked.w[i] ~= asked.w[i - 1] then return false end
    end
    return true
  end,
  order = { w = "equal" },
}
