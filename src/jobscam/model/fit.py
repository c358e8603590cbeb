"""Fitting the weights: penalised logistic loss with a centre and bounds for every weight.

scikit-learn's logistic regression offers neither bounds (a sign of risk must not lower a score) nor a centre of the
penalty other than zero (the expert's prior; later the weights of a model that is being adapted). The loss is convex
and smooth, so scipy's L-BFGS-B does the work.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.model_selection import StratifiedGroupKFold

from jobscam.features import FloatArray, IntArray


def fit_logistic(
    matrix: Any,
    y: FloatArray,
    weight: FloatArray,
    centre: FloatArray,
    penalty: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    change: Any = None,
    steady: FloatArray | None = None,
    max_iter: int = 400,
) -> tuple[FloatArray, float]:
    """Minimise ``sum(weight * loss) + sum(penalty * (w - centre)**2) / 2 + sum(steady * (change @ w)**2) / 2`` within bounds.

    Parameters
    ----------
    matrix : sparse matrix of shape (n, p)
    y : ndarray of shape (n,)
        1 for scam, 0 for legitimate.
    weight : ndarray of shape (n,)
    centre, penalty, lower, upper : ndarray of shape (p,)
        Penalties above zero.
    change : sparse matrix of shape (m, p), optional
        Differences between two readings of one posting whose log-odds should stay close.
    steady : ndarray of shape (m,), optional
        How much each of them counts.

    Returns
    -------
    weights : ndarray of shape (p,)
    bias : float
    """
    sign = np.where(y > 0, 1.0, -1.0)
    # In units in which every penalty is 1 the problem is far better conditioned.
    unit = 1.0 / np.sqrt(penalty)
    scaled = (matrix @ sparse.diags(unit)).tocsr()
    transposed = scaled.T.tocsr()
    if change is None or steady is None:
        change, steady = sparse.csr_matrix((0, len(penalty))), np.zeros(0)
    hold = steady
    moved = (change @ sparse.diags(unit)).tocsr()
    moved_transposed = moved.T.tocsr()
    centre, lower, upper = centre / unit, lower / unit, upper / unit

    def objective(theta: FloatArray) -> tuple[float, FloatArray]:
        w, bias = theta[:-1], theta[-1]
        margin = sign * (scaled @ w + bias)
        loss = float(np.dot(weight, np.logaddexp(0.0, -margin)))
        pull = -sign * weight * expit(-margin)
        away = w - centre
        loss += 0.5 * float(np.dot(away, away))
        shift = moved @ w
        loss += 0.5 * float(np.dot(hold, shift * shift))
        gradient = np.concatenate([transposed @ pull + away + moved_transposed @ (hold * shift), [pull.sum()]])
        return loss, gradient

    start = np.concatenate([np.clip(centre, lower, upper), [0.0]])
    bounds = list(zip([*lower, -np.inf], [*upper, np.inf], strict=True))
    result = minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": max_iter, "maxcor": 20, "ftol": 1e-9}
    )
    return result.x[:-1] * unit, float(result.x[-1])


def campaign_folds(target: FloatArray, groups: Any, number: int) -> IntArray:
    """Fold of every posting, shape (n,), so that no campaign is cut; -1 for all where there are fewer than two folds."""
    fold = np.full(len(target), -1)
    if number >= 2:
        splitter = StratifiedGroupKFold(number, shuffle=True, random_state=0)
        for i, (_, test) in enumerate(splitter.split(target, target, groups)):
            fold[test] = i
    return fold
