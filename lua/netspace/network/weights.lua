--- Files of weights (safetensors): under whose names, for images with which channel first, with
-- what they were trained on; and the network of a file.

local arch = require "netspace.network.arch"
local core = require "netspace.core.weights"
local json = require "netspace.lib.json"
local naming = require "netspace.network.naming"
local options = require "netspace.lib.options"
local pcall = require("netspace.lib.memory").pcall

local M = {}

options.declare("net:save", { names = "string", channels = "string" })
options.declare("net:load", { channels = "string" })
options.declare("net.load", { seed = "integer", batch = "integer", classes = "integer",
  image = "integer", channels = "string" })
options.words["net:save: names"] = naming.STYLES
options.words["net:save: channels"] = { "RGB", "BGR" }
options.words["net:load: channels"] = options.words["net:save: channels"]
options.words["net.load: channels"] = options.words["net:save: channels"]

local function one_of(key, value, words)
  for _, word in ipairs(words) do
    if value == word then return end
  end
  error(("%s is '%s'; it must be \"%s\""):format(key, value, table.concat(words, '", "', 1,
    #words - 1) .. '" or "' .. words[#words]), 0)
end

-- A list the other way round; nil of nil.
local function reversed(list)
  return list and { list[3], list[2], list[1] }
end

-- What a net was trained on, for images with the other end of the channels first.
local function turned(about, channels)
  local t = {}
  for k, v in pairs(about or {}) do t[k] = v end
  t.channels, t.mean, t.std = channels, reversed(t.mean), reversed(t.std)
  return t
end

--- Writes the weights of n.
-- @tparam table|nil about  what it was trained on (net:data)
-- @tparam table o  names, channels, as of net:save
function M.write(n, path, about, o)
  local m, t = n:arch(), {}
  if o.channels then one_of("channels", o.channels, { "RGB", "BGR" }) end
  if o.names and o.names ~= "pycls" then
    one_of("names", o.names, naming.STYLES)
    local why
    t.names, why = naming.of(o.names, m, n:params())
    if not t.names then error(("names = \"%s\": %s"):format(o.names, why), 0) end
  end
  if o.channels == "BGR" then
    if m.channels == 1 then error("channels: the net takes gray images", 0) end
    t.reversed, about = true, turned(about, "BGR")
  end
  return core.write(n, path, json.encode(m), about and json.encode(about), t)
end

local function numbers(list, count)
  if type(list) ~= "table" or #list ~= count then return false end
  for k = 1, count do
    if type(list[k]) ~= "number" or list[k] ~= list[k] or math.abs(list[k]) == math.huge then
      return false
    end
  end
  return true
end

-- What is wrong with the metadata of what a net of m was trained on, or nil.
local function fault(about, m)
  local count = m.channels or 3
  if about.channels and (about.channels == "gray") ~= (count == 1) then
    return ("it takes %s images, this network %s ones"):format(about.channels == "gray" and "gray"
      or "colour", count == 1 and "gray" or "colour")
  end
  for _, key in ipairs { "mean", "std" } do
    if about[key] ~= nil and not numbers(about[key], count) then
      return ("%s is no list of %d numbers"):format(key, count)
    end
  end
  if (about.mean == nil) ~= (about.std == nil) then return "one of mean and std is missing" end
  for c = 1, about.std and count or 0 do
    if about.std[c] <= 0 then return ("std %g is not above 0"):format(about.std[c]) end
  end
  local names = about.class_names
  if names ~= nil and (type(names) ~= "table" or #names ~= m.classes) then
    return ("class_names is no list of the %d classes"):format(m.classes)
  end
end

-- Whether a file is one of PyTorch: a pickle, or a zip with one in it.
local function of_torch(path)
  local f <close> = io.open(path, "rb")
  local head = f and f:read(4) or ""
  return head == "PK\3\4" or head:find "^\x80[\2-\5]" ~= nil
end

--- What a file holds: { names = (of which program), whose = (in words), m = (nil where it does not
-- say), about =, shapes = }, or nil and a message.  `channels`: of a file that does not say.
function M.open(path, channels)
  if channels then one_of("channels", channels, { "RGB", "BGR" }) end
  local head, message = core.header(path)
  if not head and of_torch(path) then
    return nil, path .. ": is a file of PyTorch, a pickle, which is not read here; "
      .. "scripts/from_torch.py FILE OUT.safetensors makes of it what is"
  elseif not head then
    return nil, message
  end
  local file = { shapes = head.shapes }
  file.names, file.whose = naming.recognise(head.shapes)
  local text, read = head.metadata["netspace.arch"], nil
  if text then
    read, file.m = pcall(json.decode, text)
    if not read or type(file.m) ~= "table" then
      return nil, path .. ": the architecture in its metadata is not a JSON object"
    end
  end
  local good, about = pcall(json.decode, head.metadata["netspace.data"] or "{}")
  about = good and type(about) == "table" and about or {}
  channels = channels or about.channels
  file.reversed = channels == "BGR"
  if file.reversed then about = turned(about, "RGB") end
  file.about = about
  return file
end

--- The network of the file, from its metadata or else read off its tensors, and then what was
-- assumed; nil, message.
function M.network(file, path)
  if file.m then return file.m end
  local m, why
  if file.names then
    m, why = naming.architecture(file.shapes)
  end
  if m then return m, why end
  if not file.names then
    return nil, path .. ": its tensors are of no RegNet, ResNet or EfficientNet by the names of "
      .. "pycls, timm or torchvision; other networks have no counterpart here"
  end
  return nil, ("%s: it does not say which network it is of, and %s; make that network, then load "
    .. "the weights into it: net.new(m):load(path)"):format(path, why)
end

local HEAD = "^head%.fc%."

--- Takes the weights of the file into n.
-- @tparam boolean fresh_head  the head keeps what it has
-- @treturn table|boolean what the net was trained on (false: nobody knows), or nil and a message
function M.read(n, path, file, fresh_head)
  local m, t = n:arch(), { reversed = file.reversed }
  local params = n:params()
  if file.names ~= "pycls" and file.names then
    local why
    t.names, why = naming.of(file.names, m, params)
    if not t.names then
      return nil, ("%s: its tensors have the names of %s: %s"):format(path, file.whose, why)
    end
  end
  if t.reversed and m.channels == 1 then
    return nil, path .. ": it takes images with blue first, this network gray ones"
  end
  local about = file.about
  if fresh_head then
    t.kept = {}
    for k, p in ipairs(params) do t.kept[k] = p.name:find(HEAD) ~= nil end
    about.class_names, about.checksum = nil, nil
  end
  about.image = about.image and m.image -- which the net takes, whatever it was trained on
  local wrong = fault(about, m)
  if wrong then return nil, ("%s: netspace.data: %s"):format(path, wrong) end
  local ok, message = core.read(n, path, t)
  if not ok then return nil, message end
  return (about.mean or about.class_names) and about or false
end

--- What somebody who loads a file should know of what it did not say.
function M.say(text, ...)
  io.stderr:write("netspace: net.load: ", text:format(...), "\n")
end

--- The architecture with another head and size of images.
function M.changed(m, o)
  local t = {}
  for k, v in pairs(m) do t[k] = v end
  t.classes, t.image = o.classes or m.classes, o.image or m.image
  return arch._final(t)
end

return M
