"""What of an ad survives a repost: its letters, in runs of seven, sketched by MinHash.

Figures, contacts, emoji, line breaks and disguise change from repost to repost, so they are taken out before. Runs of
characters rather than of words, because a typo costs a word run far more of its neighbours (see ``docs/decisions.md``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from jobscam import knowledge
from jobscam.text import Normaliser

SHINGLE = 7
"""Characters a shingle."""
PERMUTATIONS = 128
"""Numbers a signature."""
SHORTEST = 20
"""Texts with fewer shingles say too little to be nearly alike; they are equal or not."""
LONGEST = 20_000
"""Characters of the folded text that are compared."""

_BATCH = 1 << 16
_ADDRESS = re.compile(r"[a-z0-9]\.[a-z]")
_NOT_LETTERS = re.compile(r"[\W\d_]+")
_SHORT = "="

Signatures = npt.NDArray[np.uint32]
Hashes = npt.NDArray[np.uint32]


@lru_cache(maxsize=1)
def shipped_normaliser() -> Normaliser:
    """Normaliser with the shipped knowledge, made once."""
    return Normaliser(knowledge.load())


def folded(norm: str) -> str:
    """What two reposts of an ad have in common, from its normalised text.

    Words with an at sign or a dot inside (addresses, links, accounts) and everything but letters are left out. A text
    too short to be compared comes back whole, behind a mark, so that it equals only itself.

    Examples
    --------
    >>> folded("dibutuhkan kasir toko gaji 3,5jt wa 0812-0000-1473 atau cv ke hrd@contoh.example")
    'dibutuhkan kasir toko gaji jt wa atau cv ke'
    >>> folded("wa 0812-0000-1473")
    '=wa 0812-0000-1473'
    """
    words = [w for w in norm.split() if not ("@" in w or "://" in w or ("." in w and _ADDRESS.search(w)))]
    letters = _NOT_LETTERS.sub(" ", " ".join(words)).strip()[:LONGEST]
    if len(letters) - SHINGLE + 1 < SHORTEST:
        return _SHORT + " ".join(norm.split())
    return letters


def comparable(key: str) -> bool:
    """Whether a folded text is long enough to be nearly like another."""
    return not key.startswith(_SHORT)


def shingles(key: str) -> Hashes:
    """Sorted distinct hashes of the shingles of a folded text."""
    return np.unique(_hashes(key))


def signatures(keys: Sequence[str]) -> Signatures:
    """MinHash signatures.

    Parameters
    ----------
    keys : sequence of str
        Folded texts, each with at least one shingle.

    Returns
    -------
    ndarray of shape (len(keys), 128), uint32
        The share of equal numbers in two rows estimates the Jaccard similarity of their shingles, with a standard
        error of at most 0.044.
    """
    out = np.empty((len(keys), PERMUTATIONS), dtype=np.uint32)
    first = 0
    while first < len(keys):
        last, size = first, 0
        # A batch stays in the cache of the processor, whatever the length of the ads.
        while last < len(keys) and (last == first or size + len(keys[last]) <= _BATCH):
            size += len(keys[last])
            last += 1
        _sketch(keys[first:last], out[first:last])
        first = last
    return out


def _sketch(keys: Sequence[str], out: Signatures) -> None:
    lengths = np.fromiter((len(k) for k in keys), dtype=np.int64, count=len(keys))
    hashes = _hashes("".join(keys))
    ends = np.cumsum(lengths)
    # Shingles that reach into the next text are dropped.
    inside = np.ones(len(hashes), dtype=bool)
    for back in range(1, SHINGLE):
        inside[ends[:-1] - back] = False
    hashes = hashes[inside]
    counts = lengths - SHINGLE + 1
    starts = np.cumsum(counts) - counts
    row = np.empty_like(hashes)
    for column, (factor, shift) in enumerate(zip(_FACTORS, _SHIFTS)):
        np.multiply(hashes, factor, out=row)
        row += shift
        out[:, column] = np.minimum.reduceat(row, starts)


def _hashes(text: str) -> Hashes:
    """Hash of every run of seven characters."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    n = len(codes) - SHINGLE + 1
    value = np.zeros(n, dtype=np.uint32)
    for i in range(SHINGLE):
        value *= _BASE
        value += codes[i : i + n]
    # Mixed (the finaliser of MurmurHash3), so that the upper bits depend on all of them.
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        value ^= value >> np.uint32(shift)
        value *= np.uint32(factor)
    value ^= value >> np.uint32(16)
    return value


def _stream(count: int) -> list[int]:
    """A fixed stream of numbers (splitmix64): campaigns must not change with the version of numpy."""
    out, state = [], 0x6A6F62736361
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        out.append((z ^ (z >> 31)) % 2**32)
    return out


_BASE = np.uint32(0x01000193)
_NUMBERS = _stream(2 * PERMUTATIONS)
_FACTORS = np.array([n | 1 for n in _NUMBERS[:PERMUTATIONS]], dtype=np.uint32)
_SHIFTS = np.array(_NUMBERS[PERMUTATIONS:], dtype=np.uint32)
