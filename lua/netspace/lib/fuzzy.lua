--- Fuzzy search: which of many strings a few typed characters mean.  The characters of a word
-- must occur in their order; beginnings of words and characters in a row count more.

local M = {}

local NEVER = -math.huge
local IN_ROW, AT_WORD, AT_START, SKIPPED = 6, 8, 4, 1 -- what a place of a character is worth

-- What a place is worth: the beginning of the string or of a word ("run" in "sweep.run").
local function bonus(text, j)
  if j == 1 then return AT_WORD + AT_START end
  return text:find("^[^%w][%w]", j - 1) and AT_WORD or 0
end

-- The worth of the best way to find the characters of `word` in `text` in this order, or nil.
local function worth(word, text)
  local before -- before[j]: the best with the characters so far, the last of them at j
  for i = 1, #word do
    local c, row, best, found = word:byte(i), {}, NEVER, false
    for j = 1, #text do
      if before then -- best: over places before j - 1, less what was skipped since
        best = math.max(best - SKIPPED, before[j - 2] and before[j - 2] - SKIPPED or NEVER)
      end
      if text:byte(j) == c then
        local from = 0
        if before then from = math.max(best, (before[j - 1] or NEVER) + IN_ROW) end
        if from > NEVER then
          row[j] = from + bonus(text, j)
          found = true
        end
      end
    end
    if not found then return nil end
    before = row
  end
  local most = NEVER
  for _, value in pairs(before) do most = math.max(most, value) end
  return most
end

--- What `query` finds in `list`: each of its words must be found, whatever its case.
-- @tparam string query  words apart by blanks; an empty one finds everything
-- @tparam table list  list of strings
-- @treturn table indexes into list, best first; equal ones shorter first, then in their order
function M.rank(query, list)
  local found, score = {}, {}
  for i, text in ipairs(list) do
    local low, sum = text:lower(), 0
    for word in query:lower():gmatch "%S+" do
      local value = worth(word, low)
      sum = value and sum and sum + value
    end
    if sum then
      found[#found + 1] = i
      score[i] = sum
    end
  end
  local empty = not query:find "%S"
  table.sort(found, function(a, b)
    if score[a] ~= score[b] then return score[a] > score[b] end
    if not empty and #list[a] ~= #list[b] then return #list[a] < #list[b] end
    return a < b
  end)
  return found
end

return M
