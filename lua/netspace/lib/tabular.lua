--- Tables as text for other programs: CSV, Markdown and LaTeX of rows of cells (texts), the same
-- that are printed in columns.  rows[1] has the headings; the first column is flush left, the
-- others right.
--
--   tabular.write("markdown", { { "space", "n" }, { "A", "12" } })

local clean = require("netspace.lib.label").clean
local options = require "netspace.lib.options"

local M = {}

local writers = {}

local function lines(rows, line)
  local out = {}
  for i, row in ipairs(rows) do
    local cells = {}
    for k = 1, #rows[1] do cells[k] = row[k] or "" end
    out[i] = line(cells)
  end
  return out
end

--- A cell of a CSV (RFC 4180).
function M.quoted(text)
  return text:find('[",\r\n]') and '"' .. text:gsub('"', '""') .. '"' or text
end

local function map(list, f)
  local out = {}
  for i, v in ipairs(list) do out[i] = f(v) end
  return out
end

function writers.csv(rows)
  return lines(rows, function(cells) return table.concat(map(cells, M.quoted), ",") end)
end

function writers.markdown(rows)
  local out = lines(rows, function(cells)
    return "| " .. table.concat(map(cells, function(text)
      return (text:gsub("[|\\*_`<]", "\\%0"):gsub("\n", " "))
    end), " | ") .. " |"
  end)
  table.insert(out, 2, "| :--- |" .. (" ---: |"):rep(#rows[1] - 1))
  return out
end

local in_latex = { ["\\"] = "\\textbackslash{}", ["{"] = "\\{", ["}"] = "\\}", ["%"] = "\\%",
  ["&"] = "\\&", ["#"] = "\\#", ["_"] = "\\_", ["$"] = "\\$", ["~"] = "\\textasciitilde{}",
  ["^"] = "\\textasciicircum{}", ["<"] = "$<$", [">"] = "$>$", ["|"] = "$|$" }

-- Signs that LaTeX has by name.
local signs = { ["−"] = "$-$", ["√"] = "$\\surd$", ["·"] = "$\\cdot$", ["×"] = "$\\times$",
  ["²"] = "\\textsuperscript{2}", ["³"] = "\\textsuperscript{3}", ["±"] = "$\\pm$",
  ["≤"] = "$\\leq$", ["≥"] = "$\\geq$", ["≈"] = "$\\approx$", ["≠"] = "$\\neq$",
  ["→"] = "$\\to$", ["∞"] = "$\\infty$", ["Δ"] = "$\\Delta$", ["Σ"] = "$\\Sigma$",
  ["Ω"] = "$\\Omega$" }
for i, name in pairs { "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota",
  "kappa", "lambda", "mu", "nu", "xi", nil, "pi", "rho", nil, "sigma", "tau", "upsilon", "phi",
  "chi", "psi", "omega" } do
  signs[utf8.char(0x3B0 + i)] = "$\\" .. name .. "$"
end
-- What pdflatex knows besides: letters of Latin, quotation marks, dashes.
local known = { ["–"] = true, ["—"] = true, ["‘"] = true, ["’"] = true, ["“"] = true, ["”"] = true,
  ["…"] = true, ["•"] = true, ["€"] = true }

-- A character beyond ASCII.  What pdflatex lacks stands in the text for engines of Unicode
-- (LuaLaTeX, XeLaTeX, which have the primitive \Umathchar), and by its number for pdflatex.
local function beyond(c)
  local code = utf8.codepoint(c)
  if signs[c] or known[c] or code < 0x180 then return signs[c] end
  return ("\\ifdefined\\Umathchar %s\\else[U+%04X]\\fi{}"):format(c, code)
end

--- A text as LaTeX says it.  Numbers get a minus sign, not a hyphen; a sign in front of a word
-- stays.  A bracket at the beginning would be taken for options.
function M.latex(text)
  text = clean(text):gsub('[\\{}%%&#_$~^<>|]', in_latex):gsub("^%[", "{[}")
  text = text:gsub("%-%-", "-{}-"):gsub("%-%-", "-{}-"):gsub(utf8.charpattern, function(c)
    return #c > 1 and beyond(c) or nil
  end)
  return (text:gsub("%f[%-+%w][-+]%f[%d][%d.]+", function(x) return "$" .. x .. "$" end))
end

function writers.latex(rows)
  local out = lines(rows, function(cells)
    return table.concat(map(cells, M.latex), " & ") .. " \\\\"
  end)
  table.insert(out, 1, ("\\begin{tabular}{l%s}\n\\hline"):format(("r"):rep(#rows[1] - 1)))
  table.insert(out, 3, "\\hline")
  out[#out + 1] = "\\hline\n\\end{tabular}"
  return out
end

M.formats = writers -- by name

--- The text, which ends with a line feed.
function M.write(format, rows) return table.concat(writers[format](rows), "\n") .. "\n" end

--- The method `table` of a value, which gives its cells as text for other programs.
-- @tparam function cells  of a value, the rows; rows[1] has the headings
function M.method(cells)
  return function(t, format)
    if not writers[format] then
      error(("table: format is %s%s; it knows csv, markdown and latex"):format(
        format == nil and "missing" or ("'%s'"):format(tostring(format)),
        options.hint(format, writers)), 2)
    end
    return (M.write(format, cells(t)))
  end
end

return M
