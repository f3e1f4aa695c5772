--- `netspace doctor STORE`: is a store what sweeps have written?  First SQLite's own check of
-- pages and indexes, then what SQLite cannot know (rules.lua).  When something is damaged it
-- counts what can still be read, row by row.

local json = require "netspace.lib.json"
local readers = require "netspace.store.reader"
local rules = require "netspace.store.rules"

local M = {}

-- What of a damaged store can still be read, a line for each population and one for what is
-- lost.
local function readable(reader)
  local names, counts = {}, {}
  reader:probe("SELECT id, name FROM population WHERE id = ?", function(p)
    names[p.id] = p.name
  end)
  local lost = reader:probe("SELECT population, m, status, error FROM model WHERE id = ?",
    function(model)
      local id = model.population or 0
      local c = counts[id] or { models = 0, finished = 0 }
      counts[id] = c
      if type(json.decode(model.m)) ~= "table" then return end
      c.models = c.models + 1
      if rules.final[model.status] and rules.percent(model.error) then
        c.finished = c.finished + 1
      end
    end)
  local lines = {}
  for id, c in pairs(counts) do
    lines[#lines + 1] = ("%s: %d networks, %d of them with their error"):format(
      names[id] or "a population without a name", c.models, c.finished)
  end
  table.sort(lines)
  if lost > 0 then lines[#lines + 1] = ("at least %d networks cannot be read"):format(lost) end
  return lines
end

--- Checks the store at `path`.
-- @treturn table problems (a list of lines; damaged when there are any), readable (lines,
-- when there are problems), populations (how many); or nil and a message when it is no store
function M.check(path)
  local reader, message, kind = readers.open(path)
  if not reader then
    if kind == "damaged" then return { problems = { message }, readable = {} } end
    return nil, message
  end
  local problems, report
  local good, err = pcall(function()
    problems = reader.db:check() or {}
    local ran, why = reader:read(function()
      rules.check(reader, problems)
      return { problems = problems, models = reader:rows("SELECT count(*) AS n FROM model")[1].n,
        populations = reader:rows("SELECT count(*) AS n FROM population")[1].n }
    end)
    if not ran and #problems == 0 then problems[1] = why end
    report = ran or { problems = problems }
    if #problems > 0 then report.readable = readable(reader) end
  end)
  reader:close()
  if not good then error(err, 0) end
  return report
end

return M
