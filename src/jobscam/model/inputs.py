"""What the estimator is given, checked: postings, labels, weights. Faults are named before any work is done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, column_or_1d

from jobscam.errors import InputError
from jobscam.features import FloatArray
from jobscam.knowledge import load_labels
from jobscam.posting import Posting

_WANTED = "give a DataFrame with named columns, or a list of texts, mappings or postings"


def postings_in(X: Any) -> Sequence[Posting]:
    """Postings from whatever scikit-learn's tools hand over.

    Parameters
    ----------
    X : DataFrame, Series, array of texts of shape (n,) or (n, 1), or iterable of str, mapping or Posting

    Raises
    ------
    InputError
        If there is nothing to read, or numbers stand where words should.
    """
    from jobscam.scoring import postings_of

    if X is None or isinstance(X, bytes) or not (hasattr(X, "__iter__") or hasattr(X, "__array__")):
        raise InputError(f"X is {'None' if X is None else type(X).__name__}; {_WANTED}")
    if sparse.issparse(X):
        raise InputError(f"sparse input is not supported: X holds numbers, not advertisements; {_WANTED}")
    if hasattr(X, "columns") or not hasattr(X, "__array__"):
        return postings_of(X)
    values = np.asarray(X)
    if values.ndim > 1:
        if values.shape[1:] != (1,):
            empty = f"0 feature(s) (shape={values.shape}) while a minimum of 1 is required" if 0 in values.shape[1:] else ""
            problem = empty or f"an array of shape {values.shape} does not say what its columns hold"
            raise InputError(f"{problem}; {_WANTED}")
        values = values[:, 0]
    if values.dtype.kind not in "OUT":
        raise InputError(f"X holds values of type {values.dtype}, not advertisements; {_WANTED}")
    return postings_of(values.tolist() if values.dtype.kind != "O" else values)


def same_length(n: int, values: Any, name: str) -> None:
    """Refuse what does not have one value a posting."""
    if len(values) != n:
        raise InputError(f"inconsistent numbers of samples: got {n} postings and {len(values)} {name}")


def labels_in(y: Any, name: str) -> tuple[Any, int, FloatArray]:
    """Classes (sorted), which of them is the scam, and 1 for scam or 0 for every label.

    Parameters
    ----------
    y : array of shape (n,)
    name : str
        Of the estimator, for the message.
    """
    if y is None:
        raise InputError(f"{name} requires y to be passed, but the target y is None; y should be a 1d array of labels")
    labels = column_or_1d(y, warn=True)
    if labels.dtype.kind in "OU":
        missing = [row for row, label in enumerate(labels) if label is None or label != label or label == ""]
        if missing:
            raise InputError(f"y contains NaN or an empty label at row {missing[0]} (counted from 0); leave such rows out")
    assert_all_finite(labels, input_name="y")
    check_classification_targets(labels)
    classes = np.unique(labels)
    if len(classes) != 2:
        found = ", ".join(map(str, classes[:10].tolist()))
        got = "1 class" if len(classes) == 1 else f"{len(classes)}"
        raise InputError(f"training needs two classes of labels, got {got} ({found}). Only binary classification is supported.")
    scam = load_labels().positive_class(classes.tolist())
    return classes, scam, (labels == classes[scam]).astype(np.float64)


def weights_in(values: Any, n: int, name: str) -> FloatArray:
    """One finite weight of at least 0 for every posting."""
    weight = np.asarray(values, dtype=np.float64)
    if weight.ndim == 0:
        weight = np.full(n, float(weight))
    if weight.ndim != 1:
        raise InputError(f"{name} must be a 1D array, got shape {weight.shape}")
    same_length(n, weight, name)
    wrong = np.flatnonzero(~(np.isfinite(weight) & (weight >= 0)))
    if len(wrong):
        raise InputError(f"{name} holds {weight[wrong[0]]} at row {wrong[0]} (counted from 0); weights are numbers of at least 0")
    return weight


def numbers_in(values: Any, n: int, name: str, below: int | None = None) -> Any:
    """One whole number of at least -1 for every posting."""
    numbers = np.asarray(values)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise InputError(f"{name} must hold one whole number a posting, got {numbers.dtype} of shape {numbers.shape}")
    same_length(n, numbers, name)
    if n and (numbers.min() < -1 or (below is not None and numbers.max() >= below)):
        raise InputError(f"{name} must lie between -1 and {n - 1}: rows are counted from 0 within the X given to fit")
    return numbers
