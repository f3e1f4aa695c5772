--- The words and symbols of the method and of netspace, as help explains them: `help w_0`.
-- After "see:" stand topics of help.

local absent = require "netspace.lib.absent"

local M = {}

-- Words for the same, apart by commas; the text; topics that say more.
local rows = {
  -- Design spaces
  { "design space", "A set of networks given by ranges of parameters and constraints; networks "
    .. "are drawn from it, and it is judged by all of them.", "space, S:sample" },
  { "AnyNet, AnyNetX", "The freest spaces: stages of identical blocks, each stage with its own "
    .. "depth d, width w, bottleneck ratio b and group width g.", "space, arch.anynet" },
  { "RegNet, RegNetX, RegNetY", "Networks whose widths lie near a line, w_0 + w_a j for block j, "
    .. "quantised by w_m: six numbers make one.  Y adds squeeze-excitation.", "arch.regnet, zoo" },
  { "population, models", "Networks drawn from one space: a list, which is trained as a whole and "
    .. "judged by the distribution of its errors.", "S:sample, sweep.run" },
  { "principle", "A rule that narrows a space, such as widths that never fall; here a "
    .. "constraint, a few lines of Lua.", "constraint, S:with" },
  { "setting", "Values of all parameters of a space, before group compatibility.", "S:size" },
  { "window", "{lo, hi}: limits of a cost (flops, params, acts, time) of the networks drawn, so "
    .. "that populations are compared at similar complexity.", "S:sample" },
  { "rejection, acceptance", "Candidates are drawn until enough are inside the window and obey "
    .. "the constraints; acceptance is the share that does.", "S:acceptance" },
  { "adopt, adoption", "Trained networks of a space that lie in a refined space count for it, "
    .. "too, without a second training.", "S:sample" },
  { "refine, refinement", "To narrow a space by a constraint, and to see whether its errors "
    .. "improve.", "design.step, S:with" },
  -- A network
  { "network, model, architecture", "Stem, stages and head; a table with lists d, w, b, g and "
    .. "stride, one value a stage.", "arch.anynet, arch.describe" },
  { "stem", "The first layer, which takes the image: \"cifar\" 3×3, \"simple\" 3×3 with stride "
    .. "2, \"res\" 7×7 with pooling.", "arch.anynet" },
  { "body", "The stages between stem and head, where the parameters of a space lie.",
    "arch.describe" },
  { "stage", "Blocks in a row with one width; its first block halves the resolution where its "
    .. "stride is 2.", "arch.anynet" },
  { "block", "What a stage repeats: X (bottleneck with a grouped 3×3 convolution and a "
    .. "residual), Y (with squeeze-excitation), r, v, vr, basic, vanilla, linear, mb.",
    "arch.anynet" },
  { "head", "The last layers: average over the image, then one linear layer to the classes "
    .. "(head_width puts a 1×1 convolution before).", "arch.anynet" },
  { "d, depth", "Blocks of a stage (m.d is a list, one a stage); of a RegNet all blocks "
    .. "together.", "arch.anynet, arch.regnet" },
  { "w, width", "Channels of a stage (m.w[1] … m.w[4]).", "arch.anynet" },
  { "b, bottleneck, bottleneck ratio", "Width over inner width of a block: 1 none, 4 as in ResNet; "
    .. "below 1 inverted.", "arch.anynet" },
  { "g, group width, groups, grouped convolution", "Channels of each group of the 3×3 "
    .. "convolution; 1 is depthwise, the inner width a plain convolution.", "arch.anynet" },
  { "group compatibility", "Widths are made multiples of the group width; m.asked keeps what was "
    .. "written.", "arch.anynet" },
  { "w_0", "Width of a RegNet's line at its first block: u_j = w_0 + w_a j.", "arch.regnet" },
  { "w_a", "Slope of a RegNet's line: by how many channels the width grows a block.",
    "arch.regnet" },
  { "w_m", "Factor between the widths of neighbouring stages of a RegNet; above 1, 2 doubles.",
    "arch.regnet" },
  { "e_fit", "How far a network's widths are from a RegNet's line, the mean of log ratios.",
    "arch.fit" },
  { "se, squeeze-excitation", "Channels scaled by a function of the whole image; se = 0.25 of the "
    .. "block's input width makes a Y block.", "arch.anynet" },
  { "stride", "Step of a stage's first convolution: 2 halves the resolution.", "arch.anynet" },
  { "inverted bottleneck", "b below 1: a block wider inside than outside.", "arch.anynet" },
  { "depthwise", "g = 1: each channel is convolved separately.", "arch.anynet" },
  { "activation", "The function after batch normalisation: \"relu\" or \"silu\".",
    "arch.anynet" },
  -- Costs
  { "complexity, cost", "flops, params and acts of a network at its image size.",
    "arch.complexity" },
  { "time, seconds an image", "What training on an image takes on this machine, told from times of "
    .. "layers that were measured once.", "arch.time, arch.times" },
  { "flops, MF, GF, multiply-adds, macs", "Multiply-adds of one image, as the papers count: 400MF "
    .. "are 400 million.", "arch.complexity" },
  { "params, parameters", "Weights that are trained, of the whole network.", "arch.complexity" },
  { "acts, activations", "Sizes of the outputs of all convolutions; they predict the time on "
    .. "accelerators better than flops.", "arch.complexity" },
  { "image, resolution", "Side of the square images in pixels; costs depend on it.",
    "arch.complexity" },
  -- Training
  { "run, training", "One network trained once: a row of a store with its error, its curve and "
    .. "its times.", "sweep.run, store:networks" },
  { "sweep", "The training of a whole population, one network a core, into a store.",
    "sweep.run, sweep.start" },
  { "attempt", "One try to train a network: after a crash or a stop it is tried again, from its "
    .. "checkpoint where there is one.", "sweep.resume" },
  { "worker", "A process that trains one network at a time on one core (the last of a sweep on "
    .. "those that are idle); as many as cores unless workers = n, or a list of where: "
    .. "\"local:2\", \"ssh:node1:8\".", "sweep.run" },
  { "trainer", "The program that trains: netspace itself, or another that speaks the protocol of "
    .. "netspace-trainer(5).  The store says which one made a model.", "sweep.run" },
  { "epoch", "All training images once.", "recipe" },
  { "batch, batch size", "Images of one step of training.", "recipe" },
  { "lr, learning rate", "Length of a step of training; follows a half cosine unless the "
    .. "recipe says otherwise.", "recipe, recipe.rates" },
  { "wd, weight decay", "Pull of the weights towards 0.", "recipe" },
  { "momentum, nesterov", "How much of the previous step a step of training keeps.", "recipe" },
  { "warmup", "Epochs at the start in which the learning rate grows.", "recipe" },
  { "label smoothing", "Share of each label that is spread over all classes.", "recipe" },
  { "ema, moving average", "Average of the weights in the last part of a training, which is then "
    .. "the network.", "recipe" },
  { "dropout", "Entries of what the last layer reads that are left out at random.", "recipe" },
  { "stochastic depth, drop connect, drop path", "Residual branches that are left out at random, "
    .. "image by image.", "recipe" },
  { "precise batch norm", "Mean and variance of batch norms taken anew before each validation.",
    "recipe" },
  { "seed", "The number that fixes all random choices: the same seed gives the same population, "
    .. "the same weights, the same errors, whatever the number of workers.",
    "S:sample, sweep.run" },
  { "budget", "The time limit of a sweep (budget = \"2h\"): a network that would not be done by "
    .. "then is not started, and the result has .budget.", "sweep.run, sweep.resume" },
  { "forecast, ETA", "How long a sweep will take, from a measurement of this machine.",
    "sweep.forecast" },
  { "checkpoint, resume", "The state of a training on disk, from which it continues bit for bit "
    .. "after a stop.", "sweep.run, sweep.resume" },
  { "handle", "The value of sweep.start: its methods ask for, wait for and stop a sweep.",
    "sweep.start" },
  { "memory", "The most that a network may need in a sweep (memory = \"2GB\"); one that needs more "
    .. "fails, and the same sweep with a higher limit trains it again.",
    "sweep.run, sweep.resume" },
  { "retry", "To train failed networks again: netspace resume STORE --retry (--retry=all: also "
    .. "what diverged); with a higher limit of memory or patience what that limit failed, also "
    .. "without.",
    "sweep.resume, sweep.retry, sweep:retry" },
  { "patience", "Seconds of silence after which a worker counts as hung.", "sweep.run" },
  { "failed, diverged", "A network that could not be trained, or whose loss was no longer a "
    .. "number: it counts with an error of 100 % and is never dropped.", "sweep.run" },
  { "shapes", "The built-in data: ten drawn figures, 32×32, made from a seed.", "data.open" },
  { "CIFAR, CIFAR-10", "60,000 photographs of ten classes, 32×32, from the files you have.",
    "data.open" },
  { "normalisation, augmentation", "The mean of the data set is subtracted from images, which "
    .. "are divided by its deviation; in training they are padded, cropped at random and "
    .. "flipped, or changed as the recipe says.", "data.open, recipe" },
  { "mixup, cutmix", "Training images that are mixed in pairs, with the labels of both.",
    "recipe" },
  { "randaugment, trivialaugment", "Training images changed by operations drawn at random.",
    "recipe" },
  -- Statistics
  { "error", "Share of validation images that a network gets wrong, in percent.", "stats.edf" },
  { "metric", "What populations are compared by: the error, the class error (mean of the errors "
    .. "of every class), the top-5 error, the loss.", "stats.edf" },
  { "validation, validation images, validation error", "Images that are not trained on, by "
    .. "which sweeps compare networks.", "data.open" },
  { "test, test images, test error", "Images that neither trainings nor comparisons see: for "
    .. "one network, chosen already, once.  Looks at them are counted.", "net:test" },
  { "confusion", "Which classes a network takes for which.", "net:confusion" },
  { "EDF, empirical distribution function", "F(e): the share of a population's networks with an "
    .. "error below e.  A better space has the higher curve.", "stats.edf, plot.edf" },
  { "chance", "The error of guessing: 90 % for ten classes.  Populations near it have not "
    .. "learned, and say nothing about their spaces.", "stats.compare" },
  { "band, confidence band", "Where the EDF of the whole space lies, with the stated "
    .. "confidence.", "edf:band" },
  { "KS, Kolmogorov-Smirnov", "Greatest distance of two EDFs, and a test whether chance explains "
    .. "it.", "stats.compare" },
  { "confidence interval, ci, interval", "Where a difference lies, with the stated confidence; "
    .. "a claim needs one without 0.", "stats.compare" },
  { "p, p value", "How often chance alone makes a difference as large.", "stats.compare" },
  { "Holm", "Correction of p where several spaces are compared with one.",
    "stats.alternatives" },
  { "bootstrap, empirical bootstrap", "The paper's estimate: the best of random subsets show "
    .. "which values of a property good networks have.", "stats.bootstrap" },
  { "random search", "The best of n networks drawn: what a space gives for n trainings.",
    "stats.search" },
  { "noise", "How much the error of one network changes with its seed.", "stats.noise" },
  { "property", "A number of each network that errors are compared with: \"d\", \"w_a\", "
    .. "\"flops\", a function(m).", "stats.bootstrap" },
  { "verdict", "The sentence that says what a comparison allows to claim.", "stats.compare" },
  { "sequential test, looks, peeking", "A comparison that is looked at while models are trained, "
    .. "with limits that allow it.", "stats.sequential, stats.boundaries" },
  { "confidence sequence, anytime-valid, e-value", "An interval that holds at every moment at "
    .. "once, however often one looks; the e-value is its p-value.", "stats.anytime" },
  { "prefix", "Models 1 to n in the drawn order, all ended: the fair part of a population that "
    .. "still trains.", "stats.prefix" },
  { "compare, comparison", "Whether one population is better than another, and what may "
    .. "be claimed.", "stats.compare, design.step" },
  { "normalised comparison", "Populations compared at the same distribution of a cost.",
    "stats.normalise" },
  -- Programs
  { "provenance", "What a result came from: seed, space, recipe, data, versions, machine.",
    "store:provenance" },
  { "safetensors", "The format of saved weights.", "net:save, net.load" },
  { "NDS", "Network design spaces of arXiv 1905.13214, the first paper: spaces compared by "
    .. "their EDFs.", "space" },
  { "pycls", "The code of the papers' authors, for GPUs; netspace counts as it does.",
    "arch.complexity" },
}

local function key(word)
  return (tostring(word):lower():gsub("[%s_-]+", " "))
end

local found = {} -- key -> row
for _, row in ipairs(rows) do
  for word in row[1]:gmatch "[^,]+" do found[key(word:match "^%s*(.-)$")] = row end
end

--- The text for a word or symbol, in any case, "bottleneck-ratio" or "bottleneck ratio", also of
-- several ("stages"); nil for others.
function M.text(word)
  local row = found[key(word)]
    or not absent.answer(word) and found[(key(word):gsub("s$", ""))]
  return row and ("%s\n%s\nsee: %s"):format(row[1], row[2], row[3])
end

--- Each row's words and text: { { words =, text =, see = }, … }.
function M.rows()
  local list = {}
  for i, row in ipairs(rows) do list[i] = { words = row[1], text = row[2], see = row[3] } end
  return list
end

return M
