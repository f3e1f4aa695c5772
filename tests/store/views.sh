#!/bin/sh
# The views of a store as other programs read them, by Python's sqlite3: the names and columns that
# man netspace-exchange documents, and the numbers of the sweep.
. "$(dirname "$0")/../lib.sh"
skip_without python3
shown=out
cat >"$dir/sweep.lua" <<'LUA'
local D = data.open("shapes", { train = 64, test = 32 })
local A = space.small.RegNetX:sample(3, { flops = { 5e5, 1e6 }, data = D })
local a = sweep.run { store = arg[1], name = "A", models = A, data = D, workers = 1, quiet = true,
  recipe = { epochs = 2, vary = { lr = { 0.01, 0.1 } } } }
for i, e in ipairs(a.errors) do
  print(("%d %.12g %.12g %d %d %d"):format(i, e, a.columns.lr[i], a.models[i].d[1], a.models[i].w[4],
    arch.complexity(a.models[i]).flops))
end
LUA
cat >"$dir/read.py" <<'PY'
import re, sqlite3, sys
store = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True)
store.row_factory = sqlite3.Row
if sys.argv[2] == "models":
    for r in store.execute("SELECT * FROM models ORDER BY population, idx"):
        print(r["idx"], "%.12g %.12g" % (r["error"], r["lr"]), r["d1"], r["w4"], r["flops"])
elif sys.argv[2] == "columns":
    with open("man/netspace-exchange.7") as f:
        page = f.read()
    for view in ("populations", "models", "epochs"):
        text = re.search(r"\.It Sy %s\n(.*?)\n\." % view, page, re.S).group(1)
        text = re.sub(r"\([^)]*\)", "", text)
        names = []
        for name in re.split(r"[,\s]+", text.replace("d1 to d4", "d1 d2 d3 d4").strip()):
            names.append(name)
        text = " ".join(names)
        for k in "wbg":
            text = text.replace("%s1 to %s4" % (k, k), "%s1 %s2 %s3 %s4" % (k, k, k, k))
        have = [c[0] for c in store.execute("SELECT * FROM %s" % view).description]
        print(view, "as documented" if have == text.split() else "%s, documented %s" % (have, text))
else:
    p = store.execute("SELECT * FROM populations").fetchone()
    e = store.execute("SELECT count(*), min(epoch), max(epoch) FROM epochs").fetchone()
    mean = store.execute("SELECT avg(error) FROM models").fetchone()[0]
    last = store.execute("SELECT count(*) FROM models JOIN epochs USING (population, idx) "
                         "WHERE epoch = 2 AND error = validation_error").fetchone()[0]
    print(p["population"], p["models"], p["done"], p["open"], p["epochs"], p["data"], *e,
          abs(mean - p["mean_error"]) < 1e-9, last)
PY
"$NETSPACE" -q "$dir/sweep.lua" "$dir/s.db" >"$dir/want" 2>"$dir/out"
python3 "$dir/read.py" "$dir/s.db" models >"$dir/got" 2>>"$dir/out"
check "models: errors, rates, shapes and costs" cmp "$dir/want" "$dir/got"
python3 "$dir/read.py" "$dir/s.db" columns >"$dir/out" 2>&1
check "columns as the manual has them" [ "$(grep -c 'as documented' "$dir/out")" = 3 ]
python3 "$dir/read.py" "$dir/s.db" rest >"$dir/out" 2>&1
check "populations and epochs" [ "$(cat "$dir/out")" = "A 3 3 0 2 shapes 6 1 2 True 3" ]
done_testing
