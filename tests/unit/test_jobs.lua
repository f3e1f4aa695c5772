-- Populations of other programs: sweep.json of pycls, files of NDS, exports of trackers; what a
-- status means, names in any case; networks and counts; broken files; what netspace writes as a
-- sweep.json, as pycls's analysis would read it.
package.path = "tests/unit/?.lua;" .. package.path
local t = require "tap"
local elements = require "netspace.lib.elements"
local json = require "netspace.lib.json"
local ledgers = require "netspace.store.ledger"
local pycls = require "netspace.network.pycls"
local sys = require "netspace.core.sys"
local uv = require "luv"

local dir, write = require "scratch" "jobs"
local function read(name)
  local f = assert(io.open(dir .. "/" .. name, "rb"))
  local text = f:read("a")
  f:close()
  return text
end
local function import(name, text, o) return stats.import(write(name, text), o) end
local function refused(what, name, text, part, o)
  local results, message = import(name, text, o)
  t.ok(results == nil and tostring(message):find(part, 1, true) ~= nil, what, tostring(message))
end

-- Trackers -----------------------------------------------------------------------------------

local wandb = import("wandb.csv", [[
Name,State,error,depth
bold-sun-1,finished,12.5,3
old-dust-2,crashed,90.2,4
red-hill-3,running,55.0,5
low-sky-4,killed,80.0,6
]])[1]
t.is(table.concat(wandb.errors, " "), "12.5 100", "finished and crashed count")
t.ok(wandb.n == 4 and wandb.failed == 1, "crashed has failed")
t.is(#wandb.unfinished, 2, "running and killed are unfinished")
t.is(wandb.unfinished[2].why, "killed", "with their word")
t.is(wandb.unfinished[2].index, 4, "and their place")
t.is(wandb.columns.Name[2], "old-dust-2", "other names stay as they are")
t.is(wandb.columns.depth[1], 3, "numbers are properties")

local mlflow = [[
run_id,status,metrics.error,params.depth
1,FINISHED,11.0,3
2,FAILED,,4
3,KILLED,80,5
4,RUNNING,60,6
]]
local runs = import("mlflow.csv", mlflow)[1]
t.is(table.concat(runs.errors, " "), "11.0 100", "metrics.error is the error")
t.is(#runs.unfinished, 2, "KILLED, RUNNING")
t.is(runs.columns.depth[2], 4, "params.depth is depth")
refused("an unknown word", "mlflow.csv", mlflow .. "5,weird,40,7\n",
  "line 6, column status: 'weird' is no status that is known")
refused("a near one", "x.csv", "error,State\n5,finishd\n",
  "column State: 'finishd' is no status that is "
  .. "known (did you mean 'finish'?)")
for _, case in ipairs { { "done", "finished Completed COMPLETE done success TrialState.COMPLETE" },
  { "failed", "failed FAIL Crashed error diverged" },
  { "unfinished", "killed preempted canceled Cancelled running pruned QUEUED waiting pending" } } do
  for word in case[2]:gmatch "%S+" do
    local r = import("word.csv", ("error,status\n40,%s\n"):format(word))[1]
    local what = #r.unfinished == 1 and "unfinished" or r.failed == 1 and r.errors[1] == 100
      and "failed"
      or r.errors[1] == 40 and "done"
    t.is(what, case[1], word)
  end
end
t.is(import("s.csv", "error,status\n40,\n")[1].errors[1], 40, "no status is none")
refused("a status that is a number", "s.jsonl", '{"error":4,"status":3}\n', "'3' is no status")

local capitals = import("c.csv", "ERROR,D,W,FLOPs,Status,LR\n41,7,16,5e6,Done,0.1\n")[1]
t.is(capitals.errors[1], 41, "ERROR")
t.ok(capitals.models[1].d == 7 and capitals.models[1].w == 16, "D and W are fields of a network")
t.ok(capitals.columns.flops[1] == 5e6 and capitals.columns.LR[1] == 0.1, "FLOPs; LR stays LR")
t.is(import("c.csv", "Error,error\n1,2\n")[1].errors[1], 2, "the name as we write it goes first")
refused("two that could be it", "c.csv", "Error,ERROR\n1,2\n",
  "the columns ERROR and Error both mean error; rename one")
t.is(import("c.csv", "Top1,summary.Acc\n1,60\n", { accuracy = "acc" })[1].errors[1], 40,
  "a column by its name in other letters, without its section")
t.is(import("c.csv", "metrics.lr,params.lr,error\n1,2,3\n")[1].columns["params.lr"][1], 2,
  "sections stay where names would be the same")
t.is(import("c.jsonl", '{"w0":24,"wa":24.48,"wm":2.5,"g":8,"d":9,"Error":5}\n{"error":6}\n')[1].n,
  2,
  "JSON lines may differ in letters")
refused("not within one", "c.jsonl", '{"Error":5,"ERROR":6}\n', "ERROR and Error both mean error")
refused("a text for a number", "c.csv", "error,d\n5,deep\n",
  "line 2, column d: deep is not a number")
refused("flops as text", "c.csv", "error,flops\n5,many\n",
  "line 2, column flops: many is not a number")
refused("infinite depth", "c.csv", "error,d\n5,1e400\n", "column d: inf is not a finite number")
t.is(import("c.csv", "\xef\xbb\xbferror\r\n5\r\n1e400\r\n")[1].failed, 1,
  "BOM, CRLF; 1e400 has failed")

-- pycls --------------------------------------------------------------------------------------

local sweep_json = [=[
[{"cfg":{"MODEL":{"TYPE":"regnet","NUM_CLASSES":10},"REGNET":{"STEM_TYPE":"res_stem_cifar",
"STEM_W":16,"BLOCK_TYPE":"res_bottleneck_block","STRIDE":2,"SE_ON":false,"SE_R":0.25,"DEPTH":8,
"W0":16,"WA":14.2,"WM":2.3,"GROUP_W":8,"BOT_MUL":1.0,"HEAD_W":0},"OPTIM":{"BASE_LR":0.1,
"WEIGHT_DECAY":0.0005,"MAX_EPOCH":2},"TRAIN":{"IM_SIZE":32}},
"complexity":{"flops":9000000,"params":127034,"acts":300000},
"train_epoch":{"top1_err":[60.1234,41.5],"epoch_ind":[1,2],"epoch_max":[2,2]},
"test_epoch":{"top1_err":[39.25,40.75],"min_top1_err":[39.25,39.25],"epoch_ind":[1,2],
"epoch_max":[2,2]},
"test_ema_epoch":{"top1_err":[70.5,39.5],"min_top1_err":[70.5,39.5],"epoch_ind":[1,2],
"epoch_max":[2,2]},
"log_file":"logs/000000/stdout.log","err":""},
{"cfg":{"MODEL":{"TYPE":"regnet"},"TRAIN":{"IM_SIZE":32}},
"test_epoch":{"top1_err":[48.0],"min_top1_err":[48.0],"epoch_ind":[1],"epoch_max":[2]},
"log_file":"logs/000001/stdout.log","err":"Traceback: out of memory"}]
]=]
local one = import("sweep.json", sweep_json)
local r = one.sweep
t.is(r.errors[1], 40.75, "the last epoch counts")
t.is(import("sweep.json", sweep_json, { error = "min" })[1].errors[1], 39.25, "the least")
t.is(import("sweep.json", sweep_json, { error = "ema" })[1].errors[1], 39.5, "of averaged weights")
t.ok(tostring(one):find('error = "last": the error of the last epoch', 1, true), "which, is said",
  tostring(one))
t.ok(r.n == 2 and #r.errors == 1 and #r.unfinished == 1, "the second never finished")
t.is(r.unfinished[1].text, "Traceback: out of memory", "its text is kept")
t.is(r.unfinished[1].why, "ended after epoch 1 of 2", "and how far it came")
t.is(table.concat(r.models[1].w, " "), "16 40 88", "the network is that of its parameters")
t.is(r.models[1].regnet.w_a, 14.2, "a RegNet")
t.is(r.columns.flops[1], 9000000, "the counts of the file are properties")
t.is(#r.differences, 2, "flops and acts differ, params do not")
t.ok(tostring(one):find("flops of 1 network are not those of the file: "
  .. "entry 1, 9,000,000 there, 3,915,642 "
  .. "counted", 1, true), "said", tostring(one))
t.is(r.columns.lr[1], 0.1, "the learning rate")
t.is(table.concat(r.curves[1], " "), "39.25 40.75", "a curve")
t.is(import("s.json.gz.json", sweep_json)[1].errors[1], 40.75, "by its first character")
refused("another choice", "sweep.json", sweep_json,
  'take error = "last", "min" or "ema", not "top1"',
  { error = "top1" })
refused("an accuracy", "sweep.json", sweep_json, "not accuracy=", { accuracy = "x" })
local function job(t0)
  local j = { cfg = { MODEL = { TYPE = "regnet" }, TRAIN = { IM_SIZE = 32 } },
    test_epoch = { top1_err = { 50, 40 },
    min_top1_err = { 50, 40 }, epoch_ind = { 1, 2 }, epoch_max = { 2, 2 } } }
  for k, v in pairs(t0) do j[k] = v end
  return "[" .. json.encode(j) .. "]"
end
refused("no ema", "j.json", job {}, "entry 1 has no test_ema_epoch", { error = "ema" })
local again = job { test_epoch = { top1_err = { 50, 48, 40 }, epoch_ind = { 1, 1, 2 },
  epoch_max = { 2, 2, 2 } } }
t.is(table.concat(import("j.json", again)[1].curves[1], " "), "48 40",
  "an epoch that was repeated counts once")
t.is(import("j.json", (job {}:gsub("40%]", "NaN]")))[1].failed, 1, "NaN at the end has failed")
t.is(import("j.json", (job {}:gsub("40%]", "1e400]")))[1].errors[1], 100, "so has 1e400")
t.is(#import("j.json", job { test_epoch = { top1_err = {}, epoch_ind = {},
  epoch_max = {} } })[1].unfinished, 1,
  "no epoch: unfinished")
t.is(import("j.json", '[{"cfg":{"MODEL":{"TYPE":"vit"}}}]')[1].unfinished[1].why,
  "no epoch was tested",
  "not even tested")

local function no_network(what, cfg, part)
  local list = import("j.json", job { cfg = cfg })
  local none = list and list[1].no_network[1]
  t.ok(none and none.why:find(part, 1, true) and list[1].errors[1] == 40, what, none and none.why)
end
no_network("a transformer", { MODEL = { TYPE = "vit" } }, "MODEL.TYPE 'vit' is not known")
no_network("another stem", { MODEL = { TYPE = "regnet" }, REGNET = { STEM_TYPE = "deep" } },
  "STEM_TYPE 'deep' is not known")
no_network("strides in the 1×1", { MODEL = { TYPE = "resnet", DEPTH = 50 },
  RESNET = { TRANS_FUN = "bottleneck_transform" } }, "STRIDE_1X1")
no_network("groups that do not fit", { MODEL = { TYPE = "anynet" }, ANYNET = { DEPTHS = { 1 },
  WIDTHS = { 30 }, STRIDES = { 2 }, BOT_MULS = { 1 }, GROUP_WS = { 16 } } }, "do not fit")
t.ok(tostring(import("j.json", job { cfg = { MODEL = { TYPE = "vit" } } })):find(
  "1 model without a network: entry 1, MODEL.TYPE 'vit' is not known", 1, true),
    "said of the result")

local function network(what, want, cfg)
  local m, why = pycls.network(cfg)
  t.ok(m and arch.hash(m) == arch.hash(want), what, m and tostring(m) or why)
end
local imagenet = { IM_SIZE = 224, DATASET = "imagenet" }
network("ResNet-50", zoo["ResNet-50"], { MODEL = { TYPE = "resnet", DEPTH = 50,
  NUM_CLASSES = 1000 },
  RESNET = { TRANS_FUN = "bottleneck_transform", STRIDE_1X1 = false }, TRAIN = imagenet })
network("ResNeXt-50", zoo["ResNeXt-50"], { MODEL = { TYPE = "resnet", DEPTH = 50,
  NUM_CLASSES = 1000 },
  RESNET = { TRANS_FUN = "bottleneck_transform", STRIDE_1X1 = false, NUM_GROUPS = 32,
    WIDTH_PER_GROUP = 4 },
  TRAIN = imagenet })
network("R-56", zoo["R-56"], { MODEL = { TYPE = "resnet", DEPTH = 56 },
  TRAIN = { IM_SIZE = 32, DATASET = "cifar10" } })
network("EfficientNet-B0", zoo["EfficientNet-B0"], { MODEL = { TYPE = "effnet", NUM_CLASSES = 1000,
  ACTIVATION_FUN = "swish" }, EN = { STEM_W = 32, DEPTHS = { 1, 2, 2, 3, 3, 4, 1 },
  WIDTHS = { 16, 24, 40, 80, 112, 192, 320 }, EXP_RATIOS = { 1, 6, 6, 6, 6, 6, 6 },
  STRIDES = { 1, 2, 2, 2, 1, 2, 1 }, KERNELS = { 3, 3, 5, 3, 5, 5, 3 }, HEAD_W = 1280 },
    TRAIN = imagenet })
local none = 0
for _, name in ipairs(zoo.names()) do
  local cfg = pycls.config(zoo[name])
  none = none + (cfg and 0 or 1)
  if cfg then network(name .. " there and back", zoo[name], cfg) end
end
local small = arch.regnet { d = 8, w_0 = 16, w_a = 14.2, w_m = 2.3, g = 8, stages = "any",
  stride = { 1, 2, 2 } }
t.is(pycls.config(small).MODEL.TYPE .. pycls.config(small).REGNET.WA, "anynet14.2",
  "a RegNet with strides of its own is an AnyNet, its parameters are told")
t.is(none, 2, "of the zoo, two are no network of pycls")

-- NDS ----------------------------------------------------------------------------------------

local nds1 = [[{"job_id":1,"rng_seed":7,"params":431080,"flops":52000000,"min_test_top1":8.91,
"train_ep_top1":[40.2,12.1,3.2],"test_ep_top1":[45.1,14.0,9.02],
"net":{"block_type":"res_bottleneck_block",
"ds":[1,3,5,2],"ws":[16,32,64,128],"ss":[1,1,2,2],"bot_muls":[1,2,2,1],"num_gs":[1,4,8,2]},
"optim":{"base_lr":0.1,"wd":0.0005}}]]
local nds2 = nds1:gsub('"job_id":1', '"job_id":2'):gsub("8.91", "10.4"):gsub("9.02", "10.4")
local nds = import("nds.json", "[" .. nds1 .. "," .. nds2 .. "]").nds
t.is(table.concat(nds.errors, " "), "9.02 10.4", "the last epochs of NDS")
t.is(import("nds.json", "[" .. nds1 .. "]", { error = "min" })[1].errors[1], 8.91, "its least")
refused("no averaged weights", "nds.json", "[" .. nds1 .. "]", "NDS has no averaged weights",
  { error = "ema" })
t.is(nds.columns.seed[1], 7, "its seed")
t.is(nds.columns.lr[1], 0.1, "its learning rate")
t.is(nds.curves[1][2], 14.0, "its curve")
local m = nds.models[1]
t.ok(m.stem == "cifar" and m.stem_width == 16 and #m.d == 3 and m.d[2] == 5,
  "the first stage is the stem")
t.is(table.concat(m.g, " "), "16 16 64", "numbers of groups became their widths")
t.is(#nds.differences, 4, "its counts differ")
local halves = nds1:gsub('"params":431080', '"params":250714')
t.is(table.concat(import("nds.json", "[" .. halves .. "]")[1].models[1].b, " "), "2 2 1",
  "bottlenecks are read as the count of parameters has it")
t.is(#import("nds.json", "[" .. halves .. "]")[1].differences, 1, "which then fits")
local both = import("top-mid.json", '{"top": [' .. nds1 .. '], "mid": [' .. nds2 .. "]}")
t.ok(#both == 2 and both.top.errors[1] == 9.02 and both.mid.errors[1] == 10.4,
  "top and mid are two populations")
local cell = import("cell.json",
  '[{"net":{"genotype":{"normal":[]},"width":16,"depth":8},"test_ep_top1":[9.5]}]')[1]
t.is(cell.no_network[1].why, "a cell (genotype) is no network of stages", "a cell has no network")
t.ok(cell.errors[1] == 9.5 and cell.columns.width[1] == 16, "but an error and properties")
local plain = nds1:gsub("res_bottleneck_block", "double_plain_block")
t.is(import("nds.json", "[" .. plain .. "]")[1].models[1].block, "vanilla",
  "double_plain_block is vanilla")
t.is(import("list.json", '[{"error":5,"d":7},{"Error":6}]').list.errors[2], 6,
  "a list of plain records")

local strings = import("strings.json", [=[[{"error":5,"note":"}{"},{"error":6,"note":"a\"}"},
{"error":7,"note":"{","extra":[[1],{"x":"]"}]},{"error":8,"note":"}"},{"error":9,"note":"{\\"} ]]=])[1]
t.is(table.concat(strings.errors, " "), "5 6 7 8 9", "brackets and escapes in strings are text")
t.is(table.concat(strings.columns.note, " "), '}{ a"} { } {\\', "and stay as they are")

-- Broken files -------------------------------------------------------------------------------

refused("cut off", "b.json", sweep_json:sub(1, 700),
  "entry 1: the file ends before it is complete; was it cut off?")
refused("between entries", "b.json", '[{"error":5}', "the file ends before it is complete")
refused("text behind", "b.json", '[{"error":5}] x', "text after the end of the list: 'x'")
refused("no comma", "b.json", '[{"error":5} {"error":5}]',
  "entry 1: '{' follows where a comma or ] belongs")
refused("no object", "b.json", '[{"error":5},7]', "entry 2: 7 is no JSON object")
refused("bad JSON", "b.json", '[{"error":5},{"error":}]', "entry 2: {\"error\":} is no JSON object")
refused("deep nesting", "b.json", "[" .. ("["):rep(3000) .. ("]"):rep(3000) .. "]", "entry 1: ")
refused("deep nesting, cut", "b.json", ("["):rep(100000),
  "entry 1: more than 500 lists and objects in each other")
refused("binary", "b.json", '[{"error":5}\0]', "'\\x00' follows")
refused("keys in capitals", "b.json", job {}:gsub("cfg", "CFG"),
  "entry 1: 'CFG' should be written 'cfg'")
refused("a text in a list", "b.json", job {}:gsub("50,40", '50,"40"'),
  "value 2 is 40, not a number")
refused("a null in a list", "b.json", job {}:gsub("50,40", "null,40"),
  "value 1 is nil, not a number")
refused("a text for a depth", "b.json", job { cfg = { MODEL = { TYPE = "regnet" },
  REGNET = { DEPTH = "8" } } },
  'entry 1: cfg.REGNET.DEPTH: "8" is no whole number')
refused("half a depth", "b.json", job { cfg = { MODEL = { TYPE = "regnet" },
  REGNET = { DEPTH = 8.5 } } }, "entry 1: cfg.REGNET.DEPTH: 8.5 is no whole number")
refused("an object as a list", "b.json", job { test_epoch = { top1_err = { a = 1 } } },
  "entry 1, test_epoch")
refused("lists of different length", "b.json", job { test_epoch = { top1_err = { 1 },
  epoch_ind = { 1, 2 },
  epoch_max = { 2, 2 } } }, "1 values of top1_err, 2 of epoch_max and 2 of epoch_ind")
refused("an error above 100", "b.json", job {}:gsub("50,40", "50,400"),
  "400 is no error in percent")
refused("infinite flops", "b.json", job {}:gsub("^%[{", '[{"complexity":{"flops":1e400},'),
  "entry 1, complexity.flops: inf is not a finite number")
refused("widths for other stages", "b.json", "[" .. nds1:gsub("16,32,64,128", "16,32,64") .. "]",
  "entry 1: net.ws: 3 entries for 4 stages")
refused("an empty list", "b.json", "[]", "it has no models")
refused("an object", "b.json", '{"a":[{}],"b":3}', "'b' is no list")
t.is(import("bom.json", "\xef\xbb\xbf" .. sweep_json:gsub("\n", "\r\n"))[1].errors[1], 40.75,
  "BOM and CRLF")

-- the same pieces, whatever their size
local function listed(text, size)
  local at, out = 1, {}
  local good, err = pcall(elements.each, function()
    local piece = text:sub(at, at + size - 1)
    at = at + size
    return piece ~= "" and piece or nil
  end, function(e, n, key) out[#out + 1] = ("%s%d:%s"):format(key or "", n, e) end)
  return table.concat(out, "|") .. (good and "" or " " .. err.message)
end
for _, text in ipairs { '[{"a":"x\\"]}"}, 2,"q\\\\", [[]]]', '{"top":[{"a":1},{}],"mid":[]}',
  '["\\', "[1" } do
  local whole, same = listed(text, 1000), true
  for size = 1, 7 do same = same and listed(text, size) == whole end
  t.ok(same, "in pieces: " .. whole)
end
local most = elements.MOST
elements.MOST = 1000
t.is(listed('[{"a":"' .. ("x"):rep(5000) .. '"}]', 100),
  " it is larger than 0 MB; split the file, or leave out "
  .. "what is not needed", "an element has a limit")
elements.MOST = most

-- 64 MB in pieces: what is in memory is one of them
do
  local entry = ('{"a":"%s"},'):format(("x"):rep(4000))
  local text, pieces, peak = entry:rep((1 << 18) // #entry), 0, 0
  collectgarbage()
  collectgarbage()
  local n, before = 0, collectgarbage "count"
  elements.each(function()
    pieces = pieces + 1
    return pieces == 1 and "[" or pieces < 258 and text or pieces == 258 and "1]" or nil
  end, function()
    n, peak = n + 1, math.max(peak, collectgarbage "count" - before)
  end)
  t.ok(n > 16000 and peak < 8 << 10, "64 MB need no more than a few", ("%d, %.0f kB"):format(n, peak))
end

-- lines of any length, whatever the size of the pieces of the file
local lines = {}
for i = 1, 300 do
  lines[i] = ('{"error":%d,"learning":[{"epoch":1}],"note":"%s"}'):format(i % 90, ("x"):rep(i * 37))
end
local wide = import("wide.jsonl", table.concat(lines, "\r\n"))[1]
t.ok(#wide.errors == 300 and wide.errors[300] == 30, "1.6 MB of JSON lines")
t.is(#wide.columns.note[300], 300 * 37, "whole")
t.is(#import("end.jsonl", '{"error":1}\n\n{"error":2}\n')[1].errors, 2, "a line break at the end")

-- a long list does not stay in memory
local big = assert(io.open(dir .. "/big.json", "wb"))
local filler = (('"train_it_loss":[%s1],'):format(("2.3456,"):rep(3000)))
big:write "["
for i = 1, 400 do
  big:write(i > 1 and ",\n" or "", (nds1:gsub("^{", function() return "{" .. filler end)))
end
big:write "]"
local bytes = big:seek()
big:close()
collectgarbage()
collectgarbage()
local before = collectgarbage "count"
local long = assert(stats.import(dir .. "/big.json"))
t.is(#long[1].errors, 400, "400 jobs of 20 kB")
collectgarbage()
collectgarbage()
t.ok((collectgarbage "count" - before) * 1024 < bytes / 4, "what is kept is small")

-- Large integers -----------------------------------------------------------------------------

local exact = 9007199254740993
t.is(import("i.csv", ("error,seed\n5,%d\n"):format(exact))[1].columns.seed[1], exact,
  "2^53 + 1 in a CSV")
for name, text in pairs { ["i.jsonl"] = '{"error":5,"seed":%d}\n', ["i.json"] = '[{"error":5,"seed":%d}]',
  ["nds.json"] = '[{"test_ep_top1":[5],"rng_seed":%d,"net":{"genotype":{}}}]',
  ["sweep.json"] = '[{"cfg":{"RNG_SEED":%d,"MODEL":{"TYPE":"vit"}},"test_epoch":'
    .. '{"top1_err":[5],"epoch_ind":[1],"epoch_max":[1]}}]' } do
  t.is(import(name, text:format(exact))[1].columns.seed[1], exact, "in " .. name)
  t.is(import(name, text:format(math.maxinteger))[1].columns.seed[1], math.maxinteger,
    "2^63 − 1 in " .. name)
end

-- What netspace writes -----------------------------------------------------------------------

local path = dir .. "/a.db"
local pops = { R = space.RegNetX:sample(5, { seed = 4, flops = { 1e6, 4e6 }, stem = "cifar",
  stride = 2 }), ["A b"] = space.small.AnyNetXA:sample(5, { seed = 2, flops = { 1e6, 4e6 } }),
  V = space.small.AnyNetVA:sample(3, { seed = 2 }) }
local w = assert(ledgers.open(path))
w:write(function()
  for _, name in ipairs { "R", "A b", "V" } do
    local id = w:create { name = name, space = "S", seed = 7, recipe = recipe { epochs = 2,
      lr = 0.3 },
      source = { spec = "shapes" }, card = { spec = "shapes", checksum = "abc" } }
    for i, net in ipairs(pops[name]) do
      w:add_model(id, i, net, ledgers.identity(net), exact + i, arch.complexity(net))
    end
    w:take(id, name, 1)
    for i, row in ipairs(w:models(id)) do
      if i < 5 then
        w:start(row.id, 1, 1)
        w:epoch(row.id, 1, { epoch = 1, lr = 0.1, validation_error = 40 + i, train_loss = 2,
          train_error = 80,
          seconds = 1 })
        if i < 4 then
          w:epoch(row.id, 1, { epoch = 2, lr = 0.1, validation_error = i == 1 and 50 or 200 / (6 + i),
            train_loss = 1, train_error = 70, seconds = 1 })
          w:finish(row.id, 1, { status = i == 2 and "diverged" or "done", seconds = 0.5,
            error = i == 2 and 100
            or i == 1 and 50 or 200 / (6 + i), reason = i == 2 and "loss is nan" or nil,
              crashes = 0 })
        end
      end
    end
    w:finish_run()
  end
end)
w:close()
local s = assert(store.open(path))
t.is(s:export(dir .. "/jobs.json"), 13, "thirteen jobs")
local jobs = json.decode(read "jobs.json")
t.is(#jobs, 13, "a list")
local kept, missing = 0, {}
local function need(x, keys, where)
  for key in keys:gmatch "[^.]+" do x = type(x) == "table" and x[key] or nil end
  if x == nil then missing[#missing + 1] = where .. keys end
  return x
end
for i, j in ipairs(jobs) do
  if j.test_ema_epoch then -- else its analysis drops the job
    kept = kept + 1
    for _, keys in ipairs { "cfg.OPTIM.BASE_LR", "cfg.OPTIM.WEIGHT_DECAY", "cfg.OPTIM.MAX_EPOCH",
      "test_epoch.epoch_ind", "test_epoch.epoch_max", "test_epoch.min_top1_err",
        "cfg.TRAIN.IM_SIZE",
      "test_ema_epoch.min_top1_err", "complexity.flops", "complexity.params", "complexity.acts",
      "train_epoch.time_epoch", "cfg.DESC" } do
      need(j, keys, i .. ": ")
    end
    t.is(#j.test_epoch.epoch_ind, #j.test_epoch.min_top1_err, "lists of one length: " .. i)
    if not j.log_file:find "/[^/]+/[^/]+$" then missing[#missing + 1] = "log_file" end
  end
end
t.is(kept, 9, "nine with a result")
t.is(#missing, 0, "all that the analysis reads is there", missing[1])
t.is(jobs[1].test_ema_epoch.min_top1_err[2], 41, "its error is the least: epoch 1 of the first")
t.is(math.min(table.unpack(jobs[2].test_ema_epoch.min_top1_err)), 100, "a diverged one has 100")
t.ok(jobs[4].test_ema_epoch == nil and jobs[4].test_epoch.epoch_ind[1] == 1,
  "an unfinished one is dropped there")
t.ok(jobs[5].test_epoch == nil, "nothing tested, nothing written")
t.is(jobs[1].cfg.MODEL.TYPE .. jobs[6].cfg.MODEL.TYPE .. jobs[11].cfg.MODEL.TYPE,
  "regnetanynetnetspace", "types")
local back = assert(stats.import(dir .. "/jobs.json"))
local function same(got, name, what)
  local want = s:result(name)
  t.is(json.encode(got.errors), json.encode(want.errors), what .. name .. ": errors")
  t.is(json.encode(got.indices), json.encode(want.indices), what .. name .. ": places")
  t.ok(got.n == want.n and got.failed == want.failed, what .. name .. ": counts")
  return want
end
for i, name in ipairs(s:names()) do
  local want = same(back[i], name, "back: ")
  t.is(back[i].name, name, "population " .. i)
  t.is(json.encode(back[i].models), json.encode(want.models), name .. ": networks")
  t.is(json.encode(back[i].recipe), json.encode(want.recipe), name .. ": recipe, beside the file")
  t.is(back[i].columns.seed[3], exact + 3, name .. ": seeds")
  t.is(#back[i].differences + #back[i].no_network, 0, name .. ": nothing is said against it")
end
local bare = {}
for i, j in ipairs(jobs) do
  if i <= 10 then
    j.netspace = nil
    bare[#bare + 1] = j
  end
end
local theirs = import("bare.json", json.encode(bare))[1]
t.is(#theirs.no_network, 0, "from pycls's words alone")
t.is(#theirs.differences, 0, "all counts are the same")
local hashes = {}
for i, net in ipairs(theirs.models) do hashes[i] = arch.hash(net) end
t.is(table.concat(hashes, " "), table.concat({ arch.hash(pops.R[1]), arch.hash(pops.R[2]),
  arch.hash(pops.R[3]),
  arch.hash(pops["A b"][1]), arch.hash(pops["A b"][2]), arch.hash(pops["A b"][3]) }, " "),
    "the same networks")
refused("another network under our hash", "bad.json", (read "jobs.json":gsub('"hash":"%x',
  '"hash":"z', 1)),
  "the network is not the one that was exported")
t.is(s:export(dir .. "/one.json", "R"), 5, "one population")
local shell = io.popen(("%s export %s -o %s/shell.json.gz R 2>&1; echo $?"):format(
  os.getenv "NETSPACE" or "build/release/netspace", path, dir))
t.is(shell:read("a"), dir .. "/shell.json.gz: 5 models\n0\n", "netspace export")
shell:close()
t.is(json.encode(assert(stats.import(dir .. "/shell.json.gz"))[1].errors),
  json.encode(assert(stats.import(dir .. "/one.json"))[1].errors), "compressed, the same")
local cut = read "shell.json.gz"
refused("compressed and cut off", "cut.json.gz", cut:sub(1, #cut // 2),
  "the compressed file ends too early")
refused("no gzip", "no.json.gz", "[1]", "it is not a gzip file")
s:close()

-- Whatever is done to a sound file, there are results or a message ----------------------------

local sound = { { "json", sweep_json }, { "json", "[" .. nds1 .. "," .. nds2 .. "]" },
  { "json", '{"top": [' .. nds1 .. '], "mid": [' .. nds2 .. "]}" }, { "json", read "one.json" },
  { "csv", mlflow } }
local index = 0
local function random(n)
  index = index + 1
  return (sys.random(17, index, 6) >> 1) % n + 1
end
local scraps = { '"', ",", "\n", "\0", "[", "]", "{", "}", "NaN", "1e999", "-1", "\xff", ":",
  "null", "\\", "true",
  '"x"', "Infinity", "1e-400", "99999999999999999999", "{}", "[]", "0", "0.5", ("["):rep(1100) }
local tally, raised = { results = 0, refusals = 0 }, nil
for i = 1, 2000 do
  local kind, text = table.unpack(sound[i % #sound + 1])
  for _ = 1, random(3) do
    local at, what = random(math.max(1, #text)), random(5)
    if what == 1 and random(3) == 1 then
      text = text:sub(1, at) -- cut
    elseif what == 2 then
      text = text:sub(1, at - 1) .. scraps[random(#scraps)] .. text:sub(at)
    elseif what == 3 then
      text = text:sub(1, at - 1) .. text:sub(at + random(40))
    elseif what == 4 then
      text = text:sub(1, at - 1) .. scraps[random(#scraps)] .. text:sub(at + 1)
    else -- another value in the place of a number
      local from, to = text:find("%d[%d.]*", at)
      if from then text = text:sub(1, from - 1) .. scraps[random(#scraps)] .. text:sub(to + 1) end
    end
  end
  local good, list, problem = pcall(import, "fuzz." .. kind, text,
    { error = kind == "json" and ({ "last", "min", "ema" })[random(3)] or nil })
  if not good or list == nil and type(problem) ~= "string" then
    raised = raised or ("%s\n%s"):format(tostring(list), text:sub(1, 400))
  elseif list then
    tally.results = tally.results + 1
    tostring(list)
    for _, result in ipairs(list) do
      if #result.errors > 0 and not pcall(stats.edf, result) then raised = raised or "an edf: "
        .. result.name end
    end
  else
    tally.refusals = tally.refusals + 1
    if problem:find "^[^:]*: [^:]*%.lua:%d" or problem:find "%c" then raised = raised or problem end
  end
end
t.ok(not raised, "2000 damaged files are read or refused", raised)
t.ok(tally.results > 100 and tally.refusals > 100, "some of each", tally.results .. " "
  .. tally.refusals)

for name in function(scan) return uv.fs_scandir_next(scan) end, uv.fs_scandir(dir) do
  uv.fs_unlink(dir .. "/" .. name)
end
uv.fs_rmdir(dir)
t.done()
