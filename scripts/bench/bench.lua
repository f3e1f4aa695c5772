-- `make bench`: how fast the engine is, on one core, beside PyTorch in the same run.
--
-- netspace and PyTorch each train (then test) the same network in a process of their own.
-- The processes stay alive and work in turn, A, B, A, B, …, a slice of steps each, so that
-- both see the same clock and the same neighbours; a ratio is the median of the ratios of
-- adjacent slices, a rate the best slice.  Rates count processor seconds.
local atomic = require "netspace.lib.atomic"
local json = require "netspace.lib.json"
local arch = require "netspace.network.arch"
local benchmark = require "netspace.core.benchmark"
local profiles = require "netspace.network.profile"
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
  --isa NAME      kernels: avx512, avx2, neon or portable
  --threads N     instead of the tables: N threads beside one, and beside PyTorch's N
  --no-torch      netspace alone
  --json FILE     also writes what was measured there
  --compare A B   measures nothing: two such files side by side]]

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
    elseif word == "--threads" then
      o.threads, i = math.tointeger(number(word, value)) or fail "--threads: no whole number", i + 1
    elseif word == "--json" then
      o.json, i = value or fail "--json: which file?", i + 1
    elseif word == "--compare" then
      o.compare, i = { value, words[i + 2] }, i + 2
      if not o.compare[2] then fail "--compare: it needs two files of --json" end
    elseif word == "--isa" then
      o.isa, i = value or "", i + 1
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
  local p = io.popen(("'%s' -c 'import torch; print(torch.__version__)' 2>/dev/null")
    :format(python))
  local version = p:read "l"
  p:close()
  return version
end

local function engine(o)
  return start("/proc/self/exe", { "-q", "--no-init", here .. "/slices.lua" },
    { NETSPACE_ISA = o.isa })
end

-- Refuses kernels that this processor or this program does not have.
local function check_isa(isa)
  if not isa then return end
  local code = 'print(require("netspace.core.sys").isa())'
  local p = io.popen(("NETSPACE_ISA='%s' '%s' -q --no-init -e '%s'"):format(isa, sys.exe(), code))
  local got = p:read "l"
  p:close()
  if got ~= isa then fail(("--isa %s cannot be had here (%s can)"):format(isa, got)) end
end

-- PyTorch's process in its best configuration for this job, which learns it; and what it
-- holds.  The default allocator holds less than the tuned one, so that one counts.
local function torch(o, job)
  local script = { here .. "/slices.py" }
  job.probe = o.seconds / 2
  local probe = start(python, script, tuned)
  local best = probe:ask(json.encode(job))
  probe:finish()
  job.probe, job.layout, job.optimizer = nil, best.layout, best.optimizer
  if job.train then
    local plain = start(python, script, { OMP_NUM_THREADS = "1" })
    plain:ask(json.encode(job))
    best.peak_bytes = plain:ask(1e-9).peak_bytes
    plain:finish()
  end
  local child = start(python, script, tuned)
  child:ask(json.encode(job))
  return child, best
end

-- Two workers side by side, relative to one alone.
local function side_by_side(o, job, a)
  local b, ratios = engine(o), {}
  b:ask(json.encode(job))
  for i = 1, math.ceil(o.slices / 2) do
    local alone = a:ask(o.seconds).images_per_s
    a:tell(o.seconds)
    b:tell(o.seconds)
    ratios[i] = (a:hear().images_per_s + b:hear().images_per_s) / alone
  end
  b:finish()
  return median(ratios)
end

-- One network in one mode: the figures of both sides.
local function measure(o, network, train)
  local job = { arch = network[3], batch = network[2], train = train }
  local a = engine(o)
  local r = { start = a:ask(json.encode(job)), best = 0, gflops = 0, sgemm = 0, ratios = {} }
  local b
  if o.torch then
    b, r.torch = torch(o, job)
    r.torch.best = 0
  end
  local before -- the slice of PyTorch just before
  for _ = 1, o.slices do
    local mine = a:ask(o.seconds)
    r.best = math.max(r.best, mine.images_per_s)
    r.gflops = math.max(r.gflops, mine.gflops)
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
  if b then b:finish() end
  r.work = a:ask "profile"
  r.ms = 1e3 * network[2] / r.best
  r.reached = 1e3 * r.work.bound / r.ms
  -- Were it at its bound; what is beyond it already stays.
  r.possible = r.ratio and r.ratio / math.min(1, r.reached)
  if train then r.two = side_by_side(o, job, a) end
  a:finish()
  return r
end

-- Tables ----------------------------------------------------------------------------------

local NAME = 14 -- width of the first column

-- Prints a row as it becomes known; columns are { heading, format }.
local function row(columns, name, values)
  local out = { ("%-" .. NAME .. "s"):format(name) }
  for i, c in ipairs(columns) do
    local v = values[i]
    local text = v == nil and "" or type(v) == "string" and v or c[2]:format(v)
    out[#out + 1] = (" "):rep(math.max(#c[1], #c[2]:format(0)) - #text) .. text
  end
  print((table.concat(out, "  "):gsub("%s+$", "")))
  io.stdout:flush()
end

local function heading(columns)
  local names = {}
  for i, c in ipairs(columns) do names[i] = c[1] end
  row(columns, "network", names)
end

local speed = { { "MF", "%5.1f" }, { "batch", "%5d" }, { "train/s", "%7.0f" },
  { "GF/s", "%5.1f" }, { "of sgemm", "%7.1f%%" }, { "torch/s", "%7.0f" },
  { "x torch", "%7.2f" }, { "test/s", "%6.0f" }, { "x torch", "%7.2f" }, { "MB", "%5.0f" },
  { "torch", "%5.0f" }, { "ratio", "%5.2f" }, { "plan", "%5.0f" } }

-- The last row: geometric means of some columns of the rows above.
local function means(columns, rows, which)
  local values = {}
  for _, k in ipairs(which) do
    local column = {}
    for _, values_of in ipairs(rows) do column[#column + 1] = values_of[k] end
    values[k] = geometric_mean(column)
  end
  row(columns, "geometric mean", values)
end

local function speed_table(o, list)
  print "\nSpeed: images a second, training and testing, and peak memory."
  heading(speed)
  local rows, results = {}, {}
  for i, network in ipairs(list) do
    local train, test = measure(o, network, true), measure(o, network, false)
    local t, first = train.torch, train.start
    rows[i] = { [13] = first.plan_bytes / 1e6, [12] = t and first.peak_bytes / t.peak_bytes,
      arch.complexity(network[3]).flops / 1e6, network[2], train.best, train.gflops,
      100 * train.gflops / train.sgemm, t and t.best, train.ratio, test.best, test.ratio,
      first.peak_bytes / 1e6, t and t.peak_bytes / 1e6 }
    row(speed, network[1], rows[i])
    results[i] = { train = train, test = test }
  end
  means(speed, rows, { 5, 7, 9, 12 })
  print [[
GF/s: 2 operations a multiply-add, 3 passes a training step; of sgemm: the rate of a matrix
product in between.  MB: peak of the process; torch: of its process, less what it is before
there is a network, with the default allocator; plan: what the engine asks for.]]
  return results
end

local limits = { { "GF", "%5.2f" }, { "MB moved", "%8.0f" }, { "bound ms", "%8.2f" },
  { "best ms", "%7.2f" }, { "reached", "%6.0f%%" }, { "x torch", "%7.2f" },
  { "test: bound ms", "%14.2f" }, { "best ms", "%7.2f" }, { "reached", "%6.0f%%" },
  { "x torch", "%7.2f" } }

local function limit_table(list, results)
  local c = profiles.ceilings()
  print(([[

Limits: a training step and a test, and what the machine allows: %.0f GF/s in a matrix
product, %.0f GB/s from memory, %.0f from L3, %.0f from L2.]]):format(c.sgemm_gflops,
    c.memory_gbytes, c.l3_gbytes, c.l2_gbytes))
  heading(limits)
  local rows = {}
  for i, network in ipairs(list) do
    local a, b = results[i].train, results[i].test
    rows[i] = { a.work.operations / 1e9, a.work.bytes / 1e6, a.work.bound * 1e3, a.ms,
      100 * a.reached, a.possible, b.work.bound * 1e3, b.ms, 100 * b.reached, b.possible }
    row(limits, network[1], rows[i])
  end
  means(limits, rows, { 5, 6, 9, 10 })
  print [[
bound: every operation at the rate of a matrix product and its tensors moved once, from memory
or where they still are (make profile shows it layer by layer; Winograd may go beyond it).
x torch: the ratio to PyTorch, were every network at its bound (and those beyond it as now).]]
end

local steady = { { "two", "%5.2f" }, { "faults", "%6.1f" }, { "waits", "%5.1f" },
  { "ready ms", "%8.1f" }, { "touch ms", "%8.1f" }, { "images", "%5.2f%%" } }

local function steady_table(list, results)
  local images <close> = assert(data.open "shapes")
  print "\nSteady: beside the arithmetic."
  heading(steady)
  for i, network in ipairs(list) do
    local r, share = results[i].train, nil
    if network[3].image == 32 then
      local ms = 1e3 * network[2] * benchmark.source(images, network[2], 0.05)
      share = 100 * ms / (ms + r.ms)
    end
    row(steady, network[1], { r.two, r.faults, r.switches, r.start.ready * 1e3,
      r.start.touch * 1e3, share })
  end
  print [[
two: two workers side by side relative to one alone.  faults, waits: first touches of pages and
waits for the system a step.  ready: from a model to its first step; touch: what its first step
takes more than others.  images: augmentation and batching (shapes), share of a step.]]
end

local threads = { { "1/s", "%7.0f" }, { "N/s", "%7.0f" }, { "x one", "%6.2f" },
  { "torch 1/s", "%9.0f" }, { "N/s", "%7.0f" }, { "x one", "%6.2f" }, { "x torch", "%7.2f" } }

-- Rates by the clock on the wall: one thread, N, and PyTorch's N, in turn.
local function thread_row(o, network)
  local job, b = { arch = network[3], batch = network[2], train = true }, nil
  local a = engine(o)
  a:ask(json.encode(job))
  if o.torch then b = torch(o, job) end
  local function slice(child, n)
    child:ask("threads " .. n)
    return child:ask(o.seconds * n).wall_images_per_s
  end
  local best, ratios = { 0, 0, 0, 0 }, { {}, {}, {} }
  for k = 1, o.slices do
    local rates = { slice(a, 1), slice(a, o.threads) }
    if b then rates[3], rates[4] = slice(b, o.threads), slice(b, 1) end
    for i, rate in ipairs(rates) do best[i] = math.max(best[i], rate) end
    ratios[1][k] = rates[2] / rates[1]
    if b then ratios[2][k], ratios[3][k] = rates[3] / rates[4], rates[2] / rates[3] end
  end
  a:finish()
  if b then b:finish() end
  return { best[1], best[2], median(ratios[1]), b and best[4], b and best[3],
    b and median(ratios[2]), b and median(ratios[3]) }
end

local function thread_table(o, list)
  print(("\nThreads: N = %d; images a second in training, by the clock on the wall."):format(
    o.threads))
  heading(threads)
  local rows = {}
  for i, network in ipairs(list) do
    rows[i] = thread_row(o, network)
    row(threads, network[1], rows[i])
  end
  means(threads, rows, { 3, 6, 7 })
  print [[
x one: N threads relative to one; x torch: N of netspace to N of PyTorch.  Other programs on the
machine slow many threads more than one: only a quiet machine says something.]]
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

-- Files ------------------------------------------------------------------------------------

local FORMAT = "netspace bench 1"

-- What --json keeps: the machine with its ceilings of this run, and the figures of each network.
local function save(path, o, list, results)
  local t = { format = FORMAT, version = sys.version, commit = sys.commit, blas = sys.blas(),
    kernels = o.isa or sys.isa(), torch = o.torch or nil, date = os.date "!%Y-%m-%d %H:%M",
    slices = o.slices, seconds = o.seconds, ceilings = profiles.ceilings(), networks = {} }
  for i, network in ipairs(list) do
    local row_of = { name = network[1], batch = network[2],
      flops = arch.complexity(network[3]).flops }
    for _, mode in ipairs { "train", "test" } do
      local r = results[i][mode]
      row_of[mode] = { images_per_s = r.best, of_bound = r.reached, x_torch = r.ratio,
        torch_images_per_s = r.torch and r.torch.best, faults = r.faults, switches = r.switches,
        peak_bytes = r.start.peak_bytes, two = r.two }
    end
    t.networks[i] = row_of
  end
  local good, why = atomic.write(path, function(write) write(json.encode(t), "\n") end)
  if not good then fail(why) end
end

local function load_saved(path)
  local f, why = io.open(path, "rb")
  if not f then fail(why) end
  local good, t = pcall(json.decode, f:read "a")
  f:close()
  if not good or type(t) ~= "table" or t.format ~= FORMAT then
    fail(("%s was not written by --json of this version"):format(path))
  end
  return t
end

local compared = { { "train/s A", "%9.0f" }, { "B", "%7.0f" }, { "B/A", "%5.2f" },
  { "x torch A", "%9.2f" }, { "B", "%5.2f" }, { "test/s A", "%8.0f" }, { "B", "%7.0f" },
  { "B/A", "%5.2f" }, { "x torch A", "%9.2f" }, { "B", "%5.2f" } }

-- Networks that both files have.
local function compare(paths)
  local a, b, rows, of_b = load_saved(paths[1]), load_saved(paths[2]), {}, {}
  for k, t in ipairs { a, b } do
    print(("%s: %s, netspace %s (%s), kernels %s, %s, %s; %.0f GF/s, %.0f GB/s"):format(
      k == 1 and "A" or "B", paths[k], t.version, t.commit, t.kernels, t.torch
      and "PyTorch " .. t.torch or "without PyTorch", t.date, t.ceilings.sgemm_gflops,
      t.ceilings.memory_gbytes))
  end
  for _, n in ipairs(b.networks) do of_b[n.name] = n end
  heading(compared)
  for _, x in ipairs(a.networks) do
    local y = of_b[x.name]
    if y then
      local values = {}
      for k, mode in ipairs { "train", "test" } do
        local p, q, at = x[mode], y[mode], 5 * (k - 1)
        values[at + 1], values[at + 2] = p.images_per_s, q.images_per_s
        values[at + 3] = q.images_per_s / p.images_per_s
        values[at + 4], values[at + 5] = p.x_torch, q.x_torch
      end
      rows[#rows + 1] = values
      row(compared, x.name, values)
    end
  end
  if #rows == 0 then fail "the two files have no network in common" end
  means(compared, rows, { 3, 4, 5, 8, 9, 10 })
  print "Runs at different times: the ratios to PyTorch of each run say more than the rates."
end

local o = options(arg)
if o.compare then
  compare(o.compare)
  os.exit(0)
end
local list = chosen(o.names)
if o.json and o.threads then fail "--json keeps the tables, not those of --threads" end
check_isa(o.isa)
o.torch = not o.no_torch and torch_version()
print(("%s; kernels %s; %s"):format(sys.blas(), o.isa or sys.isa(),
  o.torch and "PyTorch " .. o.torch or "without PyTorch"))
if not o.torch and not o.no_torch then
  print(("%s has no PyTorch: `pip install torch==2.13.0` brings it; PYTHON=… names another"
    .. " Python"):format(python))
end
if o.threads then
  thread_table(o, list)
else
  local results = speed_table(o, list)
  limit_table(list, results)
  steady_table(list, results)
  if o.json then save(o.json, o, list, results) end
end
