-- Depths never fall from stage to stage: AnyNetX_D to AnyNetX_E.
return constraint{
  name = "monotone_d",
  doc = "d never falls from stage to stage",
  why = "good networks deepen too, but for the last stage: the EDF gets better",
  from = "arXiv 2003.13678 section 3.2, figure 7",
  check = function(_, asked)
    for i = 2, #asked.d do
      if asked.d[i] < asked.d[i - 1] then return false end
    end
    return true
  end,
  order = { d = "up" },
}
