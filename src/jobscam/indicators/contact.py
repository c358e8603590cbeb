"""How one applies: phones, chat handles, addresses, links, and whether they fit the name that hires."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from jobscam.indicators.contact_finder import Contact, ContactFinder
from jobscam.indicators.document import Document
from jobscam.indicators.matcher import Hit, Matcher, any_of, whole_words
from jobscam.knowledge import Knowledge
from jobscam.knowledge.tables import Brand
from jobscam.values import Evidence

_SECOND_LEVEL = re.compile(r"\.(?:(?:co|or|web|my|biz|ac|sch)\.id|com|net|org|id|info|[a-z]{2,12})$")
_LOOKALIKES = str.maketrans("01", "ol")
_NEAR = 88.0
_NEAR_NAME = 60
_NOT_EMPLOYER_FILLERS = ("", " pt", " kantor")
_SHORTEST_MARK = 6
# A domain of its own; the reserved ones stand for it in samples.
_COMPANY_KINDS = ("", "official", "reserved")


@dataclass(frozen=True, slots=True)
class Contacts:
    """Contacts found, and where chat services are named, as (start, end) in the joined original text."""

    found: tuple[Contact, ...]
    telegram: tuple[tuple[int, int], ...]
    whatsapp: tuple[tuple[int, int], ...]

    def of(self, kind: str) -> list[tuple[int, int, str]]:
        """Start, end and value of the contacts of a kind; masked ones say nothing and are left out."""
        return [(c.start, c.end, c.value) for c in self.found if c.kind == kind and c.value]

    @property
    def any(self) -> bool:
        """Whether there is a way to answer the ad."""
        return bool(self.telegram or self.whatsapp) or any(c.value and c.kind != "handle" for c in self.found)


class ContactReader:
    """Finds contacts and judges channel, country and fit."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._finder = ContactFinder(knowledge)
        self._domains = knowledge.contact_domains
        channel = knowledge.cues["channel"]
        other = any_of(channel["not_telegram"])
        self._telegram = re.compile(rf"(?:{whole_words(channel['telegram'])})(?![a-z]|[ )(]{{0,2}}(?:{other})(?![a-z]))")
        self._whatsapp = re.compile(rf"(?:{whole_words(channel['whatsapp'])})(?![a-z])")
        employer = knowledge.cues["employer"]
        self._employer, self._at, self._not_employer = (tuple(employer[name]) for name in ("before", "at", "not_before"))
        self._hiring = re.compile(rf"(?<![a-z])(?:{any_of(employer['near'])})(?![a-z])")
        self._rarely = frozenset(employer["rarely"])
        self._hubs = frozenset(c.iso for c in knowledge.countries.values() if c.hub_risk == "high")
        self._recruiting = re.compile(any_of(knowledge.cues["lookalike"]["words"]))
        self._official = (".go.id", *(f".{d}" for row in knowledge.brands for d in row.domains))
        self._marks = _marks(knowledge)
        self._names = list(self._marks)
        self.matcher: Matcher[Brand] = Matcher((form, row) for row in knowledge.brands for form in row.forms)

    def read(self, document: Document) -> Contacts:
        """All contacts of the ad."""
        norm = document.norm
        telegram = [document.text.span(*m.span()) for m in self._telegram.finditer(norm)]
        whatsapp = [document.text.span(*m.span()) for m in self._whatsapp.finditer(norm)]
        return Contacts(self._finder.find(document.text.original), tuple(telegram), tuple(whatsapp))

    def kind_of(self, domain: str) -> str:
        """Kind of a domain (free_mail, short_link, form, chat, official, job_board, social), else ''."""
        labels = domain.split("/")[0].split(".")
        for i in range(len(labels)):
            kind = self._domains.get(".".join(labels[i:]))
            if kind:
                return kind
        return ""

    def copied_name(self, domain: str) -> str:
        """Name of the known employer whose domain this one imitates, or "".

        Its name beside words of recruitment in a domain that is not its own (karir-contoh.com), or one or two letters off.
        """
        if f".{domain}".endswith(self._official):
            return ""
        written = re.sub(r"[^a-z0-9]", "", _SECOND_LEVEL.sub("", domain).rpartition(".")[2])
        label = re.sub(r"[^a-z]", "", written.translate(_LOOKALIKES).replace("rn", "m").replace("vv", "w"))
        near = {found[0] for found in process.extract(label, self._names, scorer=fuzz.ratio, score_cutoff=_NEAR, limit=None)}
        for mark, name in self._marks.items():
            if mark not in near and mark not in label:
                continue
            rest = label.replace(mark, "", 1)
            if mark in label and rest and self._recruiting.search(rest):
                return name
            if label == mark and written != mark:
                return name
            if label != mark and abs(len(label) - len(mark)) <= 2 and mark in near:
                return name
        return ""

    def find(self, document: Document, contacts: Contacts, abroad: bool, in_person: bool) -> list[Evidence]:
        """Evidence from channel and addresses; `in_person` where the ad names a place to apply or be interviewed at."""
        out: list[Evidence] = []

        def add(name: str, spots: list[tuple[int, int]], detail: str = "", value: float = 1.0) -> None:
            if spots:
                out.append(Evidence(name, tuple(document.original_span(s, e) for s, e in spots[:4]), value, detail))

        phones, emails, links = (contacts.of(kind) for kind in ("phone", "email", "link"))
        kinds = [(s, e, d, self.kind_of(d)) for s, e, d in (*links, *emails)]
        add("phone_in_hub_country", [(s, e) for s, e, c in phones if c in self._hubs])
        foreign = [(s, e) for s, e, c in phones if c not in ("ID", "ZZ") and c not in self._hubs]
        if document.posting.location == "" or abroad:
            add("phone_abroad", foreign)
        add("telegram_contact", list(contacts.telegram) + [(s, e) for s, e, d, _ in kinds if d in ("t.me", "telegram.me")])
        add("short_link", [(s, e) for s, e, _, k in kinds if k in ("short_link", "form")])
        add("official_domain", [(s, e) for s, e, _, k in kinds if k == "official"])
        add("free_mail", [(s, e) for s, e, d in emails if self.kind_of(d) == "free_mail"])
        company = [(s, e) for s, e, d in emails if self.kind_of(d) in _COMPANY_KINDS]
        add("company_mail", company)
        only_chat = (contacts.whatsapp or contacts.telegram or phones) and not emails
        if only_chat and not any(k in (*_COMPANY_KINDS, "job_board") for _, _, _, k in kinds):
            spots = [*contacts.whatsapp, *contacts.telegram, *((s, e) for s, e, _ in phones)]
            add("chat_only_contact", sorted(spots))
        copies = [(s, e, self.copied_name(d)) for s, e, d, k in kinds if k in _COMPANY_KINDS]
        named = [(s, e, name) for s, e, name in copies if name]
        add("lookalike_domain", [(s, e) for s, e, _ in named], f"name={named[0][2]}" if named else "")
        out += self._impersonation(document, contacts, kinds, in_person)
        return out

    def _impersonation(
        self, document: Document, contacts: Contacts, kinds: list[tuple[int, int, str, str]], in_person: bool
    ) -> list[Evidence]:
        """A public body or well-known employer named as the one who hires, but no way to it that is its own.

        Judged on prose only: on a portal the employer is a field, and its page the way to answer.
        """
        hit = self._hiring_brand(document)
        if hit is None:
            return []
        own = [(s, e) for s, e, _, k in kinds if k in _COMPANY_KINDS]
        name = "public_name_private_contact" if contacts.any else "public_name_no_channel"
        if own:
            domains = tuple(f".{d}" for d in hit.payload.domains)
            if any(k == "reserved" or f".{d}".endswith((*domains, ".go.id")) for _, _, d, k in kinds) or not domains:
                return []
            name = "public_name_other_address"
        elif not contacts.any and (in_person or document.posting.company):
            return []
        spans = (document.span(hit.start, hit.end), *(document.original_span(s, e) for s, e in own[:3]))
        return [Evidence(name, spans, 1.0, f"name={hit.payload.name}")]

    def _hiring_brand(self, document: Document) -> Hit[Brand] | None:
        """Where a public body or well-known employer stands as the one who hires."""
        norm = document.norm
        for hit in self.matcher.find_longest(norm):
            before = norm[max(0, hit.start - _NEAR_NAME) : hit.start]
            if _stands_behind(before, self._not_employer, _NOT_EMPLOYER_FILLERS):
                continue
            rare = norm[hit.start : hit.end] in self._rarely
            if _stands_behind(before, self._employer) or (not rare and _stands_behind(before, self._at)):
                return hit
            prominent = hit.start < _NEAR_NAME or document.field_at(hit.start) in ("title", "company")
            if prominent and not rare:
                return hit
            if prominent and (self._hiring.search(before) or self._hiring.search(norm, hit.end, hit.end + _NEAR_NAME)):
                return hit
        return None


def _stands_behind(before: str, words: tuple[str, ...], fillers: tuple[str, ...] = ("", " pt", " kantor", " di")) -> bool:
    """Whether a text ends with one of the words, but for signs and a filler."""
    text = f" {before}".rstrip(" :*")
    for filler in fillers:
        if text.endswith(filler):
            stem = text.removesuffix(filler).rstrip(" :*")
            if stem.endswith(words) and any(stem.endswith(w) and not stem[-len(w) - 1].isalpha() for w in words):
                return True
    return False


def _marks(knowledge: Knowledge) -> dict[str, str]:
    """Names of employers as they stand in domains, long enough not to be part of other words."""
    marks: dict[str, str] = {}
    for row in knowledge.brands:
        labels = [_SECOND_LEVEL.sub("", d).rpartition(".")[2] for d in row.domains if not d.endswith("go.id")]
        labels += [f for f in row.forms if row.domains and not row.domains[0].endswith("go.id")]
        for label in labels:
            plain = re.sub(r"[^a-z]", "", label)
            if len(plain) >= _SHORTEST_MARK:
                marks.setdefault(plain, row.name)
    return marks
