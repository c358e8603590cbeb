"""One pass over a text for any number of words and phrases (Aho-Corasick), with word bounds checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

from ahocorasick_rs import AhoCorasick, BytesAhoCorasick, MatchKind

T = TypeVar("T")

# Indonesian clitics may follow the last word of a phrase: gajinya, berangkatlah.
_CLITICS = ("", "nya", "lah", "kah", "pun", "ku", "mu")
_CLITIC_END = re.compile(r"(?:nya|lah|kah|pun|ku|mu)?(?![a-z0-9])")
_PLAIN_END = re.compile(r"(?![a-z0-9])")
_SINGLE = re.compile(r"[a-z0-9]+")
_LETTERS = bytes(c if 48 <= c <= 57 or 97 <= c <= 122 else 32 for c in range(256))
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
        tails = _CLITICS if clitics else ("",)
        whole: dict[bytes, list[tuple[int, int, str]]] = {}
        self._loose: list[int] = []
        for i, pattern in enumerate(self._patterns):
            if not (pattern.isascii() and _is_word(pattern[0])):
                self._loose.append(i)
                continue
            key = b" " + pattern.encode().translate(_LETTERS)
            told = "" if _SINGLE.fullmatch(pattern) else pattern
            if not (strict or _is_word(pattern[-1])):
                whole.setdefault(key, []).append((i, len(pattern), told))
                continue
            for tail in tails:
                found = whole.setdefault(b"%b%b " % (key, tail.encode()), [])
                found.append((i, len(pattern) + len(tail), told))
        self._whole = list(whole.values())
        self._automaton = BytesAhoCorasick(list(whole), matchkind=MatchKind.Standard) if whole else None
        self._bound_before = [strict or _is_word(p[0]) for p in self._patterns]
        self._bound_after = [strict or _is_word(p[-1]) for p in self._patterns]
        loose = [self._patterns[i] for i in self._loose]
        self._loose_automaton = AhoCorasick(loose, matchkind=MatchKind.Standard) if loose else None
        # Without one of these characters a text holds none of the loose patterns.
        self._loose_begins = frozenset(p[0] for p in loose)
        self._end = _CLITIC_END if clitics else _PLAIN_END

    def spans(self, text: str) -> list[tuple[int, int, int]]:
        """Number of the pattern, start and end of every hit on whole words."""
        out: list[tuple[int, int, int]] = []
        if self._automaton is not None:
            # Words between blanks, so that word bounds and clitics are part of what is looked for. What stands between
            # the words of a pattern is compared afterwards.
            letters = b" %b " % text.encode("ascii", "replace").translate(_LETTERS)
            whole = self._whole
            for key, start, _ in self._automaton.find_matches_as_indexes(letters, overlapping=True):
                for index, size, told in whole[key]:
                    if not told or text.startswith(told, start):
                        out.append((index, start, start + size))
        if self._loose_automaton is not None and not self._loose_begins.isdisjoint(text):
            out += self._bounded(text, self._loose_automaton.find_matches_as_indexes(text, overlapping=True))
        return out

    def _bounded(self, text: str, hits: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
        for number, start, end in hits:
            index = self._loose[number]
            if self._bound_before[index] and start and _is_word(text[start - 1]):
                continue
            if self._bound_after[index]:
                tail = self._end.match(text, end)
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
