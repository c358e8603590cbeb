"""Where the work is: place mentions with their role, and what kinds of ads are documented for the place."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

from jobscam.indicators.document import Document
from jobscam.indicators.matcher import Hit, Matcher
from jobscam.indicators.places import DENIED, MENTION, NAME, OFFICE, PASSING, TRANSIT, WORK, RoleReader
from jobscam.knowledge import Knowledge
from jobscam.knowledge.tables import Country, Place
from jobscam.values import Evidence, Span

_REACH = 40
_LINK = re.compile(r" ?(?:-|>|->|→|➡|✈) ?")


@dataclass(frozen=True, slots=True)
class Mention:
    """A place found in an ad. `role` is work, transit, office, denied, passing or mention."""

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
        self._roles = RoleReader(knowledge)
        self._everyday = frozenset(w for profile in knowledge.profiles.values() for w in profile.stopwords)
        self._countries = knowledge.countries
        users = Counter(c.currency for c in knowledge.countries.values())
        # A currency that several countries share (USD, EUR) says nothing of the place.
        self._only_there = {c.currency: iso for iso, c in knowledge.countries.items() if users[c.currency] == 1}
        loose: list[tuple[str, tuple[Country | Place, bool]]] = []
        rows: list[Country | Place] = [*knowledge.countries.values(), *knowledge.places]
        for row in rows:
            loose += [(v, (row, False)) for v in row.variants]
            loose += [(v.lower(), (row, True)) for v in row.strict_variants]
        self.matcher: Matcher[tuple[Country | Place, bool]] = Matcher(loose, clitics=False)

    def find(self, document: Document) -> Destination:
        """Mentions and the most likely place of work."""
        norm = document.norm
        found: list[tuple[Mention, bool]] = []
        accounts: set[str] = set()
        for hit in self.matcher.find_longest(norm):
            seen = self._mention(document, norm, hit, accounts)
            if seen and not (found and found[-1][0].start == seen[0].start and found[-1][0].iso == "ID"):
                found.append(seen)
        mentions = self._settled(norm, found)
        chosen = _choose(mentions)
        return Destination(chosen.iso if chosen else "", chosen.region if chosen else "", tuple(mentions), chosen)

    def paid_in(self, document: Document, place: Destination, currency: str, at: tuple[int, int]) -> Destination:
        """The place of work once the currency of the pay is known, which stands at `at`.

        Whoever pays in ringgit has the work in Malaysia, whether the ad says "for Malaysia" or only names a town there, or
        none. What is said to be the place of work elsewhere stays, and so does a place at home if the country is not named.
        """
        iso = self._only_there.get(currency, "ID")
        chosen = place.chosen
        if iso == "ID" or any(m.iso == iso and m.role == "denied" for m in place.mentions):
            return place
        there = [m for m in place.mentions if m.iso == iso]
        if chosen and chosen.iso != iso and chosen.role == "work" and (chosen.iso != "ID" or not there):
            return place
        if chosen is None or chosen.iso != iso:
            row = self._countries[iso]
            by_pay = Mention(iso, row.name_id, "", row.hub_risk, "country", "work", *at, document.field_at(at[0]))
            chosen = there[0] if there else by_pay
        return Destination(iso, chosen.region, place.mentions, replace(chosen, role="work"))

    def _mention(
        self, document: Document, norm: str, hit: Hit[tuple[Country | Place, bool]], accounts: set[str]
    ) -> tuple[Mention, bool] | None:
        """A mention, and whether its role was said; None where the word is no place here."""
        row, strict = hit.payload
        before = norm[max(0, hit.start - _REACH) : hit.start]
        span = document.span(hit.start, hit.end)
        if strict and not self._is_short_form(document, norm, hit, span):
            return None
        if row.homonym_guard:
            previous = re.findall(r"[a-z0-9]+", before)[-1:]
            following = re.findall(r"[a-z0-9]+", norm[hit.end : hit.end + 20])[:1]
            if any(w in row.homonym_guard for w in previous + following):
                return None
        if norm[hit.start - 1 : hit.start] == "_":  # part of an account or a subject line
            return None
        if self._roles.is_account(norm, hit.start, hit.end, accounts):
            return None
        place = row if isinstance(row, Place) else None
        abroad = row.iso != "ID"
        floor = document.field_floor(hit.start)
        role = self._roles.role(norm, floor, hit.start, hit.end, abroad=abroad, country=place is None)
        if role.name == NAME and abroad and span.field != "location":
            return None
        name, said = MENTION if role.name == NAME else role.name, role.said
        if span.field == "location" and (place or _alone(document, span)):
            name, said = "work", True
        elif span.field == "company":
            name, said = "mention", True
        elif name == "mention" and place and place.role == "transit":
            name = "transit"
        kind = place.kind if place else "country"
        label = place.place if place else row.name_id  # type: ignore[union-attr]
        region = place.region if place else ""
        return Mention(row.iso, label, region, row.hub_risk, kind, name, hit.start, hit.end, span.field), said

    def _is_short_form(self, document: Document, norm: str, hit: Hit[tuple[Country | Place, bool]], span: Span) -> bool:
        """Short forms (KH, PP, US) count in capitals, or where only a place can stand and no everyday word can."""
        shown = document.words_shown(span)
        if span.field == "location" or (shown.isupper() and not _shouting(document.words_shown(_around(document, span)))):
            return True
        return norm[hit.start : hit.end] not in self._everyday and self._roles.after_preposition(norm, hit.start)

    def _settled(self, norm: str, found: list[tuple[Mention, bool]]) -> list[Mention]:
        """Roles that need the neighbours: lists share theirs, and a lone place that nothing is said of is the place of work."""
        out: list[tuple[Mention, bool]] = []
        for mention, said in found:
            if out and not said:
                last, last_said = out[-1]
                if last.field == mention.field and self._roles.in_list(norm, last.end, mention.start, last.role):
                    mention, said = replace(mention, role=last.role), last_said
            out.append((mention, said))
        _follow_routes(norm, out)
        if any(m.role == "work" and said for m, said in out):
            # "in Singapore" in passing, where the ad says elsewhere where the work is. A hub is never passed over.
            return [replace(m, role="mention") if m.role == "work" and not said and m.hub_risk == "low" else m for m, said in out]
        lone = [m.kind != "country" and m.iso == "ID" and m.role == "mention" and not said for m, said in out]
        if any(m.role == "work" for m, _ in out):
            return [m for m, _ in out]
        return [replace(m, role="work") if alone else m for (m, _), alone in zip(out, lone, strict=True)]

    def country(self, iso: str) -> Country:
        """The row of a country."""
        return self._countries[iso]


def _follow_routes(norm: str, mentions: list[tuple[Mention, bool]]) -> None:
    """Jakarta - Bangkok - Poipet: where a way out of the country ends is the work, what lies on it is passed."""
    first = 0
    for i in range(1, len(mentions) + 1):
        linked = i < len(mentions) and _LINK.fullmatch(norm, mentions[i - 1][0].end, mentions[i][0].start) is not None
        if linked and mentions[i][0].field == mentions[first][0].field:
            continue
        route = [m for m, _ in mentions[first:i]]
        if len(route) > 1 and route[0].iso == "ID" and route[-1].iso != "ID" and DENIED not in {m.role for m in route}:
            mentions[first:i] = [(replace(m, role=TRANSIT), True) for m in route[:-1]] + [(replace(route[-1], role=WORK), True)]
        first = i


def _alone(document: Document, span: Span) -> bool:
    """Whether a country fills its part of a location: "Menara Kadin Indonesia Lt.23" does not mean all of it."""
    text = getattr(document.posting, span.field)
    return re.search(r"(?:^|[\n,;/|(])\s*$", text[: span.start]) is not None and (
        re.match(r"\s*(?:$|[\n,;/|)])", text[span.end :]) is not None
    )


def _around(document: Document, span: Span) -> Span:
    length = len(getattr(document.posting, span.field))
    return Span(span.field, max(0, span.start - 30), min(length, span.end + 30))


def _shouting(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return len(letters) > 12 and sum(c.isupper() for c in letters) > 0.8 * len(letters)


def _choose(mentions: list[Mention]) -> Mention | None:
    """The place of work: a stated one before a mere mention, abroad before home, the riskier and the more exact first."""
    rank = {WORK: 3, MENTION: 2, OFFICE: 1, TRANSIT: 1, PASSING: 1}
    risk = {"high": 2, "medium": 1, "low": 0}
    best: tuple[tuple[int, ...], Mention] | None = None
    field_first = [m for m in mentions if m.field == "location"]
    for number, mention in enumerate(field_first or mentions):
        if mention.role == DENIED or (mention.role == PASSING and mention.hub_risk != "high"):
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
