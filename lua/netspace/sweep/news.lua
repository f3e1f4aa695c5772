--- What a sweep says to the person at the terminal: news above the prompt while they type, notes
-- as they come, and what it came to when it has ended.  A quiet sweep says nothing.

local background = require "netspace.lib.background"
local chance = require "netspace.lib.chance"
local failures = require "netspace.store.failures"
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

-- The options of `netspace resume` with which failed models are trained again, and what the same
-- script has to raise for that: a limit that failed some has to be lifted, which is enough where it
-- failed all.  over: what the forecast says of models that need more memory than they may
local function lift(failed, over)
  local limited, script = failures.limited(failed), nil
  local options = limited.memory + limited.patience < #failed and " --retry" or ""
  if limited.memory > 0 then
    local need = over and over.most or 0
    for _, model in ipairs(failed) do
      if failures.limit(model.reason) == "memory" then need = math.max(need, model.memory or 0) end
    end
    local size = need > 0 and units.bytes(1.05 * need):gsub(" ", "") or "SIZE"
    options, script = ("%s --memory %s"):format(options, size), "a larger memory="
  end
  if limited.patience > 0 then
    options = options .. " --patience SECONDS"
    script = script and "larger limits" or "a larger patience="
  end
  return options:sub(2), script
end

--- How models of the store that failed or diverged (lists, with reasons) are trained again; ""
-- for none.
function M.retry(store, failed, diverged, over)
  if #failed + #diverged == 0 then return "" end
  local options, script = lift(failed, over)
  local what = #failed == 0 and "what diverged" or #diverged == 0
    and (#failed == 1 and "the failed one" or "the failed ones")
    or ("the failed %s (what diverged, too: --retry=all)"):format(#failed == 1 and "one" or "ones")
  return ("`netspace resume %s %s`%s trains %s again"):format(paths.shown(store),
    #failed == 0 and "--retry=all" or options,
    script and (", or the same script with %s,"):format(script) or "", what)
end

-- The same beside what is left to train anyway: " (with --retry also what failed)".
local function beside(failed, over)
  if not failed or #failed == 0 then return "" end
  return (" (with %s also what failed)"):format((lift(failed, over)))
end

-- "4 trained in 3s"; what failed is told elsewhere, and what is begun is kept by checkpoints.
local function work(s)
  local k, time = s.kept, units.duration(s.seconds)
  if k.trained > 0 then return ("%d trained in %s"):format(k.trained, time) end
  if (k.unsuccessful or 0) > 0 then return ("none trained, %d failed"):format(k.unsuccessful) end
  return #s.queue == 0 and "nothing was left to train" or ("none trained to the end in %s"):format(
    time)
end

--- An ended sweep in one line; brief: without how to go on.
function M.summary(s, brief)
  local k, text = s.kept, nil
  local tally = units.tally { done = k.done, diverged = k.diverged, failed = k.failed,
    queued = #s.queue }
  text = ("%s: %s: %s; "):format(s.name, units.count(s.total, "model"), tally) .. work(s)
  text = ("%s (%s)"):format(text, paths.shown(s.store))
  if s.closed then
    text = text .. "; the budget of " .. units.limit(s.asked) .. " is spent"
  end
  for _, list in ipairs { { s.lost, "failed" }, { s.strayed, "diverged" } } do
    if list[1] and #list[1] > 0 then
      text = ("%s; %s"):format(text, failures.text(table.unpack(list)))
    end
  end
  if s.parked and #s.parked > 0 then
    text = ("%s; %d more are left after %s, as early= asks (without it, they go on)"):format(text,
      #s.parked, units.count(s.settings.early.epochs, "epoch"))
  end
  local guessing = #s.queue == 0 and chance.of(s.least, k.done, s.card)
  if guessing then
    text = ("%s; %s: another recipe may help (lr, batch, epochs; recipe.quick)"):format(text,
      chance.text(guessing))
  end
  if s.decided and #s.queue > 0 then
    return ("%s; %d not needed: decided"):format(text, #s.queue)
  elseif brief then
    return text
  elseif s.on and #s.queue > 0 then
    local at_work = s.left and s.left.at_work
    return ("%s; %s"):format(text, at_work and ("its tasks go on: run it again, or `netspace "
      .. "collect %s`, to take in what they have done"):format(paths.shown(s.store))
      or ("run it again, or `netspace submit %s`"):format(paths.shown(s.store)))
  end
  if #s.queue > 0 then
    return s.unknown and text .. "; run it again"
      or ("%s; run it again, or `netspace resume %s`%s"):format(text, paths.shown(s.store),
      beside(s.lost, s.over))
  end
  local retry = M.retry(s.store, s.lost or {}, s.strayed or {}, s.over)
  return retry == "" and text or ("%s; %s"):format(text, retry)
end

local unreported = {} -- sweeps that have ended, of which nothing was said yet, the first first

--- A sweep has ended: says so above the prompt while the user types; in a script whoever waits
-- for it does, or the end of the script.
function M.ended(s)
  if background.typing() and not s.quiet then
    background.notify(M.summary(s))
    s.reported = true
  end
  unreported[#unreported + 1] = s
end

--- Sweeps of the list, and before them all others that have ended without a word.
function M.unreported(list)
  local all, known = {}, {}
  for _, from in ipairs { unreported, list } do
    for _, s in ipairs(from) do
      if not known[s] and not s.reported then all[#all + 1] = s end
      known[s] = true
    end
  end
  return all
end

--- What sweeps that have ended came to, where it was not said yet; how to go on only once.
function M.report(list)
  local left, lost, over, stores = {}, {}, {}, {}
  for _, s in ipairs(list) do
    if not s.reported and not s.quiet and #s.queue > 0 and not s.decided then
      if not left[s.store] then stores[#stores + 1] = s.store end
      left[s.store] = (left[s.store] or 0) + 1
      lost[s.store] = lost[s.store] or {}
      for _, model in ipairs(s.lost or {}) do table.insert(lost[s.store], model) end
      if s.over and s.over.most > (over[s.store] or { most = 0 }).most then
        over[s.store] = s.over
      end
    end
  end
  for _, s in ipairs(list) do
    if not s.reported and not s.quiet then
      progress.clear(M.summary(s, (left[s.store] or 0) > 1))
    end
    s.reported = true
  end
  for i = #unreported, 1, -1 do
    if unreported[i].reported then table.remove(unreported, i) end
  end
  for _, store in ipairs(stores) do
    if left[store] > 1 then
      progress.clear(("%d sweeps have models left; run them again, or `netspace resume %s`%s")
        :format(left[store], paths.shown(store), beside(lost[store], over[store])))
    end
  end
end

--- What sweeps came to that ended while something else ran, and that nobody waited for.
function M.tell() M.report(M.unreported {}) end

return M
