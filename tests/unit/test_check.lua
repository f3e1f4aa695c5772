-- `netspace trainer check`: netspace's own worker keeps to the protocol, and the checker finds what
-- the stub does not do (it keeps no checkpoints, looks at no image).
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local uv = require "luv"

local program = uv.exepath()
local function check(command)
  local f = assert(io.popen(("%s trainer check --patience 60 %s 2>&1"):format(program, command)))
  local text = f:read "a"
  local _, _, status = f:close()
  return text, status
end

local text, status = check(("-- %s --worker"):format(program))
t.is(status, 0, "netspace's own worker keeps to the protocol", text)
t.is(select(2, text:gsub("%f[^\n%z]ok  ", "")), 11, "in every trial", text)
t.ok(text:find("ok     a training: netspace 0", 1, true) and not text:find "other results",
  "which says what it is", text)

local stub = ("'STUB_SECONDS=0.05 exec %s -q --no-init tests/unit/stub_trainer.lua'"):format(program)
text, status = check(stub)
t.is(status, 1, "a trainer that does not: status 1", text)
for _, said in ipairs {
  "ok     a training: stub 1 on none (none)",
  "wrong  a loss that runs away: a learning rate of 1000 is answered by 'done', and not by",
  "wrong  images with another checksum: a wrong checksum is answered by 'done', and not by",
  "wrong  are the images there?: a check with a wrong checksum is answered by 'checked'",
  "ok     the next job while one is at work", "ok     the end of its input",
  "ok     SIGTERM without a job",
  "wrong  SIGTERM, and from the checkpoint on: its worker was killed by SIGTERM at work on a job",
  "of 11", "netspace-trainer(5) has the protocol" } do
  t.ok(text:find(said, 1, true), said, text)
end
text, status = check "'exit 3'"
t.ok(status == 1 and text:find("wrong  a training: its worker ended with status 3 before its hello",
  1, true), "one that ends is told", text)
for _, arguments in ipairs { "", "--data", "--fast x", "--patience 0 x" } do
  local f = assert(io.popen(("%s trainer check %s 2>&1"):format(program, arguments)))
  text = f:read "a"
  t.is(select(3, f:close()), 2, "usage: " .. arguments, text)
end
t.done()
