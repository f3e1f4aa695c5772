--- Workers that a model may lose without making progress beyond any attempt before: few by its
-- own doing (it crashes, hangs, or takes all memory), more when somebody else kills them, which
-- says little about the model.  A new checkpoint takes the count back to zero, so random kills do
-- not make a good model a failed one, and a model that always crashes ends, after its last
-- epoch at the latest.
--
-- Of a model: .saved is where the last checkpoint is, .best the furthest one of the attempts
-- before, .crashes and .own count.

local M = {}
local MOST = { own = 3, outside = 30 }

-- How far a training is at a point, as one number.
local function position(e)
  return e.epoch << 32 | e.step
end

--- An attempt begins at the point e.
function M.begun(model, e)
  model.saved = position(e)
  model.best = model.best or model.saved
end

--- A checkpoint of the point e is on the disk.
function M.saved(model, e)
  model.saved = position(e)
end

--- Whether the attempt that has ended brought the model further than every one before it.
function M.progress(model)
  if (model.saved or 0) <= (model.best or 0) then return false end
  model.best = model.saved
  return true
end

--- Counts a worker that was lost as `e` says (pool.lua: client:_lost).
-- @treturn string that it goes on, and why, for the log; or nil and why the model has failed
function M.count(model, e)
  local progress = M.progress(model)
  model.crashes = progress and 0 or model.crashes + 1
  model.own = progress and 0 or (model.own or 0) + (e.outside and 0 or 1)
  local lost = e.outside and model.crashes or model.own
  local most = e.outside and MOST.outside or MOST.own
  if lost >= most then
    return nil, ("%s, %d times without progress"):format(e.why, lost)
  end
  return ("%s%s; queued again%s"):format(e.why,
    e.log and ", its last line: " .. e.log:match("[^\n]*$") or "",
    progress and " (it had made progress)" or (" (%d of %d)"):format(lost, most))
end

return M
