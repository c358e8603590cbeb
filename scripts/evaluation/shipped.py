"""The shipped model on postings it has not seen: ranking, calibration, tiers, review budget, status."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from evaluation.bench import HONEST_SOURCES, cells, head, line
from jobscam.corpus import Row
from jobscam.evaluation import (
    average_precision,
    brier_skill,
    calibration_error_at,
    estimate,
    precision_at,
    recall_at_fpr,
    reliability,
    share_above,
)
from jobscam.model.linear import estimate_prevalence
from jobscam.scoring import Scorer

LANGUAGES = {"Indonesian and mixed": ("id", "mixed", "ms"), "English": ("en",)}
SHARES = (0.01, 0.02, 0.05, 0.1, 0.3)
_STREAM, _FIRST, _DRAWS = 5000, 100, 400


@dataclass
class Scored:
    """Held-out postings and what the shipped model says of them; arrays of shape (n,)."""

    scorer: Scorer
    rows: list[Row]

    def __post_init__(self) -> None:
        self.assessments = [self.scorer.assess(r.posting) for r in self.rows]
        self.y = np.array([r.label for r in self.rows], dtype=float)
        self.logit = np.array([a.logit for a in self.assessments], dtype=float)
        self.p = np.array([np.nan if a.probability is None else a.probability for a in self.assessments])
        self.group = np.array([r.group for r in self.rows])
        self.source = np.array([f"authored ({r.part})" if r.authored else r.source for r in self.rows])
        self.language = np.array([a.language for a in self.assessments])
        self.kind = np.array([r.kind for r in self.rows])
        self.ad = np.array([r.status == "scored" for r in self.rows]) & np.isfinite(self.p)
        self.cuts = self.scorer.model.thresholds
        self.prevalence = self.scorer.model.calibration.prevalence

    def pick(self, *sources: str, languages: tuple[str, ...] = ()) -> np.ndarray:
        """Numbers of the advertisements of some sources and languages."""
        chosen = self.ad & np.isin(self.source, sources) if sources else self.ad.copy()
        return np.flatnonzero(chosen & np.isin(self.language, languages) if languages else chosen)

    def by_language(self) -> dict[str, np.ndarray]:
        """All advertisements by language; only sets with both labels."""
        sets = {name: self.pick(languages=codes) for name, codes in LANGUAGES.items()}
        return {name: i for name, i in sets.items() if len(set(self.y[i])) == 2}


def ranking(s: Scored) -> list[str]:
    """Ranking and calibration by set."""
    lures = np.flatnonzero(s.ad & np.isin(s.source, ("authored (dev)", "authored (test)")) & (s.y == 1))
    sets = {
        "English job board (held-out part)": s.pick("emscad"),
        "Indonesian hoaxes among held-out honest ads": s.pick("hoax", *HONEST_SOURCES),
        "Authored final samples": s.pick("authored (test)"),
        "Authored development samples": s.pick("authored (dev)"),
        "Authored lures among held-out honest real ads": np.concatenate([lures, s.pick(*HONEST_SOURCES)]),
        **{f"Everything, {name}": i for name, i in s.by_language().items()},
    }
    out = ["## Ranking and calibration\n", *head("set", "postings / scams", "AP", "R@1 %", "R@5 %", "ECE", "Brier skill")]
    for name, index in sets.items():
        y, group = s.y[index], s.group[index]
        if len(set(y)) == 2:
            shown = cells((average_precision, recall_at_fpr(0.01), recall_at_fpr(0.05)), y, s.logit[index], group)
            error = estimate(calibration_error_at(s.prevalence), y, s.p[index], group)
            out.append(line(name, f"{len(index)} / {int(y.sum())}", *shown, error, f"{brier_skill(y, s.p[index]):.3f}"))
    out += [
        "\n### Reliability\n",
        f"Postings weighed to {s.prevalence:.0%} scams; what was said and what was so, with the postings scored above 0.1 apart",
        "(a small error is nearly free where scams are rare).\n",
        *head("language", "probability", "postings", "said", "so"),
    ]
    for name, index in s.by_language().items():
        for row in reliability(s.y[index], s.p[index], s.prevalence):
            out.append(line(name, row.label, row.postings, f"{row.said:.3f}", f"{row.so:.3f}"))
    return [*out, ""]


def shares(s: Scored) -> list[str]:
    """Other shares of scams, and how well the share is guessed from unlabelled postings."""
    out = [
        "## Other shares of scams\n",
        "With `--prevalence`: the tier *high* promises a precision of at least 0.9 at every share (postings weighed to it).\n",
        *head("share", "language", "high from", "precision at high", "recall at high", "ECE"),
    ]
    for share in SHARES:
        model = s.scorer.model.at_prevalence(share)
        cut = model.thresholds["high"]
        for name, index in s.by_language().items():
            q = np.array([model.calibration.probability(s.logit[i], s.language[i]) for i in index])
            metrics = (precision_at(cut, share), share_above(cut, 1), calibration_error_at(share))
            out.append(line(f"{share:.0%}", name, f"{cut:.3f}", *cells(metrics, s.y[index], q, s.group[index])))
    out += [
        "\n### The share guessed from unlabelled postings\n",
        f"Streams of {_STREAM} drawn from the held-out postings; what `jobscam score` guesses (expectation",
        "maximisation). Mean and range of 19 in 20 draws.\n",
        *head("true share", *s.by_language()),
    ]
    for share in SHARES:
        guessed = []
        for index in s.by_language().values():
            draws = [estimate_prevalence(s.p[_stream(s, index, share, seed)], s.prevalence) for seed in range(40)]
            guessed.append(f"{np.mean(draws):.3f} [{np.quantile(draws, 0.025):.3f}, {np.quantile(draws, 0.975):.3f}]")
        out.append(line(f"{share:.0%}", *guessed))
    return [*out, ""]


def _stream(s: Scored, index: np.ndarray, share: float, seed: int) -> np.ndarray:
    """A stream with a share of scams, drawn with replacement from held-out postings, riskiest first."""
    rng = np.random.default_rng([seed, 1])
    scams = round(share * _STREAM)
    drawn = np.concatenate([rng.choice(index[s.y[index] == 1], scams), rng.choice(index[s.y[index] == 0], _STREAM - scams)])
    # Ties between copies of one posting are broken at random, not in favour of the scams.
    drawn = rng.permutation(drawn)
    return drawn[np.argsort(-s.logit[drawn], kind="stable")]


def budget(s: Scored) -> list[str]:
    """Precision and recall at the top of a ranked stream."""
    out = [
        "## Review budget\n",
        f"Streams of {_STREAM} postings drawn with replacement from the held-out ones (real and authored), ranked by score;",
        f"mean over {_DRAWS} draws and, for the first hundred, the range of 19 in 20 draws.\n",
        *head(
            "language", "scams in the stream", "precision in the first 100", "top 2 %: P, R", "top 5 %: P, R", "top 10 %: P, R"
        ),
    ]
    for name, index in s.by_language().items():
        for share in (0.01, 0.02, 0.05):
            first, tops = [], {0.02: [], 0.05: [], 0.1: []}  # type: ignore[var-annotated]
            for seed in range(_DRAWS):
                truth = s.y[_stream(s, index, share, seed)]
                first.append(truth[:_FIRST].mean())
                for top, values in tops.items():
                    hits = truth[: int(top * _STREAM)].sum()
                    values.append((hits / int(top * _STREAM), hits / truth.sum()))
            low, high = np.quantile(first, [0.025, 0.975])
            shown = (f"{p:.3f}, {r:.3f}" for p, r in (np.mean(v, axis=0) for v in tops.values()))
            out.append(line(name, f"{share:.0%}", f"{np.mean(first):.3f} [{low:.3f}, {high:.3f}]", *shown))
    return [*out, ""]


def tiers(s: Scored) -> list[str]:
    """Honest postings flagged and scams found, by source and kind."""
    out: list[str] = []
    for label, title, noun in (
        (0, "Honest postings flagged (false-positive rate)", "honest"),
        (1, "Scams found (recall)", "scams"),
    ):
        out += [f"## {title}\n", *head("source", noun, "medium or above", "high or above", "critical")]
        for source in dict.fromkeys(s.source):
            out += _rates(s, source, s.pick(source), label)
        authored = np.flatnonzero(s.ad & np.char.startswith(s.source, "authored"))
        for kind in sorted({s.kind[i] for i in authored if s.y[i] == label}):
            out += _rates(s, f"authored: {kind}", authored[s.kind[authored] == kind], label)
        out.append("")
    return out


def _rates(s: Scored, name: str, index: np.ndarray, label: int) -> list[str]:
    chosen = index[s.y[index] == label]
    if not len(chosen):
        return []
    metrics = [share_above(s.cuts[tier], label) for tier in ("medium", "high", "critical")]
    return [line(name, len(chosen), *cells(metrics, s.y[chosen], s.p[chosen], s.group[chosen]))]


def status(s: Scored) -> list[str]:
    """What the model called each kind of text."""
    out = ["## Status\n", "Expected status, and how many got which.\n", *head("source", "expected", "found")]
    for key in sorted({(source, r.status) for source, r in zip(s.source, s.rows)}):
        found = Counter(a.status for r, a, source in zip(s.rows, s.assessments, s.source) if (source, r.status) == key)
        out.append(line(*key, ", ".join(f"{n} {name}" for name, n in found.most_common())))
    return [*out, ""]
