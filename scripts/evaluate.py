"""Measure the shipped model on postings it has not seen and write ``docs/evaluation.md``.

usage: python scripts/evaluate.py [--data FOLDER] [--model FOLDER] [--out docs/evaluation.md]

Without the real sources the part on the authored samples runs, and the rest says what is missing.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

import jobscam
from jobscam import training
from jobscam.errors import InputError
from jobscam.evaluation import (
    Estimate,
    average_precision,
    brier_skill,
    calibration_error_at,
    estimate,
    precision_at,
    recall_at_fpr,
    share_above,
)

ROOT = Path(__file__).parent.parent
HEAD = """# Evaluation of {name}

Written by `make evaluate` (`scripts/evaluate.py`); every figure is measured on postings that the model has not seen:
the held-out fifth of the campaigns of each real source, the archived hoaxes (never trained on, but half of them were read while
the readers were tuned), and the development
half of the authored samples. Intervals: 95 %, bootstrap over campaigns. AP: area under the precision-recall curve.
R@1 %, R@5 %: recall where at most 1 % or 5 % of the honest postings are flagged. ECE: expected calibration error, scams
and honest postings weighed to the {prevalence:.0%} of scams that the probabilities are calibrated for.

Authored advertisements are ours, and easier for us than the world is: **they are not the headline**. No labelled
corpus of real Indonesian trafficking lures exists in public, so recall of those is not known.
"""


def read(data: Path | None) -> tuple[list[training.Row], list[str]]:
    missing = []
    rows = training.read_samples(ROOT / "data" / "samples" / "ads.csv")
    if data is not None:
        try:
            rows += [r for r in training.read_sources(data) if r.is_test or r.source in training.TEST_ONLY]
        except InputError as error:
            missing.append(str(error))
    else:
        missing.append("no --data folder was given")
    return rows, missing


def table(
    name: str, chosen: list[int], y: np.ndarray, logit: np.ndarray, p: np.ndarray, groups: list[str], prevalence: float
) -> str:
    index = np.array(chosen)
    yy, group = y[index], [groups[i] for i in chosen]

    def cell(metric, score):  # type: ignore[no-untyped-def]
        return estimate(metric, yy, score[index], group)

    cells = [
        name,
        f"{len(index)} / {int(yy.sum())}",
        str(cell(average_precision, logit)),
        str(cell(recall_at_fpr(0.01), logit)),
        str(cell(recall_at_fpr(0.05), logit)),
        str(cell(calibration_error_at(prevalence), p)),
        f"{brier_skill(yy, p[index]):.3f}",
    ]
    return "| " + " | ".join(cells) + " |"


def rate(
    name: str, chosen: list[int], label: int, y: np.ndarray, p: np.ndarray, groups: list[str], cuts: dict[str, float]
) -> str:
    keep = [i for i in chosen if y[i] == label]
    if not keep:
        return ""
    index = np.array(keep)
    found: list[Estimate] = [
        estimate(share_above(cuts[t], label), y[index], p[index], [groups[i] for i in keep])
        for t in ("medium", "high", "critical")
    ]
    return f"| {name} | {len(keep)} | " + " | ".join(map(str, found)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "evaluation.md")
    arguments = parser.parse_args()
    scorer = jobscam.load(arguments.model)
    rows, missing = read(arguments.data)
    assessments = [scorer.assess(r.posting) for r in rows]
    ads = [i for i, (r, a) in enumerate(zip(rows, assessments)) if r.status == "scored" and a.probability is not None]
    y = np.array([r.label for r in rows], dtype=float)
    logit = np.array([a.logit for a in assessments], dtype=float)
    p = np.array([np.nan if a.probability is None else a.probability for a in assessments], dtype=float)
    groups = [f"{r.source}:{r.campaign}" for r in rows]
    language = [a.language for a in assessments]
    source = [r.source for r in rows]
    cuts = scorer.model.thresholds
    portal = ("posters", "lokerid", "maganghub", "jobstreet")

    def pick(*sources: str, languages: tuple[str, ...] = ()) -> list[int]:
        return [i for i in ads if source[i] in sources and (not languages or language[i] in languages)]

    out = [HEAD.format(name=scorer.name, prevalence=scorer.model.calibration.prevalence)]
    out += [f"> Not measured: {m}\n" for m in missing]
    out += [
        "## Ranking and calibration\n",
        "| set | postings / scams | AP | R@1 % | R@5 % | ECE | Brier skill |",
        "|---|---|---|---|---|---|---|",
    ]
    sets = [
        ("English job board (held-out part)", pick("emscad")),
        ("Indonesian hoaxes among held-out honest ads", pick("hoax", *portal)),
        ("Authored development samples", pick("authored")),
        ("… Indonesian and mixed", pick("authored", languages=("id", "mixed", "ms"))),
        ("… English", pick("authored", languages=("en",))),
        (
            "Authored lures among held-out honest ads",
            [i for i in pick("authored", *portal) if source[i] != "authored" or y[i] == 1],
        ),
        ("Everything, Indonesian and mixed", pick("authored", "hoax", "emscad", *portal, languages=("id", "mixed", "ms"))),
        ("Everything, English", pick("authored", "hoax", "emscad", *portal, languages=("en",))),
    ]
    out += [
        table(name, chosen, y, logit, p, groups, scorer.model.calibration.prevalence)
        for name, chosen in sets
        if len({y[i] for i in chosen}) == 2
    ]
    out += [
        "",
        "## Other shares of scams\n",
        "With `--prevalence`: the tier *high* promises a precision of at least 0.9 at every share (postings weighed to it).\n",
        "| share | language | high from | precision at high | recall at high | ECE |",
        "|---|---|---|---|---|---|",
    ]
    everything = pick("authored", "hoax", "emscad", *portal)
    for share in (0.01, 0.02, 0.05, 0.1, 0.3):
        model = scorer.model.at_prevalence(share)
        q = np.array([model.calibration.probability(v) for v in logit])
        cut = model.thresholds["high"]
        for name, languages in (("Indonesian and mixed", ("id", "mixed", "ms")), ("English", ("en",))):
            index = np.array([i for i in everything if language[i] in languages])
            part = [groups[i] for i in index]
            cells = [
                str(estimate(metric, y[index], q[index], part))
                for metric in (precision_at(cut, share), share_above(cut, 1), calibration_error_at(share))
            ]
            out.append(f"| {share:.0%} | {name} | {cut:.3f} | " + " | ".join(cells) + " |")
    out += [
        "",
        "## Honest postings flagged (false-positive rate)\n",
        "| source | honest | medium or above | high or above | critical |",
        "|---|---|---|---|---|",
    ]
    out += [line for s in ("emscad", *portal, "authored") if (line := rate(s, pick(s), 0, y, p, groups, cuts))]
    kinds = sorted({r.kind for r in rows if r.authored and r.label == 0 and r.status == "scored"})
    out += [rate(f"authored: {k}", [i for i in ads if rows[i].kind == k], 0, y, p, groups, cuts) for k in kinds]
    out += [
        "",
        "## Scams found (recall by tier)\n",
        "| source | scams | medium or above | high or above | critical |",
        "|---|---|---|---|---|",
    ]
    out += [line for s in ("emscad", "hoax", "authored") if (line := rate(s, pick(s), 1, y, p, groups, cuts))]
    kinds = sorted({r.kind for r in rows if r.authored and r.label == 1})
    out += [rate(f"authored: {k}", [i for i in ads if rows[i].kind == k], 1, y, p, groups, cuts) for k in kinds]
    out += ["", "## Status\n", "What the model called each kind of text: expected status, and how many got which.\n"]
    out += ["| source | expected | found |", "|---|---|---|"]
    for key in sorted({(r.source, r.status) for r in rows}):
        found = Counter(a.status for r, a in zip(rows, assessments) if (r.source, r.status) == key)
        out.append(f"| {key[0]} | {key[1]} | " + ", ".join(f"{n} {s}" for s, n in found.most_common()) + " |")
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text("\n".join(out) + "\n", encoding="utf-8")
    print(arguments.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
