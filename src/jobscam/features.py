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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from jobscam.indicators import Document, IndicatorReader
from jobscam.knowledge import Knowledge
from jobscam.posting import METADATA_FIELDS, Posting
from jobscam.text.signs import sign_table
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
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
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
    same : ndarray of shape (n_words,)
        Index of the first word with the same letters.
    letters : bytes
        The words themselves, as they stand in the normalised text, with blanks between them.
    """

    buckets: IntArray
    words: IntArray
    starts: IntArray
    ends: IntArray
    same: IntArray
    letters: bytes


def _powers(n: int) -> npt.NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        return np.cumprod(np.concatenate([[np.uint64(1)], np.full(n, _BASE, dtype=np.uint64)]), dtype=np.uint64)


_POWERS = _powers(_MAX_TEXT + 8)
_CHAR_POWERS = _POWERS[_MAX_TEXT + 4 : _MAX_TEXT + 4 + max(_CHAR_GRAMS)]


def blanked(norm: str, mark: str = " ") -> str:
    """A normalised text with contacts overwritten by `mark` and digits folded; nothing moves.

    Examples
    --------
    >>> blanked("wa 0812-0000-0000 gaji 12jt")
    'wa                gaji 00jt'
    """
    return _BLANKED.sub(lambda m: mark * len(m[0]), norm).translate(_DIGITS)


# What a contact cannot be without: a digit, an at sign, a point before one of the letters that domains begin with.
_TRACES = sign_table("x", {" ": " ", "0": "0123456789", "@": "@", ".": ".", "c": "cinoemlg", "-": "-,()"})
_WORDS = bytes(c if 48 <= c <= 57 or 97 <= c <= 122 else 32 for c in range(256))
_FOLDED = bytes(ord("0") if 48 <= c <= 57 else c for c in range(256))
_LITERALS = (b"http", b"www.", b"contoh")
_SHORTEST_NUMBER = 6


def _contacts(text: str, raw: bytes) -> Iterator[tuple[int, int]]:
    """What :func:`blanked` overwrites, looked for only in the words that bear a trace of a contact.

    Every alternative of the pattern stays within one word, but for numbers, which go on as long as words begin with one
    of their characters.
    """
    for literal in _LITERALS:
        if literal in raw:
            raw = raw.replace(literal, b"@" + literal[1:])
    traces = raw.translate(_TRACES).replace(b".c", b"@c")
    size = len(traces)
    end = 0
    sure, digit = traces.find(b"@"), traces.find(b"0")
    while sure >= 0 or digit >= 0:
        at = digit if sure < 0 or 0 <= digit < sure else sure
        start = traces.rfind(b" ", end, at) + 1 or end
        end = traces.find(b" ", at) if at < size else -1
        while 0 <= end < size - 1 and traces[end + 1] in b" 0-.":
            end = traces.find(b" ", end + 1)
        end = size if end < 0 else end
        if 0 <= sure < end or end - start >= _SHORTEST_NUMBER:
            for match in _BLANKED.finditer(text, start, end):
                yield match.span()
        sure, digit = traces.find(b"@", end), traces.find(b"0", end)


def _letters(norm: str) -> bytes:
    """The words of a normalised text without contacts, a blank in place of every other character."""
    raw = norm.encode("ascii", "replace")
    if not norm.isascii() and any(map(str.isdigit, "".join(_NOT_ASCII.findall(norm)))):
        spans = [match.span() for match in _BLANKED.finditer(norm)]  # digits of other scripts leave no trace
    elif len(raw) != len(raw.translate(None, b"@.0123456789")):
        spans = list(_contacts(norm, raw))
    else:
        return raw.translate(_WORDS)
    left = bytearray(raw)
    for start, end in spans:
        left[start:end] = b" " * (end - start)
    return bytes(left.translate(_WORDS))


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
        self._chars_from = np.uint64(0 if schema == 1 else 1 << (bits - 1))

    def grams(self, norm: str) -> Grams:
        """Distinct n-grams of a normalised text (its first 20,000 characters)."""
        return self.grams_of([norm])[0]

    def grams_of(self, norms: Sequence[str]) -> list[Grams]:
        """Distinct n-grams of several texts, hashed in one pass over all of them: many texts cost little more than one.

        A word that comes again holds nothing new but its pairs, so each word of a text is taken apart once.
        """
        letters = [_letters(norm[:_MAX_TEXT]) for norm in norms]
        firsts: list[dict[bytes, int]] = []
        alike: list[int] = []
        for text in letters:
            words = text.split()
            first: dict[bytes, int] = {}
            alike += map(first.setdefault, words, range(len(alike), len(alike) + len(words)))
            firsts.append(first)
        bounds, starts, ends = _bounds(letters)
        own_bounds, own_starts, own_ends, codes, inside, offsets = _laid_out(firsts)
        # The word a place belongs to; a blank belongs to the word behind it.
        word = np.zeros(len(codes), dtype=np.int64)
        word[own_ends] = 1
        word = np.cumsum(word)
        numbers = np.array([place for first in firsts for place in first.values()], dtype=np.int64)
        same = np.array(alike, dtype=np.int64)
        with np.errstate(over="ignore"):
            ones = self._words(codes, offsets, own_bounds, own_starts, own_ends)
            twos = np.empty(len(same), dtype=np.uint64)
            twos[numbers] = ones
            twos = twos[same]
            twos = (twos[:-1] * _BASE + twos[1:] + np.uint64(7)) * _MIX
            chars = self._chars(codes, inside)
            # Each kind of n-gram: buckets, words, and where the n-grams of each text begin and end.
            kinds = [
                (ones * _MIX >> self._shift, numbers, own_bounds[:-1], own_bounds[1:]),
                (twos >> self._shift, np.arange(len(twos)), bounds[:-1], [max(end - 1, 0) for end in bounds[1:]]),
            ]
            for found, place in chars:
                cut = np.searchsorted(place, offsets).tolist()
                kinds.append(((found >> self._shift) + self._chars_from, numbers[word[place]], cut[:-1], cut[1:]))
        out = []
        for i, text in enumerate(letters):
            low, high = bounds[i], bounds[i + 1]
            buckets, index = _first_seen(np.concatenate([found[begin[i] : end[i]] for found, _, begin, end in kinds]), self.bits)
            words_of = np.concatenate([of[begin[i] : end[i]] for _, of, begin, end in kinds])[index]
            out.append(Grams(buckets, words_of - low, starts[low:high], ends[low:high], same[low:high] - low, text))
        return out

    @staticmethod
    def _words(
        codes: npt.NDArray[np.uint8], offsets: list[int], bounds: list[int], starts: IntArray, ends: IntArray
    ) -> npt.NDArray[np.uint64]:
        """Hashes of single words, from which those of pairs of neighbours are made."""
        # Running sums of ``code * base**i``: the hash of a word is a difference of two, multiplied up to the highest
        # power, so that a word hashes alike wherever it stands.
        powers = np.concatenate([_POWERS[: high - low] for low, high in pairwise(offsets)])
        prefix = np.cumsum(codes * powers, dtype=np.uint64)
        places = starts - np.repeat(offsets[:-1], np.diff(bounds))
        one: npt.NDArray[np.uint64] = (prefix[ends - 1] - prefix[starts - 1]) * _POWERS[_MAX_TEXT + 4 - places]
        one *= _MIX
        one ^= one >> np.uint64(29)
        return one

    @staticmethod
    def _chars(codes: npt.NDArray[np.uint8], inside: npt.NDArray[np.bool_]) -> list[tuple[npt.NDArray[np.uint64], IntArray]]:
        """Hashes and places of the n-grams that lie in one word with at most the blank before and the blank after it."""
        wide = codes.astype(np.uint64)
        size = len(codes)
        out: list[tuple[npt.NDArray[np.uint64], IntArray]] = []
        total = wide[: size - 1] * _CHAR_POWERS[0] + wide[1:] * _CHAR_POWERS[1]
        core = inside[1:]  # whether all but the first and the last character belong to a word
        for n in _CHAR_GRAMS:
            last = size - n + 1
            if last < 1:
                break
            total = total[:last] + wide[n - 1 :] * _CHAR_POWERS[n - 1]
            core = core[:last] & inside[n - 2 : size - 1]
            keep = (core & (inside[:last] | inside[n - 1 :])).nonzero()[0]
            found = total[keep] * _MIX
            found ^= found >> np.uint64(31)
            out.append(((found + np.uint64(n)) * _MIX, keep))
        return out


def _bounds(letters: Sequence[bytes]) -> tuple[list[int], IntArray, IntArray]:
    """Where the words of each text begin in the list of all words, and where each word starts and ends in its own text."""
    raw = np.frombuffer(b"".join(b" %b " % text for text in letters), dtype=np.uint8)
    offsets = list(accumulate((len(text) + 2 for text in letters), initial=0))
    starts, ends = _edges(raw != 32)
    bounds = np.searchsorted(starts, offsets)
    before = np.repeat(offsets[:-1], np.diff(bounds)) + 1
    return bounds.tolist(), starts - before, ends - before


def _laid_out(
    firsts: Sequence[Mapping[bytes, int]],
) -> tuple[list[int], IntArray, IntArray, npt.NDArray[np.uint8], npt.NDArray[np.bool_], list[int]]:
    """The distinct words of each text side by side, digits folded.

    Returns where the words of each text begin in the list of all words, where each starts and ends in what is laid out,
    its codes, whether they belong to words, and where each text begins.
    """
    # Two blanks stand between texts, so that no n-gram reaches from one into the next.
    laid = [b" %b " % b" ".join(first) for first in firsts]
    codes = np.frombuffer(b"".join(laid).translate(_FOLDED), dtype=np.uint8)
    inside = codes != 32
    starts, ends = _edges(inside)
    bounds = list(accumulate(map(len, firsts), initial=0))
    return bounds, starts, ends, codes, inside, list(accumulate(map(len, laid), initial=0))


def _edges(inside: npt.NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    edges = (inside[1:] != inside[:-1]).nonzero()[0] + 1
    return edges[::2], edges[1::2]


def _first_seen(buckets: npt.NDArray[np.uint64], bits: int) -> tuple[IntArray, IntArray]:
    """Distinct buckets in order, and where each was seen first.

    What ``np.unique(return_index=True)`` gives: bucket and place are sorted as one number, which is much faster.
    """
    room = len(buckets).bit_length()
    keys: npt.NDArray[Any] = buckets.astype(np.uint32 if bits + room <= 32 else np.uint64)
    keys <<= keys.dtype.type(room)
    keys |= np.arange(len(buckets), dtype=keys.dtype)
    keys.sort()
    found = keys >> keys.dtype.type(room)
    new = np.empty(len(keys), dtype=np.bool_)
    new[:1] = True
    np.not_equal(found[1:], found[:-1], out=new[1:])
    kept = keys[new]
    index = kept & keys.dtype.type((1 << room) - 1)
    kept >>= keys.dtype.type(room)
    return kept.astype(np.int64), index.astype(np.int64)


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
