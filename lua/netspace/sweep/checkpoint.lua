--- Checkpoints of a training in progress: when a worker writes one, and how it continues from
-- one.  The file itself is written by weights.c: it appears whole or not at all, and carries a
-- checksum and the identity of its training.
--
-- Written after an epoch when that costs at most a hundredth of the time since the last
-- one, and within an epoch when the last one is minutes old too (or as often as asked, in
-- epochs or seconds); and at any batch when the worker is told to stop.  Besides the
-- weights it holds what the epochs so far gave, so that nothing that had no time to reach
-- the store is lost.

local core = require "netspace.core.weights"
local directories = require "netspace.lib.directory"
local json = require "netspace.lib.json"
local schema = require "netspace.store.schema"
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}
local SHARE = 0.01                 -- of the time, for writing
local WITHIN = 300                 -- seconds between two within an epoch, at least
local TRIES = 3                    -- at writing one
local SEEK, RATE = 0.01, 100e6     -- a first guess of what writing costs: s; bytes/s

--- Removes from a directory of checkpoints what is of no use to a population any more: files
-- of models that are not open (open[idx]), half-written ones of dead workers, and the
-- directory when it is empty.
function M.tidy(directory, population, open)
  for name in directories.each(directory) do
    local p, idx = name:match("^(%d+)%-(%d+)%.safetensors")
    local writer = name:match("%.part%-(%d+)$")
    local useless = not open[tonumber(idx)]
    if writer then useless = not schema.birth(writer) end
    if tonumber(p) == population and useless then
      uv.fs_unlink(directory .. "/" .. name)
    end
  end
  uv.fs_rmdir(directory)
end

--- Moves a file to another place, on any file system: true, or nil and a message.
function M.bring(from, to)
  if uv.fs_rename(from, to) then return true end
  local good, why = uv.fs_copyfile(from, to .. ".part")
  if good then good, why = uv.fs_rename(to .. ".part", to) end
  if not good then
    uv.fs_unlink(to .. ".part")
    return nil, why
  end
  uv.fs_unlink(from)
  return true
end

--- Moves what a population has in one directory of checkpoints to another, on any file system.
function M.move(from, to, population)
  for name in directories.each(from) do
    if tonumber(name:match "^(%d+)%-%d+%.safetensors$") == population then
      directories.make(to)
      M.bring(from .. "/" .. name, to .. "/" .. name)
    end
  end
  uv.fs_rmdir(from) -- when it is empty
end

--- The identity of a training: everything that its bits depend on.
function M.identity(job)
  return json.encode { m = job.m, seed = job.seed, recipe = job.recipe,
    data = job.checksum, engine = sys.engine() }
end

--- How large a checkpoint is: weights and momentum, the statistics of the norms, and averages of
-- weights and statistics where the recipe has them.  While it is written there is a copy of them
-- in memory.
function M.bytes(net, recipe)
  local bytes, average = 0, recipe.ema and 4 or 0
  for _, p in ipairs(net:params()) do
    bytes = bytes + p.count * (average + (p.group == "buffer" and 4 or 8))
  end
  return bytes
end

local Keeper = {}
Keeper.__index = Keeper

--- Keeps the training of a job (worker.lua) with `net`.  tell(text) says what the user
-- should know, saved(at) that a point is on the disk.
function M.keeper(net, job, tell, saved)
  local bytes = M.bytes(net, job.recipe)
  local o = job.checkpoint or {}
  local k = setmetatable({ net = net, path = o.path, every = o.every,
    seconds_between = o.seconds, tell = tell, saved = saved,
    arch = json.encode(net:arch()), identity = M.identity(job), epochs = {},
    cost = SEEK + bytes / RATE, began = sys.now(), last = sys.now(), spent = 0, n = 1 }, Keeper)
  if o.limit and bytes > o.limit then
    tell(("a checkpoint would have %d bytes, above the limit of %d: none is written")
      :format(bytes, o.limit))
    k.path = nil
  end
  return k
end

--- Continues from the file, if there is one: the point it is of, or nil (at the beginning).
function Keeper:take_up()
  if not self.path or not uv.fs_stat(self.path) then return nil end
  local text, why = core.restore(self.net, self.path, self.identity)
  local state = text and json.decode(text)
  if not state then
    self.tell(("the checkpoint cannot be used, training starts again at epoch 1: %s"):format(why))
    return nil
  end
  self.epochs, self.spent = state.epochs, state.spent
  for _, e in ipairs(self.epochs) do -- written before there were validation images
    e.validation_error, e.test_error = e.validation_error or e.test_error, nil
  end
  return state.at
end

--- Seconds of training so far, of all its threads together, with those before the checkpoint.
function Keeper:seconds()
  return self.spent + self.n * (sys.now() - self.began)
end

--- It is trained by n threads from now on.
function Keeper:threads(n)
  self.spent, self.began, self.n = self:seconds(), sys.now(), n
end

-- Writes the file: true, or nil and a message.  Another sweep of the store that ends removes the
-- directory while it is empty, also between its making and its use.
local function write(keeper, state)
  local directory, good, why = keeper.path:match("^(.*)/"), nil, nil
  for _ = 1, TRIES do
    uv.fs_mkdir(directory, tonumber("755", 8))
    good, why = core.checkpoint(keeper.net, keeper.path, keeper.arch, keeper.identity, state)
    if good or uv.fs_stat(directory) then break end
  end
  return good, why
end

--- Writes where the training stands.
function Keeper:save(at)
  if not self.path then return end
  local start = sys.now()
  local good, why = write(self, json.encode { at = at, epochs = self.epochs,
    spent = self:seconds() })
  self.last = sys.now()
  self.cost = self.last - start
  if good then
    self.saved(at)
  elseif not self.failing then
    self.tell("no checkpoint was written: " .. why) -- once; the training does not need it
  end
  self.failing = not good
end

-- Seconds since the last one after which there is another.
function Keeper:_cadence(least)
  return self.seconds_between or math.max(least, self.cost / SHARE)
end

--- An epoch (an event of the worker) has ended; after the last one nothing is written.
function Keeper:epoch(e, epochs)
  self.epochs[#self.epochs + 1] = e
  if e.epoch == epochs then return end
  local due = sys.now() - self.last >= self:_cadence(0)
  if self.every then due = e.epoch % self.every == 0 end
  if due then self:save({ epoch = e.epoch }) end
end

--- The training stands at a point within an epoch.
function Keeper:step(at)
  if not self.every and sys.now() - self.last >= self:_cadence(WITHIN) then self:save(at) end
end

return M
