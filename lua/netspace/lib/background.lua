--- Work in the background of the script or the prompt, and news of it.  The two sides meet here,
-- so that neither requires the other:
--
--   a prompt calls      background.listen{ notify =, typing =, asking = }
--   a sweep calls       background.serve{ running =, finish =, suspend =, tell = }
--
-- News go to the prompt while there is one, else to stderr.

local M = {}

local prompt = {}
local server
local held -- news that wait while a full-screen view has the terminal

--- The prompt says how it is told news: notify(text) prints a line above what is being typed;
-- typing() says whether the user is; asking(f, …) calls f, which reads what is typed.
function M.listen(o)
  prompt = o
end

--- What trains in the background says how it is ended: running() gives how many sweeps are at
-- work, finish(stop) waits for them (stop: stops them), suspend(stop) stops their processes,
-- then calls stop(), which comes back when the program goes on; tell() says what has ended
-- meanwhile.
function M.serve(o)
  server = o
end

--- Keeps news back while a full-screen view has the terminal; the value returned is to be
-- closed after it, which prints them.
function M.hold()
  held = {}
  return setmetatable({}, { __close = function()
    local list = held
    held = nil
    for _, text in ipairs(list) do M.notify(text) end
  end })
end

--- Prints a line of news.
function M.notify(text)
  if held then
    held[#held + 1] = text
    return
  end
  if prompt.notify then return prompt.notify(text) end
  io.stderr:write(text, "\n")
end

--- Whether the user is typing at a prompt.
function M.typing()
  return prompt.typing ~= nil and prompt.typing()
end

--- Calls a function that reads from the terminal, where what is typed is to be seen.
function M.asking(f, ...)
  if prompt.asking then return prompt.asking(f, ...) end
  return f(...)
end

--- How many sweeps are at work.
function M.running()
  return server and server.running() or 0
end

--- Says what has ended while nobody could be told.
function M.tell()
  if server then server.tell() end
end

--- Waits for what is at work (stop: stops it), and says what was not said yet.
function M.finish(stop)
  if server then server.finish(stop) end
end

--- Ctrl-Z: `stop` stops this process and comes back when the shell lets it go on.
function M.suspend(stop)
  if server then server.suspend(stop) else stop() end
end

return M
