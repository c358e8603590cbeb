"""Placement agency and licence: asked for where Indonesian law asks for them, that is for work abroad."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from jobscam.indicators.document import Document
from jobscam.indicators.matcher import Matcher, any_of
from jobscam.knowledge import Knowledge
from jobscam.knowledge.tables import Agency, LicenceForm
from jobscam.values import Evidence, Span

_COMPANY = re.compile(
    r"(?<![A-Za-z])(?:PT|P\.T|Pt|CV|LPK|BLKLN|P3MI)\.?\s{1,3}([A-Z][\w&'.\-]{1,30}(?:\s[A-Z(][\w&'.\-)]{1,30}){0,5})"
)
_PHONE = re.compile(r"(?:62|0)8\d{8,12}(?!\d)")
_EXACT, _CLOSE = 96.0, 88.0
_REACH = 60
_GAP = 32


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence or permit number as an ad gives it, with its place in the joined original text."""

    kind: str
    placement: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AgencyFinding:
    """What the ad says of its agency.

    Attributes
    ----------
    state : str
        not_required, licensed, expired, suspended, revoked, mismatch, unlisted, none.
    """

    state: str
    evidence: tuple[Evidence, ...]


class AgencyReader:
    """Finds licence numbers and agency names, and looks the name up in the list of agencies."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.matcher: Matcher[LicenceForm] = Matcher(
            ((form, row) for row in knowledge.licence_forms for form in row.label_forms), clitics=False
        )
        self._numbers = {row.kind: re.compile(row.pattern, re.IGNORECASE) for row in knowledge.licence_forms}
        self._alone = {row.kind: re.compile(row.alone, re.IGNORECASE) for row in knowledge.licence_forms if row.alone}
        self._placement = {row.kind: row.placement for row in knowledge.licence_forms}
        self._between = re.compile(rf"{any_of(knowledge.cues['licence']['between'])}|[\s.:()#•|=-]")
        # What follows a name without a sign between: a licence, an address, a sentence.
        self._name_end = re.compile(
            rf"\(|\n|\.\s|(?<![A-Za-z])(?:{any_of(knowledge.cues['agency']['ends'])})(?![A-Za-z])", re.IGNORECASE
        )
        self._agencies = knowledge.agencies
        self._names = [_plain(a.name) for a in knowledge.agencies]

    def licences(self, document: Document) -> tuple[Licence, ...]:
        """Every licence number the text gives, in order of reading: a label with a well-formed number behind it."""
        # The label is folded as all words are; the number is read as it was written, with its strokes and points.
        original = document.text.original
        found: list[Licence] = []
        for hit in self.matcher.find_longest(document.norm):
            kind = hit.payload.kind
            start, end = document.text.span(hit.start, hit.end)
            window = original[end : end + _REACH]
            match = self._numbers[kind].search(window)
            if (
                match
                and not _PHONE.match(match[0])
                and match.start() <= _GAP
                and not self._between.sub("", window[: match.start()].lower())
            ):
                found.append(Licence(kind, self._placement[kind], start, end + match.end()))
        for kind in dict.fromkeys(n.kind for n in found):
            if kind in self._alone:
                for match in self._alone[kind].finditer(original):
                    if not any(n.start < match.end() and match.start() < n.end for n in found):
                        found.append(Licence(kind, self._placement[kind], match.start(), match.end()))
        return tuple(sorted(found, key=lambda n: n.start))

    def find(self, document: Document, licences: tuple[Licence, ...], abroad: bool, exempt: bool) -> AgencyFinding:
        """Evidence; `exempt` says that the scheme needs no placement agency (G to G, internship, direct professional)."""
        out: list[Evidence] = []
        number = self._licence(document, licences)
        if number:
            out.append(number)
        if not abroad:
            return AgencyFinding("not_required", tuple(out) if number else ())
        name, span = self._name(document)
        state = "unlisted" if name or number else "none"
        if name and self._names:
            state, agency = self._lookup(name, document)
            if agency and span:
                out.append(_listed(state, agency, span))
        if state == "none" and not exempt:
            out.append(Evidence("no_licensed_agency"))
        if name and span and state == "unlisted":
            out.append(Evidence("agency_named", (span,), 1.0, f"name={name}"))
        return AgencyFinding("not_required" if exempt and state == "none" else state, tuple(out))

    @staticmethod
    def _licence(document: Document, licences: tuple[Licence, ...]) -> Evidence | None:
        posting = document.posting
        if posting.licence and any(c.isdigit() for c in posting.licence):
            return Evidence("licence_number", (Span("licence", 0, len(posting.licence)),), 1.0, "kind=column")
        spans = [(n.kind, document.original_span(n.start, n.end)) for n in licences if n.placement]
        if not spans:
            return None
        return Evidence("licence_number", tuple(s for _, s in spans[:3]), 1.0, f"kind={spans[0][0]}")

    def _name(self, document: Document) -> tuple[str, Span | None]:
        if document.posting.agency:
            return document.posting.agency, Span("agency", 0, len(document.posting.agency))
        for match in _COMPANY.finditer(document.text.original[:20_000]):
            end = self._name_end.search(match[1])
            stop = match.start(1) + end.start() if end else match.end()
            name = document.text.original[match.start() : stop].rstrip(" .,")
            if stop > match.start(1):
                return name, document.original_span(match.start(), match.start() + len(name))
        if document.posting.company:
            return document.posting.company, Span("company", 0, len(document.posting.company))
        return "", None

    def _lookup(self, name: str, document: Document) -> tuple[str, Agency | None]:
        best = process.extractOne(_plain(name), self._names, scorer=fuzz.token_sort_ratio)
        if not best or best[1] < _CLOSE:
            return "unlisted", None
        agency = self._agencies[best[2]]
        if best[1] < _EXACT:
            return "mismatch", agency
        # A licensed name alone clears nothing: real names are borrowed. The contact has to fit as well.
        fits = [v for v in (agency.domain, agency.contact) if v and v.lower() in document.text.original.lower()]
        # Today's date would make yesterday's scores differ from today's; the ad's own date does not.
        posted = document.posting.posted_at[:10]
        if agency.status == "licensed" and re.fullmatch(r"\d{4}-\d\d-\d\d", posted) and agency.valid_until < posted:
            return "expired", agency
        if agency.status == "licensed" and not fits:
            return "mismatch", agency
        return agency.status, agency


def _listed(state: str, agency: Agency, span: Span) -> Evidence:
    detail = f"name={agency.name};status={agency.status}"
    if state == "licensed":
        return Evidence("agency_licensed", (span,), 1.0, detail)
    if state == "mismatch":
        return Evidence("agency_mismatch", (span,), 1.0, detail)
    return Evidence("agency_not_valid", (span,), 1.0, detail)


def _plain(name: str) -> str:
    return re.sub(r"\b(?:pt|cv|tbk|persero|p3mi|lpk)\b|[^a-z0-9 ]", " ", name.lower()).strip()
