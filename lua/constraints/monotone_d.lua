-- Depths never fall from stage to stage: AnyNetX_D to AnyNetX_E.
-- Source: arXiv 2003.13678 section 3.2, figure 7.
return constraint{
  name = "monotone_d",
  doc = "d never falls from stage to stage",
  check = function(_, asked)
    for i = 2, #asked.d do
      if asked.d[i] < asked.d[i - 1] then return false end
    end
    return true
  end,
  order = { d = "up" },
}
