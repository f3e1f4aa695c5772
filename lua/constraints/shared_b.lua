-- One bottleneck ratio for all stages: AnyNetX_A to AnyNetX_B.
return constraint{
  name = "shared_b",
  doc = "b is the same in every stage",
  why = "the EDF stays the same: b need not differ by stage",
  from = "arXiv 2003.13678 section 3.2, figure 5 left",
  check = function(_, asked)
    for i = 2, #asked.b do
      if asked.b[i] ~= asked.b[1] then return false end
    end
    return true
  end,
  tie = "b",
}
