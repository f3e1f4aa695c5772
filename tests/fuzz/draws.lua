--- Decisions out of bytes: the same bytes are the same decisions, and when they are used up every
-- decision is the first one.
local M = {}
M.__index = M

function M.of(bytes) return setmetatable({ bytes = bytes, at = 0 }, M) end

function M:left() return self.at < #self.bytes end

--- A number from 0 to n - 1 (n up to 256).
function M:below(n)
  self.at = self.at + 1
  return (self.bytes:byte(self.at) or 0) % n
end

function M:one_of(list) return list[1 + self:below(#list)] end

-- Numbers that mistakes are made with.
local special = { 0, 1, -1, 2, 3, 4, 8, 16, 0.5, 0.0, -0.0, 1e-300, 1e300, math.huge, -math.huge,
  0 / 0, math.maxinteger, math.mininteger, 1 << 31, 1 << 32, 1 << 53, 255, 1000, 99.999, 2.5 }

function M:number()
  local k = self:below(#special + 8)
  if special[k + 1] then return special[k + 1] end
  return k % 2 == 0 and self:below(256) or self:below(256) / 16
end

--- Up to 12 characters, any bytes among them, but for those that lead out of a directory.
function M:text()
  local n, parts = self:below(13), {}
  for i = 1, n do parts[i] = string.char(self:below(256)) end
  return (table.concat(parts):gsub("[/~\0]", "."))
end

return M
