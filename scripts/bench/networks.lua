-- The networks of `make bench`: narrow and wide, every kind of group, one bottleneck ratio
-- of each sort, three image sizes.  Each: name, batch, the architecture.
local arch, zoo = require "netspace.network.arch", require "netspace.network.zoo"

-- 32 pixels: the stem and the first stage keep the resolution.
local function small(t)
  t.stem, t.stem_width, t.stride = "cifar", t.stem_width or 16, { 1, 2, 2, 2 }
  return t
end

return {
  { "X 9 MF", 64, arch.regnet(small { d = 8, w_0 = 16, w_a = 12, w_m = 2, g = 8 }) },
  { "X 60 MF", 64, arch.regnet(small { d = 13, w_0 = 24, w_a = 36.44, w_m = 2.49, g = 8,
    stem_width = 32 }) },
  { "b=4", 64, arch.anynet(small { d = { 1, 2, 3, 3 }, w = { 32, 48, 96, 192 }, b = 4,
    g = { 1, 4, 8, 16 } }) },
  { "g=1", 64, arch.regnet(small { d = 13, w_0 = 24, w_a = 12, w_m = 2, g = 1 }) },
  { "g=32", 64, arch.anynet(small { d = { 1, 1, 1, 2 }, w = { 32, 64, 96, 192 }, g = 32 }) },
  { "ResNet-20", 64, arch.anynet { d = { 3, 3, 3 }, w = { 16, 32, 64 }, block = "basic",
    stem = "cifar", stem_width = 16, stride = { 1, 2, 2 } } },
  { "Y-200MF 64px", 32, zoo("RegNetY-200MF", { image = 64 }) },
  { "X-200MF 224px", 16, zoo "RegNetX-200MF" },
  { "b=2 g=16", 64, arch.anynet(small { d = { 1, 2, 4, 2 }, w = { 32, 64, 128, 256 }, b = 2,
    g = 16 }) },
  { "5 stages 64px", 32, arch.anynet { d = { 1, 2, 3, 4, 2 }, g = 8, image = 64,
    w = { 24, 48, 96, 192, 320 }, stride = { 1, 2, 2, 2, 2 } } },
  { "Y 43 MF", 64, arch.regnet(small { d = 12, w_0 = 24, w_a = 24, w_m = 2.4, g = 8,
    se = 0.25 }) },
  { "X wide", 64, arch.regnet(small { d = 12, w_0 = 64, w_a = 36, w_m = 2.1, g = 16,
    stem_width = 64 }) },
}
