--- The prompt: reads entries, evaluates them, prints what they give.
-- On a terminal the line editor is core.readline, and reading happens in the event loop, so
-- that a sweep runs while the user types.  Entries are evaluated outside of it, because
-- the loop cannot be entered twice and sweep.run enters it.

local background = require "netspace.lib.background"
local chunk = require "netspace.lib.chunk"
local complete = require "netspace.prompt.complete"
local exception = require "netspace.prompt.exception"
local fold = require "netspace.lib.fold"
local help = require "netspace.prompt.help"
local history = require "netspace.prompt.history"
local members = require "netspace.lib.members"
local netspace = require "netspace"
local pager = require "netspace.prompt.pager"
local progress = require "netspace.sweep.progress"
local rl = require "netspace.core.readline"
local session = require "netspace.prompt.session"
local show = require "netspace.prompt.show"
local strict = require "netspace.strict"
local sys = require "netspace.core.sys"
local tour = require "netspace.prompt.tour"
local uv = require "luv"

local M = {}

local PROMPT, CONTINUED = "> ", ">> "
local KEPT = 500 -- entries whose text is kept for error messages

local entries = 0      -- evaluated so far; names their chunks
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
  if editing then
    rl.above(text)
  elseif pager.held then
    table.insert(pager.held, text)
  else
    io.stderr:write(text, "\n")
  end
end

-- The text of an entry as a chunk: an expression first, then statements.
-- @return the function, whether its results are shown; or nil, message, whether more lines
-- can complete it
local function compile(text, name)
  local expression = text:gsub("^%s*=", "")
  local quiet = expression:find(";%s*$") ~= nil
  local f = load("return " .. expression, name, "t")
  if f then return f, not quiet end
  local message
  f, message = load(text, name, "t")
  if f then return f, false end
  return nil, message, message:sub(-5) == "<eof>"
end

-- "?x" is help(x) by name, or of what the user called so.
local function help_request(text)
  local topic = text:match("^%s*%?%s*(.-)%s*$")
  if not topic then return nil end
  local own = strict.declared[topic] and not netspace._is_public(topic)
  return ("help(%s)"):format((own or topic == "") and topic or ("%q"):format(topic))
end

--- Whether more lines can make `text` an entry.
function M.incomplete(text)
  if help_request(text) or text:find("^%s*:%a") then return false end
  local f, _, more = compile(text, "=in")
  return not f and more
end

-- What a line makes of the entry that is open: the one that is still open (or nil), and one
-- to evaluate (or nil).  "?x" inside of an entry leaves it open.
local function advance(pending, line)
  local text = pending and pending .. "\n" .. line or line
  if M.incomplete(text) then return text end
  if pending and help_request(line) and not compile(text, "=in") then return pending, line end
  return nil, text
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

-- Says which names were not defined, but for those that `message` has.
local function show_undefined(message)
  for name, near in pairs(hints) do
    near = near and (" (did you mean '%s'?)"):format(near) or ""
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

local function show_error(e, text, name)
  io.stdout:flush()
  if type(e) == "table" and e.message == "interrupted" then
    -- After the ^C of the terminal.
    if sys.isatty(2) and not progress.fresh then io.stderr:write("\n") end
    sys.clear_interrupt()
  elseif not text:find("\n") then
    -- One line: where it happened is plain, unless it was in an older entry or a file.
    local plain = name:sub(2):gsub("%p", "%%%0") .. ":1: "
    if type(e) == "table" then
      e.message = e.message:gsub("^" .. plain, "")
    else
      exception.show(e, "")
      return
    end
  end
  exception.show(e, "")
end

-- ":time x": a command of session.lua.
local function run_command(text, name)
  local results = table.pack(sys.interruptible(exception.handler, session.run, text, M.evaluate))
  if not results[1] then show_error(results[2], text, name) end
  return results[1]
end

-- "exit", "quit()": what nobody has made.
local function wants_out(text)
  local name = text:match("^%s*(%a+)%s*%(?%s*%)?%s*;?%s*$")
  return leaving[name] and rawget(_G, name) == nil
end

--- Evaluates an entry and prints its results or its error.  True when it went well: without
-- an error, and without a name that is not defined.
function M.evaluate(text)
  entries = entries + 1
  local name = ("=in[%d]"):format(entries)
  chunk.texts[name] = text
  chunk.texts[("=in[%d]"):format(entries - KEPT)] = nil
  hints, progress.fresh = {}, false
  if text:find("^%s*:%a") then return run_command(text, name) end
  if wants_out(text) then
    note("Ctrl-D leaves, as does os.exit()")
    return false
  end
  local f, shown = compile(help_request(text) or text, name)
  if not f then
    show_error(shown, text, name)
    local topic = text:match("^%s*help%s+([%a_][%w_.:]*)%s*$")
    if topic then note(('?%s explains it, as does help("%s")'):format(topic, topic)) end
    return false
  end
  local results = table.pack(sys.interruptible(exception.handler, f))
  if not results[1] then
    show_error(results[2], text, name)
    show_undefined(results[2].message)
    return false
  end
  if shown and results.n > 1 then
    table.remove(results, 1)
    results.n = results.n - 1
    rawset(_G, "_", results[1])
    -- Printing runs the user's __tostring, and may be long.
    local good, e = sys.interruptible(exception.handler, show_results, results)
    if not good then
      show_error(e, text, name)
      return false
    end
  end
  io.stdout:flush()
  show_hints(text)
  if next(hints) then return false end
  local looked = help_request(text) or shown and results.n == 1 and help.about(results[1])
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

-- A line from the terminal: the text, false at its end (Ctrl-D), nil after Ctrl-C.
-- `offer` stands on it at first.
local function read_line(poll, prompt, offer)
  rl.start(prompt, offer)
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
  rl.remember(entry)
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

local function terminal_session()
  tour.at_prompt = true
  rl.setup(complete.complete)
  local path = history.path()
  for _, entry in ipairs(path and history.load(path) or {}) do rl.remember(entry) end
  -- Polling makes a descriptor non-blocking, for every program that shares it: the
  -- terminal is opened a second time for that.
  local terminal = uv.fs_open("/proc/self/fd/0", "r", 0) or 0
  local poll = assert(uv.new_poll(terminal))
  local stop = uv.new_signal()
  local pending
  while not sys.ending() do
    stop:start("sigtstp", suspend)
    local line = read_line(poll, pending and CONTINUED or PROMPT,
      not pending and tour._offer() or nil)
    stop:stop()
    if line == false then
      io.stdout:write("\n")
      if pending then
        pending = nil
      elseif may_leave(poll) then
        break
      end
    elseif line == nil then
      pending = nil
      tour._heard(nil)
    else
      local entry
      pending, entry = advance(pending, line)
      if entry and entry:find("%S") then
        path = remember(path, entry)
        pager.allowed = sys.isatty(1)
        local good = M.evaluate(entry)
        pager.allowed = false
        tour._heard(entry, good)
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
    pending, entry = advance(pending, line)
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
    .. "completes", sys.terminal(1) or math.huge)))
end

local function run_init()
  local config = os.getenv "XDG_CONFIG_HOME"
  if not config or config:sub(1, 1) ~= "/" then
    config = (os.getenv "HOME" or "") .. "/.config"
  end
  local path = config .. "/netspace/init.lua"
  if not uv.fs_stat(path) then return end
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
