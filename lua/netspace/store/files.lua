--- The files beside a store: checkpoints of models in training (STORE.checkpoints), weights of
-- finished ones where their sweep keeps them (STORE.weights), what tasks of a cluster need and give
-- (STORE.cluster, or elsewhere), and while sweeps are at work the
-- file whose bytes they lock, one for each population (STORE.lock).

local directories = require "netspace.lib.directory"
local options = require "netspace.lib.options"
local uv = require "luv"

local M = {}

local NEAR = 5 -- other stores of a directory that are named

--- What is said where there is no store at `path`: what has a name like it, or which stores are
-- there; "" when that is nothing.
function M.instead(path)
  local dir, names, stores = path:match "^(.*/)[^/]*$" or "", {}, {}
  local where = dir == "" and "." or dir
  for name, kind in directories.each(where) do
    if kind ~= "directory" then names[#names + 1] = name end
    if name:find "%.db$" then stores[#stores + 1] = dir .. name end
  end
  local near = options.nearest(path:match "[^/]*$", names)
  if near then return (" (did you mean '%s'?)"):format(dir .. near) end
  if not uv.fs_stat(where) then return (" (there is no directory %s)"):format(dir) end
  if #stores == 0 then return "" end
  return (" (there %s %s%s)"):format(#stores == 1 and "is" or "are",
    table.concat(stores, ", ", 1, math.min(NEAR, #stores)), #stores > NEAR and ", …" or "")
end

--- The directory of a store's checkpoints.
function M.checkpoints(store) return store .. ".checkpoints" end

--- The directory of the weights it keeps.
function M.weights(store) return store .. ".weights" end

--- The directory of a population (its id) whose tasks of a cluster share dir (nil: one beside the
-- store).
function M.cluster(store, id, dir)
  return ("%s/%s-%d"):format(dir or store .. ".cluster", store:match "[^/]*$", id)
end

--- The file that is locked, at the byte of a population's id.
function M.lock(store) return store .. ".lock" end

--- The file of model number idx of a population (its id in the store) in a directory.
function M.path(directory, population, idx)
  return ("%s/%d-%d.safetensors"):format(directory, population, idx)
end

return M
