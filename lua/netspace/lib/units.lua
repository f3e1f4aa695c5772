--- Numbers with their units, as people write them.

local M = {}

--- Seconds: "45s", "3m20s", "2h05m", "3d04h".
function M.duration(s)
  s = math.max(0, math.floor(s + 0.5))
  if s < 60 then return ("%ds"):format(s) end
  if s < 3600 then return ("%dm%02ds"):format(s // 60, s % 60) end
  if s < 86400 then return ("%dh%02dm"):format(s // 3600, s % 3600 // 60) end
  return ("%dd%02dh"):format(s // 86400, s % 86400 // 3600)
end

--- A time that somebody has set: below 10 seconds also parts of one, "0.5s".
function M.limit(s)
  if s >= 10 or s == math.floor(s) then return M.duration(s) end
  return ("%.2gs"):format(s)
end

local moments = { { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "µs" } }

--- Seconds of a short time: "2.5 ms", "310 µs", "1.2 s".
function M.moment(s)
  for _, part in ipairs(moments) do
    if s >= part[1] or part == moments[#moments] then
      return ("%.3g %s"):format(s / part[1], part[2])
    end
  end
end

--- From one such time to another: "2 ms to 3 ms".
function M.span(lo, hi)
  return ("%s to %s"):format(M.moment(lo), M.moment(hi))
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

--- "1 model", "2 models"; with `part` "1 of 2 models".
function M.count(n, noun, part)
  return ("%s%d %s%s"):format(part and ("%d of "):format(part) or "", n, noun,
    n == 1 and "" or "s")
end

local states = { "done", "diverged", "failed", "running", "queued",
  "unfinished" } -- the last: of an import, which does not know what becomes of them

--- How models stand, the one way it is counted and said everywhere: every model is in one of
-- these states, so that the numbers add up to all.  "4 done, 1 failed, 2 queued"; states that no
-- model is in are left out.
function M.tally(t)
  local parts = {}
  for _, state in ipairs(states) do
    if (t[state] or 0) > 0 then parts[#parts + 1] = ("%d %s"):format(t[state], state) end
  end
  return #parts > 0 and table.concat(parts, ", ") or "0 done"
end

--- 1234567 as "1,234,567".
function M.thousands(n)
  local s = ("%d"):format(n)
  repeat
    local k
    s, k = s:gsub("^(%d+)(%d%d%d)", "%1,%2")
  until k == 0
  return s
end

local prefixes = { { 1e15, "P" }, { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" } }

--- 7,200,000 as "7.2M".
function M.short(x)
  for _, prefix in ipairs(prefixes) do
    local factor, letter = prefix[1], prefix[2]
    if math.abs(x) >= 0.9995 * factor and math.abs(x) < math.huge then
      return ("%.3g%s"):format(x / factor, letter)
    end
  end
  return ("%.3g"):format(x)
end
--- A value of a property: 7.2M, 8066, 0.05; what is not a number stays as it is.
function M.value(x)
  if type(x) ~= "number" then return tostring(x) end
  if x ~= x then return "nan" end
  if math.abs(x) >= 9999.5 then return M.short(x) end
  return (math.type(x) == "integer" and "%d" or "%.4g"):format(x)
end

return M
