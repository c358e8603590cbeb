"""Words and subwords of a normalised text, hashed into buckets; contacts are no words, and figures are all alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from jobscam.text.signs import sign_table

_LONG_NUMBER = r"\+?\d[\d\-.,() ]{4,24}\d"
_BLANKED = re.compile(
    r"[^\s@]{0,64}@\S{0,64}|https?:\S{1,200}|www\.\S{1,200}"
    r"|[^\s.]{1,60}\.(?:[^\s.]{1,60}\.){0,3}(?:com|co|id|net|org|example|me|ly|gle|link)(?![a-z])\S{0,100}"
    rf"|{_LONG_NUMBER}|(?<![a-z])contoh\S{{0,40}}"
)
_BLANKED_NUMBER = re.compile(_LONG_NUMBER)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_DIGITS = str.maketrans("123456789", "000000000")
_BASE = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_CHAR_GRAMS = (3, 4, 5)
_MAX_TEXT = 20_000
_BLANK = 32
_KIND_BITS = 3
"""Bits for the kind of an n-gram: 0 a word, 1 two words, else the length of a subword."""
_PAIR = np.uint64(1)
_MOST_GRAMS = 2_000_000

IntArray = npt.NDArray[np.int64]


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
_TOP = _POWERS[_MAX_TEXT + 4]


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
        if 0 <= sure < end:
            yield from (match.span() for match in _BLANKED.finditer(text, start, end))
        elif end - start >= _SHORTEST_NUMBER:
            yield from (match.span() for match in _BLANKED_NUMBER.finditer(text, start, end))
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

    def __init__(self, bits: int, schema: int) -> None:
        self.bits = bits
        self.schema = schema
        self._vocabulary = _Vocabulary(np.uint64(64 - bits + schema - 1), 0 if schema == 1 else 1 << (bits - 1))
        self._lock = Lock()  # texts may be scored in several threads

    def __reduce__(self) -> tuple[type[TextHasher], tuple[int, int]]:
        return TextHasher, (self.bits, self.schema)

    def grams(self, norm: str) -> Grams:
        """Distinct n-grams of a normalised text (its first 20,000 characters)."""
        return self.grams_of([norm])[0]

    def grams_of(self, norms: Sequence[str]) -> list[Grams]:
        """Distinct n-grams of several texts; those of the words are looked up for all of them at once."""
        letters = [_letters(norm[:_MAX_TEXT]) for norm in norms]
        laid = b"".join(b" %b " % text for text in letters)
        offsets = list(accumulate((len(text) + 2 for text in letters), initial=0))
        starts, ends = _edges(np.frombuffer(laid, dtype=np.uint8) != _BLANK)
        cuts = np.searchsorted(starts, offsets)
        bounds: list[int] = cuts.tolist()
        counts = np.diff(cuts)
        at = np.arange(len(starts)) - np.repeat(cuts[:-1], counts)
        with self._lock:
            words = self._vocabulary.numbers(laid.translate(_FOLDED).split())
            same = _firsts(words, bounds)
            own = (same == at).nonzero()[0]
            grams, sizes = self._vocabulary.grams(words[own])
            pairs = self._vocabulary.pairs(words)
            figures = self._vocabulary.figures(words)
        # Bucket, kind of n-gram and place in one number: sorted, the first of each bucket is the one that counts.
        room = max(map(int, counts), default=0).bit_length()
        whole: Any = np.uint32 if self.bits + _KIND_BITS + room <= 32 else np.uint64
        singles = grams.astype(whole) << whole(room) | np.repeat(at[own], sizes).astype(whole)
        pairs = pairs.astype(whole) << whole(room) | at[:-1].astype(whole)
        single_bounds = np.append(0, np.cumsum(sizes))[np.searchsorted(own, bounds)].tolist()
        _told_apart(same, figures, laid, starts, ends, bounds)
        before = np.repeat(offsets[:-1], counts) + 1
        starts, ends = starts - before, ends - before
        parts: list[npt.NDArray[Any]] = []
        for i in range(len(letters)):
            parts.append(singles[single_bounds[i] : single_bounds[i + 1]])
            parts.append(pairs[bounds[i] : max(bounds[i], bounds[i + 1] - 1)])
        buckets, places, ends_of = _first_of_each(
            np.concatenate(parts), [len(a) + len(b) for a, b in zip(parts[::2], parts[1::2])], room
        )
        out = []
        for i, text in enumerate(letters):
            low, high = bounds[i], bounds[i + 1]
            own_grams = slice(ends_of[i], ends_of[i + 1])
            out.append(Grams(buckets[own_grams], places[own_grams], starts[low:high], ends[low:high], same[low:high], text))
        return out


class _Vocabulary:
    """N-grams of single words, worked out when a word is first seen: most words of an ad stood in another one before.

    A number stands for a word with its figures folded. When the n-grams of more words are kept than ads use again, all are
    forgotten, which changes nothing but the time.
    """

    def __init__(self, shift: np.uint64, chars_from: int) -> None:
        self._shift = shift
        self._chars_from = np.uint64(chars_from)
        self._forget()

    def _forget(self) -> None:
        self._known = _Numbers()
        self._hashes = np.empty(0, dtype=np.uint64)
        self._figures = np.empty(0, dtype=np.bool_)
        self._starts = np.empty(0, dtype=np.int64)
        self._sizes = np.empty(0, dtype=np.int64)
        self._grams = np.empty(0, dtype=np.uint32)
        self._used = 0

    def numbers(self, words: Sequence[bytes]) -> IntArray:
        """A number for each word; holds until the next call."""
        if self._used > _MOST_GRAMS:
            self._forget()
        known = self._known
        found = np.fromiter(map(known.__getitem__, words), dtype=np.int64, count=len(words))
        if known.new:
            self._learn(known.new)
            known.new = []
        return found

    def figures(self, numbers: IntArray) -> npt.NDArray[np.bool_]:
        """Whether words hold figures."""
        return self._figures[numbers]

    def grams(self, numbers: IntArray) -> tuple[npt.NDArray[np.uint32], IntArray]:
        """Bucket and kind of the n-grams of words, one word behind the other, and how many each has."""
        sizes = self._sizes[numbers]
        ends = np.cumsum(sizes)
        places = np.repeat(self._starts[numbers] - ends + sizes, sizes)
        places += np.arange(len(places))
        return self._grams[places], sizes

    def pairs(self, numbers: IntArray) -> npt.NDArray[np.uint64]:
        """Bucket and kind of each two words that follow each other."""
        hashes = self._hashes[numbers]
        with np.errstate(over="ignore"):
            return ((hashes[:-1] * _BASE + hashes[1:] + np.uint64(7)) * _MIX >> self._shift) << np.uint64(_KIND_BITS) | _PAIR

    def _learn(self, words: Sequence[bytes]) -> None:
        """Hash the words that come next in the order of their numbers."""
        laid = b" %b " % b" ".join(words)
        codes = np.frombuffer(laid, dtype=np.uint8)
        inside = codes != _BLANK
        starts, ends = _edges(inside)
        firsts = np.cumsum(ends - starts) - (ends - starts)
        word = np.zeros(len(codes), dtype=np.int64)  # a blank belongs to the word behind it
        word[ends] = 1
        word = np.cumsum(word)
        with np.errstate(over="ignore"):
            letters = codes[inside]
            hashes = np.add.reduceat(letters * _POWERS[np.arange(len(letters)) - np.repeat(firsts, ends - starts)], firsts)
            hashes *= _TOP * _MIX
            hashes ^= hashes >> np.uint64(29)
            kinds = [(0, hashes * _MIX >> self._shift, np.arange(len(words)))]
            for n, values, at in _subwords(codes, inside):
                kinds.append((n, (values >> self._shift) + self._chars_from, word[at]))
        owner = np.concatenate([of for _, _, of in kinds])
        grams = np.concatenate([found << np.uint64(_KIND_BITS) | np.uint64(kind) for kind, found, _ in kinds])
        sizes = np.bincount(owner, minlength=len(words))
        count = len(self._known) - len(words)
        self._hashes = _behind(self._hashes, count, hashes)
        self._figures = _behind(self._figures, count, [b"0" in w for w in words])
        self._sizes = _behind(self._sizes, count, sizes)
        self._starts = _behind(self._starts, count, self._used + np.cumsum(sizes) - sizes)
        self._grams = _behind(self._grams, self._used, grams[owner.argsort(kind="stable")])
        self._used += len(grams)


class _Numbers(dict[bytes, int]):
    """Numbers words in the order in which they are asked for.

    Attributes
    ----------
    new : list of bytes
        Words that were numbered since this list was emptied.
    """

    def __init__(self) -> None:
        self.new: list[bytes] = []

    def __missing__(self, word: bytes) -> int:
        self[word] = number = len(self)
        self.new.append(word)
        return number


def _behind(kept: npt.NDArray[Any], count: int, more: npt.ArrayLike) -> npt.NDArray[Any]:
    """An array with more behind its first `count` values: itself while there is room, else one twice as large."""
    added = np.asarray(more, dtype=kept.dtype)
    end = count + len(added)
    if end > len(kept):
        kept = np.concatenate([kept[:count], np.empty(max(end, 2 * count) - count, dtype=kept.dtype)])
    kept[count:end] = added
    return kept


def _subwords(
    codes: npt.NDArray[np.uint8], inside: npt.NDArray[np.bool_]
) -> Iterator[tuple[int, npt.NDArray[np.uint64], IntArray]]:
    """Length, hashes and places of the n-grams that lie in one word with at most the blank before and the blank after it."""
    wide = codes.astype(np.uint64)
    size = len(codes)
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
        yield n, (found + np.uint64(n)) * _MIX, keep


def _firsts(numbers: IntArray, bounds: Sequence[int]) -> IntArray:
    """For each word, where it stands first in its text."""
    same = np.empty(len(numbers), dtype=np.int64)
    seen = np.empty(int(numbers.max(initial=0)) + 1, dtype=np.int64)
    for low, high in pairwise(bounds):
        own = numbers[low:high]
        seen[own[::-1]] = np.arange(high - low - 1, -1, -1)
        same[low:high] = seen[own]
    return same


def _told_apart(
    same: IntArray, figures: npt.NDArray[np.bool_], laid: bytes, starts: IntArray, ends: IntArray, bounds: Sequence[int]
) -> None:
    """Words whose figures differ are no longer the same."""
    marked = figures.nonzero()[0]
    texts = np.searchsorted(bounds, marked, side="right") - 1
    first: dict[tuple[int, bytes], int] = {}
    for i, text, start, end in zip(marked.tolist(), texts.tolist(), starts[marked].tolist(), ends[marked].tolist(), strict=True):
        same[i] = first.setdefault((text, laid[start:end]), i - bounds[text])


def _edges(inside: npt.NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    edges = (inside[1:] != inside[:-1]).nonzero()[0] + 1
    return edges[::2], edges[1::2]


def _first_of_each(keys: npt.NDArray[Any], sizes: Sequence[int], room: int) -> tuple[IntArray, IntArray, list[int]]:
    """Distinct buckets of each text in order, the place of the first n-gram in each, and where each text begins and ends.

    `keys` of `sizes` many for each text are sorted in place.
    """
    bounds = list(accumulate(sizes, initial=0))
    for low, high in pairwise(bounds):
        keys[low:high].sort()
    buckets = keys >> keys.dtype.type(_KIND_BITS + room)
    new = np.empty(len(keys), dtype=np.bool_)
    np.not_equal(buckets[1:], buckets[:-1], out=new[1:])
    new[[low for low, size in zip(bounds, sizes, strict=False) if size]] = True
    index = new.nonzero()[0]
    places = keys[index] & keys.dtype.type((1 << room) - 1)
    return buckets[index].astype(np.int64), places.astype(np.int64), np.searchsorted(index, bounds).tolist()
