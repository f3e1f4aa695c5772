#!/usr/bin/env python3
"""A second computation of src/stats/gp.h and adjust.h in NumPy and SciPy: writes
tests/data/adjust.txt, which tests/unit/test_adjust.c compares with the C code.

Nothing is shared with the C code but the formulas of the headers and the keyed random numbers
that choose the folds (src/base/rng.h): the likelihood is that of a multivariate normal, its
maximum is found without a gradient, and influence comes from weights K^-1 k computed directly.

The file: NAME COUNT, then the numbers, for each array.  Needs numpy and scipy."""
import sys

import numpy as np
from scipy.optimize import isotonic_regression, lsq_linear, minimize
from scipy.stats import multivariate_normal, norm

WIDE, FLOOR, FOLDS, BOOTSTRAP = 10.0, 1e-3, 5, 7
GROUPS = [[0, 1], [2]]
MASK = (1 << 64) - 1


def mix(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def permutation(seed, index, n):
    s = mix(seed + 0x9E3779B97F4A7C15 & MASK)
    s = mix(s ^ mix(index + 0x6A09E667F3BCC909 & MASK))
    s = mix(s ^ mix(BOOTSTRAP + 0xBB67AE8584CAA73B & MASK))
    order = [0] * n

    def below(limit):
        nonlocal s
        top = MASK - MASK % limit
        while True:
            s = s + 0x9E3779B97F4A7C15 & MASK
            x = mix(s)
            if x < top:
                return x % limit

    for i in range(n):
        j = below(i + 1)
        order[i], order[j] = order[j], i
    return order


def smooth(p, x, z):
    d = sum(((x[:, None, g] - z[None, :, g]) ** 2).sum(2) / np.exp(2 * p[2 + k])
            for k, g in enumerate(GROUPS))
    return np.exp(2 * p[0]) * np.exp(-d / 2)


def covariance(p, x):
    return smooth(p, x, x) + WIDE + (np.exp(2 * p[1]) + FLOOR) * np.eye(len(x))


def fit(x, y):
    z = (y - y.mean()) / y.std()
    prior = np.array([-0.3, -0.5] + [0.5 * np.log(x.shape[1])] * len(GROUPS))
    width = np.array([1, 0.7] + [1.0] * len(GROUPS))

    def loss(p):
        density = multivariate_normal(cov=covariance(p, x)).logpdf(z)
        return -density + (((p - prior) / width) ** 2).sum() / 2

    best = minimize(loss, prior, method="Nelder-Mead",
                    options=dict(xatol=1e-7, fatol=1e-10, maxiter=5000, maxfev=10000))
    return best.x


def weights(p, x, new):
    """What each y of the points x adds to the predictions at `new`."""
    k = np.linalg.solve(covariance(p, x), smooth(p, x, new) + WIDE).T
    return k + (1 - k.sum(1, keepdims=True)) / len(x)


def errors(x, r, shift):
    return (40 + shift + 3 * np.tanh(x[:, 0]) - 2 * x[:, 1] + x[:, 2] ** 2
            + r.normal(size=len(x)))


def cut(y):
    s = np.sort(y)
    lo, hi = s[len(s) // 4], s[len(s) - 1 - len(s) // 4]
    return np.minimum(y, hi + 3 * (hi - lo))


def cross_fit(x, y, drawn, seed):
    """Predictions of the populations x (errors y) by five fits, and how they follow from errors:
    f, cut errors, W (f = W errors), V (of the drawn ones, by all fits)."""
    n = [len(v) for v in x]
    X, Y, C = np.vstack(x), np.concatenate(y), cut(np.concatenate(y))
    fold = np.empty(len(Y), int)
    for p, first in enumerate(np.cumsum([0] + n[:-1])):
        for i, place in enumerate(permutation(seed, p, n[p])):
            fold[first + place] = i % FOLDS
    W, V = np.zeros((len(Y), len(Y))), [np.zeros((len(d), len(Y))) for d in drawn]
    for k in range(FOLDS):
        seen = np.flatnonzero(fold != k)
        p = fit(X[seen], C[seen])
        W[np.ix_(fold == k, seen)] = weights(p, X[seen], X[fold == k])
        for q, d in enumerate(drawn):
            V[q][:, seen] += weights(p, X[seen], d) / FOLDS
    return W @ C, C, W, V


def tune(rows, known):
    """The weights >= 0 (the first at most 1) for which |rows[0] - w rows[1:]|^2 + w^2 known is
    least."""
    A = np.vstack([rows[1:].T, np.diag(np.sqrt(known))])
    b = np.concatenate([rows[0], np.zeros(len(known))])
    return lsq_linear(A, b, bounds=([0, 0], [1, np.inf]), tol=1e-14).x


def two_phase(y, f, f_drawn, through, residual, s, s_mean, s_influence, s_known):
    """Mean and standard error of the errors y of the first networks, with signals s of all."""
    n, m = len(y), len(s)
    dy, df = np.zeros(m), np.zeros(m)
    dy[:n], df[:n] = (y - y.mean()) / n, (f - f.mean()) / n
    ds = -s_influence.copy()
    ds[:n] += (s[:n] - s[:n].mean()) / n
    known = np.array([f_drawn.var() / len(f_drawn), s_known ** 2])
    lam, beta = tune(np.array([dy, df, ds]), known)
    mean = y.mean() - lam * (f.mean() - f_drawn.mean()) - beta * (s[:n].mean() - s_mean)
    own = dy - lam * df - beta * ds
    centred = (s[:n] - s[:n].mean()) / n
    left = dy[:n] - lam * df[:n] - beta * centred
    own[:n] = np.sqrt(n / (n - 3)) * left + beta * (centred - ds[:n])
    others = -lam * through * residual  # of the populations that share the fit
    drawn = lam * np.sqrt(known[0]) + beta * s_known
    return [mean, np.sqrt((own ** 2).sum() + (others ** 2).sum() + drawn ** 2), lam, beta]


def main(path):
    r = np.random.default_rng(18)
    n, N, seed = [30, 24], [300, 200], 5
    x = [np.float32(np.round(r.normal(size=(m, 3)), 3)) + np.float32(0.25 * k)
         for k, m in enumerate(n)]
    drawn = [np.float32(np.round(r.normal(size=(m, 3)), 3)) + np.float32(0.25 * k)
             for k, m in enumerate(N)]
    y = [np.round(errors(v.astype(float), r, k), 2) for k, v in enumerate(x)]
    y[1][3] = 100  # one has diverged
    out = {"n": n, "N": N, "seed": [seed], "x": np.vstack(x).ravel(),
           "drawn": np.vstack(drawn).ravel(), "y": np.concatenate(y)}
    x, drawn = [v.astype(float) for v in x], [v.astype(float) for v in drawn]

    out["log"] = fit(x[0], y[0])
    out["f"] = weights(out["log"], x[0], drawn[0][:20]) @ y[0]

    Y = np.concatenate(y)
    f, C, W, V = cross_fit(x, y, drawn, seed)
    residual, estimates, influences = C - f, [], []
    for q, own in enumerate([slice(0, n[0]), slice(n[0], None)]):
        d, m = V[q] @ C, n[q]
        lam = np.cov(Y[own], f[own], bias=True)[0, 1] / (f[own].var() + d.var() * m / N[q])
        lam = min(max(lam, 0), 1)
        through = W[own].mean(0) - V[q].mean(0)
        mean = Y[own].mean() - lam * through @ C
        influence = -lam * through * residual
        influence[own] = np.sqrt(m / (m - 2)) * (
            Y[own] - Y[own].mean() - lam * (f[own] - f[own].mean())) / m
        known = lam * d.std() / np.sqrt(N[q])
        estimates += [mean, np.sqrt((influence ** 2).sum() + known ** 2), lam,
                      Y[own].std(ddof=1) / np.sqrt(m)]
        influences.append((mean, influence, known))
        s, bias = residual[own].std(), residual[own].mean()
        curve = []
        for e in out.setdefault("e", [36, 38, 40, 41, 42, 44, 47]):
            ps, pd = norm.cdf((e - bias - f[own]) / s), norm.cdf((e - bias - d) / s)
            below = (Y[own] < e).astype(float)
            lam = np.cov(below, ps, bias=True)[0, 1] / (ps.var() + pd.var() * m / N[q])
            lam = min(max(lam, 0), 1)
            curve.append(below.mean() - lam * (ps.mean() - pd.mean()))
        out["edf%d" % q] = isotonic_regression(curve).x
    (m0, i0, k0), (m1, i1, k1) = influences
    out["estimates"] = estimates
    out["difference"] = [m1 - m0, np.sqrt(((i1 - i0) ** 2).sum() + k0 ** 2 + k1 ** 2)]

    # Early signals of the first population and of 40 networks more.
    more = np.float32(np.round(r.normal(size=(40, 3)), 3)).astype(float)
    signal_x = np.vstack([x[0], more])
    signal = np.round(0.04 * errors(signal_x, r, 0) + 0.06 * r.normal(size=70), 4)
    signal[:30] = np.round(signal[:30] + 0.03 * (Y[:30] - f[:30]), 4)
    sf, SC, SW, SV = cross_fit([signal_x], [signal], drawn[:1], seed)
    sd = SV[0] @ SC
    lam = np.cov(signal, sf, bias=True)[0, 1] / (sf.var() + sd.var() * 70 / N[0])
    lam = min(max(lam, 0), 1)
    psi = np.sqrt(70 / 68) * (signal - signal.mean() - lam * (sf - sf.mean())) / 70
    own = slice(0, n[0])
    through = W[own].mean(0) - V[0].mean(0)
    out["more"], out["signal"] = more.ravel(), signal
    out["two_phase"] = two_phase(Y[own], f[own], V[0] @ C, through[n[0]:], residual[n[0]:], signal,
                                 signal.mean() - lam * (sf.mean() - sd.mean()), psi,
                                 lam * sd.std() / np.sqrt(N[0]))
    with open(path, "w") as file:
        for name, values in out.items():
            file.write("%s %d\n" % (name, len(values)))
            file.write("\n".join("%.9g" % v for v in values) + "\n")


main(sys.argv[1] if len(sys.argv) > 1 else "tests/data/adjust.txt")
