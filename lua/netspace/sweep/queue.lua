--- The models of a sweep that wait, in the order of the population, and what they cost together.
--
-- On a cluster they leave from anywhere, so one that leaves stays in the list as a gap until gaps
-- are at the end, or half of the list: taking one out costs the same wherever it is.

local Queue = {}
Queue.__index = Queue

local M = {}

function M.new()
  -- .list: the next one is the last; .waits: which of the list are no gaps; .n: how many
  return setmetatable({ list = {}, waits = {}, n = 0, cost = 0 }, Queue)
end

function Queue:__len()
  return self.n
end

-- Where a model is in the list, or belongs: behind all of a greater place in the population.
local function position(list, idx)
  local lo, hi = 1, #list + 1
  while lo < hi do
    local middle = (lo + hi) // 2
    if list[middle].idx > idx then lo = middle + 1 else hi = middle end
  end
  return lo
end

--- Puts a model in at its place (.idx) in the population.
function Queue:add(model)
  local at = position(self.list, model.idx)
  if self.list[at] ~= model then table.insert(self.list, at, model) end -- else it left a gap
  self.waits[model] = true
  self.n, self.cost = self.n + 1, self.cost + model.cost
end

--- The next model, which stays; nil: none waits.
function Queue:first()
  local list = self.list
  while #list > 0 and not self.waits[list[#list]] do list[#list] = nil end
  return list[#list]
end

--- This model leaves, wherever it is; nothing happens when it does not wait.
function Queue:remove(model)
  if not self.waits[model] then return end
  self.waits[model] = nil
  self.n, self.cost = self.n - 1, self.cost - model.cost
  if #self.list > 2 * self.n then
    local left = {}
    for _, other in self:each() do left[#left + 1] = other end
    self.list = left
  end
end

--- The next model, which leaves.
function Queue:take()
  local model = self:first()
  self:remove(model)
  return model
end

--- For every model that waits: number, model.
function Queue:each()
  local at, n = 0, 0
  return function()
    repeat at = at + 1 until not self.list[at] or self.waits[self.list[at]]
    n = n + 1
    if self.list[at] then return n, self.list[at] end
  end
end

return M
