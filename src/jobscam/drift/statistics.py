"""The few statistics that a comparison of two tables needs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from jobscam.features import FloatArray

_Z = 1.959963984540054
_SMOOTHING = 0.5


def stability_index(reference: Sequence[int], new: Sequence[int]) -> float:
    """Population stability index of two histograms over the same bins: the sum of (n - r) * log(n / r) over their shares.

    Half a row is added to each bin, so that an empty one weighs something and not without end. Common reading: below 0.1
    little, above 0.25 much has changed.

    Examples
    --------
    >>> stability_index([50, 50], [50, 50]), round(stability_index([90, 10], [60, 40]), 2)
    (0.0, 0.52)
    """
    total_r = sum(reference) + _SMOOTHING * len(reference)
    total_n = sum(new) + _SMOOTHING * len(new)
    pairs = [((r + _SMOOTHING) / total_r, (n + _SMOOTHING) / total_n) for r, n in zip(reference, new, strict=True)]
    return math.fsum((n - r) * math.log(n / r) for r, n in pairs)


def index_by_chance(bins: int, reference: int, new: int) -> float:
    """Stability index to be expected of two samples of one population: small tables differ by chance.

    Of the order of (bins - 1) * (1 / reference + 1 / new), the mean of the chi-squared law that the index then follows.
    """
    return (bins - 1) * (1 / reference + 1 / new)


def kolmogorov_smirnov(reference: FloatArray, new: FloatArray) -> tuple[float, float]:
    """Largest distance between two distributions, and its asymptotic p value (rows taken as independent)."""
    from scipy.stats import ks_2samp

    found = ks_2samp(reference, new, method="asymp")
    return float(found.statistic), float(found.pvalue)


def difference_interval(k1: int, n1: int, k2: int, n2: int) -> tuple[float, float]:
    """95 % interval of ``k2 / n2 - k1 / n1``, from the Wilson intervals of both (Newcombe 1998, method 10).

    Examples
    --------
    >>> [round(x, 4) for x in difference_interval(48, 80, 56, 70)]
    [0.0524, 0.3339]
    """
    low1, high1 = wilson(k1, n1)
    low2, high2 = wilson(k2, n2)
    p1, p2 = k1 / n1, k2 / n2
    d = p2 - p1
    return d - math.hypot(p2 - low2, high1 - p1), d + math.hypot(high2 - p2, p1 - low1)


def wilson(k: int, n: int) -> tuple[float, float]:
    """95 % score interval of a share."""
    p, z2 = k / n, _Z * _Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return middle - half, middle + half


def same_share(k1: int, n1: int, k2: int, n2: int) -> float:
    """Fisher's exact p value for two shares being one."""
    from scipy.stats import fisher_exact

    return float(fisher_exact(np.array([[k1, n1 - k1], [k2, n2 - k2]])).pvalue)


def false_discovery(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's adjusted p values, in the order given.

    Examples
    --------
    >>> [round(q, 3) for q in false_discovery([0.01, 0.04, 0.03, 0.5])]
    [0.04, 0.053, 0.053, 0.5]
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__, reverse=True)
    adjusted = [1.0] * len(p_values)
    least = 1.0
    for rank, i in zip(range(len(p_values), 0, -1), order, strict=True):
        least = min(least, p_values[i] * (len(p_values) / rank))
        adjusted[i] = least
    return adjusted
