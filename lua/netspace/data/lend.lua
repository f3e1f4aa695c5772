--- Images for trainers that are other programs: reads what a job calls its source (JSON) from
-- standard input, and answers on standard output with one line of JSON:
--
--   {"pack":"/…/x.pack"}    of what goes through a pack (man netspace-pack), or
--   {"image":32,"classes":10,"counts":[4000,1000],"mean":[…],"std":[…]}    of drawn images, then
--        a byte for the label of each image and its pixels by row, column and colour, those to
--        learn from first, then those that networks are compared by
--   {"refused":"…"}         the images cannot be opened
--
-- scripts/torchtrain/sets.py asks.

local json = require "netspace.lib.json"

local M = {}

local function write(set, split, n)
  for i = 1, n do
    local pixels, label = set:image(split, i)
    io.stdout:write(string.char(label, table.unpack(pixels)))
  end
end

--- The whole conversation.
function M.main()
  require("netspace.data.cache").worker = true
  local source = assert(json.decode(io.read "a"))
  if source.spec == "shapes" then -- as they are drawn; how they are looked at is the trainer's
    source.image, source.scale, source.resize = nil, nil, nil
  end
  local good, set, why = pcall(require("netspace.data.data")._reopen, source)
  if not good or not set then
    print(json.encode { refused = not good and tostring(set) or why })
    return
  end
  local card = set:card()
  if card.pack then
    print(json.encode { pack = card.pack })
    return
  end
  local split = card.validation_n > 0 and "validation" or "test"
  local counts = { card.train_n, card[split .. "_n"] }
  print(json.encode { image = card.image, class_names = card.class_names, counts = counts,
    mean = card.mean, std = card.std })
  write(set, "train", counts[1])
  write(set, split, counts[2])
end

return M
