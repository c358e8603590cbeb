"""Contacts in a text, replaced by what still tells their kind: country of a phone, public host of a mailbox or link.

A masked contact is written so that the contact finder reads the same kind from it: ``0812-…`` becomes ``0800-…``, a
mailbox at a company ``xxxxxx@xxxxxx.example``. So a masked text scores nearly as the original does.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jobscam.indicators.contact import ContactReader
from jobscam.indicators.contact_finder import Contact, ContactFinder
from jobscam.knowledge import Knowledge

FILLER = "xxxxxx"
"""Stands for a name, a host or a path; digits of a phone become zeros."""
_OWN_HOST = f"{FILLER}.example"
# Hosts that thousands share, or that are public: they say of what kind a contact is, not whose.
_SHARED = frozenset({"free_mail", "short_link", "form", "chat", "official", "job_board", "social"})
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"\d(?:[ .\-()'/]{0,3}\d){5,}")
_SHORTEST, _SHORTEST_NUMBER = 6, 8


@dataclass(frozen=True, slots=True)
class Hidden:
    """Characters ``[start, end)`` of a masked text that stand for something else, and the kind of contact they hide."""

    start: int
    end: int
    kind: str


class Masked:
    """A text with its contacts replaced, and the way from old offsets to new ones.

    Attributes
    ----------
    text : str
    hidden : tuple of Hidden
    """

    __slots__ = ("_pieces", "_starts", "hidden", "text")

    def __init__(self, text: str, pieces: Sequence[tuple[int, int, str, int, str]]) -> None:
        out: list[str] = []
        hidden: list[Hidden] = []
        self._pieces: list[tuple[int, int, int, int]] = []
        at = size = 0
        for start, end, new, kept, kind in pieces:
            out += (text[at:start], new)
            size += start - at
            self._pieces.append((start, end, size, size + len(new)))
            hidden.append(Hidden(size + kept, size + len(new), kind))
            size += len(new)
            at = end
        out.append(text[at:])
        self.text = "".join(out)
        self.hidden = tuple(hidden)
        self._starts = [piece[0] for piece in self._pieces]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Span in the masked text; what begins or ends inside a contact takes in all of it."""
        return self._at(start, last=False), self._at(end, last=True)

    def _at(self, offset: int, last: bool) -> int:
        i = bisect_right(self._starts, offset - 1 if last else offset) - 1
        if i < 0:
            return offset
        _, end, new_start, new_end = self._pieces[i]
        if offset < end or (last and offset == end):
            return new_end if last else new_start
        return offset + new_end - end


class Masker:
    """Finds and masks contacts with the dial codes and domains of a knowledge base.

    Examples
    --------
    >>> from jobscam import knowledge
    >>> masker = Masker(knowledge.load())
    >>> text = "WA +855 23 0000 111, hrd@toko-contoh.example, bit.ly/abc"
    >>> masker.mask(text, masker.find(text)).text
    'WA +855 00 0000 000, xxxxxx@xxxxxx.example, bit.ly/xxxxxx'
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._finder = ContactFinder(knowledge)
        self._reader = ContactReader(knowledge)
        self._codes = {c.iso: c.dial_code for c in knowledge.countries.values() if c.dial_code}

    def find(self, text: str) -> tuple[Contact, ...]:
        """Contacts of a text that are not masked already."""
        return tuple(c for c in self._finder.find(text) if c.value)

    def find_again(self, texts: Sequence[str], found: Sequence[Sequence[Contact]]) -> list[list[Contact]]:
        """Contacts of several texts of one ad; what was found in one is also found where only its words stand."""
        patterns: dict[str, Contact] = {}
        for text, contacts in zip(texts, found, strict=True):
            for contact in contacts:
                written = text[contact.start : contact.end]
                # An account may be called by an ordinary word, which stays a word elsewhere.
                if len(written) >= _SHORTEST and not (contact.kind == "handle" and written.isalpha()):
                    patterns.setdefault(re.escape(written), contact)
                digits = "".join(_DIGIT.findall(written)).lstrip("0").removeprefix("62")
                if contact.kind == "phone" and len(digits) >= _SHORTEST_NUMBER:
                    patterns.setdefault(r"[ .\-()']{0,3}".join(digits), contact)
        out = [list(contacts) for contacts in found]
        for pattern, like in patterns.items():
            compiled = re.compile(pattern, re.IGNORECASE)
            for i, text in enumerate(texts):
                out[i] += [Contact(like.kind, m.start(), m.end(), like.value) for m in compiled.finditer(text)]
        return out

    def numbers(self, text: str) -> list[Contact]:
        """Anything that could be a number to call, for cells that hold nothing but contacts."""
        return [Contact("phone", m.start(), m.end(), "ZZ") for m in _NUMBER.finditer(text)]

    def mask(self, text: str, contacts: Iterable[Contact]) -> Masked:
        """The text without them; overlapping contacts are masked as one, of the kind of the first."""
        joined: list[Contact] = []
        for contact in sorted(contacts, key=lambda c: (c.start, -c.end)):
            if joined and contact.start < joined[-1].end:
                last = joined[-1]
                joined[-1] = Contact(last.kind, last.start, max(last.end, contact.end), last.value)
            else:
                joined.append(contact)
        return Masked(text, [(c.start, c.end, *self._form(c, text[c.start : c.end]), c.kind) for c in joined])

    def _form(self, contact: Contact, written: str) -> tuple[str, int]:
        """What stands for a contact, and how many of its first characters are still as written."""
        if contact.kind == "phone":
            return self._phone(contact.value, written)
        if contact.kind == "handle":
            return (f"@{FILLER}", 1) if written.startswith("@") else (FILLER, 0)
        shared = self._reader.kind_of(contact.value) in _SHARED
        host = contact.value.split("/")[0] if shared else _OWN_HOST
        if contact.kind == "email":
            return f"{FILLER}@{host}", 0
        scheme = "https://" if written.lower().startswith("http") else ""
        path = f"/{FILLER}" if "/" in written[8:] or (shared and not scheme) else ""
        return scheme + host + path, len(scheme) + (len(host) + 1 if shared else 0)

    def _phone(self, iso: str, written: str) -> tuple[str, int]:
        digits = "".join(_DIGIT.findall(written.replace("O", "0")))
        code = self._codes.get(iso, "")
        if code and digits.startswith((code, f"00{code}")):
            kept = len(code) + (0 if digits.startswith(code) else 2)
        else:
            kept = 2 if digits[:1] in ("0", "8") or written.startswith("+") else 1
        out, seen, shown = [], 0, 0
        for at, character in enumerate(written):
            digit = character.isdigit() or character == "O"
            seen += digit
            out.append("0" if digit and seen > kept else character)
            if seen <= kept:
                shown = at + 1
        return "".join(out), shown
