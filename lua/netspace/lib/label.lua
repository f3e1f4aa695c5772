--- Names from anywhere as text that any file can hold.

local M = {}

--- s as UTF-8 without control characters; malformed bytes are '?', and what is longer than
-- `most` characters ends in an ellipsis.
function M.clean(s, most)
  local out, at = {}, 1
  while at <= #s and (not most or #out < most) do
    local good = utf8.len(s, at, at)
    local to = good and (utf8.offset(s, 2, at) or #s + 1) - 1 or at
    local code = good and utf8.codepoint(s, at)
    out[#out + 1] = not code and "?" or (code < 32 or code >= 127 and code < 160
      or code == 0xFFFE or code == 0xFFFF) and " " or s:sub(at, to)
    at = to + 1
  end
  if at <= #s then out[#out] = "…" end
  return table.concat(out)
end

return M
