"""Measuring models on a user's labelled ads, and saying whether a new one is better than the old one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jobscam.errors import InputError
from jobscam.evaluation import (
    Estimate,
    Metric,
    average_precision,
    brier_skill,
    calibration_error_at,
    difference,
    estimate,
    precision_at,
    recall_at_fpr,
    share_above,
)
from jobscam.explain import Assessment
from jobscam.features import FloatArray
from jobscam.labelled import Ad, Labelled
from jobscam.scoring import Scorer
from jobscam.values import TIERS

_LEAST_SLICE = 10
_LEAST_CAMPAIGNS = 3
_REASONS = 3
_UNASSESSED = -50.0
_LENGTHS = ((0, 200), (200, 1000), (1000, None))


@dataclass(frozen=True)
class Scores:
    """What one model says of labelled ads.

    Attributes
    ----------
    logits : ndarray of shape (n,)
        Calibrated log-odds: comparable between languages and models.
    probabilities : ndarray of shape (n,)
    """

    found: list[Assessment]
    logits: FloatArray
    probabilities: FloatArray


def score(scorer: Scorer, labelled: Labelled) -> Scores:
    """Score labelled ads; ads that cannot be assessed count as the least risky."""
    found = scorer.assess_many(labelled.postings)
    logits = [_log_odds(scorer, assessment) for assessment in found]
    return Scores(found, np.array(logits), np.array([a.probability or 0.0 for a in found]))


def _log_odds(scorer: Scorer, found: Assessment) -> float:
    if found.probability is None or found.logit is None:
        return _UNASSESSED
    return scorer.model.calibration.log_odds(found.logit, found.language)


class Rule(NamedTuple):
    """A metric, whether it takes probabilities (or log-odds), and whether less of it is better."""

    metric: Metric
    of_probabilities: bool = False
    less_is_better: bool = False

    def scores(self, scores: Scores) -> FloatArray:
        """What it is computed on."""
        return scores.probabilities if self.of_probabilities else scores.logits


def metrics(scorer: Scorer) -> dict[str, Rule]:
    """Metrics by name."""
    cuts, prevalence = scorer.model.thresholds, scorer.model.calibration.prevalence
    return {
        "average precision": Rule(average_precision),
        "recall at 1 % false positives": Rule(recall_at_fpr(0.01)),
        "recall at 5 % false positives": Rule(recall_at_fpr(0.05)),
        "scams at high or above": Rule(share_above(cuts["high"], 1), True),
        "legitimate at high or above": Rule(share_above(cuts["high"], 0), True, True),
        "scams at medium or above": Rule(share_above(cuts["medium"], 1), True),
        "legitimate at medium or above": Rule(share_above(cuts["medium"], 0), True, True),
        f"precision at high, at {prevalence:.0%} scams": Rule(precision_at(cuts["high"], prevalence), True),
        f"calibration error, at {prevalence:.0%} scams": Rule(calibration_error_at(prevalence), True, True),
        "Brier skill": Rule(brier_skill, True),
    }


@dataclass(frozen=True)
class Evaluation:
    """Figures of one model on labelled ads.

    Attributes
    ----------
    figures : dict of str to Estimate
    slices : dict of str to (int, int, Estimate)
        By slice: ads, scams, average precision.
    """

    model: str
    ads: int
    scams: int
    campaigns: int
    figures: dict[str, Estimate]
    slices: dict[str, tuple[int, int, Estimate]]

    def as_mapping(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "model": self.model,
            "ads": self.ads,
            "scams": self.scams,
            "campaigns": self.campaigns,
            "figures": {name: _plain(value) for name, value in self.figures.items()},
            "slices": {
                name: {"ads": ads, "scams": scams, "average precision": _plain(value)}
                for name, (ads, scams, value) in self.slices.items()
            },
        }


def evaluate(scorer: Scorer, labelled: Labelled) -> Evaluation:
    """Measure a model on labelled ads it has not seen, with 95 % intervals over campaigns."""
    scores, y = score(scorer, labelled), labelled.labels
    figures = {name: estimate(rule.metric, y, rule.scores(scores), labelled.campaigns) for name, rule in metrics(scorer).items()}
    slices = {}
    for name, part in _slices(labelled, scores.found):
        groups = [labelled.campaigns[i] for i in part.tolist()]
        value = estimate(average_precision, y[part], scores.logits[part], groups)
        slices[name] = (len(part), int(y[part].sum()), value)
    return Evaluation(scorer.name, len(y), int(y.sum()), len(set(labelled.campaigns)), figures, slices)


def _slices(labelled: Labelled, found: Sequence[Assessment]) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """Slices by language, source, destination and length that hold ten ads and three campaigns of each label.

    With fewer the campaigns drawn anew are nearly always the same: an interval without width, which any difference exceeds.
    """
    names: list[tuple[str, list[bool]]] = []
    for kind, values in (
        ("language", [a.language for a in found]),
        ("source", [p.source for p in labelled.postings]),
        ("work in", [str(a.facts.get("destination") or "") for a in found]),
    ):
        names += [(f"{kind} {value}", [v == value for v in values]) for value in sorted(set(values) - {""})]
    length = [len(p.text()) for p in labelled.postings]
    for low, high in _LENGTHS:
        name = f"{low} to {high} characters" if high else f"{low} characters and more"
        names.append((name, [low <= n and (high is None or n < high) for n in length]))
    y = labelled.labels
    for name, chosen in names:
        part = np.flatnonzero(chosen)
        campaigns = [{labelled.campaigns[i] for i in part[y[part] == label].tolist()} for label in (0, 1)]
        if len(part) >= _LEAST_SLICE and min(map(len, campaigns)) >= _LEAST_CAMPAIGNS:
            yield name, part


@dataclass(frozen=True)
class Change:
    """An ad whose tier differs between two models, and the reasons that moved most."""

    ad: Ad
    old: Assessment
    new: Assessment
    moved: tuple[tuple[str, float], ...]

    @property
    def right(self) -> bool:
        """Whether a scam rose or a legitimate ad fell."""
        return (_rank(self.new) > _rank(self.old)) == bool(self.ad.label)


@dataclass(frozen=True)
class Comparison:
    """Two models on the same labelled ads.

    Attributes
    ----------
    figures : dict of str to (Estimate, Estimate, Estimate)
        By metric: old, new, and new minus old with an interval from drawing the same campaigns for both.
    changes : list of Change
        Ads that changed tier, the wrong way first.
    worse : list of str
        Metrics in which the new model is worse beyond the interval.
    worse_slices : dict of str to (int, Estimate)
        Slices in which the new model ranks worse beyond the interval: ads, and the difference of average precision.
    """

    old: str
    new: str
    figures: dict[str, tuple[Estimate, Estimate, Estimate]]
    changes: list[Change]
    worse: list[str]
    worse_slices: dict[str, tuple[int, Estimate]]

    def as_mapping(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "old": self.old,
            "new": self.new,
            "figures": {
                name: {"old": _plain(old), "new": _plain(new), "difference": _plain(gap)}
                for name, (old, new, gap) in self.figures.items()
            },
            "worse": self.worse,
            "worse_slices": {name: {"ads": ads, "difference": _plain(gap)} for name, (ads, gap) in self.worse_slices.items()},
            "changes": [
                {
                    "line": change.ad.line,
                    "label": change.ad.label,
                    "old": {"tier": change.old.tier, "probability": change.old.probability},
                    "new": {"tier": change.new.tier, "probability": change.new.probability},
                    "right": change.right,
                    "moved": dict(change.moved),
                }
                for change in self.changes
            ],
        }


def _rank(found: Assessment) -> int:
    return TIERS.index(found.tier) if found.tier in TIERS else -1


def _plain(value: Estimate) -> dict[str, float | None]:
    return {name: None if np.isnan(v) else round(v, 6) for name, v in dataclasses.asdict(value).items()}


def compare(old: Scorer, new: Scorer, labelled: Labelled) -> Comparison:
    """Compare two models on labelled ads; each is judged by its own tiers.

    Raises
    ------
    InputError
        If the two probabilities hold for different shares of scams.
    """
    if old.model.calibration.prevalence != new.model.calibration.prevalence:
        raise InputError("the models are calibrated for different shares of scams; give --prevalence to compare them at one")
    before, after, y = score(old, labelled), score(new, labelled), labelled.labels
    figures, worse = {}, []
    for (name, one), other in zip(metrics(old).items(), metrics(new).values(), strict=True):
        a, b = one.scores(before), other.scores(after)
        gap = difference(one.metric, other.metric, y, a, b, labelled.campaigns)
        figures[name] = (
            estimate(one.metric, y, a, labelled.campaigns),
            estimate(other.metric, y, b, labelled.campaigns),
            gap,
        )
        if (gap.low > 0) if one.less_is_better else (gap.high < 0):
            worse.append(name)
    worse_slices = {}
    for name, part in _slices(labelled, after.found):
        groups = [labelled.campaigns[i] for i in part.tolist()]
        gap = difference(average_precision, average_precision, y[part], before.logits[part], after.logits[part], groups)
        if gap.high < 0:
            worse_slices[name] = (len(part), gap)
    changes = [
        Change(ad, a, b, _moved(a, b))
        for ad, a, b in zip(labelled.ads, before.found, after.found, strict=True)
        if a.tier != b.tier
    ]
    changes.sort(key=lambda c: (c.right, -abs(_rank(c.new) - _rank(c.old)), c.ad.line))
    return Comparison(old.name, new.name, figures, changes, worse, worse_slices)


def _moved(old: Assessment, new: Assessment) -> tuple[tuple[str, float], ...]:
    """The reasons whose weight changed most."""
    change: dict[str, float] = {}
    for found, sign in ((old, -1.0), (new, 1.0)):
        for part in found.contributions:
            change[part.name] = change.get(part.name, 0.0) + sign * part.value
    by_size = sorted(change.items(), key=lambda item: (-abs(item[1]), item[0]))
    return tuple((name, round(value, 3)) for name, value in by_size[:_REASONS] if abs(value) > 0.05)


@dataclass(frozen=True)
class Breach:
    """An ad that a model must catch and does not, or must not flag and does."""

    ad: Ad
    found: Assessment

    def __str__(self) -> str:
        said = f"{self.found.tier or self.found.status}, probability {self.found.probability or 0.0:.3f}"
        wanted = "must be caught (high or above)" if self.ad.label else "must stay below high"
        return f"line {self.ad.line}: {wanted}, but is {said}"


def breaches(scorer: Scorer, guard: Labelled) -> list[Breach]:
    """Ads of a guard file that a model treats wrongly.

    Scams must reach *high*, legitimate ads must stay below it. Ads with a status other than scored have no tier: a scam
    that is set aside is a breach as well.
    """
    out = []
    for ad, found in zip(guard.ads, scorer.assess_many(guard.postings), strict=True):
        flagged = _rank(found) >= TIERS.index("high")
        if flagged != bool(ad.label):
            out.append(Breach(ad, found))
    return out
