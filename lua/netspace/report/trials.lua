--- Section of a report: populations that were trained until it was decided how they compare: the
-- plan, what each look saw, and the verdict, as the store has kept them (sweep/trial.lua).

local html = require "netspace.report.html"
local widgets = require "netspace.report.widgets"

local M = { id = "trials", title = "Trained until decided" }

-- What was planned, in words.
local function plan_of(plan)
  local parts = {}
  if plan.at then
    parts[1] = ("looks at %s models of each"):format(widgets.list(plan.at))
  else
    parts[1] = "a look after every model"
  end
  local spending = plan.spending
  if type(spending) == "table" then spending = ("%s %g"):format(spending[1], spending[2]) end
  parts[2] = ("level %g %%"):format(100 * plan.level)
  if spending then parts[#parts + 1] = "limits by " .. spending end
  if plan.margin then parts[#parts + 1] = ("a margin of %g points"):format(plan.margin) end
  if plan.precision then
    parts[#parts + 1] = ("until half of every interval is at most %g points"):format(plan.precision)
  end
  local learnt = {}
  for i, one in ipairs(plan.others or {}) do learnt[i] = ("%s (%d)"):format(one[1], one[2]) end
  if plan.predict then
    parts[#parts + 1] = #learnt > 0 and "predictions that learn from " .. table.concat(learnt, ", ")
      .. " as well" or "with predictions" .. (plan.predict == true and "" or " " .. plan.predict)
  end
  return table.concat(parts, "; ")
end

local function interval(ci)
  return ci and ci[1] and ci[2] and ("%s to %s"):format(widgets.signed(ci[1]),
    widgets.signed(ci[2])) or "–"
end

local function rows_of(plan)
  local rows = {}
  for _, arm in ipairs(plan.arms or {}) do
    for k, look in ipairs(arm.looks) do
      rows[#rows + 1] = { html.bdi { arm.name }, ("%d"):format(k), ("%d"):format(look.n),
        widgets.signed(look.difference), interval(look.ci), ("%.2f"):format(math.abs(look.z)),
        look.limit and ("%.2f"):format(look.limit) or "none",
        look.predicted and "yes" or "no", look.claim or "–" }
    end
    if #arm.looks == 0 then -- at any time
      rows[#rows + 1] = { html.bdi { arm.name }, "any", ("%d"):format(arm.n),
        widgets.signed(arm.estimate), interval(arm.ci), "–", "–", "no", arm.claim or "–" }
    end
  end
  return rows
end

function M.section(all)
  local at, list = {}, {}
  for _, p in ipairs(all.populations) do at[p.name] = p end
  for k = #all.trials, 1, -1 do -- the first planned first
    local t, populations = all.trials[k], {}
    for i, name in ipairs(t) do populations[i] = at[name] end
    if #populations == #t then
      local rows = rows_of(t.plan)
      list[#list + 1] = { html.h3 { html.bdi { widgets.names(populations) } },
        html.p { "Planned: ", html.bdi { plan_of(t.plan) }, "." },
        html.p { html.bdi { t.verdict or "Not decided yet." } },
        #rows > 0 and widgets.table { align = "hrrrrrrll", rows = rows, label = "Looks",
          caption = "What each look saw, against " .. populations[1].label,
          head = { "population", "look", "models of each", "difference (points)", "interval",
            "|z|", "limit", "predicted", "claim" } } }
    end
  end
  if #list == 0 then return nil end
  return { html.p { "These populations were trained in turn, and looked at when models 1 to n of "
    .. "each had ended, by a plan that was fixed before. All looks together err as often as the "
    .. "level says; the interval of a look holds at all of them at once." }, list }
end

return M
