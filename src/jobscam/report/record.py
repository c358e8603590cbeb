"""One ad as the page holds it: its cells, what was found where, and how that adds up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jobscam.explain import Assessment, Reason
from jobscam.indicators.contact_finder import Contact
from jobscam.indicators.destination import DestinationReader
from jobscam.indicators.salary import SalaryReader
from jobscam.knowledge import Knowledge
from jobscam.posting import ColumnMap, Posting
from jobscam.report.layout import Layout, is_ours, storable, utf16
from jobscam.report.mask import Masked, Masker
from jobscam.text.normalise import MAX_CHARS
from jobscam.values import Sign, Span

_MARGIN = 1000
CELL_LIMIT = MAX_CHARS - _MARGIN
"""Characters of a cell that go into the page: as far as the model reads, less what a contact at the end may take."""
LANGUAGES = ("id", "en")
HAND = "labelled_by_hand"
_LABELS = ("scam", "legit", "unsure")
_NO_INDICATOR, _WORDS = -1, -2
# The account or page that an ad was found on leads to a person as a phone number does.
_ORIGIN = ("url", "source")


class Ad(NamedTuple):
    """An ad for the page, the sentences it refers to, and what campaigns are grouped by."""

    values: dict[str, Any]
    sentences: list[tuple[str, str]]
    posting: Posting


class Recorder:
    """Makes records of assessments.

    Parameters
    ----------
    header : sequence of str
    mapping : ColumnMap
    knowledge : Knowledge
    show_contacts : bool
        Whether contacts stay as they are. If not, they are masked, and columns that no field reads are left out.

    Attributes
    ----------
    columns : list of int
        Positions in the header of the columns that go into the page.
    label : int or None
        Position of a column of labels given by hand in an earlier page.
    """

    def __init__(self, header: Sequence[str], mapping: ColumnMap, knowledge: Knowledge, *, show_contacts: bool) -> None:
        self.layout = Layout(mapping)
        self.header = list(header)
        self.masked = not show_contacts
        self.masker = Masker(knowledge)
        self._knowledge = knowledge
        self._salary = SalaryReader(knowledge)
        self._destination = DestinationReader(knowledge)
        self._hand = self.header.index(HAND) if HAND in header else None
        names = ("jobscam_label", "label") if self._hand is not None else ()
        self.label = next((self.header.index(name) for name in names if name in header), None)
        fields = self.layout.fields
        self.columns = [
            i
            for i, name in enumerate(header)
            if not is_ours(name)
            and i not in (self._hand, self.label)
            and (show_contacts or (i in fields and fields[i] not in _ORIGIN) or name == "label")
        ]
        self._place = {column: i for i, column in enumerate(self.columns)}
        self._contact = frozenset(mapping.fields.get("contact", ()))

    def record(self, line: int, cells: Sequence[str], found: Assessment) -> Ad:
        """The record of one assessed row."""
        originals = [cells[i] if i < len(cells) else "" for i in self.columns]
        contacts = self._contacts(originals, cells, found) if self.masked else [[] for _ in originals]
        shown, cut = self._shown(originals, contacts)
        units = [utf16(masked.text) for masked in shown]

        def flat(spans: Sequence[Span]) -> list[int]:
            out: list[int] = []
            for span in spans:
                for column, start, end in self.layout.spans(cells, span):
                    place = self._place.get(column)
                    if place is None:
                        continue
                    ends = [min(at, len(shown[place].text)) for at in shown[place].span(start, end)]
                    if ends[0] < ends[1]:
                        out += (place, *(units[place](at) for at in ends))
            return out

        evidence: dict[str, list[Span]] = {}
        for item in found.evidence:
            evidence.setdefault(item.indicator, []).extend(item.spans)
        reasons: list[list[Any]] = []
        sentences: list[tuple[str, str]] = []
        for reason in found.reasons:
            pair = self._sentence(reason)
            if pair not in sentences:
                sentences.append(pair)
            name = reason.name.split("@")[0]
            kind: str | int = name if name in evidence else _WORDS if reason.spans else _NO_INDICATOR
            entry = [sentences.index(pair), round(reason.weight, 4), kind]
            reasons.append([*entry, flat(reason.spans)] if kind == _WORDS else entry)
        why = tuple(found.status_sentence(language) for language in LANGUAGES)
        if any(why):
            sentences.append((why[0], why[1]))
        values = {
            "n": line,
            "p": None if found.probability is None else round(found.probability, 6),
            "z": None if found.logit is None or not math.isfinite(found.logit) else round(found.logit, 4),
            "b": round(found.bias, 4),
            "t": found.tier,
            "s": found.status,
            "w": len(sentences) - 1 if any(why) else -1,
            "l": found.language,
            **self._facts(found),
            "x": [storable(masked.text) for masked in shown],
            "h": [
                [place, units[place](h.start), units[place](h.end), h.kind]
                for place, masked in enumerate(shown)
                for h in masked.hidden
            ],
            "u": cut,
            "e": [[name, flat(spans)] for name, spans in sorted(evidence.items())],
            "r": reasons,
            "y": self._label_of(cells),
        }
        return Ad({k: v for k, v in values.items() if v not in ("", [], None)}, sentences, found.document.posting)

    def _contacts(self, originals: Sequence[str], cells: Sequence[str], found: Assessment) -> list[list[Contact]]:
        """Contacts in each cell of the page: found in the whole ad, where labels help, and in the cell by itself."""
        out = [list(self.masker.find(text)) if text else [] for text in originals]
        for contact in self.masker.find(found.document.text.original):
            span = found.document.original_span(contact.start, contact.end)
            for column, start, end in self.layout.spans(cells, span):
                place = self._place.get(column)
                if place is not None:
                    out[place].append(Contact(contact.kind, start, end, contact.value))
        return out

    def _shown(self, originals: Sequence[str], contacts: list[list[Contact]]) -> tuple[list[Masked], list[list[int]]]:
        """What the page holds of each cell, and for those that were cut their place and length."""
        if self.masked:
            contacts = self.masker.find_again(originals, contacts)
        shown, cut = [], []
        for place, text in enumerate(originals):
            some: list[Contact] = []
            if self.masked:
                some = contacts[place]
                if self.columns[place] in self._contact:
                    some = some + self.masker.numbers(text)
            end = len(text)
            if end > CELL_LIMIT + _MARGIN:
                # A contact is masked whole, so the cut never leaves half of one.
                end = max([CELL_LIMIT, *(c.end for c in some if c.start < CELL_LIMIT)])
                cut.append([place, len(text)])
            shown.append(self.masker.mask(text[:end], [c for c in some if c.end <= end]))
        return shown, cut

    def _facts(self, found: Assessment) -> dict[str, Any]:
        """Place, pay in rupiah a month, the minimum wage it is held against, and the agency's state."""
        place = self._destination.find(found.document)
        known = place.iso or ("" if found.facts.get("abroad") else "ID")
        pay = found.facts.get("salary_month_idr")
        minimum = self._salary.minimum(known, place.region) if known else None
        return {
            "d": place.iso,
            "pay": round(pay) if isinstance(pay, float) else None,
            "ref": round(minimum) if minimum else None,
            "a": str(found.facts.get("agency") or ""),
        }

    def _sentence(self, reason: Reason) -> tuple[str, str]:
        """The sentence of a reason in both languages; learned words are shown in place, never repeated in it."""
        if reason.name.startswith("text:") and reason.name != "text:rest":
            key = "text_risk" if reason.weight > 0 else "text_safety"
            return self._knowledge.sentences["id"][key], self._knowledge.sentences["en"][key]
        return reason.sentence("id"), reason.sentence("en")

    def _label_of(self, cells: Sequence[str]) -> str:
        if self._hand is None or self.label is None or self.label >= len(cells):
            return ""
        by_hand = self._hand < len(cells) and cells[self._hand].strip() == "1"
        label = cells[self.label].strip()
        return label if by_hand and label in _LABELS else ""

    def indicators(self, names: Sequence[str]) -> list[list[str]]:
        """Name, sign, and what it says in Indonesian and English, of each indicator."""
        said, known = self._knowledge.sentences, self._knowledge.indicators
        signs = [known[name].sign if name in known else Sign.CONTEXT for name in names]
        return [
            [name, sign.value, *(said[language].get(name, name) for language in LANGUAGES)]
            for name, sign in zip(names, signs, strict=True)
        ]

    def countries(self, codes: Sequence[str]) -> Mapping[str, list[str]]:
        """Names of countries in Indonesian and English, by ISO code."""
        known = self._knowledge.countries
        return {iso: [known[iso].name_id, known[iso].name_en] if iso in known else [iso, iso] for iso in codes}
