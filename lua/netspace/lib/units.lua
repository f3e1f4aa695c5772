--- Figures with their units, as people say them.

local M = {}

--- Seconds: "45s", "3m20s", "2h05m", "3d04h".
function M.duration(s)
  s = math.max(0, math.floor(s + 0.5))
  if s < 60 then return ("%ds"):format(s) end
  if s < 3600 then return ("%dm%02ds"):format(s // 60, s % 60) end
  if s < 86400 then return ("%dh%02dm"):format(s // 3600, s % 3600 // 60) end
  return ("%dd%02dh"):format(s // 86400, s % 86400 // 3600)
end

local sizes = { { 1e12, "TB" }, { 1e9, "GB" }, { 1e6, "MB" }, { 1e3, "kB" }, { 1, "bytes" } }

--- Bytes: "950 kB", "21.2 MB", "2 GB".
function M.bytes(n)
  for _, size in ipairs(sizes) do
    if n >= 0.9995 * size[1] or size[1] == 1 then -- less prints as less than 1000 of the next
      return ("%.3g %s"):format(n / size[1], size[2])
    end
  end
end

--- "1 model", "2 models".
function M.count(n, noun) return ("%d %s%s"):format(n, noun, n == 1 and "" or "s") end

return M
