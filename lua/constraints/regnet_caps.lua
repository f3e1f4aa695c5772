-- Few parameters and activations for the flops F (in G), at the size the network is drawn
-- for: below 3 + 5.5·F million parameters and 6.5·√F million activations.
return constraint{
  name = "regnet_caps",
  doc = "params < 3 + 5.5 F and acts < 6.5 sqrt(F), in millions, F in GF",
  why = "good networks have few params and acts for their flops",
  from = "arXiv 2003.13678 section 4, figures 12 and 13; the two lines are pycls's",
  check = function(m)
    local c = arch.complexity(m)
    local F = c.flops / 1e9
    return c.params / 1e6 < 3 + 5.5 * F and c.acts / 1e6 < 6.5 * math.sqrt(F)
  end,
}
