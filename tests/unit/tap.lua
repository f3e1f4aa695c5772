--- A small TAP writer for the Lua tests.
--   local t = require "tap"; t.ok(cond, "name"); t.is(a, b, "name"); t.near(a, b, tol, "name")
--   t.fails(function() … end, "part of the message", "name"); t.done()

local M = { n = 0, failed = 0 }

local function show(v)
  return type(v) == "string" and ("%q"):format(v) or tostring(v)
end

function M.ok(cond, name, detail)
  M.n = M.n + 1
  print(("%s %d - %s"):format(cond and "ok" or "not ok", M.n, name or ""))
  if not cond then
    M.failed = M.failed + 1
    local at = debug.getinfo(M.level or 2, "Sl")
    print(("# at %s:%d%s"):format(at.short_src, at.currentline, detail and ("\n# " .. detail:gsub("\n", "\n# ")) or ""))
  end
  return cond
end

function M.is(got, want, name)
  M.level = 3
  M.ok(got == want, name, ("got %s, wanted %s"):format(show(got), show(want)))
  M.level = nil
end

--- |got - want| <= tol; a NaN fails.
function M.near(got, want, tol, name)
  M.level = 3
  M.ok(math.abs(got - want) <= tol, name, ("got %.17g, wanted %.17g ± %g"):format(got, want, tol))
  M.level = nil
end

--- f must raise an error whose message contains `part` (plain text).
function M.fails(f, part, name)
  local good, err = pcall(f)
  M.level = 3
  M.ok(not good and tostring(err):find(part, 1, true) ~= nil, name or part,
    good and "no error was raised" or ("message: " .. tostring(err)))
  M.level = nil
end

function M.skip(name, why)
  M.n = M.n + 1
  print(("ok %d - %s # SKIP %s"):format(M.n, name, why))
end

function M.done()
  print("1.." .. M.n)
  os.exit(M.failed == 0 and 0 or 1, true)
end

return M
