"""Where the work is: place mentions with their role, and what kinds of ads are documented for the place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jobscam.indicators.document import Document
from jobscam.indicators.matcher import Hit, Matcher, any_of
from jobscam.knowledge import Knowledge
from jobscam.knowledge.tables import Country, Place
from jobscam.values import Evidence, Span

_REACH = 40


@dataclass(frozen=True, slots=True)
class Mention:
    """A place found in an ad. `role` is work, transit, office, denied or mention."""

    iso: str
    name: str
    region: str
    hub_risk: str
    kind: str
    role: str
    start: int
    end: int
    field: str


@dataclass(frozen=True, slots=True)
class Destination:
    """What the mentions add up to."""

    iso: str
    region: str
    mentions: tuple[Mention, ...]
    chosen: Mention | None


class DestinationReader:
    """Finds place mentions, settles their roles, and decides where the work is."""

    def __init__(self, knowledge: Knowledge) -> None:
        cues = knowledge.cues["place"]
        filler = f"(?:(?:{any_of(cues['filler'])}) )?"
        # The first role whose cue stands before the name: a denial outweighs a route, a route the general words of place.
        self._roles = [
            (role, re.compile(rf"(?<![a-z])(?:{any_of(cues[role])})[ :]{{0,3}}{filler}$"))
            for role in ("denial", "transit", "office", "work")
        ]
        self._preposition = re.compile(rf"(?<![a-z])(?:{any_of(cues['preposition'])})[ :]{{0,2}}$")
        self._countries = knowledge.countries
        loose: list[tuple[str, tuple[Country | Place, bool]]] = []
        rows: list[Country | Place] = [*knowledge.countries.values(), *knowledge.places]
        for row in rows:
            loose += [(v, (row, False)) for v in row.variants]
            loose += [(v.lower(), (row, True)) for v in row.strict_variants]
        self._matcher: Matcher[tuple[Country | Place, bool]] = Matcher(loose, clitics=False)

    def find(self, document: Document) -> Destination:
        """Mentions and the most likely place of work."""
        norm = document.norm
        mentions: list[Mention] = []
        for hit in self._matcher.find_longest(norm):
            mention = self._mention(document, norm, hit)
            if mention and not (mentions and mentions[-1].start == mention.start and mentions[-1].iso == "ID"):
                mentions.append(mention)
        chosen = _choose(mentions)
        return Destination(chosen.iso if chosen else "", chosen.region if chosen else "", tuple(mentions), chosen)

    def _mention(self, document: Document, norm: str, hit: Hit[tuple[Country | Place, bool]]) -> Mention | None:
        row, strict = hit.payload
        before = norm[max(0, hit.start - _REACH) : hit.start]
        span = document.span(hit.start, hit.end)
        if strict:
            shown = document.words_shown(span)
            capitals = shown.isupper() and not _shouting(document.words_shown(_around(document, span)))
            if not capitals and not self._preposition.search(before) and span.field != "location":
                return None
        if row.homonym_guard:
            previous = re.findall(r"[a-z0-9]+", before)[-1:]
            following = re.findall(r"[a-z0-9]+", norm[hit.end : hit.end + 20])[:1]
            if any(w in row.homonym_guard for w in previous + following):
                return None
        place = row if isinstance(row, Place) else None
        role = "work" if span.field == "location" else self._role(before)
        if role == "mention" and place and place.role == "transit":
            role = "transit"
        return Mention(
            iso=row.iso,
            name=place.place if place else row.name_id,  # type: ignore[union-attr]
            region=place.region if place else "",
            hub_risk=row.hub_risk,
            kind=place.kind if place else "country",
            role=role,
            start=hit.start,
            end=hit.end,
            field=span.field,
        )

    def _role(self, before: str) -> str:
        for role, pattern in self._roles:
            if pattern.search(before):
                return "denied" if role == "denial" else role
        return "mention"

    def country(self, iso: str) -> Country:
        """The row of a country."""
        return self._countries[iso]


def _around(document: Document, span: Span) -> Span:
    length = len(getattr(document.posting, span.field))
    return Span(span.field, max(0, span.start - 30), min(length, span.end + 30))


def _shouting(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return len(letters) > 12 and sum(c.isupper() for c in letters) > 0.8 * len(letters)


def _choose(mentions: list[Mention]) -> Mention | None:
    """The place of work: a stated one before a mere mention, abroad before home, the riskier and the more exact first."""
    rank = {"work": 3, "mention": 2, "office": 1, "transit": 1}
    risk = {"high": 2, "medium": 1, "low": 0}
    best: tuple[tuple[int, ...], Mention] | None = None
    field_first = [m for m in mentions if m.field == "location"]
    for number, mention in enumerate(field_first or mentions):
        if mention.role == "denied":
            continue
        abroad = mention.iso != "ID"
        stated = rank[mention.role]
        if mention.role == "mention" and mention.iso == "ID":
            stated = 1
        key = (
            stated if abroad or stated == 3 else stated - 1,
            int(abroad),
            risk[mention.hub_risk],
            int(mention.kind != "country"),
            -number,
        )
        if best is None or key > best[0]:
            best = (key, mention)
    return best[1] if best else None


def find(document: Document, destination: Destination, abroad: bool) -> list[Evidence]:
    """Evidence from the place of work; `abroad` says whether the ad takes Indonesians out of the country."""
    out: list[Evidence] = []
    chosen = destination.chosen
    if chosen and abroad and chosen.iso != "ID":
        span = (document.span(chosen.start, chosen.end),)
        detail = f"place={chosen.name};country={chosen.iso}"
        if chosen.hub_risk == "high" or (chosen.kind in ("compound", "border", "zone") and chosen.hub_risk != "low"):
            out.append(Evidence("destination_hub", span, 1.0, detail))
        elif chosen.hub_risk == "medium":
            out.append(Evidence("destination_watch", span, 1.0, detail))
        out.append(Evidence("work_abroad", span, 1.0, detail))
    transit = [m for m in destination.mentions if m.role == "transit" and m.kind != "country"]
    if abroad and transit and chosen and any(m.iso != chosen.iso for m in transit):
        out.append(Evidence("transit_route", tuple(document.span(m.start, m.end) for m in transit[:3])))
    return out
