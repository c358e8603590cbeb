"""Money asked of the applicant, by the amounts themselves: "seragam 325rb tf dulu" says fee nowhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jobscam.indicators.amounts import Amount
from jobscam.indicators.document import Document
from jobscam.indicators.matcher import any_of
from jobscam.knowledge import Knowledge
from jobscam.values import Evidence

_BEFORE = 44
_NEAR = 14
_PAYER = 26
_ROLES = ("fee", "penalty", "other", "")
_MOST = 4
_END = re.compile(r"\n|[.!?;](?:\s|$)")
_BREAK = re.compile(r"[\n,;]|[.!?](?:\s|$)")


class AskedReader:
    """Tells which amounts of an ad the applicant is to pay.

    Words that ask (biaya, setor, deposit) may stand some words before an amount. Words that ordinary ads put before amounts
    as well (training, medical, dana) count only right before it, with nothing but a word between.
    """

    def __init__(self, knowledge: Knowledge) -> None:
        cues = knowledge.cues["asked"]
        self._before, self._right_before, self._free = (
            re.compile(rf"(?<![a-z0-9])(?:{any_of(cues[name])})(?:nya)?(?![a-z0-9])")
            for name in ("before", "right_before", "free")
        )
        gap, filler = r"[^a-z.!?\n]", any_of(cues["filler"])
        self._after = re.compile(rf"{gap}{{0,6}}(?:{filler})?{gap}{{0,3}}(?:{any_of(cues['after'])})(?![a-z])")
        self._not_asked = re.compile(rf"[^.!?\n]{{0,16}}(?<![a-z])(?:{any_of(cues['not_asked'])})(?![a-z])")

    def find(self, document: Document, amounts: Sequence[Amount]) -> list[Evidence]:
        """Evidence `money_asked`, with the amounts and the words that say that they are to be paid."""
        spans: list[tuple[int, int]] = []
        end = 0
        for amount in amounts:
            if amount.role in _ROLES and not amount.reference:
                span = self._asked(document.norm, amount, max(end, document.field_floor(amount.start)))
                if span:
                    spans.append(span)
            end = amount.end
        if not spans:
            return []
        return [Evidence("money_asked", tuple(document.span(*s) for s in spans[:_MOST]))]

    def _asked(self, norm: str, amount: Amount, floor: int) -> tuple[int, int] | None:
        """From the words that ask for the amount to its end, or to the end of the words behind it; None if nobody asks."""
        if self._not_asked.match(norm, amount.end):
            return None
        behind = self._after.match(norm, amount.end)
        start = self._cue(norm, amount, floor, behind is not None)
        if start is not None:
            return (start, amount.end) if start >= 0 else None
        return (amount.start, behind.end()) if behind else None

    def _cue(self, norm: str, amount: Amount, floor: int, sure: bool) -> int | None:
        """Where the words before the amount begin that ask for it; -1 where they say that nothing is asked; None without any."""
        cues = [*self._before.finditer(norm, max(floor, amount.start - _BEFORE), amount.start)]
        near = [*self._right_before.finditer(norm, max(floor, amount.start - _BEFORE), amount.start)]
        if not sure:
            gaps = ((m, _plain(norm[m.end() : amount.start])) for m in near)
            near = [m for m, gap in gaps if len(gap) <= _NEAR and not _BREAK.search(gap)]
        found = max([*cues, *near], key=lambda m: m.end(), default=None)
        if found is None or _END.search(_plain(norm[found.end() : amount.start])):
            return None
        low = max(floor, found.start() - _PAYER)
        ends = [m.end() for m in _END.finditer(norm, low, found.start())]
        return -1 if self._free.search(norm, ends[-1] if ends else low, amount.start) else found.start()


def _plain(text: str) -> str:
    """The point of "Rp." ends no sentence."""
    return text.replace("rp. ", "rp  ")
