"""Money asked of the applicant, by the amounts themselves: "seragam 325rb tf dulu" says fee nowhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jobscam.indicators.amounts import Amount
from jobscam.indicators.document import Document
from jobscam.indicators.matcher import any_of
from jobscam.indicators.money import PostNames, without_points
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
        self._posts = PostNames(knowledge)
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
        cue = self._cue(norm, amount, floor, sure=behind is not None)
        if cue is None:
            return (amount.start, behind.end()) if behind else None
        return None if self._is_free(norm, cue, amount, floor) else (cue.start(), amount.end)

    def _cue(self, norm: str, amount: Amount, floor: int, *, sure: bool) -> re.Match[str] | None:
        """The last words before the amount that ask for it; `sure` where the words behind it do so as well."""
        low = max(floor, amount.start - _BEFORE)
        near = [m for m in self._right_before.finditer(norm, low, amount.start) if not self._posts.hold(norm, m)]
        if not sure:
            gaps = ((m, without_points(norm[m.end() : amount.start])) for m in near)
            near = [m for m, gap in gaps if len(gap) <= _NEAR and not _BREAK.search(gap)]
        asking = [m for m in self._before.finditer(norm, low, amount.start) if not self._posts.hold(norm, m)]
        last = max([*asking, *near], key=lambda m: m.end(), default=None)
        return last if last and not _END.search(without_points(norm[last.end() : amount.start])) else None

    def _is_free(self, norm: str, cue: re.Match[str], amount: Amount, floor: int) -> bool:
        """Whether the sentence says, near the cue, that nothing is asked or that somebody else pays."""
        low = max(floor, cue.start() - _PAYER)
        ends = [m.end() for m in _END.finditer(norm, low, cue.start())]
        return self._free.search(norm, ends[-1] if ends else low, amount.start) is not None
