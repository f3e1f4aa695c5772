--- Idle cores for the last models: when a place has fewer models at work than workers were asked for,
-- and none waits, the cores that are left go to those at work (the same bits, sooner).
--
-- It is for workers whose hello says how many threads they can use (netspace-trainer(5)).

local M = {}

-- How many cores clients want at a place, and whether one has something to begin there.
local function asked(clients, place)
  local slots, waiting = 0, false
  for _, c in ipairs(clients) do
    for _, share in ipairs(c.places) do
      if share.place == place and share.state ~= "refused" then
        slots, waiting = math.max(slots, share.slots), waiting or c:_waiting() > 0
      end
    end
  end
  return slots, waiting
end

-- The workers of a place that train, those with the most to do first.
local function at_work(workers, place)
  local list = {}
  for i, w in ipairs(workers) do
    if w.place == place and w.job and w.job.kind == "train" and not w.ending then
      list[#list + 1] = { w = w, i = i }
    end
  end
  table.sort(list, function(a, b)
    if a.w.price ~= b.w.price then return a.w.price > b.w.price end
    return a.i < b.i
  end)
  return list
end

--- Tells the workers of every place how many threads they may have; told(w) for each that has other
-- ones than before.
function M.share(workers, clients, told)
  local seen = {}
  for _, one in ipairs(workers) do
    local place = one.place
    if not seen[place] then
      seen[place] = true
      local slots, waiting = asked(clients, place)
      local list = at_work(workers, place)
      for k, entry in ipairs(list) do
        local w, n = entry.w, 1
        local cores = math.min(slots, w.hello.threads or 1)
        if not waiting then n = math.max(1, cores // #list + (k <= cores % #list and 1 or 0)) end
        if n ~= w.threads then
          w.threads = n
          w:tell { kind = "threads", threads = n }
          told(w)
        end
      end
    end
  end
end

return M
