--- What a session at the prompt has so far: the globals of the user, the entries that went
-- well, and the commands that begin with a colon.
--
--   who()   :time EXPRESSION   :save FILE

local atomic = require "netspace.lib.atomic"
local document = require("netspace.lib.doc").group "who"
local members = require "netspace.lib.members"
local options = require "netspace.lib.options"
local pretty = require "netspace.lib.pretty"
local strict = require "netspace.strict"
local sys = require "netspace.core.sys"

local M = {
  commands = {},
  at_prompt = false, -- whether there is a line
  line = nil, -- what is to stand on the next one
}

-- Entries, each behind "+" where what it gave was printed, "-" where not.  Equal ones are one
-- string, so that a session of days stays small.
local entries, distinct = {}, {}
local left_out = 0 -- entries that raised
local HEADER = "-- A session of netspace "

-- Functions whose calls only look.
local looking = { help = true, monitor = true, tour = true, who = true }

--- Keeps an entry that went well, unless it only looks; `shown`: what it gave was printed.
function M.keep(text, shown)
  local name = text:match("^[%s=]*(%a+)%f[^%w_.:]")
  local looks = looking[name] and load("return " .. text:gsub("^[%s=]*", ""), "=entry", "t")
  if looks then return end
  local entry = (shown and "+" or "-") .. text
  distinct[entry] = distinct[entry] or entry
  entries[#entries + 1] = distinct[entry]
end

--- Notes an entry that raised.  A sweep that Ctrl-C stopped goes on when the script runs.
function M.raised(text, interrupted)
  if interrupted and (text:find "%f[%w_]sweep%.[rp]" or text:find "%f[%w_]design%.") then
    M.keep(text, false)
  else
    left_out = left_out + 1
  end
end

-- An entry as a script has it.  A local at the prompt ends with its entry.
local function as_statement(entry)
  local text = entry:sub(2)
  if entry:sub(1, 1) == "+" then
    return ("show(%s%s)"):format(text:gsub("^%s*=", ""), text:find("%-%-") and "\n" or "")
  elseif not load(text, "=entry", "t") then
    return "_ = " .. text:gsub("^%s*=", "") -- an expression that is hidden by its ;
  end
  return text:find("^%s*local%f[%W]") and ("do\n%s\nend"):format(text) or text
end

-- The entries of this session as a script.
local function save(file)
  if file == "" then error("':save FILE' needs the name of a file", 0) end
  local out = { HEADER .. sys.version .. ".  Run it: netspace FILE",
    "local function show(...)", "  local values = table.pack(...)",
    "  for i = 1, values.n do values[i] = pretty(values[i]) end",
    '  if values.n > 0 then print(table.concat(values, "   ")) end', "  _ = ...", "end", "" }
  for _, entry in ipairs(entries) do out[#out + 1] = as_statement(entry) end
  local good, why = atomic.write(file, function(write) write(table.concat(out, "\n") .. "\n") end)
  if not good then error(why, 0) end
  print(("%s: %d entr%s%s"):format(file, #entries, #entries == 1 and "y" or "ies",
    left_out > 0 and ("; %d that raised left out"):format(left_out) or ""))
end

--- :save FILE; not over a file that it did not write itself.
function M.commands.save(file)
  local foreign = atomic.foreign(file, "a session that :save wrote", function(head)
    return head:sub(1, #HEADER) == HEADER
  end)
  if foreign and not foreign:find " is a store " then
    foreign = ("%s (:save! %s writes over it)"):format(foreign, file)
  end
  if foreign then error(foreign, 0) end
  save(file)
end

--- :save! FILE; over any file but a store.
M.commands["save!"] = function(file)
  local foreign = atomic.foreign(file, "a session that :save wrote", function(head)
    return not head:find "^SQLite format 3%z"
  end)
  if foreign then error(foreign, 0) end
  save(file)
end

--- :time EXPRESSION: evaluates it and says how long that took.
function M.commands.time(text, evaluate)
  local wall, cpu = sys.now(), os.clock()
  if not evaluate(text) then return end
  print(("%.3f s, %.3f s of the processor here"):format(sys.now() - wall, os.clock() - cpu))
end

--- :help [WORDS]: the palette, for the next line.
function M.commands.help(query)
  if M.at_prompt then
    M.line = require("netspace.prompt.palette").open(query)
  else
    require "netspace.prompt.help"()
  end
end

--- Runs ":name rest"; `evaluate` is how the prompt evaluates an entry.
function M.run(text, evaluate)
  local name, rest = text:match("^%s*:%s*([%a_]*!?)%s*(.-)%s*$")
  local command = M.commands[name]
  if not command then
    error(("there is no command ':%s'%s; there are :help, :save and :time"):format(name,
      options.hint(name, M.commands)), 0)
  end
  return command(rest, evaluate)
end

local known = {} -- the globals there were before the user's
for name in next, _G do known[name] = true end

--- The globals that the user has made: a list of { name =, type =, value = }.
function M.who()
  local list = {}
  for name, value in next, _G do
    if type(name) == "string" and strict.declared[name] and not known[name] and name ~= "_" then
      list[#list + 1] = { name = name, value = pretty._line(value, 60),
        type = members.kind(value) or math.type(value) or type(value) }
    end
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

document("who", [[
  who() -> list of { name =, type =, value = }
  The globals that you have made; a table at the prompt.
  example: who()]])
document(":help", [[
  :help [WORDS]
  At the prompt: lists commands, keys and names, and finds among them as you type; Enter puts
  the choice on the line.  Alt-x opens the same list, as does Tab after a single colon.]])
document(":save", [[
  :save FILE, :save! FILE
  At the prompt: writes the entries of this session as a script, which does the same in batch
  (netspace FILE) and prints the same.  Only :save! writes over a file that :save did not
  write itself, and never over a store.  A sweep that Ctrl-C stopped is part of it, and goes on
  there.  Other entries that raised an exception or used an undefined name are left out, as are
  those that only look (?x, help, monitor, who, tour).]])
document(":time", [[
  :time EXPRESSION
  At the prompt: evaluates an entry and prints the time it took and the processor time of
  this process (without its workers).]])

return M
