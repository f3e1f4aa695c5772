--- The one line that says how running sweeps stand: rewritten in place on a terminal, a
-- plain line at every tenth of the models otherwise.  Always on stderr.

local background = require "netspace.lib.background"
local fold = require "netspace.lib.fold"
local sys = require "netspace.core.sys"
local units = require "netspace.lib.units"

local M = {}
local QUICK = 0.2          -- seconds between two lines on a terminal
local SOON, LATE = 2, 60   -- elsewhere: between two tenths at least; at most,
local LATER, SHARE = 600, 0.05 -- in a long run longer: this share of it, or so long
local MANY = 3             -- more sweeps are counted, not named
local states = { "done", "diverged", "failed", "running", "queued" }

--- The line for a list of statuses (sweep handle:status()), at most `width` wide: what fits
-- least urgently is left out first.
function M.format(list, width)
  local t = { total = 0, rate = 0 }
  for _, state in ipairs(states) do t[state] = 0 end
  local names = {}
  for i, s in ipairs(list) do
    names[i] = ("%s %d/%d"):format(s.name, s.done + s.failed + s.diverged, s.total)
    for _, state in ipairs(states) do t[state] = t[state] + (s[state] or 0) end
    t.total, t.rate = t.total + s.total, t.rate + s.images_per_s
    t.eta = s.eta and math.max(t.eta or 0, s.eta) or t.eta
  end
  local ended = ("%d/%d"):format(t.done + t.diverged + t.failed, t.total)
  local head = #list > MANY and ("%d sweeps %s"):format(#list, ended) or table.concat(names, ", ")
  local parts = { head, units.tally(t), t.rate > 0 and ("%.0f images/s"):format(t.rate) or false,
    t.eta and "ETA " .. units.duration(t.eta) or false }
  local function join()
    local kept = { parts[2] and ("%s: %s"):format(parts[1], parts[2]) or parts[1] }
    for i = 3, 4 do
      if parts[i] then kept[#kept + 1] = parts[i] end
    end
    return table.concat(kept, ", ")
  end
  local text = join()
  for _, less in ipairs { 3, 2 } do
    if #text <= width then return text end
    parts[less] = false
    text = join()
  end
  if #text > width then
    parts[1] = ended
    text = join()
  end
  return #text > width and text:sub(1, width) or text
end

local first                -- when one could have been shown for the first time
local last, tenth = nil, 0 -- when, and at what share, a line was last shown
local shown = false        -- the terminal's line is ours

--- The terminal's cursor stands at the beginning of a line, because we left it there (the
-- prompt sets it to false).
M.fresh = false

local function in_place()
  local term = os.getenv "TERM"
  return sys.isatty(2) and term and term ~= "" and term ~= "dumb"
end

local function rewrite(text)
  io.stderr:write("\r", text, "\27[K")
  shown = true
end

-- Cells of the terminal's line that may be filled: the last column would wrap on some.
local function line_width()
  return (sys.terminal(2) or 80) - 1
end

--- Whether it is time to show() how things stand.
function M.due()
  last = last or sys.now()
  first = first or last
  return sys.now() - last >= (in_place() and QUICK or SOON)
end

--- Says on a terminal what takes a moment, until clear().
function M.moment(text)
  if in_place() then rewrite(text:sub(1, line_width())) end
end

--- Shows how the sweeps stand.
function M.show(list)
  if in_place() then
    rewrite(M.format(list, line_width()))
  else
    local finished, total = 0, 0
    for _, s in ipairs(list) do
      finished, total = finished + s.done + s.failed + s.diverged, total + s.total
    end
    local share = finished * 10 // total
    local late = math.max(LATE, math.min(LATER, SHARE * (sys.now() - first)))
    if share == tenth and sys.now() - last < late then return end
    tenth = share
    io.stderr:write(os.date "%H:%M:%S  ", M.format(list, math.huge), "\n")
  end
  last = sys.now()
end

--- Takes the line away; a text that stays may take its place (above the prompt, while the
-- user types).
function M.clear(text)
  if shown then io.stderr:write("\r\27[K") end
  M.fresh = M.fresh or shown
  shown, last, tenth = false, nil, 0
  text = text and fold.text(text, sys.terminal(2) or math.huge)
  if text then background.notify(text) end
end

return M
