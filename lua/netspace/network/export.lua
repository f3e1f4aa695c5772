--- A directory with all that other programs need of a network: net:export.

local atomic = require "netspace.lib.atomic"
local c_source = require "netspace.network.c_source"
local onnx = require "netspace.network.onnx"
local options = require "netspace.lib.options"
local uv = require "luv"

local M = {}

local MODULE = "torch_anynet.py"

options.declare("net:export", { c = "boolean", fold = "boolean", normalise = "boolean" })

-- The directory, made where it is missing, with the module for PyTorch.
local function begin(dir)
  local here = debug.getinfo(1, "S").source:match("^@(.*/)") or ""
  local f <close>, message = io.open(here .. MODULE)
  if not f then return nil, message end
  local made, why, code = uv.fs_mkdir(dir, tonumber("777", 8))
  if not made and code ~= "EEXIST" then
    return nil, ("%s cannot be made: %s"):format(dir, atomic.reason(why))
  end
  local text = f:read "a"
  return atomic.write(("%s/%s"):format(dir, MODULE), function(write) write(text) end)
end

--- Writes the files.
-- @tparam table|nil about  what the net was trained on (net:data)
-- @treturn table of what was written, or nil and a message
function M.write(n, dir, about, o)
  o = options.check("net:export", o, 3)
  if o.normalise and not (about and about.mean) then
    error("net:export: normalise: the net was not trained, or its file does not say on what: its "
      .. "mean and deviation are not known", 3)
  end
  local made, message = begin(dir)
  if made then made, message = n:save(dir .. "/net.safetensors") end
  if not made then return nil, message end
  local about_onnx = { fold = o.fold ~= false,
    normalise = o.normalise ~= false and about ~= nil and about.mean ~= nil }
  local t = { onnx = onnx.there }
  if onnx.there then
    made, message = onnx.write(n, dir .. "/net.onnx", about, about_onnx)
    if not made then return nil, message end
    t.normalised = about_onnx.normalise
  end
  if o.c then
    t.memory, message = c_source.write(n, dir, about)
    if not t.memory then return nil, message end
  end
  return t
end

return M
