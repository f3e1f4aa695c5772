-- `make profile`: where a step of one network goes, layer by layer.
local networks = dofile((arg[0]:match("^(.*)/[^/]*$") or ".") .. "/networks.lua")

local usage = [[
usage: make profile NET=NETWORK [MODE=train|test] [BATCH=N]
NETWORK is a name of scripts/bench/networks.lua (or its beginning), a name of the zoo, or a
Lua expression such as 'arch.anynet{ d = {1}, w = {64} }'.]]

local function fail(message)
  io.stderr:write("profile: ", message, "\n", usage, "\n")
  os.exit(2)
end

local function find(name)
  for _, network in ipairs(networks) do
    if network[1]:lower():sub(1, #name) == name:lower() then return network[3], network[2] end
  end
  local good, m = pcall(function() return zoo[name] end)
  if good then return m, 16 end
  local f = load("return " .. name)
  good, m = pcall(f or error)
  if good and type(m) == "table" then return m, 64 end
  local names = {}
  for i, network in ipairs(networks) do names[i] = "'" .. network[1] .. "'" end
  fail(("'%s' is no network; there are %s"):format(name, table.concat(names, ", ")))
end

if arg[1] == "" then fail "NET is missing" end
local m, batch = find(arg[1])
print(pretty(m))
print(net.profile(m, { mode = arg[2] ~= "" and arg[2] or nil,
  batch = arg[3] ~= "" and math.tointeger(tonumber(arg[3])) or batch }))
