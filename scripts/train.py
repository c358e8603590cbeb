"""Train the shipped model: real sources (not in the repository) plus the training half of the authored samples.

usage: python scripts/train.py --data FOLDER [--out models/jobscam-X.Y.Z]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from evaluation import shipped
from evaluation.bench import line

import jobscam
from jobscam import corpus, training
from jobscam.evaluation import average_precision, brier_skill, calibration_error_at, recall_at_fpr
from jobscam.model.linear import log_odds

ROOT = Path(__file__).parent.parent
CARD = """# Model card: {name}

**What it is for.** Ranking Indonesian and English job advertisements by the risk that they are scams or trafficking
lures, so that a person reviews the right ones first. Every score comes with its reasons.

**What it is not for.** It does not decide that an advertisement is a crime, it accuses nobody, and it must not be used
to block migration, to score people, or without a person who looks at the advertisement. A low score clears nothing:
some lures cannot be told from honest work by their text. Other languages, posters that hold their text in an image,
and private chats that move an honest-looking advertisement elsewhere are out of its sight.

**How it works.** A logistic model on indicators (each with an expert prior; a sign of risk may only raise, a sign of
safety only lower) and on hashed words and subwords. `logit = bias + sum(contributions)` holds exactly. Probabilities
are calibrated out of fold on sources and kinds of scam left out of the fit, English apart from the rest, for a share of scams
of {prevalence:.0%}; if yours differs, say so with `--prevalence`.

**Trained on** (counts only; the real advertisements are not ours to republish):

| source | postings | scams | campaigns |
|---|---|---|---|
{sources}

Honest Indonesian advertisements are *assumed* honest (ordinary portals and accounts). No labelled corpus of Indonesian
trafficking lures exists in public: the Indonesian lures learned from are authored (`data/samples`, CC0). Archived
recruitment hoaxes were kept out of training. Fields were dropped at random, so that a missing one is unknown, not absent.
One fifth of the campaigns of every real source, and the development and final samples, were held out.

**Measured** on what it has not seen ({held} postings: the held-out fifth of every real source, the archived hoaxes, the
development and the final samples); intervals and slices: `docs/evaluation.md`.

| set | postings / scams | average precision | recall at 1 % false positives | calibration error | Brier skill |
|---|---|---|---|---|---|
{measured}

| honest postings of | number | flagged medium or above | flagged high or above |
|---|---|---|---|
{flagged}

Calibration error and Brier skill: scams weighed to {prevalence:.0%} (error) and as they are (skill). Out of fold on the
training postings, where each fold leaves out a whole source and a whole family of scams: average precision {oof_ap:.3f};
at the tier *high* recall {oof_recall:.3f} and {oof_false:.4f} of the honest postings flagged.

**Tiers** (lowest probability, chosen out of fold at that share of scams): critical {critical} (precision at least 0.97),
high {high} (precision at least 0.9), medium {medium} (at most 5 % of honest postings at or above).

**Known limits.** Style and label go together in the sources (honest portal prose, scams in posts); authored
advertisements in the opposite style soften this, they do not remove it. English scams are mostly North American
work-from-home fraud. A field that the employer left blank in a job-board table raises the score, as it does in the English
board; a field that the source does not have says nothing. Recall of archived Indonesian hoaxes is far below that of
authored lures: see the evaluation.
"""


def measure(artifact: Path, rows: list[corpus.Row]) -> tuple[list[str], list[str], dict[str, float]]:
    """Rows of the card's tables, and figures for the manifest."""
    s = shipped.Scored(jobscam.load(artifact), rows)
    measured, flagged, figures = [], [], {}
    for name, index in s.by_language().items():
        y, p = s.y[index], s.p[index]
        values = {
            "average_precision": average_precision(y, s.logit[index]),
            "recall_at_1_percent": recall_at_fpr(0.01)(y, s.logit[index]),
            "calibration_error": calibration_error_at(s.prevalence)(y, p),
            "brier_skill": brier_skill(y, p),
        }
        measured.append(line(name, f"{len(y)} / {int(y.sum())}", *(f"{v:.3f}" for v in values.values())))
        figures |= {f"held_out_{key}_{name.split()[0].lower()}": round(v, 4) for key, v in values.items()}
    for source in dict.fromkeys(s.source):
        index = s.pick(source)
        p = s.p[index[s.y[index] == 0]]
        if len(p):
            flagged.append(line(source, len(p), *(f"{(p >= s.cuts[tier]).mean():.3f}" for tier in ("medium", "high"))))
    return measured, flagged, figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "jobscam-2.3.0")
    arguments = parser.parse_args()
    everything = corpus.read(arguments.data, ROOT / "data" / "samples")
    rows = [r for r in everything if r.part == "train"]
    held = [r for r in everything if r.part != "train"]
    classifier = training.train(rows)
    target = classifier.training_target_
    known = np.isfinite(classifier.oof_logits_)
    model = classifier.model_
    curve = model.curve
    at_high = next(k for k, z in enumerate(curve.log_odds) if z < log_odds(model.thresholds["high"])) - 1
    metrics = {
        "oof_average_precision": round(average_precision(target[known], classifier.oof_logits_[known]), 4),
        "oof_recall_at_high": round(curve.recall[at_high], 4),
        "oof_false_rate_at_high": round(curve.false_rate[at_high], 4),
    }
    trained_on = corpus.fingerprint(rows)
    with tempfile.TemporaryDirectory() as folder:
        draft = training.save(classifier, Path(folder) / arguments.out.name)
        measured, flagged, figures = measure(draft, held)
    card = CARD.format(
        name=arguments.out.name,
        prevalence=model.calibration.prevalence,
        sources="\n".join(f"| {n} | {s['postings']} | {s['scam']} | {s['campaigns']} |" for n, s in trained_on.items()),
        held=len(held),
        measured="\n".join(measured),
        flagged="\n".join(flagged),
        oof_ap=metrics["oof_average_precision"],
        oof_recall=metrics["oof_recall_at_high"],
        oof_false=metrics["oof_false_rate_at_high"],
        **model.thresholds,
    )
    path = training.save(classifier, arguments.out, trained_on=trained_on, metrics={**metrics, **figures}, card=card)
    print(f"wrote {path.name}: {metrics}, {figures}, thresholds {model.thresholds}")


if __name__ == "__main__":
    main()
