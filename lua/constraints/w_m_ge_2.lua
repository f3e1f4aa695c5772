-- The width at least doubles from level to level (constrained RegNetX).
return constraint{
  name = "w_m_ge_2",
  doc = "w_m is at least 2",
  why = "the best w_m is near 2.5 in every flops regime",
  from = "arXiv 2003.13678 section 4, figures 11 and 13",
  kind = "regnet",
  check = function(m) return m.regnet.w_m >= 2 end,
  range = { w_m = { 2, math.huge } },
}
