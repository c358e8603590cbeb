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
_AFTER = 30
_PAYER = 26
_ROLES = ("fee", "penalty", "other", "")
_MOST = 4
_END = re.compile(r"[.!?;\n](?:\s|$)")


class AskedReader:
    """Tells which amounts of an ad the applicant is to pay."""

    def __init__(self, knowledge: Knowledge) -> None:
        cues = knowledge.cues["asked"]
        self._before = re.compile(rf"(?<![a-z0-9])(?:{any_of(cues['before'])})(?:nya)?(?![a-z0-9])")
        gap, filler = r"[^a-z.!?\n]", any_of(cues["filler"])
        self._after = re.compile(rf"{gap}{{0,6}}(?:{filler})?{gap}{{0,3}}(?:{any_of(cues['after'])})(?![a-z])")
        self._free = re.compile(rf"(?<![a-z])(?:{any_of(cues['free'])})(?![a-z])")
        self._back = re.compile(rf"[^.!?\n]{{0,16}}(?<![a-z])(?:{any_of(cues['paid_by_employer'])})(?![a-z])")

    def find(self, document: Document, amounts: Sequence[Amount]) -> list[Evidence]:
        """Evidence `money_asked`, with the amounts and the words that say that they are to be paid."""
        spans: list[tuple[int, int]] = []
        end = 0
        for amount in amounts:
            if amount.role in _ROLES and not amount.reference:
                start = self._asked(document.norm, amount, max(end, document.field_floor(amount.start)))
                if start >= 0:
                    spans.append((start, amount.end))
            end = amount.end
        if not spans:
            return []
        return [Evidence("money_asked", tuple(document.span(*s) for s in spans[:_MOST]))]

    def _asked(self, norm: str, amount: Amount, floor: int) -> int:
        """Where the words begin that ask for the amount; -1 where none do, or somebody else pays."""
        if self._back.match(norm, amount.end):
            return -1
        cues = [*self._before.finditer(norm, max(floor, amount.start - _BEFORE), amount.start)]
        cue = cues[-1] if cues else None
        if cue and not _END.search(norm[cue.end() : amount.start].replace("rp. ", "rp  ")):
            ends = [m.end() for m in _END.finditer(norm, max(floor, cue.start() - _PAYER), cue.start())]
            free = self._free.search(norm, ends[-1] if ends else max(floor, cue.start() - _PAYER), amount.start)
            return -1 if free else cue.start()
        return amount.start if self._after.match(norm, amount.end) else -1
