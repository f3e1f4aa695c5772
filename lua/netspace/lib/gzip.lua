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

--- Whether bytes are in this format.
function M.is(bytes) return bytes:sub(1, 2) == "\x1f\x8b" end

--- A writer that compresses what it is given and passes it on; last(): the end of it.
-- The bytes depend on the text alone.
-- @treturn function write, function last; or nil and a message
function M.writer(write)
  local lib, why = zlib()
  if not lib then return nil, why end
  local deflate = lib.deflate(9, 15 + 16) -- 16: with gzip's header
  return function(text) write((deflate(text))) end, function() write((deflate("", "finish"))) end
end

--- The text of a compressed file, piece by piece.
-- @tparam function read  the next bytes of the file, or nil (and a message) at the end
-- @treturn function the next piece, or nil (and a message); or nil and a message
function M.reader(read)
  local lib, why = zlib()
  if not lib then return nil, why end
  local inflate, taken, rest = nil, 0, ""
  return function()
    while true do
      local message
      if rest == "" then rest, message = read() end
      if not rest and message then return nil, message end
      if not rest or not inflate and not rest:find "[^\0]" then -- some are padded with zeros
        if inflate then return nil, "the compressed file ends too early" end
        if not rest then return nil end
        rest = ""
      else
        inflate = inflate or lib.inflate(15 + 16) -- a row of members (RFC 1952, section 2.2)
        local good, text, whole, so_far = pcall(inflate, rest)
        if not good then return nil, "it is not a gzip file, or it is damaged" end
        rest = whole and rest:sub(so_far - taken + 1) or ""
        inflate, taken = not whole and inflate or nil, whole and 0 or so_far
        if text ~= "" then return text end
      end
    end
  end
end

return M
