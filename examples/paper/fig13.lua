--- Figure 13: RegNetX, and what is left of it by what section 4 found: b = 1, d <= 40,
-- w_m >= 2, few parameters and activations.  In the paper the constrained space is better at
-- all flops and has fewer parameters and activations.  No more is trained: the networks of X
-- that obey are compared with all.
-- Section 4 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local X = paper.results("X")
local XC = paper.scale.spaces.RegNetXC
local kept = { name = "X constrained", errors = {}, models = {} }
for i, m in ipairs(X.models) do
  if XC:contains(m) then
    table.insert(kept.errors, X.errors[i])
    table.insert(kept.models, m)
  end
end
print(("%d of %d networks obey %s"):format(#kept.models, #X.models, XC.name))
if #kept.models > 1 then
  print(stats.compare(X, kept))
  paper.show("fig13", plot.edf { X, kept })
end
