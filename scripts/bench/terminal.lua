--- How quickly the prompt answers:  make bench-terminal
-- Start to the prompt, completion, and Ctrl-C in a Lua loop, a coroutine, training, sampling
-- and statistics: from the key to the new prompt.  The program runs on a pseudo-terminal of
-- script(1), and is read and typed to through its pipes; the medians, 99th percentiles and
-- longest times are printed in milliseconds.  Training stops between two steps: a step of 128
-- images of this network (28 million multiply-adds) takes longer than one of 32.

local sys = require "netspace.core.sys"
local uv = require "luv"

local repeats = math.tointeger(tonumber(arg[1] or 30)) or 30
local prompt = "\n> $"

-- A session: s.text is what came since s:send.
local function session()
  local s = { text = "" }
  local input, output = uv.new_pipe(false), uv.new_pipe(false)
  s.process = uv.spawn("script", { stdio = { input, output, 2 },
    args = { "-qec", sys.exe() .. " -q --no-init", "/dev/null" },
    env = { "TERM=dumb", "NETSPACE_HISTORY=off", "PATH=" .. os.getenv "PATH",
      "LUA_CPATH_5_4=" .. (os.getenv "LUA_CPATH_5_4" or ";;") } },
    function() s.ended = true end)
  assert(s.process, "script(1) is missing: install the package bsdutils")
  output:read_start(function(_, data) s.text = s.text .. (data or "") end)
  local from = sys.now()
  function s.send(keys)
    s.text, from = "", sys.now()
    input:write(keys)
  end
  -- Seconds from the keys to `pattern`.
  function s.wait(pattern)
    while not ("\n" .. s.text:gsub("\r", "")):find(pattern) do
      assert(not s.ended and sys.now() - from < 60, "no answer: " .. s.text)
      local timer = uv.new_timer()
      timer:start(20000, 0, function() end)
      uv.run("once")
      timer:close()
    end
    return sys.now() - from
  end
  return s
end

local function report(what, times)
  table.sort(times)
  local function ms(share) return 1000 * times[math.max(1, math.ceil(share * #times))] end
  print(("%-32s %8.1f %8.1f %8.1f   %5d"):format(what, ms(0.5), ms(0.99), ms(1), #times))
end

print(("%-32s %8s %8s %8s   %5s"):format("milliseconds", "median", "p99", "longest", "times"))

local times = {}
for i = 1, repeats do
  local s = session()
  times[i] = s.wait(prompt)
  s.send("\4")
  while not s.ended do uv.run("once") end
end
report("start to the prompt", times)

local s = session()
s.wait(prompt)
for _, case in ipairs {
  { "completion of a field", "string.gs\t", "string%.gsub" },
  { "completion of an option", "sweep.run{ work\t", "workers =" },
  { "completion in a string", 'zoo["RegNetX-40\t', "400MF" },
} do
  local list = {}
  for i = 1, repeats do
    s.send(case[2])
    list[i] = s.wait(case[3])
    s.send("\3")
    s.wait(prompt)
  end
  report(case[1], list)
end

s.send('d = data.open("shapes") n = net.new(arch.anynet{ d = {4, 4}, w = {64, 128}, '
  .. 'stem = "cifar" }) e = {} for i = 1, 2000 do e[i] = i % 97 end '
  .. 'n:test(d, { split = "validation" })\n')
s.wait(prompt)
for _, case in ipairs {
  { "a loop", "while true do end" },
  { "a coroutine", "coroutine.wrap(function() while true do end end)()" },
  { "training, batch 32", "n:train(d, { epochs = 1000, batch = 32 })" },
  { "training, batch 128", "n:train(d, { epochs = 1000, batch = 128 })" },
  { "testing", "while true do n:test(d, { split = 'validation' }) end" },
  { "sampling", "space.AnyNetXE:sample(10^6, { flops = {1e3, 2e3}, max_tries = 10^9 })" },
  { "a comparison", "stats.compare(e, e, { draws = 10^6 })" },
  { "a band", "stats.bootstrap({ errors = e, models = space.RegNetX:sample(2000) }, 'd', "
    .. "{ draws = 10^7 })" },
} do
  local list = {}
  for i = 1, repeats do
    s.send('print("go" .. 1) ' .. case[2] .. "\n")
    s.wait("\ngo1")
    local pause = uv.new_timer() -- at another moment of the work each time
    local over
    pause:start(150 + 37 * i % 100, 0, function() over = true end)
    while not over do uv.run("once") end
    pause:close()
    if s.text:gsub("\r", ""):find(prompt) then break end -- it was done before
    s.send("\3")
    list[#list + 1] = s.wait(prompt)
  end
  if #list > 0 then report("Ctrl-C in " .. case[1], list) end
end
s.send("1 + 1\n")
s.wait("\n2\n> $")
s.send("\4")
while not s.ended do uv.run("once") end
