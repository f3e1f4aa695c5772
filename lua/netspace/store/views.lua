--- Views of a store for other programs (DuckDB, pandas, R, the sqlite3 shell): populations, models
-- and epochs as flat tables, one row each.  Names and columns stay; new columns come at the end.
-- man netspace-store(5) documents them.

-- Single numbers of a network's lists: d1 … d4, w1 …; more stages are in the lists themselves.
local stages = {}
for _, key in ipairs { "d", "w", "b", "g" } do
  for i = 1, 4 do
    stages[#stages + 1] = ("json_extract(model.m, '$.%s[%d]') AS %s%d"):format(key, i - 1, key, i)
  end
end

local function of_m(key) return ("json_extract(model.m, '$.%s') AS %s"):format(key, key) end

local function own(key)
  return ("coalesce(json_extract(model.recipe, '$.%s'), json_extract(population.recipe, '$.%s')) "
    .. "AS %s"):format(key, key, key)
end

return [[
CREATE VIEW models AS SELECT population.name AS population, model.idx AS idx, model.status AS status,
  model.error AS error, epoch.top5_error AS top5_error, epoch.class_error AS class_error,
  epoch.validation_loss AS validation_loss, epoch.train_error AS train_error,
  epoch.train_loss AS train_loss, model.epochs AS epochs,
  model.flops AS flops, model.params AS params, model.acts AS acts,
  (SELECT sum(value) FROM json_each(model.m, '$.d')) AS depth,
  ]] .. table.concat(stages, ", ") .. ",\n  "
  .. table.concat({ of_m "d", of_m "w", of_m "b", of_m "g", of_m "stride", of_m "block", of_m "se",
    of_m "stem", of_m "stem_width", of_m "head_width", of_m "activation", of_m "image",
    of_m "classes" }, ", ") .. [[,
  json_extract(model.m, '$.regnet.w_0') AS w_0, json_extract(model.m, '$.regnet.w_a') AS w_a,
  json_extract(model.m, '$.regnet.w_m') AS w_m,
  ]] .. table.concat({ own "lr", own "wd", own "momentum" }, ",\n  ") .. [[,
  model.seconds AS seconds, model.images_per_s AS images_per_s, model.memory AS memory,
  model.reason AS reason, model.attempt AS attempts, model.seed AS seed, model.started AS started,
  model.ended AS ended, trainer.name || ' ' || trainer.version AS trainer,
  trainer.device AS device, trainer.host AS host, model.hash AS hash
FROM model JOIN population ON population.id = model.population
  LEFT JOIN epoch ON epoch.model = model.id AND epoch.epoch = model.epochs
  LEFT JOIN trainer ON trainer.id = model.trainer;
CREATE VIEW epochs AS SELECT population.name AS population, model.idx AS idx, epoch.epoch AS epoch,
  epoch.lr AS lr, epoch.train_loss AS train_loss, epoch.train_error AS train_error,
  epoch.validation_loss AS validation_loss, epoch.validation_error AS validation_error,
  epoch.top5_error AS top5_error, epoch.class_error AS class_error, epoch.seconds AS seconds,
  epoch.images_per_s AS images_per_s
FROM epoch JOIN model ON model.id = epoch.model JOIN population ON population.id = model.population;
CREATE VIEW populations AS SELECT population.name AS population, population.space AS space,
  (SELECT count(*) FROM model WHERE model.population = population.id) AS models,
  (SELECT count(*) FROM model WHERE model.population = population.id AND status = 'done') AS done,
  (SELECT count(*) FROM model WHERE model.population = population.id AND status = 'diverged')
    AS diverged,
  (SELECT count(*) FROM model WHERE model.population = population.id AND status = 'failed') AS failed,
  (SELECT count(*) FROM model WHERE model.population = population.id
    AND status IN ('queued', 'running')) AS open,
  (SELECT avg(error) FROM model WHERE model.population = population.id
    AND status IN ('done', 'diverged', 'failed')) AS mean_error,
  (SELECT min(error) FROM model WHERE model.population = population.id
    AND status IN ('done', 'diverged', 'failed')) AS least_error,
  json_extract(population.recipe, '$.epochs') AS epochs,
  json_extract(population.recipe, '$.batch') AS batch,
  json_extract(population.recipe, '$.lr') AS lr, json_extract(population.recipe, '$.wd') AS wd,
  population.recipe AS recipe, json_extract(population.card, '$.spec') AS data,
  population.checksum AS checksum, population.window AS window,
  population.sample_seed AS sample_seed, population.seed AS seed, population.tried AS tried,
  population.created AS created
FROM population;
]]
