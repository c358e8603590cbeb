"""The scoring half of the model: numpy only, exact reasons, no training code."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from jobscam.errors import InputError
from jobscam.features import SCHEMA_VERSION, FloatArray
from jobscam.ngrams import Grams
from jobscam.values import TIERS

_HIGH, _CRITICAL, _MEDIUM_FALSE = 0.9, 0.97, 0.05
_STEP, _LEAST = 0.02, 0.001


@dataclass(frozen=True)
class Calibration:
    """Sigmoid on the logit: ``p = 1 / (1 + exp(-(slope * logit + offset)))``, strictly increasing in each language.

    A sigmoid and not a step function: isotonic regression ties scores, and ties spoil a ranking.

    Attributes
    ----------
    prevalence : float
        Share of scams for which the probabilities are right.
    languages : mapping of str to (slope, offset)
        Languages with a sigmoid of their own: the same log-odds are not equally sure in every language.
    """

    slope: float = 1.0
    offset: float = 0.0
    prevalence: float = 0.5
    languages: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def log_odds(self, logit: float, language: str = "") -> float:
        """Calibrated log-odds of one logit."""
        slope, offset = self.languages.get(language, (self.slope, self.offset))
        return slope * logit + offset

    def log_odds_of(self, logits: FloatArray, english: npt.NDArray[np.bool_]) -> FloatArray:
        """Calibrated log-odds of many logits, shape (n,)."""
        found = [self.log_odds(v, "en" if e else "") for v, e in zip(logits, english, strict=True)]
        return np.array(found, dtype=np.float64)

    def probability(self, logit: float, language: str = "") -> float:
        """Calibrated probability of one logit."""
        return _probability(self.log_odds(logit, language))

    def at(self, prevalence: float) -> Calibration:
        """The same calibration for another share of scams: the odds change by the ratio of the prior odds."""
        if not 0.0 < prevalence < 1.0:
            raise InputError(f"prevalence is a share of scams between 0 and 1, got {prevalence}")
        shift = log_odds(prevalence) - log_odds(self.prevalence)
        moved = {name: (slope, offset + shift) for name, (slope, offset) in self.languages.items()}
        return Calibration(self.slope, self.offset + shift, prevalence, moved)


def _probability(z: float) -> float:
    return 1.0 / (1.0 + math.exp(-z)) if z >= 0 else math.exp(z) / (1.0 + math.exp(z))


def log_odds(p: float) -> float:
    """Log of the odds of a probability."""
    return math.log(p / (1.0 - p))


def estimate_prevalence(
    probabilities: npt.ArrayLike, base: float, weight: npt.ArrayLike | None = None, rounds: int = 2000
) -> float:
    """Share of scams in an unlabelled stream, by expectation maximisation over its calibrated probabilities.

    After Saerens, Latinne and Decaestecker (2002, "Adjusting the outputs of a classifier to new a priori probabilities").
    A guess, no count: honest ads unlike those of the training data are taken in part for scams, and the other way round.
    `docs/evaluation.md` shows how far off it is.

    Parameters
    ----------
    probabilities : array of shape (n,)
        Calibrated for the share `base`; NaN are left out.
    base : float
        Share of scams for which the probabilities are right.
    weight : array of shape (n,), optional
        How often each probability was seen.

    Returns
    -------
    float
        Between 0.0001 and 0.99; `base` where there is nothing to go by.

    Examples
    --------
    >>> round(estimate_prevalence([0.01] * 95 + [0.99] * 5, base=0.1), 2)
    0.05
    """
    p = np.asarray(probabilities, dtype=np.float64)
    w = np.ones(len(p)) if weight is None else np.asarray(weight, dtype=np.float64)
    p, w = p[np.isfinite(p)], w[np.isfinite(p)]
    if not w.sum() > 0:
        return base
    p = np.clip(p, 1e-9, 1 - 1e-9)
    odds = p / (1.0 - p) * (1.0 - base) / base
    share = base
    for _ in range(rounds):
        moved = share / (1.0 - share) * odds
        new = float(np.clip(np.average(moved / (1.0 + moved), weights=w), 1e-4, 0.99))
        if abs(new - share) < 1e-8:
            break
        share = new
    return share


@dataclass(frozen=True)
class OperatingCurve:
    """What flagging everything at or above a score would have caught out of fold: recall, and honest postings flagged.

    Attributes
    ----------
    log_odds, recall, false_rate : tuple of float
        Equal lengths, calibrated log-odds (at the prevalence of the artifact) falling. Empty for artifacts written
        before the curve was kept.
    """

    log_odds: tuple[float, ...] = ()
    recall: tuple[float, ...] = ()
    false_rate: tuple[float, ...] = ()

    def moved(self, shift: float) -> OperatingCurve:
        """The same curve with other prior odds."""
        return replace(self, log_odds=tuple(value + shift for value in self.log_odds))

    def thresholds(self, prevalence: float, base: float) -> dict[str, float]:
        """Lowest probability of each tier at a prevalence; `base` is the one of the artifact.

        critical: precision at least 0.97; high: at least 0.9; medium: at most 5 % of honest postings at or above it.
        """
        shift = log_odds(prevalence) - log_odds(base)
        p = [_probability(value + shift) for value in self.log_odds]
        caught = [prevalence * r for r in self.recall]
        wrong = [(1.0 - prevalence) * f for f in self.false_rate]
        precision = [c / (c + w) if c + w > 0 else 0.0 for c, w in zip(caught, wrong, strict=True)]

        def lowest(good: list[bool], default: float) -> float:
            return next((value for value, is_good in zip(reversed(p), reversed(good), strict=True) if is_good), default)

        high = lowest([x >= _HIGH for x in precision], _HIGH)
        critical = max(lowest([x >= _CRITICAL for x in precision], _CRITICAL), min(high + _STEP, 0.995))
        medium = min(lowest([f <= _MEDIUM_FALSE for f in self.false_rate], 0.3), high - _STEP)
        return {"medium": round(max(medium, _LEAST), 4), "high": round(high, 4), "critical": round(critical, 4)}


def block_ends(schema: int, bits: int) -> tuple[int, ...]:
    """Where the blocks of buckets end that are brought to one length each: all together, or words and subwords."""
    size = 1 << bits
    return (size,) if schema == 1 else (size // 2, size)


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
    schema : int
        Feature schema the weights belong to.
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
    schema: int = SCHEMA_VERSION
    calibration: Calibration = field(default_factory=Calibration)
    curve: OperatingCurve = field(default_factory=OperatingCurve)
    thresholds: dict[str, float] = field(default_factory=lambda: {"medium": 0.3, "high": 0.6, "critical": 0.9})

    @cached_property
    def _pairs(self) -> FloatArray:
        """Scale and weight of each bucket side by side, so that both come with one look into memory."""
        return np.stack([self.scale, self.text], axis=1).astype(np.float64)

    def at_prevalence(self, prevalence: float) -> LinearModel:
        """The same model for a stream with another share of scams: probabilities and tiers change, the ranking does not.

        A high tier keeps its promise (precision at least 0.9), so in a stream with few scams fewer postings reach it.
        """
        calibration = self.calibration.at(prevalence)
        shift = log_odds(prevalence) - log_odds(self.calibration.prevalence)
        if self.curve.log_odds:
            cuts = self.curve.thresholds(prevalence, self.calibration.prevalence)
            return replace(self, calibration=calibration, curve=self.curve.moved(shift), thresholds=cuts)
        moved = {name: 1.0 / (1.0 + math.exp(-log_odds(cut) - shift)) for name, cut in self.thresholds.items()}
        return replace(self, calibration=calibration, thresholds=moved)

    def with_thresholds(self, thresholds: Mapping[str, float]) -> LinearModel:
        """The same model with some tiers cut elsewhere.

        Raises
        ------
        InputError
            If a tier is unknown, a threshold is not a probability, or a higher tier would start below a lower one.
        """
        cuts = {**self.thresholds, **thresholds}
        for name, value in thresholds.items():
            if name not in self.thresholds or not 0.0 < value <= 1.0:
                known = ", ".join(self.thresholds)
                raise InputError(f"threshold {name}={value}: give a tier ({known}) and a probability above 0, at most 1")
        values = [cuts[name] for name in TIERS[1:]]
        if values != sorted(values):
            raise InputError("thresholds must rise with the tier, got " + ", ".join(f"{n}={cuts[n]}" for n in TIERS[1:]))
        return replace(self, thresholds=cuts)

    def text_values(self, grams: Grams) -> FloatArray:
        """Contribution of every n-gram of a text, in the order of `grams`."""
        return self.text_values_of([grams])[0]

    def text_values_of(self, texts: Sequence[Grams]) -> list[FloatArray]:
        """Contributions of the n-grams of several texts."""
        pairs = self._pairs.take(np.concatenate([text.buckets for text in texts]), axis=0)
        scale = pairs[:, 0].copy()
        blocks = block_ends(self.schema, self.bits)
        lengths: list[float] = []
        sizes: list[int] = []
        start = 0
        bounds = [0]
        for text in texts:
            ends = np.searchsorted(text.buckets, blocks).tolist() if len(blocks) > 1 else [len(text.buckets)]
            for end in ends:
                block = scale[start : bounds[-1] + end]
                norm = math.sqrt(float(np.dot(block, block)) * len(blocks))
                lengths.append(norm if norm > 0.0 else 1.0)
                sizes.append(len(block))
                start = bounds[-1] + end
            bounds.append(start)
        scale /= np.repeat(lengths, sizes)
        values = pairs[:, 1] * scale
        return [values[low:high] for low, high in pairwise(bounds)]

    def tier(self, probability: float) -> str:
        """Tier of a probability."""
        found = TIERS[0]
        for name in TIERS[1:]:
            if probability >= self.thresholds[name]:
                found = name
        return found
