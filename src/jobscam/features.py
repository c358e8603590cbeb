"""From findings and words to one row of named numbers.

Three blocks: indicators (one column each, and a few crossed with work abroad), presence of job-board fields, and
hashed words and subwords. The same hash serves training and scoring.

Decisions. *Digits are folded and contacts are blanked*, so that a phone number or an invented mail domain can never
stand for a label. *Presence, not counts*: a reposted block of text must not weigh more. *A field is filled, left blank,
or not there*: a job-board ad whose employer left the profile out says something, a post from a source that has no such
field says nothing, and only the first two have columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from jobscam.indicators import Document, IndicatorReader
from jobscam.knowledge import Knowledge
from jobscam.ngrams import TextHasher
from jobscam.posting import METADATA_FIELDS, Posting
from jobscam.values import Findings, Sign

SCHEMA_VERSION = 2
"""Version of the meaning of the columns; raise it with any change to hashing, crossing or field columns.

1: words and subwords share the buckets and one length. 2: words fill the lower half of the buckets, subwords the upper
half, and each half has a length of its own, so that the many subwords do not drown the words; metadata left blank have
columns.
"""
SCHEMAS = (1, 2)
"""Versions that can be scored."""

CROSSED = ("no_fee_stated", "housing_and_meals", "statutory_benefits", "no_requirements", "urgency", "chat_only_contact",
           "company_mail", "specific_qualifications", "contract_before_departure", "formal_application", "trust_claim",
           "duties_listed", "office_selection", "vague_online_job")  # fmt: skip
"""Indicators whose meaning depends on work abroad: "no fee" reassures at home and is part of the lure abroad."""
ENGLISH = "language:en"
"""Tells the calibration the language; it weighs nothing, because a language is no sign of anything."""

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


class FeatureSpace:
    """Names and order of the dense columns, and how a reading of a posting fills them."""

    def __init__(self, knowledge: Knowledge) -> None:
        weighted = [i for i in knowledge.indicators.values() if i.sign is not Sign.CONTEXT]
        self.indicators = tuple(sorted(i.name for i in weighted))
        self.crossed = tuple(n for n in CROSSED if n in self.indicators)
        self.names = (
            *(f"ind:{n}" for n in self.indicators),
            *(f"ind:{n}@abroad" for n in self.crossed),
            *(f"field:{n}" for n in METADATA_FIELDS),
            *(f"blank:{n}" for n in METADATA_FIELDS),
            ENGLISH,
        )
        self._column = {name: i for i, name in enumerate(self.names)}
        by_name = {i.name: i for i in weighted}
        self.prior = np.zeros(len(self.names))
        self.lower = np.full(len(self.names), -np.inf)
        self.upper = np.full(len(self.names), np.inf)
        for column, name in enumerate(self.indicators):
            indicator = by_name[name]
            self.prior[column] = indicator.prior
            # A sign of risk must not lower a score: whatever a small sample says, no analyst could defend it.
            if indicator.sign is Sign.RISK:
                self.lower[column] = 0.0
            else:
                self.upper[column] = 0.0
        english = self._column[ENGLISH]
        self.lower[english] = self.upper[english] = 0.0
        for name in METADATA_FIELDS:
            self.upper[self._column[f"field:{name}"]] = 0.0
            self.lower[self._column[f"blank:{name}"]] = 0.0
        for name in self.crossed:
            if by_name[name].sign is Sign.SAFETY:  # crossing may take a reassurance back, never make it stronger
                self.lower[self._column[f"ind:{name}@abroad"]] = 0.0

    def row(self, document: Document, findings: Findings) -> dict[int, float]:
        """Column and value of everything found in a posting; columns that are not there are zero."""
        values: dict[int, float] = {}
        abroad = bool(findings.facts["abroad"])
        for item in findings.evidence:
            column = self._column.get(f"ind:{item.indicator}")
            if column is None:
                continue
            values[column] = max(values.get(column, 0.0), item.value)
            if abroad and item.indicator in self.crossed:
                values[self._column[f"ind:{item.indicator}@abroad"]] = 1.0
        for name in METADATA_FIELDS:
            if getattr(document.posting, name):
                values[self._column[f"field:{name}"]] = 1.0
        for name in document.posting.blank:
            values[self._column[f"blank:{name}"]] = 1.0
        if findings.language == "en":
            values[self._column[ENGLISH]] = 1.0
        return dict(sorted(values.items()))


def english_rows(space: FeatureSpace, matrix: Any) -> npt.NDArray[np.bool_]:
    """Which rows of a feature matrix are in English, shape (n,)."""
    found: npt.NDArray[np.bool_] = np.asarray(matrix[:, space.names.index(ENGLISH)].todense()).ravel() > 0
    return found


def feature_matrix(reader: IndicatorReader, space: FeatureSpace, hasher: TextHasher, postings: Iterable[Posting]) -> Any:
    """Sparse matrix of shape (n, columns + 2**bits): the named columns, then ones for the hash buckets present."""
    from scipy import sparse  # scoring one ad needs no matrix

    width = len(space.names)
    indices: list[Any] = []
    values: list[Any] = []
    pointer = [0]
    for posting in postings:
        document, findings = reader.read(posting)
        row = space.row(document, findings)
        buckets = hasher.grams(document.norm).buckets
        indices.append(np.concatenate([np.fromiter(row, dtype=np.int64, count=len(row)), buckets + width]))
        values.append(np.concatenate([np.fromiter(row.values(), dtype=np.float64, count=len(row)), np.ones(len(buckets))]))
        pointer.append(pointer[-1] + len(indices[-1]))
    shape = (len(indices), width + (1 << hasher.bits))
    if not indices:
        return sparse.csr_matrix(shape)
    return sparse.csr_matrix((np.concatenate(values), np.concatenate(indices), np.array(pointer)), shape=shape)
