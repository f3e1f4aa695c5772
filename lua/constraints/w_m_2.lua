-- The width doubles from level to level.
return constraint{
  name = "w_m_2",
  doc = "w_m is 2",
  why = "a doubled width: slightly better, not kept for the diversity of the space",
  from = "arXiv 2003.13678 section 3.3, figure 9 middle",
  kind = "regnet",
  check = function(m) return m.regnet.w_m == 2 end,
  fix = { w_m = 2 },
}
