--- How exceptions of Lua code are shown: the message, the line it happened in, a hint
-- when a name is nearly right, and the user's own frames of the traceback.

local blame = require "netspace.lib.blame"
local canvas = require "netspace.core.canvas"
local chunk = require "netspace.lib.chunk"
local fold = require "netspace.lib.fold"
local habits = require "netspace.lib.habits"
local members = require "netspace.lib.members"
local netspace = require "netspace"
local options = require "netspace.lib.options"
local pretty = require "netspace.lib.pretty"
local screen = require "netspace.core.screen"
local slip = require "netspace.lib.slip"
local strict = require "netspace.strict"
local sys = require "netspace.core.sys"

local M = {}

local function own(source)
  return strict.luadir and source:sub(2, #strict.luadir + 1) == strict.luadir
end

-- Whether a message begins with a position in netspace's own files: that, and the
-- rest.  Long paths are cut to "...".
local function own_position(message)
  local path, rest = message:match("^([^\n]-%.lua):%d+: (.*)$")
  if not path then return false end
  local file = path:match("netspace/[%w_/]+%.lua$")
  local full, tail = ("%s/%s"):format(strict.luadir, file), path:gsub("^%.%.%.", "")
  return file and (path == full or tail ~= path and full:sub(-#tail) == tail), rest
end

-- The value of `name` where the exception was raised: a local, an upvalue, else a global (raw).
local function lookup(level, name)
  local found
  for i = 1, 250 do
    local local_name, value = debug.getlocal(level + 1, i)
    if not local_name then break end
    if local_name == name then found = value end
  end
  if found ~= nil then return found end
  local info = debug.getinfo(level + 1, "f")
  for i = 1, 255 do
    local up, value = debug.getupvalue(info.func, i)
    if not up then break end
    if up == name then return value end
  end
  local value = rawget(_G, name)
  if value == nil and netspace._is_public(name) then value = netspace[name] end
  return value
end

-- The value of "a.b.c" where the error happened (raw), or nil.
local function at_path(level, path)
  local value
  for part in path:gmatch("[^%.]+") do
    if value == nil then
      value = lookup(level + 1, part)
    else
      value = type(value) == "table" and rawget(value, part) or nil
    end
    if value == nil then return nil end
  end
  return value
end

-- "did you mean" for nil globals, fields and methods.
local function hint_for(message, level, source, line)
  local kind, name = message:match("%((%a+) '([^']+)'%)$")
  local text = chunk.line_of(source, line) or ""
  if not message:find("nil value", 1, true) then return nil end
  local _, stage = members.stage_field(text)
  if stage and kind ~= "global" then return stage end
  if kind == "global" then
    return options.nearest(name, strict.known())
  elseif kind == "field" or kind == "method" then
    local path = text:match("([%a_][%w_%.]*)[%.:]" .. name .. "%f[^%w_]")
    local value = path and at_path(level + 1, path)
    if value == nil then return slip.meant(name) end -- such as A[1].width
    local near = options.nearest(name, members.keys_of(value))
    if near and near ~= name then return near end
    return type(value) == "table" and rawget(value, "stride") and slip.meant(name) or nil
  end
end

-- What gave nil with a message, when that nil is what was used: of an earlier entry of the prompt
-- (blame.last.names) only one that was assigned to the name that `message` has.
local function gave_nothing(message)
  if not blame.last or not message:find "index a nil value" then return nil end
  local name, names = message:match "%(%a+ '([^']+)'%)$", blame.last.names
  return (not names or name and names[name]) and blame.last or nil
end

-- "call it with a colon: S:sample(3)" for the method `called` that the line calls with a dot, and
-- the other way round for a function of a module; nil where that is not what is wrong.
local function wrong_call(level, text, called)
  for path, mark, name, rest in text:gmatch("([%a_][%w_%.]*)([.:])([%a_][%w_]*)%f[^%w_]()") do
    local value = at_path(level + 1, path)
    local behind = debug.getmetatable(value)
    behind = type(behind) == "table" and members.behind(behind)
    local method = type(behind) == "table" and rawget(behind, name)
    local field = type(value) == "table" and rawget(value, name)
    local arguments = text:match("^%s*(%b())", rest) or text:match("^%s*(%b{})", rest) or "(…)"
    local first = arguments:match("^%(%s*([%w_%.]*)%s*[,)]")
    if mark == "." and method == called and not field and first ~= path then
      return ("call it with a colon: %s:%s%s"):format(path, name, arguments)
    elseif mark == ":" and field == called and not method then
      return ("call it with a dot: %s.%s%s"):format(path, name, arguments)
    end
  end
end

-- "file.lua:3: in function 'f'" for each frame of the user's code.
local function user_frames(level)
  local frames = {}
  for l = level + 1, level + 200 do
    local info = debug.getinfo(l, "Sln")
    if not info then break end
    if info.currentline > 0 and not own(info.source) then
      local what = info.what == "main" and "main chunk" or info.name and
        ("function '%s'"):format(info.name) or ("function <line %d>"):format(info.linedefined)
      frames[#frames + 1] = { source = info.source, line = info.currentline,
        text = ("%s:%d: in %s"):format(info.short_src, info.currentline, what) }
    end
  end
  return frames
end

--- The message handler of user code: turns any exception into
-- { message=, source=, line=, near=, frames= }.
function M.handler(err)
  if type(err) == "table" and err._shown then return err end
  local good, message = pcall(function()
    if type(err) == "string" then return err end
    local text = tostring(err)
    local plain = err == nil or text:find("^table: 0x") -- tells nothing
    return plain and "error with the value " .. pretty.pretty(err) or text
  end)
  message = good and message or "(error object that cannot be printed)"
  -- Code that passed an interrupt on may have added a position.
  if message:find(": interrupted$") and sys.interrupted() then message = "interrupted" end
  local e = { _shown = true, message = message, value = err }
  if message == "interrupted" then return e end
  e.frames = user_frames(2)
  local first = e.frames[1]
  -- Blame that fell on a file of netspace is the user's; a fault of the file itself is not.
  local raiser, blamed, rest = debug.getinfo(2, "S"), own_position(message)
  if blamed and not (raiser and own(raiser.source)) then
    e.message = first and first.text:match("^.-:%d+: ") .. rest or rest
  end
  if first then
    e.source, e.line = first.source, first.line
    local here, level = debug.getinfo(2, "Sl"), 2
    while here and here.source ~= first.source do
      level = level + 1
      here = debug.getinfo(level, "Sl")
    end
    e.near = here and hint_for(message, level, first.source, first.line)
    local called = level > 2 and debug.getinfo(level - 1, "f")
    local wrong = called and here and
      wrong_call(level, chunk.line_of(first.source, first.line) or "", called.func)
    if wrong then e.message = (e.message:match("^%S+:%d+: ") or "") .. wrong end
    if not wrong and not e.near then e.nothing = gave_nothing(message) end
  end
  return e
end

-- Where a syntax error is: the line, and a caret under the token it names.
local function syntax_place(message)
  local name, line, text = message:match("^([^\n]-):(%d+): (.*)$")
  line = tonumber(line)
  if not line then return nil end
  local source_line, before = chunk.line_of("@" .. name, line)
  if not source_line then source_line, before = chunk.line_of("=" .. name, line) end
  if not source_line then return nil end
  local token = text:match(" near '(.*)'$")
  if not token then return source_line, text:find(" near <eof>$") and #source_line + 1 end
  token = token:gsub("^<\\(%d+)>$", function(n) return string.char(n) end) -- no ASCII
  -- The first of its occurrences up to which the text has the same syntax error.
  before = before:gsub("^#[^\n]*", "")
  local at = source_line:find(token, 1, true)
  while at do
    local upto = at + #token - 1
    local _, err = load(before .. source_line:sub(1, upto), "=t", "t")
    if err and err:sub(-#text) == text then break end
    at = source_line:find(token, at + 1, true)
  end
  return source_line, at or source_line:find(token, 1, true)
end

-- Where a line has the first name that a message quotes, when it has it once.
local function named_place(message, line)
  local name = message:match("'([%a_][%w_]*)'")
  local pattern = name and "()%f[%w_]" .. name .. "%f[^%w_]"
  local at = name and line:match(pattern)
  return at and not line:find(pattern, at + 1) and at or nil
end

-- The part of a line about its byte `at` that takes at most `room` cells, and where that byte is
-- then.
local function excerpt(line, at, room)
  local dots = screen.unicode() and "…" or "..."
  local offsets = {} -- of its characters
  for i in line:gmatch "()[^\x80-\xbf]" do offsets[#offsets + 1] = i end
  if #offsets <= room then return line, at end
  local most, middle = room - 2 * canvas.text_width(dots), 1
  for k, i in ipairs(offsets) do middle = i <= at and k or middle end
  local first = math.max(1, math.min(middle - most // 2, #offsets - most + 1))
  local last = math.min(#offsets, first + most - 1)
  local before, after = first > 1 and dots or "", last < #offsets and dots or ""
  local part = line:sub(offsets[first], (offsets[last + 1] or #line + 1) - 1)
  return before .. part .. after, at - offsets[first] + 1 + #before
end

-- A line of code, and a caret under byte `at` of it.  A line that the terminal would wrap, which
-- would part the two, is cut about the caret.
local function add_code(out, line, at)
  line = line:gsub("%c", " ")
  local width = sys.terminal(2)
  if at and width then line, at = excerpt(line, at, math.max(8, width - 3)) end
  out[#out + 1] = { "code", "  " .. line }
  if at then
    out[#out + 1] = { "code", (" "):rep(2 + canvas.text_width(line:sub(1, at - 1))) .. "^" }
  end
end

--- The lines that tell a user what went wrong.  `prompt` leaves out a traceback of one
-- frame.  Returns a list of { style, text }.
function M.lines(e)
  local out = {}
  local function add(style, text) out[#out + 1] = { style, text } end
  local handled = type(e) == "table" and e._shown
  local message = handled and e.message or tostring(e)
  if message == "interrupted" then return { { "error", sys.ending() or message } } end
  add("error", message)
  if not handled then
    local line, at = syntax_place(message)
    if line then add_code(out, line, at) end
    local habit = line and habits.line(line)
    if habit then add("hint", habit) end
    local code = chunk.texts["=" .. (message:match("^([^\n]-):%d+: ") or "")]
    if code and load("return " .. code, "=t", "t") then
      add("hint", "print(…) shows the value of an expression")
    end
    return out
  end
  local text = e.source and chunk.line_of(e.source, e.line)
  if text and text:find("%S") then
    add_code(out, text:match("^%s*(.-)%s*$"), named_place(e.message, text:match("^%s*(.*)")))
  end
  local undefined = e.message:match "global '([^']+)'"
  local habit = e.message:find "for iterator" and habits.line "for x in y:"
    or e.message:find "nil value" and undefined and habits.name(undefined)
  if habit then add("hint", habit) end
  if e.near and not habit then add("hint", ("did you mean '%s'?"):format(e.near)) end
  if e.nothing then
    add("hint", ("%s gave nil: %s"):format(e.nothing.what, e.nothing.message))
  end
  if e.frames and #e.frames > 1 then
    add("trace", "stack")
    for i = 1, math.min(#e.frames, 10) do add("trace", "  " .. e.frames[i].text) end
    if #e.frames > 10 then add("trace", ("  … %d more"):format(#e.frames - 10)) end
  end
  return out
end

local styles = { error = "\27[31m", hint = "\27[33m", trace = "\27[2m", code = "" }

--- Prints an exception to stderr; `prefix` ("netspace: ") goes before the message.
function M.show(e, prefix)
  local color, width = sys.color(2), sys.terminal(2) or math.huge
  local parts = { prefix or "netspace: " }
  for _, line in ipairs(M.lines(e)) do
    local style = color and styles[line[1]] or ""
    local text = sys.harmless(line[2]) -- a message may quote what was typed, or is in a file
    text = line[1] == "code" and text or fold.text(text, width)
    parts[#parts + 1] = style .. text .. (style ~= "" and "\27[0m" or "") .. "\n"
  end
  io.stderr:write(table.concat(parts))
end

return M
