--- What a sweep does about the places of its workers: it asks every host once whether it has the
-- data, keeps those that would train otherwise out (identical = true), says what is missing and
-- how to bring it, and goes on with the others.  The functions take the sweep (training.lua) and
-- are what pool.lua asks of it.

local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local news = require "netspace.sweep.news"
local places = require "netspace.sweep.places"
local units = require "netspace.lib.units"
local worker = require "netspace.sweep.worker"

local M = {}

--- The shares of a sweep: what places.make gave it, each to be asked where it is another machine.
function M.shares(list)
  local shares = {}
  for i, share in ipairs(list) do
    shares[i] = { place = share.place, slots = share.slots,
      state = not share.place.host and "good" or nil }
  end
  return shares
end

--- A trainer (its hello) in words.
local function described(t)
  return ("%s %s on %s (%s)"):format(t.trainer, t.version, t.device, t.kernels)
end

M.described = described

--- Whether two hellos are of trainers that train alike.
local function same(a, b)
  for _, key in ipairs { "trainer", "version", "device", "kernels" } do
    if a[key] ~= b[key] then return false end
  end
  return true
end

M.same = same

-- Something for the log and the user, once.
local function once(s, text)
  if s.told[text] then return end
  s.told[text] = true
  s:_tell(nil, text)
end

-- A place is of no use to the sweep, for a reason; where it was the last one, the sweep ends.
local function refuse(s, share, why)
  share.state = "refused"
  local left = false
  for _, other in ipairs(s.places) do left = left or other.state ~= "refused" end
  if not left then return s:_broken(why) end
  once(s, why .. "; the sweep goes on without it")
end

--- No worker can be started at a place.
function M.unreachable(s, share, why)
  local place = share.place
  local text = "no worker can be started: " .. why
  if place.host then
    local absent = why:find("status 127", 1, true)
    text = ("no worker can be started on %s: %s%s"):format(place.host, why, absent and place.engine
      and ("\ninstall netspace there (make install), or name it: \"ssh:%s:%d:/path/to/netspace\"")
      :format(place.host, share.slots) or absent and ("\n%s: it must be there, too"):format(
      place.what) or why:find("lost", 1, true) and ("\n`ssh %s true` must work without a question "
      .. "(a key, and a known host)"):format(place.host) or "")
  end
  refuse(s, share, text)
end

--- A host is not there, and is tried again after so many seconds.
function M.away(s, share, why, seconds)
  share.away = true
  s.journal:note(function(ledger)
    ledger:log(nil, ("%s: %s; tried again in %s"):format(share.place.name, why,
      units.duration(seconds)))
  end)
  news.announce(s, ("%s: %s"):format(share.place.name, why), true)
end

-- What the first worker of a sweep is compared with: who made the models before.
local function reference(s)
  if s.reference then return s.reference end
  local before = s.before[#s.before]
  for _, share in ipairs(s.places) do
    if not before and share.place.engine and not share.place.host then before = worker.hello() end
  end
  return before
end

--- A worker says what it is.
function M.ready(s, share, w)
  local hello, place = w.hello, share.place
  if share.away then
    share.away = nil
    s.journal:note(function(ledger) ledger:log(nil, place.name .. " is there again") end)
  end
  local first = reference(s)
  if s.settings.identical and first and not same(first, hello) then
    return refuse(s, share, ("%s has %s, and others have %s: identical = true keeps it out"):format(
      place.name, described(hello), described(first)))
  end
  s.reference = first or hello
  local text = described(hello)
  if s.heard[place.name .. text] then return end
  s.heard[place.name .. text] = true
  s.journal:note(function(ledger)
    ledger:log(nil, ("worker on %s: %s"):format(place.name, text))
  end)
  for _, before in ipairs(s.before) do
    if not same(before, hello) then
      once(s, ("earlier models were trained by %s; now it is %s: %s"):format(described(before),
        text, before.trainer == hello.trainer and before.device == hello.device
        and "the last digits may differ" or "their errors are not made alike"))
    end
  end
end

--- The job that asks a host for the data.
function M.check(s)
  return { kind = "check", model = 0, attempt = 1, source = s.source, checksum = s.checksum,
    step_flops = 600e9 } -- it may be long: the data is read for the first time
end

-- How the data of a sweep come to a host: its path, where it has one.
local function bring(source, host)
  local path = source.spec:match "^%a*:?(/.*)$"
  return path and ("; bring it: rsync -aR %s %s:/"):format(places.quoted(path), host) or ""
end

--- A host has answered (share: nil where it was refused meanwhile).
function M.answered(s, share, e)
  if not share then return end
  if e.event == "checked" then
    share.state = "good"
  elseif e.event ~= "stopped" then
    refuse(s, share, ("%s: %s%s"):format(share.place.name, e.reason,
      e.event == "refused" and bring(s.source, share.place.host) or ""))
  end
end

--- Where a checkpoint lies: beside the store, or, on another machine, among the files of the user
-- there, by a name that tells stores apart.
function M.checkpoint(s, place, path, idx)
  if not place.host then return path end
  return ("checkpoints/%s-%d-%d.safetensors"):format(ledgers.fingerprint(json.encode {
    worker.hello().host, s.store }), s.population, idx)
end

return M
