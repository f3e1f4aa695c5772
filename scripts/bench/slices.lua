-- The netspace half of `make bench`: one network, which runs slices of steps when told to.
-- Standard input: a job as JSON, { arch, batch, train }; then lines with the seconds of a
-- slice, "threads N" (from now on) or "profile".  Standard output: an answer as JSON for every line.  Rates count
-- processor seconds.
local benchmark = require "netspace.core.benchmark"
local json = require "netspace.lib.json"
local profiles = require "netspace.network.profile"

local function peak()
  for line in io.lines "/proc/self/status" do
    local kb = line:match "^VmHWM:%s*(%d+)"
    if kb then return math.tointeger(kb) * 1024 end
  end
end

local function answer(t)
  print(json.encode(t))
  io.stdout:flush()
end

-- The first network of a process: until it can train, and what its first step takes more
-- than another (first touches of its memory).
local job = json.decode(io.read "l")
local clock = os.clock()
net.new(job.arch, { batch = job.batch }):close()
local ready = os.clock() - clock
local b <close> = benchmark.new(job.arch, job.batch)
clock = os.clock()
local plan_bytes = b:run(job.train, 1e-9).peak_bytes -- two steps
local first = os.clock() - clock
clock = os.clock()
b:run(job.train, 1e-9)
answer { ready = ready, touch = math.max(0, first - (os.clock() - clock)),
  plan_bytes = plan_bytes, peak_bytes = peak() }

for line in io.lines() do
  if line == "profile" then
    local p = profiles.profile(b:profile(job.train, 0.3), job.train and "train" or "test")
    local total = profiles.sum(p.operations)
    answer { operations = total.operations, bytes = total.bytes, bound = total.bound }
  elseif line:find "^threads" then
    b:threads(math.tointeger(tonumber(line:match "%d+")))
    answer {}
  else
    local speed = b:run(job.train, tonumber(line))
    speed.sgemm_gflops = benchmark.sgemm() / 1e9
    answer(speed)
  end
end
