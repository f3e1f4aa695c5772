-- The Lua files lie anywhere (NETSPACE_PATH): help, constraints and exports do not depend on
-- where the tree is.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local sys = require "netspace.core.sys"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-moved-XXXXXX"))
local lua = assert(package.searchpath("netspace.init", package.path)):match("^(.*)/netspace/")
assert(os.execute(("cp -r %s '%s/else where'"):format(lua, dir)))
local function run(code)
  local p = assert(io.popen(("cd %s && NETSPACE_PATH='%s/else where' %s -q --no-init -e '%s' 2>&1")
    :format(dir, dir, sys.exe(), code)))
  local text = p:read("a")
  p:close()
  return text
end
t.is(run("print(help.text())"), help.text() .. "\n", "the overview, in its groups")
t.is(run("print(help.text(stats.compare))"), help.text(stats.compare) .. "\n",
  "the help of a function")
t.is(run("print(help.text(space.RegNetX.sample))"), help.text(space.RegNetX.sample) .. "\n",
  "the help of a method")
t.is(run("print(space.AnyNetXE, constraint.names()[1])"),
  tostring(space.AnyNetXE) .. "\t" .. constraint.names()[1] .. "\n", "the shipped constraints")
t.is(run [[print(net.new(arch.anynet{ d = {1}, w = {8}, g = 8 }, { batch = 2 }):export("out").onnx ~= nil)]],
  "true\n", "a network is exported")
local module = assert(io.open(dir .. "/out/torch_anynet.py")):read("a")
t.is(module, assert(io.open(lua .. "/netspace/network/torch_anynet.py")):read("a"),
  "with its module for PyTorch")
t.ok(run("space.AnyNetXA:sample(0)"):find("^netspace: %-e:1: S:sample: n is 0"),
  "an exception blames the user's line")
os.execute(("rm -r '%s'"):format(dir))
t.done()
