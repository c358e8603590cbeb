"""What has changed between two tables of ads: scores, tiers, indicators, languages, pay, places, and new phrases.

Rates are over rows: a flood of reposts is a change of the stream as well. The p values take rows as independent, which reposts
are not, so read them beside the size of the difference. Only the phrases are counted by campaign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from jobscam import scored
from jobscam.drift import statistics
from jobscam.drift.phrases import Group, Phrase, rising
from jobscam.errors import InputError
from jobscam.features import FloatArray
from jobscam.knowledge import Knowledge
from jobscam.knowledge import load as load_knowledge
from jobscam.scoring import postings_of
from jobscam.values import TIERS, Status

if TYPE_CHECKING:
    import pandas as pd

    from jobscam.scoring import Scorer

EDGES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
"""Bins of the probability, finer where most ads are; fixed, so that figures of different days can be compared."""
UNSUPPORTED = "other"
_FALSE_DISCOVERY = 0.05


@dataclass(frozen=True, slots=True)
class Share:
    """How many rows of each table are of a kind.

    Attributes
    ----------
    reference, new : int
        Rows.
    reference_share, new_share, difference : float
        Parts of one; the difference is new less reference.
    """

    name: str
    reference: int
    new: int
    reference_share: float
    new_share: float
    difference: float


@dataclass(frozen=True, slots=True)
class Shift:
    """The share of rows with an indicator, how far it moved, and how sure that is.

    Attributes
    ----------
    share : Share
    low, high : float
        95 % interval of the difference.
    p : float
        Fisher's exact test.
    q : float
        `p` adjusted for the number of indicators (Benjamini and Hochberg).
    """

    share: Share
    low: float
    high: float
    p: float
    q: float

    @property
    def is_sure(self) -> bool:
        """Whether it belongs to a list of which at most one in twenty is expected to be chance."""
        return self.q <= _FALSE_DISCOVERY


@dataclass(frozen=True, slots=True)
class Pay:
    """Monthly pay promised, in rupiah: rows that state any, and the quartiles among them (None where none does)."""

    stating: Share
    reference_quartiles: tuple[float, float, float] | None
    new_quartiles: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Drift:
    """A comparison of two tables.

    Attributes
    ----------
    model : str
        Model that scored both.
    rows, scored, campaigns : (int, int)
        Rows, rows that were scored, and campaigns of tier high or critical among these; reference, then new.
    psi : float
        Population stability index over `bins`.
    psi_by_chance : float
        The index to be expected of two samples of this size although nothing has changed.
    ks, ks_p : float
        Kolmogorov-Smirnov distance of the probabilities, and its p value.
    bins, tiers, destinations : tuple of Share
        Of the scored rows; destinations by the size of their change.
    statuses, languages : tuple of Share
        Of all rows.
    unsupported : Share
        Rows in a language that jobscam cannot read.
    indicators : tuple of Shift
        Of all rows; the surest changes first.
    phrases : tuple of Phrase
        On the rise among the ads of tier high and critical.
    phrases_compared : int
        Phrases that were frequent enough to be compared.
    notes : tuple of str
        What was done besides comparing.
    """

    model: str
    rows: tuple[int, int]
    scored: tuple[int, int]
    campaigns: tuple[int, int]
    psi: float
    psi_by_chance: float
    ks: float
    ks_p: float
    bins: tuple[Share, ...]
    tiers: tuple[Share, ...]
    statuses: tuple[Share, ...]
    languages: tuple[Share, ...]
    unsupported: Share
    destinations: tuple[Share, ...]
    pay: Pay
    indicators: tuple[Shift, ...]
    phrases: tuple[Phrase, ...]
    phrases_compared: int
    notes: tuple[str, ...] = ()


def compare(
    reference: pd.DataFrame,
    new: pd.DataFrame,
    *,
    scorer: Scorer | Callable[[], Scorer] | None = None,
    knowledge: Knowledge | None = None,
    overrides: Mapping[str, str] | None = None,
    least: int = 3,
    top: int = 30,
) -> Drift:
    """Compare two tables of ads.

    Parameters
    ----------
    reference, new : DataFrame
        Ads. Columns of an earlier run are used if one model and one set of thresholds made those of both tables, otherwise
        both are scored anew, which `notes` then tell.
    scorer : Scorer, or callable that returns one, optional
        A scorer decides: what another model scored is scored anew. A callable is asked only where scoring is needed; by
        default that is :func:`jobscam.load`.
    knowledge : Knowledge, optional
        Whose phrases are known already; the shipped one by default.
    overrides : mapping of str to str, optional
        Posting field to column, over what the names of the columns say.
    least, top : int
        Campaigns that must hold a phrase, and how many phrases.

    Raises
    ------
    InputError
        If a table has no scored row, or no column holds the text of the ads.
    """
    (reference, new), notes = _comparable((reference, new), scorer, overrides)
    tables = (reference, new)
    where = [[i for i, s in enumerate(scored.texts(t, scored.STATUS)) if s == Status.SCORED.value] for t in tables]
    probabilities = [scored.numbers(t, scored.PROBABILITY)[rows] for t, rows in zip(tables, where, strict=True)]
    p1, p2 = (values[np.isfinite(values)] for values in probabilities)
    for name, values in (("reference", p1), ("new", p2)):
        if not len(values):
            raise InputError(f"no row of the {name} table was scored; there is nothing to compare")
    counts = [np.histogram(values, EDGES)[0].tolist() for values in (p1, p2)]
    names = [f"{low:g}-{high:g}" for low, high in pairwise(EDGES)]
    bins = [Counter(dict(zip(names, found, strict=True))) for found in counts]
    ks, ks_p = statistics.kolmogorov_smirnov(p1, p2)

    def of_rows(column: str, rows: Sequence[Sequence[int]] | None = None) -> list[Counter[str]]:
        values = [scored.texts(t, column) for t in tables]
        if rows is not None:
            values = [[found[i] for i in chosen] for found, chosen in zip(values, rows, strict=True)]
        return [Counter(found) for found in values]

    all_rows, scored_rows = (len(reference), len(new)), (len(where[0]), len(where[1]))
    languages = of_rows(scored.LANGUAGE)
    destinations = _shares([_without_empty(c) for c in of_rows(scored.DESTINATION, where)], scored_rows)
    groups = [_high(t, overrides) for t in tables]
    phrases, compared = rising(groups[0], groups[1], knowledge or load_knowledge(), least, top)
    return Drift(
        model=" ".join(sorted(_models(new))),
        rows=all_rows,
        scored=scored_rows,
        campaigns=(len(set(groups[0][1])), len(set(groups[1][1]))),
        psi=statistics.stability_index(*counts),
        psi_by_chance=statistics.index_by_chance(len(names), len(p1), len(p2)),
        ks=ks,
        ks_p=ks_p,
        bins=_shares(bins, (len(p1), len(p2)), names),
        tiers=_shares(of_rows(scored.TIER, where), scored_rows, TIERS),
        statuses=_shares(of_rows(scored.STATUS), all_rows),
        languages=_shares(languages, all_rows),
        unsupported=_shares(languages, all_rows, [UNSUPPORTED])[0],
        destinations=tuple(sorted(destinations, key=lambda s: (-abs(s.difference), s.name))),
        pay=_pay([scored.numbers(t, scored.SALARY) for t in tables], all_rows),
        indicators=_indicators(tables, all_rows),
        phrases=phrases,
        phrases_compared=compared,
        notes=tuple(notes),
    )


def _models(frame: pd.DataFrame) -> set[str]:
    return set(scored.texts(frame, scored.MODEL)) - {""}


def _comparable(
    tables: tuple[pd.DataFrame, pd.DataFrame],
    scorer: Scorer | Callable[[], Scorer] | None,
    overrides: Mapping[str, str] | None,
) -> tuple[list[pd.DataFrame], list[str]]:
    """Both tables as one model scored them, and what had to be done for it."""
    from jobscam.scoring import Scorer, load

    models = _models(tables[0]) | _models(tables[1])
    found = ", ".join(sorted(models))
    cuts = [scored.high_from(t) for t in tables] if all(map(scored.is_scored, tables)) else []
    if not cuts:
        why = "not both tables were scored"
    elif len(models) != 1:
        why = f"scored by different models ({found})"
    elif isinstance(scorer, Scorer) and models != {scorer.name}:
        why = f"scored by {found}"
    elif cuts[0][0] > cuts[1][1] or cuts[1][0] > cuts[0][1]:
        why = "scored with different thresholds"
    else:
        return list(tables), []
    used = scorer if isinstance(scorer, Scorer) else (scorer or load)()
    return [scored.rescored(t, used, overrides) for t in tables], [f"{why}: both were scored anew by {used.name}"]


def _without_empty(counts: Counter[str]) -> Counter[str]:
    return Counter({name: count for name, count in counts.items() if name})


def _share(name: str, k1: int, k2: int, totals: tuple[int, int]) -> Share:
    one, two = k1 / totals[0] if totals[0] else 0.0, k2 / totals[1] if totals[1] else 0.0
    return Share(name, k1, k2, one, two, two - one)


def _shares(counts: Sequence[Counter[str]], totals: tuple[int, int], names: Sequence[str] = ()) -> tuple[Share, ...]:
    """Shares by name, in the order of `names` or else of the alphabet."""
    found = names or sorted({*counts[0], *counts[1]})
    return tuple(_share(name, counts[0][name], counts[1][name], totals) for name in found)


def _pay(amounts: Sequence[FloatArray], totals: tuple[int, int]) -> Pay:
    stated = [values[np.isfinite(values)] for values in amounts]
    quartiles: list[tuple[float, float, float] | None] = []
    for values in stated:
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist() if len(values) else (0.0, 0.0, 0.0)
        quartiles.append((low, middle, high) if len(values) else None)
    return Pay(_share("states pay", len(stated[0]), len(stated[1]), totals), quartiles[0], quartiles[1])


def _indicators(tables: Sequence[pd.DataFrame], totals: tuple[int, int]) -> tuple[Shift, ...]:
    counts: list[Counter[str]] = []
    for table in tables:
        counts.append(Counter())
        for cell in scored.texts(table, scored.INDICATORS):
            counts[-1].update({name for name in cell.split(";") if name})
    shares = _shares(counts, totals)
    p_values = [statistics.same_share(s.reference, totals[0], s.new, totals[1]) for s in shares]
    found = []
    for share, p, q in zip(shares, p_values, statistics.false_discovery(p_values), strict=True):
        low, high = statistics.difference_interval(share.reference, totals[0], share.new, totals[1])
        found.append(Shift(share, low, high, p, q))
    return tuple(sorted(found, key=lambda s: (s.p, -abs(s.share.difference), s.share.name)))


def _high(table: pd.DataFrame, overrides: Mapping[str, str] | None) -> Group:
    """Ads of high risk, and their campaigns."""
    high = table.iloc[[i for i, tier in enumerate(scored.texts(table, scored.TIER)) if tier in scored.HIGH]]
    ads = postings_of(high, overrides)
    return ads, scored.campaigns(high, ads)


__all__ = ["EDGES", "Drift", "Pay", "Phrase", "Share", "Shift", "compare"]
