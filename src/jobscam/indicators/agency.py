"""Placement agency and licence: asked for where Indonesian law asks for them, that is for work abroad."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from jobscam.indicators.document import Document
from jobscam.indicators.matcher import Matcher
from jobscam.knowledge import Knowledge
from jobscam.knowledge.tables import Agency, LicenceForm
from jobscam.values import Evidence, Span

_COMPANY = re.compile(
    r"(?<![A-Za-z])(?:PT|P\.T|Pt|CV|LPK|BLKLN|P3MI)\.?\s{1,3}([A-Z][\w&'.\-]{1,30}(?:\s[A-Z(][\w&'.\-)]{1,30}){0,5})"
)
_EXACT, _CLOSE = 96.0, 88.0
_PLACEMENT_KINDS = ("sip3mi", "sip2mi", "sippptkis", "siup_pjtki", "siuppak", "siukak", "so_permit", "job_order", "siskop2mi_id")


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
        self._labels: Matcher[LicenceForm] = Matcher(
            ((form, row) for row in knowledge.licence_forms for form in row.label_forms), clitics=False
        )
        self._numbers = {row.kind: re.compile(row.pattern, re.IGNORECASE) for row in knowledge.licence_forms}
        self._agencies = knowledge.agencies
        self._names = [_plain(a.name) for a in knowledge.agencies]

    def find(self, document: Document, abroad: bool, exempt: bool) -> AgencyFinding:
        """Evidence; `exempt` says that the scheme needs no placement agency (G to G, internship, direct professional)."""
        out: list[Evidence] = []
        number = self._licence(document)
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

    def _licence(self, document: Document) -> Evidence | None:
        posting = document.posting
        if posting.licence and any(c.isdigit() for c in posting.licence):
            return Evidence("licence_number", (Span("licence", 0, len(posting.licence)),), 1.0, "kind=column")
        for hit in self._labels.find_longest(document.norm):
            kind = hit.payload.kind
            if kind not in _PLACEMENT_KINDS:
                continue
            window = document.norm[hit.end : hit.end + 60]
            match = self._numbers[kind].search(window)
            if match and match.start() <= 24 and not re.sub(r"no|nomor|[ .:()#-]", "", window[: match.start()]):
                span = document.span(hit.start, hit.end + match.end())
                return Evidence("licence_number", (span,), 1.0, f"kind={kind}")
        return None

    def _name(self, document: Document) -> tuple[str, Span | None]:
        if document.posting.agency:
            return document.posting.agency, Span("agency", 0, len(document.posting.agency))
        match = _COMPANY.search(document.text.original[:20_000])
        if match:
            return match[0], document.original_span(match.start(), match.end())
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
