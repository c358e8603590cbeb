"""One row type a knowledge table. A field's type is its check: a cell that does not convert is refused at load."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """A country, how ads write it, whether Indonesian workers are officially placed there, and what ads occur."""

    iso: str
    name_id: str
    name_en: str
    variants: tuple[str, ...]
    strict_variants: tuple[str, ...]
    currency: str
    dial_code: str
    placement: str
    hub_risk: str
    why: str
    homonym_guard: tuple[str, ...]
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class Place:
    """A town, district, province or compound, with the kinds of ads documented for it."""

    place: str
    iso: str
    region: str
    kind: str
    variants: tuple[str, ...]
    strict_variants: tuple[str, ...]
    role: str
    hub_risk: str
    homonym_guard: tuple[str, ...]
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class MinimumWage:
    """A published minimum wage of a province, city or country."""

    region: str
    level: str
    iso: str
    year: int
    amount: float
    currency: str
    period: str
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class TypicalWage:
    """What a group of occupations ("" for any work) usually earns in a country."""

    iso: str
    occupation: str
    group: str
    low: float
    high: float | None
    currency: str
    period: str
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """Rupiah for one unit of a currency on a day."""

    currency: str
    idr_per_unit: float
    date: str
    source: str


@dataclass(frozen=True, slots=True)
class CurrencyName:
    """Written forms of a currency, and on which side of a number they may stand."""

    currency: str
    forms: tuple[str, ...]
    prefix: bool
    suffix: bool


@dataclass(frozen=True, slots=True)
class Occupation:
    """An occupation, how ads name it, and what Indonesian ads offer for it (rupiah a month)."""

    occupation: str
    group: str
    forms_id: tuple[str, ...]
    forms_en: tuple[str, ...]
    idr_low: float | None
    idr_median: float | None
    idr_high: float | None
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class Brand:
    """An organisation whose name is worth checking against the contact given; it accuses nobody."""

    name: str
    kind: str
    forms: tuple[str, ...]
    domains: tuple[str, ...]
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class ContactDomain:
    """What kind of address a domain stands for (free mail, short link, official ...)."""

    domain: str
    kind: str
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class Agency:
    """A placement agency on the official list (P3MI), or on the user's copy of it."""

    name: str
    licence: str
    valid_from: str
    valid_until: str
    status: str
    city: str
    contact: str
    domain: str
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class LicenceForm:
    """A kind of licence number: the words that introduce it and the form of the number.

    `alone` is the form that needs no words of its own once the ad has named the licence; `placement` says whether the
    licence is one for placing or recruiting workers.
    """

    kind: str
    label_forms: tuple[str, ...]
    pattern: str
    alone: str
    placement: bool
    scheme: str
    source: str
    date: str


TABLES: dict[str, type] = {
    "countries": Country,
    "places": Place,
    "minimum_wages": MinimumWage,
    "typical_wages": TypicalWage,
    "fx": ExchangeRate,
    "currency_names": CurrencyName,
    "occupations": Occupation,
    "brands": Brand,
    "contact_domains": ContactDomain,
    "agencies": Agency,
    "licence_forms": LicenceForm,
}
"""Table name (file ``tables/<name>.csv``) and its row type."""

KEYS: dict[str, tuple[str, ...]] = {
    "countries": ("iso",),
    "places": ("place", "iso", "kind"),
    "minimum_wages": ("region", "level", "year"),
    "typical_wages": ("iso", "occupation", "group"),
    "fx": ("currency",),
    "currency_names": ("currency", "forms", "prefix"),
    "occupations": ("occupation",),
    "brands": ("name",),
    "contact_domains": ("domain",),
    "agencies": ("name", "licence"),
    "licence_forms": ("kind",),
}
"""Columns that identify a row: a user's row with the same key replaces ours."""
