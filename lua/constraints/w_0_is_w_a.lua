-- Initial width equal to slope, so that u_j = w_a·(j + 1).
-- Source: arXiv 2003.13678 section 3.3, figure 9 middle: better still than w_m_2, not kept,
-- for the diversity of the space.
return constraint{
  name = "w_0_is_w_a",
  doc = "w_0 equals w_a",
  kind = "regnet",
  check = function(m) return m.regnet.w_0 == m.regnet.w_a end,
  tie = { "w_0", "w_a" },
}
