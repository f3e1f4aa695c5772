--- The files of models beside a store: checkpoints of those in training (STORE.checkpoints), and
-- weights of finished ones where their sweep keeps them (STORE.weights).

local M = {}

--- The directory of a store's checkpoints.
function M.checkpoints(store) return store .. ".checkpoints" end

--- The directory of the weights it keeps.
function M.weights(store) return store .. ".weights" end

--- The file of model number idx of a population (its id in the store) in a directory.
function M.path(directory, population, idx)
  return ("%s/%d-%d.safetensors"):format(directory, population, idx)
end

return M
