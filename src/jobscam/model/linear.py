"""The scoring half of the model: numpy only, exact reasons, no training code."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from jobscam.errors import InputError
from jobscam.features import FloatArray, Grams
from jobscam.values import TIERS

_HIGH, _CRITICAL, _MEDIUM_FALSE = 0.9, 0.97, 0.05
_STEP, _LEAST = 0.02, 0.001


@dataclass(frozen=True)
class Calibration:
    """Sigmoid on the logit: ``p = 1 / (1 + exp(-(slope * logit + offset)))``, strictly increasing.

    A sigmoid and not a step function: isotonic regression ties scores, and ties spoil a ranking.
    """

    slope: float = 1.0
    offset: float = 0.0
    prevalence: float = 0.5

    def probability(self, logit: float) -> float:
        """Calibrated probability of one logit."""
        z = self.slope * logit + self.offset
        return 1.0 / (1.0 + math.exp(-z)) if z >= 0 else math.exp(z) / (1.0 + math.exp(z))

    def at(self, prevalence: float) -> Calibration:
        """The same calibration for another share of scams: the odds change by the ratio of the prior odds."""
        if not 0.0 < prevalence < 1.0:
            raise InputError(f"prevalence is a share of scams between 0 and 1, got {prevalence}")
        return replace(self, offset=self.offset + _log_odds(prevalence) - _log_odds(self.prevalence), prevalence=prevalence)


def _log_odds(p: float) -> float:
    return math.log(p / (1.0 - p))


@dataclass(frozen=True)
class OperatingCurve:
    """What flagging everything at or above a logit would have caught out of fold: recall, and honest postings flagged.

    Attributes
    ----------
    logits, recall, false_rate : tuple of float
        Equal lengths, logits falling. Empty for artifacts written before the curve was kept.
    """

    logits: tuple[float, ...] = ()
    recall: tuple[float, ...] = ()
    false_rate: tuple[float, ...] = ()

    def thresholds(self, calibration: Calibration) -> dict[str, float]:
        """Lowest probability of each tier at the prevalence of a calibration.

        critical: precision at least 0.97; high: at least 0.9; medium: at most 5 % of honest postings at or above it.
        """
        p = [calibration.probability(value) for value in self.logits]
        share = calibration.prevalence
        caught = [share * r for r in self.recall]
        wrong = [(1.0 - share) * f for f in self.false_rate]
        precision = [c / (c + w) if c + w > 0 else 0.0 for c, w in zip(caught, wrong, strict=True)]

        def lowest(good: list[bool], default: float) -> float:
            return next((value for value, is_good in zip(reversed(p), reversed(good), strict=True) if is_good), default)

        high = lowest([x >= _HIGH for x in precision], _HIGH)
        critical = max(lowest([x >= _CRITICAL for x in precision], _CRITICAL), min(high + _STEP, 0.995))
        medium = min(lowest([f <= _MEDIUM_FALSE for f in self.false_rate], 0.3), high - _STEP)
        return {"medium": round(max(medium, _LEAST), 4), "high": round(high, 4), "critical": round(critical, 4)}


@dataclass(frozen=True)
class LinearModel:
    """Weights of a fitted model.

    Attributes
    ----------
    names : tuple of str
        Dense columns (indicators, crossings, fields).
    dense : ndarray of shape (n_columns,)
    scale : ndarray of shape (2**bits,)
        Inverse document frequency of each bucket.
    text : ndarray of shape (2**bits,)
        Weight of each bucket.
    bias : float
    curve : OperatingCurve
    thresholds : dict
        Lowest probability of the tiers medium, high and critical.
    """

    names: tuple[str, ...]
    dense: FloatArray
    scale: FloatArray
    text: FloatArray
    bias: float
    bits: int
    calibration: Calibration = field(default_factory=Calibration)
    curve: OperatingCurve = field(default_factory=OperatingCurve)
    thresholds: dict[str, float] = field(default_factory=lambda: {"medium": 0.3, "high": 0.6, "critical": 0.9})

    def at_prevalence(self, prevalence: float) -> LinearModel:
        """The same model for a stream with another share of scams: probabilities and tiers change, the ranking does not.

        A high tier keeps its promise (precision at least 0.9), so in a stream with few scams fewer postings reach it.
        """
        calibration = self.calibration.at(prevalence)
        if self.curve.logits:
            return replace(self, calibration=calibration, thresholds=self.curve.thresholds(calibration))
        shift = _log_odds(prevalence) - _log_odds(self.calibration.prevalence)
        moved = {name: 1.0 / (1.0 + math.exp(-_log_odds(cut) - shift)) for name, cut in self.thresholds.items()}
        return replace(self, calibration=calibration, thresholds=moved)

    def text_values(self, grams: Grams) -> FloatArray:
        """Contribution of every n-gram of a text, in the order of `grams`."""
        scale = self.scale[grams.buckets]
        norm = math.sqrt(float(np.dot(scale, scale)))
        if norm == 0.0:
            return np.zeros(len(scale))
        return np.asarray(self.text[grams.buckets] * scale / norm, dtype=np.float64)

    def tier(self, probability: float) -> str:
        """Tier of a probability."""
        found = TIERS[0]
        for name in TIERS[1:]:
            if probability >= self.thresholds[name]:
                found = name
        return found
