--- Which classes a network takes for which: the counts of net:confusion, and how they print.  The
-- matrix, where it fits a terminal of 80 columns, each answer headed by a letter; and the pairs
-- that are most often mistaken, as sentences.

local columns = require "netspace.lib.columns"
local paths = require "netspace.lib.path"
local pretty = require "netspace.lib.pretty"
local tabular = require "netspace.lib.tabular"

local M = {}

local KEPT = 10   -- pairs that are kept
local SAID = 5    -- of these, what is printed below a matrix; all, where there is none
local WIDTH = 80  -- of a matrix
local NAME = 16   -- of the name of a class in it
local SHOWN = 3   -- images of each pair that are named

local Confusion = { __name = "confusion" }
Confusion.__index = Confusion

-- "1 of 20 (5 %)"
local function share(n, of)
  return ("%d of %d (%.0f %%)"):format(n, of, 100 * n / math.max(of, 1))
end

-- A letter for each class, as far as they go.
local function letter(k) return k <= 26 and string.char(96 + k) or nil end

-- The rows of the matrix as cells; the first cell has letter and name.
local function matrix_rows(c)
  local rows = { { "" } }
  for k = 1, #c.class_names do rows[1][k + 1] = letter(k) end
  table.insert(rows[1], "wrong")
  for i, row in ipairs(c.matrix) do
    local cells = { ("%s %s"):format(letter(i), pretty._shorten(c.class_names[i], NAME, "~")) }
    for k, n in ipairs(row) do cells[k + 1] = n == 0 and "." or tostring(n) end
    cells[#cells + 1] = c.of[i] == 0 and "-" or ("%.0f %%"):format(100 * c.wrong[i] / c.of[i])
    rows[i + 1] = cells
  end
  return rows
end

-- The lines of the matrix, or nil where it is too wide.
local function matrix_lines(c)
  if #c.class_names > 26 then return nil end
  local lines = columns.lines(matrix_rows(c), { gap = function() return " " end })
  for _, line in ipairs(lines) do
    if utf8.len(line) > WIDTH then return nil end
  end
  return lines
end

function Confusion:__tostring()
  local lines = { ("%d of %d %s images wrong (%.2f %%); by class %.2f %%"):format(
    self.n_wrong, self.n, self.split == "train" and "training" or self.split, self.error,
    self.class_error) }
  local matrix = matrix_lines(self)
  if matrix then
    lines[#lines + 1] = "rows: what it is; columns: what the network says"
    table.move(matrix, 1, #matrix, #lines + 1, lines)
  end
  for i = 1, math.min(#self.worst, matrix and SAID or KEPT) do
    local w = self.worst[i]
    lines[#lines + 1] = ("%s is taken for %s: %s"):format(w.class, w.taken_for, share(w.n, w.of))
    local text
    for _, file in ipairs(w.files or {}) do -- one, and others where they fit
      local more = (text and text .. ", " or "  ") .. paths.line(file)
      if not text or utf8.len(more, 1, -1, true) and utf8.len(more) <= WIDTH then text = more end
    end
    lines[#lines + 1] = text
  end
  return table.concat(lines, "\n")
end

--- The whole matrix for other programs: a row for each class, with its name.
Confusion.table = tabular.method(function(c)
  local rows = { { "class", table.unpack(c.class_names) } }
  for i, row in ipairs(c.matrix) do
    rows[i + 1] = { c.class_names[i] }
    for k, n in ipairs(row) do rows[i + 1][k + 1] = tostring(n) end
  end
  return rows
end)

--- Names images of each pair: .images, up to SHOWN of their numbers in the split, and .files,
-- where they are from files.
-- @tparam table answers of the images, from 0
-- @tparam function label(i) label of an image, from 0
-- @tparam function name(i) of its file, or nil
function M.show(c, answers, label, name)
  local of = {}
  for _, w in ipairs(c.worst) do
    w.images = {}
    of[w.label * #c.class_names + w.answer] = w
  end
  for i, answer in ipairs(answers) do
    local w = of[label(i) * #c.class_names + answer]
    if w and answer >= 0 and #w.images < SHOWN then
      w.images[#w.images + 1] = i
      local file = name(i)
      if file then
        w.files = w.files or {}
        w.files[#w.files + 1] = file
      end
    end
  end
  return c
end

--- The confusion of a matrix of counts by label and answer.
-- @treturn table matrix, class_names, split; n, n_wrong, error and class_error in percent; of and
-- wrong of each class; worst pairs, each class, taken_for, n, of, share, label, answer
function M.new(matrix, class_names, split)
  local c = { split = split, matrix = matrix, class_names = class_names, n = 0, n_wrong = 0,
    of = {}, wrong = {}, worst = {} }
  local pairs_of, errors, classes = {}, 0, 0
  for i, row in ipairs(matrix) do
    local of = 0
    for _, count in ipairs(row) do of = of + count end
    c.of[i], c.wrong[i] = of, of - row[i]
    c.n, c.n_wrong = c.n + of, c.n_wrong + of - row[i]
    if of > 0 then errors, classes = errors + (of - row[i]) / of, classes + 1 end
    for k, count in ipairs(row) do
      if k ~= i and count > 0 then
        pairs_of[#pairs_of + 1] = { class = class_names[i], taken_for = class_names[k], n = count,
          of = of, share = count / of, label = i - 1, answer = k - 1 }
      end
    end
  end
  table.sort(pairs_of, function(a, b)
    if a.n ~= b.n then return a.n > b.n end
    if a.share ~= b.share then return a.share > b.share end
    if a.label ~= b.label then return a.label < b.label end
    return a.answer < b.answer
  end)
  table.move(pairs_of, 1, math.min(KEPT, #pairs_of), 1, c.worst)
  c.error = 100 * c.n_wrong / math.max(c.n, 1)
  c.class_error = 100 * errors / math.max(classes, 1)
  return setmetatable(c, Confusion)
end

return M
