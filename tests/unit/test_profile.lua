-- Plans, profiles and benchmarks of networks: what they say is checked against closed forms.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local net = require "netspace.network.net"

-- One of every kind of operation: both stems' parts, shortcuts, grouped, dense, SE, SiLU.
local networks = {
  arch.anynet { d = { 1, 2 }, w = { 16, 32 }, b = { 1, 2 }, g = 8, stem = "res", stem_width = 8,
    se = 0.25, image = 24, head_width = 24 },
  arch.anynet { d = { 1, 1 }, w = { 16, 24 }, block = "basic", stem = "cifar", stem_width = 8,
    image = 16 },
  arch.anynet { d = { 2 }, w = { 24 }, g = 3, stem = "simple", stem_width = 8, image = 16,
    activation = "silu" },
}

local function sum(list, key, pass)
  local s = 0
  for _, r in ipairs(list) do s = s + (r.pass == pass and r[key] or 0) end
  return s
end

for i, m in ipairs(networks) do
  local n <close> = net.new(m, { batch = 3 })
  for _, mode in ipairs { "train", "test" } do
    local plan, clash = n:plan(mode)
    for j, a in ipairs(plan.tensors) do
      for k = 1, j - 1 do
        local b = plan.tensors[k]
        if a.first <= b.last and b.first <= a.last and
          a.offset < b.offset + b.bytes and b.offset < a.offset + a.bytes then
          clash = a.holds .. " lies over " .. b.holds
        end
      end
    end
    t.ok(not clash, ("network %d, %s: what is alive has its own memory"):format(i, mode), clash)
    t.ok(plan.arena <= n:bytes(), "in the memory of the network")
    local text = tostring(plan)
    for _, o in ipairs(plan.operations) do
      if not o.idle and not text:find(o.name, 1, true) then clash = o.name end
    end
    t.ok(not clash, "the text names every operation", clash)
    local fused = {}
    for _, o in ipairs(plan.operations) do fused[#fused + 1] = o.with end
    fused = table.concat(fused, "\n")
    t.ok(fused:find(mode == "train" and "epilogue statistics of " or "epilogue ", 1, true)
      and (fused:find("prologue", 1, true) ~= nil) == (mode == "train"),
      "and what is fused with it", fused)
  end
  -- Two operations a multiply-add, three passes but for the gradient of the images.
  local flops = arch.complexity(m).flops
  local stem = arch.parts(m)[1].flops
  local p = net.profile(m, { batch = 3, seconds = 0.01 })
  t.is(sum(p.operations, "operations", "forward"), 2.0 * 3 * flops, "operations forward")
  t.is(sum(p.operations, "operations", "backward"), 2.0 * 3 * (2 * flops - stem), "and backward")
  local test = net.profile(m, { batch = 3, seconds = 0.01, mode = "test" })
  t.is(sum(test.operations, "operations", "forward"), 2.0 * 3 * flops, "and testing")
  local seconds = 0
  for _, k in ipairs(p:kinds()) do seconds = seconds + k.seconds end
  t.near(seconds, p.seconds, 1e-9, "kinds add up to the step")
  t.ok(p.seconds > test.seconds and test.seconds > 0, "a step takes longer than a test")
  t.ok(tostring(p):find("s1.b1.f.a", 1, true) and tostring(test):find("head.fc", 1, true),
    "profiles name operations")
end

-- Bytes of a stem, by hand: images in, results out, weights, and a little of the norm that
-- is fused with it.
do
  local p = net.profile(networks[2], { batch = 3, seconds = 0.01, mode = "test" })
  local stem = p.operations[1]
  t.is(stem.name, "stem.conv", "the stem comes first")
  local images, results, weights = 3 * 16 * 16 * 3, 3 * 16 * 16 * 8, 8 * 3 * 3 * 3
  local state = stem.bytes - 4 * (images + results + weights)
  t.ok(state >= 0 and state <= 1024, "its bytes are images, results, weights and a norm",
    ("%g bytes more"):format(state))
end

do
  local m = networks[2]
  local b = net.benchmark(m, { seconds = 0.05, batch = 8 })
  for _, key in ipairs { "images_per_s", "sgemm_gflops", "peak_bytes", "steps" } do
    t.ok(b[key] > 0, "benchmark: " .. key)
  end
  t.near(b.gflops, b.images_per_s * 6e-9 * arch.complexity(m).flops, b.gflops * 1e-9,
    "gflops follow from images a second")
  local n <close> = net.new(m, { batch = 8 })
  t.is(b.peak_bytes, n:bytes(), "peak_bytes is what a network of this batch takes")
  t.is(net.benchmark(n, { seconds = 0.01, batch = 8 }).peak_bytes, n:bytes(), "or of a net")
  t.fails(function() net.benchmark(m, { mode = "fast" }) end, "mode is 'fast'")
  t.fails(function() net.profile(m, { seconds = 0 }) end, "seconds is 0; it must be above 0")
  t.fails(function() net.profile("x") end, "net.profile expects an architecture or a net")
  t.fails(function() n:plan("both") end, "net:plan: mode is 'both'")
end

t.done()
