--- Waiting for sweeps at work: the event loop, the line of progress, Ctrl-C, and what a sweep came
-- to when it has ended.

local hauls = require "netspace.sweep.haul"
local ledgers = require "netspace.store.ledger"
local news = require "netspace.sweep.news"
local paths = require "netspace.lib.path"
local pool = require "netspace.sweep.pool"
local progress = require "netspace.sweep.progress"
local stores = require "netspace.store.store"
local sys = require "netspace.core.sys"
local trainings = require "netspace.sweep.training"
local uv = require "luv"

local M = {}
local active, fail = trainings.active, ledgers.fail

local displayed = {} -- sweeps of the line of progress; those that end stay while others run

local function show_progress()
  if #active == 0 or not progress.due() then return end
  local runs, known, any, list = {}, {}, false, {}
  for _, s in ipairs(active) do runs[s] = true end
  for _, s in ipairs(displayed) do known[s], any = true, any or runs[s] end
  if not any then displayed, known = {}, {} end
  for _, s in ipairs(active) do
    if not known[s] then displayed[#displayed + 1] = s end
  end
  for _, s in ipairs(displayed) do
    if not s.quiet then list[#list + 1] = s:status() end
  end
  if #list > 0 then progress.show(list) end
end

--- Runs the event loop until `done()`; at Ctrl-C interrupt() is called, and ends the waiting
-- at once when it returns true.
function M.wait_until(done, interrupt)
  local interrupted = false
  while not done() do
    if sys.interrupted() and not interrupted then
      interrupted = true
      if interrupt() then break end
    else
      show_progress()
      uv.run("once")
    end
  end
  pool.drain()
  if #active == 0 then hauls.drain() end
  progress.clear()
  return interrupted or sys.interrupted()
end

--- Stops sweeps, with a checkpoint of each model at work.
function M.stop(list)
  local running, quiet = 0, true
  for _, s in ipairs({ table.unpack(list) }) do
    if s.state ~= "stopping" and not s.on then
      running, quiet = running + s:status().running, quiet and s.quiet
    end
    s:_leave()
  end
  if running > 0 and not quiet and sys.interrupted() then
    progress.clear("stopping, with a checkpoint of each model; once more stops now")
  end
end

--- What a sweep that has ended came to: a result, or it raises.
function M.outcome(s)
  news.report { s }
  if s.trouble then
    if getmetatable(s.trouble) == ledgers.Failure then error(s.trouble, 0) end
    fail(("sweep '%s' of %s stopped: %s"):format(s.name, paths.shown(s.store), tostring(s.trouble)))
  elseif #s.queue > 0 and not s.closed and not s.decided then
    fail(("sweep '%s' was cancelled with %d of %d models trained; run it again, or `netspace "
      .. "resume %s`"):format(s.name, s.total - #s.queue, s.total, paths.shown(s.store)))
  end
  local store, why = stores.open(s.store)
  if not store then fail(why) end
  local result, failure = store:result(s.name)
  store:close()
  if not result then fail(failure) end
  result.budget = s.closed and s.asked or nil
  return result
end

--- A function that says whether sweeps have ended.
function M.all_ended(list)
  return function()
    for _, s in ipairs(list) do
      if s.state ~= "ended" then return false end
    end
    return true
  end
end

--- Waits for sweeps of the caller's own: Ctrl-C stops these, and no others.
function M.wait_for(list)
  local interrupted = M.wait_until(M.all_ended(list), function() M.stop(list) end)
  if interrupted then
    news.report(list)
    for _, s in ipairs(list) do
      if not s.quiet and s.kept and s.kept.done > 0 then
        progress.clear(("what is trained: store.open(%q):result(%q)"):format(paths.shown(s.store),
          s.name))
      end
    end
    error("interrupted", 0)
  end
  news.report(list) -- together, so that how to go on is said once
  local results = {}
  for _, s in ipairs(list) do -- what stopped the others comes first
    if s.trouble then M.outcome(s) end
  end
  for i, s in ipairs(list) do results[i] = M.outcome(s) end
  return results
end

--- Stops sweeps of which one could not begin, and raises why.
function M.undo(started, err)
  M.stop(started)
  M.wait_until(M.all_ended(started), function() end)
  news.report(started)
  error(err, 0)
end

return M
