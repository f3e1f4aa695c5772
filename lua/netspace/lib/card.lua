--- Cards of data sets (dataset:card), also those that stores have kept since before there were
-- validation images: then the test images served for both.

local M = {}

--- Whether networks are compared by images of their own, which are not the test images.
function M.apart(card)
  return (card.validation_n or 0) > 0
end

--- How many images networks are compared by; nil where the card does not say.
function M.compared(card)
  return M.apart(card) and card.validation_n or card.test_n
end

return M
