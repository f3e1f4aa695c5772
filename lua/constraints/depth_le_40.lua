-- At most 40 blocks in all stages together (constrained RegNetX).
return constraint{
  name = "depth_le_40",
  doc = "at most 40 blocks in all",
  why = "the best depth is near 20 blocks in every flops regime",
  from = "arXiv 2003.13678 section 4, figures 11 and 13",
  check = function(_, asked)
    local blocks = 0
    for _, d in ipairs(asked.d) do blocks = blocks + d end
    return blocks <= 40
  end,
  range = { d = { 1, 40 } }, -- d is the depth of the whole network in RegNet spaces only
  hint_kind = "regnet",
}
