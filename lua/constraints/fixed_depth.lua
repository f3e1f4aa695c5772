-- Exactly 20 blocks in all stages together.
return constraint{
  name = "fixed_depth",
  doc = "20 blocks in all",
  why = "d = 20 in every flops regime does as well as the best depths",
  from = "arXiv 2003.13678 appendix B, figure 19",
  check = function(_, asked)
    local blocks = 0
    for _, d in ipairs(asked.d) do blocks = blocks + d end
    return blocks == 20
  end,
  fix = { d = 20 }, -- d is the depth of the whole network in RegNet spaces only
  hint_kind = "regnet",
}
