-- Images for trainers that are other programs (data/lend.lua): drawn ones byte by byte, others by
-- the path of their pack, and a reason where there are none.
package.path = "tests/unit/?.lua;" .. package.path
local archives = require "archives"
local json = require "netspace.lib.json"
local t = require "tap"
local source_of = require "netspace.data.data"._source

local dir = os.tmpname()
os.remove(dir)

-- The first line of the answer, and the rest.
local function ask(source)
  archives.write(dir .. "/source", json.encode(source))
  local program = os.getenv "NETSPACE" or "build/release/netspace"
  local p <close> = assert(io.popen(("'%s' -q --no-init -e \"require('netspace.data.lend').main()\""
    .. " <'%s/source'"):format(program, dir)))
  return assert(json.decode(p:read "l")), p:read "a"
end

local function same(got, want, name) t.is(json.encode(got), json.encode(want), name) end

local d = data.open("shapes", { train = 30, validation = 20, test = 10, seed = 3 })
local head, bytes = ask(source_of(d))
same(head.counts, { 30, 20 }, "how many images of which part")
same(head.class_names, d:card().class_names, "the names of the classes")
same({ head.image, head.mean, head.std }, { 32, d:card().mean, d:card().std }, "and the look")
t.is(#bytes, 50 * 3073, "a label and pixels of each")
for _, at in ipairs { { "train", 30, 29 }, { "validation", 1, 30 } } do
  local pixels, label = d:image(at[1], at[2])
  local from = at[3] * 3073 + 1
  same({ bytes:byte(from, from + 3072) }, { label, table.unpack(pixels) }, at[1] .. " image")
end
t.is(ask(source_of(data.open(d, { image = 48, scale = 1.5 }))).image, 32,
  "as they are drawn, at whatever size they are looked at")

for part, n in pairs { train = 4, val = 2, test = 2 } do
  for class = 1, 2 do
    for i = 1, n do
      archives.write(("%s/images/%s/%d/%d.ppm"):format(dir, part, class, i),
        (archives.picture(16, 16, 3, 100 * class + i)))
    end
  end
end
local folder = data.open("folder:" .. dir .. "/images")
t.is(ask(source_of(folder)).pack, folder:card().pack, "a folder: where its pack is")
local refused = ask({ spec = "folder:" .. dir .. "/none", seed = 1, train = 1, test = 1 }).refused
t.ok(refused and refused:find("/none", 1, true), "a folder that is not there", refused)

os.execute("rm -r '" .. dir .. "'")
t.done()
