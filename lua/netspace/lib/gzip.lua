--- Files in gzip's format (RFC 1952) by zlib, which is optional: asked for by name.

local M = {}

local function zlib()
  local good, lib = pcall(require, "zlib")
  if good then return lib end
  return nil, "compressed files need zlib for Lua: install the package lua-zlib"
end

--- Whether the name of a file says that it is compressed; and the name without that.
function M.named(path)
  local bare = path:match("^(.*)%.[gG][zZ]$")
  return bare ~= nil, bare or path
end

--- A writer that compresses what it is given and passes it on; last(): the end of it.
-- The bytes depend on the text alone.
-- @treturn function write, function last; or nil and a message
function M.writer(write)
  local lib, why = zlib()
  if not lib then return nil, why end
  local deflate = lib.deflate(9, 15 + 16) -- 16: with gzip's header
  return function(text) write((deflate(text))) end, function() write((deflate("", "finish"))) end
end

--- The text of a compressed file.
-- @treturn string, or nil and a message
function M.text(bytes)
  local lib, why = zlib()
  if not lib then return nil, why end
  local parts, from = {}, 1
  repeat -- a file is a row of members (RFC 1952, section 2.2)
    local good, text, whole, taken = pcall(lib.inflate(15 + 16), bytes:sub(from))
    if not good then return nil, "it is not a gzip file, or it is damaged" end
    if not whole then return nil, "the compressed file ends too early" end
    parts[#parts + 1], from = text, from + taken
  until not bytes:find("[^\0]", from) -- some are padded
  return table.concat(parts)
end

return M
