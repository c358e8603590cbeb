"""Pay promised, brought to rupiah a month, against what that work pays at that place."""

from __future__ import annotations

import math
import re
from copy import copy
from dataclasses import dataclass

from jobscam.indicators.amounts import Amount
from jobscam.indicators.destination import Destination
from jobscam.indicators.document import Document
from jobscam.indicators.matcher import Matcher, any_of
from jobscam.indicators.money import MoneyReader, is_plausible_pay
from jobscam.indicators.reference import PayReference, PaySample
from jobscam.knowledge import Knowledge
from jobscam.knowledge.tables import Occupation
from jobscam.values import Evidence, Span

_NUMBER_CELL = re.compile(r"\s*(?:[A-Za-z$.]{0,4}\s*)?(\d[\d.,\s]{0,20})\s*$")


_INDONESIAN_MINIMUM = ("um", "upah")
_RUPIAH_LEAST = 100_000
_HOURLY_MOST = 80
_RANGE_LEAST = 12_000
_BOUND_LEAST = 100
_RUPIAH_LIKELY = 1_000_000
_BARE = re.compile(r"\s*(\d[\d.,]{0,14})(?:\s?(?:-|to|s/d|sd)\s?(\d[\d.,]{0,14}))?(?:\s?\(?([a-z]{3})\)?)?\s*")


@dataclass(frozen=True, slots=True)
class Pay:
    """Base pay promised.

    Attributes
    ----------
    low, high : float or None
        Rupiah a month; None where the ad states no base pay that can be read.
    amounts : tuple of Amount
        All amounts of money found, whatever they are for.
    base : tuple of Amount
        Those taken as base pay.
    currency : str
        Currency of the highest base pay.
    field_span : Span or None
        Of pay read from the columns for it.
    at : tuple of (int, int) or None
        Where the highest base pay stands in the normalised text.
    """

    low: float | None
    high: float | None
    amounts: tuple[Amount, ...]
    base: tuple[Amount, ...]
    currency: str
    field_span: Span | None = None
    at: tuple[int, int] | None = None


class SalaryReader:
    """Reads pay from the text and from metadata columns, and compares it with the wage tables."""

    def __init__(self, knowledge: Knowledge, reference: PayReference | None = None) -> None:
        self._reference = reference or PayReference({})
        levels = [(w, level) for level, words in knowledge.cues["education"].items() for w in words]
        self._levels = dict(levels)
        self._schooling = re.compile(rf"(?<![a-z0-9])({any_of(self._levels)})(?![a-z0-9])")
        self._money = MoneyReader(knowledge)
        self._knowledge = knowledge
        self._settings = knowledge.settings["salary"]
        self._senior = re.compile(rf"(?<![a-z])(?:{any_of(knowledge.cues['seniority']['words'])})(?![a-z])")
        self.matcher: Matcher[Occupation] = Matcher(
            (form, row) for row in knowledge.occupations for form in (*row.forms_id, *row.forms_en)
        )
        self._minimum = _latest_minimum(knowledge, self._money)
        self._typical = _typical(knowledge, self._money)
        everyday = [
            o.idr_high for o in knowledge.occupations if o.idr_high and o.group not in ("mining", "maritime", "it", "management")
        ]
        self._everyday_high = sorted(everyday)[len(everyday) // 2] if everyday else 6_000_000.0

    def with_reference(self, reference: PayReference) -> SalaryReader:
        """The same reader with another reference of pay."""
        other = copy(self)
        other._reference = reference
        return other

    def read(self, document: Document, language: str, place: Destination) -> Pay:
        """All money in the ad, and which of it is base pay.

        `language` and `place` settle what a bare ``$`` or ``k`` means.
        """
        home = self._home_currency(language, place.iso)
        amounts = self._money.find(document.norm, dollars=place.iso, thousands=home or "USD")
        amounts += self._bare_field(document, amounts, home)
        amounts.sort(key=lambda a: a.start)
        base = self._base(document, amounts)
        columns = self._columns(document, home)
        if columns:
            return Pay(columns[0], columns[1], tuple(amounts), tuple(base), columns[2], columns[3])
        valued = []
        for amount in base:
            words = document.norm[amount.start : amount.end]
            low, high = self._idr(amount, amount.low, place, words), self._idr(amount, amount.high, place, words)
            if low and high:
                valued.append((amount, low, high))
        if not valued:
            return Pay(None, None, tuple(amounts), tuple(base), "")
        top, _, highest = max(valued, key=lambda v: v[2])
        return Pay(min(low for _, low, _ in valued), highest, tuple(amounts), tuple(base), top.currency, at=(top.start, top.end))

    def _home_currency(self, language: str, iso: str) -> str:
        """Currency of figures that name none: rupiah among Indonesians, else the place's own; "" if nothing tells."""
        if language != "en" or iso == "ID":
            return "IDR"
        country = self._knowledge.countries.get(iso)
        return country.currency if country else ""

    def _base(self, document: Document, amounts: list[Amount]) -> list[Amount]:
        """Amounts taken as base pay: what is called pay or stands in the field for it; else what can hardly be anything else."""
        stated, likely = [], []
        for amount in amounts:
            if not amount.reference:
                monthly = self._money.monthly_idr(amount.high, amount.currency, amount.period)
                if monthly is None and amount.period != "task":
                    continue
                if monthly is not None and amount.period != "task" and not is_plausible_pay(monthly):
                    continue
            field = document.field_at(amount.start)
            if amount.role == "pay" or field == "salary" or (field == "title" and not amount.role):
                stated.append(amount)
            elif not amount.role and amount.period != "task" and _says_pay_itself(amount):
                likely.append(amount)
        if stated:
            return stated + [a for a in likely if a.currency != "IDR"]
        return likely

    def _idr(self, amount: Amount, value: float, place: Destination, words: str) -> float | None:
        if amount.reference:
            if words.startswith(_INDONESIAN_MINIMUM):
                home = place.chosen
                if place.iso != "ID" or home is None or not home.region:
                    return None
                return self._minimum.get(("ID", home.name.lower())) or self.minimum("ID", home.region)
            return self.minimum(place.iso or "ID", place.region) if place.region or place.iso not in ("", "ID") else None
        return self._money.monthly_idr(value, amount.currency, amount.period)

    def _bare_field(self, document: Document, amounts: list[Amount], home: str) -> list[Amount]:
        """A bare number or range in the salary column, which needs no sign of money to be pay."""
        bounds = document.norm_range("salary")
        if bounds is None or any(bounds[0] <= a.start < bounds[1] for a in amounts):
            return []
        match = _BARE.fullmatch(document.norm, *bounds)
        named = match[3].upper() if match and match[3] else ""
        if not match:
            return []
        low, high = _cell_number(match[1]) or 0.0, _cell_number(match[2] or match[1]) or 0.0
        if high and low and high / low >= 200:  # "21-63000" means thousands twice
            low *= 1000
        elif _HOURLY_MOST < high < 1000 and home != "IDR":  # "70-100": thousands a year
            low, high = low * 1000, high * 1000
        if high <= 0 or low > high:
            return []
        small = home in ("", "IDR") and high < _RUPIAH_LEAST
        currency = named or document.posting.salary_currency.strip().upper() or ("USD" if small else home or "IDR")
        period = self._period_cell(document.posting.salary_period, high, currency)
        bound = "upto" if low == 0 else ""
        return [Amount(match.start(1), match.end(), low, high, currency, period, "pay", bound)]

    def _columns(self, document: Document, home: str) -> tuple[float, float, str, Span] | None:
        """Pay from the columns for minimum and maximum."""
        posting = document.posting
        low, high = _cell_number(posting.salary_min), _cell_number(posting.salary_max)
        span = Span("salary_max" if high else "salary_min", 0, len(posting.salary_max if high else posting.salary_min))
        if low is None and high is None:
            return None
        values = [v for v in (low, high) if v]
        if not values:
            return None
        currency = posting.salary_currency.strip().upper()
        if currency in ("RP", "RUPIAH"):
            currency = "IDR"
        if not currency:
            currency = home if home and home != "IDR" else "IDR" if max(values) >= 500_000 else "USD"
        period = self._period_cell(posting.salary_period, max(values), currency)
        monthly = [self._money.monthly_idr(v, currency, period) for v in values]
        known = [m for m in monthly if m and is_plausible_pay(m)]
        return (min(known), max(known), currency, span) if known else None

    def _period_cell(self, cell: str, value: float, currency: str) -> str:
        for period, words in self._knowledge.money.periods.items():
            if cell.strip().lower() in words:
                return period
        if currency == "IDR":
            return "month"
        return "hour" if value <= _HOURLY_MOST else "year" if value >= 12_000 else "month"

    def occupation(self, document: Document) -> tuple[Occupation | None, Span | None]:
        """The occupation advertised: in the title if there is one, else the first one named."""
        hits = self.matcher.find_longest(document.norm)
        if not hits:
            return None, None
        first = hits[0]
        return first.payload, document.span(first.start, first.end)

    def education(self, document: Document) -> str:
        """The lowest schooling that the ad asks for, or ""; levels in the order of the cue words."""
        found = {self._levels[m[1]] for m in self._schooling.finditer(document.norm)}
        return next((level for level in dict.fromkeys(self._levels.values()) if level in found), "")

    def sample(self, document: Document, pay: Pay, destination: Destination) -> PaySample | None:
        """What this ad adds to a reference, if it is honest; None without pay, or where the work is abroad."""
        if pay.high is None or destination.iso not in ("", "ID"):
            return None
        occupation, _ = self.occupation(document)
        group = occupation.group if occupation else ""
        return PaySample(pay.high, group, destination.region, self.education(document))

    def minimum(self, iso: str, region: str) -> float | None:
        """Published minimum wage, rupiah a month, of the nearest place that has one."""
        return self._minimum.get((iso, region.lower())) or self._minimum.get((iso, ""))

    def _usual_abroad(self, destination: Destination, group: str) -> float | None:
        """What the work pays in another country, rupiah a month: its own wage, else the minimum or what any work pays."""
        iso = destination.iso
        own = self._typical.get((iso, group)) if group else None
        known = [v for v in (self.minimum(iso, destination.region), self._typical.get((iso, ""))) if v]
        return own or max(known, default=None)

    def find(self, document: Document, pay: Pay, destination: Destination, abroad: bool) -> list[Evidence]:
        """Evidence from pay: above the occupation, above the minimum of the place, foreign currency, wide range."""
        if pay.high is None:
            return []
        out: list[Evidence] = []
        spans = self._pay_spans(document, pay)
        occupation, occupation_span = self.occupation(document)
        senior = self._senior.search(document.norm) is not None
        iso = destination.iso or "ID"
        threshold = float(self._settings["above_reference"])
        detail = f"pay={pay.high:.0f}"
        reference = occupation.idr_high if occupation and occupation.idr_high else self._everyday_high
        indonesian_pay = iso == "ID" or destination.chosen is None
        if not senior and indonesian_pay and (pay.currency == "IDR" or abroad):
            ratio = pay.high / reference
            if ratio >= threshold:
                name = occupation.occupation if occupation else ""
                more = f"{detail};reference={reference:.0f};ratio={ratio:.1f};occupation={name}"
                extra = (occupation_span,) if occupation_span else ()
                out.append(Evidence("pay_above_occupation", spans + extra, _strength(ratio, threshold), more))
        if not senior and indonesian_pay and (pay.currency == "IDR" or abroad):
            out += self._against_peers(document, pay, occupation, destination, spans)
        usual = self._usual_abroad(destination, occupation.group if occupation else "")
        plain = occupation is not None and occupation.group in self._settings["plain_work"]
        if (abroad or plain) and iso != "ID" and usual and not senior:
            ratio = pay.high / usual
            if ratio >= threshold:
                name = destination.chosen.name if destination.chosen else iso
                more = f"{detail};reference={usual:.0f};ratio={ratio:.1f};place={name}"
                out.append(Evidence("pay_above_destination", spans, _strength(ratio, threshold), more))
        if pay.currency not in ("", "IDR") and abroad:
            local = self._knowledge.countries[iso].currency if iso in self._knowledge.countries and iso != "ID" else ""
            if pay.currency != local:
                out.append(Evidence("pay_foreign_currency", spans, 1.0, f"currency={pay.currency}"))
        if pay.low and pay.high / pay.low >= float(self._settings["wide_range"]) and len(pay.base) == 1:
            out.append(Evidence("pay_range_wide", spans, 1.0, f"{detail};low={pay.low:.0f}"))
        home = self._minimum.get(("ID", destination.region.lower())) or self._minimum.get(("ID", ""))
        if not abroad and home and 0.35 * home <= pay.high <= threshold * reference and iso == "ID":
            out.append(Evidence("pay_ordinary", spans, 1.0, detail))
        return out

    def _against_peers(
        self, document: Document, pay: Pay, occupation: Occupation | None, destination: Destination, spans: tuple[Span, ...]
    ) -> list[Evidence]:
        """Pay against what honest ads of the training data pay for this work, and for this schooling."""
        out = []
        threshold = float(self._settings["above_peers"])
        high = pay.high or 0.0
        peers = self._reference.expected(occupation.group if occupation else "", destination.region)
        if peers and high >= threshold * peers[0]:
            detail = f"pay={high:.0f};reference={peers[0]:.0f};ratio={high / peers[0]:.1f};n={peers[1]}"
            out.append(Evidence("pay_above_peers", spans, _strength(high / peers[0], threshold), detail))
        level = self.education(document)
        schooled = self._reference.for_education(level) if level in self._settings["low_schooling"] else None
        if schooled and high >= threshold * schooled[0]:
            detail = (
                f"pay={high:.0f};reference={schooled[0]:.0f};ratio={high / schooled[0]:.1f};n={schooled[1]};education={level}"
            )
            out.append(Evidence("pay_above_requirements", spans, _strength(high / schooled[0], threshold), detail))
        return out

    @staticmethod
    def _pay_spans(document: Document, pay: Pay) -> tuple[Span, ...]:
        if pay.field_span:
            return (pay.field_span,)
        return tuple(document.span(a.start, a.end) for a in pay.base[:3])


def _says_pay_itself(amount: Amount) -> bool:
    """Whether an amount that no word explains is hardly anything but pay: rupiah, a range by the year, a stated bound."""
    if amount.currency == "IDR":
        return amount.high >= _RUPIAH_LIKELY
    return (amount.bound != "" and amount.high >= _BOUND_LEAST) or (amount.high > amount.low >= _RANGE_LEAST)


def _strength(ratio: float, threshold: float) -> float:
    """1 at the threshold, growing with the logarithm, at most 2."""
    return min(2.0, 1.0 + math.log(ratio / threshold) / math.log(4.0))


def _cell_number(cell: str) -> float | None:
    match = _NUMBER_CELL.match(cell) if cell else None
    if not match:
        return None
    digits = match[1].strip()
    if re.fullmatch(r"\d{1,3}(?:[.,\s]\d{3})+", digits):
        return float(re.sub(r"\D", "", digits))
    digits = digits.replace(",", ".").replace(" ", "")
    return float(digits) if re.fullmatch(r"\d+(?:\.\d+)?", digits) else None


def _latest_minimum(knowledge: Knowledge, money: MoneyReader) -> dict[tuple[str, str], float]:
    """Newest minimum wage by (country, lower-case region); the country row has the region ''."""
    newest: dict[tuple[str, str], tuple[int, float]] = {}
    for wage in knowledge.minimum_wages:
        region = "" if wage.level == "country" else wage.region.lower()
        monthly = money.monthly_idr(wage.amount, wage.currency, wage.period)
        key = (wage.iso, region)
        if monthly and (key not in newest or wage.year > newest[key][0]):
            newest[key] = (wage.year, monthly)
    found = {key: value for key, (_, value) in newest.items()}
    for (iso, region), value in list(found.items()):  # towns are named without what they are
        for kind in ("kabupaten ", "kota "):
            if region.startswith(kind):
                found.setdefault((iso, region.removeprefix(kind)), value)
    provinces = sorted(v for (iso, region), v in found.items() if iso == "ID" and region)
    if provinces and ("ID", "") not in found:
        found[("ID", "")] = provinces[len(provinces) // 2]
    return found


def _typical(knowledge: Knowledge, money: MoneyReader) -> dict[tuple[str, str], float]:
    """Highest usual wage, rupiah a month, by (country, group of occupations); "" is any work."""
    found: dict[tuple[str, str], float] = {}
    for wage in knowledge.typical_wages:
        monthly = money.monthly_idr(wage.high or wage.low, wage.currency, wage.period)
        if monthly:
            key = (wage.iso, wage.group)
            found[key] = max(monthly, found.get(key, 0.0))
    return found
