--- A worker: `netspace --worker`, one process, one core, one model at a time.
--
-- Jobs come as JSON, one a line, on stdin; events leave the same way on stdout:
--
--   {"kind":"train","model":7,"attempt":1,"seed":…,"m":{…},"recipe":{…},
--    "source":{"spec":"shapes",…},"checksum":"…","memory":bytes or none,
--    "stop_after":epochs or none,
--    "checkpoint":{"path":…,"every":…,"seconds":…,"limit":…,"weights":…} or none}
--   {"event":"ready","pid":…,"engine":…,"blas":…,"corename":…,"isa":…}
--   {"event":"begin","model":7,"attempt":1,"epoch":2,"step":0,"memory":bytes}   where the
--        training goes on, and what it needs; then the epochs before again
--   {"event":"epoch","model":7,"attempt":1,"epoch":1,"validation_error":…, …}   after each epoch
--   {"event":"step","model":7,"attempt":1,"epoch":2,"part":0.4,"images_per_s":…}   <= 2/s
--   {"event":"saved","model":7,"attempt":1,"epoch":2,"step":0}   a checkpoint is on the disk
--   {"event":"note","model":7,"attempt":1,"text":…}        for the log of the store
--   {"event":"done"|"diverged"|"failed","model":7,"attempt":1,"error":…,"reason":…}
--   {"event":"refused","model":7,"attempt":1,"reason":…}   the data is not what it was, or an
--        image of it cannot be read: no fault of the model
--   {"event":"stopped","model":7,"attempt":1}              told to stop by SIGTERM
--   {"event":"parked","model":7,"attempt":1,"seconds":…}   after the epoch that "stop_after" names
--
--   {"kind":"measure","model":7,"attempt":1,"m":{…},"batch":32,"seconds":0.3}
--   {"event":"measured","model":7,"attempt":1,"images_per_s":…}   how fast it trains here
--
-- Nothing else is written to stdout.  A Lua error in a model is a "failed" event and the
-- worker goes on; only a crash ends it.  When the sweep's process ends, so does the worker.

local checkpoints = require "netspace.sweep.checkpoint"
local core = require "netspace.core.net"
local json = require "netspace.lib.json"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"

local M = {}
local STEP_SECONDS = 0.5 -- between two step events
local BESIDES = 64 << 20 -- bytes that a worker may take besides its network
local blas_warm = false  -- it has its buffers

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


-- Limits the memory of the process to what the job allows its network, BESIDES for the rest, and
-- a copy of the weights for a checkpoint.  The BLAS allocates its buffers at the first product
-- and crashes when it cannot.
local function limit_memory(job, net, need)
  if not blas_warm then assert(sys.check_blas()) end
  blas_warm = true
  assert(sys.limit_memory(job.memory - need + checkpoints.bytes(net) + BESIDES))
end

local function train(job, data, emit)
  local need = core.need(job.m, job.recipe.batch)
  if job.memory and need > job.memory then
    error(("it needs %s at batch %d, and the limit is %s per worker; raise memory= of the "
      .. "sweep, or use a smaller batch, image or width"):format(units.bytes(need),
      job.recipe.batch, units.bytes(job.memory)), 0)
  end
  if job.memory then core.trim() end
  local nets = require "netspace.network.net"
  local net <close> = assert(nets.new(job.m, { seed = job.seed, batch = job.recipe.batch }))
  nets._trained(net, data)
  if job.memory then limit_memory(job, net, need) end
  local function tell(text) emit({ event = "note", text = text }) end
  local function saved(at)
    emit({ event = "saved", epoch = at.epoch, step = at.step or 0 })
  end
  local keeper = checkpoints.keeper(net, job, tell, saved)
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
    require("luv").fs_mkdir(path:match("^(.*)/"), tonumber("755", 8))
    local good, why = net:save(path)
    if not good then tell("the weights are not kept: " .. why) end
  end
  r.seconds = keeper:seconds()
  return r
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
  local opened, data, why = pcall(dataset, job)
  if sys.interrupted() then
    emit({ event = "stopped" })
    return false
  elseif not opened or not data then
    emit({ event = "refused", reason = opened and why or data })
    return true
  end
  local good, r = xpcall(train, function(err)
    return type(err) == "string" and err or debug.traceback(tostring(err))
  end, job, data, emit)
  if not good and sys.interrupted() or good and r.status == "interrupted" then
    emit({ event = "stopped" })
    return false
  elseif not good then
    if job.memory and r:find "not enough memory" then
      r = ("it took more memory than the limit of %s per worker; raise memory= of the "
        .. "sweep"):format(units.bytes(job.memory))
    end
    emit({ event = "failed", error = 100, reason = r, seconds = sys.now() - began })
  elseif r.status == "stopped" then
    emit({ event = "parked", seconds = r.seconds })
  elseif r.status == "unreadable" then
    emit({ event = "refused", reason = r.reason })
  elseif r.status == "done" then
    emit({ event = "done", error = r.error, seconds = r.seconds })
  else
    emit({ event = r.status == "diverged" and "diverged" or "failed", error = 100,
      reason = r.reason or r.status, seconds = r.seconds })
  end
  return true
end

--- The process `netspace --worker`.
function M.main()
  sys.die_with_parent()
  require("netspace.data.cache").worker = true -- says nothing, packs nothing that has changed
  local stdin, stdout = io.stdin, io.stdout
  io.output(io.stderr)
  print = function(...) -- luacheck: ignore
    local parts = table.pack(...)
    for i = 1, parts.n do parts[i] = tostring(parts[i]) end
    io.stderr:write(table.concat(parts, "\t"), "\n")
  end
  local function send(event)
    stdout:write(json.encode(event), "\n")
    stdout:flush()
  end
  local ready = sys.engine()
  ready.event, ready.pid = "ready", math.tointeger(require("luv").os_getpid())
  send(ready)
  for line in stdin:lines() do
    local job = assert(json.decode(line))
    if not M.handle(job, send) then return end
  end
end

return M
