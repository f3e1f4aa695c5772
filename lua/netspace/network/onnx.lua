--- Networks as ONNX models.  Mechanism: src/model/onnx.h.

local core = require "netspace.core.export"
local json = require "netspace.lib.json"

local M = {}

-- A message of protobuf has at most 2 GiB; beyond this the weights lie in a file beside it.
M.INSIDE = (1 << 31) - (1 << 24)

--- Whether this build can write them.
M.there = core.onnx_there

--- Writes the net n.
-- @tparam table|nil about  what it was trained on (net:data): mean, std, class_names, channels, …
-- @tparam table o  fold: batch norm into the convolution before it; normalise: the image comes
--   with values from 0 to 255; inside: most bytes of weights in the model itself
-- @treturn true, or nil and a message
function M.write(n, path, about, o)
  about = about or {}
  local metadata = { { "netspace.arch", json.encode(n:arch()) },
    { "normalised_inside", tostring(o.normalise) } }
  for _, key in ipairs { "channels", "class_names", "mean", "std", "image", "scale", "resize" } do
    local v = about[key]
    if v ~= nil then
      metadata[#metadata + 1] = { key, type(v) == "string" and v or json.encode(v) }
    end
  end
  return core.onnx(n, path, { fold = o.fold, inside = o.inside or M.INSIDE,
    mean = o.normalise and about.mean or nil, std = o.normalise and about.std or nil,
    metadata = metadata })
end

return M
