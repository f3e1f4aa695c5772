--- Section of a report: which space is better, and what may be claimed.  Only populations
-- trained alike (recipe, data, window of complexity) are compared.
-- Radosavovic et al. 2020, section 3.2; the tests are those of stats.alternatives.

local caution = require "netspace.stats.caution"
local html = require "netspace.report.html"
local stats = require "netspace.stats.stats"
local sys = require "netspace.core.sys"
local widgets = require "netspace.report.widgets"

local M = { id = "comparisons", title = "Comparisons" }

local MOST = 30  -- populations of which all pairs are tested
local SEED = 1   -- of permutations and bootstraps: the same report each time
local LEVEL = 0.95

-- The population that q is compared with: its next ancestor that is here; else the first one
-- before it of its kind that is as much refined (RegNetY: RegNetX); else the most refined one.
-- Never another sample of its own space; of several samples of an ancestor the one of q's number.
local function before(q, earlier)
  local others, found = {}, nil
  for _, p in ipairs(earlier) do
    if not caution.replicates(p.result, q.result) then others[#others + 1] = p end
  end
  for k = #q.lineage - 1, 1, -1 do
    for _, p in ipairs(others) do
      if p.space == q.lineage[k] and (not found or p.sample == q.sample) then found = p end
    end
    if found then return found end
  end
  if q.sample > 1 then return nil end -- the first one of the space is compared with the rest
  for _, p in ipairs(others) do
    if p.kind == q.kind and #p.lineage == #q.lineage then return p end
    if not found or #p.lineage > #found.lineage then found = p end
  end
  return found
end

-- Steps of a group: a parent and what is compared with it; and the populations of which all pairs
-- are compared: the first sample of each space stands for the others.
local function steps_of(group)
  local steps, of_parent, earlier, first = {}, {}, {}, {}
  for _, q in ipairs(group) do
    if q.finished > 0 then
      local p = before(q, earlier)
      earlier[#earlier + 1] = q
      if q.sample == 1 then first[#first + 1] = q end
      if p then
        local step = of_parent[p]
        if not step then
          step = { parent = p }
          of_parent[p], steps[#steps + 1] = step, step
        end
        step[#step + 1] = q
      end
    end
  end
  return steps, first
end

-- The difference at equal flops, as text, where the populations allow it.
local function at_equal_flops(p, q)
  local good, c = pcall(stats.compare, p.result, q.result, { by = "flops", seed = SEED })
  if not good then
    if c == "interrupted" then error(c, 0) end
    return "–"
  end
  return ("%s (p %s)"):format(widgets.signed(c.mean_difference), widgets.p(c.p_permutation))
end

local function interval(c)
  return ("%s to %s (%.4g %%)"):format(widgets.signed(c.ci[1]), widgets.signed(c.ci[2]),
    100 * c.level)
end

local claims = { better = "better", worse = "worse", same = "the same", open = "no claim" }

local function verdict(text, claim)
  return html.li { class = claim, html.bdi { text } }
end

local function rows_of_step(step, t, rows)
  for _, row in ipairs(t.rows) do
    local q, c = step[row.index], row.comparison
    rows[#rows + 1] = { class = row.claim, widgets.link(q), widgets.link(step.parent),
      ("%d, %d"):format(c.n[2], c.n[1]), widgets.signed(c.mean_difference), interval(c),
      widgets.p(row.p_holm), ("%.0f %%"):format(100 * c.p_better), ("%.3f"):format(c.ks),
      at_equal_flops(step.parent, q), claims[row.claim] }
  end
end

-- Verdicts and rows of the steps of one group.
local function add_steps(steps, verdicts, rows)
  for _, step in ipairs(steps) do
    local results = {}
    for i, q in ipairs(step) do results[i] = q.result end
    local t = stats.alternatives(step.parent.result, results, { seed = SEED, level = LEVEL })
    local first = t.best or t.rows[1]
    verdicts[#verdicts + 1] = verdict(#t.rows == 1 and first.comparison.verdict
      or ("Of %d alternatives to %s: %s"):format(#t.rows, step.parent.label, t.verdict),
      first.claim)
    rows_of_step(step, t, rows)
    if sys.interrupted() then error("interrupted", 0) end
  end
end

local function all_pairs(populations)
  local results, rows = {}, {}
  for i, p in ipairs(populations) do results[i] = p.result end
  local t = stats.alternatives(results[1], table.move(results, 2, #results, 1, {}),
    { seed = SEED, level = LEVEL })
  for k, pair in ipairs(t.pairs) do
    local c = pair.comparison
    rows[k] = { class = pair.claim, widgets.link(populations[pair.b]),
      widgets.link(populations[pair.a]), widgets.signed(c.mean_difference), interval(c),
      widgets.p(c.p_permutation), widgets.p(pair.p_holm),
      ("%.0f %%"):format(100 * c.p_better), ("%.3f"):format(c.ks),
      widgets.signed(c.min_difference), claims[pair.claim] }
  end
  return widgets.details(("All %d pairs, with Holm's correction"):format(#rows), widgets.table {
    align = "hlrrrrrrrl", rows = rows, label = "All pairs",
    caption = "Every pair of populations trained alike; Holm's correction over all of them",
    head = { "population", "against", "difference of means (points)", "interval (level)",
      "p", "p Holm", "beats", "KS", "difference of least", "claim" } })
end

-- The means of several samples of one space: what differs between them is chance.
local function samples(p, group)
  local parts = { ("%s %s %%"):format(p.label, widgets.percent(stats.edf(p.result).mean)) }
  for _, q in ipairs(group) do
    if q ~= p and q.finished > 0 and caution.replicates(p.result, q.result) then
      parts[#parts + 1] = ("%s %s %%"):format(q.label, widgets.percent(stats.edf(q.result).mean))
    end
  end
  return #parts > 1 and html.li { html.bdi { ("samples of the same space with other seeds, mean "
    .. "errors: %s"):format(table.concat(parts, ", ")) } }
end

-- How much of the spread is the seed, where a population was trained, or a space drawn, more than
-- once.
local function noise(all)
  local list = {}
  for _, p in ipairs(all.populations) do
    local more = p.finished > 0 and p.sample == 1 and not p.first and samples(p, p.group)
    if more then list[#list + 1] = more end
    local results = { p.result }
    for i, q in ipairs(p.repeats or {}) do results[i + 1] = q.result end
    local good, t = pcall(stats.noise, results)
    if #results > 1 and good then
      list[#list + 1] = html.li { html.bdi { p.label }, ": ", (tostring(t):gsub("\n", "; ")) }
    end
  end
  if #list == 0 then return false end
  return { html.h3 { "Seeds" }, html.ul { list } }
end

local columns = "The difference is that of the mean errors, in points; negative: better than the "
  .. "space it is compared with. The interval of a pair has the level of its step in Holm's "
  .. "procedure, so that it and the p say the same; for one pair, 95 %. "
  .. "Beats: how often a random model is better than a random model of the other space. KS: the "
  .. "largest distance of the two EDFs. At equal flops: the difference when each range of flops "
  .. "counts alike, to see whether a space is merely larger or smaller."

-- Why populations that were not trained alike are not compared: a line for each group.
local function apart(all)
  local items = {}
  for _, group in ipairs(all.groups) do
    if group.apart then
      items[#items + 1] = html.li { html.bdi { ("%s: %s."):format(widgets.names(group),
        group.apart) } }
    end
  end
  return #items > 0 and { html.p { class = "note", "Not compared with ",
    html.bdi { widgets.names(all.groups[1]) }, ":" }, html.ul { class = "apart", items } }
end

function M.section(all)
  local verdicts, rows, every = {}, {}, {}
  for _, group in ipairs(all.groups) do
    local steps, finished = steps_of(group)
    add_steps(steps, verdicts, rows)
    if #finished > 2 and #finished <= MOST then
      every[#every + 1] = all_pairs(finished)
    elseif #finished > MOST then
      every[#every + 1] = html.p { ("All pairs of %d populations would be %d tests; only the "
        .. "steps above are made."):format(#finished, #finished * (#finished - 1) // 2) }
    end
  end
  if #rows == 0 then
    return { html.p { "There are no two populations with finished models that were trained alike "
      .. "(same recipe, data and window of complexity), so nothing is compared." },
      apart(all), noise(all) }
  end
  return {
    html.p { "Each population is compared with the one whose space it refines; where that is "
      .. "missing, with the most refined one before it. A claim needs both: "
      .. "an interval without 0 and a permutation test at 5 %, for several refinements at once "
      .. "by Holm's procedure." },
    html.ul { class = "verdicts", verdicts },
    widgets.table { align = "hlrrrrrrrl", rows = rows, label = "Steps",
      caption = "Each population against the one that it refines or follows",
      head = { "population", "against", "n", "difference of means (points)", "interval (level)",
        "p Holm", "beats", "KS", "at equal flops", "claim" } },
    html.p { class = "key", columns }, every, apart(all), noise(all) }
end

return M
