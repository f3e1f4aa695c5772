--- The description of a space: ranges, options, constraints, size.

local describe = require "netspace.network.describe"
local domain = require "netspace.space.domain"
local draw = require "netspace.space.draw"

-- "817446539520", or "1.2e+09 ± 2.1 %".
local function counted(n, error)
  if not error then return math.type(n) == "integer" and ("%d"):format(n) or ("%.4g"):format(n) end
  return ("%.3g ± %.1f %%"):format(n, 100 * error / n)
end

local function add_size(add, size)
  add("size        %.3g settings of the parameters, as the paper counts", size.nominal)
  if size.exact then add("            %s settings, counted", counted(size.exact)) end
  if size.settings and size.settings > 0 then
    add("            %s settings that make a network, estimated", counted(size.settings,
      size.settings_error))
  end
  if size.distinct and size.distinct > 0 then
    add("            %s different networks, %s", counted(size.distinct, size.distinct_error),
      size.distinct_error and "estimated" or "counted")
  end
end

--- The description of a space S.
return function(S)
  local lines = { ("%s%s"):format(S.name, S.doc and ": " .. S.doc or "") }
  local function add(...) lines[#lines + 1] = "  " .. (...):format(select(2, ...)) end
  local drawn = draw.of(S)
  if S.parent then add("lineage     %s", table.concat(draw.lineage(S), " > ")) end
  local o = drawn.base
  add("networks    %s of %d stages, block %s%s", S.kind == "regnet" and "RegNet" or "AnyNet",
    S.stages, o.block, o.se > 0 and (", se %g"):format(o.se) or "")
  for _, p in ipairs(draw.kinds[S.kind]) do
    local ranges = drawn.resolved.ranges[p[1]]
    local shown, same = {}, true
    for i, r in ipairs(ranges) do
      shown[i] = domain.show(r)
      same = same and shown[i] == shown[1]
    end
    add("%-12s%s", p[1], same and shown[1] or table.concat(shown, " | "))
  end
  local free, all = draw.freedom(drawn)
  add("freedom     %d of %d parameters are drawn independently", free, all)
  add("options     stem %s of %d, stride %s, %s, %d px%s, %d classes (S:sample may change them)",
    o.stem, o.stem_width, table.concat(o.stride, ","), o.activation, o.image,
    o.channels == 1 and " gray" or "", o.classes)
  for _, c in ipairs(S.constraints) do
    add("constraint  %s%s (%s)", c.name, c.doc and ": " .. c.doc or "",
      drawn.direct[c] and "drawn directly" or "by rejection")
    if c.why then add("            %s", c.why) end
    if c.from then add("            %s", c.from) end
  end
  add_size(add, S:size { draws = 500 })
  return describe.text { lines = lines }
end
