--- A guided tour: the method of the papers in ten steps on the built-in data, each a command
-- that stands on the line, to be edited and run.

local fold = require "netspace.lib.fold"
local document = require("netspace.lib.doc").group "tour"
local sys = require "netspace.core.sys"

local M = { at_prompt = false } -- whether there is a line for the commands to stand on

local window = "{ flops = {1e6, 2e6} }"
local sweep = 'sweep.run{ store = "tour.db", models = %s, data = D, recipe = recipe.quick }'

--- The steps: say, what it is about; run, the command.
M.steps = {
  { say = "A design space is a set of networks: the ranges of their parameters and the rules "
      .. "between them. This is the freest one, in a size for ordinary processors.",
    run = "space.small.AnyNetXA:describe()" },
  { say = "One network says little about a space, so draw a population.  The window keeps its "
      .. "members alike in complexity; the seed is fixed, so you get the same ones again.",
    run = "A = space.small.AnyNetXA:sample(12, " .. window .. ")" },
  { say = "A network of it, stage by stage: widths, groups, multiply-adds, parameters.",
    run = "arch.describe(A[1])" },
  { say = "Data to train on: ten drawn shapes, made in a moment; your own come as "
      .. 'data.open("cifar10:DIR").',
    run = 'D = data.open("shapes", { train = 1000, test = 500 })' },
  { say = "Train them all, one a core.  Everything lands in tour.db as it comes: Ctrl-C and the "
      .. "same command later train only the rest.  `netspace monitor tour.db` follows it from "
      .. "another terminal.",
    run = "a = " .. sweep:format "A" },
  { say = "The error distribution of the space: how many of its networks are better than any "
      .. "given error.",
    run = "plot.edf{ a }:show()" },
  { say = "What do the good ones have in common?  The paper's bootstrap: a band for the depth "
      .. "of the best.",
    run = 'stats.bootstrap(a, "d")' },
  { say = "Refine: stages that share their settings, widths that never fall.  A constraint is a "
      .. "few lines of Lua; these come with netspace (constraint.names()), and ?constraint "
      .. "shows how to write yours.",
    run = 'B = space.small.AnyNetXA:with("shared_b", "shared_g", "monotone_w"):sample(12, '
      .. window .. ")" },
  { say = "Train the refined population under the same conditions.",
    run = "b = " .. sweep:format "B" },
  { say = "Is the refined space better?  A verdict that claims no more than so few models "
      .. "allow.",
    run = "stats.compare(a, b)" },
}

local step -- the one on the line, or nil

local function fill(text)
  return fold.text(text, math.min(sys.terminal(1) or 80, 90) - 1)
end

local function show(i)
  print(("\nstep %d of %d"):format(i, #M.steps))
  print(fill(M.steps[i].say))
end

--- What the prompt puts on the line; nil outside of a tour.
function M._offer()
  return step and M.steps[step].run
end

-- The beginning of a command, by which an edited one is known.
local function beginning(text)
  return text:match("^%s*([%w_]+%.?[%w_]*)")
end

--- The prompt tells of an entry: text, and whether it went well; nil: the line was dropped.
function M._heard(text, good)
  if not step then return end
  if not text then
    print(("tour left; tour(%d) goes on"):format(step))
    step = nil
  elseif good and beginning(text) == beginning(M.steps[step].run) then
    step = step + 1
    if step <= #M.steps then return show(step) end
    step = nil
    print("\n" .. fill("That is the method: draw, train, compare, refine, and again.  help() "
      .. "lists the rest; examples/ has whole experiments, and :save FILE keeps this one."))
  end
end

--- Starts at step `from`; without a prompt it prints all steps.
local function start(from)
  from = from or 1
  if not math.tointeger(from) or from < 1 or from > #M.steps then
    error(("tour: step is %s; it must be from 1 to %d"):format(tostring(from), #M.steps), 3)
  end
  if M.at_prompt then
    step = math.tointeger(from)
    print(fill("Each step is a command on the line: Enter runs it, as it is or edited; other "
      .. "entries are welcome in between; Ctrl-C leaves the tour."))
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
  is a command that stands on the line, to be edited and run.  In a script it prints them all.
  example: tour()]])

return setmetatable(M, {
  __call = function(_, from) return start(from) end,
  __tostring = function() return "tour() starts the tour" end,
})
