--- Escape sequences of terminals beyond what curses knows, as bytes: the clipboard, and the way
-- through tmux to the terminal around it.
-- Source: xterm, Control Sequences (OSC 52); tmux(1), allow-passthrough.

local M = {}

local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

-- The four letters of every three bytes are two of these pairs.
local pairs_of = {}
for i = 0, 4095 do
  pairs_of[i] = letters:sub(i // 64 + 1, i // 64 + 1) .. letters:sub(i % 64 + 1, i % 64 + 1)
end

--- Bytes in base 64 (RFC 4648, section 4).
function M.base64(bytes)
  local out = {}
  for i = 1, #bytes, 3 do
    local a, b, c = bytes:byte(i, i + 2)
    local n = a << 16 | (b or 0) << 8 | (c or 0)
    local low = pairs_of[n & 4095]
    out[#out + 1] = pairs_of[n >> 12] .. (c and low or b and low:sub(1, 1) .. "=" or "==")
  end
  return table.concat(out)
end

--- Whether a terminal of tmux is what we talk to.
function M.in_tmux()
  local tmux = os.getenv "TMUX"
  return tmux ~= nil and tmux ~= ""
end

--- A sequence for the terminal around tmux, which takes it where allow-passthrough is on.
function M.passthrough(sequence)
  return "\27Ptmux;" .. sequence:gsub("\27", "\27\27") .. "\27\\"
end

M.CLIPBOARD = 74994 -- bytes: terminals take 100,000 letters of base 64 and no more

--- Puts a text on the clipboard (OSC 52).  tmux takes it where set-clipboard is on; else the
-- terminal around it may.
function M.clipboard(text, tmux)
  local sequence = ("\27]52;c;%s\7"):format(M.base64(text))
  return tmux and sequence .. M.passthrough(sequence) or sequence
end

return M
