"""Groups of nearly equal texts: candidates by banded signatures, verified, joined without drifting."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from jobscam.campaigns.shingles import PERMUTATIONS, Hashes, Signatures, shingles, signatures

BANDS, ROWS = 32, 4
"""Texts that agree in all four numbers of one of 32 bands are candidates: 99 of 100 pairs at similarity 0.6."""
ALIKE = 0.6
"""Jaccard similarity of the shingles from which two texts are near-duplicates."""
KIN = 0.3
"""Least similarity of the heads of two groups that are to be joined: a chain of small steps must not go astray."""

_ERROR = 0.044 * PERMUTATIONS
"""Standard error of the equal numbers in two signatures. Where they lie between two errors below the threshold and three
above it, the shingles themselves are compared. Three, because a crowd of ads just below it has millions of tries."""
_NEIGHBOURS = 16
_EXACT = 8
"""Times a text's shingles are compared at most; then it joins only what is surely alike. Thousands of ads that share most
of a portal's boilerplate all lie close to the threshold, and comparing each with each would never end."""
_PAIRS = 1 << 16

IntArray = npt.NDArray[np.int64]


class Groups:
    """Union-find over numbers 0 to n-1; the group's name is its smallest member."""

    def __init__(self, size: int) -> None:
        self._parent = array("q", range(size))
        self._view: IntArray = np.frombuffer(self._parent, dtype=np.int64) if size else np.zeros(0, dtype=np.int64)

    def find(self, i: int) -> int:
        """Name of the group of one member."""
        parent = self._parent
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def find_all(self, members: IntArray) -> IntArray:
        """Names of the groups of many members."""
        found = self._view[members]
        while True:
            above = self._view[found]
            if np.array_equal(above, found):
                return found
            found = above

    def join(self, a: int, b: int) -> None:
        """Make one group of two, given by name."""
        self._parent[max(a, b)] = min(a, b)


def near_duplicates(keys: Sequence[str], threshold: float = ALIKE) -> Groups:
    """Groups of texts that are nearly equal.

    Parameters
    ----------
    keys : sequence of str
        Distinct folded texts with at least one shingle, in an order that depends on nothing but the texts.
    threshold : float
        Jaccard similarity of shingles.

    Returns
    -------
    Groups
    """
    groups = Groups(len(keys))
    if len(keys) < 2:
        return groups
    sketches = signatures(keys)
    joiner = _Joiner(keys, sketches, groups, threshold)
    for band in range(BANDS):
        for left, right in _candidates(sketches, band):
            joiner.offer(left, right)
    return groups


def _candidates(sketches: Signatures, band: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Pairs that agree in a band.

    In a crowd only neighbours are paired, those that also agree in the next band first, and all with the first one:
    every member meets some of its like in one of the bands, and the work does not grow with the square of the crowd.
    """
    named, beside = _names(sketches, band), _names(sketches, (band + 1) % BANDS)
    order = np.lexsort((beside, named))
    named = named[order]
    same = named[1:] == named[:-1]
    crowded = np.concatenate([same, [False]]) | np.concatenate([[False], same])
    order, named = order[crowded], named[crowded]
    for step in range(1, min(_NEIGHBOURS, len(named) - 1) + 1):
        at = np.flatnonzero(named[step:] == named[:-step])
        if not len(at):
            return
        yield order[at], order[at + step]
    starts = np.flatnonzero(np.concatenate([[True], named[1:] != named[:-1]])) if len(named) else np.zeros(0, dtype=np.int64)
    sizes = np.diff(np.concatenate([starts, [len(named)]]))
    first = np.repeat(starts, sizes)
    far = np.flatnonzero(np.arange(len(named)) - first > _NEIGHBOURS)
    if len(far):
        yield order[first[far]], order[far]


def _names(sketches: Signatures, band: int) -> npt.NDArray[np.uint64]:
    name = np.zeros(len(sketches), dtype=np.uint64)
    for column in range(band * ROWS, band * ROWS + ROWS):
        name = (name ^ sketches[:, column]) * np.uint64(0x9E3779B97F4A7C15)
        name ^= name >> np.uint64(32)
    return name


class _Joiner:
    """Verifies candidate pairs and joins their groups."""

    def __init__(self, keys: Sequence[str], sketches: Signatures, groups: Groups, threshold: float) -> None:
        self._keys = keys
        self._sketches = sketches
        self._groups = groups
        self._threshold = threshold
        self._shingles = lru_cache(maxsize=4096)(self._read)
        self._compared: Counter[int] = Counter()
        # Size and head of groups with more than one member.
        self._sizes: dict[int, int] = {}
        self._heads: dict[int, int] = {}

    def offer(self, left: IntArray, right: IntArray) -> None:
        """Join what is alike among pairs of texts."""
        apart = self._groups.find_all(left) != self._groups.find_all(right)
        left, right = left[apart], right[apart]
        for first in range(0, len(left), _PAIRS):
            self._offer(left[first : first + _PAIRS], right[first : first + _PAIRS])

    def _offer(self, left: IntArray, right: IntArray) -> None:
        equal = np.count_nonzero(self._sketches[left] == self._sketches[right], axis=1)
        near = self._threshold * PERMUTATIONS
        keep = equal >= near - 2 * _ERROR
        left, right, equal = np.minimum(left, right)[keep], np.maximum(left, right)[keep], equal[keep]
        for at in np.lexsort((right, left, -equal)).tolist():
            one, other = int(left[at]), int(right[at])
            a, b = self._groups.find(one), self._groups.find(other)
            if a != b and self._are_kin(a, b) and self._are_alike(one, other, float(equal[at]) - near):
                self._join(a, b)

    def _are_kin(self, a: int, b: int) -> bool:
        if a not in self._sizes and b not in self._sizes:
            return True
        one, other = self._heads.get(a, a), self._heads.get(b, b)
        return bool(np.count_nonzero(self._sketches[one] == self._sketches[other]) >= KIN * PERMUTATIONS)

    def _are_alike(self, one: int, other: int, above: float) -> bool:
        """Whether two texts are near-duplicates, `above` being how far the estimate lies above the threshold."""
        if above >= 3 * _ERROR:
            return True
        if max(self._compared[one], self._compared[other]) >= _EXACT:
            return False
        self._compared[one] += 1
        self._compared[other] += 1
        first, second = self._shingles(one), self._shingles(other)
        shared = len(np.intersect1d(first, second, assume_unique=True))
        return shared >= self._threshold * (len(first) + len(second) - shared)

    def _read(self, i: int) -> Hashes:
        return shingles(self._keys[i])

    def _join(self, a: int, b: int) -> None:
        """The larger group keeps its head: it is nearer to the middle of what was joined."""
        larger = min((a, b), key=lambda g: (-self._sizes.get(g, 1), g))
        name, size = min(a, b), self._sizes.get(a, 1) + self._sizes.get(b, 1)
        head = self._heads.get(larger, larger)
        self._groups.join(a, b)
        self._sizes[name], self._heads[name] = size, head
