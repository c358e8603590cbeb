"""Train the shipped model: real sources (not in the repository) plus the training half of the authored samples.

usage: python scripts/train.py --data FOLDER [--out models/jobscam-X.Y.Z]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from jobscam import training
from jobscam.evaluation import average_precision, calibration_error

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
are calibrated out of fold, campaigns never cut, for a share of scams of {prevalence:.0%}; if yours differs, read them as a rank.

**Trained on** (counts only; the real advertisements are not ours to republish):

| source | postings | scams | campaigns |
|---|---|---|---|
{sources}

Honest Indonesian advertisements are *assumed* honest (ordinary portals and accounts). No labelled corpus of Indonesian
trafficking lures exists in public: the Indonesian lures learned from are authored (`data/samples`, CC0). Archived
recruitment hoaxes were kept out of training. Fields were dropped at random, so that a missing one is unknown, not absent.
One fifth of the campaigns of every real source, and the development half of the samples, were held out.

**Measured** on what it has not seen: `docs/evaluation.md` (by source and language, with intervals). Out of fold on the
training postings, weighted as in training: average precision {oof_ap:.3f}, expected calibration error {oof_ece:.3f}.

**Tiers** (lowest probability, chosen out of fold at that share of scams): critical {critical} (precision at least 0.97),
high {high} (precision at least 0.9), medium {medium} (at most 5 % of honest postings at or above).

**Known limits.** Style and label go together in the sources (honest portal prose, scams in posts); authored
advertisements in the opposite style soften this, they do not remove it. English scams are mostly North American
work-from-home fraud. Recall of archived Indonesian hoaxes is far below that of authored lures: see the evaluation.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "jobscam-1.1.0")
    arguments = parser.parse_args()
    real = [r for r in training.read_sources(arguments.data) if not r.is_test and r.source not in training.TEST_ONLY]
    rows = real + training.read_samples(ROOT / "data" / "samples" / "train.csv")
    classifier = training.train(rows)
    target = classifier.training_target_
    known = np.isfinite(classifier.oof_logits_)
    model = classifier.model_
    p = np.array([model.calibration.probability(v) for v in classifier.oof_logits_[known]])
    metrics = {
        "oof_average_precision": round(average_precision(target[known], classifier.oof_logits_[known]), 4),
        "oof_calibration_error": round(calibration_error(target[known], p), 4),
    }
    trained_on = training.fingerprint(rows)
    card = CARD.format(
        name=arguments.out.name,
        prevalence=model.calibration.prevalence,
        sources="\n".join(f"| {n} | {s['postings']} | {s['scam']} | {s['campaigns']} |" for n, s in trained_on.items()),
        oof_ap=metrics["oof_average_precision"],
        oof_ece=metrics["oof_calibration_error"],
        **model.thresholds,
    )
    path = training.save(classifier, arguments.out, trained_on=trained_on, metrics=metrics, card=card)
    print(f"wrote {path.name}: {metrics}, thresholds {model.thresholds}")


if __name__ == "__main__":
    main()
