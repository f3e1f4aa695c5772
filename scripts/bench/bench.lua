-- `make bench`: how fast the engine is, on one core, beside PyTorch in the same run.
--
-- netspace and PyTorch each train (then test) the same network in a process of their own.
-- The processes stay alive and work in turn, A, B, A, B, …, a slice of steps each, so that
-- both see the same clock and the same neighbours; a ratio is the median of the ratios of
-- adjacent slices, a rate the best slice.  Rates count processor seconds.
local json = require "netspace.json"
local arch = require "netspace.arch"
local sys = require "netspace.core.sys"
local uv = require "luv"

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local networks = dofile(here .. "/networks.lua")

local usage = [[
usage: make bench [ARGS="[OPTION]… [NETWORK]…"]
How fast the engine runs the networks of scripts/bench/networks.lua (NETWORK: those whose
names contain it), on one core, beside PyTorch (PYTHON=… make bench names its Python).
  --quick         short slices: ratios within about 10 %
  --slices N      slices of each side (7)
  --seconds S     processor seconds of a slice (0.7)
  --isa NAME      kernels: avx512, avx2 or portable
  --no-torch      netspace alone]]

local function fail(message)
  io.stderr:write("bench: ", message, "\n", usage, "\n")
  os.exit(2)
end

local function number(name, value)
  local n = tonumber(value)
  if not (n and n > 0) then fail(("%s: '%s' is no number above 0"):format(name, value)) end
  return n
end

local function options(words)
  local o = { slices = 7, seconds = 0.7, names = {} }
  local i = 1
  while words[i] do
    local word, value = words[i], words[i + 1]
    if word == "--quick" then
      o.slices, o.seconds = 3, 0.3
    elseif word == "--no-torch" then
      o.no_torch = true
    elseif word == "--slices" or word == "--seconds" then
      o[word:sub(3)], i = number(word, value), i + 1
    elseif word == "--isa" then
      o.isa, i = value, i + 1
    elseif word == "--help" or word == "-h" then
      print(usage)
      os.exit(0)
    elseif word:sub(1, 1) == "-" then
      fail(("unknown option '%s'"):format(word))
    else
      o.names[#o.names + 1] = word
    end
    i = i + 1
  end
  return o
end

-- Processes ------------------------------------------------------------------------------

-- glibc keeps what was freed, in huge pages: PyTorch then does not fault.
local tuned = { MALLOC_MMAP_MAX_ = "0", MALLOC_TRIM_THRESHOLD_ = "17179869184",
  MALLOC_TOP_PAD_ = "16777216", OMP_NUM_THREADS = "1", MKL_NUM_THREADS = "1",
  GLIBC_TUNABLES = "glibc.malloc.hugetlb=1" }

local function environment(more)
  local env = uv.os_environ()
  env.OPENBLAS_CORETYPE, env.OPENBLAS_L2_SIZE = nil, nil
  for k, v in pairs(more or {}) do env[k] = v end
  local list = {}
  for k, v in pairs(env) do list[#list + 1] = k .. "=" .. v end
  return list
end

local Child = {}
Child.__index = Child

local function start(program, args, env)
  local c = setmetatable({ text = "" }, Child)
  local stdin, stdout = uv.new_pipe(), uv.new_pipe()
  c.stdin = stdin
  c.process = assert(uv.spawn(program, { args = args, env = environment(env),
    stdio = { stdin, stdout, 2 } }, function(status, signal)
    c.ended = ("%s ended with status %d, signal %d"):format(program, status, signal)
  end))
  stdout:read_start(function(_, chunk)
    c.text = c.text .. (chunk or "")
  end)
  return c
end

local function wait(condition)
  while not condition() do
    uv.run "once"
    if sys.interrupted() then error("interrupted", 0) end
  end
end

function Child:tell(line)
  self.stdin:write(line .. "\n")
end

function Child:hear()
  wait(function() return self.text:find("\n", 1, true) or self.ended end)
  local line, rest = self.text:match("^(.-)\n(.*)$")
  if not line then error(self.ended, 0) end
  self.text = rest
  return json.decode(line)
end

function Child:ask(line)
  self:tell(line)
  return self:hear()
end

function Child:finish()
  self.stdin:close()
  wait(function() return self.ended end)
end

-- What can be said ------------------------------------------------------------------------

local function median(list)
  local s = table.move(list, 1, #list, 1, {})
  table.sort(s)
  local k = #s // 2
  return #s % 2 == 1 and s[k + 1] or (s[k] + s[k + 1]) / 2
end

local function geometric_mean(list)
  local sum = 0
  for _, x in ipairs(list) do sum = sum + math.log(x) end
  return #list > 0 and math.exp(sum / #list) or nil
end

local python = os.getenv "PYTHON" or "python3"

local function torch_version()
  local p = io.popen(("'%s' -c 'import torch; print(torch.__version__)' 2>/dev/null"):format(python))
  local version = p:read "l"
  p:close()
  return version
end

-- One network in one mode: the figures of both sides.
local function measure(o, network, train)
  local job = { arch = network[3], batch = network[2], train = train }
  local a = start("/proc/self/exe", { "-q", "--no-init", here .. "/slices.lua" },
    { NETSPACE_ISA = o.isa })
  local r = { netspace = a:ask(json.encode(job)), best = 0, sgemm = 0, ratios = {} }
  local b
  if o.torch then
    job.probe = o.seconds / 2
    local probe = start(python, { here .. "/slices.py" }, tuned)
    r.torch = probe:ask(json.encode(job))
    probe:finish()
    job.probe, job.layout, job.optimizer = nil, r.torch.layout, r.torch.optimizer
    if train then -- with the default allocator, which holds less
      local plain = start(python, { here .. "/slices.py" }, { OMP_NUM_THREADS = "1" })
      plain:ask(json.encode(job))
      r.torch.peak_bytes = plain:ask(1e-9).peak_bytes
      plain:finish()
    end
    b = start(python, { here .. "/slices.py" }, tuned)
    b:ask(json.encode(job))
    r.torch.best = 0
  end
  local before -- the slice of PyTorch just before
  for _ = 1, o.slices do
    local mine = a:ask(o.seconds)
    r.best = math.max(r.best, mine.images_per_s)
    r.gflops = math.max(r.gflops or 0, mine.gflops)
    r.sgemm = math.max(r.sgemm, mine.sgemm_gflops)
    r.faults, r.switches = mine.faults, mine.switches
    if b then
      if before then r.ratios[#r.ratios + 1] = mine.images_per_s / before.images_per_s end
      before = b:ask(o.seconds)
      r.ratios[#r.ratios + 1] = mine.images_per_s / before.images_per_s
      r.torch.best = math.max(r.torch.best, before.images_per_s)
      r.torch.faults = before.faults
    end
  end
  r.ratio = b and median(r.ratios)
  a:finish()
  if b then b:finish() end
  return r
end

local columns = {
  { "network", "%-14s", "%-14s" }, { "MF", "%5.1f" }, { "batch", "%5d" },
  { "train/s", "%7.0f" }, { "GF/s", "%5.1f" }, { "of sgemm", "%7.1f%%" },
  { "torch/s", "%7.0f" }, { "x torch", "%7.2f" },
  { "test/s", "%6.0f" }, { "x torch", "%7.2f" },
  { "MB", "%5.0f" }, { "torch", "%5.0f" }, { "ratio", "%5.2f" }, { "plan", "%5.0f" },
}

local function row(values)
  local out = {}
  for i, c in ipairs(columns) do
    local v, width = values[i], #c[1]
    local text = v == nil and "" or type(v) == "string" and v or c[2]:format(v)
    width = math.max(width, #(type(v) == "number" and text or ""), tonumber(c[2]:match "%d+"))
    out[i] = i == 1 and ("%-14s"):format(text) or (" "):rep(width - #text) .. text
  end
  print((table.concat(out, "  "):gsub("%s+$", "")))
  io.stdout:flush()
end

local function table_of(o, chosen)
  local head = {}
  for i, c in ipairs(columns) do head[i] = c[1] end
  row(head)
  local train_ratios, test_ratios, shares, memories, results = {}, {}, {}, {}, {}
  for _, network in ipairs(chosen) do
    local train, test = measure(o, network, true), measure(o, network, false)
    local t = train.torch
    local share = train.gflops / train.sgemm
    local memory = t and train.netspace.peak_bytes / t.peak_bytes
    row { network[1], arch.complexity(network[3]).flops / 1e6, network[2], train.best,
      train.gflops, 100 * share, t and t.best, train.ratio, test.best, test.ratio,
      train.netspace.peak_bytes / 1e6, t and t.peak_bytes / 1e6, memory,
      train.netspace.plan_bytes / 1e6 }
    shares[#shares + 1] = 100 * share
    if t then
      train_ratios[#train_ratios + 1] = train.ratio
      test_ratios[#test_ratios + 1] = test.ratio
      memories[#memories + 1] = memory
    end
    results[#results + 1] = { network = network, train = train, test = test }
  end
  row { "geometric mean", nil, nil, nil, nil, geometric_mean(shares), nil,
    geometric_mean(train_ratios), nil, geometric_mean(test_ratios), nil, nil,
    geometric_mean(memories) }
  return results
end

local function chosen(names)
  if #names == 0 then return networks end
  local list = {}
  for _, network in ipairs(networks) do
    for _, name in ipairs(names) do
      if network[1]:lower():find(name:lower(), 1, true) then
        list[#list + 1] = network
        break
      end
    end
  end
  if #list == 0 then
    local all = {}
    for i, network in ipairs(networks) do all[i] = "'" .. network[1] .. "'" end
    fail(("no network is called '%s'; there are %s"):format(table.concat(names, "', '"),
      table.concat(all, ", ")))
  end
  return list
end

local o = options(arg)
local list = chosen(o.names)
o.torch = not o.no_torch and torch_version()
print(("%s; kernels %s; %s"):format(sys.blas(), o.isa or sys.isa(),
  o.torch and "PyTorch " .. o.torch or "without PyTorch"))
if not o.torch and not o.no_torch then
  print(("%s has no PyTorch: `pip install torch==2.13.0` brings it; PYTHON=… names another"
    .. " Python"):format(python))
end
table_of(o, list)
