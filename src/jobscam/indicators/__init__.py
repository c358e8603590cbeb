"""The signs an expert sees in an ad, found with the words that show them.

To add an indicator that is only words: a block in ``knowledge/indicators.toml`` and rows in ``phrases.csv``.
To add a computed one: a module here that yields its :class:`~jobscam.values.Evidence`, and its call below.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass

from jobscam.indicators import combination, destination, evasion, posting_type
from jobscam.indicators.agency import AgencyReader, Licence
from jobscam.indicators.asked import AskedReader
from jobscam.indicators.contact import ContactReader, Contacts
from jobscam.indicators.destination import Destination, DestinationReader
from jobscam.indicators.document import Document
from jobscam.indicators.matcher import Sweep
from jobscam.indicators.phrases import Found, PhraseEngine, evidence_of
from jobscam.indicators.places import PASSING
from jobscam.indicators.reference import PayReference, PaySample
from jobscam.indicators.salary import Pay, SalaryReader
from jobscam.knowledge import Knowledge
from jobscam.posting import Posting
from jobscam.text import LanguageProfile, Normaliser
from jobscam.values import Evidence, Findings, Span, Status

FAMILIES = ("salary", "destination", "agency", "contact", "evasion", "combination", "substance",
            "lures", "jobs", "demands", "channel", "safety")  # fmt: skip
"""Families of weighted indicators; ``posting_type`` holds the context markers."""

_EXEMPT_SCHEMES = ("licensed_scheme", "work_permit_stated", "specific_qualifications", "official_domain")
_OVERSEAS_WORDS = ("undisclosed_destination", "destination_may_change", "all_expenses_paid", "passport_arranged", "passport_only",
                   "tourist_visa_work", "papers_after_arrival", "coach_immigration", "immediate_departure")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Observation:
    """The facts of a posting: its text, language, phrases, contacts, places, pay and licence numbers."""

    document: Document
    language: str
    confidence: float
    known: float
    found: Found
    contacts: Contacts
    place: Destination
    pay: Pay
    licences: tuple[Licence, ...]


class IndicatorReader:
    """Reads postings: normalises, finds evidence, tells language and posting type.

    Examples
    --------
    >>> from jobscam import knowledge
    >>> reader = IndicatorReader(knowledge.load())
    >>> _, findings = reader.read(Posting(description="Loker Kamboja, admin slot, gaji 12jt, paspor dibuatkan"))
    >>> sorted({e.indicator for e in findings.evidence} & {"destination_hub", "gambling_work"})
    ['destination_hub', 'gambling_work']
    """

    def __init__(self, knowledge: Knowledge, reference: PayReference | None = None) -> None:
        self.knowledge = knowledge
        self._normaliser = Normaliser(knowledge)
        self._language = LanguageProfile(knowledge)
        self._phrases = PhraseEngine(knowledge)
        self._salary = SalaryReader(knowledge, reference)
        self._asked = AskedReader(knowledge)
        self._destination = DestinationReader(knowledge)
        self._agency = AgencyReader(knowledge)
        self._contact = ContactReader(knowledge)
        self._sweep = Sweep([r.matcher for r in (self._phrases, self._salary, self._destination, self._agency, self._contact)])

    def with_reference(self, reference: PayReference) -> IndicatorReader:
        """The same reader with another reference of pay; all that is costly to make is shared."""
        other = copy(self)
        other._salary = self._salary.with_reference(reference)
        return other

    def observe(self, posting: Posting) -> Observation:
        """What stands in a posting, before it is judged: the facts that every indicator starts from."""
        return self._observe([posting])[0]

    def _observe(self, postings: Sequence[Posting]) -> list[Observation]:
        """The facts of a few postings, each by itself, but step by step: the tables of a step stay in the processor's cache."""
        documents = [Document(posting, self._normaliser) for posting in postings]
        self._sweep.read(document.norm for document in documents)
        told = [self._language.identify(document.words, document.norm) for document in documents]
        found = [self._phrases.find(document)[0] for document in documents]
        places = [self._destination.find(document) for document in documents]
        contacts = [self._contact.read(document) for document in documents]
        pay = [self._salary.read(d, t[0], p) for d, t, p in zip(documents, told, places, strict=True)]
        for i, (document, paid) in enumerate(zip(documents, pay, strict=True)):
            if paid.at and paid.currency != "IDR" and told[i][0] != "en":
                places[i] = self._destination.paid_in(document, places[i], paid.currency, paid.at)
        licences = [self._agency.licences(document) for document in documents]
        return [
            Observation(d, *t, *seen) for d, t, *seen in zip(documents, told, found, contacts, places, pay, licences, strict=True)
        ]

    def pay_sample(self, posting: Posting) -> PaySample | None:
        """What an honest posting adds to the reference of pay, if it states any."""
        seen = self.observe(posting)
        return self._salary.sample(seen.document, seen.pay, seen.place)

    def read(self, posting: Posting) -> tuple[Document, Findings]:
        """The laid-out posting and everything found in it, in a fixed order."""
        return self.read_many([posting])[0]

    def read_many(self, postings: Sequence[Posting]) -> list[tuple[Document, Findings]]:
        """The same for a few postings; what is found in one does not depend on the others."""
        return [self._judged(seen) for seen in self._observe(postings)]

    def _judged(self, seen: Observation) -> tuple[Document, Findings]:
        document, found, place, pay = seen.document, seen.found, seen.place, seen.pay
        abroad = _is_abroad(place, seen, found, self.knowledge.settings["placement"]["licences"])
        exempt = any(name in found for name in _EXEMPT_SCHEMES)
        agency = self._agency.find(document, seen.licences, abroad, exempt)

        evidence = evidence_of(document, self.knowledge, found)
        evidence += destination.find(document, place, abroad)
        evidence += self._salary.find(document, pay, place, abroad)
        evidence += self._asked.find(document, pay.amounts)
        evidence += agency.evidence
        evidence += self._contact.find(document, seen.contacts, abroad, "office_selection" in found)
        evidence += evasion.find(document)
        evidence += _substance(document, found)
        evidence = _without_contradictions(
            evidence, self.knowledge, licensed=agency.state == "licensed" or any(n.placement for n in seen.licences)
        )
        evidence += combination.find(evidence, abroad)
        evidence.sort(key=lambda e: (e.indicator, e.spans))

        paid = pay.high is not None
        status, why = posting_type.judge(document, found, seen.contacts, seen.language, seen.known, paid, self.knowledge)
        facts = {
            "salary_month_idr": pay.high,
            "destination": place.iso,
            "agency": agency.state,
            "status_reason": why,
            "abroad": abroad,
        }
        return document, Findings(tuple(evidence), seen.language, round(seen.confidence, 4), status.value, facts)


def _is_abroad(
    place: destination.Destination, seen: Observation, found: dict[str, list[tuple[int, int]]], licences: Collection[str]
) -> bool:
    """Whether the ad takes a reader from Indonesia out of the country.

    An English ad for work in Ohio is not an overseas ad: abroad needs Indonesian readers, a place in the region's
    corridor, one of the Indonesian `licences`, or the words of an overseas offer.
    """
    overseas_words = any(name in found for name in _OVERSEAS_WORDS)
    if place.chosen is None:
        return overseas_words and ("undisclosed_destination" in found or "passport_only" in found or "passport_arranged" in found)
    if place.iso == "ID":
        return "undisclosed_destination" in found
    if seen.language in ("id", "mixed", "ms"):
        # "Panama" in an ad for work in Jakarta is the name of a shop; a hub is not named in passing.
        home = place.chosen.hub_risk == "low" and any(m.iso == "ID" and m.role == "work" for m in place.mentions)
        country = any(m.iso == place.iso and m.kind == "country" and m.role != PASSING for m in place.mentions)
        named = (country and not home) or place.chosen.hub_risk == "high"
        return place.chosen.role in ("work", "transit") or overseas_words or named
    placed = any(n.kind in licences for n in seen.licences)
    return place.chosen.hub_risk != "low" or overseas_words or placed or any(m.iso == "ID" for m in place.mentions)


def _substance(document: Document, found: dict[str, list[tuple[int, int]]]) -> list[Evidence]:
    """What an ad leaves out. Only judged on prose long enough to have said it; a missing column says nothing."""
    if len(document.words) < 25:
        return []
    out = []
    missing = not any(n in found for n in ("duties_listed", "specific_qualifications", "formal_application"))
    if missing:
        out.append(Evidence("no_duties"))
    return out


def _without_contradictions(evidence: list[Evidence], knowledge: Knowledge, *, licensed: bool) -> list[Evidence]:
    """What is denied in the same words is dropped ("keep your own passport"); "resmi" is a claim only without a number."""
    spans: dict[str, list[Span]] = {}
    for item in evidence:
        spans.setdefault(item.indicator, []).extend(item.spans)
    out = []
    for item in evidence:
        if item.indicator == "trust_claim" and licensed:
            continue
        denials = spans.get(knowledge.indicators[item.indicator].flips_to, [])
        if denials and item.spans:
            left = tuple(s for s in item.spans if not any(_overlap(s, d) for d in denials))
            if not left:
                continue
            item = Evidence(item.indicator, left, item.value, item.detail)
        out.append(item)
    return out


def _overlap(a: Span, b: Span) -> bool:
    return a.field == b.field and a.start < b.end and b.start < a.end


__all__ = ["FAMILIES", "Document", "IndicatorReader", "Observation", "Status"]
