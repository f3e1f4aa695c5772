--- A data set in words: images and bytes of each class and split, sizes, what is done to images
-- before a network sees them, files that could not be read or were left out, images that are there
-- twice, and how often the test images were looked at.

local columns = require "netspace.lib.columns"
local paths = require "netspace.lib.path"
local look = require "netspace.core.look"
local text = require("netspace.network.describe").text
local units = require "netspace.lib.units"

local M = {}

local MOST_CLASSES = 20 -- that have a line each
local MOST_NAMED = 10   -- files and pairs that are named
local splits = { "train", "validation", "test" }

local count, bytes = units.thousands, units.bytes

local function sum(list)
  local n = 0
  for _, v in ipairs(list) do n = n + v end
  return n
end

-- "1 image", "1,234 images".
local function images(n) return n == 1 and "1 image" or count(n) .. " images" end

local function three(list, form)
  local parts = {}
  for i, v in ipairs(list) do parts[i] = form:format(v) end
  return table.concat(parts, " ")
end

-- The table of classes, or of splits alone where there are many classes.
local function add_counts(lines, card, s)
  local rows, used = { { "class" } }, {}
  for _, split in ipairs(splits) do
    if sum(s[split].n) > 0 then
      used[#used + 1] = split
      table.insert(rows[1], split)
    end
  end
  table.insert(rows[1], "bytes")
  local function row(name, of)
    local cells, all = { name }, 0
    for _, split in ipairs(used) do
      cells[#cells + 1] = count(of(s[split].n))
      all = all + of(s[split].bytes)
    end
    cells[#cells + 1] = bytes(all)
    rows[#rows + 1] = cells
  end
  if card.classes <= MOST_CLASSES then
    for k, name in ipairs(card.class_names) do
      row(name, function(list) return list[k] end)
    end
  else
    row("least", function(list) return math.min(table.unpack(list)) end)
    row("most", function(list) return math.max(table.unpack(list)) end)
  end
  row("all", sum)
  table.move(columns.lines(rows), 1, #rows, #lines + 1, lines)
end

-- What augment = "auto", the usual, means for these images (network/recipe.lua).
local function training_view(card, s)
  if not s.exact then return "a random crop of 35 to 100 % of the image, half of them flipped" end
  return ("padded by %d, a random crop, half of them flipped"):format(card.pad)
end

local function test_view(card, s)
  if s.exact and s.scale == 1 then return "as they are" end
  return ("short side to %d, the middle %dx%d of it"):format(
    math.floor(s.scale * card.image + 0.5), card.image, card.image)
end

local function add_same(add, s, set)
  local said = false
  local function place(split, image)
    local name = set:name(split, image)
    return ("%s %s"):format(split, name and paths.line(name) or count(image))
  end
  local function say(head, ...)
    add(said and "" or "duplicates", head, ...)
    said = true
  end
  for i, a in ipairs(splits) do
    local n = s[a].again[a]
    if n > 0 then
      say("%s of %s %s there already, in the same split", images(n), a, n == 1 and "is" or "are")
    end
    for k = 1, i - 1 do
      n = s[a].again[splits[k]]
      if n > 0 then
        say("%s of %s %s in %s, too: errors measured on them say too little", images(n), a,
          n == 1 and "is" or "are", splits[k])
      end
    end
  end
  if not said then return add("duplicates", "none: no two images have the same bytes") end
  if s.mislabelled > 0 then say("%s in several classes", images(s.mislabelled)) end
  for i, x in ipairs(s.same) do
    if i > MOST_NAMED then break end
    say("  %s = %s%s", place(x.split, x.image), place(x.other_split, x.other),
      x.labels_differ and ", of another class" or "")
  end
end

local function add_bad(add, bad)
  if not bad or #bad == 0 then return end
  add("unreadable", "%s, left out", #bad == 1 and "1 file" or count(#bad) .. " files")
  for i, x in ipairs(bad) do
    if i > MOST_NAMED then return add("", "  … %s more", count(#bad - MOST_NAMED)) end
    add("", "  %s: %s", paths.line(x.name), x.reason)
  end
end

-- What was left out besides, by the counts of the pack.
local function add_left_out(add, made)
  local list = {}
  for _, x in ipairs {
    { "empty", "empty file", "empty files" }, { "other", "file that is no image",
      "files that are no images" },
    { "outside", "file in no class folder", "files in no class folder" },
    { "hidden", "hidden file", "hidden files" },
  } do
    local n = tonumber(made[x[1]]) or 0
    if n > 0 then list[#list + 1] = ("%s %s"):format(count(n), n == 1 and x[2] or x[3]) end
  end
  if #list > 0 then add("left out", "%s", table.concat(list, ", ")) end
  if made.note then add("note", "%s", made.note) end
end

-- Where validation and test images are from, when the files have not both.
local function add_parts(add, card, source)
  if not (source.train and card.validation_n and card.validation_n > 0) then return end
  if not source.test and source.validation then
    add("parts", "train and val alone: val is the test set, validation is taken from train")
  elseif source.test and not source.validation then
    add("parts", "train and test alone: validation is taken from train")
  end
end

--- "class 'a' has no validation images", of the names of classes without any.
function M.without(names)
  local list = {}
  for i = 1, math.min(#names, MOST_NAMED) do list[i] = ("'%s'"):format(names[i]) end
  return ("%s %s%s %s no validation images"):format(#names == 1 and "class" or "classes",
    table.concat(list, ", "), #names > MOST_NAMED and (" and %d more"):format(#names - MOST_NAMED)
    or "", #names == 1 and "has" or "have")
end

-- "22x18 pixels", or the least, most and median of width and height.
local function side(t)
  local w, h = t.width, t.height
  if w.min == w.max and h.min == h.max then return ("%dx%d pixels"):format(w.min, h.min) end
  return ("width %d to %d (median %d), height %d to %d (median %d)"):format(w.min, w.max, w.median,
    h.min, h.max, h.median)
end

--- The description of a data set.  source: path, kind, size, bytes and bad of its pack, or nil;
-- changed: what has changed in its files since it was opened, or nil.
function M.describe(set, source, changed)
  local card, s = set:card(), look.survey(set)
  local gray = card.channels == 1
  local lines = { ("%s: %s of %dx%d pixels, %s, in %s"):format(card.spec,
    images(card.train_n + (card.validation_n or 0) + card.test_n), card.image, card.image,
    gray and "gray" or "colour", units.count(card.classes, "class"):gsub("classs$", "classes")) }
  local function add(head, form, ...)
    lines[#lines + 1] = ("%-12s%s"):format(head, form:format(...))
  end
  add_counts(lines, card, s)
  lines[#lines + 1] = ""
  local files = source and look.files(source.path)
  if files then
    add("files", "%s", side(files))
    add("", "%s to %s (median %s)", bytes(files.bytes.min), bytes(files.bytes.max),
      bytes(files.bytes.median))
  end
  add("kept", "%s", side(s))
  if not s.exact then
    add("resizing", s.resize == "pycls" and "as pycls, without antialiasing" or "with antialiasing")
  end
  add("tested", "%s", test_view(card, s))
  add("trained", "%s (recipe.augment)", training_view(card, s))
  add("normalised", "mean %s, deviation %s (of 0 to 255)", three(card.mean, "%.1f"),
    three(card.std, "%.1f"))
  if source then
    add("pack", "%s as %s%s, in", bytes(source.bytes), source.kind == "jpeg" and "JPEG" or "bytes",
      source.size > 0 and (", short side %d"):format(source.size) or "")
    add("", "%s", source.path)
    if changed then add("changed", "%s; open it again", changed) end
    add_bad(add, source.bad)
    add_left_out(add, source.made)
    add_parts(add, card, source)
  end
  add_same(add, s, set)
  if (card.validation_n or 0) == 0 then
    add("validation", "none: networks are compared by the test images")
  elseif card.unmeasured then
    add("validation", "%s", M.without(card.unmeasured))
  end
  local looks, networks = set:looks()
  add("test", looks == 0 and "no network has been measured on the test images yet"
    or "looked at %s, at %s", looks == 1 and "once" or count(looks) .. " times",
    units.count(networks, "network"))
  return text { lines = lines, survey = s, card = card }
end

return M
