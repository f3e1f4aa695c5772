--- Several lines pasted at the prompt: the entries they are.  Copied prompts (`> `, `>> `) are
-- taken off; in a session that was copied, with prompts and what it printed, lines without one
-- are output, also before the first prompt ("$ netspace").

local entries = require "netspace.prompt.entry"
local session = require "netspace.prompt.session"

local M = {}

-- The prompt of a copied line, and what stands behind it; nil where it has none.
local function copied(line) return line:match("^%s*(>>?)%f[%s\0]%s?(.*)$") end

-- Whether text is no copied session, although lines of it begin like a prompt ("x = a\n> b").
local function is_code(text)
  return (load(text, "=in", "t") or load("return " .. text, "=in", "t")) ~= nil
end

-- Whether the first line was copied from behind its prompt: code, before a line that has one.
local function lacks_prompt(lines)
  local first, follows = lines[1], lines[2]
  if not first or first.prompt then return false end
  local f, _, more = entries.compile(first.text, "=in")
  return f ~= nil or more and follows ~= nil and follows.prompt == ">>"
    or entries.help_request(first.text) ~= nil or entries.is_command(first.text)
end

-- The lines of text { text =, number =, prompt = ">" | ">>" | nil }, and what follows the last
-- line's end.
local function lines_of(text)
  local lines, prompted = {}, false
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    local prompt, rest = copied(line)
    lines[#lines + 1] = { text = line, number = #lines + 1, prompt = prompt, rest = rest }
    prompted = prompted or prompt ~= nil
  end
  prompted = prompted and not is_code(text)
  for _, line in ipairs(lines) do
    if not prompted then line.prompt = nil end
    if line.prompt then line.text = line.rest end
  end
  if prompted and lacks_prompt(lines) then lines[1].prompt = ">" end
  return lines, table.remove(lines), prompted
end

--- A line as it was typed, without a prompt that was copied with it; `pending`: the entry that is
-- open, which "> b" may go on.
function M.bare(line, pending)
  local _, rest = copied(line)
  local whole = pending and pending .. "\n" .. line or line
  if not rest or entries.compile(whole, "=in") or entries.incomplete(whole) then return line end
  return rest
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
-- taken for output; dropped = how many for entries that Ctrl-C had dropped
function M.entries(text, pending)
  local lines, rest, prompted = lines_of(text)
  local out = { rest = rest.text, output = 0, dropped = 0 }
  local entry = { lines = {}, from = 1, before = 0 }
  if pending then entry.before = select(2, pending:gsub("\n", "")) + 1 end
  for at, line in ipairs(lines) do
    local empty = not line.text:find("%S")
    if not pending then entry = { lines = {}, from = line.number, before = 0 } end
    if line.prompt and line.text:find("%^C%s*$") then
      out.dropped = out.dropped + 1
      pending, entry = nil, { lines = {}, from = line.number + 1, before = 0 }
    elseif not pending and (empty or prompted and not line.prompt) then
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
  if prompted and not pending and not rest.prompt and rest.text:find("%S") then
    out.rest, out.output = "", out.output + 1
  end
  out.open, out.lines = pending, entry.lines
  return out
end

return M
