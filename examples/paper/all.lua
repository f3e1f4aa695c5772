--- Trains every population of the paper into one store, the main ones first; what a store
-- has is not trained again.
--
--   netspace examples/paper/all.lua --scale small --data cifar10:DIR
--
-- It may be stopped at any time; the same command goes on.

local paper = dofile((arg[0]:gsub("[^/]*$", "")) .. "paper.lua")
paper.train(paper.names(true))
paper.train(paper.names())
