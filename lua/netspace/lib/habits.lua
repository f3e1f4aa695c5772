--- What people write who come from Python or C, and how Lua or netspace writes it: asked where
-- a line has a syntax error, where a name is not defined, and by help.  The one place for these
-- answers.

local M = {}

local leave = "Ctrl-D leaves, as does os.exit()"
local lambda = "a function gives its value with return: function(m) return m.w[4] >= m.w[1] end"
local loop = "a loop over a list is: for i, m in ipairs(A) do … end"

-- Names that Lua does not have.
local names = {
  len = "#A is the length of a list",
  range = "a loop over numbers is: for i = 1, 3 do … end",
  enumerate = loop,
  dir = "A at the prompt shows what it has, as do A. and Tab, and ?A",
  vars = "A at the prompt shows what it has, as do A. and Tab, and ?A",
  None = "nothing is called nil", null = "nothing is called nil",
  str = "a text is made by tostring(x)",
  int = "a whole number is made by x // 1, math.tointeger(x) or tonumber(text)",
  float = "a number is made by tonumber(text)",
  min = "math.min and math.max; stats.edf(list).min", max = "math.min and math.max",
  abs = "math.abs", round = "(\"%.2f\"):format(x), or math.floor(x + 0.5)",
  list = "a list is { 1, 2, 3 }, counted from 1", dict = "a table is { key = value }",
  sorted = "table.sort(A) sorts a list in place",
  quit = leave, exit = leave,
}

-- Patterns of a line of code that Lua cannot read, the first that is found, and what to write.
local lines = {
  { "^%s*from%s.*%f[%w]import%s", "nothing needs to be imported: the names of netspace are "
    .. "there (help() lists them); a Lua library is name = require \"name\"" },
  { "^%s*import%s", "nothing needs to be imported: the names of netspace are there (help() lists "
    .. "them); a Lua library is name = require \"name\"" },
  { "^%s*print%s+[%w_]", "a call has brackets: print(A); the prompt shows A by its name alone" },
  { "^%s*def%s", "a function is: function name(x) … end" },
  { "%f[%w]lambda%s", "a function without a name is: function(x) return … end" },
  { "^%s*for%s.*:%s*$", loop },
  { "^%s*if%s.*:%s*$", "a condition is: if … then … end" },
  { "^%s*while%s.*:%s*$", "a loop is: while … do … end" },
  { "%f[%w]until%s*=", "until is a word of Lua: stop = \"decided\" (design.step), compare = true "
    .. "(sweep.run)" },
  { "%f[%w]elif%f[%W]", "it is called elseif … then" },
  { "%*%*", "a power is written with ^: 2^3" },
  { "!=", "unequal is written ~=" },
  { "[+%-*/]=", "there is no += or the like: x = x + 1" },
  { "%+%+", "there is no ++: x = x + 1" },
  { "&&", "it is called and" },
  { "||", "it is called or" },
  { "!", "it is called not" },
  { "zoo%.[%w_]+%-", "names with a - go in brackets: zoo[\"RegNetX-400MF\"]" },
  { "%[[^%]]*:[^%]]*%]", "there are no slices: table.move(A, 1, 3, 1, {}) copies elements 1 to "
    .. "3, counted from 1" },
  { "function%s*%b()%s*[%a_][%w_.%[%]]*%s*[<>=~]=", lambda },
  { "function%s*%b()%s*[%a_][%w_.%[%]]*%s*[<>]", lambda },
  { "%(%s*[%a_][%w_]*%s*=%f[^=]", "options go in braces: S:sample(5, { flops = {1e6, 2e6} })" },
  { "%([^(){}]*,%s*[%a_][%w_]*%s*=%f[^=]", "options go in braces: S:sample(5, "
    .. "{ flops = {1e6, 2e6} })" },
  { "%s#%s", "a comment begins with --" },
  { "^%s*#", "a comment begins with --" },
}

--- What to write instead of the name, or nil.
function M.name(name) return names[name] end

--- What to write instead of a line that has a syntax error, or nil.
function M.line(code)
  code = code:gsub("([\"']).-%1", '""')
  for _, row in ipairs(lines) do
    if code:find(row[1]) then return row[2] end
  end
end

--- Whether a line is a block of Python's, which no further line completes.
function M.is_block(code)
  local word = code:match "^%s*(%a+)%f[^%w_].*:%s*$"
  return word == "for" or word == "if" or word == "while" or word == "def"
end

return M
