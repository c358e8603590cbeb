"""Campaigns: postings that are near-duplicates of each other, or share a personal contact.

The name of a campaign is made from its texts alone: it stays the same in any order of the rows, in any process, and
whatever unrelated rows stand beside them.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from jobscam.campaigns.alike import ALIKE, Groups, IntArray, near_duplicates
from jobscam.campaigns.contacts import ContactKeys, shipped_keys
from jobscam.campaigns.shingles import comparable, folded, shipped_normaliser
from jobscam.errors import InputError
from jobscam.posting import Posting

MOST_GROUPS = 20
"""A contact in more groups of otherwise different ads belongs to a portal or an account that collects ads."""
_DIGEST, _NAME = 16, 8


class Campaigns:
    """Takes postings one by one and groups them at the end.

    Memory: the folded text and half a kilobyte for each distinct ad.

    Parameters
    ----------
    threshold : float
        Jaccard similarity of the shingles from which two texts are near-duplicates.
    most_groups : int
        A contact that stands in more groups of near-duplicates than this joins none.

    Examples
    --------
    >>> found = Campaigns()
    >>> found.add(*traits(Posting(description="Dibutuhkan kasir toko di Depok jujur dan rajin")))
    >>> found.add(*traits(Posting(description="dibutuhkan KASIR toko di Depok, jujur dan rajin!! 🔥")))
    >>> found.names()
    ['c-a6ed1bf33838d5ba', 'c-a6ed1bf33838d5ba']
    """

    def __init__(self, threshold: float = ALIKE, most_groups: int = MOST_GROUPS) -> None:
        if not 0 < threshold <= 1:
            raise InputError(f"threshold must lie between 0 and 1, got {threshold}")
        if most_groups < 1:
            raise InputError(f"most_groups must be at least 1, got {most_groups}")
        self._threshold = threshold
        self._most_groups = most_groups
        self._texts: dict[bytes, int] = {}
        self._keys: list[str] = []
        self._rows = array("q")
        self._contacts: dict[str, int] = {}
        self._shared_contact = array("q")
        self._shared_row = array("q")

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, key: str, contacts: Collection[str] = ()) -> None:
        """Take a posting.

        Parameters
        ----------
        key : str
            What is compared of its text, as :func:`traits` gives it.
        contacts : collection of str
            Its personal contacts in one spelling.
        """
        digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
        number = self._texts.setdefault(digest, len(self._keys))
        if number == len(self._keys):
            self._keys.append(key)
        for contact in contacts:
            if contact:
                self._shared_contact.append(self._contacts.setdefault(contact, len(self._contacts)))
                self._shared_row.append(len(self._rows))
        self._rows.append(number)

    def names(self) -> list[str]:
        """Campaign of each posting, in the order they were added: ``c-`` and 16 hexadecimal digits."""
        digests = sorted(self._texts)
        # From here on a text is known by the rank of its digest, which no order of rows can change.
        order = [self._texts[d] for d in digests]
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        rows = rank[np.array(self._rows, dtype=np.int64)]
        groups = self._near(order)
        self._join_contacts(groups, rows)
        found = groups.find_all(rows).tolist()
        names = {g: f"c-{blake2b(digests[g], digest_size=_NAME).hexdigest()}" for g in set(found)}
        return [names[g] for g in found]

    def _near(self, order: Sequence[int]) -> Groups:
        long = [i for i, number in enumerate(order) if comparable(self._keys[number])]
        near = near_duplicates([self._keys[order[i]] for i in long], self._threshold)
        groups = Groups(len(order))
        for i, name in zip(long, near.find_all(np.arange(len(long))).tolist()):
            if long[name] != i:
                groups.join(long[name], i)
        return groups

    def _join_contacts(self, groups: Groups, rows: IntArray) -> None:
        if not self._shared_contact:
            return
        contact = np.array(self._shared_contact, dtype=np.int64)
        group = groups.find_all(rows[np.array(self._shared_row, dtype=np.int64)])
        pairs = np.unique(np.stack([contact, group]), axis=1)
        _, starts, counts = np.unique(pairs[0], return_index=True, return_counts=True)
        for start, count in zip(starts.tolist(), counts.tolist()):
            if 1 < count <= self._most_groups:
                members = pairs[1, start : start + count].tolist()
                for other in members[1:]:
                    a, b = groups.find(members[0]), groups.find(other)
                    if a != b:
                        groups.join(a, b)


def group(
    texts: Sequence[str],
    contacts: Sequence[Collection[str]] = (),
    *,
    threshold: float = ALIKE,
    most_groups: int = MOST_GROUPS,
) -> list[str]:
    """Campaign of each text.

    Texts are one campaign if they are near-duplicates (figures, contacts, emoji and disguise left aside) or share a
    contact, also through others. Texts with fewer than 20 shingles join by equality and by contacts only.

    Parameters
    ----------
    texts : sequence of str
        Original texts of the ads.
    contacts : sequence of collections of str, optional
        Personal contacts of each text in one spelling (see :class:`ContactKeys`); none by default.
    threshold : float
        Jaccard similarity of the shingles from which two texts are near-duplicates.
    most_groups : int
        A contact that stands in more groups of near-duplicates than this joins none.

    Returns
    -------
    list of str
        As long as `texts`. Names depend on the texts of the campaign alone.

    Raises
    ------
    InputError
        If `contacts` is given for another number of texts.

    Examples
    --------
    >>> one, two, three = group([
    ...     "Loker admin slot Kamboja, gaji 12jt, tiket dan paspor ditanggung, WA 0812-0000-1473",
    ...     "🔥 LOKER ADMIN SLOT KAMBOJA, gaji 15 jt, tiket dan paspor ditanggung, WA 0856-0000-2211",
    ...     "Dicari perawat lansia di Jepang, program resmi pemerintah, minimal D3 keperawatan",
    ... ])
    >>> one == two, one == three
    (True, False)
    """
    if isinstance(texts, str):
        raise InputError("give a list of texts, not one text")
    if len(contacts) not in (0, len(texts)):
        raise InputError(f"{len(texts)} texts, but contacts of {len(contacts)}")
    normaliser = shipped_normaliser()
    found = Campaigns(threshold, most_groups)
    for i, text in enumerate(texts):
        found.add(folded(normaliser.read(text).norm), contacts[i] if contacts else ())
    return found.names()


def of_postings(
    postings: Iterable[Posting],
    keys: ContactKeys | None = None,
    *,
    threshold: float = ALIKE,
    most_groups: int = MOST_GROUPS,
) -> list[str]:
    """Campaign of each posting, its contacts found on the way.

    Parameters
    ----------
    postings : iterable of Posting
    keys : ContactKeys, optional
        Finder of contacts, with the shipped knowledge by default.
    threshold, most_groups
        As of :func:`group`.

    Returns
    -------
    list of str
    """
    found = Campaigns(threshold, most_groups)
    for posting in postings:
        found.add(*traits(posting, keys))
    return found.names()


class Traits(NamedTuple):
    """What of a posting decides its campaign: the comparable part of its text, and its personal contacts."""

    key: str
    contacts: tuple[str, ...]


def traits(posting: Posting, keys: ContactKeys | None = None) -> Traits:
    """What of a posting decides its campaign; the costly part of grouping, and one that several processes can share."""
    return Traits(folded(shipped_normaliser().read(body(posting)).norm), (keys or shipped_keys()).of(posting))


def body(posting: Posting) -> str:
    """The words of a posting that are compared: not the profile of the company, which all its ads share."""
    parts = (posting.title, posting.description, posting.requirements, posting.benefits)
    return "\n\n".join(p for p in parts if p)


__all__ = ["ALIKE", "MOST_GROUPS", "Campaigns", "ContactKeys", "Traits", "body", "group", "of_postings", "traits"]
