"""The scoring half of the model: numpy only, exact reasons, no training code."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from jobscam.features import FloatArray, Grams
from jobscam.values import TIERS


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
    thresholds: dict[str, float] = field(default_factory=lambda: {"medium": 0.3, "high": 0.6, "critical": 0.9})

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
