--- A guided tour: the method of the papers in ten steps on the built-in data, each a command
-- that stands on the line, to be edited and run.

local fold = require "netspace.lib.fold"
local document = require("netspace.lib.doc").group "tour"
local entries = require "netspace.prompt.entry"
local session = require "netspace.prompt.session"
local sys = require "netspace.core.sys"

local M = {
  at_prompt = false, -- whether there is a line for the commands to stand on
  made = {},         -- what the tour has made, by name
}

local window = "{ flops = {1e6, 2e6}, seed = %d }"
local sweep = 'sweep.run{ store = "tour.db", models = %s, data = D, recipe = recipe.quick }'

-- What is to be said of the result called `name` when its networks have hardly learned.
local function unlearned(name)
  local result = rawget(_G, name)
  local errors = type(result) == "table" and result.errors
  if type(errors) ~= "table" or #errors == 0 then return "" end
  local sorted = table.move(errors, 1, #errors, 1, {})
  table.sort(sorted)
  local m = result.models and result.models[1] or { classes = 10 }
  local chance = 100 * (m.classes - 1) / m.classes
  if sorted[(#sorted + 1) // 2] < 0.9 * chance then return "" end
  return ("  (Half of them or more are near chance, %.0f %%: they have hardly learned, and what "
    .. "follows is noise.  More images or epochs would help.)"):format(chance)
end

--- The steps: say, what it is about (a function: depends on what was run); run, the command.
-- Text, command and what it prints fit a terminal of 80 by 24.
M.steps = {
  { say = "A design space is a set of networks: the ranges of their parameters and the rules "
      .. "between them.  This is the freest one, in a size for ordinary processors.",
    run = "space.small.AnyNetXA:describe()" },
  { say = "One network says little about a space, so draw a population.  The window keeps its "
      .. "members alike in complexity; the seed makes it the same ones again.",
    run = "A = space.small.AnyNetXA:sample(12, " .. window:format(1) .. ")" },
  { say = "A network of it, part by part: multiply-adds, parameters, activations.  A[1] says what "
      .. "its stages are, arch.describe(A[1]) shows every layer.",
    run = "arch.parts(A[1])" },
  { say = "Data to train on: ten drawn shapes, made in a moment; your own come as "
      .. 'data.open("cifar10:DIR").',
    run = 'D = data.open("shapes", { train = 2000, test = 1000 })' },
  { say = "Train them all, one a core.  Everything lands in tour.db as it comes: Ctrl-C and the "
      .. "same command later train only the rest.  `netspace monitor tour.db` follows it from "
      .. "another terminal.",
    run = "a = " .. sweep:format "A" },
  { say = function()
      return "The error distribution of the space: how many of its networks are better than any "
        .. "given error." .. unlearned "a"
    end,
    run = "plot.edf{ a }:show{ height = 14 }" },
  { say = "What do the good ones have in common?  The paper's bootstrap: a band for the depth of "
      .. "the best.  Twelve networks leave it wide; a hundred say more.",
    run = 'stats.bootstrap(a, "d")' },
  { say = "Refine: stages that share their settings, widths that never fall.  A constraint is a "
      .. "few lines of Lua; ?constraint shows how to write yours.  Another seed, so that the "
      .. "two populations share no chance and no network.",
    run = 'B = space.small.AnyNetXA:with("shared_b", "shared_g", "monotone_w"):sample(12, '
      .. window:format(2) .. ")" },
  { say = "Train the refined population under the same conditions.",
    run = "b = " .. sweep:format "B" },
  { say = function()
      return "Is the refined space better?  A verdict that claims no more than so few networks "
        .. "allow." .. unlearned "b"
    end,
    run = "stats.compare(a, b)" },
}

local step -- the one on the line, or nil

-- The user's globals that have the names of the tour's: they give way while it lasts.
local names, aside = {}, {}
for _, s in ipairs(M.steps) do
  for _, name in ipairs(entries.assigned(s.run)) do names[#names + 1] = name end
end
table.sort(names)

-- The names set aside, listed in a text: "A, D"; with a format of each.
local function listed(format)
  local list = {}
  for _, name in ipairs(names) do
    if aside[name] ~= nil then list[#list + 1] = (format or "%s"):gsub("%%s", name) end
  end
  return table.concat(list, ", ")
end

-- Returns what is to be said of it, or nil.
local function set_aside()
  for _, name in ipairs(names) do
    local value = rawget(_G, name)
    if value ~= M.made[name] then
      aside[name] = value
      rawset(_G, name, M.made[name])
    end
  end
  if not next(aside) then return nil end
  session.keep(("before_tour = { %s } %s = %s"):format(listed "%s = %s", listed(),
    listed "tour.made.%s"))
  return ("Your %s: set aside until the tour ends."):format(listed())
end

local function bring_back()
  for _, name in ipairs(names) do
    M.made[name] = rawget(_G, name)
    if aside[name] ~= nil then rawset(_G, name, aside[name]) end
  end
  if not next(aside) then return end
  print(fold.text(("Your %s: back; what the tour made is %s."):format(listed(),
    listed "tour.made.%s"), sys.terminal(1) or math.huge))
  session.keep(("%s = %s %s = %s"):format(listed "tour.made.%s", listed(), listed(),
    listed "before_tour.%s"))
  aside = {}
end

local function fill(text)
  return fold.text(text, math.min(sys.terminal(1) or 80, 90) - 1)
end

local function show(i)
  print(("\nstep %d of %d"):format(i, #M.steps))
  local say = M.steps[i].say
  print(fill(type(say) == "function" and say() or say))
end

--- What the prompt puts on the line; nil outside of a tour.
function M._offer()
  return step and M.steps[step].run
end

-- What a command does, by which an edited one is known: what it assigns to, and the function that
-- it calls last ("A = sample").  "f() g()" is not "f()".
local function essence(text)
  local bare = text:gsub("%b\"\"", ""):gsub("%b()", "()"):gsub("%b{}", "()")
  local name, call = bare:match("^%s*([%a_][%w_]*%s*=%s*)[%w_.:()]*%f[%w_]([%w_]+)%(%)%s*;?%s*$")
  if not name then call = bare:match("^%s*[%w_.:()]*%f[%w_]([%w_]+)%(%)%s*;?%s*$") end
  if bare:find("%)%s*[%a_]") then return nil end
  return call and (name or ""):gsub("%s", "") .. call
end

--- The prompt tells of an entry: text, and whether it went well; nil: the line was dropped.
function M._heard(text, good)
  if not step then return end
  if not text then
    print(("tour left; tour(%d) goes on"):format(step))
    step = nil
    bring_back()
  elseif good and essence(text) == essence(M.steps[step].run) then
    step = step + 1
    if step <= #M.steps then return show(step) end
    step = nil
    print("\n" .. fill("That is the method: draw, train, compare, refine, and again.  help() "
      .. "lists the rest; examples/ has whole experiments, and :save FILE keeps this one."))
    bring_back()
  end
end

--- Starts at step `from`; without a prompt it prints all steps.
local function start(from)
  from = from or 1
  if not math.tointeger(from) or from < 1 or from > #M.steps then
    error(("tour: step is %s; it must be from 1 to %d"):format(tostring(from), #M.steps), 3)
  end
  if M.at_prompt then
    local said = not step and set_aside()
    step = math.tointeger(from)
    print(fill("Each step is a command on the line: Enter runs it; an arrow or Backspace keeps it "
      .. "to be edited; what you type takes its place, for entries in between.  Ctrl-C or Ctrl-D "
      .. "leaves the tour."))
    if said then print(fill(said)) end
    return show(step)
  end
  for i = from, #M.steps do
    show(i)
    print("    " .. M.steps[i].run)
  end
end

document("tour", [[
  tour([step])
  The method in ten steps on the built-in data, about a minute of training on two cores: each
  is a command that stands on the line, to be run or edited (an arrow or Backspace keeps it);
  what is typed takes its place, and the step waits.  In a script it prints them all.
  Ctrl-C or Ctrl-D leaves it, tour(5) goes on.  Your globals A, B, D, a and b are set aside
  meanwhile and come back when it ends; what the tour made is then in tour.made.
  example: tour()]])

return setmetatable(M, {
  __call = function(_, from) return start(from) end,
  __tostring = function() return "tour() starts the tour" end,
})
