"""What is said of a campaign as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

CAMPAIGN_COLUMNS = (
    "campaign", "size", "tier", "probability", "first_date", "last_date", "sources", "contacts", "destinations",
    "salary_min_idr", "salary_median_idr", "salary_max_idr", "line", "id", "ad", "reasons",
)  # fmt: skip
"""Columns of a table of campaigns, in order."""
CAMPAIGN_NUMBERS = frozenset({"size", "probability", "salary_min_idr", "salary_median_idr", "salary_max_idr", "line"})
"""Those that are numbers where a format knows numbers."""
MOST_LISTED = 20
EXCERPT = 300


class Risk(NamedTuple):
    """What decides which ad of a campaign stands for it: the smallest is the riskiest.

    Ads that are not ranked come last; what is equal is told apart by its text, and copies by their line.
    """

    unranked: bool
    negative_probability: float
    text: str
    line: int


class Member(NamedTuple):
    """What one ad adds to the summary of its campaign."""

    risk: Risk
    tier: str
    probability: float | None
    date: str
    source: str
    contacts: tuple[str, ...]
    destination: str
    salary: float | None
    id: str
    text: str
    reasons: str


@dataclass
class CampaignSummary:
    """A campaign, filled one ad at a time.

    Attributes
    ----------
    name : str
    size : int
    best : Member
        The riskiest ad; it stands for the campaign.
    first, last : str
        Dates as ``YYYY-MM-DD``, "" where no ad has one.
    sources, contacts, destinations : Counter of str
        How many ads each stands in.
    salaries : list of float
        Highest base pay promised, rupiah a month, of the ads that state one.
    """

    name: str
    best: Member
    size: int = 0
    first: str = ""
    last: str = ""
    sources: Counter[str] = field(default_factory=Counter)
    contacts: Counter[str] = field(default_factory=Counter)
    destinations: Counter[str] = field(default_factory=Counter)
    salaries: list[float] = field(default_factory=list)

    def add(self, member: Member) -> None:
        """Take an ad."""
        self.size += 1
        if member.risk < self.best.risk:
            self.best = member
        if member.date:
            self.first = min(self.first or member.date, member.date)
            self.last = max(self.last, member.date)
        self.contacts.update(member.contacts)
        if member.source:
            self.sources[member.source] += 1
        if member.destination:
            self.destinations[member.destination] += 1
        if member.salary is not None:
            self.salaries.append(member.salary)

    @property
    def rank(self) -> tuple[bool, float, int, str]:
        """The riskiest campaigns come first, of equal ones the larger."""
        return (self.best.risk.unranked, self.best.risk.negative_probability, -self.size, self.name)

    def cells(self, contact: Callable[[str], str], excerpt: Callable[[str], str]) -> list[str]:
        """A row of `CAMPAIGN_COLUMNS`.

        Parameters
        ----------
        contact, excerpt : callable
            How a contact and words of an ad are shown.
        """
        pay = [min(self.salaries), median(self.salaries), max(self.salaries)] if self.salaries else []
        best = self.best
        return [
            self.name,
            str(self.size),
            best.tier,
            "" if best.probability is None else f"{best.probability:.6f}",
            self.first,
            self.last,
            listed(self.sources),
            listed(self.contacts, contact),
            listed(self.destinations),
            *([f"{p:.0f}" for p in pay] or ["", "", ""]),
            str(best.risk.line),
            best.id,
            shortened(excerpt(best.text)),
            excerpt(best.reasons),
        ]


def listed(counts: Counter[str], shown: Callable[[str], str] = str) -> str:
    """Values with their counts, the most frequent first.

    Examples
    --------
    >>> listed(Counter({"TH": 1, "KH": 12}))
    'KH (12); TH (1)'
    """
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{' '.join(shown(value).split())} ({count})" for value, count in ranked[:MOST_LISTED]]
    if len(ranked) > MOST_LISTED:
        parts.append(f"{len(ranked) - MOST_LISTED} more")
    return "; ".join(parts)


def shortened(text: str, size: int = EXCERPT) -> str:
    """Text in one line, cut to a size."""
    words = " ".join(text.split())
    return words if len(words) <= size else words[: size - 1] + "…"
