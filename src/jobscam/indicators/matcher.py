"""One pass over a text for any number of words and phrases (Aho-Corasick), with word bounds checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from ahocorasick_rs import AhoCorasick, MatchKind

T = TypeVar("T")

# Indonesian clitics may follow the last word of a phrase: gajinya, berangkatlah.
_CLITIC_END = re.compile(r"(?:nya|lah|kah|pun|ku|mu)(?![a-z0-9])")
_CLITIC_BEGINS = "nlkpm"
_IN_WORD = bytes(48 <= c <= 57 or 97 <= c <= 122 for c in range(256))
MAX_HITS = 20_000
"""Bound on hits kept a text: a text made of nothing but phrases stays linear in cost and memory."""


class Hit(NamedTuple, Generic[T]):
    """A pattern found at ``[start, end)``, with what it stands for."""

    start: int
    end: int
    payload: T


class Matcher(Generic[T]):
    """Finds patterns on whole words, in order of reading.

    Parameters
    ----------
    patterns : iterable of (str, payload)
        A pattern may be given several times with different payloads.
    clitics : bool
        Accept the Indonesian clitics after the last word.
    strict : bool
        Ask for word bounds at the edges of every pattern, whatever it begins and ends with.
    """

    def __init__(self, patterns: Iterable[tuple[str, T]], *, clitics: bool = True, strict: bool = False) -> None:
        self._payloads: dict[str, list[T]] = {}
        for pattern, payload in patterns:
            if pattern:
                self._payloads.setdefault(pattern, []).append(payload)
        self._patterns = sorted(self._payloads)
        self.payloads = [self._payloads[p] for p in self._patterns]
        # A word bound is asked for only where the pattern's own edge is a Latin letter or digit: 柬埔寨, 🇰🇭 and $ have none.
        self._bound_before = [strict or _is_word(p[0]) for p in self._patterns]
        self._bound_after = [strict or _is_word(p[-1]) for p in self._patterns]
        self._automaton = AhoCorasick(self._patterns, matchkind=MatchKind.Standard) if self._patterns else None
        self._end = _CLITIC_END if clitics else None

    def spans(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Number of the pattern, start and end of every hit on whole words, by where the pattern ends."""
        if self._automaton is None or not text:
            return
        before, after, clitic = self._bound_before, self._bound_after, self._end
        # Whether a word goes on, for every character: the one before position i is at i, the one at i is at i + 1.
        word = b"\0%b\0" % text.encode("ascii", "replace").translate(_IN_WORD)
        for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if word[start] and before[index]:
                continue
            if word[end + 1] and after[index]:
                tail = clitic.match(text, end) if clitic is not None and text[end] in _CLITIC_BEGINS else None
                if tail is None:
                    continue
                end = tail.end()
            yield index, start, end

    def find(self, text: str) -> list[Hit[T]]:
        """All hits, by start, then the longer first."""
        hits: list[Hit[T]] = []
        for index, start, end in self.spans(text):
            hits += [Hit(start, end, payload) for payload in self.payloads[index]]
            if len(hits) >= MAX_HITS:
                break
        hits.sort(key=_reading_order)
        return hits

    def find_longest(self, text: str) -> list[Hit[T]]:
        """Hits that do not overlap: the leftmost, and of those the longest."""
        kept: list[Hit[T]] = []
        for hit in self.find(text):
            if not kept or hit.start >= kept[-1].end or (hit.start, hit.end) == kept[-1][:2]:
                kept.append(hit)
        return kept


def _reading_order(hit: Hit[T]) -> tuple[int, int]:
    return hit.start, -hit.end


def _is_word(char: str) -> bool:
    return "a" <= char <= "z" or "0" <= char <= "9"


def any_of(words: Iterable[str]) -> str:
    """Source of a regular expression that matches any of the words, the longest first; of none, nothing."""
    return "|".join(re.escape(w) for w in sorted(set(words), key=lambda w: (-len(w), w))) or "(?!)"


def whole_words(words: Iterable[str], letters: str = "a-z") -> str:
    """Source of a regular expression like :func:`any_of` that none of the letters stands before.

    The first letter is named before the look behind it, so that a search runs from one such letter to the next.
    """
    by_first: dict[str, list[str]] = {}
    for word in sorted(set(words), key=lambda w: (-len(w), w)):
        by_first.setdefault(re.escape(word[0]), []).append(re.escape(word[1:]))
    return "|".join(rf"{c}(?<![{letters}]{c})(?:{'|'.join(by_first[c])})" for c in sorted(by_first)) or "(?!)"
