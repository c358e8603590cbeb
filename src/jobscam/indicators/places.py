"""What is said of a place where it is named: that the work is there, an office, a stop on the way, or that it is not there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jobscam.indicators.matcher import Matcher, any_of
from jobscam.knowledge import Knowledge

WORK, OFFICE, TRANSIT, DENIED, MENTION = "work", "office", "transit", "denied", "mention"
PASSING = "passing"
"""Customers, exports, experience: where something else than the work is."""
NAME = "name"
"""Part of the name of something else."""

_ROLES = {"denial": DENIED, "transit": TRANSIT, "served": PASSING, "none": MENTION, "office": OFFICE, "work": WORK}
_SENTENCE_END = re.compile(r"[.!?](?:\s|$)")
_ABBREVIATION = re.compile(r"(?<![a-z])(?:[a-z]{1,3}|jend)\.")
_POSTCODE = re.compile(r"[,. ]{0,3}(?:indonesia[ ,]{0,2})?(?<!\d)[1-9]\d{4}(?!\d|[.,]\d)")
_ADDRESS = 120
_HEADLINE = 60
_PRICE = re.compile(r"[ ,:()-]{0,3}(?:mulai dari[: ]{0,2})?(?:rp\.? ?\d|\d[\do]{0,3}[.,][\do]{3}[.,][\do]{3})")
_FULL_REACH = 96
_CUE_LENGTH = 24


@dataclass(frozen=True, slots=True)
class Role:
    """A role, and whether words of the ad say so or only its layout or neighbours."""

    name: str
    said: bool


class RoleReader:
    """Tells the role of a place from the words around it."""

    def __init__(self, knowledge: Knowledge) -> None:
        cues = knowledge.cues["place"]
        self._reach = {name: int(value) for name, value in knowledge.settings["place_reach"].items()}
        self._order = {name: order for order, name in enumerate((*_ROLES, "street"))}
        self._cues: Matcher[str] = Matcher(
            ((cue, name) for name in self._order for cue in cues[name]), clitics=False, strict=True
        )
        self._farthest = max(self._reach[name] for name in self._order) + _CUE_LENGTH
        self._street, self._office = (
            re.compile(rf"(?<![a-z0-9])(?:{any_of(cues[name])})(?![a-z0-9])") for name in ("street", "office")
        )
        # What the patterns that look at the words right before a name cannot do without.
        self._ends = {
            name: tuple(cues[name])
            for name in ("preposition", "short_form", "weak", "name_before", "shop_before", "account_before")
        }
        self._preposition = re.compile(rf"(?<![a-z])(?:{any_of(cues['preposition'])}) (?:negara |kota |the )?$")
        self._short_form = re.compile(rf"(?<![a-z])(?:{any_of(cues['short_form'])})[ :]{{0,2}}$")
        self._weak = re.compile(rf"(?<![a-z])(?:{any_of(cues['weak'])})[ :]{{0,2}}$")
        self._nationwide = re.compile(rf"(?<![a-z])(?:{any_of(cues['nationwide'])}) (?:wilayah |kota |cabang |di )*$")
        self._strong = re.compile(rf"(?<![a-z])(?:{any_of(cues['strong'])})(?![a-z])")
        self._market = re.compile(rf"(?<![a-z])(?:{any_of(cues['market'])})(?![a-z])[^.]{{0,44}}$")
        self._name = re.compile(rf"(?<![a-z])(?:{any_of(cues['name_before'])}) $")
        self._shop = re.compile(rf"(?<![a-z])(?:{any_of(cues['shop_before'])}) $")
        self._account_before = re.compile(rf"(?:{any_of(cues['account_before'])})[ _.]{{1,2}}$")
        self._part = re.compile(rf"[,. ]{{1,3}}(?:{any_of(cues['address_part'])})[. ]")
        joiners = any_of(cues["joiner"])
        self._list = re.compile(rf"(?:[^a-z]{{0,4}}(?:(?:{joiners}) )?[^a-z]{{0,3}}(?:[a-z]{{2,14}}[ ]?){{0,2}}[^a-z]{{0,3}})?")
        self._both = re.compile(rf"\b(?:{any_of(cues['and'])})\b|[^a-z]")
        self._account_after = re.compile(rf"[ _.]{{0,2}}(?:{any_of(cues['account'])})(?![a-z])")

    def is_account(self, norm: str, start: int, end: int, known: set[str]) -> bool:
        """Whether the name is part of the name of a repost account, printed over the poster.

        `known` collects such names: once seen whole, the account is known where OCR cut it off as well.
        """
        if not self._ends_with("account_before", norm, start, " _.") or not self._account_before.search(
            norm, max(0, start - 12), start
        ):
            return False
        name = norm[start:end]
        if self._account_after.match(norm, end):
            known.add(name)
        return name in known

    def after_preposition(self, norm: str, start: int) -> bool:
        """Whether a short form stands where only a place can."""
        return (
            self._ends_with("short_form", norm, start, " :")
            and self._short_form.search(norm, max(0, start - 24), start) is not None
        )

    def _ends_with(self, cue: str, norm: str, start: int, signs: str) -> bool:
        """Whether a cue may stand right before a position, with nothing but these signs between."""
        while start > 0 and norm[start - 1] in signs:
            start -= 1
        return norm.endswith(self._ends[cue], 0, start)

    def role(self, norm: str, floor: int, start: int, end: int, *, abroad: bool, country: bool) -> Role:
        """Role of the name at a position of the normalised text.

        Parameters
        ----------
        norm : str
        floor : int
            Where the field begins: cues of another field say nothing.
        start, end : int
        abroad : bool
            A bare "di" is enough for a place abroad.
        country : bool
            Whether the place is a whole country.
        """
        if self._ends_with("name_before", norm, start, " ") and self._name.search(norm, max(floor, start - 30), start):
            return Role(NAME, said=True)
        if abroad and self._ends_with("shop_before", norm, start, " ") and self._shop.search(norm, max(floor, start - 30), start):
            return Role(NAME, said=True)  # at home a shop stands where its town is
        if country and not abroad:
            said = self._nationwide.search(norm, max(floor, start - 40), start)
            market = self._market.search(norm, max(floor, start - 64), start)
            return Role(WORK if said and not market else MENTION, said=True)
        if _PRICE.match(norm, end):  # the layout of a card: place, then pay
            return Role(WORK, said=True)
        if _POSTCODE.match(norm, end) or self._part.match(norm, end):
            return Role(OFFICE, said=True)
        name, at = self._nearest(norm, max(floor, start - _FULL_REACH), start, abroad)
        if name == "street" and country and at >= start - 1:  # a house or street that bears the name
            return Role(NAME, said=True)
        if name == "street" or (name == "work" and self._in_address(norm, at, start)):
            strong = [m.end() for m in self._strong.finditer(norm, max(floor, start - _ADDRESS), start)]
            between = _ABBREVIATION.sub(" ", norm[strong[-1] : start]) if strong else "."
            whole = not _SENTENCE_END.search(between) and not self._office.search(between)
            return Role(WORK if whole else OFFICE, said=True)
        if name:
            return Role(_ROLES[name], said=True)
        weak = self._ends_with("weak", norm, start, " :") and self._weak.search(norm, max(floor, start - 20), start) is not None
        headline = start - floor < _HEADLINE
        if weak:
            return Role(WORK, said=True)
        if (abroad or headline) and self._preposition.search(norm, max(floor, start - 16), start):
            return Role(WORK, said=headline)
        return Role(MENTION, said=False)

    def _nearest(self, norm: str, floor: int, start: int, abroad: bool) -> tuple[str, int]:
        """The cue that ends last before the name, not farther than it reaches; "" if there is none.

        What is served or traded with sets a place apart abroad only: at home the customers are where the work is.
        """
        low = max(floor, start - self._farthest)
        before = max(0, low - 1)  # the character before tells whether a word begins
        found: dict[str, list[tuple[int, int]]] = {}
        for hit in self._cues.find(norm[before:start]):
            name, begin, end = hit.payload, hit.start + before, hit.end + before
            if name == "served" and not abroad:
                continue
            taken = found.setdefault(name, [])
            if begin >= max(floor, start - self._reach[name] - _CUE_LENGTH) and (not taken or begin >= taken[-1][1]):
                taken.append((begin, end))
        ends = [(end, -self._order[name], name) for name, spans in found.items() for _, end in spans]
        for end, _, name in sorted(ends, reverse=True):
            between = norm[end:start]
            if len(between) <= self._reach[name] and not _broken(between, name):
                return name, end
        return "", -1

    def _in_address(self, norm: str, start: int, end: int) -> bool:
        """Whether a street stands between the cue and the name: "Lokasi: Jl. Ciremai 50 ... Bekasi"."""
        return self._street.search(norm, start, end) is not None

    def in_list(self, norm: str, end: int, start: int, role: str) -> bool:
        """Whether two names belong to one list: only signs and a word or two stand between, for a denial only "and"."""
        between = norm[end:start]
        if role == DENIED and self._both.sub("", between):
            return False
        return (
            len(between) <= self._reach["list"] and self._list.fullmatch(between) is not None and "." not in between.strip(". ")
        )


def _broken(between: str, name: str) -> bool:
    """Whether a sentence ends between cue and place; addresses are full of points and figures."""
    if name == "street":
        return bool(_SENTENCE_END.search(_ABBREVIATION.sub(" ", between)))
    if _SENTENCE_END.search(_ABBREVIATION.sub(" ", between)):
        return True
    if name == "denial":
        return any(c.isdigit() for c in between)
    return name == "work" and between.count(",") > 2
