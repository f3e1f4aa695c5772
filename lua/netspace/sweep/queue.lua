--- The models of a sweep that wait, in the order of the population, and what they cost together.

local Queue = {}
Queue.__index = Queue

local M = {}

function M.new()
  return setmetatable({ list = {}, cost = 0 }, Queue) -- the next one is the last of the list
end

function Queue:__len()
  return #self.list
end

--- Puts a model in at its place (.idx) in the population.
function Queue:add(model)
  local at = #self.list
  while at > 0 and self.list[at].idx < model.idx do at = at - 1 end
  table.insert(self.list, at + 1, model)
  self.cost = self.cost + model.cost
end

--- The next model, which stays; nil: none waits.
function Queue:first()
  return self.list[#self.list]
end

--- The next model, which leaves.
function Queue:take()
  local model = table.remove(self.list)
  self.cost = self.cost - model.cost
  return model
end

--- This model leaves, wherever it is.
function Queue:remove(model)
  for i = #self.list, 1, -1 do
    if self.list[i] == model then
      self.cost = self.cost - model.cost
      return table.remove(self.list, i)
    end
  end
end

--- For every model that waits.
function Queue:each()
  return ipairs(self.list)
end

return M
