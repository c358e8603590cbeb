"""Candidates measured on kinds of scam that were never trained on, and how much labels help."""

from __future__ import annotations

import numpy as np
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier

from evaluation.bench import Bench, head, line
from jobscam.evaluation import average_precision, recall_at_fpr
from jobscam.features import FeatureSpace
from jobscam.knowledge import load as load_knowledge
from jobscam.training import FAMILIES, weights

SETTINGS: dict[str, dict[str, object]] = {
    "shipped settings": {},
    "all words pulled alike (ratio power 0)": {"ratio_power": 0.0},
    "naive Bayes weighting (ratio power 1)": {"ratio_power": 1.0},
    "text penalty 0.3": {"text_penalty": 0.3},
    "without steadiness": {"steadiness": 0.0},
    "indicators alone": {"text_penalty": 1e6},
    "words alone": {"words_alone": True},
}
TREES = "boosted trees on indicators and the text's log-odds (not additive)"
EBM = "boosted stumps on the same, no interactions (explainable boosting)"
MEAN = "mean of the linear model and the boosted trees (not additive)"
LABELS = (25, 50, 100, 200, 400)
_REPEATS = 3


def _without_dense(matrix: sparse.csr_matrix, width: int) -> sparse.csr_matrix:
    keep = np.ones(matrix.shape[1])
    keep[:width] = 0.0
    return (matrix @ sparse.diags(keep)).tocsr()


def _stacked(bench: Bench, train: np.ndarray, test: np.ndarray, width: int) -> dict[str, np.ndarray]:
    """Trees over the dense columns and the log-odds of the linear model (out of fold for training)."""
    classifier = bench.fit(train, folds=3)
    rows = np.isfinite(classifier.oof_logits_[: len(train)])
    x = np.column_stack([bench.matrix[train][:, :width].toarray(), classifier.oof_logits_[: len(train)]])[rows]
    linear = classifier.logits(bench.matrix[test])
    z = np.column_stack([bench.matrix[test][:, :width].toarray(), linear])
    weight = weights([bench.rows[i] for i in train[rows]], np.full(int(rows.sum()), -1))
    found = {}
    for name, interactions in ((TREES, None), (EBM, "no_interactions")):
        trees = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.06, random_state=0, interaction_cst=interactions)
        trees.fit(x, bench.y[train[rows]], sample_weight=weight)
        found[name] = trees.decision_function(z)
    found[MEAN] = (linear + found[TREES]) / 2
    return found


def candidates(bench: Bench) -> list[str]:
    """Each candidate on one family of authored scams that was left out of training, among held-out honest real ads."""
    honest = np.flatnonzero(bench.honest_real & (bench.part == "test"))
    if not len(honest):
        return []
    width = len(FeatureSpace(load_knowledge()).names)
    used = (bench.part == "train") | (bench.part == "dev")

    def split(family: str) -> tuple[np.ndarray, np.ndarray]:
        left_out = np.isin(bench.kind, FAMILIES[family]) & (bench.y == 1) & used
        return np.flatnonzero(used & ~left_out), np.concatenate([np.flatnonzero(left_out), honest])

    def metrics(test: np.ndarray, score: np.ndarray) -> tuple[float, float]:
        return average_precision(bench.y[test], score), recall_at_fpr(0.01)(bench.y[test], score)

    def run(name: str, family: str) -> dict[str, tuple[float, float]]:
        train, test = split(family)
        if name == TREES:
            return {n: metrics(test, s) for n, s in _stacked(bench, train, test, width).items()}
        settings = dict(SETTINGS[name])
        words_alone = settings.pop("words_alone", False)
        keep = (lambda m: _without_dense(m, width)) if words_alone else None
        classifier = bench.fit(train, keep=keep, **settings)
        matrix = bench.matrix[test]
        return {name: metrics(test, classifier.logits(keep(matrix) if keep else matrix))}

    jobs = [(name, family) for name in (*SETTINGS, TREES) for family in FAMILIES]
    found: dict[str, list[tuple[float, float]]] = {}
    for result in Parallel(n_jobs=2)(delayed(run)(*job) for job in jobs):
        for name, values in result.items():
            found.setdefault(name, []).append(values)
    out = [
        "## Candidates: kinds of scam never trained on\n",
        "One family of authored scams left out of training, then found among held-out honest real ads: AP, R@1 %.\n",
        *head("model", *FAMILIES, "mean"),
    ]
    for name, values in found.items():
        mean = np.mean(values, axis=0)
        out.append(line(name, *(f"{a:.3f}, {r:.3f}" for a, r in values), f"{mean[0]:.3f}, {mean[1]:.3f}"))
    return [*out, ""]


Points = dict[str, list[tuple[int, float, float]]]


def learning_curve(bench: Bench) -> tuple[list[str], Points]:
    """AP on held-out postings by the number of labelled scams trained on, with as many honest ads in proportion."""
    train = np.flatnonzero(bench.part == "train")
    scams, honest = train[bench.y[train] == 1], train[bench.y[train] == 0]
    sizes = [n for n in LABELS if n < len(scams)] + [len(scams)]
    sets = bench.held_sets()

    def run(size: int, seed: int) -> list[float]:
        rng = np.random.default_rng(seed)
        share = size / len(scams)
        chosen = np.concatenate([rng.permutation(scams)[:size], rng.permutation(honest)[: max(10, int(share * len(honest)))]])
        classifier = bench.fit(np.sort(chosen))
        return [average_precision(bench.y[i], classifier.logits(bench.matrix[i])) for i in sets.values()]

    jobs = [(size, seed) for size in sizes for seed in range(1 if size == len(scams) else _REPEATS)]
    results = Parallel(n_jobs=2)(delayed(run)(*job) for job in jobs)
    out = ["## Learning curve\n", *head("labelled scams", *(f"AP, {name}" for name in sets))]
    points: Points = {name: [] for name in sets}
    for size in sizes:
        values = np.array([r for job, r in zip(jobs, results) if job[0] == size])
        for k, name in enumerate(sets):
            points[name].append((size, float(values[:, k].mean()), float(values[:, k].std())))
        out.append(line(size, *(f"{points[name][-1][1]:.3f} ± {points[name][-1][2]:.3f}" for name in sets)))
    return [*out, f"\nMean ± standard deviation over {_REPEATS} draws.\n"], points
