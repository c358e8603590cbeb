"""One pass over a text for any number of words and phrases (Aho-Corasick), with word bounds checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from ahocorasick_rs import AhoCorasick, BytesAhoCorasick, MatchKind

T = TypeVar("T")

Spans = list[tuple[int, int, int]]
"""Number of a pattern, start and end."""

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
        grouped: dict[str, list[T]] = {}
        for pattern, payload in patterns:
            if pattern:
                grouped.setdefault(pattern, []).append(payload)
        self._patterns = sorted(grouped)
        self.payloads = [grouped[p] for p in self._patterns]
        # A word bound is asked for only where the pattern's own edge is a Latin letter or digit: 柬埔寨, 🇰🇭 and $ have none.
        tails = _CLITICS if clitics else ("",)
        self._whole: dict[bytes, list[tuple[int, int, str]]] = {}
        self._loose: list[int] = []
        for i, pattern in enumerate(self._patterns):
            if not (pattern.isascii() and _is_word(pattern[0])):
                self._loose.append(i)
                continue
            key = b" " + pattern.encode().translate(_LETTERS)
            told = "" if _SINGLE.fullmatch(pattern) else pattern
            if not (strict or _is_word(pattern[-1])):
                self._whole.setdefault(key, []).append((i, len(pattern), told))
                continue
            for tail in tails:
                found = self._whole.setdefault(b"%b%b " % (key, tail.encode()), [])
                found.append((i, len(pattern) + len(tail), told))
        self._bound_before = [strict or _is_word(p[0]) for p in self._patterns]
        self._bound_after = [strict or _is_word(p[-1]) for p in self._patterns]
        self._end = _CLITIC_END if clitics else _PLAIN_END
        self._sweep: Sweep | None = None
        self._number = 0

    def spans(self, text: str) -> Spans:
        """Number of the pattern, start and end of every hit on whole words; not to be changed by who asked."""
        if self._sweep is None:
            Sweep([self])
        assert self._sweep is not None
        return self._sweep.spans(text)[self._number]

    def _bounded(self, text: str, index: int, start: int, end: int) -> tuple[int, int, int] | None:
        """A hit of a pattern that was looked for without its word bounds, if it has them."""
        if self._bound_before[index] and start and _is_word(text[start - 1]):
            return None
        if self._bound_after[index]:
            tail = self._end.match(text, end)
            if tail is None:
                return None
            end = tail.end()
        return index, start, end

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


class Sweep:
    """One pass over a text for several matchers together; from then on they all take their hits from it.

    The hits in the texts at hand are kept, because the matchers are asked one after the other.
    """

    def __init__(self, matchers: Sequence[Matcher[Any]]) -> None:
        self._matchers = tuple(matchers)
        whole: dict[bytes, list[tuple[int, int, int, str]]] = {}
        loose: dict[str, list[tuple[int, int]]] = {}
        for number, matcher in enumerate(matchers):
            matcher._sweep, matcher._number = self, number
            for key, found in matcher._whole.items():
                whole.setdefault(key, []).extend((number, *one) for one in found)
            for index in matcher._loose:
                loose.setdefault(matcher._patterns[index], []).append((number, index))
        self._whole, self._loose = list(whole.values()), list(loose.values())
        self._automaton = BytesAhoCorasick(list(whole), matchkind=MatchKind.Standard) if whole else None
        self._loose_automaton = AhoCorasick(list(loose), matchkind=MatchKind.Standard) if loose else None
        # Without one of these characters a text holds none of the loose patterns. Most of them have one that is rare.
        self._loose_signs = frozenset(max(p, key=lambda c: not c.isascii()) for p in loose)
        self._ascii_signs = any(map(str.isascii, self._loose_signs))
        self._kept: dict[int, tuple[str, list[Spans]]] = {}

    def read(self, texts: Iterable[str]) -> None:
        """Look through texts that the matchers are about to be asked for; others are forgotten."""
        self._kept = {id(text): (text, self._swept(text)) for text in texts}

    def spans(self, text: str) -> list[Spans]:
        """Hits of each matcher, as :meth:`Matcher.spans` gives them."""
        kept = self._kept.get(id(text))
        if kept is None or kept[0] is not text:
            kept = (text, self._swept(text))
            self._kept = {id(text): kept}
        return kept[1]

    def _swept(self, text: str) -> list[Spans]:
        out: list[Spans] = [[] for _ in self._matchers]
        if self._automaton is not None:
            # Words between blanks, so that word bounds and clitics are part of what is looked for. What stands between
            # the words of a pattern is compared afterwards.
            letters = b" %b " % text.encode("ascii", "replace").translate(_LETTERS)
            whole = self._whole
            for key, start, _ in self._automaton.find_matches_as_indexes(letters, overlapping=True):
                for number, index, size, told in whole[key]:
                    if not told or text.startswith(told, start):
                        out[number].append((index, start, start + size))
        if self._loose_automaton is None or (text.isascii() and not self._ascii_signs) or self._loose_signs.isdisjoint(text):
            return out
        for key, start, end in self._loose_automaton.find_matches_as_indexes(text, overlapping=True):
            for number, index in self._loose[key]:
                if hit := self._matchers[number]._bounded(text, index, start, end):
                    out[number].append(hit)
        return out


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
