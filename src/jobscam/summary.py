"""What a run tells of itself: counts that add up, the riskiest ads, and how far it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Progress(NamedTuple):
    """How far a run is. `bytes_total` is None for a stream; `resumed` of the rows were scored before it was interrupted."""

    rows: int
    bytes_read: int
    bytes_total: int | None
    resumed: int = 0


class TopAd(NamedTuple):
    """One of the ads with the highest risk: its line in the input, what it says, and what was found.

    `place` is file and line in a table of several files.
    """

    line: int
    tier: str
    probability: float | None
    excerpt: str
    reasons: str
    place: str = ""


@dataclass
class Summary:
    """Counts of a run.

    Attributes
    ----------
    rows_in : int
        Rows read, the rejected ones among them.
    rows_out, rejected : int
        They add up to `rows_in`.
    resumed : int
        How many of the rows written were scored before the run was interrupted.
    by_tier, by_status : Counter
        Tiers are counted among the scored rows; statuses add up to `rows_out`.
    notes : list of str
        What the reader found out about the file.
    header : list of str
        Columns of the input.
    columns : list of (str, str)
        Column and the field it feeds.
    unmapped : tuple of str
        Columns carried along unread.
    probabilities : Counter
        How many scored rows had each probability, in thousandths.
    prevalence : float or None
        Share of scams for which these probabilities hold.
    top : list of TopAd
    rejects : Path or None
        Where the rejects are, if there are any.
    seconds : float
    """

    rows_in: int = 0
    rows_out: int = 0
    rejected: int = 0
    resumed: int = 0
    by_tier: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    probabilities: Counter[int] = field(default_factory=Counter)
    prevalence: float | None = None
    notes: list[str] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    columns: list[tuple[str, str]] = field(default_factory=list)
    unmapped: tuple[str, ...] = ()
    top: list[TopAd] = field(default_factory=list)
    rejects: Path | None = None
    seconds: float = 0.0

    def guessed_share(self) -> float | None:
        """Share of scams that the scored rows look like; None where there are none."""
        from jobscam.model.linear import estimate_prevalence

        if self.prevalence is None:
            return None
        values = [(k + 0.5) / 1001 for k in self.probabilities]
        return estimate_prevalence(values, self.prevalence, list(self.probabilities.values()))
