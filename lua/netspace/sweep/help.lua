--- What help says of the functions in sweep.lua, and of the methods of a sweep.

local document = require("netspace.lib.doc").group "sweep"

document("sweep.run", [[
  sweep.run{ store=, name=, models=, data= [, recipe=, workers=, seed=, …] } -> result
  Trains every network of a population, one per core, and waits.  Finished models are stored at
  once: after an interruption the same call trains only the rest, and a larger population with
  the same beginning adds its new models.
    store       file that keeps the results (made when missing)
    name        what to call the population in it (the name of its space)
    models      a population (S:sample) or a list of networks; or, with compare, a list of
                populations of one size, the parent first, and name a list of their names
    data        what data.open takes ("shapes", "~/photos", "cifar10:DIR"), or a dataset from it
    recipe      how to train, as for recipe{ … }; what is not given is as in recipe.quick.  Its
                batch may be no larger than the training set
    workers     processes at a time (all cores); the last models get those that are idle, and the
                results do not depend on it.  Or a list of
                where: { "local:2", "ssh:node1:8", "ssh:user@node2:4" }.  A host needs ssh without
                a question, netspace in the PATH (or "ssh:node1:8:/opt/bin/netspace") and the data
                under the same name; it is asked first, and what is missing is said.  One that
                vanishes is tried again with growing pauses, its models elsewhere, from the last
                of their checkpoints that was brought here
    trainer     a program that trains instead of netspace: a command line, or a table of command (a
                command line for sh, or a list of words), slots (how many of it at a time, 1) and
                env (variables); it is started in this directory.  It speaks the protocol of
                netspace-trainer(5); `netspace trainer check COMMAND` tries it.  The store says
                which trainer made a model
    identical   true: no worker of another trainer, version, device or kernels than the others
                (with the same kernels results are the same to the last bit)
    seed        of weights and data order (the population's seed)
    checkpoint  false: none; else a table of
                every   epochs or time ("10m") between two checkpoints, a time also within an
                        epoch; by default after an epoch when writing takes at most a
                        hundredth of the time since the last one, and every five minutes
                        within a long epoch
                limit   write no checkpoint larger than this ("200MB")
                keep    true: keep the weights of finished networks in STORE.weights, for
                        s:net of the open store
    memory      the most that a network may need, in bytes or as "2GB"; a network that needs
                more fails, and so does one whose worker takes 64 MiB more than that (and a
                copy of its weights for a checkpoint).  The same call with a higher limit trains
                again what failed at the lower one.  In any case a network waits until it fits
                into the memory of the machine together with those in training
    patience    seconds of silence after which a worker counts as hung (120); it always gets 20
                times its longest silence so far.  With more, the same call trains again what
                failed so
    budget      time limit, such as "2h" or 5400 (seconds, also "5400"): a model that would not be
                done by then is not started, so the first models of the population are trained; the
                last line says how many are left, and the result has .budget, the seconds.  That
                is no failure: the exit status is 0, or 3 where a model has failed, then or before.
                With on= it is time of tasks, summed up: ten at work for an hour take "10h"
    early       { full =, after = 1 }: the first `full` models are trained to the end, the others
                are left after so many epochs, with a checkpoint from which the same call without
                early= goes on.  The result has the former, and .early for predictions: how well
                the others begin makes them more certain (stats.predict).  Since the order of a
                population is random, so are those that are trained to the end
    on          where to train, slurm{ … } or cluster{ … }: tasks of a cluster instead of workers
                here.  Ctrl-C leaves them at work, and the same call goes on with them; without
                on= it takes in what they have done, ends them, and goes on here
    yes         true: start a sweep of more than an hour without asking, as netspace --yes does
    progress    function that is called with the status a few times a second
    quiet       true: nothing on stderr
    compare     of several populations: true, or a table; trains them in turn (the first model
                of each, then the second, …) until it is decided how the others compare with the
                first, and no further:
                looks, spending, margin, predict, seed, level   as in stats.sequential;
                        looks = "anytime" looks after every model, as stats.anytime, and more
                        models may be added later; it predicts only with predict = true
                precision   stops when half of every interval is at most so many points
  With compare the result is a list of results with .decision (stats.sequential) and .verdict.
  Candidates stop one by one; a model at work then stops with its checkpoint, and what is
  trained is kept.  Looks see models 1 to n alone, all ended.  Predictions learn from what else the
  store has as looks are planned (predict = { with = {} }: not), so that five models of each may
  do.  The plan is kept in the store, at the end also what looks saw: the same call goes on after
  an interruption, to the same looks, and another plan is refused.
  The result has .errors in percent (a failed or diverged network counts as 100), .models,
  .failed, .n.  Ctrl-C stops the training after a checkpoint of each model.
  A network whose worker dies is tried again from its last checkpoint; it has failed after 3
  crashes (or 30 kills by others) in a row without progress.
  Every failure raises, also one of the store, the data or the disk, because a script must not
  go on without its population; the same holds for sweep.start, s:wait, sweep.resume and
  sweep.forecast.  pcall catches it; finished models are in the store.  sweep.open and the
  functions that read a store return nil and a message.
  example: sweep.run{ store = "runs.db", name = "A", models = A, data = D }
  example: B = space.small.RegNetX:sample(5, { flops = {1e6, 2e6}, seed = 2 })
      C = space.small.AnyNetXB:sample(5, { flops = {1e6, 2e6}, seed = 3 })
      sweep.run{ store = "two.db", models = { B, C }, data = D, compare = { looks = 1 } }
  source: Radosavovic et al. 2019, 2020: populations instead of single networks]])
document("sweep.forecast", [[
  sweep.forecast{ … } -> forecast
  The cost of a sweep, without starting it; options as in sweep.run.  Fields: .models (still to
  train), .epochs, .images, .flops (multiply-adds in all), .workers, and .seconds with .low and
  .high.  The speed is that of models in the store that this machine has trained; else that which
  the times of layers tell, where they were measured (arch.times); or it is measured on a few of
  the models (a second or two).
  example: sweep.forecast{ store = "runs.db", name = "A", models = A, data = D }]])
document("sweep.window", [[
  sweep.window(S, { data =, time =, models = 16, recipe =, workers = }) -> window
  How large networks of a space may be for a sweep over them to take a given time on this
  machine: .flops = {lo, hi}, a factor of two apart, for S:sample.
    data      what they will train on; size and channels of the networks are the data's
    time      of the whole sweep, such as "10m"
    models    how many networks
    recipe    as in sweep.run (recipe.quick)
    workers   processes at a time (all cores)
  Fields: .flops, .seconds (what it will take), .models, .epochs, .images, .workers.  Where the
  space has hardly any networks of that size the window is the nearest that it has, and .note
  says so.  Populations that are compared are drawn in one window.
  example: sweep.window(space.small.AnyNetXA, { data = D, time = "1m", models = 4 }).flops
  source: times are those of sweep.forecast]])
document("sweep.start", [[
  sweep.start{ … } -> sweep
  As sweep.run, without waiting: the sweep goes on while you type, or while a script waits for
  another one.  Sweeps that run at the same time share the workers.  Unless quiet = true, it
  first measures for some seconds how long it will take.
  The sweep has s:status() s:wait() s:pause() s:resume() s:retry() s:cancel().
  example: sweep.start{ store = "runs.db", name = "A", models = A, data = D }]])
document("sweep.resume", [[
  sweep.resume(path [, { retry=, memory=, patience=, budget=, by=, … }]) -> list of results
  Trains what the populations of a store have open: all they need is in the store.
    retry      true: also what has failed, from the beginning; "all": what has diverged, too
    memory     another limit than the sweep had, as in sweep.run; "none" lifts it.  What failed
               at a lower limit is trained again, also without retry
    patience   another than the sweep had, in seconds; the same holds
    budget     time for all of it together, as in sweep.run
    by         instead of it a time of day, such as "07:00", as in sweep.plan
    workers    processes at a time (all cores), or where, as in sweep.run
    trainer    another than the sweep had; identical, too
    on         where: "here"; the name of a scheduler, "slurm", with the options that the sweep had
               there; or slurm{ … }.  Without it a sweep goes on where it was begun.  What comes
               home from a cluster brings results and checkpoints, and its tasks end
    quiet      true: nothing on stderr
  From the shell: netspace resume STORE [--workers N|PLACE,…] [--trainer COMMAND]
  [--retry | --retry=all] [--memory SIZE] [--patience SECONDS] [--budget TIME | --by HH:MM]
  [--on here|SCHEDULER].
  example: sweep.resume("runs.db")]])
document("sweep.retry", [=[
  sweep.retry(path [, name [, { diverged = true }]]) -> n
  Puts the failed models of a population (of all) back into the queue, with diverged = true
  also those that diverged, and returns how many; sweep.resume, or the same sweep.run again,
  trains them.  No sweep may be at work on it: that has s:retry().
  example: sweep.retry("runs.db", "A")]=])
document("sweep:retry", [[
  s:retry() -> n
  Puts the failed models of a sweep at work back into its queue, and returns how many.
  example: h = sweep.start{ store = "h.db", models = A, data = D } h:retry() h:cancel()]])
document("sweep.finish", [[
  sweep.finish([stop])
  Waits for all sweeps this program has started; with stop = true it stops them instead.
  example: sweep.finish()]])
document("sweep:status", [[
  s:status() -> table
  The state of a sweep: name, state ("running", "pausing", "paused", "stopping", "finished",
  "decided", "stopped", "broken"), total, done, failed, diverged, running, queued,
  images_per_s, eta in seconds.
  example: sweep.start{ store = "runs.db", name = "A", models = A, data = D }:status()]])
document("sweep:wait", [[
  s:wait() -> result
  Waits until the sweep has ended; sweep.start{ budget =, … } gives it a time.  Ctrl-C ends the
  waiting: at the prompt the sweep goes on; a script ends, and its sweep with it.
  example: sweep.start{ store = "runs.db", name = "A", models = A, data = D }:wait()]])
document("sweep:pause", [[
  s:pause()
  Frees the workers after a checkpoint of each model; s:resume() continues.
  example: sweep.start{ store = "runs.db", name = "A", models = A, data = D }:pause()]])
document("sweep:resume", [[
  s:resume()
  Continues after s:pause().
  example: sweep.start{ store = "runs.db", name = "B", models = A, data = D }:resume()]])
document("sweep:cancel", [[
  s:cancel()
  Stops a sweep; what is finished is kept, and running it again trains the rest.
  example: sweep.start{ store = "runs.db", name = "A", models = A, data = D }:cancel()]])
