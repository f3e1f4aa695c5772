--- The registry of documentation.  Each module registers the text of its own functions; help(x)
-- at the prompt, the man pages, Tab completion and the test that nothing public is undocumented
-- read it here.
--
--   local document = require("netspace.lib.doc").group "stats"
--   document("stats.edf", [[
--   stats.edf(errors) -> edf
--   The exact error EDF: edf(e) is the share of models with error below e.
--     errors   list of errors in percent, or a result of sweep.run
--   example: stats.edf({ 40, 50, 60 })(50)
--   source: Radosavovic et al. 2020, equation 1]])
--
-- The first line is the signature, the second one sentence; then come options, `example:` lines
-- and `source:`.  The tests run the examples, in a directory with a store runs.db, where A is a
-- population of it and D its data.

local M = {
  topics = {}, -- name ("stats.edf", "S:sample") -> text
  groups = {}, -- name -> the public name under which help() lists it
  sources = {}, -- name -> the chunk that registered it
}

--- Registers the text of `name` under the public name `group`; source: the chunk it is in.
function M.add(name, group, text, source)
  assert(not M.topics[name], "help registered twice: " .. name)
  local indent = text:match("^\n*(%s*)")
  M.topics[name] = text:gsub("\n" .. indent, "\n"):gsub("^%s+", ""):gsub("%s+$", "")
  M.groups[name], M.sources[name] = group, source
end

--- The function of name and text by which a module registers its texts.
function M.group(group)
  local source = debug.getinfo(2, "S").source
  return function(name, text) M.add(name, group, text, source) end
end

return M
