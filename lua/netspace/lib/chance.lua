--- Whether a trained population has learnt anything: all of its errors near that of guessing say
-- that the recipe does not fit, and then the population says nothing about its space.

local cards = require "netspace.lib.card"

local M = {}
local DEVIATIONS = 3 -- standard deviations of an error by chance that still count as near

--- The error of guessing in percent, when the least error of the n models that are done is near
-- it; nil where some model has learnt, or nobody can say.
-- @tparam table card of the data
function M.of(least, n, card)
  local images = card and cards.compared(card)
  if n < 2 or not (least and images and card.classes) then return nil end
  -- by always saying the largest class; cards of older stores do not have its images
  local p = 1 - math.max(1 / card.classes, (card.largest or 0) / images)
  local near = DEVIATIONS * math.sqrt(p * (1 - p) / images)
  return least >= 100 * (p - near) and 100 * p or nil
end

--- The same of the errors of a result; those that failed count as 100.
function M.of_errors(errors, card)
  local least, n = 100, 0
  for _, e in ipairs(errors) do
    if e < 100 then least, n = math.min(least, e), n + 1 end
  end
  return M.of(least, n, card)
end

--- "no model has learnt: all errors are near chance (90 %)".
function M.text(chance)
  return ("no model has learnt: all errors are near chance (%.3g %%)"):format(chance)
end

return M
