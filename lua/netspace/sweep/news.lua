--- What a sweep says to the person at the terminal: news above the prompt while they type, notes
-- as they come, and what it came to when it has ended.  A quiet sweep says nothing.

local background = require "netspace.lib.background"
local chance = require "netspace.lib.chance"
local paths = require "netspace.lib.path"
local progress = require "netspace.sweep.progress"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"

local M = {}
local BETWEEN = 2 -- seconds between two finished models that are told of

--- Something that the log of the store has, too.
function M.note(s, model, text)
  if s.quiet then return end
  progress.clear(("%s: %s%s"):format(s.name, model and ("model %d: "):format(model.idx) or "",
    text))
end

local announced = 0

--- For a user who is typing; of what comes often only one in a while.
function M.announce(s, text, often)
  if s.quiet or not background.typing() then return end
  if often and sys.now() - announced < BETWEEN then return end
  if often then announced = sys.now() end
  background.notify(s.name .. ": " .. text)
end

-- How the models that did not succeed are trained again; "" where all did.
local function again(s)
  local k, parts = s.kept, {}
  if k.failed > 0 then parts[1] = ("the failed %s"):format(k.failed == 1 and "one" or "ones") end
  if k.diverged > 0 then
    parts[#parts + 1] = ("what diverged%s"):format(k.failed > 0 and ", too: --retry=all" or "")
  end
  if #parts == 0 then return "" end
  return ("; `netspace resume %s --retry%s` trains %s again"):format(paths.shown(s.store),
    k.failed > 0 and "" or "=all", table.concat(parts, " (") .. (#parts > 1 and ")" or ""))
end

--- An ended sweep in one line; brief: without how to go on.
function M.summary(s, brief)
  local k, text = s.kept, nil
  local tally = units.tally { done = k.done, diverged = k.diverged, failed = k.failed,
    queued = #s.queue }
  text = ("%s: %s: %s; "):format(s.name, units.count(s.total, "model"), tally)
    .. (k.trained == 0 and #s.queue == 0 and "nothing was left to train"
    or ("%d trained in %s"):format(k.trained, units.duration(s.seconds)))
  text = ("%s (%s)"):format(text, paths.shown(s.store))
  if s.closed then
    text = text .. "; the budget of " .. units.duration(s.budget) .. " is spent"
  end
  local guessing = #s.queue == 0 and chance.of(s.least, k.done, s.card)
  if guessing then
    text = ("%s; %s: another recipe may help (lr, batch, epochs; recipe.quick)"):format(text,
      chance.text(guessing))
  end
  if brief then return text end
  if #s.queue > 0 then
    return s.unknown and text .. "; run it again"
      or ("%s; run it again, or `netspace resume %s`"):format(text, paths.shown(s.store))
  end
  return text .. again(s)
end

local unsaid = {} -- sweeps that have ended and may be reported by those who wait for them

--- A sweep has ended: says so above the prompt while the user types.
function M.ended(s)
  if s.quiet then return end
  if background.typing() then
    background.notify(M.summary(s))
    s.reported = true
  else
    unsaid[#unsaid + 1] = s
  end
end

--- What sweeps that have ended came to, where it was not said yet; how to go on only once.
function M.report(list)
  local left, stores = {}, {}
  for _, s in ipairs(list) do
    if not s.reported and not s.quiet and #s.queue > 0 then
      if not left[s.store] then stores[#stores + 1] = s.store end
      left[s.store] = (left[s.store] or 0) + 1
    end
  end
  for _, s in ipairs(list) do
    if not s.reported and not s.quiet then
      progress.clear(M.summary(s, (left[s.store] or 0) > 1))
    end
    s.reported = true
  end
  for _, store in ipairs(stores) do
    if left[store] > 1 then
      progress.clear(("%d sweeps have models left; run them again, or `netspace resume %s`")
        :format(left[store], paths.shown(store)))
    end
  end
end

--- What sweeps came to that ended while something else ran, and that nobody waited for.
function M.tell()
  local list = unsaid
  unsaid = {}
  M.report(list)
end

return M
