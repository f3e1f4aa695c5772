--- Networks that fit a data set: size, channels and classes are the data's, and stem and strides
-- take the image down to a last stage of at least 4 pixels a side.
--
-- The rule, in which s is the side of the image and the reduction R the largest of 2, 4, … 32
-- that leaves ceil(s / R) >= 4 after four stages:
--
--      s           R    stem               strides of the stages
--      8 to 12      2   cifar, stride 1    1 1 1 2 2 …
--     13 to 24      4   cifar, stride 1    1 1 2 2 2 …
--     25 to 48      8   cifar, stride 1    1 2 2 2 2 …     space.small (32 pixels)
--     49 to 96     16   simple, stride 2   1 2 2 2 2 …
--     97 and more  32   simple, stride 2   2 2 2 2 2 …     the paper's (224 pixels)
--
-- Sources: pycls's configurations for CIFAR-10 (stem cifar, strides 1, 2, 2) and ImageNet (stem
-- simple, all strides 2; arXiv 2003.13678, section 3); the sizes between are netspace's own.

local members = require "netspace.lib.members"
local sets = require "netspace.data.data"

local M = {}

local LEAST = 4 -- pixels of the last of four stages
local MOST = 5  -- halvings

--- Stem and strides for images of this side.
-- @treturn table { stem =, stride = }
function M.fit(image, stages)
  local halvings = 1
  while halvings < MOST and (image + (2 << halvings) - 1) // (2 << halvings) >= LEAST do
    halvings = halvings + 1
  end
  local stride = {}
  for i = 1, stages do stride[i] = 2 end
  for i = 1, math.min(4 - math.min(halvings, 3), stages) do stride[i] = 1 end
  if halvings == MOST then stride[1] = 2 end
  return { stem = halvings > 3 and "simple" or "cifar", stride = stride }
end

--- The card of what an option `data` is: an open data set, or what data.open takes.
function M.card(where, data)
  if members.kind(data) == "dataset" then return data:card() end
  if type(data) ~= "string" then
    error(("%s: data should be the name of a data set or a dataset from data.open, got %s"):format(
      where, type(data)), 0)
  end
  local set <close> = assert(sets.open(data))
  return set:card()
end

--- Completes the network options `set` of a call to S for a data set.  Stem and strides are
-- those of M.fit unless the call gives them, or the space itself (not as what S.sized names).
function M.complete(where, S, set, card)
  for _, key in ipairs { "image", "classes", "channels" } do
    if set[key] and set[key] ~= card[key] then
      error(("%s: %s is %d, and the data '%s' has %d: leave it out%s"):format(where, key, set[key],
        card.spec, card[key], key == "classes" and ""
        or (", or open the data with %s = %d"):format(key, set[key])), 0)
    end
    set[key] = card[key]
  end
  for key, value in pairs(M.fit(card.image, S.stages)) do
    if set[key] == nil and (S.options[key] == nil or S.sized[key]) then set[key] = value end
  end
  return set
end

return M
