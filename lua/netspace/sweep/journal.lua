--- What a sweep tells its store: changes are gathered and written together, in one transaction,
-- a few times a second, so that thousands of events cost a few writes.

local Journal = {}
Journal.__index = Journal

local M = {}

--- A journal of a store open for writing (store/ledger.lua).
function M.new(ledger)
  return setmetatable({ ledger = ledger, changes = {} }, Journal)
end

--- Remembers a change until the next flush: f(ledger).
function Journal:note(f)
  self.changes[#self.changes + 1] = f
end

--- Writes the noted changes, all or none; raises when the store refuses, and keeps them.
function Journal:flush()
  if #self.changes == 0 then return end
  self.ledger:write(function(ledger)
    for _, change in ipairs(self.changes) do change(ledger) end
  end)
  self.changes = {}
end

--- How many epochs of a model the store has, with those noted.
function Journal:epochs(model)
  self:flush()
  return self.ledger:epochs(model)
end

--- Closes the store.
function Journal:close()
  self.ledger:close()
end

return M
