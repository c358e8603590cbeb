"""Whether what an ad names is denied there: "tanpa biaya", "no deposit", "biaya pendaftaran: tidak ada"."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from jobscam.indicators.document import Document
from jobscam.indicators.matcher import any_of
from jobscam.knowledge import Knowledge

_CLAUSE_END = re.compile(r"[.!?;,•|+(]|\s-\s|[^\w\s\x00-\x7f]")
_SENTENCE_END = re.compile(r"[.!?•]")
_WORD = re.compile(r"[a-z0-9]+")
_REACH, _LIST_REACH = 40, 90
_WORDS, _LIST_WORDS = 3, 10
_CONDITION_REACH = 16


class Negation:
    """Finds the word that denies a mention.

    A negator denies what follows within three words of its clause, or within the list that "or" ends. It denies nothing where
    another word takes it up ("jangan lupa", "tidak sulit") or a condition owns it ("kalau tidak kuat, denda"). Some phrases deny
    what stands right before them.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        profiles = knowledge.profiles.values()
        self.words: frozenset[str] = frozenset().union(*(p.negators for p in profiles))
        self._spent: frozenset[str] = frozenset().union(*(p.spent_on for p in profiles))
        turns, joiners, conditions, after = (
            sorted({w for p in profiles for w in getattr(p, name)})
            for name in ("turns", "joiners", "conditions", "post_negators")
        )
        self._turn = re.compile(rf"(?<![a-z0-9])(?:{any_of(turns)})(?![a-z0-9])")
        self._joined = re.compile(rf"(?<![a-z0-9])(?:{any_of(joiners)}) $")
        self._condition = re.compile(rf"(?<![a-z0-9])(?:{any_of(conditions)}) (?:[a-z0-9]+ ){{0,1}}$")
        self._after = re.compile(rf"\W{{0,3}}({any_of(after)})(?![a-z0-9])") if after else None

    def since(self, document: Document, start: int, end: int, negators: list[int]) -> int | None:
        """Where the denial of a mention at ``[start, end)`` of the normalised text begins, or None.

        At the negator, or at the mention itself where the denial stands behind it. `negators` are the places, in order, where
        words begin that may be one.
        """
        norm = document.norm
        joined = self._joined.search(norm, max(0, start - 10), start) is not None
        reach = max(0, start - (_LIST_REACH if joined else _REACH))
        i = bisect_left(negators, reach)
        cut = _WORD.match(norm, reach, start)  # the end of a word that begins before may read as a negator
        if (i < len(negators) and negators[i] < start) or (cut and cut[0] in self.words):
            words = list(_WORD.finditer(norm, self._clause_start(document, reach, start, joined), start))
            following = [*(w[0] for w in words[1:]), (_WORD.match(norm, start) or [""])[0]]
            most = _LIST_WORDS if joined else _WORDS
            for word, after in list(zip(words, following, strict=False))[-most:]:
                if word[0] in self.words and after not in self._spent and not self._is_conditional(norm, word.start()):
                    return word.start()
        if self._after is None:
            return None
        behind = self._after.match(norm, end)
        return start if behind and not self._breaks(document, end, behind.start(1)) else None

    def _is_conditional(self, norm: str, start: int) -> bool:
        return self._condition.search(norm, max(0, start - _CONDITION_REACH), start) is not None

    def _clause_start(self, document: Document, reach: int, start: int, joined: bool) -> int:
        """Where the clause of a mention begins, or its sentence where it is the last of a list."""
        norm = document.norm
        last = reach
        for match in (_SENTENCE_END if joined else _CLAUSE_END).finditer(norm, reach, start):
            last = match.end()
        for match in self._turn.finditer(norm, last, start):
            last = match.end()
        for position in reversed(self._line_ends(document, last, start)):
            if self._ends_item(document, position):
                return max(last, position)
        return last

    def _breaks(self, document: Document, start: int, end: int) -> bool:
        return any(self._ends_item(document, position) for position in self._line_ends(document, start, end))

    @staticmethod
    def _line_ends(document: Document, start: int, end: int) -> list[int]:
        lines = document.text.lines
        return lines[bisect_left(lines, start) : bisect_right(lines, end)]

    def _ends_item(self, document: Document, position: int) -> bool:
        """Whether an item ends with the line: not where a sentence is only broken, or where a colon says what follows."""
        norm = document.norm
        before = norm[max(0, position - 24) : position].split(" ")[-1]
        if before[-1:] in (":", ",") or before in self.words:
            return False
        original = document.text.original
        at = document.text.starts([min(position + 1, len(norm))])[0]
        following = original[at : at + 2]
        return not following[:1].isalnum() or (following[0].isupper() and not following[1:].isupper()) or following[0].isdigit()
