"""The job of training: a corpus with provenance, weights that keep one source from speaking for all, an artifact."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from jobscam.errors import InputError
from jobscam.features import FloatArray
from jobscam.knowledge import load as load_knowledge
from jobscam.model import artifact
from jobscam.posting import ColumnMap, Posting

if TYPE_CHECKING:
    from jobscam.model.classifier import JobScamClassifier

TEST_SHARE = 0.2
TEST_ONLY = ("hoax",)
"""Sources that are never trained on."""
_HONEST_NOTE = "assumed honest: ordinary accounts and portals, no label of their own"
_DROPPABLE = ("company", "agency", "licence", "location", "salary", "salary_min", "salary_max", "employment_type", "requirements",
              "benefits", "company_profile", "experience", "education", "industry", "contact")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """One real source: its file, and how its label is known."""

    name: str
    file: str
    label: str
    label_rule: str
    skip_columns: tuple[str, ...] = ()


SOURCES = (
    Source("emscad", "emscad_part.csv.gz", "fraudulent", "by the data set's authors", skip_columns=("source", "fraudulent")),
    Source("hoax", "hoax_recruitment.csv.gz", "1", "debunked by fact-checkers", skip_columns=("headline",)),
    Source("posters", "posters_id.csv.gz", "0", _HONEST_NOTE),
    Source("lokerid", "lokerid.csv.gz", "0", _HONEST_NOTE),
    Source("maganghub", "maganghub.csv.gz", "0", "verified employers of a government portal"),
    Source("jobstreet", "jobstreet.csv.gz", "0", _HONEST_NOTE),
)
"""Real sources. They are not ours to republish and are not in the repository."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled posting with its provenance."""

    posting: Posting
    label: int
    source: str
    campaign: str
    kind: str = ""
    status: str = "scored"
    authored: bool = False

    @property
    def is_test(self) -> bool:
        """Whether the campaign belongs to the held-out fifth: decided by its hash, for ever."""
        digest = hashlib.sha256(f"{self.source}:{self.campaign}".encode()).digest()
        return int.from_bytes(digest[:4], "big") / 2**32 < TEST_SHARE


def read_sources(folder: str | Path) -> list[Row]:
    """All real sources that lie in a folder, in a fixed order; missing files are left out."""
    csv.field_size_limit(1 << 30)
    rows: list[Row] = []
    for source in SOURCES:
        path = Path(folder) / source.file
        if path.exists():
            with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
                rows += _rows(source, csv.reader(stream))
    if not rows:
        raise InputError(f"{folder}: none of the source files is there ({', '.join(s.file for s in SOURCES)})")
    return rows


def _rows(source: Source, reader: Iterator[list[str]]) -> Iterator[Row]:
    header = next(reader)
    visible = ["" if h in source.skip_columns else h for h in header]
    mapping = ColumnMap.from_header(visible)
    at = {name: i for i, name in enumerate(header)}
    for cells in reader:
        label = source.label if source.label in "01" else cells[at[source.label]]
        # The same text copied by several repositories is one campaign, whatever the file calls it.
        yield Row(mapping.posting(cells), int(label), source.name, cells[at["campaign"]])


def read_samples(path: str | Path) -> list[Row]:
    """Authored ads of ``data/samples``: label, kind, status and campaign beside the columns of the ad."""
    with open(path, encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        header = next(reader)
        hidden = ("label", "kind", "register", "language", "status", "campaign", "note")
        mapping = ColumnMap.from_header(["" if h in hidden else h for h in header])
        at = {name: i for i, name in enumerate(header)}
        return [
            Row(
                mapping.posting(cells),
                int(cells[at["label"]] == "scam"),
                "authored",
                cells[at["campaign"]],
                cells[at["kind"]],
                cells[at["status"]],
                authored=True,
            )
            for cells in reader
        ]


def augmented(rows: Sequence[Row], seed: int = 0) -> list[Row]:
    """Rows plus a copy of each with fields dropped at random, so that a missing field is *unknown*, not *absent*."""
    out = list(rows)
    for number, row in enumerate(rows):
        filled = [name for name in _DROPPABLE if getattr(row.posting, name)]
        if not filled:
            continue
        rng = np.random.default_rng([seed, number])
        if rng.random() < 0.5:
            out.append(replace(row, posting=_bare(row.posting)))
        else:
            dropped = {name: "" for name in filled if rng.random() < 0.6}
            out.append(replace(row, posting=replace(row.posting, **dropped)))
    return out


def _bare(posting: Posting) -> Posting:
    """Only the prose, as a social-media post would have it."""
    return Posting(description="\n".join(p for p in (posting.title, posting.description, posting.requirements) if p))


SHARES: dict[tuple[str, int], float] = {
    ("emscad", 1): 0.8,
    ("authored", 1): 2.0,
    ("emscad", 0): 0.8,
    ("authored", 0): 2.0,
    ("posters", 0): 2.0,
    ("lokerid", 0): 1.5,
    ("maganghub", 0): 0.5,
    ("jobstreet", 0): 0.5,
}
"""Total weight of each source and label. Equal rows would let the largest portal define what honest means; the North
American job board, enriched in fraud, weighs less than the Indonesian text that users bring."""


CALIBRATION_SHARES = {**SHARES, ("emscad", 1): 0.2, ("emscad", 0): 0.2}
"""Total weight of each source in calibration and thresholds: the stream that users bring is Indonesian."""


def weights(rows: Sequence[Row], shares: Mapping[tuple[str, int], float] = SHARES) -> FloatArray:
    """Weight of each row, so that sources add up to their shares (times the number of rows)."""
    counts = Counter((r.source, r.label) for r in rows)
    total = sum(shares.get(key, 1.0) for key in counts)
    return np.array([shares.get((r.source, r.label), 1.0) / counts[r.source, r.label] / total * len(rows) for r in rows])


def train(rows: Sequence[Row], **parameters: Any) -> JobScamClassifier:
    """Fit a classifier on labelled rows with field dropping, source weights and campaign-wise calibration."""
    from jobscam.model.classifier import JobScamClassifier

    used = augmented([r for r in rows if r.status == "scored"])
    classifier = JobScamClassifier(**parameters)
    groups = [f"{r.source}:{r.campaign}" for r in used]
    labels = [r.label for r in used]
    return classifier.fit([r.posting for r in used], labels, weights(used), groups, weights(used, CALIBRATION_SHARES))


def fingerprint(rows: Sequence[Row]) -> dict[str, Any]:
    """What a model was trained on, without its words: counts and a digest by source."""
    out: dict[str, Any] = {}
    for source in sorted({r.source for r in rows}):
        chosen = [r for r in rows if r.source == source]
        digest = hashlib.sha256("\n".join(sorted(r.posting.text() for r in chosen)).encode()).hexdigest()
        out[source] = {
            "postings": len(chosen),
            "scam": sum(r.label for r in chosen),
            "campaigns": len({r.campaign for r in chosen}),
            "sha256": digest,
        }
    return out


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
    name, _, found = Path(path).name.rpartition("-")
    if version is None and not re.fullmatch(r"\d+\.\d+\.\d+", found):
        raise InputError(f"{path}: name the folder <name>-<semver>, for example models/mine-1.0.0, or give version=")
    manifest = {
        "name": name or Path(path).name,
        "version": version or found,
        "knowledge": load_knowledge().digest,
        "parameters": classifier.get_params(),
        "pay_reference": classifier.pay_reference_.as_json(),
        "trained_on": dict(trained_on or {}),
        "metrics": dict(metrics or {}),
    }
    return artifact.write(path, classifier.model_, manifest, card or "# Model card\n\nNo card was written for this artifact.\n")
