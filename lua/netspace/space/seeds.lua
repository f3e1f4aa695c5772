--- The seeds of populations for which none is given.  Every space that a session (or script)
-- draws from gets one of its own, so that populations that are compared share no networks: the
-- session's (--seed, 1), then the next one that no other space has drawn with.  The same space
-- gets its own again, so that more of its networks continue those drawn before; and the same
-- script gets the same seeds.

local sys = require "netspace.core.sys"

local M = {}
local of_space = {} -- the seed given to a space
local drawn = {}    -- seeds that have drawn: the space

--- The seed of a space, a text that tells it from others.
function M.choose(space)
  if of_space[space] then return of_space[space] end
  local seed = sys.seed()
  while drawn[seed] do seed = seed + 1 end
  return seed
end

--- A population of the space was drawn with that seed; given: the user gave it.
function M.note(space, seed, given)
  drawn[seed] = true
  if not given then of_space[space] = seed end
end

return M
