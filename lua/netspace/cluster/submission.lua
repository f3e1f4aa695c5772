--- The directory of a population on the shared file system, DIR/STORE-ID:
--
--   checkpoints/            where models in training stand (sweep/checkpoint.lua)
--   weights/                of finished networks, until they are taken to the store (kept.lua)
--   tasks.json              what the tasks were doing at the last look, for the monitor
--   1/ 2/ …                 submissions: models dealt out to tasks, at one time
--     SHARE.jobs            how its task trains, one line (task.lua), and the jobs of the share, in
--                           order: JSON lines, as a worker takes them
--     SHARE.LABEL.shard     what a start of its task says (shard.lua)
--     FIRST.sh, *.out       the script of a job of the scheduler, and what its tasks print
--     submission.json       the submission, for whoever collects:
--       created             of the population, which tells it from another of that name
--       shares, attempts    for each task the places of its models, and their attempts
--       jobs                { id =, first =, count = }…: jobs of the scheduler that run the tasks
--       settled             tasks whose end has been dealt with
--       budget              seconds that each task has for models to begin; missing: no limit
--
-- Only the process that has taken the population writes here, besides tasks their own files.

local atomic = require "netspace.lib.atomic"
local directories = require "netspace.lib.directory"
local json = require "netspace.lib.json"
local uv = require "luv"

local M = {}
local MODE = directories.MODE

--- The number of the next submission in the directory of a population.
function M.next(directory)
  local last = 0
  for name in directories.each(directory) do
    last = math.max(last, math.tointeger(tonumber(name)) or 0)
  end
  return last + 1
end

local Submission = {}
Submission.__index = Submission

--- Deals models out to n tasks, in turn, and writes their jobs; nothing is submitted yet.
-- @tparam table jobs what a worker is told of each (.model is its place)
-- @tparam table how  what a task is told besides
-- @treturn submission, or nil and a message
function M.new(directory, created, jobs, n, how)
  local good, why, code = directories.make(directory)
  if not good then return nil, why end
  local number
  repeat
    number = M.next(directory)
    good, why, code = uv.fs_mkdir(("%s/%d"):format(directory, number), MODE)
  until code ~= "EEXIST"
  if not good then
    return nil, ("%s cannot be written: %s"):format(directory, atomic.reason(why))
  end
  local s = setmetatable({ number = number, directory = ("%s/%d"):format(directory, number),
    created = created, shares = {}, attempts = {}, jobs = {}, settled = {},
    budget = how.budget }, Submission)
  for share = 0, n - 1 do
    local places, attempts = {}, {}
    good, why = atomic.write(("%s/%d.jobs"):format(s.directory, share), function(write)
      write(json.encode(how))
      write "\n"
      for i = share + 1, #jobs, n do
        write(json.encode(jobs[i]))
        write "\n"
        places[#places + 1], attempts[#attempts + 1] = jobs[i].model, jobs[i].attempt
      end
    end)
    if not good then
      s:remove()
      return nil, why
    end
    s.shares[share + 1], s.attempts[share + 1] = places, attempts
  end
  return s
end

local kept = { "created", "shares", "attempts", "jobs", "settled", "budget" }

--- Writes what it has come to: true, or nil and a message.
function Submission:save()
  local t = {}
  for _, key in ipairs(kept) do t[key] = self[key] end
  local path = self.directory .. "/submission.json"
  return atomic.write(path, function(write) write(json.encode(t)) end)
end

--- The submissions of a population that are there, oldest first, but for those of another one of
-- its name.
function M.all(directory, created)
  local list = {}
  for name in directories.each(directory) do
    local f = name:find "^%d+$" and io.open(("%s/%s/submission.json"):format(directory, name))
    local t = f and json.decode(f:read "a")
    if f then f:close() end
    if type(t) == "table" and t.created == created then
      t.number, t.directory = tonumber(name), ("%s/%s"):format(directory, name)
      list[#list + 1] = setmetatable(t, Submission)
    end
  end
  table.sort(list, function(a, b) return a.number < b.number end)
  return list
end

-- A word of a label in parts that sort as numbers where they are.
local function rank(name)
  return (name:gsub("%d+", function(digits) return ("%012d"):format(tonumber(digits)) end))
end

--- Names of its shards, those of the same share in the order of its starts: name, share.
function Submission:each_shard()
  local list = {}
  for name in directories.each(self.directory) do
    if name:find "^%d+%..*%.shard$" then list[#list + 1] = name end
  end
  table.sort(list, function(a, b) return rank(a) < rank(b) end)
  local i = 0
  return function()
    i = i + 1
    return list[i], list[i] and tonumber(list[i]:match "^%d+")
  end
end

--- Whether the end of task number t (from 0) has been dealt with.
function Submission:is_settled(t)
  if not self.set then
    self.set = {}
    for _, n in ipairs(self.settled) do self.set[n] = true end
  end
  return self.set[t] == true
end

function Submission:settle(t)
  if self:is_settled(t) then return end
  self.set[t] = true
  self.settled[#self.settled + 1] = t
end

--- The job of the scheduler that runs task t, and the task's number in it; nil: none does.
function Submission:job_of(t)
  for _, job in ipairs(self.jobs) do
    if t >= job.first and t < job.first + job.count then return job, t - job.first end
  end
end

--- The places of the models that tasks have whose end has not been dealt with.
function Submission:each_covered()
  return coroutine.wrap(function()
    for share, places in ipairs(self.shares) do
      if self:job_of(share - 1) and not self:is_settled(share - 1) then
        for _, place in ipairs(places) do coroutine.yield(place) end
      end
    end
  end)
end

local ours = { "^%d+%.jobs$", "^%d+%..*%.shard$", "^%d+%.sh$", "%.out$", "^submission%.json$",
  "%.part%-%d+$" }

-- Removes the files of a directory whose names are like those, and it when it is empty then.
local function remove(directory, patterns)
  for name in directories.each(directory) do
    for _, pattern in ipairs(patterns) do
      if name:find(pattern) then uv.fs_unlink(directory .. "/" .. name) break end
    end
  end
  uv.fs_rmdir(directory)
end

function Submission:remove()
  remove(self.directory, ours)
end

--- Removes what is left of a population whose models have all ended.
function M.clear(directory)
  for name in directories.each(directory) do
    if name:find "^%d+$" then remove(directory .. "/" .. name, ours) end
  end
  for _, name in ipairs { "checkpoints", "weights" } do uv.fs_rmdir(directory .. "/" .. name) end
  remove(directory, { "^tasks%.json" })
  uv.fs_rmdir(directory:match "^(.*)/") -- when nothing else is in it
end

--- The last lines that task t printed, for the reason of its end; nil for none.
function Submission:tail(t)
  local job, task = self:job_of(t)
  local wanted = job and { [("%s_%d.out"):format(job.id, task)] = true, [t .. ".out"] = true } or {}
  for name in directories.each(self.directory) do
    local f = wanted[name] and io.open(self.directory .. "/" .. name)
    if f then
      f:seek("set", math.max(0, f:seek "end" - 2000))
      local text = f:read("a"):gsub("%s+$", "")
      f:close()
      local lines = {}
      for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line:sub(1, 300) end
      return #lines > 0 and table.concat(lines, "\n", math.max(1, #lines - 11)) or nil
    end
  end
end

return M
