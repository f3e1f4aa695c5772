--- The weights of finished networks, where a sweep keeps them (checkpoint = { keep = true }): a
-- task writes them to the directory that all machines share, before it says that the model is done;
-- whoever takes that in moves them beside the store first, to where workers here put theirs.

local checkpoints = require "netspace.sweep.checkpoint"
local directories = require "netspace.lib.directory"
local files = require "netspace.store.files"
local paths = require "netspace.lib.path"
local uv = require "luv"

local M = {}

--- Moves the weights of a model that is done to the store of its sweep; says where they are when
-- that cannot be.
function M.take(client, model)
  local o = client.settings.checkpoint
  if not o or not o.keep then return end
  local to = files.weights(client.store)
  local from = files.path(client.on:weights(client.store, client.population), client.population,
    model.idx)
  directories.make(to)
  to = files.path(to, client.population, model.idx)
  local good, why = checkpoints.bring(from, to)
  if good or uv.fs_stat(to) then return end -- a collector that was killed may have brought it
  client:_tell(model, ("its weights have not come: %s; what there is stays in %s"):format(why,
    paths.shown(from)))
end

--- Removes what a task that ran twice has left in a directory of a population whose models have
-- ended; weights that could not be moved stay there.
function M.clear(from, to)
  for name in directories.each(from) do
    if uv.fs_stat(to .. "/" .. name) or name:find "%.part" then
      uv.fs_unlink(from .. "/" .. name)
    end
  end
  uv.fs_rmdir(from)
end

return M
