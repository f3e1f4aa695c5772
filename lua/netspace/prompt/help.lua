--- `help(x)` at the prompt, `?x`, and `netspace help` in the shell: finds the topics that a name or
-- a value stands for, among those registered in lib/doc.lua.

local absent = require "netspace.lib.absent"
local doc = require "netspace.lib.doc"
local document = doc.group "help"
local fold = require "netspace.lib.fold"
local habits = require "netspace.lib.habits"
local glossary = require "netspace.prompt.glossary"
local members = require "netspace.lib.members"
local netspace = require "netspace"
local options = require "netspace.lib.options"
local pager = require "netspace.prompt.pager"
local sys = require "netspace.core.sys"

local M = {}

--- Documentation of the user's own: the text of `name`, listed under "yours".
function M.add(name, text)
  if type(name) ~= "string" or type(text) ~= "string" then
    error("help.add expects a name and a text, got " .. type(name) .. " and " .. type(text), 2)
  end
  doc.add(name, "yours", text)
end

-- Every public module, loaded, so that all topics are registered; name -> module.
local function modules()
  local loaded = {}
  for _, row in ipairs(netspace._names) do loaded[row[1]] = netspace[row[1]] end
  return loaded
end

--- All topics, sorted.
function M.names()
  modules()
  local list = {}
  for name in pairs(doc.topics) do list[#list + 1] = name end
  table.sort(list)
  return list
end

--- The code of the examples of a topic; one that ends with a comma goes on in the next line.
function M.examples(name)
  if not doc.topics[name] then
    error(("help.examples: nothing is called '%s'; help.names() has all names"):format(
      tostring(name)), 2)
  end
  local list, open = {}, false
  for line in doc.topics[name]:gmatch("[^\n]+") do
    local code = line:match("^%s*example:%s*(.*)$")
    if code then
      list[#list + 1] = code
    elseif open then
      list[#list] = list[#list] .. line:gsub("^%s*", " ")
    end
    open = (code or open) and line:find(",$") ~= nil
  end
  return list
end

-- Topics of methods called `name`; those registered by the chunk `source` when there are any.
local function methods_called(name, source)
  local all, near = {}, {}
  for topic in pairs(doc.topics) do
    if topic:match(":([%w_]+)$") == name then
      all[#all + 1] = topic
      if source and doc.sources[topic] == source then near[#near + 1] = topic end
    end
  end
  local list = #near > 0 and near or all
  table.sort(list)
  return list
end

--- The option keys of what is called `name` ("sweep.run", "S:sample", "sample"), sorted; of
-- "sweep.run: recipe" those of the table that is given as this option.
function M.options(name)
  modules()
  local set, list = {}, {}
  local names = options.declared[name] and { name } or methods_called(name)
  for _, called in ipairs(names) do
    for key in pairs(options.declared[called] or {}) do set[key] = true end
  end
  for key in pairs(set) do list[#list + 1] = key end
  table.sort(list)
  return list
end

-- The name a Lua function was defined under, from its source ("function Space:sample("), and
-- that source.
local function defined_as(f)
  local info = debug.getinfo(f, "S")
  local file = info.source:sub(1, 1) == "@" and io.open(info.source:sub(2))
  if not file then return nil end
  local n, name = 0, nil
  for line in file:lines() do
    n = n + 1
    if n == info.linedefined then
      name = line:match("([%a_][%w_]*)%s*%(") or line:match("([%a_][%w_]*)%s*=%s*function")
      if name == "function" then name = line:match("([%a_][%w_]*)%s*=%s*function") end
      break
    end
  end
  file:close()
  return name, info.source
end

-- A method of a C type: the topic of its key in the metatable that holds it.
local function method_of_c(f)
  for _, meta in pairs(debug.getregistry()) do
    local methods = type(meta) == "table" and members.behind(meta)
    local kind = methods and tostring(rawget(meta, "__name")):gsub("^netspace%.", "")
    for name, value in next, methods or {} do
      local topic = ("%s:%s"):format(kind, name)
      if value == f and doc.topics[topic] then return topic end
    end
  end
end

-- Topics for the methods that an object answers to.
local function methods_for(x)
  local list = {}
  local keys = {}
  for _, key in ipairs(members.keys_of(x)) do keys[key] = true end
  local count = {} -- class prefix -> how many of its topics the object has; -1: lacks one
  for topic in pairs(doc.topics) do
    local class, method = topic:match("^([%w_]+):([%w_]+)$")
    if class and count[class] ~= -1 then
      count[class] = keys[method] and (count[class] or 0) + 1 or -1
    end
  end
  for topic in pairs(doc.topics) do
    local class = topic:match("^([%w_]+):")
    if class and count[class] and count[class] > 0 then list[#list + 1] = topic end
  end
  table.sort(list)
  return list
end

-- Topics of the functions whose signature says that they give what x is: "-> result".
local function givers_of(x)
  local name, list = members.kind(x), {}
  for topic, text in pairs(name and doc.topics or {}) do
    local gives = text:match("^[^\n]*%->%s*([^\n]*)") or text:match("^[^\n]*\n%s*%->%s*([^\n]*)")
    if gives and gives:find("%f[%w_]" .. name .. "%f[^%w_]") then list[#list + 1] = topic end
  end
  table.sort(list)
  return list
end

-- The topics a value stands for.
local function topics_of(x)
  for name, module in pairs(modules()) do
    if rawequal(module, x) then return { name } end
    if type(module) == "table" then
      for key, value in next, module do
        if rawequal(value, x) and doc.topics[name .. "." .. tostring(key)] then
          return { name .. "." .. key }
        end
      end
    end
  end
  if type(x) == "function" then
    local name, source = defined_as(x)
    for i = 1, name and 0 or 8 do -- one that is wrapped
      local _, inner = debug.getupvalue(x, i)
      if type(inner) == "function" and not name then name, source = defined_as(inner) end
    end
    return name and methods_called(name, source) or { method_of_c(x) }
  end
  local list = methods_for(x)
  if #list > 1 then return list end -- a single one says little of what x is
  local givers = givers_of(x)
  return table.move(list, 1, #list, #givers + 1, givers)
end

--- What a topic says first: how it is called, and its first sentence.
function M._summary(topic)
  local signature, sentence, more = {}, {}, true
  for line in (doc.topics[topic] .. "\n"):gmatch "(.-)\n" do
    if #signature == 0 or #sentence == 0 and line:find "^%s+[%[%-][,>]" then
      signature[#signature + 1] = line
    elseif more and (#sentence == 0 or line:find "^%S" and not line:find "^example: "
      and not line:find "^source: ") then
      sentence[#sentence + 1] = line:match "^%s*(.*)$"
      more = not line:find "%.$" and not line:find "[%w)]%. "
    else
      break
    end
  end
  local text = table.concat(sentence, " ")
  return table.concat(signature, "\n"), text:match "^(.-[%w)]%.)%s" or text
end

-- Topics that belong to a name: "stats" -> stats.edf, edf:band, …
local function group_of(name)
  local list = {}
  for topic in pairs(doc.topics) do
    if topic ~= name and (doc.groups[topic] == name or topic:find("^" .. name .. "[.:]")) then
      list[#list + 1] = topic
    end
  end
  table.sort(list)
  return list
end

-- Words filled into lines of 78 columns after an indent.
local function fill(words, indent)
  local lines, line = {}, nil
  for _, word in ipairs(words) do
    if not line then
      line = indent .. word
    elseif #line + #word + 2 > 78 then
      lines[#lines + 1] = line
      line = indent .. word
    else
      line = line .. "  " .. word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local function overview()
  modules()
  local out = { "Names of netspace.  help \"name\" or ?name explains one; Tab completes.", "" }
  for _, row in ipairs(netspace._names) do
    out[#out + 1] = ("%-11s %s"):format(row[1], row[2])
    local group = group_of(row[1])
    if #group > 0 then out[#out + 1] = fill(group, (" "):rep(12)) end
  end
  out[#out + 1] = fold.text('\nWords of the method, such as w_0, EDF, population or budget, have '
    .. 'help, too: help "glossary" lists them.', 78)
  return table.concat(out, "\n")
end

local function about_name(name)
  local text = doc.topics[name]
  local group = group_of(name)
  if not text and #group == 0 then return nil end
  for _, row in ipairs(netspace._names) do
    if not text and row[1] == name then text = name .. ": " .. row[2] end
  end
  if #group > 0 then text = (text or name) .. "\n\nsee also\n" .. fill(group, "  ") end
  return text
end

-- What there is when nothing is called `word`: topics that contain it, or nearly do.
local function search(word)
  local found = {}
  local low = word:lower()
  for topic, text in pairs(doc.topics) do
    if topic:lower():find(low, 1, true) or
      #low > 3 and (text:match("^[^\n]*\n[^\n]*") or ""):lower():find(low, 1, true) then
      found[#found + 1] = topic
    end
  end
  if #found == 0 then
    local last = {}
    for topic in pairs(doc.topics) do
      last[topic] = topic
      last[topic:match("[%w_]+$")] = topic
    end
    local near = options.nearest(word:match("[%w_]*$"), last)
      or options.nearest(word, last)
    found[1] = near and last[near]
  end
  table.sort(found)
  return found
end

--- What the prompt shows of a module or function of netspace; nil for other values.
function M.about(x)
  if type(x) == "function" then
    local topics = topics_of(x)
    local topic = topics[1]
    if not topic or #topics > 1 then return nil end
    local summary, sentence = M._summary(topic)
    return ("%s\n%s\n?%s explains"):format(summary, sentence, topic)
  end
  for name, module in pairs(type(x) == "table" and modules() or {}) do
    if rawequal(module, x) then return about_name(name) end
  end
end

-- The topic that "class:method" is short for: with a dot instead of the colon or the other way
-- round, of a global of the user's ("d:image" -> "dataset:image"), of a module's objects
-- ("space.sample" -> "S:sample").
local function full_name(text)
  local name, mark, method = text:match "^([%a_][%w_]*)([.:])([%w_]+)$"
  if not name or doc.topics[text] then return text end
  local other = name .. (mark == "." and ":" or ".") .. method
  if doc.topics[other] then return other end
  local value = rawget(_G, name)
  for _, topic in ipairs(value ~= nil and methods_for(value) or {}) do
    if topic:match ":(.*)$" == method then return topic end
  end
  for _, topic in ipairs(methods_called(method)) do
    if doc.groups[topic] == name then return topic end
  end
  return text
end

-- What a word of the glossary is, and what is not there; nil for other words.
local function about_word(word)
  if word == "glossary" then
    local words = {}
    for i, row in ipairs(glossary.rows()) do words[i] = row.words:gsub(", .*", "") end
    return "Words of the method and of netspace; help w_0 or ?w_0 explains one.\n"
      .. fill(words, "  ") .. "\n\nWhat netspace does not do; help gpu says what there is "
      .. "instead.\n" .. fill(absent.words(), "  ")
  end
  local text, answer = glossary.text(word), absent.answer(word) or habits.name(word)
  local methods = text and methods_called(word) or {}
  if #methods > 0 then text = text .. "\n\nsee also\n" .. fill(methods, "  ") end
  return text or answer and ("%s: %s"):format(word, answer)
end

--- The text that help(x) prints; nil and a message when there is none.
function M.text(...)
  if select("#", ...) == 0 then return overview() end
  local x = ...
  modules()
  if type(x) == "string" then
    local text = about_name(full_name(x)) or about_word(x)
    if text then return text end
    local methods = methods_called(x)
    if #methods == 0 then
      local found = search(x)
      local message = ("nothing is called '%s'"):format(x)
      if #found == 0 then return nil, message .. "; help() lists all names" end
      return nil, message .. "; similar names:\n" .. fill(found, "  ")
    end
    x = methods
  else
    x = x ~= nil and topics_of(x) or {}
  end
  if #x == 0 then
    return nil, ("there is no help for this %s; help() lists all names"):format(type((...)))
  end
  if #x == 1 then return about_name(x[1]) end
  local out = {}
  for i, topic in ipairs(x) do
    out[i] = #x <= 3 and doc.topics[topic] or table.concat({ M._summary(topic) }, "\n")
  end
  return table.concat(out, "\n\n")
end

--- The command `netspace help [TOPIC]`.
function M._command(args)
  local text, message
  if args[1] then
    text, message = M.text(table.concat(args, " "))
  else
    text = M.text()
  end
  if text then
    print(fold.anew(text, sys.terminal(1) or math.huge))
    return 0
  end
  io.stderr:write("netspace help: ", message, "\n")
  return 2
end

document("help", [[
  help(x)
  Explains a name ("stats.edf"), a function, a module or an object; help() lists everything.
  At the prompt ?name and help name do the same, and `netspace help name` in the shell.
  Words of the method have help, too (help w_0, help budget, help "bottleneck"; help "glossary"
  lists them), and so has what netspace does not do (help gpu).
  example: help("stats.edf")
  example: help(space)]])
document("help.add", [[
  help.add(name, text)
  Registers documentation of your own: the signature, one sentence, options, examples.
  example: help.add("mine", "mine(x)\nWhat mine does.") help("mine")]])
document("help.names", [[
  help.names() -> list
  All topics, sorted.
  example: #help.names()]])
document("help.text", [[
  help.text(x) -> string, or nil and a message
  The text that help(x) prints.
  example: help.text("space.names")]])
document("help.about", [[
  help.about(x) -> string or nil
  The text that the prompt shows for a module or function.
  example: help.about(stats.compare)]])
document("help.options", [[
  help.options(name) -> list
  The option keys of a function, as Tab offers them inside { }.
  example: help.options("net.new")]])
document("help.examples", [=[
  help.examples(name) -> list of strings
  The code of the examples of a topic; the tests run them all.
  example: help.examples("help")[1]]=])

return setmetatable(M, {
  __call = function(_, ...)
    local text, message = M.text(...)
    pager.print(fold.anew(text or message, sys.terminal(1) or math.huge))
  end,
  __tostring = function() return "help(x) explains x, help() lists everything" end,
})
