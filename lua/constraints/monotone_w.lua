-- Widths never fall from stage to stage: AnyNetX_C to AnyNetX_D.
return constraint{
  name = "monotone_w",
  doc = "w never falls from stage to stage",
  why = "good networks widen from stage to stage: the EDF gets clearly better",
  from = "arXiv 2003.13678 section 3.2, figures 6 and 7",
  check = function(_, asked)
    for i = 2, #asked.w do
      if asked.w[i] < asked.w[i - 1] then return false end
    end
    return true
  end,
  order = { w = "up" },
}
