--- Text for a terminal of a given width: lines that are too long are broken between words and
-- go on under their beginning, or under the second column where a line has two.

local canvas = require "netspace.core.canvas"

local function fold_line(line, width, out)
  local indent = line:match("^%s*")
  local column = line:match("^%s*%S.-%s%s+%f[%S]") or ""
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

--- The lines of `text`, none of them wider than `width` cells unless a word is.
-- @treturn table list of strings
local function lines(text, width)
  local out = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    if canvas.text_width(line) <= width then
      out[#out + 1] = line
    else
      fold_line(line, width, out)
    end
  end
  return out
end

return { lines = lines,
  text = function(text, width) return table.concat(lines(text, width), "\n") end }
