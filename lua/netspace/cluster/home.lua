--- Brings a population home from its cluster: what its tasks have done is taken in, they end with
-- a checkpoint of each model at work, and checkpoints move beside the store, so that a sweep here
-- goes on where they were.

local checkpoints = require "netspace.sweep.checkpoint"
local clusters = require "netspace.cluster.cluster"
local commands = require "netspace.cluster.commands"
local elsewhere = require "netspace.sweep.elsewhere"
local files = require "netspace.store.files"
local fleet = require "netspace.cluster.fleet"
local progress = require "netspace.sweep.progress"
local submissions = require "netspace.cluster.submission"
local uv = require "luv"
local waiting = require "netspace.sweep.waiting"

-- Waits until done(), or Ctrl-C.
local function wait(done)
  if waiting.wait_until(done, function() return true end) then error("interrupted", 0) end
end

-- Brings home the population `name` of the store at `path`, which has trained by these options.
local function bring(path, name, options, quiet)
  local on = clusters.make("sweep", options, 1)
  on.eager = false
  local id = commands.id_of(path, name)
  local directory = on:directory(path, id)
  if not uv.fs_stat(directory) then return end -- nothing is left there
  local s = commands.take_up(path, name, on, true)
  if not s then return end -- somebody is at work on it, which whoever asks will find
  wait(function() return s.state == "ended" or fleet.passed(s) end)
  s:_stop()
  wait(waiting.all_ended { s })
  s.reported = true
  if s.trouble and not quiet then
    progress.clear(("%s: it goes on without its tasks, which may be at work still: %s"):format(name,
      tostring(s.trouble)))
  end
  checkpoints.move(on:checkpoints(path, id), files.checkpoints(path), id)
  submissions.clear(directory)
end

elsewhere.serve { make = function(kept) return clusters.make("sweep", kept, 1) end, bring = bring }

return {}
