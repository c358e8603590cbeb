"""The corpus: every labelled source in one table with its provenance, split by campaign.

To add a real source: one line in :data:`SOURCES`. To add authored ads: rows in ``data/samples``.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobscam.errors import InputError
from jobscam.posting import ColumnMap, Posting

if TYPE_CHECKING:
    import pandas as pd

TEST_SHARE = 0.2
TEST_ONLY = ("hoax",)
"""Sources that are never trained on."""
AUTHORED = "authored"
_HONEST_NOTE = "assumed honest: ordinary accounts and portals, no label of their own"
_AUTHORED_RULE = "written as a lure or as an honest ad"
_SAMPLE_PARTS = {"train": "train", "ads": "dev", "seen": "dev", "test": "test"}
_HIDDEN = ("label", "kind", "register", "language", "status", "campaign", "note")
_WORD = re.compile(r"[a-z0-9]+")
_SHINGLE = 4
_COMMON = 60
"""A run of words in more postings than this is boilerplate and says nothing about two of them."""


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
    """One labelled posting with its provenance.

    Attributes
    ----------
    label : int
        1 for a scam or lure, 0 for legitimate.
    label_rule : str
        How the label is known.
    campaign : str
        Near-duplicates and twins share it; no split cuts it.
    part : str
        train, dev (authored ads to develop with), or test (never looked at while a model is made).
    """

    posting: Posting
    label: int
    source: str
    campaign: str
    part: str
    label_rule: str
    kind: str = ""
    status: str = "scored"
    register: str = ""
    language: str = ""

    @property
    def authored(self) -> bool:
        """Whether the ad was written for this project."""
        return self.source == AUTHORED

    @property
    def group(self) -> str:
        """Campaign across all sources."""
        return f"{self.source}:{self.campaign}"


def _part(source: str, campaign: str) -> str:
    """Part of a campaign of a real source, decided by its hash, for ever."""
    if source in TEST_ONLY:
        return "test"
    digest = hashlib.sha256(f"{source}:{campaign}".encode()).digest()
    return "test" if int.from_bytes(digest[:4], "big") / 2**32 < TEST_SHARE else "train"


def read(data: str | Path | None, samples: str | Path) -> list[Row]:
    """The whole corpus: authored ads and, where a folder is given, the real sources.

    Parameters
    ----------
    data : path or None
        Folder of the real sources, which are not in the repository.
    samples : path
        Folder ``data/samples``.
    """
    rows = [row for file in sorted(Path(samples).glob("*.csv")) for row in read_samples(file)]
    return (read_sources(data) if data is not None else []) + rows


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
        campaign = cells[at["campaign"]]
        yield Row(mapping.posting(cells), int(label), source.name, campaign, _part(source.name, campaign), source.label_rule)


def read_samples(path: str | Path) -> list[Row]:
    """Authored ads of a file of ``data/samples``: what is known of the ad stands beside the columns of the ad."""
    part = _SAMPLE_PARTS.get(Path(path).stem, "test")
    with open(path, encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        header = next(reader)
        mapping = ColumnMap.from_header(["" if h in _HIDDEN else h for h in header])
        at = {name: i for i, name in enumerate(header)}
        return [
            Row(
                mapping.posting(cells),
                int(cells[at["label"]] == "scam"),
                AUTHORED,
                cells[at["campaign"]],
                part,
                _AUTHORED_RULE,
                **{name: cells[at[name]] for name in ("kind", "status", "register", "language")},
            )
            for cells in reader
        ]


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """Provenance of every posting as a table, without its words.

    Returns
    -------
    DataFrame
        Columns source, label, label_rule, language, kind, register, status, campaign, part, characters.
    """
    import pandas as pd

    names = ("source", "label", "label_rule", "language", "kind", "register", "status", "campaign", "part")
    records = [{**{name: getattr(row, name) for name in names}, "characters": len(row.posting.text())} for row in rows]
    return pd.DataFrame.from_records(records, columns=[*names, "characters"])


def near_duplicates(rows: Sequence[Row], least: float = 0.5) -> Iterator[tuple[int, int, float]]:
    """Pairs of postings whose runs of four words overlap, with their Jaccard similarity.

    Parameters
    ----------
    least : float
        Lowest similarity that is reported.
    """
    shingles = [_shingles(row.posting.text()) for row in rows]
    holders: dict[int, list[int]] = defaultdict(list)
    for number, found in enumerate(shingles):
        for shingle in found:
            holders[shingle].append(number)
    shared: Counter[tuple[int, int]] = Counter()
    for numbers in holders.values():
        if 1 < len(numbers) <= _COMMON:
            shared.update(combinations(numbers, 2))
    for (one, other), count in sorted(shared.items()):
        similarity = count / (len(shingles[one]) + len(shingles[other]) - count)
        if similarity >= least:
            yield one, other, similarity


def _shingles(text: str) -> set[int]:
    words = _WORD.findall(text.lower())
    return {hash(tuple(words[i : i + _SHINGLE])) for i in range(max(1, len(words) - _SHINGLE + 1))}


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
