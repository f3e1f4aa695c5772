--- Checkpoints of models that train on other machines, brought here by ssh, and from here to the
-- machine that goes on with a model: a host that dies does not cost the whole training of its
-- models.
--
-- Each is a connection of its own, `ssh HOST cat FILE`, so that workers and trainers know nothing
-- of it.  A model is brought for the first time when it has trained for some seconds, and then so
-- seldom that it takes a twentieth of the time; and when the sweep stops, where it stands then.

local directories = require "netspace.lib.directory"
local hosts = require "netspace.sweep.hosts"
local places = require "netspace.sweep.places"
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}
local SHARE = 20        -- times as long as it takes there is none, and
local FIRST = 5         -- seconds of training before the first
local MOST = 120        -- seconds that one may take
local underway = 0

-- The file on a host, as its shell writes it.
local function there(s, model, place)
  return '"${XDG_STATE_HOME:-$HOME/.local/state}/netspace/'
    .. hosts.checkpoint(s, place, s:_checkpoint(model), model.idx) .. '"'
end

-- Runs a line of shell on a host with a file as its input or output (fd, closed at the end);
-- done(good) is called when it has ended.
local function run(place, line, input, output, done)
  local file, args = places.remote(place, line)
  local process, killer
  process = uv.spawn(file, { args = args, detached = true, stdio = { input, output } },
    function(status)
      process:close()
      killer:close()
      underway = underway - 1
      done(status == 0)
    end)
  if not process then return done(false) end
  underway = underway + 1
  killer = uv.new_timer()
  killer:start(MOST * 1000, 0, function() process:kill "sigkill" end)
end

-- Brings the checkpoint of a model here; done(good).
local function bring(s, model, place, done)
  local path = s:_checkpoint(model)
  local part = ("%s.part-%d"):format(path, uv.os_getpid())
  directories.make(path:match "^(.*)/")
  local fd = uv.fs_open(part, "w", tonumber("644", 8))
  if not fd then return done(false) end
  run(place, "exec cat " .. there(s, model, place), nil, fd, function(good)
    local about = uv.fs_fstat(fd)
    good = good and about.size > 0 and not model.over and uv.fs_fsync(fd)
    uv.fs_close(fd)
    if good then good = uv.fs_rename(part, path) else uv.fs_unlink(part) end
    done(good)
  end)
end

--- A checkpoint of a model is on the disk of the machine that trains it.
function M.saved(s, model)
  local place, now = model.place, sys.now()
  if not (place and place.host) then return end
  if model.hauling then
    model.again = s.state ~= "running"
  elseif s.state ~= "running" or now >= (model.haul or model.began + FIRST) then
    model.hauling, model.again = true, false
    bring(s, model, place, function(good)
      model.hauling, model.haul = nil, sys.now() + math.max(FIRST, SHARE * (sys.now() - now))
      if good then model.brought = place end
      if model.again then M.saved(s, model) end
    end)
  end
end

--- A model goes to a worker: nil where nothing has to be brought there before, else a function that
-- does, and calls go().  A host has its own of a model that it has trained before, which is newer,
-- unless another host's has been brought since.
function M.forth(s, model, place)
  local path = s:_checkpoint(model)
  if not place.host or not s.settings.checkpoint or not uv.fs_stat(path) then return nil end
  local newer = model.brought and model.brought ~= place
  return function(go)
    local fd = uv.fs_open(path, "r", 0)
    if not fd then return go() end
    run(place, ('f=%s; %s{ mkdir -p "${f%%/*}" && cat >"$f.part" && mv "$f.part" "$f"; }'):format(
      there(s, model, place), newer and "" or '[ -e "$f" ] || '), fd, nil, function()
      uv.fs_close(fd)
      go()
    end)
  end
end

--- Waits for what is underway.
function M.drain()
  while underway > 0 do uv.run "once" end
end

return M
