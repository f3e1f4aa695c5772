--- Populations that train on a cluster, for sweeps that go on with them here or there.  The room
-- of clusters requires that of sweeps, so it says here what it can do:
--
--   elsewhere.serve{ make =, bring = }

local ledgers = require "netspace.store.ledger"

local M = {}
local server

--- make(options) makes of options that a store has kept what sweep.run takes as on=;
-- bring(path, name, options, quiet) takes in what the tasks of a population have done, ends them,
-- and brings its checkpoints beside the store.
function M.serve(o)
  server = o
end

--- What sweep.run takes as on=, of kept options.
function M.make(kept)
  return server.make(kept)
end

--- Brings a population (a row of the ledger) home from the cluster that it has trained on, unless
-- it goes on there, by on= of the sweep (nil: here).
function M.bring(path, p, on, quiet)
  local kept = p and p.settings.cluster
  if not kept or on and on.options.scheduler == kept.scheduler and on.options.dir == kept.dir then
    return
  end
  server.bring(path, p.name, kept, quiet)
end

--- Where sweep.resume goes on with a population: on= for a cluster, nil for here.
--   asked  its option on=: nil (where it was begun), "here", the name of a scheduler (with the
--          options that the population was begun with there), or slurm{ … }
function M.resumed(asked, kept)
  if asked == "here" then return nil end
  if type(asked) == "table" then
    if type(asked.hands) == "table" then return asked end
    ledgers.fail("sweep.resume: on is a table without a scheduler; it takes slurm{ … }, "
      .. "cluster{ … }, the name of a scheduler, or \"here\"")
  end
  if asked and not (kept and kept.scheduler == asked) then kept = { scheduler = asked } end
  return kept and M.make(kept) or nil
end

return M
