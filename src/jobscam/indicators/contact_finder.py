"""Phones, addresses, links and account names as ads write them, broken by OCR and disguise included."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from jobscam.indicators.matcher import any_of
from jobscam.knowledge import Knowledge
from jobscam.text.signs import sign_table, words_with

MAX_CHARS = 200_000

# A phone number as people space it; OCR reads 0 as O at the start and drops an apostrophe in. What it is, is judged after.
_NEW_NUMBER = r"(?<=[ ])0[28][1-9](?:[ -]?\d){5}"
_PHONE = re.compile(
    rf"(?<![\d.,+A-Za-z])(?:(?:\+\d{{2,3}}[ .\-]\(?\d\)?(?=[ .\-]\d{{3}})|(?:\+|00|-(?=62))?\(?[\dO]\d{{0,4}}\)?))"
    rf"(?:[ .\-']{{0,3}}\(?(?!{_NEW_NUMBER})\d{{2,10}}\)?){{1,6}}(?!\d)"
)
_BRACKETED = re.compile(r"\(\d{3}\)[ .-]?\d{3}[ .-]\d{4}|\d{3}[-.]\d{3}[-.]\d{4}")
_CLOCK = re.compile(r"[0O]\d\.[0-5]\d(?!\d)")
_LONGEST, _SHORTEST = 15, 6
_MASK = re.compile(r"#(EMAIL|URL|PHONE)_[0-9a-f]{8,80}#")
_MASKS = {"EMAIL": "email", "URL": "link", "PHONE": "phone"}

_LOCAL = r"[A-Za-z0-9][A-Za-z0-9._+%\-]{0,63}"
_CO_ID = r"co\.? ?id"
_TLD = rf"(?:com|net|org|info|{_CO_ID}|id|sg|my|biz|io|co|example|test|asia|me|app|site|online|xyz|edu|gov|us|uk|au)"
_AT = r"\s?(?:@|\(at\)|\[at\])\s?"
# The dot before the last labels may be lost, spaced or read as another sign; a whole word behind it ends the address.
_SEP = r"(?:\s?[.,]\s?|\s)"
_SPACED_TLD = rf"(?:com|{_CO_ID}|id|net|org)"
# A broken dot is believed only before the commonest endings; a name behind another @ is an account, not a mailbox.
_EMAIL = re.compile(
    rf"(?<![A-Za-z0-9@._]){_LOCAL}{_AT}([A-Za-z0-9\-]{{1,63}}(?:(?:\s?[.,]\s?[A-Za-z0-9\-]{{1,63}}){{0,2}}\s?[.,]\s?{_TLD}"
    rf"|(?:{_SEP}[A-Za-z0-9\-]{{1,63}}){{0,1}}{_SEP}{_SPACED_TLD}))(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SPELT = re.compile(
    r"(?<![A-Za-z0-9])[\w.+-]{2,40}\s?[(\[]?(?:AT|at\b)[)\]]?\s?([\w-]{2,40})\s?[(\[]?(?:DOT|dot\b)[)\]]?\s?(com|co|net|org|id)(?![a-z])"
)
_EMAIL_PLAIN = re.compile(rf"(?<![A-Za-z0-9]){_LOCAL}@((?:[A-Za-z0-9\-]{{1,63}}\.){{1,4}}[A-Za-z]{{2,24}})")
_PATH = r"((?:[/?#][^\s\[\]()<>\"]{0,300})?)"
_SCHEME = re.compile(rf"https?\s?:\s?[/lI1|\\]{{1,3}}\s?[/lI|]?\s?([A-Za-z0-9.\-]{{3,120}}){_PATH}", re.IGNORECASE)
_WWW = re.compile(
    r"(?<![A-Za-z0-9@])www[. ]\s?([A-Za-z0-9\-]{2,60}(?:[. ]\s?[A-Za-z0-9\-]{2,30}){0,3}?[. ]\s?"
    rf"(?:com|{_CO_ID}|id|net|org))(?![A-Za-z0-9]){_PATH}",
    re.IGNORECASE,
)
_DOMAIN = re.compile(
    rf"(?<![A-Za-z0-9@.])((?:[a-z0-9][a-z0-9\-]{{1,62}}\.){{1,3}}"
    rf"(?: ?com|{_CO_ID}|go\.id|ac\.id|or\.id|sch\.id|web\.id|net|org|id|example|sg|co(?!\.? ?id)))(?![A-Za-z0-9]){_PATH}",
    re.IGNORECASE,
)
_ANY_HOST = re.compile(
    rf"(?<![A-Za-z0-9@.])([A-Za-z0-9\-]{{1,20}}\.(?:[A-Za-z0-9\-]{{2,20}}\.)?[A-Za-z]{{2,10}})(?![A-Za-z0-9]){_PATH}"
)
_BEFORE_HOST = re.compile(rf"(?<![A-Za-z0-9._+\-])[A-Za-z0-9][A-Za-z0-9._+\-]{{1,40}}(?:{_AT}|\s)?$")
_ANY_AT = re.compile(r"@|\(at\)|\[at\]", re.IGNORECASE)
_MAIL_BEFORE, _MAIL_AFTER = 66, 300
"""Characters that an address can have before and behind its at sign, and a few more."""

# What a contact cannot do without, as signs. A character that is not ASCII stands as "?", and is taken for whatever helps
# the pattern: some match signs of other scripts (digits; the long s).
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ALNUM = "0123456789-?" + _LETTERS + _LETTERS.upper()
_BREAKS = ' \t\r\n[]()<>"'
_MAIL = sign_table(" ", {"x": _ALNUM + "._+%", "@": "@"})
_HOST = sign_table("-", {" ": _BREAKS, "x": _ALNUM, ".": "."})
_ENDING = sign_table("-", {" ": _BREAKS, "x": _ALNUM, ".": ".", "e": "?" + "aceginosw" + "aceginosw".upper()})
_NUMBER = sign_table(" ", {"0": "0123456789?", "-": "O+-.'() "})
_BETWEEN_FIGURES = b"+-.'() "
# Letters of any case as small ones, and i, l and 1 as one: what stands for each other in a damaged host.
_ALIKE = bytes(ord("l") if chr(c) in "iIlL1" else c + 32 if 65 <= c <= 90 else c for c in range(256))
_OTHER_CASE = frozenset("\u0130\u0131\u017f\u212a")
"""Signs that are not ASCII and yet match letters where case is ignored: dotted and dotless i, long s, the sign of kelvin."""
_LONGEST_LOCAL = 48
_NAMED = re.compile(r"[:=]\s{0,2}([A-Za-z0-9][A-Za-z0-9_.]{3,30})(?![A-Za-z0-9@])")
_HANDLE = re.compile(r"(?<![A-Za-z0-9._])@([A-Za-z0-9][A-Za-z0-9_.]{3,30}(?: _ [A-Za-z0-9_]{2,20})?)")


@dataclass(frozen=True, slots=True)
class Contact:
    """A way to answer an ad.

    Attributes
    ----------
    kind : str
        phone, email, link or handle.
    start, end : int
        Where it stands in the joined original text.
    value : str
        ISO country of a phone number, domain of an address or link, name of an account; "" where it is masked.
    """

    kind: str
    start: int
    end: int
    value: str


class ContactFinder:
    """Finds contacts with the dial codes and domains of a :class:`Knowledge`."""

    def __init__(self, knowledge: Knowledge) -> None:
        channel = knowledge.cues["channel"]
        self._label = re.compile(
            rf"(?:{any_of(channel['phone_labels'])})[ .:;=)/-]{{0,4}}(?:no|number|nomor|us|di|at)?[ .:;=)/-]{{0,4}}$",
            re.IGNORECASE,
        )
        self._account = re.compile(rf"(?<![A-Za-z])(?:{any_of(channel['accounts'])})\s{{0,2}}$", re.IGNORECASE)
        self._accounts_named = tuple(channel["accounts"])
        self._codes = {c.dial_code: c.iso for c in knowledge.countries.values() if c.dial_code}
        mail = tuple(channel["damaged_mail"])
        self._mail = frozenset(("gma", *mail))
        self._mail_begins = _begins(self._mail)
        # gmail com, @gmailcom, xagmail.com: the dot, the at sign or both lost.
        self._host = re.compile(
            rf"({any_of(mail)}|gma[il1]{{2}})(?:\s?[.,_ ]?\s?(com|{_CO_ID}|co)|(?<=@gmail)|(?<=@yahoo))(?![A-Za-z0-9])",
            re.IGNORECASE,
        )
        self._hidden = frozenset(d for d, kind in knowledge.contact_domains.items() if kind in ("short_link", "form", "chat"))
        hosts = [d.split(".") for d in channel["damaged"]]
        self._damaged_hosts = frozenset(h[0] for h in hosts)
        self._damaged_begins = _begins(self._damaged_hosts)
        self._literals = sorted({*self._mail, *self._damaged_hosts, "http", "www", "dot"})
        self._automaton = BytesAhoCorasick([w.encode() for w in self._literals], matchkind=MatchKind.Standard)
        damaged = [r"\s?[._ ]{0,2}\s?".join(part.replace("l", "[lI1]") for part in h) for h in hosts]
        self._damaged = re.compile(
            rf"(?<![A-Za-z0-9@.])({'|'.join(damaged)})(?:\s?[/|]\s?[^\s\[\]()<>\"]{{1,200}}|[lI1/|][^\s]{{2,80}}|(?<=[.])(?![A-Za-z0-9]))",
            re.IGNORECASE,
        )

    def find(self, original: str) -> tuple[Contact, ...]:
        """Contacts in order; what belongs to a longer one is not counted again."""
        text = original[:MAX_CHARS]
        # In order and apart from each other, so that only two neighbours can stand in the way of a new one.
        found: list[Contact] = []
        starts: list[int] = []

        def add(contacts: Iterator[Contact]) -> None:
            for contact in contacts:
                i = bisect_right(starts, contact.start)
                behind = i > 0 and found[i - 1].end > contact.start
                if not behind and not (i < len(found) and starts[i] < contact.end):
                    found.insert(i, contact)
                    starts.insert(i, contact.start)

        if "#" in text:
            add(Contact(_MASKS[m[1]], m.start(), m.end(), "") for m in _MASK.finditer(text))
        raw = text.encode("ascii", "replace")
        if "@" in text:
            add(
                Contact("email", m.start(), m.end(), m[1].lower())
                for word in words_with(raw.translate(_MAIL), b"@")
                for m in _EMAIL_PLAIN.finditer(text, *word)
            )
        lowered = text.lower()
        seen = self._literals_in(lowered)
        if not seen.isdisjoint(self._mail):
            add(self._free_mail(text, raw))
        if "@" in text or "[at]" in text or "(at)" in text:
            add(
                Contact("email", m.start(), m.end(), _tidy(m[1]))
                for window in _windows(text)
                for m in _EMAIL.finditer(text, *window)
            )
        if "dot" in seen:
            add(Contact("email", m.start(), m.end(), f"{m[1]}.{m[2]}".lower()) for m in _SPELT.finditer(text))
        add(self._links(text, seen, raw))
        add(self._phones(text, raw))
        if "@" in text:
            add(Contact("handle", m.start(), m.end(), m[1].lower().rstrip(".")) for m in _matches_at(_HANDLE, text, "@"))
        add(self._accounts(text))
        return tuple(found)

    def _free_mail(self, text: str, raw: bytes) -> Iterator[Contact]:
        for match in _beginning(self._mail_begins, self._host, text, raw):
            before = _BEFORE_HOST.search(text, max(0, match.start() - _LONGEST_LOCAL), match.start())
            if before is None or before[0].lower().startswith(("www", "http")):
                continue
            yield Contact(
                "email",
                before.start(),
                match.end(),
                f"{_host_name(match[1])}.{'co.id' if 'id' in (match[2] or '').lower() else 'com'}",
            )

    def _literals_in(self, lowered: str) -> set[str]:
        """Which of the words that a kind of contact cannot be without stand in a text."""
        hits = self._automaton.find_matches_as_indexes(lowered.encode("ascii", "replace"), overlapping=True)
        return {self._literals[index] for index, _, _ in hits}

    def _links(self, text: str, seen: set[str], raw: bytes) -> Iterator[Contact]:
        for match in _SCHEME.finditer(text) if "http" in seen else ():
            yield Contact("link", match.start(), match.end(), match[1].lower().strip(".-"))
        if "." in text:
            for match in (m for word in words_with(raw.translate(_HOST), b"x.x") for m in _ANY_HOST.finditer(text, *word)):
                if match[1].lower() in self._hidden:
                    yield Contact("link", match.start(), match.end(), match[1].lower())
        for match in (
            _beginning(self._damaged_begins, self._damaged, text, raw) if not seen.isdisjoint(self._damaged_hosts) else ()
        ):
            host = re.sub(r"[ ._]+", ".", match[1].lower()).replace("1y", "ly").replace("iy", "ly")
            yield Contact("link", match.start(), match.end(), host)
        for match in _WWW.finditer(text) if "www" in seen else ():
            yield Contact("link", match.start(), match.end(), _tidy(match[1]))
        if "." in text:
            for match in (m for words in _before_endings(raw) for m in _DOMAIN.finditer(text, *words)):
                yield Contact("link", match.start(), match.end(), match[1].lower().replace(" ", ""))

    def _accounts(self, text: str) -> Iterator[Contact]:
        for match in (m for sign in ":=" for m in _matches_at(_NAMED, text, sign)):
            before = text[max(0, match.start() - 16) : match.start()].rstrip()
            if before.isascii() and not before.lower().endswith(self._accounts_named):
                continue
            if not match[1].isdigit() and self._account.search(text, max(0, match.start() - 16), match.start()):
                yield Contact("handle", match.start(1), match.end(1), match[1].lower())

    def _phones(self, text: str, raw: bytes) -> Iterator[Contact]:
        for match in (m for run in _numbers(raw) for m in _PHONE.finditer(text, *run)):
            if _CLOCK.match(match[0]):
                continue
            end = match.end()
            while sum(c.isdigit() for c in text[match.start() : end]) > _LONGEST and " " in text[match.start() : end]:
                end = match.start() + text[match.start() : end].rindex(" ")
            labelled = self._label.search(text, max(0, match.start() - 28), match.start()) is not None
            country = self._phone_country(text[match.start() : end], labelled)
            if country:
                yield Contact("phone", match.start(), end, country)

    def _phone_country(self, written: str, labelled: bool) -> str:
        """ISO country of a phone number as written, or "" if it is not one; "ZZ" where only its label tells."""
        digits = re.sub(r"\D", "", written.replace("O", "0"))
        international = written.lstrip("(").startswith(("+", "-")) or (digits.startswith("00") and not digits.startswith("008"))
        if digits.startswith("00"):
            digits = digits[2:] if international else digits[1:]
        if digits.startswith("62") and 10 <= len(digits) <= 15:
            return "ID"
        if not international:
            if digits.startswith("08") and 9 <= len(digits) <= 15:
                return "ID"
            if re.match(r"8[1-9]\d{8,11}$", digits) and labelled:
                return "ID"
            if re.match(r"0[2-9]\d", digits) and 9 <= len(digits) <= 12 and "." not in written:
                return "ID"
            if _BRACKETED.fullmatch(written.strip()):
                return "ZZ"
            return "ZZ" if labelled and 6 <= len(digits) <= 12 and "." not in written else ""
        if not 8 <= len(digits) <= 15:
            return ""
        for length in (3, 2, 1):
            if digits[:length] in self._codes:
                return self._codes[digits[:length]]
        return "ZZ"


def _numbers(raw: bytes) -> Iterator[tuple[int, int]]:
    """Bounds of the runs of figures and what stands between them, where there are enough for a phone."""
    for start, end in words_with(raw.translate(_NUMBER), b"00"):
        if end - start >= _SHORTEST and len(raw[start:end].translate(None, _BETWEEN_FIGURES)) >= _SHORTEST:
            yield start, end


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Bounds of the stretches around at signs; two that are near each other share one."""
    start = end = -1
    for match in _ANY_AT.finditer(text):
        if match.start() >= end:
            if end >= 0:
                yield start, end
            start = max(0, match.start() - _MAIL_BEFORE)
        end = match.end() + _MAIL_AFTER
    if end >= 0:
        yield start, min(end, len(text))


def _before_endings(raw: bytes) -> Iterator[tuple[int, int]]:
    """Bounds of the words with a point and a letter that domains end with, and of the word behind: "loker. com", "co. id"."""
    signs = raw.translate(_ENDING).replace(b".e", b"!e").replace(b". e", b"! e")
    end = 0
    while (at := signs.find(b"!", end)) >= 0:
        start = max(end, signs.rfind(b" ", end, at) + 1)
        last = at
        while last >= 0:
            end = signs.find(b" ", last)
            end = signs.find(b" ", end + 1) if end >= 0 else -1
            end = len(signs) if end < 0 else end
            last = signs.find(b"!", last + 1, end)
            last = -1 if last < 0 else signs.rfind(b"!", last, end)
        yield start, end


def _matches_at(pattern: re.Pattern[str], text: str, sign: str) -> Iterator[re.Match[str]]:
    at = text.find(sign)
    while at >= 0:
        if match := pattern.match(text, at):
            yield match
        at = text.find(sign, at + 1)


def _begins(words: Iterable[str]) -> list[bytes]:
    """How matches of a pattern begin, all signs that are read for each other as one."""
    return sorted({word.encode().translate(_ALIKE) for word in words})


def _beginning(begins: list[bytes], pattern: re.Pattern[str], text: str, raw: bytes) -> Iterator[re.Match[str]]:
    """Matches of a pattern that ignores case, tried only where one may begin."""
    if not text.isascii() and not _OTHER_CASE.isdisjoint(text):
        yield from pattern.finditer(text)
        return
    signs = raw.translate(_ALIKE)
    places: list[int] = []
    for begin in begins:
        at = signs.find(begin)
        while at >= 0:
            places.append(at)
            at = signs.find(begin, at + 1)
    end = 0
    for at in sorted(places):
        if at >= end and (match := pattern.match(text, at)):
            end = match.end()
            yield match


def _tidy(domain: str) -> str:
    return re.sub(r"[\s,_.]+", ".", domain.strip().lower())


def _host_name(host: str) -> str:
    return "gmail" if host.lower().startswith("gma") else host.lower()
