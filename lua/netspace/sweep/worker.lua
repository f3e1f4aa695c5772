--- A worker: `netspace --worker`, one process, one model at a time, on one core, or on as many as
-- the sweep has idle.
--
-- Jobs come as JSON, one a line, on stdin; events leave the same way on stdout, and nothing else
-- is written there.  netspace-trainer(5) is the protocol, protocol.lua has its rules; this is
-- the trainer that netspace brings.
--
-- A Lua error in a model is a "failed" event and the worker goes on; only a crash ends it.  When
-- the sweep's process ends, so does the worker.  It reads what comes while it trains: a job is for
-- later, "threads" (how many cores it may have from now on) and "stop" are for now (where SIGTERM
-- does not reach it), as is an output that nobody reads any more.

local checkpoints = require "netspace.sweep.checkpoint"
local core = require "netspace.core.net"
local directories = require "netspace.lib.directory"
local json = require "netspace.lib.json"
local memory = require "netspace.lib.memory"
local protocol = require "netspace.sweep.protocol"
local recipes = require "netspace.network.recipe"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"
local uv = require "luv"
local xdg = require "netspace.lib.xdg"

local M = {}
local STEP_SECONDS = 0.5 -- between two step events
local BESIDES = 64 << 20 -- bytes that a worker may take besides its network
local OLD = 30 * 86400   -- seconds after which a checkpoint of another machine's sweep is litter
local blas_warm = false  -- it has its buffers
local threads = 1        -- that the sweep lets it have

-- The data set in use: kept open from job to job, replaced when a job names another.
local open_data = {}

-- The data set of a job: dataset, or nil and a reason.
local function dataset(job)
  local key = json.encode(job.source)
  if open_data.key ~= key then
    if open_data.set then open_data.set:close() end
    open_data = {}
    local set, why = require("netspace.data.data")._reopen(job.source)
    if not set then return nil, why end
    open_data = { key = key, set = set, checksum = set:checksum() }
  end
  if open_data.checksum ~= job.checksum then
    return nil, ("data '%s' has changed: its checksum is %s, it was %s"):format(
      job.source.spec, open_data.checksum, job.checksum)
  end
  return open_data.set
end

-- An image could not be read, for this reason: true when the data have been made anew, to be opened
-- again; the reason, with what was done.
local function mend(reason)
  sys.limit_memory() -- of the network alone
  local good, why = open_data.set:_mend(reason)
  if good then
    open_data.set:close()
    open_data = {}
  end
  return good, why
end

-- Limits the memory of the process to so much more than now.  The BLAS allocates its buffers at
-- the first product and crashes when it cannot.
local function limit_memory(bytes)
  if not blas_warm then assert(sys.check_blas()) end
  blas_warm = true
  assert(sys.limit_memory(bytes))
end

local function train(job, data, emit)
  local need = core.need(job.m, job.recipe)
  if job.memory and need > job.memory then
    error(("it needs %s at batch %d, and the limit is %s per worker; raise memory= of the "
      .. "sweep, or use a smaller batch, image or width"):format(units.bytes(need),
      job.recipe.batch, units.bytes(job.memory)), 0)
  end
  if job.memory then core.trim() end
  local nets = require "netspace.network.net"
  local net <close> = assert(nets.new(job.m, { seed = job.seed, batch = job.recipe.batch }))
  nets._trained(net, data, recipes._weights(job.recipe))
  -- What the job allows its network beyond what that has, BESIDES for the rest, and a copy of the
  -- weights for a checkpoint.
  local room = job.memory
    and job.memory - net:bytes() + checkpoints.bytes(net, job.recipe) + BESIDES
  if room then limit_memory(room) end
  local function tell(text) emit({ event = "note", text = text }) end
  local function saved(at)
    emit({ event = "saved", epoch = at.epoch, step = at.step or 0 })
  end
  local keeper = checkpoints.keeper(net, job, tell, saved)
  local function take_threads()
    if core.threads(net) == threads then return end
    sys.limit_memory()
    core.threads(net, threads)
    keeper:threads(threads)
    if room then limit_memory(room) end
  end
  take_threads()
  local at = keeper:take_up() or { epoch = 0, step = 0 }
  emit({ event = "begin", epoch = at.epoch, step = at.step or 0, memory = need })
  for _, e in ipairs(keeper.epochs) do emit(e) end
  local stop_at = job.stop_after or math.huge
  if at.epoch >= stop_at then return { status = "stopped", seconds = keeper:seconds() } end
  local last, last_step, last_epoch = sys.now(), at.step or 0, at.epoch + 1
  local r
  r, at = core.run(net, data, job.recipe, function(e)
    local now = sys.now()
    if e.kind == "epoch" then
      local event = { event = "epoch", epoch = e.epoch, lr = e.lr,
        train_loss = e.train_loss, train_error = e.train_error,
        validation_error = e.validation_error, validation_loss = e.validation_loss,
        top5_error = e.top5_error, class_error = e.class_error,
        seconds = e.seconds, images_per_s = e.images_per_s }
      emit(event)
      keeper:epoch(event, job.recipe.epochs)
      last = now
      if e.epoch >= stop_at then keeper:save({ epoch = e.epoch }) end
      return e.epoch < stop_at
    end
    uv.run("nowait") -- what came meanwhile
    take_threads()
    keeper:step(e.at)
    if now - last >= STEP_SECONDS then
      local since = e.epoch == last_epoch and e.step - last_step or e.step
      emit({ event = "step", epoch = e.epoch, part = e.step / e.steps,
        images_per_s = since > 0 and since * job.recipe.batch / (now - last) or nil })
      last, last_step, last_epoch = now, e.step, e.epoch
    end
  end, at)
  if r.status == "interrupted" then
    keeper:save(at)
  elseif r.status == "done" and job.checkpoint and job.checkpoint.weights then
    local path = job.checkpoint.weights
    uv.fs_mkdir(path:match("^(.*)/"), tonumber("755", 8))
    local good, why = net:save(path)
    if not good then tell("the weights are not kept: " .. why) end
  end
  r.seconds = keeper:seconds()
  return r
end

-- The checkpoint of a sweep on another machine, whose path begins with no slash, lies among the
-- files of this user; true when it does.  Those of long ago are removed.
local function settle(checkpoint)
  if not checkpoint or checkpoint.path:sub(1, 1) == "/" then return false end
  local path = xdg.state(checkpoint.path)
  checkpoint.path = path
  if not path then return true end -- no home: none is written
  xdg.make_folder(path)
  local directory = path:match "^(.*)/"
  for name in directories.each(directory) do
    local about = uv.fs_stat(directory .. "/" .. name)
    if about and os.time() - about.mtime.sec > OLD then uv.fs_unlink(directory .. "/" .. name) end
  end
  return true
end

-- Where the machine is short of memory the worker ends, as where C finds it so: the model is no
-- failure, and is tried again.
local function starved(reason)
  if not memory.short(reason) then return end
  io.stderr:write("netspace: ", reason, "\n")
  os.exit(1)
end

--- Trains one model; `send` gets each event as a table.
-- @treturn boolean false when the worker was told to stop
function M.handle(job, send)
  local function emit(e)
    e.model, e.attempt = job.model, job.attempt
    send(e)
  end
  local began = sys.now()
  sys.limit_memory() -- not that of the job before
  if job.kind == "measure" then
    local good, r = pcall(require("netspace.network.net").benchmark, job.m,
      { batch = job.batch, seconds = job.seconds })
    emit({ event = "measured", images_per_s = good and r.images_per_s or nil })
    return not sys.interrupted()
  end
  if job.kind ~= "train" and job.kind ~= "check" then
    emit({ event = "failed", error = 100,
      reason = ("netspace knows no job of the kind '%s'"):format(tostring(job.kind)) })
    return true
  end
  local opened, data, why = pcall(dataset, job)
  if not opened or not data then starved(opened and why or data) end
  if sys.interrupted() then
    emit({ event = "stopped" })
    return false
  elseif not opened or not data then
    emit({ event = "refused", reason = opened and why or data })
    return true
  elseif job.kind == "check" then
    emit({ event = "checked" })
    return true
  end
  local away = settle(job.checkpoint)
  local good, r = xpcall(train, function(err)
    return type(err) == "string" and err or debug.traceback(tostring(err))
  end, job, data, emit)
  if not good and sys.interrupted() or good and r.status == "interrupted" then
    emit({ event = "stopped" })
    return false
  elseif not good then
    if not job.memory then
      starved(r)
    elseif memory.short(r) then
      r = ("it took more memory than the limit of %s per worker; raise memory= of the "
        .. "sweep"):format(units.bytes(job.memory))
    end
    emit({ event = "failed", error = 100, reason = r, seconds = sys.now() - began })
  elseif r.status == "stopped" then
    emit({ event = "parked", seconds = r.seconds })
  elseif r.status == "unreadable" then
    local mended, reason = mend(r.reason)
    if mended and not job.mended then -- once: a disk that goes on lying is no help
      job.mended = true
      emit({ event = "note", text = reason })
      return M.handle(job, send)
    end
    emit({ event = "refused", reason = reason })
  elseif r.status == "done" then
    emit({ event = "done", error = r.error, seconds = r.seconds })
  else
    emit({ event = r.status == "diverged" and "diverged" or "failed", error = 100,
      reason = r.reason or r.status, seconds = r.seconds })
  end
  if away and job.checkpoint.path then uv.fs_unlink(job.checkpoint.path) end
  return true
end

--- What this worker is, for its hello.
function M.hello()
  local engine = sys.engine()
  return { event = "hello", protocol = protocol.VERSION, trainer = "netspace",
    version = engine.engine, device = "cpu", kernels = engine.blas .. ", " .. engine.isa,
    host = uv.os_gethostname(), pid = math.tointeger(uv.os_getpid()), memory = sys.memory(),
    threads = sys.cores() }
end

-- Ends what is at work as SIGTERM does.
local function stop() uv.kill(uv.os_getpid(), "sigterm") end

-- Takes a line that is no job, but for now.
local function at_once(job)
  if job.kind ~= "threads" then return false end
  threads = math.max(1, math.min(math.tointeger(job.threads) or 1, sys.cores()))
  return true
end

-- Jobs from stdin: next_job() waits for one; nil: there will be none.
local function reader()
  if uv.guess_handle(0) ~= "pipe" then -- a file or a terminal: nobody says "stop" there
    return function()
      for line in io.stdin:lines() do
        local job = assert(json.decode(line))
        if not at_once(job) then return job end
      end
    end
  end
  local pipe, jobs, rest, ended = uv.new_pipe(false), {}, "", false
  assert(pipe:open(0))
  pipe:read_start(function(err, chunk)
    ended = ended or err or not chunk
    rest = rest .. (chunk or "")
    for line in rest:gmatch "([^\n]*)\n" do
      local job = assert(json.decode(line))
      if job.kind == "stop" then
        jobs, ended = {}, true
        stop()
      elseif not at_once(job) and not ended then
        jobs[#jobs + 1] = job
      end
    end
    rest = rest:match "[^\n]*$"
  end)
  return function()
    while #jobs == 0 and not ended and not sys.interrupted() do uv.run "once" end
    return not sys.interrupted() and table.remove(jobs, 1) or nil
  end
end

--- The process `netspace --worker`.
function M.main()
  sys.die_with_parent()
  require("netspace.data.cache").worker = true -- says nothing, packs nothing that has changed
  local stdout = io.stdout
  io.output(io.stderr)
  print = function(...) -- luacheck: ignore
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    io.stderr:write(table.concat(parts, "\t"), "\n")
  end
  local hangup = uv.new_signal() -- a write says that nobody reads
  hangup:start("sigpipe", function() end)
  local gone = false
  stdout:setvbuf "full" -- so that it is flush() that fails
  local function send(event)
    if gone then return end
    gone = not (stdout:write(json.encode(event), "\n") and stdout:flush())
    if gone then stop() end
  end
  send(M.hello())
  for job in reader() do
    if not M.handle(job, send) then return end
  end
end

return M
