"""The job of retraining: labelled ads in, a new artifact with its parent, its figures and its card out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jobscam.adaptation import Adapted, adapt
from jobscam.errors import InputError
from jobscam.evaluation import Estimate, average_precision, estimate, recall_at_fpr
from jobscam.indicators import IndicatorReader
from jobscam.labelled import Ad, Labelled, contradictory, problems
from jobscam.model import artifact, semver
from jobscam.model.linear import LinearModel
from jobscam.scoring import Scorer
from jobscam.training import described
from jobscam.values import Status

_METRICS = {"average precision": average_precision, "recall at 5 % false positives": recall_at_fpr(0.05)}
_CARD = """# Model card: {name}

{how}

**Labels.** {scams} scams and {honest} legitimate ads in {campaigns} campaigns, from a table of the user's own (its words are
not kept here). {left_out}

**Measured** on labels left out of the fit, by campaign, with 95 % intervals. The ads that were labelled are seldom a fair
draw of the stream, so compare models by these figures rather than trusting them one by one.

| | {head} |
|---|{rule}|
{figures}

**Tiers** (lowest probability): critical {critical}, high {high}, medium {medium}, for a share of scams of {prevalence:.0%}.

**What it is not for.** A high score is a reason to look, not a verdict; a low score clears nothing. See the card of the
shipped model for what it was trained on and where it is weak: an adapted model inherits both.
"""


@dataclass(frozen=True)
class Retrained:
    """A model made from labelled ads, not yet written.

    Attributes
    ----------
    model : LinearModel
    figures : dict of str to dict of str to Estimate
        By metric, then by model (the old one, where there is one, and the new one), on labels left out by campaign.
    doubtful : list of (Ad, float)
        Ads whose label the others contradict, with the new log-odds on labels left out.
    adapted : Adapted or None
        How the weights moved; None for a model trained from scratch.
    not_ads : list of int
        Lines left out since they are no advertisements, see :func:`not_ads`.
    """

    model: LinearModel
    labelled: Labelled
    figures: dict[str, dict[str, Estimate]]
    doubtful: list[tuple[Ad, float]]
    adapted: Adapted | None
    manifest: dict[str, Any]
    not_ads: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name and version."""
        return f"{self.manifest['name']}-{self.manifest['version']}"

    def save(self, path: str | Path) -> Path:
        """Write the artifact in one step; refuses to overwrite."""
        return artifact.write(path, self.model, self.manifest, self.card())

    def card(self) -> str:
        """The model card, made of measured values."""
        names = list(dict.fromkeys(name for by_model in self.figures.values() for name in by_model))
        parent = self.manifest.get("parent")
        if parent is None:
            how = "Trained from scratch on labelled ads, with the expert priors of the indicators."
        elif self.adapted is not None and np.isfinite(self.adapted.strength):
            how = (
                f"Adapted from {parent['name']}-{parent['version']}: its weights are the prior, the labels moved them "
                f"(strength {self.adapted.strength:g}, trust in the old log-odds {self.adapted.trust:.2f})."
            )
        else:
            how = f"The weights of {parent['name']}-{parent['version']} did best on labels left out and stayed; recalibrated."
        left_out = len(self.labelled.undecided) + len(self.labelled.rejects) + len(self.not_ads)
        return _CARD.format(
            name=self.name,
            how=how,
            scams=int(self.labelled.labels.sum()),
            honest=int((1 - self.labelled.labels).sum()),
            campaigns=len(set(self.labelled.campaigns)),
            left_out=f"{left_out} rows were undecided, no advertisements, or could not be used." if left_out else "",
            head=" | ".join(names),
            rule="---|" * (len(names) - 1) + "---",
            figures="\n".join(
                f"| {metric} | {' | '.join(str(by_model[name]) for name in names)} |" for metric, by_model in self.figures.items()
            ),
            prevalence=self.model.calibration.prevalence,
            **self.model.thresholds,
        )


def check_name(path: str | Path) -> tuple[str, str]:
    """Name and version of an artifact folder that is to be made.

    Raises
    ------
    InputError
        If the folder exists, or is not called ``<name>-<semver>``.
    """
    folder = Path(path)
    if folder.exists():
        raise InputError(f"{path} exists already; choose a new version or remove it")
    found = semver.split(folder.name)
    if found is None:
        raise InputError(f"{path}: name the folder <name>-<version>, for example models/mine-1.1.0")
    return found.name, found.version


def not_ads(labelled: Labelled, reader: IndicatorReader) -> list[int]:
    """Lines labelled legitimate that are warnings, news or other posts, not advertisements.

    A warning quotes what it warns of. As an honest ad it would teach that a lure's words reassure, and a few of them move
    most scams below *high*; it is never ranked, so there is nothing to learn from it.

    Parameters
    ----------
    labelled : Labelled
    reader : IndicatorReader
    """
    other = (Status.WARNING_OR_NEWS.value, Status.NOT_AN_AD.value)
    return [ad.line for ad in labelled.ads if not ad.label and reader.read(ad.posting)[1].posting_type in other]


def usable(labelled: Labelled, left_out: Sequence[int] = ()) -> Labelled:
    """The labelled ads without some lines and those that contradict each other word for word.

    Raises
    ------
    InputError
        If nothing should be trained on them: one class only, or too few.
    """
    kept = labelled.without([*contradictory(labelled), *left_out])
    fatal = [str(problem) for problem in problems(kept) if problem.fatal]
    if fatal:
        raise InputError(" ".join(fatal))
    return kept


def adapt_model(
    base: Scorer, labelled: Labelled, path: str | Path, on_progress: Callable[[str], None] = lambda _: None
) -> Retrained:
    """Adapt a model to labelled ads; its training data need not be there.

    Parameters
    ----------
    base : Scorer
        Over the artifact to start from.
    labelled : Labelled
    path : path
        Folder the artifact will have, ``<name>-<version>``; nothing is written yet.
    on_progress : callable, optional
        Told what is being done.

    Raises
    ------
    InputError
        If the folder exists or has no version, or the labels cannot be used.
    """
    name, version = check_name(path)
    on_progress(f"reading {len(labelled.ads)} ads")
    others = not_ads(labelled, base.reader)
    kept = usable(labelled, others)
    groups = np.unique(np.array(kept.campaigns), return_inverse=True)[1]
    found = adapt(base.model, base.space, base.matrix(kept.postings), kept.labels, groups, on_progress)
    on_progress("measuring")
    figures = _figures(kept, {base.name: found.old_logits, f"{name}-{version}": found.new_logits})
    manifest = {
        "name": name,
        "version": version,
        "knowledge": base.knowledge.digest,
        "parameters": {"adapted": True, "strength": _finite(found.strength), "trust": round(found.trust, 4)},
        "pay_reference": base.manifest.get("pay_reference"),
        "parent": {key: base.manifest[key] for key in ("name", "version", "files")},
        "trained_on": {"labels": _fingerprint(kept)},
        "metrics": _plain(figures),
    }
    doubtful = [(kept.ads[i], float(found.new_logits[i])) for i in found.doubtful.tolist()]
    return Retrained(found.model, kept, figures, doubtful, found, manifest, others)


def train_anew(
    labelled: Labelled,
    path: str | Path,
    *,
    prevalence: float = 0.1,
    knowledge: str | Path | None = None,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Retrained:
    """Train on labelled ads alone: only the expert priors of the indicators are given.

    Parameters
    ----------
    labelled : Labelled
    path : path
        Folder the artifact will have, ``<name>-<version>``; nothing is written yet.
    prevalence : float
        Share of scams for which the probabilities shall be right.
    knowledge : path, optional
        Folder laid over the shipped knowledge.

    Raises
    ------
    InputError
        As :func:`adapt_model`.
    """
    from jobscam.model.classifier import JobScamClassifier, reader_of

    name, version = check_name(path)
    others = not_ads(labelled, reader_of(None if knowledge is None else str(knowledge)))
    kept = usable(labelled, others)
    on_progress(f"training on {len(kept.ads)} ads")
    classifier = JobScamClassifier(prevalence=prevalence, knowledge=None if knowledge is None else str(knowledge))
    classifier.fit(kept.postings, kept.labels.astype(int), groups=kept.campaigns)
    on_progress("measuring")
    figures = _figures(kept, {f"{name}-{version}": classifier.oof_logits_})
    manifest = {
        "name": name,
        "version": version,
        **described(classifier),
        "trained_on": {"labels": _fingerprint(kept)},
        "metrics": _plain(figures),
    }
    return Retrained(classifier.model_, kept, figures, [], None, manifest, others)


def _figures(kept: Labelled, logits: Mapping[str, Any]) -> dict[str, dict[str, Estimate]]:
    known = np.all([np.isfinite(values) for values in logits.values()], axis=0)
    groups = [c for c, k in zip(kept.campaigns, known.tolist(), strict=True) if k]
    if len(np.unique(kept.labels[known])) < 2:
        return {}
    return {
        metric: {name: estimate(rule, kept.labels[known], values[known], groups) for name, values in logits.items()}
        for metric, rule in _METRICS.items()
    }


def _plain(figures: Mapping[str, Mapping[str, Estimate]]) -> dict[str, float]:
    return {
        f"left_out {metric} {name}": round(value.value, 4)
        for metric, by_model in figures.items()
        for name, value in by_model.items()
    }


def _fingerprint(kept: Labelled) -> dict[str, Any]:
    digest = hashlib.sha256("\n".join(sorted(f"{ad.label} {ad.posting.text()}" for ad in kept.ads)).encode("utf-8", "replace"))
    return {
        "postings": len(kept.ads),
        "scam": int(kept.labels.sum()),
        "campaigns": len(set(kept.campaigns)),
        "sha256": digest.hexdigest(),
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
