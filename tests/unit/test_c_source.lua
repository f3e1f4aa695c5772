-- Networks as C: compiled, warnings being errors, and run on an image; the logits are those of
-- the network.  Weights in the source and in a file; the demo on a picture.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local source = require "netspace.network.c_source"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp("/tmp/netspace-c-XXXXXX"))
local function write(name, text)
  local f <close> = assert(io.open(dir .. "/" .. name, "wb"))
  f:write(text)
end
local function run(command)
  local f <close> = assert(io.popen("cd " .. dir .. " && { " .. command .. "; } 2>&1"))
  return f:read "a"
end
local compile = (os.getenv "CC" or "cc") .. " -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-psabi "
local logits_of = [[
#include "net.h"
#include <stdio.h>
static const float image[] = {%s};
int main(void)
{
    float logits[NET_CLASSES];
    if (!net_load())
        return 1;
    net_run(image, logits);
    for (int k = 0; k < NET_CLASSES; k++)
        printf("%%.9g ", logits[k]);
    return 0;
}
]]
local about = { mean = { 120, 110, 100 }, std = { 60, 61, 62 }, class_names = { "a \"b\"", "c\\?" },
  channels = "RGB" }

-- A net that has trained a little, and its largest difference from what the C code says.
local function difference(m, inside)
  local C, n <close> = m.channels or 3, net.new(m, { seed = 5, batch = 1 })
  if C == 3 then
    local d <close> = assert(data.open("shapes", { train = 16, test = 16, image = m.image }))
    assert(n:train(d, { epochs = 1, batch = 8, warmup = 0, lr = 0.05 }).status == "done")
  end
  local image, x = {}, {}
  for i = 1, m.image ^ 2 * C do
    local c = (i - 1) % C + 1
    image[i] = math.floor(127 + 120 * math.sin(0.7 * i + i % 17))
    x[i] = (image[i] - about.mean[c]) / about.std[c]
  end
  local bytes = assert(source.write(n, dir, about, inside))
  write("logits.c", logits_of:format(table.concat(image, ", ")))
  local text = run(compile .. "net.c logits.c -o logits -lm && ./logits")
  local worst, most, k = 0, 0, 0
  local want = n:forward({ x })[1]
  for word in text:gmatch "%S+" do
    k = k + 1
    local v = tonumber(word)
    if not v or not want[k] then return 1 / 0, text end
    worst, most = math.max(worst, math.abs(v - want[k])), math.max(most, math.abs(want[k]))
  end
  return k == #want and worst / most or 1 / 0, text, bytes
end

if run((os.getenv "CC" or "cc") .. " --version"):find "not found" then
  t.ok(true, "# SKIP no compiler")
  os.execute("rm -rf " .. dir)
  return t.done()
end
for i, block in ipairs { "x", "r", "linear", "mb", "basic", "vanilla", "v", "vr" } do
  local wide = block == "x" or block == "r" or block == "linear"
  local m = assert(arch.anynet { d = { 1, 2 }, w = { 8, 20 }, block = block, image = 13,
    stem = ({ "simple", "res", "cifar" })[i % 3 + 1], b = block == "mb" and { 1, 1 / 2 } or nil,
    g = wide and block ~= "r" and 4 or nil, stem_width = 8, classes = 10,
    se = (block == "x" or block == "mb") and 0.25 or nil,
    activation = block == "mb" and "silu" or nil })
  local off, text, bytes = difference(m)
  t.ok(off < 1e-5, "block " .. block, text)
  t.ok(bytes and bytes > 4 * arch.complexity(m).params, "its memory is said", tostring(bytes))
end
local gray = arch.anynet { d = { 1 }, w = { 9 }, stem_width = 8, image = 9, classes = 3,
  channels = 1, head_width = 16, g = 3 }
local off, text = difference(gray)
t.ok(off < 1e-5, "gray images, widths that are no multiple of 8", text)
local m = arch.anynet { d = { 1 }, w = { 8 }, stem_width = 8, image = 8, classes = 10 }
off, text = difference(m, 0)
t.ok(off < 1e-5 and uv.fs_stat(dir .. "/net.weights") ~= nil, "weights in a file", text)
write("a.ppm", "P6\n# a comment\n10 12\n255\n" .. ("\x10\x80\xf0"):rep(120))
text = run(compile .. "net.c demo.c -o demo -lm && ./demo a.ppm")
local _, lines = text:gsub("[%d.]+ %%  ", "")
t.ok(lines == 5 and text:find 'a "b"', "the demo names classes", text)
t.ok(run "./demo a.ppm x; echo $?":find "usage.*\n2\n", "how it is used")
t.ok(run "./demo b.ppm; echo $?":find "b.ppm: No such file.*\n1\n", "a picture that is not there")
t.ok(run "./demo net.h; echo $?":find "net.h: it is no binary PPM\n1\n", "one that is none")
write("cut.ppm", "P6 10 12 255\n123")
t.ok(run "./demo cut.ppm; echo $?":find "cut.ppm: it is cut short", "one that is cut")
write("net.weights", "short")
t.ok(run "./demo a.ppm; echo $?":find "cannot.*\n1\n", "weights that are cut")

os.execute("rm -rf " .. dir)
t.done()
