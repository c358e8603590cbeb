"""Which ads to label next: those the model is least sure of, those it is surest of, and some drawn at random.

*Uncertain* ads lie nearest to where the tier *high* begins, in log-odds: a label there moves the model most. *Riskiest* ads
tell whether alarms are right. Both are spread: at most one of a campaign, and an ad is put back the more the more
ads of its language, tier, destination and pattern of indicators were taken before it. *Random* ads are drawn first and evenly
from all rows without a label, whatever the model says of them; each stands for ``jobscam_queue_weight`` rows, so that the
weighted share of scams among them is an honest estimate, which no figure over the others is.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from jobscam import scored
from jobscam.errors import InputError
from jobscam.knowledge import load_labels
from jobscam.scoring import postings_of
from jobscam.values import Status

if TYPE_CHECKING:
    import pandas as pd

    from jobscam.scoring import Scorer

REASON, WEIGHT = "jobscam_queue_reason", "jobscam_queue_weight"
UNCERTAIN, RISKIEST, RANDOM = "uncertain", "riskiest", "random"
LABEL, OWN_LABEL = "label", "jobscam_label"
"""Column that is added where there is none, and the one that a review page writes beside a ``label`` of the table."""
_FACETS = (scored.LANGUAGE, scored.TIER, scored.DESTINATION, scored.INDICATORS)
_CROWDING = 0.5
"""Log-odds that an ad falls behind for each e-fold growth of the number of ads of its kind taken before it."""
_POOL = 50
"""Ads looked at for each that is asked for; farther ones, taken for being odd only, where these are of too few campaigns."""


def select(
    frame: pd.DataFrame,
    n: int = 200,
    *,
    random_share: float = 0.2,
    riskiest_share: float = 0.2,
    around: float | None = None,
    label: str | None = None,
    seed: int = 0,
    scorer: Scorer | Callable[[], Scorer] | None = None,
    overrides: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Choose the ads to label next. The order of the rows does not matter.

    Parameters
    ----------
    frame : DataFrame
        Ads, scored or not. Rows whose label is filled are left out, and those that no reader could assess.
    n : int
        How many. Fewer come back where there are fewer.
    random_share, riskiest_share : float
        Parts of `n` that are drawn at random, and that have the highest risk; the rest are uncertain.
    around : float, optional
        Probability at which an ad is uncertain; by default where the tier *high* begins in this table.
    label : str, optional
        Column of labels, upper or lower case; found by its name otherwise, as training finds it
        (``knowledge/labels.toml``). A column ``label`` is added if there is none.
    seed : int
        Of the random part.
    scorer : Scorer, or callable that returns one, optional
        Scores a table that was not; by default :func:`jobscam.load` is called.
    overrides : mapping of str to str, optional
        Posting field to column, over what the names of the columns say.

    Returns
    -------
    DataFrame
        The chosen rows with their index, in an order that mixes the parts (whoever stops early has some of each), and the
        columns jobscam_queue_reason (uncertain, riskiest, random) and jobscam_queue_weight (rows a random one stands for,
        the inverse of the probability of being drawn; NaN for the others).

    Raises
    ------
    InputError
        If an argument is out of range, the label column does not exist, or no column holds the text of the ads.
    """
    _check(n, random_share, riskiest_share, around)
    column = label_column(frame, label)
    frame = scored.ensured(frame, _loader(scorer), overrides)
    ads = postings_of(frame, overrides)
    labels = scored.texts(frame, column) if column is not None else [""] * len(frame)
    statuses = scored.texts(frame, scored.STATUS)
    keys = scored.row_keys(frame, seed)
    free = [i for i in range(len(frame)) if not labels[i] and statuses[i] != Status.NOT_ASSESSABLE.value]
    free.sort(key=keys.__getitem__)
    count = round_half_up(n * random_share)
    drawn, others = free[:count], free[count:]

    z = scored.log_odds(scored.numbers(frame, scored.PROBABILITY))
    centre = _centre(frame) if around is None else float(scored.log_odds(np.array([around]))[0])
    ranked = [i for i in others if statuses[i] == Status.SCORED.value and not math.isnan(z[i])]
    # Plain repeats go first, cheaply, so that no flood fills the pool in which campaigns are looked for.
    distinct = list({" ".join(ads[i].text().casefold().split()): i for i in reversed(ranked)}.values())
    orders = {RISKIEST: {i: -float(z[i]) for i in distinct}, UNCERTAIN: {i: abs(float(z[i]) - centre) for i in distinct}}
    facets = list(zip(*(scored.texts(frame, name) for name in _FACETS), strict=True))

    size = _POOL * n
    while True:
        nearest = (i for costs in orders.values() for i in heapq.nsmallest(size, costs, key=_by(costs, keys)))
        pool = sorted({*drawn, *nearest})
        names = dict(zip(pool, scored.campaigns(frame.iloc[pool], [ads[i] for i in pool]), strict=True))
        reasons = dict.fromkeys(drawn, RANDOM)
        taken = {names[i] for i in drawn}
        for reason, wanted in ((RISKIEST, round_half_up(n * riskiest_share)), (UNCERTAIN, n)):
            costs = {i: orders[reason][i] for i in pool if i in orders[reason]}
            wanted = min(wanted, n - len(reasons))
            reasons |= dict.fromkeys(_spread(costs, wanted, names, facets, taken, keys), reason)
        if len(reasons) == n or size >= len(distinct):
            break
        size *= 4  # few campaigns with many ads each: look farther
    rows = sorted(reasons, key=lambda i: scored.hashed(keys[i]))
    weight = len(free) / len(drawn) if drawn else math.nan
    kept = [i for i, name in enumerate(frame.columns) if name not in (REASON, WEIGHT)]
    out = frame.iloc[rows, kept].copy()
    if column is None:
        out[LABEL] = ""
    out[REASON] = [reasons[i] for i in rows]
    out[WEIGHT] = [weight if reasons[i] == RANDOM else math.nan for i in rows]
    return out


def label_column(frame: pd.DataFrame, label: str | None = None) -> str | None:
    """Column of a table that holds the labels: the one asked for, upper or lower case, or the one that training would read.

    None where no column has a name that labels go by.

    Raises
    ------
    InputError
        If another column was asked for and is not there.
    """
    names = [str(column) for column in frame.columns]
    if label is None:
        return OWN_LABEL if OWN_LABEL in names else load_labels().column(names)
    wanted = label.casefold()
    found = [name for name in names if name == label] or [name for name in names if name.casefold() == wanted]
    if not found:
        raise InputError(f"there is no column '{label}' of labels. Columns: {', '.join(names)}")
    return found[0]


def _check(n: int, random_share: float, riskiest_share: float, around: float | None) -> None:
    if n < 1:
        raise InputError(f"n must be at least 1, got {n}")
    if min(random_share, riskiest_share) < 0.0 or random_share + riskiest_share > 1.0:
        raise InputError(f"shares are parts of one: random {random_share} and riskiest {riskiest_share} do not fit")
    if around is not None and not 0.0 < around < 1.0:
        raise InputError(f"around is a probability between 0 and 1, got {around}")


def _loader(scorer: Scorer | Callable[[], Scorer] | None) -> Callable[[], Scorer]:
    from jobscam.scoring import Scorer, load

    if isinstance(scorer, Scorer):
        return lambda: scorer
    return scorer or load


def round_half_up(value: float) -> int:
    """The nearest whole number."""
    return math.floor(value + 0.5)


def _centre(frame: pd.DataFrame) -> float:
    """Log-odds where the tier *high* begins, as far as the rows tell; those of one half where they do not."""
    below, above = scored.high_from(frame)
    return 0.0 if math.isnan(below + above) else (below + above) / 2


def _by(costs: Mapping[int, float], keys: Sequence[str]) -> Callable[[int], tuple[float, str]]:
    return lambda i: (costs[i], keys[i])


def _spread(
    costs: Mapping[int, float],
    wanted: int,
    names: Mapping[int, str],
    facets: Sequence[tuple[str, ...]],
    taken: set[str],
    keys: Sequence[str],
) -> list[int]:
    """The cheapest rows, one a campaign, each kind dearer the more of it was taken.

    Rows alike in all facets grow dearer together, so only the cheapest of each such group is in the heap. Costs only rise: the
    head of the heap is compared with its cost of now and put back if it has risen.
    """
    groups: dict[tuple[str, ...], list[tuple[float, str, int]]] = {}
    for i, cost in costs.items():
        groups.setdefault(facets[i], []).append((cost, keys[i], i))
    seen: Counter[tuple[int, str]] = Counter()
    heap = []
    for kind, rows in groups.items():
        rows.sort(reverse=True)
        heap.append((rows[-1][0], rows[-1][1], kind))
    heapq.heapify(heap)
    chosen: list[int] = []
    while heap and len(chosen) < wanted:
        known, _, kind = heapq.heappop(heap)
        rows = groups[kind]
        while rows and names[rows[-1][2]] in taken:
            rows.pop()
        if not rows:
            continue
        cost, key, i = rows[-1]
        now = cost + _CROWDING * sum(math.log1p(seen[facet]) for facet in enumerate(kind))
        if now <= known:
            chosen.append(i)
            taken.add(names[i])
            seen.update(enumerate(kind))
        heapq.heappush(heap, (now, key, kind))
    return chosen
