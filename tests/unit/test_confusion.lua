-- The confusion matrix as it prints: numbers by hand, the width, the worst pairs, other programs.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local confusions = require "netspace.network.confusion"
local members = require "netspace.lib.members"

local c = confusions.new({ { 8, 2, 0 }, { 5, 15, 0 }, { 1, 1, 2 } }, { "cat", "dog", "owl" }, "test")
t.is(c.n .. " " .. c.n_wrong, "34 9", "images and wrong ones")
t.near(c.error, 100 * 9 / 34, 1e-12, "the error")
t.near(c.class_error, 100 * (0.2 + 0.25 + 0.5) / 3, 1e-12, "the mean error of the classes")
t.is(#c.worst, 4, "pairs")
local function pair(w) return ("%s %s %d %d %d %d"):format(w.class, w.taken_for, w.n, w.of, w.label,
  w.answer) end
t.is(pair(c.worst[1]), "dog cat 5 20 1 0", "the worst by number")
t.is(pair(c.worst[3]), "owl cat 1 4 2 0", "then by share")
t.is(tostring(c), [[
9 of 34 test images wrong (26.47 %); by class 31.67 %
rows: what it is; columns: what the network says
      a  b c wrong
a cat 8  2 .  20 %
b dog 5 15 .  25 %
c owl 1  1 2  50 %
dog is taken for cat: 5 of 20 (25 %)
cat is taken for dog: 2 of 10 (20 %)
owl is taken for cat: 1 of 4 (25 %)
owl is taken for dog: 1 of 4 (25 %)]], "as text")
t.is(c:table "csv", "class,cat,dog,owl\ncat,8,2,0\ndog,5,15,0\nowl,1,1,2\n", "as CSV")
t.ok(c:table("markdown"):find("| dog | 5 | 15 | 0 |", 1, true), "as Markdown")
t.fails(function() c:table "cvs" end, "table: format is 'cvs' (did you mean 'csv'?)")
t.is(members.kind(c), "confusion", "its kind")

-- Images of each pair, the first three, and the names of their files.
local labels, said = { 1, 1, 0, 2, 1, 1, 1 }, { 0, 1, 1, 1, 0, 0, 0 }
local shown = confusions.show(confusions.new({ { 0, 1, 0 }, { 4, 1, 0 }, { 0, 1, 0 } }, { "cat", "dog",
  "owl" }, "test"), said, function(i) return labels[i] end, function(i)
  return ("%d%s.jpg"):format(i, i == 3 and "\27[1m" .. ("x"):rep(80) or ("y"):rep(30))
end)
t.is(table.concat(shown.worst[1].images, " "), "1 5 6", "the first images of a pair")
t.is(#shown.worst[1].files .. shown.worst[1].files[1], "31" .. ("y"):rep(30) .. ".jpg", "and files")
t.ok(tostring(shown):find("dog is taken for cat: 4 of 5 (80 %)\n  1" .. ("y"):rep(30) .. ".jpg, 5"
  .. ("y"):rep(30) .. ".jpg\n", 1, true), "as many as fit a line", tostring(shown))
t.ok(tostring(shown):find("\n  3?[1m" .. ("x"):rep(80) .. ".jpg\n", 1, true), "at least one")
shown = confusions.show(confusions.new({ { 0, 1 }, { 0, 1 } }, { "a", "b" }, "test"), { 1, 1, -1 },
  function(i) return i == 2 and 1 or 0 end, function() end)
t.is(table.concat(shown.worst[1].images), "1", "an image without an answer is of no pair")
t.is(shown.worst[1].files, nil, "where there are no files none are named")

-- Ten classes of a thousand images with long names: a matrix of 80 columns.
local function square(n, f)
  local m, names = {}, {}
  for i = 1, n do
    m[i], names[i] = {}, ("a class with the number %d"):format(i)
    for k = 1, n do m[i][k] = f(i, k) end
  end
  return confusions.new(m, names, "validation")
end
local function widest(text)
  local most = 0
  for line in text:gmatch "[^\n]+" do most = math.max(most, utf8.len(line)) end
  return most
end
local ten = tostring(square(10, function(i, k) return i == k and 1000 or 100 end))
t.ok(ten:find "\n +a +b +c" and widest(ten:match "^.*%%\n") <= 80, "ten classes fit", ten)
t.is(select(2, ten:gsub("is taken for", "")), 5, "five pairs below")
local wide = tostring(square(26, function(i, k) return 1000 * i + k end))
t.ok(not wide:find "\n +a +b", "what does not fit is left out")
t.is(select(2, wide:gsub("is taken for", "")), 10, "ten pairs instead")
local many = square(100, function(i, k) return i == k and 9 or k == 1 and i == 7 and 3 or 0 end)
t.is(tostring(many), "3 of 903 validation images wrong (0.33 %); by class 0.25 %\n"
  .. "a class with the number 7 is taken for a class with the number 1: 3 of 12 (25 %)",
  "a hundred classes")

-- None wrong, none there.
t.is(#square(3, function(i, k) return i == k and 2 or 0 end).worst, 0, "no pairs")
local empty = confusions.new({ { 2, 0 }, { 0, 0 } }, { "a", "b" }, "train")
t.is(tostring(empty):match "^[^\n]*", "0 of 2 training images wrong (0.00 %); by class 0.00 %",
  "classes without images count for nothing")

t.done()
