"""The scikit-learn estimator over postings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from jobscam.errors import InputError
from jobscam.features import SCHEMA_VERSION, FeatureSpace, FloatArray, english_rows, feature_matrix
from jobscam.indicators import IndicatorReader
from jobscam.indicators.reference import PayReference
from jobscam.knowledge import load as load_knowledge
from jobscam.model.calibration import calibrate
from jobscam.model.fit import campaign_folds, fit_logistic
from jobscam.model.inputs import labels_in, numbers_in, postings_in, same_length, weights_in
from jobscam.model.linear import Calibration, LinearModel, OperatingCurve, block_ends
from jobscam.ngrams import TextHasher
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
    knowledge : path, optional
        Folder laid over the shipped knowledge; indicators it adds get weights. Score with the same folder.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The labels in sorted order, as scikit-learn has it; columns of `predict_proba` follow it.
    scam_class_ : object
        The label that means a scam. Names such as "scam", "penipuan", "legit" and "asli" (``knowledge/labels.toml``)
        tell; of numbers it is the larger. Where it sorts first ("fraud" before "legit"), `decision_function` is negative
        for scams, because scikit-learn's rule is that it is positive for ``classes_[1]``.
    model_ : LinearModel
    oof_logits_ : ndarray of shape (n,)
        Out-of-fold log-odds of the training postings (NaN where there was no fold).
    pay_reference_ : PayReference
        What the honest training postings pay.
    training_target_ : ndarray of shape (n,)
        1 for scam, 0 for legitimate, in the order of `oof_logits_`.

    Notes
    -----
    Columns of a DataFrame are read by their names, in any order, and a list of texts may be scored by a model that was
    fitted on a table: so there is no `n_features_in_`. Reading machinery is rebuilt when a pickled estimator is first
    used; to pass a model on, prefer :func:`jobscam.save`, which needs no pickle.

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
        knowledge: str | Path | None = None,
    ) -> None:
        self.text_penalty = text_penalty
        self.ratio_power = ratio_power
        self.indicator_penalty = indicator_penalty
        self.steadiness = steadiness
        self.bits = bits
        self.prevalence = prevalence
        self.folds = folds
        self.knowledge = knowledge

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import TransformerTags  # not in scikit-learn 1.5, which does not ask for tags either

        tags = super().__sklearn_tags__()
        tags.transformer_tags = TransformerTags()
        tags.input_tags.string = tags.input_tags.allow_nan = True
        tags.input_tags.two_d_array = False  # an array of numbers says nothing; tables are DataFrames
        tags.classifier_tags.multi_class = False
        return tags

    def __getstate__(self) -> dict[str, Any]:
        # What reads postings holds an automaton that cannot be pickled, and can be made again.
        state: dict[str, Any] = dict(super().__getstate__())
        return {name: value for name, value in state.items() if name not in ("_reader", "_space", "_hasher")}

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
        X : DataFrame, or iterable of str, mapping or Posting
        y : array of shape (n,)
            Two classes, as numbers (the larger is the scam) or by name ("scam" and "legit", "penipuan" and "asli" ...).
        sample_weight : array of shape (n,), optional
        groups : array of shape (n,), optional
            Campaigns: postings of one group never straddle a fold.
        calibration_weight : array of shape (n,), optional
            Weights for calibration and thresholds, where the stream to be scored is mixed otherwise than the training data.
        copy_of : array of int of shape (n,), optional
            For a copy of another posting with fields taken away, the number of that posting; -1 for all others.
            It counts rows of X, so it cannot be handed through tools that cut X into folds.
        fold_of : array of int of shape (n,), optional
            Fold of every posting, instead of folds drawn from `groups`: to calibrate on what differs from the training
            data (another source, another kind of scam) as the postings to be scored will.

        Raises
        ------
        InputError
            If there is nothing to learn from, the labels are not two classes or do not tell which is the scam, or
            lengths differ. It is a ValueError, as scikit-learn's tools expect.
        """
        postings = postings_in(X)
        n = len(postings)
        if not n:
            raise InputError("there is nothing to learn from: 0 sample(s) in X while a minimum of 2 is required")
        classes, scam, target = labels_in(y, type(self).__name__)
        same_length(n, target, "labels")
        weight = np.ones(n) if sample_weight is None else weights_in(sample_weight, n, "sample_weight")
        if len(np.unique(target[weight > 0])) != 2:
            raise InputError("training needs two classes of labels with a weight above zero; fewer have any")
        mix = weight if calibration_weight is None else weights_in(calibration_weight, n, "calibration_weight")
        copies = np.full(n, -1) if copy_of is None else numbers_in(copy_of, n, "copy_of", below=n)
        if groups is not None:
            same_length(n, groups, "groups")
        group = np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        folds = self._folds(target, group) if fold_of is None else numbers_in(fold_of, n, "fold_of")
        self.classes_, self.scam_class_ = classes, classes[scam]
        self._prepare(self._learn_reference(postings, target))
        return self.fit_matrix(self._matrix(postings), target, weight, folds, mix, copies)

    def fit_matrix(
        self, matrix: Any, target: FloatArray, weight: FloatArray, fold: Any, mix: FloatArray, copy_of: Any
    ) -> JobScamClassifier:
        """Fit on rows made by :meth:`transform`; spares reading the postings again in experiments."""
        self.classes_ = getattr(self, "classes_", np.array([0, 1]))
        self.scam_class_ = getattr(self, "scam_class_", self.classes_[1])
        dense, scale, text, bias = self._weights(matrix, target, weight, copy_of)
        self.training_target_ = target
        self.oof_logits_ = self._out_of_fold(matrix, target, weight, fold, copy_of)
        known = np.isfinite(self.oof_logits_)
        calibration, curve = Calibration(), OperatingCurve()
        thresholds = {"medium": 0.3, "high": 0.6, "critical": 0.9}
        if known.sum() and len(np.unique(target[known])) == 2:
            english = english_rows(self._space, matrix)[known]
            calibration, curve = calibrate(self.oof_logits_[known], target[known], mix[known], self.prevalence, english)
            thresholds = curve.thresholds(self.prevalence, self.prevalence)
        self.model_ = LinearModel(
            self._space.names, dense, scale, text, bias, self.bits, SCHEMA_VERSION, calibration, curve, thresholds
        )
        return self

    def _learn_reference(self, postings: Sequence[Posting], target: FloatArray) -> PayReference:
        """Reference of pay from the honest postings. Folds share it: a median over hundreds of ads hardly knows one."""
        reader = reader_of(self.knowledge)
        samples = (reader.pay_sample(p) for p, scam in zip(postings, target, strict=True) if not scam)
        return PayReference.learn(s for s in samples if s)

    def _prepare(self, reference: PayReference | None = None, bits: int | None = None) -> None:
        self.pay_reference_ = reference or PayReference({})
        self._reader = reader_of(self.knowledge).with_reference(self.pay_reference_)
        self._space = FeatureSpace(self._reader.knowledge)
        self._hasher = TextHasher(self.bits if bits is None else bits, SCHEMA_VERSION)

    def _ready(self) -> None:
        """Make again what a pickle leaves behind."""
        if hasattr(self, "_reader"):
            return
        fitted: LinearModel | None = getattr(self, "model_", None)
        self._prepare(getattr(self, "pay_reference_", None), None if fitted is None else fitted.bits)
        if fitted is not None and fitted.names != self._space.names:
            raise InputError("this estimator was fitted with other knowledge than is here; fit it again, or use jobscam.save")

    def transform(self, X: Any) -> Any:
        """Sparse matrix: indicator columns, then ones for the hash buckets present."""
        return self._matrix(postings_in(X))

    def fit_transform(self, X: Any, y: Any, **fit_params: Any) -> Any:
        """Fit, and give the matrix of :meth:`transform`."""
        return self.fit(X, y, **fit_params).transform(X)

    def _matrix(self, postings: Sequence[Posting]) -> Any:
        self._ready()
        return feature_matrix(self._reader, self._space, self._hasher, postings)

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
        most = min(self.folds, int(min(np.bincount(target.astype(int), minlength=2))), len(np.unique(group)))
        return campaign_folds(target, group, most)

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
        """Calibrated log-odds of ``classes_[1]``, shape (n,): above 0 where `predict` says so.

        For the log-odds before calibration, which the reasons add up to, see :meth:`logits`.
        """
        check_is_fitted(self, "model_")
        matrix = self.transform(X)
        z = self.model_.calibration.log_odds_of(self.logits(matrix), english_rows(self._space, matrix))
        return z * (1.0 if self._scam_last() else -1.0)

    def predict_proba(self, X: Any) -> FloatArray:
        """Calibrated probabilities, shape (n, 2), columns as in `classes_`."""
        check_is_fitted(self, "model_")
        p = self.probabilities(self.transform(X))
        return np.column_stack([1.0 - p, p] if self._scam_last() else [p, 1.0 - p])

    def _scam_last(self) -> bool:
        return bool(self.scam_class_ == self.classes_[1])

    def logits(self, matrix: Any) -> FloatArray:
        """Log-odds of a scam, before calibration, of rows made by :meth:`transform`, shape (n,)."""
        m = self.model_
        return linear_logits(matrix, m.dense, m.scale, m.text, m.bias, block_ends(m.schema, m.bits))

    def probabilities(self, matrix: Any) -> FloatArray:
        """Calibrated probabilities of a scam of rows made by :meth:`transform`, shape (n,)."""
        calibration = self.model_.calibration
        pairs = zip(self.logits(matrix), english_rows(self._space, matrix), strict=True)
        return np.array([calibration.probability(v, "en" if e else "") for v, e in pairs], dtype=np.float64)

    def predict(self, X: Any) -> Any:
        """Label with the larger probability."""
        check_is_fitted(self, "model_")
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


@lru_cache(maxsize=2)
def reader_of(knowledge: str | Path | None) -> IndicatorReader:
    """One reader for the many fits of a search; making it costs more than fitting a hundred postings."""
    return IndicatorReader(load_knowledge(knowledge))


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
