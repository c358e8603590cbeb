"""How diverse the authored ads are, and whether style gives them, or their label, away."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from evaluation.bench import HONEST_SOURCES, Bench, head, line
from jobscam.corpus import near_duplicates

_STYLE_WORDS = 150


def _distinct(texts: list[str], n: int, tokens: int = 20_000) -> float:
    """Share of distinct runs of n words among the first `tokens` of all texts, so that sets of any size compare."""
    runs: list[tuple[str, ...]] = []
    for text in texts:
        words = text.split()
        runs += zip(*(words[k:] for k in range(n)))
        if len(runs) >= tokens:
            break
    runs = runs[:tokens]
    return len(set(runs)) / max(1, len(runs))


def _style(text: str) -> list[float]:
    """Style without words: lengths, capitals, digits, marks, line ends, emoji."""
    letters = max(1, sum(c.isalpha() for c in text))
    words = text.split()
    marks = [text.count(c) / letters for c in "!.,:;-*()/\n"]
    return [
        np.log1p(len(text)),
        sum(c.isupper() for c in text) / letters,
        sum(c.isdigit() for c in text) / letters,
        sum(ord(c) > 0x2190 for c in text) / letters,
        float(np.mean([len(w) for w in words] or [0])),
        *marks,
    ]


def _told_apart(x: object, y: np.ndarray, groups: np.ndarray) -> float:
    score = np.zeros(len(y))
    for train, test in StratifiedGroupKFold(5, shuffle=True, random_state=0).split(y, y, groups):
        model = LogisticRegression(class_weight="balanced", max_iter=2000)
        score[test] = model.fit(x[train], y[train]).decision_function(x[test])  # type: ignore[index]
    return float(roc_auc_score(y, score))


def report(bench: Bench) -> list[str]:
    """The authored corpus in figures."""
    rows = [r for r in bench.rows if r.authored]
    index = np.flatnonzero(bench.authored)
    overseas = sum(r.kind.startswith("overseas") for r in rows)
    out = [
        "## The authored ads\n",
        f"{len(rows)} ads ({sum(r.label for r in rows)} lures and other scams, {overseas} of them overseas; "
        f"{sum(not r.label for r in rows)} honest), besides warnings, news and job seekers' posts.\n",
        *head("part", "ads", "scams", "by register"),
    ]
    for part in ("train", "dev", "test"):
        chosen = [r for r in rows if r.part == part]
        registers = Counter(r.register for r in chosen)
        if chosen:
            out.append(
                line(part, len(chosen), sum(r.label for r in chosen), ", ".join(f"{n} {k}" for k, n in registers.most_common()))
            )
    twins = [(a, b) for a, b, _ in near_duplicates(rows, 0.3) if rows[a].campaign != rows[b].campaign]
    out += [
        f"\nPairs of different campaigns that share three in ten of their runs of four words: {len(twins)}.\n",
        "Share of distinct runs of words among the first 20,000:\n",
        *head("set", "two words", "three words"),
    ]
    sets = {
        "authored": index,
        "authored, scams": index[bench.y[index] == 1],
        "authored, honest": index[bench.y[index] == 0],
        "real, posters": np.flatnonzero(bench.source == "posters"),
        "real, portal ads": np.flatnonzero(bench.source == "lokerid"),
    }
    for name, chosen in sets.items():
        if len(chosen):
            texts = [bench.norm[i] for i in np.random.default_rng(0).permutation(chosen)]
            out.append(line(name, *(f"{_distinct(texts, n):.3f}" for n in (2, 3))))
    out += ["\nHow well a logistic regression tells them apart, five-fold by campaign (AUC; .5 is not at all):\n"]
    out += head("question", "style alone (lengths, capitals, marks, emoji)", "style and the most frequent words")
    real = np.flatnonzero(np.isin(bench.source, HONEST_SOURCES) & (bench.language != "en"))
    authored = index[bench.language[index] != "en"]
    honest = authored[bench.y[authored] == 0]
    questions = {"authored: scam or honest?": (authored, bench.y[authored])}
    if len(real):
        both = np.concatenate([real, honest])
        questions["honest and Indonesian: authored or real?"] = (both, bench.authored[both].astype(float))
    for name, (chosen, y) in questions.items():
        texts = [bench.rows[i].posting.text() for i in chosen]
        style = np.array([_style(t) for t in texts])
        style = (style - style.mean(axis=0)) / (style.std(axis=0) + 1e-9)
        words = TfidfVectorizer(max_features=_STYLE_WORDS, token_pattern=r"[a-z]+").fit_transform(
            [re.sub(r"\d", " ", bench.norm[i]) for i in chosen]
        )
        group = np.unique(bench.group[chosen], return_inverse=True)[1]
        both_kinds = np.hstack([style, words.toarray()])
        out.append(line(name, *(f"{_told_apart(x, y, group):.3f}" for x in (style, both_kinds))))
    return [*out, ""]
