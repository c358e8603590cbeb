"""What the amounts of money in an ad are for: base pay, a fee, a bonus, a penalty, or something else."""

from __future__ import annotations

import re
from dataclasses import replace

from jobscam.indicators.amounts import Amount, AmountReader
from jobscam.indicators.matcher import any_of
from jobscam.knowledge import Knowledge

_CUE_BEFORE = 48
_CUE_AFTER = 24
_LIST_GAP = 60
_LIST_NEAR = 20
_DAY_IDR = (25_000, 350_000)
_PLAUSIBLE_MONTH_IDR = (150_000, 900_000_000)
_SENTENCE = re.compile(r"[.!?](?:\s|$)")


class MoneyReader:
    """Finds amounts and tells their roles with the cue words of a :class:`Knowledge`."""

    def __init__(self, knowledge: Knowledge) -> None:
        money = knowledge.money
        self._amounts = AmountReader(knowledge)
        self._months = money.months
        self._fx = knowledge.fx
        self._roles = dict(reversed([(w, role) for role, words in money.roles.items() for w in words]))
        self._cue = re.compile(rf"(?<![a-z0-9])({any_of(self._roles)})(?:nya)?(?![a-z0-9])")
        self._posts = PostNames(knowledge)

    def find(self, norm: str, *, dollars: str = "", thousands: str = "IDR") -> list[Amount]:
        """Amounts of money in a normalised text, in order, each with its role; see :meth:`AmountReader.find`."""
        found = self._amounts.find(norm, dollars=dollars, thousands=thousands)
        out: list[Amount] = []
        for i, amount in enumerate(found):
            role = amount.role or self._role(norm, amount, out[-1] if out else None, found[i + 1] if i + 1 < len(found) else None)
            out.append(replace(amount, role=role, period=amount.period or _guessed_period(amount)))
        return out

    def monthly_idr(self, value: float, currency: str, period: str) -> float | None:
        """Rupiah a month, or None where pay by the task cannot be turned into it."""
        currency = currency or "IDR"
        months = self._months.get(period or "month", 1.0)
        if not months or currency not in self._fx:
            return None
        return value * self._fx[currency] * months

    def _role(self, norm: str, amount: Amount, before: Amount | None, after: Amount | None) -> str:
        start = max(before.end if before else 0, amount.start - _CUE_BEFORE)
        role = ""
        for match in self._cue.finditer(norm, start, amount.start):
            if _SENTENCE.search(without_points(norm[match.end() : amount.start])) or self._posts.hold(norm, match):
                continue
            role = self._roles[match[1]]
        if role in ("", "pay"):
            ceiling = min(after.start if after else len(norm), amount.end + _CUE_AFTER)
            match_after = self._cue.search(norm, amount.end, ceiling)
            gap = norm[amount.end : match_after.start()] if match_after else "."
            if match_after and not re.search(r"[.!?\n,;+(]", gap) and not self._posts.hold(norm, match_after):
                follow = self._roles[match_after[1]]
                if gap.strip() == "per" and follow == "bonus":
                    return "bonus"  # so much a head, whatever word stood before
                if not role and (follow != "bonus" or match_after.start() - amount.end <= 2):
                    role = follow
        if role:
            return role
        if before and before.role == "pay" and amount.currency == before.currency and amount.start - before.end <= _LIST_GAP:
            between = norm[before.end : amount.start]
            if before.reference or ":" in between or " menjadi " in between or len(between) <= _LIST_NEAR:
                return "pay"  # a list of posts with their pay
        if amount.period and amount.period != "task":
            return "pay"
        return ""


class PostNames:
    """Tells where a word for money is part of the name of a post: the staff of the administration takes no fee."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._before = re.compile(rf"(?<![a-z])(?:{any_of(knowledge.money.posts)}) $")

    def hold(self, norm: str, word: re.Match[str]) -> bool:
        """Whether a post stands right before the word."""
        return self._before.search(norm, max(0, word.start() - 14), word.start()) is not None


def _guessed_period(amount: Amount) -> str:
    """Period of pay that names none: by size, as readers of such ads take it."""
    if amount.currency == "IDR":
        return "day" if _DAY_IDR[0] <= amount.high <= _DAY_IDR[1] else "month"
    if amount.currency in ("USD", "GBP", "EUR", "AUD", "CAD", "SGD", "NZD", "CHF", "USDT"):
        if amount.high < 80:
            return "hour"
        return "year" if amount.low >= 12_000 else "month"
    return "month"


def without_points(text: str) -> str:
    """The text without the point of "Rp.", which ends no sentence; nothing moves."""
    return text.replace("rp. ", "rp  ")


def is_plausible_pay(monthly_idr: float) -> bool:
    """Whether a monthly amount can be pay at all (guards against prices, turnovers and misread numbers)."""
    return _PLAUSIBLE_MONTH_IDR[0] <= monthly_idr <= _PLAUSIBLE_MONTH_IDR[1]
