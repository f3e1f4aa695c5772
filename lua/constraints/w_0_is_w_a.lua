-- Initial width equal to slope, so that u_j = w_a·(j + 1).
return constraint{
  name = "w_0_is_w_a",
  doc = "w_0 equals w_a",
  why = "u_j = w_a (j + 1): better still than w_m = 2, not kept for diversity",
  from = "arXiv 2003.13678 section 3.3, figure 9 middle",
  kind = "regnet",
  check = function(m) return m.regnet.w_0 == m.regnet.w_a end,
  tie = { "w_0", "w_a" },
}
