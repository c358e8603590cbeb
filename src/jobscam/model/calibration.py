"""From log-odds to honest probabilities, and from probabilities to tiers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, logit

from jobscam.features import FloatArray
from jobscam.model.linear import Calibration

_MIN_SLOPE = 0.05


def reweigh(y: FloatArray, weight: FloatArray, prevalence: float) -> FloatArray:
    """Weights under which scams make up `prevalence` of the total, which is 1."""
    out = np.asarray(weight, dtype=np.float64).copy()
    for label, share in ((1, prevalence), (0, 1.0 - prevalence)):
        chosen = y == label
        if out[chosen].sum() > 0:
            out[chosen] *= share / out[chosen].sum()
    return out


def fit_calibration(logits: FloatArray, y: FloatArray, weight: FloatArray, prevalence: float) -> Calibration:
    """Fit the sigmoid on logits of postings that the model did not see.

    Parameters
    ----------
    logits, y, weight : ndarray of shape (n,)
    prevalence : float
        Share of scams for which the probabilities shall be right.
    """
    balanced = reweigh(y, weight, prevalence) * len(y)
    positive = float(np.sum(y))
    # Platt's targets: a finite sample never proves a probability of exactly 0 or 1.
    target = np.where(y > 0, (positive + 1) / (positive + 2), 1.0 / (len(y) - positive + 2))

    def objective(theta: FloatArray) -> tuple[float, FloatArray]:
        z = theta[0] * logits + theta[1]
        loss = np.dot(balanced, np.logaddexp(0.0, z) - target * z)
        pull = balanced * (expit(z) - target)
        return float(loss), np.array([np.dot(pull, logits), pull.sum()])

    start = np.array([1.0, float(logit(prevalence))])
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=[(_MIN_SLOPE, None), (None, None)])
    return Calibration(float(found.x[0]), float(found.x[1]), prevalence)


def choose_thresholds(p: FloatArray, y: FloatArray, weight: FloatArray, prevalence: float) -> dict[str, float]:
    """Lowest probability of each tier, by what the tier promises at the given prevalence.

    critical: precision at least 0.97; high: precision at least 0.9; medium: at most 5 % of legitimate postings at or above it.
    """
    w = reweigh(y, weight, prevalence)
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum((w * (y > 0))[order])
    flagged = np.cumsum(w[order])
    precision = hits / np.maximum(flagged, 1e-12)
    legitimate = 1.0 - prevalence
    false_rate = (flagged - hits) / legitimate

    def lowest(good: npt.NDArray[np.bool_], default: float) -> float:
        where = np.flatnonzero(good)
        return float(p[order][where[-1]]) if len(where) else default

    high = lowest(precision >= 0.9, 0.9)
    critical = max(lowest(precision >= 0.97, 0.97), min(high + 0.02, 0.995))
    medium = min(lowest(false_rate <= 0.05, 0.3), high - 0.02)
    return {"medium": round(max(medium, 0.01), 4), "high": round(high, 4), "critical": round(critical, 4)}
