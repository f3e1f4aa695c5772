-- A trainer that trains nothing (netspace-trainer(5)), for tests: `netspace stub_trainer.lua`.  The
-- error of a network is 20 % and its seed modulo 60; an argument is what it calls itself.  The
-- width of the first stage of a network asks for a lie (STUB_HONEST: it does not), STUB_SECONDS
-- for a pause in each epoch; after the first, STUB_AHEAD many models end only when the job after
-- them is there.
local json = require "netspace.lib.json"
local uv = require "luv"

local name = arg[1] or "stub"
local pause = tonumber(os.getenv "STUB_SECONDS") or 0
local function line(text)
  io.stdout:write(text)
  io.stdout:flush()
end
local function send(e) line(json.encode(e) .. "\n") end

send { event = "hello", protocol = math.tointeger(os.getenv "STUB_PROTOCOL" or 1), trainer = name,
  version = "1", device = os.getenv "STUB_DEVICE" or "none", kernels = "none",
  host = os.getenv "STUB_HOST", pid = math.tointeger(uv.os_getpid()) }

-- By width: what becomes of an event and of the model and attempt that it names; or a pattern and
-- what to put in its place.
local lies = {
  [16] = function(_, of) of.model = of.model + 1 end, -- another model
  [24] = function(e) if e.event == "done" then e.error = 250 end end,
  [32] = function(e)
    if e.event == "epoch" then return '"validation_error":%d+', '"validation_error":NaN' end
  end,
  [40] = function(e) -- half a line
    if e.event ~= "done" then return end
    line '{"event":"done","mod'
    os.exit(0)
  end,
  [48] = function(e) -- no end of a line
    if e.event == "done" then for _ = 1, 40 do line(("{"):rep(1 << 16)) end end
  end,
  [56] = function(e) if e.event == "done" then uv.sleep(60000) end end, -- silence
  [64] = function(e) if e.event == "epoch" then e.epoch = e.epoch + 1 end end, -- a missing epoch
  [72] = function(e) if e.event == "done" then e.error = e.error + 1e-9 end end,
  [80] = function(e) if e.event == "epoch" then e.event = "rumour" end end,
  [88] = function(e) if e.event == "done" then line "{half of it\n" end end,
}

local ahead, first, text = tonumber(os.getenv "STUB_AHEAD") or 0, true, io.read()
while text do
  local job = json.decode(text)
  if job.kind == "stop" then break end
  local lie = not os.getenv "STUB_HONEST" and job.m and lies[job.m.w[1]] or function() end
  local function tell(e)
    local of = { model = job.model, attempt = job.attempt }
    local from, to = lie(e, of)
    for k, v in pairs(of) do e[k] = v end
    local text_of = json.encode(e)
    line((from and text_of:gsub(from, to) or text_of) .. "\n")
  end
  local next_text
  local percent = 20 + (job.seed or 0) % 60
  if job.kind == "check" then
    tell { event = "checked" }
  else
    tell { event = "begin", epoch = 0, step = 0 }
    for epoch = 1, job.recipe.epochs do
      if pause > 0 then uv.sleep(math.floor(1000 * pause)) end
      tell { event = "epoch", epoch = epoch, validation_error = percent, train_loss = 1.5 }
    end
    if ahead > 0 and not first then
      next_text, ahead = io.read(), ahead - 1
    end
    first = false
    tell { event = "done", error = percent, seconds = pause }
  end
  text = next_text or io.read()
end
