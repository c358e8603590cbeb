"""Pay promised, brought to rupiah a month, against what that work pays at that place."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from jobscam.indicators.destination import Destination
from jobscam.indicators.document import Document
from jobscam.indicators.matcher import Matcher, any_of
from jobscam.indicators.money import Amount, MoneyReader, is_plausible_pay
from jobscam.knowledge import Knowledge
from jobscam.knowledge.tables import Occupation
from jobscam.values import Evidence, Span

_NUMBER_CELL = re.compile(r"\s*(?:[A-Za-z$.]{0,4}\s*)?(\d[\d.,\s]{0,20})\s*$")


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
    """

    low: float | None
    high: float | None
    amounts: tuple[Amount, ...]
    base: tuple[Amount, ...]
    currency: str
    field_span: Span | None = None


class SalaryReader:
    """Reads pay from the text and from metadata columns, and compares it with the wage tables."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._money = MoneyReader(knowledge)
        self._knowledge = knowledge
        self._settings = knowledge.settings["salary"]
        self._senior = re.compile(rf"(?<![a-z])(?:{any_of(knowledge.cues['seniority']['words'])})(?![a-z])")
        self._occupations: Matcher[Occupation] = Matcher(
            (form, row) for row in knowledge.occupations for form in (*row.forms_id, *row.forms_en)
        )
        self._minimum = _latest_minimum(knowledge, self._money)
        everyday = [
            o.idr_high for o in knowledge.occupations if o.idr_high and o.group not in ("mining", "maritime", "it", "management")
        ]
        self._everyday_high = sorted(everyday)[len(everyday) // 2] if everyday else 6_000_000.0

    def read(self, document: Document) -> Pay:
        """All money in the ad, and which of it is base pay."""
        amounts = tuple(self._money.find(document.norm, document.text.lines))
        base = []
        for amount in amounts:
            in_salary_field = bool(document.posting.salary) and document.field_at(amount.start) == "salary"
            if not in_salary_field and amount.role not in ("pay", ""):
                continue
            monthly = self._money.monthly_idr(amount.high, amount.currency, amount.period)
            if monthly is not None and is_plausible_pay(monthly):
                base.append(amount)
        stated = [a for a in base if a.role == "pay" or (document.posting.salary and document.field_at(a.start) == "salary")]
        base = stated or base
        from_columns = self._columns(document)
        if from_columns:
            low, high, currency, span = from_columns
            return Pay(low, high, amounts, (), currency, span)
        if not base:
            return Pay(None, None, amounts, (), "")
        top = max(base, key=lambda a: self._monthly(a.high, a))
        return Pay(min(self._monthly(a.low, a) for a in base), self._monthly(top.high, top), amounts, tuple(base), top.currency)

    def _monthly(self, value: float, amount: Amount) -> float:
        return self._money.monthly_idr(value, amount.currency, amount.period) or 0.0

    def _columns(self, document: Document) -> tuple[float, float, str, Span] | None:
        """Pay from the columns for minimum and maximum, or from a bare range in the salary column."""
        posting = document.posting
        low, high = _cell_number(posting.salary_min), _cell_number(posting.salary_max)
        span = Span("salary_max" if high else "salary_min", 0, len(posting.salary_max if high else posting.salary_min))
        if low is None and high is None:
            bare = re.fullmatch(r"\s*(\d{2,12})\s*-\s*(\d{2,12})\s*", posting.salary)
            if not bare:
                return None
            low, high = float(bare[1]), float(bare[2])
            span = Span("salary", 0, len(posting.salary))
        values = [v for v in (low, high) if v]
        if not values:
            return None
        currency = posting.salary_currency.strip().upper()
        if currency in ("RP", "RUPIAH"):
            currency = "IDR"
        if not currency:
            currency = "IDR" if max(values) >= 500_000 else "USD"
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
        return "hour" if value < 80 else "year" if value >= 15_000 else "month"

    def occupation(self, document: Document) -> tuple[Occupation | None, Span | None]:
        """The occupation advertised: in the title if there is one, else the first one named."""
        hits = self._occupations.find_longest(document.norm)
        if not hits:
            return None, None
        first = hits[0]
        return first.payload, document.span(first.start, first.end)

    def minimum(self, iso: str, region: str) -> float | None:
        """Published minimum wage, rupiah a month, of the nearest place that has one."""
        return self._minimum.get((iso, region.lower())) or self._minimum.get((iso, ""))

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
        minimum = self.minimum(iso, destination.region)
        if abroad and iso != "ID" and minimum and not senior:
            ratio = pay.high / minimum
            if ratio >= threshold:
                name = destination.chosen.name if destination.chosen else iso
                more = f"{detail};reference={minimum:.0f};ratio={ratio:.1f};place={name}"
                out.append(Evidence("pay_above_destination", spans, _strength(ratio, threshold), more))
        if pay.currency not in ("", "IDR") and abroad:
            local = self._knowledge.countries[iso].currency if iso in self._knowledge.countries and iso != "ID" else ""
            if pay.currency != local or iso in ("KH",):
                out.append(Evidence("pay_foreign_currency", spans, 1.0, f"currency={pay.currency}"))
        if pay.low and pay.high / pay.low >= float(self._settings["wide_range"]) and len(pay.base) == 1:
            out.append(Evidence("pay_range_wide", spans, 1.0, f"{detail};low={pay.low:.0f}"))
        home = self._minimum.get(("ID", destination.region.lower())) or self._minimum.get(("ID", ""))
        if not abroad and home and 0.35 * home <= pay.high <= threshold * reference and iso == "ID":
            out.append(Evidence("pay_ordinary", spans, 1.0, detail))
        return out

    @staticmethod
    def _pay_spans(document: Document, pay: Pay) -> tuple[Span, ...]:
        if pay.field_span:
            return (pay.field_span,)
        return tuple(document.span(a.start, a.end) for a in pay.base[:3])


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
    provinces = sorted(v for (iso, region), v in found.items() if iso == "ID" and region)
    if provinces and ("ID", "") not in found:
        found[("ID", "")] = provinces[len(provinces) // 2]
    return found
