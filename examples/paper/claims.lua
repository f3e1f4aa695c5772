--- Every claim of the paper that populations can test, as a table in Markdown: what was
-- measured, with how many models, its interval and p-value, and whether it held.  "held" and
-- "contradicted" need a permutation test at 5 % (Holm's, over the claims of one question);
-- "same" needs an interval within a point; everything else is open.
-- Claims: arXiv 2003.13678, sections 3 and 4.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")

print("| claim | figure | models | difference of means (95 % CI), points | p | at this scale |")
print("|---|---|---|---|---|---|")

local function row(claim, figure, n, difference, p, verdict)
  print(("| %s | %s | %s | %s | %s | %s |"):format(claim, figure, n, difference, p, verdict))
end

-- The populations asked for, or nothing when they are not there and are not to be trained.
local function have(...)
  if type((...)) ~= "string" then return ... end
  if not (paper.options.from or paper.options.as_is) then return paper.results(...) end
  local got = table.pack(pcall(paper.results, ...))
  if got[1] then return table.unpack(got, 2, got.n) end
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

-- questions: { claim, parent, child, "better" | "worse" | "same" }, tested together
local function test(figure, questions)
  local tested, of = {}, {}
  for _, q in ipairs(questions) do
    local a, b = have(q[2], q[3])
    if a and #a.errors > 1 and #b.errors > 1 then
      of[q] = { c = stats.compare(a, b, { margin = 1 }) }
      tested[#tested + 1] = of[q]
    end
  end
  table.sort(tested, function(x, y) return x.c.p_permutation < y.c.p_permutation end)
  local p = 0
  for i, t in ipairs(tested) do -- Holm 1979
    p = math.max(p, math.min(1, t.c.p_permutation * (#tested - i + 1)))
    t.p = p
  end
  for _, q in ipairs(questions) do
    if not of[q] then
      row(q[1], figure, "none yet", "", "", "not tested")
    else
      local c, holm = of[q].c, of[q].p
      row(q[1], figure, ("%d, %d"):format(c.n[1], c.n[2]), ("%+.2f (%+.2f to %+.2f)"):format(
        c.mean_difference, c.ci[1], c.ci[2]), ("%.3g"):format(holm), verdict(c, holm, q[4]))
    end
  end
end

test("5", { { "one b for all stages changes nothing (B, A)", "A", "B", "same" },
  { "one g for all stages changes nothing (C, B)", "B", "C", "same" } })
local C = have("C")
if C then
  local function has(name, f, claim, want)
    local yes, no = paper.split(C, name, f)
    return { claim, no or "", yes or "", want }
  end
  test("5", { has("b = 4", function(m) return m.b[1] == 4 end, "in C, b = 4 is poor", "worse"),
    has("g = 1", function(m) return m.asked.g[1] == 1 end, "in C, g = 1 is poor", "worse"),
    has("growing", function(m) return m.w[1] <= m.w[2] and m.w[2] <= m.w[3] and m.w[3] <= m.w[4] end,
      "in C, networks whose widths never shrink are better (figure 6)", "better") })
end
local E = have("E")
if E then
  local e = {}
  for _, m in ipairs(E.models) do e[#e + 1] = arch.fit(m).e_fit end
  table.sort(e)
  local near, far = paper.split(E, "near a line", function(m)
    return arch.fit(m).e_fit < e[(#e + 1) // 2]
  end)
  test("8", { { "in E, the half with smaller e_fit is better", far or "", near or "", "better" } })
end
test("7", { { "widths that never shrink are better (D, C)", "C", "D", "better" },
  { "equal widths are worse than growing ones", "D", "C w equal", "worse" },
  { "shrinking widths are worse than growing ones", "D", "C w decreasing", "worse" } })
test("7", { { "depths that never shrink are a little better (E, D)", "D", "E", "better" },
  { "equal depths are worse than growing ones", "E", "D d equal", "worse" },
  { "shrinking depths are worse than growing ones", "E", "D d decreasing", "worse" } })
test("9", { { "RegNetX is better than AnyNetX_A", "A", "X", "better" },
  { "RegNetX is better than AnyNetX_E", "E", "X", "better" },
  { "AnyNetX_E is better than AnyNetX_A", "A", "E", "better" } })
test("9", { { "w_m = 2 is a little better", "X", "X w_m=2", "better" },
  { "w_0 = w_a is better still", "X", "X w_0=w_a", "better" } })
for _, what in ipairs { " flops", " epochs", " 5 stages", " R", " V", " VR" } do
  test("10", { { "with" .. what .. ": RegNetX better than E", "E" .. what, "X" .. what, "better" },
    { "with" .. what .. ": E better than A", "A" .. what, "E" .. what, "better" } })
end
test("14", { { "inverted bottlenecks are worse", "X", "X inverted", "worse" },
  { "depthwise convolution is worse", "X", "X depthwise", "worse" },
  { "squeeze-and-excitation is better (Y)", "X", "Y", "better" } })
