"""The one engine behind every indicator that is only words: phrases with slots, gaps and negation."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict

from jobscam.indicators.document import Document
from jobscam.indicators.matcher import Matcher
from jobscam.knowledge import Knowledge
from jobscam.values import Evidence, Sign, Span

_CLAUSE_END = re.compile(r"[.!?;,•]|\s-\s")
_SENTENCE_END = re.compile(r"[.!?•](?:\s|$)")
_WORD = re.compile(r"[a-z0-9]+")
_NEGATION_REACH = 40
_NEGATION_WORDS = 3
_MAX_SPANS = 6

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
        self._matcher: Matcher[tuple[int, int]] = Matcher(patterns)
        self._negators = frozenset().union(*(p.negators for p in knowledge.profiles.values()))
        after = sorted({n for p in knowledge.profiles.values() for n in p.post_negators}, key=len, reverse=True)
        self._after = re.compile(r"\W{0,3}(?:" + "|".join(map(re.escape, after)) + r")(?![a-z0-9])") if after else None

    def find(self, document: Document) -> tuple[Found, Found]:
        """Positions in the normalised text by indicator: those that hold, and those that are negated.

        A negated mention of an indicator that flips is returned under the indicator it flips to.
        """
        norm = document.norm
        held: Found = defaultdict(list)
        negated: Found = defaultdict(list)
        chains: dict[int, list[list[tuple[int, int]]]] = {}
        for start, end, (number, slot) in self._matcher.find(norm):
            form = self._forms[number]
            if len(form.slots) == 1:
                self._place(document, form.indicator, start, end, held, negated)
            else:
                chains.setdefault(number, [[] for _ in form.slots])[slot].append((start, end))
        for number, by_slot in chains.items():
            form = self._forms[number]
            if all(by_slot):
                for start, end, gaps in _chains(norm, by_slot, form.gaps):
                    denied = any(w in self._negators for gap in gaps for w in gap.split())
                    self._place(document, form.indicator, start, end, held, negated, denied=denied)
        return _merged(held), _merged(negated)

    def _place(
        self, document: Document, name: str, start: int, end: int, held: Found, negated: Found, *, denied: bool = False
    ) -> None:
        indicator = self._indicators[name]
        since = None if indicator.negation == "keep" else self.negated_since(document.norm, start, end)
        if indicator.negation == "keep" or (since is None and not denied):
            held[name].append((start, end))
            return
        negated[name].append((start, end))
        if indicator.negation == "flip":
            held[indicator.flips_to].append((start if since is None else since, end))

    def negated_since(self, norm: str, start: int, end: int) -> int | None:
        """Where the negation of a mention begins, or None.

        At a negator within three words before, or at the mention itself where a denial stands right after it.
        """
        words = list(_WORD.finditer(norm, _clause_start(norm, max(0, start - _NEGATION_REACH), start), start))
        for word in words[-_NEGATION_WORDS:]:
            if word[0] in self._negators:
                return word.start()
        return start if self._after is not None and self._after.match(norm, end) else None


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
