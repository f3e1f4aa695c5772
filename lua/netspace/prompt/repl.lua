--- The prompt: reads entries, evaluates them, prints what they give.
-- On a terminal the line editor is core.readline, and reading happens in the event loop, so
-- that a sweep runs while the user types.  Entries are evaluated outside of it, because
-- the loop cannot be entered twice and sweep.run enters it.

local background = require "netspace.lib.background"
local blame = require "netspace.lib.blame"
local chunk = require "netspace.lib.chunk"
local complete = require "netspace.prompt.complete"
local entries = require "netspace.prompt.entry"
local exception = require "netspace.prompt.exception"
local fold = require "netspace.lib.fold"
local habits = require "netspace.lib.habits"
local help = require "netspace.prompt.help"
local history = require "netspace.prompt.history"
local lacking = require "netspace.prompt.lacking"
local members = require "netspace.lib.members"
local pager = require "netspace.prompt.pager"
local palette = require "netspace.prompt.palette"
local paste = require "netspace.prompt.paste"
local pretty = require "netspace.lib.pretty"
local progress = require "netspace.sweep.progress"
local rl = require "netspace.core.readline"
local session = require "netspace.prompt.session"
local show = require "netspace.prompt.show"
local strict = require "netspace.strict"
local sys = require "netspace.core.sys"
local tour = require "netspace.prompt.tour"
local uv = require "luv"
local xdg = require "netspace.lib.xdg"

local M = {}

local PROMPT, CONTINUED = "> ", ">> "
local KEPT = 500 -- entries whose text is kept for error messages

local evaluated = 0    -- entries so far; names their chunks
local hints = {}       -- undeclared globals read by the running entry: name -> nearest or false
local leaving = { exit = true, quit = true, q = true }
local told_local       -- the hint on `local` has been given
local editing = false  -- the prompt of the line editor is on the screen

local function dim(text)
  return sys.color(1) and "\27[2m" .. text .. "\27[0m" or text
end

local function note(text)
  io.stdout:flush()
  io.stderr:write(sys.color(2) and "\27[33m" .. text .. "\27[0m\n" or text .. "\n")
end

-- Prints a line that nobody asked for (a sweep has ended): above the prompt when it is on
-- the screen, after the pager has gone when that is, otherwise to stderr.
local function notify(text)
  text = fold.text(text, sys.terminal(1) or math.huge)
  if editing then
    rl.above(text)
  elseif pager.held then
    table.insert(pager.held, text)
  else
    io.stderr:write(text, "\n")
  end
end

local function show_results(results)
  local texts, apart = {}, "   "
  if results.n == 1 and members.kind(results[1]) == "plot" then
    return results[1]:show()
  end
  for i = 1, results.n do
    texts[i] = show.text(results[i])
    if texts[i]:find("\n") then apart = "\n" end
  end
  pager.print(table.concat(texts, apart))
end

-- Says in a line what an entry has assigned to globals, where that is worth seeing.
local function show_assigned(text)
  for _, name in ipairs(pretty.echo and entries.assigned(text) or {}) do
    local value = rawget(_G, name)
    if members.kind(value) == "plot" then
      print(("%s: plot; %s:show() shows it"):format(name, name))
    elseif pretty._has_line(value) and not help.about(value) then
      print(("%s: %s"):format(name, pretty._line(value, (sys.terminal(1) or 80) - #name - 2)))
    end
  end
end

-- Says what an entry has assigned nil to that came with a message, which was lost otherwise; a
-- later use of that name is told of it again (exception.lua).
local function show_nothing(text)
  local names = {}
  blame.last.names = names
  for _, name in ipairs(entries.assigned(text)) do
    if rawget(_G, name) == nil then
      names[name] = true
      return note(("%s is nil: %s: %s"):format(name, blame.last.what, blame.last.message))
    end
  end
end

-- What an entry has assigned anew is no longer what gave nothing.
local function forget_nothing(text)
  for _, name in ipairs(entries.assigned(text)) do blame.last.names[name] = nil end
end

-- Says which names were not defined, but for those that `message` has.
local function show_undefined(message)
  for name, near in pairs(hints) do
    local habit = habits.name(name)
    near = habit and ": " .. habit or near and (" (did you mean '%s'?)"):format(near) or ""
    if not message:find(("'%s'"):format(name), 1, true) then
      note(("'%s' is not defined%s"):format(name, near))
    end
  end
end

local function show_hints(text)
  show_undefined ""
  if not told_local and text:find("^%s*local%s+[%a_]") and not text:find("\n") and
    not text:find(";%s*%S") then
    told_local = true
    note("a local ends with its line: leave out 'local' to keep the value")
  end
end

-- Shows an error; returns the line of the entry it is in, as far as that is known.
local function show_error(e, text, name)
  io.stdout:flush()
  local own = type(e) == "table" and e.source == name and e.line
  local line = own or tonumber(tostring(e):match("^in%[%d+%]:(%d+): ")) or 1
  if type(e) == "table" and e.message == "interrupted" then
    -- After the ^C of the terminal.
    if sys.isatty(2) and not progress.fresh then io.stderr:write("\n") end
    sys.clear_interrupt()
  elseif not text:find("\n") then
    -- One line: where it happened is plain, unless it was in an older entry or a file.
    local plain = name:sub(2):gsub("%p", "%%%0") .. ":1: "
    if type(e) == "table" then e.message = e.message:gsub("^" .. plain, "") end
  end
  exception.show(e, "")
  return line
end

-- ":time x": a command of session.lua.
local function run_command(text, name)
  local results = table.pack(sys.interruptible(exception.handler, session.run, text, M.evaluate))
  if not results[1] then return false, show_error(results[2], text, name) end
  return true
end

-- "exit", "quit()": what nobody has made.
local function wants_out(text)
  local name = text:match("^%s*(%a+)%s*%(?%s*%)?%s*;?%s*$")
  return leaving[name] and rawget(_G, name) == nil
end

--- Evaluates an entry and prints its results or its error.
-- @return whether it went well: without an error, and without a name that is not defined; after
-- an error also the line of the entry where that was
function M.evaluate(text)
  evaluated = evaluated + 1
  local name = ("=in[%d]"):format(evaluated)
  chunk.texts[name] = text
  chunk.texts[("=in[%d]"):format(evaluated - KEPT)] = nil
  hints, progress.fresh = {}, false
  if entries.is_command(text) then return run_command(text, name) end
  if wants_out(text) then
    note("Ctrl-D leaves, as does os.exit()")
    return false
  end
  local asked = entries.help_request(text)
  local f, shown, quiet = entries.compile(asked or text, name)
  if not f then
    local line = show_error(shown, text, name)
    return false, line
  end
  local before = blame.last
  local results = table.pack(sys.interruptible(exception.handler, f))
  if not results[1] then
    local line = show_error(results[2], text, name)
    show_undefined(results[2].message)
    session.raised(text, results[2].message == "interrupted")
    return false, line
  end
  if blame.last ~= before then show_nothing(text)
  elseif before and before.names then forget_nothing(text) end
  -- Printing runs the user's __tostring, and may be long.
  local show_it, what = show_assigned, text
  if shown and results.n > 1 then
    table.remove(results, 1)
    results.n = results.n - 1
    rawset(_G, "_", results[1])
    show_it, what = show_results, results
  end
  if not quiet then
    local good, e = sys.interruptible(exception.handler, show_it, what)
    if not good then return false, show_error(e, text, name) end
  end
  io.stdout:flush()
  local nothing = shown and results.n == 1 and results[1] == nil
    or not shown and rawget(_G, entries.assigned(text)[1] or "") == nil
  local lacks = nothing and blame.last == before and lacking.told(text)
  if lacks then note(fold.text(lacks, sys.terminal(2) or math.huge)) end
  show_hints(text)
  if next(hints) then return false end
  local looked = asked or shown and results.n == 1 and help.about(results[1])
  if not looked then session.keep(text, shown) end
  return true
end

-- Callbacks of the event loop that fail while the prompt waits.
local function run_loop(mode)
  local good, e = pcall(uv.run, mode)
  if not good then
    for _, line in ipairs(exception.lines(e)) do notify(line[2]) end
  end
end

-- A line from the terminal: the text, and whether it was "typed", "pasted", or left for the
-- "palette", then also where the cursor was; false at its end (Ctrl-D), nil after Ctrl-C.
-- `text` stands on it at first, with the cursor after `point` bytes or at its end; what is typed
-- takes the place of an offer.
local function read_line(poll, prompt, text, offer, point)
  rl.start(prompt, text, offer, point)
  editing = true
  poll:start("r", function()
    rl.read()
    if rl.reading() then return end
    uv.stop()
  end)
  while rl.reading() and not sys.interrupted() do run_loop() end
  poll:stop()
  if rl.reading() then
    rl.cancel()
    if not sys.ending() then sys.clear_interrupt() end
    editing = false
    return nil
  end
  editing = false
  return rl.line()
end

-- Whether to leave: asks when a sweep started here is at work.
local function may_leave(poll)
  local n = background.running()
  if n == 0 then return true end
  local answer = read_line(poll, ("%s at work; what is trained is kept.  Stop and leave? [y/N] ")
    :format(n == 1 and "a sweep is" or n .. " sweeps are"))
  return answer == false or answer and answer:find("^%s*[yY]") ~= nil
end

local function remember(path, entry)
  if entry:find("^%s") then return path end -- a leading space keeps it out
  rl.remember(entry, history.LIMIT)
  if path then
    local good, why = history.append(path, entry)
    if not good then
      note("the history is not kept: " .. why)
      return nil
    end
  end
  return path
end

-- Ctrl-Z at the prompt
local function suspend()
  background.suspend(rl.suspend)
end

-- Calls a function that reads what is typed, while an entry runs.
local function asking(f, ...)
  rl.mute(false)
  local results = table.pack(pcall(f, ...))
  rl.mute(true)
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

-- Runs an entry that was typed or pasted.
local function run_entry(kept, text)
  kept.path = remember(kept.path, text)
  rl.mute(true)
  local good, line = M.evaluate(text)
  rl.mute(false)
  background.tell()
  tour._heard(text, good)
  return line
end

-- What was not run of a paste: its lines, as they are in the history now.
local function say_unrun(kept, pasted, failed, line)
  local left = {}
  for i = failed + 1, #pasted do left[#left + 1] = pasted[i].text end
  if pasted.open then left[#left + 1] = pasted.open end
  if pasted.rest:find("%S") then left[#left + 1] = pasted.rest end
  if #left == 0 then return note(("that was line %d of what was pasted"):format(line)) end
  kept.path = remember(kept.path, table.concat(left, "\n"))
  note(fold.text(("that was line %d of what was pasted; not run: %d entr%s, from '%s'; "
    .. "Up brings %s back"):format(line, #left, #left == 1 and "y" or "ies",
    left[1]:match("[^\n]*"), #left == 1 and "it" or "them"), sys.terminal(2) or math.huge))
end

-- Runs what was pasted, one entry after the other, each behind its prompt; the first error ends
-- it.  Returns the entry that is still open, and what is to stand on the line.
local function run_paste(kept, text, pending)
  local pasted = paste.entries(text, pending)
  local function echo(lines, open)
    for _, line in ipairs(lines) do
      print((open and CONTINUED or PROMPT) .. line)
      open = true
    end
  end
  local function say_left_out(n, what, as)
    if n == 0 then return end
    note(("%d line%s %s %s taken for %s"):format(n, n == 1 and "" or "s", what,
      n == 1 and "is" or "are", as))
  end
  say_left_out(pasted.output, "without a prompt", "output")
  say_left_out(pasted.dropped, "with ^C", "dropped")
  for i, entry in ipairs(pasted) do
    echo(entry.lines, pending)
    pager.allowed = i == #pasted and not pasted.open and sys.isatty(1)
    local line = run_entry(kept, entry.text)
    pager.allowed, pending = false, nil
    if not line and sys.interrupted() then line = 1 end
    if sys.ending() then return end
    if line then
      sys.clear_interrupt()
      return say_unrun(kept, pasted, i, entry.from + math.max(0, line - 1 - entry.before))
    end
  end
  if pasted.open then echo(pasted.lines, pending) end
  return pasted.open, pasted.rest
end

-- Whether a line holds several entries, as one from the history can.
local function is_several(line)
  return line:find("\n") and not entries.compile(line, "=in") and not entries.incomplete(line)
    and not entries.is_command(line)
end

-- The palette for the word before the cursor: the line with the choice, and where the cursor
-- is then.
local function choose(line, point)
  local before, word = line:sub(1, point):match("^(.-)([%w_.:]*)$")
  local choice = palette.open(word) or word
  return before .. choice .. line:sub(point + 1), #before + #choice
end

local function terminal_session()
  tour.at_prompt, session.at_prompt = true, true
  background.listen { notify = notify, typing = function() return editing end, asking = asking }
  local read = io.read
  function io.read(...) return asking(read, ...) end -- luacheck: ignore
  rl.setup(complete.complete)
  local kept = { path = history.path() }
  for _, entry in ipairs(kept.path and history.load(kept.path) or {}) do
    rl.remember(entry, history.LIMIT)
  end
  -- Polling makes a descriptor non-blocking, for every program that shares it: the
  -- terminal is opened a second time for that.
  local terminal = uv.fs_open("/proc/self/fd/0", "r", 0) or 0
  local poll = assert(uv.new_poll(terminal))
  local stop = uv.new_signal()
  local pending, rest, cursor
  while not sys.ending() do
    stop:start("sigtstp", suspend)
    local offer = not pending and not rest and tour._offer()
    local line, how, point = read_line(poll, pending and CONTINUED or PROMPT,
      rest or offer or nil, offer, cursor)
    stop:stop()
    rest, cursor = nil, nil
    if how == "palette" then
      rest, cursor = choose(line, point)
    elseif line == false then
      io.stdout:write("\n")
      if pending then
        pending = nil
      elseif tour._offer() then
        tour._heard(nil)
      elseif may_leave(poll) then
        break
      end
    elseif line == nil then
      pending = nil
      tour._heard(nil)
    elseif how == "pasted" or not pending and is_several(line) then
      pending, rest = run_paste(kept, how == "pasted" and line or line .. "\n", pending)
      if rest == "" then rest = nil end
    else
      local entry
      pending, entry = entries.advance(pending, paste.bare(line, pending))
      if entry and entry:find("%S") then
        pager.allowed = sys.isatty(1)
        run_entry(kept, entry)
        pager.allowed = false
        rest, session.line = session.line, nil
      end
    end
  end
  poll:close()
  stop:close()
  background.finish(true)
end

-- Entries from a pipe or a file (-i): no prompt, no echo.
local function piped_session()
  local pending
  for line in io.lines() do
    local entry
    pending, entry = entries.advance(pending, line)
    if entry and entry:find("%S") then M.evaluate(entry) end
    run_loop("nowait")
    if sys.ending() then return end
  end
  if pending then M.evaluate(pending) end
end

local function banner()
  print(("netspace %s, %d core%s, %s"):format(sys.version, sys.cores(),
    sys.cores() == 1 and "" or "s", sys.blas()))
  print(dim(fold.text("tour() shows the method, help() lists names, ?name explains one, Tab "
    .. "completes, Alt-x finds", sys.terminal(1) or math.huge)))
end

local function run_init()
  local path = xdg.config "init.lua"
  if not path or not uv.fs_stat(path) then return end
  local f, message = loadfile(path)
  local good, e = false, message
  if f then good, e = sys.interruptible(exception.handler, f) end
  if not good then exception.show(e, "warning: ") end
  sys.clear_interrupt()
end

--- The session; o.quiet leaves out the banner, o.no_init the startup file.
function M.main(o)
  strict.declared._ = true
  background.listen { notify = notify, typing = function() return editing end }
  strict.listener = function(name, near) hints[name] = near or false end
  if not o.quiet and sys.isatty(0) then banner() end
  if not o.no_init then run_init() end
  if sys.isatty(0) then
    terminal_session()
  else
    piped_session()
  end
end

return M
