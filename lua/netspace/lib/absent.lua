--- What people look for here and netspace does not do, and what there is instead: asked by help,
-- by option tables, and for files given as scripts.  The one place for these answers.

local M = {}

local cpu = "netspace itself trains on processor cores (CPU), which is made for small networks and "
  .. "images: space.small, recipe.quick; another program can train in its place: sweep.run{ "
  .. "trainer = \"COMMAND\" } (man netspace-trainer)"
local one_machine = "a population trains on other machines by ssh, where the option workers of "
  .. "sweep.run lists them, or on a cluster with Slurm (on = slurm{ … }, help(slurm)); one network "
  .. "is never spread over several"
local data = "data.open reads folders of images, lists, tar and zip archives (WebDataset's, too), "
  .. 'CIFAR-10 and -100, MNIST and its family, and arrays of NumPy: data.open("~/photos", '
  .. "{ image = 96 }); help(data.open)"
local other_data = "images come from folders, lists, tar and zip archives or arrays "
  .. "(help(data.open)); boxes, masks, and records of TensorFlow are not read"
local results = "netspace keeps results in its own store, an SQLite file whose views pandas, R "
  .. "and DuckDB read (man netspace-exchange); store:export and `netspace export` write CSV, JSON "
  .. "lines and the sweep.json of pycls, stats.import reads theirs, report makes a page"
local network = "a network goes out as safetensors (net:save), and as a PyTorch module, an ONNX "
  .. "model or C (net:export); there is no other format"
local live = "netspace has its own live view: monitor(\"runs.db\"), or `netspace monitor STORE`; "
  .. "store:export writes the numbers for other tools"
local search = "netspace compares whole spaces by their error distributions and does not search "
  .. "for one best network; stats.search says what a random search would find"
local augment = "the augment of a recipe has crops, flips, lighting, colour jitter, RandAugment, "
  .. "TrivialAugment, mixup and cutmix; that is all.  recipe lists it"
local smaller = "netspace trains whole networks in float32 from scratch; smaller ones come from a "
  .. "space or constraint that allows only those"
local scripts = "scripts are Lua: netspace FILE.lua; results go to Python as CSV, JSON lines or "
  .. "a PyTorch module (store:export, net:export)"
local anew = "a sweep starts each network from its seed; one network goes on from weights: "
  .. "net.load(file, { classes = 10 }) reads those of pycls, timm and torchvision (none come with "
  .. "netspace), net:train(D, { freeze = \"body\" }) tunes them (examples/finetune.lua)"

-- Words, as they are asked for, and the answer.
local answers = {
  { "gpu cuda rocm metal mps tpu device accelerator nvidia amp fp16 bf16 mixed_precision", cpu },
  { "distributed ddp mpi ray kubernetes ssh horovod multinode submitit",
    one_machine },
  { "threads num_threads openmp", "a network is trained by one core, so that results do not "
    .. "depend on their number; workers = n sets how many are trained at once" },
  { "imagenet folder images photos dataloader webdataset mnist cifar100 imagefolder", data },
  { "coco tfrecord voc segmentation detection boxes masks", other_data },
  { "onnx tflite torchscript tensorrt openvino coreml keras tensorflow", network },
  { "pandas dataframe numpy parquet excel mlflow", results },
  { "tensorboard wandb comet neptune", live },
  { "jupyter notebook ipython python pip", scripts },
  { "windows macos", "netspace is made for Linux; on Windows it runs within WSL (a Debian or "
    .. "Ubuntu)" },
  { "nas evolution darts hyperband bayesian optuna supernet proxy zero_cost", search },
  { "autoaugment augmix cutout", augment },
  { "optimizer optimiser adam adamw rmsprop lamb", "training is by SGD with momentum, as in pycls: "
    .. "recipe{ lr =, momentum =, nesterov =, wd = }" },
  { "pruning quantization quantisation int8 distillation sparsity compression", smaller },
  { "finetune fine_tune finetuning transfer pretrained transfer_learning weights", anew },
  { "latency speed throughput", "how fast a network runs is measured here, on one core: "
    .. "net.benchmark(m).images_per_s; a property or a constraint's check can call it, and "
    .. "stores keep images_per_s of training" },
  { "yaml pycls config", "`netspace import FILE.yaml` and exchange.pycls.read take the network "
    .. "and the recipe of a configuration of pycls, of a sweep a script; published networks are "
    .. "in zoo" },
}

local known = {} -- word -> answer
for _, row in ipairs(answers) do
  for word in row[1]:gmatch "%S+" do known[word] = row[2] end
end

--- The answer for a word ("GPU", "fine-tune"), or nil.
function M.answer(word)
  return known[(tostring(word):lower():gsub("[%s-]+", "_"))]
end

--- All words that have an answer, sorted.
function M.words()
  local list = {}
  for word in pairs(known) do list[#list + 1] = word end
  table.sort(list)
  return list
end

-- Formats of networks that are not written, and endings of their files that are called otherwise.
local network_formats = { onnx = true, tflite = true, torchscript = true, openvino = true,
  keras = true, tensorflow = true, coreml = true }
local table_formats = { parquet = true, excel = true, pandas = true, numpy = true }
local tables = { xlsx = "excel", xls = "excel", ods = "excel", pkl = "pandas", pickle = "pandas",
  feather = "pandas", arrow = "parquet", npy = "numpy", npz = "numpy" }
local endings = { pt = "torchscript", pth = "torchscript", h5 = "keras", pb = "tensorflow",
  mlmodel = "coreml" }

-- Files of other programs, by what their names end with.
local files = {
  yaml = "is a configuration (YAML), not a script; " .. known.pycls,
  onnx = "is an ONNX network, which netspace does not read: " .. known.onnx,
  pt = "is a network of PyTorch, not a script; net.load reads safetensors, which "
    .. "scripts/from_torch.py makes of it",
  parquet = "is a table, not a script; stats.import reads results as CSV or JSON lines",
  safetensors = "has weights, not a script; net.load reads it",
  py = "is a Python script; " .. scripts,
  ipynb = "is a notebook; " .. scripts,
  csv = "is a table, not a script; stats.import reads results",
}
files.yml, files.pth, files.json, files.jsonl = files.yaml, files.pt, files.csv, files.csv

--- Why a file is not a script, by its name; nil where it may be one.
function M.file(name)
  return files[(name:match("%.(%w+)$") or ""):lower()]
end

--- What takes the place of a format of tables that an export does not write, by the name of its
-- file; "" for one of nobody.
function M.table(name)
  local ending = (name:match "%.(%w+)$" or ""):lower()
  ending = tables[ending] or ending
  return table_formats[ending] and ("; " .. known[ending]) or ""
end

--- Why a network cannot be written in the format that the name of a file ends with, or nil.
function M.format(name)
  local ending = (name:match "%.(%w+)$" or ""):lower()
  ending = endings[ending] or ending
  return network_formats[ending] and known[ending]
end

return M
