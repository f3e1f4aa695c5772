--- Text for a terminal of a given width: lines that are too long are broken between words and
-- go on under their beginning, or under the second column where a line has two.

local canvas = require "netspace.core.canvas"

local FULL = 72 -- cells of a line that was broken, at least

-- What stands before the second column of a line, or "".  Two blanks after a sentence are none.
local function first_column(line)
  local from, to = line:find("[^%s%.,:;?!]%s%s+%f[%S]", #line:match("^%s*") + 1)
  return from and line:sub(1, to) or ""
end

-- Whether a line says how something is called: "f(x) -> list", "s:size{ … }".
local function is_signature(line)
  return line:find "^[%a_][%w_.:]*%s?[({]" ~= nil or line:find " %-> " ~= nil
end

-- Lines that go on in the next one, put together.
local function joined(text)
  local out, last = {}, nil
  for line in (text .. "\n"):gmatch("(.-)\n") do
    local indent, before = #line:match("^%s*"), out[#out]
    local column = before and first_column(before) or ""
    local hang, deeper = canvas.text_width(column), indent - #(before or ""):match "^%s*"
    local goes_on = #out > 1 and line ~= "" and last ~= "" and first_column(line) == ""
      and not line:find "^%s*example: " and not line:find "^%s*source: "
      and not is_signature(last) and (hang > 0 and math.abs(indent - hang) <= 1
      or hang == 0 and (deeper == 0 or deeper == 2) and not last:find ":$"
      and canvas.text_width(last) >= FULL)
    if goes_on then
      out[#out] = before .. " " .. line:sub(indent + 1)
    else
      out[#out + 1] = line
    end
    last = line
  end
  return out
end

local function fold_line(line, width, out)
  local indent, column = line:match("^%s*"), first_column(line)
  local hang = #indent
  if column ~= "" and canvas.text_width(column) <= width // 2 then
    hang = canvas.text_width(column)
  elseif hang + 2 <= width // 2 then
    hang = hang + 2
  end
  local row, used = indent, #indent
  for blanks, word in line:sub(#indent + 1):gmatch("(%s*)(%S+)") do
    local cells = canvas.text_width(word)
    if used + #blanks + cells > width and used > hang then
      out[#out + 1] = row
      row, used, blanks = (" "):rep(hang), hang, ""
    end
    row, used = row .. blanks .. word, used + #blanks + cells
  end
  out[#out + 1] = row
end

-- Lines, each folded where it is too wide; and whether any was.
local function fold_all(list, width)
  local out, folded = {}, false
  for _, line in ipairs(list) do
    if canvas.text_width(line) <= width then
      out[#out + 1] = line
    else
      folded = true
      fold_line(line, width, out)
    end
  end
  return out, folded
end

local M = {}

--- The lines of `text`, none of them wider than `width` cells unless a word is.
-- @treturn table list of strings
function M.lines(text, width)
  local list = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do list[#list + 1] = line end
  return (fold_all(list, width))
end

function M.text(text, width) return table.concat(M.lines(text, width), "\n") end

--- A text that was folded for a wider terminal, folded again where it does not fit.
function M.anew(text, width)
  local out, folded = fold_all(M.lines(text, math.huge), width)
  if folded then out = fold_all(joined(text), width) end
  return table.concat(out, "\n")
end

return M
