"""Amounts of money as Indonesian and English ads write them: value, currency, period, and what they are for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jobscam.indicators.matcher import any_of
from jobscam.knowledge import Knowledge

_NUMBER = r"\d{1,3}(?:[., ]\d{3}){1,4}(?![\d])(?:,\d{1,2}(?!\d))?|\d{1,12}(?:[.,]\d{1,3})?(?!\d)"
_CUE_BEFORE = 48
_CUE_AFTER = 24
_DAY_IDR = (25_000, 700_000)
_PLAUSIBLE_MONTH_IDR = (150_000, 900_000_000)


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount or range of money found in a normalised text.

    Attributes
    ----------
    start, end : int
        Where it stands in the normalised text.
    low, high : float
        In units of `currency`; equal for a single number.
    currency : str
        ISO code (USDT for the stablecoin); "" if none was written.
    period : str
        hour, day, week, month, year, task, or "" if none was written.
    role : str
        pay, fee, bonus, penalty, other, or "" if nothing near tells.
    """

    start: int
    end: int
    low: float
    high: float
    currency: str
    period: str
    role: str


class MoneyReader:
    """Finds amounts with the currencies, multipliers and cue words of a :class:`Knowledge`."""

    def __init__(self, knowledge: Knowledge) -> None:
        money = knowledge.money
        self._multipliers = money.multipliers
        self._months = money.months
        self._fx = knowledge.fx
        self._prefix = {f: n.currency for n in reversed(knowledge.currency_names) if n.prefix for f in n.forms}
        self._suffix = {f: n.currency for n in reversed(knowledge.currency_names) if n.suffix for f in n.forms}
        prefix, suffix = _alternation(self._prefix), _alternation(self._suffix)
        multiplier = "|".join(sorted(map(re.escape, self._multipliers), key=len, reverse=True))
        to = "|".join(re.escape(w) for w in sorted(money.ranges, key=len, reverse=True))
        words = "|".join(sorted(map(re.escape, money.numerals), key=len, reverse=True))

        def one(i: int) -> str:
            return (
                rf"(?:(?<![a-z0-9])(?P<p{i}>{prefix})[ .:]{{0,2}})?(?P<n{i}>{_NUMBER})"
                rf"(?:[ ]?(?P<m{i}>{multiplier})(?:an|nya)?(?![a-z0-9]))?(?:,-|\.-|,00(?!\d))?"
                rf"(?:[ ]?(?P<s{i}>{suffix})(?![a-z0-9]))?"
            )

        self._pattern = re.compile(rf"(?<![a-z0-9.,/@_+-]){one(1)}(?:[ ]?(?:-|–|(?<![a-z])(?:{to})(?![a-z]))[ ]?{one(2)})?")
        periods = {word: name for name, listed in money.periods.items() for word in listed}
        self._periods = periods
        names = any_of(periods)
        # Words that say the period without "per": those with an affix of their own.
        alone = any_of(w for w in periods if w.startswith(("per", "se")) or w.endswith(("an", "ly")) or w in ("pa", "pm"))
        self._period = re.compile(
            r"[ ]?(?:nett|net|bersih|gross|an|\+|usd|rupiah|idr)?[ ]?"
            r"(?:/|per[ ]?|a |an |setiap |tiap |each |untuk |for )[ ]?(?:1 )?"
            rf"({names})(?![a-z])|[ ]?\(?({alone})(?![a-z])|[ ]?(bulan|hari|jam|minggu|month)(?![a-z])"
        )
        self._period_before = re.compile(rf"(?:per )?({alone}|{names})[ :]{{0,3}}(?:rp|idr|usd|\$)?[ .]?$")
        units = any_of(("belas", "puluh", "ratus", "setengah"))
        self._words = re.compile(
            rf"(?<![a-z0-9])((?:(?:{words}|{units})[ ]?){{1,5}})(juta|jt|ribu|rb)(?:an)?( setengah)?(?![a-z0-9])"
        )
        self._numerals = money.numerals
        roles = [(w, role) for role, ws in money.roles.items() for w in ws]
        self._roles = dict(reversed(roles))
        self._cue = re.compile(
            r"(?<![a-z0-9])(" + "|".join(sorted(map(re.escape, self._roles), key=len, reverse=True)) + r")(?:nya)?(?![a-z0-9])"
        )

    def find(self, norm: str, lines: list[int]) -> list[Amount]:
        """Amounts of money in a normalised text, in order; numbers without any sign of money are left out.

        Parameters
        ----------
        norm : str
        lines : list of int
            Positions where a line ended: a cue word does not reach over them backwards by more than one line.
        """
        found = list(self._figures(norm)) if any(c.isdigit() for c in norm) else []
        if "juta" in norm or "ribu" in norm or " jt" in norm or " rb" in norm:
            found += self._spelled(norm)
        found.sort(key=lambda a: a.start)
        return [self._with_role(norm, lines, amount, found, i) for i, amount in enumerate(found)]

    def monthly_idr(self, value: float, currency: str, period: str) -> float | None:
        """Rupiah a month, or None where pay by the task cannot be turned into it."""
        currency = currency or "IDR"
        months = self._months.get(period or "month", 1.0)
        if not months or currency not in self._fx:
            return None
        return value * self._fx[currency] * months

    def _figures(self, norm: str):  # type: ignore[no-untyped-def]
        for match in self._pattern.finditer(norm):
            group = match.groupdict()
            currency = self._prefix.get(group["p1"] or "") or self._suffix.get(group["s1"] or "")
            currency = currency or self._prefix.get(group["p2"] or "") or self._suffix.get(group["s2"] or "") or ""
            m1, m2 = group["m1"], group["m2"]
            if not currency and not m1 and not m2 and not _thousands(group["n1"]):
                continue
            low = self._value(group["n1"], m1 or (m2 if _below(group["n1"], group["n2"]) else None), currency)
            high = self._value(group["n2"], m2 or m1, currency) if group["n2"] else low
            if high < low:
                if high == 0 or low / high > 50:
                    high = low
                else:
                    low, high = high, low
            if low <= 0 and high <= 0:
                continue
            period, end = self._period_at(norm, match.start(), match.end())
            if "k" in (m1, m2) and not currency:
                currency = "IDR"
            if (m1 or m2) and not currency:
                currency = "IDR"
            if not currency:  # 3.500.000 alone: rupiah if it is large enough to be money
                if low < 100_000 or norm[max(0, match.start() - 1) : match.start()] == "(":
                    continue
                if not re.match(r"\d{1,3}(?:[.,]\d{3})+$", group["n1"]):
                    continue
                currency = "IDR"
            yield Amount(match.start(), end, low, high, currency, period, "")

    def _spelled(self, norm: str) -> list[Amount]:
        out = []
        for match in self._words.finditer(norm):
            value = self._numeral(match[1].split(), bool(match[3]))
            if value:
                value *= 1e6 if match[2] in ("juta", "jt") else 1e3
                period, end = self._period_at(norm, match.start(), match.end())
                out.append(Amount(match.start(), end, value, value, "IDR", period, ""))
        return out

    def _numeral(self, words: list[str], half: bool) -> float:
        total = current = 0.0
        for word in words:
            if word == "belas":
                current += 10
            elif word == "puluh":
                total, current = total + max(current, 1) * 10, 0
            elif word == "ratus":
                total, current = total + max(current, 1) * 100, 0
            elif word == "setengah":
                current += 0.5
            else:
                current += self._numerals[word]
        return total + current + (0.5 if half else 0)

    def _value(self, number: str, multiplier: str | None, currency: str) -> float:
        factor = self._multipliers.get(multiplier or "", 1.0)
        compact = number.replace(" ", "")
        if re.fullmatch(r"\d{1,3}(?:[.,]\d{3}){1,4}(?:,\d{1,2})?", compact):
            body = compact
            # 1.500 jt or 4.500 juta is rare; 2.500 with "juta" behind it means two and a half.
            if factor >= 1e6 and re.fullmatch(r"\d{1,2}[.,]\d{3}", compact):
                return float(compact.replace(",", ".")) * factor
            if len(compact) > 4 and compact[-3] == ",":
                body = compact[:-3]
            return float(re.sub(r"[.,]", "", body)) * factor
        value = float(compact.replace(",", "."))
        return value * factor

    def _period_at(self, norm: str, start: int, end: int) -> tuple[str, int]:
        after = self._period.match(norm, end)
        if after:
            word = next(g for g in after.groups() if g)
            return self._periods[word], after.end()
        before = self._period_before.search(norm, max(0, start - 24), start)
        if before:
            return self._periods[before[1]], end
        return "", end

    def _with_role(self, norm: str, lines: list[int], amount: Amount, found: list[Amount], i: int) -> Amount:
        floor = found[i - 1].end if i else 0
        start = max(floor, amount.start - _CUE_BEFORE)
        role = ""
        for match in self._cue.finditer(norm, start, amount.start):
            between = norm[match.end() : amount.start]
            if "." in between.replace("rp.", "").rstrip(" .") and re.search(r"[.!?]\s", between):
                continue
            role = self._roles[match[1]]
        if not role or role == "pay":
            ceiling = min(found[i + 1].start if i + 1 < len(found) else len(norm), amount.end + _CUE_AFTER)
            after = self._cue.search(norm, amount.end, ceiling)
            if after and not re.search(r"[.!?\n,;+]", norm[amount.end : after.start()]):
                follow = self._roles[after[1]]
                if not role and follow in ("pay", "fee", "bonus", "penalty"):
                    role = follow
        if not role and i and found[i - 1].end >= amount.start - 12 and amount.period and amount.period != "task":
            role = "pay"
        period = amount.period
        if not period and amount.role in ("", "pay"):
            period = _guessed_period(amount)
        return Amount(amount.start, amount.end, amount.low, amount.high, amount.currency, period, role)


def _alternation(forms: dict[str, str]) -> str:
    return "|".join(re.escape(f) for f in sorted(forms, key=lambda f: (-len(f), f)))


def _thousands(number: str) -> bool:
    return re.fullmatch(r"\d{1,3}(?:[.,]\d{3}){2,4}|\d{3}[.,]\d{3}", number) is not None


def _below(first: str, second: str | None) -> bool:
    return second is not None and len(re.sub(r"\D.*", "", first)) <= 3


def _guessed_period(amount: Amount) -> str:
    """Period of pay that names none: by size, as readers of such ads take it."""
    if amount.currency == "IDR":
        return "day" if _DAY_IDR[0] <= amount.high <= 350_000 else "month"
    if amount.currency in ("USD", "GBP", "EUR", "AUD", "CAD", "SGD", "NZD", "CHF", "USDT"):
        if amount.high < 80:
            return "hour"
        return "year" if amount.low >= 15_000 else "month"
    return "month"


def is_plausible_pay(monthly_idr: float) -> bool:
    """Whether a monthly amount can be pay at all (guards against prices, turnovers and misread numbers)."""
    return _PLAUSIBLE_MONTH_IDR[0] <= monthly_idr <= _PLAUSIBLE_MONTH_IDR[1]
