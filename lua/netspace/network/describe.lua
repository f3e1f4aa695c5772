--- The stages and layers of a network as tables, and why parameters make no network.
-- Source: arXiv 2003.13678 figures 3 and 4, equations 2 to 4, appendix D.

local columns = require "netspace.lib.columns"
local core = require "netspace.core.arch"
local times = require "netspace.network.times"
local units = require "netspace.lib.units"
local pcall = require("netspace.lib.memory").pcall

local M = {}

local short = units.short

local meta = { __name = "description",
  __tostring = function(t) return table.concat(t.lines, "\n") end }

--- A table with fields that the prompt and print show as text.
function M.text(t)
  return setmetatable(t, meta)
end

-- Columns that stand one blank after the one before, so that a table fits in 80 columns.
local near = { ["%"] = true, px = true, width = true, groups = true }

-- Adds rows of cells as lines, in columns.
local function add_table(lines, rows)
  local table_lines = columns.lines(rows, { gap = function(k)
    return near[rows[1][k]] and " " or "  "
  end })
  table.move(table_lines, 1, #table_lines, #lines + 1, lines)
end

local measures = { "flops", "params", "acts" }

-- "397M 12%" of each measure, as cells.
local function cost_cells(row, cost, total)
  for _, name in ipairs(measures) do
    row[#row + 1] = short(cost[name])
    row[#row + 1] = ("%.0f%%"):format(100 * cost[name] / math.max(total[name], 1))
  end
  return row
end

local heads = { "flops", "%", "params", "%", "acts", "%" }
local function header(...)
  local row = { ... }
  table.move(heads, 1, #heads, #row + 1, row)
  return row
end

-- "24 > 32", or "32" where nothing was changed.
local function changed(asked, final)
  local function show(x) return ("%.4g"):format(x) end
  return asked ~= final and show(asked) .. " > " .. show(final) or show(final)
end

local function total_of(list)
  local total = { flops = 0, params = 0, acts = 0 }
  for _, part in ipairs(list) do
    for _, name in ipairs(measures) do
      total[name] = total[name] + part[name] * (part.times or 1)
    end
  end
  return total
end

--- The description of a finished network m; image and paper_acts as arch.complexity has them.
function M.network(m, image, paper_acts)
  local parts, layers = core.parts(m, image, paper_acts), core.layers(m, image, paper_acts)
  local asked, total, blocks = m.asked or m, total_of(parts), 0
  local grouped = m.block == "x" or m.block == "linear"
  local rows = { header("part", "px", "blocks", "width", "b", "g", "groups") }
  for i, p in ipairs(parts) do
    local s = i - 1
    local row = { p.part, tostring(p.size), "", i == 1 and tostring(m.stem_width) or "",
      "", "", "" }
    if m.d[s] then
      row[3], row[4] = tostring(m.d[s]), changed(asked.w[s], m.w[s])
      row[5] = changed(asked.b[s], m.b[s])
      if grouped then
        row[6] = changed(asked.g[s], m.g[s])
        row[7] = ("%.0f"):format(m.w[s] / m.b[s] / m.g[s])
      end
      blocks = blocks + m.d[s]
      p.depth, p.width, p.b, p.g = m.d[s], m.w[s], m.b[s], m.g[s]
      p.asked_width, p.asked_g = asked.w[s], asked.g[s]
    elseif i == #parts then
      row[4] = tostring(m.classes)
    end
    rows[#rows + 1] = cost_cells(row, p, total)
  end
  rows[#rows + 1] = { "all", "", tostring(blocks), "", "", "", "", short(total.flops), "",
    short(total.params), "", short(total.acts) }
  local lines = { ("block %s%s, stem %s, %s, %d px%s, %d classes"):format(m.block,
    m.se > 0 and (" with squeeze-excitation %g"):format(m.se) or "", m.stem, m.activation,
    image or m.image, m.channels == 1 and " gray" or "", m.classes) }
  if m.regnet then
    local r = m.regnet
    lines[2] = ("RegNet d = %d, w_0 = %d, w_a = %g, w_m = %g"):format(r.d, r.w_0, r.w_a, r.w_m)
  end
  add_table(lines, rows)
  rows = { header("layer", "kernel", "px", "width", "groups") }
  for _, l in ipairs(layers) do
    local name = l.layer
    if l.times > 1 then
      name = name:gsub("%.b2", ".b2-" .. l.times + 1, 1)
    end
    local kernel = ("%dx%d%s"):format(l.kernel, l.kernel, l.stride > 1 and " /" .. l.stride or "")
    rows[#rows + 1] = cost_cells({ name, kernel, tostring(l.size), tostring(l.width),
      tostring(l.groups) }, { flops = l.flops * l.times, params = l.params * l.times,
      acts = l.acts * l.times }, total)
  end
  lines[#lines + 1] = ""
  add_table(lines, rows)
  return M.text { lines = lines, stages = parts, layers = layers, total = total }
end

-- Half to even, as pycls rounds.
local function nearest(x)
  local r = math.floor(x + 0.5)
  return r - x == 0.5 and r % 2 == 1 and r - 1 or r
end

--- The levels that equations 2 to 4 make of RegNet parameters, as lines.
local function add_levels(lines, r)
  local levels, last = {}, nil
  for j = 0, r.d - 1 do
    local u = r.w_0 + r.w_a * j
    local k = nearest(math.log(u / r.w_0) / math.log(r.w_m))
    if not last or last.k ~= k then
      last = { k = k, from = j + 1, low = u }
      levels[#levels + 1] = last
    end
    last.to, last.high = j + 1, u
  end
  local rows = { { "level", "blocks", "u_j", "w_0 w_m^level", "width" } }
  for _, l in ipairs(levels) do
    local exact = r.w_0 * r.w_m ^ l.k
    rows[#rows + 1] = { tostring(l.k), l.from == l.to and tostring(l.from)
      or l.from .. "-" .. l.to, ("%.1f to %.1f"):format(l.low, l.high), ("%.1f"):format(exact),
      ("%d"):format(nearest(exact / 8) * 8) }
  end
  add_table(lines, rows)
  for i = 2, #levels do
    local first, last_skipped = levels[i - 1].k + 1, levels[i].k - 1
    if first <= last_skipped then
      lines[#lines + 1] = ("  skipped: level %s; spaces do not draw such networks"):format(
        first == last_skipped and first or first .. " to " .. last_skipped)
    end
  end
end

-- What group compatibility changed in each stage.
local function add_stages(lines, m)
  local rows = { { "stage", "blocks", "width", "b", "g" } }
  for i = 1, #m.d do
    rows[i + 1] = { tostring(i), tostring(m.d[i]), changed(m.asked.w[i], m.w[i]),
      ("%g"):format(m.b[i]), changed(m.asked.g[i], m.g[i]) }
  end
  add_table(lines, rows)
end

--- The reasons why m is outside a space or a window.
local function objections(m, o)
  local list = {}
  local cost = core.complexity(m, o.image, false)
  for _, name in ipairs(measures) do
    local w = o[name]
    if w and (cost[name] < w[1] or cost[name] > w[2]) then
      list[#list + 1] = ("%s of %s, outside %s to %s"):format(name, short(cost[name]), short(w[1]),
        short(w[2]))
    end
  end
  if o.time then
    local seconds = times.seconds(m, { image = o.image, batch = o.time.batch,
      threads = o.time.threads, training = o.time.training, table = o.time.table })
    if seconds < o.time[1] or seconds > o.time[2] then
      list[#list + 1] = ("time of %s, outside %s"):format(units.moment(seconds),
        units.span(o.time[1], o.time[2]))
    end
  end
  if o.space then
    for _, reason in ipairs(o.space:_objections(m)) do
      list[#list + 1] = ("%s: %s"):format(o.space.name, reason)
    end
  end
  return list
end

--- The text of arch.why about the options t of `make` (arch.anynet or arch.regnet).
function M.why(make, t, o)
  local ok, m, reason = pcall(make, t)
  if not ok then reason = tostring(m):gsub("^.-:%d+: ", "") end
  local lines = {}
  local net = ok and m or nil
  if net then
    local against = objections(net, o)
    lines[1] = #against == 0 and "a network" or "a network, but"
    for _, line in ipairs(against) do lines[#lines + 1] = "  " .. line end
    reason = against[1]
  else
    lines[1] = "no network: " .. reason
  end
  local r = net and net.regnet or { d = t.d, w_0 = t.w_0, w_a = t.w_a, w_m = t.w_m, b = t.b or 1,
    g = t.g }
  if pcall(core.regnet, r) and core.regnet(r) then add_levels(lines, r) end
  if net then add_stages(lines, net) end
  return M.text { lines = lines, network = net, reason = reason }
end

return M
