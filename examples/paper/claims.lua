--- Every claim of the paper that is about the mean error of populations, as a table in
-- Markdown: what was measured, with how many models, its interval and p-value, and whether it
-- held; and the difference and interval of the trained networks alone, where predictions of
-- untrained ones have made them narrower (stats.predict).
--  "held" and "contradicted" need a permutation test at 5 %, corrected by Holm over the
-- claims of one question, which are a block below; "same" needs an interval within a point;
-- everything else is open.  Of about fifteen questions one may then err.
-- Claims: arXiv 2003.13678, sections 3 and 4.  What the best models share (figures 5, 8, 11),
-- random search (9) and costs (12) are printed by the scripts of those figures.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")

print("| claim | figure | from → to (models) | mean error, to − from (95 % CI), points | p (Holm) "
  .. "| at this scale | without prediction |")
print("|---|---|---|---|---|---|---|")

local function row(...)
  print(("| %s | %s | %s | %s | %s | %s | %s |"):format(...))
end

local function verdict(c, p, want)
  local found = p <= 0.05 and (c.mean_difference < 0 and "better" or "worse") or nil
  if want == "same" then
    if c.same then return "**held** (within a point)" end
    return found and "**contradicted**: " .. found or "open: no difference found, none excluded"
  elseif found then
    return found == want and "**held**" or "**contradicted**: " .. found
  end
  return c.same and "not seen: the same within a point" or "open"
end

-- A population by name, or a part of one; its name with the number of its models, and whether
-- it is whole.
local function get(what)
  if type(what) == "table" then return what end
  return what and paper.find(what) or nil
end
local unfinished = false
local function label(r)
  local open = type(r.unfinished) == "table" and #r.unfinished > 0 or r.unfinished == true
  local whole = not open and (not r.n or r.n == #r.errors)
  if not whole then unfinished = true end
  return ("%s (%d%s)"):format(r.name, #r.errors, whole and "" or r.n and " of " .. r.n
    or " so far"), whole
end

-- questions: { claim, from, to, "better" | "worse" | "same" }, tested together
local function test(figure, questions, how)
  how = how or {}
  how.margin, how.predict = 1, true
  local tested, of = {}, {}
  for _, q in ipairs(questions) do
    local a, b = get(q[2]), get(q[3])
    if a and b and #a.errors > 1 and #b.errors > 1 then
      of[q] = { a = a, b = b, c = stats.compare(a, b, how) }
      tested[#tested + 1] = of[q]
    end
  end
  local p = {}
  for i, t in ipairs(tested) do p[i] = t.c.p_permutation end
  for i, adjusted in ipairs(stats.holm(p)) do tested[i].p = adjusted end
  for _, q in ipairs(questions) do
    local t = of[q]
    if not t then
      row(q[1], figure, "too few yet", "", "", "not tested", "")
    else
      local c, from, a_whole = t.c, label(t.a)
      local to, b_whole = label(t.b)
      row(q[1], figure, from .. " → " .. to, ("%+.2f (%+.2f to %+.2f)"):format(
        c.mean_difference, c.ci[1], c.ci[2]), ("%.3g"):format(t.p), verdict(c, t.p, q[4])
        .. (a_whole and b_whole and "" or ", so far"), c.plain
        and ("%+.2f (%+.2f to %+.2f)"):format(c.plain.mean_difference, c.plain.ci[1],
        c.plain.ci[2]) or "the same")
    end
  end
end

-- A claim about the networks of a population for which f holds, against its others.
local function part(claim, result, name, f, want)
  local yes, no
  if result then yes, no = paper.split(result, name, f) end
  return { claim, no, yes, want }
end

test("5", { { "one b for all stages changes nothing", "A", "B", "same" },
  { "one g for all stages changes nothing", "B", "C", "same" } })
local C, E, X = get "C", get "E", get "X"
test("5, 6", {
  part("in C, b = 4 is poor", C, "b = 4", function(m) return m.b[1] == 4 end, "worse"),
  part("in C, g = 1 is poor", C, "g = 1", function(m) return m.asked.g[1] == 1 end, "worse"),
  part("in C, networks whose widths never shrink are better", C, "growing", function(m)
    return m.w[1] <= m.w[2] and m.w[2] <= m.w[3] and m.w[3] <= m.w[4]
  end, "better") })
local fits = {}
for i, m in ipairs(E and E.models or {}) do fits[i] = arch.fit(m).e_fit end
table.sort(fits)
test("8", { part("in E, the half with smaller e_fit is better", E, "near a line", function(m)
  return arch.fit(m).e_fit <= fits[math.max(1, #fits // 2)]
end, "better") })
test("7", { { "widths that never shrink are better than any", "C", "D", "better" },
  { "equal widths are worse than growing ones", "D", "C w equal", "worse" },
  { "shrinking widths are worse than growing ones", "D", "C w decreasing", "worse" } })
test("7", { { "depths that never shrink are a little better", "D", "E", "better" },
  { "equal depths are worse than growing ones", "E", "D d equal", "worse" },
  { "shrinking depths are worse than growing ones", "E", "D d decreasing", "worse" } })
test("9", { { "RegNetX is better than AnyNetX_A", "A", "X", "better" },
  { "RegNetX is better than AnyNetX_E", "E", "X", "better" },
  { "AnyNetX_E is better than AnyNetX_A", "A", "E", "better" } })
test("9", { { "w_m = 2 is a little better", "X", "X w_m=2", "better" },
  { "w_0 = w_a is better still", "X", "X w_0=w_a", "better" } })
for i, with in ipairs { "more flops", "more epochs", "five stages", "blocks R", "blocks V",
  "blocks VR" } do
  local what = paper.settings[i]
  local function claim(better, worse, from, to)
    return { ("with %s, %s is better than %s"):format(with, better, worse), from .. what,
      to .. what, "better" }
  end
  test("10", { claim("RegNetX", "E", "E", "X"), claim("E", "A", "A", "E") })
end
local everywhere, how = {}, nil
for _, space in ipairs { "A", "E", "X" } do
  local list = {}
  for i, what in ipairs(paper.settings) do list[i] = get(space .. what) end
  if #list == #paper.settings then
    everywhere[space], how = paper.join(space .. " everywhere", list)
  end
end
test("10", { { "over all six, RegNetX is better than E", everywhere.E, everywhere.X, "better" },
  { "over all six, E is better than A", everywhere.A, everywhere.E, "better" } }, how)
-- Most of X has b > 1: what is inverted is held against those without a bottleneck.
local straight = X and paper.split(X, "b = 1", function(m) return m.b[1] == 1 end)
local inverted = get "X inverted"
inverted = inverted and paper.split(inverted, "b < 1", function(m) return m.b[1] < 1 end)
test("14", { { "inverted bottlenecks are worse than b = 1", straight, inverted, "worse" },
  { "depthwise convolution is worse", "X", "X depthwise", "worse" },
  { "squeeze-and-excitation is better (Y)", "X", "Y", "better" } })
test("13", { part("what section 4 asks for makes RegNetX better", X, "constrained", function(m)
  return (paper.scale.spaces.RegNetXC:contains(m))
end, "better") })
if unfinished then
  print("\nSome populations are not whole.  Who looks until p is small finds too much: the "
    .. "verdicts are those at the end.")
end
