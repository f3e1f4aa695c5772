-- The width at least doubles from level to level.
-- Source: arXiv 2003.13678 section 4, figure 13 (the constrained RegNetX).
return constraint{
  name = "w_m_ge_2",
  doc = "w_m is at least 2",
  kind = "regnet",
  check = function(m) return m.regnet.w_m >= 2 end,
  range = { w_m = { 2, math.huge } },
}
