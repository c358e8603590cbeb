"""The one engine behind every indicator that is only words: phrases with slots, gaps and negation."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict

from jobscam.indicators.document import Document
from jobscam.indicators.matcher import MAX_HITS, Matcher
from jobscam.knowledge import Knowledge
from jobscam.values import Evidence, Sign, Span

_CLAUSE_END = re.compile(r"[.!?;,•]|\s-\s")
_SENTENCE_END = re.compile(r"[.!?•](?:\s|$)")
_WORD = re.compile(r"[a-z0-9]+")
_NEGATION_REACH = 40
_NEGATION_WORDS = 3
_MAX_SPANS = 6
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
        self._negators = frozenset().union(*(p.negators for p in knowledge.profiles.values()))
        self._matcher: Matcher[tuple[int, int]] = Matcher([*patterns, *((word, _NEGATOR) for word in sorted(self._negators))])
        # What each pattern stands for: forms that it is the whole of, and slots of others as one bit each.
        self._whole = [[f for f, _ in found if f >= 0 and len(self._forms[f].slots) == 1] for found in self._matcher.payloads]
        self._parts = [
            [(f, 1 << slot) for f, slot in found if f >= 0 and len(self._forms[f].slots) > 1] for found in self._matcher.payloads
        ]
        self._full = [(1 << len(form.slots)) - 1 for form in knowledge.forms]
        self._fillers: dict[int, list[list[int]]] = {
            number: [[] for _ in form.slots] for number, form in enumerate(knowledge.forms) if len(form.slots) > 1
        }
        for index, found in enumerate(self._matcher.payloads):
            for number, slot in found:
                if number in self._fillers:
                    self._fillers[number][slot].append(index)
        after = sorted({n for p in knowledge.profiles.values() for n in p.post_negators}, key=len, reverse=True)
        self._after = re.compile(r"\W{0,3}(?:" + "|".join(map(re.escape, after)) + r")(?![a-z0-9])") if after else None

    def find(self, document: Document) -> tuple[Found, Found]:
        """Positions in the normalised text by indicator: those that hold, and those that are negated.

        A negated mention of an indicator that flips is returned under the indicator it flips to.
        """
        norm = document.norm
        held: Found = defaultdict(list)
        negated: Found = defaultdict(list)
        hits, negators = self._hits(norm)
        filled: dict[int, int] = {}
        for index, spans in hits.items():
            for number in self._whole[index]:
                for start, end in spans:
                    self._place(norm, self._forms[number].indicator, start, end, held, negated, negators)
            for number, bit in self._parts[index]:
                filled[number] = filled.get(number, 0) | bit
        for number, slots in filled.items():
            # Few forms have all their slots filled, so only those are looked at more closely.
            if slots == self._full[number]:
                form = self._forms[number]
                by_slot = [
                    sorted((span for i in indexes if i in hits for span in hits[i]), key=_reading_order)
                    for indexes in self._fillers[number]
                ]
                for start, end, gaps in _chains(norm, by_slot, form.gaps):
                    denied = any(w in self._negators for gap in gaps for w in gap.split())
                    self._place(norm, form.indicator, start, end, held, negated, negators, denied=denied)
        return _merged(held), _merged(negated)

    def _hits(self, norm: str) -> tuple[dict[int, list[tuple[int, int]]], list[int]]:
        """Spans by pattern, and where negators begin."""
        payloads = self._matcher.payloads
        hits: dict[int, list[tuple[int, int]]] = defaultdict(list)
        negators: list[int] = []
        count = 0
        for index, start, end in self._matcher.spans(norm):
            found = payloads[index]
            hits[index].append((start, end))
            count += len(found)
            if found[-1] is _NEGATOR:
                count -= 1
                negators.append(start)
            if count >= MAX_HITS:
                break
        return hits, negators

    def _place(
        self,
        norm: str,
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
        since = None if indicator.negation == "keep" else self._negated_since(norm, start, end, negators)
        if indicator.negation == "keep" or (since is None and not denied):
            held[name].append((start, end))
            return
        negated[name].append((start, end))
        if indicator.negation == "flip":
            held[indicator.flips_to].append((start if since is None else since, end))

    def _negated_since(self, norm: str, start: int, end: int, negators: list[int]) -> int | None:
        """Where the negation of a mention begins, or None.

        At a negator within three words before, or at the mention itself where a denial stands right after it.
        `negators` are the places where words begin that may be one.
        """
        reach = max(0, start - _NEGATION_REACH)
        i = bisect_left(negators, reach)
        cut = _WORD.match(norm, reach, start)  # the end of a word that begins before may read as a negator
        if (i < len(negators) and negators[i] < start) or (cut and cut[0] in self._negators):
            words = list(_WORD.finditer(norm, _clause_start(norm, reach, start), start))
            for word in words[-_NEGATION_WORDS:]:
                if word[0] in self._negators:
                    return word.start()
        return start if self._after is not None and self._after.match(norm, end) else None


def _reading_order(span: tuple[int, int]) -> tuple[int, int]:
    return span[0], -span[1]


def _clause_start(norm: str, reach: int, start: int) -> int:
    last = reach
    for match in _CLAUSE_END.finditer(norm, reach, start):
        last = match.end()
    return last


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
