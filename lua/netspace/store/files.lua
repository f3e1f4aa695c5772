--- The files beside a store: checkpoints of models in training (STORE.checkpoints), weights of
-- finished ones where their sweep keeps them (STORE.weights), and while sweeps are at work the
-- file whose bytes they lock, one for each population (STORE.lock).

local M = {}

--- The directory of a store's checkpoints.
function M.checkpoints(store) return store .. ".checkpoints" end

--- The directory of the weights it keeps.
function M.weights(store) return store .. ".weights" end

--- The file that is locked, at the byte of a population's id.
function M.lock(store) return store .. ".lock" end

--- The file of model number idx of a population (its id in the store) in a directory.
function M.path(directory, population, idx)
  return ("%s/%d-%d.safetensors"):format(directory, population, idx)
end

return M
