--- A network as C: net.c, net.h and demo.c, which need nothing but libm.  Mechanism:
-- src/model/steps.h; the code around the network: net_template.c, demo_template.c.

local atomic = require "netspace.lib.atomic"
local core = require "netspace.core.export"

local M = {}

-- Weights beyond this many go into a file of their own, which compilers need not read.
M.INSIDE = 1000000

local function template(name)
  local here = debug.getinfo(1, "S").source:match "^@(.*/)" or ""
  local f <close> = assert(io.open(here .. name))
  return f:read "a"
end

-- A text as a literal of C; bytes beyond ASCII stay, they are UTF-8.
local function literal(text)
  return '"' .. text:gsub('[%c"\\?]', function(c) return ("\\%03o"):format(c:byte()) end) .. '"'
end

local function floats(list)
  local out = {}
  for i, v in ipairs(list) do
    local text = ("%.9g"):format(v)
    out[i] = (text:find "[.eni]" and text or text .. ".0") .. "f"
  end
  return table.concat(out, ", ")
end

-- A line for each step.
local function calls(steps)
  local lines, widest = {}, 1
  for i, t in ipairs(steps) do
    local from = ("m + %d, m + %d"):format(t.out, t["in"])
    local line
    if t.kind == "conv" then
      local add = t.add >= 0 and ("m + %d"):format(t.add) or "0"
      local start = ("(%s, w + %d, w + %d, %s, %d, %d, %d"):format(from, t.weight, t.bias, add, t.H,
        t.W, t.C)
      if t.G == t.C and t.K == t.C and t.G > 1 then
        line = ("depthwise%s, %d, %d, %d)"):format(start, t.R, t.S, t.act)
      else
        line = ("conv%s, %d, %d, %d, %d, %d)"):format(start, t.K, t.R, t.S, t.G, t.act)
      end
    elseif t.kind == "squeeze" then
      widest = math.max(widest, t.C, t.Q)
      line = ("squeeze(%s, w + %d, %d, %d, %d, %d)"):format(from, t.weight, t.H * t.W, t.C, t.Q,
        t.act)
    elseif t.kind == "maxpool" then
      line = ("maxpool(%s, %d, %d, %d)"):format(from, t.H, t.W, t.C)
    elseif t.kind == "mean" then
      line = ("mean(%s, %d, %d)"):format(from, t.H * t.W, t.C)
    else
      local row = (t.K + 7) // 8 * 8
      line = ("dense(%s, w + %d, w + %d, %d, %d, %d)"):format(from, t.weight, t.bias, t.C, t.K,
        row)
    end
    lines[i] = "    " .. line .. ";"
  end
  return table.concat(lines, "\n"), widest
end

local function header(m, about, count)
  return ([[
/* A network of netspace: %d weights. */
#ifndef NET_H
#define NET_H
enum { NET_IMAGE = %d, NET_CHANNELS = %d, NET_CLASSES = %d };
/* The short side of a picture is brought to so many pixels, of which the middle is taken. */
enum { NET_SIDE = %d };

extern const char *const net_class_names[NET_CLASSES];

/* Reads net.weights of the working directory, where weights are not in net.c; 0 when it cannot. */
int net_load(void);
/* image (NET_IMAGE, NET_IMAGE, NET_CHANNELS): rows of pixels, %s, from 0 to 255. */
void net_run(const float *image, float *logits);
#endif
]]):format(count, m.image, m.channels or 3, m.classes, math.max(m.image, math.floor(
    (about.scale or 1) * m.image + 0.5)), about.channels == "gray" and "gray"
    or "red first")
end

local function constants(m, about)
  local names, channels = {}, m.channels or 3
  for k = 1, m.classes do
    names[k] = literal(about.class_names and about.class_names[k] or ("class %d"):format(k - 1))
  end
  local function list(values, missing)
    local out = {}
    for c = 1, channels do out[c] = values and values[c] or missing end
    return floats(out)
  end
  return ("const char *const net_class_names[NET_CLASSES] = {\n    %s};\n"):format(
    table.concat(names, ",\n    "))
    .. ("static const float net_mean[NET_CHANNELS] = {%s};\n"):format(list(about.mean, 0))
    .. ("static const float net_std[NET_CHANNELS] = {%s};"):format(list(about.std, 1))
end

local IN_FILE = [[
static float net_weights[%d];

int net_load(void)
{
    FILE *f = fopen("net.weights", "rb");
    size_t n = f ? fread(net_weights, sizeof *net_weights, %d, f) : 0;
    if (f)
        fclose(f);
    return n == %d;
}
]]

-- The weights in the source, eight a line.
local function in_source(weights, count)
  local lines = {}
  for i = 1, count, 8 do
    local n = math.min(8, count - i + 1)
    local values = table.pack(string.unpack("<" .. ("f"):rep(n), weights, 4 * i - 3))
    lines[#lines + 1] = "    " .. floats { table.unpack(values, 1, n) }
  end
  return ("static const float net_weights[%d] = {\n%s};\n\nint net_load(void)\n"
    .. "{\n    return 1;\n}\n"):format(count, table.concat(lines, ",\n"))
end

--- Writes net.c, net.h, demo.c, and net.weights where there are many, into a directory.
-- @tparam table|nil about  what it was trained on (net:data)
-- @tparam[opt] integer inside  most weights in the source
-- @treturn bytes of static memory that it takes; or nil and a message
function M.write(n, dir, about, inside)
  local steps, weights = core.steps(n)
  if not steps then return nil, weights end
  local m, count = n:arch(), #weights // 4
  about = about or {}
  local separate = count > (inside or M.INSIDE)
  local text, widest = calls(steps)
  local parts = { CONSTANTS = constants(m, about), MEMORY = steps.memory,
    SCRATCH = math.max(steps.scratch, 1), WIDEST = widest, IMAGE = steps.image, STEPS = text,
    LOGITS = steps.logits, WEIGHTS = separate and IN_FILE:format(count, count, count)
    or in_source(weights, count) }
  local source = template "net_template.c":gsub("@(%u+)@", function(key)
    return tostring(parts[key])
  end)
  if separate then source = source:gsub("#include <math.h>\n", "%0#include <stdio.h>\n", 1) end
  for name, bytes in pairs { ["net.c"] = source, ["net.h"] = header(m, about, count),
    ["demo.c"] = template "demo_template.c", ["net.weights"] = separate and weights or nil } do
    local good, why = atomic.write(dir .. "/" .. name, function(write) write(bytes) end)
    if not good then return nil, why end
  end
  return 4 * (steps.memory + math.max(steps.scratch, 1) + 3 * widest + count)
end

return M
