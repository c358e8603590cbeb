"""How one applies: phones, chat handles, addresses, links, and whether they fit the name that hires."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jobscam.indicators.document import Document
from jobscam.indicators.matcher import Matcher, any_of
from jobscam.knowledge import Knowledge
from jobscam.knowledge.tables import Brand
from jobscam.values import Evidence

_PHONE = re.compile(r"(?<![\d.,/+])(?:\+|00)?\(?\d{1,4}\)?(?:[ .\-]{0,2}\(?\d{2,5}\)?){2,5}(?![\d])")
_EMAIL = re.compile(r"(?<![a-z0-9])[a-z0-9][a-z0-9._+%\-]{0,63}@((?:[a-z0-9\-]{1,63}\.){1,4}[a-z]{2,24})", re.IGNORECASE)
_URL = re.compile(
    r"(?:https?://|www\.)([a-z0-9.\-]{3,120})(/[^\s]{0,200})?"
    r"|(?<![a-z0-9@.])((?:wa\.me|t\.me|bit\.ly|s\.id|forms\.gle|linktr\.ee|tinyurl\.com|chat\.whatsapp\.com|line\.me|m\.me)(?:/[^\s]{0,200})?)",
    re.IGNORECASE,
)
_DOMAIN = re.compile(
    r"(?<![a-z0-9@.])((?:[a-z0-9][a-z0-9\-]{1,62}\.){1,3}(?:co\.id|go\.id|ac\.id|or\.id|sch\.id|web\.id|com|net|org|id|example))(?![a-z0-9])",
    re.IGNORECASE,
)


# A domain of its own; the reserved ones stand for it in samples.
_COMPANY_KINDS = ("", "official", "reserved")


@dataclass(frozen=True, slots=True)
class Contacts:
    """Contacts found, as (start, end) in the joined original text with what they are."""

    phones: tuple[tuple[int, int, str], ...]
    emails: tuple[tuple[int, int, str], ...]
    links: tuple[tuple[int, int, str], ...]
    telegram: tuple[tuple[int, int], ...]
    whatsapp: tuple[tuple[int, int], ...]

    @property
    def any(self) -> bool:
        """Whether there is a way to answer the ad."""
        return bool(self.phones or self.emails or self.links or self.telegram or self.whatsapp)


class ContactReader:
    """Finds contacts and judges channel, country and fit."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._domains = knowledge.contact_domains
        channel = knowledge.cues["channel"]
        self._telegram = re.compile(rf"(?<![a-z])(?:{any_of(channel['telegram'])})(?![a-z])")
        self._whatsapp = re.compile(rf"(?<![a-z])(?:{any_of(channel['whatsapp'])})(?![a-z])")
        before = any_of(knowledge.cues["employer"]["before"])
        self._employer = re.compile(rf"(?<![a-z])(?:{before})[ :*]{{0,3}}(?:pt |kantor |di )?$")
        self._hub_codes = {c.dial_code: c.iso for c in knowledge.countries.values() if c.hub_risk == "high" and c.dial_code}
        self._codes = {c.dial_code: c.iso for c in knowledge.countries.values() if c.dial_code}
        self._brands: Matcher[Brand] = Matcher((form, row) for row in knowledge.brands for form in row.forms)

    def read(self, document: Document) -> Contacts:
        """All contacts of the ad."""
        original = document.text.original[:200_000]
        norm = document.norm
        phones = []
        if any(c.isdigit() for c in original):
            for match in _PHONE.finditer(original):
                country = self._phone_country(match[0])
                if country:
                    phones.append((match.start(), match.end(), country))
        emails = [(m.start(), m.end(), m[1].lower()) for m in _EMAIL.finditer(original)] if "@" in original else []
        links = []
        if "." in original:
            for match in _URL.finditer(original):
                host = (match[1] or match[3] or "").lower().rstrip(".")
                if host:
                    links.append((match.start(), match.end(), host))
            taken = [(s, e) for s, e, _ in (*links, *emails)]
            for match in _DOMAIN.finditer(original):
                if not any(s <= match.start() < e for s, e in taken):
                    links.append((match.start(), match.end(), match[1].lower()))
        telegram = [document.text.span(*m.span()) for m in self._telegram.finditer(norm)]
        whatsapp = [document.text.span(*m.span()) for m in self._whatsapp.finditer(norm)]
        return Contacts(tuple(phones), tuple(emails), tuple(links), tuple(telegram), tuple(whatsapp))

    def _phone_country(self, written: str) -> str:
        """ISO country of a phone number as written, or '' if it is not one."""
        digits = re.sub(r"\D", "", written)
        international = written.lstrip("(").startswith("+") or digits.startswith("00")
        if digits.startswith("00"):
            digits = digits[2:]
        if digits.startswith("62") and 10 <= len(digits) <= 15:
            return "ID"
        if not international:
            if digits.startswith("08") and 9 <= len(digits) <= 14:
                return "ID"
            return "ID" if re.match(r"0[2-9]\d", digits) and 9 <= len(digits) <= 12 and "." not in written else ""
        if not 8 <= len(digits) <= 15:
            return ""
        for length in (3, 2, 1):
            if digits[:length] in self._codes:
                return self._codes[digits[:length]]
        return ""

    def kind_of(self, domain: str) -> str:
        """Kind of a domain (free_mail, short_link, form, chat, official, job_board, social), else ''."""
        labels = domain.split("/")[0].split(".")
        for i in range(len(labels)):
            kind = self._domains.get(".".join(labels[i:]))
            if kind:
                return kind
        return ""

    def find(self, document: Document, contacts: Contacts, abroad: bool) -> list[Evidence]:
        """Evidence from channel and addresses."""
        out: list[Evidence] = []

        def add(name: str, spots: list[tuple[int, int]], detail: str = "", value: float = 1.0) -> None:
            if spots:
                out.append(Evidence(name, tuple(document.original_span(s, e) for s, e in spots[:4]), value, detail))

        kinds = [(s, e, d, self.kind_of(d)) for s, e, d in (*contacts.links, *contacts.emails)]
        add("phone_in_hub_country", [(s, e) for s, e, c in contacts.phones if c in self._hub_codes.values()])
        foreign = [(s, e) for s, e, c in contacts.phones if c != "ID" and c not in self._hub_codes.values()]
        if document.posting.location == "" or abroad:
            add("phone_abroad", foreign)
        add("telegram_contact", list(contacts.telegram) + [(s, e) for s, e, d, _ in kinds if d in ("t.me", "telegram.me")])
        add("short_link", [(s, e) for s, e, _, k in kinds if k in ("short_link", "form")])
        add("official_domain", [(s, e) for s, e, _, k in kinds if k == "official"])
        add("free_mail", [(s, e) for s, e, d in contacts.emails if self.kind_of(d) == "free_mail"])
        company = [(s, e) for s, e, d in contacts.emails if self.kind_of(d) in _COMPANY_KINDS]
        add("company_mail", company)
        only_chat = (contacts.whatsapp or contacts.telegram or contacts.phones) and not contacts.emails
        if only_chat and not any(k in (*_COMPANY_KINDS, "job_board") for _, _, _, k in kinds):
            spots = [*contacts.whatsapp, *contacts.telegram, *((s, e) for s, e, _ in contacts.phones)]
            add("chat_only_contact", sorted(spots))
        out += self._impersonation(document, contacts, kinds, bool(company))
        return out

    def _impersonation(
        self, document: Document, contacts: Contacts, kinds: list[tuple[int, int, str, str]], company: bool
    ) -> list[Evidence]:
        """A public body or well-known employer named as the one who hires, but reachable only by private means."""
        if company or not contacts.any or any(k in _COMPANY_KINDS for _, _, _, k in kinds):
            return []
        hits = self._brands.find_longest(document.norm)
        for hit in hits:
            before = document.norm[max(0, hit.start - 60) : hit.start]
            hires = self._employer.search(before)
            if hires or hit.start < 60 or document.field_at(hit.start) in ("title", "company"):
                span = document.span(hit.start, hit.end)
                return [Evidence("public_name_private_contact", (span,), 1.0, f"name={hit.payload.name}")]
        return []
