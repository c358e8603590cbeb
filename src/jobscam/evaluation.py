"""The job of measuring: ranking, calibration and tiers, each with an interval and the number of scams behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from jobscam.features import FloatArray

_BOOTSTRAPS = 400
_BINS = 10
_ROUNDING = 1e-9

IntArray = npt.NDArray[np.int64]
Metric = Callable[[FloatArray, FloatArray], float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % bootstrap interval over campaigns."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if np.isnan(self.value):
            return "–"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def average_precision(y: FloatArray, score: FloatArray) -> float:
    """Area under the precision-recall curve, ads of one score taken together; NaN with one class only.

    The figure of ``sklearn.metrics.average_precision_score``, without checking its input anew in each of thousands of draws:
    that was nine tenths of the time of ``jobscam compare``.
    """
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(y[order])
    if not len(y) or not 0 < hits[-1] < len(y):
        return float("nan")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(y) - 1)
    gained = np.diff(hits[last], prepend=0)
    return float(np.sum(gained * hits[last] / (last + 1)) / hits[-1])


def recall_at_fpr(rate: float) -> Metric:
    """Recall at the highest threshold-wise recall whose false-positive rate stays at or below `rate`."""

    def metric(y: FloatArray, score: FloatArray) -> float:
        honest, scams = score[y == 0], score[y == 1]
        if not len(honest) or not len(scams):
            return float("nan")
        # Flag strictly above the (k+1)-th highest honest score, so that at most k honest ads are flagged.
        allowed = int(np.floor(rate * len(honest)))
        cut = np.sort(honest)[::-1][allowed] if allowed < len(honest) else -np.inf
        return float(np.mean(scams > cut))

    return metric


def calibration_error_at(prevalence: float) -> Metric:
    """Expected calibration error where scams and honest postings are weighed to a share of scams.

    A probability is right for one share of scams only; a test set that holds another one says nothing of it unweighed.
    Ten bins of equal weight.
    """

    def metric(y: FloatArray, p: FloatArray) -> float:
        if not 0 < np.sum(y == 1) < len(y):
            return float("nan")
        weight = weight_to(y, prevalence)
        order = np.argsort(p, kind="stable")
        # Ads of one probability stand in one bin, or the order of the rows would decide.
        last = np.searchsorted(p[order], p[order], side="right") - 1
        bins = np.minimum((np.cumsum(weight[order])[last] * _BINS + _ROUNDING).astype(int), _BINS - 1)
        gaps = np.bincount(bins, weights=(weight * (y - p))[order], minlength=_BINS)
        return float(np.abs(gaps).sum())

    return metric


@dataclass(frozen=True, slots=True)
class ReliabilityRow:
    """What was said and what was so for the postings in one range of probability."""

    label: str
    postings: int
    said: float
    so: float


RELIABILITY_EDGES = (0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


def reliability(y: FloatArray, p: FloatArray, prevalence: float) -> list[ReliabilityRow]:
    """Mean probability and share of scams by range of probability, weighed to a share of scams.

    The last row holds all postings at or above 0.1. Ranges without postings are left out.
    """
    weight = weight_to(y, prevalence)
    edges = RELIABILITY_EDGES
    parts = [(f"{low:g} to {high:g}", (p >= low) & (p < high if high < 1 else p <= high)) for low, high in pairwise(edges)]
    rows = []
    for label, chosen in [*parts, ("0.1 and above", p >= 0.1)]:
        if chosen.any():
            w = weight[chosen] / weight[chosen].sum()
            rows.append(ReliabilityRow(label, int(chosen.sum()), float(np.dot(w, p[chosen])), float(np.dot(w, y[chosen]))))
    return rows


def weight_to(y: FloatArray, prevalence: float) -> FloatArray:
    """Weights that sum to 1 and under which scams make up `prevalence`; both labels must be there."""
    scams = float(np.sum(y == 1))
    return np.asarray(np.where(y == 1, prevalence / scams, (1.0 - prevalence) / (len(y) - scams)), dtype=np.float64)


def precision_at(threshold: float, prevalence: float) -> Metric:
    """Precision of flagging at or above a probability, weighed to a share of scams; NaN where nothing is flagged."""

    def metric(y: FloatArray, p: FloatArray) -> float:
        if not np.any(y == 1) or not np.any(y == 0):
            return float("nan")
        caught = prevalence * float(np.mean(p[y == 1] >= threshold))
        wrong = (1.0 - prevalence) * float(np.mean(p[y == 0] >= threshold))
        return caught / (caught + wrong) if caught + wrong > 0 else float("nan")

    return metric


def brier_skill(y: FloatArray, p: FloatArray) -> float:
    """1 - Brier score over that of always saying the base rate."""
    base = float(np.mean((y - y.mean()) ** 2))
    return float("nan") if base == 0 else 1.0 - float(np.mean((y - p) ** 2)) / base


def share_above(threshold: float, label: int) -> Metric:
    """Share of the postings of one class at or above a probability."""

    def metric(y: FloatArray, p: FloatArray) -> float:
        chosen = p[y == label]
        return float(np.mean(chosen >= threshold)) if len(chosen) else float("nan")

    return metric


def estimate(metric: Metric, y: FloatArray, score: FloatArray, groups: Sequence[Any], seed: int = 0) -> Estimate:
    """A metric with a 95 % interval from resampling campaigns with replacement.

    Parameters
    ----------
    metric : callable
        Takes labels and scores, both of shape (n,).
    groups : sequence of length n
        Campaigns: near-duplicates are not independent, so they are drawn together.
    """
    return _interval(lambda drawn: metric(y[drawn], score[drawn]), len(y), groups, seed)


def difference(
    old: Metric, new: Metric, y: FloatArray, old_score: FloatArray, new_score: FloatArray, groups: Sequence[Any], seed: int = 0
) -> Estimate:
    """New minus old with a 95 % interval, the same campaigns drawn for both."""
    return _interval(lambda drawn: new(y[drawn], new_score[drawn]) - old(y[drawn], old_score[drawn]), len(y), groups, seed)


def _interval(measure: Callable[[IntArray], float], size: int, groups: Sequence[Any], seed: int) -> Estimate:
    value = measure(np.arange(size))
    codes = np.unique(np.asarray([str(g) for g in groups]), return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(_BOOTSTRAPS):
        found = measure(np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))]))
        if not np.isnan(found):
            values.append(found)
    if not values:
        return Estimate(value, float("nan"), float("nan"))
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(value, float(low), float(high))
