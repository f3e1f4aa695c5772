--- Runs a program and takes what it prints.  Its arguments go to it as they are: no shell sees
-- them, so no name of a file or a population can be a command.
--
-- In a coroutine made by command.thread the caller waits while the event loop goes on; elsewhere
-- the loop runs until the program has ended.

local uv = require "luv"

local M = {}

local PATIENCE = 120 -- seconds; a scheduler that takes longer does not answer
local threads = setmetatable({}, { __mode = "k" }) -- our coroutines

--- Runs f in a coroutine where run() waits without holding up the loop; done(good, error) is
-- called when it has ended.
function M.thread(f, done)
  local thread = coroutine.create(function()
    done(xpcall(f, function(e) return type(e) == "string" and debug.traceback(e, 2) or e end))
  end)
  threads[thread] = true
  assert(coroutine.resume(thread))
end

local function reader(pipe, ended)
  local parts = {}
  pipe:read_start(function(err, chunk)
    if chunk and not err then
      parts[#parts + 1] = chunk
      return
    end
    pipe:close()
    ended()
  end)
  return parts
end

local function last_line(text) return text:match "([^\n]+)%s*$" or "" end

--- Runs argv (a list; the first is the program, looked for in PATH) in the directory cwd.
-- @treturn string what it printed; or nil, a message, and "missing" where there is no such program
function M.run(argv, cwd)
  local out, err = uv.new_pipe(false), uv.new_pipe(false)
  local waiting, status, signal, thread, killer = 3, nil, nil, nil, nil
  local function ended()
    waiting = waiting - 1
    if waiting > 0 then return end
    killer:close()
    if thread then assert(coroutine.resume(thread)) end
  end
  local process
  local why
  process, why = uv.spawn(argv[1], { args = table.pack(table.unpack(argv, 2)), cwd = cwd,
    stdio = { nil, out, err } }, function(code, sig)
    status, signal = code, sig
    process:close()
    ended()
  end)
  if not process then
    out:close()
    err:close()
    local missing = tostring(why):find "^ENOENT" and true
    return nil, ("%s cannot be run: %s"):format(argv[1], missing and "there is no such program"
      or tostring(why)), missing and "missing"
  end
  local printed, said = reader(out, ended), reader(err, ended)
  killer = uv.new_timer()
  killer:start(PATIENCE * 1000, 0, function() process:kill "sigkill" end)
  local here = coroutine.running()
  if threads[here] then
    thread = here
    coroutine.yield()
  else
    while waiting > 0 do uv.run "once" end
  end
  local text, message = table.concat(printed), last_line(table.concat(said))
  if status == 0 and signal == 0 then return text end
  return nil, ("%s: %s"):format(argv[1], message ~= "" and message
    or signal ~= 0 and ("killed by signal %d"):format(signal) or ("status %d"):format(status))
end

--- Whether a program of that name is in PATH.
function M.there(name)
  for dir in (os.getenv "PATH" or ""):gmatch "[^:]+" do
    local about = uv.fs_stat(dir .. "/" .. name)
    if about and about.type == "file" and uv.fs_access(dir .. "/" .. name, "X") then return true end
  end
  return false
end

return M
