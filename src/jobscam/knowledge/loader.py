"""Reads the knowledge files, lays a user's folder over ours, checks all of it, and freezes it.

Knowledge is data: a new slang word, place, wage, rate or agency is a row, never a line of Python. Whatever breaks the
schema is refused at load with file and line, so that a typing slip cannot silently switch an indicator off.
"""

from __future__ import annotations

import csv
import hashlib
import re
import tomllib
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from jobscam.errors import KnowledgeError
from jobscam.knowledge import tables as t
from jobscam.values import Indicator, Sign

HERE = Path(__file__).parent
NEGATION = ("drop", "flip", "keep")
_GAP = re.compile(r"\s~(\d*)\s")
_MAX_ALTERNATIVES = 400
DEFAULT_GAP = 4
"""Words that may stand between two slots of a form when it does not say otherwise."""


@dataclass(frozen=True, slots=True)
class Form:
    """A phrase to look for: slots of alternatives in reading order, and how many words may stand between them.

    `unless` are words of which none may stand in a mention or a few words beside it, in its sentence ("kerja di luar" unless
    "kota"); ``#`` is a number within the mention.
    """

    indicator: str
    slots: tuple[tuple[str, ...], ...]
    gaps: tuple[int, ...]
    language: str
    file: str
    line: int
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """What the code needs to know of a language besides its phrases; each list is explained in ``profile.toml``."""

    language: str
    stopwords: frozenset[str]
    negators: frozenset[str]
    post_negators: frozenset[str]
    spent_on: frozenset[str]
    turns: frozenset[str]
    joiners: frozenset[str]
    conditions: frozenset[str]


@dataclass(frozen=True, slots=True)
class MoneyWords:
    """Words that tell what an amount of money is for, and over what time it is paid."""

    roles: dict[str, tuple[str, ...]]
    periods: dict[str, tuple[str, ...]]
    rupiah_periods: dict[str, str]
    multipliers: dict[str, float]
    ranges: tuple[str, ...]
    numerals: dict[str, float]
    months: dict[str, float]
    bounds: dict[str, tuple[str, ...]]
    basis: dict[str, tuple[str, ...]]
    phrasing: dict[str, tuple[str, ...]]
    reference: tuple[str, ...]
    reference_before: tuple[str, ...]
    reference_after: tuple[str, ...]
    not_money: tuple[str, ...]
    posts: tuple[str, ...]
    bare_only: tuple[str, ...]


@dataclass(frozen=True)
class Knowledge:
    """All that jobscam knows, frozen after checking.

    Attributes
    ----------
    digest : str
        SHA-256 over the names and bytes of all files read, in order; stored in every artifact.
    """

    digest: str
    indicators: dict[str, Indicator]
    forms: tuple[Form, ...]
    profiles: dict[str, Profile]
    sentences: dict[str, dict[str, str]]
    money: MoneyWords
    settings: dict[str, Any]
    cues: dict[str, dict[str, list[str]]]
    countries: dict[str, t.Country]
    places: tuple[t.Place, ...]
    minimum_wages: tuple[t.MinimumWage, ...]
    typical_wages: tuple[t.TypicalWage, ...]
    fx: dict[str, float]
    currency_names: tuple[t.CurrencyName, ...]
    occupations: tuple[t.Occupation, ...]
    brands: tuple[t.Brand, ...]
    contact_domains: dict[str, str]
    agencies: tuple[t.Agency, ...]
    licence_forms: tuple[t.LicenceForm, ...]


def load(overlay: Path | str | None = None, agencies: Path | str | None = None) -> Knowledge:
    """Load the shipped knowledge, with a user's folder and list of agencies laid over it.

    Parameters
    ----------
    overlay : path, optional
        Folder with the same layout as ours; its rows are added, and replace rows with the same key.
    agencies : path, optional
        CSV of licensed agencies that replaces the shipped (fictitious) sample.

    Raises
    ------
    KnowledgeError
        With file and line of the first fault.
    """
    return _load(str(overlay) if overlay else None, str(agencies) if agencies else None)


@lru_cache(maxsize=4)
def _load(overlay: str | None, agencies: str | None) -> Knowledge:
    roots = [HERE] + ([Path(overlay)] if overlay else [])
    for root in roots:
        if not root.is_dir():
            raise KnowledgeError(str(root), 0, "is not a folder; give a folder with the layout of the shipped knowledge")
    reader = _Reader()
    indicators = _indicators(reader, roots)
    languages = sorted({p.name for root in roots for p in (root / "languages").glob("*") if p.is_dir()})
    forms = tuple(f for code in languages for root in roots for f in _forms(reader, root, code, indicators))
    loaded = {name: _table(reader, roots, name) for name in t.TABLES}
    if agencies:
        loaded["agencies"] = list(_rows(reader, Path(agencies), t.Agency).values())
    knowledge = Knowledge(
        digest="",
        indicators=indicators,
        forms=forms,
        profiles={code: _profile(reader, roots, code) for code in languages},
        sentences={code: _sentences(reader, roots, code) for code in ("id", "en")},
        money=_money(reader, roots),
        settings=_merged(reader, roots, "settings.toml"),
        cues=_merged(reader, roots, "cues.toml"),
        countries={row.iso: row for row in loaded["countries"]},
        places=tuple(loaded["places"]),
        minimum_wages=tuple(loaded["minimum_wages"]),
        typical_wages=tuple(loaded["typical_wages"]),
        fx={row.currency: row.idr_per_unit for row in loaded["fx"]},
        currency_names=tuple(loaded["currency_names"]),
        occupations=tuple(loaded["occupations"]),
        brands=tuple(loaded["brands"]),
        contact_domains={row.domain: row.kind for row in loaded["contact_domains"]},
        agencies=tuple(loaded["agencies"]),
        licence_forms=tuple(loaded["licence_forms"]),
    )
    _check_references(knowledge, roots[0])
    object.__setattr__(knowledge, "digest", reader.digest())
    return knowledge


class _Reader:
    """Reads files once and remembers their bytes for the digest."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def text(self, path: Path) -> str:
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise KnowledgeError(str(path), 0, f"cannot be read ({error.strerror})") from error
        self._hash.update(f"{path.parent.name}/{path.name}:{len(raw)}\n".encode())
        self._hash.update(raw)
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            raise KnowledgeError(str(path), line, "is not UTF-8; save the file as UTF-8") from error

    def toml(self, path: Path) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text(path))
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            raise KnowledgeError(str(path), int(found[1]) if found else 0, f"is not valid TOML: {error}") from error

    def csv(self, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
        reader = csv.DictReader(self.text(path).splitlines(), strict=True)
        try:
            for row in reader:
                if None in row or None in row.values():
                    raise KnowledgeError(str(path), reader.line_num, f"needs {len(reader.fieldnames or ())} cells")
                yield reader.line_num, row
        except csv.Error as error:
            raise KnowledgeError(str(path), reader.line_num, f"is not valid CSV: {error}") from error

    def digest(self) -> str:
        return self._hash.hexdigest()


def _indicators(reader: _Reader, roots: list[Path]) -> dict[str, Indicator]:
    found: dict[str, Indicator] = {}
    for path in (root / name for root in roots for name in ("indicators.toml", "computed.toml")):
        if not path.exists() and path.parent != roots[0]:
            continue
        for name, block in reader.toml(path).items():
            try:
                found[name] = Indicator(
                    name=name,
                    family=block["family"],
                    sign=Sign(block["sign"]),
                    prior=float(block.get("prior", 0.0)),
                    negation=block.get("negation", "drop"),
                    flips_to=block.get("flips_to", ""),
                )
            except (KeyError, ValueError) as error:
                raise KnowledgeError(str(path), 0, f"[{name}] lacks or misspells {error}") from error
            indicator = found[name]
            if indicator.negation not in NEGATION:
                raise KnowledgeError(str(path), 0, f"[{name}] negation must be one of {NEGATION}")
            wrong = (indicator.sign is Sign.RISK and indicator.prior < 0) or (
                indicator.sign is Sign.SAFETY and indicator.prior > 0
            )
            if wrong:
                raise KnowledgeError(str(path), 0, f"[{name}] prior {indicator.prior} contradicts sign {indicator.sign.value}")
    for indicator in found.values():
        if indicator.negation == "flip" and indicator.flips_to not in found:
            raise KnowledgeError("indicators.toml", 0, f"[{indicator.name}] flips_to unknown '{indicator.flips_to}'")
    return found


def _forms(reader: _Reader, root: Path, code: str, indicators: dict[str, Indicator]) -> Iterator[Form]:
    path = root / "languages" / code / "phrases.csv"
    if not path.exists():
        return
    for line, row in reader.csv(path):
        name, written = row["indicator"], row["form"]
        if name not in indicators:
            raise KnowledgeError(str(path), line, f"unknown indicator '{name}'; declare it in indicators.toml")
        parts = _GAP.split(written)
        slots = tuple(tuple(a.strip() for a in part.split("|")) for part in parts[::2])
        if any(not a for slot in slots for a in slot) or sum(map(len, slots)) > _MAX_ALTERNATIVES:
            raise KnowledgeError(str(path), line, f"form '{written}' has an empty or too long slot")
        unless = tuple(w for w in row.get("unless", "").split("|") if w)
        for alternative in (*(a for slot in slots for a in slot), *unless):
            if alternative != alternative.lower() or re.search(r"[-/'~\n]|  ", alternative):
                raise KnowledgeError(
                    str(path),
                    line,
                    f"'{alternative}' can never match: write it lower case, a space for hyphen, slash or apostrophe",
                )
        gaps = tuple(int(g) if g else DEFAULT_GAP for g in parts[1::2])
        yield Form(name, slots, gaps, code, str(path), line, unless)


def _table(reader: _Reader, roots: list[Path], name: str) -> list[Any]:
    rows: dict[tuple[str, ...], Any] = {}
    for root in roots:
        path = root / "tables" / f"{name}.csv"
        if path.exists() or root is roots[0]:
            rows.update(_rows(reader, path, t.TABLES[name], t.KEYS[name]))
    return list(rows.values())


def _rows(reader: _Reader, path: Path, kind: type, key: tuple[str, ...] = ("name", "licence")) -> dict[tuple[str, ...], Any]:
    hints = typing.get_type_hints(kind)
    names = [f.name for f in fields(kind)]
    out: dict[tuple[str, ...], Any] = {}
    for line, row in reader.csv(path):
        missing = [n for n in names if n not in row]
        if missing:
            raise KnowledgeError(str(path), 1, f"lacks the column(s) {', '.join(missing)}")
        identity = tuple(row[k].strip() for k in key)
        if identity in out:
            raise KnowledgeError(str(path), line, f"repeats the row {identity}")
        out[identity] = kind(**{n: _cell(row[n].strip(), hints[n], path, line, n) for n in names})
    return out


def _cell(cell: str, kind: Any, path: Path, line: int, column: str) -> Any:
    if isinstance(kind, types.UnionType):
        if not cell:
            return None
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    if typing.get_origin(kind) is tuple:
        return tuple(part.strip() for part in cell.split("|") if part.strip())
    if kind is bool:
        if cell not in ("yes", "no"):
            raise KnowledgeError(str(path), line, f"column '{column}' must be yes or no, got '{cell}'")
        return cell == "yes"
    try:
        return kind(cell)
    except ValueError as error:
        raise KnowledgeError(str(path), line, f"column '{column}' needs a number, got '{cell}'") from error


def _merged(reader: _Reader, roots: list[Path], name: str) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for root in roots:
        path = root / name
        if path.exists() or root is roots[0]:
            for key, value in reader.toml(path).items():
                merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return merged


def _profile(reader: _Reader, roots: list[Path], code: str) -> Profile:
    data: dict[str, list[str]] = {field.name: [] for field in fields(Profile) if field.name != "language"}
    for root in roots:
        path = root / "languages" / code / "profile.toml"
        if path.exists():
            for key, value in reader.toml(path).items():
                if key in data:
                    data[key] += value
    return Profile(code, **{name: frozenset(words) for name, words in data.items()})


def _sentences(reader: _Reader, roots: list[Path], code: str) -> dict[str, str]:
    merged: dict[str, str] = {}
    for root in roots:
        for path in sorted((root / "languages" / code).glob("*sentences.toml")):
            for block in reader.toml(path).values():
                merged.update(block)
    return merged


def _money(reader: _Reader, roots: list[Path]) -> MoneyWords:
    data = _merged(reader, roots, "money.toml")
    return MoneyWords(
        roles={k: tuple(v) for k, v in data["roles"].items()},
        periods={k: tuple(v) for k, v in data["periods"].items()},
        rupiah_periods=dict(data["rupiah_periods"]),
        multipliers={k: float(v) for k, v in data["multipliers"].items()},
        ranges=tuple(data["ranges"]["words"]),
        numerals={k: float(v) for k, v in data["numerals"].items()},
        months={k: float(v) for k, v in data["months"].items()},
        bounds={k: tuple(v) for k, v in data["bounds"].items()},
        phrasing={k: tuple(v) for k, v in data["phrasing"].items()},
        basis={k: tuple(v) for k, v in data["basis"].items()},
        reference=tuple(data["reference"]["words"]),
        reference_before=tuple(data["reference"]["before"]),
        reference_after=tuple(data["reference"]["after"]),
        not_money=tuple(data["not_money"]["words"]),
        posts=tuple(data["posts"]["words"]),
        bare_only=tuple(data["bare_only"]["words"]),
    )


def _check_references(k: Knowledge, root: Path) -> None:
    """Foreign keys between tables, and sentences for every indicator that can be a reason."""
    folder = root / "tables"
    located: list[t.Place | t.MinimumWage | t.TypicalWage] = [*k.places, *k.minimum_wages, *k.typical_wages]
    for row in located:
        if row.iso not in k.countries:
            raise KnowledgeError(str(folder), 0, f"{type(row).__name__} names the unknown country '{row.iso}'")
    paid: list[t.MinimumWage | t.TypicalWage] = [*k.minimum_wages, *k.typical_wages]
    for wage in paid:
        if wage.currency not in k.fx:
            raise KnowledgeError(str(folder / "fx.csv"), 0, f"has no rate for '{wage.currency}'")
        if wage.period not in k.money.months:
            raise KnowledgeError(str(folder), 0, f"{type(wage).__name__} has the unknown period '{wage.period}'")
    groups = {occupation.group for occupation in k.occupations}
    for typical in k.typical_wages:
        if typical.group and typical.group not in groups:
            raise KnowledgeError(str(folder / "typical_wages.csv"), 0, f"names the unknown group '{typical.group}'")
    for names in k.currency_names:
        if names.currency not in k.fx:
            raise KnowledgeError(str(folder / "fx.csv"), 0, f"has no rate for '{names.currency}'")
    periods = {word for words in k.money.periods.values() for word in words}
    for word in k.money.phrasing["bare_period"]:
        if word not in periods:
            raise KnowledgeError(str(root / "money.toml"), 0, f"bare_period names '{word}', which is no word of [periods]")
    for code, sentences in k.sentences.items():
        for name, indicator in k.indicators.items():
            if indicator.sign is not Sign.CONTEXT and name not in sentences:
                path = root / "languages" / code / "sentences.toml"
                raise KnowledgeError(str(path), 0, f"has no sentence for the indicator '{name}'")
