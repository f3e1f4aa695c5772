--- A store as one HTML page to send to a colleague: populations and where they come from,
-- EDFs, comparisons with verdicts, properties of the best models, failures, raw numbers.
-- Reads the store in one moment, also while a sweep writes it.
--
--   report("runs.db", { output = "runs.html" })
--
-- report/collect.lua reads, report/page.lua puts together, html.lua escapes.

local atomic = require "netspace.lib.atomic"
local collect = require "netspace.report.collect"
local document = require("netspace.lib.doc").group "report"
local integrity = require "netspace.store.integrity"
local options = require "netspace.lib.options"
local page = require "netspace.report.page"
local pictures = require "netspace.report.pictures"
local paths = require "netspace.lib.path"
local schema = require "netspace.store.schema"
local sqlite = require "netspace.core.sqlite"
local stores = require "netspace.store.store"
local uv = require "luv"
local widgets = require "netspace.report.widgets"

local M = {}

options.declare("report", { output = "string", title = "string", populations = "table" })

--- What was written, as one line.
local made = { __name = "report",
  __tostring = function(r)
    return ("%s: %s, %s, %s"):format(r.output, widgets.count(r.populations, "population"),
      widgets.count(r.models, "model"), r.missing and "no pictures: " .. r.missing
      or widgets.count(r.pictures, "picture"))
  end }

-- Names that the store does not have are the caller's mistake.
local function check_names(store, path, wanted)
  local names, message, kind = store:names()
  if not names then return nil, message, kind end
  local known = {}
  for _, name in ipairs(names) do known[name] = true end
  for _, name in ipairs(wanted) do
    if not known[name] then
      return nil, ("%s has no population '%s'%s; it has %s"):format(
        paths.shown(path), tostring(name),
        options.hint(name, names), #names > 0 and table.concat(names, ", ") or "none yet")
    end
  end
  return true
end

--- Whether a file of that name may be written.
function M._is_page(name) return name:lower():find "%.html?$" ~= nil end

-- A page never takes the place of the store, nor of a device.
local function check_output(output, path)
  if not M._is_page(output) then return nil, ("report writes .html, not '%s'"):format(output) end
  local here, there = uv.fs_stat(output), uv.fs_stat(path)
  if here and there and here.ino == there.ino and here.dev == there.dev then
    return nil, output .. " is the store itself; name another file for the page"
  end
  return true
end

-- nil, a message and "damaged" when the page could not be made because the store is damaged; else
-- raises the exception again: it is a bug.
local function failure_of(path, err)
  local found = err ~= "interrupted" and integrity.check(path)
  if not found or not found.problems[1] then error(err, 0) end
  return nil, schema.explain(path, found.problems[1], sqlite.CORRUPT, "r")
end

local function make(store, o)
  local path = store.path
  local fine, why = check_output(o.output, path)
  if not fine then return nil, why end
  if o.populations then
    local good, message, kind = check_names(store, path, o.populations)
    if not good then return nil, message, kind end
  end
  local all, message, kind = collect.take(store, o.populations)
  if not all then return nil, message, kind end
  local drawn = pictures.new()
  local ran, good
  ran, good, message = pcall(atomic.write, o.output, function(write)
    page.write(write, all, o.title or "Design spaces in " .. path:match "[^/]*$", drawn)
  end)
  if not ran then return failure_of(path, good) end
  if not good then return nil, message end
  return setmetatable({ output = o.output, populations = #all.populations, models = all.total,
    pictures = drawn.n, missing = drawn.missing }, made)
end

function M.report(store, o)
  o = options.check("report", o)
  if not o.output then
    error('report: it wants output=, the file to write, as { output = "runs.html" }', 2)
  end
  if getmetatable(store) == stores._Store then
    if tostring(store) == "closed store" then error("report: closed store", 2) end
    return make(store, o)
  elseif type(store) ~= "string" then
    error(("report expects a store or the path of one, got %s"):format(type(store)), 2)
  end
  local opened <close>, message, kind = stores.open(store)
  if not opened then return nil, message, kind end
  return make(opened, o)
end

document("report", [[
report(store, { output = "FILE.html", title =, populations = }) -> report, or nil and a message
Writes the contents of a store as one HTML page, to read anywhere and to send to a colleague.
  store        an open store, or the path of one; a sweep may be at work on it
  output       the file, which appears whole or not at all
  title        its heading ("Design spaces in STORE")
  populations  list of names (default: all)
The page shows populations and where they come from, EDFs, comparisons with verdicts, the
properties that the best models share, best and worst models with their architecture, failures
with their last output, and the raw numbers as CSV, which stats.import reads back.  It needs no
script and no other file.  The same store gives the same page, but for the times of networks,
which are those of the machine that made it (arch.times).  Pictures are drawn by gnuplot; without
it the page has tables only.  From a shell: netspace report STORE -o FILE.html
.populations, .models, .pictures   how many there are; .missing, why there are no pictures
example: report("no-such.db", { output = "report.html" })
source: arXiv 2003.13678]])

return M
