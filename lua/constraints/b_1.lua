-- No bottleneck: inner width equal to width.
-- Source: arXiv 2003.13678 section 4, figure 13 (the constrained RegNetX).
return constraint{
  name = "b_1",
  doc = "b is 1 in every stage",
  check = function(_, asked)
    for _, b in ipairs(asked.b) do
      if b ~= 1 then return false end
    end
    return true
  end,
  fix = { b = 1 },
}
