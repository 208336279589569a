#!/usr/bin/env python3
"""Writes history.json: change points as apache-otava finds them.

    python3 -m venv VENV
    VENV/bin/pip install apache-otava==0.8.0 numpy==2.2.0
    VENV/bin/python make_history.py

Otava's `PairDistanceCalculator` is the statistic of Matteson and James (2014) but in one point: with
a single value on a side the paper's formula has no answer (it divides by the number of pairs, 0), and
otava leaves that side's term out. `AtLeastTwo` is otava with those splits taken out of its table; what
otava says with them stands beside. Every Q is also computed from the paper's formula in exact
fractions, which is what is written: otava has to agree to 12 digits, or nothing is written.

`procedure` is otava's detector and its permutation test, run on `AtLeastTwo` with a generator that
the test has too, so that both see the same permutations. `clear` is otava untouched: its form of the
paper's procedure, and Hunter (windows, t tests, merging), which is another one. `exact` asks nobody:
it goes through all 40,320 orders of eight integers.
"""

import json
from collections import Counter
from fractions import Fraction
from importlib.metadata import version
from itertools import combinations, permutations
from pathlib import Path
from statistics import NormalDist

import numpy as np
from otava.analysis import compute_change_points, compute_change_points_orig
from otava.change_point_divisive.base import CandidateChangePoint
from otava.change_point_divisive.calculator import PairDistanceCalculator
from otava.change_point_divisive.detector import ChangePointDetector
from otava.change_point_divisive.significance_test import PermutationsSignificanceTester

assert version("apache-otava") == "0.8.0" and version("numpy") == "2.2.0"
HERE = Path(__file__).parent


class AtLeastTwo(PairDistanceCalculator):
    """Otava's, without the splits that leave a single value on a side."""

    def get_candidate_change_point(self, interval):
        start = 0 if interval.start is None else interval.start
        end = len(self.series) if interval.stop is None else interval.stop
        if end - start < 4:
            return CandidateChangePoint(index=start, qhat=-np.inf)
        q = self._get_Q_vals(start, end)
        before, to = np.indices(q.shape)  # row i, column j: the first i + 1 of the first j + 2
        q[(before + 1 < 2) | (to + 1 - before < 2)] = -np.inf
        i, j = np.unravel_index(np.argmax(q), q.shape)
        self.end = int(j) + 2 + start
        return CandidateChangePoint(index=int(i) + 1 + start, qhat=q[i][j])


class Generator:
    """Knuth's linear congruential generator, Fisher and Yates from the end; the test has the same."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % bound

    def shuffle(self, items):
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]

    def normal(self):
        return round(NormalDist().inv_cdf((self.below(2**30) + 0.5) / 2**30), 6)


def noise(seed, *lengths_and_means):
    generator = Generator(seed)
    return [round(generator.normal() + mean, 6) for n, mean in lengths_and_means for _ in range(n)]


def published(x, y):
    """Equations 5 and 6: mn/(m + n) times (twice the mean distance between, less the mean of the
    distances of the pairs of either side, each pair once)."""
    x, y = [Fraction(v) for v in x], [Fraction(v) for v in y]
    m, n = len(x), len(y)
    between = sum(abs(a - b) for a in x for b in y) / (m * n)
    within = lambda z: sum(abs(a - b) for a, b in combinations(z, 2)) / Fraction(len(z) * (len(z) - 1), 2)
    return Fraction(m * n, m + n) * (2 * between - within(x) - within(y))


def agreed(exact, theirs):
    assert abs(Fraction(float(theirs)) - exact) <= abs(exact) / 10**12, (float(exact), theirs)
    return float(exact)


def statistic(x, y):
    theirs = PairDistanceCalculator(np.array(x + y))._get_Q_vals(0, len(x) + len(y))
    return {"x": x, "y": y, "q": agreed(published(x, y), theirs[len(x) - 1, -1])}


def best_split(series):
    calculator = AtLeastTwo(np.array(series))
    best = calculator.get_candidate_change_point(slice(None, None))
    untouched = PairDistanceCalculator(np.array(series)).get_candidate_change_point(slice(None, None))
    q = published(series[:best.index], series[best.index:calculator.end])
    return {"series": series, "index": best.index, "end": calculator.end, "q": agreed(q, best.qhat),
            "otava_index": int(untouched.index), "otava_q": float(untouched.qhat)}


class Recording(PermutationsSignificanceTester):
    """Index, Q, the orders that reach it, and those of which otava's floats say so: orders that part
    the values in the same way tie, and their sums are rounded in another order."""
    tested = ()

    def change_point(self, candidate, series, intervals):
        point = super().change_point(candidate, series, intervals)
        reach = int(np.sum(point.stats.permuted_qhats >= point.qhat - 1e-9))
        self.tested += ([int(point.index), float(point.qhat), reach, int(point.stats.extreme_qhat_perm)],)
        return point


def procedure(series, seed, level, times):
    tester = Recording(level, times, AtLeastTwo, seed=0)
    tester.rng = Generator(seed)
    points = ChangePointDetector(tester, AtLeastTwo).get_change_points(np.array(series))
    return {"series": series, "seed": seed, "level": level, "permutations": times,
            "tested": tester.tested, "points": [int(point.index) for point in points]}


def clear(series):
    points, _ = compute_change_points_orig(series, max_pvalue=0.01, seed=1)
    hunter, _ = compute_change_points(list(series))
    return {"series": series, "points": [int(p.index) for p in points],
            "extreme": [int(p.stats.extreme_qhat_perm) for p in points],
            "p": [float(p.stats.pvalue) for p in points], "hunter": [int(p.index) for p in hunter]}


def largest(series):
    n = len(series)
    return max(published(series[:i], series[i:j]) for i in range(2, n - 1) for j in range(i + 2, n + 1))


def exact(series):
    """How many of all orders of the series have a largest Q at least as large as its own."""
    own = largest(series)

    def at_least(order):
        q = AtLeastTwo(np.array(order, dtype=float)).get_candidate_change_point(slice(None, None)).qhat
        # A tie is one in exact arithmetic only; floats tell the orders that are far from one.
        return largest(order) >= own if abs(q - float(own)) < 1e-6 else q > own

    orders = Counter(permutations(series))
    extreme = sum(times for order, times in orders.items() if at_least(order))
    return {"series": series, "extreme": extreme, "of": orders.total()}


def main():
    step = lambda seed, sd: noise(seed, (10, 0.0), (10, sd))
    tables = {
        "statistic": [
            statistic(x, y) for x, y in (
                ([1.0, 2.0], [3.0, 5.0]), ([0.0, 1.0], [0.0, 1.0]), ([0.1, 0.2, 0.4], [0.35, 1.25]),
                (noise(1, (2, 0)), noise(2, (9, 1))), (noise(3, (7, 0)), noise(4, (3, 0.2))),
                (noise(5, (20, 0)), noise(6, (20, 3))), (noise(7, (60, 0)), noise(8, (40, 0.5))),
                ([1e-9 * v for v in noise(9, (5, 0))], [1e-9 * v for v in noise(10, (6, 2))]),
                (noise(11, (8, 1000)), noise(12, (8, 1001))))],
        "best_split": [
            best_split(series) for series in (
                noise(20, (4, 0)), noise(21, (5, 0)), noise(22, (8, 0)), noise(23, (12, 0)),
                noise(24, (30, 0)), noise(25, (30, 0)), noise(26, (100, 0)), noise(27, (200, 0)),
                step(28, 3), step(29, 1), noise(30, (5, 0), (3, 8)), noise(31, (20, 0), (15, 2), (25, -1)),
                noise(32, (12, 500), (14, 504)), noise(33, (2, 6), (10, 0)), noise(34, (10, 0), (2, 6)),
                noise(35, (1, 9), (15, 0)), noise(36, (15, 0), (1, 9)))],
        "procedure": [
            procedure(series, seed, level, times) for series, seed, level, times in (
                (step(40, 3), 1, 0.05, 99), (noise(41, (20, 0)), 2, 0.05, 99), (step(42, 1), 3, 0.05, 199),
                (noise(43, (12, 0), (12, 5), (12, 0)), 4, 0.05, 99),
                (noise(44, (9, 0), (8, 4), (10, 9), (8, 4)), 5, 0.05, 199),
                (noise(45, (4, 0), (4, 20)), 6, 0.05, 199), (noise(46, (15, 0), (15, 2)), 7, 0.01, 199))],
        "clear": [
            clear(series) for series in (
                noise(50, (10, 0), (10, 6)), noise(51, (15, 0), (15, -8)), noise(52, (12, 0), (14, 9)),
                noise(53, (12, 0), (12, 10), (12, -5)), noise(54, (20, 3), (20, 11), (20, 3)), noise(60, (40, 0)))],
        "exact": [
            exact(series) for series in (
                [0, 1, 2, 3, 14, 15, 16, 17], [0, 0, 0, 0, 1, 1, 1, 1], [3, 1, 4, 1, 5, 9, 2, 6],
                [0, 2, 1, 9, 8, 7, 10, 8], [7, 8, 0, 1, 3, 2, 1, 0])],
    }
    rows = [f' "{key}": [\n' + ",\n".join("  " + json.dumps(row) for row in table) + "\n ]"
            for key, table in tables.items()]
    (HERE / "history.json").write_text("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
