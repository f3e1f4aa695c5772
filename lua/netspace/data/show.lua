--- Images of a data set drawn in the terminal, with the names of their classes: as pictures where
-- the terminal has them (kitty's protocol, sixel), else as half blocks in colour, else as shades
-- of ASCII.

local canvas = require "netspace.core.canvas"
local look = require "netspace.core.look"
local display = require "netspace.lib.display"
local graphics = require "netspace.lib.graphics"
local mosaic = require "netspace.lib.mosaic"
local options = require "netspace.lib.options"
local paths = require "netspace.lib.path"
local pretty = require "netspace.lib.pretty"
local recipes = require "netspace.network.recipe"
local screen = require "netspace.core.screen"
local sys = require "netspace.core.sys"

local M = {}

local WIDE = 25 -- columns of an image at least, where nothing is asked for
local GAP = 2
local MOST = 1000 -- images

--- k different numbers of 1 … n in random order, the same for the same seed.
function M.draw(k, n, seed)
  local list, moved = {}, {}
  for i = 1, math.min(k, n) do
    local j = i + math.floor(sys.random(seed, i, sys.purpose.subset) % (n - i + 1))
    list[i] = moved[j] or j
    moved[j] = moved[i] or i
  end
  return list
end

--- Images in rows that fit a width: a list of { page =, names =, each = columns of an image }.
-- @tparam table images pictures (mosaic.page) with .name
-- @tparam integer width of the terminal, in columns
-- @tparam integer|nil columns images a row; nil: as many as fit in a usual size
function M.rows(images, width, columns)
  local side = images[1].width
  local a_row = columns or math.max(1, (width + GAP) // math.min(WIDE + GAP, side + GAP))
  a_row = math.min(a_row, #images)
  local each = math.max(1, math.min(side, (width + GAP) // a_row - GAP))
  local rows = {}
  for from = 1, #images, a_row do
    local row = { each = each, images = {}, names = {} }
    for i = from, math.min(from + a_row - 1, #images) do
      row.images[#row.images + 1], row.names[#row.names + 1] = images[i], images[i].name
    end
    rows[#rows + 1] = row
  end
  return rows
end

-- The names of a row, each under its image.
local function caption(row)
  local parts = {}
  for i, name in ipairs(row.names) do
    local text = pretty._shorten(paths.line(name), row.each, "~")
    parts[i] = text .. (" "):rep(row.each - canvas.text_width(text))
  end
  return (table.concat(parts, (" "):rep(GAP)):gsub(" +$", ""))
end

--- A row as lines of text, as mosaic.lines has them.
function M.text(row, colours)
  local pages = {}
  for i, image in ipairs(row.images) do pages[i] = mosaic.page(image, row.each, row.each) end
  local lines = mosaic.lines(mosaic.beside(pages, GAP), colours)
  lines[#lines + 1] = caption(row)
  return lines
end

-- Writes a row as a picture: each image in the pixels of its cells, or for kitty, which brings
-- them to that size itself, as it is.
local function draw(row, kind)
  local cell_width, cell_height = display.cell()
  local n = #row.images
  local columns = n * row.each + (n - 1) * GAP
  local side = kind == "kitty" and row.images[1].width or row.each * cell_width
  local gap = kind == "kitty" and (GAP * side + row.each // 2) // row.each or GAP * cell_width
  local pages = {}
  for i, image in ipairs(row.images) do pages[i] = mosaic.page(image, side, side) end
  local page = mosaic.beside(pages, gap)
  local lines = (row.each * cell_width + cell_height - 1) // cell_height
  display.write(kind, kind == "kitty" and page or graphics.sixels(page), columns, lines)
  io.stdout:write(caption(row), "\n")
end

local splits = { train = true, validation = true, test = true }

-- The label of a class by its name or number; raises without a position.
local function label_of(class, names)
  if math.tointeger(class) and names[class + 1] then return math.tointeger(class) end
  for k, name in ipairs(names) do
    if name == class then return k - 1 end
  end
  error(("dataset:show: there is no class '%s'%s; the classes are %s"):format(tostring(class),
    options.hint(class, names), #names > 20 and "in card().class_names"
    or table.concat(names, ", ")), 0)
end

-- The images to show, raising without a position.
local function chosen(set, n, o)
  local card, split = set:card(), o.split or "train"
  if not splits[split] then
    error(("dataset:show: split is '%s'; it must be train, validation or test"):format(split), 0)
  end
  local all = card[split .. "_n"] or 0
  if all == 0 then error(("dataset:show: '%s' has no %s images"):format(card.spec, split), 0) end
  if n < 1 or n > MOST then
    error(("dataset:show: n is %d; it must be from 1 to %d"):format(n, MOST), 0)
  end
  if o.augmented and split ~= "train" then
    error("dataset:show: only training images are augmented; leave augmented out", 0)
  end
  local of_class
  if o.class ~= nil then
    local label = label_of(o.class, card.class_names)
    of_class = {}
    for i, l in ipairs(look.labels(set, split)) do
      if l == label then of_class[#of_class + 1] = i end
    end
    if #of_class == 0 then
      error(("dataset:show: no %s image is of class '%s'"):format(split,
        card.class_names[label + 1]), 0)
    end
  end
  local recipe = o.augmented and recipes._complete("dataset:show",
    { batch = 1, augment = o.augmented ~= true and o.augmented or nil }, 0)
  local images = {}
  for k, i in ipairs(M.draw(n, of_class and #of_class or all, o.seed or sys.seed())) do
    i = of_class and of_class[i] or i
    local pixels, _, name
    if o.augmented then
      pixels, _, name = look.seen(set, i, o.epoch or 1, o.seed or sys.seed(), recipe)
    else
      pixels, _, name = set:image(split, i)
    end
    pixels.width, pixels.height, pixels.channels = card.image, card.image, card.channels
    pixels.name = name
    images[k] = pixels
  end
  return images
end

--- Draws n images of a data set; options checked, exceptions without a position.
function M.show(set, n, o)
  local images = chosen(set, n, o)
  local width = o.width or math.min(sys.terminal(1) or 80, 200)
  local rows = M.rows(images, width, o.columns)
  local asked = o.graphics or o.ascii and "text" or sys.graphics()
  local kind = asked == "auto" and display.ascii_asked() and "text" or display.kind(asked)
  local ascii = o.ascii or display.ascii_asked() or not screen.unicode()
  for i, row in ipairs(rows) do
    if i > 1 then io.stdout:write("\n") end
    if kind == "text" then
      io.stdout:write(table.concat(M.text(row, ascii and 0 or display.colours()), "\n"), "\n")
    else
      draw(row, kind)
    end
  end
end

return M
