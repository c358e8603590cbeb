"""One pass over a text for any number of words and phrases (Aho-Corasick), with word bounds checked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Generic, NamedTuple, TypeVar

from ahocorasick_rs import AhoCorasick, MatchKind

T = TypeVar("T")

# Indonesian clitics may follow the last word of a phrase: gajinya, berangkatlah.
_CLITIC_END = re.compile(r"(?:nya|lah|kah|pun|ku|mu)?(?![a-z0-9])")
_PLAIN_END = re.compile(r"(?![a-z0-9])")
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
    """

    def __init__(self, patterns: Iterable[tuple[str, T]], *, clitics: bool = True) -> None:
        self._payloads: dict[str, list[T]] = {}
        for pattern, payload in patterns:
            if pattern:
                self._payloads.setdefault(pattern, []).append(payload)
        self._patterns = sorted(self._payloads)
        # A word bound is asked for only where the pattern's own edge is a Latin letter or digit: 柬埔寨, 🇰🇭 and $ have none.
        self._bound_before = [_is_word(p[0]) for p in self._patterns]
        self._bound_after = [_is_word(p[-1]) for p in self._patterns]
        self._automaton = AhoCorasick(self._patterns, matchkind=MatchKind.Standard) if self._patterns else None
        self._end = _CLITIC_END if clitics else _PLAIN_END

    def find(self, text: str) -> list[Hit[T]]:
        """All hits, by start, then the longer first."""
        if self._automaton is None or not text:
            return []
        hits: list[Hit[T]] = []
        match_end = self._end.match
        for index, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            if self._bound_before[index] and start and _is_word(text[start - 1]):
                continue
            if self._bound_after[index]:
                tail = match_end(text, end)
                if tail is None:
                    continue
                end = tail.end()
            hits.extend(Hit(start, end, payload) for payload in self._payloads[self._patterns[index]])
            if len(hits) >= MAX_HITS:
                break
        hits.sort(key=lambda h: (h.start, -h.end))
        return hits

    def find_longest(self, text: str) -> list[Hit[T]]:
        """Hits that do not overlap: the leftmost, and of those the longest."""
        kept: list[Hit[T]] = []
        for hit in self.find(text):
            if not kept or hit.start >= kept[-1].end or (hit.start, hit.end) == kept[-1][:2]:
                kept.append(hit)
        return kept


def _is_word(char: str) -> bool:
    return "a" <= char <= "z" or "0" <= char <= "9"


def any_of(words: Iterable[str]) -> str:
    """Source of a regular expression that matches any of the words, the longest first; of none, nothing."""
    return "|".join(re.escape(w) for w in sorted(set(words), key=lambda w: (-len(w), w))) or "(?!)"
