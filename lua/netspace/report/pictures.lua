--- The pictures of a report: plots (plot.lua) that gnuplot draws, as figures with a caption.
-- Without gnuplot there are none, and the page says why.

local html = require "netspace.report.html"
local plot = require "netspace.plot.plot"
local sys = require "netspace.core.sys"

local M = {}
local Pictures = {}
Pictures.__index = Pictures

--- Pictures of one page: .n of them; .missing says why there are none.
function M.new() return setmetatable({ n = 0 }, Pictures) end

-- The figure of a plot; false where it cannot be drawn.  What :svg() gives is drawing alone,
-- with its texts escaped and without ids (plot/svg.lua).
local function figure(self, p, title)
  if sys.interrupted() then error("interrupted", 0) end
  local drawing, message
  if not self.missing then drawing, message = p:svg() end
  if not drawing then
    self.missing = self.missing or message
    return false
  end
  self.n = self.n + 1
  return html.figure { html.raw(drawing), html.figcaption { title } }
end

function Pictures:edf(results, title)
  return figure(self, plot.edf(results), title)
end

-- The others as plot has them: plot.scatter(result, "d"), …; the last argument is the title.
for _, kind in ipairs { "scatter", "profiles", "overlay", "trend" } do
  Pictures[kind] = function(self, x, y, title) return figure(self, plot[kind](x, y), title) end
end

return M
