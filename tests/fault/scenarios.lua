-- What people run, for the walk over failing calls (walk.lua): a sweep, one that goes on, a
-- pack, exports, a report, and a sweep on a cluster: submitting, a task, collecting.
-- A scenario is { name, from = what lies in `at` before, run(w) = the arguments of netspace,
-- place(w) = the directory in `at` where it runs, check(w, status, err, fault) = what is wrong
-- after the run with the fault, or nil, again(w) = the same after a run without, waits = how many
-- calls fail at most }.
local integrity = require "netspace.store.integrity"
local uv = require "luv"

local M = {}

-- A sweep takes a third of the time without the self-check of kernels and the forecast.
local sweep_script = [[
package.loaded["netspace.sweep.selfcheck"] = function() return true end
local models = {}
for i = 1, 2 do models[i] = arch.anynet { d = { 1 }, w = { 8 * i }, image = 16 } end
local told = 0
local r = sweep.run { store = "run.db", name = "A", models = models, workers = 2, seed = 5,
  data = data.open("shapes", { train = 32, test = 16, image = 16 }), quiet = true,
  recipe = recipe { epochs = 2, batch = 32 }, checkpoint = { every = 1 },
  on = arg[1] == "held" and cluster { scheduler = "held", tasks = 1, cpus = 2 } or nil,
  progress = function(s)
    local n = s.done + s.failed + s.diverged
    if n > told then
      told = n
      local f = assert(io.open("../told", "w"))
      f:write(n, "\n")
      f:close()
    end
  end }
for i, e in ipairs(r.errors) do print(i, ("%a"):format(e)) end
]]

-- Makes of a finished store one whose sweep was killed in the middle of its second model ("half"),
-- or before it began ("open").
local back_script = [[
local db = assert(require("netspace.core.sqlite").open("run.db", "rw"))
if arg[1] == "half" then
  assert(db:exec "DELETE FROM epoch WHERE model = 2 AND epoch = 2")
  assert(db:exec "UPDATE model SET status = 'running', error = NULL, epochs = 1 WHERE id = 2")
  assert(db:exec "UPDATE run SET ended = NULL")
else
  assert(db:exec "DELETE FROM epoch")
  assert(db:exec "UPDATE model SET status = 'queued', error = NULL, epochs = 0")
end
]]

-- A scheduler whose tasks are run by hand: they are running until the file `ended` is there.
local held_script = [[
local command = require "netspace.cluster.command"
local uv = require "luv"
return {
  ready = function() return 100 end,
  script = function() return "" end,
  submit = function(_, job) return command.run { "echo", job.number .. "-" .. job.first } end,
  look = function(_, jobs)
    local state, found = uv.fs_stat "../ended" and "ended" or "running", {}
    for _, job in ipairs(jobs) do
      found[job.id] = {}
      for _, t in ipairs(job.tasks) do found[job.id][t] = { state = state } end
    end
    return found
  end,
  cancel = function() return true end,
}
]]

-- What is in a directory, but for the file `besides`.
local function names(path, besides)
  local list, scan = {}, uv.fs_scandir(path)
  for name in function() return scan and uv.fs_scandir_next(scan) end do
    if name ~= besides then list[#list + 1] = name end
  end
  table.sort(list)
  return table.concat(list, " ")
end

-- Stores --------------------------------------------------------------------------------------

-- The results of the store, a line for each; then what is wrong with it.
local function look(w)
  local path, lines, wrong = w.at .. "/run.db", {}, {}
  local s = store.open(path)
  if s then
    local has = #s:names() > 0
    for _, m in ipairs(has and s:live "A" or {}) do
      if m.status == "done" then lines[#lines + 1] = ("%d\t%a\n"):format(m.index, m.error) end
      if m.status == "failed" or m.status == "diverged" then
        wrong[#wrong + 1] = ("model %d: %s"):format(m.index, m.reason or m.status)
      end
    end
    s:close()
    local report, why = integrity.check(path)
    for _, p in ipairs(report and report.problems or { why }) do wrong[#wrong + 1] = p end
  elseif uv.fs_stat(path) and uv.fs_stat(path).size > 0 then
    wrong[1] = "it cannot be opened"
  end
  return lines, wrong[1] and table.concat(wrong, "; ")
end

-- What is wrong with the store after a fault: each result that is in it, or was acknowledged.
local function whole(w)
  local lines, wrong = look(w)
  if wrong then return "the store: " .. wrong end
  for _, line in ipairs(lines) do
    if not w.table:find(line, 1, true) then return "in the store: " .. line end
  end
  local told = tonumber(w.read(w.dir .. "/told")) or 0
  if #lines < told then
    return ("%d results were acknowledged, %d are there"):format(told, #lines)
  end
end

local function complete(w)
  local lines, wrong = look(w)
  if wrong or table.concat(lines) ~= w.table then
    return "in the end: " .. (wrong or table.concat(lines))
  end
end

local SWEEP = "-q --no-init ../sweep.lua"

local function sweep_again(w)
  local status, out, err = w:run(SWEEP)
  if status ~= 0 then return ("run again, status %d: %s"):format(status, err) end
  if out ~= w.table then return "run again, another table: " .. out end
  return complete(w)
end

M[1] = { name = "sweep", run = function() return SWEEP end, check = whole, again = sweep_again }
M[2] = { name = "resume", from = "half", check = whole, again = sweep_again,
  run = function() return SWEEP end }

-- Files ---------------------------------------------------------------------------------------

-- A command that writes a file: all of it is there, or nothing, or what it says that is missing
-- (`lacking`); no other file is left, and the store it was made of is as it was.
local function writes(name, file, from, run, lacking)
  local function checked(w, status, err, fault)
    local text = w.read(w.at .. "/" .. file)
    local said = status == 0 and lacking and err:find(lacking, 1, true)
    if status == 0 and not said and text ~= w.made[name] then return "it is said to be well, and is not" end
    if status ~= 0 and text ~= w.made[name] and text ~= "" then
      return ("a part of the file is there: %d bytes"):format(#text)
    end
    for left in names(w.at, file):gmatch "%S+" do -- where it failed, what goes with it may be there
      if not w.names[name]:find(left, 1, true) and not (fault and (fault.CALLS == "unlink"
        or status == 134)) then return left .. " is left" end
    end
    if status == 0 and names(w.at, file) ~= w.names[name] then
      return "what goes with it is missing: " .. names(w.at)
    end
    return from == "done" and complete(w) or nil
  end
  M[#M + 1] = { name = name, from = from, file = file, run = run,
    check = checked,
    again = function(w)
      local status, _, err = w:run(run(w))
      return status ~= 0 and ("run again, status %d: %s"):format(status, err)
        or checked(w, status, "", { CALLS = "unlink" })
    end }
end
for _, kind in ipairs { "csv", "jsonl", "json" } do
  writes("export " .. kind, "x." .. kind, "done", function() return "export run.db -o x." .. kind end)
end
writes("report", "x.html", "done", function() return "report run.db -o x.html" end,
  "no pictures: ")
writes("pack", "x.pack", "images", function() return "pack set -o x.pack" end,
  "left out: ")

-- A cluster -----------------------------------------------------------------------------------

local HELD = "submit run.db --scheduler held --tasks 1 --cpus 2"

-- The directories of submissions.
local function submissions(w)
  local list, base = {}, w.at .. "/run.db.cluster"
  for population in names(base):gmatch "%S+" do
    for number in names(base .. "/" .. population):gmatch "%f[%w]%d+%f[%W]" do
      list[#list + 1] = ("%s/%s/%s"):format(base, population, number)
    end
  end
  return list
end

local function collect(w)
  w.write(w.dir .. "/ended", "")
  local status, _, err = w:run "collect run.db"
  return status ~= 0 and ("collected, status %d: %s"):format(status, err) or complete(w)
end

-- Runs every task of every submission, then collects.
local function finish(w)
  for _, place in ipairs(submissions(w)) do
    for share in names(place):gmatch "(%d+)%.jobs" do
      local status, _, err = w:run(("task %s again"):format(share), nil, place)
      if status ~= 0 then return ("a task, status %d: %s"):format(status, err) end
    end
  end
  return collect(w)
end

M[#M + 1] = { name = "submit", from = "open", run = function() return HELD end, check = whole,
  again = function(w)
    local status, _, err = w:run(HELD)
    return status ~= 0 and ("submitted again, status %d: %s"):format(status, err) or finish(w)
  end }
M[#M + 1] = { name = "task", from = "submitted", check = whole, again = finish,
  waits = 3, -- for a disk that takes nothing it waits, so that one has to take it again
  place = function(w) return submissions(w)[1] end, run = function() return "task 0 first" end }
M[#M + 1] = { name = "collect", from = "trained", check = whole, again = collect,
  run = function(w)
    w.write(w.dir .. "/ended", "")
    return "collect run.db"
  end }

-- ---------------------------------------------------------------------------------------------

local function must(w, arguments, place)
  local status, out, err = w:run(arguments, nil, place)
  assert(status == 0, arguments .. ": " .. err)
  return out
end

-- Images of two classes, as PPM files of 9x8 pixels.
local function images(w)
  for i = 1, 6 do
    local folder = ("%s/set/%s/%s"):format(w.at, i <= 4 and "train" or "test",
      i % 2 == 0 and "a" or "b")
    os.execute("mkdir -p " .. folder)
    w.write(("%s/%d.ppm"):format(folder, i), "P6 9 8 255\n" .. string.char(40 * i):rep(9 * 8 * 3))
  end
end

--- Makes what the scenarios begin with, and what they give undisturbed.
function M.prepare(w)
  for name, text in pairs { sweep = sweep_script, back = back_script, held = held_script } do
    w.write(("%s/%s.lua"):format(w.dir, name), text)
  end
  w.made, w.names = {}, {}
  w:lay()
  w.table = must(w, SWEEP)
  w:keep "done"
  for _, name in ipairs { "half", "open" } do
    w:lay "done"
    must(w, ("-q --no-init ../back.lua %s"):format(name))
    w:keep(name)
  end
  must(w, HELD)
  w:keep "submitted"
  must(w, "task 0 first", submissions(w)[1])
  w:keep "trained"
  w:lay()
  images(w)
  w:keep "images"
  for _, s in ipairs(M) do
    if s.file then
      w:lay(s.from)
      must(w, s.run(w))
      w.made[s.name], w.names[s.name] = w.read(w.at .. "/" .. s.file),
        names(w.at, s.file)
    end
  end
end

return M
