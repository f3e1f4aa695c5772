-- From 12 to 28 blocks in all stages together.
return constraint{
  name = "depth_12_28",
  doc = "from 12 to 28 blocks in all",
  why = "depths in which the published RegNets were looked for",
  from = "arXiv 2003.13678 section 5",
  check = function(_, asked)
    local blocks = 0
    for _, d in ipairs(asked.d) do blocks = blocks + d end
    return blocks >= 12 and blocks <= 28
  end,
  range = { d = { 12, 28 } }, -- d is the depth of the whole network in RegNet spaces only
  hint_kind = "regnet",
}
