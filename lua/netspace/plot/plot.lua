--- Pictures of populations and networks: in the terminal, and by gnuplot as files.
--
--   plot.edf{ A, B }:show()
--   plot.edf{ A, B }:save("edf.svg")
--
-- One kind of picture a file under plot/; what all have in common is plot/picture.lua.

local doc = require "netspace.lib.doc"

local M = { _ascii = require("netspace.plot.picture")._ascii }

for _, kind in ipairs { "edf", "scatter", "widths", "curves", "effect", "picture" } do
  for name, f in pairs(require("netspace.plot." .. kind)) do
    if doc.topics["plot." .. name] then M[name] = f end
  end
end

return M
