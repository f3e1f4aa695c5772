-- `make bench` and `make profile`: their scripts run, choose and refuse.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local arch = require "netspace.network.arch"
local sys = require "netspace.core.sys"

local function run(script, args)
  local p = io.popen(("'%s' -q --no-init scripts/bench/%s.lua %s 2>&1"):format(sys.exe(), script,
    args))
  local text = p:read "a"
  local _, _, status = p:close()
  return text, status
end

local file = os.tmpname()
local text, status = run("bench", "--no-torch --slices 1 --seconds 0.01 --json " .. file .. " g=32")
t.is(status, 0, "bench runs without PyTorch")
local speed, limits = text:match "(Speed:.*)(Limits:.*)"
local flops, batch, rate, gflops = speed:match "\ng=32 +([%d.]+) +(%d+) +(%d+) +([%d.]+)"
t.ok(tonumber(batch) == 64 and not text:find("\nb=4", 1, true), "the network asked for alone", text)
t.near(gflops / rate, 6e-3 * flops, 6e-3 * flops * 0.02, "GF/s go with images a second")
t.ok(speed:find "\ngeometric mean +[%d.]+%%", "with the mean of the shares")
local operations = limits:match "\ng=32 +([%d.]+)"
t.near(operations, 64 * 6e-3 * flops, 64 * 6e-3 * flops * 0.05, "and its operations", limits)

local saved = run("bench", ("--compare %s %s"):format(file, file))
t.ok(saved:find "\ng=32 +%d+ +%d+ +1%.00 +%d+ +%d+ +1%.00\n" and saved:find("x torch A", 1, true),
  "what --json kept, compared with itself", saved)
t.near(saved:match "\ng=32 +(%d+)", rate, 1, "is what was printed")
os.remove(file)
text, status = run("bench", "--compare README.md README.md")
t.ok(status == 2 and text:find("README.md was not written by --json", 1, true), "other files", text)
text, status = run("bench", "--compare README.md")
t.ok(status == 2 and text:find("it needs two files", 1, true), "one file", text)

text, status = run("bench", "--no-torch --threads 2 --slices 1 --seconds 0.01 'X 9'")
t.ok(status == 0 and text:find "N = 2" and text:find "\nX 9 MF +%d+ +%d+ +[%d.]+\n", "threads", text)
text, status = run("bench", "--no-torch nope")
t.ok(status == 2 and text:find("'X 9 MF', 'X 60 MF'", 1, true), "unknown networks", text)
text, status = run("bench", "--slices many")
t.ok(status == 2 and text:find("'many' is no number above 0", 1, true), "bad numbers", text)
text, status = run("bench", "--fast")
t.ok(status == 2 and text:find("unknown option '--fast'", 1, true), "unknown options", text)
text, status = run("bench", "--isa sse")
t.ok(status == 2 and text:find("--isa sse cannot be had here", 1, true), "missing kernels", text)

text, status = run("profile", "'arch.anynet{ d = {1}, w = {8} }' test 4")
t.ok(status == 0 and text:find("testing, batch 4", 1, true) and text:find "\nhead.fc", "profile",
  text)
text, status = run("profile", "nope")
t.ok(status == 2 and text:find("'nope' is no network", 1, true), "profile of nothing", text)

local networks = dofile "scripts/bench/networks.lua"
t.is(#networks, 12, "twelve networks")
local wide = networks[12][3]
t.ok(math.min(table.unpack(wide.w)) >= 64 and arch.complexity(wide).flops > 150e6
  and arch.complexity(wide).flops < 250e6, "the wide one is wide")

t.done()
