-- The self-check of the engine, and that no sweep starts when it fails.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local sys = require "netspace.core.sys"

t.is(sys.check_blas(), true, "matrix products are right")
t.is(sys.check_kernels(), true, "the kernels are right")

-- A program of its own, in which the check of the kernels says `verdict`.
local function sweep_with(verdict)
  local store = os.tmpname()
  os.remove(store)
  local code = ([[
    require("netspace.core.sys").check_kernels = function() return %s end
    local m = arch.anynet{ d = {1}, w = {8}, stem_width = 8 }
    local d = data.open("shapes", { train = 100, test = 20 })
    local r = recipe{ like = recipe.quick, epochs = 1, batch = 50 }
    sweep.run{ store = "%s", name = "A", models = { m }, data = d, recipe = r, quiet = true }
    for _, e in ipairs(sweep.open("%s"):events()) do print(e.text) end]]):format(verdict, store,
    store)
  local file = os.tmpname()
  local f <close> = assert(io.open(file, "w"))
  f:write(code)
  f:close()
  local p = io.popen(("'%s' -q --no-init '%s' 2>&1"):format(sys.exe(), file))
  local text = p:read "a"
  local _, _, status = p:close()
  local written = io.open(store) ~= nil
  os.remove(file)
  os.remove(store)
  return status, text, written
end

local status, text, written = sweep_with "nil, 'the kernels are wrong; NETSPACE_ISA=avx2'"
t.is(status, 5, "a failing self-check is status 5")
t.ok(text:find("the kernels are wrong; NETSPACE_ISA=avx2", 1, true), "and says why", text)
t.ok(not written, "before anything is written")
status, text = sweep_with "true"
t.is(status, 0, "a sweep that passes it runs")
t.ok(text:find("worker on local: netspace", 1, true), "and its store says so", text)

-- The formats of images, also in a build without libwebp.
local function doctor_with(formats)
  local images, print_was, lines = sys.images, print, {}
  sys.images = function() return formats end
  rawset(_G, "print", function(line) lines[#lines + 1] = line end)
  local good, message = pcall(require("netspace.prompt.doctor").main, {})
  sys.images = images
  rawset(_G, "print", print_was)
  assert(good, message)
  return table.concat(lines, "\n")
end
local lines = doctor_with(sys.images())
t.ok(lines:find "images +JPEG, PNG, .*PPM and PGM, BMP are read", "doctor names what is read",
  lines)
lines = doctor_with { { name = "JPEG", read = true }, { name = "WebP", read = false } }
t.ok(lines:find("note images +JPEG are read; WebP is not: install libwebp"), "and what is missing",
  lines)

t.done()
