-- Tasks of a cluster, without one: shards that are cut, damaged and read while they grow, scripts,
-- Slurm's answers, options.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local uv = require "luv"
local shards = require "netspace.cluster.shard"
local slurm_module = require "netspace.cluster.slurm"
local script = require "netspace.cluster.script"
local command = require "netspace.cluster.command"

local dir = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/netspace-cluster.XXXXXX"))

-- Shards.
local synced = 0
local w = assert(shards.writer(dir, "0.a-0", function() synced = synced + 1 end, error))
for i = 1, 3 do w:add { event = "epoch", model = i, train_loss = 1 / 3 } end
t.ok(w:done() and synced == 3, "lines are synced before anything else happens")
local path = dir .. "/0.a-0.shard"
local second = assert(shards.writer(dir, "0.a-0", function() end, error))
t.is(second.path, dir .. "/0.a-0+2.shard", "a second start of that name has a shard of its own")
second:close()

local function text() local f = assert(io.open(path)) local s = f:read "a" f:close() return s end
local function write(s) local f = assert(io.open(path, "w")) f:write(s) f:close() end
local whole = text()
local r = shards.reader(path)
local seen = {}
local function each(e) seen[#seen + 1] = e.model end
r:read(each)
t.is(table.concat(seen, " "), "1 2 3", "what was written is read")
w:add { event = "done", model = 4 }
w:close()
r:read(each)
t.is(table.concat(seen, " "), "1 2 3 4", "and what came after")

local all = text()
local lost, doubled = 0, 0
for cut = 0, #all - 1 do
  write(all:sub(1, cut))
  local n = 0
  shards.reader(path):read(function(e)
    n = n + 1
    if e.model ~= n then doubled = doubled + 1 end
  end)
  local _, lines = all:sub(1, cut):gsub("\n", "")
  if n ~= lines then lost = lost + 1 end
end
t.is(lost + doubled, 0, "cut at any byte, the whole lines before are read and nothing else")

local wrong = 0
for at = 1, #whole do
  local byte = whole:byte(at)
  if byte ~= 10 then
    write(whole:sub(1, at - 1) .. string.char(byte ~ 1) .. whole:sub(at + 1))
    local n = 0
    shards.reader(path):read(function() n = n + 1 end)
    if n ~= 2 and whole:sub(at - 1, at) ~= " " then wrong = wrong + 1 end
  end
end
t.is(wrong, 0, "a line with one bit changed is not read, those around it are")

write(all:sub(1, #whole // 2) .. ("\0"):rep(40) .. "\n" .. all:sub(#whole + 1))
r, seen = shards.reader(path), {}
r:read(each)
t.ok(r.bad > 0, "a hole, as a network file system may show one, is noticed")
write(all .. "\n")
uv.fs_utime(path, 1, 1)
r:read(each)
local last = {}
for _, model in ipairs(seen) do last[model] = true end
t.ok(last[1] and last[2] and last[3] and last[4], "and read when it is filled")

-- A disk that takes nothing for a while.
local broken = assert(shards.writer(dir, "1.a-0", function() synced = synced + 1 end, function() end))
local fd = broken.fd
broken.fd = assert(uv.fs_open("/dev/full", "w", 0))
synced = 0
broken:add { event = "done", model = 1 }
broken:add { event = "done", model = 2 }
t.ok(not broken:done() and synced == 0, "a full disk takes no line")
uv.fs_close(broken.fd)
broken.fd = fd
while not broken:done() do uv.run "once" end
t.is(synced, 2, "which are written when it has room")
broken:close()

-- Scripts: what a shell is given cannot be a command.
local evil = dir .. "/'; touch evil; $(touch evil) `touch evil`\n\"'"
assert(uv.fs_mkdir(evil, tonumber("755", 8)))
local job = { number = 1, first = 3, count = 8, directory = evil, program = "echo", name = "; $(x)\n" }
local body = "#!/bin/sh\n" .. script.body(job, "3 + 4", "a-0", "echo again")
t.is((assert(command.run { "sh", "-c", body })), "task 7 a-0\n", "the body of a script runs")
t.ok(not uv.fs_stat "evil" and not uv.fs_stat(evil .. "/evil"), "and nothing of a name does")
local made = slurm_module.script({ cpus = 2, at_once = 3, time = "1:00:00", partition = "big",
  extra = { "--qos=long" } }, job)
for _, line in ipairs { "--array=0-7%3", "--cpus-per-task=2", "--partition=big", "--qos=long",
  "--time=1:00:00", "--signal=B:USR1@120", "--open-mode=append", "--requeue",
  "--job-name=netspace-____x__" } do
  t.ok(made:find("\n#SBATCH " .. line .. "\n", 1, true), "the script has " .. line)
end
t.fails(function() slurm { partition = "a b" } end, "partition is 'a b'", "a partition of two words")
t.fails(function() slurm { extra = { "--qos=a\nrm -rf /" } } end, "extra is a list of sbatch options",
  "an option of two lines")
t.fails(function() slurm { tasks = 0 } end, "tasks is 0; it is a whole number of at least 1", "no task")
for _, time in ipairs { "1 hour", "1h", "", "1:2:3:4", "-1" } do
  t.fails(function() slurm { time = time } end, ("slurm: time is '%s'; it is minutes, or"):format(time),
    "no time of sbatch: " .. time)
end
for _, time in ipairs { 90, "4:00:00", "2-12", "1-0:30:00", "UNLIMITED" } do
  t.ok(pcall(slurm, { time = time }), "a time of sbatch: " .. time)
end
t.fails(function() cluster { tasks = 2 } end, "cluster needs scheduler=", "no scheduler")
t.fails(function() cluster { scheduler = "pbs" } end, "there is no scheduler 'pbs'", "an unknown one")

-- Slurm's commands, played by scripts: what is understood of their answers.
local bin = dir .. "/bin"
assert(uv.fs_mkdir(bin, tonumber("755", 8)))
local function play(name, lines)
  local f = assert(io.open(bin .. "/" .. name, "w"))
  f:write("#!/bin/sh\n", lines, "\n")
  f:close()
  uv.fs_chmod(bin .. "/" .. name, tonumber("755", 8))
end
local before = os.getenv "PATH"
uv.os_setenv("PATH", bin .. ":/usr/bin:/bin")
for _, name in ipairs { "sbatch", "scancel" } do play(name, "echo 77") end
play("scontrol", "echo 'MaxArraySize            = 1001'")
play("squeue", [[cat <<'X'
77_0|RUNNING|n1|2026-11-30T16:00:00|None
77_1|PENDING||N/A|JobArrayTaskLimit
77_2|NODE_FAIL|n2|N/A|None
77_3|CANCELLED|n2|N/A|None
X]])
play("sacct", [[cat <<'X'
77_2|COMPLETED|0:0|n2
77_4|OUT_OF_MEMORY|0:125|n3
77_5|FAILED|0:9|n-4.a
77_6|FAILED|3:0|n3
77_7|RUNNING|0:0|n3
77_[8-9,12%2]|CANCELLED by 0|0:0|None assigned
X]])
t.is(slurm_module.ready {}, 1000, "an array has at most MaxArraySize - 1 tasks")
local look = assert(slurm_module.look({}, { { id = "77",
  tasks = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12 } } }))["77"]
t.ok(look[0].state == "running" and look[0].node == "n1"
  and look[0].ends == os.time { year = 2026, month = 11, day = 30, hour = 16 }, "a running task")
t.ok(look[1].state == "pending" and look[1].reason == "JobArrayTaskLimit", "one that waits")
t.ok(look[2].state == "ended" and look[2].reason == "NODE_FAIL" and not look[2].cancelled, "a dead one")
t.ok(look[3].cancelled, "one that a person has ended")
t.is(look[4].reason, "OUT_OF_MEMORY", "one that only the accounting knows")
t.is(look[5].reason .. look[5].node .. look[6].reason, "FAILED (signal 9)n-4.aFAILED (exit status 3)",
  "what it died of")
t.ok(look[7].state == "ended" and not look[7].reason, "accounts that are behind raise nobody from the dead")
t.ok(look[8].cancelled and look[9].cancelled and look[12].cancelled and not look[8].node,
  "tasks that never began are one line of the accounts")
t.is(look[10], nil, "one that nobody knows")
play("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1")
local nothing, why = slurm_module.look({}, { { id = "77", tasks = { 0 } } })
t.ok(nothing == nil and why:find "Unable to contact", "no answer is no news of tasks")
uv.os_setenv("PATH", dir)
local D = data.open("shapes", { train = 128, test = 100 })
t.fails(function()
  sweep.run { store = dir .. "/a.db", name = "A", data = D, on = slurm {},
    models = { arch.anynet { d = { 1 }, w = { 8 } } } }
end, "sbatch, squeue, scancel, scontrol", "without Slurm its commands are named")
t.ok(not uv.fs_stat(dir .. "/a.db"), "before a store is made")
for option, value in pairs { workers = 2, identical = true } do
  t.fails(function()
    sweep.run { store = dir .. "/a.db", name = "A", data = D, on = cluster { scheduler = "sh" },
      models = { arch.anynet { d = { 1 }, w = { 8 } } }, [option] = value }
  end, option .. " does not go with on=", option .. " is not for a cluster")
end
t.fails(function()
  sweep.plan { store = dir .. "/a.db", data = D, budget = "1h", on = cluster { scheduler = "sh" },
    sweeps = { { name = "A", models = { arch.anynet { d = { 1 }, w = { 8 } } } } } }
end, "on= trains on tasks, which wait in a queue", "a plan is for workers here")
uv.os_setenv("PATH", before)
assert(command.run { "rm", "-r", dir })
t.done()
