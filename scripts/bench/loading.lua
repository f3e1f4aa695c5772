--- What images cost beside a training step (make bench-loading ARGS=DIR): RegNetX of about 60 MF
-- at 64 pixels from a pack of bytes, RegNetX-200MF at 224 pixels from JPEG, both with random
-- resized crops.  DIR: a folder of photographs, as `folder:DIR` opens it.  Slices of both kinds
-- take turns (A B A B) in one process; times are processor seconds of one core.
--
--   make bench-loading ARGS=photos

local benchmark = require "netspace.core.benchmark"
local sys = require "netspace.core.sys"

local dir, rounds = arg[1], tonumber(arg[2] or 4)
if not dir then
  io.stderr:write "usage: make bench-loading ARGS=\"DIR [ROUNDS]\"\n"
  os.exit(2)
end

-- A network of RegNetX near 60 MF at 64 pixels, drawn by seed.
local function small(set)
  local S = space.small.RegNetX
  return S:sample(1, { seed = 1, data = set, flops = { 55e6, 65e6 } })[1]
end

local cases = {
  { "60 MF at 64 px, bytes", goal = 3, batch = 32, open = { image = 64, pack = "bytes" },
    net = small },
  { "RegNetX-200MF at 224 px, JPEG", goal = 10, batch = 16, open = { image = 224, pack = "jpeg" },
    net = function(set)
      return zoo("RegNetX-200MF", { image = 224, classes = set:card().classes })
    end },
}

local function median(list)
  table.sort(list)
  return list[#list // 2 + 1]
end

print(("%s; %d rounds\n%-32s %12s %12s %12s %12s %8s %8s"):format(sys.engine().isa, rounds, "",
  "step µs", "image µs", "images/s", "without", "share", "goal"))
for _, case in ipairs(cases) do
  local set = assert(data.open(dir, case.open))
  local m = case.net(set)
  local images, steps = {}, {}
  for i = 1, rounds do
    images[i] = 1e6 * benchmark.source(set, case.batch, 0.5)
    local r = net.benchmark(m, { mode = "train", batch = case.batch, seconds = 1 })
    steps[i] = 1e6 / r.images_per_s
  end
  local image, step = median(images), median(steps)
  print(("%-32s %12.0f %12.0f %12.1f %12.1f %7.1f%% %7d%%"):format(case[1], step, image,
    1e6 / (step + image), 1e6 / step, 100 * image / (step + image), case.goal))
  set:close()
end
print [[
step: training one image without its loading; image: reading, cropping, normalising it; share: of
both together.  images/s: of a training on one core, with its images and without them.]]
