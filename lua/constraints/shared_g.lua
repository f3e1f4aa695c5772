-- One group width for all stages: AnyNetX_B to AnyNetX_C.  It is the width asked for: a
-- stage narrower than g still gets g = w by group compatibility.
return constraint{
  name = "shared_g",
  doc = "g is the same in every stage",
  why = "the EDF gets no worse with three parameters less",
  from = "arXiv 2003.13678 section 3.2, figure 5 middle",
  check = function(_, asked)
    for i = 2, #asked.g do
      if asked.g[i] ~= asked.g[1] then return false end
    end
    return true
  end,
  tie = "g",
}
