-- A reader and a slow interpreter of ONNX models, enough for what networks here are made of;
-- nothing of the program is used.  Wire format: protobuf's encoding page; numbers of fields:
-- onnx.proto; meaning of the operators: Operators.md, opset 17.
local M = {}

-- Protobuf --------------------------------------------------------------------------------------

local function varint(s, i)
  local v, shift = 0, 0
  while true do
    local b = s:byte(i)
    v, i, shift = v | (b & 127) << shift, i + 1, shift + 7
    if b < 128 then return v, i end
  end
end

-- Fields of a message: number -> list of values (whole numbers, or bytes).
local function fields(s)
  local t, i = {}, 1
  while i <= #s do
    local key, v
    key, i = varint(s, i)
    local number, wire = key >> 3, key & 7
    if wire == 0 then
      v, i = varint(s, i)
    elseif wire == 2 then
      local n
      n, i = varint(s, i)
      v, i = s:sub(i, i + n - 1), i + n
      assert(#v == n, "cut")
    elseif wire == 5 then
      v, i = s:sub(i, i + 3), i + 4
    else
      error("wire type " .. wire)
    end
    t[number] = t[number] or {}
    table.insert(t[number], v)
  end
  return t
end

local function first(t, number) return t[number] and t[number][1] end

-- A list of whole numbers, packed or not.
local function integers(list)
  local out = {}
  for _, v in ipairs(list or {}) do
    if type(v) == "number" then
      out[#out + 1] = v
    else
      local i = 1
      while i <= #v do out[#out + 1], i = varint(v, i) end
    end
  end
  return out
end

local function tensor(s, dir)
  local t = fields(s)
  assert(first(t, 2) == 1, "float")
  local raw = first(t, 9)
  if first(t, 14) == 1 then -- its values lie in another file
    local where = {}
    for _, e in ipairs(t[13]) do
      local pair = fields(e)
      where[first(pair, 1)] = first(pair, 2)
    end
    local f <close> = assert(io.open(dir .. where.location, "rb"))
    f:seek("set", math.tointeger(where.offset))
    raw = f:read(math.tointeger(where.length))
  end
  local out = { shape = integers(t[1]) }
  for k = 1, #raw // 4 do out[k] = string.unpack("<f", raw, 4 * k - 3) end
  return first(t, 8), out
end

local function attributes(list)
  local out = {}
  for _, s in ipairs(list or {}) do
    local a = fields(s)
    local kind = first(a, 20)
    out[first(a, 1)] = kind == 7 and integers(a[8]) or kind == 2 and first(a, 3)
      or kind == 1 and string.unpack("<f", first(a, 2))
  end
  return out
end

--- { nodes = { { op =, inputs =, output =, a = }, … }, weights = { name = tensor }, opset =, ir =,
-- metadata =, input =, output = }
function M.read(path)
  local f <close> = assert(io.open(path, "rb"))
  local model = fields(f:read "a")
  local graph = fields(first(model, 7))
  local m = { nodes = {}, weights = {}, metadata = {}, ir = first(model, 1),
    opset = first(fields(first(model, 8)), 2), input = first(fields(first(graph, 11)), 1),
    output = first(fields(first(graph, 12)), 1), names = {} }
  for _, s in ipairs(graph[5] or {}) do
    local name, value = tensor(s, path:match "^(.*/)" or "")
    assert(not m.weights[name], "twice: " .. name)
    m.weights[name] = value
    m.names[#m.names + 1] = name
  end
  for _, s in ipairs(graph[1]) do
    local n = fields(s)
    table.insert(m.nodes, { op = first(n, 4), inputs = n[1], output = first(n, 2),
      a = attributes(n[5]) })
  end
  for _, s in ipairs(model[14] or {}) do
    local pair = fields(s)
    m.metadata[first(pair, 1)] = first(pair, 2)
  end
  return m
end

-- Operators ---------------------------------------------------------------------------------------
-- Tensors are lists of numbers in the order (N, C, H, W), with .shape.

local function map(x, f)
  local y = { shape = x.shape }
  for i, v in ipairs(x) do y[i] = f(v, i) end
  return y
end

-- The value of y for place i of x, by its shape: the same, (1,C,1,1) or (N,C,1,1).
local function spread(x, y, i)
  if #y == #x then return y[i] end
  local s, N, C = x.shape, y.shape[1], y.shape[2]
  assert(C == s[2] and y.shape[3] == 1 and y.shape[4] == 1 and (N == 1 or N == s[1]))
  local plane = (i - 1) // (s[3] * s[4])
  return y[N == 1 and plane % C + 1 or plane + 1]
end

local function both(f)
  return function(_, x, y) return map(x, function(v, i) return f(v, spread(x, y, i)) end) end
end

-- Calls see(place in x) for what a window at (h, w) of plane c covers.
local function window(x, n, c, h, w, R, S, P, see)
  local s = x.shape
  for r = 0, R - 1 do
    for q = 0, R - 1 do
      local i, j = h * S - P + r, w * S - P + q
      if i >= 0 and i < s[3] and j >= 0 and j < s[4] then
        see(((n * s[2] + c) * s[3] + i) * s[4] + j + 1, r * R + q)
      end
    end
  end
end

local function sliding(x, C, a, each)
  local R, S, P = a.kernel_shape[1], a.strides[1], a.pads[1]
  local s = x.shape
  local y = { shape = { s[1], C, (s[3] + 2 * P - R) // S + 1, (s[4] + 2 * P - R) // S + 1 } }
  for n = 0, s[1] - 1 do
    for c = 0, C - 1 do
      for h = 0, y.shape[3] - 1 do
        for w = 0, y.shape[4] - 1 do y[#y + 1] = each(n, c, h, w, R, S, P) end
      end
    end
  end
  return y
end

local operators = {
  Identity = function(_, x) return x end,
  Relu = function(_, x) return map(x, function(v) return math.max(v, 0) end) end,
  Sigmoid = function(_, x) return map(x, function(v) return 1 / (1 + math.exp(-v)) end) end,
  Add = both(function(v, u) return v + u end), Sub = both(function(v, u) return v - u end),
  Mul = both(function(v, u) return v * u end), Div = both(function(v, u) return v / u end),
  Conv = function(a, x, w, b)
    local K, C = w.shape[1], w.shape[2]
    assert(x.shape[2] == C * a.group)
    return sliding(x, K, a, function(n, k, h, q, R, S, P)
      local sum, group = b and b[k + 1] or 0, k // (K // a.group)
      for c = 0, C - 1 do
        window(x, n, group * C + c, h, q, R, S, P, function(i, tap)
          sum = sum + x[i] * w[(k * C + c) * R * R + tap + 1]
        end)
      end
      return sum
    end)
  end,
  MaxPool = function(a, x)
    return sliding(x, x.shape[2], a, function(n, c, h, w, R, S, P)
      local most = -math.huge
      window(x, n, c, h, w, R, S, P, function(i) most = math.max(most, x[i]) end)
      return most
    end)
  end,
  BatchNormalization = function(a, x, gamma, beta, mean, var)
    local plane = x.shape[3] * x.shape[4]
    return map(x, function(v, i)
      local c = (i - 1) // plane % x.shape[2] + 1
      return gamma[c] * (v - mean[c]) / math.sqrt(var[c] + a.epsilon) + beta[c]
    end)
  end,
  GlobalAveragePool = function(_, x)
    local plane, y = x.shape[3] * x.shape[4], { shape = { x.shape[1], x.shape[2], 1, 1 } }
    for i = 1, x.shape[1] * x.shape[2] do
      local sum = 0
      for k = 1, plane do sum = sum + x[(i - 1) * plane + k] end
      y[i] = sum / plane
    end
    return y
  end,
  Flatten = function(_, x)
    return table.move(x, 1, #x, 1, { shape = { x.shape[1], #x // x.shape[1] } })
  end,
  Gemm = function(a, x, w, b)
    assert(a.transB == 1)
    local N, C, K = x.shape[1], x.shape[2], w.shape[1]
    local y = { shape = { N, K } }
    for n = 0, N - 1 do
      for k = 0, K - 1 do
        local sum = b[k + 1]
        for c = 1, C do sum = sum + x[n * C + c] * w[k * C + c] end
        y[#y + 1] = sum
      end
    end
    return y
  end,
}

--- The output for an input, a list of numbers in the order (N, C, H, W) with .shape.
function M.run(m, x)
  local values = setmetatable({ [m.input] = x }, { __index = m.weights })
  for _, n in ipairs(m.nodes) do
    local inputs = {}
    for i, name in ipairs(n.inputs) do inputs[i] = assert(values[name], name) end
    assert(not rawget(values, n.output), "written twice: " .. n.output)
    values[n.output] = operators[n.op](n.a, table.unpack(inputs))
  end
  return values[m.output]
end

return M
