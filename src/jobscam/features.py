"""From findings and words to one row of named numbers.

Three blocks: indicators (one column each, and a few crossed with work abroad), presence of job-board fields, and
hashed words and subwords. The same hash serves training and scoring.

Decisions. *Digits are folded and contacts are blanked*, so that a phone number or an invented mail domain can never
stand for a label. *Presence, not counts*: a reposted block of text must not weigh more. *A field is filled, left blank,
or not there*: a job-board ad whose employer left the profile out says something, a post from a source that has no such
field says nothing, and only the first two have columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jobscam.indicators import Document, IndicatorReader
from jobscam.knowledge import Knowledge
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

_BLANKED = re.compile(
    r"[^\s@]{0,64}@\S{0,64}|https?:\S{1,200}|www\.\S{1,200}"
    r"|[^\s.]{1,60}\.(?:[^\s.]{1,60}\.){0,3}(?:com|co|id|net|org|example|me|ly|gle|link)(?![a-z])\S{0,100}"
    r"|\+?\d[\d\-.,() ]{4,24}\d|(?<![a-z])contoh\S{0,40}"
)
_NOT_WORD = re.compile(r"[^a-z0-9]")
_DIGITS = str.maketrans("123456789", "000000000")
_BASE = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_CHAR_GRAMS = (3, 4, 5)
_MAX_TEXT = 20_000

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grams:
    """Distinct n-grams of a text, and the words they first stand in.

    Attributes
    ----------
    buckets : ndarray of shape (n,)
    words : ndarray of shape (n,)
        Index into `starts` and `ends` of the word (the first word, for two).
    starts, ends : ndarray of shape (n_words,)
        Bounds of every word in the normalised text.
    """

    buckets: IntArray
    words: IntArray
    starts: IntArray
    ends: IntArray


def _powers(n: int) -> npt.NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        return np.cumprod(np.concatenate([[np.uint64(1)], np.full(n, _BASE, dtype=np.uint64)]), dtype=np.uint64)


_POWERS = _powers(_MAX_TEXT + 8)


def blanked(norm: str, mark: str = " ") -> str:
    """A normalised text with contacts overwritten by `mark` and digits folded; nothing moves.

    Examples
    --------
    >>> blanked("wa 0812-0000-0000 gaji 12jt")
    'wa                gaji 00jt'
    """
    return _BLANKED.sub(lambda m: mark * len(m[0]), norm).translate(_DIGITS)


class TextHasher:
    """Word 1-2-grams and within-word character 3-5-grams, hashed into ``2**bits`` buckets.

    Parameters
    ----------
    bits : int
        Log2 of the number of buckets.
    schema : int
        Feature schema: 1 hashes words and subwords into the same buckets, 2 into halves of their own.
    """

    def __init__(self, bits: int = 18, schema: int = SCHEMA_VERSION) -> None:
        self.bits = bits
        self._shift = np.uint64(64 - bits + schema - 1)
        self._chars_from = 0 if schema == 1 else 1 << (bits - 1)

    def grams(self, norm: str) -> Grams:
        """Distinct n-grams of a normalised text (its first 20,000 characters)."""
        text = norm[:_MAX_TEXT]
        if "@" in text or "." in text or any(c.isdigit() for c in text):
            text = blanked(text)
        text = " " + _NOT_WORD.sub(" ", text) + " "
        codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
        inside = codes != 32
        edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
        starts, ends = edges[::2], edges[1::2]
        if not len(starts):
            empty = np.zeros(0, dtype=np.int64)
            return Grams(empty, empty, empty, empty)
        with np.errstate(over="ignore"):
            prefix = np.concatenate([[np.uint64(0)], self._prefix(codes)])
            parts = [self._words(prefix, starts, ends)]
            parts += [self._chars(prefix, inside, n) for n in _CHAR_GRAMS]
        hashes = np.concatenate([p[0] for p in parts])
        first = np.concatenate([p[1] for p in parts])
        buckets = (hashes >> self._shift).astype(np.int64)
        buckets[len(parts[0][0]) :] += self._chars_from
        unique, index = np.unique(buckets, return_index=True)
        at = first[index]
        words = np.searchsorted(starts, at + ~inside[at], side="right") - 1
        # Back from the padded text to the normalised one.
        return Grams(unique, words, starts - 1, ends - 1)

    @staticmethod
    def _prefix(codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
        """Running sums of ``code * base**i``: the hash of any stretch is a difference of two, scaled to one power."""
        return np.cumsum(codes.astype(np.uint64) * _POWERS[: len(codes)], dtype=np.uint64)

    @staticmethod
    def _stretch(prefix: npt.NDArray[np.uint64], starts: IntArray, ends: IntArray) -> npt.NDArray[np.uint64]:
        # Multiplied up to the highest power, so that a word hashes alike wherever it stands.
        value = (prefix[ends] - prefix[starts]) * _POWERS[_MAX_TEXT + 4 - starts]
        return np.asarray(value, dtype=np.uint64)

    def _words(self, prefix: npt.NDArray[np.uint64], starts: IntArray, ends: IntArray) -> tuple[npt.NDArray[np.uint64], IntArray]:
        one = self._stretch(prefix, starts, ends) * _MIX
        one ^= one >> np.uint64(29)
        two = (one[:-1] * _BASE + one[1:] + np.uint64(7)) * _MIX
        return np.concatenate([one * _MIX, two]), np.concatenate([starts, starts[:-1]]).astype(np.int64)

    def _chars(
        self, prefix: npt.NDArray[np.uint64], inside: npt.NDArray[np.bool_], n: int
    ) -> tuple[npt.NDArray[np.uint64], IntArray]:
        """n-grams that lie in one word with at most the blank before and the blank after it."""
        size = len(inside)
        if size < n:
            return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
        count = np.concatenate([[0], np.cumsum(inside)])
        at = np.arange(size - n + 1)
        core = count[at + n - 1] - count[at + 1]
        keep = np.flatnonzero(core == n - 2).astype(np.int64)
        keep = keep[(inside[keep] | inside[keep + n - 1])]
        hashes = self._stretch(prefix, keep, keep + n) * _MIX
        hashes ^= hashes >> np.uint64(31)
        return (hashes + np.uint64(n)) * _MIX, keep


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
