"""Amounts of money in a normalised text: figures or words, currency, period, bounds. What they are for is told elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jobscam.indicators.matcher import any_of, whole_words
from jobscam.knowledge import Knowledge
from jobscam.text.signs import sign_table

_NUMBER = (
    r"\d{1,3}[.,]\d{6}(?!\d)|\d{1,3}(?:[.,]\d{3}){1,4}(?!\d)(?:,\d{1,2}(?!\d))?|\d{1,3}(?: \d{3}){1,4}(?![\d.,])"
    r"|\d{1,12}(?:[.,]\d{1,3})?(?!\d)"
)
# OCR reads the zeros of a price as the letter o, also within a group: rp 3,5o0,ooo.
_OCR = re.compile(
    r"(?<![a-z0-9])(?:rp\.? ?)?\d[\do]{0,3}(?:[.,][\do]{3})+(?![a-z0-9])"
    r"|(?<![a-z0-9])rp\.? ?\d[\dosli]{0,7}(?:[.,][\dosli]{3,6})+(?![a-z0-9])|(?<![a-z0-9])rp\.? ?\d[\do]{2,7}(?![a-z0-9])"
    r"|(?<![a-z0-9])\d[\do]{1,4}(?=(?:k|rb|ribu)(?![a-z0-9]))"
)
# The first letter that is read as a figure stands behind a figure.
_OCR_FIRST = re.compile(r"[0-9][.,]?[osli]")
_OCR_DIGITS = str.maketrans("osli", "0511")
_DOLLAR_CODE = re.compile(r"\((sgd|aud|cad|hkd|nzd|usd|bnd)\)|^ ?(sgd|aud|cad|hkd|nzd|usd|bnd)(?![a-z])")
_YEAR = re.compile(r"(?:19|20)\d\d")
_SMALL = re.compile(r"\d{2,3}[.,]\d{3}")
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3}){1,4}(?:,\d{1,2})?")
_TWO_AND_A_HALF = re.compile(r"\d{1,2}[.,]\d{3}")
_CENTS = re.compile(r",\d{1,2}$")
_LOST_SEPARATOR = re.compile(r"\d{4,6}[.,]\d{3}|\d{1,3}[.,]\d{6}")
_MILLIONS = re.compile(r"\d{1,3}(?:[.,]\d{3}){2,4}|\d{3}[.,]\d{3}")
_ALL_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})+$")
_FROM_SIGN = re.compile(r"\D.*")
_BEFORE, _AFTER = 28, 40
_DIGITS = re.compile(r"[0-9](?:[^0-9]{0,80}[0-9])*+")
_FIGURES = sign_table(" ", {"0": "0123456789"})
_READ_AS_FIGURES = sign_table(" ", {"0": "0123456789.,", "o": "o"})
_OTHER_DIGIT = re.compile(r"[^\D0-9]")
_BEFORE_NUMBER = " .:"
_SHORTEST_THOUSANDS = 7
_SPELT_MULTIPLIERS = ("juta", "jt", "ribu", "rb")
_UNKNOWN_LEAST = 100_000
_RATES = ("day", "hour")
_OWN_DOLLARS = {"SG": "SGD", "AU": "AUD", "CA": "CAD", "HK": "HKD", "NZ": "NZD", "TW": "TWD", "BN": "BND"}
_THOUSANDS_AT_MOST = 500
_YEN_LEAST = 30_000


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
    bound : str
        "from" where only the lower bound is named, "upto" where only the upper one, else "".
    basis : str
        net, gross, or "" if not said.
    reference : bool
        Whether the ad names the published minimum wage instead of a figure; `low` and `high` are then 0.
    """

    start: int
    end: int
    low: float
    high: float
    currency: str
    period: str
    role: str = ""
    bound: str = ""
    basis: str = ""
    reference: bool = False


class AmountReader:
    """Finds amounts with the currencies, multipliers and words of a :class:`Knowledge`."""

    def __init__(self, knowledge: Knowledge) -> None:
        money = knowledge.money
        self._multipliers = money.multipliers
        self._numerals = money.numerals
        self._bare_only = frozenset(money.bare_only)
        self._prefix = {f: n.currency for n in reversed(knowledge.currency_names) if n.prefix for f in n.forms}
        self._suffix = {f: n.currency for n in reversed(knowledge.currency_names) if n.suffix for f in n.forms}
        self._by_end: dict[str, list[str]] = {}
        for name in self._prefix:
            self._by_end.setdefault(name[-2:], []).append(name)
        self._lasts = frozenset(name[-1] for name in self._prefix)
        prefix, suffix = any_of(self._prefix), any_of(self._suffix)
        multiplier, to = any_of(self._multipliers), any_of(money.ranges)

        said = money.phrasing
        glued = any_of(said["glued_period"])

        def one(i: int) -> str:
            return (
                rf"(?:(?:(?<![a-z0-9])|(?=[$€£]))(?P<p{i}>{prefix})[ .:]{{0,2}})?(?P<n{i}>{_NUMBER})"
                rf"(?:[ ]?(?P<m{i}>{multiplier})(?:an|nya)?(?:(?![a-z0-9])|(?={glued})))?(?: an(?![a-z]))?(?:,-|\.-|,00(?!\d))?"
                rf"(?:[ ]?(?P<s{i}>{suffix})(?![a-z0-9]|[ .:]{{0,2}}\d))?"
            )

        # A dash between letters is a space by now, and OCR loses it: two prices side by side are a range as well.
        second = rf"(?:{prefix})[ .:]{{0,2}}\d|\d{{1,3}}[.,]\d{{3}}[.,]\d{{3}}(?!\d)"
        gap = rf"(?:[ ]?(?:-|–|~|(?<![a-z])(?:{to})(?![a-z]))[ ]?|[ ](?={second}))"
        start = r"(?:(?<![a-z0-9.,/@_+-])|(?<=[a-z.)])(?=[$€£]))"
        self._pattern = re.compile(rf"{start}{one(1)}(?:{gap}{one(2)})?")
        self._between = re.compile(rf"[ ]?(?:dan|and|&)[ ]?{one(2)}")
        self._not_money = re.compile(rf"(?:{whole_words(money.not_money, 'a-z0-9')})(?![a-z0-9])")
        words = any_of(self._numerals)
        spelt = rf"(?:(?:{words}|belas|puluh|ratus|setengah)[ ]?){{1,5}}|se"
        self._numeral_ends = (*self._numerals, "belas", "puluh", "ratus", "setengah", "se")
        self._words = re.compile(rf"(?<![a-z0-9])({spelt})(juta|jt|ribu|rb)(?:an)?( setengah)?(?![a-z0-9])")
        self._periods = {word: name for name, listed in money.periods.items() for word in listed}
        self._rupiah_periods = money.rupiah_periods
        names = any_of(self._periods)
        # Words that say the period without "per": those with an affix of their own.
        alone = any_of(
            w
            for w in self._periods
            if w.startswith(("per", "se")) or w.endswith(("an", "ly", "annum", ".")) or w in ("pa", "pm", "p.a")
        )
        basis = any_of(w for listed in money.basis.values() for w in listed)
        self._basis = {w: name for name, listed in money.basis.items() for w in listed}
        self._said_basis = re.compile(rf"(?<![a-z])({basis})(?![a-z])")
        self._period = re.compile(
            rf"(?:[ ]?(?:{basis}|\+|\+ ?-|{any_of(said['filler'])})(?![a-z]))*[ ]?"
            rf"(?:(?:\(? ?(?:/|per)[ ]?(?:per[ ]?)?|(?:{any_of(said['each'])}) )[ ]?(?:1 )?"
            rf"({names})(?![a-z])|\(?({alone})(?![a-z])|\(?({any_of(said['bare_period'])})"
            rf"(?![a-z]| (?:{any_of(said['no_period'])})(?![a-z])))"
        )
        self._period_before = re.compile(rf"(?<![a-z])(?:per )?({alone}|per (?:{names}))(?![a-z])[^.;,+\d]{{0,28}}$")
        self._from = re.compile(rf"(?<![a-z])(?:{any_of(money.bounds['from'])})[ :]{{0,3}}$")
        self._from_far = re.compile(rf"(?<![a-z])(?:{any_of(money.bounds['from_far'])})[^\d]{{1,42}}$")
        self._upto = re.compile(rf"(?<![a-z])(?:{any_of(money.bounds['upto'])})[ :]{{0,3}}$")
        self._from_after = re.compile(
            rf"[ ]?(?:{any_of(money.bounds['from_after'])})(?![a-z])|\+(?![a-z0-9])|[ ]\+(?= (?:per|a|monthly|weekly|daily|/) ?)"
        )
        self._pay_word = re.compile(rf"(?<![a-z])(?:{any_of(money.roles['pay'])})(?![a-z])")
        # Those that hold none of the others: where one of the others stands, one of these does.
        self._reference_words = [w for w in money.reference if not any(o in w for o in money.reference if o != w)]
        named = any_of(money.reference)
        self._reference = re.compile(
            rf"(?<![a-z0-9])(?:{any_of(money.reference_before)})[ :]{{0,3}}"
            rf"(?:(?:{any_of(said['reference_filler'])}) )*({named})(?![a-z])"
            rf"|(?<![a-z])({named}) (?:{any_of(money.reference_after)})(?![a-z])"
        )
        self._antara = re.compile(rf"(?:{any_of(money.bounds['between'])})[ :]{{0,2}}$")

    def find(self, norm: str, *, dollars: str = "", thousands: str = "IDR") -> list[Amount]:
        """Amounts in order; numbers without any sign of money are left out.

        Parameters
        ----------
        norm : str
            Normalised text.
        dollars : str
            ISO code of the country whose dollar a bare ``$`` means; "" for the US dollar.
        thousands : str
            Currency of amounts below 500 thousand that are written with k and no currency.
        """
        text = norm
        found: list[Amount] = []
        raw = norm.encode("ascii", "replace")
        if b"0" in raw.translate(_FIGURES):
            if b"0o" in raw.translate(_READ_AS_FIGURES) and _OCR_FIRST.search(norm):
                text = _OCR.sub(lambda m: m[0][:2] + m[0][2:].translate(_OCR_DIGITS), norm)
            text = self._not_money.sub(lambda m: " " * len(m[0]), text)
            found += self._figures(text, dollars, thousands)
        told = "juta" in norm or "ribu" in norm or " jt" in norm or " rb" in norm
        if told and any(_spelt(text, self._numeral_ends, multiplier) for multiplier in _SPELT_MULTIPLIERS):
            found += self._spelled(text)
        if any(word in norm for word in self._reference_words):
            found += self._references(text)
        return sorted(found, key=lambda a: a.start)

    def _near_digits(self, text: str) -> Iterator[re.Match[str]]:
        """Matches of the pattern, looked for only around digits: most of an ad has none."""
        if text.isascii() or not _OTHER_DIGIT.search(text):
            yield from self._from_digits(text)
            return
        for digits in _DIGITS.finditer(text):
            yield from self._pattern.finditer(text, max(0, digits.start() - _BEFORE), min(len(text), digits.end() + _AFTER))

    def _from_digits(self, text: str) -> Iterator[re.Match[str]]:
        """The same where all digits are plain: an amount begins with a number, or with a currency right before one."""
        end = 0
        signs = text.encode("ascii", "replace").translate(_FIGURES)
        at = signs.find(b"0")
        while at >= 0:
            if at >= end:
                starts = self._currencies_before(text, at, end)
                for start in (*sorted(starts), at) if starts else (at,):
                    if match := self._pattern.match(text, start):
                        end = match.end()
                        yield match
                        break
            after = signs.find(b" ", at)
            at = signs.find(b"0", after) if after >= 0 else -1

    def _currencies_before(self, text: str, at: int, floor: int) -> set[int]:
        """Where names of currencies begin that stand right before a number."""
        found: set[int] = set()
        lasts = self._lasts
        for stop in (at, at - 1, at - 2):
            if stop <= floor or (stop < at and text[stop] not in _BEFORE_NUMBER):
                break
            if text[stop - 1] not in lasts:
                continue
            for name in (*self._by_end.get(text[stop - 1], ()), *self._by_end.get(text[max(0, stop - 2) : stop], ())):
                if stop - len(name) >= floor and text.startswith(name, stop - len(name)):
                    found.add(stop - len(name))
        return found

    def _references(self, text: str) -> Iterator[Amount]:
        for match in self._reference.finditer(text):
            start, end = match.span(1) if match[1] else match.span(2)
            yield Amount(start, end, 0, 0, "IDR", "month", "pay", reference=True)

    def _figures(self, text: str, dollars: str, thousands: str) -> Iterator[Amount]:
        last = 0
        for match in self._near_digits(text):
            if match.start() < last:
                continue  # the second half of "antara 4 dan 6 juta"
            bare = match.lastgroup == "n1" and not match["p1"] and len(match["n1"]) < _SHORTEST_THOUSANDS
            bare = bare and not (_SMALL.fullmatch(match["n1"]) and self._period_at(text, *match.span())[0] in _RATES)
            # A bare number is an amount only where another one follows.
            if bare and not self._antara.search(text, max(0, match.start() - 12), match.start()):
                continue
            group: dict[str, str | None] = match.groupdict()
            end = match.end()
            if not group["n2"] and self._antara.search(text, max(0, match.start() - 12), match.start()):
                second = self._between.match(text, end)
                if second:
                    group, end = {**group, **second.groupdict()}, second.end()
            amount = self._figure(text, match.start(), end, group, dollars, thousands)
            if amount:
                last = end
                yield amount

    def _figure(
        self, text: str, start: int, end: int, group: dict[str, str | None], dollars: str, thousands: str
    ) -> Amount | None:
        n1, n2, m1, m2 = group["n1"] or "", group["n2"], group["m1"], group["m2"]
        if (m1 or m2) and group["s1" if m1 else "s2"] in self._bare_only:
            group = {**group, "s1": None, "s2": None}
        if n2 and group["p2"] and not (group["p1"] or group["s1"] or m1) and _YEAR.fullmatch(n1):  # UMK 2026 Rp 5.288.796
            n1, m1, n2, m2 = n2, m2, None, None
        names = (group["p1"], group["s1"], group["p2"], group["s2"])
        written = next((n for n in names if n), "")
        currency = next((table[n] for n, table in zip(names, (self._prefix, self._suffix) * 2, strict=True) if n), "")
        rate = not currency and not m1 and not n2 and _SMALL.fullmatch(n1) and self._period_at(text, start, end)[0] in _RATES
        if not currency and not m1 and not m2 and not rate and not _thousands(n1):
            return None
        if not currency and "m" in (m1, m2):
            return None
        low = self._value(n1, m1 or (m2 if n2 and _short(n1) else None))
        high = self._value(n2, m2 or (m1 if _short(n2) else None)) if n2 else low
        if high < low:
            if high == 0 or low / high > 50:  # "21-63000" means thousands twice; anything else is no range
                low, high = low, low
            else:
                low, high = high, low
        elif low and high / low >= 900 and low < 1000 and not m1:
            low *= 1000
        if high <= 0:
            return None
        if written == "$" and dollars in _OWN_DOLLARS:
            currency = _OWN_DOLLARS[dollars]
        if written == "$":
            currency = self._named_dollar(text, end) or currency
        if written == "¥":
            currency = "JPY" if dollars == "JP" or (dollars != "CN" and high >= _YEN_LEAST) else "CNY"
        if not currency and "k" in (m1, m2):
            currency = thousands if high <= _THOUSANDS_AT_MOST * 1000 else "IDR"
        elif (not currency and (m1 or m2)) or rate:
            currency = "IDR"
        elif not currency:  # 3.500.000 alone: rupiah if it is large enough to be money
            if low < _UNKNOWN_LEAST or text[max(0, start - 1) : start] == "(" or not _ALL_GROUPED.match(n1):
                return None
            currency = "IDR"
        period, stop = self._period_at(text, start, end, currency)
        return Amount(
            start,
            stop,
            low,
            high,
            currency,
            period,
            bound=self._bound(text, start, end, bool(n2)),
            basis=self._said(text, start, stop),
        )

    def _named_dollar(self, text: str, end: int) -> str:
        """The dollar that a code behind the amount names: ``$4,000 per month (SGD)``."""
        match = _DOLLAR_CODE.search(text[end : end + 24])
        return (match[1] or match[2]).upper() if match else ""

    def _spelled(self, text: str) -> Iterator[Amount]:
        for match in self._words.finditer(text):
            value = 1.0 if match[1] == "se" else self._numeral(match[1].split(), bool(match[3]))
            if value:
                value *= 1e6 if match[2] in ("juta", "jt") else 1e3
                period, end = self._period_at(text, match.start(), match.end())
                bound = self._bound(text, match.start(), match.end(), ranged=False)
                yield Amount(
                    match.start(), end, value, value, "IDR", period, bound=bound, basis=self._said(text, match.start(), end)
                )

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
            elif self._numerals[word] >= 100:
                total += self._numerals[word]
            else:
                current += self._numerals[word]
        return total + current + (0.5 if half else 0)

    def _value(self, number: str, multiplier: str | None) -> float:
        factor = self._multipliers.get(multiplier or "", 1.0)
        compact = number.replace(" ", "")
        if _GROUPED.fullmatch(compact):
            # 1.500 jt or 4.500 juta is rare; 2.500 with "juta" behind it means two and a half.
            if factor >= 1e6 and _TWO_AND_A_HALF.fullmatch(compact):
                return float(compact.replace(",", ".")) * factor
            if _CENTS.search(compact) and compact.count(".") + compact.count(",") > 1:
                compact = compact[: compact.rindex(",")]
            return float(compact.replace(".", "").replace(",", "")) * factor
        if _LOST_SEPARATOR.fullmatch(compact):  # 4000,000: OCR lost a separator
            return float(compact.replace(".", "").replace(",", "")) * factor
        return float(compact.replace(",", ".")) * factor

    def _period_at(self, text: str, start: int, end: int, currency: str = "IDR") -> tuple[str, int]:
        after = self._period.match(text, end)
        if after:
            word = next(g for g in after.groups() if g)
            return (self._rupiah_periods.get(word) if currency == "IDR" else None) or self._periods[word], after.end()
        before = self._period_before.search(text, max(0, start - 44), start)
        if before:
            return self._periods[before[1].removeprefix("per ") if before[1] not in self._periods else before[1]], end
        return "", end

    def _bound(self, text: str, start: int, end: int, ranged: bool) -> str:
        if ranged:
            return ""
        if self._upto.search(text, max(0, start - 20), start):
            return "upto"
        if self._from.search(text, max(0, start - 20), start) or self._from_after.match(text, end):
            return "from"
        far = self._from_far.search(text, max(0, start - 60), start)
        return "from" if far and not self._pay_word.search(text, far.start(), start) else ""

    def _said(self, text: str, start: int, end: int) -> str:
        """Whether net or gross pay is meant, from the words next to the amount."""
        for match in self._said_basis.finditer(text, max(0, start - 14), min(len(text), end + 14)):
            return self._basis[match[1]]
        return ""


def _spelt(text: str, numerals: tuple[str, ...], multiplier: str) -> bool:
    """Whether a multiplier stands behind a number in words."""
    at = text.find(multiplier)
    while at >= 0:
        if text.endswith(numerals, 0, at - 1 if text[at - 1 : at] == " " else at):
            return True
        at = text.find(multiplier, at + 1)
    return False


def _thousands(number: str) -> bool:
    return _MILLIONS.fullmatch(number) is not None


def _short(number: str) -> bool:
    """Whether a number can lack the multiplier of the other one: 10-15jt, 2,5-3jt."""
    return len(_FROM_SIGN.sub("", number)) <= 3 and not _thousands(number)
