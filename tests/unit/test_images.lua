-- Images of a data set in the terminal: pages, half blocks in true colour and 256 colours, shades,
-- kitty's protocol and sixels, each decoded back to pixels; which images are shown; and the
-- description of a data set.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local graphics = require "netspace.lib.graphics"
local images = require "images"
local mosaic = require "netspace.lib.mosaic"
local show = require "netspace.data.show"
local sys = require "netspace.core.sys"

local function picture(width, height, channels, f)
  local p = { width = width, height = height, channels = channels }
  for y = 0, height - 1 do
    for x = 0, width - 1 do
      for c = 1, channels do p[#p + 1] = f(x, y, c) end
    end
  end
  return p
end
local function noise(x, y, c) return sys.random(x * 1000 + y, c, sys.purpose.shapes) % 256 end

-- Pages.
local p = picture(3, 2, 3, function(x, y, c) return 10 * x + 100 * y + c end)
local page = mosaic.page(p, 3, 2)
t.is(page[1], 0x010203, "a pixel as it is")
t.is(page[6], (20 + 100 + 1) << 16 | 122 << 8 | 123, "in rows")
t.is(mosaic.page(p, 1, 1)[1], 61 << 16 | 62 << 8 | 63, "the mean of six")
local large = mosaic.page(p, 6, 4)
t.ok(large[1] == large[2] and large[1] == large[8] and large[24] == page[6], "pixels repeated")
local gray = mosaic.page(picture(1, 1, 1, function() return 7 end), 1, 1)
t.ok(gray.gray and gray[1] == 0x070707, "gray")
local both = mosaic.beside({ page, gray }, 2)
t.is(both.width .. "x" .. both.height, "6x2", "side by side")
t.ok(both[4] == nil and both[6] == 0x070707 and both[12] == nil and both[7] == page[4],
  "with room between, and below the lower one")
t.ok(not both.gray and mosaic.beside({ gray, gray }, 1).gray, "gray where all are")

-- Half blocks to pixels: a list of rows of colours.
local level = { 0, 95, 135, 175, 215, 255 }
local function of_code(text)
  local r, g, b = text:match "^2;(%d+);(%d+);(%d+)$"
  if r then return (">I3"):unpack(string.char(r, g, b)) end
  local n = tonumber(text:match "^5;(%d+)$")
  if n >= 232 then return (8 + 10 * (n - 232)) * 0x010101 end
  n = n - 16
  return level[n // 36 + 1] << 16 | level[n // 6 % 6 + 1] << 8 | level[n % 6 + 1]
end
local function decode(lines)
  local rows = {}
  for i, line in ipairs(lines) do
    local above, below, front, back, at = {}, {}, nil, nil, 1
    while at <= #line do
      local body, after = line:match("^\27%[([%d;]*)m()", at)
      if body then
        if body:find "^0" then front, back = nil, nil end
        front = body:match "38;(2;%d+;%d+;%d+)" or body:match "38;(5;%d+)" or front
        back = body:match "48;(2;%d+;%d+;%d+)" or body:match "48;(5;%d+)" or back
      else
        local c, top, bottom = utf8.codepoint(line, at), nil, nil
        after = utf8.offset(line, 2, at)
        if c == 0x2580 then top, bottom = front, back elseif c == 0x2584 then bottom = front end
        above[#above + 1] = top and of_code(top) or false
        below[#below + 1] = bottom and of_code(bottom) or false
      end
      at = after
    end
    rows[2 * i - 1], rows[2 * i] = above, below
  end
  return rows
end
local function same(seen, want, near)
  for y = 0, want.height - 1 do
    for x = 1, want.width do
      local a, b = seen[y + 1][x], want[y * want.width + x]
      if (a or false) ~= (b or false) and not (near and a and b and near(a, b)) then
        return false, ("%d, %d: %s for %s"):format(x, y, a, b)
      end
    end
  end
  return true
end
local odd = mosaic.beside({ mosaic.page(picture(7, 5, 3, noise), 7, 5),
  mosaic.page(picture(4, 4, 3, noise), 4, 4) }, 2)
t.ok(same(decode(mosaic.lines(odd, 1 << 24)), odd))
t.is(#mosaic.lines(odd, 1 << 24), 3, "five rows of pixels are three lines")

-- 256 colours: none is nearer than the one that is taken (all 240 are tried).
local function distance(a, b)
  local sum = 0
  for shift = 0, 16, 8 do sum = sum + ((a >> shift & 255) - (b >> shift & 255)) ^ 2 end
  return sum
end
local function nearest(rgb)
  local best = math.huge
  for n = 16, 255 do best = math.min(best, distance(rgb, of_code("5;" .. n))) end
  return best
end
local seen = decode(mosaic.lines(odd, 256))
t.ok(same(seen, odd, function(a, b) return distance(a, b) == nearest(b) end))
for _, rgb in ipairs { 0, 0xffffff, 0x080808, 0x7f7f80, 0xff0000, 0x5f0000, 0xeeeeee } do
  t.is(distance(of_code("5;" .. mosaic.of_256(rgb)), rgb), nearest(rgb), ("%06x"):format(rgb))
end

-- Shades: blank is black, @ white, and lighter is never a darker letter.
local ramp = mosaic.page(picture(10, 2, 1, function(x) return 25 * x + 12 end), 10, 2)
t.is(mosaic.lines(ramp, 0)[1], " .:-=+*#%@", "ten shades")
t.is(mosaic.lines(mosaic.page(picture(3, 1, 1, function() return 0 end), 3, 1), 8)[1], "",
  "black is blank, also with few colours")
local mean = mosaic.page(picture(1, 2, 1, function(_, y) return y * 255 end), 1, 2)
t.is(mosaic.lines(mean, 0)[1], "=", "a letter is the mean of two pixels")

-- kitty: the pixels themselves, transparent where there are none.
local bytes = {}
for _, data in graphics.kitty(odd, 30, 4):gmatch "\27_G([^;\27]*);([^\27]*)\27\\" do
  bytes[#bytes + 1] = data
end
bytes = images.unbase64(table.concat(bytes))
t.is(#bytes, 4 * odd.width * odd.height, "kitty: four bytes a pixel")
local right = true
for i = 1, odd.width * odd.height do
  local rgb, alpha = (">I3B"):unpack(bytes, 4 * i - 3)
  right = right and alpha == (odd[i] and 255 or 0) and rgb == (odd[i] or 0)
end
t.ok(right, "kitty: each as it was")
t.ok(graphics.kitty(odd, 30, 4):find "a=T,f=32,s=13,v=5,q=2,C=1,c=30,r=4,m=0;", "its keys")

-- Sixels: each pixel within a step of the palette, the mean within less.
local function check_sixel(name, want, step)
  local image, sum, n, worst = images.sixel(graphics.sixels(want)), 0, 0, 0
  t.is(image.width .. "x" .. image.height, want.width .. "x" .. want.height, name .. ": its size")
  for y = 0, want.height - 1 do
    for x = 0, want.width - 1 do
      local rgb, got = want[y * want.width + x + 1], image:at(x, y)
      if not rgb or not got then
        t.ok(not rgb and not got, name .. ": nothing where there is nothing")
      else
        for c, at in ipairs { 2, 4, 6 } do
          local d = tonumber(got:sub(at, at + 1), 16) - (rgb >> (24 - 8 * c) & 255)
          sum, n, worst = sum + d, n + 1, math.max(worst, math.abs(d))
        end
      end
    end
  end
  t.ok(worst <= step, name .. ": near", worst)
  t.ok(math.abs(sum / n) < step / 8, name .. ": true in the mean", sum / n)
end
check_sixel("colour", mosaic.page(picture(40, 21, 3, noise), 40, 21), 52)
check_sixel("gray", mosaic.page(picture(30, 12, 1, function(x, y) return 8 * x + y end), 30, 12), 6)
check_sixel("a gap", mosaic.beside({ mosaic.page(picture(3, 3, 3, noise), 3, 3),
  mosaic.page(picture(3, 3, 3, noise), 3, 3) }, 1), 52)
local white = images.sixel(graphics.sixels(mosaic.page(picture(5, 7, 3, function()
  return 255
end), 5, 7)))
t.is(white:count("#ffffff", 0), 35, "white is white")

-- Rows.
local function layout(side, n, width, columns)
  local list = {}
  for i = 1, n do list[i] = { width = side, height = side, channels = 1, name = "n" .. i } end
  local rows = show.rows(list, width, columns)
  return ("%d rows of %d, %d wide"):format(#rows, #rows[1].images, rows[1].each)
end
t.is(layout(32, 12, 80), "4 rows of 3, 25 wide", "32 pixels in 80 columns")
t.is(layout(64, 12, 80), "4 rows of 3, 25 wide", "larger ones are made smaller")
t.is(layout(8, 12, 80), "2 rows of 8, 8 wide", "small ones stay as they are")
t.is(layout(224, 12, 80, 4), "3 rows of 4, 18 wide", "as many as asked for")
t.is(layout(224, 3, 10, 9), "1 rows of 3, 2 wide", "on a narrow terminal")

-- Which: different ones, the same for a seed, the first of more are those of fewer.
local few, more = show.draw(5, 1000, 3), show.draw(20, 1000, 3)
local once, all = {}, true
for i, k in ipairs(more) do
  all = all and not once[k] and k >= 1 and k <= 1000 and (few[i] or k) == k
  once[k] = true
end
t.ok(all, "different images, a beginning of more")
t.is(#show.draw(9, 4, 1), 4, "no more than there are")
table.sort(show.draw(4, 4, 1))
local four = show.draw(9, 4, 1)
table.sort(four)
t.is(table.concat(four, " "), "1 2 3 4", "all of them")

-- The whole: a program whose output is decoded, as text of every kind.
local function output(code, flags, env)
  local f = assert(io.popen(("env -u NO_COLOR %s LC_ALL=C.UTF-8 '%s' -q --no-init %s -e '%s' 2>&1 "
    .. "</dev/null"):format(env or "TERM=xterm-256color", sys.exe(), flags or "",
    'D = data.open("shapes", { train = 40, test = 20 }) ' .. code)))
  local text = f:read "a"
  f:close()
  return text
end
local set <close> = data.open("shapes", { train = 40, test = 20 })
local want, names = {}, {}
for k, i in ipairs(show.draw(2, 40, 1)) do
  local pixels, _, name = set:image("train", i)
  pixels.width, pixels.height, pixels.channels = 32, 32, 3
  want[k], names[k] = mosaic.page(pixels, 32, 32), name
end
want = mosaic.beside(want, 2)
local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end
local function shown(text)
  local lines = lines_of(text)
  local caption = table.remove(lines)
  t.ok(caption:find(names[1], 1, true) and caption:find(names[2], 34, true), "named", caption)
  return lines
end
t.ok(same(decode(shown(output("D:show(2)", "--color=always",
  "TERM=xterm-256color COLORTERM=truecolor"))), want))
t.ok(same(decode(shown(output("D:show(2)", "--color=always"))), want,
  function(a, b) return distance(a, b) == nearest(b) end))
local plain = shown(output "D:show(2)")
t.is(table.concat(plain, "\n"), table.concat(mosaic.lines(want, 0), "\n"), "in a pipe: shades")
t.is(table.concat(shown(output("D:show(2)", "--color=always", "TERM=xterm NETSPACE_ASCII=1")), "\n"),
  table.concat(plain, "\n"), "and where ASCII is asked for")
local text = output('D:show(2, { graphics = "kitty" })')
bytes = {}
for _, data in text:gmatch "\27_G([^;\27]*);([^\27]*)\27\\" do bytes[#bytes + 1] = data end
bytes = images.unbase64(table.concat(bytes))
right = #bytes == 4 * want.width * want.height
for i = 1, right and want.width * want.height or 0 do
  right = right and (">I3"):unpack(bytes, 4 * i - 3) == (want[i] or 0)
end
t.ok(right, "kitty: the pixels of the images")
local image = images.sixel(output('D:show(2, { graphics = "sixel" })'))
t.is(image.width .. "x" .. image.height, 66 * 8 .. "x" .. 32 * 8, "sixel: a cell is 8 pixels wide")

t.ok(output('D:show(3, { class = "ring" })'):find "\nring", "of one class")
t.is(output 'D:show(2, { augmented = true })' == output "D:show(2)", false, "augmented")
t.is(output 'D:show(2, { augmented = true })', output 'D:show(2, { augmented = "auto" })',
  "as the recipe has it")
t.is(output 'D:show(2, { augmented = true, epoch = 2 })' == output 'D:show(2, { augmented = true })',
  false, "in another epoch otherwise")
for code, message in pairs {
  ["D:show(0)"] = "dataset:show: n is 0; it must be from 1 to 1000",
  ['D:show(2, { split = "tset" })'] = "split is 'tset'; it must be train, validation or test",
  ['D:show(2, { class = "rinq" })'] = "there is no class 'rinq' (did you mean 'ring'?)",
  ['D:show(2, { split = "test", augmented = true })'] = "only training images are augmented",
  ['D:show(2, { augmented = "pycl" })'] = "augment is 'pycl'",
} do
  t.ok(output(code):find(message, 1, true), message, output(code))
end

-- The description.
local d = set:describe()
text = tostring(d)
t.ok(text:find("shapes: 80 images of 32x32 pixels, colour, in 10 classes", 1, true), "what it is")
t.ok(text:find "\nring +4 +2 +2 +24.6 kB\n", "a class", text)
t.ok(text:find "\nall +40 +20 +20 +246 kB\n", "all")
t.ok(text:find("padded by 4, a random crop, half of them flipped", 1, true), "augmentation")
t.ok(text:find("none: no two images have the same bytes", 1, true), "no duplicates")
t.is(d.survey.train.n[1], 4, "the numbers behind it")
for line in text:gmatch "[^\n]+" do
  if utf8.len(line) > 100 then t.ok(false, "lines of at most 100 columns", line) end
end

t.done()
