"""Phrases on the rise among ads of high risk: candidates for the lexicon, for a person to judge.

Runs of one to three words are counted once a campaign, so that a flood of reposts is one voice. Contacts are masked, and so
is what a form of the lexicon matches already. Two tables are compared by the log odds ratio with an informative prior of
Monroe, Colaresi and Quinn (2008, "Fightin' Words"), here of a campaign holding the phrase: the prior is the share in both
tables together and weighs as much as ten campaigns, and the ratio is divided by its standard deviation.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jobscam.indicators import Document
from jobscam.indicators.contact_finder import ContactFinder
from jobscam.indicators.phrases import PhraseEngine
from jobscam.knowledge import Knowledge
from jobscam.ngrams import blanked
from jobscam.posting import READ_FIELDS, Posting
from jobscam.text import Normaliser

_PRIOR = 10.0
_SURE = 2.0
_ALIKE = 0.8
_MASK = "|"
_LONGEST, _MOST_CHARS = 30, 20_000
_BREAK = re.compile(r"[|.,;:!?()\[\]{}\"•*=<>/\\]+")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase that rises.

    Attributes
    ----------
    text : str
        As the lexicon is written: normalised, digits folded to 0.
    reference, new : int
        Campaigns of high risk that hold it.
    log_odds : float
        Log odds ratio, new over reference.
    z : float
        The same in standard deviations.
    """

    text: str
    reference: int
    new: int
    log_odds: float
    z: float


Group = tuple[Sequence[Posting], Sequence[str]]


def rising(reference: Group, new: Group, knowledge: Knowledge, least: int = 3, top: int = 30) -> tuple[tuple[Phrase, ...], int]:
    """Phrases that more campaigns of `new` hold than those of `reference` let expect, and how many were compared.

    Those that rise by two standard deviations are given, the surest first. Of many that are compared some do by chance.

    Parameters
    ----------
    reference, new : (postings, campaigns)
        Ads of high risk, and the campaign of each.
    least : int
        Campaigns of `new` that must hold a phrase.
    top : int
        How many phrases.
    """
    reader = _Reader(knowledge)
    before, n_before = reader.count(*reference)
    now, n_now = reader.count(*new)
    compared = [_compared(text, before[text], n_before, k, n_now) for text, k in now.items() if k >= least]
    found = [phrase for phrase in compared if phrase.z >= _SURE]
    # Of phrases that say the same (one within the other, in much the same ads) the surest stays, and of equals the longest.
    found.sort(key=lambda p: (-p.z, -len(p.text.split()), p.text))
    kept: list[Phrase] = []
    for phrase in found:
        if len(kept) == top:
            break
        if not any(_same(phrase, other) for other in kept):
            kept.append(phrase)
    return tuple(kept), len(compared)


def _compared(text: str, k1: int, n1: int, k2: int, n2: int) -> Phrase:
    share = (k1 + k2) / (n1 + n2)
    holding, lacking = _PRIOR * share + 0.5, _PRIOR * (1 - share) + 0.5
    cells = (k2 + holding, n2 - k2 + lacking, k1 + holding, n1 - k1 + lacking)
    ratio = math.log(cells[0] / cells[1]) - math.log(cells[2] / cells[3])
    return Phrase(text, k1, k2, ratio, ratio / math.sqrt(sum(1 / cell for cell in cells)))


def _same(a: Phrase, b: Phrase) -> bool:
    within = f" {a.text} " in f" {b.text} " or f" {b.text} " in f" {a.text} "
    return within and min(a.new, b.new) >= _ALIKE * max(a.new, b.new)


class _Reader:
    """Turns ads into the phrases that the lexicon does not know."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._normaliser = Normaliser(knowledge)
        self._engine = PhraseEngine(knowledge)
        self._contacts = ContactFinder(knowledge)
        self._stopwords = frozenset().union(*(p.stopwords for p in knowledge.profiles.values()))

    def count(self, ads: Sequence[Posting], campaigns: Sequence[str]) -> tuple[Counter[str], int]:
        """Campaigns that hold each phrase, and the number of campaigns."""
        members: dict[str, list[Posting]] = {}
        for ad, name in zip(ads, campaigns, strict=True):
            members.setdefault(name, []).append(ad)
        counts: Counter[str] = Counter()
        for group in members.values():
            counts.update({phrase for ad in group for phrase in self.phrases(ad)})
        return counts, len(members)

    def phrases(self, ad: Posting) -> Iterator[str]:
        """Phrases of an ad, repeated as they stand there."""
        document = Document(Posting(description=self._without_contacts(ad)), self._normaliser)
        masked = list(blanked(document.norm, _MASK))
        for found in self._engine.find(document):
            for start, end in (span for spans in found.values() for span in spans):
                masked[start:end] = _MASK * (end - start)
        for run in _BREAK.split("".join(masked)):
            words = _WORD.findall(run)
            for i, first in enumerate(words):
                for size in range(1, min(3, len(words) - i) + 1):
                    last = words[i + size - 1]
                    if last.isdigit() or len(last) > _LONGEST:
                        break
                    if self._tells(first) and self._tells(last):
                        yield " ".join(words[i : i + size])

    def _without_contacts(self, ad: Posting) -> str:
        """The ad's words. Accounts in links are masked here: normalising takes a link apart, `blanked` takes the rest."""
        text = "\n".join(getattr(ad, name) for name in READ_FIELDS if name != "contact")[:_MOST_CHARS]
        kept, at = [], 0
        for contact in self._contacts.find(text):
            kept.append(text[at : contact.start])
            at = contact.end
        return " , ".join([*kept, text[at:]])

    def _tells(self, word: str) -> bool:
        return len(word) > 1 and word not in self._stopwords
