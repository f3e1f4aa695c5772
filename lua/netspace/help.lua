--- The one source of documentation: `help(x)` at the prompt, the Lua section of the man
-- page and the test that nothing public is undocumented all read this registry.
-- Each module registers its own functions:
--
--   help.add("stats.edf", [[
--   stats.edf(errors) -> edf
--   The exact error EDF: edf(e) is the share of models with error below e.
--     errors   list of errors in percent, or a result of sweep.run
--   example: stats.edf({ 40, 50, 60 })(50)
--   source: Radosavovic et al. 2020, equation 1]])

local M = { topics = {} }

--- Registers the text of `name` ("stats.edf", "S:sample").  First line: the signature;
-- second: one sentence; then options, `example:` lines (run by the tests) and `source:`.
function M.add(name, text)
  assert(not M.topics[name], "help registered twice: " .. name)
  local indent = text:match("^\n*(%s*)")
  M.topics[name] = text:gsub("\n" .. indent, "\n"):gsub("^%s+", ""):gsub("%s+$", "")
end

return M
