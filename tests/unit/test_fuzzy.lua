-- Fuzzy search: what is found, and in which order.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local fuzzy = require "netspace.lib.fuzzy"

local function found(query, list)
  local out = {}
  for _, i in ipairs(fuzzy.rank(query, list)) do out[#out + 1] = list[i] end
  return table.concat(out, " ")
end

local names = { "S:sample", "stats.edf", "sweep.run", "sweep.resume", "plot.edf", "space" }
t.is(found("", names), table.concat(names, " "), "an empty query keeps all, in their order")
t.is(found("zz", names), "", "what is not there is not found")
t.is(found("swrun", names), "sweep.run", "characters in their order")
t.is(found("EDF", names), "plot.edf stats.edf", "whatever the case; the shorter first")
t.is(found("sr", names), "sweep.run sweep.resume", "beginnings of words first")
t.is(found("run sw", names), "sweep.run", "words in any order, each of them")
t.is(found("run xx", names), "", "all of them")
t.is(found("sp", { "xsxp", "S:sample", "space" }), "space S:sample xsxp", "the start counts most")
t.is(found("ab", { "xaxb", "xxxab" }), "xxxab xaxb", "in a row before apart")
t.is(found("aab", { "ab", "aab" }), "aab", "a character is used once")
t.is(found("é", { "café", "cafe" }), "café", "bytes beyond ASCII")
t.is(#fuzzy.rank("a", {}), 0, "an empty list")
t.done()
