--- The plan of a network, and where the time of a step goes, operation by operation.
-- The engine gives both as plain tables (src/bind/plan.c, src/model/plan.h); here they
-- become records and aligned text.
--
--   net.new(m):plan()                    the operations, and where their results lie in memory
--   net.profile(m)                       the time that each takes

local columns = require "netspace.lib.columns"
local core = require "netspace.core.benchmark"

local M = {}

local MB = 1e6

-- Text ------------------------------------------------------------------------------------

-- Rows of strings under a heading; columns whose heading starts with a space lean right.
local function aligned(heading, rows)
  local list = { heading }
  for i, row in ipairs(rows) do
    local cells = {}
    for c = 1, #heading do cells[c] = row[c] or "" end
    list[i + 1] = cells
  end
  return table.concat(columns.lines(list, {
    left = function(c) return heading[c]:sub(1, 1) ~= " " end,
    gap = function() return " " end,
  }), "\n")
end

local function size_of(t)
  if t.channels == 0 then return "" end
  return ("%dx%dx%d"):format(t.height, t.width, t.channels)
end

-- What an operation is, in a few words.
local function what(o)
  if o.kind == "conv" then
    return ("%dx%d%s%s, %s"):format(o.kernel, o.kernel, o.stride > 1 and " /" .. o.stride or "",
      o.groups > 1 and (" in %d groups"):format(o.groups) or "", o.method)
  elseif o.kind == "norm" then
    return "norm" .. (o.add and " + shortcut" or "")
      .. (o.activation ~= "" and ", " .. o.activation or "")
  elseif o.kind == "se" then
    return ("squeeze to %d, %s"):format(o.squeeze, o.activation)
  end
  return o.kind
end

-- The plan --------------------------------------------------------------------------------

-- What each tensor holds, by the operations that use it.
local function names_of(plan)
  local names = {}
  local function name(id, text)
    if id and not names[id] then names[id] = text end
  end
  name(plan.input, "images")
  name(plan.dlogits, "gradient of the logits")
  for _, o in ipairs(plan.operations) do
    name(o.output, o.name)
    for _, id in ipairs(o.saved) do name(id, "state of " .. o.name) end
    name(o.scratch, "scratch of " .. o.name)
    name(o.dscratch, "scratch of " .. o.name .. ", backward")
  end
  for _, o in ipairs(plan.operations) do name(o.din, "gradient of " .. names[o.input]) end
  return names
end

-- What is fused with operation o (src/model/plan.h), with names of its own block shortened.
local function fused_with(plan, o, mode)
  local block = o.name:match("^(.*%.)[^.]*$") or ""
  local function named(i)
    local name = plan.operations[i].name
    return name:sub(1, #block) == block and name:sub(#block + 1) or name
  end
  local out = {}
  local function add(text, i) out[#out + 1] = text .. (i and named(i) or "") end
  if o.kind == "conv" and mode == "test" then
    if o.norm_after then add("epilogue ", o.norm_after) end
  elseif o.kind == "conv" then
    local before = plan.operations[o.norm_before]
    if before then
      add(before.unstored and "prologue " or "prologue (result stored) ", o.norm_before)
    end
    if o.norm_after then add("epilogue statistics of ", o.norm_after) end
    if before and before.backward_fused and not before.unstored then
      add("backward epilogue sums of ", o.norm_before)
    end
    if o.accumulates then add("adds to its input's gradient") end
  elseif o.backward_fused then
    add("backward in its reader")
  end
  return table.concat(out, "; ")
end

-- Has operation o no pass of its own?  A norm may be fused with its neighbours.
local function idle(o, mode)
  return o.kind == "norm" and (mode == "test" or o.fused)
end

local Plan = { __name = "plan" }
Plan.__index = Plan

--- The records of a plan in one mode.
-- @tparam table raw of the engine
function M.plan(raw, mode)
  local names = names_of(raw)
  local operations, tensors = {}, {}
  for i, t in ipairs(raw.tensors) do
    local used = t[mode]
    if used then
      tensors[#tensors + 1] = { holds = names[i] or "", size = size_of(t), bytes = t.bytes,
        offset = used.offset, first = used.first, last = used.last,
        kept = mode == "train" and used.first < #raw.operations and
          used.last > #raw.operations }
    end
  end
  table.sort(tensors, function(a, b)
    if a.first ~= b.first then return a.first < b.first end
    if a.offset ~= b.offset then return a.offset < b.offset end
    return a.holds < b.holds
  end)
  local arena = 0
  for _, t in ipairs(tensors) do arena = math.max(arena, t.offset + t.bytes) end
  for i, o in ipairs(raw.operations) do
    local output = raw.tensors[o.output]
    local used = not idle(o, mode) and output[mode]
    operations[i] = { name = o.name, kind = o.kind, what = what(o), size = size_of(output),
      with = fused_with(raw, o, mode), idle = idle(o, mode), bytes = used and output.bytes,
      offset = used and used.offset, last = used and used.last }
  end
  return setmetatable({ mode = mode, batch = raw.batch, operations = operations,
    tensors = tensors, arena = arena }, Plan)
end

function Plan:__tostring()
  local n, rows, kept, all = #self.operations, {}, 0, 0
  for i, o in ipairs(self.operations) do
    if not o.idle then
      rows[#rows + 1] = { tostring(i - 1), o.name, o.what, o.size, ("%.2f"):format(o.bytes / MB),
        ("%.2f"):format(o.offset / MB), tostring(o.last), o.with }
    end
  end
  for _, t in ipairs(self.tensors) do
    all = all + t.bytes
    if t.kept then kept = kept + t.bytes end
  end
  local out = { ("%s, batch %d: %d operations, %d of them fused with their neighbours"):format(
    self.mode == "train" and "training" or "testing", self.batch, n, n - #rows) }
  out[2] = ("%d tensors, %.1f MB, in %.1f MB"):format(#self.tensors, all / MB, self.arena / MB)
  if self.mode == "train" then
    out[2] = ("%s; %.1f MB kept for backward"):format(out[2], kept / MB)
    out[3] = ("operation i works forward at time i, the loss at %d, i backward at %d - i"):format(
      n, 2 * n)
  end
  out[#out + 1] = aligned({ " time", "operation", "what", "output", " MB", " at MB", " until",
    "fused with it" }, rows)
  return table.concat(out, "\n")
end

-- The profile -----------------------------------------------------------------------------

--- What the machine can do at best, measured once a process.
local ceilings
function M.ceilings()
  if not ceilings then
    local l2, l3 = core.cache(2), core.cache(3)
    ceilings = { sgemm_gflops = core.sgemm() / 1e9, l2 = l2, l3 = l3,
      l2_gbytes = core.stream(l2 // 2) / 1e9, l3_gbytes = core.stream(l3 // 4) / 1e9,
      memory_gbytes = core.stream(4 * l3) / 1e9 }
  end
  return ceilings
end

--- Seconds below which work cannot be done: at the rate of a matrix product, and moving its
-- bytes from the cache where they still are, or else from memory.
function M.bound(work)
  local c = M.ceilings()
  return math.max(work.operations / c.sgemm_gflops,
    work.near / c.l3_gbytes + (work.bytes - work.near) / c.memory_gbytes) / 1e9
end

local Profile = { __name = "profile" }
Profile.__index = Profile

local function record(name, kind, pass, seconds, work)
  return { name = name, kind = kind, pass = pass, seconds = seconds,
    operations = work.operations, bytes = work.bytes, bound = M.bound(work) }
end

local function kind_of(o)
  if o.kind ~= "conv" then return o.kind end
  local kind = ("%dx%d"):format(o.kernel, o.kernel)
  return o.groups > 1 and kind .. " in groups" or o.kernel > 1 and kind .. " dense" or kind
end

-- The loss and the optimizer: what they move of the parameters, which is all that counts.
local function moving(bytes)
  return { operations = 0, bytes = bytes, near = 0 }
end

--- What a list of records takes together.
local function sum(list)
  local s = { seconds = 0, operations = 0, bytes = 0, bound = 0 }
  for _, r in ipairs(list) do
    for key in pairs(s) do s[key] = s[key] + r[key] end
  end
  return s
end

M.sum = sum

--- The profile of what the engine measured: { plan =, seconds = }.
function M.profile(raw, mode)
  local plan, n = raw.plan, #raw.plan.operations
  local p = { mode = mode, batch = plan.batch, operations = {} }
  local function add(...) p.operations[#p.operations + 1] = record(...) end
  for i, o in ipairs(plan.operations) do
    add(o.name, kind_of(o), "forward", raw.seconds[i - 1], mode == "test" and o.test or o.forward)
  end
  if mode == "train" then
    add("loss", "loss", "forward", raw.seconds[n], moving(plan.parameters))
    for i = n, 1, -1 do
      local o = plan.operations[i]
      add(o.name, kind_of(o), "backward", raw.seconds[2 * n - i + 1], o.backward)
    end
    add("step", "optimizer", "backward", raw.seconds[2 * n + 1], moving(5 * plan.parameters))
  end
  p.seconds = sum(p.operations).seconds
  p.images_per_s = plan.batch / p.seconds
  return setmetatable(p, Profile)
end

--- Totals by what `by` makes of a record (its kind and pass), the longest first.
local function totals(list, by)
  local groups, keys = {}, {}
  for _, r in ipairs(list) do
    local key = by(r)
    if not groups[key] then
      groups[key] = {}
      keys[#keys + 1] = key
    end
    table.insert(groups[key], r)
  end
  for i, key in ipairs(keys) do
    local total = sum(groups[key])
    total.kind, total.pass = groups[key][1].kind, groups[key][1].pass
    keys[i] = total
  end
  return keys
end

--- Totals by kind of operation and pass, the longest first.
function Profile:kinds()
  local kinds = totals(self.operations, function(r) return r.kind .. r.pass end)
  table.sort(kinds, function(a, b) return a.seconds > b.seconds end)
  return kinds
end

-- Milliseconds, share of the step, GF/s, GB/s, share of the bound.
local function cells(r, whole)
  if not r then return "", "", "", "", "" end
  local function rate(x) return x > 0 and ("%.1f"):format(x / r.seconds / 1e9) or "" end
  return ("%.3f"):format(r.seconds * 1e3), ("%.1f%%"):format(100 * r.seconds / whole),
    rate(r.operations), rate(r.bytes), ("%.0f%%"):format(100 * r.bound / r.seconds)
end

-- Rows of `records` with forward and backward side by side, by their field `key`.
local function side_by_side(records, key, whole)
  local pairs_of, order, rows = {}, {}, {}
  for _, r in ipairs(records) do
    if r.bound > 0 then
      local name = r[key]
      if not pairs_of[name] then
        pairs_of[name] = {}
        order[#order + 1] = name
      end
      pairs_of[name][r.pass] = r
    end
  end
  for i, name in ipairs(order) do
    rows[i] = { name, cells(pairs_of[name].forward, whole) }
    table.move({ cells(pairs_of[name].backward, whole) }, 1, 5, 7, rows[i])
  end
  return rows
end

function Profile:__tostring()
  local whole = sum(self.operations)
  local function rows_of(first, key, records)
    local heading = { first, " ms", " share", " GF/s", " GB/s", " of bound", " ms back",
      " share", " GF/s", " GB/s", " of bound" }
    if self.mode == "test" then heading = table.move(heading, 1, 6, 1, {}) end
    return aligned(heading, side_by_side(records, key, whole.seconds))
  end
  local c = M.ceilings()
  return ("%s, batch %d: %.2f ms a step, %.0f images/s, %.1f GF/s, %.0f%% of the bound\n\n"
    .. "%s\n\n%s\n\n%s"):format(
    self.mode == "train" and "training" or "testing", self.batch, self.seconds * 1e3,
    self.images_per_s, whole.operations / self.seconds / 1e9, 100 * whole.bound / self.seconds,
    rows_of("operation", "name", self.operations), rows_of("kind", "kind", self:kinds()),
    ("bound: %.0f GF/s, a matrix product, and %.0f GB/s of memory, or %.0f of L3 where a tensor "
      .. "is still there;\nbytes count each tensor an operation reads and writes once; Winograd's "
      .. "convolutions do less than is counted"):format(
      c.sgemm_gflops, c.memory_gbytes, c.l3_gbytes))
end

return M
