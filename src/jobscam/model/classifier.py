"""The scikit-learn estimator over postings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils.validation import check_is_fitted

from jobscam.errors import InputError
from jobscam.features import FeatureSpace, FloatArray, TextHasher
from jobscam.indicators import IndicatorReader
from jobscam.indicators.reference import PayReference
from jobscam.knowledge import load as load_knowledge
from jobscam.model.calibration import fit_calibration, operating_curve
from jobscam.model.fit import fit_logistic
from jobscam.model.linear import Calibration, LinearModel, OperatingCurve
from jobscam.posting import Posting


class JobScamClassifier(ClassifierMixin, BaseEstimator):
    """Logistic model on indicators and hashed words, with expert priors, sign bounds and calibration.

    Parameters
    ----------
    text_penalty : float
        Strength of the pull of word weights to zero.
    indicator_penalty : float
        Strength of the pull of indicator weights to the expert's prior.
    bits : int
        Log2 of the number of hash buckets.
    prevalence : float
        Share of scams for which the probabilities are calibrated.
    folds : int
        Folds of the cross-validation that calibration uses; groups are never cut.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    model_ : LinearModel
    oof_logits_ : ndarray of shape (n,)
        Out-of-fold log-odds of the training postings (NaN where there was no fold).
    pay_reference_ : PayReference
        What the honest training postings pay.
    training_target_ : ndarray of shape (n,)
        1 for scam, 0 for legitimate, in the order of `oof_logits_`.

    Examples
    --------
    >>> from jobscam import JobScamClassifier
    >>> ads = ["admin slot Kamboja gaji 15jt, paspor dibuatkan", "kasir toko Depok gaji 2,5jt, antar lamaran ke toko"] * 5
    >>> clf = JobScamClassifier(folds=2).fit(ads, [1, 0] * 5)
    >>> clf.predict(["admin slot Kamboja"]).tolist()
    [1]
    """

    def __init__(
        self, text_penalty: float = 0.3, indicator_penalty: float = 4.0, bits: int = 18, prevalence: float = 0.1, folds: int = 5
    ) -> None:
        self.text_penalty = text_penalty
        self.indicator_penalty = indicator_penalty
        self.bits = bits
        self.prevalence = prevalence
        self.folds = folds

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None, calibration_weight: Any = None
    ) -> JobScamClassifier:
        """Fit weights, then calibration and thresholds on out-of-fold log-odds.

        Parameters
        ----------
        X : DataFrame, or sequence of str, mapping or Posting
        y : array of shape (n,)
            Two classes; the larger one by sort order is the scam.
        sample_weight : array of shape (n,), optional
        groups : array of shape (n,), optional
            Campaigns: postings of one group never straddle a fold.
        calibration_weight : array of shape (n,), optional
            Weights for calibration and thresholds, where the stream to be scored is mixed otherwise than the training data.
        """
        labels = np.asarray(y)
        self.classes_ = np.unique(labels)
        if len(self.classes_) != 2:
            raise InputError(f"training needs two classes of labels, got {self.classes_.tolist()}")
        target = (labels == self.classes_[1]).astype(np.float64)
        self._prepare(self._learn_reference(X, target))
        matrix = self.transform(X)
        if matrix.shape[0] != len(target):
            raise InputError(f"got {matrix.shape[0]} postings and {len(target)} labels")
        weight = np.ones(len(target)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        group = np.arange(len(target)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        mix = weight if calibration_weight is None else np.asarray(calibration_weight, dtype=np.float64)
        return self.fit_matrix(matrix, target, weight, group, mix)

    def fit_matrix(self, matrix: Any, target: FloatArray, weight: FloatArray, group: Any, mix: FloatArray) -> JobScamClassifier:
        """Fit on rows made by :meth:`transform`; spares reading the postings again in experiments."""
        self.classes_ = getattr(self, "classes_", np.array([0, 1]))
        dense, scale, text, bias = self._weights(matrix, target, weight)
        self.training_target_ = target
        self.oof_logits_ = self._out_of_fold(matrix, target, weight, group)
        known = np.isfinite(self.oof_logits_)
        calibration, curve = Calibration(), OperatingCurve()
        thresholds = {"medium": 0.3, "high": 0.6, "critical": 0.9}
        if known.sum() and len(np.unique(target[known])) == 2:
            calibration = fit_calibration(self.oof_logits_[known], target[known], mix[known], self.prevalence)
            curve = operating_curve(self.oof_logits_[known], target[known], mix[known])
            thresholds = curve.thresholds(calibration)
        self.model_ = LinearModel(self._space.names, dense, scale, text, bias, self.bits, calibration, curve, thresholds)
        return self

    @staticmethod
    def _learn_reference(X: Any, target: FloatArray) -> PayReference:
        """Reference of pay from the honest postings. Folds share it: a median over hundreds of ads hardly knows one."""
        from jobscam.scoring import postings_of

        reader = IndicatorReader(load_knowledge())
        postings = postings_of(X)
        samples = (reader.pay_sample(p) for p, scam in zip(postings, target, strict=False) if not scam)
        return PayReference.learn(s for s in samples if s)

    def _prepare(self, reference: PayReference | None = None) -> None:
        knowledge = load_knowledge()
        self.pay_reference_ = reference or PayReference({})
        self._reader = IndicatorReader(knowledge, self.pay_reference_)
        self._space = FeatureSpace(knowledge)
        self._hasher = TextHasher(self.bits)

    def transform(self, X: Any) -> Any:
        """Sparse matrix: indicator columns, then ones for the hash buckets present."""
        from jobscam.scoring import postings_of

        postings: Sequence[Posting] = postings_of(X)
        if not hasattr(self, "_reader"):
            self._prepare()
        width = len(self._space.names)
        indices: list[Any] = []
        values: list[Any] = []
        pointer = [0]
        for posting in postings:
            document, findings = self._reader.read(posting)
            row = self._space.row(document, findings)
            buckets = self._hasher.grams(document.norm).buckets
            indices.append(np.concatenate([np.fromiter(row, dtype=np.int64, count=len(row)), buckets + width]))
            values.append(np.concatenate([np.fromiter(row.values(), dtype=np.float64, count=len(row)), np.ones(len(buckets))]))
            pointer.append(pointer[-1] + len(indices[-1]))
        shape = (len(postings), width + (1 << self.bits))
        if not postings:
            return sparse.csr_matrix(shape)
        return sparse.csr_matrix((np.concatenate(values), np.concatenate(indices), np.array(pointer)), shape=shape)

    def _weights(self, matrix: Any, target: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        width = len(self._space.names)
        text = matrix[:, width:].tocsr()
        frequency = np.asarray((text > 0).sum(axis=0)).ravel()
        scale = (
            np.where(frequency >= 2, np.log((1.0 + text.shape[0]) / (1.0 + frequency)) + 1.0, 0.0)
            .astype(np.float32)
            .astype(np.float64)
        )
        used = np.flatnonzero(scale)
        scaled = scaled_text(text[:, used], scale[used])
        full = sparse.hstack([matrix[:, :width], scaled]).tocsr()
        zeros = np.zeros(len(used))
        infinite = np.full(len(used), np.inf)
        balanced = weight * (len(target) / weight.sum())
        w, bias = fit_logistic(
            full,
            target,
            balanced,
            centre=np.concatenate([self._space.prior, zeros]),
            penalty=np.concatenate([np.full(width, self.indicator_penalty), zeros + self.text_penalty]),
            lower=np.concatenate([self._space.lower, -infinite]),
            upper=np.concatenate([self._space.upper, infinite]),
        )
        weights = np.zeros(len(scale))
        weights[used] = w[width:]
        # Stored as 32-bit floats; rounded here already, so that a saved model scores exactly like the fitted one.
        return w[:width], scale, weights.astype(np.float32).astype(np.float64), bias

    def _out_of_fold(self, matrix: Any, target: FloatArray, weight: FloatArray, group: Any) -> FloatArray:
        logits = np.full(len(target), np.nan)
        folds = min(self.folds, int(min(np.bincount(target.astype(int), minlength=2))), len(np.unique(group)))
        if folds < 2:
            return logits
        splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
        for train, test in splitter.split(matrix, target, group):
            if len(np.unique(target[train])) == 2:
                dense, scale, text, bias = self._weights(matrix[train], target[train], weight[train])
                logits[test] = linear_logits(matrix[test], dense, scale, text, bias)
        return logits

    def decision_function(self, X: Any) -> FloatArray:
        """Log-odds before calibration, shape (n,)."""
        check_is_fitted(self, "model_")
        m = self.model_
        return linear_logits(self.transform(X), m.dense, m.scale, m.text, m.bias)

    def predict_proba(self, X: Any) -> FloatArray:
        """Calibrated probabilities, shape (n, 2), columns as in `classes_`."""
        p = np.array([self.model_.calibration.probability(v) for v in self.decision_function(X)])
        return np.column_stack([1.0 - p, p])

    def predict(self, X: Any) -> Any:
        """Label with the larger probability."""
        return self.classes_[(self.predict_proba(X)[:, 1] >= 0.5).astype(int)]


def scaled_text(text: Any, scale: FloatArray) -> Any:
    """Rows of ones times the bucket scale, each row of length one."""
    scaled = text @ sparse.diags(scale)
    norms = np.sqrt(np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel())
    return sparse.diags(np.where(norms > 0, 1.0 / np.maximum(norms, 1e-300), 0.0)) @ scaled


def linear_logits(matrix: Any, dense: FloatArray, scale: FloatArray, text: FloatArray, bias: float) -> FloatArray:
    """Log-odds of every row of a feature matrix."""
    width = len(dense)
    return np.asarray(matrix[:, :width] @ dense + scaled_text(matrix[:, width:].tocsr(), scale) @ text + bias, dtype=np.float64)
