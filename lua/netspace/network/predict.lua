--- What a network says of images: class names with probabilities (softmax of the logits), by the
-- steps that the images it was trained on went through (net:data).

local core = require "netspace.core.look"
local paths = require "netspace.lib.path"

local M = {}

local CHUNK = 32 -- images at a time
local SAID = 5   -- classes that are printed

local Prediction = { __name = "prediction" }
Prediction.__index = Prediction

-- "cat 83.1 %, dog 12.0 %"
function Prediction:__tostring()
  local parts = {}
  for k = 1, math.min(SAID, #self) do
    parts[k] = ("%s %.1f %%"):format(self[k].class, 100 * self[k].p)
  end
  return (self.file and paths.line(self.file) .. ": " or "") .. table.concat(parts, ", ")
end

local Predictions = { __name = "predictions" }
Predictions.__index = Predictions

function Predictions:__tostring()
  local lines = {}
  for k, p in ipairs(self) do lines[k] = tostring(p) end
  return table.concat(lines, "\n")
end

--- Logits as probabilities, most likely class first, of equal ones the first.
function M.softmax(logits, names)
  local most, sum, list = math.max(table.unpack(logits)), 0, {}
  for k, x in ipairs(logits) do
    list[k] = { class = names[k], label = k - 1, p = math.exp(x - most) }
    sum = sum + list[k].p
  end
  for _, one in ipairs(list) do one.p = one.p / sum end
  table.sort(list, function(a, b)
    if a.p ~= b.p then return a.p > b.p end
    return a.label < b.label
  end)
  list.class, list.label, list.p = list[1].class, list[1].label, list[1].p
  return setmetatable(list, Prediction)
end

-- How core.single takes what net:data says.
local function how(about, channels)
  return { image = about.image, channels = channels, scale = about.scale or 1,
    resize = about.resize, size = about.size, size_resize = about.size_resize,
    white = about.background == "white", mean = about.mean, std = about.std }
end

-- A list of bytes as dataset:image gives them, normalised.
local function normalised(bytes, about, channels)
  local x, want = {}, about.image * about.image * channels
  if #bytes ~= want then
    error(("an image is a flat list of %d bytes (%d rows of %d pixels of %s), as dataset:image "
      .. "gives it, or the name of a file; this list has %d"):format(want, about.image,
      about.image, channels == 1 and "1 channel" or "3 channels", #bytes), 0)
  end
  for k, v in ipairs(bytes) do
    local c = (k - 1) % channels + 1
    if type(v) ~= "number" then
      error(("value %d of the image is %s, not a number of 0 to 255"):format(k, type(v)), 0)
    end
    x[k] = (v - about.mean[c]) / about.std[c]
  end
  return x
end

--- The predictions of files, or nil and a message that names the first that cannot be read.
local function of_files(n, about, channels, files)
  local list = {}
  for first = 1, #files, CHUNK do
    local batch = {}
    for k = first, math.min(first + CHUNK - 1, #files) do
      local x, why = core.single(files[k], how(about, channels))
      if not x then return nil, why end
      batch[#batch + 1] = x
    end
    for _, logits in ipairs(n:forward(batch)) do
      list[#list + 1] = M.softmax(logits, about.class_names)
      list[#list].file = files[#list]
    end
  end
  return setmetatable(list, Predictions)
end

--- What a net says of a file, of a list of files, or of an image as dataset:image gives it.
-- @tparam table about net:data of the net
-- @treturn table or nil and a message
function M.predict(n, about, what)
  local channels = about.channels == "gray" and 1 or 3
  if type(what) == "string" then
    local list, why = of_files(n, about, channels, { what })
    if not list then return nil, why end
    list[1].file = nil
    return list[1]
  elseif type(what) ~= "table" then
    error(("it takes the name of a file, a list of such names, or an image as dataset:image gives "
      .. "it, not %s"):format(type(what)), 0)
  elseif type(what[1]) ~= "string" then
    return M.softmax(n:forward { normalised(what, about, channels) }[1], about.class_names)
  end
  for k, file in ipairs(what) do
    if type(file) ~= "string" then
      error(("file %d of the list is %s, not a name"):format(k, type(file)), 0)
    end
  end
  return of_files(n, about, channels, what)
end

return M
