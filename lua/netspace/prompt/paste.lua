--- Several lines pasted at the prompt: the entries they are.  Copied prompts (`> `, `>> `) are
-- taken off; where the first line has one, lines without are the output between the entries.

local entries = require "netspace.prompt.entry"
local session = require "netspace.prompt.session"

local M = {}

-- The lines of text { text =, number =, prompt = ">" | ">>" | nil }, and what follows the last
-- line's end.
local function lines_of(text)
  local lines, number, prompted = {}, 0, nil
  local function add(line)
    number = number + 1
    local prompt, rest = line:match("^%s*(>>?)%f[%s\0]%s?(.*)$")
    if prompted == nil and line:find("%S") then prompted = prompt ~= nil end
    prompt = prompted and prompt or nil
    return { text = prompt and rest or line, number = number, prompt = prompt }
  end
  for line in text:gmatch("([^\n]*)\n") do lines[#lines + 1] = add(line) end
  return lines, add(text:match("[^\n]*$")).text, prompted
end

-- Whether `line` goes on with the complete entry `text`: ":sample(3)", "and more", no entry of
-- its own.
local function goes_on(text, line)
  local command = line:match("^%s*:%s*(%a+)")
  if command and session.commands[command] or entries.help_request(line) then return false end
  local f, _, more = entries.compile(line, "=in")
  if f or more then return false end
  f, _, more = entries.compile(text .. "\n" .. line, "=in")
  return f ~= nil or more
end

--- The entries of pasted text.
-- @tparam string text
-- @tparam[opt] string pending  the entry that is open
-- @treturn table list of { text =, lines = those pasted of it, from = the number of the first,
-- before = how many lines it had before }; open = the text of one that is not complete, lines =
-- those pasted of it; rest = what follows the last line's end; output = how many lines were
-- taken for output
function M.entries(text, pending)
  local lines, rest, prompted = lines_of(text)
  local out = { rest = rest, output = 0 }
  local entry = { lines = {}, from = 1, before = 0 }
  if pending then entry.before = select(2, pending:gsub("\n", "")) + 1 end
  for at, line in ipairs(lines) do
    local empty = not line.text:find("%S")
    if not pending then entry = { lines = {}, from = line.number, before = 0 } end
    if not pending and (empty or prompted and not line.prompt) then
      if not empty then out.output = out.output + 1 end
    else
      local done
      table.insert(entry.lines, line.text)
      pending, done = entries.advance(pending, line.text)
      local follows = lines[at + 1]
      if done and not pending and follows and (not prompted or follows.prompt == ">>")
        and goes_on(done, follows.text) then
        pending = done
      elseif done then
        entry.text = done
        out[#out + 1] = entry
        entry = { lines = {}, from = line.number + 1, before = 0 }
      end
    end
  end
  out.open, out.lines = pending, entry.lines
  return out
end

return M
