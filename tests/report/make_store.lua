-- Makes stores for the tests of reports, trained by nobody (errors follow from seeds):
--   netspace tests/report/make_store.lua PATH empty|small|windows|samples|half|evil|large
-- windows: one space in three windows of flops; samples: two samples each of a space and its
-- refinement, and the refinement in another window; half: as a sweep leaves it in the middle;
-- evil: names, reasons and logs that would like to be markup; large: twelve populations of
-- hundreds of models.
local arch = require "netspace.network.arch"
local ledgers = require "netspace.store.ledger"
local sys = require "netspace.core.sys"

local path, kind = arg[1], arg[2]
local w = assert(ledgers.open(path))
local made = 0

local function uniform(i, purpose) return (sys.random(made, i, purpose) >> 11) / 2 ^ 53 end

-- A population of S; its errors lie around `mean`, better for deeper networks.
local function add(S, n, mean, o)
  o = o or {}
  made = made + 1
  local pop = S:sample(n, { seed = o.seed or made, flops = o.flops or { 1e6, 2e6 }, image = 32,
    stem_width = 16, stride = { 1, 2, 2, 2 } })
  w:write(function()
    local id = w:create { name = o.name or S.name, space = S.name, spec = pop.spec,
      constraints = o.constraints or pop.constraints, window = pop.window, tried = pop.tried,
      sample_seed = pop.seed, seed = made, recipe = { epochs = 3, lr = 0.1, batch = 32 },
      source = { spec = o.data or "shapes", train = 100, test = 100 },
      card = { spec = o.data or "shapes", name = o.data or "shapes", checksum = o.data or "abc", classes = 10 } }
    w:take(id, o.name or S.name, 2)
    local trainer = w:trainer { trainer = "netspace", version = "0.1.0+test", device = "cpu",
      kernels = "B, avx2", host = require("luv").os_gethostname() }
    for i, m in ipairs(pop) do
      w:add_model(id, i, m, ledgers.identity(m), i, arch.complexity(m))
    end
    for i, row in ipairs(w:models(id)) do
      local depth = 0
      for _, d in ipairs(pop[i].d) do depth = depth + d end
      local noise = uniform(i, 1) + uniform(i, 2) + uniform(i, 3) - 1.5
      local e = math.floor(100 * math.max(2, mean + 6 * noise - 0.15 * depth)) / 100
      local rest = o.failures and i % 9 == 0
      if not (o.until_model and i > o.until_model + 2) then
        w:start(row.id, 1, 1, trainer)
        local last = o.until_model and i > o.until_model and 1 or 3
        for epoch = 1, rest and 1 or last do
          w:epoch(row.id, 1, { epoch = epoch, lr = 0.1, validation_error = e + 4 * (3 - epoch),
            images_per_s = 1000 })
        end
        if rest then
          w:finish(row.id, 1, o.failures(i))
        elseif last == 3 then
          w:finish(row.id, 1, { status = "done", error = e, seconds = 1.5, crashes = 0 })
        end
      end
    end
    if not o.until_model then w:finish_run() end
  end)
end

local function failure(i)
  if i % 2 == 0 then
    return { status = "diverged", error = 100, seconds = 1, crashes = 0,
      reason = "loss is not a number in epoch 2" }
  end
  return { status = "failed", error = 100, seconds = 1, crashes = 3, signal = "SIGSEGV",
    reason = "its worker died three times", log = "netspace: worker 2\nfree(): invalid pointer\n" }
end

local EVIL = '</pre></title><script>document.title="pwned"</script><b onmouseover="x()">&amp;'

if kind == "small" then
  add(space.AnyNetXA, 24, 30)
  add(space.AnyNetXB, 24, 29.5)
  add(space.AnyNetXC, 24, 24, { failures = failure })
  add(space.AnyNetXA, 24, 30, { name = "AnyNetX_A, seed 2", seed = 1 })
elseif kind == "windows" then
  for i, low in ipairs { 1e6, 2e6, 4e6 } do
    add(space.RegNetX, 6, 25 - i, { name = "X " .. i, flops = { low, 1.5 * low } })
  end
elseif kind == "samples" then
  for sample = 1, 2 do
    add(space.AnyNetXA, 8, 30, { name = "A-s" .. sample })
    add(space.AnyNetXB, 8, 25, { name = "B-s" .. sample })
  end
  add(space.AnyNetXB, 8, 25, { name = "wide", flops = { 2e6, 4e6 } })
elseif kind == "half" then
  add(space.AnyNetXA, 12, 30)
  add(space.RegNetX, 12, 25, { until_model = 7 })
  add(space.AnyNetXE, 12, 25, { until_model = -2 })
elseif kind == "evil" then
  add(space.AnyNetXA, 12, 30, { name = EVIL })
  add(space.RegNetX, 20, 25, { name = "bytes \xff\xfe\x80\27[31m\0\u{202E}`reboot`$(reboot)",
    constraints = { { name = EVIL, source = EVIL .. "\xc3" } }, failures = function(i)
      local f = failure(i)
      f.reason, f.log, f.signal = EVIL, EVIL .. "\n\27]0;x\7\xff", f.signal and EVIL
      return f
    end })
  add(space.RegNetY, 10, 25, { name = ("long"):rep(60), data = EVIL })
elseif kind == "large" then
  for i, name in ipairs { "AnyNetXA", "AnyNetXB", "AnyNetXC", "AnyNetXD", "AnyNetXE", "RegNetX",
    "RegNetY", "RegNetXC", "RegNetR" } do
    add(space[name], 500, 32 - i, { failures = i == 3 and failure or nil })
  end
  for _, low in ipairs { 2e6, 4e6, 8e6 } do
    add(space.RegNetX, 300, 24 - low / 1e6, { name = ("RegNetX-%dM"):format(low / 1e6),
      flops = { low, 1.2 * low } })
  end
end
w.db:run("UPDATE run SET started = 1.7e9, updated = 1.7e9 + 60, ended = ended * 0 + 1.7e9 + 60")
w.db:run("UPDATE event SET time = 1.7e9 + 60")
w.db:run("UPDATE population SET created = 1.7e9")
w.db:run("UPDATE run SET host = 'host', pid = 1, birth = 'gone'")
w:close()
