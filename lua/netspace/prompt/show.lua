--- How a value is shown: at the prompt, and by print in scripts.

local canvas = require "netspace.core.canvas"
local fold = require "netspace.lib.fold"
local help = require "netspace.prompt.help"
local members = require "netspace.lib.members"
local pretty = require "netspace.lib.pretty"
local sys = require "netspace.core.sys"

local M = {}

--- The text of a value: what a module or a function is, else the value.  What has a text of its
-- own comes in lines of the terminal's width, and so does a sentence (a verdict) that is longer:
-- without quotes, and broken between words.
function M.text(value)
  local width = sys.terminal(1)
  if type(value) == "string" and width and canvas.text_width(value) > width
    and value:find " " and utf8.len(value) and not value:find "%c" then
    return fold.text(value, width)
  end
  local about = help.about(value)
  local text = about or pretty.pretty(value)
  if about or members.own_text(value) then
    return fold.text(text, width or math.huge)
  end
  return text
end

-- What print writes of a value: strings as they are.
local function printed(value)
  local kind = type(value)
  local plain = kind == "string" or kind == "number" or kind == "nil" or kind == "boolean"
  return plain and tostring(value) or M.text(value)
end

--- print, as scripts know it, but for tables, functions and objects, which it shows as the
-- prompt does.
function M.print(...)
  local values = table.pack(...)
  for i = 1, values.n do values[i] = printed(values[i]) end
  io.stdout:write(table.concat(values, "\t"), "\n")
end

return M
