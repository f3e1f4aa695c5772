-- Widths never grow from stage to stage, an alternative to monotone_w.
return constraint{
  name = "decreasing_w",
  doc = "w never grows from stage to stage",
  why = "the opposite of monotone_w, tested against it: worse",
  from = "arXiv 2003.13678 section 3.2, figure 7",
  check = function(_, asked)
    for i = 2, #asked.w do
      if asked.w[i] > asked.w[i - 1] then return false end
    end
    return true
  end,
  order = { w = "down" },
}
