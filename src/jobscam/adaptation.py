"""Adapting a model to new labels: its weights are the prior, and new labels move them as far as the evidence warrants.

The adapted log-odds are ``trust * shipped + correction``, one linear model again. The correction is pulled to nothing
(less for words that stand unevenly in scams and honest ads, as in training), and trust to one; it may fall where the
old model knows nothing of the new ads, but not rise above one: how sharp probabilities are is for calibration to say.
Whatever is found is tried on labels left out, by campaign; if the old weights do clearly better there, they stay. The
least pull that is within half a standard error of the best is taken: with few labels the losses differ by chance, and the
best by chance kept the old weights where these were worst. A whole one follows wrong labels too far.

Calibration and tiers start from those of the old model and move by as many labels as there are. Tried and left out:
the expert's priors as the centre (better than the old weights only where these know nothing), and a mean with a model
of the new labels alone (worse than the correction at every size).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import expit

from jobscam.features import FeatureSpace, FloatArray, IntArray, english_rows
from jobscam.model.calibration import fit_sigmoid, operating_curve
from jobscam.model.classifier import log_count_ratio, scaled_text
from jobscam.model.fit import campaign_folds, fit_logistic
from jobscam.model.linear import Calibration, LinearModel, OperatingCurve, block_ends

TEXT_PENALTY, INDICATOR_PENALTY, TRUST_PENALTY = 0.05, 1.0, 0.1
STRENGTHS = (0.2, 1.0, 5.0, 25.0)
"""Multiples of the penalties that are tried on labels left out, beside not moving any weight."""
_FOLDS = 5
_CALIBRATION_PULL = 10.0
_CURVE_LABELS = 200
_FEW_ROWS = 1500
_ERRORS = 0.5


@dataclass(frozen=True)
class Adapted:
    """An adapted model and what was learned on the way.

    Attributes
    ----------
    model : LinearModel
    strength : float
        Multiple of the penalties that was chosen on labels left out; infinite where the old weights stayed.
    trust : float
        Factor on the old log-odds.
    old_logits, new_logits : ndarray of shape (n,)
        Log-odds of the labelled ads by the old model, and by adapted ones that had not seen their campaign (the last
        step apart, NaN without folds).
    losses : dict of float to float
        Mean log loss on labels left out, by strength.
    doubtful : ndarray of int
        Numbers of the ads whose label those of other campaigns contradict, the most doubtful first.
    """

    model: LinearModel
    strength: float
    trust: float
    old_logits: FloatArray
    new_logits: FloatArray
    losses: dict[float, float]
    doubtful: IntArray


@dataclass(frozen=True)
class _Fit:
    """Weights after a fit: ``logits = rows @ weights + bias``."""

    weights: FloatArray
    bias: float
    trust: float


class _Space:
    """The columns of the old model, with those that knowledge and new words add."""

    def __init__(self, base: LinearModel, space: FeatureSpace, matrix: sparse.csr_matrix) -> None:
        self.names = (*base.names, *(name for name in space.names if name not in set(base.names)))
        place = {name: i for i, name in enumerate(self.names)}
        self._to = sparse.csr_matrix(
            (np.ones(len(space.names)), (np.arange(len(space.names)), [place[n] for n in space.names])),
            shape=(len(space.names), len(self.names)),
        )
        self.width = len(self.names)
        self._read = len(space.names)
        self.lower = np.full(self.width, -np.inf)
        self.upper = np.full(self.width, np.inf)
        for i, name in enumerate(space.names):
            self.lower[place[name]], self.upper[place[name]] = space.lower[i], space.upper[i]
        self.ends = block_ends(base.schema, base.bits)
        text = matrix[:, self._read :]
        frequency = np.asarray((text > 0).sum(axis=0)).ravel()
        # A word that training never saw twice is as rare as the rarest it knew.
        self.scale = np.where((base.scale == 0) & (frequency >= 2), base.scale.max(), base.scale)
        self.old = np.concatenate([base.dense, np.zeros(self.width - len(base.dense)), base.text])

    def rows(self, matrix: sparse.csr_matrix) -> sparse.csr_matrix:
        """Rows as they are multiplied with weights."""
        text = scaled_text(matrix[:, self._read :].tocsr(), self.scale, self.ends)
        found: sparse.csr_matrix = sparse.hstack([matrix[:, : self._read] @ self._to, text]).tocsr()
        return found


def adapt(
    base: LinearModel,
    space: FeatureSpace,
    matrix: sparse.csr_matrix,
    target: FloatArray,
    groups: IntArray,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Adapted:
    """Adapt a model to labelled ads.

    Parameters
    ----------
    base : LinearModel
    space : FeatureSpace
        Names the indicator columns of `matrix`.
    matrix : sparse matrix of shape (n, p)
        Indicator columns, then ones for the hash buckets present, hashed as `base` hashes.
    target : ndarray of shape (n,)
        1 for scam, 0 for legitimate; both must be there.
    groups : ndarray of shape (n,)
        Campaigns, which folds do not cut.
    on_progress : callable, optional
        Told what is being done.
    """
    columns = _Space(base, space, matrix)
    rows = columns.rows(matrix)
    old = np.asarray(rows @ columns.old + base.bias)
    folds = campaign_folds(target, groups, min(_FOLDS, *(len(np.unique(groups[target == label])) for label in (0, 1))))
    held = {strength: np.full(len(target), np.nan) for strength in (*STRENGTHS, np.inf)}
    for number in range(folds.max() + 1):
        on_progress(f"labels left out, part {number + 1} of {folds.max() + 1}")
        train, test = folds != number, folds == number
        if len(np.unique(target[train])) < 2:
            continue
        for strength, found in held.items():
            fitted = _fit(columns, rows[train], target[train], strength)
            found[test] = rows[test] @ fitted.weights + fitted.bias
    losses = {strength: _losses(logits, target) for strength, logits in held.items()}
    strength = _weakest_pull(losses)
    on_progress("all labels")
    fitted = _fit(columns, rows, target, strength)
    out_of_fold = held[strength]
    model = _recalibrated(base, columns, fitted, out_of_fold, target, english_rows(space, matrix))
    means = {strength: float(loss.mean()) if len(loss) else float("nan") for strength, loss in losses.items()}
    return Adapted(model, strength, fitted.trust, old, out_of_fold, means, _doubtful(out_of_fold, target))


def _fit(columns: _Space, rows: sparse.csr_matrix, target: FloatArray, strength: float) -> _Fit:
    """Trust and correction together, then the correction again within the bounds of the signs."""
    ones = np.ones(len(target))
    old = np.asarray(rows @ columns.old)
    if not np.isfinite(strength):
        weights, moved = _solve(old[:, None], target, np.ones(1), np.array([TRUST_PENALTY]), (np.zeros(1), np.ones(1)))
        return _Fit(float(weights[0]) * columns.old, moved, float(weights[0]))
    dense = rows[:, : columns.width].toarray()
    used = columns.width + np.unique(rows[:, columns.width :].indices)
    text = rows[:, used]
    unit = np.sqrt(log_count_ratio((text > 0).astype(np.float64), target, ones) / (strength * TEXT_PENALTY))
    packed, unpack = _packed((text @ sparse.diags(unit)).tocsr())
    matrix = sparse.hstack([sparse.csr_matrix(old[:, None]), sparse.csr_matrix(dense), packed]).tocsr()
    centre = np.zeros(matrix.shape[1])
    centre[0] = 1.0
    penalty = np.ones(matrix.shape[1])
    penalty[0], penalty[1 : columns.width + 1] = TRUST_PENALTY, strength * INDICATOR_PENALTY
    lower, upper = np.full(len(centre), -np.inf), np.full(len(centre), np.inf)
    lower[0], upper[0] = 0.0, 1.0
    weights, moved = _solve(matrix, target, centre, penalty, (lower, upper))
    trust = float(weights[0])
    centre[0] = lower[0] = upper[0] = trust
    # The bounds are those of the whole weight, and the old part of it is known only now.
    start = trust * columns.old[: columns.width]
    lower[1 : columns.width + 1] = np.minimum(columns.lower - start, 0.0)
    upper[1 : columns.width + 1] = np.maximum(columns.upper - start, 0.0)
    weights, moved = _solve(matrix, target, centre, penalty, (lower, upper))
    full = trust * columns.old
    full[: columns.width] += weights[1 : columns.width + 1]
    full[used] += unit * unpack(weights[columns.width + 1 :])
    return _Fit(full, moved, trust)


def _solve(
    matrix: Any, target: FloatArray, centre: FloatArray, penalty: FloatArray, bounds: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, float]:
    return fit_logistic(sparse.csr_matrix(matrix), target, np.ones(len(target)), centre, penalty, *bounds)


def _packed(text: sparse.csr_matrix) -> tuple[sparse.csr_matrix, Callable[[FloatArray], FloatArray]]:
    """Rows in as many columns as there are rows, and the way back to weights of all words.

    With few labels and many words the solution lies in the span of the rows; turning the words so that the penalty stays
    the same leaves a problem a hundred times smaller with the same answer.
    """
    if text.shape[0] > _FEW_ROWS:
        return text, lambda weights: weights
    values, vectors = np.linalg.eigh((text @ text.T).toarray())
    kept = values > values.max(initial=0.0) * 1e-10
    root = np.sqrt(values[kept])
    back = text.T @ (vectors[:, kept] / root)
    return sparse.csr_matrix(vectors[:, kept] * root), lambda weights: np.asarray(back @ weights)


def _losses(logits: FloatArray, target: FloatArray) -> FloatArray:
    """Log loss of each label that was left out, shape (m,)."""
    known = np.isfinite(logits)
    return np.asarray(np.logaddexp(0.0, -np.where(target[known] > 0, 1.0, -1.0) * logits[known]))


def _weakest_pull(losses: dict[float, FloatArray]) -> float:
    """The least strength whose loss is within half a standard error of the best one's."""
    best = min(losses, key=lambda s: losses[s].mean() if len(losses[s]) else np.inf)
    if not len(losses[best]):
        # With too few campaigns for folds nothing tells how far to move.
        return STRENGTHS[-1]
    for strength, loss in losses.items():
        more = loss - losses[best]
        if more.mean() <= _ERRORS * more.std() / np.sqrt(len(more)):
            return strength
    raise AssertionError("the best is within any error of itself")


def _recalibrated(
    base: LinearModel, columns: _Space, fitted: _Fit, logits: FloatArray, target: FloatArray, english: npt.NDArray[np.bool_]
) -> LinearModel:
    model = replace(
        base,
        names=columns.names,
        dense=fitted.weights[: columns.width],
        # As they are stored, so that a saved model scores exactly like this one.
        scale=columns.scale.astype(np.float32).astype(np.float64),
        text=fitted.weights[columns.width :].astype(np.float32).astype(np.float64),
        bias=fitted.bias,
    )
    known = np.isfinite(logits)
    if len(np.unique(target[known])) < 2:
        return model
    old = base.calibration
    said = old.log_odds_of(logits[known], english[known])
    ones = np.ones(len(said))
    # A few labels must not unlearn a calibration: it is pulled to stay.
    slope, offset = fit_sigmoid(said, target[known], ones, old.prevalence, _CALIBRATION_PULL)
    calibration = Calibration(
        slope * old.slope,
        slope * old.offset + offset,
        old.prevalence,
        {name: (slope * a, slope * b + offset) for name, (a, b) in old.languages.items()},
    )
    new = operating_curve(slope * said + offset, target[known], ones)
    curve = _pooled(base.curve, new, len(said)) if base.curve.log_odds else new
    thresholds = curve.thresholds(old.prevalence, old.prevalence)
    return replace(model, calibration=calibration, curve=curve, thresholds=thresholds)


def _pooled(old: OperatingCurve, new: OperatingCurve, labels: int) -> OperatingCurve:
    """Both curves at all their points, the old one counting as 200 labels."""
    points = np.array(sorted({*old.log_odds, *new.log_odds}, reverse=True))
    share = labels / (labels + _CURVE_LABELS)
    recall, false_rate = (
        (1 - share) * _at(points, old.log_odds, o) + share * _at(points, new.log_odds, n)
        for o, n in ((old.recall, new.recall), (old.false_rate, new.false_rate))
    )
    return OperatingCurve(tuple(points.tolist()), tuple(recall.tolist()), tuple(false_rate.tolist()))


def _at(points: FloatArray, falling: tuple[float, ...], values: tuple[float, ...]) -> FloatArray:
    """A falling step curve at other points: what was reached at or above each of them."""
    place = np.searchsorted(-np.array(falling), -points, side="right") - 1
    return np.where(place >= 0, np.array(values)[np.maximum(place, 0)], 0.0)


def _doubtful(logits: FloatArray, target: FloatArray) -> IntArray:
    """Ads that the labels of other campaigns put into the other class as surely as the ads of that class.

    The rule of confident learning: the threshold of a class is the mean probability of it among the ads so labelled, so
    it falls by itself where wrong labels or few of them make the model unsure.

    References
    ----------
    Northcutt, Jiang, Chuang: Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR 70 (2021), section 3.
    """
    known = np.flatnonzero(np.isfinite(logits))
    scam = target[known] > 0
    if scam.all() or not scam.any():
        return np.zeros(0, dtype=np.int64)
    p = expit(logits[known])
    other = np.where(scam, 1 - p, p)
    doubtful = other >= np.where(scam, (1 - p)[~scam].mean(), p[scam].mean())
    order = np.argsort(-other, kind="stable")
    found: IntArray = known[order][doubtful[order]]
    return found
