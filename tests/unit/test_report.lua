-- Reports: every state of a store, foreign text, sums that agree with the statistics, files.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local html = require "netspace.report.html"
local json = require "netspace.lib.json"
local uv = require "luv"

local dir = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/netspace-report-XXXXXX"))
local function at(name) return dir .. "/" .. name end
local function read(path)
  local f = assert(io.open(path, "rb"))
  local text = f:read "a"
  f:close()
  return text
end

-- make_store.lua, run in this process.
local function store_of(kind)
  local path = at(kind .. ".db")
  local env = setmetatable({ arg = { [0] = "make_store.lua", path, kind } }, { __index = _G })
  assert(loadfile("tests/report/make_store.lua", "t", env))()
  return path
end

-- A page taken apart: its tags nest, its attributes are quoted, its ids are unique and all
-- that its links mean.  Returns a list of texts by element, and of ids.
local void = { meta = true, br = true }
local function parse(page)
  local open, texts, ids, links, tags = {}, {}, {}, {}, {}
  local function bad(...) error((...):format(select(2, ...)), 0) end
  local at_char = page:match "^<!DOCTYPE html>\n()" or bad "no doctype"
  while at_char <= #page do
    local text, from = page:match("^([^<]*)()", at_char)
    local top = open[#open]
    if text:find "%S" then
      if not top then bad("text outside of elements: %q", text) end
      local raw = text:gsub("&#?%w+;", "")
      if top ~= "style" and raw:find(top == "text" and "&" or "[&>\"]") then
        bad("not escaped in %s: %q", top, text)
      end
      texts[top] = (texts[top] or "") .. text
    end
    if from > #page then break end
    local close, name, rest, empty, next_at = page:match("^<(/?)([%w]+)(.-)(/?)>()", from)
    if not name then bad("no tag at %q", page:sub(from, from + 40)) end
    if close == "/" then
      if top ~= name then bad("</%s> in %s", name, tostring(top)) end
      open[#open] = nil
    else
      tags[name] = (tags[name] or 0) + 1
      local left = rest:gsub('%s+([%w:-]+)="([^"<>]*)"', function(key, value)
        if key:find "^on" or key == "src" or key == "style" then bad("attribute %s", key) end
        if key == "id" then
          if ids[value] then bad("id %s twice", value) end
          ids[value] = true
        elseif key == "href" then
          links[#links + 1] = value
        end
        return ""
      end):gsub("%s+open%f[%s\0]", "")
      if left:find "%S" then bad("attributes of %s: %q", name, left) end
      if empty == "" and not void[name] then open[#open + 1] = name end
    end
    at_char = next_at
  end
  if #open > 0 then bad("%s is not closed", open[#open]) end
  for _, link in ipairs(links) do
    if not ids[link:match "^#(.+)$" or ""] then bad("a link to %s", link) end
  end
  return texts, ids, tags
end

local function report_of(kind, o)
  local path, made = store_of(kind), { output = at(kind .. ".html") }
  for k, v in pairs(o or {}) do made[k] = v end
  local r, message = report(path, made)
  t.ok(r ~= nil, kind .. ": a report is made", message)
  local page = read(made.output)
  local good, texts, ids, tags = pcall(parse, page)
  t.ok(good, kind .. ": it is well-formed, with links inside only", texts)
  t.ok(utf8.len(page) ~= nil and not page:find "[\0-\8\11-\31\127]", kind .. ": and clean UTF-8")
  return page, texts, ids, tags, r, path
end
local function has(page, what, name) t.ok(page:find(what, 1, true) ~= nil, name) end
local function lacks(page, what, name) t.ok(not page:find(what, 1, true), name) end

-- Text ------------------------------------------------------------------------------------
local text_cases = {
  { "a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;", "markup" },
  { "é ≤ \u{1F600}", "é ≤ \u{1F600}", "UTF-8 is kept" },
  { "a\xffb", "a\u{FFFD}b", "a byte that is no UTF-8" },
  { "\xc3", "\u{FFFD}", "a character cut off at the end" },
  { "\xed\xa0\x80", ("\u{FFFD}"):rep(3), "a surrogate" },
  { "a\0\27[1m\127", "a␀␛[1m␡", "controls" },
  { "\u{85}\u{202E}x\u{2066}", "\u{FFFD}\u{FFFD}x\u{FFFD}", "C1 controls and directions" },
  { "\u{FFFE}\u{1FFFF}\u{FDD0}", "\u{FFFD}\u{FFFD}\u{FFFD}", "what is no character" },
  { "a\r\nb\rc\td", "a\nb\nc\td", "line ends and tabs" },
}
for _, case in ipairs(text_cases) do t.is(html.escape(case[1]), case[2], "text: " .. case[3]) end
local function markup(x)
  local parts = {}
  html.write(function(part) parts[#parts + 1] = part end, x)
  return table.concat(parts)
end
t.is(markup(html.a { href = '"><x', "<", html.b { 1 }, false, { "&", "c" } }),
  '<a href="&quot;&gt;&lt;x">&lt;<b>1</b>&amp;c</a>', "elements escape what is in them")
t.is(markup(html.pre { "\nx" }), "<pre>\n\nx</pre>\n", "a pre keeps its first line feed")
t.fails(function() return html.p { nil, "x" } end, "child 1 is nil", "a hole is an error")
t.fails(function() return html.scirpt end, "no element 'scirpt'", "unknown elements are errors")

-- States of a store -------------------------------------------------------------------------
local page, _, ids, tags, r, path = report_of("small")
for _, id in ipairs { "populations", "errors", "comparisons", "properties", "models", "failures",
  "origins", "numbers" } do
  t.ok(ids[id], "small: section " .. id)
end
t.is(select(2, page:match "<nav.-</nav>":gsub("<a ", "")), 8, "small: the contents link to all")
t.is(r.populations, 4, "small: populations")
t.is(r.models, 96, "small: models")
local s <close> = assert(store.open(path))
local A, B, C = s:result "AnyNetX_A", s:result "AnyNetX_B", s:result "AnyNetX_C"
has(page, html.escape(stats.compare(A, B, { seed = 1 }).verdict), "small: the verdict of A and B")
has(page, html.escape(stats.compare(B, C, { seed = 1 }).verdict), "small: and of B and C")
local pairs_of, shown = stats.alternatives(A, { B, C }, { seed = 1 }).pairs, 0
for _, pair in ipairs(pairs_of) do
  local c = pair.comparison
  if page:find((" (%.4g %%)"):format(100 * c.level), 1, true) then shown = shown + 1 end
end
t.is(shown, #pairs_of, "small: intervals have the levels of Holm's steps")
local intervals, contrary = 0, 0
for class, row in page:gmatch '<tr class="(%a+)">(.-)</tr>' do
  local lo, hi = row:gsub("−", "-"):match("([-+][%d.]+) to ([-+][%d.]+) %(")
  if lo then
    intervals = intervals + 1
    local claims = class == "better" or class == "worse"
    contrary = contrary + (claims and tonumber(lo) < 0 and tonumber(hi) > 0 and 1 or 0)
  end
end
t.is(intervals, 2 + #pairs_of, "small: an interval in each row")
t.is(contrary, 0, "small: what is claimed has one without 0")
has(page, "All 3 pairs", "small: all pairs of the three that are independent")
lacks(page, "seed 2 is better", "small: another training is no other space")
has(page, html.escape(tostring(stats.noise { A, s:result "AnyNetX_A, seed 2" })):gsub("\n.*", ""),
  "small: it says how much is the seed")
has(page, ("%.2f"):format(stats.edf(C).mean), "small: the mean of C")
local w4 = stats.bootstrap(A, "w[4]", { exact = true })
has(page, ("<td class=\"n\">%d to %d</td>"):format(w4.lo, w4.hi), "small: the band of w[4]")
has(page, "SIGSEGV", "small: the signal of a failure")
has(page, "free(): invalid pointer", "small: its last words")
has(page, "loss is not a number in epoch 2", "small: a reason")
has(page, "2023-11-14 22:14 UTC", "small: the time of the last event")
t.is(tags.h1, 1, "small: one h1")
t.ok(tags.table == tags.caption and tags.table > 8, "small: each table has a caption")
local rows = 0
for body in page:gmatch "<tbody>(.-)</tbody>" do
  for _ in body:gmatch "<tr[^>]*><th scope=\"row\">" do rows = rows + 1 end
end
t.is(rows, select(2, page:gsub("<tr", "")) - tags.table, "small: each row has its header")

-- The numbers come back.
local csv = page:match '<details class="raw">.-<pre tabindex="0">\n(.-)</pre>'
csv = csv:gsub("&quot;", '"'):gsub("&#39;", "'"):gsub("&lt;", "<"):gsub("&gt;", ">")
  :gsub("&amp;", "&")
local f = assert(io.open(at "raw.csv", "wb"))
f:write(csv)
f:close()
local back = assert(stats.import(at "raw.csv"))
t.is(#back, 4, "the CSV in it has all populations")
t.is(json.encode(back["AnyNetX_C"].errors), json.encode(C.errors), "and their errors, exactly")
t.is(back["AnyNetX_C"].failed, 2, "and which failed")
t.is(tostring(stats.bootstrap(back["AnyNetX_B"], "b", { exact = true })),
  tostring(stats.bootstrap(B, "b", { exact = true })), "and what was asked for")

-- The same again, of an open store, of some populations, with a title.
local again = assert(report(s, { output = at "again.html", title = "Small" }))
t.is(again.output, at "again.html", "the name of the file is returned")
t.is(read(at "again.html"):gsub("Small", "Design spaces in small.db"), page,
  "the same store, the same page")
assert(report(s, { output = at "some.html", populations = { "AnyNetX_C" } }))
local some = read(at "some.html")
lacks(some, "AnyNetX_D", "of some populations only those")
has(some, "nothing is compared", "one population is compared with nothing")

page, _, ids = report_of("half")
has(page, "had not finished at the last event", "half: it says that models are open")
has(page, "12: 7 done, 2 running, 3 queued", "half: how they stand")
has(page, "5 of 12 models of RegNetX are unfinished", "half: and the verdict, too")
t.ok(ids.failures, "half: with every section")
page, _, ids = report_of("windows")
local w <close> = assert(store.open(at "windows.db"))
local trend = stats.trend({ w:result "X 1", w:result "X 2", w:result "X 3" }, "d")
t.ok(ids.trends, "windows: one space in three windows shows a trend")
has(page, ("%d (%d to %d)</td>"):format(trend[2].median, trend[2].lo, trend[2].hi),
  "windows: that of stats.trend")
has(page, "nothing is compared", "windows: different windows are not compared")
w:close()
has(page, "<bdi>X 2: different windows of complexity (flops 1M to 1.5M and 2M to 3M).</bdi>",
  "windows: and why")
page = report_of("samples")
has(page, "B-s1 is better than A-s1", "samples: the first of a space against the first of its parent")
has(page, "B-s2 is better than A-s2", "samples: the second against the second")
lacks(page, "A-s2 is", "samples: another sample is no alternative")
has(page, "mean errors: A-s1 21.83 %, A-s2 22.58 %", "samples: they tell of the seed")
has(page, "wide: different windows of complexity (flops 1M to 2M and 2M to 4M).",
  "samples: why a refinement is not compared")
has(page, "There is a picture for the populations that were trained alike", "samples: why two pictures")
page = report_of("empty")
has(page, "No sweep has written a population", "empty: it says so")

-- Foreign text: parse() has seen that it is text only.
page = report_of("evil", { title = "</title><script>" })
lacks(page:lower(), "<script", "evil: no script")
lacks(page:lower(), "<b onmouseover", "evil: no element of theirs")
has(page, "&lt;script&gt;document.title=&quot;pwned&quot;", "evil: but their text")
has(page, "bytes \u{FFFD}\u{FFFD}\u{FFFD}?[31m␀?`reboot`$(reboot)", "evil: also of bytes")
has(page, "Content-Security-Policy", "evil: and the browser runs nothing")

-- Without gnuplot.
local PATH = os.getenv "PATH"
uv.os_setenv("PATH", at "nowhere")
local bare = report(path, { output = at "bare.html" })
uv.os_setenv("PATH", PATH)
t.ok(bare and bare.pictures == 0 and bare.missing:find("gnuplot-nox", 1, true),
  "without gnuplot there are no pictures, and the package is named")
page = read(at "bare.html")
has(page, "gnuplot-nox", "and the page says so")
lacks(page, "<svg", "it has none")
has(page, "Quantiles of the errors", "but the tables")
t.ok(pcall(parse, page), "and is well-formed")

-- Files and misuse.
local function refused(o, what, name)
  local made, message = report(path, o)
  t.ok(made == nil and message:find(what, 1, true), name, message)
end
refused({ output = at "x.txt" }, "writes .html", "another kind of file is refused")
refused({ output = at "no/x.html" }, "no such file or directory", "a folder that is not there")
refused({ output = at "x.html", populations = { "AnyNetX_a" } }, "did you mean 'AnyNetX_A'",
  "an unknown population, with the nearest name")
uv.fs_link(path, at "store.html")
refused({ output = at "store.html" }, "is the store itself", "the store is never overwritten")
t.is(report(at "no.db", { output = at "x.html" }), nil, "no store, no report")
t.ok(not uv.fs_stat(at "x.html"), "what is refused leaves no file")
t.fails(function() report(path) end, "wants output=", "output is needed")
t.fails(function() report(path, { ouput = "x" }) end, "did you mean 'output'", "a misspelt option")
t.fails(function() report(7, { output = "x.html" }) end, "got number", "a store or a path")
-- Nonsense in a store is no crash: it is damaged, and the doctor says so.
local sqlite = require "netspace.core.sqlite"
for _, nonsense in ipairs { "population SET tried = '<b>'", "population SET window = '{\"d\":[1]}'",
  "population SET created = 1e300", "population SET constraints = '[7]'", "event SET time = 'x'",
  "model SET origin = '{}' WHERE idx = 1", "model SET idx = 'x' WHERE idx = 1",
  "model SET error = 'x' WHERE idx = 1" } do
  local copy = at "nonsense.db"
  local out = assert(io.open(copy, "wb"))
  out:write(read(path))
  out:close()
  local db = assert(sqlite.open(copy, "rw"))
  assert(db:run("UPDATE " .. nonsense))
  db:close()
  local made, message, kind = report(copy, { output = at "x.html" })
  t.ok(made == nil and kind == "damaged" and message:find("is damaged", 1, true),
    "damaged: " .. nonsense, message)
end
s:close()
t.fails(function() report(s, { output = "x.html" }) end, "closed store", "a closed store")

for name in function(scan) return uv.fs_scandir_next(scan) end, uv.fs_scandir(dir) do
  uv.fs_unlink(at(name))
end
uv.fs_rmdir(dir)
t.done()
