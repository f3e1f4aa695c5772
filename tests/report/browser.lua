--- A headless browser for tests of pages: chromium, driven over its debugging pipe.
--   local b = browser.open(); b:load("page.html", 360, 800); b:eval("document.title")
-- Source: Chrome DevTools Protocol (messages in JSON, each ended by a NUL, on pipes 3 and 4).

local json = require "cjson"
local uv = require "luv"

local M = {}
local Browser = {}
Browser.__index = Browser

local WAIT = 60000 -- ms for one answer: the machine may be busy

--- The program, or nil where there is none.
function M.find()
  for _, name in ipairs { "chromium", "chromium-browser", "google-chrome" } do
    for dir in os.getenv("PATH"):gmatch "[^:]+" do
      if uv.fs_access(dir .. "/" .. name, "X") then return dir .. "/" .. name end
    end
  end
end

local function receive(self, data)
  self.buffer = self.buffer .. data
  while true do
    local message, rest = self.buffer:match "^(%Z*)%z(.*)$"
    if not message then return end
    self.buffer = rest
    local m = json.decode(message)
    if m.id then self.answers[m.id] = m else self.events[#self.events + 1] = m end
  end
end

local function wait_for(self, what, done)
  local late = false
  local timer = uv.new_timer()
  timer:start(WAIT, 0, function() late = true end)
  while not done() do
    if late then error("browser: no answer to " .. what) end
    if self.ended then error("browser: it has ended, waiting for " .. what) end
    uv.run "once"
  end
  timer:close()
end

--- One command of the protocol: its result.
function Browser:call(method, params)
  self.id = self.id + 1
  local id = self.id
  local message = { id = id, method = method, params = params, sessionId = self.session }
  self.to:write(json.encode(message) .. "\0")
  wait_for(self, method, function() return self.answers[id] end)
  local answer = self.answers[id]
  self.answers[id] = nil
  if answer.error then error(("browser: %s: %s"):format(method, answer.error.message)) end
  return answer.result
end

--- A browser with one empty page.
function M.open()
  local self = setmetatable({ id = 0, answers = {}, events = {}, buffer = "" }, Browser)
  self.home = assert(uv.fs_mkdtemp((os.getenv "TMPDIR" or "/tmp") .. "/browser-XXXXXX"))
  self.to, self.from = uv.new_pipe(), uv.new_pipe()
  local null = assert(uv.fs_open("/dev/null", "r+", 0))
  self.process = assert(uv.spawn(M.find(), {
    args = { "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
      "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
      "--disable-background-networking", "--hide-scrollbars",
      "--user-data-dir=" .. self.home, "about:blank" },
    stdio = { null, null, null, self.to, self.from } }, function() self.ended = true end))
  uv.fs_close(null)
  self.from:read_start(function(_, data) if data then receive(self, data) end end)
  local targets = self:call("Target.getTargets").targetInfos
  local page
  for _, t in ipairs(targets) do page = page or t.type == "page" and t.targetId end
  page = page or self:call("Target.createTarget", { url = "about:blank" }).targetId
  self.session = self:call("Target.attachToTarget", { targetId = page, flatten = true }).sessionId
  for _, domain in ipairs { "Page", "Runtime", "Log", "Network" } do
    self:call(domain .. ".enable")
  end
  return self
end

--- Shows a file in a window of that size; scheme: "light" or "dark".
function Browser:load(path, width, height, scheme)
  self.events = {}
  self:call("Emulation.setDeviceMetricsOverride", { width = width, height = height,
    deviceScaleFactor = 1, mobile = width < 600 })
  self:call("Emulation.setEmulatedMedia", { features = {
    { name = "prefers-color-scheme", value = scheme or "light" } } })
  self:call("Page.navigate", { url = "file://" .. assert(uv.fs_realpath(path)) })
  wait_for(self, "the page", function()
    for _, e in ipairs(self.events) do
      if e.method == "Page.loadEventFired" then return true end
    end
  end)
end

--- The value of an expression in the page.
function Browser:eval(code)
  local r = self:call("Runtime.evaluate", { expression = code, returnByValue = true })
  if r.exceptionDetails then error("browser: " .. json.encode(r.exceptionDetails)) end
  return r.result.value
end

--- What the page asked the network for, itself left out.
function Browser:requests()
  local list = {}
  for _, e in ipairs(self.events) do
    if e.method == "Network.requestWillBeSent" and e.params.type ~= "Document" then
      list[#list + 1] = e.params.request.url
    end
  end
  return list
end

--- What the console and the log say of it.
function Browser:complaints()
  local list = {}
  for _, e in ipairs(self.events) do
    if e.method == "Log.entryAdded" then
      list[#list + 1] = e.params.entry.text
    elseif e.method == "Runtime.consoleAPICalled" or e.method == "Runtime.exceptionThrown" then
      list[#list + 1] = json.encode(e.params)
    end
  end
  return list
end

--- The page as it would be printed: the bytes of a PDF.
function Browser:pdf()
  return M.decode(self:call("Page.printToPDF",
    { preferCSSPageSize = true, printBackground = false }).data)
end

--- The whole page as a PNG.
function Browser:screenshot(height)
  local size = self:call("Page.getLayoutMetrics").cssContentSize
  return M.decode(self:call("Page.captureScreenshot", { captureBeyondViewport = true,
    clip = { x = 0, y = 0, width = size.width, height = math.min(size.height, height or 16000),
      scale = 1 } }).data)
end

--- The bytes of a text in base64.
function M.decode(text)
  local value, out = {}, {}
  local letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  for i = 1, 64 do value[letters:byte(i)] = i - 1 end
  text = text:gsub("=+$", "")
  for at = 1, #text, 4 do
    local a, b, c, d = text:byte(at, at + 3)
    local n = value[a] << 18 | value[b] << 12 | (value[c] or 0) << 6 | (value[d] or 0)
    local bytes = string.char(n >> 16 & 255, n >> 8 & 255, n & 255)
    out[#out + 1] = bytes:sub(1, d and 3 or c and 2 or 1)
  end
  return table.concat(out)
end

local function remove(path)
  for name, kind in function(s) return uv.fs_scandir_next(s) end, uv.fs_scandir(path) do
    if kind == "directory" then remove(path .. "/" .. name)
    else uv.fs_unlink(path .. "/" .. name) end
  end
  uv.fs_rmdir(path)
end

function Browser:close()
  self.session = nil
  pcall(self.call, self, "Browser.close")
  pcall(wait_for, self, "the end", function() return self.ended end)
  for _, handle in ipairs { self.to, self.from, self.process } do handle:close() end
  uv.run "nowait"
  remove(self.home)
end

return M
