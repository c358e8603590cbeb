"""The one engine behind every indicator that is only words: phrases with slots, gaps and negation."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from jobscam.indicators.document import Document
from jobscam.indicators.matcher import MAX_HITS, Matcher, Spans, any_of
from jobscam.indicators.negation import Negation
from jobscam.knowledge import Knowledge
from jobscam.values import Evidence, Sign, Span

_SENTENCE_END = re.compile(r"[.!?•](?:\s|$)")
_MAX_SPANS = 6
_UNLESS_REACH = 32
_NUMBER = re.compile(r"(?<![a-z0-9])[0-9]+(?![a-z0-9])")
_FIGURES = "#"
"""Stands, among the words that a form must not have beside it, for a number in it."""
_NEGATOR = (-1, 0)
"""Stands for a word that negates, among the forms and slots."""

Found = dict[str, list[tuple[int, int]]]


class PhraseEngine:
    """Finds every phrase of every indicator in one pass over the normalised text."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._forms = knowledge.forms
        self._indicators = knowledge.indicators
        patterns = [
            (alternative, (number, slot))
            for number, form in enumerate(knowledge.forms)
            for slot, alternatives in enumerate(form.slots)
            for alternative in alternatives
        ]
        self._negation = Negation(knowledge)
        self.matcher: Matcher[tuple[int, int]] = Matcher(
            [*patterns, *((word, _NEGATOR) for word in sorted(self._negation.words))]
        )
        self._negating = frozenset(i for i, found in enumerate(self.matcher.payloads) if found[-1] is _NEGATOR)
        self._most = max(map(len, self.matcher.payloads), default=1)
        # What each pattern stands for: forms that it is the whole of, and slots of others as one bit each.
        self._whole = [[f for f, _ in found if f >= 0 and len(self._forms[f].slots) == 1] for found in self.matcher.payloads]
        self._parts = _Slots([len(form.slots) for form in knowledge.forms], self.matcher.payloads)
        self._unless = {number: _beside(form.unless) for number, form in enumerate(knowledge.forms) if form.unless}

    def find(self, document: Document) -> tuple[Found, Found]:
        """Positions in the normalised text by indicator: those that hold, and those that are negated.

        A negated mention of an indicator that flips is returned under the indicator it flips to.
        """
        norm = document.norm
        held: Found = defaultdict(list)
        negated: Found = defaultdict(list)
        hits, negators = self._hits(norm)
        for index, spans in hits.items():
            for number in self._whole[index]:
                for start, end in spans:
                    if not self._is_excluded(norm, number, start, end):
                        self._place(document, self._forms[number].indicator, start, end, held, negated, negators)
        # Few forms have all their slots filled, so only those are looked at more closely.
        for number, fillers in self._parts.filled(hits):
            form = self._forms[number]
            by_slot = [_in_order(hits, indexes) for indexes in fillers]
            for start, end, gaps in _chains(norm, by_slot, form.gaps):
                if not self._is_excluded(norm, number, start, end):
                    denied = any(w in self._negation.words for gap in gaps for w in gap.split())
                    self._place(document, form.indicator, start, end, held, negated, negators, denied=denied)
        return _merged(held), _merged(negated)

    def _hits(self, norm: str) -> tuple[dict[int, list[tuple[int, int]]], list[int]]:
        """Spans by pattern, and where negators begin."""
        hits: dict[int, list[tuple[int, int]]] = defaultdict(list)
        negators: list[int] = []
        spans = self.matcher.spans(norm)
        if len(spans) * self._most >= MAX_HITS:
            spans = self._capped(spans)
        negating = self._negating
        for index, start, end in spans:
            hits[index].append((start, end))
            if index in negating:
                negators.append(start)
        return hits, negators

    def _capped(self, spans: Spans) -> Spans:
        """The spans until they stand for as many slots as are kept of a text."""
        count = 0
        for number, (index, _, _) in enumerate(spans):
            count += len(self.matcher.payloads[index]) - (index in self._negating)
            if count >= MAX_HITS:
                return spans[: number + 1]
        return spans

    def _is_excluded(self, norm: str, number: int, start: int, end: int) -> bool:
        """Whether a mention is of another kind, as a word in it or beside it shows."""
        if number not in self._unless:
            return False
        unless, figures = self._unless[number]
        if figures and _NUMBER.search(norm, start, end):
            return True
        low, high = max(0, start - _UNLESS_REACH), min(len(norm), end + _UNLESS_REACH)
        for match in _SENTENCE_END.finditer(norm, low, start):
            low = match.end()
        stop = _SENTENCE_END.search(norm, end, high)
        high = stop.start() if stop else high
        return unless.search(norm, low, high) is not None

    def _place(
        self,
        document: Document,
        name: str,
        start: int,
        end: int,
        held: Found,
        negated: Found,
        negators: list[int],
        *,
        denied: bool = False,
    ) -> None:
        indicator = self._indicators[name]
        since = None if indicator.negation == "keep" else self._negation.since(document, start, end, negators)
        if indicator.negation == "keep" or (since is None and not denied):
            held[name].append((start, end))
            return
        negated[name].append((start, end))
        if indicator.negation == "flip":
            held[indicator.flips_to].append((start if since is None else since, end))


class _Slots:
    """Tells from the patterns in a text which forms of several slots have all of them filled.

    A pattern is one number with a bit for each slot that it fills: the first slots of all forms side by side, then the
    second ones, and so on. The numbers of the patterns of a text together show every form at once.
    """

    def __init__(self, sizes: list[int], payloads: list[list[tuple[int, int]]]) -> None:
        self._forms = [number for number, size in enumerate(sizes) if size > 1]
        place = {number: i for i, number in enumerate(self._forms)}
        self._width = len(self._forms)
        self._slots = max(sizes, default=1)
        # Slots that a form does not have are filled from the start.
        self._missing = sum(1 << (slot * self._width + place[f]) for f in self._forms for slot in range(sizes[f], self._slots))
        self._bits = [sum({1 << (slot * self._width + place[f]) for f, slot in found if f in place}) for found in payloads]
        fillers: dict[int, list[set[int]]] = {f: [set() for _ in range(sizes[f])] for f in self._forms}
        for index, found in enumerate(payloads):
            for f, slot in found:
                if f in place:
                    fillers[f][slot].add(index)
        self._fillers = {f: [frozenset(indexes) for indexes in by_slot] for f, by_slot in fillers.items()}

    def filled(self, hits: Mapping[int, object]) -> Iterator[tuple[int, list[Collection[int]]]]:
        """Forms with all their slots filled, each with the patterns among `hits` that fill each slot."""
        bits, seen = self._bits, self._missing
        for index in hits:
            seen |= bits[index]
        whole = seen & ((1 << self._width) - 1)
        for slot in range(1, self._slots):
            whole &= seen >> (slot * self._width)
        while whole:
            lowest = whole & -whole
            whole ^= lowest
            number = self._forms[lowest.bit_length() - 1]
            yield number, [hits.keys() & indexes for indexes in self._fillers[number]]


def _beside(unless: tuple[str, ...]) -> tuple[re.Pattern[str], bool]:
    """A pattern of words, and whether a number counts as well."""
    words = any_of(w for w in unless if w != _FIGURES)
    return re.compile(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])"), _FIGURES in unless


def _reading_order(span: tuple[int, int]) -> tuple[int, int]:
    return span[0], -span[1]


def _in_order(hits: Mapping[int, list[tuple[int, int]]], indexes: Collection[int]) -> list[tuple[int, int]]:
    """Spans of some patterns, in order of reading; those of one pattern are in that order already."""
    if len(indexes) == 1:
        (index,) = indexes
        return hits[index]
    return sorted((span for i in indexes for span in hits[i]), key=_reading_order)


def _chains(norm: str, by_slot: list[list[tuple[int, int]]], gaps: tuple[int, ...]) -> list[tuple[int, int, tuple[str, ...]]]:
    """Spans in which the slots follow each other, each at most `gap` words after the one before, and what stands between."""
    current: list[tuple[int, int, tuple[str, ...]]] = [(s, e, ()) for s, e in by_slot[0]]
    for hits, gap in zip(by_slot[1:], gaps, strict=True):
        starts = [s for s, _ in hits]
        after: list[tuple[int, int, tuple[str, ...]]] = []
        for start, end, before in current:
            i = bisect_left(starts, end)
            if i == len(hits):
                continue
            between = norm[end : min(hits[i][0], end + 12 * (gap + 1) + 2)]
            near = hits[i][0] - end <= len(between)
            if near and len(between.split()) <= gap and not _SENTENCE_END.search(between):
                after.append((start, hits[i][1], (*before, between)))
        if not after:
            return after
        current = after
    return current


def _merged(found: Found) -> Found:
    """Overlapping spans of one indicator become one, in order of reading."""
    out: Found = {}
    for name, spans in found.items():
        merged: list[tuple[int, int]] = []
        for start, end in sorted(spans):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        out[name] = merged
    return out


def evidence_of(document: Document, knowledge: Knowledge, found: Found) -> list[Evidence]:
    """Evidence for every risk and safety indicator found by its words."""
    out = []
    for name in sorted(found):
        if knowledge.indicators[name].sign is Sign.CONTEXT:
            continue
        spans: list[Span] = [document.span(s, e) for s, e in found[name][:_MAX_SPANS]]
        out.append(Evidence(name, tuple(spans), 1.0))
    return out
