--- The palette: everything the prompt knows, with a line each, found as one types.  Alt-x, `:`
-- and Tab, or :help opens it; Enter puts the choice on the line.

local canvas = require "netspace.core.canvas"

local fuzzy = require "netspace.lib.fuzzy"
local help = require "netspace.prompt.help"
local netspace = require "netspace"
local screen = require "netspace.core.screen"
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}

local PUMP = 50 -- milliseconds between two looks at what runs in the background

local keys = {
  { "Alt-x", "this list" },
  { "Tab", "completes names, options, files; twice: lists them" },
  { "Up, Down", "earlier entries that begin as the line does" },
  { "Ctrl-R", "searches the history" },
  { "Ctrl-A, Ctrl-E", "to the beginning, the end of the line" },
  { "Alt-B, Alt-F", "a word back, forward" },
  { "Ctrl-W, Ctrl-U, Ctrl-K", "cut a word, what is before, after the cursor; Ctrl-Y pastes" },
  { "Ctrl-_", "takes the last edit back" },
  { "Ctrl-L", "clears the screen" },
  { "Ctrl-C", "drops the line, stops what runs" },
  { "Ctrl-D", "leaves (on an empty line)" },
  { "Ctrl-Z", "suspends; fg brings it back" },
}

-- The sentence of a topic.
local function about(topic)
  for _, row in ipairs(netspace._names) do
    if row[1] == topic then return row[2] end
  end
  local _, sentence = help._summary(topic)
  return sentence
end

--- All there is: a list of { name =, about =, put = what goes on the line, nil: nothing }.
function M.rows()
  local rows = {}
  for _, topic in ipairs(help.names()) do
    if topic:sub(1, 1) == ":" then
      rows[#rows + 1] = { name = topic, about = about(topic):gsub("^At the prompt: ", ""),
        put = topic .. " " }
    end
  end
  for _, key in ipairs(keys) do rows[#rows + 1] = { name = key[1], about = key[2] } end
  for _, topic in ipairs(help.names()) do
    if topic:sub(1, 1) ~= ":" then
      rows[#rows + 1] = { name = topic, about = about(topic), put = topic }
    end
  end
  return rows
end

--- The rows that `query` finds, best first: by their names, then by words of what they say.
function M.find(rows, query)
  local names, found, taken = {}, {}, {}
  for i, row in ipairs(rows) do names[i] = row.name end
  for _, i in ipairs(fuzzy.rank(query, names)) do
    found[#found + 1], taken[i] = rows[i], true
  end
  for i, row in ipairs(rows) do
    local all = not taken[i]
    for word in query:lower():gmatch "%S+" do
      all = all and row.about:lower():find(word, 1, true) ~= nil
    end
    if all then found[#found + 1] = row end
  end
  return found
end

--- What a key does to the state { query =, row = }, of which `n` rows are found; "enter" and
-- "escape" are the caller's.
function M.press(state, key, n, page)
  local steps = { up = -1, down = 1, pageup = -page, pagedown = page, wheelup = -3, wheeldown = 3,
    tab = 1, backtab = -1, home = -n, ["end"] = n }
  if steps[key] then
    state.row = math.max(1, math.min(n, state.row + steps[key]))
  elseif key == "backspace" then
    state.query = state.query:sub(1, (utf8.offset(state.query, -1) or 1) - 1)
    state.row = 1
  elseif key == "ctrl-u" then
    state.query, state.row = "", 1
  elseif key == "ctrl-w" then
    state.query, state.row = state.query:gsub("%S*%s*$", ""), 1
  elseif utf8.len(key) == 1 and not key:find "%c" then
    state.query, state.row = state.query .. key, 1
  end
end

--- The screen as a canvas.
function M.draw(state, found, width, height)
  local c = canvas.new(width, height, not screen.unicode())
  c:text(1, 1, ("find: %s_"):format(state.query), width, canvas.bold)
  local room = height - 2
  local first = math.max(1, state.row - room + 1)
  local left = 0
  for _, row in ipairs(found) do left = math.max(left, canvas.text_width(row.name)) end
  left = math.min(left, width // 2)
  for y = 1, math.min(room, #found - first + 1) do
    local row = found[first + y - 1]
    local style = first + y - 1 == state.row and canvas.reverse or 0
    local blanks = (" "):rep(left - canvas.text_width(row.name) + 2)
    local text = row.name .. blanks .. row.about
    c:text(1, y + 1, text .. (" "):rep(width - canvas.text_width(text)), width, style)
  end
  if #found == 0 then c:text(1, 2, "no name matches", width, 0) end
  c:text(1, height, "type to find, Tab and arrows move, Enter takes, Escape goes back", width,
    canvas.dim)
  return c
end

local function choose(window, query)
  local rows = M.rows()
  local state = { query = query, row = 1 }
  while not sys.interrupted() do
    local found = M.find(rows, state.query)
    local width, height = window:size()
    local c = M.draw(state, found, width, height)
    window:paint(c)
    c:close()
    local key
    repeat
      uv.run "nowait" -- a sweep of this process goes on
      key = window:key(PUMP)
    until key or sys.interrupted()
    if key == "escape" or key == "hangup" then return nil end
    if key == "enter" then return found[state.row] and found[state.row].put end
    if key then M.press(state, key, #found, height - 3) end
  end
end

--- Opens the palette on the whole screen with `query` typed.
-- @treturn string what is to go on the line, or nil when nothing was chosen
function M.open(query)
  local window, why = screen.open(not sys.color(1))
  if not window then
    io.stderr:write("the palette needs a full screen: ", why, "; help() lists all names\n")
    return nil
  end
  return sys.shielded(function() -- Ctrl-C closes it, no more
    local scope <close> = window
    local choice = choose(scope, query)
    if not sys.ending() then sys.clear_interrupt() end
    return choice
  end)
end

return M
