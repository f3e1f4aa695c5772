-- Prints what a store has of each model: its status and error, and its epochs, to the last bit.
local db = assert(require("netspace.core.sqlite").open(arg[1], "r"))
for _, r in ipairs(db:rows("SELECT population, idx, status, error, epochs FROM model ORDER BY id")) do
  print(r.population, r.idx, r.status, r.error and ("%a"):format(r.error), r.epochs)
end
for _, r in ipairs(db:rows("SELECT * FROM epoch ORDER BY model, epoch")) do
  print(r.model, r.epoch, ("%a %a %a %a"):format(r.lr, r.train_loss, r.train_error,
    r.validation_error))
end
db:close()
