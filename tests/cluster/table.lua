-- Prints what a store has of each model: its status and error, and its epochs, to the last bit.
local db = assert(require("netspace.core.sqlite").open(arg[1], "r"))
for _, r in ipairs(db:rows("SELECT population, idx, status, error, epochs FROM model ORDER BY id")) do
  print(r.population, r.idx, r.status, r.error and ("%a"):format(r.error), r.epochs)
end
for _, r in ipairs(db:rows("SELECT * FROM epoch ORDER BY model, epoch")) do
  local values = {} -- a trainer of the tests has no rate
  for i, key in ipairs { "lr", "train_loss", "train_error", "validation_error" } do
    values[i] = r[key] and ("%a"):format(r[key]) or "none"
  end
  print(r.model, r.epoch, table.concat(values, " "))
end
db:close()
