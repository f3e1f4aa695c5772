-- The netspace half of `make bench`: one network, which runs slices of steps when told to.
-- Standard input: a job as JSON, { arch, batch, train }; then lines with the seconds of a
-- slice.  Standard output: an answer as JSON for every line.  Rates count processor seconds.
local benchmark = require "netspace.core.benchmark"
local json = require "netspace.json"

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

local job = json.decode(io.read "l")
local start = os.clock()
local b <close> = benchmark.new(job.arch, job.batch)
local ready = os.clock() - start
b:run(job.train, 1e-9)
local plan_bytes = b:run(job.train, 1e-9).peak_bytes
local most = peak()
answer { ready = ready, plan_bytes = plan_bytes, peak_bytes = most }
for line in io.lines() do
  local speed = b:run(job.train, tonumber(line))
  speed.sgemm_gflops = benchmark.sgemm() / 1e9
  answer(speed)
end
