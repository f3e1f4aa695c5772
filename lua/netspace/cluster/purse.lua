--- The budget of a sweep on a cluster: time of tasks, summed up.  A submission deals what there is
-- of it out to its tasks, each of which begins no model that it has no time for (task.lua); what
-- one that has died has left of its part goes to those that take its models over.

local Purse = {}
Purse.__index = Purse

local M = {}

-- Seconds that a task has taken, in all its starts.
local function taken(s, t)
  local seconds = 0
  for _, r in ipairs(s.read and s.read[t] or {}) do
    if r.first then seconds = seconds + r.last - r.first end
  end
  return seconds
end

--- What may be dealt out (.seconds; nil: without limit) of the budget of a sweep (nil: none), after
-- what the tasks of submissions have had that are at work, since that is of the same budget.  Of
-- a sweep that only takes in what there is (not eager) they have had all.
function M.new(budget, submissions, eager)
  local had
  for _, s in ipairs(submissions) do
    local open, sum = false, 0
    for t = 0, #s.shares - 1 do
      local settled = s:is_settled(t)
      open = open or not settled
      sum = sum + (settled and taken(s, t) or s.budget or 0)
    end
    if open and s.budget then had = (had or 0) + sum end
  end
  local seconds = budget and math.max(0, budget - (had or 0)) or had and not eager and 0 or nil
  return setmetatable({ seconds = seconds }, Purse)
end

--- Whether nothing is left to deal out.
function Purse:empty()
  return self.seconds ~= nil and self.seconds <= 0
end

--- Of so many tasks how many can have a part, and how large it is: there are no more parts than
-- those in which it came back.
function Purse:parts(n)
  if not self.seconds then return n, nil end
  n = math.min(n, self.came or n)
  return n, self.seconds / n
end

--- A submission has been dealt out; so many of its tasks were not taken, and have theirs back.
function Purse:dealt(s, back)
  if not self.seconds then return end
  self.seconds, self.came = back * s.budget, back
end

--- A task has ended: what it has left comes back.
-- @tparam table last  the reader of its last shard (nil: it has none)
-- @treturn boolean true where it had no time for another model
function Purse:back(s, t, last)
  if not s.budget then return false end
  local left = s.budget - taken(s, t)
  if last and last.spent or left <= 0 then
    self.spent = true
    return true
  end
  self.seconds, self.came = (self.seconds or 0) + left, (self.came or 0) + 1
  return false
end

return M
