--- Early signals: what the first epochs of models tell that were only begun, beside those that
-- were trained to the end (sweep.run{ early = … }).  How they are used: src/stats/adjust.h.
--
-- They help an estimate only where chance chose who is trained to the end.  Of models that were
-- chosen by how they began (successive halving) the best are left, which are no sample of a space.

local M = {}

--- Refuses a result whose models, trained to the end, are not the first of those begun.
function M.refuse_chosen(where, r, level)
  local e = type(r) == "table" and type(r.early) == "table" and r.early
  for _, index in ipairs(e and r.indices or {}) do
    if index > e.full then
      error(("%s: those of %s that were trained to the end are not the first %d that were drawn: "
        .. "models that were chosen by their first epochs are the best of many, no sample of a "
        .. "space; train them all, or let chance choose (sweep.run: early)"):format(where,
        r.name or "a population", e.full), level + 1)
    end
  end
end

--- Signals at most three distances of the quartiles above the upper one, so that one that is
-- endless, of a network that failed at once, bends nothing.
function M.tamed(signals)
  local sorted = table.move(signals, 1, #signals, 1, {})
  table.sort(sorted)
  local lo, hi = sorted[(#sorted + 3) // 4], sorted[#sorted + 1 - (#sorted + 3) // 4]
  if hi == math.huge then return nil end
  local most, list = hi + 3 * (hi - lo), {}
  for i, s in ipairs(signals) do list[i] = math.min(s, most) end
  return list
end

--- What the first epochs of more networks than were trained to the end tell: signals, those of r
-- first, and the rows of the others; or nil and why nothing, where it could be.
function M.of(r, reader)
  local e = r.early
  if not e then return nil end
  local why = e.why
  for i, index in ipairs(r.indices or {}) do
    if index ~= i then
      why = "those trained to the end are not the first that were drawn"
    end
  end
  if not e.rest or #e.rest.signal == 0 or #e.signal ~= #r.errors then
    why = why or "none was left after them"
  end
  local signals = not why and M.tamed(table.move(e.rest.signal, 1, #e.rest.signal, #e.signal + 1,
    table.move(e.signal, 1, #e.signal, 1, {})))
  if not signals then return nil, why or "too many networks failed in them" end
  local rows = {}
  for i, m in ipairs(e.rest.models) do rows[i] = reader.read(m) end
  return { signals = signals, rows = table.concat(rows), epochs = e.epochs,
    n = #e.rest.signal }
end

return M
