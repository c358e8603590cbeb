"""From log-odds to honest probabilities, and from probabilities to tiers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, logit

from jobscam.features import FloatArray
from jobscam.model.linear import Calibration, OperatingCurve

_MIN_SLOPE = 0.05
_HONEST_POINTS = 400
_ENOUGH = 25


def reweigh(y: FloatArray, weight: FloatArray, prevalence: float) -> FloatArray:
    """Weights under which scams make up `prevalence` of the total, which is 1."""
    out = np.asarray(weight, dtype=np.float64).copy()
    for label, share in ((1, prevalence), (0, 1.0 - prevalence)):
        chosen = y == label
        if out[chosen].sum() > 0:
            out[chosen] *= share / out[chosen].sum()
    return out


def fit_sigmoid(
    logits: FloatArray, y: FloatArray, weight: FloatArray, prevalence: float, pull: float = 0.0
) -> tuple[float, float]:
    """Slope and offset of a sigmoid on logits of postings that the model did not see.

    Parameters
    ----------
    logits, y, weight : ndarray of shape (n,)
    prevalence : float
        Share of scams for which the probabilities shall be right.
    pull : float
        Strength of the pull to slope 1 and offset 0, for logits that are calibrated and labels that are few.
    """
    balanced = reweigh(y, weight, prevalence) * len(y)
    positive = float(np.sum(y))
    # Platt's targets: a finite sample never proves a probability of exactly 0 or 1.
    target = np.where(y > 0, (positive + 1) / (positive + 2), 1.0 / (len(y) - positive + 2))
    identity = np.array([1.0, 0.0])

    def objective(theta: FloatArray) -> tuple[float, FloatArray]:
        z = theta[0] * logits + theta[1]
        away = theta - identity
        loss = np.dot(balanced, np.logaddexp(0.0, z) - target * z) + 0.5 * pull * np.dot(away, away)
        slant = balanced * (expit(z) - target)
        return float(loss), np.array([np.dot(slant, logits), slant.sum()]) + pull * away

    start = identity if pull else np.array([1.0, float(logit(prevalence))])
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=[(_MIN_SLOPE, None), (None, None)])
    return float(found.x[0]), float(found.x[1])


def calibrate(
    logits: FloatArray, y: FloatArray, weight: FloatArray, prevalence: float, english: npt.NDArray[np.bool_]
) -> tuple[Calibration, OperatingCurve]:
    """Calibration by language, and the operating curve over all postings.

    A language with fewer than 25 scams or honest postings shares the sigmoid of the others.

    Parameters
    ----------
    logits, y, weight : ndarray of shape (n,)
        Postings that the model did not see.
    english : ndarray of shape (n,)
    """
    enough = all(np.bincount(y[part].astype(int), minlength=2).min() >= _ENOUGH for part in (english, ~english))
    if not enough:
        calibration = Calibration(*fit_sigmoid(logits, y, weight, prevalence), prevalence)
    else:
        slope, offset = fit_sigmoid(logits[~english], y[~english], weight[~english], prevalence)
        own = fit_sigmoid(logits[english], y[english], weight[english], prevalence)
        calibration = Calibration(slope, offset, prevalence, {"en": own})
    return calibration, operating_curve(calibration.log_odds_of(logits, english), y, weight)


def operating_curve(scores: FloatArray, y: FloatArray, weight: FloatArray) -> OperatingCurve:
    """Recall and false-positive rate at every scam and at a hundred honest postings, falling.

    Parameters
    ----------
    scores, y, weight : ndarray of shape (n,)
        Calibrated log-odds of postings that the model did not see.
    """
    order = np.argsort(-scores, kind="stable")
    scams = np.cumsum((weight * (y > 0))[order])
    honest = np.cumsum((weight * (y == 0))[order])
    recall, false_rate = scams / max(scams[-1], 1e-300), honest / max(honest[-1], 1e-300)
    at_scam = np.flatnonzero(y[order] > 0)
    at_honest = np.flatnonzero(y[order] == 0)
    kept = np.unique(np.concatenate([at_scam, at_honest[:: max(1, len(at_honest) // _HONEST_POINTS)]]))
    columns = (scores[order][kept], recall[kept], false_rate[kept])
    return OperatingCurve(*(tuple(float(round(v, 6)) for v in column) for column in columns))
