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
from jobscam.features import ENGLISH, SCHEMA_VERSION, FeatureSpace, FloatArray, TextHasher
from jobscam.indicators import IndicatorReader
from jobscam.indicators.reference import PayReference
from jobscam.knowledge import load as load_knowledge
from jobscam.model.calibration import calibrate
from jobscam.model.fit import fit_logistic
from jobscam.model.linear import Calibration, LinearModel, OperatingCurve, block_ends
from jobscam.posting import Posting

_LEAST_RATIO = 0.1


class JobScamClassifier(ClassifierMixin, BaseEstimator):
    """Logistic model on indicators and hashed words, with expert priors, sign bounds and calibration.

    Parameters
    ----------
    text_penalty : float
        Strength of the pull of word weights to zero.
    ratio_power : float
        How far that pull weakens for words that stand unevenly in scams and honest postings: it is divided by their log
        count ratio to twice this power. 0 pulls all words alike; 1 is the naive Bayes weighting, which fits one source
        best and carries over to others worst.
    indicator_penalty : float
        Strength of the pull of indicator weights to the expert's prior.
    steadiness : float
        How strongly an honest posting and its copies with fields taken away are held to the same log-odds, so that bare
        ads of honest employers are not flagged for being bare. What an employer left blank is free to count.
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
        self,
        text_penalty: float = 0.05,
        ratio_power: float = 0.5,
        indicator_penalty: float = 4.0,
        steadiness: float = 0.05,
        bits: int = 19,
        prevalence: float = 0.1,
        folds: int = 5,
    ) -> None:
        self.text_penalty = text_penalty
        self.ratio_power = ratio_power
        self.indicator_penalty = indicator_penalty
        self.steadiness = steadiness
        self.bits = bits
        self.prevalence = prevalence
        self.folds = folds

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        groups: Any = None,
        calibration_weight: Any = None,
        copy_of: Any = None,
        fold_of: Any = None,
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
        copy_of : array of int of shape (n,), optional
            For a copy of another posting with fields taken away, the number of that posting; -1 for all others.
        fold_of : array of int of shape (n,), optional
            Fold of every posting, instead of folds drawn from `groups`: to calibrate on what differs from the training
            data (another source, another kind of scam) as the postings to be scored will.
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
        copies = np.full(len(target), -1) if copy_of is None else np.asarray(copy_of)
        folds = self._folds(target, group) if fold_of is None else np.asarray(fold_of)
        return self.fit_matrix(matrix, target, weight, folds, mix, copies)

    def fit_matrix(
        self, matrix: Any, target: FloatArray, weight: FloatArray, fold: Any, mix: FloatArray, copy_of: Any
    ) -> JobScamClassifier:
        """Fit on rows made by :meth:`transform`; spares reading the postings again in experiments."""
        self.classes_ = getattr(self, "classes_", np.array([0, 1]))
        dense, scale, text, bias = self._weights(matrix, target, weight, copy_of)
        self.training_target_ = target
        self.oof_logits_ = self._out_of_fold(matrix, target, weight, fold, copy_of)
        known = np.isfinite(self.oof_logits_)
        calibration, curve = Calibration(), OperatingCurve()
        thresholds = {"medium": 0.3, "high": 0.6, "critical": 0.9}
        if known.sum() and len(np.unique(target[known])) == 2:
            english = self._english(matrix)[known]
            calibration, curve = calibrate(self.oof_logits_[known], target[known], mix[known], self.prevalence, english)
            thresholds = curve.thresholds(self.prevalence, self.prevalence)
        self.model_ = LinearModel(
            self._space.names, dense, scale, text, bias, self.bits, SCHEMA_VERSION, calibration, curve, thresholds
        )
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

    def _weights(
        self, matrix: Any, target: FloatArray, weight: FloatArray, copy_of: Any
    ) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        width = len(self._space.names)
        text = matrix[:, width:].tocsr()
        frequency = np.asarray((text > 0).sum(axis=0)).ravel()
        scale = (
            np.where(frequency >= 2, np.log((1.0 + text.shape[0]) / (1.0 + frequency)) + 1.0, 0.0)
            .astype(np.float32)
            .astype(np.float64)
        )
        used = np.flatnonzero(scale)
        present = text[:, used].tocsr()
        full = sparse.hstack([matrix[:, :width], scaled_text(present, scale[used], self._blocks(used))]).tocsr()
        zeros = np.zeros(len(used))
        infinite = np.full(len(used), np.inf)
        balanced = weight * (len(target) / weight.sum())
        ratio = log_count_ratio(present, target, balanced)
        copy = np.flatnonzero((copy_of >= 0) & (target == 0))
        change = ((full[copy_of[copy]] - full[copy]) @ sparse.diags(self._held(len(used)))).tocsr()
        w, bias = fit_logistic(
            full,
            target,
            balanced,
            centre=np.concatenate([self._space.prior, zeros]),
            penalty=np.concatenate([np.full(width, self.indicator_penalty), self.text_penalty / ratio ** (2 * self.ratio_power)]),
            lower=np.concatenate([self._space.lower, -infinite]),
            upper=np.concatenate([self._space.upper, infinite]),
            change=change,
            steady=self.steadiness * balanced[copy],
        )
        weights = np.zeros(len(scale))
        weights[used] = w[width:]
        # Stored as 32-bit floats; rounded here already, so that a saved model scores exactly like the fitted one.
        return w[:width], scale, weights.astype(np.float32).astype(np.float64), bias

    def _held(self, n_text: int) -> FloatArray:
        """1 for the columns that steadiness holds, 0 for those of metadata left blank."""
        return np.concatenate([[0.0 if name.startswith("blank:") else 1.0 for name in self._space.names], np.ones(n_text)])

    def _blocks(self, used: Any = None) -> tuple[int, ...]:
        """Where the blocks of text columns end, among all of them or among those used."""
        ends = block_ends(SCHEMA_VERSION, self.bits)
        return ends if used is None else tuple(np.searchsorted(used, ends).tolist())

    def _folds(self, target: FloatArray, group: Any) -> Any:
        """Fold of every posting, groups never cut; -1 where there can be none."""
        fold = np.full(len(target), -1)
        folds = min(self.folds, int(min(np.bincount(target.astype(int), minlength=2))), len(np.unique(group)))
        if folds >= 2:
            splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
            for number, (_, test) in enumerate(splitter.split(target, target, group)):
                fold[test] = number
        return fold

    def _out_of_fold(self, matrix: Any, target: FloatArray, weight: FloatArray, fold: Any, copy_of: Any) -> FloatArray:
        logits = np.full(len(target), np.nan)
        for number in np.unique(fold[fold >= 0]):
            train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            if len(np.unique(target[train])) == 2:
                # Copies share the fold of their original, so both are here or neither is.
                place = np.full(len(target) + 1, -1)
                place[train] = np.arange(len(train))
                fitted = self._weights(matrix[train], target[train], weight[train], place[copy_of[train]])
                logits[test] = linear_logits(matrix[test], *fitted, self._blocks())
        return logits

    def decision_function(self, X: Any) -> FloatArray:
        """Log-odds before calibration, shape (n,)."""
        check_is_fitted(self, "model_")
        return self.logits(self.transform(X))

    def predict_proba(self, X: Any) -> FloatArray:
        """Calibrated probabilities, shape (n, 2), columns as in `classes_`."""
        check_is_fitted(self, "model_")
        p = self.probabilities(self.transform(X))
        return np.column_stack([1.0 - p, p])

    def logits(self, matrix: Any) -> FloatArray:
        """Log-odds of rows made by :meth:`transform`, shape (n,)."""
        m = self.model_
        return linear_logits(matrix, m.dense, m.scale, m.text, m.bias, self._blocks())

    def probabilities(self, matrix: Any) -> FloatArray:
        """Calibrated probabilities of rows made by :meth:`transform`, shape (n,)."""
        calibration = self.model_.calibration
        languages = np.where(self._english(matrix), "en", "")
        return np.array([calibration.probability(v, w) for v, w in zip(self.logits(matrix), languages, strict=True)])

    def _english(self, matrix: Any) -> Any:
        return np.asarray(matrix[:, self._space.names.index(ENGLISH)].todense()).ravel() > 0

    def predict(self, X: Any) -> Any:
        """Label with the larger probability."""
        return self.classes_[(self.predict_proba(X)[:, 1] >= 0.5).astype(int)]


def log_count_ratio(present: Any, target: FloatArray, weight: FloatArray) -> FloatArray:
    """How unevenly each n-gram stands in scams and in honest postings: ``|log ratio of smoothed shares|``, at least 0.1.

    After the naive Bayes weighting of Wang and Manning (2012, "Baselines and Bigrams").
    """
    counts = [np.asarray(present.T @ (weight * (target == label))).ravel() + 1.0 for label in (1, 0)]
    ratio = np.log(counts[0] / counts[0].sum()) - np.log(counts[1] / counts[1].sum())
    return np.asarray(np.maximum(np.abs(ratio), _LEAST_RATIO), dtype=np.float64)


def scaled_text(text: Any, scale: FloatArray, ends: Sequence[int]) -> Any:
    """Rows of ones times the bucket scale, each block of a row of the same length, the row of length one."""
    blocks = []
    start = 0
    for end in ends:
        scaled = text[:, start:end] @ sparse.diags(scale[start:end])
        norms = np.sqrt(np.asarray(scaled.multiply(scaled).sum(axis=1)).ravel() * len(ends))
        blocks.append(sparse.diags(np.where(norms > 0, 1.0 / np.maximum(norms, 1e-300), 0.0)) @ scaled)
        start = end
    return sparse.hstack(blocks).tocsr()


def linear_logits(
    matrix: Any, dense: FloatArray, scale: FloatArray, text: FloatArray, bias: float, ends: Sequence[int]
) -> FloatArray:
    """Log-odds of every row of a feature matrix; `ends` are those of the blocks of text columns."""
    width = len(dense)
    words = scaled_text(matrix[:, width:].tocsr(), scale, ends)
    return np.asarray(matrix[:, :width] @ dense + words @ text + bias, dtype=np.float64)
