-- No bottleneck: inner width equal to width (constrained RegNetX).
return constraint{
  name = "b_1",
  doc = "b is 1 in every stage",
  why = "the best bottleneck ratio is 1: no bottleneck",
  from = "arXiv 2003.13678 section 4, figures 11 and 13",
  check = function(_, asked)
    for _, b in ipairs(asked.b) do
      if b ~= 1 then return false end
    end
    return true
  end,
  fix = { b = 1 },
}
