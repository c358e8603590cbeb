"""Contacts of a posting in one spelling, so that equal ones can be told; only those that belong to one person or group.

An address under a company's domain, a page of a portal or a bare host joins honest ads that have nothing in common, so
they are left out. What is left: phone numbers, free mail, accounts, and links to chats, forms and short links.
"""

from __future__ import annotations

import re
from functools import lru_cache

from jobscam import knowledge as shipped
from jobscam.indicators.contact import ContactReader
from jobscam.indicators.contact_finder import Contact, ContactFinder
from jobscam.knowledge import Knowledge
from jobscam.posting import Posting

_PERSONAL_LINKS = ("short_link", "form", "chat")
_MAYBE = re.compile(r"@|\(at\)|\[at\]|gma|mail|https?|www|[A-Za-z0-9]\.[A-Za-z]|(?:\d[ .,()'-]{0,3}){7}\d|[:=]\s{0,2}[A-Za-z0-9]")
_NUMBER = re.compile(r"(?:^|[?&]phone=)\+?(\d{8,15})(?!\d)")
_ACCOUNT = re.compile(r"@?([A-Za-z0-9_.]{4,32})/?(?:[?#].*)?$", re.DOTALL)
_SCHEME = re.compile(r"^[^A-Za-z0-9]*(?:https?\W{1,6})?(?:www\.)?", re.IGNORECASE)
_AT = re.compile(r"\s?(?:@|\(at\)|\[at\])", re.IGNORECASE)
_FEWEST_DIGITS = 8
_SHORTEST_NAME = 4


class ContactKeys:
    """Finds the personal contacts of postings and writes equal ones alike.

    Examples
    --------
    >>> keys = ContactKeys(shipped.load())
    >>> keys.of(Posting(description="Minat? WA 0812-0000-1473 atau wa.me/6281200001473, tele @bos.contoh"))
    ('handle:bos.contoh', 'phone:6281200001473')
    >>> keys.of(Posting(description="CV ke hrd@contoh-garment.example"))
    ()
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._finder = ContactFinder(knowledge)
        self._kind_of = ContactReader(knowledge).kind_of
        channel = knowledge.cues["channel"]
        self._roles = frozenset(channel["role_mailboxes"])
        self._phone_hosts = frozenset(channel["phone_hosts"])
        self._account_hosts = frozenset(channel["account_hosts"])
        self._not_accounts = frozenset(channel["not_accounts"])
        self._domains = knowledge.contact_domains
        self._hosts = frozenset(d.split(".")[0] for d, kind in knowledge.contact_domains.items() if kind == "free_mail")
        self._dial = {c.iso: c.dial_code for c in knowledge.countries.values() if c.dial_code}

    def of(self, posting: Posting) -> tuple[str, ...]:
        """Contacts of a posting, sorted; the account that posted it is not one of them."""
        found = self.in_text(posting.laid_out())
        poster = f"handle:{_name(posting.source)}" if posting.source else ""
        return tuple(key for key in found if key != poster)

    def in_text(self, text: str) -> tuple[str, ...]:
        """Contacts in a text, sorted."""
        if not _MAYBE.search(text):
            return ()
        keys = {self._key(c, text[c.start : c.end]) for c in self._finder.find(text) if c.value}
        return tuple(sorted(keys - {""}))

    def masked(self, text: str) -> str:
        """The text with every contact in it masked, whoever it belongs to.

        Examples
        --------
        >>> shipped_keys().masked("WA 0812-0000-1473, CV ke hrd@contoh-garment.example")
        'WA 0812***, CV ke hrd@***'
        """
        if not _MAYBE.search(text):
            return text
        parts, at = [], 0
        for found in self._finder.find(text):
            parts += [text[at : found.start], _hidden(text[found.start : found.end])]
            at = found.end
        return "".join(parts) + text[at:]

    def _key(self, contact: Contact, written: str) -> str:
        if contact.kind == "phone":
            return self._phone(written, contact.value)
        if contact.kind == "email":
            return self._mail(written, contact.value)
        if contact.kind == "handle":
            return self._handle(contact.value)
        return self._link(written, contact.value)

    def _phone(self, written: str, country: str) -> str:
        digits = re.sub(r"\D", "", written.replace("O", "0")).removeprefix("00")
        dial = self._dial.get(country, "")
        if dial and not digits.startswith(dial):
            digits = dial + digits.removeprefix("0")
        elif dial and digits.startswith(f"{dial}0"):  # +62 0812
            digits = dial + digits[len(dial) + 1 :]
        return f"phone:{digits}" if len(digits) >= _FEWEST_DIGITS else ""

    def _mail(self, written: str, domain: str) -> str:
        local = re.sub(r"\s", "", _AT.split(written)[0]).lower().strip("._-")
        if self._kind_of(domain) != "free_mail" or len(local) < _SHORTEST_NAME or local in self._roles:
            return ""
        return f"email:{local}@{domain}"

    def _handle(self, name: str) -> str:
        name = _name(name)
        known = len(name) < _SHORTEST_NAME or name in self._roles or name in self._hosts or name.split(".")[0] in self._hosts
        return "" if known else f"handle:{name}"

    def _link(self, written: str, host: str) -> str:
        # Paths keep their case: the code of a short link depends on it.
        path = _SCHEME.sub("", written.strip()).partition("/")[2]
        host = host.removeprefix("www.")
        if host in self._phone_hosts and (match := _NUMBER.search(path)):
            return f"phone:{match[1]}"
        if host in self._account_hosts and (match := _ACCOUNT.match(path)) and match[1].lower() not in self._not_accounts:
            return self._handle(match[1])
        page = re.split(r"[?#]", path, maxsplit=1)[0].rstrip("/.,;:")
        kind = self._domains.get(f"{host}/{page.partition('/')[0]}") or self._kind_of(host)
        if page.lower() in self._not_accounts:
            return ""
        return f"link:{host}/{page}" if page and kind in _PERSONAL_LINKS else ""


def mask(key: str) -> str:
    """A contact as it may be shown to others: enough to recognise, too little to call.

    Examples
    --------
    >>> mask("phone:6281200001473"), mask("handle:bos.contoh"), mask("link:bit.ly/LokerContoh")
    ('phone:62812***', 'handle:bos.***', 'link:bit.ly/Lo***')
    """
    kind, _, value = key.partition(":")
    if kind == "link":
        host, _, page = value.partition("/")
        return f"{kind}:{host}/{page[:2]}***"
    return f"{kind}:{value[: 5 if kind == 'phone' else 4]}***" if len(value) > _SHORTEST_NAME else f"{kind}:***"


def _hidden(written: str) -> str:
    return f"{written[:4]}***" if len(written) > 2 * _SHORTEST_NAME else "***"


def _name(account: str) -> str:
    return re.sub(r"\s", "", account).lower().strip("@._")


@lru_cache(maxsize=1)
def shipped_keys() -> ContactKeys:
    """Finder with the shipped knowledge, made once."""
    return ContactKeys(shipped.load())
