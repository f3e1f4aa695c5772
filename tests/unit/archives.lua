--- Made files of images for tests: pictures, tar and zip archives, arrays of NumPy, IDX files.

local uv = require "luv"
local zlib = require "zlib"

local M = {}

--- A picture as PPM (PGM where channels is 1) of bytes that follow from `seed`.
function M.picture(width, height, channels, seed)
  local bytes = {}
  for i = 1, width * height * channels do
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    bytes[i] = string.char(seed >> 16 & 255)
  end
  return ("P%d\n%d %d\n255\n"):format(channels == 3 and 6 or 5, width, height)
    .. table.concat(bytes), table.concat(bytes)
end

--- Writes a file, and the folders it lies in.
function M.write(path, bytes)
  local at = 1
  while true do
    at = path:find("/", at + 1, true)
    if not at then break end
    uv.fs_mkdir(path:sub(1, at - 1), tonumber("777", 8))
  end
  local f = assert(io.open(path, "wb"))
  f:write(bytes)
  f:close()
end

function M.read(path)
  local f = assert(io.open(path, "rb"))
  local bytes = f:read "a"
  f:close()
  return bytes
end

--- A tar archive (ustar) of { name, bytes }, …
function M.tar(members)
  local out = {}
  for _, m in ipairs(members) do
    local head = m[1] .. ("\0"):rep(100 - #m[1]) .. "0000644\0000000000\0000000000\0"
      .. ("%011o\0"):format(#m[2]) .. "00000000000\0"
    local rest = "0" .. ("\0"):rep(100) .. "ustar\00000" .. ("\0"):rep(247)
    local sum = 8 * 32
    for i = 1, #head do sum = sum + head:byte(i) end
    for i = 1, #rest do sum = sum + rest:byte(i) end
    out[#out + 1] = head .. ("%06o\0 "):format(sum) .. rest .. m[2]
      .. ("\0"):rep(-#m[2] % 512)
  end
  return table.concat(out) .. ("\0"):rep(1024)
end

--- A zip archive, stored without compression.
function M.zip(members)
  local out, list, at = {}, {}, 0
  for _, m in ipairs(members) do
    local sum = zlib.crc32()(m[2])
    local about = string.pack("<I2I2I2I2I2I4I4I4I2I2", 20, 0, 0, 0, 33, sum, #m[2], #m[2], #m[1], 0)
    local file = "PK\3\4" .. about .. m[1] .. m[2]
    list[#list + 1] = "PK\1\2" .. string.pack("<I2", 20) .. about
      .. string.pack("<I2I2I2I4I4", 0, 0, 0, 0, at) .. m[1]
    out[#out + 1] = file
    at = at + #file
  end
  local index = table.concat(list)
  return table.concat(out) .. index .. "PK\5\6" .. string.pack("<I2I2I2I2I4I4I2", 0, 0, #members,
    #members, #index, at, 0)
end

--- An array of NumPy; shape as Python writes it.
function M.npy(descr, shape, bytes, order)
  local head = ("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }"):format(descr,
    order or "False", shape)
  head = head .. (" "):rep(-(#head + 11) % 64) .. "\n"
  return "\x93NUMPY\1\0" .. string.pack("<I2", #head) .. head .. bytes
end

--- An IDX file of bytes.
function M.idx(sizes, bytes)
  local head = { "\0\0\8", string.char(#sizes) }
  for _, n in ipairs(sizes) do head[#head + 1] = string.pack(">I4", n) end
  return table.concat(head) .. bytes
end

function M.gzip(bytes)
  return (zlib.deflate(6, 31)(bytes, "finish"))
end

return M
