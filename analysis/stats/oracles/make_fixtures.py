#!/usr/bin/env python3
"""Writes the JSON fixtures beside this script: what scipy, statsmodels and mpmath answer.

    python3 -m venv VENV
    VENV/bin/pip install numpy==1.26.4 scipy==1.15.3 statsmodels==0.14.4 mpmath==1.3.0
    VENV/bin/python make_fixtures.py

Pinned: Python 3.11, numpy 1.26.4, scipy 1.15.3, statsmodels 0.14.4, mpmath 1.3.0. The output is
deterministic (the data are written out or made by a formula), so a rerun leaves `git diff` empty.

`special.json` is mpmath at 60 digits, printed to 17: an answer independent of any double
arithmetic. `procedures.json` is scipy and statsmodels, what a reader would run to check us, or mpmath where
those were found wrong (each such place says so).
"""

import json
from pathlib import Path

import mpmath as mp
import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import DescrStatsW

assert scipy.__version__ == "1.15.3" and statsmodels.__version__ == "0.14.4"
assert np.__version__ == "1.26.4" and mp.__version__ == "1.3.0"
mp.mp.dps = 60
HERE = Path(__file__).parent


def write(name, tables):
    rows = [
        f' "{key}": [\n' + ",\n".join("  " + json.dumps(row) for row in table) + "\n ]"
        for key, table in tables.items()
    ]
    (HERE / name).write_text("{\n" + ",\n".join(rows) + "\n}\n")


# ---- special functions, 60 digits -------------------------------------------------------------

def beta_tails(a, b, x):
    """I_x(a, b) and its complement, by 2F1(a + b, 1; a + 1; x), whose terms are all positive."""
    a, b, x = mp.mpf(a), mp.mpf(b), mp.mpf(x)

    def by_series(a, b, x):
        front = mp.exp(a * mp.log(x) + b * mp.log1p(-x) - mp.log(a)
                       + mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(b))
        term, total, k = mp.mpf(1), mp.mpf(1), 0
        while term > total * mp.mpf(10) ** -50:
            term *= (a + b + k) / (a + 1 + k) * x
            total += term
            k += 1
        return front * total

    few_digits_left = mp.mpf(10) ** -30  # of the complement: then it gets its own series
    if x <= 0.5:
        lower = by_series(a, b, x)
        upper = 1 - lower
        return lower, upper if upper > few_digits_left else by_series(b, a, 1 - x)
    upper = by_series(b, a, 1 - x)
    lower = 1 - upper
    return lower if lower > few_digits_left else by_series(a, b, x), upper


def normal_cdf(x):
    return mp.erfc(-mp.mpf(x) / mp.sqrt(2)) / 2


def student_tail(t, df):
    t, df = mp.mpf(t), mp.mpf(df)
    return beta_tails(df / 2, mp.mpf(1) / 2, df / (df + t * t))[0] / 2


def noncentral_cdf(t, df, delta):
    """The defining integral over s = sqrt(chi2/df): not the series that the crate sums."""
    t, df, delta = mp.mpf(t), mp.mpf(df), mp.mpf(delta)
    log_c = mp.log(2) + df / 2 * mp.log(df / 2) - mp.loggamma(df / 2)

    def integrand(s):
        if s == 0:
            return mp.mpf(0)
        density = mp.exp(log_c + (df - 1) * mp.log(s) - df * s * s / 2)
        return mp.erfc(-(t * s - delta) / mp.sqrt(2)) / 2 * density

    width = 1 / mp.sqrt(2 * df)
    far = 1 + 16 * width + 4 / df
    cuts = sorted({mp.mpf(0), far} | {c for k in range(-8, 9) if 0 < (c := 1 + k * width) < far}
                  | ({delta / t} if t != 0 and 0 < delta / t < far else set()))
    return mp.quad(integrand, cuts)


def student_quantile(p, df):
    """By Newton from scipy's answer, 60 digits; p is the exact value of the double."""
    p = mp.mpf(p)
    upper = 1 - p if p > 0.5 else p
    t = mp.mpf(float(abs(stats.t.ppf(float(upper), df))))
    log_c = (mp.loggamma(mp.mpf(df + 1) / 2) - mp.loggamma(mp.mpf(df) / 2)
             - mp.log(mp.pi * df) / 2)
    for _ in range(8):
        density = mp.exp(log_c - mp.mpf(df + 1) / 2 * mp.log1p(t * t / df))
        t += (student_tail(t, df) - upper) / density
    return t if p > 0.5 else -t


def special():
    shapes = [0.05, 0.5, 1.0, 3.5, 20.0, 300.0, 5000.0, 200000.0]
    beta = []
    for a in shapes:
        for b in shapes:
            if a * b > 1e9:
                continue
            centre = a / (a + b)
            spread = (a * b / (a + b) ** 2 / (a + b + 1)) ** 0.5
            xs = {centre + k * spread for k in (-6, -2, -0.5, 0.5, 2, 6)} | {2.0**-20, 0.25, 0.75}
            for x in sorted(x for x in xs if 0 < x <= 1 - 2.0**-20):
                x = float(np.float64(x))
                lower, upper = beta_tails(a, b, x)
                if min(lower, upper) > mp.mpf(10) ** -290:
                    beta.append([a, b, x, float(lower), float(upper)])
    return {
        "ln_gamma": [[x, float(mp.loggamma(mp.mpf(x)))]
                     for x in (1e-8, 0.05, 0.5, 0.99, 1.01, 1.5, 2.25, 7.0, 15.5, 140.0, 1e4, 1e9)],
        "beta_inc": beta,
        "normal_cdf": [[x, float(normal_cdf(x))]
                       for x in (-37.5, -30.0, -12.0, -6.0, -3.0, -1.0, -1e-3, 0.0, 0.5, 2.0, 8.0)],
        "normal_quantile": [
            [p, float(mp.sqrt(2) * mp.erfinv(2 * mp.mpf(p) - 1))]
            for p in (1e-50, 1e-20, 1e-6, 0.001, 0.02, 0.2499, 0.25, 0.4, 0.4999, 0.501, 0.75,
                      0.8, 0.975, 0.999, 0.999999)],
        "student_tail": [
            [t, df, float(student_tail(t, df))]
            for df in (1.0, 1.5, 2.0, 5.0, 9.0, 19.0, 47.5, 300.0, 1e4)
            for t in (1e-6, 0.1, 0.7, 1.0, 1.7, 2.5, 6.0, 25.0)],
        "student_quantile": [
            [p, df, float(student_quantile(p, df))]
            for df in (1, 2, 4, 5, 9, 19, 99, 1000)
            for p in (1e-12, 1e-4, 0.005, 0.025, 0.1, 0.2499, 0.25, 0.4, 0.501, 0.75, 0.9, 0.95,
                      0.975, 0.99, 0.9995)],
        "noncentral_t_cdf": noncentral_table(),
        "binomial": [
            [k, n, p, float(1 - beta_tails(k + 1, n - k, p)[0] if k + 1 > n * p
                            else beta_tails(k + 1, n - k, p)[1])]
            for n, p in ((10, 0.5), (64, 0.1), (662, 0.01), (368, 0.99), (5000, 0.003),
                         (100000, 0.5), (1000000, 0.001))
            for k in sorted({0, 1, int(n * p * 0.9), int(n * p), min(n - 1, int(n * p * 1.1) + 1)})
            if k < n and beta_tails(k + 1, n - k, p)[1] > mp.mpf(10) ** -290],
    }


def noncentral_table():
    mp.mp.dps = 22
    rows = [[t, df, delta, float(noncentral_cdf(t, df, delta))]
            for df in (1.0, 5.0, 9.0, 60.0)
            for delta in (-3.0, 0.5, 5.0, 14.0)
            for t in (-2.5, 0.4, 4.5, 16.0)]
    rows.append([45.0, 9.0, 40.0, float(noncentral_cdf(45.0, 9.0, 40.0))])
    rows.append([130.0, 19.0, 120.0, float(noncentral_cdf(130.0, 19.0, 120.0))])
    mp.mp.dps = 60
    return rows


# ---- procedures, as a reader would check them --------------------------------------------------

ROUNDS = [
    [0.051, 0.043, 0.060, 0.038, 0.055, 0.047],
    [-0.012, 0.034, 0.005, -0.041, 0.018, 0.027, -0.003, 0.011, 0.022, -0.019],
    [0.09, 0.12, 0.07, 0.11, 0.10, 0.13, 0.08, 0.12, 0.09, 0.10, 0.11, 0.14],
    [0.001, -0.002, 0.003, -0.001, 0.002, -0.003, 0.0015],
    [-0.07, -0.05, -0.09, -0.06, 0.01, -0.08, -0.04, -0.055],
]

FAMILIES = [
    [0.01, 0.04, 0.03, 0.005],
    [0.5],
    [0.0001, 0.9, 0.3, 0.04, 0.04, 0.012, 1.0, 0.0, 0.049],
    [round((i * 37 % 101) / 101, 6) for i in range(1, 40)],
]


def paired(x):
    test, info = stats.ttest_1samp(x, 0.0), DescrStatsW(x)
    low, high = test.confidence_interval(0.95)
    margin = float(np.log1p(0.05))
    tost_p = max(info.ttest_mean(-margin, "larger")[1], info.ttest_mean(margin, "smaller")[1])
    narrow = test.confidence_interval(0.90)
    flips = stats.permutation_test((np.array(x),), np.mean, permutation_type="samples",
                                   n_resamples=np.inf)
    return {"x": x, "mean": float(np.mean(x)), "sd": float(np.std(x, ddof=1)),
            "t": float(test.statistic), "p": float(test.pvalue), "low": float(low),
            "high": float(high), "tost_p": float(tost_p), "low90": float(narrow.low),
            "high90": float(narrow.high), "flip_p": float(flips.pvalue)}


def welch(x, y):
    test, narrow = stats.ttest_ind(x, y, equal_var=False), []
    for confidence in (0.95, 0.90):
        narrow += [float(limit) for limit in test.confidence_interval(confidence)]
    return {"x": x, "y": y, "t": float(test.statistic), "p": float(test.pvalue),
            "df": float(test.df), "low": narrow[0], "high": narrow[1], "low90": narrow[2],
            "high90": narrow[3]}


def e_bh(ln_e):
    """For each hypothesis ln of 1/alpha, alpha the smallest level at which the procedure rejects it,
    by running the procedure as it is published at every level where its answer can change."""
    e = [mp.exp(v) for v in ln_e]
    m, descending = len(e), sorted(e, reverse=True)

    def rejected(alpha):
        fits = [k for k in range(1, m + 1) if k * descending[k - 1] / m >= 1 / alpha * (1 - mp.mpf(10) ** -40)]
        return [v >= descending[max(fits) - 1] for v in e] if fits else [False] * m

    levels = sorted(m / (k * descending[k - 1]) for k in range(1, m + 1))
    adjusted = [float(-mp.log(next(a for a in levels if rejected(a)[i]))) for i in range(m)]
    if all(v >= 0 for v in ln_e):  # then 1/E are p-values, and statsmodels knows the same procedure
        theirs = multipletests([float(1 / v) for v in e], method="fdr_bh")[1]
        assert np.allclose(theirs, np.exp(-np.array(adjusted)), rtol=1e-12)
    return {"ln_e": ln_e, "adjusted": adjusted}


def detectable(n, sd, alpha, power):
    d = TTestPower().solve_power(nobs=n, alpha=alpha, power=power, alternative="two-sided")
    return [n, sd, alpha, power, float(d * sd)]


def power_table():
    """Power by the integral: scipy's nct, under statsmodels, fails at few rounds."""
    mp.mp.dps = 22
    rows = []
    for n in (2, 3, 6, 10, 20):
        for alpha in (0.05, 0.01):
            critical = student_quantile(1 - alpha / 2, n - 1)
            for shift in (0.25, 1.0, 2.5):
                delta = shift * mp.sqrt(n)
                cdf = [noncentral_cdf(t, n - 1, delta) for t in (critical, -critical)]
                rows.append([n, shift, alpha, float(1 - cdf[0] + cdf[1])])
    mp.mp.dps = 60
    return rows


def clopper_pearson(k, n, confidence):
    """The defining equations to 50 digits; scipy's own limits stop at an absolute 2e-12."""
    risk = (1 - mp.mpf(confidence)) / 2
    rough = stats.binomtest(k, n).proportion_ci(confidence, method="exact")

    def solve(tail, near):
        root = mp.findroot(lambda p: mp.log(tail(p) / risk), 
                           (mp.mpf(near), mp.mpf(near) * (1 - mp.mpf(10) ** -7)), tol=1e-40)
        assert abs(root - near) < 1e-11
        return float(root)

    low = 0.0 if k == 0 else solve(lambda p: beta_tails(k, n - k + 1, p)[0], rough.low)
    high = 1.0 if k == n else solve(lambda p: beta_tails(k + 1, n - k, p)[1], rough.high)
    return [k, n, confidence, low, high]


def limit_ranks(n, p, confidence):
    """Ranks from 1 by plain counting over exact binomial sums; 0 for none."""
    risk = (1 - mp.mpf(confidence)) / 2
    mass = [mp.binomial(n, k) * mp.mpf(p) ** k * (1 - mp.mpf(p)) ** (n - k) for k in range(n + 1)]
    lower, below = 0, mp.mpf(0)
    for l in range(1, n + 1):
        below += mass[l - 1]
        if below > risk:
            break
        lower = l
    upper, above = 0, mp.mpf(0)
    for u in range(n, 0, -1):
        above += mass[u]
        if above > risk:
            break
        upper = u
    return [n, round(p * 10000), confidence, lower, upper]


def first_n(condition):
    n = 1
    while not condition(n):
        n += 1
    return n


def eprocess(x, delta, grid):
    """ln E in 60 digits, straight from the definition."""
    wealth = [mp.mpf(1)] * grid
    course = []
    for v in x:
        for g in range(grid):
            stake = mp.mpf(0.95) / mp.mpf(delta) / 2 ** (grid - 1 - g)
            wealth[g] *= 1 + stake * (mp.mpf(v) - mp.mpf(delta))
        course.append(float(mp.log(sum(wealth) / grid)))
    return {"x": x, "delta": delta, "grid": grid, "running_ln": course}


def tolerance_factor(n, coverage, confidence):
    """The defining equation on the integral: P(T' <= k sqrt(n)) = confidence, 20 digits."""
    mp.mp.dps = 25
    root = mp.sqrt(n)
    shift = mp.sqrt(2) * mp.erfinv(2 * mp.mpf(coverage) - 1) * root
    near = stats.nct.ppf(confidence, n - 1, float(shift)) / n**0.5
    k = mp.findroot(lambda k: noncentral_cdf(k * root, n - 1, shift) - mp.mpf(confidence),
                    (mp.mpf(near), mp.mpf(near) * (1 + mp.mpf(10) ** -8)), tol=1e-36)
    assert abs(k / near - 1) < 1e-9, (n, k, near)
    mp.mp.dps = 60
    return [n, coverage, confidence, float(k)]


def tolerance_logs(means, coverage, confidence):
    logs, n = np.log(means), len(means)
    k = stats.nct.ppf(confidence, n - 1, stats.norm.ppf(coverage) * n**0.5) / n**0.5
    return {"means": means, "coverage": coverage, "confidence": confidence,
            "bound": float(np.exp(logs.mean() + k * logs.std(ddof=1)))}


def modelled_rate(counts, coverage, confidence):
    """Geometric counts of unequal means, their sum's probabilities by partial fractions."""
    hits, risk = sum(h for h, _ in counts), 1 - mp.mpf(confidence)

    def at_most(m):
        p = [1 / (1 + m * n * (1 + mp.mpf(i) / 10**20)) for i, (_, n) in enumerate(counts)]
        total = mp.mpf(0)  # p are told apart in the 20th digit, for the fractions need distinct ones
        for i, a in enumerate(p):
            weight = mp.mpf(1)
            for j, b in enumerate(p):
                if i != j:
                    weight *= b * (1 - a) / ((1 - a) - (1 - b))
            total += weight * (1 - (1 - a) ** (hits + 1))
        return total

    mp.mp.dps = 400
    m = mp.findroot(lambda m: at_most(m) - risk, (mp.mpf(1) / 10**6, mp.mpf(1) / 2), tol=1e-30,
                    solver="anderson", maxsteps=500)
    row = {"counts": counts, "coverage": coverage, "confidence": confidence,
           "modelled": float(-m * mp.log(1 - mp.mpf(coverage)))}
    mp.mp.dps = 60
    return row


RATES = [
    [[0, 100], [0, 200], [0, 300]],
    [[0, 256]] * 10,
    [[1, 256], [0, 256], [0, 512], [2, 300], [0, 90]],
    [[0, 400]] * 19 + [[5, 400]],
    [[30, 1000], [12, 1000], [7, 900], [55, 1100]],
]


def procedures():
    counts = [(0, 10), (1, 10), (3, 17), (10, 10), (7, 662), (0, 100000), (50000, 100000),
              (99999, 100000), (1, 1000000)]
    bets = [round((i * i * 29 % 97) / 970, 4) for i in range(60)]
    return {
        "paired": [paired(x) for x in ROUNDS],
        "detectable": [detectable(n, sd, alpha, power)
                       for n in (5, 6, 10, 20, 36) for sd in (0.01, 0.04)
                       for alpha, power in ((0.05, 0.8), (0.01, 0.9))],
        "power": power_table(),
        "clopper_pearson": [
            clopper_pearson(k, n, c) for k, n in counts for c in (0.9, 0.95, 0.999)],
        "multiple": [{"p": p, "holm": multipletests(p, method="holm")[1].tolist(),
                      "bh": multipletests(p, method="fdr_bh")[1].tolist()} for p in FAMILIES],
        "welch": [welch(x, y) for i, x in enumerate(ROUNDS) for y in ROUNDS[i + 1:]],
        "e_bh": [e_bh(x) for x in (
            [4.2], [0.3, 14.1, 2.0, 6.9], [13.9, 13.8, 0.0, 0.0], [-3.0, 5.0, 5.0, -0.5, 1.0],
            [round((i * 37 % 101) / 6 - 4, 4) for i in range(1, 40)])],
        "upper_bound": [
            {"means": x, "confidence": c,
             "upper": float(np.mean(x) + stats.t.ppf(c, len(x) - 1) * stats.sem(x))}
            for x in ROUNDS for c in (0.9, 0.95, 0.999)],
        "quantile": [
            {"values": v, "per_ten_thousand": p,
             "quantile": int(np.quantile(v, p / 10000, method="inverted_cdf"))}
            for n in (1, 2, 7, 64, 250) for v in [[i * 7919 % 1009 for i in range(n)]]
            for p in (1250, 5000, 7500, 9000, 9375, 9990)],
        "limit_ranks": [limit_ranks(n, p, c) for n in (5, 6, 30, 36, 72, 368, 662, 1500)
                        for p in (0.5, 0.9, 0.95, 0.99) for c in (0.9, 0.95)],
        "needed_to_print": [
            [round(p * 10000), first_n(lambda n: stats.binom.cdf(1, n, 1 - p) <= 0.01)]
            for p in (0.5, 0.75, 0.9, 0.95, 0.97, 0.99, 0.999)],
        "tolerance_factor": [
            tolerance_factor(n, p, c) for n in (2, 3, 5, 10, 20, 60, 128)
            for p, c in ((0.999, 0.95), (0.9, 0.95), (0.999, 0.5), (0.99, 0.99))],
        "tolerance_logs": [tolerance_logs(m, p, c) for p, c in ((0.999, 0.95), (0.9, 0.9)) for m in (
            [0.0112, 0.0131, 0.0098, 0.0207, 0.0145, 0.0122, 0.0119, 0.0166, 0.0103, 0.0137],
            [1e-5, 3e-4, 2e-5, 9e-5], [0.5, 0.25])],
        "modelled_rate": [modelled_rate(r, p, c) for r in RATES
                          for p, c in ((0.999, 0.95), (0.95, 0.9))],
        "trials_needed": [
            [k, p, c, first_n(lambda n: n > k and stats.binom.cdf(k, n, p) < 1 - c)]
            for k in (0, 1, 3, 20) for p in (0.5, 0.1, 0.017, 0.004) for c in (0.95, 0.99)],
        "eprocess": [eprocess(bets, d, g) for d in (0.02, 0.05, 0.3) for g in (1, 5, 16)],
    }


if __name__ == "__main__":
    write("special.json", special())
    write("procedures.json", procedures())
