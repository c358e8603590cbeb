"""Published protocols A and B on the full English corpus, for those who hold the file (`--emscad fake_job_postings.csv`).

A: random 70/15/15, seeds 42, 123, 2024, threshold by the best F1 on the validation part. B: 75/25, seeds 7, 13, 23, 31, 43,
random, by exact duplicates and by near-template groups. The recipe gets the text as in the published code.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import average_precision_score, f1_score
from sklearn.model_selection import GroupShuffleSplit, train_test_split
from sklearn.svm import LinearSVC

from evaluation.bench import Bench, head, line, read_rows
from evaluation.english import OURS, RECIPE, best_threshold, near_templates
from jobscam.corpus import Row
from jobscam.errors import InputError
from jobscam.posting import ColumnMap

FIELDS = ("title", "company_profile", "description", "requirements", "benefits")
SEEDS_A, SEEDS_B = (42, 123, 2024), (7, 13, 23, 31, 43)


def read(path: Path) -> tuple[Bench, list[str]]:
    """The full file in its order, as readings and as the texts of the published code."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [c for c in (*FIELDS, "fraudulent") if c not in frame.columns]
    if missing:
        raise InputError(f"{path}: columns {', '.join(missing)} are missing; the file of the published corpus is needed")
    mapping = ColumnMap.from_header(["" if c == "fraudulent" else c for c in frame.columns])
    texts = [" ".join(row) for row in frame[list(FIELDS)].itertuples(index=False)]
    groups = [_exact(t) for t in texts]
    rows = [
        Row(mapping.posting(cells), int(label), "emscad", group, "train", "by the data set's authors")
        for cells, label, group in zip(frame.itertuples(index=False, name=None), frame["fraudulent"], groups)
    ]
    return read_rows(rows), texts


def _exact(text: str) -> str:
    return hashlib.sha1(" ".join(text.lower().split()).encode(), usedforsecurity=False).hexdigest()


def _cleaned(text: str) -> str:
    bare = re.sub(r"<[^>]{0,2000}>", " ", html.unescape(text))
    return re.sub(r"(?:https?://|www\.)\S+", " ", bare).lower()


def _recipe(texts: list[str], y: np.ndarray, fit: np.ndarray, others: list[np.ndarray], size: int) -> list[np.ndarray]:
    vectors = TfidfVectorizer(ngram_range=(1, 2), max_features=size, min_df=2, sublinear_tf=True)
    model = LinearSVC(class_weight="balanced", random_state=0).fit(vectors.fit_transform([texts[i] for i in fit]), y[fit])
    return [model.decision_function(vectors.transform([texts[i] for i in part])) for part in others]


def _splits(y: np.ndarray, group: np.ndarray | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of thirty candidate splits the one closest to the fraud rate and the size wanted, as published."""
    everything = np.arange(len(y))
    if group is None:
        fit, test = train_test_split(everything, test_size=0.25, stratify=y, random_state=seed)
        return fit, test
    candidates: Iterator = GroupShuffleSplit(30, test_size=0.25, random_state=seed).split(everything, y, group)
    return min(candidates, key=lambda s: abs(y[s[1]].mean() - y.mean()) + abs(len(s[1]) / len(y) - 0.25))


def report(path: Path) -> list[str]:
    """Both protocols, jobscam beside the published recipe."""
    bench, texts = read(path)
    y = bench.y
    if not 0 < y.sum() < len(y):
        raise InputError(f"{path}: column 'fraudulent' holds one class only")
    out = [f"## English, published protocols on the full file ({len(y)} ads, {int(y.sum())} fraudulent)\n"]
    out += head("protocol", "split", "model", "AP", "F1 of fraud")
    cleaned = [_cleaned(t) for t in texts]
    found: dict[str, list[tuple[float, float]]] = {OURS: [], RECIPE: []}
    for seed in SEEDS_A:
        rest, test = train_test_split(np.arange(len(y)), test_size=0.15, stratify=y, random_state=seed)
        fit, val = train_test_split(rest, test_size=0.15 / 0.85, stratify=y[rest], random_state=seed)
        classifier = bench.fit(fit, weigh=False)
        scores = {
            OURS: [classifier.logits(bench.matrix[part]) for part in (val, test)],
            RECIPE: _recipe(cleaned, y, fit, [val, test], 50_000),
        }
        for name, (on_val, on_test) in scores.items():
            flagged = on_test >= best_threshold(y[val], on_val)
            found[name].append((average_precision_score(y[test], on_test), f1_score(y[test], flagged)))
    out += _lines("A", "random 70/15/15", found)
    template = near_templates([" ".join(t.lower().split()) for t in texts])
    exact = np.unique(bench.group, return_inverse=True)[1]
    for name, group in (("random", None), ("exact duplicates", exact), ("near templates", template)):
        found = {OURS: [], RECIPE: []}
        for seed in SEEDS_B:
            fit, test = _splits(y, group, seed)
            ours = bench.fit(np.sort(fit), weigh=False).logits(bench.matrix[test])
            found[OURS].append((average_precision_score(y[test], ours), f1_score(y[test], ours > 0)))
            (recipe,) = _recipe(texts, y, fit, [test], 8_000)
            found[RECIPE].append((average_precision_score(y[test], recipe), f1_score(y[test], recipe > 0)))
        out += _lines("B", name, found)
    return [*out, ""]


def _lines(protocol: str, split: str, found: dict[str, list[tuple[float, float]]]) -> list[str]:
    out = []
    for name, values in found.items():
        mean, spread = np.mean(values, axis=0), np.std(values, axis=0, ddof=1)
        out.append(line(protocol, split, name, *(f"{m:.4f} ± {d:.4f}" for m, d in zip(mean, spread))))
    return out
