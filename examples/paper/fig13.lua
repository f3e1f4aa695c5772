--- Figure 13: RegNetX, and what is left of it by what section 4 found: b = 1, d <= 40,
-- w_m >= 2, few parameters and activations.  In the paper the constrained space is better at
-- all flops and has fewer parameters and activations.  No more is trained: the networks of X
-- that obey are compared with the others.  Which principle keeps how many out is printed:
-- for small networks the limits of params and acts, which are the paper's, keep out none.
-- Section 4 of arXiv 2003.13678.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
local X = paper.results("X")
local XC = paper.scale.spaces.RegNetXC
local kept, rest = paper.split(X, "constrained", function(m) return (XC:contains(m)) end)
for _, principle in ipairs(XC.constraints) do
  local broken = 0
  for _, m in ipairs(X.models) do
    if not principle.check(m, m.asked) then broken = broken + 1 end
  end
  print(("%3d of %d break %s"):format(broken, #X.models, principle.name))
end
local n = 0
for _, m in ipairs(X.models) do n = n + (XC:contains(m) and 1 or 0) end
print(("%d of %d networks obey %s"):format(n, #X.models, XC.name))
if kept then
  print(stats.compare(rest, kept))
  paper.show("fig13", plot.edf { rest, kept })
else
  print("too few on one side to compare")
end
