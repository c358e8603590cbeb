"""The job of training: a corpus with provenance, weights that keep one source from speaking for all, an artifact."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from jobscam.corpus import Row
from jobscam.errors import InputError
from jobscam.features import FloatArray
from jobscam.knowledge import load as load_knowledge
from jobscam.model import artifact, semver
from jobscam.posting import Posting

if TYPE_CHECKING:
    from jobscam.model.classifier import JobScamClassifier

_DROPPABLE = ("company", "agency", "licence", "location", "salary", "salary_min", "salary_max", "employment_type", "requirements",
              "benefits", "company_profile", "experience", "education", "industry", "contact")  # fmt: skip


COPY_WEIGHT = 0.3
"""Weight of a copy beside its original. With 1 the copies speak louder than the ads, with 0 bare ads go unlearned."""


@dataclass(frozen=True)
class Augmented:
    """Rows and, after them, their copies with fields taken away.

    Attributes
    ----------
    rows : list of Row
    copy_of : ndarray of shape (n,)
        Number of the row a copy was made of; -1 for the rows themselves.
    """

    rows: list[Row]
    copy_of: npt.NDArray[np.int64]


def augmented(rows: Sequence[Row], seed: int = 0) -> Augmented:
    """Rows plus copies as other sources would have them, so that a missing field is *unknown*, not *absent*.

    One copy is bare prose, as a social-media post; another lacks some fields at random. Rows without metadata have none.
    """
    copies = []
    for number, row in enumerate(rows):
        filled = [name for name in _DROPPABLE if getattr(row.posting, name)]
        if filled:
            rng = np.random.default_rng([seed, number])
            dropped = [name for name in filled if rng.random() < 0.6]
            copies += [(number, bare(row.posting)), (number, without(row.posting, dropped))]
    copy_of = np.concatenate([np.full(len(rows), -1), [number for number, _ in copies]]).astype(np.int64)
    return Augmented([*rows, *(replace(rows[number], posting=posting) for number, posting in copies)], copy_of)


def without(posting: Posting, fields: Sequence[str]) -> Posting:
    """The posting as a source would have it that lacks some fields."""
    blank = tuple(name for name in posting.blank if name not in fields)
    return replace(posting, **dict.fromkeys(fields, ""), blank=blank)


def bare(posting: Posting) -> Posting:
    """Only the prose, as a social-media post would have it."""
    return Posting(description="\n".join(p for p in (posting.title, posting.description, posting.requirements) if p))


SHARES: dict[tuple[str, int], float] = {
    ("emscad", 1): 0.8,
    ("authored", 1): 4.0,
    ("emscad", 0): 0.8,
    ("authored", 0): 4.0,
    ("posters", 0): 2.0,
    ("lokerid", 0): 1.5,
    ("maganghub", 0): 0.5,
    ("jobstreet", 0): 0.5,
}
"""Total weight of each source and label. Equal rows would let the largest portal define what honest means; the North
American job board, enriched in fraud, weighs less than the Indonesian text that users bring."""


CALIBRATION_SHARES = {**SHARES, ("emscad", 1): 0.2, ("emscad", 0): 0.2, ("authored", 0): 0.25}
"""Total weight of each source in calibration and thresholds: the stream that users bring is Indonesian, and the hard
honest cases that were written to be mistaken make up a few in a hundred of it."""


def weights(rows: Sequence[Row], copy_of: Any, shares: Mapping[tuple[str, int], float] = SHARES) -> FloatArray:
    """Weight of each row, so that sources add up to their shares (times the number of rows)."""
    own = np.where(np.asarray(copy_of) >= 0, COPY_WEIGHT, 1.0)
    keys = [(r.source, r.label) for r in rows]
    counts: dict[tuple[str, int], float] = {}
    for key, weight in zip(keys, own, strict=True):
        counts[key] = counts.get(key, 0.0) + float(weight)
    total = sum(shares.get(key, 1.0) for key in counts)
    return np.array([w * shares.get(k, 1.0) / counts[k] / total * len(rows) for k, w in zip(keys, own, strict=True)])


FAMILIES = {
    "public bodies and state firms": ("bumn_travel", "public_body_impersonation"),
    "fees and deposits": ("domestic_fee", "seaman_deposit", "overseas_fee_scam"),
    "tasks, mules, identities": ("task_scam", "data_entry_membership", "money_mule", "mlm_disguised", "identity_harvest",
                                 "hr_impersonation"),
    "lures to Cambodia and Vietnam": ("overseas_lure_cambodia", "overseas_lure_vietnam"),
    "lures elsewhere": ("overseas_lure_myanmar", "overseas_lure_laos", "overseas_lure_thailand", "overseas_lure_philippines",
                        "overseas_lure_dubai", "overseas_lure_undisclosed", "overseas_nonprocedural"),
}  # fmt: skip
"""Kinds of authored scams that are alike; a family is left out as a whole."""
_FAMILY_OF = {kind: number for number, kinds in enumerate(FAMILIES.values()) for kind in kinds}
_SOURCE_FOLD = {"posters": 0, "lokerid": 1, "maganghub": 2, "jobstreet": 3}


def folds(rows: Sequence[Row]) -> npt.NDArray[np.int64]:
    """Folds in which the part left out is unlike the part fitted on, as tomorrow's postings are unlike today's.

    Every fold leaves out one honest source as a whole and one family of authored scams (with the honest twins of these
    ads); other campaigns fall where their hash says.
    """
    of_campaign: dict[str, int] = {}
    for row in rows:
        if row.label and row.kind in _FAMILY_OF:
            of_campaign.setdefault(row.group, _FAMILY_OF[row.kind])
    return np.array([_SOURCE_FOLD.get(row.source, of_campaign.get(row.group, _hashed(row.group))) for row in rows])


def _hashed(group: str) -> int:
    return hashlib.sha256(group.encode()).digest()[0] % len(FAMILIES)


def train(rows: Sequence[Row], **parameters: Any) -> JobScamClassifier:
    """Fit a classifier on labelled rows with field dropping, source weights and calibration on unlike data."""
    from jobscam.model.classifier import JobScamClassifier

    used = augmented([r for r in rows if r.status == "scored"])
    return JobScamClassifier(**parameters).fit(
        [r.posting for r in used.rows],
        [r.label for r in used.rows],
        sample_weight=weights(used.rows, used.copy_of),
        calibration_weight=weights(used.rows, used.copy_of, CALIBRATION_SHARES),
        copy_of=used.copy_of,
        fold_of=folds(used.rows),
    )


def save(
    classifier: JobScamClassifier,
    path: str | Path,
    *,
    version: str | None = None,
    trained_on: Mapping[str, Any] | None = None,
    metrics: Mapping[str, Any] | None = None,
    card: str = "",
) -> Path:
    """Write a fitted classifier as an artifact.

    Parameters
    ----------
    classifier : JobScamClassifier
        Fitted.
    path : path
        Folder to create; ``<name>-<semver>`` gives name and version.
    version : str, optional
        Overrides the version in the folder's name.
    """
    if not hasattr(classifier, "model_"):
        raise InputError("the classifier is not fitted; call fit() before save()")
    folder = semver.split(Path(path).name)
    named = semver.split(f"{folder.name if folder else Path(path).name}-{version}") if version is not None else folder
    if named is None:
        raise InputError(f"{path}: name the folder <name>-<semver>, for example models/mine-1.0.0, or give version=")
    manifest = {
        "name": named.name,
        "version": named.version,
        **described(classifier),
        "trained_on": dict(trained_on or {}),
        "metrics": dict(metrics or {}),
    }
    return artifact.write(path, classifier.model_, manifest, card or "# Model card\n\nNo card was written for this artifact.\n")


def described(classifier: JobScamClassifier) -> dict[str, Any]:
    """What the manifest says of a fitted classifier: its knowledge, its parameters and the pay it learned."""
    # Where a folder lay says nothing elsewhere; the digest tells what was in it.
    parameters = {key: value for key, value in classifier.get_params().items() if key != "knowledge"}
    return {
        "knowledge": load_knowledge(classifier.knowledge).digest,
        "parameters": parameters,
        "pay_reference": classifier.pay_reference_.as_json(),
    }
