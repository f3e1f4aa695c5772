--- Workers on the event loop, here and on other machines, shared fairly by any number of sweeps.
--
-- A client (training.lua) says where it wants workers, gives jobs and takes events:
--   client.places           list of shares { place =, slots = } (places.lua); the client sets
--                           share.state: "good" (its jobs may go there), "refused" (never), nil
--                           (not known yet: a host that is asked first)
--   client:_waiting()       how many jobs it has for free workers
--   client:_need()          -> bytes that the network of the next of them needs
--   client:_price()         -> what the next of them costs, in any unit
--   client:_held(bytes)     the next one waits: it does not fit beside those at work
--   client:_next(w, ahead)  -> the next of them, for worker w (w.pid, w.hello, w.place); ahead:
--                           it is at work on another one; and, where something is to be done
--                           before the worker is told, a function that does it and calls go()
--   client:_event(job, e)   what its worker says; the last one of a job is e.ended
--   client:_threads(job, n) its worker has so many threads from now on (idle.lua; 1 before)
--   client:_lost(job, end)  the worker of that job died: end.why in words, end.signal its
--                           name, end.log the last lines it wrote, end.outside whether
--                           somebody else ended it
--   client:_unbegun(job)    the worker ended before it began with it
--   client:_ready(share, w) a worker has started, and says in w.hello what it is
--   client:_check(share)    -> a job that asks a host whether it has the data
--   client:_answered(share, e)           what the host says to that
--   client:_away(share, why, seconds)    a host is not there, and is tried again then
--   client:_unreachable(share, why)      no worker can be started there
--   client:_settle()        the events that came together have been told
--   client:_broken(message) something has failed that it cannot go on without
--   client.patience         least seconds of silence after which a worker counts as hung
-- Each free worker goes to the client that has the fewest; of several to the one that had
-- to wait the longest.  What would not fit into the memory of the machine beside the networks
-- at work waits until it does, and so do those after it: the order stays.
--
-- A worker on a host gets its next job a few seconds before it is done with one, so that it does
-- not wait for the line.  At the end of a queue a worker leaves a job to
-- a faster place that will have done it sooner, by the speeds that were measured.
--
-- A worker sends an event at every step, or twice a second where steps are short.  One that is
-- silent for much longer than ever before is killed.  The clock stands still
-- while the machine sleeps, and when this process itself was held up (stopped, or out of
-- processor time) silence counts from anew: it could not listen.

local background = require "netspace.lib.background"
local idle = require "netspace.sweep.idle"
local process = require "netspace.sweep.process"
local protocol = require "netspace.sweep.protocol"
local sys = require "netspace.core.sys"
local uv = require "luv"

local M = {}

local GRACE, GRACE_MOST = 5, 60 -- seconds from SIGTERM to SIGKILL, besides steps; at most
local START_TRIES = { own = 3, outside = 30 } -- workers of a place in a row that may die before
                       -- they are ready, by their own doing and by kills of others
local WATCH_MS, HELD_UP = 1000, 3 -- between looks for hung workers; one too late (s)
local PATIENT = 20     -- silences like its longest so far that a worker may take
local SLOW = 1e9       -- flops a second that any machine has: for the first step
local START_MOST = 120 -- seconds from its start until a worker is ready
local SHARE = 0.9      -- of the machine's memory, for networks
local STARTS = 8       -- workers of a host that may be starting at a time
local LEAD = 3         -- seconds before the end of a job at which a worker on a host gets the next
local PAUSE_MOST = 300 -- seconds until a host that is not there is tried again, at most

local workers, clients = {}, {}
local served = 0       -- jobs given so far; a client's .served: number of its last one
local watchers, watched -- what looks after workers while there are any; when it last did

local function remove(list, x)
  for i, v in ipairs(list) do
    if v == x then return table.remove(list, i) end
  end
end

-- Exceptions must not leave a callback of the event loop (it would end the process): the
-- sweep at fault gets them.
local function guard(client, f, ...)
  local good, err = xpcall(f, function(e)
    return type(e) == "string" and debug.traceback(e, 2) or e
  end, ...)
  if not good and client then client:_broken(err) end
  return good and err
end

-- A callback of the event loop: what goes wrong in it concerns every sweep.
local function callback(f)
  return function(...)
    local good, err = xpcall(f, debug.traceback, ...)
    if not good then
      for _, c in ipairs({ table.unpack(clients) }) do guard(nil, c._broken, c, err) end
    end
  end
end

-- The part of the machine's load (a mean of waiting processes that fades within a minute) that
-- is of these workers.
local own = { load = 0, at = 0, busy = 0 }
local function count_load()
  local now, busy = sys.now(), 0
  for _, w in ipairs(workers) do busy = busy + (w.job and not w.place.host and 1 or 0) end
  local keep = math.exp((own.at - now) / 60)
  own.load, own.at, own.busy = keep * own.load + (1 - keep) * own.busy, now, busy
  return own.load
end

-- How many workers serve the client, at one place or at all.
local function running(client, place)
  local n = 0
  for _, w in ipairs(workers) do
    if w.client == client and (not place or w.place == place) then n = n + 1 end
  end
  return n
end

-- What a client wants of a place, or nil.
local function share_of(client, place)
  for _, share in ipairs(client.places) do
    if share.place == place and share.state ~= "refused" then return share end
  end
end

local dispatch

-- The end of a worker ------------------------------------------------------------------------

-- A host is not there: it is tried again after a pause that grows until a job is done there.
local function pause(place, why)
  local now = sys.now()
  if (place.after or 0) > now then return end
  place.pause = math.min(math.max(1, 2 * (place.pause or 0)), PAUSE_MOST)
  place.after = now + place.pause
  for _, c in ipairs({ table.unpack(clients) }) do
    local share = share_of(c, place)
    if share then guard(c, c._away, c, share, why, place.pause) end
  end
end

local function unreachable(place, why)
  for _, c in ipairs({ table.unpack(clients) }) do
    local share = share_of(c, place)
    if share then guard(c, c._unreachable, c, share, why) end
  end
end

local function end_watch()
  if #workers > 0 or #clients > 0 or not watchers then return end
  for _, handle in ipairs(watchers) do handle:close() end
  watchers = nil
end

-- Forgets a worker that has ended.
local function on_ended(w)
  remove(workers, w)
  local client, job, ahead, e, place = w.client, w.job, w.ahead, w:fate(), w.place
  w.client, w.job, w.ahead = nil, nil, nil
  if e.lost and not w.ending then pause(place, e.why) end
  if job and job.kind == "check" then
    client.asking[place] = nil
  elseif job then
    guard(client, client._lost, client, job, e)
  end
  if ahead then guard(client, client._unbegun, client, ahead.job) end
  if not w.hello and not w.ending then
    local killed = e.outside and not e.lost
    local by, failures = killed and "outside" or "own", place.failures or { own = 0, outside = 0 }
    failures[by] = failures[by] + 1
    place.failures = failures
    local absent = place.host and not e.outside -- reached, and the program does not start
    if absent or failures[by] >= START_TRIES[by]
      and (killed or not (place.host and place.reached)) then
      place.failures = nil
      unreachable(place, ("%s while it started%s"):format(e.why, e.log and ":\n" .. e.log or ""))
    end
  end
  end_watch()
  dispatch()
end

-- Events -----------------------------------------------------------------------------------

-- A worker was heard: what it may take for a step is measured by what it has taken.
local function heard(w)
  local now = sys.now()
  if w.began and now - watched <= HELD_UP then
    w.longest = math.max(w.longest, now - w.heard)
  end
  w.heard = now
end

local function on_hello(w, e)
  local wrong = protocol.wrong_hello(e)
  if wrong then return w:refuse(wrong) end
  e.host = e.host or w.place.host or uv.os_gethostname()
  w.hello, w.place.failures, w.place.reached = e, nil, true
  for _, c in ipairs({ table.unpack(clients) }) do
    local share = share_of(c, w.place)
    if share then guard(c, c._ready, c, share, w) end
  end
  dispatch()
end

-- The worker begins with a job.
local function begin(w, job, bytes, price)
  w.job, w.bytes, w.price = job, bytes, price
  w.listener = protocol.listener(job)
  w.heard, w.longest, w.began, w.since = sys.now(), 0, false, sys.now()
end

-- A job has ended: what it cost tells how fast the place is; what the worker has got ahead begins.
local function on_job_ended(w, e)
  local place = w.place
  if e.event == "done" then
    place.pause = nil
    place.cost = (place.cost or 0) + w.price
    place.seconds = (place.seconds or 0) + sys.now() - w.since
  end
  local client, ahead = w.client, w.ahead
  w.job, w.client, w.ahead = nil, nil, nil
  if not ahead then return end
  if e.event == "stopped" then
    guard(client, client._unbegun, client, ahead.job)
  else
    w.client = client
    begin(w, ahead.job, ahead.bytes, ahead.price)
  end
end

local function on_event(w, e)
  if not w.hello then return on_hello(w, e) end
  local job, client = w.job, w.client
  local wrong = not job and protocol.idle(e) or job and w.listener:hear(e)
  if wrong then return w:refuse(wrong) end
  heard(w)
  w.began = w.began or e.event == "step" or e.event == "epoch"
  e.ended = protocol.ends(e)
  w.ending = w.ending or e.event == "stopped" -- it leaves by itself, and takes no more
  if e.ended then on_job_ended(w, e) end
  if job.kind == "check" then
    if e.ended then
      client.asking[w.place] = nil
      guard(client, client._answered, client, share_of(client, w.place), e)
    end
  else
    guard(client, client._event, client, job, e)
  end
  if not e.ended then return end
  count_load()
  if w.ending and not w.job then w:close() end -- told to stop too late
  dispatch()
end

-- After a chunk of events: clients store what they gathered from it in one go.
local function settle()
  for _, c in ipairs({ table.unpack(clients) }) do guard(c, c._settle, c) end
end

-- Looking after workers --------------------------------------------------------------------

-- How long a worker may say nothing.
local function allowed(w)
  local client, job = w.client, w.job
  if not job then return w.hello and math.huge or START_MOST end
  if w.began then return math.max(client.patience, PATIENT * w.longest) end
  return client.patience + (job.step_flops or 0) / SLOW
end

local function watch()
  local now = sys.now()
  local held_up = now - watched > HELD_UP
  watched = now
  process.look()
  for _, w in ipairs(workers) do
    if held_up then w.heard = now end
    if now - w.heard > allowed(w) and not w.hung and w:alive() then
      w.hung = now - w.heard
      w:kill()
    end
  end
  dispatch() -- a pause may be over
end

local function signal_all(name)
  for _, w in ipairs(workers) do w:send_signal(name) end
end

--- Ctrl-Z, which reaches this process only: stops the workers, then does `stop`, which
-- comes back when the shell lets the program go on.
function M.suspend(stop)
  signal_all("sigstop")
  stop()
end

-- At the prompt it is the line editor's business.
local function on_suspend()
  if background.typing() then return end
  M.suspend(function() uv.kill(uv.os_getpid(), "sigstop") end)
end

-- Giving jobs ------------------------------------------------------------------------------

-- Whether a network of so many bytes fits beside those at work where worker w is; alone every one
-- may try.  What other trainers need is not known.
local function fits(w, bytes)
  local used, most = 0, sys.memory()
  if w.place.host then most = w.hello.memory or math.huge end
  for _, other in ipairs(workers) do
    if other ~= w and other.place.host == w.place.host and other.job then
      used = used + (other.bytes or 0)
    end
  end
  return used == 0 or used + bytes <= SHARE * most
end

-- Seconds that a unit of a client's prices takes at a place, by what was done there; or nil.
local function slowness(place)
  return place.cost and place.cost > 0 and place.seconds / place.cost or nil
end

-- Whether all that the client has waiting is done sooner by workers of faster places that are at
-- work now.
local function faster_elsewhere(w, client)
  local here = slowness(w.place)
  if not here then return false end
  local price, now, sooner = client:_price(), sys.now(), 0
  for _, other in ipairs(workers) do
    local there = slowness(other.place)
    if other.client == client and other.job and not other.ahead and there and there < here then
      local free = math.max(now, other.since + other.price * there)
      if free + price * there < now + price * here then sooner = sooner + 1 end
    end
  end
  return sooner >= client:_waiting()
end

-- The client whose next job a worker should get, or nil: of those that want the place the one with
-- the fewest workers.
local function choose(w)
  local best, fewest
  for _, c in ipairs(clients) do
    local share, n = share_of(c, w.place), running(c)
    if share and share.state == "good" and running(c, w.place) < share.slots and c:_waiting() > 0
      and (not best or n < fewest or n == fewest and (c.served or 0) < (best.served or 0)) then
      best, fewest = c, n
    end
  end
  return best
end

-- The next job of a client for worker w, with its bytes and price; nil: it does not fit.
local function take(w, client, ahead)
  local bytes = w.place.engine and client:_need() or 0
  if not fits(w, bytes) then
    client:_held(bytes)
    return nil
  end
  served = served + 1
  client.served = served
  local price = client:_price()
  local job, before = client:_next(w, ahead)
  if before then before(callback(function() w:tell(job) end)) else w:tell(job) end
  return job, bytes, price
end

-- A worker on a host that is nearly done gets one more, while more wait than there are workers.
local function give_ahead(w)
  local client, slow = w.client, slowness(w.place)
  if not w.place.host or w.ahead or w.ending or w.job.kind ~= "train" or #clients > 1
    or client:_waiting() < #workers or not slow
    or w.since + w.price * slow - sys.now() > LEAD then return end
  local job, bytes, price = take(w, client, true)
  if job then w.ahead = { job = job, bytes = bytes, price = price } end
end

-- A host that a client does not know yet is asked whether it has the data.
local function ask(w)
  for _, c in ipairs(clients) do
    local share = share_of(c, w.place)
    if share and not share.state and not c.asking[w.place] then
      c.asking[w.place] = true
      w.client = c
      begin(w, c:_check(share), 0, 0)
      w:tell(w.job)
      return true
    end
  end
end

-- Gives a free worker its next job; false: it has none.
local function feed(w)
  if ask(w) then return true end
  local client = choose(w)
  if not client or faster_elsewhere(w, client) then return false end
  local job, bytes, price = take(w, client)
  if not job then return false end
  w.client = client
  begin(w, job, bytes, price)
  count_load()
  return true
end

-- How many workers clients want at each place; and the places, in a fixed order.
local function wanted()
  local most, list = {}, {}
  for _, c in ipairs(clients) do
    for _, share in ipairs(c.places) do
      local place = share.place
      if share.state ~= "refused" then
        local slots = share.state == "good" and share.slots or 1
        if not most[place] then list[#list + 1] = place end
        most[place] = math.max(most[place] or 0,
          math.min(slots, running(c, place) + c:_waiting()))
      end
    end
  end
  return most, list
end

-- The first slot of a place that is free.
local function free_slot(place)
  local taken, slot = {}, 1
  for _, w in ipairs(workers) do
    if w.place == place then taken[w.slot] = true end
  end
  while taken[slot] do slot = slot + 1 end
  return slot
end

-- How many workers are to be started at a place so that there are `most`: none during a pause, and
-- on a host few at a time, because sshd refuses some of many (MaxStartups).
local function missing(place, most)
  local alive, starting = 0, 0
  for _, w in ipairs(workers) do
    if w.place == place and not w.ending then
      alive, starting = alive + 1, starting + (w.hello and 0 or 1)
    end
  end
  if (place.after or 0) > sys.now() then return 0 end
  return math.min(most - alive, place.host and STARTS - starting or math.huge)
end

local handlers = { event = on_event, settled = settle, ended = on_ended, callback = callback }

local function spawn(place)
  local w, why = process.start(place, free_slot(place), handlers)
  if not w then return unreachable(place, why) end
  workers[#workers + 1] = w
  return w
end

function dispatch()
  for _, w in ipairs({ table.unpack(workers) }) do
    if w.hello and not w.ending and w:alive() then
      if w.job then give_ahead(w) else feed(w) end
    end
  end
  local most, list = wanted()
  for _, w in ipairs(workers) do -- nobody needs its place any more
    if w.hello and not w.job and not w.ending and not most[w.place] then
      w.ending = true
      w:close()
      w:expire(GRACE)
    end
  end
  for _, place in ipairs(list) do
    local n = missing(place, most[place])
    while n > 0 and spawn(place) do n = n - 1 end
  end
  idle.share(workers, clients, function(w)
    if w.client._threads then guard(w.client, w.client._threads, w.client, w.job, w.threads) end
  end)
  if (#workers > 0 or #clients > 0) and not watchers then
    watchers = { uv.new_timer(), uv.new_signal(), uv.new_signal() }
    process.look()
    process.look()
    watched = sys.now()
    watchers[1]:start(WATCH_MS, WATCH_MS, callback(watch))
    watchers[2]:start("sigtstp", callback(on_suspend))
    watchers[3]:start("sigcont", callback(function() signal_all("sigcont") end))
  end
end

--- Begins to serve a client.
function M.add(client)
  clients[#clients + 1] = client
  client.asking = {} -- places that are being asked for its data
  for _, share in ipairs(client.places) do share.place.after = nil end
  for _, w in ipairs(workers) do
    local share = w.hello and share_of(client, w.place)
    if share then client:_ready(share, w) end
  end
  dispatch()
end

-- Tells a worker to stop; one that does not is killed.
local function stop(w)
  local step = w.began and 3 * w.longest or (w.job.step_flops or 0) / SLOW
  w.ending = true
  w:stop(math.min(GRACE + step, GRACE_MOST))
end

--- Ends serving a client; its running jobs are stopped (SIGTERM, later SIGKILL).
function M.remove(client)
  remove(clients, client)
  for _, w in ipairs(workers) do
    if w.client == client and not w.killer and w:alive() then stop(w) end
  end
  dispatch()
  end_watch()
end

--- When no client is left: waits until no worker and no open handle is.  (luv 1.44
-- crashes at the end of the program when a handle was closed and the loop has not run
-- since.)
function M.drain()
  if #clients > 0 then return end
  for _, w in ipairs(workers) do
    if not w.hello and w:alive() then
      w.ending = true
      w:kill()
    end
  end
  while #workers > 0 do uv.run("once") end
  uv.run("nowait")
end

--- Gives free workers what there is to do: a client has more of it than before.
M.dispatch = dispatch

--- How much of the load of the machine is of the workers.
M.load = count_load

--- How many workers serve the client.
M.running = running

return M
