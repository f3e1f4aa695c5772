--- The keys and the mouse of the monitor: each changes the state of the view, a plain table, and
-- nothing else, so that they are tested without a terminal.  commands.lua says what a key
-- does; here is what comes before that: a question, a filter, a list or the palette on the screen.

local commands = require "netspace.monitor.commands"
local property = require "netspace.monitor.views.property"
local widgets = require "netspace.monitor.views.widgets"

local M = {}

local steps, clamp = commands.steps, commands.clamp

--- The state a view begins with.
function M.new(ascii)
  return { view = "edf", hidden = {}, scroll = 0, row = 1, ascii = ascii, band = true }
end

local function toggle_choice(view, s, id)
  local chosen = table.move(widgets.chosen(s, view), 1, widgets.most, 1, {})
  for i, x in ipairs(chosen) do
    if x == id then
      if #chosen > 1 then table.remove(chosen, i) end
      view.chosen, view.hidden = chosen, {}
      return
    end
  end
  if #chosen == widgets.most then
    view.said = ("at most %d curves can be shown; hide one first"):format(widgets.most)
    return
  end
  chosen[#chosen + 1] = id
  table.sort(chosen)
  view.chosen, view.hidden = chosen, {}
end

-- The item of a list (widgets.list) in row y, or nil.
local function item_at(info, y)
  local item = info.rows and y >= info.rows and y - info.rows + 1 + info.scroll
  return item and item <= info.last and item or nil
end

-- What the line that is typed, the filter's or the palette's, is after an editing key; nil for
-- other keys.
local function edited(text, key)
  if key == "backspace" then return text:sub(1, -2) end
  if key == "ctrl-u" then return "" end
  if key == "ctrl-w" then return (text:gsub("%S*%s*$", "")) end
  return #key == 1 and text .. key or nil
end

local function choose(view, key, s, info, y)
  local item = key == "click" and item_at(info, y)
  if item then
    if item ~= view.choice then view.choice = item return end
    key = view.choosing == "property" and "enter" or " " -- a second click
  end
  if steps[key] then
    view.choice = clamp((view.choice or 1) + steps[key], 1, math.max(1, info.items or 1))
  elseif view.choosing == "property" and key == "enter" then
    local name = property.found(view.typed)[view.choice or 1]
    view.property, view.choosing = name or view.property, nil
  elseif view.choosing == "property" and edited("", key) then
    view.typed, view.choice = edited(view.typed or "", key), 1
  elseif key == " " then
    toggle_choice(view, s, view.choice or 1)
  elseif key == "enter" or key == "escape" or key == "c" then
    view.choosing = nil
  end
end

local function type_filter(view, key)
  if key == "enter" then
    view.typing = nil
  elseif key == "escape" then
    view.typing, view.filter = nil, nil
  elseif edited("", key) then
    view.filter, view.row, view.scroll = edited(view.filter or "", key), 1, 0
  end
end

local function answer(view, key)
  if key == "y" or key == "Y" then
    view.want, view.about = view.ask.want, view.ask.population
    view.asked = view.ask.text:match "^[^?;]*"
  end
  view.ask = nil
end

-- The palette; returns the key of what was chosen.
local function search(view, key, info, y)
  local palette, offers = view.palette, commands.offers(view)
  local item = key == "click" and item_at(info, y) or key == "enter" and palette.row
  if item then
    view.palette = nil
    return offers[item] and offers[item][1]
  elseif key == "escape" or key == "backspace" and palette.text == "" then
    view.palette = nil
  elseif steps[key] or key == "tab" or key == "backtab" then
    local by = steps[key] or key == "tab" and 1 or -1
    palette.row = clamp(palette.row + by, 1, math.max(1, #offers))
  elseif edited("", key) then
    palette.text, palette.row = edited(palette.text, key), 1
  end
end

-- The key that a click on a tab or a hint of the frame stands for.
local function button(info, x, y)
  for _, b in ipairs(info.buttons or {}) do
    if y == b.y and x >= b.from and x <= b.to then return b.key end
  end
end

local function do_command(view, key, s, info, x, y)
  local command = commands.find(view, key)
  if not command and #key == 1 then
    view.said = ("no command has the key %s here; ? lists them, : finds one"):format(key)
  end
  return command and command.run and command.run(view, key, s, info, x, y)
end

--- Deals with a key (of the mouse: at cell x, y); true to leave.  info is what the frame told.
function M.press(view, key, info, s, x, y)
  if key == "hangup" then return true end
  if key == "resize" then return end
  view.said = nil
  local pressed = key == "click" and button(info, x, y)
  if pressed then
    key, view.choosing, view.typing, view.palette = pressed, nil, nil, nil
    if key ~= "?" then view.help = nil end
  end
  if view.ask then
    answer(view, key)
  elseif view.palette then
    key = search(view, key, info, y)
    if key then return do_command(view, key, s, view.beneath or {}, x, y) == true end
  elseif view.typing then
    type_filter(view, key)
  elseif view.help and steps[key] then
    view.help_scroll = commands.scrolled(view.help_scroll, steps[key], info)
  elseif view.help then
    view.help = nil
    return key == "q"
  elseif view.choosing and (view.choosing == "property" or key ~= "q" and key ~= "?") then
    choose(view, key, s, info, y)
  else
    view.beneath = info -- of the view itself, for what the palette does to it
    return do_command(view, key, s, info, x, y) == true
  end
end

return M
