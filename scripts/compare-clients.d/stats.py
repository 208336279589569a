"""Percentiles, and intervals of medians without a model of the noise."""

from math import comb


def quantile(ordered, share):
    """The quantile of sorted values, linear between order statistics."""
    if not ordered:
        return None
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def median(values):
    return quantile(sorted(values), 0.5)


def interval(values, level=0.95):
    """(low, high, coverage) of the median: the k-th smallest and k-th largest value cover it with
    probability 1 - 2 P(Binomial(n, 1/2) < k); the largest k that reaches the level, or else k = 1
    with the coverage that it has."""
    ordered, n = sorted(values), len(values)
    coverage = lambda k: 1 - 2 * sum(comb(n, i) for i in range(k)) / 2**n
    k = 1
    while k + 1 <= n // 2 and coverage(k + 1) >= level:
        k += 1
    return ordered[k - 1], ordered[n - k], max(coverage(k), 0.0)
