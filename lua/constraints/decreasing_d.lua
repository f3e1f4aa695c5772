-- Depths never grow from stage to stage, an alternative to monotone_d.
return constraint{
  name = "decreasing_d",
  doc = "d never grows from stage to stage",
  why = "the opposite of monotone_d, tested against it: worse",
  from = "arXiv 2003.13678 section 3.2, figure 7",
  check = function(_, asked)
    for i = 2, #asked.d do
      if asked.d[i] > asked.d[i - 1] then return false end
    end
    return true
  end,
  order = { d = "down" },
}
