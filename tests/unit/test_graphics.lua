-- Pictures in terminals: the question and its answers, the bytes of kitty's protocol, of sixels and
-- of the way through tmux, decoded to pixels; and a program on a pseudo-terminal (script(1))
-- that answers like one terminal or another, or not at all.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local escape = require "netspace.lib.escape"
local gnuplot = require "netspace.plot.gnuplot"
local graphics = require "netspace.lib.graphics"
local images = require "images"
local sys = require "netspace.core.sys"
local uv = require "luv"

-- Base 64 (RFC 4648, section 10), and there and back.
for text, code in pairs { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==",
  fooba = "Zm9vYmE=", foobar = "Zm9vYmFy" } do
  t.is(escape.base64(text), code, "base 64 of '" .. text .. "'")
end
local all = {}
for i = 0, 255 do all[i + 1] = string.char(i) end
all = table.concat(all)
t.is(images.unbase64(escape.base64(all)), all, "every byte comes back")
t.is(escape.passthrough "\27_Gx\27\\", "\27Ptmux;\27\27_Gx\27\27\\\27\\", "through tmux")
t.is(escape.clipboard "foo", "\27]52;c;Zm9v\7", "the clipboard")
t.is(escape.clipboard("foo", true), "\27]52;c;Zm9v\7\27Ptmux;\27\27]52;c;Zm9v\7\27\\",
  "and in tmux")

-- Answers.
local function answer(reply)
  local a = graphics.read(reply)
  return ("%s %s %s %s %s"):format(a.kitty, a.sixel, a.answered, a.width or "-", a.typed)
end
t.is(answer "\27_Gi=31;OK\27\\\27[6;18;9t\27[?62;c", "true false true 9 ", "kitty")
t.is(answer "\27[?62;4;22c", "false true true - ", "sixel is attribute 4")
t.is(answer "\27[?4c", "false false true - ", "the first number is no attribute")
t.is(answer "\27[?64;14;44c", "false false true - ", "nor are 14 and 44")
t.is(answer "\27_Gi=31;ENOTSUPPORTED:no\27\\\27[?1;2c", "false false true - ", "an error is no yes")
t.is(answer "", "false false false - ", "no answer")
t.is(answer "p\27_Gi=31;OK\27\\ri\27[?62cnt", "true false true - print",
  "what was typed meanwhile is left over")
t.ok(graphics.question():find "\27%[c$", "DA1 is asked for last")
t.is(graphics.question(true):sub(1, 7), "\27Ptmux;", "in tmux kitty is asked through it")

-- Room.
local function fit(...) return ("%d %d %d %d"):format(graphics.fit(...)) end
t.is(fit(0.5, 10, 20, 80, 24), "80 20 800 400", "as wide as there is room")
t.is(fit(2, 10, 20, 80, 24), "24 24 240 480", "or as high")
t.is(fit(1, 8, 16, 1, 1), "1 1 8 8", "one cell")

-- The bytes of a picture.
local function kitty_of(text)
  local parts, n, last = {}, 0, nil
  for keys, data in text:gmatch "\27_G([^;\27]*);([^\27]*)\27\\" do
    if not keys:find "a=q" then
      n, last = n + 1, keys
      parts[n] = data
    end
  end
  return images.unbase64(table.concat(parts)), n, last, parts
end
local bytes = all:rep(50)
local seen, n, last, parts = kitty_of(graphics.kitty(bytes, 30, 10))
t.is(seen, bytes, "kitty: the bytes come back")
t.is(n, 5, "in chunks")
t.is(#parts[1], 4096, "of 4096 letters")
t.ok(last:find "m=0$", "the last says so")
t.ok(graphics.kitty(bytes, 30, 10):find "\27_Ga=T,f=100,q=2,C=1,c=30,r=10,m=1;", "its keys")
t.is(select(2, kitty_of(graphics.kitty(("x"):rep(3072), 3, 1))), 1, "4096 letters are one chunk")
t.is(select(2, kitty_of(graphics.kitty(("x"):rep(3073), 3, 1))), 2, "4100 are two")
local wrapped = graphics.kitty(bytes, 30, 10, true)
local inner = {}
for text in wrapped:gmatch "\27Ptmux;(.-[^\27])\27\\" do
  inner[#inner + 1] = text:gsub("\27\27", "\27")
end
t.is(kitty_of(table.concat(inner)), bytes, "tmux: every chunk is wrapped by itself")
t.is(#inner, 5, "all of them")
t.ok(graphics.kitty("x", 3, 7):find "^\n\n\n\n\n\n\n\27%[7A", "room is made first")
t.ok(graphics.kitty("x", 3, 7):find "\27%[7B\r$", "and the cursor is below in the end")
t.ok(graphics.sixel("noise\27P0q#0~\27\\", 2):find "\0277\27P0q#0~\27\\\0278", "sixels as they are")

local tiny = images.sixel "\27P0q\"1;1;2;1#0;2;100;0;0#0@#1;2;0;0;100@\27\\"
local again = images.png(images.to_png(tiny))
t.is(again.width .. " " .. again.height .. " " .. again:at(0, 0) .. " " .. again:at(1, 0),
  "2 1 #ff0000 #0000ff", "sixels to a PNG and back")

if not gnuplot.version() then
  t.skip("gnuplot is not installed")
  return t.done()
end

-- What a terminal gets, as pixels: two curves in the colours of files.
local code = "plot.edf{ { 40, 50, 60 }, { 41, 44, 45, 52 } }:show"
local BLUE, ORANGE = "#0072b2", "#d55e00"
local function output(command)
  local f = assert(io.popen(("TERM=xterm '%s' -q --no-init %s </dev/null 2>&1"):format(sys.exe(),
    command)))
  local text = f:read "a"
  f:close()
  return text
end
local function colourful(image, name)
  t.ok(image.width > 300 and image.height > 150, name .. ": its size",
    ("%d x %d"):format(image.width, image.height))
  t.ok(image:count(BLUE) > 300, name .. ": the first curve")
  t.ok(image:count(ORANGE) > 150, name .. ": the second")
  t.ok(image:count "#ffffff" > 0.8 * image.width * image.height, name .. ": white ground")
end
colourful(images.png((kitty_of(output("--graphics=kitty -e '" .. code .. "()'")))), "kitty")
colourful(images.sixel(output("--graphics=sixel -e '" .. code .. "()'")), "sixel")
colourful(images.png((kitty_of(output("-e '" .. code .. "{ graphics = \"kitty\" }'")))),
  "the option")
local small = images.png((kitty_of(output("-e '" .. code
  .. "{ graphics = \"kitty\", width = 20, height = 30 }'"))))
t.is(small.width, 160, "20 cells are 160 pixels where nobody tells")
t.ok(not output("-e '" .. code .. "()'"):find "\27", "no image into a pipe by itself")
t.ok(output("--graphics=text -e '" .. code .. "()'"):find "┤", "text")
t.ok(output "--graphics=sixl":find("auto, kitty, sixel or text, not 'sixl'", 1, true),
  "a wrong word for --graphics")
t.ok(output("-e '" .. code .. "{ graphics = \"kity\" }'"):find("did you mean 'kitty'", 1, true),
  "a wrong word for graphics =")
t.ok(output("-e 'print(select(2, " .. code .. "{ graphics = \"kitty\" }))'"):find "\27_G",
  "what is asked for is not asked about")
local f = assert(io.popen(("PATH=/nowhere '%s' -q --no-init -e "
  .. "'print(%s{ graphics = \"sixel\" })' 2>&1"):format(sys.exe(), code)))
local text = f:read "a"
f:close()
t.ok(text:find "┤" and text:find "nil\tgnuplot.* is not installed",
  "without gnuplot: text, and why")

-- A program on a terminal that answers `reply` to the question; what comes is s.text.
local function session(arguments, reply, tmux)
  local s = { text = "", asked = 0 }
  local input, out = uv.new_pipe(false), uv.new_pipe(false)
  local env = { "TERM=xterm-256color", "LC_ALL=C.UTF-8", "NETSPACE_HISTORY=off", "HOME=/nowhere",
    "PATH=" .. os.getenv "PATH", "LUA_CPATH_5_4=" .. (os.getenv "LUA_CPATH_5_4" or ";;") }
  if tmux then env[#env + 1] = "TMUX=/tmp/none,1,0" end
  s.process = uv.spawn("script", { stdio = { input, out, 2 }, env = env,
    args = { "-qec", ("%s -q --no-init %s"):format(sys.exe(), arguments), "/dev/null" } },
    function() s.ended = true end)
  local at = 1
  out:read_start(function(_, data)
    s.text = s.text .. (data or "")
    local _, to = s.text:find("\27[c", at, true)
    if to then
      at, s.asked = to + 1, s.asked + 1
      if reply then input:write(reply) end
    end
  end)
  function s.send(keys) input:write(keys) end
  function s.wait(what, seconds)
    local from, timer = sys.now(), uv.new_timer()
    timer:start(50, 50, function() end)
    while not what() and sys.now() - from < (seconds or 60) do uv.run "once" end
    timer:close()
    return what(), sys.now() - from
  end
  function s.prompt()
    return s.wait(function() return ("\n" .. s.text):gsub("\27%[%?2004%a", ""):find "[\r\n]> $" end)
  end
  function s.finish()
    s.send "\4"
    s.wait(function() return s.ended end, 20)
    input:close()
    out:close()
    uv.run "nowait"
  end
  return s
end
if not sys.exe() or os.execute "command -v script >/dev/null" ~= true then
  t.skip("script(1) is not installed")
  return t.done()
end

local KITTY, SIXEL, NONE = "\27_Gi=31;OK\27\\\27[6;18;9t\27[?62;c", "\27[?62;4;22c", "\27[?1;2c"
local s = session("", KITTY)
s.prompt()
s.text = ""
s.send(code .. "{ width = 40 }\n")
s.wait(function() return s.text:find "m=0;[^\27]*\27\\" end)
local image = images.png((kitty_of(s.text)))
t.is(image.width, 360, "at the prompt: an image of 40 cells of the size the terminal says")
t.ok(image:count(BLUE) > 100, "with its curves")
s.prompt()
s.text = ""
s.send(code .. "{ width = 30 }\n")
s.wait(function() return s.text:find "m=0;[^\27]*\27\\" end)
t.is(s.asked, 1, "it is asked once")
s.prompt()
s.text = ""
s.send("--" .. "graphics\n6 * 7\n")
t.ok(s.wait(function() return s.text:find "[\r\n]42\r" end), "the prompt goes on")
s.finish()

s = session("-e '" .. code .. "()'", SIXEL)
s.wait(function() return s.ended end)
colourful(images.sixel(s.text), "in a script, sixel")
s.finish()
s = session("-e '" .. code .. "()'", NONE)
s.wait(function() return s.ended end)
t.ok(s.text:find "┤" and not s.text:find "\27P" and s.asked == 1, "neither: text")
s.finish()
s = session("-e '" .. code .. "()'", nil)
local _, took = s.wait(function() return s.ended end, 30)
t.ok(s.text:find "┤", "a terminal that does not answer: text")
t.ok(took < 20, "and no waiting for ever", ("%.1f s"):format(took))
s.finish()
s = session("--graphics=text -e '" .. code .. "()'", KITTY)
s.wait(function() return s.ended end)
t.ok(s.text:find "┤" and s.asked == 0, "--graphics=text asks nothing")
s.finish()
s = session("-e '" .. code .. "()'", NONE .. "\27_Gi=31;OK\27\\", true)
s.wait(function() return s.ended end)
t.ok(s.text:find "\27Ptmux;\27\27_Ga=T", "in tmux the answer from around comes after that of tmux")
s.finish()

-- The monitor leaves the full screen for the image, and comes back with any key.
local dir = uv.fs_mkdtemp(uv.os_tmpdir() .. "/netspace-XXXXXX")
local store = dir .. "/runs.db"
os.execute(("'%s' tests/terminal/make_store.lua '%s' finished"):format(sys.exe(), store))
s = session("monitor " .. store, KITTY)
t.ok(s.wait(function() return s.text:find "commands" end), "the monitor on a terminal")
s.text = ""
s.send "i"
t.ok(s.wait(function() return s.text:find "any key goes back" end), "i shows the view as an image")
t.ok(s.text:find "\27%[%?1049l.*\27_Ga=T", "on the terminal itself", s.text:sub(1, 200))
image = images.png((kitty_of(s.text)))
t.ok(image:count(BLUE) > 100 and image:count(ORANGE) > 100, "both populations are in it")
s.text = ""
s.send "\27[A"
t.ok(s.wait(function() return s.text:find "\27%[%?1049h.*commands" end), "any key goes back")
s.text = ""
s.send "m"
t.ok(s.wait(function() return s.text:find "models" end), "to a monitor at work")
s.send "y"
t.ok(s.wait(function() return s.text:find "\27%]52;c;[%w+/]+=*\7" end), "y writes to the clipboard")
t.ok(images.unbase64(s.text:match "\27%]52;c;([%w+/=]+)\7"):find("^population\tmodel\tstatus\t"),
  "the table of models")
s.send "q"
s.finish()
for _, ending in ipairs { "", "-wal", "-shm" } do os.remove(store .. ending) end
uv.fs_rmdir(dir)

-- What is typed while the terminal is asked is a line of the prompt afterwards.
s = session("", "6 * " .. KITTY .. "7\n")
s.prompt()
s.text = ""
s.send(code .. "{ width = 20 }\n")
t.ok(s.wait(function() return s.text:find "[\r\n]42\r" end),
  "typed in the middle of the answer: not lost")
t.ok(s.text:find "\27_Ga=T", "and the image is shown")
s.finish()
t.done()
